import { isAwsError } from '../../kernel/error.js';
import type { JsonObject } from '../json.js';
import { resolveDynamicReferences } from '../evaluate/dynamic.js';
import { PlainFailure, reasonOf } from '../resources/failure.js';
import type { ProviderContext } from '../resources/provider.js';
import { coerceProperties } from '../resources/schema.js';
import type { Fate, ResourceRecord } from '../store/records.js';
import { providerContext } from './context.js';
import { PARALLEL } from './forward.js';
import { schedule } from './scheduler.js';
import { EXPRESS, ResourceFailed, type Toucher } from './attempt.js';

export interface Removal {
  readonly resource: ResourceRecord;
  readonly fate: Fate;
  /** The record of the stack goes with it (otherwise another physical resource has taken the logical ID). */
  readonly forget: boolean;
}

export interface RemoveOptions {
  /** Deleted stacks go on showing what they had. */
  readonly keepRecords: boolean;
  /** What can't be deleted is left behind (FORCE_DELETE_STACK). */
  readonly force: boolean;
  readonly onRemoved?: (resource: ResourceRecord) => void;
}

/** Deletes physical resources, dependents first. Answers the logical IDs that could not be deleted; the others are gone. */
export async function removeAll(toucher: Toucher, removals: readonly Removal[], options: RemoveOptions): Promise<string[]> {
  const key = (resource: ResourceRecord): string => `${resource.logicalId}\n${resource.physicalId}`;
  const byKey = new Map(removals.map((removal) => [key(removal.resource), removal]));
  const keysOf = new Map<string, string[]>();
  for (const { resource } of removals) keysOf.set(resource.logicalId, [...(keysOf.get(resource.logicalId) ?? []), key(resource)]);
  const dependents = new Map<string, string[]>();
  for (const { resource } of removals) {
    for (const needed of resource.dependsOn) for (const neededKey of keysOf.get(needed) ?? []) dependents.set(neededKey, [...(dependents.get(neededKey) ?? []), key(resource)]);
  }
  const failures = await schedule({
    nodes: [...byKey.keys()].reverse(),
    after: (node) => dependents.get(node) ?? [],
    parallel: PARALLEL,
    halted: () => toucher.session.runtime.signal.aborted,
    run: (node) => removeOne(toucher, byKey.get(node)!, options),
  });
  const unexpected = failures.find((failure) => !(failure.error instanceof ResourceFailed));
  if (unexpected) throw unexpected.error;
  return failures.map((failure) => failure.node.split('\n')[0]!);
}

async function removeOne(toucher: Toucher, removal: Removal, options: RemoveOptions): Promise<void> {
  const { session } = toucher;
  const { resource } = removal;
  const shown = shownOf(toucher, resource);
  if (removal.fate === 'retain') return skip(toucher, removal, options, shown);
  let note = session.operation.express ? EXPRESS : undefined;
  if (resource.physicalId !== '') {
    session.commit(() => {
      if (removal.forget) session.putResource({ ...resource, status: 'DELETE_IN_PROGRESS', reason: undefined, at: session.now() });
      session.resourceEvent(resource, 'DELETE_IN_PROGRESS', undefined, shown);
    });
    try {
      if (removal.fate === 'snapshot') note = await takeSnapshot(toucher, resource);
      await callDelete(toucher, resource);
    } catch (error) {
      if (session.runtime.signal.aborted) throw error;
      if (!isAwsError(error)) session.runtime.log(`cloudformation: delete ${resource.type} ${resource.logicalId}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      const reason = reasonOf(error, session.operation.id);
      session.commit(() => {
        if (removal.forget) session.putResource({ ...resource, status: 'DELETE_FAILED', reason, at: session.now() });
        session.resourceEvent(resource, 'DELETE_FAILED', reason, shown);
      });
      if (options.force) return skip(toucher, removal, options, shown);
      throw new ResourceFailed(reason);
    }
  }
  session.commit(() => {
    if (removal.forget) forget(toucher, resource, 'DELETE_COMPLETE', options);
    options.onRemoved?.(resource);
    session.resourceEvent(resource, 'DELETE_COMPLETE', note, shown);
  });
}

function skip({ session, ...rest }: Toucher, removal: Removal, options: RemoveOptions, shown: string): void {
  session.commit(() => {
    if (removal.forget) forget({ session, ...rest }, removal.resource, 'DELETE_SKIPPED', options);
    options.onRemoved?.(removal.resource);
    session.resourceEvent(removal.resource, 'DELETE_SKIPPED', undefined, shown);
  });
}

function forget({ session }: Toucher, resource: ResourceRecord, status: ResourceRecord['status'], options: RemoveOptions): void {
  if (options.keepRecords) session.putResource({ ...resource, status, reason: undefined, at: session.now() });
  else session.removeResource(resource.logicalId);
}

function shownOf({ session }: Toucher, resource: ResourceRecord): string {
  const deployment = session.operation.previous ?? session.operation.target ?? session.found.deployment;
  return session.shownProperties(deployment, resource.logicalId, resource.properties);
}

/** A policy `Snapshot` keeps the data and lets the resource go. Answers what the event says of it. */
async function takeSnapshot(toucher: Toucher, resource: ResourceRecord): Promise<string> {
  const provider = toucher.provider(resource.type);
  if (!provider.snapshot) throw new PlainFailure(`The local cloud takes no snapshots of ${resource.type}: retain ${resource.logicalId} or delete it.`);
  return provider.snapshot(resource.physicalId, coerceProperties(resource.type, resource.properties), contextOf(toucher, resource));
}

function contextOf({ session, mailbox }: Toucher, resource: ResourceRecord): ProviderContext {
  return providerContext(session, mailbox, {
    logicalId: resource.logicalId, type: resource.type, token: session.operation.id, tags: resource.stackTags, tagsBefore: resource.stackTags, onInitiated: () => undefined,
  });
}

async function callDelete(toucher: Toucher, resource: ResourceRecord): Promise<void> {
  const { session } = toucher;
  const context = contextOf(toucher, resource);
  let properties = resource.properties;
  try {
    properties = (await resolveDynamicReferences(properties, session.client)) as JsonObject;
  } catch (error) {
    // A secret that is gone must not keep the resource from being deleted.
    if (!isAwsError(error)) throw error;
  }
  await toucher.provider(resource.type).delete(resource.physicalId, coerceProperties(resource.type, properties), context);
}
