import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { validatePolicy } from '../../iam/index.js';
import { parseArn } from '../../kernel/arn.js';
import { invalidValue, messages, queueArn, queueByArn, type Queue } from './store.js';

/** Defaults (SQS API reference, CreateQueue; message sizes up to 1 MiB since August 2025). */
const DEFAULTS: Readonly<Record<string, string>> = { VisibilityTimeout: '30', DelaySeconds: '0', ReceiveMessageWaitTimeSeconds: '0', MaximumMessageSize: '1048576', MessageRetentionPeriod: '345600' };
const FIFO_DEFAULTS: Readonly<Record<string, string>> = { FifoQueue: 'true', ContentBasedDeduplication: 'false', DeduplicationScope: 'queue', FifoThroughputLimit: 'perQueue' };

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  VisibilityTimeout: [0, 43200],
  DelaySeconds: [0, 900],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  MaximumMessageSize: [1024, 1048576],
  MessageRetentionPeriod: [60, 1209600],
  KmsDataKeyReusePeriodSeconds: [60, 86400],
};
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  ContentBasedDeduplication: ['true', 'false'],
  DeduplicationScope: ['queue', 'messageGroup'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
  SqsManagedSseEnabled: ['true', 'false'],
};
const FIFO_ONLY: ReadonlySet<string> = new Set(['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit']);
const READ_ONLY: ReadonlySet<string> = new Set(['QueueArn', 'CreatedTimestamp', 'LastModifiedTimestamp', 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed']);
const FREE: ReadonlySet<string> = new Set(['KmsMasterKeyId', 'RedrivePolicy', 'RedriveAllowPolicy', 'Policy', 'FifoQueue']);

/** A number of the queue, set or default. */
export function numberOf(queue: Queue, name: string): number {
  return Number(queue.attributes[name] ?? DEFAULTS[name] ?? (name === 'KmsDataKeyReusePeriodSeconds' ? 300 : 0));
}

/** The queue with attributes set. Raises InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue. */
export function withAttributes(queue: Queue, given: Readonly<Record<string, string>>, context: RequestContext): Queue {
  let result: Queue = { ...queue, attributes: { ...queue.attributes } };
  for (const [name, value] of Object.entries(given)) {
    if (READ_ONLY.has(name) || !(name in RANGES || name in CHOICES || FREE.has(name)) || (FIFO_ONLY.has(name) && !queue.fifo)) throw unknown(name);
    if (name === 'FifoQueue') {
      if (value !== 'true') throw invalid(name);
      continue;
    }
    check(queue, name, value, context);
    if (name === 'Policy') result = withPolicy(result, value, context);
    else {
      const { [name]: _, ...others } = result.attributes;
      result = { ...result, attributes: value === '' ? others : { ...others, [name]: value } };
      // Managed keys and KMS exclude each other: setting one ends the other.
      if (name === 'KmsMasterKeyId' && value !== '') result = { ...result, attributes: { ...result.attributes, SqsManagedSseEnabled: 'false' } };
      if (name === 'SqsManagedSseEnabled' && value === 'true' && given['KmsMasterKeyId']) throw invalidValue('You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.');
    }
  }
  if (result.attributes['FifoThroughputLimit'] === 'perMessageGroupId' && result.attributes['DeduplicationScope'] !== 'messageGroup')
    throw invalidValue('The FifoThroughputLimit attribute can be set to perMessageGroupId only when the DeduplicationScope attribute is messageGroup.');
  return { ...result, modified: context.now() };
}

function check(queue: Queue, name: string, value: string, context: RequestContext): void {
  const range = RANGES[name];
  if (range) {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < range[0] || number > range[1]) throw invalid(name);
  } else if (CHOICES[name] && !CHOICES[name]!.includes(value)) throw invalid(name);
  else if (name === 'RedrivePolicy' && value !== '') checkRedrive(queue, value, context);
  else if (name === 'RedriveAllowPolicy' && value !== '') checkAllow(value);
}

function checkRedrive(queue: Queue, value: string, context: RequestContext): void {
  const wrong = (reason: string): AwsError => invalidValue(`Value ${value} for parameter RedrivePolicy is invalid. Reason: ${reason}`);
  const policy = parseObject(value);
  if (!policy) throw wrong('Redrive policy is not a valid JSON map.');
  const { deadLetterTargetArn: target, maxReceiveCount: max } = policy;
  if (target === undefined) throw wrong('Redrive policy does not contain mandatory attribute: deadLetterTargetArn.');
  if (max === undefined) throw wrong('Redrive policy does not contain mandatory attribute: maxReceiveCount.');
  if (!/^\d+$/.test(String(max)) || Number(max) < 1 || Number(max) > 1000) throw wrong('Invalid value for maxReceiveCount. Valid values are from 1 to 1000 both inclusive.');
  const arn = typeof target === 'string' ? parseArn(target) : undefined;
  if (arn?.service !== 'sqs') throw wrong('Invalid value for deadLetterTargetArn.');
  if (arn.region !== queue.region || arn.account !== queue.account) throw wrong('Dead letter target owner should be same as the source.');
  const dead = queueByArn(String(target), context.state);
  if (!dead) throw wrong('Dead letter target does not exist.');
  if (dead.fifo !== queue.fifo) throw wrong(`Dead-letter queue must be same type of queue as the source.`);
  if (!allows(dead, queueArn(queue))) throw wrong('Queue does not have permission to use the dead-letter queue.');
}

function checkAllow(value: string): void {
  const wrong = (reason: string): AwsError => invalidValue(`Value ${value} for parameter RedriveAllowPolicy is invalid. Reason: ${reason}`);
  const policy = parseObject(value);
  if (!policy) throw wrong('Redrive allow policy is not a valid JSON map.');
  const { redrivePermission: permission, sourceQueueArns: sources } = policy;
  if (!['allowAll', 'denyAll', 'byQueue'].includes(String(permission))) throw wrong('Invalid value for redrivePermission.');
  if ((permission === 'byQueue') !== Array.isArray(sources)) throw wrong(permission === 'byQueue' ? 'sourceQueueArns is required when redrivePermission is byQueue.' : 'sourceQueueArns must not be set unless redrivePermission is byQueue.');
  if (Array.isArray(sources) && sources.length > 10) throw wrong('Amazon SQS can\'t create the redrive allow policy. A maximum of 10 source queues is allowed.');
}

/** Whether a dead-letter queue takes messages of that source. */
function allows(queue: Queue, source: string): boolean {
  const policy = parseObject(queue.attributes['RedriveAllowPolicy'] ?? '{}') ?? {};
  if (policy['redrivePermission'] === 'denyAll') return false;
  return policy['redrivePermission'] !== 'byQueue' || (policy['sourceQueueArns'] as string[]).includes(source);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function redriveOf(queue: Queue): { target: string; max: number } | undefined {
  const policy = parseObject(queue.attributes['RedrivePolicy'] ?? '');
  return policy && { target: String(policy['deadLetterTargetArn']), max: Number(policy['maxReceiveCount']) };
}

function withPolicy(queue: Queue, text: string, context: RequestContext): Queue {
  const { policy: _, ...rest } = queue;
  if (text === '') return rest;
  if (!parseObject(text) || validatePolicy(text, 'resource') !== undefined) throw invalid('Policy');
  const bound = context.runtime.principals.bind(text);
  if ('invalid' in bound) throw invalid('Policy');
  return { ...rest, policy: bound.document };
}

/** All attributes as GetQueueAttributes shows them. */
export function shownAttributes(queue: Queue, names: readonly string[], context: RequestContext): Record<string, string> {
  const encrypted = queue.attributes['KmsMasterKeyId'] !== undefined;
  const all: Record<string, string> = {
    QueueArn: queueArn(queue),
    CreatedTimestamp: seconds(queue.created),
    LastModifiedTimestamp: seconds(queue.modified),
    ...DEFAULTS,
    ...(queue.fifo ? FIFO_DEFAULTS : {}),
    ...(encrypted ? { KmsDataKeyReusePeriodSeconds: '300' } : {}),
    SqsManagedSseEnabled: String(!encrypted),
    ...queue.attributes,
    ...(queue.policy === undefined ? {} : { Policy: context.runtime.principals.show(queue.policy) }),
  };
  const wanted = new Set(names);
  if (wanted.has('All') || names.some((name) => name.startsWith('ApproximateNumber'))) Object.assign(all, counts(queue, context));
  if (wanted.has('All')) return all;
  for (const name of names) if (!(name in RANGES || name in CHOICES || FREE.has(name) || READ_ONLY.has(name))) throw unknown(name);
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
}

const seconds = (date: Date): string => String(Math.floor(date.getTime() / 1000));

function counts(queue: Queue, context: RequestContext): Record<string, string> {
  const now = context.now().getTime();
  let available = 0;
  let inFlight = 0;
  let delayed = 0;
  for (const message of messages(context.state, queue).list(queue.name)) {
    if (message.visible <= now) available++;
    else if (message.received > 0) inFlight++;
    else delayed++;
  }
  return { ApproximateNumberOfMessages: String(available), ApproximateNumberOfMessagesNotVisible: String(inFlight), ApproximateNumberOfMessagesDelayed: String(delayed) };
}

function unknown(name: string): AwsError {
  return new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`, { status: 400 });
}

function invalid(name: string): AwsError {
  return new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`, { status: 400 });
}

/** CreateQueue of a queue that is there: raises QueueNameExists for the first attribute that differs. */
export function checkSame(queue: Queue, given: Readonly<Record<string, string>>, context: RequestContext): void {
  const shown = shownAttributes(queue, ['All'], context);
  for (const [name, value] of Object.entries(given))
    if (name !== 'Policy' && shown[name] !== value && !(shown[name] === undefined && value === ''))
      throw new AwsError('QueueNameExists', `A queue already exists with the same name and a different value for attribute ${name}`, { status: 400 });
}
