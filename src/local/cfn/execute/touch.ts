import { createHash } from 'node:crypto';
import { isAwsError } from '../../kernel/error.js';
import { resourceSchema } from '../../models/resources.js';
import { isObject, sameValue, type Json, type JsonObject } from '../json.js';
import { resolveDynamicReferences } from '../evaluate/dynamic.js';
import { evaluate, evaluateJson } from '../evaluate/evaluate.js';
import type { Scope } from '../evaluate/scope.js';
import { NO_VALUE } from '../evaluate/value.js';
import { differences } from '../plan/difference.js';
import { deletionPolicy, updateReplacePolicy } from '../plan/policies.js';
import { requiresRecreation } from '../plan/recreation.js';
import { PlainFailure } from '../resources/failure.js';
import type { Created, ProviderContext, ResourceProvider } from '../resources/provider.js';
import { coerceProperties, validateProperties, validationReason } from '../resources/schema.js';
import type { Deployment, ResourceRecord } from '../store/records.js';
import type { ResourceDeclaration } from '../template/model.js';
import { dependencies } from '../template/references.js';
import { announce, begin, contextFor, failing, finish, ResourceFailed, type Attempt, type Target, type Toucher } from './attempt.js';
import { fateOf } from './fate.js';
import type { Session } from './session.js';
import { deniedBy, type UpdateAction } from './stack-policy.js';

/** Brings one resource to what the deployment declares: creates, updates, replaces, or finds that nothing differs. */
export async function bringAbout(toucher: Toucher, deployment: Deployment, scope: Scope, declaration: ResourceDeclaration, wanted: boolean): Promise<void> {
  const { session } = toucher;
  const touch = session.store.touch(session.uuid, declaration.logicalId);
  const standing = session.records.get(declaration.logicalId);
  if (touch?.done) {
    if (touch.failed) throw new ResourceFailed(standing?.reason ?? 'failed before');
    return;
  }
  // What failed to be created without ever having an ID isn't there.
  const record = touch ? touch.before : standing?.physicalId === '' ? undefined : standing;
  const first: Attempt = { toucher, deployment, declaration, scope, before: record, resumed: touch !== undefined, token: touch?.token ?? tokenOf(session, declaration.logicalId) };
  const target = (await failing(first, record ? 'UPDATE_FAILED' : 'CREATE_FAILED', async () => evaluateTarget(first)))!;
  if (!record) return create(first, target);
  const before = touch ? record : { ...record, properties: sureProperties(session, record, target.properties) };
  const attempt: Attempt = { ...first, before };
  if (!wanted || (sameValue(before.properties, target.properties) && !changedOtherwise(before, target, deployment))) return settle(attempt, target);
  const replacing = mustReplace(attempt, target);
  await failing(attempt, 'UPDATE_FAILED', () => refuseByPolicy(attempt, replacing ? 'Update:Replace' : 'Update:Modify'), undefined, target);
  return replacing ? replace(attempt, target) : update(attempt, target);
}

/**
 * Properties that a resource has for certain. What an operation left half-made may lack any setting, what it left half-changed may have
 * the old value of each property or the new one: then the one that differs from what is wanted counts, so that it is set anew.
 */
function sureProperties(session: Session, record: ResourceRecord, wanted: JsonObject): JsonObject {
  if (record.status === 'CREATE_FAILED') return bare(record.type, record.properties);
  const attempted = session.operation.carried.find((touch) => touch.logicalId === record.logicalId && touch.failed && touch.kind === 'update')?.attempted;
  if (record.status !== 'UPDATE_FAILED' || attempted === undefined) return record.properties;
  const names = new Set([...Object.keys(record.properties), ...Object.keys(attempted)]);
  const value = (name: string): Json | undefined => (sameValue(attempted[name], wanted[name]) ? record.properties[name] : attempted[name]);
  return Object.fromEntries([...names].flatMap((name): [string, Json][] => (value(name) === undefined ? [] : [[name, value(name)!]])));
}

/** The stack policy's say (sentence as users report it). */
function refuseByPolicy({ toucher, declaration }: Attempt, action: UpdateAction): void {
  const { operation, stack } = toucher.session;
  const denied = deniedBy(operation.policyDuringUpdate ?? stack.policy, declaration.logicalId, declaration.type, action);
  if (denied !== undefined) {
    throw new PlainFailure(denied === 0 ? `Action denied by stack policy: no statement allows [${action}] for resource [LogicalResourceId/${declaration.logicalId}]` : `Action denied by stack policy: Statement [#${denied}] does not allow [${action}] for resource [LogicalResourceId/${declaration.logicalId}]`);
  }
}

/** Token of an attempt: the same after a crash, so that generated names are the same. */
function tokenOf(session: Session, logicalId: string): string {
  const hex = createHash('sha256').update(`${session.operation.id}/${logicalId}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function evaluateTarget({ declaration, scope, toucher }: Attempt): Target {
  const value = evaluate(declaration.properties, scope);
  return {
    properties: value === NO_VALUE ? {} : (value as JsonObject),
    metadata: declaration.metadata === undefined ? undefined : evaluateJson(declaration.metadata, scope),
    dependsOn: dependencies(declaration, toucher.session.template(toucher.session.operation.target!), scope.active, scope.condition),
    deletionPolicy: deletionPolicy(declaration, scope),
    updateReplacePolicy: updateReplacePolicy(declaration, scope),
  };
}

function changedOtherwise(record: ResourceRecord, target: Target, deployment: Deployment): boolean {
  return !sameValue(record.metadata ?? {}, target.metadata ?? {}) || JSON.stringify(record.stackTags) !== JSON.stringify(deployment.tags) || record.type === 'AWS::CloudFormation::Stack';
}

/** Nothing to do but to remember policies and dependencies. */
function settle({ toucher, before, declaration, token }: Attempt, target: Target): void {
  const { session } = toucher;
  const record = before!;
  if (
    record.deletionPolicy === target.deletionPolicy && record.updateReplacePolicy === target.updateReplacePolicy && sameValue([...record.dependsOn], [...target.dependsOn])
  ) return;
  session.commit(() => {
    session.putResource({ ...record, deletionPolicy: target.deletionPolicy, updateReplacePolicy: target.updateReplacePolicy, dependsOn: target.dependsOn });
    session.store.putTouch(session.uuid, { logicalId: declaration.logicalId, kind: 'update', done: true, failed: false, undone: true, quiet: true, token, before: record, attempted: undefined });
  });
}

async function create(attempt: Attempt, target: Target): Promise<void> {
  const { toucher, deployment, declaration } = attempt;
  const { session } = toucher;
  const shown = session.shownProperties(deployment, declaration.logicalId, target.properties);
  if (!attempt.resumed) begin(attempt, target, 'create', 'CREATE_IN_PROGRESS', '', undefined, shown);
  let physicalId = '';
  const initiated = (id: string): void => {
    if (physicalId === id) return;
    physicalId = id;
    announce(attempt, target, 'CREATE_IN_PROGRESS', id, shown);
  };
  const created = await failing(
    attempt, 'CREATE_FAILED',
    async () => {
      const made = await make(attempt, target, initiated);
      await awaitSignals(attempt, made, initiated);
      return complete(attempt, target, made);
    },
    () => physicalId, target, shown,
  );
  session.commit(() => {
    if (physicalId === '') session.resourceEvent({ ...declaration, physicalId: created.physicalId }, 'CREATE_IN_PROGRESS', 'Resource creation Initiated', shown);
    finish(attempt, target, created, 'CREATE_COMPLETE', shown, 'create');
  });
}

async function replace(attempt: Attempt, target: Target): Promise<void> {
  const { toucher, deployment, declaration, before } = attempt;
  const { session } = toucher;
  const shown = session.shownProperties(deployment, declaration.logicalId, target.properties);
  if (!attempt.resumed) begin(attempt, target, 'replace', 'UPDATE_IN_PROGRESS', before!.physicalId, 'Requested update requires the creation of a new physical resource; hence creating one.', shown);
  let physicalId = '';
  const initiated = (id: string): void => {
    if (physicalId === id) return;
    physicalId = id;
    session.commit(() => {
      session.resourceEvent({ ...declaration, physicalId: id }, 'UPDATE_IN_PROGRESS', 'Resource creation Initiated', shown);
      // Should it fail halfway, what was made of it goes in the clean-up.
      session.store.putObsolete(session.uuid, { resource: { ...before!, ...target, physicalId: id, attributes: {} }, fate: 'delete' });
    });
  };
  const created = await failing(
    attempt, 'UPDATE_FAILED',
    async () => {
      refuseSameName(attempt, target);
      return complete(attempt, target, await make(attempt, target, initiated));
    },
    () => before!.physicalId, target, shown,
  );
  session.commit(() => {
    if (physicalId === '') session.resourceEvent({ ...declaration, physicalId: created.physicalId }, 'UPDATE_IN_PROGRESS', 'Resource creation Initiated', shown);
    session.store.removeObsolete(session.uuid, { ...before!, physicalId: created.physicalId });
    session.store.putObsolete(session.uuid, { resource: before!, fate: fateOf(target.updateReplacePolicy) });
    finish(attempt, target, created, 'UPDATE_COMPLETE', shown, 'replace');
  });
}

async function update(attempt: Attempt, target: Target): Promise<void> {
  const { toucher, deployment, declaration, before } = attempt;
  const { session } = toucher;
  const shown = session.shownProperties(deployment, declaration.logicalId, target.properties);
  if (!attempt.resumed) begin(attempt, target, 'update', 'UPDATE_IN_PROGRESS', before!.physicalId, undefined, shown);
  const provider = toucher.provider(declaration.type);
  // What isn't valid is never sent, and nothing of it has to be put back: the attempt counts as none.
  const needed = needsCall(before!, target, deployment);
  const properties = needed ? await failing(attempt, 'UPDATE_FAILED', () => usable(attempt, target), () => before!.physicalId, undefined, shown) : {};
  const result: Created = await failing(
    attempt, 'UPDATE_FAILED',
    async () => {
      if (!needed) return { physicalId: before!.physicalId };
      const old = await resolvedOrKept(before!.properties, session);
      const changed = (await provider.update!(before!.physicalId, coerceProperties(declaration.type, old), properties, contextFor(attempt, () => undefined))) ?? {};
      return complete(attempt, target, { physicalId: changed.physicalId ?? before!.physicalId, attributes: { ...before!.attributes, ...changed.attributes } });
    },
    () => before!.physicalId, target, shown,
  );
  const { physicalId } = result;
  session.commit(() => {
    // Another physical ID is another resource (custom resources): the old one goes in the clean-up.
    if (physicalId !== before!.physicalId) {
      session.resourceEvent({ ...declaration, physicalId }, 'UPDATE_IN_PROGRESS', 'Requested update required the provider to create a new physical resource', shown);
      session.store.putObsolete(session.uuid, { resource: before!, fate: fateOf(target.updateReplacePolicy) });
    }
    finish(attempt, target, { physicalId, attributes: result.attributes ?? before!.attributes }, 'UPDATE_COMPLETE', shown, physicalId === before!.physicalId ? 'update' : 'replace');
  });
}

function needsCall(before: ResourceRecord, target: Target, deployment: Deployment): boolean {
  return !sameValue(before.properties, target.properties) || JSON.stringify(before.stackTags) !== JSON.stringify(deployment.tags) || before.type === 'AWS::CloudFormation::Stack';
}

/** A CreationPolicy holds the resource in progress until its signals have come (user guide: "CreationPolicy attribute"). */
async function awaitSignals(attempt: Attempt, made: Created, initiated: (id: string) => void): Promise<void> {
  const policy = attempt.declaration.creationPolicy === undefined ? undefined : evaluateJson(attempt.declaration.creationPolicy, attempt.scope);
  const wanted = isObject(policy ?? null) ? (policy as JsonObject)['ResourceSignal'] : undefined;
  if (!isObject(wanted ?? null)) return;
  initiated(made.physicalId);
  const count = Number((wanted as JsonObject)['Count'] ?? 1);
  const signals = await contextFor(attempt, initiated).stacks.signals(`${attempt.toucher.session.uuid}.${attempt.declaration.logicalId}.wait`, count, duration(String((wanted as JsonObject)['Timeout'] ?? 'PT5M')));
  if (!signals) throw new PlainFailure(`Failed to receive ${count} resource signal(s) within the specified duration`);
  const failures = signals.filter((signal) => signal.status === 'FAILURE').length;
  if (failures > 0) throw new PlainFailure(`Received ${failures} FAILURE signal(s) out of ${count}. Unable to satisfy 100% MinSuccessfulInstancesPercent requirement`);
}

/** ISO 8601 duration (`PT1H30M`) in milliseconds. */
function duration(text: string): number {
  const match = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(text);
  if (!match) throw new PlainFailure(`Timeout ${text} of the CreationPolicy is not a duration`);
  return ((Number(match[1] ?? 0) * 60 + Number(match[2] ?? 0)) * 60 + Number(match[3] ?? 0)) * 1000;
}

/** Attributes that the template asks for and the provider didn't name are read from the resource, as AWS reads all of them. */
async function complete(attempt: Attempt, target: Target, made: Created): Promise<Created> {
  const { toucher, declaration, deployment } = attempt;
  const provider = toucher.provider(declaration.type);
  const wanted = [...(toucher.session.wantedAttributes(deployment).get(declaration.logicalId) ?? [])].filter((name) => made.attributes?.[name] === undefined && target.properties[name] === undefined);
  if (wanted.length === 0 || !provider.read || declaration.type.startsWith('Custom::')) return made;
  const model = await provider.read(made.physicalId, contextFor(attempt, () => undefined));
  const found = wanted.flatMap((name): [string, Json][] => (model?.[name] === undefined ? [] : [[name, model[name]]]));
  return { ...made, attributes: { ...made.attributes, ...Object.fromEntries(found) } };
}

/** Calls the provider's `create`, unless an attempt that a crash interrupted got that far already. */
async function make(attempt: Attempt, target: Target, initiated: (id: string) => void): Promise<Created> {
  const { toucher, declaration } = attempt;
  const provider = toucher.provider(declaration.type);
  const properties = await usable(attempt, target);
  const context = contextFor(attempt, initiated);
  if (attempt.resumed) {
    const found = await recovered(provider, properties, context);
    if (found) return found;
  }
  return provider.create(properties, context);
}

async function recovered(provider: ResourceProvider, properties: JsonObject, context: ProviderContext): Promise<Created | undefined> {
  if (provider.recover) return provider.recover(properties, context);
  const physicalId = provider.identify?.(properties, context);
  if (physicalId === undefined || !provider.read) return undefined;
  const model = await provider.read(physicalId, context);
  if (model === undefined) return undefined;
  context.initiated(physicalId);
  // Make the settings complete: the crash may have come between two calls, so none of them counts as made.
  if (provider.update) await provider.update(physicalId, bare(context.type, properties), properties, context);
  return { physicalId, attributes: (await provider.attributes?.(physicalId, properties, context)) ?? model };
}

/** What a resource can't be without: its required and create-only properties. */
function bare(type: string, properties: JsonObject): JsonObject {
  const schema = resourceSchema(type);
  const kept = new Set([...(schema?.required ?? []), ...(schema?.createOnlyProperties ?? []).map((pointer) => pointer.split('/')[2]!)]);
  return Object.fromEntries(Object.entries(properties).filter(([name]) => kept.has(name)));
}

/** Properties as the provider gets them: dynamic references resolved, scalars of the schema's types, checked against the schema. */
async function usable({ toucher, declaration }: Attempt, target: Target): Promise<JsonObject> {
  const resolved = (await resolveDynamicReferences(target.properties, toucher.session.client)) as JsonObject;
  const properties = coerceProperties(declaration.type, resolved);
  const violations = validateProperties(declaration.type, properties, toucher.provider(declaration.type).modelled === true);
  if (violations.length > 0) throw new PlainFailure(validationReason(declaration.logicalId, violations));
  return properties;
}

async function resolvedOrKept(properties: JsonObject, session: Session): Promise<JsonObject> {
  try {
    return (await resolveDynamicReferences(properties, session.client)) as JsonObject;
  } catch (error) {
    if (isAwsError(error)) return properties;
    throw error;
  }
}

function mustReplace({ toucher, declaration, before }: Attempt, target: Target): boolean {
  const provider = toucher.provider(declaration.type);
  const changed = differences(before!.properties, target.properties);
  if (changed.length > 0 && provider.update === undefined) return true;
  return changed.some((difference) => requiresRecreation(declaration.type, difference.path, false) === 'Always');
}

/** A name of one's own can't be given to two resources at once (user guide: "Name type"). */
function refuseSameName(attempt: Attempt, target: Target): void {
  const { toucher, declaration, before } = attempt;
  const provider = toucher.provider(declaration.type);
  const context = contextFor(attempt, () => undefined);
  const next = provider.identify?.(coerceProperties(declaration.type, target.properties), context);
  if (next === undefined || next !== before!.physicalId) return;
  throw new PlainFailure(`CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename ${before!.physicalId} and update the stack again.`);
}
