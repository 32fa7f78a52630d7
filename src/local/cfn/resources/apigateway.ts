import type { Json, JsonObject } from '../json.js';
import { sameJson } from '../json.js';
import type { Tag } from '../store/records.js';
import { patchesOf, restMembers, tagMap } from './apigateway-members.js';
import { accountProviders } from './apigateway-account.js';
import { methodProviders } from './apigateway-methods.js';
import { ignoring } from './failure.js';
import type { Properties, ProviderContext, ResourceProvider } from './provider.js';

const GONE = ['NotFoundException'];

interface ApiProperties {
  readonly Name?: string;
  readonly Body?: Json;
  readonly BodyS3Location?: { readonly Bucket: string; readonly Key: string; readonly Version?: string };
  readonly Policy?: Json;
  readonly Tags?: readonly Tag[];
  readonly Mode?: string;
  readonly [name: string]: unknown;
}

const API_MEMBERS = ['Name', 'Description', 'Version', 'BinaryMediaTypes', 'MinimumCompressionSize', 'EndpointConfiguration', 'DisableExecuteApiEndpoint', 'SecurityPolicy', 'EndpointAccessMode'];

/** The definition a template carries or points at; undefined when the API is made of resources of its own. */
async function definitionOf({ Body, BodyS3Location }: ApiProperties, { client }: ProviderContext): Promise<Uint8Array | undefined> {
  if (Body !== undefined) return Buffer.from(typeof Body === 'string' ? Body : JSON.stringify(Body));
  if (!BodyS3Location) return undefined;
  const { Bucket, Key, Version } = BodyS3Location;
  const object = await client.call<{ Body: { bytes(): Promise<Uint8Array> } }>('s3', 'GetObject', { Bucket, Key, ...(Version ? { VersionId: Version } : {}) });
  return object.Body.bytes();
}

const policyText = (policy: Json | undefined): string | undefined => (policy === undefined ? undefined : typeof policy === 'string' ? policy : JSON.stringify(policy));
const arnOf = (path: string, { region }: ProviderContext): string => `arn:aws:apigateway:${region}::${path}`;

const restApi: ResourceProvider<ApiProperties> = {
  type: 'AWS::ApiGateway::RestApi',
  async create(properties, context) {
    const body = await definitionOf(properties, context);
    const name = properties.Name ?? titleOf(body) ?? context.logicalId;
    const policy = policyText(properties.Policy);
    const { id, rootResourceId } = await context.client.call<{ id: string; rootResourceId: string }>('apigateway', 'CreateRestApi', {
      ...restMembers(properties, API_MEMBERS), name, ...(properties['ApiKeySourceType'] ? { apiKeySource: properties['ApiKeySourceType'] } : {}), ...(properties['CloneFrom'] ? { cloneFrom: properties['CloneFrom'] } : {}),
      ...(policy === undefined ? {} : { policy }), tags: tagMap(context.tags(properties.Tags)),
    });
    context.initiated(id);
    if (body) await context.client.call('apigateway', 'PutRestApi', { restApiId: id, mode: properties.Mode ?? 'overwrite', body });
    if (body && properties.Name) await context.client.call('apigateway', 'UpdateRestApi', { restApiId: id, patchOperations: [{ op: 'replace', path: '/name', value: properties.Name }] });
    return { physicalId: id, attributes: { RootResourceId: rootResourceId, RestApiId: id } };
  },
  async update(id, before, after, context) {
    const body = await definitionOf(after, context);
    if (body) await context.client.call('apigateway', 'PutRestApi', { restApiId: id, mode: after.Mode ?? 'overwrite', body });
    const patchOperations = patchesOf(before, after, ['Name', 'Description', 'MinimumCompressionSize', 'DisableExecuteApiEndpoint']);
    if (!sameJson((before.Policy ?? null) as Json, (after.Policy ?? null) as Json)) patchOperations.push({ op: 'replace', path: '/policy', value: policyText(after.Policy) ?? '' });
    const was = (before['BinaryMediaTypes'] ?? []) as string[];
    const is = (after['BinaryMediaTypes'] ?? []) as string[];
    for (const type of was) if (!is.includes(type)) patchOperations.push({ op: 'remove', path: `/binaryMediaTypes/${type.replace(/\//g, '~1')}` });
    for (const type of is) if (!was.includes(type)) patchOperations.push({ op: 'add', path: `/binaryMediaTypes/${type.replace(/\//g, '~1')}` });
    if (patchOperations.length > 0) await context.client.call('apigateway', 'UpdateRestApi', { restApiId: id, patchOperations });
    await retag(arnOf(`/restapis/${id}`, context), before.Tags, after.Tags, context);
    return { physicalId: id };
  },
  async delete(id, _properties, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteRestApi', { restApiId: id }));
  },
  async read(id, context) {
    const api = await ignoring(GONE, context.client.call<Record<string, Json>>('apigateway', 'GetRestApi', { restApiId: id }));
    return api && ({ RestApiId: id, Name: api['name'] ?? null, ...(api['description'] ? { Description: api['description'] } : {}), RootResourceId: api['rootResourceId'] ?? null } as JsonObject);
  },
  async attributes(id, _properties, context) {
    const { rootResourceId } = await context.client.call<{ rootResourceId: string }>('apigateway', 'GetRestApi', { restApiId: id });
    return { RootResourceId: rootResourceId, RestApiId: id };
  },
};

function titleOf(body: Uint8Array | undefined): string | undefined {
  const text = body && Buffer.from(body).toString('utf8');
  return text && (/"title"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? /^\s*title:\s*["']?([^"'\n]+)/m.exec(text)?.[1]?.trim());
}

export async function retag(resourceArn: string, before: readonly Tag[] | undefined, after: readonly Tag[] | undefined, context: ProviderContext): Promise<void> {
  const was = tagMap(context.tagsBefore(before));
  const is = tagMap(context.tags(after));
  const tagKeys = Object.keys(was).filter((key) => !(key in is));
  if (tagKeys.length > 0) await context.client.call('apigateway', 'UntagResource', { resourceArn, tagKeys });
  if (!sameJson(was, is)) await context.client.call('apigateway', 'TagResource', { resourceArn, tags: is });
}

const resource: ResourceProvider<{ readonly RestApiId: string; readonly ParentId: string; readonly PathPart: string }> = {
  type: 'AWS::ApiGateway::Resource',
  async create({ RestApiId, ParentId, PathPart }, context) {
    const { id } = await context.client.call<{ id: string }>('apigateway', 'CreateResource', { restApiId: RestApiId, parentId: ParentId, pathPart: PathPart });
    return { physicalId: id, attributes: { ResourceId: id } };
  },
  async delete(id, { RestApiId }, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteResource', { restApiId: RestApiId, resourceId: id }));
  },
};

interface DeploymentProperties {
  readonly RestApiId: string;
  readonly Description?: string;
  readonly StageName?: string;
  readonly StageDescription?: Properties & { readonly Description?: string; readonly Variables?: Record<string, string> };
}

const deployment: ResourceProvider<DeploymentProperties> = {
  type: 'AWS::ApiGateway::Deployment',
  async create({ RestApiId, Description, StageName, StageDescription }, context) {
    const { id } = await context.client.call<{ id: string }>('apigateway', 'CreateDeployment', {
      restApiId: RestApiId, ...(Description ? { description: Description } : {}), ...(StageName ? { stageName: StageName } : {}),
      ...(StageDescription?.Description ? { stageDescription: StageDescription.Description } : {}), ...(StageDescription?.Variables ? { variables: StageDescription.Variables } : {}),
    });
    return { physicalId: id, attributes: { DeploymentId: id } };
  },
  async update(id, before, after, context) {
    const patchOperations = patchesOf(before as unknown as Record<string, unknown>, after as unknown as Record<string, unknown>, ['Description']);
    if (patchOperations.length > 0) await context.client.call('apigateway', 'UpdateDeployment', { restApiId: after.RestApiId, deploymentId: id, patchOperations });
    // Another stage name deploys there; the earlier stage stays as it is (template reference, AWS::ApiGateway::Deployment).
    if (after.StageName && after.StageName !== before.StageName) await context.client.call('apigateway', 'CreateStage', { restApiId: after.RestApiId, stageName: after.StageName, deploymentId: id });
    return { physicalId: id, attributes: { DeploymentId: id } };
  },
  async delete(id, { RestApiId, StageName }, context) {
    const found = await ignoring(GONE, context.client.call<{ item?: { stageName: string }[] }>('apigateway', 'GetStages', { restApiId: RestApiId, deploymentId: id }));
    // The stage that a deployment made for itself goes with it.
    if (StageName && found?.item?.some(({ stageName }) => stageName === StageName)) await ignoring(GONE, context.client.call('apigateway', 'DeleteStage', { restApiId: RestApiId, stageName: StageName }));
    await ignoring(GONE, context.client.call('apigateway', 'DeleteDeployment', { restApiId: RestApiId, deploymentId: id }));
  },
};

interface StageProperties {
  readonly RestApiId: string;
  readonly StageName: string;
  readonly Variables?: Record<string, string>;
  readonly MethodSettings?: readonly (Record<string, unknown> & { readonly HttpMethod?: string; readonly ResourcePath?: string })[];
  readonly AccessLogSetting?: { readonly DestinationArn?: string; readonly Format?: string };
  readonly Tags?: readonly Tag[];
  readonly [name: string]: unknown;
}

const SETTINGS: Readonly<Record<string, string>> = {
  LoggingLevel: 'logging/loglevel', DataTraceEnabled: 'logging/dataTrace', MetricsEnabled: 'metrics/enabled', ThrottlingBurstLimit: 'throttling/burstLimit', ThrottlingRateLimit: 'throttling/rateLimit', CachingEnabled: 'caching/enabled',
  CacheTtlInSeconds: 'caching/ttlInSeconds', CacheDataEncrypted: 'caching/dataEncrypted',
};

interface Patch {
  op: string;
  path: string;
  value?: string;
}

function settingPatches({ MethodSettings = [], AccessLogSetting }: StageProperties): Patch[] {
  const methods = MethodSettings.flatMap(({ HttpMethod = '*', ResourcePath = '/*', ...settings }) => {
    const path = ResourcePath === '/*' || ResourcePath === '*' ? '*' : ResourcePath.replace(/\//g, '~1');
    return Object.entries(settings).filter(([name]) => SETTINGS[name]).map(([name, value]): Patch => ({ op: 'replace', path: `/${path}/${HttpMethod}/${SETTINGS[name]}`, value: String(value) }));
  });
  const logs = Object.entries(AccessLogSetting ?? {}).map(([name, value]): Patch => ({ op: 'replace', path: `/accessLogSettings/${name.charAt(0).toLowerCase()}${name.slice(1)}`, value: String(value) }));
  return [...methods, ...logs];
}

const stage: ResourceProvider<StageProperties> = {
  type: 'AWS::ApiGateway::Stage',
  async create(properties, context) {
    const restApiId = properties.RestApiId;
    await context.client.call('apigateway', 'CreateStage', {
      restApiId, ...restMembers(properties, ['StageName', 'DeploymentId', 'Description', 'CacheClusterEnabled', 'CacheClusterSize', 'DocumentationVersion', 'TracingEnabled']), ...(properties.Variables ? { variables: properties.Variables } : {}),
      tags: tagMap(context.tags(properties.Tags)),
    });
    context.initiated(properties.StageName);
    const patchOperations = [...settingPatches(properties), ...patchesOf({}, properties, ['ClientCertificateId'])];
    if (patchOperations.length > 0) await context.client.call('apigateway', 'UpdateStage', { restApiId, stageName: properties.StageName, patchOperations });
    return { physicalId: properties.StageName };
  },
  async update(stageName, before, after, context) {
    const patchOperations: Patch[] = patchesOf(before, after, ['DeploymentId', 'Description', 'CacheClusterEnabled', 'CacheClusterSize', 'DocumentationVersion', 'TracingEnabled', 'ClientCertificateId']);
    for (const name of Object.keys(before.Variables ?? {})) if (!(name in (after.Variables ?? {}))) patchOperations.push({ op: 'remove', path: `/variables/${name}` });
    for (const [name, value] of Object.entries(after.Variables ?? {})) if (before.Variables?.[name] !== value) patchOperations.push({ op: 'replace', path: `/variables/${name}`, value });
    if (!sameJson((before.MethodSettings ?? null) as Json, (after.MethodSettings ?? null) as Json) || !sameJson((before.AccessLogSetting ?? null) as Json, (after.AccessLogSetting ?? null) as Json)) {
      if (before.MethodSettings) patchOperations.push({ op: 'remove', path: '/methodSettings' });
      if (before.AccessLogSetting && !after.AccessLogSetting) patchOperations.push({ op: 'remove', path: '/accessLogSettings' });
      patchOperations.push(...settingPatches(after));
    }
    if (patchOperations.length > 0) await context.client.call('apigateway', 'UpdateStage', { restApiId: after.RestApiId, stageName, patchOperations });
    await retag(arnOf(`/restapis/${after.RestApiId}/stages/${stageName}`, context), before.Tags, after.Tags, context);
    return { physicalId: stageName };
  },
  async delete(stageName, { RestApiId }, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteStage', { restApiId: RestApiId, stageName }));
  },
  identify: ({ StageName }) => StageName,
};

/** AWS::ApiGateway::*. */
export const apigateway: readonly ResourceProvider[] = [restApi, resource, deployment, stage, ...methodProviders, ...accountProviders];
