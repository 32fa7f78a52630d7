import { randomBytes } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { table, type State } from '../../state/state.js';
import { mappingTags, tagMapping } from './mappings.js';
import { functionArn, functionOf, functions, invalid, owners, page, resolve, versionKey, versions, type FunctionName } from './store.js';
import { urls } from './urls.js';

export interface InvokeConfigRecord {
  readonly qualifier: string;
  readonly retries?: number;
  /** Seconds. */
  readonly maxAge?: number;
  readonly destinations: Lambda.DestinationConfig;
  readonly modified: Date;
}

interface ProvisionedRecord {
  readonly qualifier: string;
  readonly count: number;
  readonly modified: Date;
}

/** By function and qualifier, `$LATEST` for the unqualified function. */
export const invokeConfigs = table<InvokeConfigRecord>('lambda', 'invoke-configs');
export const provisioned = table<ProvisionedRecord>('lambda', 'provisioned');
const signing = table<Lambda.CodeSigningConfig & { tags: Record<string, string> }>('lambda', 'code-signing');

const missing = (message: string): AwsError => new AwsError('ResourceNotFoundException', message, { status: 404, fields: { Type: 'User' } });

/** Everything kept beside a function goes with it. */
export function forgetFunction(state: State, at: FunctionName): void {
  for (const one of [invokeConfigs, provisioned]) for (const [key] of one(state, at.account, at.region).entries([at.name])) one(state, at.account, at.region).delete(...key);
  for (const [key, url] of urls(state, at.account, at.region).entries([at.name])) {
    urls(state, at.account, at.region).delete(...key);
    owners(state).delete(url.id);
  }
}

function qualifierOf(input: { FunctionName: string; Qualifier?: string }, context: RequestContext): { at: FunctionName; qualifier: string; arn: string } {
  const { at } = resolve(context, input.FunctionName, input.Qualifier);
  return { at, qualifier: at.qualifier ?? '$LATEST', arn: functionArn(at, at.qualifier ?? '$LATEST') };
}

function shownInvokeConfig(record: InvokeConfigRecord, arn: string): Lambda.FunctionEventInvokeConfig {
  return {
    LastModified: record.modified, FunctionArn: arn, ...(record.retries === undefined ? {} : { MaximumRetryAttempts: record.retries }), ...(record.maxAge === undefined ? {} : { MaximumEventAgeInSeconds: record.maxAge }),
    DestinationConfig: { OnSuccess: { ...record.destinations.OnSuccess }, OnFailure: { ...record.destinations.OnFailure } },
  };
}

export function putFunctionEventInvokeConfig(input: Lambda.PutFunctionEventInvokeConfigRequest, context: RequestContext): Lambda.FunctionEventInvokeConfig {
  const { at, qualifier, arn } = qualifierOf(input, context);
  const before = context.operation === 'UpdateFunctionEventInvokeConfig' ? invokeConfigs(context.state, at.account, at.region).get(at.name, qualifier) : undefined;
  const retries = input.MaximumRetryAttempts ?? before?.retries;
  const maxAge = input.MaximumEventAgeInSeconds ?? before?.maxAge;
  const record: InvokeConfigRecord = { qualifier, ...(retries === undefined ? {} : { retries }), ...(maxAge === undefined ? {} : { maxAge }), destinations: input.DestinationConfig ?? before?.destinations ?? {}, modified: context.now() };
  invokeConfigs(context.state, at.account, at.region).put([at.name, qualifier], record);
  return shownInvokeConfig(record, arn);
}

export function getFunctionEventInvokeConfig(input: Lambda.GetFunctionEventInvokeConfigRequest, context: RequestContext): Lambda.FunctionEventInvokeConfig {
  const { at, qualifier, arn } = qualifierOf(input, context);
  const record = invokeConfigs(context.state, at.account, at.region).get(at.name, qualifier);
  if (!record) throw missing(`The function ${arn} doesn't have an EventInvokeConfig`);
  return shownInvokeConfig(record, arn);
}

export function deleteFunctionEventInvokeConfig(input: Lambda.DeleteFunctionEventInvokeConfigRequest, context: RequestContext): Record<string, never> {
  const { at, qualifier, arn } = qualifierOf(input, context);
  if (!invokeConfigs(context.state, at.account, at.region).get(at.name, qualifier)) throw missing(`The function ${arn} doesn't have an EventInvokeConfig`);
  invokeConfigs(context.state, at.account, at.region).delete(at.name, qualifier);
  return {};
}

export function listFunctionEventInvokeConfigs(input: Lambda.ListFunctionEventInvokeConfigsRequest, context: RequestContext): Lambda.ListFunctionEventInvokeConfigsResponse {
  const { at } = functionOf(context, input.FunctionName);
  const { items, next } = page(invokeConfigs(context.state, at.account, at.region).list(at.name), input.Marker, input.MaxItems);
  return { FunctionEventInvokeConfigs: items.map((record) => shownInvokeConfig(record, functionArn(at, record.qualifier))), ...(next ? { NextMarker: next } : {}) };
}

function shownProvisioned(record: ProvisionedRecord): Lambda.PutProvisionedConcurrencyConfigResponse {
  return {
    RequestedProvisionedConcurrentExecutions: record.count, AllocatedProvisionedConcurrentExecutions: record.count, AvailableProvisionedConcurrentExecutions: record.count,
    Status: 'READY', LastModified: record.modified.toISOString().replace('Z', '+0000'),
  };
}

export function putProvisionedConcurrencyConfig(input: Lambda.PutProvisionedConcurrencyConfigRequest, context: RequestContext): Lambda.PutProvisionedConcurrencyConfigResponse {
  const { at, qualifier } = qualifierOf(input, context);
  if (qualifier === '$LATEST') throw invalid('Provisioned Concurrency Configs cannot be applied to unpublished function versions.');
  const record = { qualifier, count: input.ProvisionedConcurrentExecutions, modified: context.now() };
  provisioned(context.state, at.account, at.region).put([at.name, qualifier], record);
  const { AvailableProvisionedConcurrentExecutions: _, ...answer } = shownProvisioned(record);
  return { ...answer, AllocatedProvisionedConcurrentExecutions: 0, Status: 'IN_PROGRESS' };
}

export function getProvisionedConcurrencyConfig(input: Lambda.GetProvisionedConcurrencyConfigRequest, context: RequestContext): Lambda.GetProvisionedConcurrencyConfigResponse {
  const { at, qualifier } = qualifierOf(input, context);
  const record = provisioned(context.state, at.account, at.region).get(at.name, qualifier);
  if (!record) throw new AwsError('ProvisionedConcurrencyConfigNotFoundException', 'No Provisioned Concurrency Config found for this function', { status: 404, fields: { Type: 'User' } });
  return shownProvisioned(record);
}

export function deleteProvisionedConcurrencyConfig(input: Lambda.DeleteProvisionedConcurrencyConfigRequest, context: RequestContext): Record<string, never> {
  const { at, qualifier } = qualifierOf(input, context);
  provisioned(context.state, at.account, at.region).delete(at.name, qualifier);
  return {};
}

export function listProvisionedConcurrencyConfigs(input: Lambda.ListProvisionedConcurrencyConfigsRequest, context: RequestContext): Lambda.ListProvisionedConcurrencyConfigsResponse {
  const { at } = functionOf(context, input.FunctionName);
  return { ProvisionedConcurrencyConfigs: provisioned(context.state, at.account, at.region).list(at.name).map((record) => ({ FunctionArn: functionArn(at, record.qualifier), ...shownProvisioned(record) })) };
}

function withoutTags({ tags: _, ...config }: Lambda.CodeSigningConfig & { tags: Record<string, string> }): Lambda.CodeSigningConfig {
  return config;
}

function signingOf(arn: string, context: RequestContext): Lambda.CodeSigningConfig & { tags: Record<string, string> } {
  const found = signing(context.state, context.account, context.region).get(arn.split(':').at(-1)!);
  if (!found) throw missing(`The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`);
  return found;
}

export function createCodeSigningConfig(input: Lambda.CreateCodeSigningConfigRequest, context: RequestContext): Lambda.CreateCodeSigningConfigResponse {
  const id = `csc-${randomBytes(9).toString('hex').slice(0, 17)}`;
  const config = {
    CodeSigningConfigId: id, CodeSigningConfigArn: `arn:aws:lambda:${context.region}:${context.account}:code-signing-config:${id}`, Description: input.Description ?? '', AllowedPublishers: input.AllowedPublishers,
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? 'Warn' }, LastModified: context.now().toISOString().replace('Z', '+0000'),
  } as Lambda.CodeSigningConfig;
  signing(context.state, context.account, context.region).put(id, { ...config, tags: { ...input.Tags } });
  return { CodeSigningConfig: config };
}

export function getCodeSigningConfig(input: Lambda.GetCodeSigningConfigRequest, context: RequestContext): Lambda.GetCodeSigningConfigResponse {
  return { CodeSigningConfig: withoutTags(signingOf(input.CodeSigningConfigArn, context)) };
}

export function updateCodeSigningConfig(input: Lambda.UpdateCodeSigningConfigRequest, context: RequestContext): Lambda.UpdateCodeSigningConfigResponse {
  const before = signingOf(input.CodeSigningConfigArn, context);
  const changed = {
    ...before, Description: input.Description ?? before.Description, AllowedPublishers: input.AllowedPublishers ?? before.AllowedPublishers, CodeSigningPolicies: input.CodeSigningPolicies ?? before.CodeSigningPolicies,
    LastModified: context.now().toISOString().replace('Z', '+0000'),
  } as typeof before;
  signing(context.state, context.account, context.region).put(before.CodeSigningConfigId, changed);
  return { CodeSigningConfig: withoutTags(changed) };
}

export function deleteCodeSigningConfig(input: Lambda.DeleteCodeSigningConfigRequest, context: RequestContext): Record<string, never> {
  const { CodeSigningConfigId, CodeSigningConfigArn } = signingOf(input.CodeSigningConfigArn, context);
  if (functions(context.state, context.account, context.region).list().some(({ codeSigningConfig }) => codeSigningConfig === CodeSigningConfigArn))
    throw new AwsError('ResourceConflictException', `Cannot delete code signing configuration ${CodeSigningConfigArn} because it is in use.`, { status: 409, fields: { Type: 'User' } });
  signing(context.state, context.account, context.region).delete(CodeSigningConfigId);
  return {};
}

export function listCodeSigningConfigs(_: unknown, context: RequestContext): Lambda.ListCodeSigningConfigsResponse {
  return { CodeSigningConfigs: signing(context.state, context.account, context.region).list().map(withoutTags) };
}

export function putFunctionCodeSigningConfig(input: Lambda.PutFunctionCodeSigningConfigRequest, context: RequestContext): Lambda.PutFunctionCodeSigningConfigResponse {
  const { at, ...record } = functionOf(context, input.FunctionName);
  signingOf(input.CodeSigningConfigArn, context);
  functions(context.state, at.account, at.region).put(at.name, { ...record, codeSigningConfig: input.CodeSigningConfigArn });
  return { CodeSigningConfigArn: input.CodeSigningConfigArn, FunctionName: at.name };
}

export function getFunctionCodeSigningConfig(input: Lambda.GetFunctionCodeSigningConfigRequest, context: RequestContext): Lambda.GetFunctionCodeSigningConfigResponse {
  const { codeSigningConfig, name } = functionOf(context, input.FunctionName);
  // API reference: a function without one answers with an empty ARN.
  return { CodeSigningConfigArn: codeSigningConfig ?? '', FunctionName: name };
}

export function deleteFunctionCodeSigningConfig(input: Lambda.DeleteFunctionCodeSigningConfigRequest, context: RequestContext): Record<string, never> {
  const { at, codeSigningConfig: _, ...record } = functionOf(context, input.FunctionName);
  functions(context.state, at.account, at.region).put(at.name, record);
  return {};
}

export function putRuntimeManagementConfig(input: Lambda.PutRuntimeManagementConfigRequest, context: RequestContext): Lambda.PutRuntimeManagementConfigResponse {
  const { at, version, arn } = resolve(context, input.FunctionName, input.Qualifier);
  if (input.UpdateRuntimeOn === 'Manual') throw invalid('The local cloud runs functions on this machine\'s own Node.js and Python: a runtime version can\'t be chosen');
  versions(context.state, at.account, at.region).put([at.name, versionKey(version.version)], { ...version, updateRuntimeOn: input.UpdateRuntimeOn });
  return { UpdateRuntimeOn: input.UpdateRuntimeOn, FunctionArn: arn };
}

export function getRuntimeManagementConfig(input: Lambda.GetRuntimeManagementConfigRequest, context: RequestContext): Lambda.GetRuntimeManagementConfigResponse {
  const { version, arn } = resolve(context, input.FunctionName, input.Qualifier);
  return { UpdateRuntimeOn: (version.updateRuntimeOn ?? 'Auto') as Lambda.UpdateRuntimeOn, FunctionArn: arn };
}

export function putFunctionRecursionConfig(input: Lambda.PutFunctionRecursionConfigRequest, context: RequestContext): Lambda.PutFunctionRecursionConfigResponse {
  const { at, ...record } = functionOf(context, input.FunctionName);
  functions(context.state, at.account, at.region).put(at.name, { ...record, recursiveLoop: input.RecursiveLoop });
  return { RecursiveLoop: input.RecursiveLoop };
}

export function getFunctionRecursionConfig(input: Lambda.GetFunctionRecursionConfigRequest, context: RequestContext): Lambda.GetFunctionRecursionConfigResponse {
  return { RecursiveLoop: (functionOf(context, input.FunctionName).recursiveLoop ?? 'Terminate') as Lambda.RecursiveLoop };
}

export function getAccountSettings(_: unknown, context: RequestContext): Lambda.GetAccountSettingsResponse {
  const all = functions(context.state, context.account, context.region).list();
  const reserved = all.reduce((sum, { reservedConcurrency = 0 }) => sum + reservedConcurrency, 0);
  const size = versions(context.state, context.account, context.region).list().reduce((sum, { code }) => sum + code.size, 0);
  return {
    AccountLimit: { TotalCodeSize: 80_530_636_800, CodeSizeUnzipped: 262_144_000, CodeSizeZipped: 52_428_800, ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 1000 - reserved },
    AccountUsage: { TotalCodeSize: size, FunctionCount: all.length },
  };
}

/** Tags of a function, an event source mapping or a code signing configuration. */
export function tagsOf(arn: string, context: RequestContext): Readonly<Record<string, string>> | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== 'lambda') return undefined;
  const [kind, id = ''] = parsed.resource.split(':');
  if (kind === 'function') return functions(context.state, parsed.account, parsed.region).get(id)?.tags;
  if (kind === 'event-source-mapping') return mappingTags(context.state, parsed.account, parsed.region, id);
  return kind === 'code-signing-config' ? signing(context.state, parsed.account, parsed.region).get(id)?.tags : undefined;
}

function changeTags(arn: string, context: RequestContext, change: (tags: Record<string, string>) => Record<string, string>): Record<string, never> {
  const before = tagsOf(arn, context);
  const parsed = parseArn(arn);
  if (!before || !parsed) throw missing(parsed?.resource.startsWith('function:') ? `Function not found: ${arn}` : 'The resource you requested does not exist.');
  const tags = change({ ...before });
  const [kind, id = ''] = parsed.resource.split(':');
  if (kind === 'function') functions(context.state, parsed.account, parsed.region).put(id, { ...functions(context.state, parsed.account, parsed.region).get(id)!, tags });
  else if (kind === 'event-source-mapping') tagMapping(context.state, parsed.account, parsed.region, id, tags);
  else signing(context.state, parsed.account, parsed.region).put(id, { ...signing(context.state, parsed.account, parsed.region).get(id)!, tags });
  return {};
}

export function tagResource(input: Lambda.TagResourceRequest, context: RequestContext): Record<string, never> {
  return changeTags(input.Resource, context, (tags) => ({ ...tags, ...input.Tags }));
}

export function untagResource(input: Lambda.UntagResourceRequest, context: RequestContext): Record<string, never> {
  return changeTags(input.Resource, context, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !input.TagKeys.includes(key))));
}

export function listTags(input: Lambda.ListTagsRequest, context: RequestContext): Lambda.ListTagsResponse {
  const tags = tagsOf(input.Resource, context);
  if (!tags) throw missing(input.Resource.includes(':function:') ? `Function not found: ${input.Resource}` : 'The resource you requested does not exist.');
  return { Tags: { ...tags } };
}
