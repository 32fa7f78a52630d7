import type { ObsoleteRecord, ResourceRecord, StackRecord } from '../store/records.js';
import { blockedExports, goForward, importNames } from './forward.js';
import { removeNested } from './nested.js';
import { fateOf, fateOfNew } from './fate.js';
import { removeAll, type Removal } from './remove.js';
import type { Session } from './session.js';
import type { Toucher } from './attempt.js';
import { undoUpdate } from './undo.js';

/**
 * One phase of a stack operation. Answers true when another phase follows; each ends by writing where to go on in the same transaction
 * as what it has done (user guide: "Stack status codes").
 */
export async function runPhase(toucher: Toucher): Promise<boolean> {
  switch (toucher.session.operation.phase) {
    case 'forward': return forward(toucher);
    case 'cleanup': return cleanup(toucher);
    case 'rollback': return rollback(toucher);
    case 'rollback-cleanup': return rollbackCleanup(toucher);
    case 'delete': return remove(toucher);
  }
}

async function forward(toucher: Toucher): Promise<boolean> {
  const { session } = toucher;
  await removeHalfMade(toucher);
  const outcome = await goForward(toucher);
  if (session.runtime.signal.aborted) return false;
  const { operation } = session;
  const creating = operation.kind === 'CREATE_STACK';
  if (outcome.ok) {
    if (creating) return end(session, 'CREATE_COMPLETE');
    if (operation.kind === 'IMPORT') return end(session, 'IMPORT_COMPLETE');
    session.commit(() => {
      markRemoved(session);
      session.putOperation({ phase: 'cleanup' });
      session.store.patchStack(session.uuid, { status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', statusReason: undefined });
      session.stackEvent('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', undefined);
    });
    return true;
  }
  return creating ? createFailed(session, outcome.reason) : updateFailed(session, outcome.reason);
}

function createFailed(session: Session, reason: string): boolean {
  const { onFailure, cancelled } = session.operation;
  if (onFailure === 'DO_NOTHING') return end(session, 'CREATE_FAILED', reason);
  if (onFailure === 'DELETE') return turn(session, 'delete', 'DELETE_IN_PROGRESS', cancelled ?? `${reason}Delete requested by user.`, { deletedAt: session.now() });
  return turn(session, 'rollback', 'ROLLBACK_IN_PROGRESS', `${reason}Rollback requested by user.`, { deletedAt: session.now() });
}

function updateFailed(session: Session, reason: string): boolean {
  const { operation } = session;
  if (operation.onFailure === 'DO_NOTHING' && operation.cancelled === undefined) return end(session, 'UPDATE_FAILED', reason);
  const status = operation.kind === 'IMPORT' ? 'IMPORT_ROLLBACK_IN_PROGRESS' : 'UPDATE_ROLLBACK_IN_PROGRESS';
  return turn(session, 'rollback', status, reason, {});
}

function turn(session: Session, phase: 'rollback' | 'delete', status: StackRecord['status'], reason: string, patch: Partial<StackRecord>): true {
  session.commit(() => {
    session.putOperation({ phase });
    session.store.patchStack(session.uuid, { status, statusReason: reason, ...patch });
    session.stackEvent(status, reason);
  });
  return true;
}

/** Resources the new template doesn't have any more wait for the clean-up. */
function markRemoved(session: Session): void {
  const scope = session.scope(session.operation.target!);
  for (const record of session.records.values()) {
    if (scope.active(record.logicalId)) continue;
    session.store.putObsolete(session.uuid, { resource: record, fate: fateOf(record.deletionPolicy) });
  }
}

async function cleanup(toucher: Toucher): Promise<boolean> {
  const { session } = toucher;
  await removeObsolete(toucher);
  if (session.runtime.signal.aborted) return false;
  return end(session, 'UPDATE_COMPLETE');
}

/** What operations that were left halfway made and nobody goes back to would be in the way of its like. */
async function removeHalfMade(toucher: Toucher): Promise<void> {
  const { carried } = toucher.session.operation;
  const needed = new Set(carried.map((touch) => `${touch.logicalId} ${touch.before?.physicalId ?? ''}`));
  if (carried.length > 0) await removeObsolete(toucher, (resource) => !needed.has(`${resource.logicalId} ${resource.physicalId}`));
}

async function removeObsolete(toucher: Toucher, which: (resource: ResourceRecord) => boolean = () => true): Promise<string[]> {
  const { session } = toucher;
  const removals = session.store.obsolete(session.uuid).filter(({ resource }) => which(resource)).map(({ resource, fate }: ObsoleteRecord): Removal => ({ resource, fate, forget: session.records.get(resource.logicalId)?.physicalId === resource.physicalId }));
  return removeAll(toucher, removals, { keepRecords: false, force: false, onRemoved: (resource) => session.store.removeObsolete(session.uuid, resource) });
}

async function rollback(toucher: Toucher): Promise<boolean> {
  const { session } = toucher;
  if (session.operation.previous === undefined) return rollbackCreate(toucher);
  const failed = await undoUpdate(toucher);
  if (session.runtime.signal.aborted) return false;
  const importing = session.operation.kind === 'IMPORT';
  if (failed.length > 0) {
    const reason = `The following resource(s) failed to update: [${failed.join(', ')}]. `;
    return end(session, importing ? 'IMPORT_ROLLBACK_FAILED' : 'UPDATE_ROLLBACK_FAILED', reason, { keepOperation: true });
  }
  session.commit(() => {
    const { operation } = session;
    restoreImports(session);
    session.putOperation({ phase: 'rollback-cleanup' });
    const status = importing ? 'IMPORT_ROLLBACK_IN_PROGRESS' : 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS';
    session.store.patchStack(session.uuid, { status, statusReason: undefined, deployment: operation.previous, outputs: operation.previousOutputs });
    if (!importing) session.stackEvent(status, undefined);
  });
  return true;
}

/** The imports of the old template are in force again. */
function restoreImports(session: Session): void {
  const { target, previous } = session.operation;
  const names = (deployment: typeof target): string[] => {
    if (!deployment) return [];
    try {
      return importNames(session.template(deployment), session.scope(deployment));
    } catch {
      return [];
    }
  };
  session.store.setImports(session.uuid, names(target), names(previous));
}

async function rollbackCreate(toucher: Toucher): Promise<boolean> {
  const { session } = toucher;
  const imported = new Set(session.store.touches(session.uuid).filter((touch) => touch.kind === 'import').map((touch) => touch.logicalId));
  const removals = [...session.records.values()].map((resource): Removal => ({
    resource,
    fate: imported.has(resource.logicalId) ? 'retain' : fateOfNew(resource, session.found),
    forget: true,
  }));
  const failed = await removeAll(toucher, removals, { keepRecords: false, force: false });
  if (session.runtime.signal.aborted) return false;
  const importing = session.operation.kind === 'IMPORT';
  if (failed.length > 0) return end(session, importing ? 'IMPORT_ROLLBACK_FAILED' : 'ROLLBACK_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `);
  return end(session, importing ? 'IMPORT_ROLLBACK_COMPLETE' : 'ROLLBACK_COMPLETE', undefined, { patch: { outputs: [], changeSetId: undefined } });
}

async function rollbackCleanup(toucher: Toucher): Promise<boolean> {
  const { session } = toucher;
  await removeObsolete(toucher);
  if (session.runtime.signal.aborted) return false;
  return end(session, session.operation.kind === 'IMPORT' ? 'IMPORT_ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE');
}

async function remove(toucher: Toucher): Promise<boolean> {
  const { session } = toucher;
  const { operation, stack, store } = session;
  const blocked = blockedExports(store, session.uuid, stack.outputs.flatMap((output) => output.exportName ?? []));
  if (blocked !== undefined) return cancelDelete(session, blocked);
  const removals = [...session.records.values()]
    .filter((resource) => resource.status !== 'DELETE_COMPLETE' && resource.status !== 'DELETE_SKIPPED')
    .map((resource): Removal => ({ resource, fate: operation.retain.includes(resource.logicalId) ? 'retain' : fateOf(resource.deletionPolicy), forget: true }));
  const failed = await removeAll(toucher, removals, { keepRecords: true, force: operation.force });
  if (session.runtime.signal.aborted) return false;
  if (failed.length > 0) return end(session, 'DELETE_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `);
  const imported = stack.deployment ? safeImports(session) : [];
  session.commit(() => {
    for (const output of stack.outputs) if (output.exportName !== undefined) store.removeExport(output.exportName);
    store.setImports(session.uuid, imported, []);
    for (const changeSet of store.changeSetsOf(session.uuid)) {
      removeNested(store, changeSet);
      store.unlistChangeSet(changeSet);
    }
    end(session, 'DELETE_COMPLETE', undefined, { patch: { changeSetId: undefined, deletedAt: session.now() } });
  });
  return false;
}

function safeImports(session: Session): string[] {
  try {
    return importNames(session.template(session.stack.deployment!), session.scope(session.stack.deployment!));
  } catch {
    return [];
  }
}

/** An export in use: the stack stays as it was (recorded by users: the status before, with this reason). */
function cancelDelete(session: Session, reason: string): boolean {
  const before = session.store.events(session.uuid, 50).map(([, event]) => event).find((event) => event.type === 'AWS::CloudFormation::Stack' && event.physicalId === session.stack.id && event.status !== 'DELETE_IN_PROGRESS');
  return end(session, (before?.status ?? 'CREATE_COMPLETE') as StackRecord['status'], reason, { patch: { deletedAt: undefined } });
}

function end(session: Session, status: StackRecord['status'], reason?: string, options: { keepOperation?: boolean; patch?: Partial<StackRecord> } = {}): false {
  session.commit(() => {
    const { operation } = session;
    if (status === 'UPDATE_COMPLETE' && operation.policy !== undefined) session.store.patchStack(session.uuid, { policy: operation.policy });
    const failed = status === 'UPDATE_FAILED' || status === 'CREATE_FAILED' || options.keepOperation === true;
    if (failed) session.store.endOperation(session.uuid);
    else session.store.forgetOperation(session.uuid);
    session.store.patchStack(session.uuid, { status, statusReason: reason, ...options.patch });
    finishChangeSet(session, status);
    session.stackEvent(status, reason);
  });
  return false;
}

function finishChangeSet(session: Session, status: StackRecord['status']): void {
  const { changeSetUuid } = session.operation;
  const changeSet = changeSetUuid === undefined ? undefined : session.store.changeSet(changeSetUuid);
  if (!changeSet || changeSet.executionStatus !== 'EXECUTE_IN_PROGRESS') return;
  const good = status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE' || status === 'IMPORT_COMPLETE';
  removeNested(session.store, changeSet);
  session.store.putChangeSet({ ...changeSet, executionStatus: good ? 'EXECUTE_COMPLETE' : 'EXECUTE_FAILED' });
}
