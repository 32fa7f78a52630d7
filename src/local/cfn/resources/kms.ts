import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface KeyProperties {
  readonly KeyPolicy?: Json;
  readonly Description?: string;
  readonly Enabled?: boolean;
  readonly EnableKeyRotation?: boolean;
  readonly RotationPeriodInDays?: number;
  readonly KeySpec?: string;
  readonly KeyUsage?: string;
  readonly MultiRegion?: boolean;
  readonly Origin?: string;
  readonly PendingWindowInDays?: number;
  readonly BypassPolicyLockoutSafetyCheck?: boolean;
  readonly Tags?: readonly Tag[];
}

const key: ResourceProvider<KeyProperties> = {
  type: 'AWS::KMS::Key',
  async create(properties, context) {
    const { KeyMetadata } = await context.client.call<{ KeyMetadata: { KeyId: string; Arn: string } }>('kms', 'CreateKey', {
      ...pick(properties, ['Description', 'KeySpec', 'KeyUsage', 'MultiRegion', 'Origin', 'BypassPolicyLockoutSafetyCheck']),
      ...(properties.KeyPolicy === undefined ? {} : { Policy: text(properties.KeyPolicy) }),
      Tags: kmsTags(withoutSystemTags(context.tags(properties.Tags))),
    });
    const { KeyId, Arn } = KeyMetadata;
    context.initiated(KeyId);
    if (properties.EnableKeyRotation) await context.client.call('kms', 'EnableKeyRotation', { KeyId, ...pick(properties, ['RotationPeriodInDays']) });
    if (properties.Enabled === false) await context.client.call('kms', 'DisableKey', { KeyId });
    return { physicalId: KeyId, attributes: { Arn, KeyId } };
  },
  async update(KeyId, before, after, context) {
    const { client } = context;
    if (before.Enabled === false && after.Enabled !== false) await client.call('kms', 'EnableKey', { KeyId });
    if (JSON.stringify(before.KeyPolicy) !== JSON.stringify(after.KeyPolicy) && after.KeyPolicy !== undefined) {
      await client.call('kms', 'PutKeyPolicy', { KeyId, PolicyName: 'default', Policy: text(after.KeyPolicy), ...pick(after, ['BypassPolicyLockoutSafetyCheck']) });
    }
    if (before.Description !== after.Description) await client.call('kms', 'UpdateKeyDescription', { KeyId, Description: after.Description ?? '' });
    if ((before.EnableKeyRotation ?? false) !== (after.EnableKeyRotation ?? false) || before.RotationPeriodInDays !== after.RotationPeriodInDays) {
      await client.call('kms', after.EnableKeyRotation ? 'EnableKeyRotation' : 'DisableKeyRotation', { KeyId, ...(after.EnableKeyRotation ? pick(after, ['RotationPeriodInDays']) : {}) });
    }
    const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before.Tags)), withoutSystemTags(context.tags(after.Tags)));
    if (remove.length > 0) await client.call('kms', 'UntagResource', { KeyId, TagKeys: remove });
    if (add.length > 0) await client.call('kms', 'TagResource', { KeyId, Tags: kmsTags(add) });
    if (before.Enabled !== false && after.Enabled === false) await client.call('kms', 'DisableKey', { KeyId });
  },
  async delete(KeyId, properties, context) {
    // A key is never deleted at once; one that is waiting for it already is as good as gone.
    await ignoring(['NotFoundException', 'KMSInvalidStateException'], context.client.call('kms', 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: properties.PendingWindowInDays ?? 30 }));
  },
  async read(KeyId, context) {
    const answer = await ignoring(['NotFoundException'], context.client.call<{ KeyMetadata: { KeyId: string; Arn: string; Description?: string; Enabled: boolean; KeyState: string; KeyUsage?: string; KeySpec?: string } }>('kms', 'DescribeKey', { KeyId }));
    if (!answer || answer.KeyMetadata.KeyState === 'PendingDeletion') return undefined;
    const { Arn, Description, Enabled, KeyUsage, KeySpec } = answer.KeyMetadata;
    const { Policy } = await context.client.call<{ Policy: string }>('kms', 'GetKeyPolicy', { KeyId, PolicyName: 'default' });
    return { Arn, KeyId, Enabled, KeyPolicy: JSON.parse(Policy) as Json, ...(Description ? { Description } : {}), ...(KeyUsage ? { KeyUsage } : {}), ...(KeySpec ? { KeySpec } : {}) } satisfies JsonObject;
  },
  attributes: async (KeyId, _properties, context) => ({ KeyId, Arn: `arn:aws:kms:${context.region}:${context.account}:key/${KeyId}` }),
};

function kmsTags(tags: readonly Tag[]): { TagKey: string; TagValue: string }[] {
  return tags.map((tag) => ({ TagKey: tag.Key, TagValue: tag.Value }));
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function pick<T extends object>(source: T, names: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(names.filter((name) => source[name] !== undefined).map((name) => [name, source[name]])) as Partial<T>;
}

interface AliasProperties {
  readonly AliasName: string;
  readonly TargetKeyId: string;
}

const alias: ResourceProvider<AliasProperties> = {
  type: 'AWS::KMS::Alias',
  identify: (properties) => properties.AliasName,
  async create({ AliasName, TargetKeyId }, context) {
    await context.client.call('kms', 'CreateAlias', { AliasName, TargetKeyId });
    return { physicalId: AliasName };
  },
  async update(AliasName, _before, after, context) {
    await context.client.call('kms', 'UpdateAlias', { AliasName, TargetKeyId: after.TargetKeyId });
  },
  async delete(AliasName, _properties, context) {
    await ignoring(['NotFoundException'], context.client.call('kms', 'DeleteAlias', { AliasName }));
  },
  async read(AliasName, context) {
    const target = await aliasTarget(AliasName, context);
    return target === undefined ? undefined : { AliasName, TargetKeyId: target };
  },
};

async function aliasTarget(name: string, context: ProviderContext): Promise<string | undefined> {
  let Marker: string | undefined;
  do {
    const page = await context.client.call<{ Aliases: { AliasName: string; TargetKeyId?: string }[]; NextMarker?: string }>('kms', 'ListAliases', Marker === undefined ? {} : { Marker });
    const found = page.Aliases.find((candidate) => candidate.AliasName === name);
    if (found) return found.TargetKeyId ?? '';
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  return undefined;
}

export const kms = [key, alias];
