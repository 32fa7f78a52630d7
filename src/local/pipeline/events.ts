import { announce } from '../kernel/announce.js';
import type { Runtime } from '../kernel/service.js';
import type { Execution } from './execution.js';

/** EventBridge events of pipelines (CodePipeline user guide, "Monitoring CodePipeline events"), each noted in the transaction of the change that it tells. */
export function announceExecution(runtime: Runtime, execution: Execution, state: string): void {
  emit(runtime, execution, 'CodePipeline Pipeline Execution State Change', {
    state,
    ...(state === 'STARTED' ? { 'execution-trigger': { 'trigger-type': execution.trigger.triggerType, 'trigger-detail': execution.trigger.triggerDetail } } : {}),
    ...(state === 'FAILED' ? { 'additional-attributes': { failedStage: execution.stages[execution.stage]?.name, failedActions: failures(execution) } } : {}),
  });
}

function failures(execution: Execution): unknown[] {
  return (execution.stages[execution.stage]?.actions ?? []).filter(({ status }) => status === 'Failed').map(({ name, error }) => ({ action: name, additionalInformation: error?.message }));
}

export function announceStage(runtime: Runtime, execution: Execution, stage: string, state: string): void {
  emit(runtime, execution, 'CodePipeline Stage Execution State Change', { stage, state });
}

export function announceAction(runtime: Runtime, execution: Execution, stage: string, action: string, state: string): void {
  const declared = execution.declaration.stages.find(({ name }) => name === stage)?.actions.find(({ name }) => name === action);
  const run = execution.stages.find(({ name }) => name === stage)?.actions.find(({ name }) => name === action);
  if (!declared) return;
  const { category, owner, provider, version } = declared.actionTypeId;
  emit(runtime, execution, 'CodePipeline Action Execution State Change', {
    stage, action, state, region: declared.region ?? execution.region, type: { owner, provider, category, version },
    ...(run?.external?.id || run?.summary ? { 'execution-result': { 'external-execution-id': run.external?.id, 'external-execution-url': run.external?.url, 'external-execution-summary': run.summary, 'error-code': run.error?.code } } : {}),
  });
}

function emit(runtime: Runtime, execution: Execution, detailType: string, detail: Record<string, unknown>): void {
  const { account, region, pipeline, id } = execution;
  announce(runtime, { service: 'codepipeline', account, region, arn: `arn:aws:codepipeline:${region}:${account}:${pipeline}`, detailType, detail: { pipeline, 'execution-id': id, version: execution.declaration.version, ...detail } });
}
