import { CodeCommitClient, GetCommitCommand } from '@aws-sdk/client-codecommit';
import { CodePipelineClient, GetPipelineCommand } from '@aws-sdk/client-codepipeline';
import type { PipelineRef } from './follow.js';
import type { CommitDescription, History } from './history.js';
import { sourcesOf } from './sources.js';
import { clientOf, type Target } from './target.js';
import type { WhereReport } from './where.js';

/** From the repository on this machine, or from CodeCommit where the pipeline reads it there. */
export async function describeCommit(target: Target, pipeline: PipelineRef, id: string, commits: History): Promise<CommitDescription | undefined> {
  return (await commits.describe(id)) ?? fromCodeCommit(target, pipeline, [id]).then(([found]) => found);
}

/** Adds whose every commit is that stands in a target or waits before one, as far as a repository tells; each once, in the order of the stages. */
export async function withCommits(target: Target, report: WhereReport, commits: History): Promise<WhereReport> {
  const ids = [...new Set([...report.rows.flatMap(({ live, gate }) => [live, gate?.commit]), report.head].filter((id) => id !== undefined))];
  const here = await Promise.all(ids.map((id) => commits.describe(id)));
  const missing = ids.filter((_, index) => here[index] === undefined);
  const there = missing.length === 0 ? [] : await fromCodeCommit(target, report.pipeline, missing);
  const known = new Map([...here, ...there].flatMap((commit) => (commit ? [[commit.id, commit] as const] : [])));
  return { ...report, commits: ids.flatMap((id) => known.get(id) ?? []) };
}

async function fromCodeCommit(target: Target, pipeline: PipelineRef, ids: readonly string[]): Promise<(CommitDescription | undefined)[]> {
  const client = await clientOf(target, CodePipelineClient, pipeline.account, pipeline.region);
  const { pipeline: declaration } = await client.send(new GetPipelineCommand({ name: pipeline.name }));
  const [source] = sourcesOf(declaration!);
  const repositoryName = source?.repository;
  if (source?.provider !== 'CodeCommit' || repositoryName === undefined) return [];
  const codecommit = await clientOf(target, CodeCommitClient, pipeline.account, source.region ?? pipeline.region);
  return Promise.all(
    ids.map(async (id) => {
      const { commit } = await codecommit.send(new GetCommitCommand({ repositoryName, commitId: id })).catch(() => ({ commit: undefined }));
      if (!commit) return undefined;
      const seconds = Number(/^(\d+)/.exec(commit.author?.date ?? '')?.[1] ?? Number.NaN);
      return { id, author: commit.author?.name ?? '', subject: (commit.message ?? '').split('\n')[0] ?? '', at: Number.isNaN(seconds) ? '' : new Date(seconds * 1000).toISOString() };
    }),
  );
}
