import { isAwsError } from '../../kernel/error.js';
import type { Json } from '../json.js';
import type { Tag } from '../store/records.js';
import { alreadyExists, ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface LogGroupProperties {
  readonly LogGroupName?: string;
  readonly RetentionInDays?: number;
  readonly KmsKeyId?: string;
  readonly LogGroupClass?: string;
  readonly DataProtectionPolicy?: Json;
  readonly Tags?: readonly Tag[];
}

const nameOf = (properties: LogGroupProperties, context: ProviderContext): string => properties.LogGroupName ?? context.name({ limit: 512 });

const logGroup: ResourceProvider<LogGroupProperties> = {
  type: 'AWS::Logs::LogGroup',
  identify: nameOf,
  async create(properties, context) {
    const name = nameOf(properties, context);
    const tags = Object.fromEntries(withoutSystemTags(context.tags(properties.Tags)).map((tag) => [tag.Key, tag.Value]));
    try {
      await context.client.call('logs', 'CreateLogGroup', {
        logGroupName: name, ...(properties.KmsKeyId ? { kmsKeyId: properties.KmsKeyId } : {}), ...(properties.LogGroupClass ? { logGroupClass: properties.LogGroupClass } : {}),
        ...(Object.keys(tags).length > 0 ? { tags } : {}),
      });
    } catch (error) {
      // The handler's own words (as users report them), not the service's.
      throw isAwsError(error) && error.code === 'ResourceAlreadyExistsException' ? alreadyExists('AWS::Logs::LogGroup', JSON.stringify({ '/properties/LogGroupName': name })) : error;
    }
    context.initiated(name);
    if (properties.RetentionInDays !== undefined) await context.client.call('logs', 'PutRetentionPolicy', { logGroupName: name, retentionInDays: properties.RetentionInDays });
    if (properties.DataProtectionPolicy !== undefined) await context.client.call('logs', 'PutDataProtectionPolicy', { logGroupIdentifier: name, policyDocument: JSON.stringify(properties.DataProtectionPolicy) });
    return { physicalId: name, attributes: { Arn: arnOf(name, context) } };
  },
  async update(name, before, after, context) {
    if (before.RetentionInDays !== after.RetentionInDays) {
      if (after.RetentionInDays === undefined) await context.client.call('logs', 'DeleteRetentionPolicy', { logGroupName: name });
      else await context.client.call('logs', 'PutRetentionPolicy', { logGroupName: name, retentionInDays: after.RetentionInDays });
    }
    if (before.KmsKeyId !== after.KmsKeyId) {
      await context.client.call('logs', after.KmsKeyId ? 'AssociateKmsKey' : 'DisassociateKmsKey', { logGroupName: name, ...(after.KmsKeyId ? { kmsKeyId: after.KmsKeyId } : {}) });
    }
    const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before.Tags)), withoutSystemTags(context.tags(after.Tags)));
    const resourceArn = arnOf(name, context).slice(0, -2);
    if (remove.length > 0) await context.client.call('logs', 'UntagResource', { resourceArn, tagKeys: remove });
    if (add.length > 0) await context.client.call('logs', 'TagResource', { resourceArn, tags: Object.fromEntries(add.map((tag) => [tag.Key, tag.Value])) });
  },
  async delete(name, _properties, context) {
    await ignoring(['ResourceNotFoundException'], context.client.call('logs', 'DeleteLogGroup', { logGroupName: name }));
  },
  async read(name, context) {
    const { logGroups = [] } = await context.client.call<{ logGroups?: { logGroupName: string; retentionInDays?: number; kmsKeyId?: string; arn: string }[] }>('logs', 'DescribeLogGroups', { logGroupNamePrefix: name });
    const group = logGroups.find((candidate) => candidate.logGroupName === name);
    if (!group) return undefined;
    return { LogGroupName: name, Arn: group.arn, ...(group.retentionInDays === undefined ? {} : { RetentionInDays: group.retentionInDays }), ...(group.kmsKeyId === undefined ? {} : { KmsKeyId: group.kmsKeyId }) };
  },
};

function arnOf(name: string, context: ProviderContext): string {
  return `arn:aws:logs:${context.region}:${context.account}:log-group:${name}:*`;
}

export const logs = [logGroup];
