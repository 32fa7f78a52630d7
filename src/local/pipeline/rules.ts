import { isEnded, type ActionRun, type Execution, type PipelineRecord, type StageRun } from './execution.js';

/**
 * The rules by which executions move through a pipeline (user guide, "How pipeline executions work"), as a pure function: what stands →
 * the one thing to happen next. Applying it and asking again until nothing is left is the whole engine.
 */
export type Transition =
  | { readonly kind: 'enter'; readonly execution: string }
  | { readonly kind: 'start'; readonly execution: string; readonly action: string }
  | { readonly kind: 'complete-stage'; readonly execution: string }
  | { readonly kind: 'fail-stage'; readonly execution: string }
  | { readonly kind: 'supersede'; readonly execution: string; readonly by: string }
  | { readonly kind: 'stop'; readonly execution: string }
  | { readonly kind: 'cancel'; readonly execution: string };

/** `executions`: all that have not ended, in the order they were started. */
export function nextTransition(pipeline: PipelineRecord, executions: readonly Execution[]): Transition | undefined {
  const active = executions.filter((execution) => !isEnded(execution));
  for (const execution of active) {
    const transition = insideOf(execution);
    if (transition) return transition;
  }
  for (const execution of active) {
    if (execution.place !== 'waiting' || execution.status !== 'InProgress') continue;
    const rival = supersededBy(execution, active);
    if (rival) return { kind: 'supersede', execution: execution.id, by: rival.id };
    if (mayEnter(execution, pipeline, active)) return { kind: 'enter', execution: execution.id };
  }
  return undefined;
}

/** What happens to an execution by itself, whatever the others do. */
function insideOf(execution: Execution): Transition | undefined {
  const current = execution.stages[execution.stage];
  const running = current?.actions.some(({ status }) => status === 'InProgress') ?? false;
  const of = { execution: execution.id };
  if (execution.status === 'Stopping') return running ? undefined : { kind: 'stop', ...of };
  if (execution.cancelled && !running) return { kind: 'cancel', ...of };
  if (execution.cancelled || execution.place !== 'inside' || !current) return undefined;
  if (current.actions.some(({ status }) => status === 'Failed')) return running ? undefined : { kind: 'fail-stage', ...of };
  const action = startable(current, execution);
  if (action) return { kind: 'start', ...of, action: action.name };
  return current.actions.every(({ status }) => status === 'Succeeded') ? { kind: 'complete-stage', ...of } : undefined;
}

/** Actions of one run order start together, when all of lower order have succeeded. */
function startable(stage: StageRun, execution: Execution): ActionRun | undefined {
  const orders = new Map(execution.declaration.stages[execution.stage]!.actions.map((declared) => [declared.name, declared.runOrder ?? 1]));
  const open = stage.actions.filter(({ status }) => status !== 'Succeeded');
  const lowest = Math.min(...open.map(({ name }) => orders.get(name)!));
  return open.find(({ name, status }) => status === 'NotStarted' && orders.get(name) === lowest);
}

/** In SUPERSEDED mode the newest that waits for a stage takes the place of those that waited before. */
function supersededBy(execution: Execution, active: readonly Execution[]): Execution | undefined {
  if (execution.mode !== 'SUPERSEDED') return undefined;
  return active.find((other) => other.mode === 'SUPERSEDED' && other.number > execution.number && other.place === 'waiting' && stageName(other) === stageName(execution) && other.status === 'InProgress' && !other.cancelled);
}

function mayEnter(execution: Execution, pipeline: PipelineRecord, active: readonly Execution[]): boolean {
  const name = stageName(execution);
  if (pipeline.disabled[name]) return false;
  if (execution.mode === 'PARALLEL') return true;
  const others = active.filter((other) => other.id !== execution.id && other.mode !== 'PARALLEL');
  if (others.some((other) => other.place === 'inside' && stageName(other) === name)) return false;
  // Queued executions keep their order: nobody enters a stage before one that was started earlier and waits there too.
  return execution.mode !== 'QUEUED' || !others.some((other) => other.number < execution.number && other.place === 'waiting' && stageName(other) === name);
}

/** Stages are the same by name: executions of an older definition may still be in theirs. */
function stageName(execution: Execution): string {
  return execution.declaration.stages[execution.stage]!.name;
}
