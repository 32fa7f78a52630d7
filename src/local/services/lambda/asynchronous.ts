import { assumeRole } from '../../kernel/assume.js';
import { parseArn } from '../../kernel/arn.js';
import { isAwsError } from '../../kernel/error.js';
import type { Client, Runtime } from '../../kernel/service.js';
import { GLOBAL, table } from '../../state/state.js';
import { poolOf } from './pool.js';
import { invokeConfigs } from './settings.js';
import { functionArn, resolve, type Resolved } from './store.js';

export interface QueuedEvent {
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly qualifier?: string;
  readonly payload: Uint8Array;
}

interface StoredEvent extends QueuedEvent {
  readonly queued: number;
  /** Invocations that were begun. */
  readonly attempts: number;
  readonly due: number;
}

/** Events that Lambda accepted and hasn't done with: they outlive a crash, and may then reach the function twice, as on AWS. */
const queue = table<StoredEvent>('lambda', 'events');
const events = (runtime: Runtime) => queue(runtime.state, GLOBAL, GLOBAL);

/** Developer guide, "Asynchronous invocation error handling": two retries, after one and two minutes, within six hours. */
const RETRY_DELAYS = [60_000, 120_000];
const MAX_AGE = 6 * 3600;
const THROTTLED_DELAY = 1000;

/** Accepts an event. Its invocation begins at once. */
export function enqueue(runtime: Runtime, event: QueuedEvent): void {
  const now = runtime.clock.now();
  const stored: StoredEvent = { ...event, queued: now, attempts: 0, due: now };
  events(runtime).put(event.requestId, stored);
  setImmediate(() => void attempt(runtime, stored));
}

/** Takes up what was accepted before the process ended. */
export function resumeEvents(runtime: Runtime): void {
  for (const event of events(runtime).list()) later(runtime, event, Math.max(0, event.due - runtime.clock.now()));
}

function later(runtime: Runtime, event: StoredEvent, ms: number): void {
  const cancel = runtime.clock.after(ms, () => void attempt(runtime, event));
  runtime.signal.addEventListener('abort', cancel, { once: true });
}

async function attempt(runtime: Runtime, event: StoredEvent): Promise<void> {
  if (runtime.signal.aborted) return;
  const { account, region, name, qualifier, requestId, payload } = event;
  try {
    const target = resolve({ state: runtime.state, account, region }, functionArn({ account, region, name }, qualifier));
    const config = invokeConfigs(runtime.state, account, region).get(name, qualifier ?? '$LATEST');
    if (runtime.clock.now() - event.queued > (config?.maxAge ?? MAX_AGE) * 1000) return await giveUp(runtime, event, target, 'EventAgeExceeded', undefined);
    const outcome = await poolOf(runtime).invoke(target, { requestId, payload, arn: target.arn });
    if (runtime.signal.aborted) return;
    const done = { ...event, attempts: event.attempts + 1 };
    if (!outcome.error) {
      events(runtime).delete(requestId);
      await tell(runtime, target, config?.destinations.OnSuccess?.Destination, record(runtime, done, target, 'Success', outcome.payload));
      return;
    }
    if (event.attempts >= (config?.retries ?? 2)) return await giveUp(runtime, done, target, 'RetriesExhausted', outcome.payload);
    postpone(runtime, done, RETRY_DELAYS[event.attempts] ?? RETRY_DELAYS.at(-1)!);
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return void events(runtime).delete(requestId);
    if (isAwsError(error, 'TooManyRequestsException')) return postpone(runtime, event, THROTTLED_DELAY);
    runtime.log(`lambda: ${name} was not invoked: ${error instanceof Error ? error.message : String(error)}`);
    if (event.attempts >= 2) events(runtime).delete(requestId);
    else postpone(runtime, { ...event, attempts: event.attempts + 1 }, RETRY_DELAYS[event.attempts]!);
  }
}

function postpone(runtime: Runtime, event: StoredEvent, ms: number): void {
  const stored = { ...event, due: runtime.clock.now() + ms };
  events(runtime).put(event.requestId, stored);
  later(runtime, stored, ms);
}

async function giveUp(runtime: Runtime, event: StoredEvent, target: Resolved, condition: string, response: Uint8Array | undefined): Promise<void> {
  events(runtime).delete(event.requestId);
  const config = invokeConfigs(runtime.state, event.account, event.region).get(event.name, event.qualifier ?? '$LATEST');
  await tell(runtime, target, config?.destinations.OnFailure?.Destination, record(runtime, event, target, condition, response));
  const queueArn = target.version.given.DeadLetterConfig?.TargetArn;
  if (queueArn) await tell(runtime, target, queueArn, Buffer.from(event.payload).toString('utf8'), {
    RequestID: event.requestId, ErrorCode: '200', ErrorMessage: errorMessage(response).slice(0, 1024),
  });
}

function errorMessage(response: Uint8Array | undefined): string {
  try {
    return String((JSON.parse(Buffer.from(response ?? []).toString('utf8')) as { errorMessage?: unknown }).errorMessage ?? '');
  } catch {
    return '';
  }
}

/** Developer guide, "Capturing records of Lambda asynchronous invocations". */
function record(runtime: Runtime, event: StoredEvent, target: Resolved, condition: string, response: Uint8Array | undefined): string {
  const parse = (bytes: Uint8Array): unknown => {
    try {
      return JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch {
      return Buffer.from(bytes).toString('utf8');
    }
  };
  return JSON.stringify({
    version: '1.0',
    timestamp: new Date(runtime.clock.now()).toISOString(),
    requestContext: { requestId: event.requestId, functionArn: functionArn(target.at, target.at.qualifier ?? '$LATEST'), condition, approximateInvokeCount: event.attempts },
    requestPayload: parse(event.payload),
    ...(response ? { responseContext: { statusCode: 200, executedVersion: target.version.version, ...(condition === 'Success' ? {} : { functionError: 'Unhandled' }) }, responsePayload: parse(response) } : {}),
  });
}

/** Sends to a destination with the function's role. */
async function tell(runtime: Runtime, target: Resolved, destination: string | undefined, message: string, attributes: Record<string, string> = {}): Promise<void> {
  if (!destination) return;
  try {
    const { client } = await assumeRole(runtime, { roleArn: target.version.role, sessionName: target.version.name.padEnd(2, '_'), region: target.at.region, as: { service: 'lambda.amazonaws.com', account: target.function.account } });
    await send(runtime, client, destination, message, attributes);
  } catch (error) {
    runtime.log(`lambda: ${target.version.name} could not send to ${destination}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function send(runtime: Runtime, client: Client, destination: string, message: string, attributes: Record<string, string>): Promise<void> {
  const arn = parseArn(destination);
  const at = client.in(arn?.region ?? '');
  const typed = Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]));
  const given = Object.keys(typed).length > 0 ? { MessageAttributes: typed } : {};
  if (arn?.service === 'sqs') await at.call('sqs', 'SendMessage', { QueueUrl: `${runtime.endpoint}/${arn.account}/${arn.resource}`, MessageBody: message, ...given });
  else if (arn?.service === 'sns') await at.call('sns', 'Publish', { TopicArn: destination, Message: message, ...given });
  else if (arn?.service === 'lambda') await at.call('lambda', 'Invoke', { FunctionName: destination, InvocationType: 'Event', Payload: Buffer.from(message) });
  else if (arn?.service === 'events') {
    const { requestContext } = JSON.parse(message) as { requestContext: { functionArn: string; condition: string } };
    const Entries = [{ Source: 'lambda', DetailType: `Lambda Function Invocation Result - ${requestContext.condition === 'Success' ? 'Success' : 'Failure'}`, Resources: [destination, requestContext.functionArn], Detail: message, EventBusName: destination }];
    await at.call('events', 'PutEvents', { Entries });
  } else runtime.log(`lambda: ${destination} is no destination the local cloud knows`);
}
