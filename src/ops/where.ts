import { CodePipelineClient, GetPipelineCommand, GetPipelineStateCommand, ListActionExecutionsCommand, ListPipelineExecutionsCommand, type ActionExecutionDetail, type PipelineDeclaration, type PipelineExecutionSummary, type StageState } from '@aws-sdk/client-codepipeline';
import type { PipelineRef } from './follow.js';
import type { CommitDescription } from './history.js';
import { clientSettings, type Target } from './target.js';

/** Which commit is where: one row for each account and region a stage deploys to. */
export interface WhereRow {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  readonly stacks: readonly string[];
  /** Commit that is deployed; undefined where nothing is yet. */
  readonly live: string | undefined;
  readonly since: Date | undefined;
  readonly state: 'deployed' | 'deploying' | 'failed' | 'waiting' | 'never';
  /** What the state is about: the commit on its way, the gate's name, the error. */
  readonly detail: string | undefined;
  /** Commit of the execution that came here last, however it ended. */
  readonly attempted?: string;
  /** The gate that keeps a commit from here. */
  readonly gate?: WaitingGate;
  /** Commits of the pipeline's newest that are not here yet; where a repository can tell. */
  readonly behind?: number;
  /** What the account holds, where it was asked. */
  readonly held?: Held;
}

export interface WaitingGate {
  readonly action: string;
  readonly execution: string;
  readonly commit: string | undefined;
  readonly since: Date | undefined;
  /** When CodePipeline rejects it by itself: 7 days after, unless the action says otherwise (CodePipeline quotas). */
  readonly expires: Date | undefined;
  /** A check runs beside it that may answer it: nobody is waited for yet. */
  readonly checked?: true;
}

/** The stacks of a target against what the pipeline says of them. */
export interface Held {
  readonly state: 'as deployed' | 'changed' | 'missing' | 'failed' | 'unknown';
  readonly detail?: string;
}

export interface WhereReport {
  readonly pipeline: PipelineRef;
  readonly head: string | undefined;
  readonly headSummary: string | undefined;
  /** Status of the execution that carries the head: `InProgress`, `Succeeded`, `Failed`, `Stopped` … */
  readonly headStatus: string | undefined;
  readonly rows: readonly WhereRow[];
  /** Author and message of what stands or waits somewhere; where a repository can tell. */
  readonly commits?: readonly CommitDescription[];
}

interface DeployTarget {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  readonly actions: string[];
  readonly stacks: string[];
}

/** Reads a pipeline's executions and says for each target what runs there. */
export async function where(target: Target, pipeline: PipelineRef): Promise<WhereReport> {
  const client = new CodePipelineClient(await clientSettings(target, pipeline.account, pipeline.region));
  try {
    const { pipeline: declaration } = await client.send(new GetPipelineCommand({ name: pipeline.name }));
    const executions = await allExecutions(client, pipeline.name);
    const details = await allActions(client, pipeline.name);
    const state = await client.send(new GetPipelineStateCommand({ name: pipeline.name }));
    const commits = new Map(executions.map((execution) => [execution.pipelineExecutionId ?? '', commitOf(execution)]));
    const newest = executions.find((execution) => commitOf(execution) !== undefined);
    const gates = waitingGates(declaration!, state.stageStates ?? [], commits);
    return {
      pipeline,
      head: newest && commitOf(newest),
      headSummary: newest && summaryOf(newest),
      headStatus: newest?.status,
      rows: deployTargets(declaration!, pipeline).map((place) => rowOf(place, details, commits, gates.get(place.stage))),
    };
  } finally {
    client.destroy();
  }
}

const WEEK_MINUTES = 7 * 24 * 60;

/** The gate that stands in each stage, if one does. */
function waitingGates(declaration: PipelineDeclaration, states: readonly StageState[], commits: ReadonlyMap<string, string | undefined>): ReadonlyMap<string, WaitingGate> {
  const found = new Map<string, WaitingGate>();
  for (const { stageName = '', actionStates = [], latestExecution: stage } of states) {
    const checked = actionStates.some(({ latestExecution: action }) => action?.status === 'InProgress' && action.token === undefined);
    for (const { actionName = '', latestExecution } of actionStates) {
      if (latestExecution?.status !== 'InProgress' || latestExecution.token === undefined) continue;
      const since = latestExecution.lastStatusChange;
      const execution = stage?.pipelineExecutionId ?? '';
      found.set(stageName, { action: actionName, execution, commit: commits.get(execution), since, expires: expiryOf(declaration, stageName, actionName, since), ...(checked ? { checked } : {}) });
    }
  }
  return found;
}

/** When a gate that waits since then is rejected by CodePipeline itself. */
export function expiryOf(declaration: PipelineDeclaration, stage: string, action: string, since: Date | undefined): Date | undefined {
  const minutes = declaration.stages?.find(({ name }) => name === stage)?.actions?.find(({ name }) => name === action)?.timeoutInMinutes ?? WEEK_MINUTES;
  return since && new Date(since.getTime() + minutes * 60_000);
}

function commitOf(execution: PipelineExecutionSummary): string | undefined {
  return execution.sourceRevisions?.[0]?.revisionId;
}

function summaryOf(execution: PipelineExecutionSummary): string | undefined {
  const text = execution.sourceRevisions?.[0]?.revisionSummary;
  if (text === undefined) return undefined;
  const message = text.startsWith('{') ? ((JSON.parse(text) as { CommitMessage?: string }).CommitMessage ?? text) : text;
  return message.split('\n')[0];
}

async function allExecutions(client: CodePipelineClient, pipelineName: string): Promise<PipelineExecutionSummary[]> {
  const { pipelineExecutionSummaries = [] } = await client.send(new ListPipelineExecutionsCommand({ pipelineName, maxResults: 100 }));
  return pipelineExecutionSummaries;
}

async function allActions(client: CodePipelineClient, pipelineName: string): Promise<ActionExecutionDetail[]> {
  const found: ActionExecutionDetail[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new ListActionExecutionsCommand({ pipelineName, maxResults: 100, nextToken }));
    found.push(...(page.actionExecutionDetails ?? []));
    nextToken = page.nextToken;
  } while (nextToken);
  return found;
}

/** CloudFormation actions by stage, account and region. The account is the one of the role the action deploys with. */
function deployTargets(declaration: PipelineDeclaration, pipeline: PipelineRef): DeployTarget[] {
  const targets = new Map<string, DeployTarget>();
  for (const stage of declaration.stages ?? [])
    for (const action of stage.actions ?? []) {
      if (action.actionTypeId?.provider !== 'CloudFormation') continue;
      const account = (action.roleArn ?? action.configuration?.['RoleArn'])?.split(':')[4] ?? pipeline.account;
      const region = action.region ?? pipeline.region;
      const key = `${stage.name}/${account}/${region}`;
      const place = targets.get(key) ?? { stage: stage.name ?? '', account, region, actions: [], stacks: [] };
      place.actions.push(action.name ?? '');
      const stack = action.configuration?.['StackName'];
      if (stack && !place.stacks.includes(stack)) place.stacks.push(stack);
      targets.set(key, place);
    }
  return [...targets.values()];
}

function rowOf(place: DeployTarget, details: readonly ActionExecutionDetail[], commits: ReadonlyMap<string, string | undefined>, gate: WaitingGate | undefined): WhereRow {
  const own = details.filter(({ stageName, actionName }) => stageName === place.stage && place.actions.includes(actionName ?? ''));
  const deploys = own.filter(({ input }) => input?.configuration?.['ActionMode'] !== 'CHANGE_SET_REPLACE');
  const latestExecution = own[0]?.pipelineExecutionId;
  const done = lastComplete(place, deploys);
  const live = done && commits.get(done.execution);
  const attempted = commits.get(latestExecution ?? '');
  const base = { stage: place.stage, account: place.account, region: place.region, stacks: place.stacks, live, since: done?.at, ...(attempted === undefined ? {} : { attempted }) };
  const current = own.filter(({ pipelineExecutionId }) => pipelineExecutionId === latestExecution);
  const failed = latestOfEach(current).find(({ status }) => status === 'Failed');
  if (failed) return { ...base, state: 'failed', detail: failed.output?.executionResult?.errorDetails?.message };
  if (current.some(({ status }) => status === 'InProgress')) return { ...base, state: 'deploying', detail: attempted };
  if (gate?.checked) return { ...base, state: 'deploying', detail: gate.commit, gate };
  if (gate) return { ...base, state: 'waiting', detail: gate.action, gate };
  return { ...base, state: done ? 'deployed' : 'never', detail: undefined };
}

function latestOfEach(details: readonly ActionExecutionDetail[]): ActionExecutionDetail[] {
  const latest = new Map<string, ActionExecutionDetail>();
  for (const detail of details) if (!latest.has(detail.actionName ?? '')) latest.set(detail.actionName ?? '', detail);
  return [...latest.values()];
}

/** The newest execution all of whose deployments of this target have succeeded. */
function lastComplete(place: DeployTarget, deploys: readonly ActionExecutionDetail[]): { execution: string; at: Date } | undefined {
  for (const execution of new Set(deploys.map(({ pipelineExecutionId = '' }) => pipelineExecutionId))) {
    const own = deploys.filter(({ pipelineExecutionId, status }) => pipelineExecutionId === execution && status === 'Succeeded');
    if (new Set(own.map(({ actionName }) => actionName)).size >= place.stacks.length && own.length > 0)
      return { execution, at: new Date(Math.max(...own.map(({ lastUpdateTime }) => lastUpdateTime?.getTime() ?? 0))) };
  }
  return undefined;
}
