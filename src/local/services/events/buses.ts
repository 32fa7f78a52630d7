import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Events from '../../models/types/events.js';
import { busArn, buses, busOf, findBus, invalid, page, parseBus, rules, type BusName, type BusRecord } from './store.js';

export function createEventBus(input: Events.CreateEventBusRequest, context: RequestContext): Events.CreateEventBusResponse {
  if (input.EventSourceName !== undefined) throw new AwsError('NotImplemented', 'The local cloud has no behaviour for events:CreateEventBus of a partner event source. Nothing was changed.', { status: 501 });
  if (input.Name === 'default') throw new AwsError('ResourceAlreadyExistsException', 'Event bus default already exists.', { status: 400 });
  if (input.Name.startsWith('aws.') || input.Name.includes('/')) throw invalid(`Event bus name ${input.Name} is not valid.`);
  const all = buses(context.state, context.account, context.region);
  if (all.get(input.Name)) throw new AwsError('ResourceAlreadyExistsException', `Event bus ${input.Name} already exists.`, { status: 400 });
  const now = context.now();
  all.put(input.Name, { name: input.Name, created: now, modified: now, tags: Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key, Value])), statements: [], ...settings(input) });
  return { EventBusArn: busArn({ ...context, name: input.Name }), ...shownSettings(all.get(input.Name)!) };
}

function settings(input: Events.UpdateEventBusRequest): Partial<BusRecord> {
  return {
    ...(input.Description === undefined ? {} : { description: input.Description }), ...(input.KmsKeyIdentifier === undefined ? {} : { keyId: input.KmsKeyIdentifier }),
    ...(input.DeadLetterConfig === undefined ? {} : { deadLetter: input.DeadLetterConfig }), ...(input.LogConfig === undefined ? {} : { logging: input.LogConfig }),
  };
}

function shownSettings(bus: BusRecord): Events.UpdateEventBusResponse {
  return {
    ...(bus.description === undefined ? {} : { Description: bus.description }), ...(bus.keyId === undefined ? {} : { KmsKeyIdentifier: bus.keyId }),
    ...(bus.deadLetter === undefined ? {} : { DeadLetterConfig: bus.deadLetter }), ...(bus.logging === undefined ? {} : { LogConfig: bus.logging }),
  };
}

export function updateEventBus(input: Events.UpdateEventBusRequest, context: RequestContext): Events.UpdateEventBusResponse {
  const { bus, record } = busOf(input.Name, context);
  const changed = { ...record, ...settings(input), modified: context.now() };
  buses(context.state, bus.account, bus.region).put(bus.name, changed);
  return { Arn: busArn(bus), Name: bus.name, ...shownSettings(changed) };
}

export function deleteEventBus(input: Events.DeleteEventBusRequest, context: RequestContext): Record<string, never> {
  const bus = parseBus(input.Name, context);
  if (bus.name === 'default') throw invalid('Cannot delete event bus default.');
  if (rules(context.state, bus.account, bus.region).list(bus.name).length > 0) throw invalid(`Event bus ${bus.name} can't be deleted since it has rules.`);
  buses(context.state, bus.account, bus.region).delete(bus.name);
  return {};
}

export function describeEventBus(input: Events.DescribeEventBusRequest, context: RequestContext): Events.DescribeEventBusResponse {
  const { bus, record } = busOf(input.Name, context);
  return { ...shown(bus, record, context), ...shownSettings(record) };
}

function shown(bus: BusName, record: BusRecord, context: RequestContext): Events.EventBus {
  const policy = policyOf(record);
  return {
    Name: bus.name, Arn: busArn(bus), ...(record.description ? { Description: record.description } : {}), ...(policy ? { Policy: context.runtime.principals.show(policy) } : {}),
    ...(record.created.getTime() > 0 ? { CreationTime: record.created, LastModifiedTime: record.modified } : {}),
  };
}

export function listEventBuses(input: Events.ListEventBusesRequest, context: RequestContext): Events.ListEventBusesResponse {
  const own = buses(context.state, context.account, context.region).list();
  const all = own.some(({ name }) => name === 'default') ? own : [findBus({ ...context, name: 'default' }, context)!, ...own];
  const { items, next } = page(all.filter(({ name }) => name.startsWith(input.NamePrefix ?? '')), input.NextToken, input.Limit);
  return { EventBuses: items.map((record) => shown({ account: context.account, region: context.region, name: record.name }, record, context)), ...next };
}

export function policyOf(bus: BusRecord): string | undefined {
  return bus.statements.length === 0 ? undefined : JSON.stringify({ Version: '2012-10-17', Statement: bus.statements });
}

/** One statement by its parts, or a whole policy (API reference, PutPermission). */
export function putPermission(input: Events.PutPermissionRequest, context: RequestContext): Record<string, never> {
  const { bus, record } = busOf(input.EventBusName, context);
  const statements = input.Policy === undefined ? [...record.statements.filter(({ Sid }) => Sid !== input.StatementId), statementOf(input, bus)] : statementsOf(input.Policy);
  const bound = context.runtime.principals.bind(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  if ('invalid' in bound) throw invalid(`Invalid principal in policy: ${bound.invalid}`);
  buses(context.state, bus.account, bus.region).put(bus.name, { ...record, statements: (JSON.parse(bound.document) as { Statement: Record<string, unknown>[] }).Statement, modified: context.now() });
  return {};
}

function statementOf(input: Events.PutPermissionRequest, bus: BusName): Record<string, unknown> {
  if (!input.StatementId || !input.Principal || !input.Action) throw invalid('Parameters StatementId, Action and Principal must be specified.');
  return {
    Sid: input.StatementId, Effect: 'Allow', Principal: input.Principal === '*' ? '*' : { AWS: `arn:aws:iam::${input.Principal}:root` }, Action: input.Action, Resource: busArn(bus),
    ...(input.Condition ? { Condition: { [input.Condition.Type]: { [input.Condition.Key]: input.Condition.Value } } } : {}),
  };
}

function statementsOf(text: string): Record<string, unknown>[] {
  try {
    const { Statement } = JSON.parse(text) as { Statement: Record<string, unknown> | Record<string, unknown>[] };
    return Array.isArray(Statement) ? Statement : [Statement];
  } catch {
    throw invalid('Policy is not valid JSON.');
  }
}

export function removePermission(input: Events.RemovePermissionRequest, context: RequestContext): Record<string, never> {
  const { bus, record } = busOf(input.EventBusName, context);
  if (!input.RemoveAllPermissions && !record.statements.some(({ Sid }) => Sid === input.StatementId)) throw new AwsError('ResourceNotFoundException', 'Statement with the provided id does not exist.', { status: 400 });
  buses(context.state, bus.account, bus.region).put(bus.name, { ...record, statements: input.RemoveAllPermissions ? [] : record.statements.filter(({ Sid }) => Sid !== input.StatementId), modified: context.now() });
  return {};
}
