import { randomUUID } from 'node:crypto';
import type { Client, Runtime } from '../../kernel/service.js';
import { stringifyScalars, type Json, type JsonObject } from '../json.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { Scope, StackIdentity } from '../evaluate/scope.js';
import { makeScope } from '../evaluate/scopes.js';
import { NO_VALUE } from '../evaluate/value.js';
import { scopeOf, type Side } from '../plan/side.js';
import { attributeOf } from '../plan/values.js';
import { HandlerError } from '../resources/failure.js';
import type { Deployment, EventRecord, OperationRecord, ResourceRecord, ResourceStatus, StackRecord, StackStatus } from '../store/records.js';
import type { StackStore } from '../store/store.js';
import { loadTemplate } from '../template/load.js';
import type { Template } from '../template/model.js';
import { parameterTable } from '../template/parameters.js';
import { references } from '../template/references.js';
import { availabilityZones } from './zones.js';

/** Everything one stack operation works with. Lives as long as the process works on it; what must survive is in the store. */
export class Session {
  readonly abort = new AbortController();
  /** What stands, by logical ID: the store's records, kept in step with it. */
  readonly records = new Map<string, ResourceRecord>();
  /** The stack as this phase found it: for what doesn't change meanwhile, without reading its template anew each time. */
  readonly found: StackRecord;
  private lastEvent: number | undefined;
  private readonly templates = new Map<Deployment, Template>();
  private readonly wanted = new Map<Template, Map<string, Set<string>>>();

  constructor(
    readonly runtime: Runtime,
    readonly store: StackStore,
    public operation: OperationRecord,
    readonly client: Client,
    /** A stack that isn't in the store yet. */
    private readonly unborn?: StackRecord,
  ) {
    this.found = this.stack;
    for (const record of store.resources(operation.stackUuid)) this.records.set(record.logicalId, record);
  }

  get uuid(): string {
    return this.operation.stackUuid;
  }

  get stack(): StackRecord {
    return (this.store.stack(this.uuid) ?? this.unborn)!;
  }

  now(): Date {
    return new Date(this.runtime.clock.now());
  }

  template(deployment: Deployment): Template {
    let template = this.templates.get(deployment);
    if (!template) this.templates.set(deployment, (template = loadTemplate(deployment.templateBody, deployment.processed)));
    return template;
  }

  /** Attributes that the template's resources and outputs ask for, by logical ID. */
  wantedAttributes(deployment: Deployment): ReadonlyMap<string, ReadonlySet<string>> {
    const template = this.template(deployment);
    let wanted = this.wanted.get(template);
    if (wanted) return wanted;
    this.wanted.set(template, (wanted = new Map<string, Set<string>>()));
    const parts = [...Object.values(template.resources).map((resource) => resource.properties as Json), ...Object.values(template.outputs).map((output) => output.value)];
    for (const reference of parts.flatMap((part) => references(part))) {
      if (reference.kind !== 'attribute' || reference.attribute === undefined) continue;
      wanted.set(reference.name, (wanted.get(reference.name) ?? new Set()).add(reference.attribute));
    }
    return wanted;
  }

  scope(deployment: Deployment): Scope {
    const template = this.template(deployment);
    const { found: stack, store } = this;
    return makeScope({
      template,
      stack: identityOf(stack, deployment),
      parameters: parameterTable(template, deployment.parameters),
      exported: (name) => store.export(name)?.value,
      stackOutputs: deployment.stackOutputs,
      zones: availabilityZones,
      resources: {
        reference: (logicalId) => this.standing(logicalId).physicalId,
        attribute: (logicalId, name) => {
          const record = this.standing(logicalId);
          const value = attributeOf(record, name);
          if (record.attributes[name] === undefined && record.properties[name] === undefined) return '';
          return value;
        },
      },
    });
  }

  /** Properties as an event may show them: NoEcho parameters masked. */
  shownProperties(deployment: Deployment | undefined, logicalId: string, properties: JsonObject): string {
    if (!deployment?.parameters.some((parameter) => parameter.noEcho)) return JSON.stringify(stringifyScalars(properties));
    const template = this.template(deployment);
    const declaration = template.resources[logicalId];
    if (!declaration) return '{}';
    const side: Side = { template, parameters: deployment.parameters, tags: [], parts: { stack: identityOf(this.found, deployment), exported: () => '', stackOutputs: deployment.stackOutputs, zones: availabilityZones } };
    const scope = scopeOf(side, { reference: (id) => this.records.get(id)?.physicalId ?? '', attribute: (id, name) => (this.records.has(id) ? attributeOf(this.records.get(id)!, name) : '') }, { masked: true });
    const value = evaluate(declaration.properties, scope);
    return JSON.stringify(value === NO_VALUE ? {} : stringifyScalars(value as Json));
  }

  private standing(logicalId: string): ResourceRecord {
    const record = this.records.get(logicalId);
    if (!record || record.physicalId === '') throw new HandlerError('InternalFailure', `${logicalId} is referenced before it exists`);
    return record;
  }

  /** Writes resources, their events and whatever else belongs to one transition. */
  commit(work: () => void): void {
    this.store.transaction(work);
  }

  putResource(record: ResourceRecord): void {
    this.records.set(record.logicalId, record);
    this.store.putResource(this.uuid, record);
  }

  removeResource(logicalId: string): void {
    this.records.delete(logicalId);
    this.store.removeResource(this.uuid, logicalId);
  }

  resourceEvent(record: Pick<ResourceRecord, 'logicalId' | 'type' | 'physicalId'>, status: ResourceStatus, reason: string | undefined, properties: string | undefined): void {
    const at = this.eventTime();
    // The events of resources carry their own kind of ID (recorded: cfn-stacks-blocked-stack-deletion).
    this.event({ id: `${record.logicalId}-${status}-${at.toISOString()}`, logicalId: record.logicalId, physicalId: record.physicalId, type: record.type, status, reason, at, properties });
  }

  stackEvent(status: StackStatus, reason: string | undefined): void {
    const { found: stack } = this;
    this.event({ id: randomUUID(), logicalId: stack.name, physicalId: stack.id, type: 'AWS::CloudFormation::Stack', status, reason, at: this.eventTime(), properties: undefined });
  }

  /** Each event of a stack has a time of its own: clients sort and tell them apart by it. */
  private eventTime(): Date {
    this.lastEvent ??= this.store.events(this.uuid, 1)[0]?.[1].at.getTime() ?? 0;
    this.lastEvent = Math.max(this.runtime.clock.now(), this.lastEvent + 1);
    return new Date(this.lastEvent);
  }

  private event(event: Omit<EventRecord, 'token' | 'operationId'>): void {
    this.store.addEvent(this.uuid, { ...event, token: this.operation.token, operationId: this.operation.id });
  }

  /** The stack enters a status: record and event in one. */
  enter(status: StackStatus, reason: string | undefined, patch: Partial<StackRecord> = {}, eventReason: string | undefined = reason): void {
    this.commit(() => {
      this.store.patchStack(this.uuid, { status, statusReason: reason, ...patch });
      this.stackEvent(status, eventReason);
    });
  }

  putOperation(patch: Partial<OperationRecord>): void {
    this.operation = { ...this.operation, ...patch };
    this.store.putOperation(this.operation);
  }
}

export function identityOf(stack: Pick<StackRecord, 'account' | 'region' | 'name' | 'id'>, deployment: Pick<Deployment, 'notificationArns'>): StackIdentity {
  return { account: stack.account, region: stack.region, name: stack.name, id: stack.id, notificationArns: deployment.notificationArns };
}
