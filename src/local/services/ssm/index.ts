import { AwsError } from '../../kernel/error.js';
import type { Authorization, RequestContext, Service } from '../../kernel/service.js';
import type * as Ssm from '../../models/types/ssm.js';
import { publicParameter } from './public.js';
import { findParameter, parameterArn, parameters, parameterVersions, parseName, sharingPolicies, type Parameter, type ParameterVersion } from './store.js';
import { testPattern } from '../../../shared/regex.js';

const MAX_VERSIONS = 100;

/** Systems Manager: the Parameter Store. */
export const ssm: Service = {
  name: 'ssm',
  operations: {
    PutParameter: putParameter,
    GetParameter: getParameter,
    GetParameters: getParameters,
    GetParametersByPath: getParametersByPath,
    GetParameterHistory: getParameterHistory,
    DescribeParameters: describeParameters,
    DeleteParameter: deleteParameter,
    DeleteParameters: deleteParameters,
    LabelParameterVersion: labelParameterVersion,
    UnlabelParameterVersion: unlabelParameterVersion,
    AddTagsToResource: addTagsToResource,
    RemoveTagsFromResource: removeTagsFromResource,
    ListTagsForResource: listTagsForResource,
  },
  authorization: {
    PutParameter: onName(),
    GetParameter: onName(),
    GetParameterHistory: onName(),
    DeleteParameter: onName(),
    LabelParameterVersion: onName(),
    UnlabelParameterVersion: onName(),
    GetParameters: onNames(),
    DeleteParameters: onNames(),
    GetParametersByPath: { resource: (input: { Path: string }, context: RequestContext) => parameterArn(input.Path.replace(/\/$/, '') || '/', context.account, context.region) },
    DescribeParameters: {},
    AddTagsToResource: onResource(),
    RemoveTagsFromResource: onResource(),
    ListTagsForResource: onResource(),
  },
  resourcePolicy: (arn, context) => {
    const { name, account } = parseName(arn, context);
    const document = arn.includes(':parameter/') ? sharingPolicies(context.state, account, context.region).get(name) : undefined;
    return document === undefined ? undefined : { document, kind: 'resource' };
  },
  resourceTags: (arn, context) => {
    if (!arn.includes(':parameter/')) return undefined;
    const { name, account } = parseName(arn, context);
    return parameters(context.state, account, context.region).get(name)?.tags;
  },
};

function arnOf(given: string, context: RequestContext): string {
  const { name, account } = parseName(given, context);
  return parameterArn(name, account, context.region);
}

function onName(): Authorization {
  return { resource: (input: { Name: string }, context: RequestContext) => arnOf(input.Name, context) };
}

function onNames(): Authorization {
  return { resource: (input: { Names: string[] }, context: RequestContext) => input.Names.map((name) => arnOf(name, context)) };
}

function onResource(): Authorization {
  return { resource: (input: { ResourceType: string; ResourceId: string }, context: RequestContext) => (input.ResourceType === 'Parameter' ? arnOf(input.ResourceId, context) : '*') };
}

async function putParameter(input: Ssm.PutParameterRequest, context: RequestContext): Promise<Ssm.PutParameterResult> {
  checkName(input.Name);
  const all = parameters(context.state, context.account, context.region);
  const before = all.get(input.Name);
  if (before && !input.Overwrite) throw new AwsError('ParameterAlreadyExists', 'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.', { status: 400 });
  if (before && (input.Tags ?? []).length > 0) throw invalid('Invalid request: tags and overwrite can\'t be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.');
  const type = (input.Type ?? before?.type) as Parameter['type'] | undefined;
  if (!type) throw invalid('A parameter type is required when you create a parameter.');
  if (before && type !== before.type && (type === 'SecureString' || before.type === 'SecureString'))
    throw new AwsError('HierarchyTypeMismatch', 'The parameter type can\'t be changed between SecureString and another type.', { status: 400 });
  const tier = chooseTier(input, before);
  checkValue(input, before);
  const keyId = type === 'SecureString' ? (input.KeyId ?? before?.keyId ?? 'alias/aws/ssm') : undefined;
  const sealed = keyId === undefined ? undefined : await seal(input.Name, input.Value, keyId, context);
  const version = (before?.version ?? 0) + 1;
  const parameter: Parameter = {
    name: input.Name,
    type,
    tier,
    dataType: input.DataType ?? before?.dataType ?? 'text',
    description: input.Description ?? before?.description,
    allowedPattern: input.AllowedPattern ?? before?.allowedPattern,
    keyId,
    policies: input.Policies ?? before?.policies,
    tags: before?.tags ?? Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    version,
  };
  const entry: ParameterVersion = {
    version, value: sealed ? '' : input.Value, sealed, type, description: parameter.description, keyId, tier, dataType: parameter.dataType, allowedPattern: parameter.allowedPattern,
    modified: context.now(), modifiedBy: 'arn' in context.principal ? context.principal.arn : context.principal.kind, labels: [],
  };
  const versions = parameterVersions(context.state, context.account, context.region);
  context.state.transaction(() => {
    all.put(input.Name, parameter);
    versions.put([input.Name, version], entry);
    if (version > MAX_VERSIONS) {
      const oldest = versions.get(input.Name, version - MAX_VERSIONS);
      if (oldest && oldest.labels.length > 0)
        throw new AwsError('ParameterMaxVersionLimitExceeded', `You attempted to create a new version of ${input.Name} by calling the PutParameter API with the overwrite flag. Version ${oldest.version}, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.`, { status: 400 });
      versions.delete(input.Name, version - MAX_VERSIONS);
    }
  });
  return { Version: version, Tier: tier };
}

/** Systems Manager user guide, "Requirements and constraints for parameter names". */
function checkName(name: string): void {
  if (/^\/?(aws|ssm)(\/|$)/i.test(name) || /^(aws|ssm)/i.test(name)) {
    if (/^\/?aws/i.test(name)) throw new AwsError('AccessDeniedException', `No access to reserved parameter name: ${name}.`, { status: 400 });
    throw invalid('Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_');
  }
  if (!/^[a-zA-Z0-9_.\-/]+$/.test(name))
    throw invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_');
  if (name.includes('/') && !name.startsWith('/')) throw invalid('Parameter name must be a fully qualified name.');
  if (name.split('/').length - 1 > 15) throw new AwsError('HierarchyLevelLimitExceededException', 'A hierarchy can have a maximum of 15 levels.', { status: 400 });
}

function chooseTier(input: Ssm.PutParameterRequest, before: Parameter | undefined): Parameter['tier'] {
  const size = Buffer.byteLength(input.Value);
  const needsAdvanced = size > 4096 || input.Policies !== undefined;
  if (size > 8192) throw invalid('Advanced tier parameters support a maximum parameter value of 8192 characters.');
  if (input.Tier === 'Advanced' || (input.Tier === 'Intelligent-Tiering' && needsAdvanced) || before?.tier === 'Advanced') return 'Advanced';
  if (needsAdvanced)
    throw invalid('Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html');
  return 'Standard';
}

function checkValue(input: Ssm.PutParameterRequest, before: Parameter | undefined): void {
  const pattern = input.AllowedPattern ?? before?.allowedPattern;
  if (input.Value === '') throw invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.");
  if (pattern === undefined || pattern === '') return;
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    throw new AwsError('InvalidAllowedPatternException', `The request does not meet the regular expression requirement: ${pattern}`, { status: 400 });
  }
  if (!testPattern(expression, input.Value)) throw new AwsError('ParameterPatternMismatchException', `Parameter value, cannot be validated against allowedPattern: ${pattern}`, { status: 400 });
}

async function seal(name: string, value: string, keyId: string, context: RequestContext): Promise<Uint8Array> {
  const { CiphertextBlob } = await context.onBehalf.call<{ CiphertextBlob: Uint8Array }>('kms', 'Encrypt', {
    KeyId: keyId,
    Plaintext: Buffer.from(value),
    EncryptionContext: { PARAMETER_ARN: parameterArn(name, context.account, context.region) },
  });
  return CiphertextBlob;
}

async function shown(given: string, decrypt: boolean, context: RequestContext): Promise<Ssm.Parameter> {
  const published = publicParameter(given, context.region);
  if (published !== undefined)
    return { Name: given, Type: 'String', Value: published, Version: 1, LastModifiedDate: context.now(), ARN: `arn:aws:ssm:${context.region}::parameter${given}`, DataType: 'text' };
  const { parameter, version, account, selector } = findParameter(given, context);
  const arn = parameterArn(parameter.name, account, context.region);
  return {
    Name: parameter.name,
    Type: version.type,
    Value: await valueOf(version, arn, decrypt, context),
    Version: version.version,
    ...(selector ? { Selector: selector } : {}),
    LastModifiedDate: version.modified,
    ARN: arn,
    DataType: version.dataType,
  };
}

async function valueOf(version: ParameterVersion, arn: string, decrypt: boolean, context: RequestContext): Promise<string> {
  if (!version.sealed) return version.value;
  if (!decrypt) return Buffer.from(version.sealed).toString('base64');
  const { Plaintext } = await context.onBehalf.call<{ Plaintext: Uint8Array }>('kms', 'Decrypt', { CiphertextBlob: version.sealed, EncryptionContext: { PARAMETER_ARN: arn } });
  return Buffer.from(Plaintext).toString('utf8');
}

async function getParameter(input: Ssm.GetParameterRequest, context: RequestContext): Promise<Ssm.GetParameterResult> {
  return { Parameter: await shown(input.Name, input.WithDecryption ?? false, context) };
}

async function getParameters(input: Ssm.GetParametersRequest, context: RequestContext): Promise<Ssm.GetParametersResult> {
  const found: Ssm.Parameter[] = [];
  const missing: string[] = [];
  for (const name of new Set(input.Names)) {
    try {
      found.push(await shown(name, input.WithDecryption ?? false, context));
    } catch (error) {
      if (!(error instanceof AwsError) || !/^Parameter(Version)?NotFound$/.test(error.code)) throw error;
      missing.push(name);
    }
  }
  return { Parameters: found, InvalidParameters: missing };
}

async function getParametersByPath(input: Ssm.GetParametersByPathRequest, context: RequestContext): Promise<Ssm.GetParametersByPathResult> {
  if (!input.Path.startsWith('/'))
    throw invalid(`The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`);
  const prefix = input.Path.endsWith('/') ? input.Path : `${input.Path}/`;
  const all = parameters(context.state, context.account, context.region)
    .list()
    .filter(({ name }) => name.startsWith(prefix) && (input.Recursive || !name.slice(prefix.length).includes('/')))
    .filter((parameter) => (input.ParameterFilters ?? []).every((filter) => matches(filter, parameter)));
  const { items, next } = paginate(all, input.MaxResults ?? 10, input.NextToken);
  return { Parameters: await Promise.all(items.map((parameter) => shown(parameter.name, input.WithDecryption ?? false, context))), ...(next ? { NextToken: next } : {}) };
}

function matches(filter: Ssm.ParameterStringFilter, parameter: Parameter): boolean {
  const values = filter.Values ?? [];
  const option = filter.Option ?? 'Equals';
  const compare = (text: string): boolean =>
    values.some((value) => (option === 'BeginsWith' ? text.startsWith(value) : option === 'Contains' ? text.includes(value) : text === value));
  if (filter.Key.startsWith('tag:')) return filter.Key.slice(4) in parameter.tags && (values.length === 0 || values.includes(parameter.tags[filter.Key.slice(4)]!));
  switch (filter.Key) {
    case 'Name':
      return compare(parameter.name) || compare(parameter.name.replace(/^\//, ''));
    case 'Type':
      return compare(parameter.type);
    case 'KeyId':
      return parameter.keyId !== undefined && compare(parameter.keyId);
    case 'Tier':
      return compare(parameter.tier);
    case 'DataType':
      return compare(parameter.dataType);
    case 'Path':
      return values.some((value) => {
        const prefix = value.endsWith('/') ? value : `${value}/`;
        return parameter.name.startsWith(prefix) && (option === 'Recursive' || !parameter.name.slice(prefix.length).includes('/'));
      });
    default:
      throw new AwsError('InvalidFilterKey', `The following filter key is not valid: ${filter.Key}. Valid filter keys include: [Path, Name, Type, KeyId, Tier, DataType].`, { status: 400 });
  }
}

function describeParameters(input: Ssm.DescribeParametersRequest, context: RequestContext): Ssm.DescribeParametersResult {
  const filters = [...(input.ParameterFilters ?? []), ...(input.Filters ?? []).map((filter) => ({ Key: filter.Key, Values: filter.Values }))] as Ssm.ParameterStringFilter[];
  const all = parameters(context.state, context.account, context.region).list().filter((parameter) => filters.every((filter) => matches(filter, parameter)));
  const { items, next } = paginate(all, input.MaxResults ?? 50, input.NextToken);
  const versions = parameterVersions(context.state, context.account, context.region);
  return {
    Parameters: items.map((parameter) => {
      const current = versions.get(parameter.name, parameter.version)!;
      return {
        Name: parameter.name, ARN: parameterArn(parameter.name, context.account, context.region), Type: parameter.type, ...(parameter.keyId ? { KeyId: parameter.keyId } : {}),
        LastModifiedDate: current.modified, LastModifiedUser: current.modifiedBy, ...(parameter.description ? { Description: parameter.description } : {}),
        ...(parameter.allowedPattern ? { AllowedPattern: parameter.allowedPattern } : {}), Version: parameter.version, Tier: parameter.tier, Policies: [], DataType: parameter.dataType,
      };
    }),
    ...(next ? { NextToken: next } : {}),
  };
}

async function getParameterHistory(input: Ssm.GetParameterHistoryRequest, context: RequestContext): Promise<Ssm.GetParameterHistoryResult> {
  const { parameter, account } = findParameter(input.Name, context);
  const arn = parameterArn(parameter.name, account, context.region);
  const { items, next } = paginate(parameterVersions(context.state, account, context.region).list(parameter.name), input.MaxResults ?? 50, input.NextToken);
  return {
    Parameters: await Promise.all(
      items.map(async (version) => ({
        Name: parameter.name, Type: version.type, ...(version.keyId ? { KeyId: version.keyId } : {}), LastModifiedDate: version.modified, LastModifiedUser: version.modifiedBy,
        ...(version.description ? { Description: version.description } : {}), Value: await valueOf(version, arn, input.WithDecryption ?? false, context), Version: version.version,
        Labels: [...version.labels], Tier: version.tier, Policies: [], DataType: version.dataType,
      })),
    ),
    ...(next ? { NextToken: next } : {}),
  };
}

function deleteParameter(input: { Name: string }, context: RequestContext): Record<string, never> {
  remove(findParameter(input.Name, context).parameter.name, context);
  return {};
}

function deleteParameters(input: { Names: string[] }, context: RequestContext): Ssm.DeleteParametersResult {
  const known = parameters(context.state, context.account, context.region);
  const deleted = input.Names.filter((name) => known.get(name) !== undefined);
  for (const name of deleted) remove(name, context);
  return { DeletedParameters: deleted, InvalidParameters: input.Names.filter((name) => !deleted.includes(name)) };
}

function remove(name: string, context: RequestContext): void {
  context.state.transaction(() => {
    parameters(context.state, context.account, context.region).delete(name);
    const versions = parameterVersions(context.state, context.account, context.region);
    for (const version of versions.list(name)) versions.delete(name, version.version);
    sharingPolicies(context.state, context.account, context.region).delete(name);
  });
}

function labelParameterVersion(input: Ssm.LabelParameterVersionRequest, context: RequestContext): Ssm.LabelParameterVersionResult {
  const { parameter } = findParameter(input.Name, context);
  const versions = parameterVersions(context.state, context.account, context.region);
  const number = input.ParameterVersion ?? parameter.version;
  const target = versions.get(parameter.name, number);
  if (!target) throw new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${number} of ${parameter.name}. Verify the version and try again.`, { status: 400 });
  const invalidLabels = input.Labels.filter((label) => /^\d|^(aws|ssm)/i.test(label) || !/^[a-zA-Z0-9_.-]+$/.test(label));
  const valid = input.Labels.filter((label) => !invalidLabels.includes(label));
  context.state.transaction(() => {
    for (const other of versions.list(parameter.name)) if (other.labels.some((label) => valid.includes(label))) versions.put([parameter.name, other.version], { ...other, labels: other.labels.filter((label) => !valid.includes(label)) });
    versions.put([parameter.name, number], { ...versions.get(parameter.name, number)!, labels: [...new Set([...target.labels, ...valid])] });
  });
  return { InvalidLabels: invalidLabels, ParameterVersion: number };
}

function unlabelParameterVersion(input: Ssm.UnlabelParameterVersionRequest, context: RequestContext): Ssm.UnlabelParameterVersionResult {
  const { parameter } = findParameter(input.Name, context);
  const versions = parameterVersions(context.state, context.account, context.region);
  const target = versions.get(parameter.name, input.ParameterVersion);
  if (!target) throw new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${input.ParameterVersion} of ${parameter.name}. Verify the version and try again.`, { status: 400 });
  versions.put([parameter.name, target.version], { ...target, labels: target.labels.filter((label) => !input.Labels.includes(label)) });
  return { RemovedLabels: input.Labels.filter((label) => target.labels.includes(label)), InvalidLabels: input.Labels.filter((label) => !target.labels.includes(label)) };
}

function tagged(input: { ResourceType: string; ResourceId: string }, context: RequestContext): Parameter {
  if (input.ResourceType !== 'Parameter') throw new AwsError('NotImplemented', `The local cloud tags parameters only, not ${input.ResourceType} (ssm:${context.operation})`, { status: 501 });
  const { name, account } = parseName(input.ResourceId, context);
  const parameter = parameters(context.state, account, context.region).get(name);
  if (!parameter) throw new AwsError('InvalidResourceId', `The resource ID "${input.ResourceId}" is not valid. Verify the ID and try again.`, { status: 400 });
  return parameter;
}

function addTagsToResource(input: Ssm.AddTagsToResourceRequest, context: RequestContext): Record<string, never> {
  const parameter = tagged(input, context);
  const tags = { ...parameter.tags, ...Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key, Value])) };
  if (Object.keys(tags).length > 50) throw new AwsError('TooManyTagsError', 'The number of tags exceeds the limit of 50', { status: 400 });
  parameters(context.state, context.account, context.region).put(parameter.name, { ...parameter, tags });
  return {};
}

function removeTagsFromResource(input: Ssm.RemoveTagsFromResourceRequest, context: RequestContext): Record<string, never> {
  const parameter = tagged(input, context);
  const tags = Object.fromEntries(Object.entries(parameter.tags).filter(([key]) => !input.TagKeys.includes(key)));
  parameters(context.state, context.account, context.region).put(parameter.name, { ...parameter, tags });
  return {};
}

function listTagsForResource(input: Ssm.ListTagsForResourceRequest, context: RequestContext): Ssm.ListTagsForResourceResult {
  return { TagList: Object.entries(tagged(input, context).tags).map(([Key, Value]) => ({ Key, Value })) };
}

function paginate<T>(all: readonly T[], limit: number, token: string | undefined): { items: readonly T[]; next: string | undefined } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString());
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidNextToken', 'The specified token isn\'t valid.', { status: 400 });
  return { items: all.slice(start, start + limit), next: start + limit < all.length ? Buffer.from(String(start + limit)).toString('base64') : undefined };
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message, { status: 400 });
}
