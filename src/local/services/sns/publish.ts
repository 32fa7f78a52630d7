import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sns from '../../models/types/sns.js';
import { checkAttributes } from './attributes.js';
import { deliverAll } from './deliver.js';
import { textFor, type Message } from './message.js';
import { accepted, invalid, maximumSize, sequences, topicArn, topicOf, unsupported, type Topic } from './store.js';

/** Milliseconds a FIFO topic remembers a deduplication ID. */
const DEDUPLICATION = 5 * 60 * 1000;

type Entry = Omit<Sns.PublishBatchRequestEntry, 'Id'>;

export async function publish(input: Sns.PublishInput, context: RequestContext): Promise<Sns.PublishResponse> {
  if (input.PhoneNumber !== undefined) return publishSms(input, input.PhoneNumber, context);
  const arn = input.TopicArn ?? input.TargetArn;
  if (arn === undefined) throw invalid('TopicArn or TargetArn Reason: no value for required parameter');
  if (/^arn:aws:sns:[^:]*:[^:]*:endpoint\//.test(arn)) throw unsupported('platform endpoints');
  const member = input.TopicArn === undefined ? 'TargetArn' : 'TopicArn';
  const topic = topicOf(arn, context, member);
  check(topic, input);
  if (size(input) > maximumSize(topic)) throw invalid('Message too long');
  await useKey(topic, context);
  return take(topic, input, context);
}

function publishSms(input: Sns.PublishInput, phone: string, context: RequestContext): Sns.PublishResponse {
  if (!/^\+[1-9]\d{3,14}$/.test(phone)) throw invalid(`PhoneNumber Reason: ${phone} is not valid to publish to`);
  if (input.Message === '') throw invalid('Empty message');
  checkAttributes(input.MessageAttributes ?? {});
  context.runtime.deliver({ channel: 'sms', to: phone, from: 'NOTICE', account: context.account, region: context.region, body: textFor(input, 'sms') });
  return { MessageId: randomUUID() };
}

export async function publishBatch(input: Sns.PublishBatchInput, context: RequestContext): Promise<Sns.PublishBatchResponse> {
  const entries = input.PublishBatchRequestEntries;
  const topic = topicOf(input.TopicArn, context);
  if (entries.length === 0) throw new AwsError('EmptyBatchRequest', "The batch request doesn't contain any entries.", { status: 400 });
  if (entries.length > 10) throw new AwsError('TooManyEntriesInBatchRequest', 'The batch request contains more entries than permissible.', { status: 400 });
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.', { status: 400 });
  for (const { Id } of entries)
    if (!/^[\w-]{1,80}$/.test(Id)) throw new AwsError('InvalidBatchEntryId', "The Id of a batch entry in a batch request doesn't abide by the specification.", { status: 400 });
  for (const entry of entries) checkAttributes(entry.MessageAttributes ?? {});
  if (entries.reduce((sum, entry) => sum + size(entry), 0) > maximumSize(topic)) throw new AwsError('BatchRequestTooLong', 'The length of all the messages put together is more than the limit.', { status: 400 });
  await useKey(topic, context);
  const result = { Successful: [] as Sns.PublishBatchResultEntry[], Failed: [] as Sns.BatchResultErrorEntry[] };
  for (const entry of entries) {
    try {
      check(topic, entry);
      result.Successful.push({ Id: entry.Id, ...(await take(topic, entry, context)) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      result.Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return result;
}

function check(topic: Topic, entry: Entry): void {
  if (entry.Message === '') throw invalid('Empty message');
  if (entry.Subject !== undefined && (entry.Subject === '' || entry.Subject.length > 100 || !/^[\x20-\x7e]+$/.test(entry.Subject) || entry.Subject.startsWith(' '))) throw invalid('Subject');
  checkAttributes(entry.MessageAttributes ?? {});
  if (entry.MessageStructure !== undefined) textFor(entry, 'default');
  if (!topic.fifo) {
    if (entry.MessageDeduplicationId !== undefined) throw invalid('MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type');
    return;
  }
  if (!entry.MessageGroupId) throw invalid('The MessageGroupId parameter is required for FIFO topics');
  if (entry.MessageDeduplicationId === undefined && topic.attributes['ContentBasedDeduplication'] !== 'true')
    throw invalid('The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly');
}

function size(entry: Entry): number {
  let bytes = Buffer.byteLength(entry.Message);
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(entry.MessageAttributes ?? {}))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType) + (BinaryValue?.byteLength ?? Buffer.byteLength(StringValue ?? ''));
  return bytes;
}

/** Who publishes to an encrypted topic must be allowed to use its key (developer guide, "Encrypting Amazon SNS topics"). */
async function useKey(topic: Topic, context: RequestContext): Promise<void> {
  const KeyId = topic.attributes['KmsMasterKeyId'];
  if (KeyId === undefined) return;
  try {
    await context.onBehalf.call('kms', 'GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext: { 'aws:sns:topicArn': topicArn(topic) } });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError(KMS_ERRORS[error.code] ?? error.code, error.message, { status: 400 });
  }
}

const KMS_ERRORS: Readonly<Record<string, string>> = {
  AccessDeniedException: 'KMSAccessDenied', DisabledException: 'KMSDisabled', KMSInvalidStateException: 'KMSInvalidState', NotFoundException: 'KMSNotFound', InvalidKeyUsageException: 'KMSInvalidState',
};

/** Numbers the message where the topic does, drops what it already has, and delivers it. */
async function take(topic: Topic, entry: Entry, context: RequestContext): Promise<Sns.PublishResponse> {
  const message: Message = {
    id: randomUUID(),
    entry: { ...entry, MessageAttributes: entry.MessageAttributes ?? {} },
    timestamp: context.now().toISOString(),
    ...(topic.fifo ? { deduplicationId: entry.MessageDeduplicationId ?? createHash('sha256').update(entry.Message).digest('hex') } : {}),
  };
  if (!topic.fifo) {
    await deliverAll(topic, message, context);
    return { MessageId: message.id };
  }
  const { sequenceNumber, messageId, repeated } = accept(topic, message, context);
  if (!repeated) await deliverAll(topic, { ...message, sequenceNumber }, context);
  return { MessageId: messageId, SequenceNumber: sequenceNumber };
}

function accept(topic: Topic, message: Message, context: RequestContext): { sequenceNumber: string; messageId: string; repeated: boolean } {
  const { state } = context;
  const now = context.now().getTime();
  const scope = topic.attributes['FifoThroughputScope'] === 'MessageGroup' ? (message.entry.MessageGroupId ?? '') : '';
  const known = accepted(state, topic.account, topic.region);
  const key = [topic.name, scope, message.deduplicationId ?? ''];
  const before = known.get(...key);
  if (before && now - before.at < DEDUPLICATION) return { sequenceNumber: before.sequenceNumber, messageId: before.messageId, repeated: true };
  return state.transaction(() => {
    const numbers = sequences(state, topic.account, topic.region);
    const next = (numbers.get(topic.name) ?? 0) + 1;
    const sequenceNumber = `1${String(next).padStart(19, '0')}`;
    numbers.put(topic.name, next);
    known.put(key, { messageId: message.id, sequenceNumber, at: now });
    if (next % 1000 === 0) for (const [old, { at }] of known.entries([topic.name])) if (now - at >= DEDUPLICATION) known.delete(...old);
    return { sequenceNumber, messageId: message.id, repeated: false };
  });
}
