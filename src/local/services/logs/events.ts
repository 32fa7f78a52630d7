import type { RequestContext } from '../../kernel/service.js';
import type * as Logs from '../../models/types/logs.js';
import type { State } from '../../state/state.js';
import { compileFilter } from './filter.js';
import { SEQUENCE_TOKEN } from './groups.js';
import { recordMetrics } from './metrics.js';
import { events, groupOf, invalid, streamOf, streams, type LogGroup, type LogStream, type StoredEvent } from './store.js';
import { tellSubscribers } from './subscriptions.js';

const DAY = 86_400_000;
/** Bytes of a batch, each event counting 26 more than its text, and of a page of answers. */
const MAX_BATCH = 1_048_576;
const MAX_PAGE = 10_000;

export function putLogEvents(input: Logs.PutLogEventsRequest, context: RequestContext): Logs.PutLogEventsResponse {
  const group = groupOf(input, context);
  const stream = streamOf(group, input.logStreamName, context);
  const given = input.logEvents;
  checkBatch(given);
  const now = context.now().getTime();
  const { taken, rejected } = select(given, group, now);
  if (taken.length > 0) {
    const { state } = context;
    state.transaction(() => {
      const all = events(state, group);
      for (const { timestamp, message } of taken) all.put([group.name, stream.name, timestamp, nextNumber(state, now)], { message, ingested: now });
      const first = taken[0]!.timestamp;
      const last = taken.at(-1)!.timestamp;
      streams(state, group).put([group.name, stream.name], { ...stream, first: Math.min(stream.first ?? first, first), last: Math.max(stream.last ?? last, last), ingested: now });
    });
    tellSubscribers(group, stream, taken, context);
    recordMetrics(group, taken, context);
  }
  return { nextSequenceToken: SEQUENCE_TOKEN, ...(rejected ? { rejectedLogEventsInfo: rejected } : {}) };
}

function checkBatch(given: readonly Logs.InputLogEvent[]): void {
  let size = 0;
  for (let i = 0; i < given.length; i++) {
    if (i > 0 && given[i]!.timestamp < given[i - 1]!.timestamp) throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
    size += Buffer.byteLength(given[i]!.message) + 26;
  }
  if (size > MAX_BATCH) throw invalid(`Upload too large: ${size} bytes exceeds limit of ${MAX_BATCH}`);
  if (given.at(-1)!.timestamp - given[0]!.timestamp > DAY) throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
}

/** Events of the last 14 days and the next two hours are taken (API reference, PutLogEvents). */
function select(given: readonly Logs.InputLogEvent[], group: LogGroup, now: number): { taken: readonly Logs.InputLogEvent[]; rejected: Logs.RejectedLogEventsInfo | undefined } {
  const old = given.filter(({ timestamp }) => timestamp < now - 14 * DAY).length;
  const expired = given.filter(({ timestamp }) => timestamp < oldest(group, now)).length;
  const tooNew = given.findIndex(({ timestamp }) => timestamp > now + 2 * 3_600_000);
  const taken = given.slice(Math.max(old, expired), tooNew < 0 ? undefined : tooNew);
  const rejected = {
    ...(tooNew < 0 ? {} : { tooNewLogEventStartIndex: tooNew }),
    ...(old > 0 ? { tooOldLogEventEndIndex: old } : {}),
    ...(expired > 0 ? { expiredLogEventEndIndex: expired } : {}),
  };
  return { taken, rejected: Object.keys(rejected).length > 0 ? rejected : undefined };
}

/** Events before this are over their retention: they are shown to nobody. */
function oldest(group: LogGroup, now: number): number {
  return group.retention === undefined ? 0 : now - group.retention * DAY;
}

const numbers = new WeakMap<State, number>();

/** Numbers that only grow, across restarts too: the time leads. */
function nextNumber(state: State, now: number): number {
  const next = Math.max(now * 4096, (numbers.get(state) ?? 0) + 1);
  numbers.set(state, next);
  return next;
}

/** Place of an event in its stream. */
interface Place {
  readonly time: number;
  readonly number: number;
}

const eventId = ({ time, number }: Place): string => `${String(time).padStart(20, '0')}${String(number).padStart(36, '0')}`;

interface Read {
  readonly place: Place;
  readonly event: StoredEvent;
}

export function getLogEvents(input: Logs.GetLogEventsRequest, context: RequestContext): Logs.GetLogEventsResponse {
  const group = groupOf(input, context);
  const stream = streamOf(group, input.logStreamName, context);
  const limit = input.limit ?? MAX_PAGE;
  const from = Math.max(input.startTime ?? 0, oldest(group, context.now().getTime()));
  const to = input.endTime ?? Number.MAX_SAFE_INTEGER;
  const token = parseToken(input.nextToken);
  const forward = token ? token.forward : (input.startFromHead ?? false);
  const found = forward ? readForward(group, stream, token?.place, from, to, limit, context) : readBackward(group, stream, token?.place, from, to, limit, context).reverse();
  const first = found[0]?.place ?? token?.place ?? { time: forward ? from : 0, number: 0 };
  const last = found.at(-1)?.place ?? token?.place ?? first;
  return {
    events: found.map(({ place, event }) => ({ timestamp: place.time, message: event.message, ingestionTime: event.ingested })),
    // The end of a stream is where the token that comes back is the one that was sent.
    nextForwardToken: `f/${eventId(last)}/s`,
    nextBackwardToken: `b/${eventId(first)}/s`,
  };
}

function parseToken(token: string | undefined): { forward: boolean; place: Place } | undefined {
  if (token === undefined) return undefined;
  const [, direction, time, number] = /^([fb])\/(\d{20})(\d{36})\/s$/.exec(token) ?? [];
  if (direction === undefined) throw invalid('The specified nextToken is invalid.');
  return { forward: direction === 'f', place: { time: Number(time), number: Number(number) } };
}

function readForward(group: LogGroup, stream: LogStream, after: Place | undefined, from: number, to: number, limit: number, { state }: RequestContext): Read[] {
  // A key without its number stands before all of that time.
  const key = after && after.time >= from ? [group.name, stream.name, after.time, after.number] : [group.name, stream.name, from];
  const found = events(state, group).entries([group.name, stream.name], { after: key, limit });
  return read(found).filter(({ place }) => place.time < to);
}

function readBackward(group: LogGroup, stream: LogStream, before: Place | undefined, from: number, to: number, limit: number, { state }: RequestContext): Read[] {
  const key = before && before.time < to ? [group.name, stream.name, before.time, before.number] : to === Number.MAX_SAFE_INTEGER ? undefined : [group.name, stream.name, to];
  const found = events(state, group).entries([group.name, stream.name], { reverse: true, limit, ...(key ? { after: key } : {}) });
  return read(found).filter(({ place }) => place.time >= from);
}

const read = (found: readonly (readonly [readonly (string | number)[], StoredEvent])[]): Read[] => found.map(([key, event]) => ({ place: { time: Number(key[2]), number: Number(key[3]) }, event }));

export function filterLogEvents(input: Logs.FilterLogEventsRequest, context: RequestContext): Logs.FilterLogEventsResponse {
  if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined) throw invalid('logStreamNames and logStreamNamePrefix cannot both be specified.');
  const group = groupOf(input, context);
  const matches = compileFilter(input.filterPattern ?? '');
  const from = Math.max(input.startTime ?? 0, oldest(group, context.now().getTime()));
  // Both ends of the time belong to it here, unlike in GetLogEvents.
  const to = (input.endTime ?? Number.MAX_SAFE_INTEGER - 1) + 1;
  const limit = input.limit ?? MAX_PAGE;
  const merged = mergeStreams(group, selectStreams(group, input, context), parseCursor(input.nextToken), from, to, context);
  const found: Logs.FilteredLogEvent[] = [];
  let next: string | undefined;
  for (const { place, event, stream } of merged) {
    if (found.length === limit) break;
    next = `${eventId(place)}/${stream}`;
    if (matches(event.message)) found.push({ logStreamName: stream, timestamp: place.time, message: event.message, ingestionTime: event.ingested, eventId: eventId(place) });
  }
  const more = found.length === limit && next !== undefined;
  return { events: found, searchedLogStreams: [], ...(more ? { nextToken: Buffer.from(next!).toString('base64url') } : {}) };
}

function selectStreams(group: LogGroup, input: Logs.FilterLogEventsRequest, context: RequestContext): string[] {
  if (input.logStreamNames) return [...new Set(input.logStreamNames)].map((name) => streamOf(group, name, context).name).sort();
  return streams(context.state, group).list(group.name).map(({ name }) => name).filter((name) => name.startsWith(input.logStreamNamePrefix ?? ''));
}

interface Cursor {
  readonly place: Place;
  readonly stream: string;
}

function parseCursor(token: string | undefined): Cursor | undefined {
  if (token === undefined) return undefined;
  const [, time, number, stream] = /^(\d{20})(\d{36})\/([^]*)$/.exec(Buffer.from(token, 'base64url').toString('utf8')) ?? [];
  if (stream === undefined) throw invalid('The specified nextToken is invalid.');
  return { place: { time: Number(time), number: Number(number) }, stream };
}

interface Head extends Read {
  readonly stream: string;
  readonly rest: Iterator<Read>;
}

/** Events of several streams by time and, within a millisecond, by arrival. */
function* mergeStreams(group: LogGroup, names: readonly string[], after: Cursor | undefined, from: number, to: number, context: RequestContext): Generator<Read & { stream: string }> {
  const heads: Head[] = [];
  const push = (stream: string, rest: Iterator<Read>): void => {
    const next = rest.next();
    if (!next.done) heads.push({ ...next.value, stream, rest });
  };
  // Numbers are given across streams, so a place is behind another whatever its stream.
  for (const name of names) push(name, walk(group, name, after?.place, from, to, context));
  while (heads.length > 0) {
    let least = 0;
    for (let i = 1; i < heads.length; i++) if (compare(heads[i]!.place, heads[least]!.place) < 0) least = i;
    const [head] = heads.splice(least, 1);
    yield head!;
    push(head!.stream, head!.rest);
  }
}

const compare = (a: Place, b: Place): number => a.time - b.time || a.number - b.number;

function* walk(group: LogGroup, stream: string, after: Place | undefined, from: number, to: number, context: RequestContext): Generator<Read> {
  let last = after;
  for (;;) {
    const found = readForward(group, { group: group.name, name: stream, created: 0 }, last, from, to, 200, context);
    yield* found;
    if (found.length < 200) return;
    last = found.at(-1)!.place;
  }
}
