import { CHATBOT } from './chat.js';
import { randomBytes, randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sns from '../../models/types/sns.js';
import { requestConfirmation } from './deliver.js';
import { filterProblem, type Scope } from './filter.js';
import { parseJson } from './json-text.js';
import { DEFAULT_MESSAGE_SIZE, invalid, LARGE_MESSAGES, maximumSize, ownedSubscriptions, page, parseTopicArn, removeSubscription, saveSubscription, type Subscription, subscriptionArn, subscriptionOf, subscriptions, type Topic, topicArn, topicOf, unsupported } from './store.js';

const PENDING = 'pending confirmation';

/** Protocols, and how each names its endpoint (SNS API reference, Subscribe); the word is what AWS complains with. */
const ENDPOINTS: Readonly<Record<string, readonly [RegExp, string]>> = {
  http: [/^http:\/\/./, 'Endpoint must match the specified protocol'],
  https: [/^https:\/\/./, 'Endpoint must match the specified protocol'],
  email: [/^[^@\s]+@[^@\s]+$/, 'Email address'],
  'email-json': [/^[^@\s]+@[^@\s]+$/, 'Email address'],
  sms: [/^\+?[0-9 ./()-]{4,}$/, 'Invalid SMS endpoint'],
  sqs: [/^arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?$/, 'SQS endpoint ARN'],
  lambda: [/^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$-]+)?$/, 'Lambda endpoint ARN'],
};
const REFUSED: ReadonlySet<string> = new Set(['application', 'firehose']);

export async function subscribe(input: Sns.SubscribeInput, context: RequestContext): Promise<Sns.SubscribeResponse> {
  const topic = topicOf(input.TopicArn, context);
  const endpoint = checkEndpoint(topic, input);
  const attributes = subscriptionAttributes(input.Attributes ?? {});
  const existing = subscriptions(context.state, topic.account, topic.region).list(topic.name).find((one) => one.protocol === input.Protocol && one.endpoint === endpoint);
  if (existing) {
    for (const [name, value] of Object.entries(attributes)) if ((existing.attributes[name] ?? DEFAULTS[name] ?? '') !== value) throw invalid('Attributes Reason: Subscription already exists with different attributes');
    if (!existing.confirmed) await requestConfirmation(existing, topic, context);
    return { SubscriptionArn: existing.confirmed || input.ReturnSubscriptionArn ? subscriptionArn(existing) : PENDING };
  }
  if (maximumSize(topic) > DEFAULT_MESSAGE_SIZE && subscriptions(context.state, topic.account, topic.region).list(topic.name).length >= LARGE_MESSAGES.subscriptions) throw invalid('MaximumMessageSize');
  // Who owns the endpoint needn't confirm that it wants the messages; a phone isn't asked.
  const confirmed = input.Protocol === 'sms' || endpoint === CHATBOT || parseArn(endpoint)?.account === context.account;
  const subscription: Subscription = {
    id: randomUUID(), topic: topicArn(topic), owner: context.account, principal: principalArn(context), protocol: input.Protocol, endpoint, confirmed, authenticated: confirmed, attributes, created: context.now(),
    ...(confirmed ? {} : { token: randomBytes(144).toString('hex') }),
  };
  saveSubscription(context.state, subscription);
  if (!confirmed) await requestConfirmation(subscription, topic, context);
  return { SubscriptionArn: confirmed || input.ReturnSubscriptionArn ? subscriptionArn(subscription) : PENDING };
}

function checkEndpoint(topic: Topic, input: Sns.SubscribeInput): string {
  if (REFUSED.has(input.Protocol)) throw unsupported(`subscriptions of the protocol ${input.Protocol}`);
  const rule = Object.hasOwn(ENDPOINTS, input.Protocol) ? ENDPOINTS[input.Protocol] : undefined;
  if (!rule) throw invalid(`Amazon SNS does not support this protocol string: ${input.Protocol}`);
  const endpoint = input.Endpoint ?? '';
  if (!rule[0].test(endpoint)) throw invalid(input.Protocol === 'sms' ? `${rule[1]}: ${endpoint}` : rule[1]);
  if (topic.fifo && input.Protocol !== 'sqs') throw invalid(`Invalid protocol type: ${input.Protocol}`);
  if (!topic.fifo && input.Protocol === 'sqs' && endpoint.endsWith('.fifo')) throw invalid('Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics');
  if (maximumSize(topic) > DEFAULT_MESSAGE_SIZE && !LARGE_MESSAGES.protocols.has(input.Protocol)) throw invalid(`Invalid protocol type: ${input.Protocol}`);
  return endpoint;
}

function principalArn(context: RequestContext): string {
  const { principal } = context;
  return principal.kind === 'session' ? principal.roleArn : 'arn' in principal ? principal.arn : principal.kind;
}

const DEFAULTS: Readonly<Record<string, string>> = { RawMessageDelivery: 'false', FilterPolicyScope: 'MessageAttributes' };

function subscriptionAttributes(given: Readonly<Record<string, string>>): Record<string, string> {
  let attributes: Record<string, string> = {};
  const order = Object.entries(given).sort(([a], [b]) => ORDER.indexOf(b) - ORDER.indexOf(a));
  for (const [name, value] of order) attributes = withAttribute(attributes, name, value, 'Attributes Reason: ');
  return attributes;
}

/** The scope must be known before the policy is judged. */
const ORDER = ['FilterPolicy', 'FilterPolicyScope'];

/** Attributes with one set. `where` stands before AWS's sentence: Subscribe speaks of all its attributes, SetSubscriptionAttributes of one. */
function withAttribute(attributes: Readonly<Record<string, string>>, name: string, value: string, where: string): Record<string, string> {
  const { [name]: _, ...others } = attributes;
  switch (name) {
    case 'RawMessageDelivery': {
      const lower = value.toLowerCase();
      if (lower !== 'true' && lower !== 'false') throw invalid(`${where}RawMessageDelivery: Invalid value [${value}]. Must be true or false.`);
      return { ...others, RawMessageDelivery: lower };
    }
    case 'FilterPolicyScope':
      if (value !== 'MessageAttributes' && value !== 'MessageBody') throw invalid(`${where}FilterPolicyScope: Invalid value [${value}]. Please use either MessageBody or MessageAttributes`);
      return { ...others, FilterPolicyScope: value };
    case 'FilterPolicy': {
      if (value === '' || value === '{}') return others;
      const problem = filterProblem(value, (others['FilterPolicyScope'] ?? 'MessageAttributes') as Scope);
      if (problem !== undefined) throw invalid(`${where}${problem}`);
      return { ...others, FilterPolicy: value };
    }
    case 'RedrivePolicy': {
      if (value === '') return others;
      const problem = redriveProblem(value);
      if (problem !== undefined) throw invalid(`${where}RedrivePolicy: ${problem}`);
      return { ...others, RedrivePolicy: value };
    }
    case 'DeliveryPolicy': {
      if (value === '') return others;
      const parsed = parseJson(value);
      if ('problem' in parsed) throw invalid(`${where}DeliveryPolicy: failed to parse JSON. ${parsed.problem}`);
      return { ...others, DeliveryPolicy: value };
    }
    case 'SubscriptionRoleArn':
    case 'ReplayPolicy':
      throw unsupported(`the subscription attribute ${name}`);
    default:
      throw invalid(where === '' ? 'AttributeName' : `${where}Unknown attribute ${name}`);
  }
}

function redriveProblem(text: string): string | undefined {
  const parsed = parseJson(text);
  if ('problem' in parsed) return `failed to parse JSON. ${parsed.problem}`;
  const target = (parsed.value as { deadLetterTargetArn?: unknown } | null)?.deadLetterTargetArn;
  if (typeof target !== 'string' || parseArn(target)?.service !== 'sqs') return 'deadLetterTargetArn is an invalid arn';
  return undefined;
}

export function confirmSubscription(input: Sns.ConfirmSubscriptionInput, context: RequestContext): Sns.ConfirmSubscriptionResponse {
  const { account, region, name } = parseTopicArn(input.TopicArn, 'TopicArn');
  if (!/^[0-9a-f]{64,}$/.test(input.Token)) throw Object.assign(invalid(''), { message: 'Invalid token' });
  const subscription = subscriptions(context.state, account, region).list(name).find((one) => one.token === input.Token);
  if (!subscription) throw invalid('Token');
  const authenticated = input.AuthenticateOnUnsubscribe?.toLowerCase() === 'true';
  saveSubscription(context.state, { ...subscription, confirmed: true, authenticated: subscription.authenticated || authenticated });
  return { SubscriptionArn: subscriptionArn(subscription) };
}

export function unsubscribe(input: Sns.UnsubscribeInput, context: RequestContext): void {
  const { account, region, name, id } = parseTopicArn(input.SubscriptionArn, 'SubscriptionArn');
  const subscription = id === undefined || region !== context.region ? undefined : subscriptions(context.state, account, region).get(name, id);
  if (subscription) removeSubscription(context.state, subscription);
}

export function getSubscriptionAttributes(input: Sns.GetSubscriptionAttributesInput, context: RequestContext): Sns.GetSubscriptionAttributesResponse {
  const subscription = subscriptionOf(input.SubscriptionArn, context);
  const { FilterPolicyScope = 'MessageAttributes', RawMessageDelivery = 'false', ...set } = subscription.attributes;
  return {
    Attributes: {
      SubscriptionArn: subscriptionArn(subscription),
      TopicArn: subscription.topic,
      Owner: subscription.owner,
      Protocol: subscription.protocol,
      Endpoint: subscription.endpoint,
      SubscriptionPrincipal: subscription.principal,
      PendingConfirmation: String(!subscription.confirmed),
      ConfirmationWasAuthenticated: String(subscription.authenticated),
      RawMessageDelivery,
      ...(set['FilterPolicy'] === undefined ? {} : { FilterPolicyScope }),
      ...set,
    },
  };
}

export function setSubscriptionAttributes(input: Sns.SetSubscriptionAttributesInput, context: RequestContext): void {
  const subscription = subscriptionOf(input.SubscriptionArn, context);
  saveSubscription(context.state, { ...subscription, attributes: withAttribute(subscription.attributes, input.AttributeName, input.AttributeValue ?? '', '') });
}

export function listSubscriptions(input: Sns.ListSubscriptionsInput, context: RequestContext): Sns.ListSubscriptionsResponse {
  const { items, ...rest } = page(ownedSubscriptions(context.state, context.account, context.region).list(), (arn) => arn, input.NextToken);
  return { Subscriptions: items.map((arn) => shown(subscriptionOf(arn, context))), ...rest };
}

export function listSubscriptionsByTopic(input: Sns.ListSubscriptionsByTopicInput, context: RequestContext): Sns.ListSubscriptionsByTopicResponse {
  const topic = topicOf(input.TopicArn, context);
  const { items, ...rest } = page(subscriptions(context.state, topic.account, topic.region).list(topic.name), (one) => one.id, input.NextToken);
  return { Subscriptions: items.map(shown), ...rest };
}

function shown(subscription: Subscription): Sns.Subscription {
  return {
    SubscriptionArn: subscription.confirmed ? subscriptionArn(subscription) : 'PendingConfirmation',
    Owner: subscription.owner,
    Protocol: subscription.protocol,
    Endpoint: subscription.endpoint,
    TopicArn: subscription.topic,
  };
}

/** The topic a subscription's ARN belongs to, for authorisation. */
export function topicOfSubscription(given: string): string {
  const { account, region, name } = parseTopicArn(given, 'SubscriptionArn');
  return topicArn({ account, region, name });
}

