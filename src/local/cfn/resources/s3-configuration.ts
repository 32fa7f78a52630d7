import { isObject, type Json, type JsonObject } from '../json.js';
import { ignoring } from './failure.js';
import type { ProviderContext } from './provider.js';

/** One configuration of a bucket: a property of the resource type, and how it is put, removed and read. In the order of creation. */
export interface BucketConfiguration {
  readonly property: string;
  put(bucket: string, value: Json, context: ProviderContext): Promise<void>;
  remove(bucket: string, value: Json, context: ProviderContext): Promise<void>;
  read?(bucket: string, context: ProviderContext): Promise<Json | undefined>;
}

export const bucketConfigurations: readonly BucketConfiguration[] = [
  {
    property: 'VersioningConfiguration',
    put: call('PutBucketVersioning', (value) => ({ VersioningConfiguration: value })),
    remove: call('PutBucketVersioning', () => ({ VersioningConfiguration: { Status: 'Suspended' } })),
    async read(Bucket, context) {
      const { Status } = await context.client.call<{ Status?: string }>('s3', 'GetBucketVersioning', { Bucket });
      return Status === undefined ? undefined : { Status };
    },
  },
  {
    property: 'PublicAccessBlockConfiguration',
    put: call('PutPublicAccessBlock', (value) => ({ PublicAccessBlockConfiguration: value })),
    remove: call('DeletePublicAccessBlock'),
    read: reader('GetPublicAccessBlock', ['NoSuchPublicAccessBlockConfiguration'], (answer) => answer['PublicAccessBlockConfiguration']),
  },
  { property: 'OwnershipControls', put: call('PutBucketOwnershipControls', (value) => ({ OwnershipControls: value })), remove: call('DeleteBucketOwnershipControls') },
  {
    property: 'BucketEncryption',
    put: call('PutBucketEncryption', (value) => ({
      ServerSideEncryptionConfiguration: {
        Rules: list(member(value, 'ServerSideEncryptionConfiguration')).map((rule) => ({
          ...(member(rule, 'ServerSideEncryptionByDefault') === undefined ? {} : { ApplyServerSideEncryptionByDefault: member(rule, 'ServerSideEncryptionByDefault') }),
          ...(member(rule, 'BucketKeyEnabled') === undefined ? {} : { BucketKeyEnabled: member(rule, 'BucketKeyEnabled') }),
        })),
      },
    })),
    remove: call('DeleteBucketEncryption'),
  },
  { property: 'LifecycleConfiguration', put: call('PutBucketLifecycleConfiguration', (value) => ({ LifecycleConfiguration: { Rules: list(member(value, 'Rules')).map(lifecycleRule) } })), remove: call('DeleteBucketLifecycle') },
  {
    property: 'CorsConfiguration',
    put: call('PutBucketCors', (value) => ({
      CORSConfiguration: { CORSRules: list(member(value, 'CorsRules')).map((rule) => rename(rule as JsonObject, { ExposedHeaders: 'ExposeHeaders', Id: 'ID', MaxAge: 'MaxAgeSeconds' })) },
    })),
    remove: call('DeleteBucketCors'),
  },
  {
    property: 'WebsiteConfiguration',
    put: call('PutBucketWebsite', (value) => {
      const { IndexDocument, ErrorDocument, RedirectAllRequestsTo, RoutingRules } = value as Record<string, Json>;
      return {
        WebsiteConfiguration: {
          ...(IndexDocument === undefined ? {} : { IndexDocument: { Suffix: IndexDocument } }),
          ...(ErrorDocument === undefined ? {} : { ErrorDocument: { Key: ErrorDocument } }),
          ...(RedirectAllRequestsTo === undefined ? {} : { RedirectAllRequestsTo }),
          ...(RoutingRules === undefined ? {} : { RoutingRules: list(RoutingRules).map((rule) => ({ Redirect: member(rule, 'RedirectRule'), ...(member(rule, 'RoutingRuleCondition') === undefined ? {} : { Condition: member(rule, 'RoutingRuleCondition') }) })) }),
        },
      };
    }),
    remove: call('DeleteBucketWebsite'),
  },
  {
    property: 'ObjectLockConfiguration',
    put: call('PutObjectLockConfiguration', (value) => ({ ObjectLockConfiguration: value })),
    remove: call('PutObjectLockConfiguration', () => ({ ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } })),
  },
  {
    property: 'LoggingConfiguration',
    put: call('PutBucketLogging', (value) => {
      const { DestinationBucketName, LogFilePrefix, TargetObjectKeyFormat } = value as Record<string, Json>;
      return { BucketLoggingStatus: { LoggingEnabled: { ...(DestinationBucketName === undefined ? {} : { TargetBucket: DestinationBucketName }), TargetPrefix: LogFilePrefix ?? '', ...(TargetObjectKeyFormat === undefined ? {} : { TargetObjectKeyFormat }) } } };
    }),
    remove: call('PutBucketLogging', () => ({ BucketLoggingStatus: {} })),
  },
  { property: 'AccelerateConfiguration', put: call('PutBucketAccelerateConfiguration', (value) => ({ AccelerateConfiguration: { Status: member(value, 'AccelerationStatus') } })), remove: call('PutBucketAccelerateConfiguration', () => ({ AccelerateConfiguration: { Status: 'Suspended' } })) },
  { property: 'NotificationConfiguration', put: call('PutBucketNotificationConfiguration', (value) => ({ NotificationConfiguration: notifications(value as JsonObject) })), remove: call('PutBucketNotificationConfiguration', () => ({ NotificationConfiguration: {} })) },
  { property: 'ReplicationConfiguration', put: call('PutBucketReplication', (value) => ({ ReplicationConfiguration: replication(value as JsonObject) })), remove: call('DeleteBucketReplication') },
  several('MetricsConfigurations', 'Metrics', (item) => ({ Id: item['Id']!, ...filter(item) })),
  several('AnalyticsConfigurations', 'Analytics', (item) => ({ ...without(item, ['Prefix', 'TagFilters']), ...filter(item) })),
  several('InventoryConfigurations', 'Inventory', (item) => ({
    Id: item['Id']!, IsEnabled: item['Enabled']!, IncludedObjectVersions: item['IncludedObjectVersions']!, Schedule: { Frequency: item['ScheduleFrequency']! },
    ...(item['OptionalFields'] === undefined ? {} : { OptionalFields: item['OptionalFields'] }),
    ...(item['Prefix'] === undefined ? {} : { Filter: { Prefix: item['Prefix'] } }),
    Destination: { S3BucketDestination: rename(item['Destination'] as JsonObject, { BucketArn: 'Bucket', BucketAccountId: 'AccountId' }) },
  })),
  several('IntelligentTieringConfigurations', 'IntelligentTiering', (item) => ({ ...without(item, ['Prefix', 'TagFilters']), ...filter(item) })),
];

function call(operation: string, input: (value: Json) => object = () => ({})): (bucket: string, value: Json, context: ProviderContext) => Promise<void> {
  return async (Bucket, value, context) => {
    await context.client.call('s3', operation, { Bucket, ...input(value) });
  };
}

function reader(operation: string, absent: readonly string[], pick: (answer: Record<string, Json>) => Json | undefined): BucketConfiguration['read'] {
  return async (Bucket, context) => {
    const answer = await ignoring(absent, context.client.call<Record<string, Json>>('s3', operation, { Bucket }));
    return answer && pick(answer);
  };
}

/** Configurations of which there may be several, each under its ID. */
function several(property: string, name: string, shape: (item: JsonObject) => JsonObject): BucketConfiguration {
  const remove = async (Bucket: string, items: Json, context: ProviderContext): Promise<void> => {
    for (const item of list(items)) await ignoring(['NoSuchConfiguration'], context.client.call('s3', `DeleteBucket${name}Configuration`, { Bucket, Id: member(item, 'Id') }));
  };
  return {
    property,
    remove,
    put: async (Bucket, items, context) => {
      for (const item of list(items)) await context.client.call('s3', `PutBucket${name}Configuration`, { Bucket, Id: member(item, 'Id'), [`${name}Configuration`]: shape(item as JsonObject) });
    },
  };
}

function filter(item: JsonObject): JsonObject {
  const tags = list(item['TagFilters']);
  const prefix = item['Prefix'];
  if (prefix === undefined && tags.length === 0) return {};
  if (tags.length === 0) return { Filter: { Prefix: prefix! } };
  return tags.length === 1 && prefix === undefined ? { Filter: { Tag: tags[0]! } } : { Filter: { And: { ...(prefix === undefined ? {} : { Prefix: prefix }), Tags: tags } } };
}

function lifecycleRule(given: Json): JsonObject {
  const rule = given as JsonObject;
  const transitions = [...list(rule['Transitions']), ...(rule['Transition'] === undefined ? [] : [rule['Transition']])].map((item) => rename(item as JsonObject, { TransitionInDays: 'Days', TransitionDate: 'Date' })).map(dated);
  const noncurrent = [...list(rule['NoncurrentVersionTransitions']), ...(rule['NoncurrentVersionTransition'] === undefined ? [] : [rule['NoncurrentVersionTransition']])].map((item) => rename(item as JsonObject, { TransitionInDays: 'NoncurrentDays' }));
  const expiration: JsonObject = {
    ...(rule['ExpirationInDays'] === undefined ? {} : { Days: rule['ExpirationInDays'] }),
    ...(rule['ExpirationDate'] === undefined ? {} : { Date: rule['ExpirationDate'] }),
    ...(rule['ExpiredObjectDeleteMarker'] === undefined ? {} : { ExpiredObjectDeleteMarker: rule['ExpiredObjectDeleteMarker'] }),
  };
  const noncurrentExpiration = rule['NoncurrentVersionExpiration'] ?? (rule['NoncurrentVersionExpirationInDays'] === undefined ? undefined : { NoncurrentDays: rule['NoncurrentVersionExpirationInDays'] });
  return {
    ...(rule['Id'] === undefined ? {} : { ID: rule['Id'] }),
    Status: rule['Status']!,
    Filter: lifecycleFilter(rule),
    ...(Object.keys(expiration).length === 0 ? {} : { Expiration: dated(expiration) }),
    ...(transitions.length === 0 ? {} : { Transitions: transitions }),
    ...(noncurrent.length === 0 ? {} : { NoncurrentVersionTransitions: noncurrent }),
    ...(noncurrentExpiration === undefined ? {} : { NoncurrentVersionExpiration: noncurrentExpiration }),
    ...(rule['AbortIncompleteMultipartUpload'] === undefined ? {} : { AbortIncompleteMultipartUpload: rule['AbortIncompleteMultipartUpload'] }),
  };
}

function lifecycleFilter(rule: JsonObject): JsonObject {
  const parts: JsonObject = {
    ...(rule['Prefix'] === undefined ? {} : { Prefix: rule['Prefix'] }),
    ...(rule['ObjectSizeGreaterThan'] === undefined ? {} : { ObjectSizeGreaterThan: Number(rule['ObjectSizeGreaterThan']) }),
    ...(rule['ObjectSizeLessThan'] === undefined ? {} : { ObjectSizeLessThan: Number(rule['ObjectSizeLessThan']) }),
  };
  const tags = list(rule['TagFilters']);
  if (tags.length === 0 && Object.keys(parts).length <= 1) return Object.keys(parts).length === 0 ? { Prefix: '' } : parts;
  if (tags.length === 1 && Object.keys(parts).length === 0) return { Tag: tags[0]! };
  return { And: { ...parts, ...(tags.length === 0 ? {} : { Tags: tags }) } };
}

/** Timestamps are dates to the API. */
function dated(value: JsonObject): JsonObject {
  return value['Date'] === undefined ? value : { ...value, Date: new Date(String(value['Date'])) as unknown as Json };
}

function notifications(value: JsonObject): JsonObject {
  const configurations = (name: string, target: string, own: string): Json[] =>
    list(value[name]).map((item) => {
      const rules = list(member(member(item, 'Filter') ?? {}, 'S3Key') === undefined ? [] : member(member(member(item, 'Filter')!, 'S3Key')!, 'Rules'));
      return { [target]: member(item, own)!, Events: [member(item, 'Event')!], ...(rules.length === 0 ? {} : { Filter: { Key: { FilterRules: rules } } }) };
    });
  const eventBridge = member(value['EventBridgeConfiguration'] ?? {}, 'EventBridgeEnabled');
  const shapes = {
    QueueConfigurations: configurations('QueueConfigurations', 'QueueArn', 'Queue'),
    TopicConfigurations: configurations('TopicConfigurations', 'TopicArn', 'Topic'),
    LambdaFunctionConfigurations: configurations('LambdaConfigurations', 'LambdaFunctionArn', 'Function'),
  };
  return { ...Object.fromEntries(Object.entries(shapes).filter(([, items]) => items.length > 0)), ...(eventBridge === true || eventBridge === 'true' ? { EventBridgeConfiguration: {} } : {}) };
}

function replication(value: JsonObject): JsonObject {
  return { ...value, Rules: list(value['Rules']).map((given) => {
    const rule = rename(given as JsonObject, { Id: 'ID' });
    const inner = rule['Filter'];
    if (!isObject(inner ?? null)) return rule;
    const { TagFilter, And, ...rest } = inner as JsonObject;
    return { ...rule, Filter: { ...rest, ...(TagFilter === undefined ? {} : { Tag: TagFilter }), ...(And === undefined ? {} : { And: rename(And as JsonObject, { TagFilters: 'Tags' }) }) } };
  }) };
}

function rename(value: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [names[key] ?? key, item]));
}

function without(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !names.includes(key)));
}

function member(value: Json, name: string): Json | undefined {
  return isObject(value) ? value[name] : undefined;
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}
