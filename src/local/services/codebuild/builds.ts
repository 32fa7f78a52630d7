import { randomBytes, randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { AwsError } from '../../kernel/error.js';
import { QUOTAS, quotaValue, type Quota } from '../../kernel/quotas.js';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import { sleep } from '../../../shared/clock.js';
import type * as CodeBuild from '../../models/types/codebuild.js';
import { buildArn, type Build, type PipelinePart, type Project, type Variable } from '../../build/record.js';
import { runBuild } from '../../build/run.js';
import type { IsolationWish, RunningProcess } from '../../process/index.js';
import { GLOBAL, table } from '../../state/state.js';
import { announceBuild } from './events.js';
import { projectOf } from './projects.js';

export const builds = table<Build>('codebuild', 'builds');
const orders = table<string>('codebuild', 'build-order');
const counters = table<number>('codebuild', 'build-numbers');
const open = table<{ readonly account: string; readonly region: string; readonly id: string }>('codebuild', 'open-builds');

/** Builds at the same time on this machine, whatever the quotas of accounts allow; further ones wait in the queue. */
const CONCURRENT = Math.max(2, cpus().length);
/** Builds that may wait for each that may run (CodeBuild User Guide, "Quotas": five times the concurrency). */
const WAITING_EACH = 5;

/** Sizes of machines as the quotas name them; what they don't name is bound by none. */
const SIZES: Readonly<Record<string, string>> = { BUILD_GENERAL1_SMALL: 'Small', BUILD_GENERAL1_MEDIUM: 'Medium', BUILD_GENERAL1_LARGE: 'Large', BUILD_GENERAL1_XLARGE: 'XLarge', BUILD_GENERAL1_2XLARGE: '2XLarge' };
const KINDS: Readonly<Record<string, string>> = { LINUX_CONTAINER: 'Linux', ARM_CONTAINER: 'ARM' };

function quotaOf({ environment: { type, computeType } }: Project): Quota | undefined {
  return QUOTAS.find(({ service, name }) => service === 'codebuild' && name === `Concurrently running builds for ${KINDS[type]}/${SIZES[computeType]} environment`);
}

/** Builds of an account and region on machines of one size: they share a quota. */
function shareQuota(a: Build, b: Build): boolean {
  return a.account === b.account && a.region === b.region && quotaOf(a.project)?.code === quotaOf(b.project)?.code;
}

/** How many builds of the same quota may run at a time. */
function concurrency(runtime: Runtime, { account, region, project }: Pick<Build, 'account' | 'region' | 'project'>): number {
  const quota = quotaOf(project);
  return quota === undefined ? Infinity : quotaValue(runtime.state, account, region, quota);
}

/** What runs in this process: builds in the order they came. */
class BuildQueue {
  private readonly waiting: Build[] = [];
  private readonly active = new Map<string, { readonly build: Build; process: RunningProcess | undefined }>();
  private readonly watchers = new Map<string, Set<() => void>>();
  readonly tokens = new Map<string, string>();

  constructor(private readonly runtime: Runtime) {}

  /** Builds that wait for the same as this one. */
  ahead(build: Build): number {
    return this.waiting.filter((other) => shareQuota(other, build)).length;
  }

  add(build: Build): void {
    this.waiting.push(build);
    this.next();
  }

  private next(): void {
    while (this.active.size < CONCURRENT) {
      const index = this.waiting.findIndex((build) => [...this.active.values()].filter((other) => shareQuota(other.build, build)).length < concurrency(this.runtime, build));
      if (index < 0) return;
      this.begin(this.waiting.splice(index, 1)[0]!);
    }
  }

  private begin(build: Build): void {
    const { runtime } = this;
    const entry: { readonly build: Build; process: RunningProcess | undefined } = { build, process: undefined };
    this.active.set(build.id, entry);
    const token = randomBytes(24).toString('hex');
    this.tokens.set(token, build.id);
    const all = builds(runtime.state, build.account, build.region);
    const save = (change: Partial<Build>): Build => {
      const after = { ...all.get(build.id)!, ...change };
      all.put(build.id, after);
      return after;
    };
    runBuild(runtime, build, {
      save,
      current: () => all.get(build.id)!,
      running: (process) => (entry.process = process),
      credentialsEndpoint: { url: `${runtime.endpoint}/_build/credentials`, token },
      isolation: (process.env['FLOTILLA_ISOLATION'] as IsolationWish | undefined) ?? 'auto',
    })
      .catch((error: unknown) => {
        runtime.log(`codebuild: ${build.id}: ${error instanceof Error ? error.stack : String(error)}`);
        return 'FAULT' as const;
      })
      .then((status) => {
        if (runtime.signal.aborted) return;
        runtime.state.transaction(() => {
          announceBuild(runtime, save({ status, ended: new Date(runtime.clock.now()), phase: 'COMPLETED' }));
          open(runtime.state, 'cloud', GLOBAL).delete(build.id);
        });
      })
      .finally(() => {
        this.active.delete(build.id);
        this.tokens.delete(token);
        this.wake(build.id);
        this.next();
      })
      .catch((error: unknown) => runtime.log(`codebuild: ${String(error)}`));
  }

  stop(id: string): void {
    const index = this.waiting.findIndex((build) => build.id === id);
    if (index >= 0) this.waiting.splice(index, 1);
    void this.active.get(id)?.process?.stop();
  }

  isActive(id: string): boolean {
    return this.active.has(id);
  }

  /** Resolves when the build ends, or after `ms`. */
  async ended(id: string, ms: number): Promise<void> {
    const watchers = this.watchers.get(id) ?? new Set();
    this.watchers.set(id, watchers);
    await Promise.race([new Promise<void>((resolve) => watchers.add(resolve)), sleep(this.runtime.clock, ms)]);
  }

  private wake(id: string): void {
    for (const resolve of this.watchers.get(id) ?? []) resolve();
    this.watchers.delete(id);
  }
}

const queues = new WeakMap<Runtime, BuildQueue>();

/** Takes up builds that a crash interrupted: their commands died with the process, so they start again under their ID. */
export function startQueue(runtime: Runtime): void {
  const queue = new BuildQueue(runtime);
  queues.set(runtime, queue);
  for (const { account, region, id } of open(runtime.state, 'cloud', GLOBAL).list()) {
    const build = builds(runtime.state, account, region).get(id);
    if (!build || build.status !== 'IN_PROGRESS') continue;
    const again = { ...build, phases: [], phase: 'SUBMITTED', reportArns: [] };
    builds(runtime.state, account, region).put(id, again);
    queue.add(again);
  }
}

export function queueOf(runtime: Runtime): BuildQueue {
  return queues.get(runtime)!;
}

interface StartOptions {
  readonly project: Project;
  readonly variables: readonly Variable[];
  readonly initiator: string;
  readonly token?: string;
  readonly sourceVersion?: string;
  readonly pipeline?: PipelinePart;
}

function start(options: StartOptions, context: RequestContext): Build {
  const { state, account, region, runtime } = context;
  const { project, token } = options;
  const all = builds(state, account, region);
  if (token !== undefined) {
    const known = tokenTable(state, account, region).get(project.name, token);
    const build = known === undefined ? undefined : all.get(known);
    if (build) return build;
  }
  const queue = queueOf(runtime);
  const uuid = randomUUID();
  const number = (counters(state, account, region).get(project.name) ?? 0) + 1;
  const group = project.logsConfig?.cloudWatchLogs;
  const build: Build = {
    id: `${project.name}:${uuid}`, number, account, region, project, variables: options.variables, status: 'IN_PROGRESS', phase: 'SUBMITTED', phases: [], started: context.now(), initiator: options.initiator,
    ...(options.sourceVersion === undefined ? {} : { sourceVersion: options.sourceVersion }), ...(token === undefined ? {} : { token }), ...(options.pipeline === undefined ? {} : { pipeline: options.pipeline }),
    exported: [], outputs: [], logs: { groupName: group?.groupName ?? `/aws/codebuild/${project.name}`, streamName: [group?.streamName, uuid].filter(Boolean).join('/') },
  };
  const most = WAITING_EACH * concurrency(runtime, build);
  if (queue.ahead(build) >= most) throw new AwsError('AccountLimitExceededException', `Cannot have more than ${most} builds in queue for the account`, { status: 400 });
  state.transaction(() => {
    counters(state, account, region).put(project.name, number);
    all.put(build.id, build);
    orders(state, account, region).put([project.name, Number.MAX_SAFE_INTEGER - number], build.id);
    if (token !== undefined) tokenTable(state, account, region).put([project.name, token], build.id);
    open(state, 'cloud', GLOBAL).put(build.id, { account, region, id: build.id });
    announceBuild(runtime, build);
  });
  queue.add(build);
  return build;
}

const tokenTable = table<string>('codebuild', 'tokens');

function initiatorOf(context: RequestContext): string {
  const { principal } = context;
  if (principal.kind === 'user') return principal.userName;
  return principal.kind === 'session' ? `${principal.roleName}/${principal.sessionName}` : principal.kind;
}

const merged = (base: readonly Variable[], over: readonly Variable[]): Variable[] => [...base.filter(({ name }) => !over.some((variable) => variable.name === name)), ...over];

export function startBuild(input: CodeBuild.StartBuildInput, context: RequestContext): CodeBuild.StartBuildOutput {
  const project = projectOf(input.projectName, context);
  if (project.source.type === 'CODEPIPELINE' && input.sourceTypeOverride === undefined) throw new AwsError('InvalidInputException', 'Project has source type CODEPIPELINE: it can only be started by CodePipeline', { status: 400 });
  const changed: Project = {
    ...project,
    source: {
      ...project.source,
      ...(input.sourceTypeOverride ? { type: input.sourceTypeOverride } : {}),
      ...(input.sourceLocationOverride ? { location: input.sourceLocationOverride } : {}),
      ...(input.buildspecOverride ? { buildspec: input.buildspecOverride } : {}),
    },
    artifacts: (input.artifactsOverride as never) ?? project.artifacts,
    timeoutInMinutes: input.timeoutInMinutesOverride ?? project.timeoutInMinutes,
    environment: { ...project.environment, ...(input.imageOverride ? { image: input.imageOverride } : {}) },
    ...(input.serviceRoleOverride ? { serviceRole: input.serviceRoleOverride } : {}),
    ...(input.encryptionKeyOverride ? { encryptionKey: input.encryptionKeyOverride } : {}),
  };
  const build = start({ project: changed, variables: (input.environmentVariablesOverride ?? []) as Variable[], initiator: initiatorOf(context), token: input.idempotencyToken, sourceVersion: input.sourceVersion ?? project.sourceVersion }, context);
  return { build: shownBuild(build) };
}

interface PipelineInput {
  readonly projectName: string;
  readonly idempotencyToken: string;
  readonly primarySource?: string;
  readonly environmentVariables: readonly Variable[];
  readonly inputs: PipelinePart['inputs'];
  readonly outputs: PipelinePart['outputs'];
  readonly encryptionKey?: string;
  readonly initiator: string;
  readonly pipelineExecutionId: string;
}

/** CodePipeline starts a build and says where its artifacts are. */
export function startPipelineBuild(input: PipelineInput, context: RequestContext): { id: string } {
  const project = projectOf(input.projectName, context);
  if (project.source.type !== 'CODEPIPELINE' && project.source.type !== 'NO_SOURCE' && input.inputs.length === 0)
    throw new AwsError('InvalidInputException', `Project ${project.name} has source type ${project.source.type}`, { status: 400 });
  const build = start(
    {
      project: { ...project, environment: { ...project.environment, environmentVariables: merged(project.environment.environmentVariables, input.environmentVariables) } },
      variables: [],
      initiator: input.initiator,
      token: input.idempotencyToken,
      pipeline: { inputs: input.inputs, outputs: input.outputs, primarySource: input.primarySource, encryptionKey: input.encryptionKey, execution: input.pipelineExecutionId },
    },
    context,
  );
  return { id: build.id };
}

interface CommandsInput extends Omit<PipelineInput, 'projectName' | 'initiator'> {
  readonly pipeline: string;
  readonly stage: string;
  readonly action: string;
  readonly commands: readonly string[];
  readonly outputVariables: readonly string[];
  readonly files: readonly string[];
  readonly credentials: { readonly accessKeyId: string };
}

/** The build of a Commands action: no project, the rights of the action's role. */
export function startCommandsBuild(input: CommandsInput, context: RequestContext): { id: string } {
  const name = `AWSCodePipeline-${input.pipeline}-${input.stage}-${input.action}`.replace(/[^\w-]/g, '-').slice(0, 150);
  const buildspec = JSON.stringify({ version: '0.2', env: { 'exported-variables': input.outputVariables }, phases: { build: { commands: input.commands } }, ...(input.files.length > 0 ? { artifacts: { files: input.files } } : {}) });
  const project: Project = {
    name, arn: `arn:aws:codebuild:${context.region}:${context.account}:project/${name}`, source: { type: 'CODEPIPELINE', buildspec }, secondarySources: [], artifacts: { type: 'CODEPIPELINE' }, secondaryArtifacts: [], cache: { type: 'NO_CACHE' },
    environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/amazonlinux2-x86_64-standard:5.0', computeType: 'BUILD_GENERAL1_SMALL', environmentVariables: [...input.environmentVariables] },
    serviceRole: '', timeoutInMinutes: 55, queuedTimeoutInMinutes: 480, encryptionKey: input.encryptionKey ?? '', tags: [], created: context.now(), lastModified: context.now(),
    logsConfig: { cloudWatchLogs: { status: 'ENABLED', groupName: `/aws/codepipeline/${input.pipeline}`, streamName: `${input.stage}/${input.action}` } },
  };
  const build = start(
    {
      project, variables: [], initiator: `codepipeline/${input.pipeline}`, token: input.idempotencyToken,
      pipeline: { inputs: input.inputs, outputs: input.outputs, primarySource: input.inputs[0]?.name, encryptionKey: input.encryptionKey, execution: input.pipelineExecutionId, accessKeyId: input.credentials.accessKeyId },
    },
    context,
  );
  return { id: build.id };
}

/** Milliseconds a question is held while the build runs. */
const HELD_MS = 20_000;

export async function awaitPipelineBuild(input: { id: string }, context: RequestContext): Promise<{ build: CodeBuild.Build }> {
  let build = buildOf(input.id, context);
  if (build.status === 'IN_PROGRESS') {
    await queueOf(context.runtime).ended(build.id, HELD_MS);
    build = buildOf(input.id, context);
  }
  return { build: shownBuild(build) };
}

export function pipelineBuildOutputs(input: { id: string }, context: RequestContext): { outputs: Build['outputs'] } {
  return { outputs: buildOf(input.id, context).outputs };
}

function buildOf(id: string, context: RequestContext): Build {
  const found = builds(context.state, context.account, context.region).get(idOf(id));
  if (!found) throw new AwsError('ResourceNotFoundException', `Build ${id} cannot be found`, { status: 400 });
  return found;
}

export function idOf(idOrArn: string): string {
  return idOrArn.startsWith('arn:') ? idOrArn.slice(idOrArn.indexOf(':build/') + ':build/'.length) : idOrArn;
}

export function stopBuild(input: { id: string }, context: RequestContext): CodeBuild.StopBuildOutput {
  const build = buildOf(input.id, context);
  if (build.status !== 'IN_PROGRESS') return { build: shownBuild(build) };
  const queue = queueOf(context.runtime);
  const waiting = !queue.isActive(build.id);
  const after: Build = { ...build, stopRequested: true, ...(waiting ? { status: 'STOPPED', ended: context.now(), phase: 'COMPLETED' } : {}) };
  builds(context.state, context.account, context.region).put(build.id, after);
  if (waiting) open(context.state, 'cloud', GLOBAL).delete(build.id);
  queue.stop(build.id);
  return { build: shownBuild(after) };
}

export function retryBuild(input: { id?: string; idempotencyToken?: string }, context: RequestContext): CodeBuild.RetryBuildOutput {
  const before = buildOf(input.id ?? '', context);
  return { build: shownBuild(start({ project: before.project, variables: before.variables, initiator: initiatorOf(context), token: input.idempotencyToken, sourceVersion: before.sourceVersion, pipeline: before.pipeline }, context)) };
}

export function batchGetBuilds(input: { ids: string[] }, context: RequestContext): CodeBuild.BatchGetBuildsOutput {
  const all = builds(context.state, context.account, context.region);
  const found = input.ids.map((id) => all.get(idOf(id))).filter((build) => build !== undefined);
  return { builds: found.map(shownBuild), buildsNotFound: input.ids.filter((id) => !all.get(idOf(id))) };
}

export function listBuildsForProject(input: { projectName: string; nextToken?: string; sortOrder?: string }, context: RequestContext): CodeBuild.ListBuildsForProjectOutput {
  projectOf(input.projectName, context);
  const ids = orders(context.state, context.account, context.region).list(input.projectName);
  return page(input.sortOrder === 'ASCENDING' ? ids.reverse() : ids, input.nextToken);
}

export function listBuilds(input: { nextToken?: string }, context: RequestContext): CodeBuild.ListBuildsOutput {
  const all = builds(context.state, context.account, context.region).list().sort((a, b) => b.started.getTime() - a.started.getTime());
  return page(all.map(({ id }) => id), input.nextToken);
}

function page(ids: string[], token: string | undefined): { ids: string[]; nextToken?: string } {
  const from = token === undefined ? 0 : Number(token);
  return { ids: ids.slice(from, from + 100), ...(ids.length > from + 100 ? { nextToken: String(from + 100) } : {}) };
}

export function shownBuild(build: Build): CodeBuild.Build {
  const { project, logs } = build;
  const log = `arn:aws:logs:${build.region}:${build.account}:log-group:${logs.groupName}:log-stream:${logs.streamName}`;
  return {
    id: build.id,
    arn: buildArn(build),
    buildNumber: build.number,
    startTime: build.started,
    ...(build.ended ? { endTime: build.ended } : {}),
    currentPhase: build.phase,
    buildStatus: build.status,
    ...(build.sourceVersion ? { sourceVersion: build.sourceVersion } : {}),
    ...(build.resolvedSourceVersion ? { resolvedSourceVersion: build.resolvedSourceVersion } : {}),
    projectName: project.name,
    phases: build.phases.map((phase) => ({ ...phase, contexts: phase.contexts?.map((context) => ({ ...context })) })) as never,
    source: project.source as never,
    secondarySources: project.secondarySources as never,
    artifacts: { location: build.outputs[0] ? `arn:aws:s3:::${build.outputs[0].bucket}/${build.outputs[0].key}` : '' },
    cache: project.cache as never,
    environment: project.environment as never,
    serviceRole: project.serviceRole,
    logs: { groupName: logs.groupName, streamName: logs.streamName, cloudWatchLogsArn: log, deepLink: `https://console.aws.amazon.com/cloudwatch/home?region=${build.region}#logsV2:log-groups/log-group/${encodeURIComponent(logs.groupName)}/log-events/${encodeURIComponent(logs.streamName)}` },
    timeoutInMinutes: project.timeoutInMinutes,
    queuedTimeoutInMinutes: project.queuedTimeoutInMinutes,
    buildComplete: build.status !== 'IN_PROGRESS',
    initiator: build.initiator,
    encryptionKey: build.pipeline?.encryptionKey ?? project.encryptionKey,
    exportedEnvironmentVariables: [...build.exported],
    ...(build.reportArns ? { reportArns: [...build.reportArns] } : {}),
  };
}
