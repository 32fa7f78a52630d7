import { CodePipelineClient, GetPipelineCommand, GetPipelineStateCommand, type PipelineDeclaration, type PipelineExecutionSummary, type StageState } from '@aws-sdk/client-codepipeline';
import { ActionHistory } from './action-history.js';
import { deployTargets, deployments, type Deployment } from './deployments.js';
import { executionsOf } from './executions.js';
import type { PipelineRef } from './follow.js';
import type { CommitDescription } from './history.js';
import { heldStages, type HeldStage } from './held-stages.js';
import { openGates } from './open-gates.js';
import { revisionOf, sourcesOf, takenRevision, type Source } from './sources.js';
import { clientOf, type Target } from './target.js';

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
  /** Where nothing whole was deployed since: what is older was not read (`ActionHistory`), and may be what is live. */
  readonly unreadBefore?: Date;
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

/** The stacks of a target against what the pipeline says of them; `nothing` where it never deployed and nothing stands. */
export interface Held {
  readonly state: 'as deployed' | 'changed' | 'missing' | 'failed' | 'unknown' | 'nothing';
  readonly detail?: string;
}

export interface WhereReport {
  readonly pipeline: PipelineRef;
  readonly head: string | undefined;
  readonly headSummary: string | undefined;
  /** Status of the execution that carries the head: `InProgress`, `Succeeded`, `Failed`, `Stopped` … */
  readonly headStatus: string | undefined;
  readonly rows: readonly WhereRow[];
  /** The newest execution, which may not have its commit yet. */
  readonly latest?: LatestExecution;
  /** Author and message of what stands or waits somewhere; where a repository can tell. */
  readonly commits?: readonly CommitDescription[];
  /** Stages that nothing enters until somebody lets it. */
  readonly heldStages: readonly HeldStage[];
}

export interface LatestExecution {
  readonly execution: string;
  readonly status: string;
  readonly commit?: string;
  /** Where it is, or how far it came. */
  readonly stage?: string;
}

/** Reads a pipeline's executions, as far back as it needs to say for each target what runs there. Who looks again gives the same `history`. */
export async function where(target: Target, pipeline: PipelineRef, history: ActionHistory = new ActionHistory()): Promise<WhereReport> {
  const client = await clientOf(target, CodePipelineClient, pipeline.account, pipeline.region);
  const [{ pipeline: declaration }, { stageStates = [] }] = await Promise.all([client.send(new GetPipelineCommand({ name: pipeline.name })), client.send(new GetPipelineStateCommand({ name: pipeline.name }))]);
  const executions = new Executions(client, pipeline.name, sourcesOf(declaration!));
  const newest = await executions.newest();
  const found = await deployments(client, declaration!, stageStates, deployTargets(declaration!, pipeline), history);
  const gates = await waitingGates(declaration!, stageStates, executions);
  const head = executions.head;
  return {
    pipeline,
    head: head && executions.revision(head),
    headSummary: head && summaryOf(head, executions.sources),
    headStatus: head?.status,
    rows: await Promise.all(found.map((deployment) => rowOf(deployment, executions, gates.get(deployment.place.stage)))),
    ...(newest ? { latest: latestOf(newest, executions.revision(newest), stageStates) } : {}),
    heldStages: heldStages(stageStates),
  };
}

/** Executions without a commit, each of whose sources failed, that are looked at for one that has it. */
const MOST_WITHOUT = 1_000;

/** What executions took from the pipeline's first source: those of the first pages, and each older one that is asked for. */
class Executions {
  /** The newest that has taken a revision. */
  head: PipelineExecutionSummary | undefined;
  private readonly known = new Map<string, Promise<string | undefined>>();

  constructor(
    readonly client: CodePipelineClient,
    private readonly pipelineName: string,
    readonly sources: readonly Source[],
  ) {}

  async newest(): Promise<PipelineExecutionSummary | undefined> {
    let newest: PipelineExecutionSummary | undefined;
    let looked = 0;
    for await (const execution of executionsOf(this.client, this.pipelineName)) {
      newest ??= execution;
      const revision = this.revision(execution);
      this.known.set(execution.pipelineExecutionId ?? '', Promise.resolve(revision));
      if (revision !== undefined) this.head = execution;
      if (revision !== undefined || ++looked === MOST_WITHOUT) break;
    }
    return newest;
  }

  revision(execution: PipelineExecutionSummary): string | undefined {
    return revisionOf(execution, this.sources)?.revisionId;
  }

  commit(execution: string | undefined): Promise<string | undefined> {
    if (!execution) return Promise.resolve(undefined);
    const known = this.known.get(execution) ?? takenRevision(this.client, this.pipelineName, execution, this.sources);
    this.known.set(execution, known);
    return known;
  }
}

const WEEK_MINUTES = 7 * 24 * 60;

/** The gate that stands in each stage, if one does: of several executions side by side the newest one's. */
async function waitingGates(declaration: PipelineDeclaration, states: readonly StageState[], executions: Executions): Promise<ReadonlyMap<string, WaitingGate>> {
  const found = new Map<string, WaitingGate>();
  for (const { stage, action, execution, since, checked } of await openGates(executions.client, declaration, states))
    found.set(stage, { action, execution, commit: await executions.commit(execution), since, expires: expiryOf(declaration, stage, action, since), ...(checked ? { checked } : {}) });
  return found;
}

/** When a gate that waits since then is rejected by CodePipeline itself. */
export function expiryOf(declaration: PipelineDeclaration, stage: string, action: string, since: Date | undefined): Date | undefined {
  const minutes = declaration.stages?.find(({ name }) => name === stage)?.actions?.find(({ name }) => name === action)?.timeoutInMinutes ?? WEEK_MINUTES;
  return since && new Date(since.getTime() + minutes * 60_000);
}

function summaryOf(execution: PipelineExecutionSummary, sources: readonly Source[]): string | undefined {
  const text = revisionOf(execution, sources)?.revisionSummary;
  if (text === undefined) return undefined;
  return messageOf(text).split('\n')[0];
}

/** Connections give the message inside JSON, others as it is, whatever it begins with. */
function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { CommitMessage?: string } | null)?.CommitMessage ?? text;
  } catch {
    return text;
  }
}

/** Where an execution is: the last stage that it entered, or waits before. */
function latestOf({ pipelineExecutionId = '', status }: PipelineExecutionSummary, commit: string | undefined, states: readonly StageState[]): LatestExecution {
  const stage = states.findLast(({ latestExecution, inboundExecutions = [] }) => latestExecution?.pipelineExecutionId === pipelineExecutionId || inboundExecutions.some((inbound) => inbound.pipelineExecutionId === pipelineExecutionId))?.stageName;
  return { execution: pipelineExecutionId, status: status ?? '', ...(commit === undefined ? {} : { commit }), ...(stage === undefined ? {} : { stage }) };
}

async function rowOf({ place, done, last, unreadBefore }: Deployment, executions: Executions, gate: WaitingGate | undefined): Promise<WhereRow> {
  const [live, attempted] = await Promise.all([executions.commit(done?.execution), executions.commit(last?.execution)]);
  const base = { stage: place.stage, account: place.account, region: place.region, stacks: place.stacks, live, since: done?.at, ...(attempted === undefined ? {} : { attempted }), ...(unreadBefore === undefined ? {} : { unreadBefore }) };
  if (last?.failure !== undefined) return { ...base, state: 'failed', detail: last.failure };
  if (last?.running) return { ...base, state: 'deploying', detail: attempted };
  if (gate?.checked) return { ...base, state: 'deploying', detail: gate.commit, gate };
  if (gate) return { ...base, state: 'waiting', detail: gate.action, gate };
  return { ...base, state: done ? 'deployed' : 'never', detail: undefined };
}
