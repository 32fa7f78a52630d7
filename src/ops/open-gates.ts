import type { CodePipelineClient, PipelineDeclaration, StageState } from '@aws-sdk/client-codepipeline';
import { approvalsOf } from './approvals.js';
import { executionsOf } from './executions.js';
import { attempts } from './follow.js';

/** An approval that somebody is asked for. */
export interface OpenGate {
  readonly stage: string;
  readonly action: string;
  readonly execution: string;
  /** What an answer is bound to. */
  readonly token: string;
  readonly since: Date | undefined;
  /** Something runs beside it in its stage that may answer it. */
  readonly checked: boolean;
}

/** Executions that are looked at for one that is under way. */
const MOST = 1_000;

/**
 * Gates that wait, of a later execution behind those of an earlier one. In PARALLEL mode the state of the pipeline doesn't tell them
 * (`approvalsOf`): each execution that is under way is asked.
 */
export async function openGates(client: CodePipelineClient, { name = '', executionMode }: PipelineDeclaration, states: readonly StageState[]): Promise<OpenGate[]> {
  if (executionMode !== 'PARALLEL') return states.flatMap(gatesOfStage);
  const running: string[] = [];
  let looked = 0;
  for await (const { pipelineExecutionId = '', status } of executionsOf(client, name)) {
    if (status === 'InProgress') running.push(pipelineExecutionId);
    if (++looked === MOST) break;
  }
  const found = await Promise.all(running.reverse().map(async (execution) => approvalsOf(await attempts(client, name, execution)).map((approval) => ({ ...approval, execution }))));
  return found.flat();
}

function gatesOfStage({ stageName: stage = '', actionStates = [], latestExecution }: StageState): OpenGate[] {
  const running = actionStates.filter((action) => action.latestExecution?.status === 'InProgress');
  const checked = running.some((action) => action.latestExecution?.token === undefined);
  return running.flatMap(({ actionName: action = '', latestExecution: run }) => (run?.token === undefined ? [] : [{ stage, action, execution: latestExecution?.pipelineExecutionId ?? '', token: run.token, since: run.lastStatusChange, checked }]));
}
