import { assumeRole } from '../../kernel/assume.js';
import { AwsError } from '../../kernel/error.js';
import { quotaNamed, quotaValue } from '../../kernel/quotas.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as CodePipeline from '../../models/types/codepipeline.js';
import { SERVICE } from '../../pipeline/engine.js';
import type { PipelineRecord } from '../../pipeline/execution.js';
import { findProvider } from '../../pipeline/providers.js';
import { validateDeclaration } from '../../pipeline/validate.js';
import { engineOf } from './engine.js';

export function pipelineArn(context: { account: string; region: string }, name: string): string {
  return `arn:aws:codepipeline:${context.region}:${context.account}:${name}`;
}

export function pipelineOf(name: string, context: RequestContext): PipelineRecord {
  const found = engineOf(context).store(context.account, context.region).pipeline(name);
  if (!found) throw new AwsError('PipelineNotFoundException', `Account '${context.account}' does not have a pipeline with name '${name}'`, { status: 400 });
  return found;
}

/** A pipeline runs once as soon as it exists (user guide, "Start a pipeline in CodePipeline"). */
const PIPELINES = quotaNamed('codepipeline', 'Total pipelines');

export async function createPipeline(input: CodePipeline.CreatePipelineInput, context: RequestContext): Promise<CodePipeline.CreatePipelineOutput> {
  const engine = engineOf(context);
  const store = engine.store(context.account, context.region);
  const { name } = input.pipeline;
  if (store.pipeline(name)) throw new AwsError('PipelineNameInUseException', `A pipeline with the name '${name}' already exists in account '${context.account}'`, { status: 400 });
  const most = quotaValue(context.state, context.account, context.region, PIPELINES);
  if (store.pipelines().length >= most) throw new AwsError('LimitExceededException', 'The number of pipelines associated with the AWS account has exceeded the limit allowed for the account.', { status: 400 });
  const declaration = { ...defaults(input.pipeline), version: 1 };
  await check(declaration, context);
  const now = context.now();
  const record: PipelineRecord = {
    name, account: context.account, region: context.region, declaration, created: now, updated: now, tags: Object.fromEntries((input.tags ?? []).map(({ key, value }) => [key, value])), disabled: {}, next: 1,
  };
  // The record and its first execution stand by one commit.
  engine.start(record, { trigger: { triggerType: 'CreatePipeline', triggerDetail: 'arn' in context.principal ? context.principal.arn : context.principal.kind } });
  return { pipeline: shown(declaration), ...(input.tags ? { tags: input.tags } : {}) };
}

export async function updatePipeline(input: CodePipeline.UpdatePipelineInput, context: RequestContext): Promise<CodePipeline.UpdatePipelineOutput> {
  const before = pipelineOf(input.pipeline.name, context);
  const secrets = withKnownSecrets(input.pipeline, before.declaration);
  const declaration = { ...defaults(secrets), version: before.declaration.version! + 1 };
  await check(declaration, context);
  const engine = engineOf(context);
  // Read again: an execution may have been started while roles were asked.
  const now = pipelineOf(input.pipeline.name, context);
  const numbered = { ...declaration, version: now.declaration.version! + 1 };
  engine.redefine({ ...now, declaration: numbered, updated: context.now() });
  return { pipeline: shown(numbered) };
}

function defaults(declaration: CodePipeline.PipelineDeclaration): CodePipeline.PipelineDeclaration {
  return {
    ...declaration,
    pipelineType: declaration.pipelineType ?? 'V1',
    executionMode: declaration.executionMode ?? 'SUPERSEDED',
    stages: declaration.stages.map((stage) => ({ ...stage, actions: stage.actions.map((action) => ({ ...action, runOrder: action.runOrder ?? 1, configuration: action.configuration ?? {}, inputArtifacts: action.inputArtifacts ?? [], outputArtifacts: action.outputArtifacts ?? [] })) })),
  };
}

/** A definition that was read and is put back holds `****` where secrets are: they stay what they were. */
function withKnownSecrets(after: CodePipeline.PipelineDeclaration, before: CodePipeline.PipelineDeclaration): CodePipeline.PipelineDeclaration {
  const known = new Map(before.stages.flatMap(({ name, actions }) => actions.map((action) => [`${name}/${action.name}`, action.configuration ?? {}] as const)));
  return {
    ...after,
    stages: after.stages.map((stage) => ({
      ...stage,
      actions: stage.actions.map((action) => {
        const secret = findProvider(action.actionTypeId)?.secret ?? [];
        const old = known.get(`${stage.name}/${action.name}`) ?? {};
        const configuration = Object.fromEntries(Object.entries(action.configuration ?? {}).map(([key, value]) => [key, secret.includes(key) && value === '****' ? (old[key] ?? value) : value]));
        return { ...action, configuration };
      }),
    })),
  };
}

/** Structure, and roles: the pipeline's must trust the service, the actions' must trust the pipeline's. */
async function check(declaration: CodePipeline.PipelineDeclaration, context: RequestContext): Promise<void> {
  validateDeclaration(declaration, context.region);
  context.authorize('iam:PassRole', declaration.roleArn, { 'iam:PassedToService': SERVICE });
  const role = await assumable(() => assumeRole(context.runtime, { roleArn: declaration.roleArn, sessionName: 'CodePipelineValidation', region: context.region, as: { service: SERVICE, account: context.account } }), declaration.roleArn, 'CodePipeline');
  const roles = new Set(declaration.stages.flatMap(({ actions }) => actions.map(({ roleArn }) => roleArn)).filter((arn) => arn !== undefined && arn !== declaration.roleArn));
  for (const roleArn of roles) await assumable(() => assumeRole(context.runtime, { roleArn: roleArn!, sessionName: 'CodePipelineValidation', region: context.region, as: { client: role.client } }), roleArn!, declaration.roleArn);
}

async function assumable<T>(work: () => Promise<T>, roleArn: string, who: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'AccessDenied') throw error;
    throw new AwsError('InvalidStructureException', `${who} is not authorized to perform AssumeRole on role ${roleArn}`, { status: 400 });
  }
}

/** The definition as the read API shows it: secrets masked. */
export function shown(declaration: CodePipeline.PipelineDeclaration): CodePipeline.PipelineDeclaration {
  return {
    ...declaration,
    stages: declaration.stages.map((stage) => ({
      ...stage,
      actions: stage.actions.map((action) => {
        const secret = findProvider(action.actionTypeId)?.secret ?? [];
        return secret.length === 0 ? action : { ...action, configuration: Object.fromEntries(Object.entries(action.configuration ?? {}).map(([key, value]) => [key, secret.includes(key) ? '****' : value])) };
      }),
    })),
  };
}

export function getPipeline(input: CodePipeline.GetPipelineInput, context: RequestContext): CodePipeline.GetPipelineOutput {
  const record = pipelineOf(input.name, context);
  const declaration = input.version === undefined ? record.declaration : engineOf(context).store(context.account, context.region).version(input.name, input.version);
  if (!declaration) throw new AwsError('PipelineVersionNotFoundException', `Pipeline '${input.name}' has no version ${input.version}`, { status: 400 });
  return { pipeline: shown(declaration), metadata: { pipelineArn: pipelineArn(context, input.name), created: record.created, updated: record.updated } };
}

export function listPipelines(_input: CodePipeline.ListPipelinesInput, context: RequestContext): CodePipeline.ListPipelinesOutput {
  return {
    pipelines: engineOf(context)
      .store(context.account, context.region)
      .pipelines()
      .map(({ name, declaration, created, updated }) => ({ name, version: declaration.version, pipelineType: declaration.pipelineType, executionMode: declaration.executionMode, created, updated })),
  };
}

export function deletePipeline(input: { name: string }, context: RequestContext): Record<string, never> {
  const engine = engineOf(context);
  const store = engine.store(context.account, context.region);
  if (!store.pipeline(input.name)) return {};
  const running = store.active(input.name);
  store.removePipeline(input.name);
  for (const execution of running) engine.release(execution);
  return {};
}

export function setTransition(input: { pipelineName: string; stageName: string; transitionType: string; reason?: string }, context: RequestContext, enabled: boolean): Record<string, never> {
  const record = pipelineOf(input.pipelineName, context);
  if (!record.declaration.stages.some(({ name }) => name === input.stageName)) throw new AwsError('StageNotFoundException', `Pipeline '${record.name}' does not have a stage with name '${input.stageName}'`, { status: 400 });
  if (input.transitionType !== 'Inbound') throw new AwsError('NotImplemented', 'The local cloud switches inbound transitions only (transitionType Outbound)', { status: 501 });
  const { [input.stageName]: _, ...others } = record.disabled;
  const disabled = enabled ? others : { ...others, [input.stageName]: { reason: input.reason ?? '', by: 'arn' in context.principal ? context.principal.arn : context.principal.kind, at: context.now() } };
  engineOf(context).store(context.account, context.region).putPipeline({ ...record, disabled });
  engineOf(context).pump(context.account, context.region, record.name);
  return {};
}

export function changeTags(arn: string, change: (tags: Readonly<Record<string, string>>) => Record<string, string>, context: RequestContext): Record<string, never> {
  const record = pipelineOf(arn.split(':').slice(5).join(':'), context);
  engineOf(context).store(context.account, context.region).putPipeline({ ...record, tags: change(record.tags) });
  return {};
}
