import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sm from '../../models/types/secretsmanager.js';
import { givenValue } from './seal.js';
import { checkName, findSecret, forget, invalidParameter, invalidRequest, newSuffix, saveSecret, secretArn, secretOf, secrets, unsupported, versionsOf, type Secret } from './store.js';
import { addVersion, batchGetSecretValue } from './values.js';

export async function createSecret(input: Sm.CreateSecretRequest, context: RequestContext): Promise<Sm.CreateSecretResponse> {
  checkName(input.Name);
  refuse(input as unknown as Record<string, unknown>, ['AddReplicaRegions', 'Type', 'CrossAccountPrimaryARN']);
  const value = givenValue(input);
  const id = input.ClientRequestToken ?? randomUUID();
  const before = findSecret(input.Name, context);
  if (before) return createAgain(before, id, value, context);
  const now = context.now();
  const secret: Secret = {
    name: input.Name, account: context.account, region: context.region, suffix: newSuffix(), description: input.Description, kmsKeyId: input.KmsKeyId, created: now, changed: now,
    ...(input.Tags && input.Tags.length > 0 ? { tags: tagRecord(input.Tags, context) } : {}),
  };
  if (!value) {
    saveSecret(context.state, secret);
    return { ARN: secretArn(secret), Name: secret.name };
  }
  // The value is sealed before anything is kept: a key that can't be used leaves no secret behind.
  const version = await addVersion(secret, id, value, ['AWSCURRENT'], context);
  return { ARN: secretArn(secret), Name: secret.name, VersionId: version.id };
}

async function createAgain(before: Secret, id: string, value: ReturnType<typeof givenValue>, context: RequestContext): Promise<Sm.CreateSecretResponse> {
  if (before.deleted) throw invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.");
  if (value && versionsOf(context.state, before).some((version) => version.id === id)) {
    const version = await addVersion(before, id, value, ['AWSCURRENT'], context);
    return { ARN: secretArn(before), Name: before.name, VersionId: version.id };
  }
  throw new AwsError('ResourceExistsException', `The operation failed because the secret ${before.name} already exists.`, { status: 400 });
}

function refuse(input: Record<string, unknown>, members: readonly string[]): void {
  for (const member of members) {
    const value = input[member];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) throw unsupported(member);
  }
}

export async function updateSecret(input: Sm.UpdateSecretRequest, context: RequestContext): Promise<Sm.UpdateSecretResponse> {
  refuse(input as unknown as Record<string, unknown>, ['Type']);
  const before = secretOf(input.SecretId, context);
  const value = givenValue(input);
  const secret: Secret = { ...before, description: input.Description ?? before.description, kmsKeyId: input.KmsKeyId === undefined ? before.kmsKeyId : input.KmsKeyId === '' ? undefined : input.KmsKeyId, changed: context.now() };
  const names = { ARN: secretArn(secret), Name: secret.name };
  if (!value) {
    saveSecret(context.state, secret);
    return names;
  }
  const version = await addVersion(secret, input.ClientRequestToken ?? randomUUID(), value, ['AWSCURRENT'], context);
  return { ...names, VersionId: version.id };
}

export function describeSecret(input: Sm.DescribeSecretRequest, context: RequestContext): Sm.DescribeSecretResponse {
  const secret = secretOf(input.SecretId, context, { deleted: true });
  const { SecretVersionsToStages, ...entry } = shown(secret, context);
  return { ...entry, ...(SecretVersionsToStages ? { VersionIdsToStages: SecretVersionsToStages } : {}) };
}

function shown(secret: Secret, context: RequestContext): Sm.SecretListEntry {
  const stages = Object.fromEntries(versionsOf(context.state, secret).filter((version) => version.stages.length > 0).map((version) => [version.id, [...version.stages]]));
  const { rotation } = secret;
  const days = rotation?.rules?.AutomaticallyAfterDays;
  return {
    ARN: secretArn(secret),
    Name: secret.name,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    ...(rotation ? { RotationEnabled: rotation.enabled, RotationLambdaARN: rotation.lambda, RotationRules: rotation.rules, LastRotatedDate: rotation.last } : {}),
    ...(rotation?.enabled && days !== undefined ? { NextRotationDate: new Date((rotation.last ?? secret.created).getTime() + days * 86_400_000) } : {}),
    LastChangedDate: secret.changed,
    LastAccessedDate: secret.accessed,
    DeletedDate: secret.deleted,
    CreatedDate: secret.created,
    ...(secret.tags ? { Tags: Object.entries(secret.tags).map(([Key, Value]) => ({ Key, Value })) } : {}),
    ...(Object.keys(stages).length > 0 ? { SecretVersionsToStages: stages } : {}),
  };
}

export function deleteSecret(input: Sm.DeleteSecretRequest, context: RequestContext): Sm.DeleteSecretResponse {
  const { RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force } = input;
  if (days !== undefined && force) throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
  if (days !== undefined && (days < 7 || days > 30)) throw invalidParameter('The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).');
  if (force && !input.SecretId.startsWith('arn:')) checkName(input.SecretId);
  // What isn't there can be deleted by force (API reference, DeleteSecret).
  if (force && !findSecret(input.SecretId, context)) return { ARN: input.SecretId.startsWith('arn:') ? input.SecretId : secretArn({ name: input.SecretId, account: context.account, region: context.region, suffix: newSuffix() }), Name: input.SecretId, DeletionDate: context.now() };
  const secret = secretOf(input.SecretId, context, { deleted: true });
  if (secret.deleted && !force) throw invalidRequest("You can't perform this operation on the secret because it was already scheduled for deletion.");
  const now = context.now();
  const gone = force ? now : new Date(now.getTime() + (days ?? 30) * 86_400_000);
  if (force) forget(context.state, secret);
  else saveSecret(context.state, { ...secret, deleted: now, gone });
  return { ARN: secretArn(secret), Name: secret.name, DeletionDate: gone };
}

export function restoreSecret(input: Sm.RestoreSecretRequest, context: RequestContext): Sm.RestoreSecretResponse {
  const { deleted: _, gone: _gone, ...secret } = secretOf(input.SecretId, context, { deleted: true });
  saveSecret(context.state, secret);
  return { ARN: secretArn(secret), Name: secret.name };
}

export function listSecrets(input: Sm.ListSecretsRequest, context: RequestContext): Sm.ListSecretsResponse {
  const all = selected(input.Filters ?? [], context).filter((secret) => input.IncludePlannedDeletion || !secret.deleted);
  const by = { 'created-date': 'created', 'last-accessed-date': 'accessed', 'last-changed-date': 'changed', name: 'name' }[input.SortBy ?? 'created-date'] as 'created' | 'accessed' | 'changed' | 'name';
  const rank = (secret: Secret): string | number => (by === 'name' ? secret.name : (secret[by]?.getTime() ?? 0));
  all.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  if ((input.SortOrder ?? 'desc') === 'desc') all.reverse();
  const { items, ...rest } = page(all, input.MaxResults ?? 100, input.NextToken);
  return { SecretList: items.map((secret) => shown(secret, context)), ...rest };
}

function selected(filters: readonly Sm.Filter[], context: RequestContext): Secret[] {
  return secrets(context.state, context.account, context.region)
    .list()
    .filter((secret) => !secret.gone || secret.gone > context.now())
    .filter((secret) => filters.every((filter) => matches(secret, filter)));
}

/** Prefixes; a value with `!` before it excludes (user guide, "Find secrets"). */
function matches(secret: Secret, { Key = 'all', Values = [] }: Sm.Filter): boolean {
  const tags = Object.entries(secret.tags ?? {});
  const texts: Record<string, string[]> = {
    name: [secret.name],
    description: [secret.description ?? ''],
    'tag-key': tags.map(([key]) => key),
    'tag-value': tags.map(([, value]) => value),
    'primary-region': [secret.region],
    'owning-service': [],
  };
  const all = Key === 'all' ? Object.values(texts).flat().flatMap((text) => [text, ...text.split(/[^A-Za-z0-9]+/)]) : (texts[Key] ?? []);
  const fold = (text: string): string => (Key === 'all' || Key === 'description' ? text.toLowerCase() : text);
  const wanted = Values.filter((value) => !value.startsWith('!'));
  const banned = Values.filter((value) => value.startsWith('!')).map((value) => value.slice(1));
  const has = (value: string): boolean => all.some((text) => fold(text).startsWith(fold(value)));
  return (wanted.length === 0 || wanted.some(has)) && !banned.some(has);
}

function page<T>(all: readonly T[], limit: number, token: string | undefined): { items: T[]; NextToken?: string } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8'));
  if (Number.isNaN(start)) throw new AwsError('InvalidNextTokenException', 'Invalid NextToken.', { status: 400 });
  const end = start + limit;
  return { items: all.slice(start, end), ...(end < all.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {}) };
}

export async function batchGet(input: Sm.BatchGetSecretValueRequest, context: RequestContext): Promise<Sm.BatchGetSecretValueResponse> {
  if ((input.SecretIdList === undefined) === (input.Filters === undefined)) throw invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.");
  if (input.SecretIdList) return batchGetSecretValue(input, input.SecretIdList, context);
  const { items, ...rest } = page(selected(input.Filters ?? [], context).filter((secret) => !secret.deleted), input.MaxResults ?? 20, input.NextToken);
  return { ...(await batchGetSecretValue(input, items.map(secretArn), context)), ...rest };
}

export function tagResource(input: Sm.TagResourceRequest, context: RequestContext): void {
  const secret = secretOf(input.SecretId, context);
  const tags = { ...secret.tags, ...tagRecord(input.Tags, context) };
  if (Object.keys(tags).length > 50) throw new AwsError('LimitExceededException', 'You have exceeded the maximum number of tags (50) for this secret.', { status: 400 });
  saveSecret(context.state, { ...secret, tags });
}

export function untagResource(input: Sm.UntagResourceRequest, context: RequestContext): void {
  const secret = secretOf(input.SecretId, context);
  saveSecret(context.state, { ...secret, tags: Object.fromEntries(Object.entries(secret.tags ?? {}).filter(([key]) => !input.TagKeys.includes(key))) });
}

/** Tags as they are kept. The prefix `aws:` is reserved: only CloudFormation, from inside, marks what it made. */
function tagRecord(tags: readonly Sm.Tag[], context: RequestContext): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { Key = '', Value = '' } of tags) {
    const marking = context.http === undefined && Key.startsWith('aws:cloudformation:');
    if (/^aws:/i.test(Key) && !marking) throw invalidParameter("You can't use the prefix aws: in a tag key because it's reserved for AWS use.");
    if (Key in found) throw invalidParameter('Duplicate tag keys found. Please use unique tag keys.');
    found[Key] = Value;
  }
  return found;
}
