import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CodeBuildClient, BatchGetBuildsCommand } from '@aws-sdk/client-codebuild';
import { CodePipelineClient, GetPipelineExecutionCommand, GetPipelineStateCommand, ListActionExecutionsCommand, ListPipelineExecutionsCommand, type ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import { setTimeout as delay } from 'node:timers/promises';
import { approvalsOf, isApproval } from './approvals.js';
import { isAbsent } from './aws/absent.js';
import { lastDurations, shapeOf } from './estimate.js';
import type { Emit } from './events.js';
import { heldStages, type HeldStage } from './held-stages.js';
import { ResourceFollower } from './resources.js';
import { failedResources } from './stacks.js';
import { clientSettings, type Target } from './target.js';

export interface PipelineRef {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export interface Gate {
  readonly pipeline: string;
  readonly stage: string;
  readonly action: string;
  readonly token: string;
  readonly message?: string;
}

export interface FollowOptions {
  readonly target: Target;
  readonly pipeline: PipelineRef;
  /** The execution to follow; when another takes its place (the pipeline changed itself), that one is followed. */
  readonly execution: string;
  /** Asked once at each gate; answers what to do. */
  readonly gate: (gate: Gate) => Promise<'approve' | 'reject' | 'leave'>;
  readonly decide: (gate: Gate, decision: 'approve' | 'reject') => Promise<void>;
  readonly emit: Emit;
  readonly logs: boolean;
  readonly signal?: AbortSignal;
}

export interface FollowResult {
  readonly execution: string;
  readonly status: string;
  readonly waiting: readonly Gate[];
  /** The stage it waits before because somebody holds it. */
  readonly held?: HeldStage;
  readonly failures: readonly { readonly stage: string; readonly action: string; readonly message: string }[];
}

/** Milliseconds between two looks: AWS counts requests. */
const POLL_MS = { LOCAL: 200, AWS: 3000 } as const;

/** Follows an execution until it ends, or until nothing but a gate that is left alone is to be waited for. */
export async function followExecution(options: FollowOptions): Promise<FollowResult> {
  const { target, pipeline, emit } = options;
  const settings = await clientSettings(target, pipeline.account, pipeline.region);
  const client = new CodePipelineClient(settings);
  const logs = new LogFollower(new CodeBuildClient(settings), new CloudWatchLogsClient(settings), emit);
  const resources = new ResourceFollower(target, pipeline, emit);
  let execution = options.execution;
  const seen = new Map<string, string>();
  const asked = new Set<string>();
  const left = new Map<string, Gate>();
  const before = await lastDurations(client, pipeline.name, (id) => attempts(client, pipeline.name, id));
  let total = await announce(client, pipeline.name, before, emit);
  const look = async (): Promise<ActionExecutionDetail[]> => {
    const found = await attempts(client, pipeline.name, execution);
    for (const detail of found) report(detail, seen, succeeded(found), total, emit);
    if (options.logs) await logs.advance(found);
    await resources.advance(found);
    return found;
  };
  const pause = (): Promise<void> => delay(POLL_MS[target.kind], undefined, options.signal ? { signal: options.signal } : {});
  try {
    for (;;) {
      // While anything but gates runs, the execution neither ends nor waits for anybody: one request tells all there is.
      if ((await look()).some((detail) => detail.status === 'InProgress' && !isApproval(detail))) {
        await pause();
        continue;
      }
      const { pipelineExecution } = await client.send(new GetPipelineExecutionCommand({ pipelineName: pipeline.name, pipelineExecutionId: execution }));
      // After its state, so that of an execution that has ended nothing is missing.
      const details = await look();
      const status = pipelineExecution?.status ?? 'Unknown';
      if (status !== 'InProgress' && status !== 'Stopping') {
        const next = await successor(client, pipeline.name, execution, status);
        if (!next) {
          if (options.logs) await logs.advance(details, true);
          emit({ type: 'execution', id: execution, status, ...(pipelineExecution?.statusSummary ? { detail: pipelineExecution.statusSummary } : {}) });
          return { execution, status, waiting: [], failures: await failuresOf(details, pipeline, target) };
        }
        emit({ type: 'execution', id: execution, status, detail: `the pipeline changed itself and starts again as ${next}` });
        execution = next;
        seen.clear();
        total = await announce(client, pipeline.name, before, emit);
        continue;
      }
      const parallel = pipelineExecution?.executionMode === 'PARALLEL';
      for (const gate of parallel ? gatesOfActions(pipeline.name, details) : await gates(client, pipeline.name, execution)) {
        if (asked.has(gate.token) || !waitsForPeople(gate, details)) continue;
        asked.add(gate.token);
        emit({ type: 'gate', ...gate });
        const decision = await options.gate(gate);
        if (decision === 'leave') left.set(gate.token, gate);
        else await options.decide(gate, decision);
      }
      const running = details.filter((detail) => detail.status === 'InProgress');
      if (running.length === 0 && succeeded(details) > 0) {
        const { gates: holding, held } = await ahead(client, pipeline.name, execution);
        if (held) {
          emit({ type: 'note', text: `execution ${execution.slice(0, 8)} waits before ${held.stage}, which is held: ${held.reason}` });
          return { execution, status, waiting: [], held, failures: [] };
        }
        if (holding.length > 0) {
          emit({ type: 'note', text: `execution ${execution.slice(0, 8)} waits before ${holding[0]!.stage}: an earlier one stands there at ${holding[0]!.action}` });
          return { execution, status, waiting: holding, failures: [] };
        }
      }
      if (left.size > 0 && running.length > 0 && running.every(isApproval)) return { execution, status, waiting: [...left.values()], failures: [] };
      await pause();
    }
  } finally {
    client.destroy();
  }
}

function succeeded(details: readonly ActionExecutionDetail[]): number {
  return details.filter(({ status }) => status === 'Succeeded').length;
}

/** Tells what the pipeline is made of; answers how many actions that are. */
async function announce(client: CodePipelineClient, name: string, before: readonly ActionExecutionDetail[], emit: Emit): Promise<number> {
  const shape = await shapeOf(client, name, before);
  emit({ type: 'pipeline', name, ...shape });
  return shape.stages.reduce((sum, { actions }) => sum + actions.length, 0);
}

/**
 * Whether a gate waits for people alone. What runs beside it may still decide it, as a check of permissions does, and tells what the answer
 * depends on; and a gate that isn't among the actions yet is younger than they are.
 */
function waitsForPeople(gate: Gate, details: readonly ActionExecutionDetail[]): boolean {
  const running = details.filter(({ stageName, status }) => stageName === gate.stage && status === 'InProgress');
  return running.some(({ actionName }) => actionName === gate.action) && running.every(isApproval);
}

/** Latest attempt of each action, in the order they started. */
export async function attempts(client: CodePipelineClient, pipelineName: string, execution: string): Promise<ActionExecutionDetail[]> {
  const latest = new Map<string, ActionExecutionDetail>();
  let nextToken: string | undefined;
  do {
    const page = await client.send(new ListActionExecutionsCommand({ pipelineName, filter: { pipelineExecutionId: execution }, nextToken }));
    for (const detail of page.actionExecutionDetails ?? []) {
      const key = `${detail.stageName}/${detail.actionName}`;
      if (!latest.has(key)) latest.set(key, detail);
    }
    nextToken = page.nextToken;
  } while (nextToken);
  return [...latest.values()].sort((a, b) => (a.startTime?.getTime() ?? 0) - (b.startTime?.getTime() ?? 0));
}

function report(detail: ActionExecutionDetail, seen: Map<string, string>, done: number, total: number, emit: Emit): void {
  const { actionExecutionId: id = '', status = '', stageName = '', actionName = '' } = detail;
  if (seen.get(id) === status) return;
  seen.set(id, status);
  const seconds = status === 'InProgress' ? undefined : ((detail.lastUpdateTime?.getTime() ?? 0) - (detail.startTime?.getTime() ?? 0)) / 1000;
  const result = detail.output?.executionResult;
  const message = result?.errorDetails?.message ?? (status === 'Succeeded' ? result?.externalExecutionSummary : undefined);
  emit({ type: 'action', stage: stageName, action: actionName, status, done, total, ...(message ? { detail: message } : {}), ...(seconds === undefined ? {} : { seconds }) });
}

/** Failed actions; for a deployment with what CloudFormation says of each resource that failed. */
export async function failuresOf(details: readonly ActionExecutionDetail[], pipeline: PipelineRef, target: Target): Promise<FollowResult['failures']> {
  return Promise.all(
    details
      .filter(({ status }) => status === 'Failed')
      .map(async ({ stageName = '', actionName = '', input, output }) => {
        const message = output?.executionResult?.errorDetails?.message ?? 'no reason was given';
        const stack = input?.configuration?.['StackName'];
        const account = (input?.roleArn ?? '').split(':')[4] || pipeline.account;
        const reasons = stack ? await failedResources(target, { account, region: input?.region ?? pipeline.region, stackName: stack }).catch(() => []) : [];
        return { stage: stageName, action: actionName, message: [message, ...reasons].join('\n') };
      }),
  );
}

/** The execution that goes on where this one was cut off by a change of the pipeline or overtaken. */
async function successor(client: CodePipelineClient, pipelineName: string, execution: string, status: string): Promise<string | undefined> {
  if (status !== 'Cancelled' && status !== 'Superseded') return undefined;
  const { pipelineExecutionSummaries = [] } = await client.send(new ListPipelineExecutionsCommand({ pipelineName, maxResults: 20 }));
  const index = pipelineExecutionSummaries.findIndex(({ pipelineExecutionId }) => pipelineExecutionId === execution);
  return index > 0 ? pipelineExecutionSummaries[0]!.pipelineExecutionId : undefined;
}

/** What keeps an execution from the stage that it waits for: somebody's hold, or gates at which an earlier one stands there. */
async function ahead(client: CodePipelineClient, name: string, execution: string): Promise<{ readonly gates: Gate[]; readonly held: HeldStage | undefined }> {
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name }));
  const stage = stageStates.find(({ inboundExecutions = [] }) => inboundExecutions.some(({ pipelineExecutionId }) => pipelineExecutionId === execution));
  if (!stage) return { gates: [], held: undefined };
  return { gates: (await gates(client, name, stage.latestExecution?.pipelineExecutionId)).filter((gate) => gate.stage === stage.stageName), held: heldStages([stage])[0] };
}

function gatesOfActions(pipeline: string, details: readonly ActionExecutionDetail[]): Gate[] {
  return approvalsOf(details).map(({ stage, action, token, message }) => ({ pipeline, stage, action, token, ...(message === undefined ? {} : { message }) }));
}

/** Gates of an execution that wait for somebody. */
async function gates(client: CodePipelineClient, name: string, execution?: string): Promise<Gate[]> {
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name }));
  return stageStates
    .filter(({ latestExecution }) => execution === undefined || latestExecution?.pipelineExecutionId === execution)
    .flatMap(({ stageName = '', actionStates = [] }) =>
      actionStates
        .filter(({ latestExecution }) => latestExecution?.status === 'InProgress' && latestExecution.token !== undefined)
        .map(({ actionName = '', latestExecution }) => ({ pipeline: name, stage: stageName, action: actionName, token: latestExecution!.token!, ...(latestExecution!.summary ? { message: latestExecution!.summary } : {}) })),
    );
}

/** Prints the lines of builds as they are written. */
export class LogFollower {
  private readonly builds = new Map<string, { group: string; stream: string; token: string | undefined; source: string; ended: boolean }>();

  constructor(
    private readonly codebuild: CodeBuildClient,
    private readonly logs: CloudWatchLogsClient,
    private readonly emit: Emit,
  ) {}

  async advance(details: readonly ActionExecutionDetail[], last = false): Promise<void> {
    for (const detail of details) {
      const id = detail.output?.executionResult?.externalExecutionId;
      if (detail.input?.actionTypeId?.provider !== 'CodeBuild' || !id) continue;
      if (!this.builds.has(id)) await this.add(id, `${detail.stageName}/${detail.actionName}`);
      const build = this.builds.get(id);
      if (build && !build.ended) await this.read(build);
      if (build && (detail.status !== 'InProgress' || last)) build.ended = true;
    }
  }

  private async add(id: string, source: string): Promise<void> {
    const { builds = [] } = await this.codebuild.send(new BatchGetBuildsCommand({ ids: [id] }));
    const { groupName, streamName } = builds[0]?.logs ?? {};
    if (groupName && streamName) this.builds.set(id, { group: groupName, stream: streamName, token: undefined, source, ended: false });
  }

  private async read(build: { group: string; stream: string; token: string | undefined; source: string; ended: boolean }): Promise<void> {
    for (;;) {
      let page;
      try {
        page = await this.logs.send(new GetLogEventsCommand({ logGroupName: build.group, logStreamName: build.stream, startFromHead: true, ...(build.token ? { nextToken: build.token } : {}) }));
      } catch (error) {
        // The stream is made with its first line.
        if (isAbsent(error)) return;
        build.ended = true;
        this.emit({ type: 'note', text: `the log of ${build.source} can't be read: ${error instanceof Error ? error.message : String(error)}` });
        return;
      }
      for (const { message = '' } of page.events ?? []) this.emit({ type: 'log', source: build.source, line: message.replace(/\n$/, '') });
      // The end is where the token stays the same; a page before it may be empty (CloudWatch Logs API reference, GetLogEvents).
      if (page.nextForwardToken === undefined || page.nextForwardToken === build.token) return;
      build.token = page.nextForwardToken;
    }
  }
}
