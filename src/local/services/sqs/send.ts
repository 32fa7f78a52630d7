import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sqs from '../../models/types/sqs.js';
import { numberOf } from './attributes.js';
import { md5, md5OfAttributes } from './digest.js';
import { seal } from './seal.js';
import { addMessage, invalidValue, knownDeduplication, missing, nextSequence, queueArn, queueOf, type Queue, type StoredMessage } from './store.js';
import { wake } from './waiting.js';

/** Milliseconds a FIFO queue remembers a deduplication ID. */
const DEDUPLICATION = 5 * 60 * 1000;

type Entry = Omit<Sqs.SendMessageRequest, 'QueueUrl'>;

export async function sendMessage(input: Sqs.SendMessageRequest, context: RequestContext): Promise<Sqs.SendMessageResult> {
  return send(queueOf(input.QueueUrl, context), input, context);
}

/** Puts one message into a queue. Raises what SendMessage raises. */
export async function send(queue: Queue, entry: Entry, context: RequestContext): Promise<Sqs.SendMessageResult & { MessageId: string; MD5OfMessageBody: string }> {
  check(queue, entry);
  const attributes = entry.MessageAttributes ?? {};
  const now = context.now().getTime();
  const trace = entry.MessageSystemAttributes?.['AWSTraceHeader']?.StringValue;
  const digests = {
    MD5OfMessageBody: md5(entry.MessageBody),
    MD5OfMessageAttributes: md5OfAttributes(attributes),
    MD5OfMessageSystemAttributes: md5OfAttributes(entry.MessageSystemAttributes ?? {}),
  };
  const deduplication = queue.fifo ? (entry.MessageDeduplicationId ?? createHash('sha256').update(entry.MessageBody).digest('hex')) : undefined;
  const sealed = await seal(queue, entry.MessageBody, context);
  const message: StoredMessage = {
    ...sealed,
    id: randomUUID(),
    sequence: nextSequence(context.state, now),
    md5: digests.MD5OfMessageBody,
    attributes,
    ...(trace === undefined ? {} : { traceHeader: trace }),
    senderId: senderId(context),
    sent: now,
    visible: now + (entry.DelaySeconds ?? numberOf(queue, 'DelaySeconds')) * 1000,
    received: 0,
    ...(entry.MessageGroupId === undefined ? {} : { group: entry.MessageGroupId }),
    ...(deduplication === undefined ? {} : { deduplication }),
  };
  const kept = queue.fifo ? keepOnce(queue, message, context) : keep(queue, message, context);
  return { ...digests, MessageId: kept.id, ...(queue.fifo ? { SequenceNumber: sequenceNumber(kept.sequence) } : {}) };
}

function keep(queue: Queue, message: StoredMessage, context: RequestContext): { id: string; sequence: number } {
  addMessage(context.state, queue, message);
  wake(context.runtime, queueArn(queue));
  return message;
}

/** A message whose deduplication ID came in the last five minutes is acknowledged and not kept (developer guide, "Exactly-once processing"). */
function keepOnce(queue: Queue, message: StoredMessage, context: RequestContext): { id: string; sequence: number } {
  const known = knownDeduplication(context.state, queue);
  const scope = queue.attributes['DeduplicationScope'] === 'messageGroup' ? message.group! : '';
  const key = [queue.name, scope, message.deduplication!];
  const before = known.get(...key);
  if (before && message.sent - before.at < DEDUPLICATION) return before;
  return context.state.transaction(() => {
    known.put(key, { id: message.id, sequence: message.sequence, at: message.sent });
    return keep(queue, message, context);
  });
}

/** Twenty digits that grow. */
export function sequenceNumber(sequence: number): string {
  return `18${String(sequence).padStart(18, '0')}`;
}

function senderId({ principal }: RequestContext): string {
  return 'userId' in principal ? principal.userId : principal.kind === 'service' ? principal.service : 'Anonymous';
}

function check(queue: Queue, entry: Entry): void {
  if (entry.MessageBody === '') throw missing('MessageBody');
  // eslint-disable-next-line no-control-regex -- these are the characters XML 1.0 can't carry
  if (/[^\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(entry.MessageBody))
    throw new AwsError('InvalidMessageContents', 'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF', { status: 400 });
  checkAttributes(entry.MessageAttributes ?? {});
  const limit = numberOf(queue, 'MaximumMessageSize');
  if (entrySize(entry) > limit) throw invalidValue(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`);
  const delay = entry.DelaySeconds;
  if (delay !== undefined && (delay < 0 || delay > 900)) throw invalidValue(`Value ${delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`);
  for (const name of Object.keys(entry.MessageSystemAttributes ?? {})) if (name !== 'AWSTraceHeader') throw invalidValue(`Message system attribute name '${name}' is invalid.`);
  if (queue.fifo) checkFifo(queue, entry);
  else if (entry.MessageDeduplicationId !== undefined)
    throw invalidValue(`Value ${entry.MessageDeduplicationId} for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter that is not valid for this queue type.`);
}

function checkFifo(queue: Queue, entry: Entry): void {
  if (entry.MessageGroupId === undefined || entry.MessageGroupId === '') throw missing('MessageGroupId');
  for (const name of ['MessageGroupId', 'MessageDeduplicationId'] as const) {
    const value = entry[name];
    if (value !== undefined && !/^[\x21-\x7e]{1,128}$/.test(value)) throw invalidValue(`Value ${value} for parameter ${name} is invalid. Reason: ${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`);
  }
  if (entry.DelaySeconds) throw invalidValue(`Value ${entry.DelaySeconds} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.`);
  if (entry.MessageDeduplicationId === undefined && queue.attributes['ContentBasedDeduplication'] !== 'true')
    throw invalidValue('The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly');
}

function checkAttributes(attributes: Readonly<Record<string, Sqs.MessageAttributeValue>>): void {
  const names = Object.keys(attributes);
  if (names.length > 10) throw invalidValue('Number of message attributes [' + names.length + '] exceeds the allowed maximum [10].');
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    if (!/^[A-Za-z0-9_.-]{1,256}$/.test(name) || name.startsWith('.') || name.endsWith('.') || name.includes('..') || /^(aws|amazon)\./i.test(name)) throw invalidValue(`Message (user) attribute name '${name}' is invalid. Can only include alphanumeric characters, hyphens, underscores, or dots, must not start or end with a dot or have successive dots, and must not start with AWS. or Amazon.`);
    const type = /^(String|Number|Binary)(\..+)?$/.exec(DataType)?.[1];
    if (DataType === '') throw invalidValue(`The message attribute '${name}' must contain a non-empty message attribute type.`);
    if (type === undefined || DataType.length > 256) throw invalidValue(`The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`);
    const value = type === 'Binary' ? BinaryValue : StringValue;
    if (value === undefined && (type === 'Binary' ? StringValue : BinaryValue) !== undefined) throw invalidValue(`The message (user) attribute '${name}' with type '${DataType}' must use field '${type === 'Binary' ? 'Binary' : 'String'}'.`);
    if (value === undefined || value.length === 0) throw invalidValue(`The message (user) attribute '${name}' must contain a non-empty value of type '${DataType}'.`);
    if (type === 'Number' && Number.isNaN(Number(value))) throw invalidValue(`Can't cast the value of message (user) attribute '${name}' to a number.`);
  }
}

/** Bytes of body and attributes: what MaximumMessageSize and the limit of a batch count. */
export function entrySize(entry: Entry): number {
  let bytes = Buffer.byteLength(entry.MessageBody);
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(entry.MessageAttributes ?? {}))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType) + (BinaryValue?.byteLength ?? Buffer.byteLength(StringValue ?? ''));
  return bytes;
}
