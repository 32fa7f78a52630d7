import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { alreadyExists, ignoring } from './failure.js';
import { randomText } from './names.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface TopicProperties {
  readonly TopicName?: string;
  readonly FifoTopic?: boolean;
  readonly Subscription?: readonly { readonly Endpoint: string; readonly Protocol: string }[];
  readonly DataProtectionPolicy?: Json;
  readonly DeliveryStatusLogging?: readonly Readonly<Record<string, string>>[];
  readonly Tags?: readonly Tag[];
  readonly [attribute: string]: unknown;
}

/** Properties that are attributes of the topic under the same name. */
const ATTRIBUTES = ['DisplayName', 'KmsMasterKeyId', 'ContentBasedDeduplication', 'SignatureVersion', 'TracingConfig', 'ArchivePolicy', 'FifoThroughputScope', 'MaximumMessageSize'] as const;

const topicName = (properties: TopicProperties, context: ProviderContext): string =>
  properties.TopicName ?? `${context.name({ limit: properties.FifoTopic ? 251 : 256 })}${properties.FifoTopic ? '.fifo' : ''}`;

const topicArn = (properties: TopicProperties, context: ProviderContext): string => `arn:aws:sns:${context.region}:${context.account}:${topicName(properties, context)}`;

const topic: ResourceProvider<TopicProperties> = {
  type: 'AWS::SNS::Topic',
  identify: topicArn,
  async create(properties, context) {
    const attributes = topicAttributes(properties);
    // CreateTopic answers a topic that stands; a stack must not take it over.
    if (properties.TopicName !== undefined && (await topic.read!(topicArn(properties, context), context))) throw alreadyExists('AWS::SNS::Topic', properties.TopicName);
    const { TopicArn } = await context.client.call<{ TopicArn: string }>('sns', 'CreateTopic', {
      Name: topicName(properties, context),
      ...(Object.keys(attributes).length > 0 || properties.FifoTopic ? { Attributes: { ...attributes, ...(properties.FifoTopic ? { FifoTopic: 'true' } : {}) } } : {}),
      Tags: withoutSystemTags(context.tags(properties.Tags)),
      ...(properties.DataProtectionPolicy === undefined ? {} : { DataProtectionPolicy: text(properties.DataProtectionPolicy) }),
    });
    context.initiated(TopicArn);
    for (const { Endpoint, Protocol } of properties.Subscription ?? []) await context.client.call('sns', 'Subscribe', { TopicArn, Endpoint, Protocol });
    return { physicalId: TopicArn, attributes: topicAnswers(TopicArn, properties) };
  },
  async update(arn, before, after, context) {
    const was = topicAttributes(before);
    const is = topicAttributes(after);
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      if (was[name] !== is[name]) await context.client.call('sns', 'SetTopicAttributes', { TopicArn: arn, AttributeName: name, AttributeValue: is[name] ?? '' });
    }
    const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before.Tags)), withoutSystemTags(context.tags(after.Tags)));
    if (remove.length > 0) await context.client.call('sns', 'UntagResource', { ResourceArn: arn, TagKeys: remove });
    if (add.length > 0) await context.client.call('sns', 'TagResource', { ResourceArn: arn, Tags: add });
    await keepSubscriptions(arn, before.Subscription ?? [], after.Subscription ?? [], context);
    return { attributes: topicAnswers(arn, after) };
  },
  async delete(arn, _properties, context) {
    await ignoring(['NotFound', 'NotFoundException'], context.client.call('sns', 'DeleteTopic', { TopicArn: arn }));
  },
  async read(arn, context) {
    const answer = await ignoring(['NotFound', 'NotFoundException'], context.client.call<{ Attributes: Record<string, string> }>('sns', 'GetTopicAttributes', { TopicArn: arn }));
    if (!answer) return undefined;
    const model: JsonObject = { TopicArn: arn, TopicName: arn.split(':').pop()! };
    for (const name of [...ATTRIBUTES, 'FifoTopic']) if (answer.Attributes[name] !== undefined) model[name] = answer.Attributes[name];
    return model;
  },
};

/** Subscribes what is new in the list and unsubscribes what left it; what was never confirmed can't be unsubscribed. */
async function keepSubscriptions(TopicArn: string, before: NonNullable<TopicProperties['Subscription']>, after: NonNullable<TopicProperties['Subscription']>, { client }: ProviderContext): Promise<void> {
  const id = ({ Protocol, Endpoint }: { Protocol: string; Endpoint: string }): string => `${Protocol} ${Endpoint}`;
  const was = new Set(before.map(id));
  for (const each of after) if (!was.has(id(each))) await client.call('sns', 'Subscribe', { TopicArn, Endpoint: each.Endpoint, Protocol: each.Protocol });
  const gone = new Set(before.filter((each) => !after.some((other) => id(other) === id(each))).map(id));
  if (gone.size === 0) return;
  const { Subscriptions = [] } = await client.call<{ Subscriptions?: { SubscriptionArn: string; Protocol: string; Endpoint: string }[] }>('sns', 'ListSubscriptionsByTopic', { TopicArn });
  for (const each of Subscriptions) if (gone.has(id(each)) && each.SubscriptionArn.startsWith('arn:')) await client.call('sns', 'Unsubscribe', { SubscriptionArn: each.SubscriptionArn });
}

function topicAttributes(properties: TopicProperties): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ATTRIBUTES) if (properties[name] !== undefined) attributes[name] = text(properties[name] as Json);
  for (const logging of properties.DeliveryStatusLogging ?? []) {
    const protocol = { 'http/s': 'HTTP', sqs: 'SQS', lambda: 'Lambda', firehose: 'Firehose', application: 'Application' }[logging['Protocol']!] ?? logging['Protocol']!;
    for (const member of ['SuccessFeedbackRoleArn', 'SuccessFeedbackSampleRate', 'FailureFeedbackRoleArn']) if (logging[member] !== undefined) attributes[`${protocol}${member}`] = logging[member];
  }
  return attributes;
}

function topicAnswers(arn: string, properties: TopicProperties): JsonObject {
  return { TopicArn: arn, TopicName: arn.split(':').pop()!, DisplayName: String(properties['DisplayName'] ?? '') };
}

function text(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

interface SubscriptionProperties {
  readonly TopicArn: string;
  readonly Protocol: string;
  readonly Endpoint?: string;
  readonly Region?: string;
  readonly [attribute: string]: unknown;
}

const SUBSCRIPTION_ATTRIBUTES = ['RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope', 'DeliveryPolicy', 'RedrivePolicy', 'ReplayPolicy', 'SubscriptionRoleArn'] as const;

const subscription: ResourceProvider<SubscriptionProperties> = {
  type: 'AWS::SNS::Subscription',
  async create(properties, context) {
    const { SubscriptionArn } = await inRegion(properties, context).call<{ SubscriptionArn: string }>('sns', 'Subscribe', {
      TopicArn: properties.TopicArn, Protocol: properties.Protocol, Endpoint: properties.Endpoint, ReturnSubscriptionArn: true, Attributes: subscriptionAttributes(properties),
    });
    return { physicalId: SubscriptionArn, attributes: { Arn: SubscriptionArn } };
  },
  async update(arn, before, after, context) {
    const was = subscriptionAttributes(before);
    const is = subscriptionAttributes(after);
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      if (was[name] !== is[name]) await inRegion(after, context).call('sns', 'SetSubscriptionAttributes', { SubscriptionArn: arn, AttributeName: name, AttributeValue: is[name] ?? (name === 'RawMessageDelivery' ? 'false' : '{}') });
    }
  },
  async delete(arn, properties, context) {
    if (arn.startsWith('arn:')) await ignoring(['NotFound', 'NotFoundException', 'InvalidParameter'], inRegion(properties, context).call('sns', 'Unsubscribe', { SubscriptionArn: arn }));
  },
  // Subscribing twice answers the same subscription.
  recover: (properties, context) => subscription.create(properties, context),
};

function inRegion(properties: SubscriptionProperties, context: ProviderContext): ProviderContext['client'] {
  return properties.Region === undefined ? context.client : context.client.in(properties.Region);
}

function subscriptionAttributes(properties: SubscriptionProperties): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of SUBSCRIPTION_ATTRIBUTES) if (properties[name] !== undefined) attributes[name] = text(properties[name] as Json);
  return attributes;
}

interface TopicPolicyProperties {
  readonly PolicyDocument: Json;
  readonly Topics: readonly string[];
}

const topicPolicy: ResourceProvider<TopicPolicyProperties> = {
  type: 'AWS::SNS::TopicPolicy',
  async create(properties, context) {
    const physicalId = policyId(context);
    context.initiated(physicalId);
    for (const arn of properties.Topics) await setPolicy(arn, properties.PolicyDocument, context);
    return { physicalId, attributes: { Id: physicalId } };
  },
  async update(_id, before, after, context) {
    for (const arn of before.Topics) if (!after.Topics.includes(arn)) await resetPolicy(arn, context);
    for (const arn of after.Topics) await setPolicy(arn, after.PolicyDocument, context);
  },
  async delete(_id, properties, context) {
    for (const arn of properties.Topics) await resetPolicy(arn, context);
  },
  recover: (properties, context) => topicPolicy.create(properties, context),
};

const topicInlinePolicy: ResourceProvider<{ readonly TopicArn: string; readonly PolicyDocument: Json }> = {
  type: 'AWS::SNS::TopicInlinePolicy',
  identify: (properties) => properties.TopicArn,
  async create(properties, context) {
    await setPolicy(properties.TopicArn, properties.PolicyDocument, context);
    return { physicalId: properties.TopicArn };
  },
  async update(arn, _before, after, context) {
    await setPolicy(arn, after.PolicyDocument, context);
  },
  async delete(arn, _properties, context) {
    await resetPolicy(arn, context);
  },
  recover: (properties, context) => topicInlinePolicy.create(properties, context),
};

async function setPolicy(arn: string, document: Json, context: ProviderContext): Promise<void> {
  await context.client.call('sns', 'SetTopicAttributes', { TopicArn: arn, AttributeName: 'Policy', AttributeValue: text(document) });
}

/** A topic is never without a policy: back to the one that SNS gives every topic. */
async function resetPolicy(arn: string, context: ProviderContext): Promise<void> {
  const owner = arn.split(':')[4]!;
  const document = {
    Version: '2008-10-17', Id: '__default_policy_ID',
    Statement: [{
      Sid: '__default_statement_ID', Effect: 'Allow', Principal: { AWS: '*' },
      Action: ['SNS:GetTopicAttributes', 'SNS:SetTopicAttributes', 'SNS:AddPermission', 'SNS:RemovePermission', 'SNS:DeleteTopic', 'SNS:Subscribe', 'SNS:ListSubscriptionsByTopic', 'SNS:Publish'],
      Resource: arn, Condition: { StringEquals: { 'AWS:SourceOwner': owner } },
    }],
  };
  await ignoring(['NotFound', 'NotFoundException'], setPolicy(arn, document, context));
}

/** Resources that are only a connection have an ID made up by CloudFormation. */
export function policyId(context: ProviderContext): string {
  return `${context.stackName}-${context.logicalId}-${randomText(`${context.token}/${context.logicalId}`, 12)}`;
}

export const sns = [topic, subscription, topicPolicy, topicInlinePolicy];
