import { isEnded, type ActionRun, type Execution, type ExecutionStatus, type StageRun, type StageStatus } from './execution.js';
import type { Transition } from './rules.js';

/** What a transition makes of its execution. Pure: time and IDs are given. */
export function applyTransition(execution: Execution, transition: Transition, now: Date, newId: () => string): Execution {
  switch (transition.kind) {
    case 'enter':
      return { ...withStage(execution, (stage) => ({ ...stage, status: 'InProgress', entered: now })), place: 'inside', updated: now };
    case 'start':
      return { ...withAction(execution, transition.action, (action) => ({ ...action, status: 'InProgress', id: newId(), started: now, updated: now, memory: {} })), updated: now };
    case 'complete-stage': {
      const done = withStage(execution, (stage) => ({ ...stage, status: 'Succeeded' }));
      if (execution.stage + 1 < execution.stages.length) return { ...done, stage: execution.stage + 1, place: 'waiting', updated: now };
      return ended(done, 'Succeeded', now);
    }
    case 'fail-stage':
      return ended(withStage(execution, (stage) => ({ ...stage, status: 'Failed' })), 'Failed', now);
    case 'supersede':
      return { ...ended(execution, 'Superseded', now), summary: `Superseded by ${transition.by}` };
    case 'stop':
      return { ...ended(execution.place === 'inside' ? withStage(execution, (stage) => ({ ...stage, status: 'Stopped' })) : execution, 'Stopped', now), summary: execution.stop?.reason };
    case 'cancel': {
      const over = execution.place === 'inside' ? withStage(execution, (stage) => ({ ...stage, status: settled(stage) })) : execution;
      return { ...ended(over, 'Cancelled', now), summary: "The pipeline's definition was updated before the pipeline execution could be completed." };
    }
  }
}

/** A stage whose actions had all come to their end when the pipeline was redefined has that end. */
function settled(stage: StageRun): StageStatus {
  if (stage.actions.some(({ status }) => status === 'Failed')) return 'Failed';
  return stage.actions.every(({ status }) => status === 'Succeeded') ? 'Succeeded' : 'Cancelled';
}

function ended(execution: Execution, status: ExecutionStatus, now: Date): Execution {
  return { ...execution, status, place: 'ended', updated: now };
}

export function withStage(execution: Execution, change: (stage: StageRun) => StageRun): Execution {
  return { ...execution, stages: execution.stages.map((stage, index) => (index === execution.stage ? change(stage) : stage)) };
}

export function withAction(execution: Execution, name: string, change: (action: ActionRun) => ActionRun): Execution {
  return withStage(execution, (stage) => ({ ...stage, actions: stage.actions.map((action) => (action.name === name ? change(action) : action)) }));
}

/** Notes the end of an action's attempt, with what it gave. An attempt that is no longer the current one changes nothing. */
export function finishAction(execution: Execution, attempt: string, change: Partial<ActionRun> & Pick<ActionRun, 'status'>, now: Date): Execution {
  if (isEnded(execution)) return execution;
  const action = execution.stages[execution.stage]?.actions.find(({ id, status }) => id === attempt && status === 'InProgress');
  if (!action) return execution;
  const after = withAction(execution, action.name, (before) => ({ ...before, ...change, updated: now, token: undefined }));
  if (change.status !== 'Succeeded') return { ...after, updated: now };
  const declared = execution.declaration.stages[execution.stage]!.actions.find(({ name }) => name === action.name)!;
  return {
    ...after,
    updated: now,
    artifacts: { ...execution.artifacts, ...Object.fromEntries((change.outputs ?? []).map((artifact) => [artifact.name, artifact])) },
    namespaces: declared.namespace ? { ...execution.namespaces, [declared.namespace]: change.variables ?? {} } : execution.namespaces,
  };
}

/** Retry of a failed stage: its failed actions, or all of them, are to be done again (API reference, RetryStageExecution). */
export function retryStage(execution: Execution, mode: 'FAILED_ACTIONS' | 'ALL_ACTIONS', now: Date): Execution {
  const again = (action: ActionRun): ActionRun =>
    mode === 'ALL_ACTIONS' || action.status !== 'Succeeded' ? { name: action.name, status: 'NotStarted', id: '', memory: {}, inputs: [], outputs: [], variables: {} } : action;
  const { summary: _, stop: _stop, ...rest } = execution;
  return {
    ...withStage({ ...rest }, (stage) => ({ ...stage, status: 'InProgress', retried: true, actions: stage.actions.map(again) })),
    status: 'InProgress',
    place: 'inside',
    updated: now,
  };
}

export function newStages(declaration: Execution['declaration']): StageRun[] {
  return declaration.stages.map(({ name, actions }) => ({
    name,
    status: 'NotStarted',
    actions: actions.map((action) => ({ name: action.name, status: 'NotStarted', id: '', memory: {}, inputs: [], outputs: [], variables: {} })),
  }));
}
