import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { CodeCommitClient, CreateRepositoryCommand, GetRepositoryCommand } from '@aws-sdk/client-codecommit';
import { CodePipelineClient, GetPipelineCommand, ListPipelineExecutionsCommand, ListPipelinesCommand, StartPipelineExecutionCommand } from '@aws-sdk/client-codepipeline';
import { CreateSecretCommand, DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { FlotillaError } from '../../shared/errors.js';
import { standingBootstrap } from '../bootstrap/standing.js';
import { each, limiter } from '../concurrency.js';
import { step, type Emit } from '../events.js';
import { followExecution, type FollowResult, type Gate, type PipelineRef } from '../follow.js';
import { synthArguments, unlessAsBefore } from '../synth.js';
import { clientSettings, type Target } from '../target.js';
import { placeOfAction, readAssembly, type AssemblyModel, type AssemblyStack, type Environment, type PipelineStack } from './assembly.js';
import { bootstrapArguments, standInPolicies, wantedBootstraps } from './bootstrap.js';
import { pathOf, prepareDependencies } from './dependencies.js';
import { commitToRun, isAsCommitted, pushCommit, repositoryRoot, type CommitInfo } from './git.js';
import { localEnvironment, runProgram } from './programs.js';
import { makeSourceBucket, putCommit, sourceObject } from './source-objects.js';

/** The local cloud, as far as a run needs more of it than AWS's APIs. */
export interface LocalCloud {
  /** Environment for programs that act as an account's administrator. Makes the account known. */
  variables(account: string, region: string): Promise<Record<string, string>>;
  /** Where the repository lies that the cloud serves under this name; `changes` tells what a push did to it. */
  serve(repository: ServedRepository, changes: readonly RefChange[]): Promise<string>;
}

export interface ServedRepository {
  readonly kind: 'codecommit' | 'outside';
  readonly name: string;
  readonly account: string;
  readonly region: string;
}

export interface RefChange {
  readonly ref: string;
  readonly before: string | undefined;
  readonly after: string;
}

export interface RunOptions {
  readonly directory: string;
  /** Folder for what the run keeps: `.flotilla`. */
  readonly folder: string;
  readonly ref: string;
  readonly dirty: boolean;
  /** Files laid over the app's fleet file. */
  readonly overlays: readonly string[];
  /** Context the app is synthesized with here (`KEY=VALUE`); the pipeline's own Synth says its own. */
  readonly context: readonly string[];
  /** Runs the pipeline again even where this commit already went through. */
  readonly again: boolean;
  readonly target: Target;
  readonly cloud: LocalCloud;
  readonly emit: Emit;
  readonly logs: boolean;
  readonly gate: (gate: Gate) => Promise<'approve' | 'reject' | 'leave'>;
  readonly decide: (pipeline: PipelineRef, gate: Gate, decision: 'approve' | 'reject') => Promise<void>;
  readonly signal?: AbortSignal;
  /** Accounts that are not what the run makes of them but what a record says they are. */
  readonly accounts?: RecordedAccounts;
}

/** Recorded accounts of a rehearsal. */
export interface RecordedAccounts {
  restore(assembly: AssemblyModel): Promise<void>;
  /** Whether the record says how the pair is bootstrapped. */
  has(pair: Environment): boolean;
  /** Whether a secret was missing there. */
  missing(pair: Environment, secret: string): boolean;
}

export interface RunResult {
  readonly commit: CommitInfo;
  readonly pipelines: readonly (PipelineRef & FollowResult)[];
  readonly assembly: AssemblyModel;
}

/** What an app without an environment of its own is deployed to: the account of the tools. */
const DEFAULT_ENVIRONMENT: Environment = { account: '999999999999', region: 'us-east-1' };

/**
 * Takes a commit of a CDK Pipelines app through its pipeline on the local cloud, as its owner would on AWS: bootstrap, deploy of the
 * pipeline, push, and from there on the pipeline itself. Nothing of the app is changed.
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const { emit } = options;
  if (!existsSync(join(options.directory, 'cdk.json'))) throw new FlotillaError('RUN003', `there is no cdk.json in ${options.directory}`, { why: 'a CDK app says there how it is started', fix: 'name the folder of the app: flotilla run DIR', exitCode: 2 });
  const root = await repositoryRoot(options.directory);
  const commit = await commitToRun(root, options);
  emit({ type: 'commit', id: commit.id, summary: commit.subject });
  if (!options.dirty && !(await isAsCommitted(root, commit.id))) emit({ type: 'note', text: 'the working tree is not the commit’s: from it the pipeline is deployed, which then changes itself to what the commit says; --dirty takes what is not committed along' });
  const cdk = new Cdk(options);
  await prepareDependencies(options);
  const { assembly } = await step(emit, 'synth', () => synthesize(cdk, options), ({ assembly: { stacks, environments }, made }) => `${made ? '' : 'as before · '}${stacks.length} stacks · ${new Set(environments.map(({ account }) => account)).size} accounts · ${new Set(environments.map(({ region }) => region)).size} regions`);
  if (assembly.pipelines.length === 0) throw new FlotillaError('RUN005', 'the app has no pipeline', { why: 'no stack of the top assembly holds an AWS::CodePipeline::Pipeline', fix: 'flotilla run takes CDK Pipelines apps; deploy others with cdk deploy --profile NAME (flotilla cloud env)' });
  await options.accounts?.restore(assembly);
  await bootstrapAll(assembly, cdk, options);
  for (const stack of assembly.pipelines) await prepareSources(stack, options);
  const before = await pipelineNames(assembly, options);
  // A new pipeline starts when it is made and finds the commit; one that stands would start on the push, and change itself while it is deployed here.
  for (const stack of assembly.pipelines) if ((await pipelinesOf(stack, options)).length === 0) await pushSources(stack, root, commit, options);
  await cdk.deployPipelines(assembly);
  const revisions = [commit.id];
  for (const stack of assembly.pipelines) revisions.push(...(await pushSources(stack, root, commit, options)));
  const pipelines = await pipelineNames(assembly, options);
  const results: (PipelineRef & FollowResult)[] = [];
  for (const pipeline of pipelines) {
    const isNew = !before.some(({ name }) => name === pipeline.name);
    const execution = await executionFor(pipeline, revisions, isNew, options);
    if (execution) results.push({ ...pipeline, ...(await followExecution({ target: options.target, pipeline, execution, gate: options.gate, decide: (gate, decision) => options.decide(pipeline, gate, decision), emit, logs: options.logs, ...(options.signal ? { signal: options.signal } : {}) })) });
  }
  return { commit, pipelines: results, assembly };
}

/** Whether a stack is deployed with just this template and these tags. */
async function deployedAs({ stackName, account, region, templateFile, tags }: AssemblyStack, target: Target): Promise<boolean> {
  const client = new CloudFormationClient(await clientSettings(target, account, region));
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    if (!/^(CREATE|UPDATE)_COMPLETE$/.test(Stacks[0]?.StackStatus ?? '')) return false;
    const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }));
    const deployed = Object.fromEntries((Stacks[0]!.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
    return isDeepStrictEqual(parse(TemplateBody), JSON.parse(readFileSync(templateFile, 'utf8'))) && isDeepStrictEqual(deployed, { ...tags });
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

const require = createRequire(import.meta.url);

/** The real CDK CLI that Flotilla carries. */
class Cdk {
  private readonly program = join(dirname(require.resolve('aws-cdk/package.json')), 'bin', 'cdk');
  private readonly output: string;

  constructor(private readonly options: RunOptions) {
    this.output = join(options.folder, 'work', 'cdk.out');
  }

  /** What the app synthesizes to; as before where nothing it is made of has changed. The pipeline's own Synth always runs. */
  async synth(as: Environment = DEFAULT_ENVIRONMENT): Promise<{ readonly assembly: AssemblyModel; readonly made: boolean }> {
    const { directory, context } = this.options;
    const made = await unlessAsBefore(this.output, directory, { as: 'LOCAL', context }, () => this.run(synthArguments(this.output, context), as, 'RUN007', 'cdk synth', directory));
    return { assembly: readAssembly(this.output, as), made };
  }

  /** The assembly of a synthesis that failed for want of what it looks up; undefined where it failed otherwise. */
  unfinished(): AssemblyModel | undefined {
    const manifest = join(this.output, 'manifest.json');
    if (!existsSync(manifest)) return undefined;
    const { missing = [] } = JSON.parse(readFileSync(manifest, 'utf8')) as { missing?: readonly unknown[] };
    return missing.length > 0 ? readAssembly(this.output, DEFAULT_ENVIRONMENT) : undefined;
  }

  async bootstrap(environment: Environment, args: readonly string[]): Promise<void> {
    await this.run(['bootstrap', `aws://${environment.account}/${environment.region}`, ...args], environment, 'RUN008', `cdk bootstrap of ${environment.account}/${environment.region}`, this.options.folder);
  }

  /** Deploys the stacks that hold the pipelines, and what they depend on, as their owner does once from a workstation. */
  async deployPipelines(assembly: AssemblyModel): Promise<void> {
    for (const stack of assembly.pipelines) {
      if (await this.stands(assembly, stack)) {
        this.options.emit({ type: 'step', name: `deploy ${stack.stackName}`, status: 'skipped', detail: 'stands as it is' });
        continue;
      }
      await step(this.options.emit, `deploy ${stack.stackName}`, () =>
        this.run(['deploy', '--app', this.output, stack.path, '--require-approval', 'never', '--progress', 'events'], stack, 'RUN009', `cdk deploy ${stack.stackName}`, this.options.directory),
      );
    }
  }

  /** Whether a pipeline's stack and those it needs are deployed with the templates and tags they have now: the CLI would find nothing to do. */
  private async stands(assembly: AssemblyModel, stack: PipelineStack): Promise<boolean> {
    const needed = assembly.stacks.filter(({ path }) => path === stack.path || stack.dependsOn.includes(path));
    const standing = await Promise.all(needed.map((each) => deployedAs(each, this.options.target)));
    return standing.every(Boolean);
  }

  private async run(args: readonly string[], as: Environment, code: string, what: string, cwd: string): Promise<string> {
    const { emit, cloud, folder, directory, signal } = this.options;
    mkdirSync(join(folder, 'work', 'home'), { recursive: true });
    const env = localEnvironment({
      ...(await cloud.variables(as.account, as.region)),
      PATH: pathOf(directory, folder),
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CDK_HOME: join(folder, 'work', 'home'),
    });
    return runProgram(process.execPath, [this.program, ...args, '--no-notices', '--no-color', '--ci'], code, what, { cwd, env, onLine: (line) => emit({ type: 'log', source: args[0]!, line }), ...(signal ? { signal } : {}) });
  }
}

/**
 * Synthesizes; an app that looks up what its accounts hold (availability zones, VPCs, images) needs their lookup roles for it, so its pairs are bootstrapped
 * first and it is synthesized again in the name of the pipeline's account, which those roles trust.
 */
async function synthesize(cdk: Cdk, options: RunOptions): ReturnType<Cdk['synth']> {
  try {
    return await cdk.synth();
  } catch (error) {
    const unfinished = options.accounts ? undefined : cdk.unfinished();
    const pipeline = unfinished?.pipelines[0];
    if (!unfinished || !pipeline) throw error;
    await bootstrapAll(unfinished, cdk, options);
    return cdk.synth({ account: pipeline.account, region: pipeline.region });
  }
}

/** Bootstraps every pair that isn't as it should be, two at a time: each is a process of the CDK CLI. */
async function bootstrapAll(assembly: AssemblyModel, cdk: Cdk, { emit, target, directory, overlays, accounts }: RunOptions): Promise<void> {
  const pairs = wantedBootstraps(assembly, directory, overlays).filter((pair) => !accounts?.has(pair));
  for (const pair of pairs) await standInPolicies(target, pair, emit);
  const wanted = await each(limiter(), pairs, async (pair) => ({ pair, args: bootstrapArguments(pair, await standingBootstrap(target, pair)) }));
  await each(limiter(2), wanted, async ({ pair, args }) => {
    if (args !== undefined) await step(emit, `bootstrap ${pair.account}/${pair.region}`, () => cdk.bootstrap(pair, args));
  });
}

/** What a pipeline expects to be there before it is deployed: the repository it reads, secrets it resolves. */
async function prepareSources(stack: PipelineStack, options: RunOptions): Promise<void> {
  const settings = await clientSettings(options.target, stack.account, stack.region);
  for (const { provider, configuration, account = stack.account, region = stack.region } of stack.sources) {
    const name = configuration['RepositoryName'];
    if (provider !== 'CodeCommit' || !name || stack.ownRepositories.includes(name)) continue;
    const client = new CodeCommitClient(await clientSettings(options.target, account, region));
    const exists = await client.send(new GetRepositoryCommand({ repositoryName: name })).then(() => true, () => false);
    if (!exists) await client.send(new CreateRepositoryCommand({ repositoryName: name }));
  }
  for (const source of stack.sources) {
    const object = sourceObject(source, stack);
    if (object && (await makeSourceBucket(options.target, object))) options.emit({ type: 'note', text: `the bucket '${object.bucket}' that the pipeline reads did not exist in ${object.account}: one was made` });
  }
  for (const name of stack.secrets) {
    const client = new SecretsManagerClient(settings);
    const exists = await client.send(new DescribeSecretCommand({ SecretId: name })).then(() => true, () => false);
    if (exists || options.accounts?.missing(stack, name)) continue;
    await client.send(new CreateSecretCommand({ Name: name, SecretString: 'made-by-flotilla-run', Description: 'Stands in for a secret of the real account' }));
    options.emit({ type: 'note', text: `the secret '${name}' that the pipeline resolves did not exist in ${stack.account}: a stand-in was made` });
  }
}

/** Brings the commit into every repository the pipeline reads, under the branch it follows, and into its objects. Answers the versions that hold it there. */
async function pushSources(stack: PipelineStack, root: string, commit: CommitInfo, options: RunOptions): Promise<string[]> {
  for (const { repository, branch } of await sourceRepositories(stack, options)) {
    const path = await options.cloud.serve(repository, []);
    const before = await pushCommit(root, path, branch, commit.id);
    if (before === commit.id) continue;
    await options.cloud.serve(repository, [{ ref: `refs/heads/${branch}`, before, after: commit.id }]);
    options.emit({ type: 'step', name: `push ${repository.name}`, status: 'succeeded', detail: `${commit.id.slice(0, 7)} → ${branch}` });
  }
  const versions: string[] = [];
  for (const object of (await liveSources(stack, options)).map((source) => sourceObject(source, stack))) {
    const holding = object && (await putCommit(options.target, object, root, commit));
    if (!holding) continue;
    versions.push(holding.version);
    if (holding.put) options.emit({ type: 'step', name: `put ${object.bucket}`, status: 'succeeded', detail: `${commit.id.slice(0, 7)} → ${object.key}` });
  }
  return versions;
}

async function sourceRepositories(stack: PipelineStack, options: RunOptions): Promise<{ repository: ServedRepository; branch: string }[]> {
  const { account, region } = stack;
  const found: { repository: ServedRepository; branch: string }[] = [];
  for (const { provider, configuration, ...at } of await liveSources(stack, options)) {
    if (provider === 'CodeCommit' && configuration['RepositoryName'] && configuration['BranchName']) {
      const place = { account, region, ...at };
      const client = new CodeCommitClient(await clientSettings(options.target, place.account, place.region));
      const exists = await client.send(new GetRepositoryCommand({ repositoryName: configuration['RepositoryName'] })).then(() => true, () => false);
      if (exists) found.push({ repository: { kind: 'codecommit', name: configuration['RepositoryName'], ...place }, branch: configuration['BranchName'] });
    }
    if (provider === 'CodeStarSourceConnection' && configuration['FullRepositoryId'] && configuration['BranchName']) found.push({ repository: { kind: 'outside', name: configuration['FullRepositoryId'], account, region }, branch: configuration['BranchName'] });
    if (provider === 'GitHub' && configuration['Owner'] && configuration['Repo'] && configuration['Branch']) found.push({ repository: { kind: 'outside', name: `${configuration['Owner']}/${configuration['Repo']}`, account, region }, branch: configuration['Branch'] });
  }
  return found;
}

/** Source actions as the pipelines have them now, where they exist; otherwise as the template says. */
async function liveSources(stack: PipelineStack, options: RunOptions): Promise<PipelineStack['sources']> {
  const names = await pipelinesOf(stack, options);
  if (names.length === 0) return stack.sources;
  const client = new CodePipelineClient(await clientSettings(options.target, stack.account, stack.region));
  const definitions = await Promise.all(names.map((name) => client.send(new GetPipelineCommand({ name }))));
  const live = definitions.flatMap(({ pipeline }) => (pipeline?.stages?.[0]?.actions ?? []).map((action) => ({ provider: action.actionTypeId?.provider ?? '', configuration: action.configuration ?? {}, ...placeOfAction(action.roleArn, action.region) })));
  return [...live, ...stack.sources];
}

async function pipelineNames(assembly: AssemblyModel, options: RunOptions): Promise<PipelineRef[]> {
  const found: PipelineRef[] = [];
  for (const stack of assembly.pipelines) for (const name of await pipelinesOf(stack, options)) found.push({ account: stack.account, region: stack.region, name });
  return found;
}

/** Pipelines the stack made, by CloudFormation's own account of it. */
async function pipelinesOf(stack: PipelineStack, options: RunOptions): Promise<string[]> {
  const settings = await clientSettings(options.target, stack.account, stack.region);
  const client = new CloudFormationClient(settings);
  try {
    const { StackResourceSummaries = [] } = await client.send(new ListStackResourcesCommand({ StackName: stack.stackName }));
    const made = StackResourceSummaries.filter(({ ResourceType, ResourceStatus }) => ResourceType === 'AWS::CodePipeline::Pipeline' && !/DELETE/.test(ResourceStatus ?? '')).map(({ PhysicalResourceId }) => PhysicalResourceId ?? '');
    const { pipelines = [] } = await new CodePipelineClient(settings).send(new ListPipelinesCommand({}));
    return made.filter((name) => pipelines.some((pipeline) => pipeline.name === name));
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return [];
    throw error;
  } finally {
    client.destroy();
  }
}

/** How long a push may take to start a pipeline. */
const TRIGGER_MS = 3000;

/** The execution that carries the commit: one that is under way, the one the push starts, or a new one. Undefined where the commit already went through. */
async function executionFor(pipeline: PipelineRef, revisions: readonly string[], isNew: boolean, options: RunOptions): Promise<string | undefined> {
  const client = new CodePipelineClient(await clientSettings(options.target, pipeline.account, pipeline.region));
  const list = async () => (await client.send(new ListPipelineExecutionsCommand({ pipelineName: pipeline.name, maxResults: 20 }))).pipelineExecutionSummaries ?? [];
  const deadline = Date.now() + TRIGGER_MS;
  for (;;) {
    const executions = await list();
    const underWay = executions.find(({ status, sourceRevisions = [] }) => status === 'InProgress' && (sourceRevisions.length === 0 || sourceRevisions.some(({ revisionId }) => revisions.includes(revisionId ?? ''))));
    if (underWay) return underWay.pipelineExecutionId;
    const carried = executions.find(({ sourceRevisions = [] }) => sourceRevisions.some(({ revisionId }) => revisions.includes(revisionId ?? '')));
    if (carried && carried.status === 'Succeeded' && !options.again) {
      options.emit({ type: 'note', text: `commit ${revisions[0]!.slice(0, 7)} already went through ${pipeline.name}; --again runs it once more` });
      return undefined;
    }
    if (carried && !isNew) break;
    if (Date.now() > deadline) break;
    await delay(100);
  }
  const { pipelineExecutionId } = await client.send(new StartPipelineExecutionCommand({ name: pipeline.name }));
  return pipelineExecutionId;
}

