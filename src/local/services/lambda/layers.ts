import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext, ResourcePolicy, Runtime } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { table } from '../../state/state.js';
import { codeLocation, takeCode } from './code.js';
import { conflict, invalid, newRevision, page, type CodeRecord, type PolicyRecord } from './store.js';

interface LayerRecord {
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly runtimes?: readonly string[];
  readonly architectures?: readonly string[];
  readonly license?: string;
  readonly created: Date;
  readonly code: CodeRecord;
}

const layers = table<LayerRecord>('lambda', 'layers');
const counters = table<number>('lambda', 'layer-counters');
const layerPolicies = table<PolicyRecord>('lambda', 'layer-policies');
const key = (version: number): string => String(version).padStart(12, '0');

const MAX_LAYERS = 5;

interface LayerName {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly version: number | undefined;
}

function parseLayer(given: string, context: Pick<RequestContext, 'account' | 'region'>): LayerName {
  const arn = parseArn(given);
  if (!arn) return { account: context.account, region: context.region, name: given, version: undefined };
  const [, name = '', version] = arn.resource.split(':');
  return { account: arn.account, region: arn.region, name, version: version === undefined ? undefined : Number(version) };
}

export function layerArn(at: { account: string; region: string; name: string }, version?: number | string): string {
  return `arn:aws:lambda:${at.region}:${at.account}:layer:${at.name}${version === undefined ? '' : `:${version}`}`;
}

/** The layers a function names, each of which the caller may read (lambda:GetLayerVersion). */
export async function layersOf(arns: readonly string[], context: RequestContext): Promise<{ arn: string; size: number }[]> {
  if (arns.length > MAX_LAYERS) throw invalid(`The function can have at most ${MAX_LAYERS} layers`);
  return arns.map((arn) => {
    const at = parseLayer(arn, context);
    if (at.version === undefined) throw invalid(`Layer version ARN ${arn} is not valid: a version is missing`);
    if (at.region !== context.region) throw invalid(`Layers are not in the same region as the function. Layers are expected to be in region ${context.region}.`);
    if (at.account !== context.account) context.authorize('lambda:GetLayerVersion', arn);
    const layer = layers(context.state, at.account, at.region).get(at.name, key(at.version));
    if (!layer) throw invalid(`Layer version ${arn} does not exist.`);
    return { arn, size: layer.code.size };
  });
}

/** Blobs of the layers that a version names; a deleted layer still serves the functions that use it. */
export function layerBlobs(runtime: Runtime, arns: readonly string[]): string[] {
  return arns.flatMap((arn) => {
    const at = parseLayer(arn, { account: '', region: '' });
    const blob = (layers(runtime.state, at.account, at.region).get(at.name, key(at.version ?? 0)) ?? layers(runtime.state, at.account, at.region).get('deleted', at.name, key(at.version ?? 0)))?.code.blob;
    return blob ? [blob] : [];
  });
}

export async function publishLayerVersion(input: Lambda.PublishLayerVersionRequest, context: RequestContext): Promise<Lambda.PublishLayerVersionResponse> {
  const at = parseLayer(input.LayerName, context);
  const code = await takeCode(input.Content, context);
  const version = (counters(context.state, at.account, at.region).get(at.name) ?? 0) + 1;
  const layer: LayerRecord = {
    name: at.name, version, description: input.Description ?? '', created: context.now(), code,
    ...(input.CompatibleRuntimes ? { runtimes: input.CompatibleRuntimes } : {}), ...(input.CompatibleArchitectures ? { architectures: input.CompatibleArchitectures } : {}), ...(input.LicenseInfo ? { license: input.LicenseInfo } : {}),
  };
  context.state.transaction(() => {
    counters(context.state, at.account, at.region).put(at.name, version);
    layers(context.state, at.account, at.region).put([at.name, key(version)], layer);
  });
  return shown(layer, at, context);
}

function shown(layer: LayerRecord, at: LayerName, context: RequestContext): Lambda.GetLayerVersionResponse {
  return {
    Content: { Location: codeLocation(context.runtime, layer.code.blob!), CodeSha256: layer.code.sha256, CodeSize: layer.code.size },
    ...listed(layer, at),
    LayerArn: layerArn(at),
  };
}

function listed(layer: LayerRecord, at: { account: string; region: string; name: string }): Lambda.LayerVersionsListItem {
  return {
    LayerVersionArn: layerArn({ ...at, name: layer.name }, layer.version), Version: layer.version, Description: layer.description, CreatedDate: layer.created.toISOString().replace('Z', '+0000'),
    ...(layer.runtimes ? { CompatibleRuntimes: [...layer.runtimes] as Lambda.Runtime[] } : {}), ...(layer.architectures ? { CompatibleArchitectures: [...layer.architectures] as Lambda.Architecture[] } : {}),
    ...(layer.license ? { LicenseInfo: layer.license } : {}),
  };
}

function layerOf(given: string, version: number, context: RequestContext): { layer: LayerRecord; at: LayerName } {
  const at = parseLayer(given, context);
  const layer = layers(context.state, at.account, at.region).get(at.name, key(version));
  if (!layer) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', { status: 404, fields: { Type: 'User' } });
  return { layer, at };
}

export function getLayerVersion(input: Lambda.GetLayerVersionRequest, context: RequestContext): Lambda.GetLayerVersionResponse {
  const { layer, at } = layerOf(input.LayerName, input.VersionNumber, context);
  return shown(layer, at, context);
}

export function getLayerVersionByArn(input: Lambda.GetLayerVersionByArnRequest, context: RequestContext): Lambda.GetLayerVersionResponse {
  const { layer, at } = layerOf(input.Arn, parseLayer(input.Arn, context).version ?? 0, context);
  return shown(layer, at, context);
}

export function deleteLayerVersion(input: Lambda.DeleteLayerVersionRequest, context: RequestContext): Record<string, never> {
  const at = parseLayer(input.LayerName, context);
  const all = layers(context.state, at.account, at.region);
  const layer = all.get(at.name, key(input.VersionNumber));
  if (!layer) return {};
  context.state.transaction(() => {
    all.put(['deleted', at.name, key(input.VersionNumber)], layer);
    all.delete(at.name, key(input.VersionNumber));
    layerPolicies(context.state, at.account, at.region).delete(at.name, String(input.VersionNumber));
  });
  return {};
}

export function listLayerVersions(input: Lambda.ListLayerVersionsRequest, context: RequestContext): Lambda.ListLayerVersionsResponse {
  const at = parseLayer(input.LayerName, context);
  const all = layers(context.state, at.account, at.region).list(at.name).filter((layer) => suits(layer, input)).reverse();
  const { items, next } = page(all, input.Marker, input.MaxItems);
  return { LayerVersions: items.map((layer) => listed(layer, at)), ...(next ? { NextMarker: next } : {}) };
}

export function listLayers(input: Lambda.ListLayersRequest, context: RequestContext): Lambda.ListLayersResponse {
  const latest = new Map<string, LayerRecord>();
  for (const [path, layer] of layers(context.state, context.account, context.region).entries()) if (path[0] !== 'deleted' && suits(layer, input)) latest.set(layer.name, layer);
  const { items, next } = page([...latest.values()], input.Marker, input.MaxItems);
  return { Layers: items.map((layer) => ({ LayerName: layer.name, LayerArn: layerArn({ ...context, name: layer.name }), LatestMatchingVersion: listed(layer, { ...context, name: layer.name }) })), ...(next ? { NextMarker: next } : {}) };
}

function suits(layer: LayerRecord, input: { CompatibleRuntime?: string; CompatibleArchitecture?: string }): boolean {
  return (!input.CompatibleRuntime || !!layer.runtimes?.includes(input.CompatibleRuntime)) && (!input.CompatibleArchitecture || !!layer.architectures?.includes(input.CompatibleArchitecture));
}

export function layerPolicyOf(account: string, region: string, name: string, version: string, context: RequestContext): ResourcePolicy | undefined {
  const found = layerPolicies(context.state, account, region).get(name, version);
  return found && { document: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: found.statements }), kind: 'resource' };
}

export function addLayerVersionPermission(input: Lambda.AddLayerVersionPermissionRequest, context: RequestContext): Lambda.AddLayerVersionPermissionResponse {
  const { at } = layerOf(input.LayerName, input.VersionNumber, context);
  const all = layerPolicies(context.state, at.account, at.region);
  const before = all.get(at.name, String(input.VersionNumber));
  if (before?.statements.some(({ Sid }) => Sid === input.StatementId)) throw conflict(`The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`);
  const statement = {
    Sid: input.StatementId, Effect: 'Allow', Principal: input.Principal === '*' ? '*' : { AWS: /^\d{12}$/.test(input.Principal) ? `arn:aws:iam::${input.Principal}:root` : input.Principal }, Action: input.Action,
    Resource: layerArn(at, input.VersionNumber), ...(input.OrganizationId ? { Condition: { StringEquals: { 'aws:PrincipalOrgID': input.OrganizationId } } } : {}),
  };
  const revisionId = newRevision();
  all.put([at.name, String(input.VersionNumber)], { statements: [...(before?.statements ?? []), statement], revisionId });
  return { Statement: JSON.stringify(statement), RevisionId: revisionId };
}

export function removeLayerVersionPermission(input: Lambda.RemoveLayerVersionPermissionRequest, context: RequestContext): Record<string, never> {
  const { at } = layerOf(input.LayerName, input.VersionNumber, context);
  const all = layerPolicies(context.state, at.account, at.region);
  const before = all.get(at.name, String(input.VersionNumber));
  if (!before?.statements.some(({ Sid }) => Sid === input.StatementId)) throw new AwsError('ResourceNotFoundException', `Statement ${input.StatementId} is not found in resource policy.`, { status: 404, fields: { Type: 'User' } });
  all.put([at.name, String(input.VersionNumber)], { statements: before.statements.filter(({ Sid }) => Sid !== input.StatementId), revisionId: newRevision() });
  return {};
}

export function getLayerVersionPolicy(input: Lambda.GetLayerVersionPolicyRequest, context: RequestContext): Lambda.GetLayerVersionPolicyResponse {
  const { at } = layerOf(input.LayerName, input.VersionNumber, context);
  const found = layerPolicyOf(at.account, at.region, at.name, String(input.VersionNumber), context);
  if (!found) throw new AwsError('ResourceNotFoundException', 'No policy is associated with the given resource.', { status: 404, fields: { Type: 'User' } });
  return { Policy: found.document };
}
