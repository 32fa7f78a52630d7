import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as CodePipeline from '../../models/types/codepipeline.js';
import { retryStage } from '../../pipeline/apply.js';
import { artifactKey } from '../../pipeline/artifacts.js';
import { isEnded, type ActionRun, type Artifact, type Execution, type PipelineRecord } from '../../pipeline/execution.js';
import type { PipelineStore } from '../../pipeline/store.js';
import { pipelineOf } from './definitions.js';
import { table } from '../../state/state.js';
import { engineOf } from './engine.js';

const storeOf = (context: RequestContext): PipelineStore => engineOf(context).store(context.account, context.region);

export function startPipelineExecution(input: CodePipeline.StartPipelineExecutionInput, context: RequestContext): CodePipeline.StartPipelineExecutionOutput {
  const pipeline = pipelineOf(input.name, context);
  const declared = pipeline.declaration.variables ?? [];
  const variables: Record<string, string> = {};
  for (const { name, value } of input.variables ?? []) {
    if (!declared.some((variable) => variable.name === name)) throw new AwsError('ValidationException', `Variable '${name}' is not declared by pipeline '${pipeline.name}'`, { status: 400 });
    variables[name] = value;
  }
  for (const { name, defaultValue } of declared) {
    if (variables[name] !== undefined) continue;
    if (defaultValue === undefined) throw new AwsError('ValidationException', `Value for variable '${name}' is required: it has no default`, { status: 400 });
    variables[name] = defaultValue;
  }
  for (const { actionName } of input.sourceRevisions ?? [])
    if (!pipeline.declaration.stages[0]!.actions.some(({ name }) => name === actionName)) throw new AwsError('ActionNotFoundException', `The source action '${actionName}' is not in pipeline '${pipeline.name}'`, { status: 400 });
  const token = input.clientRequestToken;
  const known = token === undefined ? undefined : startTokens(context.state, context.account, context.region).get(pipeline.name, token);
  if (known !== undefined) return { pipelineExecutionId: known };
  const detail = 'arn' in context.principal ? context.principal.arn : 'service' in context.principal ? context.principal.service : '';
  const execution = engineOf(context).start(pipeline, { trigger: { triggerType: byRule(context) ? 'CloudWatchEvent' : 'StartPipelineExecution', triggerDetail: detail }, variables, overrides: input.sourceRevisions ?? [] });
  if (token !== undefined) startTokens(context.state, context.account, context.region).put([pipeline.name, token], execution.id);
  return { pipelineExecutionId: execution.id };
}

/** Whether EventBridge asks, with the role of a rule's target. */
function byRule({ principal }: RequestContext): boolean {
  return principal.kind === 'session' && /\bevents\.amazonaws\.com\b/.test(principal.assumedBy ?? '');
}

/** Requests that were answered, for clients that ask again; the API promises no more than that moment. */
const startTokens = table<string>('codepipeline', 'start-tokens');

function executionOf(pipelineName: string, id: string, context: RequestContext): Execution {
  pipelineOf(pipelineName, context);
  const execution = storeOf(context).execution(id);
  if (!execution || execution.pipeline !== pipelineName) throw new AwsError('PipelineExecutionNotFoundException', `No execution with id '${id}' of pipeline '${pipelineName}' could be found`, { status: 400 });
  return execution;
}

export function stopPipelineExecution(input: CodePipeline.StopPipelineExecutionInput, context: RequestContext): CodePipeline.StopPipelineExecutionOutput {
  const execution = executionOf(input.pipelineName, input.pipelineExecutionId, context);
  if (isEnded(execution)) throw new AwsError('PipelineExecutionNotStoppableException', `The pipeline execution ${execution.id} has already ended: ${execution.status}`, { status: 400 });
  if (execution.status === 'Stopping' && !input.abandon) throw new AwsError('DuplicatedStopRequestException', `The pipeline execution ${execution.id} is already stopping`, { status: 400 });
  engineOf(context).stop(execution, { abandon: input.abandon ?? false, reason: input.reason ?? '' });
  return { pipelineExecutionId: execution.id };
}

export function retryStageExecution(input: CodePipeline.RetryStageExecutionInput, context: RequestContext): CodePipeline.RetryStageExecutionOutput {
  const execution = executionOf(input.pipelineName, input.pipelineExecutionId, context);
  const pipeline = pipelineOf(input.pipelineName, context);
  const index = execution.stages.findIndex(({ name }) => name === input.stageName);
  if (index < 0) throw new AwsError('StageNotFoundException', `Pipeline '${pipeline.name}' does not have a stage with name '${input.stageName}'`, { status: 400 });
  const stage = execution.stages[index]!;
  if (execution.stage !== index || (stage.status !== 'Failed' && stage.status !== 'Stopped')) throw new AwsError('StageNotRetryableException', `The stage '${input.stageName}' of execution ${execution.id} is ${stage.status} and can't be retried: only a failed stage can be`, { status: 400 });
  if (execution.mode !== 'PARALLEL') {
    if (execution.declaration.version !== pipeline.declaration.version) throw new AwsError('StageNotRetryableException', 'The pipeline structure was changed since this execution; release a change instead', { status: 400 });
    const latest = storeOf(context).executions(pipeline.name).find((other) => other.stages.find(({ name }) => name === input.stageName)?.entered !== undefined);
    if (latest && latest.id !== execution.id) throw new AwsError('NotLatestPipelineExecutionException', `The execution ${execution.id} is not the latest one in stage '${input.stageName}'`, { status: 400 });
  }
  engineOf(context).update(execution, (before) => retryStage(before, input.retryMode, context.now()), 'RESUMED');
  return { pipelineExecutionId: execution.id };
}

/** Approves or rejects a waiting gate; the token binds the answer to one attempt (API reference, PutApprovalResult). */
export function putApprovalResult(input: CodePipeline.PutApprovalResultInput, context: RequestContext): CodePipeline.PutApprovalResultOutput {
  const pipeline = pipelineOf(input.pipelineName, context);
  const stage = pipeline.declaration.stages.find(({ name }) => name === input.stageName);
  if (!stage) throw new AwsError('StageNotFoundException', `Pipeline '${pipeline.name}' does not have a stage with name '${input.stageName}'`, { status: 400 });
  if (!stage.actions.some(({ name }) => name === input.actionName)) throw new AwsError('ActionNotFoundException', `Stage '${stage.name}' does not have an action with name '${input.actionName}'`, { status: 400 });
  const waiting = storeOf(context)
    .active(pipeline.name)
    .map((execution) => ({ execution, action: execution.stages[execution.stage]?.name === input.stageName ? execution.stages[execution.stage]!.actions.find(({ name }) => name === input.actionName) : undefined }))
    .filter(({ action }) => action?.status === 'InProgress' && action.token !== undefined);
  if (waiting.length === 0) throw new AwsError('ApprovalAlreadyCompletedException', 'The approval action has already been approved or rejected.', { status: 400 });
  const found = waiting.find(({ action }) => action!.token === input.token);
  if (!found) throw new AwsError('InvalidApprovalTokenException', 'The approval request already received a response or has expired.', { status: 400 });
  const by = 'arn' in context.principal ? context.principal.arn : context.principal.kind;
  const approved = input.result.status === 'Approved';
  engineOf(context).endAction(found.execution, found.action!, approved ? { status: 'Succeeded', summary: input.result.summary, updatedBy: by } : { status: 'Failed', summary: input.result.summary, updatedBy: by, error: { code: 'ApprovalRejected', message: `Approval was rejected by ${by}. Comment: ${input.result.summary}` } });
  return { approvedAt: context.now() };
}

export function putJobResult(jobId: string, end: Partial<ActionRun> & Pick<ActionRun, 'status'>, context: RequestContext): Record<string, never> {
  const { execution, action } = jobOf(jobId, context);
  const declared = execution.declaration.stages[execution.stage]!.actions.find(({ name }) => name === action.name)!;
  const outputs: Artifact[] = (declared.outputArtifacts ?? []).map(({ name }) => ({ name, ...outputPlace(execution, declared, name, action.id) }));
  engineOf(context).endAction(execution, action, end.status === 'Succeeded' ? { ...end, outputs } : end);
  return {};
}

function outputPlace(execution: Execution, declared: CodePipeline.ActionDeclaration, name: string, attempt: string): Omit<Artifact, 'name'> {
  const store = execution.declaration.artifactStore ?? execution.declaration.artifactStores![declared.region ?? execution.region]!;
  return { bucket: store.location, key: artifactKey(execution.pipeline, name, attempt) };
}

export function jobOf(jobId: string, context: RequestContext): { execution: Execution; action: ActionRun } {
  const store = storeOf(context);
  for (const pipeline of store.pipelines())
    for (const execution of store.active(pipeline.name)) {
      const action = execution.stages[execution.stage]?.actions.find(({ id, status }) => id === jobId && status === 'InProgress');
      if (action?.memory['job'] === jobId) return { execution, action };
    }
  throw new AwsError('JobNotFoundException', `No job with id '${jobId}' could be found`, { status: 400 });
}

export function getPipelineExecution(input: CodePipeline.GetPipelineExecutionInput, context: RequestContext): CodePipeline.GetPipelineExecutionOutput {
  const execution = executionOf(input.pipelineName, input.pipelineExecutionId, context);
  return {
    pipelineExecution: {
      pipelineName: execution.pipeline,
      pipelineVersion: execution.declaration.version,
      pipelineExecutionId: execution.id,
      status: execution.status,
      ...(execution.summary ? { statusSummary: execution.summary } : {}),
      artifactRevisions: Object.values(execution.revisions).map(({ artifact, revisionId, summary, created, url }) => ({ name: artifact, revisionId, revisionSummary: summary, ...(created ? { created } : {}), ...(url ? { revisionUrl: url } : {}) })),
      variables: Object.entries(execution.variables).map(([name, resolvedValue]) => ({ name, resolvedValue })),
      trigger: execution.trigger as never,
      executionMode: execution.mode,
      executionType: 'STANDARD',
    },
  };
}

export function listPipelineExecutions(input: CodePipeline.ListPipelineExecutionsInput, context: RequestContext): CodePipeline.ListPipelineExecutionsOutput {
  pipelineOf(input.pipelineName, context);
  const limit = input.maxResults ?? 100;
  const before = input.nextToken === undefined ? undefined : Number(Buffer.from(input.nextToken, 'base64url').toString());
  if (before !== undefined && !Number.isInteger(before)) throw new AwsError('InvalidNextTokenException', 'The next token was specified in an invalid format', { status: 400 });
  const stage = input.filter?.succeededInStage?.stageName;
  const fits = (execution: Execution): boolean => stage === undefined || execution.stages.some(({ name, status }) => name === stage && status === 'Succeeded');
  const page = storeOf(context).executions(input.pipelineName, { ...(stage === undefined ? { limit: limit + 1 } : {}), ...(before === undefined ? {} : { before }) }).filter(fits).slice(0, limit + 1);
  return {
    pipelineExecutionSummaries: page.slice(0, limit).map((execution) => ({
      pipelineExecutionId: execution.id,
      status: execution.status,
      ...(execution.summary ? { statusSummary: execution.summary } : {}),
      startTime: execution.started,
      lastUpdateTime: execution.updated,
      sourceRevisions: Object.values(execution.revisions).map(({ action, revisionId, summary, url }) => ({ actionName: action, revisionId, revisionSummary: summary, ...(url ? { revisionUrl: url } : {}) })),
      trigger: execution.trigger as never,
      ...(execution.stop ? { stopTrigger: { reason: execution.stop.reason } } : {}),
      executionMode: execution.mode,
      executionType: 'STANDARD' as const,
    })),
    ...(page.length > limit ? { nextToken: Buffer.from(String(page[limit - 1]!.number)).toString('base64url') } : {}),
  };
}

export function getPipelineState(input: { name: string }, context: RequestContext): CodePipeline.GetPipelineStateOutput {
  const pipeline = pipelineOf(input.name, context);
  const executions = storeOf(context).executions(input.name, { limit: 100 });
  return {
    pipelineName: pipeline.name,
    pipelineVersion: pipeline.declaration.version,
    stageStates: pipeline.declaration.stages.map((stage) => stageState(stage, pipeline, executions)),
    created: pipeline.created,
    updated: pipeline.updated,
  };
}

function stageState(stage: CodePipeline.StageDeclaration, pipeline: PipelineRecord, executions: readonly Execution[]): CodePipeline.StageState {
  const latest = executions.find((execution) => execution.stages.find(({ name }) => name === stage.name)?.entered !== undefined);
  const run = latest?.stages.find(({ name }) => name === stage.name);
  const waiting = executions.filter((execution) => !isEnded(execution) && execution.place === 'waiting' && execution.declaration.stages[execution.stage]?.name === stage.name);
  const switched = pipeline.disabled[stage.name];
  const inbound = waiting.map((execution) => ({ pipelineExecutionId: execution.id, status: 'InProgress' as const }));
  return {
    stageName: stage.name,
    ...(inbound.length > 0 ? { inboundExecution: inbound[0], inboundExecutions: inbound } : { inboundExecutions: [] }),
    inboundTransitionState: switched ? { enabled: false, lastChangedBy: switched.by, lastChangedAt: switched.at, disabledReason: switched.reason } : { enabled: true },
    actionStates: stage.actions.map((action) => actionState(action, run?.actions.find(({ name }) => name === action.name), latest)),
    ...(latest && run ? { latestExecution: { pipelineExecutionId: latest.id, status: stageStatus(run.status, latest), type: 'STANDARD' as const } } : {}),
  };
}

function stageStatus(status: string, execution: Execution): CodePipeline.StageExecutionStatus {
  if (status === 'InProgress' && execution.status === 'Stopping') return 'Stopping';
  return (status === 'NotStarted' ? 'InProgress' : status) as CodePipeline.StageExecutionStatus;
}

function actionState(declared: CodePipeline.ActionDeclaration, run: ActionRun | undefined, execution: Execution | undefined): CodePipeline.ActionState {
  if (!run || run.status === 'NotStarted') return { actionName: declared.name };
  const revision = execution?.revisions[declared.name];
  return {
    actionName: declared.name,
    ...(revision ? { currentRevision: { revisionId: revision.revisionId, revisionChangeId: revision.revisionId, created: revision.created ?? run.updated! } } : {}),
    latestExecution: {
      actionExecutionId: run.id,
      status: run.status === 'Abandoned' ? 'Abandoned' : run.status,
      ...(run.summary ? { summary: run.summary } : {}),
      lastStatusChange: run.updated ?? run.started,
      ...(run.token ? { token: run.token } : {}),
      ...(run.updatedBy ? { lastUpdatedBy: run.updatedBy } : {}),
      ...(run.external?.id ? { externalExecutionId: run.external.id } : {}),
      ...(run.external?.url ? { externalExecutionUrl: run.external.url } : {}),
      ...(run.error ? { errorDetails: run.error } : {}),
    },
  };
}

/** Executions whose attempts are put in order together: those of one page of history. */
const WINDOW = 100;

/** Attempts, newest first: those that run and those that are history. A page never reaches beyond a window of executions; the next begins there. */
export function listActionExecutions(input: CodePipeline.ListActionExecutionsInput, context: RequestContext): CodePipeline.ListActionExecutionsOutput {
  pipelineOf(input.pipelineName, context);
  const store = storeOf(context);
  const wanted = input.filter?.pipelineExecutionId ?? input.filter?.latestInPipelineExecution?.pipelineExecutionId;
  const { before, start } = pageOf(input.nextToken);
  const window = wanted === undefined ? store.executions(input.pipelineName, { limit: WINDOW + 1, ...(before === undefined ? {} : { before }) }) : [executionOf(input.pipelineName, wanted, context)];
  const executions = window.slice(0, WINDOW);
  const details = executions.flatMap((execution) => attemptsOf(execution, store));
  details.sort((a, b) => b.startTime!.getTime() - a.startTime!.getTime() || b.lastUpdateTime!.getTime() - a.lastUpdateTime!.getTime());
  const limit = input.maxResults ?? 100;
  const next = details.length > start + limit ? { before, start: start + limit } : window.length > WINDOW ? { before: executions.at(-1)!.number, start: 0 } : undefined;
  return { actionExecutionDetails: details.slice(start, start + limit), ...(next ? { nextToken: Buffer.from(JSON.stringify(next)).toString('base64url') } : {}) };
}

function attemptsOf(execution: Execution, store: PipelineStore): CodePipeline.ActionExecutionDetail[] {
  const past = store.pastActions(execution.pipeline, execution.number);
  const known = new Set(past.map(({ action }) => action.id));
  const running = execution.stages.flatMap((stage) => stage.actions.filter(({ id, status }) => status !== 'NotStarted' && !known.has(id)).map((action) => ({ stage: stage.name, action })));
  return [...past, ...running].map(({ stage, action }) => detailOf(execution, stage, action));
}

function pageOf(token: string | undefined): { readonly before: number | undefined; readonly start: number } {
  if (token === undefined) return { before: undefined, start: 0 };
  try {
    const { before, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { before?: unknown; start?: unknown };
    if (Number.isInteger(start) && (before === undefined || Number.isInteger(before))) return { before: before as number | undefined, start: start as number };
  } catch {
    // Said below.
  }
  throw new AwsError('InvalidNextTokenException', 'The next token was specified in an invalid format', { status: 400 });
}

function detailOf(execution: Execution, stageName: string, run: ActionRun): CodePipeline.ActionExecutionDetail {
  const declared = execution.declaration.stages.find(({ name }) => name === stageName)?.actions.find(({ name }) => name === run.name);
  const artifact = ({ name, bucket, key }: Artifact): CodePipeline.ArtifactDetail => ({ name, s3location: { bucket, key } });
  return {
    pipelineExecutionId: execution.id,
    actionExecutionId: run.id,
    pipelineVersion: execution.declaration.version,
    stageName,
    actionName: run.name,
    startTime: run.started,
    lastUpdateTime: run.updated ?? run.started,
    ...(run.updatedBy ? { updatedBy: run.updatedBy } : {}),
    status: run.status as never,
    input: {
      actionTypeId: declared?.actionTypeId,
      configuration: run.resolved ? { ...declared?.configuration, ...maskedOnly(run.resolved) } : {},
      resolvedConfiguration: { ...run.resolved },
      ...(declared?.roleArn ? { roleArn: declared.roleArn } : {}),
      region: declared?.region ?? execution.region,
      inputArtifacts: run.inputs.map(artifact),
      ...(declared?.namespace ? { namespace: declared.namespace } : {}),
    },
    output: {
      outputArtifacts: run.outputs.map(artifact),
      executionResult: {
        ...(run.external?.id ? { externalExecutionId: run.external.id } : run.token ? { externalExecutionId: run.token } : {}),
        ...(run.summary ? { externalExecutionSummary: run.summary } : {}),
        ...(run.external?.url ? { externalExecutionUrl: run.external.url } : {}),
        ...(run.error ? { errorDetails: run.error } : {}),
      },
      outputVariables: { ...run.variables },
    },
  };
}

function maskedOnly(resolved: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(resolved).filter(([, value]) => value === '****'));
}
