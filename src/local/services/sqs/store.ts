import { AwsError } from '../../kernel/error.js';
import { parseArn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import type { MessageAttributeValue } from '../../models/types/sqs.js';
import { table, type State, type Table } from '../../state/state.js';

export interface Queue {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly fifo: boolean;
  readonly created: Date;
  readonly modified: Date;
  /** As set, by AWS's names; `Policy` is kept in `policy`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** With principals as unique IDs. */
  readonly policy?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly purged?: number;
}

export interface StoredMessage {
  readonly id: string;
  /** Orders the messages of a queue. */
  readonly sequence: number;
  /** Under the data key when there is one, else plain. */
  readonly body: string | Uint8Array;
  /** The data key as KMS gave it. */
  readonly dataKey?: Uint8Array;
  /** ARN of the queue it was sent to: what the data key's encryption context says, wherever the message is moved. */
  readonly sealedFor?: string;
  readonly md5: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly traceHeader?: string;
  readonly senderId: string;
  /** Milliseconds since the epoch, all of them. */
  readonly sent: number;
  readonly visible: number;
  readonly firstReceived?: number;
  readonly received: number;
  readonly group?: string;
  readonly deduplication?: string;
  /** ARN of the queue whose redrive policy brought it here. */
  readonly source?: string;
}

const queueTable = table<Queue>('sqs', 'queues');
const messageTable = table<StoredMessage>('sqs', 'messages');
const readyTable = table<number>('sqs', 'ready');
const knownTable = table<{ id: string; sequence: number; at: number }>('sqs', 'deduplication');
const moveTable = table<MoveTask>('sqs', 'move-tasks');

export interface MoveTask {
  readonly id: string;
  readonly source: string;
  readonly destination?: string;
  readonly perSecond?: number;
  readonly started: number;
  readonly status: 'COMPLETED' | 'FAILED';
  readonly moved: number;
  readonly toMove: number;
  readonly failure?: string;
}

export const queues = (state: State, account: string, region: string): Table<Queue> => queueTable(state, account, region);
/** By queue and sequence. */
export const messages = (state: State, queue: Queue): Table<StoredMessage> => messageTable(state, queue.account, queue.region);
/** Sequences by queue and the time they become visible; of standard queues, which have no order to keep. */
export const ready = (state: State, queue: Queue): Table<number> => readyTable(state, queue.account, queue.region);
export const knownDeduplication = (state: State, queue: Queue): Table<{ id: string; sequence: number; at: number }> => knownTable(state, queue.account, queue.region);
export const moveTasks = (state: State, account: string, region: string): Table<MoveTask> => moveTable(state, account, region);

export function queueArn(queue: Pick<Queue, 'account' | 'region' | 'name'>): string {
  return `arn:aws:sqs:${queue.region}:${queue.account}:${queue.name}`;
}

export function queueUrl(queue: Pick<Queue, 'account' | 'name'>, context: RequestContext): string {
  return `${context.runtime.endpoint}/${queue.account}/${queue.name}`;
}

/** Account and name in a queue's URL, whatever its host is; undefined when it is no URL of a queue. */
export function parseQueueUrl(url: string): { account: string; name: string } | undefined {
  const found = /^(?:https?:\/\/[^/]+)?\/?(\d{12})\/([^/?#]+)\/?$/.exec(url);
  return found ? { account: found[1]!, name: found[2]! } : undefined;
}

/** Raises QueueDoesNotExist. */
export function queueOf(url: string, context: RequestContext): Queue {
  const named = parseQueueUrl(url);
  if (!named && !/^https?:\/\//.test(url)) throw new AwsError('InvalidAddress', `The address ${url} is not valid for this endpoint.`, { status: 404 });
  const queue = named && queues(context.state, named.account, context.region).get(named.name);
  if (!queue) throw noQueue();
  return queue;
}

export function queueByArn(arn: string, state: State): Queue | undefined {
  const parts = parseArn(arn);
  return parts?.service === 'sqs' ? queues(state, parts.account, parts.region).get(parts.resource) : undefined;
}

export function noQueue(): AwsError {
  return new AwsError('QueueDoesNotExist', 'The specified queue does not exist.', { status: 400 });
}

export function saveQueue(state: State, queue: Queue): void {
  queues(state, queue.account, queue.region).put(queue.name, queue);
}

export function addMessage(state: State, queue: Queue, message: StoredMessage): void {
  state.transaction(() => {
    messages(state, queue).put([queue.name, message.sequence], message);
    if (!queue.fifo) ready(state, queue).put([queue.name, message.visible, message.sequence], message.sequence);
  });
}

export function replaceMessage(state: State, queue: Queue, before: StoredMessage, after: StoredMessage): void {
  state.transaction(() => {
    if (!queue.fifo) ready(state, queue).delete(queue.name, before.visible, before.sequence);
    addMessage(state, queue, after);
  });
}

export function removeMessage(state: State, queue: Queue, message: StoredMessage): void {
  state.transaction(() => {
    messages(state, queue).delete(queue.name, message.sequence);
    if (!queue.fifo) ready(state, queue).delete(queue.name, message.visible, message.sequence);
  });
}

const last = new WeakMap<State, number>();

/** Numbers that only grow, across restarts too: the time leads. */
export function nextSequence(state: State, now: number): number {
  const next = Math.max(now * 4096, (last.get(state) ?? 0) + 1);
  last.set(state, next);
  return next;
}

export function invalidValue(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message, { status: 400 });
}

export function missing(parameter: string): AwsError {
  return new AwsError('MissingParameter', `The request must contain the parameter ${parameter}.`, { status: 400 });
}
