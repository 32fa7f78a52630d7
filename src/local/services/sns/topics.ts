import type { RequestContext } from '../../kernel/service.js';
import { AwsError } from '../../kernel/error.js';
import type * as Sns from '../../models/types/sns.js';
import { parseJson } from './json-text.js';
import { bindPolicy, defaultPolicy } from './permissions.js';
import { DEFAULT_MESSAGE_SIZE, findTopic, invalid, LARGE_MESSAGES, page, parseTopicArn, removeSubscription, saveTopic, subscriptions, topicArn, topicOf, topics, unsupported, type Topic } from './store.js';

/** What a topic may have set (SNS API reference, SetTopicAttributes); `Policy` is kept apart. */
const SETTABLE: ReadonlySet<string> = new Set([
  'DisplayName', 'DeliveryPolicy', 'KmsMasterKeyId', 'SignatureVersion', 'TracingConfig', 'ContentBasedDeduplication', 'FifoThroughputScope', 'MaximumMessageSize', 'Policy',
  // Where delivery logs would go; the local cloud writes failed deliveries to its own log.
  ...['HTTP', 'Firehose', 'Lambda', 'Application', 'SQS'].flatMap((protocol) => [`${protocol}SuccessFeedbackRoleArn`, `${protocol}SuccessFeedbackSampleRate`, `${protocol}FailureFeedbackRoleArn`]),
]);

export function createTopic(input: Sns.CreateTopicInput, context: RequestContext): Sns.CreateTopicResponse {
  if (input.DataProtectionPolicy !== undefined && input.DataProtectionPolicy !== '') throw unsupported('the data protection policies');
  const given = input.Attributes ?? {};
  const fifo = checkName(input.Name, given);
  const name = { account: context.account, region: context.region, name: input.Name };
  const tags = tagRecord(input.Tags ?? []);
  const all = topics(context.state, context.account, context.region);
  const before = all.get(input.Name);
  if (before) {
    checkSame(before, given, input.Tags === undefined ? undefined : tags, context);
    return { TopicArn: topicArn(before) };
  }
  let topic: Topic = { ...name, created: context.now(), attributes: {}, policy: defaultPolicy(topicArn(name), context.account), tags, fifo, deleted: 0 };
  if (fifo) topic = { ...topic, attributes: { FifoTopic: 'true', ContentBasedDeduplication: 'false' } };
  for (const [attribute, value] of Object.entries(given)) {
    if (attribute === 'FifoTopic') continue;
    topic = withAttribute(topic, attribute, value, (reason) => `Attributes Reason: ${reason}`, context);
  }
  saveTopic(context.state, topic);
  return { TopicArn: topicArn(topic) };
}

function checkName(name: string, attributes: Readonly<Record<string, string>>): boolean {
  const fifo = attributes['FifoTopic'] === 'true';
  if (attributes['FifoTopic'] !== undefined && !/^(true|false)$/.test(attributes['FifoTopic'])) throw invalid('Attributes Reason: FifoTopic: Invalid value. Must be true or false.');
  if (fifo && !/^[A-Za-z0-9_-]{1,251}\.fifo$/.test(name))
    throw invalid('Topic Name Reason: Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.');
  if (!fifo && !/^[A-Za-z0-9_-]{1,256}$/.test(name)) throw invalid('Topic Name');
  return fifo;
}

/** CreateTopic answers an existing topic's ARN, unless it is asked for another than that (API reference, CreateTopic). */
function checkSame(before: Topic, given: Readonly<Record<string, string>>, tags: Record<string, string> | undefined, context: RequestContext): void {
  const shown = attributesOf(before, context);
  const differs = Object.entries(given).some(([name, value]) => name !== 'Policy' && (shown[name] ?? (name === 'FifoTopic' ? 'false' : '')) !== value);
  if (differs) throw invalid('Attributes Reason: Topic already exists with different attributes');
  if (tags && JSON.stringify(sorted(tags)) !== JSON.stringify(sorted(before.tags))) throw invalid('Tags Reason: Topic already exists with different tags');
}

const sorted = (tags: Readonly<Record<string, string>>): [string, string][] => Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));

export function deleteTopic(input: Sns.DeleteTopicInput, context: RequestContext): void {
  const topic = findTopic(input.TopicArn, context);
  if (!topic) return;
  context.state.transaction(() => {
    for (const subscription of subscriptions(context.state, topic.account, topic.region).list(topic.name)) removeSubscription(context.state, subscription);
    topics(context.state, topic.account, topic.region).delete(topic.name);
  });
}

export function listTopics(input: Sns.ListTopicsInput, context: RequestContext): Sns.ListTopicsResponse {
  const { items, ...rest } = page(topics(context.state, context.account, context.region).list(), (topic) => topic.name, input.NextToken);
  return { Topics: items.map((topic) => ({ TopicArn: topicArn(topic) })), ...rest };
}

export function getTopicAttributes(input: Sns.GetTopicAttributesInput, context: RequestContext): Sns.GetTopicAttributesResponse {
  return { Attributes: attributesOf(topicOf(input.TopicArn, context), context) };
}

/** Subscriptions are counted some time after they were made (recorded: cfn-sns-sns-topic-update-attributes, cfn-lambda-cfn-lambda-permissions). */
const COUNT_LAG_MS = 60_000;

function attributesOf(topic: Topic, context: RequestContext): Record<string, string> {
  const counted = subscriptions(context.state, topic.account, topic.region).list(topic.name).filter((subscription) => context.now().getTime() - subscription.created.getTime() > COUNT_LAG_MS);
  const confirmed = counted.filter((subscription) => subscription.confirmed).length;
  return {
    Policy: context.runtime.principals.show(topic.policy),
    Owner: topic.account,
    TopicArn: topicArn(topic),
    DisplayName: '',
    SubscriptionsPending: String(counted.length - confirmed),
    SubscriptionsConfirmed: String(confirmed),
    SubscriptionsDeleted: String(topic.deleted),
    EffectiveDeliveryPolicy: effectiveDeliveryPolicy(topic.attributes['DeliveryPolicy']),
    ...topic.attributes,
  };
}

const DEFAULT_RETRY = { minDelayTarget: 20, maxDelayTarget: 20, numRetries: 3, numMaxDelayRetries: 0, numNoDelayRetries: 0, numMinDelayRetries: 0, backoffFunction: 'linear' };

/** What is in force where the topic sets nothing (recorded). */
function effectiveDeliveryPolicy(set: string | undefined): string {
  const http = (JSON.parse(set ?? '{}') as { http?: Record<string, unknown> }).http ?? {};
  return JSON.stringify({
    http: {
      defaultHealthyRetryPolicy: { ...DEFAULT_RETRY, ...(http['defaultHealthyRetryPolicy'] as object | undefined) },
      disableSubscriptionOverrides: http['disableSubscriptionOverrides'] ?? false,
      ...(http['defaultThrottlePolicy'] ? { defaultThrottlePolicy: http['defaultThrottlePolicy'] } : {}),
      defaultRequestPolicy: { headerContentType: 'text/plain; charset=UTF-8', ...(http['defaultRequestPolicy'] as object | undefined) },
    },
  });
}

export function setTopicAttributes(input: Sns.SetTopicAttributesInput, context: RequestContext): void {
  const topic = topicOf(input.TopicArn, context);
  if (!SETTABLE.has(input.AttributeName) && !REFUSED.has(input.AttributeName)) throw invalid('AttributeName');
  if (input.AttributeName === 'MaximumMessageSize' && Number(input.AttributeValue) > DEFAULT_MESSAGE_SIZE) {
    const present = subscriptions(context.state, topic.account, topic.region).list(topic.name);
    if (present.length > LARGE_MESSAGES.subscriptions || present.some(({ protocol }) => !LARGE_MESSAGES.protocols.has(protocol))) throw invalid('MaximumMessageSize');
  }
  saveTopic(context.state, withAttribute(topic, input.AttributeName, input.AttributeValue ?? '', (reason) => reason, context));
}

const REFUSED: ReadonlySet<string> = new Set(['ArchivePolicy', 'DataProtectionPolicy']);

function withAttribute(topic: Topic, name: string, value: string, reason: (text: string) => string, context: RequestContext): Topic {
  if (REFUSED.has(name)) throw unsupported(`the topic attribute ${name}`);
  if (!SETTABLE.has(name)) throw invalid(reason(`Unknown attribute ${name}`));
  if (name === 'Policy') return { ...topic, policy: bindPolicy(value, topicArn(topic), context) };
  const problem = attributeProblem(topic, name, value);
  if (problem !== undefined) throw invalid(reason(problem));
  const { [name]: _, ...others } = topic.attributes;
  // An empty value takes a key, a delivery policy or a role away again.
  return { ...topic, attributes: value === '' && name !== 'DisplayName' ? others : { ...others, [name]: value } };
}

function attributeProblem(topic: Topic, name: string, value: string): string | undefined {
  switch (name) {
    case 'DisplayName':
      return value.length > 100 || /[\n\r]/.test(value) ? 'DisplayName' : undefined;
    case 'SignatureVersion':
      return value === '' || /^[12]$/.test(value) ? undefined : `SignatureVersion: Invalid value [${value}]. Must be 1 or 2.`;
    case 'TracingConfig':
      return /^(Active|PassThrough|)$/.test(value) ? undefined : `TracingConfig: Invalid value [${value}]. Must be Active or PassThrough.`;
    case 'ContentBasedDeduplication':
      if (!topic.fifo) return 'ContentBasedDeduplication is not valid for this topic type';
      return /^(true|false)$/.test(value) ? undefined : `ContentBasedDeduplication: Invalid value [${value}]. Must be true or false.`;
    case 'FifoThroughputScope':
      return topic.fifo && /^(Topic|MessageGroup)$/.test(value) ? undefined : 'FifoThroughputScope';
    case 'MaximumMessageSize':
      return value === '' || (/^\d+$/.test(value) && Number(value) >= 1024 && Number(value) <= 1_048_576) ? undefined : 'MaximumMessageSize';
    case 'DeliveryPolicy': {
      if (value === '') return undefined;
      const parsed = parseJson(value);
      if ('problem' in parsed) return `DeliveryPolicy: failed to parse JSON. ${parsed.problem}`;
      const known = typeof parsed.value === 'object' && parsed.value !== null && Object.keys(parsed.value).every((key) => key === 'http');
      return known ? undefined : 'DeliveryPolicy: unrecognized JSON member';
    }
    default:
      return undefined;
  }
}

export function tagResource(input: Sns.TagResourceRequest, context: RequestContext): Record<string, never> {
  const topic = taggedTopic(input.ResourceArn, context);
  const tags = { ...topic.tags, ...tagRecord(input.Tags) };
  if (Object.keys(tags).length > 50) throw new AwsError('TagLimitExceeded', 'Could not complete request: tag quota of per resource exceeded', { status: 400 });
  saveTopic(context.state, { ...topic, tags });
  return {};
}

export function untagResource(input: Sns.UntagResourceRequest, context: RequestContext): Record<string, never> {
  const topic = taggedTopic(input.ResourceArn, context);
  saveTopic(context.state, { ...topic, tags: Object.fromEntries(Object.entries(topic.tags).filter(([key]) => !input.TagKeys.includes(key))) });
  return {};
}

export function listTagsForResource(input: Sns.ListTagsForResourceRequest, context: RequestContext): Sns.ListTagsForResourceResponse {
  return { Tags: Object.entries(taggedTopic(input.ResourceArn, context).tags).map(([Key, Value]) => ({ Key, Value })) };
}

function taggedTopic(arn: string, context: RequestContext): Topic {
  parseTopicArn(arn, 'ResourceArn');
  const topic = findTopic(arn, context, 'ResourceArn');
  if (!topic) throw new AwsError('ResourceNotFound', 'Resource does not exist', { status: 404 });
  return topic;
}

function tagRecord(tags: readonly Sns.Tag[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { Key, Value } of tags) {
    if (Key in found) throw invalid('Duplicated keys are not allowed.');
    if (/^aws:/i.test(Key)) throw invalid('Tag keys that start with aws: are reserved for system use');
    found[Key] = Value;
  }
  return found;
}
