import { randomUUID } from 'node:crypto';
import { table } from '../state/state.js';
import type { Runtime } from './service.js';

/** An event of a service about a change of its own. */
export interface Announcement {
  /** `codepipeline`: the principal is `codepipeline.amazonaws.com`, the source `aws.codepipeline`. */
  readonly service: string;
  readonly account: string;
  readonly region: string;
  /** What it is about. */
  readonly arn: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

interface Pending extends Announcement {
  readonly id: string;
  readonly time: Date;
}

const pending = table<Pending>('kernel', 'announcements');
const all = (runtime: Runtime) => pending(runtime.state, 'cloud', 'global');

/**
 * Notes an event for EventBridge, to be called in the transaction of the change that it tells: either both are there or neither. It is sent at once, and again by `resumeAnnouncements` when the process
 * died before EventBridge had it; the same ID keeps it from being taken twice.
 */
export function announce(runtime: Runtime, announcement: Announcement): void {
  const id = randomUUID();
  all(runtime).put(id, { ...announcement, id, time: new Date(runtime.clock.now()) });
  queueMicrotask(() => void send(runtime, id));
}

/** Sends what the last process noted and didn't send, in the order of its making. */
export function resumeAnnouncements(runtime: Runtime): void {
  const waiting = all(runtime).list().sort((a, b) => a.time.getTime() - b.time.getTime());
  for (const { id } of waiting) void send(runtime, id);
}

async function send(runtime: Runtime, id: string): Promise<void> {
  try {
    const { service, account, region, arn, detailType, detail, time } = all(runtime).get(id) ?? {};
    // The transaction that noted it was undone.
    if (service === undefined) return;
    await runtime
      .client({ principal: { kind: 'service', service: `${service}.amazonaws.com`, account: account!, sourceArn: arn! }, region: region! })
      .call('events', 'AcceptEvent', { Id: id, Entry: { Source: `aws.${service}`, DetailType: detailType, Resources: [arn], Detail: JSON.stringify(detail), Time: time } });
    all(runtime).delete(id);
  } catch (error) {
    // A stop is no end of it: the next process sends it.
    if (!runtime.signal.aborted) runtime.log(`an event was not delivered: ${error instanceof Error ? error.message : String(error)}`);
  }
}
