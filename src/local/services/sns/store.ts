import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { GLOBAL, table, type State, type Table } from '../../state/state.js';

export interface Topic {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly created: Date;
  /** As set, by AWS's attribute names; `Policy` is kept in `policy`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** With principals as unique IDs. */
  readonly policy: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fifo: boolean;
  /** Subscriptions removed since the topic was made. */
  readonly deleted: number;
}

export interface Subscription {
  readonly id: string;
  /** ARN of the topic. */
  readonly topic: string;
  readonly owner: string;
  /** ARN of who subscribed. */
  readonly principal: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly confirmed: boolean;
  readonly authenticated: boolean;
  /** Waits for ConfirmSubscription; `token` is what that takes. */
  readonly token?: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly created: Date;
}

/** A message a FIFO topic took in the last five minutes. */
export interface Accepted {
  readonly messageId: string;
  readonly sequenceNumber: string;
  readonly at: number;
}

const topicTable = table<Topic>('sns', 'topics');
const subscriptionTable = table<Subscription>('sns', 'subscriptions');
const ownedTable = table<string>('sns', 'owned-subscriptions');
const acceptedTable = table<Accepted>('sns', 'accepted');
const sequenceTable = table<number>('sns', 'sequences');
const smsTable = table<Record<string, string>>('sns', 'sms-attributes');
const signingTable = table<{ privateKey: string; certificate: string; id: string }>('sns', 'signing');

export const topics = (state: State, account: string, region: string): Table<Topic> => topicTable(state, account, region);
/** By topic name and subscription ID, in the topic's account and region. */
export const subscriptions = (state: State, account: string, region: string): Table<Subscription> => subscriptionTable(state, account, region);
/** Subscription ARNs of an account, whoever owns the topic. */
export const ownedSubscriptions = (state: State, account: string, region: string): Table<string> => ownedTable(state, account, region);
export const accepted = (state: State, account: string, region: string): Table<Accepted> => acceptedTable(state, account, region);
export const sequences = (state: State, account: string, region: string): Table<number> => sequenceTable(state, account, region);
export const smsAttributes = (state: State, account: string, region: string): Table<Record<string, string>> => smsTable(state, account, region);
/** The key every notification of this installation is signed with. */
export const signing = (state: State): Table<{ privateKey: string; certificate: string; id: string }> => signingTable(state, 'cloud', GLOBAL);

export function topicArn(topic: Pick<Topic, 'account' | 'region' | 'name'>): string {
  return `arn:aws:sns:${topic.region}:${topic.account}:${topic.name}`;
}

export function subscriptionArn(subscription: Pick<Subscription, 'topic' | 'id'>): string {
  return `${subscription.topic}:${subscription.id}`;
}

export interface TopicName {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** Of a subscription's ARN. */
  readonly id?: string;
}

/** Raises InvalidParameter for what isn't a topic's or a subscription's ARN (sentences as recorded). */
export function parseTopicArn(given: string | undefined, member: string): TopicName {
  const parts = (given ?? '').split(':');
  if (parts.length < 6) throw invalid(`${member} Reason: An ARN must have at least 6 elements, not ${parts.length}`);
  const [scheme, partition, service, region = '', account = '', name = '', id] = parts;
  if (scheme !== 'arn' || partition !== 'aws' || service !== 'sns' || name === '') throw invalid(member);
  return { account, region, name, ...(id === undefined ? {} : { id }) };
}

export function findTopic(given: string | undefined, context: RequestContext, member = 'TopicArn'): Topic | undefined {
  const { account, region, name } = parseTopicArn(given, member);
  if (region !== context.region) throw invalid(member);
  return topics(context.state, account, region).get(name);
}

/** Raises NotFound. */
export function topicOf(given: string | undefined, context: RequestContext, member = 'TopicArn'): Topic {
  const topic = findTopic(given, context, member);
  if (!topic) throw notFound('Topic does not exist');
  return topic;
}

export function subscriptionOf(given: string, context: RequestContext): Subscription {
  const { account, region, name, id } = parseTopicArn(given, 'SubscriptionArn');
  if (id === undefined) throw invalid('SubscriptionArn Reason: An ARN must have at least 6 elements, not 6');
  const found = region === context.region ? subscriptions(context.state, account, region).get(name, id) : undefined;
  if (!found) throw notFound('Subscription does not exist');
  return found;
}

export function saveTopic(state: State, topic: Topic): void {
  topics(state, topic.account, topic.region).put(topic.name, topic);
}

export function saveSubscription(state: State, subscription: Subscription): void {
  const { account, region, name } = parseTopicArn(subscription.topic, 'TopicArn');
  state.transaction(() => {
    subscriptions(state, account, region).put([name, subscription.id], subscription);
    ownedSubscriptions(state, subscription.owner, region).put(subscriptionArn(subscription), subscriptionArn(subscription));
  });
}

export function removeSubscription(state: State, subscription: Subscription): void {
  const { account, region, name } = parseTopicArn(subscription.topic, 'TopicArn');
  state.transaction(() => {
    subscriptions(state, account, region).delete(name, subscription.id);
    ownedSubscriptions(state, subscription.owner, region).delete(subscriptionArn(subscription));
    const topic = topics(state, account, region).get(name);
    if (topic) saveTopic(state, { ...topic, deleted: topic.deleted + 1 });
  });
}

export function invalid(reason: string): AwsError {
  return new AwsError('InvalidParameter', `Invalid parameter: ${reason}`, { status: 400 });
}

export function notFound(message: string): AwsError {
  return new AwsError('NotFound', message, { status: 404 });
}

/** Operations and features of SNS the local cloud doesn't have. */
export function unsupported(what: string): AwsError {
  return new AwsError('NotImplemented', `The local cloud has no behaviour for ${what} of Amazon SNS. Nothing was changed.`, { status: 501 });
}

/** Lists of 100 by a token that is the name behind which to go on. */
export function page<T>(items: readonly T[], name: (item: T) => string, token: string | undefined): { items: T[]; NextToken?: string } {
  const after = token === undefined ? undefined : Buffer.from(token, 'base64url').toString('utf8');
  const rest = after === undefined ? items : items.filter((item) => name(item) > after);
  const shown = rest.slice(0, 100);
  return { items: shown, ...(rest.length > 100 ? { NextToken: Buffer.from(name(shown.at(-1)!)).toString('base64url') } : {}) };
}

/** Bytes of a message with its attributes, and what a topic for larger ones can have (SNS developer guide, "Publishing large messages"). */
export const DEFAULT_MESSAGE_SIZE = 256 * 1024;
export const LARGE_MESSAGES: { readonly protocols: ReadonlySet<string>; readonly subscriptions: number } = { protocols: new Set(['sqs', 'lambda', 'firehose']), subscriptions: 100 };

export function maximumSize(topic: Topic): number {
  return Number(topic.attributes['MaximumMessageSize'] ?? DEFAULT_MESSAGE_SIZE);
}
