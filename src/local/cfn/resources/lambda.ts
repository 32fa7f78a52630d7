import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { sameJson } from '../json.js';
import { ignoring } from './failure.js';
import { codeOf, type Code } from './lambda-code.js';
import { settingsProviders } from './lambda-settings.js';
import type { Created, Properties, ProviderContext, ResourceProvider } from './provider.js';

interface FunctionProperties {
  readonly FunctionName?: string;
  readonly Runtime?: string;
  readonly Code: Code;
  readonly Layers?: readonly string[];
  readonly Tags?: readonly Tag[];
  readonly ReservedConcurrentExecutions?: number;
  readonly CodeSigningConfigArn?: string;
  readonly RecursiveLoop?: string;
  readonly RuntimeManagementConfig?: JsonObject;
  readonly [name: string]: unknown;
}

const GONE = ['ResourceNotFoundException'];

/** Members of the configuration by their names in the API, with what they are when the template says nothing. */
const CONFIGURATION: Readonly<Record<string, { readonly api?: string; readonly default?: unknown }>> = {
  Role: {}, Handler: {}, Runtime: {}, Description: { default: '' }, Timeout: { default: 3 }, MemorySize: { default: 128 }, VpcConfig: { default: { SubnetIds: [], SecurityGroupIds: [] } },
  DeadLetterConfig: { default: {} }, Environment: { default: { Variables: {} } }, KmsKeyArn: { api: 'KMSKeyArn', default: '' }, TracingConfig: { default: { Mode: 'PassThrough' } }, Layers: { default: [] },
  FileSystemConfigs: { default: [] }, ImageConfig: { default: {} }, EphemeralStorage: { default: { Size: 512 } }, SnapStart: { default: { ApplyOn: 'None' } }, LoggingConfig: { default: { LogFormat: 'Text' } },
};
const REFUSED = ['CapacityProviderConfig', 'DurableConfig', 'TenancyConfig'];

const arnOf = (name: string, context: ProviderContext): string => `arn:aws:lambda:${context.region}:${context.account}:function:${name}`;
const nameOf = (properties: FunctionProperties, context: ProviderContext): string => properties.FunctionName ?? context.name({ limit: 64 });
const tagged = (tags: readonly Tag[]): Record<string, string> => Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));

function configuration(properties: FunctionProperties): Record<string, unknown> {
  return Object.fromEntries(Object.entries(CONFIGURATION).filter(([name]) => properties[name] !== undefined).map(([name, { api }]) => [api ?? name, properties[name]]));
}

const lambdaFunction: ResourceProvider<FunctionProperties> = {
  type: 'AWS::Lambda::Function',
  async create(properties, context) {
    const FunctionName = nameOf(properties, context);
    await context.client.call('lambda', 'CreateFunction', {
      FunctionName, ...configuration(properties), Code: await codeOf(properties.Code, properties.Runtime), Tags: tagged(context.tags(properties.Tags)),
      ...Object.fromEntries(['PackageType', 'Architectures', 'CodeSigningConfigArn', ...REFUSED].filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]])),
    });
    context.initiated(FunctionName);
    await settle(FunctionName, undefined, properties, context);
    return { physicalId: FunctionName, attributes: attributes(FunctionName, properties, context) };
  },
  async update(name, before, after, context) {
    if (!sameJson(before.Code as Json, after.Code as Json) || !sameJson(before['Architectures'] as Json, after['Architectures'] as Json))
      await context.client.call('lambda', 'UpdateFunctionCode', { FunctionName: name, ...(await codeOf(after.Code, after.Runtime)), ...(after['Architectures'] ? { Architectures: after['Architectures'] } : {}) });
    const changes: Record<string, unknown> = {};
    for (const [member, { api, default: fallback }] of Object.entries(CONFIGURATION))
      if (!sameJson((before[member] ?? null) as Json, (after[member] ?? null) as Json)) changes[api ?? member] = after[member] ?? fallback;
    if (Object.keys(changes).length > 0) await context.client.call('lambda', 'UpdateFunctionConfiguration', { FunctionName: name, ...changes });
    await settle(name, before, after, context);
    await retag(arnOf(name, context), tagged(context.tagsBefore(before.Tags)), tagged(context.tags(after.Tags)), context);
    return { physicalId: name, attributes: attributes(name, after, context) };
  },
  async delete(name, _properties, context) {
    await ignoring(GONE, context.client.call('lambda', 'DeleteFunction', { FunctionName: name }));
  },
  async read(name, context) {
    const answer = await ignoring(GONE, context.client.call<{ Configuration: Record<string, Json>; Tags?: Record<string, string>; Concurrency?: JsonObject }>('lambda', 'GetFunction', { FunctionName: name }));
    if (!answer) return undefined;
    const { Configuration: found, Tags = {}, Concurrency } = answer;
    const model: JsonObject = { FunctionName: name, Arn: arnOf(name, context) };
    for (const [member, { api }] of Object.entries(CONFIGURATION)) if (found[api ?? member] !== undefined) model[member] = found[api ?? member]!;
    if (found['Layers']) model['Layers'] = (found['Layers'] as JsonObject[]).map((layer) => layer['Arn']!);
    for (const member of ['PackageType', 'Architectures']) if (found[member] !== undefined) model[member] = found[member]!;
    if (Concurrency?.['ReservedConcurrentExecutions'] !== undefined) model['ReservedConcurrentExecutions'] = Concurrency['ReservedConcurrentExecutions'];
    model['Tags'] = Object.entries(Tags).map(([Key, Value]) => ({ Key, Value }));
    return model;
  },
  identify: nameOf,
  attributes: async (name, properties, context) => attributes(name, properties, context),
};

function attributes(name: string, properties: FunctionProperties, context: ProviderContext): JsonObject {
  const applied = (properties['SnapStart'] as { ApplyOn?: string } | undefined)?.ApplyOn ?? 'None';
  return { Arn: arnOf(name, context), 'SnapStartResponse.ApplyOn': applied, 'SnapStartResponse.OptimizationStatus': 'Off' };
}

/** Settings that have operations of their own. */
async function settle(name: string, before: FunctionProperties | undefined, after: FunctionProperties, { client }: ProviderContext): Promise<void> {
  const FunctionName = name;
  if (before?.ReservedConcurrentExecutions !== after.ReservedConcurrentExecutions) {
    if (after.ReservedConcurrentExecutions === undefined) await client.call('lambda', 'DeleteFunctionConcurrency', { FunctionName });
    else await client.call('lambda', 'PutFunctionConcurrency', { FunctionName, ReservedConcurrentExecutions: after.ReservedConcurrentExecutions });
  }
  if (before && before.CodeSigningConfigArn !== after.CodeSigningConfigArn) {
    if (after.CodeSigningConfigArn === undefined) await client.call('lambda', 'DeleteFunctionCodeSigningConfig', { FunctionName });
    else await client.call('lambda', 'PutFunctionCodeSigningConfig', { FunctionName, CodeSigningConfigArn: after.CodeSigningConfigArn });
  }
  if (before?.RecursiveLoop !== after.RecursiveLoop) await client.call('lambda', 'PutFunctionRecursionConfig', { FunctionName, RecursiveLoop: after.RecursiveLoop ?? 'Terminate' });
  if (!sameJson((before?.RuntimeManagementConfig ?? null) as Json, (after.RuntimeManagementConfig ?? null) as Json))
    await client.call('lambda', 'PutRuntimeManagementConfig', { FunctionName, ...(after.RuntimeManagementConfig ?? { UpdateRuntimeOn: 'Auto' }) });
}

async function retag(Resource: string, was: Record<string, string>, is: Record<string, string>, { client }: ProviderContext): Promise<void> {
  const TagKeys = Object.keys(was).filter((key) => !(key in is));
  const Tags = Object.fromEntries(Object.entries(is).filter(([key, value]) => was[key] !== value));
  if (TagKeys.length > 0) await client.call('lambda', 'UntagResource', { Resource, TagKeys });
  if (Object.keys(Tags).length > 0) await client.call('lambda', 'TagResource', { Resource, Tags });
}

const permission: ResourceProvider<Properties & { readonly FunctionName: string }> = {
  type: 'AWS::Lambda::Permission',
  async create(properties, context) {
    const StatementId = context.name({ limit: 100 });
    await context.client.call('lambda', 'AddPermission', { ...properties, StatementId });
    return { physicalId: StatementId, attributes: { Id: StatementId } };
  },
  async delete(StatementId, { FunctionName }, context) {
    await ignoring(GONE, context.client.call('lambda', 'RemovePermission', { FunctionName, StatementId }));
  },
  identify: (_properties, context) => context.name({ limit: 100 }),
};

const layerVersion: ResourceProvider<Properties & { readonly LayerName?: string }> = {
  type: 'AWS::Lambda::LayerVersion',
  async create(properties, context) {
    const { LayerVersionArn } = await context.client.call<{ LayerVersionArn: string }>('lambda', 'PublishLayerVersion', { ...properties, LayerName: properties.LayerName ?? context.logicalId });
    return { physicalId: LayerVersionArn, attributes: { LayerVersionArn } };
  },
  async delete(arn, _properties, context) {
    await context.client.call('lambda', 'DeleteLayerVersion', layerOf(arn));
  },
};

function layerOf(arn: string): { LayerName: string; VersionNumber: number } {
  const end = arn.lastIndexOf(':');
  return { LayerName: arn.slice(0, end), VersionNumber: Number(arn.slice(end + 1)) };
}

const layerVersionPermission: ResourceProvider<Properties & { readonly LayerVersionArn: string }> = {
  type: 'AWS::Lambda::LayerVersionPermission',
  async create({ LayerVersionArn, ...properties }, context) {
    const StatementId = context.name({ limit: 100 });
    await context.client.call('lambda', 'AddLayerVersionPermission', { ...layerOf(LayerVersionArn), ...properties, StatementId });
    return { physicalId: `${LayerVersionArn}#${StatementId}`, attributes: { Id: `${LayerVersionArn}#${StatementId}` } };
  },
  async delete(id, { LayerVersionArn }, context) {
    await ignoring(GONE, context.client.call('lambda', 'RemoveLayerVersionPermission', { ...layerOf(LayerVersionArn), StatementId: id.slice(id.indexOf('#') + 1) }));
  },
};

interface Provisioned {
  readonly ProvisionedConcurrencyConfig?: { readonly ProvisionedConcurrentExecutions: number };
}

async function provision(FunctionName: string, Qualifier: string, before: Provisioned | undefined, after: Provisioned, { client }: ProviderContext): Promise<void> {
  const count = after.ProvisionedConcurrencyConfig?.ProvisionedConcurrentExecutions;
  if (count === before?.ProvisionedConcurrencyConfig?.ProvisionedConcurrentExecutions) return;
  if (count === undefined) await client.call('lambda', 'DeleteProvisionedConcurrencyConfig', { FunctionName, Qualifier });
  else await client.call('lambda', 'PutProvisionedConcurrencyConfig', { FunctionName, Qualifier, ProvisionedConcurrentExecutions: count });
}

const version: ResourceProvider<Properties & Provisioned & { readonly FunctionName: string; readonly Description?: string; readonly CodeSha256?: string }> = {
  type: 'AWS::Lambda::Version',
  async create(properties, context): Promise<Created> {
    const { FunctionName, Description, CodeSha256 } = properties;
    const { FunctionArn, Version } = await context.client.call<{ FunctionArn: string; Version: string }>('lambda', 'PublishVersion', { FunctionName, ...(Description ? { Description } : {}), ...(CodeSha256 ? { CodeSha256 } : {}) });
    await provision(FunctionName, Version, undefined, properties, context);
    return { physicalId: FunctionArn, attributes: { FunctionArn, Version } };
  },
  async delete(arn, _properties, context) {
    await ignoring(GONE, context.client.call('lambda', 'DeleteFunction', { FunctionName: arn }));
  },
};

const alias: ResourceProvider<Properties & Provisioned & { readonly FunctionName: string; readonly Name: string; readonly RoutingConfig?: { readonly AdditionalVersionWeights?: readonly { FunctionVersion: string; FunctionWeight: number }[] } }> = {
  type: 'AWS::Lambda::Alias',
  async create(properties, context) {
    const { AliasArn } = await context.client.call<{ AliasArn: string }>('lambda', 'CreateAlias', aliasInput(properties));
    await provision(properties.FunctionName, properties.Name, undefined, properties, context);
    return { physicalId: AliasArn, attributes: { AliasArn } };
  },
  async update(arn, before, after, context) {
    await context.client.call('lambda', 'UpdateAlias', aliasInput(after));
    await provision(after.FunctionName, after.Name, before, after, context);
    return { physicalId: arn, attributes: { AliasArn: arn } };
  },
  async delete(_arn, { FunctionName, Name }, context) {
    await ignoring(GONE, context.client.call('lambda', 'DeleteAlias', { FunctionName, Name }));
  },
};

function aliasInput({ ProvisionedConcurrencyConfig: _, RoutingConfig, ...rest }: Parameters<typeof alias.create>[0]): Record<string, unknown> {
  const weights = RoutingConfig?.AdditionalVersionWeights;
  return { ...rest, RoutingConfig: { AdditionalVersionWeights: Object.fromEntries((weights ?? []).map(({ FunctionVersion, FunctionWeight }) => [FunctionVersion, FunctionWeight])) } };
}

/** AWS::Lambda::*. */
export const lambda: readonly ResourceProvider[] = [lambdaFunction, permission, layerVersion, layerVersionPermission, version, alias, ...settingsProviders];
