import { CodeCommitClient, GetCommitCommand } from '@aws-sdk/client-codecommit';
import { GetPipelineExecutionCommand, type CodePipelineClient, type PipelineDeclaration, type PipelineExecutionSummary, type SourceRevision, type SourceRevisionOverride, type SourceRevisionType } from '@aws-sdk/client-codepipeline';
import { FlotillaError } from '../shared/errors.js';
import { nearest } from '../shared/suggest.js';
import type { PipelineRef } from './follow.js';
import type { History } from './history.js';
import { clientOf, type Target } from './target.js';

/** A source action of a pipeline, and what a revision of it is. */
export interface Source {
  readonly action: string;
  readonly provider: string;
  readonly revision: SourceRevisionType;
  readonly region: string | undefined;
  readonly artifact: string | undefined;
  /** `owner/name` of a git host, or the name in CodeCommit; undefined for what is no repository of commits. */
  readonly repository: string | undefined;
}

/** How a revision is named, by provider (CodePipeline User Guide, "Start a pipeline with a source revision override"). */
const REVISIONS: Readonly<Record<string, SourceRevisionType>> = { CodeCommit: 'COMMIT_ID', CodeStarSourceConnection: 'COMMIT_ID', GitHub: 'COMMIT_ID', S3: 'S3_OBJECT_VERSION_ID', ECR: 'IMAGE_DIGEST' };

/** The source actions of a pipeline, the one that its first build reads in the first place before the others. */
export function sourcesOf({ stages = [] }: PipelineDeclaration): Source[] {
  const actions = (stages[0]?.actions ?? []).filter(({ actionTypeId }) => actionTypeId?.category === 'Source');
  const build = stages[1]?.actions?.[0];
  const primary = build?.configuration?.['PrimarySource'] ?? build?.inputArtifacts?.[0]?.name;
  const first = actions.findIndex(({ outputArtifacts = [] }) => outputArtifacts.some(({ name }) => name === primary));
  const ordered = first > 0 ? [actions[first]!, ...actions.filter((_, index) => index !== first)] : actions;
  return ordered.map(({ name = '', actionTypeId, configuration = {}, region, outputArtifacts }) => {
    const provider = actionTypeId?.provider ?? '';
    return { action: name, provider, revision: REVISIONS[provider] ?? 'COMMIT_ID', region, artifact: outputArtifacts?.[0]?.name, repository: repositoryOf(provider, configuration) };
  });
}

function repositoryOf(provider: string, { RepositoryName, FullRepositoryId, Owner, Repo }: Readonly<Record<string, string>>): string | undefined {
  return provider === 'CodeCommit' ? RepositoryName : provider === 'GitHub' ? `${Owner}/${Repo}` : FullRepositoryId;
}

/** What an execution took from the pipeline's first source, as the list of executions tells it: their order there is nobody's. */
export function revisionOf({ sourceRevisions = [] }: PipelineExecutionSummary, [source]: readonly Source[]): SourceRevision | undefined {
  return sourceRevisions.find(({ actionName }) => actionName === source?.action) ?? sourceRevisions[0];
}

/** The same of one execution that is asked for by itself. */
export async function takenRevision(client: CodePipelineClient, pipelineName: string, pipelineExecutionId: string, [source]: readonly Source[]): Promise<string | undefined> {
  const { artifactRevisions = [] } = (await client.send(new GetPipelineExecutionCommand({ pipelineName, pipelineExecutionId }))).pipelineExecution ?? {};
  return (artifactRevisions.find(({ name }) => name === source?.artifact) ?? artifactRevisions[0])?.revisionId;
}

export interface WantedRevisions {
  /** For the one source whose repository has it. */
  readonly commit?: string | undefined;
  /** `ACTION=REVISION`: a commit, the version of an S3 object, or the digest of an image. */
  readonly sources?: readonly string[] | undefined;
}

/**
 * Revisions that sources are to take instead of their newest. Raises EXE006 where it isn't clear whose a commit is, EXE007 where an action isn't
 * there, EXE008 where a commit is abbreviated and known to nobody who could say the rest.
 */
export async function wantedRevisions(target: Target, pipeline: PipelineRef, declaration: PipelineDeclaration, { commit, sources: named = [] }: WantedRevisions, commits: History): Promise<SourceRevisionOverride[]> {
  const sources = sourcesOf(declaration);
  const wanted = named.map((text) => namedRevision(text, sources, pipeline));
  if (commit !== undefined) wanted.push({ source: await sourceOf(target, pipeline, commit, sources.filter(({ action }) => !wanted.some(({ source }) => source.action === action)), commits), value: commit });
  return Promise.all(wanted.map(async ({ source, value }) => ({ actionName: source.action, revisionType: source.revision, revisionValue: source.revision === 'COMMIT_ID' ? await wholeCommit(value, commits) : value })));
}

function namedRevision(text: string, sources: readonly Source[], pipeline: PipelineRef): { source: Source; value: string } {
  const [, action = '', value = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (value === '') throw new FlotillaError('CLI017', `--source '${text}' is not ACTION=REVISION`, { fix: `--source ${sources[0]?.action ?? 'Source'}=REVISION`, exitCode: 2 });
  const source = sources.find((one) => one.action === action);
  if (source) return { source, value };
  const meant = nearest(action, sources.map((one) => one.action));
  throw new FlotillaError('EXE007', `${pipeline.name} has no source action '${action}'`, { why: `it has ${sources.map((one) => `${one.action} (${one.provider})`).join(', ')}`, fix: meant === undefined ? `--source ${sources[0]?.action}=${value}` : `did you mean --source ${meant}=${value}?`, exitCode: 6 });
}

/** The source whose repository has the commit: the only one of commits, or the one that says it has it. */
async function sourceOf(target: Target, pipeline: PipelineRef, commit: string, all: readonly Source[], commits: History): Promise<Source> {
  const sources = all.filter(({ revision }) => revision === 'COMMIT_ID');
  if (sources.length === 1) return sources[0]!;
  const has = await Promise.all(sources.map((source) => hasCommit(target, pipeline, source, commit, commits)));
  const having = sources.filter((_, index) => has[index]);
  if (having.length === 1) return having[0]!;
  const names = (having.length > 1 ? having : sources).map(({ action, repository }) => `${action} (${repository ?? 'no repository'})`).join(', ');
  throw new FlotillaError('EXE006', sources.length === 0 ? `no source of ${pipeline.name} takes a commit` : `it is not clear which source of ${pipeline.name} the commit ${commit.slice(0, 7)} is of`, {
    why: sources.length === 0 ? `its sources are ${all.map(({ action, provider }) => `${action} (${provider})`).join(', ')}` : having.length > 1 ? `${names} have it` : `neither CodeCommit nor the repository of this folder says that one of them has it: ${names}`,
    fix: `--source ${(having[0] ?? sources[0] ?? all[0])?.action ?? 'ACTION'}=${sources.length === 0 ? 'REVISION' : commit}`,
    exitCode: 2,
  });
}

async function hasCommit(target: Target, pipeline: PipelineRef, { provider, repository, region }: Source, commit: string, commits: History): Promise<boolean> {
  if (repository === undefined) return false;
  const here = await commits.resolve(commit);
  if (provider !== 'CodeCommit') return here !== undefined && (await commits.remotes()).some((remote) => isRemoteOf(remote, repository));
  const client = await clientOf(target, CodeCommitClient, pipeline.account, region ?? pipeline.region);
  return client.send(new GetCommitCommand({ repositoryName: repository, commitId: here ?? commit })).then(() => true, (error: unknown) => {
    if (error instanceof Error && /^(CommitIdDoesNotExistException|InvalidCommitIdException|RepositoryDoesNotExistException)$/.test(error.name)) return false;
    throw error;
  });
}

/** `git@github.com:acme/app.git` and `https://github.com/acme/app` are remotes of `acme/app`. */
function isRemoteOf(remote: string, repository: string): boolean {
  return remote.replace(/\.git\/?$/, '').replace(/\/$/, '').toLowerCase().split(/[/:]/).slice(-repository.split('/').length).join('/') === repository.toLowerCase();
}

/** AWS takes whole commit IDs only; the repository of this folder may know the rest. */
async function wholeCommit(given: string, commits: History): Promise<string> {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/i.test(given)) return given;
  const known = await commits.resolve(given);
  if (known !== undefined) return known;
  throw new FlotillaError('EXE008', `'${given}' is no whole commit`, { why: 'CodePipeline takes commits with all their digits, and the repository of this folder does not have this one', fix: 'name it whole, or go where the repository is', exitCode: 2 });
}
