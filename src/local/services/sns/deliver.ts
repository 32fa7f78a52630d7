import { CHATBOT } from './chat.js';
import { randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import { passes, type Scope } from './filter.js';
import { textFor, type Message } from './message.js';
import { certificateUrl, signature } from './signing.js';
import { subscriptionArn, subscriptions, topicArn, type Subscription, type Topic } from './store.js';

/**
 * Hands a message to every confirmed subscription that wants it. Resolves when queues and functions have it, so that what was acknowledged
 * survives the end of this process. Mail, phones and web servers are outside of the cloud: their messages land in the inbox, nothing
 * is sent over the network.
 */
export async function deliverAll(topic: Topic, message: Message, context: RequestContext): Promise<void> {
  const wanted = subscriptions(context.state, topic.account, topic.region)
    .list(topic.name)
    .filter((subscription) => subscription.confirmed && wants(subscription, message));
  const signed = new Map<string, string>();
  await Promise.all(wanted.map((subscription) => deliver(subscription, topic, message, signed, context)));
}

function wants(subscription: Subscription, { entry }: Message): boolean {
  const { FilterPolicy, FilterPolicyScope = 'MessageAttributes' } = subscription.attributes;
  return FilterPolicy === undefined || passes(FilterPolicy, FilterPolicyScope as Scope, { body: textFor(entry, subscription.protocol), attributes: entry.MessageAttributes });
}

async function deliver(subscription: Subscription, topic: Topic, message: Message, signed: Map<string, string>, context: RequestContext): Promise<void> {
  const text = textFor(message.entry, subscription.protocol);
  const notification = notificationOf(subscription, topic, message, text, signed, context);
  try {
    await send(subscription, topic, message, text, notification, context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.runtime.log(`sns: ${topicArn(topic)} could not deliver to ${subscription.endpoint}: ${reason}`);
    await deadLetter(subscription, topic, message, text, notification, context);
  }
}

async function send(subscription: Subscription, topic: Topic, message: Message, text: string, notification: Notification, context: RequestContext): Promise<void> {
  switch (subscription.protocol) {
    case 'sqs':
      return toQueue(subscription.endpoint, subscription, topic, message, text, notification, context);
    case 'lambda':
      return toFunction(subscription, topic, notification, context);
    case 'sms':
      return context.runtime.deliver({ channel: 'sms', to: subscription.endpoint, from: topic.attributes['DisplayName'] || 'NOTICE', account: topic.account, region: topic.region, body: text });
    default: {
      if (subscription.endpoint === CHATBOT) return toChat(subscription, topic, message.entry.Subject, text, context);
      const mail = subscription.protocol === 'email';
      const json = subscription.attributes['RawMessageDelivery'] === 'true' ? text : JSON.stringify(notification);
      const body = mail ? `${text}\n\n--\nIf you wish to stop receiving notifications from this topic: ${notification.UnsubscribeURL}` : json;
      return toInbox(subscription, topic, message.entry.Subject ?? 'AWS Notification Message', body, context);
    }
  }
}

async function toChat(subscription: Subscription, topic: Topic, subject: string | undefined, message: string, context: RequestContext): Promise<void> {
  await context.asService({ sourceArn: topicArn(topic), sourceAccount: subscription.owner, region: topic.region }).call('chatbot', 'ReceiveMessage', { topicArn: topicArn(topic), ...(subject ? { subject } : {}), message });
}

function toInbox(subscription: Subscription, topic: Topic, subject: string, body: string, context: RequestContext): void {
  const channel = subscription.protocol.startsWith('http') ? 'http' : 'email';
  const from = channel === 'http' ? topicArn(topic) : `${topic.attributes['DisplayName'] || 'AWS Notifications'} <no-reply@sns.amazonaws.com>`;
  context.runtime.deliver({ channel, to: subscription.endpoint, from, account: topic.account, region: topic.region, subject, body });
}

interface Notification {
  readonly Type: string;
  readonly MessageId: string;
  readonly TopicArn: string;
  readonly Subject?: string;
  readonly Message: string;
  readonly Timestamp: string;
  readonly SignatureVersion: string;
  readonly Signature: string;
  readonly SigningCertURL: string;
  readonly UnsubscribeURL: string;
  readonly MessageAttributes?: Readonly<Record<string, { readonly Type: string; readonly Value: string }>>;
}

function notificationOf(subscription: Subscription, topic: Topic, message: Message, text: string, signed: Map<string, string>, context: RequestContext): Notification {
  const { Subject, MessageAttributes } = message.entry;
  const version = topic.attributes['SignatureVersion'] ?? '1';
  const fields: [string, string][] = [['Message', text], ['MessageId', message.id], ...(Subject === undefined ? [] : [['Subject', Subject] as [string, string]]), ['Timestamp', message.timestamp], ['TopicArn', topicArn(topic)], ['Type', 'Notification']];
  let mark = signed.get(text);
  if (mark === undefined) signed.set(text, (mark = signature(context.state, canonical(fields), version)));
  const attributes = Object.entries(MessageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [name, { Type: DataType, Value: BinaryValue ? Buffer.from(BinaryValue).toString('base64') : (StringValue ?? '') }] as const);
  return {
    Type: 'Notification',
    MessageId: message.id,
    ...(message.sequenceNumber === undefined ? {} : { SequenceNumber: message.sequenceNumber }),
    TopicArn: topicArn(topic),
    ...(Subject === undefined ? {} : { Subject }),
    Message: text,
    Timestamp: message.timestamp,
    SignatureVersion: version,
    Signature: mark,
    SigningCertURL: certificateUrl(context.runtime),
    UnsubscribeURL: `${context.runtime.endpoint}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn(subscription)}`,
    ...(attributes.length > 0 ? { MessageAttributes: Object.fromEntries(attributes) } : {}),
  };
}

const canonical = (fields: readonly [string, string][]): string => fields.map(([name, value]) => `${name}\n${value}\n`).join('');

async function toQueue(queue: string, subscription: Subscription, topic: Topic, message: Message, text: string, notification: Notification, context: RequestContext): Promise<void> {
  const raw = subscription.attributes['RawMessageDelivery'] === 'true' && subscription.protocol === 'sqs';
  const body = raw ? text : JSON.stringify(notification);
  const attributes = raw && Object.keys(message.entry.MessageAttributes).length > 0 ? { MessageAttributes: message.entry.MessageAttributes } : {};
  await sendToQueue(queue, topic, { MessageBody: body, ...attributes, ...(queue.endsWith('.fifo') ? { MessageGroupId: message.entry.MessageGroupId, MessageDeduplicationId: message.deduplicationId } : {}) }, context);
}

async function sendToQueue(queue: string, topic: Topic, input: Record<string, unknown>, context: RequestContext): Promise<void> {
  const { account, region, resource } = parseArn(queue)!;
  const client = context.asService({ service: 'sns.amazonaws.com', sourceArn: topicArn(topic), sourceAccount: topic.account, region });
  await client.call('sqs', 'SendMessage', { QueueUrl: `${context.runtime.endpoint}/${account}/${resource}`, ...input });
}

async function toFunction(subscription: Subscription, topic: Topic, notification: Notification, context: RequestContext): Promise<void> {
  const { SigningCertURL, UnsubscribeURL, ...rest } = notification;
  const event = {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscriptionArn(subscription),
        // A function's event spells the URLs otherwise and has every member (Lambda developer guide, "Using Lambda with Amazon SNS").
        Sns: { Subject: null, MessageAttributes: {}, ...rest, SigningCertUrl: SigningCertURL, UnsubscribeUrl: UnsubscribeURL },
      },
    ],
  };
  await invoke(subscription.endpoint, event, topic, context);
}

async function invoke(target: string, event: unknown, topic: Topic, context: RequestContext): Promise<void> {
  const client = context.asService({ service: 'sns.amazonaws.com', sourceArn: topicArn(topic), sourceAccount: topic.account, region: parseArn(target)!.region });
  await client.call('lambda', 'Invoke', { FunctionName: target, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(event)) });
}

async function deadLetter(subscription: Subscription, topic: Topic, message: Message, text: string, notification: Notification, context: RequestContext): Promise<void> {
  const { RedrivePolicy } = subscription.attributes;
  if (RedrivePolicy === undefined) return;
  const { deadLetterTargetArn } = JSON.parse(RedrivePolicy) as { deadLetterTargetArn: string };
  try {
    await toQueue(deadLetterTargetArn, subscription, topic, message, text, notification, context);
  } catch (error) {
    context.runtime.log(`sns: ${topicArn(topic)} could not use the dead-letter queue ${deadLetterTargetArn}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Asks an endpoint whether it wants the messages; the token it gets is what ConfirmSubscription takes. */
export async function requestConfirmation(subscription: Subscription, topic: Topic, context: RequestContext): Promise<void> {
  const token = subscription.token ?? '';
  const arn = topicArn(topic);
  const url = `${context.runtime.endpoint}/?Action=ConfirmSubscription&TopicArn=${arn}&Token=${token}`;
  const command = `aws sns confirm-subscription --topic-arn ${arn} --token ${token}`;
  if (subscription.protocol === 'email') {
    const body = `You have chosen to subscribe to the topic:\n${arn}\n\nTo confirm this subscription:\n${command}`;
    return toInbox(subscription, topic, 'AWS Notification - Subscription Confirmation', body, context);
  }
  const Message = `You have chosen to subscribe to the topic ${arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`;
  const Timestamp = context.now().toISOString();
  const MessageId = randomUUID();
  const version = topic.attributes['SignatureVersion'] ?? '1';
  const fields: [string, string][] = [['Message', Message], ['MessageId', MessageId], ['SubscribeURL', url], ['Timestamp', Timestamp], ['Token', token], ['TopicArn', arn], ['Type', 'SubscriptionConfirmation']];
  const event = {
    Type: 'SubscriptionConfirmation', MessageId, Token: token, TopicArn: arn, Message, SubscribeURL: url, Timestamp, SignatureVersion: version,
    Signature: signature(context.state, canonical(fields), version), SigningCertURL: certificateUrl(context.runtime),
  };
  const body = JSON.stringify(event);
  try {
    if (subscription.protocol === 'sqs') await sendToQueue(subscription.endpoint, topic, { MessageBody: body, ...(topic.fifo ? { MessageGroupId: 'confirmation', MessageDeduplicationId: MessageId } : {}) }, context);
    else if (subscription.protocol === 'lambda') await invoke(subscription.endpoint, { Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: subscriptionArn(subscription), Sns: event }] }, topic, context);
    else toInbox(subscription, topic, 'AWS Notification - Subscription Confirmation', body, context);
  } catch (error) {
    context.runtime.log(`sns: ${arn} could not ask ${subscription.endpoint} for confirmation: ${error instanceof Error ? error.message : String(error)}`);
  }
}
