import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Kms from '../../models/types/kms.js';
import { SPECS } from './material.js';
import { addKey, aliasArn, aliases, defaultPolicy, grants, isOver, keyArn, keys, material, newKeyId, resolveKey, saveKey, type Key } from './store.js';

const MAX_POLICY = 32 * 1024;
const DAY = 24 * 60 * 60 * 1000;

export function createKey(input: Kms.CreateKeyRequest, context: RequestContext): Kms.CreateKeyResponse {
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  const info = SPECS[spec];
  if (!info) throw unsupported(`The local cloud makes no keys of the spec ${spec}`);
  const usage = input.KeyUsage ?? (spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : undefined);
  if (usage === undefined) throw invalid(`You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.`);
  if (!info.usages.includes(usage)) throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  const origin = input.Origin ?? 'AWS_KMS';
  if (origin !== 'AWS_KMS' && origin !== 'EXTERNAL') throw unsupported(`The local cloud has no ${origin} key stores`);
  const key: Key = {
    id: newKeyId(input.MultiRegion ?? false),
    account: context.account,
    region: context.region,
    created: context.now(),
    description: input.Description ?? '',
    usage,
    spec,
    origin,
    manager: 'CUSTOMER',
    state: origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
    policy: bindPolicy(input.Policy ?? defaultPolicy(context.account), context, input.BypassPolicyLockoutSafetyCheck ?? false),
    tags: checkTags(input.Tags ?? []),
    multiRegion: input.MultiRegion ?? false,
    onDemandRotations: 0,
  };
  addKey(context.state, key);
  return { KeyMetadata: metadata(key, context) };
}

/** A key policy as it is stored. Raises MalformedPolicyDocumentException; a policy nobody could change again is refused. */
function bindPolicy(text: string, context: RequestContext, bypass: boolean): string {
  if (Buffer.byteLength(text) > MAX_POLICY) throw new AwsError('LimitExceededException', `The policy exceeds the limit of ${MAX_POLICY} bytes`, { status: 400 });
  let statements: { Effect?: string; Principal?: unknown; Action?: unknown; Resource?: unknown; NotPrincipal?: unknown }[];
  try {
    const parsed = JSON.parse(text) as { Statement?: (typeof statements)[number] | typeof statements };
    statements = parsed.Statement === undefined ? [] : Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  } catch {
    throw malformed('Policy is not valid JSON.');
  }
  if (statements.length === 0) throw malformed('The new key policy will not allow you to update the key policy in the future.');
  for (const statement of statements) {
    if (statement.Principal === undefined && statement.NotPrincipal === undefined) throw malformed('Policy contains a statement with no principal.');
    if (statement.Action === undefined && !('NotAction' in statement)) throw malformed('Policy contains a statement with no action.');
    if (statement.Resource === undefined && !('NotResource' in statement)) throw malformed('Policy contains a statement with no resource.');
  }
  const bound = context.runtime.principals.bind(text);
  if ('invalid' in bound) throw malformed('Policy contains a statement with one or more invalid principals.');
  if (!bypass && !leavesControl(statements, context)) throw malformed('The new key policy will not allow you to update the key policy in the future.');
  return bound.document;
}

function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocumentException', message, { status: 400 });
}

/** Whether somebody may still put a policy: the account's root or the caller (KMS API reference, BypassPolicyLockoutSafetyCheck). */
function leavesControl(statements: readonly { Effect?: string; Principal?: unknown; Action?: unknown }[], context: RequestContext): boolean {
  const { principal } = context;
  const own = new Set(['*', context.account, `arn:aws:iam::${context.account}:root`, 'arn' in principal ? principal.arn : '', 'roleArn' in principal ? principal.roleArn : '']);
  return statements.some((statement) => {
    const named = statement.Principal === '*' ? ['*'] : [(statement.Principal as Record<string, unknown> | undefined)?.['AWS'] ?? []].flat();
    const actions = [statement.Action ?? []].flat().map(String);
    return statement.Effect === 'Allow' && named.some((name) => own.has(String(name))) && actions.some((action) => /^(\*|kms:(\*|Put\*|PutKey\*|PutKeyPolicy|P\*))$/i.test(action));
  });
}

export function metadata(key: Key, context: RequestContext): Kms.KeyMetadata {
  const info = SPECS[key.spec]!;
  return {
    AWSAccountId: key.account,
    KeyId: key.id,
    Arn: keyArn(key),
    CreationDate: key.created,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage as never,
    KeyState: key.state,
    Origin: key.origin as never,
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.spec as never,
    KeySpec: key.spec as never,
    MultiRegion: key.multiRegion,
    ...(key.state === 'PendingDeletion' ? { DeletionDate: key.deletionDate } : {}),
    ...(key.usage === 'ENCRYPT_DECRYPT' ? { EncryptionAlgorithms: info.encryption as never } : {}),
    ...(key.usage === 'SIGN_VERIFY' ? { SigningAlgorithms: info.signing as never } : {}),
    ...(key.usage === 'GENERATE_VERIFY_MAC' ? { MacAlgorithms: info.mac as never } : {}),
    ...(key.usage === 'KEY_AGREEMENT' ? { KeyAgreementAlgorithms: info.agreement as never } : {}),
    ...(key.spec === 'SYMMETRIC_DEFAULT' && key.origin === 'AWS_KMS' ? { CurrentKeyMaterialId: material(context.state, key).id } : {}),
    ...(key.multiRegion ? { MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY' as never, PrimaryKey: { Arn: keyArn(key), Region: key.region }, ReplicaKeys: [] } } : {}),
  };
}

export function describeKey(input: Kms.DescribeKeyRequest, context: RequestContext): Kms.DescribeKeyResponse {
  return { KeyMetadata: metadata(resolveKey(input.KeyId, context), context) };
}

export function listKeys(input: Kms.ListKeysRequest, context: RequestContext): Kms.ListKeysResponse {
  const standing = keys(context.state, context.account, context.region).list().filter((key) => !isOver(key, context));
  const page = paginate(standing, input);
  return { Keys: page.items.map((key) => ({ KeyId: key.id, KeyArn: keyArn(key) })), ...page.rest };
}

function paginate<T>(all: readonly T[], input: { Marker?: string; Limit?: number }): { items: readonly T[]; rest: { Truncated: boolean; NextMarker?: string } } {
  const start = input.Marker === undefined ? 0 : Number(Buffer.from(input.Marker, 'base64').toString());
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidMarkerException', 'Could not deserialize marker.', { status: 400 });
  const limit = input.Limit ?? 100;
  const more = start + limit < all.length;
  return { items: all.slice(start, start + limit), rest: { Truncated: more, ...(more ? { NextMarker: Buffer.from(String(start + limit)).toString('base64') } : {}) } };
}

export function putKeyPolicy(input: Kms.PutKeyPolicyRequest, context: RequestContext): void {
  const key = own(input.KeyId, context);
  checkPolicyName(input.PolicyName);
  saveKey(context.state, { ...key, policy: bindPolicy(input.Policy, context, input.BypassPolicyLockoutSafetyCheck ?? false) });
}

export function getKeyPolicy(input: Kms.GetKeyPolicyRequest, context: RequestContext): Kms.GetKeyPolicyResponse {
  const key = own(input.KeyId, context);
  checkPolicyName(input.PolicyName);
  return { Policy: context.runtime.principals.show(key.policy), PolicyName: 'default' };
}

function checkPolicyName(name: string | undefined): void {
  if (name !== undefined && name !== 'default') throw new AwsError('NotFoundException', 'No such policy exists', { status: 400 });
}

export function enableKey(input: { KeyId: string }, context: RequestContext): void {
  const key = usableForAdministration(own(input.KeyId, context));
  saveKey(context.state, { ...key, state: 'Enabled' });
}

export function disableKey(input: { KeyId: string }, context: RequestContext): void {
  const key = usableForAdministration(own(input.KeyId, context));
  saveKey(context.state, { ...key, state: 'Disabled' });
}

export function updateKeyDescription(input: Kms.UpdateKeyDescriptionRequest, context: RequestContext): void {
  const key = usableForAdministration(own(input.KeyId, context));
  saveKey(context.state, { ...key, description: input.Description ?? '' });
}

export function scheduleKeyDeletion(input: Kms.ScheduleKeyDeletionRequest, context: RequestContext): Kms.ScheduleKeyDeletionResponse {
  const key = usableForAdministration(own(input.KeyId, context));
  const days = input.PendingWindowInDays ?? 30;
  if (days < 7 || days > 30) throw invalid('PendingWindowInDays must be between 7 and 30.');
  const deletionDate = new Date(context.now().getTime() + days * DAY);
  saveKey(context.state, { ...key, state: 'PendingDeletion', deletionDate });
  return { KeyId: keyArn(key), DeletionDate: deletionDate, KeyState: 'PendingDeletion', PendingWindowInDays: days };
}

export function cancelKeyDeletion(input: { KeyId: string }, context: RequestContext): Kms.CancelKeyDeletionResponse {
  const key = own(input.KeyId, context);
  if (key.state !== 'PendingDeletion') throw invalidState(key, 'is not pending deletion');
  const { deletionDate: _, ...rest } = key;
  saveKey(context.state, { ...rest, state: 'Disabled' });
  return { KeyId: keyArn(key) };
}

export function enableKeyRotation(input: Kms.EnableKeyRotationRequest, context: RequestContext): void {
  const key = rotatable(own(input.KeyId, context));
  const days = input.RotationPeriodInDays ?? key.rotation?.days ?? 365;
  const now = context.now();
  saveKey(context.state, { ...key, rotation: { days, enabled: now, next: new Date(now.getTime() + days * DAY) } });
}

export function disableKeyRotation(input: { KeyId: string }, context: RequestContext): void {
  const { rotation: _, ...key } = rotatable(own(input.KeyId, context));
  saveKey(context.state, key);
}

export function getKeyRotationStatus(input: { KeyId: string }, context: RequestContext): Kms.GetKeyRotationStatusResponse {
  const key = own(input.KeyId, context);
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw unsupported('');
  return { KeyId: key.id, KeyRotationEnabled: key.rotation !== undefined, ...(key.rotation ? { RotationPeriodInDays: key.rotation.days, NextRotationDate: key.rotation.next } : {}) };
}

export function rotateKeyOnDemand(input: { KeyId: string }, context: RequestContext): Kms.RotateKeyOnDemandResponse {
  const key = rotatable(own(input.KeyId, context));
  if (key.onDemandRotations >= 25) throw new AwsError('LimitExceededException', 'The on-demand rotation limit of 25 has been reached for this key', { status: 400 });
  saveKey(context.state, { ...key, onDemandRotations: key.onDemandRotations + 1 });
  return { KeyId: key.id };
}

function rotatable(key: Key): Key {
  if (key.spec !== 'SYMMETRIC_DEFAULT' || key.origin !== 'AWS_KMS') throw unsupported('');
  return usableForAdministration(key);
}

/** Key that belongs to the caller's account: administration never reaches another's. */
export function own(keyId: string, context: RequestContext): Key {
  return resolveKey(keyId, context);
}

function usableForAdministration(key: Key): Key {
  if (key.state === 'PendingDeletion') throw invalidState(key, 'is pending deletion');
  if (key.manager === 'AWS') throw unsupported(`${keyArn(key)} is an AWS managed key`);
  return key;
}

export function invalidState(key: Key, what: string): AwsError {
  return new AwsError('KMSInvalidStateException', `${keyArn(key)} ${what}.`, { status: 400 });
}

export function createAlias(input: Kms.CreateAliasRequest, context: RequestContext): void {
  const name = checkAliasName(input.AliasName);
  const key = resolveKey(input.TargetKeyId, context);
  const all = aliases(context.state, context.account, context.region);
  if (all.get(name)) throw new AwsError('AlreadyExistsException', `An alias with the name ${aliasArn({ name }, context.account, context.region)} already exists`, { status: 400 });
  if (key.state === 'PendingDeletion') throw invalidState(key, 'is pending deletion');
  all.put(name, { name, keyId: key.id, created: context.now(), updated: context.now() });
}

export function updateAlias(input: Kms.UpdateAliasRequest, context: RequestContext): void {
  const all = aliases(context.state, context.account, context.region);
  const alias = all.get(checkAliasName(input.AliasName));
  if (!alias) throw aliasNotFound(input.AliasName, context);
  const key = resolveKey(input.TargetKeyId, context);
  all.put(alias.name, { ...alias, keyId: key.id, updated: context.now() });
}

export function deleteAlias(input: { AliasName: string }, context: RequestContext): void {
  const all = aliases(context.state, context.account, context.region);
  if (!all.get(input.AliasName)) throw aliasNotFound(input.AliasName, context);
  all.delete(input.AliasName);
}

export function listAliases(input: Kms.ListAliasesRequest, context: RequestContext): Kms.ListAliasesResponse {
  const keyId = input.KeyId === undefined ? undefined : resolveKey(input.KeyId, context).id;
  const page = paginate(aliases(context.state, context.account, context.region).list().filter((alias) => keyId === undefined || alias.keyId === keyId), input);
  return {
    Aliases: page.items.map((alias) => ({ AliasName: alias.name, AliasArn: aliasArn(alias, context.account, context.region), TargetKeyId: alias.keyId, CreationDate: alias.created, LastUpdatedDate: alias.updated })),
    ...page.rest,
  };
}

function aliasNotFound(name: string, context: RequestContext): AwsError {
  return new AwsError('NotFoundException', `Alias ${aliasArn({ name }, context.account, context.region)} is not found.`, { status: 400 });
}

function checkAliasName(name: string): string {
  if (!name.startsWith('alias/')) throw invalid('Invalid identifier');
  if (name.startsWith('alias/aws/')) throw new AwsError('NotAuthorizedException', '', { status: 400 });
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) throw new AwsError('InvalidAliasNameException', 'The alias name contains characters that are not allowed', { status: 400 });
  return name;
}

export function tagResource(input: Kms.TagResourceRequest, context: RequestContext): void {
  const key = usableForAdministration(own(input.KeyId, context));
  saveKey(context.state, { ...key, tags: { ...key.tags, ...checkTags(input.Tags) } });
}

export function untagResource(input: Kms.UntagResourceRequest, context: RequestContext): void {
  const key = usableForAdministration(own(input.KeyId, context));
  const removed = new Set(input.TagKeys);
  saveKey(context.state, { ...key, tags: Object.fromEntries(Object.entries(key.tags).filter(([name]) => !removed.has(name))) });
}

export function listResourceTags(input: Kms.ListResourceTagsRequest, context: RequestContext): Kms.ListResourceTagsResponse {
  const key = own(input.KeyId, context);
  const page = paginate(Object.entries(key.tags), { ...input, Limit: input.Limit ?? 50 });
  return { Tags: page.items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...page.rest };
}

function checkTags(tags: readonly { TagKey: string; TagValue: string }[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { TagKey, TagValue } of tags) {
    if (/^aws:/i.test(TagKey)) throw new AwsError('TagException', 'Tags beginning with aws: are reserved', { status: 400 });
    if (TagKey in found) throw new AwsError('TagException', 'Duplicate tag keys', { status: 400 });
    found[TagKey] = TagValue;
  }
  return found;
}

export function createGrant(input: Kms.CreateGrantRequest, context: RequestContext): Kms.CreateGrantResponse {
  const key = resolveKey(input.KeyId, context);
  if (input.GranteePrincipal === undefined) throw invalid('A grant needs a GranteePrincipal');
  const id = randomBytes(32).toString('hex');
  const token = randomBytes(64).toString('base64');
  grants(context.state, key.account, key.region).put([key.id, id], {
    id, keyId: key.id, token, name: input.Name, granteePrincipal: input.GranteePrincipal, retiringPrincipal: input.RetiringPrincipal, operations: input.Operations,
    constraints: input.Constraints as never, issuingAccount: context.account, created: context.now(),
  });
  return { GrantId: id, GrantToken: token };
}

export function listGrants(input: Kms.ListGrantsRequest, context: RequestContext): Kms.ListGrantsResponse {
  const key = resolveKey(input.KeyId, context);
  const all = grants(context.state, key.account, key.region)
    .list(key.id)
    .filter((grant) => (input.GrantId === undefined || grant.id === input.GrantId) && (input.GranteePrincipal === undefined || grant.granteePrincipal === input.GranteePrincipal));
  const page = paginate(all, input);
  return {
    Grants: page.items.map((grant) => ({
      KeyId: keyArn(key), GrantId: grant.id, Name: grant.name, CreationDate: grant.created, GranteePrincipal: grant.granteePrincipal, RetiringPrincipal: grant.retiringPrincipal,
      IssuingAccount: `arn:aws:iam::${grant.issuingAccount}:root`, Operations: grant.operations as never, Constraints: grant.constraints,
    })),
    ...page.rest,
  };
}

export function revokeGrant(input: { KeyId: string; GrantId: string }, context: RequestContext): void {
  const key = resolveKey(input.KeyId, context);
  const all = grants(context.state, key.account, key.region);
  if (!all.get(key.id, input.GrantId)) throw new AwsError('NotFoundException', `Grant ID ${input.GrantId} not found`, { status: 400 });
  all.delete(key.id, input.GrantId);
}

export function retireGrant(input: Kms.RetireGrantRequest, context: RequestContext): void {
  for (const grant of grants(context.state, context.account, context.region).list())
    if ((input.GrantToken !== undefined && grant.token === input.GrantToken) || (input.GrantId !== undefined && grant.id === input.GrantId)) {
      grants(context.state, context.account, context.region).delete(grant.keyId, grant.id);
      return;
    }
  throw new AwsError('NotFoundException', 'Grant not found', { status: 400 });
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message, { status: 400 });
}

function unsupported(message: string): AwsError {
  return new AwsError('UnsupportedOperationException', message, { status: 400 });
}
