import { randomUUID } from 'node:crypto';
import { isAwsError } from '../../kernel/error.js';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Events from '../../models/types/events.js';
import { GLOBAL, table } from '../../state/state.js';
import { matchesPattern } from '../../../shared/event-pattern.js';
import { dispatchTo } from './deliver.js';
import { findBus, invalid, parseBus, rules, type BusName } from './store.js';
import type { BusEvent } from './transform.js';

/** Quotas: a PutEvents request may have 1 MB in all. */
const MAX_BYTES = 1024 * 1024;

export function putEvents(input: Events.PutEventsRequest, context: RequestContext): Events.PutEventsResponse {
  if (input.Entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > MAX_BYTES) throw invalid('Total size of the entries in the request is over the limit.');
  const answers = input.Entries.map((entry) => putEvent(entry, context));
  return { FailedEntryCount: answers.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries: answers };
}

function sizeOf({ Source = '', DetailType = '', Detail = '', Resources = [], Time }: Events.PutEventsRequestEntry): number {
  return (Time ? 14 : 0) + [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function putEvent(entry: Events.PutEventsRequestEntry, context: RequestContext, id: string = randomUUID()): Events.PutEventsResultEntry {
  const missing = (['Source', 'DetailType', 'Detail'] as const).find((name) => !entry[name]);
  if (missing) return { ErrorCode: 'InvalidArgument', ErrorMessage: `Parameter ${missing} is not valid. Reason: ${missing} is a required argument.` };
  // User guide, "Sending events with PutEvents": sources of AWS are AWS's own.
  if (entry.Source!.startsWith('aws.') && context.principal.kind !== 'service') return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  const detail = parsed(entry.Detail!);
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  const event: BusEvent = {
    version: '0', id, 'detail-type': entry.DetailType!, source: entry.Source!, account: context.principal.account,
    time: (entry.Time ? new Date(entry.Time) : context.now()).toISOString().replace(/\.\d+Z$/, 'Z'), region: context.region, resources: entry.Resources ?? [], detail,
  };
  take(parseBus(entry.EventBusName, context), event, context);
  return { EventId: event.id };
}

/** IDs of events that services announced and that are taken, by time. */
const accepted = table<Date>('events', 'accepted');
const ACCEPTED_MS = 24 * 3_600_000;

/** What a service announces (kernel/announce.ts): taken once, however often a service that died in between tells it. */
export function acceptEvent(input: { Id: string; Entry: Events.PutEventsRequestEntry }, context: RequestContext): Record<string, never> {
  const { state } = context.runtime;
  const known = accepted(state, GLOBAL, GLOBAL);
  state.transaction(() => {
    if (known.get(input.Id)) return;
    known.put(input.Id, context.now());
    putEvent(input.Entry, context, input.Id);
  });
  return {};
}

/** Forgets IDs that nobody can announce again, and tells the notifications what the last process didn't. */
export function resumePublishing(runtime: Runtime): void {
  const known = accepted(runtime.state, GLOBAL, GLOBAL);
  runtime.state.transaction(() => {
    for (const [key, time] of known.entries()) if (time.getTime() < runtime.clock.now() - ACCEPTED_MS) known.delete(...key);
  });
  for (const { bus, event } of untold(runtime.state, GLOBAL, GLOBAL).list()) setImmediate(() => tellNotifications(runtime, bus, event));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An event from another bus: it stays what it was. */
export function forwardEvent(input: { EventBusName: string; Event: BusEvent }, context: RequestContext): Record<string, never> {
  take(parseBus(input.EventBusName, context), input.Event, context);
  return {};
}

/** An event for a bus that doesn't exist is dropped, as on AWS. */
function take(bus: BusName, event: BusEvent, context: RequestContext): void {
  if (!findBus(bus, context)) return;
  const { runtime } = context;
  const notifying = bus.name === 'default' && NOTIFYING.has(event.source);
  runtime.state.transaction(() => {
    for (const rule of rules(runtime.state, bus.account, bus.region).list(bus.name))
      if (rule.pattern !== undefined && rule.state.startsWith('ENABLED') && matchesPattern(rule.pattern, event)) dispatchTo(runtime, rule, event);
    if (notifying) untold(runtime.state, GLOBAL, GLOBAL).put(event.id, { bus, event });
  });
  if (notifying) tellNotifications(runtime, bus, event);
}

/** Sources of the Developer Tools console's notifications. */
const NOTIFYING = new Set(['aws.codepipeline', 'aws.codebuild', 'aws.codecommit', 'aws.codedeploy']);

/** Events that notification rules have not seen yet. */
const untold = table<{ readonly bus: BusName; readonly event: BusEvent }>('events', 'untold');

function tellNotifications(runtime: Runtime, bus: BusName, event: BusEvent): void {
  runtime
    .client({ principal: { kind: 'service', service: 'events.amazonaws.com', account: bus.account }, region: bus.region })
    .call('codestar-notifications', 'ReceiveEvent', { event })
    .catch((error: unknown) => {
      if (!isAwsError(error, 'NotImplemented') && !runtime.signal.aborted) runtime.log(`events: notifications of ${event['detail-type']}: ${error instanceof Error ? error.message : String(error)}`);
    })
    .then(() => void (runtime.signal.aborted || untold(runtime.state, GLOBAL, GLOBAL).delete(event.id)))
    .catch((error: unknown) => runtime.log(`events: ${String(error)}`));
}
