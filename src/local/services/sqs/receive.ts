import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sqs from '../../models/types/sqs.js';
import type { Key } from '../../state/state.js';
import { numberOf, redriveOf } from './attributes.js';
import { md5OfAttributes } from './digest.js';
import { open } from './seal.js';
import { sequenceNumber } from './send.js';
import { addMessage, invalidValue, messages, nextSequence, noQueue, queueArn, queueByArn, queueOf, queues, ready, removeMessage, replaceMessage, type Queue, type StoredMessage } from './store.js';
import { untilWoken, wake } from './waiting.js';

/** A FIFO queue looks no further than this for a group that isn't held up (developer guide, "FIFO queue quotas"). */
const LOOK_AHEAD = 20_000;

export async function receiveMessage(input: Sqs.ReceiveMessageRequest, context: RequestContext): Promise<Sqs.ReceiveMessageResult> {
  const queue = queueOf(input.QueueUrl, context);
  checkInput(input);
  const end = context.now().getTime() + (input.WaitTimeSeconds ?? numberOf(queue, 'ReceiveMessageWaitTimeSeconds')) * 1000;
  const timeout = (input.VisibilityTimeout ?? numberOf(queue, 'VisibilityTimeout')) * 1000;
  for (;;) {
    const found = take(queue, input.MaxNumberOfMessages ?? 1, timeout, context);
    if (found.length > 0) {
      const Messages: Sqs.Message[] = [];
      for (const message of found) Messages.push(await shown(message, input, context));
      return { Messages };
    }
    const now = context.now().getTime();
    if (now >= end || context.runtime.signal.aborted) return {};
    await untilWoken(context.runtime, queueArn(queue), Math.max(1, Math.min(end, nextVisible(queue, now, context) ?? end) - now));
    if (!queues(context.state, queue.account, queue.region).get(queue.name)) throw noQueue();
  }
}

function checkInput(input: Sqs.ReceiveMessageRequest): void {
  const { MaxNumberOfMessages: max, WaitTimeSeconds: wait, VisibilityTimeout: timeout } = input;
  if (max !== undefined && (max < 1 || max > 10)) throw invalidValue(`Value ${max} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.`);
  if (wait !== undefined && (wait < 0 || wait > 20)) throw invalidValue(`Value ${wait} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.`);
  if (timeout !== undefined && (timeout < 0 || timeout > 43200)) throw invalidValue(`Value ${timeout} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided.`);
}

/** When a hidden message comes back, at the earliest. */
function nextVisible(queue: Queue, now: number, { state }: RequestContext): number | undefined {
  if (!queue.fifo) return ready(state, queue).entries([queue.name], { limit: 1 }).map(([key]) => Number(key[1]))[0];
  let next: number | undefined;
  for (const [, message] of messages(state, queue).entries([queue.name], { limit: LOOK_AHEAD })) if (message.visible > now && (next === undefined || message.visible < next)) next = message.visible;
  return next;
}

/** Up to `count` messages that are visible, hidden from now on for `timeout` milliseconds. */
function take(queue: Queue, count: number, timeout: number, context: RequestContext): StoredMessage[] {
  const { state } = context;
  const now = context.now().getTime();
  const oldest = now - numberOf(queue, 'MessageRetentionPeriod') * 1000;
  const redrive = redriveOf(queue);
  return state.transaction(() => {
    const taken: StoredMessage[] = [];
    for (const message of visible(queue, now, context)) {
      if (message.sent < oldest) removeMessage(state, queue, message);
      else if (redrive && message.received >= redrive.max) bury(queue, message, redrive.target, context);
      else {
        const after: StoredMessage = { ...message, received: message.received + 1, firstReceived: message.firstReceived ?? now, visible: now + timeout };
        replaceMessage(state, queue, message, after);
        taken.push(after);
        if (taken.length === count) break;
      }
    }
    return taken;
  });
}

function* visible(queue: Queue, now: number, context: RequestContext): Generator<StoredMessage> {
  if (queue.fifo) return yield* visibleInOrder(queue, now, context);
  const times = ready(context.state, queue);
  const all = messages(context.state, queue);
  // Whoever walks on hides or removes what is yielded; a visibility timeout of 0 puts it behind again.
  const seen = new Set<number>();
  let after: Key | undefined;
  for (;;) {
    const page = times.entries([queue.name], { limit: 20, ...(after ? { after } : {}) });
    for (const [key, sequence] of page) {
      if (Number(key[1]) > now) return;
      const message = seen.has(sequence) ? undefined : all.get(queue.name, sequence);
      seen.add(sequence);
      if (message) yield message;
    }
    if (page.length < 20) return;
    after = page.at(-1)![0];
  }
}

/** In order; a message that isn't visible holds up its group (developer guide, "FIFO delivery logic"). */
function* visibleInOrder(queue: Queue, now: number, { state }: RequestContext): Generator<StoredMessage> {
  const held = new Set<string>();
  for (const [, message] of messages(state, queue).entries([queue.name], { limit: LOOK_AHEAD })) {
    const group = message.group ?? '';
    if (held.has(group)) continue;
    if (message.visible > now) held.add(group);
    else yield message;
  }
}

/** Moves a message to the dead-letter queue; when that is gone it stays where it is, unseen. */
function bury(queue: Queue, message: StoredMessage, target: string, context: RequestContext): void {
  const { state } = context;
  const dead = queueByArn(target, state);
  if (!dead) return;
  removeMessage(state, queue, message);
  addMessage(state, dead, { ...message, sequence: dead.fifo ? message.sequence : nextSequence(state, context.now().getTime()), visible: context.now().getTime(), source: message.source ?? queueArn(queue) });
  wake(context.runtime, target);
}

async function shown(message: StoredMessage, input: Sqs.ReceiveMessageRequest, context: RequestContext): Promise<Sqs.Message> {
  const attributes = selectAttributes(message.attributes, input.MessageAttributeNames ?? []);
  const system = systemAttributes(message, [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])]);
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle(message),
    MD5OfBody: message.md5,
    Body: await open(message, context),
    ...(Object.keys(system).length > 0 ? { Attributes: system } : {}),
    ...(Object.keys(attributes).length > 0 ? { MD5OfMessageAttributes: md5OfAttributes(attributes), MessageAttributes: attributes } : {}),
  };
}

function selectAttributes(all: StoredMessage['attributes'], names: readonly string[]): Record<string, Sqs.MessageAttributeValue> {
  const wanted = (name: string): boolean => names.some((pattern) => pattern === 'All' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, pattern === '.*' ? 0 : -1))));
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted(name)));
}

function systemAttributes(message: StoredMessage, names: readonly string[]): Record<string, string> {
  const all: Record<string, string | undefined> = {
    SenderId: message.senderId,
    SentTimestamp: String(message.sent),
    ApproximateReceiveCount: String(message.received),
    ApproximateFirstReceiveTimestamp: String(message.firstReceived ?? message.sent),
    SequenceNumber: message.deduplication === undefined ? undefined : sequenceNumber(message.sequence),
    MessageDeduplicationId: message.deduplication,
    MessageGroupId: message.group,
    AWSTraceHeader: message.traceHeader,
    DeadLetterQueueSourceArn: message.source,
  };
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) if (value !== undefined && (names.includes(name) || names.includes('All'))) found[name] = value;
  return found;
}

const HANDLE = 'flotilla';

/** Says which message, and in which of its receptions. */
function receiptHandle(message: StoredMessage): string {
  return Buffer.from(`${HANDLE}:${message.sequence}:${message.received}:${message.id}:${randomBytes(96).toString('base64')}`).toString('base64');
}

function parseHandle(handle: string): { sequence: number; received: number; id: string } {
  const [mark, sequence, received, id] = Buffer.from(handle, 'base64').toString('utf8').split(':');
  if (mark !== HANDLE || id === undefined) throw new AwsError('ReceiptHandleIsInvalid', `The input receipt handle "${handle}" is not a valid receipt handle.`, { status: 404 });
  return { sequence: Number(sequence), received: Number(received), id };
}

/** The message a handle means; undefined when it is gone. */
function received(queue: Queue, handle: string, context: RequestContext): { message: StoredMessage | undefined; current: boolean } {
  const { sequence, received: times, id } = parseHandle(handle);
  const message = messages(context.state, queue).get(queue.name, sequence);
  if (message?.id !== id) return { message: undefined, current: false };
  return { message, current: message.received === times };
}

export function deleteMessage(input: Sqs.DeleteMessageRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  const { message, current } = received(queue, input.ReceiptHandle, context);
  if (!message) return;
  if (queue.fifo && (!current || message.visible <= context.now().getTime()))
    throw invalidValue(`Value ${input.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`);
  removeMessage(context.state, queue, message);
  // The next of its group may go out now.
  if (queue.fifo) wake(context.runtime, queueArn(queue));
}

export function changeMessageVisibility(input: Sqs.ChangeMessageVisibilityRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  const { VisibilityTimeout: timeout } = input;
  if (timeout < 0 || timeout > 43200) throw invalidValue(`Value ${timeout} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200.`);
  const { message } = received(queue, input.ReceiptHandle, context);
  const now = context.now().getTime();
  if (!message || message.visible <= now)
    throw invalidValue(`Value ${input.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`);
  replaceMessage(context.state, queue, message, { ...message, visible: now + timeout * 1000 });
  wake(context.runtime, queueArn(queue));
}
