import { randomUUID } from 'node:crypto';
import { assumeRole } from '../../kernel/assume.js';
import { parseArn } from '../../kernel/arn.js';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Client, RequestContext, Runtime } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { isEventPattern, matchesPattern } from '../../../shared/event-pattern.js';
import { GLOBAL, table, type State } from '../../state/state.js';
import { invokeDirectly } from './invoke.js';
import { conflict, functionArn, invalid, page, parseFunctionName, resolve } from './store.js';

interface MappingRecord {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly qualifier?: string;
  readonly source: string;
  readonly enabled: boolean;
  readonly batchSize: number;
  readonly settings: Omit<Lambda.CreateEventSourceMappingRequest, 'FunctionName' | 'EventSourceArn' | 'Enabled' | 'BatchSize' | 'Tags'>;
  readonly tags: Readonly<Record<string, string>>;
  readonly modified: Date;
}

const mappings = table<MappingRecord>('lambda', 'mappings');
/** Which mappings there are, in all accounts: the pollers' list. */
const index = table<{ account: string; region: string }>('lambda', 'mapping-index');
const pollers = new Map<string, AbortController>();

export const mappingTags = (state: State, account: string, region: string, id: string): Readonly<Record<string, string>> | undefined => mappings(state, account, region).get(id)?.tags;
export function tagMapping(state: State, account: string, region: string, id: string, tags: Record<string, string>): void {
  const found = mappings(state, account, region).get(id);
  if (found) mappings(state, account, region).put(id, { ...found, tags });
}

const isQueue = (source: string): boolean => parseArn(source)?.service === 'sqs';

function shown(mapping: MappingRecord, state?: string): Lambda.EventSourceMappingConfiguration {
  const stream = !isQueue(mapping.source);
  const { settings } = mapping;
  const defaults = stream
    ? { ParallelizationFactor: 1, BisectBatchOnFunctionError: false, MaximumRecordAgeInSeconds: -1, MaximumRetryAttempts: -1, TumblingWindowInSeconds: 0, DestinationConfig: { OnFailure: {} }, LastProcessingResult: 'The local cloud does not read streams: no record reaches the function' }
    : {};
  return {
    UUID: mapping.id, BatchSize: mapping.batchSize, MaximumBatchingWindowInSeconds: 0, EventSourceArn: mapping.source, FunctionResponseTypes: [], ...defaults, ...settings,
    FunctionArn: functionArn(mapping, mapping.qualifier), LastModified: mapping.modified, State: state ?? (mapping.enabled ? 'Enabled' : 'Disabled'), StateTransitionReason: 'USER_INITIATED',
    EventSourceMappingArn: `arn:aws:lambda:${mapping.region}:${mapping.account}:event-source-mapping:${mapping.id}`,
  } as Lambda.EventSourceMappingConfiguration;
}

export async function createEventSourceMapping(input: Lambda.CreateEventSourceMappingRequest, context: RequestContext): Promise<Lambda.EventSourceMappingConfiguration> {
  const { FunctionName, EventSourceArn, Enabled, BatchSize, Tags, ...settings } = input;
  if (!EventSourceArn) throw new AwsError('NotImplemented', 'The local cloud has no behaviour for lambda:CreateEventSourceMapping without an EventSourceArn (self-managed Kafka). Nothing was changed.', { status: 501 });
  const { at, version } = resolve(context, FunctionName);
  const source = parseArn(EventSourceArn)?.service ?? '';
  if (!['sqs', 'dynamodb', 'kinesis'].includes(source)) throw new AwsError('NotImplemented', `The local cloud has no behaviour for lambda:CreateEventSourceMapping of ${EventSourceArn}. Nothing was changed.`, { status: 501 });
  if (source !== 'sqs' && !input.StartingPosition) throw invalid('1 validation error detected: Value null at \'startingPosition\' failed to satisfy constraint: Member must not be null.');
  if (source === 'sqs' && input.StartingPosition) throw invalid('StartingPosition is not valid for SQS event sources.');
  checkFilters(input.FilterCriteria);
  const all = mappings(context.state, context.account, context.region);
  const twin = all.list().find((other) => other.source === EventSourceArn && other.name === at.name && other.qualifier === at.qualifier);
  if (twin) throw conflict(`The event source arn (" ${EventSourceArn} ") and function (" ${at.name} ") provided mapping already exists. Please update or delete the existing mapping with UUID ${twin.id}`);
  if (source === 'sqs') await checkQueue(EventSourceArn, version.role, version.timeout, context);
  const mapping: MappingRecord = {
    id: randomUUID(), account: at.account, region: at.region, name: at.name, ...(at.qualifier ? { qualifier: at.qualifier } : {}), source: EventSourceArn, enabled: Enabled ?? true,
    batchSize: BatchSize ?? (source === 'sqs' ? 10 : 100), settings, tags: { ...Tags }, modified: context.now(),
  };
  save(context.runtime, mapping);
  return shown(mapping, mapping.enabled ? 'Creating' : 'Disabled');
}

function save(runtime: Runtime, mapping: MappingRecord): void {
  runtime.state.transaction(() => {
    mappings(runtime.state, mapping.account, mapping.region).put(mapping.id, mapping);
    index(runtime.state, GLOBAL, GLOBAL).put(mapping.id, { account: mapping.account, region: mapping.region });
  });
  pollers.get(mapping.id)?.abort();
  pollers.delete(mapping.id);
  if (mapping.enabled && isQueue(mapping.source)) poll(runtime, mapping);
}

async function checkQueue(source: string, role: string, timeout: number, context: RequestContext): Promise<void> {
  const arn = parseArn(source)!;
  const url = queueUrl(context.runtime, source);
  try {
    const { client } = await assumeRole(context.runtime, { roleArn: role, sessionName: 'EventSourceMapping', region: arn.region, as: { service: 'lambda.amazonaws.com', account: context.account } });
    const { Attributes } = await client.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['All'] });
    const visible = Number(Attributes['VisibilityTimeout'] ?? 30);
    if (visible < timeout) throw invalid(`Queue visibility timeout: ${visible} seconds is less than Function timeout: ${timeout} seconds`);
    await client.call('sqs', 'ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 1, VisibilityTimeout: 0, WaitTimeSeconds: 0 });
  } catch (error) {
    if (!isAwsError(error) || error.code === 'InvalidParameterValueException') throw error;
    if (/AccessDenied/.test(error.code)) throw invalid(`The provided execution role does not have permissions to call ${/GetQueueAttributes/i.test(error.message) ? 'GetQueueAttributes' : 'ReceiveMessage'} on SQS`);
    throw invalid(`Error occurred while ReceiveMessage. SQS Error Code: ${error.code}. SQS Error Message: ${error.message}`);
  }
}

function checkFilters(criteria: Lambda.FilterCriteria | undefined): void {
  for (const { Pattern } of criteria?.Filters ?? []) if (Pattern !== undefined && !isEventPattern(Pattern)) throw invalid('Invalid filter pattern definition.');
}

function mappingOf(id: string, context: RequestContext): MappingRecord {
  const found = mappings(context.state, context.account, context.region).get(id);
  if (!found) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', { status: 404, fields: { Type: 'User' } });
  return found;
}

export function getEventSourceMapping(input: Lambda.GetEventSourceMappingRequest, context: RequestContext): Lambda.EventSourceMappingConfiguration {
  return shown(mappingOf(input.UUID, context));
}

export function updateEventSourceMapping(input: Lambda.UpdateEventSourceMappingRequest, context: RequestContext): Lambda.EventSourceMappingConfiguration {
  const { UUID, FunctionName, Enabled, BatchSize, ...settings } = input;
  const before = mappingOf(UUID, context);
  checkFilters(input.FilterCriteria);
  const at = FunctionName === undefined ? before : resolve(context, FunctionName).at;
  const { qualifier: _, ...rest } = before;
  const mapping: MappingRecord = {
    ...rest, name: at.name, ...(at.qualifier ? { qualifier: at.qualifier } : {}), enabled: Enabled ?? before.enabled, batchSize: BatchSize ?? before.batchSize,
    settings: { ...before.settings, ...settings } as MappingRecord['settings'], modified: context.now(),
  };
  save(context.runtime, mapping);
  return shown(mapping, 'Updating');
}

export function deleteEventSourceMapping(input: Lambda.DeleteEventSourceMappingRequest, context: RequestContext): Lambda.EventSourceMappingConfiguration {
  const mapping = mappingOf(input.UUID, context);
  pollers.get(mapping.id)?.abort();
  pollers.delete(mapping.id);
  mappings(context.state, mapping.account, mapping.region).delete(mapping.id);
  index(context.state, GLOBAL, GLOBAL).delete(mapping.id);
  return shown(mapping, 'Deleting');
}

export function listEventSourceMappings(input: Lambda.ListEventSourceMappingsRequest, context: RequestContext): Lambda.ListEventSourceMappingsResponse {
  const at = input.FunctionName === undefined ? undefined : parseFunctionName(input.FunctionName, context);
  const all = mappings(context.state, context.account, context.region).list().filter((mapping) => (!at || (mapping.name === at.name && mapping.qualifier === at.qualifier)) && (!input.EventSourceArn || mapping.source === input.EventSourceArn));
  const { items, next } = page(all, input.Marker, input.MaxItems);
  return { EventSourceMappings: items.map((mapping) => shown(mapping)), ...(next ? { NextMarker: next } : {}) };
}

/** Polls every queue that has a mapping. */
export function resumeMappings(runtime: Runtime): void {
  for (const [key, { account, region }] of index(runtime.state, GLOBAL, GLOBAL).entries()) {
    const mapping = mappings(runtime.state, account, region).get(...key);
    if (mapping?.enabled && isQueue(mapping.source)) poll(runtime, mapping);
  }
}

function queueUrl(runtime: Runtime, source: string): string {
  const arn = parseArn(source)!;
  return `${runtime.endpoint}/${arn.account}/${arn.resource}`;
}

const WAIT_SECONDS = 10;
const BACKOFF = 5000;

function poll(runtime: Runtime, mapping: MappingRecord): void {
  const stop = new AbortController();
  pollers.set(mapping.id, stop);
  runtime.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const again = (ms: number): void => {
    if (!stop.signal.aborted) runtime.clock.after(ms, () => void round());
  };
  const round = async (): Promise<void> => {
    if (stop.signal.aborted) return;
    try {
      again((await once(runtime, mapping, stop.signal)) ? 0 : 50);
    } catch (error) {
      if (isAwsError(error, 'ResourceNotFoundException') || stop.signal.aborted) return;
      again(BACKOFF);
    }
  };
  void round();
}

interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly Attributes?: Record<string, string>;
  readonly MessageAttributes?: Record<string, { StringValue?: string; BinaryValue?: Uint8Array; DataType: string }>;
  readonly MD5OfBody: string;
}

/** One batch: received, handled and deleted with the function's role (developer guide, "Using Lambda with Amazon SQS"). */
async function once(runtime: Runtime, mapping: MappingRecord, signal: AbortSignal): Promise<boolean> {
  const arn = parseArn(mapping.source)!;
  const { version } = resolve({ state: runtime.state, account: mapping.account, region: mapping.region }, functionArn(mapping, mapping.qualifier));
  const { client } = await assumeRole(runtime, { roleArn: version.role, sessionName: version.name.padEnd(2, '_'), region: arn.region, as: { service: 'lambda.amazonaws.com', account: mapping.account } });
  const QueueUrl = queueUrl(runtime, mapping.source);
  const received = await client.call<{ Messages?: Message[] }>('sqs', 'ReceiveMessage', {
    QueueUrl, MaxNumberOfMessages: Math.min(10, mapping.batchSize), WaitTimeSeconds: WAIT_SECONDS, AttributeNames: ['All'], MessageAttributeNames: ['All'],
  });
  const messages = received.Messages ?? [];
  if (messages.length === 0 || signal.aborted) return false;
  const records = messages.map((message) => recordOf(message, mapping, arn.region));
  const filters = mapping.settings.FilterCriteria?.Filters ?? [];
  const wanted = records.filter((record) => filters.length === 0 || filters.some(({ Pattern }) => matchesPattern(Pattern ?? '{}', { ...record, body: parsed(record.body) })));
  const failed = wanted.length === 0 ? new Set<string>() : await handle(runtime, mapping, wanted);
  await remove(client, QueueUrl, messages.filter(({ MessageId }) => !failed.has(MessageId)));
  return true;
}

async function handle(runtime: Runtime, mapping: MappingRecord, records: readonly { messageId: string }[]): Promise<Set<string>> {
  const all = new Set(records.map(({ messageId }) => messageId));
  const outcome = await invokeDirectly(runtime, mapping, { Records: records });
  if (outcome.error) return all;
  if (!mapping.settings.FunctionResponseTypes?.includes('ReportBatchItemFailures')) return new Set();
  const answer = parsed(Buffer.from(outcome.payload).toString('utf8')) as { batchItemFailures?: { itemIdentifier?: string }[] } | null;
  const failures = (answer?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier ?? '');
  // An identifier that isn't one of the batch fails the whole batch.
  return failures.some((id) => !all.has(id)) ? all : new Set(failures);
}

async function remove(client: Client, QueueUrl: string, messages: readonly Message[]): Promise<void> {
  if (messages.length > 0) await client.call('sqs', 'DeleteMessageBatch', { QueueUrl, Entries: messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })) });
}

function recordOf(message: Message, mapping: MappingRecord, region: string) {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue, BinaryValue, DataType }]) => [
        name,
        { ...(StringValue === undefined ? {} : { stringValue: StringValue }), ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }), stringListValues: [], binaryListValues: [], dataType: DataType },
      ]),
    ),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: mapping.source,
    awsRegion: region,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
