import { assumeRole } from '../../kernel/assume.js';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { codeLocation, takeCode } from './code.js';
import { layersOf } from './layers.js';
import { retire } from './pool.js';
import { forgetFunction } from './settings.js';
import {
  aliases, configuration, conflict, functionArn, functionOf, functions, invalid, newRevision, notFound, page, parseFunctionName, policies, preconditionFailed, resolve, versionKey, versions,
  type FunctionRecord, type VersionRecord,
} from './store.js';
import { publish } from './versions.js';

export async function createFunction(input: Lambda.CreateFunctionRequest, context: RequestContext): Promise<Lambda.FunctionConfiguration> {
  const at = parseFunctionName(input.FunctionName, context);
  const all = functions(context.state, context.account, context.region);
  const packageType = input.PackageType === 'Image' || (input.Code.ImageUri && !input.Runtime) ? 'Image' : 'Zip';
  if (all.get(at.name)) throw conflict(`Function already exist: ${at.name}`);
  if (packageType === 'Zip' && !input.Runtime) throw invalid('Runtime and Handler are mandatory parameters for functions created with deployment packages.');
  if (packageType === 'Zip' && !input.Handler) throw invalid('Runtime and Handler are mandatory parameters for functions created with deployment packages.');
  refuseUnknown(input);
  const environment = variables(input.Environment);
  await checkRole(input.Role, at.name, context);
  const layers = await layersOf(input.Layers ?? [], context);
  const code = await takeCode(input.Code, context);
  const record: FunctionRecord = {
    name: at.name, account: context.account, region: context.region, nextVersion: 1, tags: { ...input.Tags },
    ...(input.CodeSigningConfigArn ? { codeSigningConfig: input.CodeSigningConfigArn } : {}),
  };
  const version: VersionRecord = {
    name: at.name, version: '$LATEST', role: input.Role, ...(input.Runtime ? { runtime: input.Runtime } : {}), ...(input.Handler ? { handler: input.Handler } : {}),
    description: input.Description ?? '', timeout: input.Timeout ?? 3, memory: input.MemorySize ?? 128, packageType, architectures: input.Architectures ?? ['x86_64'],
    ...(environment ? { environment } : {}), layers, code, modified: context.now(), revisionId: newRevision(), logGroup: input.LoggingConfig?.LogGroup ?? `/aws/lambda/${at.name}`, given: givenOf(input),
  };
  context.state.transaction(() => {
    if (all.get(at.name)) throw conflict(`Function already exist: ${at.name}`);
    all.put(at.name, record);
    versions(context.state, context.account, context.region).put([at.name, '$LATEST'], version);
  });
  if (input.Publish) return configuration(publish(context, functionOf(context, at.name)), { state: 'Pending' });
  return configuration({ at, version, arn: functionArn(at) }, { state: 'Pending' });
}

/** Features that would change what the function does and that don't exist here. */
function refuseUnknown(input: Lambda.CreateFunctionRequest | Lambda.UpdateFunctionConfigurationRequest): void {
  for (const name of ['CapacityProviderConfig', 'DurableConfig', 'AcceleratorConfig', 'TenancyConfig'] as const)
    if (name in input) throw new AwsError('NotImplemented', `The local cloud has no behaviour for lambda:${name}. Nothing was changed.`, { status: 501 });
}

function givenOf(input: Lambda.CreateFunctionRequest | Lambda.UpdateFunctionConfigurationRequest, before: VersionRecord['given'] = {}): VersionRecord['given'] {
  const names = ['VpcConfig', 'DeadLetterConfig', 'KMSKeyArn', 'TracingConfig', 'FileSystemConfigs', 'ImageConfig', 'EphemeralStorage', 'SnapStart', 'LoggingConfig'] as const;
  return { ...before, ...Object.fromEntries(names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]])) };
}

/** Lambda developer guide, "Reserved environment variables". */
const RESERVED = new Set([
  '_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME', 'AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT', 'LAMBDA_RUNTIME_DIR',
]);
const MAX_VARIABLES = 4096;

function variables(environment: Lambda.Environment | undefined): Record<string, string> | undefined {
  const given = environment?.Variables;
  if (!given || Object.keys(given).length === 0) return undefined;
  const reserved = Object.keys(given).filter((name) => RESERVED.has(name));
  if (reserved.length > 0)
    throw invalid(`Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`);
  const text = JSON.stringify(given);
  if (text.length > MAX_VARIABLES) throw invalid(`Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${text}`);
  return { ...given };
}

/** The caller may pass the role, and Lambda may assume it. */
async function checkRole(role: string, name: string, context: RequestContext): Promise<void> {
  context.authorize('iam:PassRole', role, { 'iam:PassedToService': 'lambda.amazonaws.com' });
  try {
    await assumeRole(context.runtime, { roleArn: role, sessionName: name.padEnd(2, '_'), region: context.region, as: { service: 'lambda.amazonaws.com', account: context.account }, duration: 900 });
  } catch (error) {
    if (isAwsError(error)) throw invalid('The role defined for the function cannot be assumed by Lambda.');
    throw error;
  }
}

export function getFunction(input: Lambda.GetFunctionRequest, context: RequestContext): Lambda.GetFunctionResponse {
  const resolved = resolve(context, input.FunctionName, input.Qualifier);
  const { code } = resolved.version;
  const { tags, reservedConcurrency } = resolved.function;
  const tagged = Object.keys(tags).length > 0 && resolved.at.qualifier === undefined;
  return {
    Configuration: configuration(resolved),
    Code: code.image ? { RepositoryType: 'ECR', ImageUri: code.image, ResolvedImageUri: code.image } : { RepositoryType: 'S3', Location: codeLocation(context.runtime, code.blob!) },
    ...(tagged ? { Tags: { ...tags } } : {}),
    ...(reservedConcurrency === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: reservedConcurrency } }),
  };
}

export function getFunctionConfiguration(input: Lambda.GetFunctionConfigurationRequest, context: RequestContext): Lambda.FunctionConfiguration {
  return configuration(resolve(context, input.FunctionName, input.Qualifier));
}

export function listFunctions(input: Lambda.ListFunctionsRequest, context: RequestContext): Lambda.ListFunctionsResponse {
  const all = versions(context.state, context.account, context.region).list().filter(({ version }) => input.FunctionVersion === 'ALL' || version === '$LATEST');
  const { items, next } = page(all, input.Marker, input.MaxItems);
  const shown = items.map((version) => {
    const at = { account: context.account, region: context.region, name: version.name, qualifier: undefined };
    return configuration({ at, version, arn: functionArn(at, input.FunctionVersion === 'ALL' ? version.version : undefined) }, { listed: true });
  });
  return { Functions: shown, ...(next ? { NextMarker: next } : {}) };
}

export async function updateFunctionCode(input: Lambda.UpdateFunctionCodeRequest, context: RequestContext): Promise<Lambda.FunctionConfiguration> {
  const { at, version } = resolve(context, input.FunctionName);
  if (input.RevisionId !== undefined && input.RevisionId !== version.revisionId) throw preconditionFailed();
  if (version.packageType === 'Image' ? !input.ImageUri : input.ImageUri !== undefined)
    throw invalid(version.packageType === 'Image' ? 'Please provide ImageUri when updating a function with packageType Image.' : 'Please do not provide ImageUri when updating a function with packageType Zip.');
  const code = await takeCode(input, context);
  const changed: VersionRecord = { ...version, code, architectures: input.Architectures ?? version.architectures, modified: context.now(), revisionId: newRevision() };
  if (input.DryRun) return configuration({ at, version: changed, arn: functionArn(at) });
  return changeLatest(changed, input.Publish, context);
}

export async function updateFunctionConfiguration(input: Lambda.UpdateFunctionConfigurationRequest, context: RequestContext): Promise<Lambda.FunctionConfiguration> {
  const { version } = resolve(context, input.FunctionName);
  if (input.RevisionId !== undefined && input.RevisionId !== version.revisionId) throw preconditionFailed();
  refuseUnknown(input);
  const environment = input.Environment === undefined ? version.environment : variables(input.Environment);
  if (input.Role !== undefined) await checkRole(input.Role, version.name, context);
  const layers = input.Layers === undefined ? version.layers : await layersOf(input.Layers, context);
  const { environment: _, ...rest } = version;
  const changed: VersionRecord = {
    ...rest,
    role: input.Role ?? version.role, ...(input.Runtime ? { runtime: input.Runtime } : {}), ...(input.Handler ? { handler: input.Handler } : {}),
    description: input.Description ?? version.description, timeout: input.Timeout ?? version.timeout, memory: input.MemorySize ?? version.memory,
    ...(environment ? { environment } : {}), layers, logGroup: input.LoggingConfig?.LogGroup ?? version.logGroup, given: givenOf(input, version.given), modified: context.now(), revisionId: newRevision(),
  };
  return changeLatest(changed, false, context);
}

function changeLatest(changed: VersionRecord, published: boolean | undefined, context: RequestContext): Lambda.FunctionConfiguration {
  versions(context.state, context.account, context.region).put([changed.name, '$LATEST'], changed);
  retire(context.runtime, functionArn({ ...context, name: changed.name }), '$LATEST');
  if (published) return configuration(publish(context, functionOf(context, changed.name)));
  const at = { account: context.account, region: context.region, name: changed.name, qualifier: undefined };
  return configuration({ at, version: changed, arn: functionArn(at) });
}

export function deleteFunction(input: Lambda.DeleteFunctionRequest, context: RequestContext): Record<string, never> {
  const at = parseFunctionName(input.FunctionName, context, input.Qualifier);
  const record = functions(context.state, at.account, at.region).get(at.name);
  if (!record) throw notFound(at);
  const known = versions(context.state, at.account, at.region);
  if (at.qualifier !== undefined) {
    if (at.qualifier === '$LATEST') throw invalid('$LATEST version cannot be deleted without deleting the function.');
    if (!known.get(at.name, versionKey(at.qualifier))) return {};
    const pointed = aliases(context.state, at.account, at.region).list(at.name).find((alias) => alias.version === at.qualifier || alias.weights?.[at.qualifier!] !== undefined);
    if (pointed) throw conflict(`Version ${at.qualifier} of function ${at.name} is used by alias ${pointed.name}`);
    known.delete(at.name, versionKey(at.qualifier));
    retire(context.runtime, functionArn(at), at.qualifier);
    return {};
  }
  context.state.transaction(() => {
    for (const { version } of known.list(at.name)) known.delete(at.name, versionKey(version));
    for (const { name } of aliases(context.state, at.account, at.region).list(at.name)) aliases(context.state, at.account, at.region).delete(at.name, name);
    for (const [key] of policies(context.state, at.account, at.region).entries([at.name])) policies(context.state, at.account, at.region).delete(...key);
    forgetFunction(context.state, at);
    functions(context.state, at.account, at.region).delete(at.name);
  });
  retire(context.runtime, functionArn(at));
  return {};
}

export function putFunctionConcurrency(input: Lambda.PutFunctionConcurrencyRequest, context: RequestContext): Lambda.Concurrency {
  const { at, ...record } = functionOf(context, input.FunctionName);
  functions(context.state, at.account, at.region).put(at.name, { ...record, reservedConcurrency: input.ReservedConcurrentExecutions });
  return { ReservedConcurrentExecutions: input.ReservedConcurrentExecutions };
}

export function getFunctionConcurrency(input: Lambda.GetFunctionConcurrencyRequest, context: RequestContext): Lambda.GetFunctionConcurrencyResponse {
  const { reservedConcurrency } = functionOf(context, input.FunctionName);
  return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
}

export function deleteFunctionConcurrency(input: Lambda.DeleteFunctionConcurrencyRequest, context: RequestContext): Record<string, never> {
  const { at, reservedConcurrency: _, ...record } = functionOf(context, input.FunctionName);
  functions(context.state, at.account, at.region).put(at.name, record);
  return {};
}
