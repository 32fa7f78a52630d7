import type { Json, JsonObject } from '../json.js';
import { camelCase } from './casing.js';
import { HandlerError, ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges } from './tags.js';

interface PipelineProperties {
  readonly Name?: string;
  readonly RoleArn: string;
  readonly ArtifactStore?: JsonObject;
  readonly ArtifactStores?: readonly { readonly Region: string; readonly ArtifactStore: JsonObject }[];
  readonly Stages: readonly StageProperties[];
  readonly DisableInboundStageTransitions?: readonly { readonly StageName: string; readonly Reason: string }[];
  readonly RestartExecutionOnUpdate?: boolean;
  readonly PipelineType?: string;
  readonly ExecutionMode?: string;
  readonly Variables?: readonly JsonObject[];
  readonly Triggers?: readonly JsonObject[];
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

interface StageProperties {
  readonly Name: string;
  readonly Actions: readonly (JsonObject & { readonly Configuration?: JsonObject })[];
  readonly Blockers?: Json;
  readonly [key: string]: unknown;
}

const pipelineName = (properties: PipelineProperties, context: ProviderContext): string => properties.Name ?? context.name({ limit: 100 });

const pipeline: ResourceProvider<PipelineProperties> = {
  type: 'AWS::CodePipeline::Pipeline',
  identify: pipelineName,
  async create(properties, context) {
    const name = pipelineName(properties, context);
    await context.client.call('codepipeline', 'CreatePipeline', { pipeline: declaration(name, properties), tags: context.tags(properties.Tags).map(({ Key, Value }) => ({ key: Key, value: Value })) });
    context.initiated(name);
    await disable(name, properties, context);
    return { physicalId: name, attributes: { Version: '1' } };
  },
  async update(name, before, after, context) {
    const changed = JSON.stringify(declaration(name, before)) !== JSON.stringify(declaration(name, after));
    // After an update that the service refused, a rollback finds what it wants to restore: nothing changes and nothing starts again.
    const asked = changed && !(await standsAs(name, declaration(name, after) as Json, context));
    let version: number | undefined;
    if (asked) {
      const { pipeline: updated } = await context.client.call<{ pipeline: { version: number } }>('codepipeline', 'UpdatePipeline', { pipeline: declaration(name, after) });
      version = updated.version;
    }
    const arn = `arn:aws:codepipeline:${context.region}:${context.account}:${name}`;
    const { add, remove } = tagChanges(context.tagsBefore(before.Tags), context.tags(after.Tags));
    if (remove.length > 0) await context.client.call('codepipeline', 'UntagResource', { resourceArn: arn, tagKeys: remove });
    if (add.length > 0) await context.client.call('codepipeline', 'TagResource', { resourceArn: arn, tags: add.map(({ Key, Value }) => ({ key: Key, value: Value })) });
    for (const { StageName } of before.DisableInboundStageTransitions ?? [])
      if (!after.DisableInboundStageTransitions?.some((other) => other.StageName === StageName) && after.Stages.some(({ Name }) => Name === StageName))
        await context.client.call('codepipeline', 'EnableStageTransition', { pipelineName: name, stageName: StageName, transitionType: 'Inbound' });
    await disable(name, after, context);
    // The new structure runs from its first stage, under a new execution (user guide, RestartExecutionOnUpdate).
    if (asked && after.RestartExecutionOnUpdate) await context.client.call('codepipeline', 'StartPipelineExecution', { name, clientRequestToken: context.token });
    return version === undefined ? undefined : { attributes: { Version: String(version) } };
  },
  async delete(name, _properties, context) {
    await context.client.call('codepipeline', 'DeletePipeline', { name });
  },
  async read(name, context) {
    const found = await ignoring(['PipelineNotFoundException'], context.client.call<{ pipeline: JsonObject & { version: number } }>('codepipeline', 'GetPipeline', { name }));
    return found && { Name: name, RoleArn: found.pipeline['roleArn'] as Json, Version: String(found.pipeline.version) };
  },
};

async function standsAs(name: string, wanted: Json, context: ProviderContext): Promise<boolean> {
  const { pipeline: found } = await context.client.call<{ pipeline: Json }>('codepipeline', 'GetPipeline', { name });
  return same(found, wanted);
}

/** What the service shows against what is declared: it adds a version and defaults, and masks secrets. */
function same(found: Json | undefined, wanted: Json | undefined, key = ''): boolean {
  if (key === 'version' || found === '****') return true;
  if (wanted === undefined || found === undefined) return isDefault(key, found ?? wanted);
  if (Array.isArray(found) && Array.isArray(wanted)) return found.length === wanted.length && found.every((entry: Json, index: number) => same(entry, wanted[index] as Json));
  if (typeof found === 'object' && typeof wanted === 'object' && found !== null && wanted !== null) {
    const [a, b] = [found as JsonObject, wanted as JsonObject];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => same(a[name] as Json | undefined, b[name] as Json | undefined, name));
  }
  return String(found) === String(wanted);
}

const DEFAULTS: Readonly<Record<string, string>> = { pipelineType: 'V1', executionMode: 'SUPERSEDED', runOrder: '1' };

function isDefault(key: string, value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' ? Object.keys(value).length === 0 : DEFAULTS[key] === String(value);
}

async function disable(name: string, properties: PipelineProperties, context: ProviderContext): Promise<void> {
  for (const { StageName, Reason } of properties.DisableInboundStageTransitions ?? [])
    await context.client.call('codepipeline', 'DisableStageTransition', { pipelineName: name, stageName: StageName, reason: Reason, transitionType: 'Inbound' });
}

function declaration(name: string, properties: PipelineProperties): Record<string, unknown> {
  return {
    name,
    roleArn: properties.RoleArn,
    ...(properties.ArtifactStore ? { artifactStore: camelCase(properties.ArtifactStore) } : {}),
    ...(properties.ArtifactStores ? { artifactStores: Object.fromEntries(properties.ArtifactStores.map(({ Region, ArtifactStore }) => [Region, camelCase(ArtifactStore)])) } : {}),
    ...(properties.PipelineType ? { pipelineType: properties.PipelineType } : {}),
    ...(properties.ExecutionMode ? { executionMode: properties.ExecutionMode } : {}),
    ...(properties.Variables ? { variables: camelCase(properties.Variables as Json) } : {}),
    ...(properties.Triggers ? { triggers: camelCase(properties.Triggers as Json) } : {}),
    stages: properties.Stages.map((stage) => {
      const { Actions, ...rest } = stage;
      return { ...(camelCase(rest as JsonObject) as object), actions: Actions.map(action) };
    }),
  };
}

/** Keys of an action's configuration are the provider's, not CloudFormation's: they stay as they are, their values become text. */
function action(declared: JsonObject & { readonly Configuration?: JsonObject }): Record<string, unknown> {
  const { Configuration, Commands, OutputVariables, TimeoutInMinutes, RunOrder, ...rest } = declared;
  return {
    ...(camelCase(rest as JsonObject) as object),
    ...(RunOrder === undefined ? {} : { runOrder: Number(RunOrder) }),
    ...(TimeoutInMinutes === undefined ? {} : { timeoutInMinutes: Number(TimeoutInMinutes) }),
    ...(Commands === undefined ? {} : { commands: Commands }),
    ...(OutputVariables === undefined ? {} : { outputVariables: OutputVariables }),
    configuration: Object.fromEntries(Object.entries(Configuration ?? {}).map(([key, value]) => [key, typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value)])),
  };
}

interface WebhookProperties {
  readonly Name?: string;
  readonly TargetPipeline: string;
  readonly TargetAction: string;
  readonly TargetPipelineVersion?: number;
  readonly Authentication: string;
  readonly AuthenticationConfiguration: JsonObject;
  readonly Filters: readonly { readonly JsonPath: string; readonly MatchEquals?: string }[];
  readonly RegisterWithThirdParty?: boolean;
}

const webhookName = (properties: WebhookProperties, context: ProviderContext): string => properties.Name ?? context.name({ limit: 100 });

const webhook: ResourceProvider<WebhookProperties> = {
  type: 'AWS::CodePipeline::Webhook',
  identify: webhookName,
  async create(properties, context) {
    const name = webhookName(properties, context);
    const Url = await putWebhook(name, properties, context);
    context.initiated(name);
    if (properties.RegisterWithThirdParty) await context.client.call('codepipeline', 'RegisterWebhookWithThirdParty', { webhookName: name });
    return { physicalId: name, attributes: { Url } };
  },
  async update(name, before, after, context) {
    const Url = await putWebhook(name, after, context);
    if (after.RegisterWithThirdParty && !before.RegisterWithThirdParty) await context.client.call('codepipeline', 'RegisterWebhookWithThirdParty', { webhookName: name });
    if (!after.RegisterWithThirdParty && before.RegisterWithThirdParty) await context.client.call('codepipeline', 'DeregisterWebhookWithThirdParty', { webhookName: name });
    return { attributes: { Url } };
  },
  async delete(name, _properties, context) {
    await context.client.call('codepipeline', 'DeleteWebhook', { name });
  },
};

async function putWebhook(name: string, properties: WebhookProperties, context: ProviderContext): Promise<string> {
  const { webhook: made } = await context.client.call<{ webhook: { url: string } }>('codepipeline', 'PutWebhook', {
    webhook: {
      name,
      targetPipeline: properties.TargetPipeline,
      targetAction: properties.TargetAction,
      filters: properties.Filters.map(({ JsonPath, MatchEquals }) => ({ jsonPath: JsonPath, matchEquals: MatchEquals })),
      authentication: properties.Authentication,
      authenticationConfiguration: properties.AuthenticationConfiguration,
    },
  });
  return made.url;
}

const customActionType: ResourceProvider = {
  type: 'AWS::CodePipeline::CustomActionType',
  async create() {
    throw new HandlerError('InvalidRequest', 'The local cloud does not run custom action types (AWS::CodePipeline::CustomActionType)');
  },
  async delete() {},
};

export const codepipeline = [pipeline, webhook, customActionType];
