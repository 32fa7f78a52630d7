import { parseArn } from '../../kernel/arn.js';
import type { Authorization, AuthorizationRule, ConditionContext, RequestContext, Service } from '../../kernel/service.js';
import * as crypto from './crypto.js';
import * as administration from './keys.js';
import { aliasArn, aliases, grants, keyArn, keys, resolveKey, type Key } from './store.js';

/** AWS Key Management Service: keys that exist once, in one account and region, and leave it only as ciphertext. */
export const kms: Service = {
  name: 'kms',
  operations: {
    CreateKey: administration.createKey,
    DescribeKey: administration.describeKey,
    ListKeys: administration.listKeys,
    PutKeyPolicy: administration.putKeyPolicy,
    GetKeyPolicy: administration.getKeyPolicy,
    ListKeyPolicies: (input: { KeyId: string }, context: RequestContext) => {
      resolveKey(input.KeyId, context);
      return { PolicyNames: ['default'], Truncated: false };
    },
    EnableKey: administration.enableKey,
    DisableKey: administration.disableKey,
    UpdateKeyDescription: administration.updateKeyDescription,
    ScheduleKeyDeletion: administration.scheduleKeyDeletion,
    CancelKeyDeletion: administration.cancelKeyDeletion,
    EnableKeyRotation: administration.enableKeyRotation,
    DisableKeyRotation: administration.disableKeyRotation,
    GetKeyRotationStatus: administration.getKeyRotationStatus,
    RotateKeyOnDemand: administration.rotateKeyOnDemand,
    CreateAlias: administration.createAlias,
    UpdateAlias: administration.updateAlias,
    DeleteAlias: administration.deleteAlias,
    ListAliases: administration.listAliases,
    TagResource: administration.tagResource,
    UntagResource: administration.untagResource,
    ListResourceTags: administration.listResourceTags,
    CreateGrant: administration.createGrant,
    ListGrants: administration.listGrants,
    RevokeGrant: administration.revokeGrant,
    RetireGrant: administration.retireGrant,
    Encrypt: crypto.encrypt,
    Decrypt: crypto.decrypt,
    ReEncrypt: crypto.reEncrypt,
    GenerateDataKey: crypto.generateDataKey,
    GenerateDataKeyWithoutPlaintext: crypto.generateDataKeyWithoutPlaintext,
    GenerateDataKeyPair: crypto.generateDataKeyPair,
    GenerateRandom: crypto.generateRandom,
    GetPublicKey: crypto.getPublicKey,
    Sign: crypto.sign,
    Verify: crypto.verify,
    GenerateMac: crypto.generateMac,
    VerifyMac: crypto.verifyMac,
    DeriveSharedSecret: crypto.deriveSharedSecret,
  },
  authorization: {
    CreateKey: { context: (input: { KeySpec?: string; KeyUsage?: string; Origin?: string; MultiRegion?: boolean }, context) => ({ 'kms:CallerAccount': context.account, 'kms:KeySpec': input.KeySpec ?? 'SYMMETRIC_DEFAULT', 'kms:KeyUsage': input.KeyUsage ?? 'ENCRYPT_DECRYPT', 'kms:KeyOrigin': input.Origin ?? 'AWS_KMS', 'kms:MultiRegion': input.MultiRegion ?? false }) },
    ListKeys: {},
    ListAliases: {},
    GenerateRandom: {},
    CreateAlias: [aliasRule(), onKey((input) => input['TargetKeyId'])],
    UpdateAlias: [aliasRule(), onKey((input) => input['TargetKeyId'])],
    DeleteAlias: [
      aliasRule(),
      onKey((input, context) => aliases(context.state, context.account, context.region).get(String(input['AliasName']))?.keyId, (input, context) => aliases(context.state, context.account, context.region).get(String(input['AliasName'])) !== undefined),
    ],
    Decrypt: onCiphertext('KeyId', 'EncryptionAlgorithm', 'EncryptionContext'),
    ReEncrypt: [
      { ...onCiphertext('SourceKeyId', 'SourceEncryptionAlgorithm', 'SourceEncryptionContext'), action: 'kms:ReEncryptFrom' },
      { ...onKey((input) => input['DestinationKeyId'], undefined, 'DestinationEncryptionContext'), action: 'kms:ReEncryptTo' },
    ],
    RetireGrant: 'none',
    ...Object.fromEntries(
      [
        'DescribeKey', 'PutKeyPolicy', 'GetKeyPolicy', 'ListKeyPolicies', 'EnableKey', 'DisableKey', 'UpdateKeyDescription', 'ScheduleKeyDeletion', 'CancelKeyDeletion', 'EnableKeyRotation',
        'DisableKeyRotation', 'GetKeyRotationStatus', 'RotateKeyOnDemand', 'TagResource', 'UntagResource', 'ListResourceTags', 'CreateGrant', 'ListGrants', 'RevokeGrant', 'Encrypt',
        'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'GenerateDataKeyPair', 'GetPublicKey', 'Sign', 'Verify', 'GenerateMac', 'VerifyMac', 'DeriveSharedSecret',
      ].map((operation): [string, Authorization] => [operation, onKey((input) => input['KeyId'])]),
    ),
  },
  resourcePolicy: (arn, context) => {
    const key = keyByArn(arn, context);
    return key && { document: key.policy, kind: 'kms' };
  },
  grants: (arn, context) => {
    const key = keyByArn(arn, context);
    if (!key) return [];
    return grants(context.state, key.account, key.region)
      .list(key.id)
      .map((grant) => ({ granteePrincipal: grant.granteePrincipal, operations: grant.operations, encryptionContextEquals: grant.constraints?.EncryptionContextEquals, encryptionContextSubset: grant.constraints?.EncryptionContextSubset }));
  },
  resourceTags: (arn, context) => keyByArn(arn, context)?.tags,
};

type Input = Record<string, unknown>;

/** The rule of an operation on one key; an ID that means no key is NotFound before anybody is asked. */
function onKey(keyId: (input: Input, context: RequestContext) => unknown, when?: AuthorizationRule['when'], contextMember = 'EncryptionContext'): AuthorizationRule<Input> {
  return {
    resource: (input, context) => {
      const given = keyId(input, context);
      return typeof given === 'string' ? keyArn(resolveKey(given, context)) : '*';
    },
    context: (input, context) => {
      const given = keyId(input, context);
      return typeof given === 'string' ? keyConditions(resolveKey(given, context), given, input, contextMember, context) : {};
    },
    ...(when ? { when } : {}),
  };
}

function onCiphertext(keyMember: string, algorithmMember: string, contextMember: string): AuthorizationRule<Input> {
  const key = (input: Input, context: RequestContext): Key => crypto.keyForDecrypt(input['CiphertextBlob'] as Uint8Array | undefined, input[keyMember] as string | undefined, input[algorithmMember] as string | undefined, context);
  return {
    resource: (input, context) => keyArn(key(input, context)),
    context: (input, context) => keyConditions(key(input, context), input[keyMember] as string | undefined, input, contextMember, context),
  };
}

/** KMS developer guide, "Condition keys for AWS KMS". */
function keyConditions(key: Key, given: string | undefined, input: Input, contextMember: string, context: RequestContext): ConditionContext {
  const encryptionContext = (input[contextMember] as Record<string, string> | undefined) ?? {};
  const names = Object.keys(encryptionContext);
  const alias = given === undefined ? undefined : (parseArn(given)?.resource ?? given);
  return {
    'kms:CallerAccount': context.account,
    'kms:KeySpec': key.spec,
    'kms:KeyUsage': key.usage,
    'kms:KeyOrigin': key.origin,
    'kms:MultiRegion': key.multiRegion,
    'kms:RequestAlias': alias?.startsWith('alias/') ? alias : undefined,
    'kms:ResourceAliases': aliases(context.state, key.account, key.region).list().filter((entry) => entry.keyId === key.id).map((entry) => entry.name),
    'kms:EncryptionAlgorithm': (input['EncryptionAlgorithm'] as string | undefined) ?? (key.spec === 'SYMMETRIC_DEFAULT' ? 'SYMMETRIC_DEFAULT' : undefined),
    'kms:SigningAlgorithm': input['SigningAlgorithm'] as string | undefined,
    'kms:ScheduleKeyDeletionPendingWindowInDays': input['PendingWindowInDays'] as number | undefined,
    'kms:GrantOperations': context.operation === 'CreateGrant' ? (input['Operations'] as string[]) : undefined,
    'kms:GranteePrincipal': input['GranteePrincipal'] as string | undefined,
    'kms:GrantIsForAWSResource': context.operation === 'CreateGrant' ? context.principal.kind === 'service' : undefined,
    ...Object.fromEntries(names.map((name) => [`kms:EncryptionContext:${name}`, encryptionContext[name]])),
    ...(names.length > 0 ? { 'kms:EncryptionContextKeys': names } : {}),
  };
}

function aliasRule(): AuthorizationRule<{ AliasName: string }> {
  return { resource: (input, context) => aliasArn({ name: input.AliasName }, context.account, context.region) };
}

function keyByArn(arn: string, context: RequestContext): Key | undefined {
  const parts = parseArn(arn);
  return parts?.resource.startsWith('key/') ? keys(context.state, parts.account, parts.region).get(parts.resource.slice(4)) : undefined;
}
