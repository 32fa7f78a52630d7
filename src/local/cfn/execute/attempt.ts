import { isAwsError } from '../../kernel/error.js';
import { isObject, stringifyScalars, type Json, type JsonObject } from '../json.js';
import type { Scope } from '../evaluate/scope.js';
import { PlainFailure, reasonOf } from '../resources/failure.js';
import type { Created, ProviderContext, ResourceProvider } from '../resources/provider.js';
import type { Deployment, ResourceRecord, TouchRecord } from '../store/records.js';
import type { ResourceDeclaration } from '../template/model.js';
import { providerContext } from './context.js';
import type { Mailbox } from './mailbox.js';
import type { Session } from './session.js';

export interface Toucher {
  readonly session: Session;
  readonly mailbox: Mailbox;
  readonly provider: (type: string) => ResourceProvider;
}

/** Reason of a completed event that says what the completion is worth. */
const MODELLED = 'Modelled by its schema: the local cloud has no behaviour for this type';

/** Reason of a completed event in express mode (as users report it). */
export const EXPRESS = 'Resource operation completed using Express Mode. It may continue becoming available in the background.';

/** What a completed event says besides: that the operation was an express one, that the type is only modelled. */
function completionReason({ session, provider }: Toucher, type: string): string | undefined {
  const notes = [...(session.operation.express ? [EXPRESS] : []), ...(provider(type).modelled === true ? [MODELLED] : [])];
  return notes.length === 0 ? undefined : notes.join(' ');
}

/** A resource that could not be brought about; its events are written already. */
export class ResourceFailed extends PlainFailure {}

/** One attempt at one resource, and how its transitions are written: record, touch and event in one transaction each. */
export interface Attempt {
  readonly toucher: Toucher;
  readonly deployment: Deployment;
  readonly declaration: ResourceDeclaration;
  readonly scope: Scope;
  readonly before: ResourceRecord | undefined;
  /** A crash interrupted this very attempt before. */
  readonly resumed: boolean;
  readonly token: string;
}

export interface Target {
  readonly properties: JsonObject;
  readonly metadata: Json | undefined;
  readonly dependsOn: readonly string[];
  readonly deletionPolicy: ResourceRecord['deletionPolicy'];
  readonly updateReplacePolicy: ResourceRecord['updateReplacePolicy'];
}

export function contextFor({ toucher, declaration, deployment, before, token }: Attempt, onInitiated: (id: string) => void): ProviderContext {
  return providerContext(toucher.session, toucher.mailbox, { logicalId: declaration.logicalId, type: declaration.type, token, tags: deployment.tags, tagsBefore: before?.stackTags ?? [], onInitiated });
}

function recordOf(attempt: Attempt, target: Target, physicalId: string, attributes: JsonObject, status: ResourceRecord['status'], reason: string | undefined): ResourceRecord {
  const { declaration, deployment, toucher } = attempt;
  return {
    logicalId: declaration.logicalId, type: declaration.type, physicalId, status, reason, at: toucher.session.now(), properties: target.properties, attributes,
    metadata: target.metadata, dependsOn: target.dependsOn, deletionPolicy: target.deletionPolicy, updateReplacePolicy: target.updateReplacePolicy, stackTags: deployment.tags,
    modelled: toucher.provider(declaration.type).modelled === true, drift: undefined,
  };
}

export function begin(attempt: Attempt, target: Target, kind: TouchRecord['kind'], status: ResourceRecord['status'], physicalId: string, reason: string | undefined, shown: string): void {
  const { toucher, declaration, before, token } = attempt;
  const { session } = toucher;
  session.commit(() => {
    session.putResource(before ? { ...before, status, reason, at: session.now() } : recordOf(attempt, target, physicalId, {}, status, reason));
    session.store.putTouch(session.uuid, { logicalId: declaration.logicalId, kind, done: false, failed: false, undone: false, token, before, attempted: target.properties });
    session.resourceEvent({ ...declaration, physicalId }, status, reason, shown);
  });
}

export function announce(attempt: Attempt, target: Target, status: ResourceRecord['status'], physicalId: string, shown: string): void {
  const { session } = attempt.toucher;
  session.commit(() => {
    session.putResource(recordOf(attempt, target, physicalId, {}, status, 'Resource creation Initiated'));
    session.resourceEvent({ ...attempt.declaration, physicalId }, status, 'Resource creation Initiated', shown);
  });
}

export function finish(attempt: Attempt, target: Target, created: Created, status: ResourceRecord['status'], shown: string, kind: TouchRecord['kind']): void {
  const { toucher, declaration, before, token } = attempt;
  const { session } = toucher;
  session.putResource(recordOf(attempt, target, created.physicalId, created.attributes ?? {}, status, undefined));
  session.store.putTouch(session.uuid, { logicalId: declaration.logicalId, kind, done: true, failed: false, undone: false, token, before, attempted: undefined });
  session.resourceEvent({ ...declaration, physicalId: created.physicalId }, status, completionReason(toucher, declaration.type), shown);
}

/** Runs a part of an attempt; what it raises becomes the resource's failure, with AWS's reason. */
export async function failing<T>(attempt: Attempt, status: 'CREATE_FAILED' | 'UPDATE_FAILED', work: () => T | Promise<T>, physicalId: () => string = () => attempt.before?.physicalId ?? '', target?: Target, shown?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { toucher, declaration, before, token } = attempt;
    const { session } = toucher;
    if (session.runtime.signal.aborted) throw error;
    const reason = session.abort.signal.aborted ? (status === 'CREATE_FAILED' ? 'Resource creation cancelled' : 'Resource update cancelled') : reasonOf(error, token);
    if (!isAwsError(error)) session.runtime.log(`cloudformation: ${declaration.type} ${declaration.logicalId}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    session.commit(() => {
      const id = physicalId();
      const record: ResourceRecord = before
        ? { ...before, status, reason, at: session.now() }
        : recordOf(attempt, target ?? { properties: {}, metadata: undefined, dependsOn: [], deletionPolicy: 'Delete', updateReplacePolicy: 'Delete' }, id, {}, status, reason);
      session.putResource(record);
      session.store.putTouch(session.uuid, { logicalId: declaration.logicalId, kind: before ? (session.store.touch(session.uuid, declaration.logicalId)?.kind ?? 'update') : 'create', done: true, failed: true, undone: false, token, before, attempted: target?.properties });
      session.resourceEvent({ ...declaration, physicalId: id }, status, reason, shown ?? JSON.stringify(stringifyScalars(isObject(target?.properties ?? null) ? target!.properties : {})));
    });
    throw new ResourceFailed(reason);
  }
}
