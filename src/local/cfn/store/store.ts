import { GLOBAL, table, type State } from '../../state/state.js';
import { unreachable } from '../../../shared/errors.js';
import type { ChangeSetRecord, EventRecord, ObsoleteRecord, OperationRecord, ResourceRecord, StackRecord, TouchRecord } from './records.js';

const SERVICE = 'cloudformation';
const stacks = table<StackRecord>(SERVICE, 'stacks');
const names = table<string>(SERVICE, 'names');
const resources = table<ResourceRecord>(SERVICE, 'resources');
const events = table<EventRecord>(SERVICE, 'events');
const eventCount = table<number>(SERVICE, 'event-count');
const changeSets = table<ChangeSetRecord>(SERVICE, 'change-sets');
const changeSetNames = table<string>(SERVICE, 'change-set-names');
const exportsTable = table<ExportRecord>(SERVICE, 'exports');
const imports = table<string>(SERVICE, 'imports');
const operations = table<OperationRecord>(SERVICE, 'operations');
const touches = table<TouchRecord>(SERVICE, 'touches');
const obsolete = table<ObsoleteRecord>(SERVICE, 'obsolete');
const running = table<{ account: string; region: string; uuid: string }>(SERVICE, 'running');
const tokens = table<string>(SERVICE, 'tokens');

export interface ExportRecord {
  readonly name: string;
  readonly value: string;
  readonly stackUuid: string;
  readonly stackId: string;
}

/** CloudFormation's state in one account and region. Everything is keyed: nothing here scans what it can look up. */
export class StackStore {
  constructor(readonly state: State, readonly account: string, readonly region: string) {}

  transaction<T>(work: () => T): T {
    return this.state.transaction(work);
  }

  stack(uuid: string): StackRecord | undefined {
    return stacks(this.state, this.account, this.region).get(uuid);
  }

  /** The living stack of that name. */
  named(name: string): StackRecord | undefined {
    const uuid = names(this.state, this.account, this.region).get(name);
    return uuid === undefined ? undefined : this.stack(uuid);
  }

  /** How many stacks live, counted to `most`. */
  living(most: number): number {
    return most === 0 ? 0 : names(this.state, this.account, this.region).entries([], { limit: most }).length;
  }

  /** By name (living stacks) or ARN (deleted ones too). */
  find(nameOrId: string): StackRecord | undefined {
    if (!nameOrId.startsWith('arn:')) return this.named(nameOrId);
    const uuid = nameOrId.split('/')[2];
    const stack = uuid === undefined ? undefined : this.stack(uuid);
    return stack?.id === nameOrId ? stack : undefined;
  }

  putStack(stack: StackRecord): void {
    stacks(this.state, this.account, this.region).put(stack.uuid, stack);
    if (stack.status === 'DELETE_COMPLETE') {
      const table = names(this.state, this.account, this.region);
      if (table.get(stack.name) === stack.uuid) table.delete(stack.name);
    } else names(this.state, this.account, this.region).put(stack.name, stack.uuid);
  }

  patchStack(uuid: string, patch: Partial<StackRecord>): StackRecord {
    const stack = this.stack(uuid) ?? unreachable(`stack ${uuid} is gone`);
    const next = { ...stack, ...patch };
    this.putStack(next);
    return next;
  }

  removeStack(stack: StackRecord): void {
    stacks(this.state, this.account, this.region).delete(stack.uuid);
    if (names(this.state, this.account, this.region).get(stack.name) === stack.uuid) names(this.state, this.account, this.region).delete(stack.name);
  }

  stacks(): StackRecord[] {
    return stacks(this.state, this.account, this.region).list();
  }

  resource(uuid: string, logicalId: string): ResourceRecord | undefined {
    return resources(this.state, this.account, this.region).get(uuid, logicalId);
  }

  resources(uuid: string): ResourceRecord[] {
    return resources(this.state, this.account, this.region).list(uuid);
  }

  putResource(uuid: string, resource: ResourceRecord): void {
    resources(this.state, this.account, this.region).put([uuid, resource.logicalId], resource);
  }

  removeResource(uuid: string, logicalId: string): void {
    resources(this.state, this.account, this.region).delete(uuid, logicalId);
  }

  addEvent(uuid: string, event: EventRecord): void {
    const counts = eventCount(this.state, this.account, this.region);
    const next = (counts.get(uuid) ?? 0) + 1;
    counts.put(uuid, next);
    events(this.state, this.account, this.region).put([uuid, next], event);
  }

  /** Newest first; `after` is the number of the last event already seen. */
  events(uuid: string, limit?: number, before?: number): [number, EventRecord][] {
    return events(this.state, this.account, this.region)
      .entries([uuid], { reverse: true, ...(limit === undefined ? {} : { limit }), ...(before === undefined ? {} : { after: [uuid, before] }) })
      .map(([key, event]) => [key[1] as number, event]);
  }

  changeSet(uuid: string): ChangeSetRecord | undefined {
    return changeSets(this.state, this.account, this.region).get(uuid);
  }

  changeSetNamed(stackUuid: string, name: string): ChangeSetRecord | undefined {
    const uuid = changeSetNames(this.state, this.account, this.region).get(stackUuid, name);
    return uuid === undefined ? undefined : this.changeSet(uuid);
  }

  changeSetsOf(stackUuid: string): ChangeSetRecord[] {
    return changeSetNames(this.state, this.account, this.region).list(stackUuid).flatMap((uuid) => this.changeSet(uuid) ?? []);
  }

  putChangeSet(changeSet: ChangeSetRecord): void {
    changeSets(this.state, this.account, this.region).put(changeSet.uuid, changeSet);
    changeSetNames(this.state, this.account, this.region).put([changeSet.stackUuid, changeSet.name], changeSet.uuid);
  }

  removeChangeSet(changeSet: ChangeSetRecord): void {
    changeSets(this.state, this.account, this.region).delete(changeSet.uuid);
    this.unlistChangeSet(changeSet);
  }

  /** The change set is found by ARN only from now on (its stack is gone). */
  unlistChangeSet(changeSet: ChangeSetRecord): void {
    changeSetNames(this.state, this.account, this.region).delete(changeSet.stackUuid, changeSet.name);
  }

  export(name: string): ExportRecord | undefined {
    return exportsTable(this.state, this.account, this.region).get(name);
  }

  exports(): ExportRecord[] {
    return exportsTable(this.state, this.account, this.region).list();
  }

  putExport(record: ExportRecord): void {
    exportsTable(this.state, this.account, this.region).put(record.name, record);
  }

  removeExport(name: string): void {
    exportsTable(this.state, this.account, this.region).delete(name);
  }

  /** UUIDs of the stacks that import a value. */
  importers(exportName: string): string[] {
    return imports(this.state, this.account, this.region).list(exportName);
  }

  setImports(uuid: string, before: Iterable<string>, after: Iterable<string>): void {
    const table = imports(this.state, this.account, this.region);
    const next = new Set(after);
    for (const name of before) if (!next.has(name)) table.delete(name, uuid);
    for (const name of next) table.put([name, uuid], uuid);
  }

  operation(uuid: string): OperationRecord | undefined {
    return operations(this.state, this.account, this.region).get(uuid);
  }

  putOperation(operation: OperationRecord): void {
    operations(this.state, this.account, this.region).put(operation.stackUuid, operation);
    running(this.state, GLOBAL, GLOBAL).put([this.account, this.region, operation.stackUuid], { account: this.account, region: this.region, uuid: operation.stackUuid });
  }

  /** The operation has ended: nothing to take up any more. Its touches stay until the next one, for a rollback asked for later. */
  endOperation(uuid: string): void {
    running(this.state, GLOBAL, GLOBAL).delete(this.account, this.region, uuid);
  }

  /** `keepObsolete`: what the operation would have cleaned up is left for the one that takes over from it. */
  forgetOperation(uuid: string, keepObsolete = false): void {
    operations(this.state, this.account, this.region).delete(uuid);
    for (const touch of this.touches(uuid)) touches(this.state, this.account, this.region).delete(uuid, touch.logicalId);
    if (!keepObsolete) for (const [key] of obsolete(this.state, this.account, this.region).entries([uuid])) obsolete(this.state, this.account, this.region).delete(...key);
    this.endOperation(uuid);
  }

  touch(uuid: string, logicalId: string): TouchRecord | undefined {
    return touches(this.state, this.account, this.region).get(uuid, logicalId);
  }

  touches(uuid: string): TouchRecord[] {
    return touches(this.state, this.account, this.region).list(uuid);
  }

  putTouch(uuid: string, touch: TouchRecord): void {
    touches(this.state, this.account, this.region).put([uuid, touch.logicalId], touch);
  }

  obsolete(uuid: string): ObsoleteRecord[] {
    return obsolete(this.state, this.account, this.region).list(uuid);
  }

  putObsolete(uuid: string, record: ObsoleteRecord): void {
    obsolete(this.state, this.account, this.region).put([uuid, record.resource.logicalId, record.resource.physicalId], record);
  }

  removeObsolete(uuid: string, resource: ResourceRecord): void {
    obsolete(this.state, this.account, this.region).delete(uuid, resource.logicalId, resource.physicalId);
  }

  /** Stack ARN an idempotency token led to. */
  token(operation: string, token: string): string | undefined {
    return tokens(this.state, this.account, this.region).get(operation, token);
  }

  putToken(operation: string, token: string, stackId: string): void {
    tokens(this.state, this.account, this.region).put([operation, token], stackId);
  }
}

/** Operations that were under way when the process ended, in all accounts and regions. */
export function interrupted(state: State): { account: string; region: string; uuid: string }[] {
  return running(state, GLOBAL, GLOBAL).list();
}
