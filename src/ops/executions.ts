import {
  CodePipelineClient,
  DisableStageTransitionCommand,
  EnableStageTransitionCommand,
  GetPipelineCommand,
  GetPipelineStateCommand,
  ListPipelineExecutionsCommand,
  RetryStageExecutionCommand,
  StartPipelineExecutionCommand,
  StopPipelineExecutionCommand,
  type PipelineExecutionSummary,
  type StageState,
} from '@aws-sdk/client-codepipeline';
import { FlotillaError } from '../shared/errors.js';
import { attempts, type PipelineRef } from './follow.js';
import { clientOf, type Target } from './target.js';

const clientFor = (target: Target, { account, region }: PipelineRef): Promise<CodePipelineClient> => clientOf(target, CodePipelineClient, account, region);

/** Executions of a pipeline, newest first, a hundred at most. */
export async function recentExecutions(target: Target, pipeline: PipelineRef): Promise<PipelineExecutionSummary[]> {
  const client = await clientFor(target, pipeline);
  return (await client.send(new ListPipelineExecutionsCommand({ pipelineName: pipeline.name, maxResults: 100 }))).pipelineExecutionSummaries ?? [];
}

/** An execution by its ID or the beginning of it, by the beginning of its commit, or the newest. Raises EXE001. */
export async function executionNamed(target: Target, pipeline: PipelineRef, name: string | undefined): Promise<PipelineExecutionSummary> {
  const executions = await recentExecutions(target, pipeline);
  const found = name === undefined ? executions[0] : executions.find(({ pipelineExecutionId = '', sourceRevisions = [] }) => pipelineExecutionId.startsWith(name) || sourceRevisions.some(({ revisionId = '' }) => revisionId.startsWith(name)));
  if (found) return found;
  throw new FlotillaError('EXE001', name === undefined ? `${pipeline.name} has not run yet` : `${pipeline.name} has no execution '${name}' among its last ${executions.length}`, { fix: 'name an execution or a commit that went through it: flotilla where', exitCode: 6 });
}

export interface Retried {
  readonly stage: string;
  readonly execution: string;
  readonly mode: 'ALL_ACTIONS' | 'FAILED_ACTIONS';
  readonly why: string;
}

/**
 * Retries the stage that failed. Where a change set was executed and failed it is gone: retrying the failed action alone would end in
 * ChangeSetNotFound, so all actions of the stage run again and prepare it anew.
 */
export async function retry(target: Target, pipeline: PipelineRef, stage: string | undefined, dryRun = false): Promise<Retried> {
  const client = await clientFor(target, pipeline);
  const failed = await failedStage(client, pipeline, stage);
  const execution = failed.latestExecution!.pipelineExecutionId!;
  const details = (await attempts(client, pipeline.name, execution)).filter(({ stageName, status }) => stageName === failed.stageName && status === 'Failed');
  const consumed = details.find(({ input }) => input?.configuration?.['ActionMode'] === 'CHANGE_SET_EXECUTE');
  const mode = consumed ? 'ALL_ACTIONS' : 'FAILED_ACTIONS';
  if (!dryRun) await client.send(new RetryStageExecutionCommand({ pipelineName: pipeline.name, stageName: failed.stageName!, pipelineExecutionId: execution, retryMode: mode }));
  return { stage: failed.stageName!, execution, mode, why: consumed ? `the change set of ${consumed.actionName} was consumed by the attempt that failed: all actions run again` : `only what failed runs again: ${details.map(({ actionName }) => actionName).join(', ')}` };
}

async function failedStage(client: CodePipelineClient, pipeline: PipelineRef, wanted: string | undefined): Promise<StageState> {
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name: pipeline.name }));
  const stage = stageOf(stageStates, pipeline, wanted, ({ latestExecution }) => latestExecution?.status === 'Failed' || latestExecution?.status === 'Stopped');
  if (stage) return stage;
  throw new FlotillaError('EXE002', wanted === undefined ? `nothing failed in ${pipeline.name}` : `the stage ${wanted} of ${pipeline.name} did not fail`, { why: `${stageStates.map(({ stageName, latestExecution }) => `${stageName} ${latestExecution?.status ?? 'never ran'}`).join(', ')}`, fix: 'flotilla release starts the pipeline anew', exitCode: 6 });
}

function stageOf(states: readonly StageState[], pipeline: PipelineRef, wanted: string | undefined, fits: (state: StageState) => boolean): StageState | undefined {
  if (wanted !== undefined && !states.some(({ stageName }) => stageName === wanted)) throw noStage(states, pipeline, wanted);
  return states.find((state) => (wanted === undefined || state.stageName === wanted) && fits(state));
}

function noStage(states: readonly StageState[], pipeline: PipelineRef, wanted: string): FlotillaError {
  return new FlotillaError('EXE003', `${pipeline.name} has no stage '${wanted}'`, { fix: `one of: ${states.map(({ stageName }) => stageName).join(', ')}`, exitCode: 6 });
}

/** Stops an execution: gently, when its running actions have ended, or at once (`abandon`). */
export async function stop(target: Target, pipeline: PipelineRef, execution: PipelineExecutionSummary, abandon: boolean, reason: string): Promise<void> {
  if (execution.status !== 'InProgress' && !(abandon && execution.status === 'Stopping'))
    throw new FlotillaError('EXE004', `the execution ${execution.pipelineExecutionId?.slice(0, 8)} of ${pipeline.name} is ${execution.status}`, { why: 'only one that is under way can be stopped', exitCode: 6 });
  const client = await clientFor(target, pipeline);
  await client.send(new StopPipelineExecutionCommand({ pipelineName: pipeline.name, pipelineExecutionId: execution.pipelineExecutionId!, abandon, reason: reason.slice(0, 200) }));
}

/** Keeps everything from entering a stage, with a reason for whoever asks why. */
export async function hold(target: Target, pipeline: PipelineRef, stageName: string, reason: string): Promise<void> {
  const client = await clientFor(target, pipeline);
  await existingStage(client, pipeline, stageName);
  await client.send(new DisableStageTransitionCommand({ pipelineName: pipeline.name, stageName, transitionType: 'Inbound', reason }));
}

/** Lets executions into a stage again. */
export async function resume(target: Target, pipeline: PipelineRef, stageName: string): Promise<void> {
  const client = await clientFor(target, pipeline);
  await existingStage(client, pipeline, stageName);
  await client.send(new EnableStageTransitionCommand({ pipelineName: pipeline.name, stageName, transitionType: 'Inbound' }));
}

async function existingStage(client: CodePipelineClient, pipeline: PipelineRef, wanted: string): Promise<void> {
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name: pipeline.name }));
  if (!stageStates.some(({ stageName }) => stageName === wanted)) throw noStage(stageStates, pipeline, wanted);
}

/** Stages that are held, with their reasons. */
export async function heldStages(target: Target, pipeline: PipelineRef): Promise<{ stage: string; reason: string; by: string; at: Date | undefined }[]> {
  const client = await clientFor(target, pipeline);
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name: pipeline.name }));
  return stageStates.filter(({ inboundTransitionState }) => inboundTransitionState?.enabled === false).map(({ stageName = '', inboundTransitionState: held }) => ({ stage: stageName, reason: held?.disabledReason ?? '', by: held?.lastChangedBy ?? '', at: held?.lastChangedAt }));
}

/** Releases a change: the newest commit of the source, or one that is named; answers the execution. */
export async function release(target: Target, pipeline: PipelineRef, commit?: string): Promise<string> {
  const client = await clientFor(target, pipeline);
  const action = commit === undefined ? undefined : (await client.send(new GetPipelineCommand({ name: pipeline.name }))).pipeline?.stages?.[0]?.actions?.[0]?.name;
  const { pipelineExecutionId } = await client.send(new StartPipelineExecutionCommand({ name: pipeline.name, ...(action ? { sourceRevisions: [{ actionName: action, revisionType: 'COMMIT_ID', revisionValue: commit! }] } : {}) }));
  return pipelineExecutionId!;
}
