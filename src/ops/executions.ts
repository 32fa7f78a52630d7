import {
  CodePipelineClient,
  DisableStageTransitionCommand,
  EnableStageTransitionCommand,
  GetPipelineCommand,
  GetPipelineStateCommand,
  RetryStageExecutionCommand,
  StartPipelineExecutionCommand,
  StopPipelineExecutionCommand,
  paginateListPipelineExecutions,
  type PipelineExecutionSummary,
  type SourceRevisionOverride,
  type StageState,
} from '@aws-sdk/client-codepipeline';
import { FlotillaError } from '../shared/errors.js';
import { nearest } from '../shared/suggest.js';
import { attempts, type PipelineRef } from './follow.js';
import { heldStages, type HeldStage } from './held-stages.js';
import type { History } from './history.js';
import { sourcesOf, wantedRevisions, type WantedRevisions } from './sources.js';
import { clientOf, type Target } from './target.js';

const clientFor = (target: Target, { account, region }: PipelineRef): Promise<CodePipelineClient> => clientOf(target, CodePipelineClient, account, region);

/** Executions of a pipeline, newest first, page by page as they are asked for; CodePipeline keeps twelve months of them. */
export async function* executionsOf(client: CodePipelineClient, pipelineName: string): AsyncGenerator<PipelineExecutionSummary> {
  for await (const { pipelineExecutionSummaries = [] } of paginateListPipelineExecutions({ client, pageSize: 100 }, { pipelineName })) yield* pipelineExecutionSummaries;
}

/** An execution by its ID or the beginning of it, by the beginning of its commit, or the newest. Raises EXE001. */
export async function executionNamed(target: Target, pipeline: PipelineRef, name: string | undefined): Promise<PipelineExecutionSummary> {
  const client = await clientFor(target, pipeline);
  for await (const execution of executionsOf(client, pipeline.name)) {
    const { pipelineExecutionId = '', sourceRevisions = [] } = execution;
    if (name === undefined || pipelineExecutionId.startsWith(name) || sourceRevisions.some(({ revisionId = '' }) => revisionId.startsWith(name))) return execution;
  }
  throw new FlotillaError('EXE001', name === undefined ? `${pipeline.name} has not run yet` : `${pipeline.name} has no execution '${name}'`, { why: name === undefined ? undefined : 'CodePipeline keeps those of twelve months', fix: 'name an execution or a commit that went through it: flotilla where', exitCode: 6 });
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
  const names = states.map(({ stageName = '' }) => stageName);
  const meant = nearest(wanted, names);
  return new FlotillaError('EXE003', `${pipeline.name} has no stage '${wanted}'`, { why: meant === undefined ? undefined : `it has ${names.join(', ')}`, fix: meant === undefined ? `one of: ${names.join(', ')}` : `did you mean ${meant}?`, exitCode: 6 });
}

/** Stops an execution: gently, when its running actions have ended, or at once (`abandon`). Raises EXE004 where it is over. */
export async function stop(target: Target, pipeline: PipelineRef, execution: PipelineExecutionSummary, { abandon, reason, dryRun }: { readonly abandon: boolean; readonly reason: string; readonly dryRun: boolean }): Promise<void> {
  if (execution.status !== 'InProgress' && !(abandon && execution.status === 'Stopping'))
    throw new FlotillaError('EXE004', `the execution ${execution.pipelineExecutionId?.slice(0, 8)} of ${pipeline.name} is ${execution.status}`, { why: 'only one that is under way can be stopped', exitCode: 6 });
  if (dryRun) return;
  const client = await clientFor(target, pipeline);
  await client.send(new StopPipelineExecutionCommand({ pipelineName: pipeline.name, pipelineExecutionId: execution.pipelineExecutionId!, abandon, reason: reason.slice(0, 200) }));
}

/** Keeps everything from entering a stage, with a reason for whoever asks why; answers how it was held before. Raises EXE003. */
export async function hold(target: Target, pipeline: PipelineRef, stageName: string, reason: string, dryRun: boolean): Promise<HeldStage | undefined> {
  const client = await clientFor(target, pipeline);
  const before = await existingStage(client, pipeline, stageName);
  if (!dryRun) await client.send(new DisableStageTransitionCommand({ pipelineName: pipeline.name, stageName, transitionType: 'Inbound', reason }));
  return before;
}

/** Lets executions into a stage again; answers how it was held. Raises EXE003. */
export async function resume(target: Target, pipeline: PipelineRef, stageName: string, dryRun: boolean): Promise<HeldStage | undefined> {
  const client = await clientFor(target, pipeline);
  const before = await existingStage(client, pipeline, stageName);
  if (!dryRun) await client.send(new EnableStageTransitionCommand({ pipelineName: pipeline.name, stageName, transitionType: 'Inbound' }));
  return before;
}

async function existingStage(client: CodePipelineClient, pipeline: PipelineRef, wanted: string): Promise<HeldStage | undefined> {
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name: pipeline.name }));
  const stage = stageStates.find(({ stageName }) => stageName === wanted);
  if (!stage) throw noStage(stageStates, pipeline, wanted);
  return heldStages([stage])[0];
}

export interface Released {
  /** Undefined in a dry run. */
  readonly execution: string | undefined;
  /** Revisions that were asked for; every other source takes its newest. */
  readonly revisions: readonly SourceRevisionOverride[];
  /** Source actions that take their newest. */
  readonly newest: readonly string[];
}

/** Releases a change: the newest of each source, or the revisions that are named. Raises what `wantedRevisions` does. */
export async function release(target: Target, pipeline: PipelineRef, wanted: WantedRevisions, commits: History, dryRun: boolean): Promise<Released> {
  const client = await clientFor(target, pipeline);
  const { pipeline: declaration } = await client.send(new GetPipelineCommand({ name: pipeline.name }));
  const revisions = await wantedRevisions(target, pipeline, declaration!, wanted, commits);
  const newest = sourcesOf(declaration!).map(({ action }) => action).filter((action) => !revisions.some(({ actionName }) => actionName === action));
  if (dryRun) return { execution: undefined, revisions, newest };
  const { pipelineExecutionId } = await client.send(new StartPipelineExecutionCommand({ name: pipeline.name, ...(revisions.length > 0 ? { sourceRevisions: revisions } : {}) }));
  return { execution: pipelineExecutionId, revisions, newest };
}
