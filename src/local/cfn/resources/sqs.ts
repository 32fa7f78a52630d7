import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { alreadyExists, ignoring } from './failure.js';
import type { Created, ProviderContext, ResourceProvider } from './provider.js';
import { policyId } from './sns.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface QueueProperties {
  readonly QueueName?: string;
  readonly FifoQueue?: boolean;
  readonly Tags?: readonly Tag[];
  readonly [attribute: string]: unknown;
}

const ATTRIBUTES = [
  'ContentBasedDeduplication', 'DeduplicationScope', 'DelaySeconds', 'FifoThroughputLimit', 'KmsDataKeyReusePeriodSeconds', 'KmsMasterKeyId', 'MaximumMessageSize', 'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds', 'RedriveAllowPolicy', 'RedrivePolicy', 'SqsManagedSseEnabled', 'VisibilityTimeout',
] as const;

/** Attributes a queue has when nobody says otherwise: what an attribute that left the template goes back to. */
const DEFAULTS: Readonly<Record<string, string>> = {
  DelaySeconds: '0', MaximumMessageSize: '1048576', MessageRetentionPeriod: '345600', ReceiveMessageWaitTimeSeconds: '0', VisibilityTimeout: '30', KmsDataKeyReusePeriodSeconds: '300', ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue', FifoThroughputLimit: 'perQueue', SqsManagedSseEnabled: 'true',
};

const GONE = ['AWS.SimpleQueueService.NonExistentQueue', 'QueueDoesNotExist'];

const queueName = (properties: QueueProperties, context: ProviderContext): string =>
  properties.QueueName ?? `${context.name({ limit: properties.FifoQueue ? 75 : 80 })}${properties.FifoQueue ? '.fifo' : ''}`;

const queue: ResourceProvider<QueueProperties> = {
  type: 'AWS::SQS::Queue',
  async create(properties, context) {
    // CreateQueue answers a queue of the same attributes; a stack must not take it over.
    const { QueueName } = properties;
    if (QueueName !== undefined && (await ignoring(GONE, context.client.call('sqs', 'GetQueueUrl', { QueueName })))) throw alreadyExists('AWS::SQS::Queue', QueueName);
    return createQueue(properties, context);
  },
  async update(url, before, after, context) {
    const was = attributesOf(before);
    const is = attributesOf(after);
    const changed: Record<string, string> = {};
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) if (was[name] !== is[name]) changed[name] = is[name] ?? DEFAULTS[name] ?? '';
    if (Object.keys(changed).length > 0) await context.client.call('sqs', 'SetQueueAttributes', { QueueUrl: url, Attributes: changed });
    const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before.Tags)), withoutSystemTags(context.tags(after.Tags)));
    if (remove.length > 0) await context.client.call('sqs', 'UntagQueue', { QueueUrl: url, TagKeys: remove });
    if (add.length > 0) await context.client.call('sqs', 'TagQueue', { QueueUrl: url, Tags: Object.fromEntries(add.map((tag) => [tag.Key, tag.Value])) });
  },
  async delete(url, _properties, context) {
    await ignoring(GONE, context.client.call('sqs', 'DeleteQueue', { QueueUrl: url }));
  },
  async read(url, context) {
    const answer = await ignoring(GONE, context.client.call<{ Attributes?: Record<string, string> }>('sqs', 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['All'] }));
    if (!answer) return undefined;
    const model: JsonObject = { QueueUrl: url, QueueName: url.split('/').pop()!, Arn: answer.Attributes?.['QueueArn'] ?? '' };
    for (const name of [...ATTRIBUTES, 'FifoQueue']) if (answer.Attributes?.[name] !== undefined) model[name] = answer.Attributes[name];
    return model;
  },
  // A queue of the same name and attributes is answered, not refused.
  recover: createQueue,
};

async function createQueue(properties: QueueProperties, context: ProviderContext): Promise<Created> {
  const QueueName = queueName(properties, context);
  const { QueueUrl } = await context.client.call<{ QueueUrl: string }>('sqs', 'CreateQueue', {
    QueueName,
    Attributes: { ...attributesOf(properties), ...(properties.FifoQueue ? { FifoQueue: 'true' } : {}) },
    tags: Object.fromEntries(withoutSystemTags(context.tags(properties.Tags)).map((tag) => [tag.Key, tag.Value])),
  });
  return { physicalId: QueueUrl, attributes: answers(QueueUrl, QueueName, context) };
}

function attributesOf(properties: QueueProperties): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ATTRIBUTES) {
    const value = properties[name] as Json | undefined;
    if (value !== undefined) attributes[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  return attributes;
}

function answers(url: string, name: string, context: ProviderContext): JsonObject {
  return { Arn: `arn:aws:sqs:${context.region}:${context.account}:${name}`, QueueName: name, QueueUrl: url };
}

interface QueuePolicyProperties {
  readonly PolicyDocument: Json;
  readonly Queues: readonly string[];
}

const queuePolicy: ResourceProvider<QueuePolicyProperties> = {
  type: 'AWS::SQS::QueuePolicy',
  async create(properties, context) {
    const physicalId = policyId(context);
    context.initiated(physicalId);
    for (const url of properties.Queues) await setPolicy(url, properties.PolicyDocument, context);
    return { physicalId, attributes: { Id: physicalId } };
  },
  async update(_id, before, after, context) {
    for (const url of before.Queues) if (!after.Queues.includes(url)) await setPolicy(url, '', context);
    for (const url of after.Queues) await setPolicy(url, after.PolicyDocument, context);
  },
  async delete(_id, properties, context) {
    for (const url of properties.Queues) await ignoring(GONE, setPolicy(url, '', context));
  },
  recover: (properties, context) => queuePolicy.create(properties, context),
};

const queueInlinePolicy: ResourceProvider<{ readonly Queue: string; readonly PolicyDocument: Json }> = {
  type: 'AWS::SQS::QueueInlinePolicy',
  identify: (properties) => properties.Queue,
  async create(properties, context) {
    await setPolicy(properties.Queue, properties.PolicyDocument, context);
    return { physicalId: properties.Queue };
  },
  async update(url, _before, after, context) {
    await setPolicy(url, after.PolicyDocument, context);
  },
  async delete(url, _properties, context) {
    await ignoring(GONE, setPolicy(url, '', context));
  },
  recover: (properties, context) => queueInlinePolicy.create(properties, context),
};

function setPolicy(url: string, document: Json, context: ProviderContext): Promise<unknown> {
  return context.client.call('sqs', 'SetQueueAttributes', { QueueUrl: url, Attributes: { Policy: typeof document === 'string' ? document : JSON.stringify(document) } });
}

export const sqs = [queue, queuePolicy, queueInlinePolicy];
