import { isAwsError } from '../../kernel/error.js';
import { stringifyScalars } from '../json.js';
import { reasonOf } from '../resources/failure.js';
import { coerceProperties } from '../resources/schema.js';
import type { ResourceRecord, TouchRecord } from '../store/records.js';
import { providerContext } from './context.js';
import { mergeTouches } from './carried.js';
import { fateOfNew } from './fate.js';
import { PARALLEL } from './forward.js';
import { schedule } from './scheduler.js';
import { ResourceFailed, type Toucher } from './attempt.js';

/**
 * Puts updated and replaced resources back to what they were before the update; what the update created becomes obsolete. Answers the
 * logical IDs that could not be put back.
 */
export async function undoUpdate(toucher: Toucher): Promise<string[]> {
  const { session } = toucher;
  const touches = new Map(mergeTouches(session.operation.carried, session.store.touches(session.uuid)).filter((touch) => !alreadyUndone(toucher, touch)).map((touch) => [touch.logicalId, touch]));
  for (const touch of session.store.touches(session.uuid)) if (touch.undone && touch.before && !touch.failed) restoreQuietly(toucher, touch);
  const failures = await schedule({
    nodes: [...touches.keys()],
    after: (logicalId) => touches.get(logicalId)?.before?.dependsOn ?? [],
    parallel: PARALLEL,
    halted: () => session.runtime.signal.aborted,
    run: (logicalId) => undoOne(toucher, touches.get(logicalId)!),
  });
  const unexpected = failures.find((failure) => !(failure.error instanceof ResourceFailed));
  if (unexpected) throw unexpected.error;
  return failures.map((failure) => failure.node);
}

/** A carried touch that was undone has a mark of this operation's. */
function alreadyUndone({ session }: Toucher, touch: TouchRecord): boolean {
  const own = session.store.touch(session.uuid, touch.logicalId);
  return own?.undone === true && own.quiet !== true;
}

async function undoOne(toucher: Toucher, touch: TouchRecord): Promise<void> {
  const { session } = toucher;
  const current = session.records.get(touch.logicalId);
  if (session.operation.skip.includes(touch.logicalId)) return restore(toucher, touch, undefined);
  if (touch.kind === 'create' || touch.kind === 'import' || !touch.before) return discard(toucher, touch, current);
  if (touch.kind === 'replace' && touch.replacedFrom === undefined) return restore(toucher, touch, current);
  if (touch.kind === 'replace') {
    session.commit(() => takeBack(toucher, touch.before!, current));
    return putBack(toucher, { ...touch, attempted: touch.replacedFrom }, touch.before);
  }
  return putBack(toucher, touch, current ?? touch.before);
}

/** A resource the update made has no place in the old stack: to be deleted in the clean-up (imported ones are just let go). */
function discard({ session }: Toucher, touch: TouchRecord, current: ResourceRecord | undefined): void {
  session.commit(() => {
    if (current && touch.kind === 'create') session.store.putObsolete(session.uuid, { resource: current, fate: fateOfNew(current, session.found) });
    if (touch.kind === 'import') session.removeResource(touch.logicalId);
    session.store.putTouch(session.uuid, { ...touch, undone: true });
  });
}

/** The old physical resource still stands: it gets its logical ID back, the new one goes. */
function restore({ session }: Toucher, touch: TouchRecord, current: ResourceRecord | undefined): void {
  const before = touch.before!;
  session.commit(() => {
    const next: ResourceRecord = { ...before, status: 'UPDATE_COMPLETE', reason: undefined, at: session.now() };
    takeBack({ session }, before, current);
    session.putResource(next);
    session.resourceEvent(next, 'UPDATE_COMPLETE', undefined, JSON.stringify(stringifyScalars(before.properties)));
    session.store.putTouch(session.uuid, { ...touch, undone: true });
  });
}

/** The old physical resource is the stack's again, the one that took its place goes. */
function takeBack({ session }: Pick<Toucher, 'session'>, before: ResourceRecord, current: ResourceRecord | undefined): void {
  session.store.removeObsolete(session.uuid, before);
  if (current && current.physicalId !== before.physicalId) session.store.putObsolete(session.uuid, { resource: current, fate: 'delete' });
  session.putResource(before);
}

function restoreQuietly({ session }: Toucher, touch: TouchRecord): void {
  const current = session.records.get(touch.logicalId);
  if (current && touch.before && current.physicalId === touch.before.physicalId && current.status === touch.before.status) session.commit(() => session.putResource(touch.before!));
}

async function putBack(toucher: Toucher, touch: TouchRecord, current: ResourceRecord): Promise<void> {
  const { session } = toucher;
  const before = touch.before!;
  const shown = JSON.stringify(stringifyScalars(before.properties));
  session.commit(() => {
    session.putResource({ ...current, status: 'UPDATE_IN_PROGRESS', reason: undefined, at: session.now() });
    session.resourceEvent(current, 'UPDATE_IN_PROGRESS', undefined, shown);
  });
  try {
    const context = providerContext(session, toucher.mailbox, {
      logicalId: before.logicalId, type: before.type, token: `${touch.token.slice(0, -1)}r`, tags: before.stackTags, tagsBefore: session.operation.target?.tags ?? [], onInitiated: () => undefined,
    });
    const result = await toucher.provider(before.type).update?.(current.physicalId, coerceProperties(before.type, touch.attempted ?? current.properties), coerceProperties(before.type, before.properties), context);
    const next: ResourceRecord = { ...before, physicalId: result?.physicalId ?? before.physicalId, status: 'UPDATE_COMPLETE', reason: undefined, at: session.now() };
    session.commit(() => {
      session.putResource(next);
      session.resourceEvent(next, 'UPDATE_COMPLETE', undefined, shown);
      session.store.putTouch(session.uuid, { ...touch, undone: true });
    });
  } catch (error) {
    if (session.runtime.signal.aborted) throw error;
    if (!isAwsError(error)) session.runtime.log(`cloudformation: rollback of ${before.type} ${before.logicalId}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    const reason = reasonOf(error, touch.token);
    session.commit(() => {
      session.putResource({ ...current, status: 'UPDATE_FAILED', reason, at: session.now() });
      session.resourceEvent(current, 'UPDATE_FAILED', reason, shown);
    });
    throw new ResourceFailed(reason);
  }
}
