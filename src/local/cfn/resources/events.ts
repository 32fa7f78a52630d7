import type { Json, JsonObject } from '../json.js';
import { sameJson } from '../json.js';
import type { Tag } from '../store/records.js';
import { alreadyExists, ignoring } from './failure.js';
import type { Properties, ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges } from './tags.js';

interface RuleProperties {
  readonly Name?: string;
  readonly EventBusName?: string;
  readonly EventPattern?: Json;
  readonly Targets?: readonly JsonObject[];
  readonly Tags?: readonly Tag[];
  readonly [name: string]: unknown;
}

const GONE = ['ResourceNotFoundException'];

const nameOf = (properties: RuleProperties, context: ProviderContext): string => properties.Name ?? context.name({ limit: 64 });
const busOf = ({ EventBusName }: RuleProperties): { EventBusName?: string } => (EventBusName === undefined ? {} : { EventBusName });

/** On another bus than the default one, `Ref` is `bus|name` (template reference, AWS::Events::Rule). */
function identifier(name: string, properties: RuleProperties): string {
  const bus = properties.EventBusName?.replace(/^.*event-bus\//, '');
  return bus === undefined || bus === 'default' ? name : `${bus}|${name}`;
}

const rule: ResourceProvider<RuleProperties> = {
  type: 'AWS::Events::Rule',
  async create(properties, context) {
    const Name = nameOf(properties, context);
    // PutRule changes a rule that stands; a stack must not take it over.
    if (properties.Name !== undefined && (await ignoring(GONE, context.client.call('events', 'DescribeRule', { Name, ...busOf(properties) })))) throw alreadyExists('AWS::Events::Rule', identifier(Name, properties));
    const Arn = await put(Name, properties, context, context.tags(properties.Tags));
    context.initiated(identifier(Name, properties));
    if (properties.Targets?.length) await target(Name, properties, context);
    return { physicalId: identifier(Name, properties), attributes: { Arn, RuleName: Name } };
  },
  async update(id, before, after, context) {
    const Name = id.slice(id.indexOf('|') + 1);
    const Arn = await put(Name, after, context);
    const kept = new Set((after.Targets ?? []).map(({ Id }) => Id));
    const Ids = (before.Targets ?? []).map(({ Id }) => Id as string).filter((each) => !kept.has(each));
    if (Ids.length > 0) await context.client.call('events', 'RemoveTargets', { Rule: Name, ...busOf(after), Ids });
    if (after.Targets?.length && !sameJson((before.Targets ?? null) as Json, after.Targets as Json)) await target(Name, after, context);
    const { add, remove } = tagChanges(context.tagsBefore(before.Tags), context.tags(after.Tags));
    if (remove.length > 0) await context.client.call('events', 'UntagResource', { ResourceARN: Arn, TagKeys: remove });
    if (add.length > 0) await context.client.call('events', 'TagResource', { ResourceARN: Arn, Tags: add });
    return { physicalId: id, attributes: { Arn, RuleName: Name } };
  },
  async delete(id, properties, context) {
    const Name = id.slice(id.indexOf('|') + 1);
    const found = await ignoring(GONE, context.client.call<{ Targets: { Id: string }[] }>('events', 'ListTargetsByRule', { Rule: Name, ...busOf(properties) }));
    if (!found) return;
    if (found.Targets.length > 0) await context.client.call('events', 'RemoveTargets', { Rule: Name, ...busOf(properties), Ids: found.Targets.map(({ Id }) => Id) });
    await context.client.call('events', 'DeleteRule', { Name, ...busOf(properties) });
  },
  async read(id, context) {
    const [bus, name] = id.includes('|') ? (id.split('|') as [string, string]) : ['default', id];
    const found = await ignoring(GONE, context.client.call<Record<string, Json>>('events', 'DescribeRule', { Name: name, EventBusName: bus }));
    if (!found) return undefined;
    const { Targets } = await context.client.call<{ Targets: JsonObject[] }>('events', 'ListTargetsByRule', { Rule: name, EventBusName: bus });
    const { CreatedBy: _, EventPattern, ...model } = found;
    return { ...model, ...(typeof EventPattern === 'string' ? { EventPattern: JSON.parse(EventPattern) as Json } : {}), Targets } as JsonObject;
  },
  identify: (properties, context) => identifier(nameOf(properties, context), properties),
  attributes: async (id, properties, { region, account }) => {
    const name = id.slice(id.indexOf('|') + 1);
    return { Arn: `arn:aws:events:${region}:${account}:rule/${identifier(name, properties).replace('|', '/')}`, RuleName: name };
  },
};

async function put(Name: string, properties: RuleProperties, { client }: ProviderContext, Tags?: Tag[]): Promise<string> {
  const { EventPattern, Targets: _targets, Tags: _tags, Name: _name, Arn: _arn, ...rest } = properties;
  const pattern = EventPattern === undefined ? {} : { EventPattern: typeof EventPattern === 'string' ? EventPattern : JSON.stringify(EventPattern) };
  const { RuleArn } = await client.call<{ RuleArn: string }>('events', 'PutRule', { Name, ...rest, ...pattern, ...(Tags ? { Tags } : {}) });
  return RuleArn;
}

async function target(Rule: string, properties: RuleProperties, { client }: ProviderContext): Promise<void> {
  await client.call('events', 'PutTargets', { Rule, ...busOf(properties), Targets: properties.Targets });
}

interface BusProperties {
  readonly Name: string;
  readonly Policy?: Json;
  readonly Tags?: readonly Tag[];
  readonly [name: string]: unknown;
}

const arnOfBus = (name: string, { region, account }: ProviderContext): string => `arn:aws:events:${region}:${account}:event-bus/${name}`;
const document = (policy: Json): string => (typeof policy === 'string' ? policy : JSON.stringify(policy));

const eventBus: ResourceProvider<BusProperties> = {
  type: 'AWS::Events::EventBus',
  async create({ Policy, Tags, ...properties }, context) {
    await context.client.call('events', 'CreateEventBus', { ...properties, Tags: context.tags(Tags) });
    if (Policy !== undefined) await context.client.call('events', 'PutPermission', { EventBusName: properties.Name, Policy: document(Policy) });
    return { physicalId: properties.Name, attributes: { Arn: arnOfBus(properties.Name, context) } };
  },
  async update(name, before, { Policy, Tags, EventSourceName: _, ...properties }, context) {
    await context.client.call('events', 'UpdateEventBus', properties);
    if (Policy !== undefined) await context.client.call('events', 'PutPermission', { EventBusName: name, Policy: document(Policy) });
    else if (before.Policy !== undefined) await context.client.call('events', 'RemovePermission', { EventBusName: name, RemoveAllPermissions: true });
    const { add, remove } = tagChanges(context.tagsBefore(before.Tags), context.tags(Tags));
    if (remove.length > 0) await context.client.call('events', 'UntagResource', { ResourceARN: arnOfBus(name, context), TagKeys: remove });
    if (add.length > 0) await context.client.call('events', 'TagResource', { ResourceARN: arnOfBus(name, context), Tags: add });
    return { physicalId: name, attributes: { Arn: arnOfBus(name, context) } };
  },
  async delete(name, _properties, context) {
    await ignoring(GONE, context.client.call('events', 'DeleteEventBus', { Name: name }));
  },
  identify: ({ Name }) => Name,
  attributes: async (name, _properties, context) => ({ Arn: arnOfBus(name, context) }),
};

interface BusPolicyProperties {
  readonly EventBusName?: string;
  readonly StatementId: string;
  readonly Statement?: Json;
  readonly [name: string]: unknown;
}

const eventBusPolicy: ResourceProvider<BusPolicyProperties> = {
  type: 'AWS::Events::EventBusPolicy',
  async create(properties, context) {
    await putStatement(properties, context);
    return { physicalId: `${properties.EventBusName ?? 'default'}|${properties.StatementId}` };
  },
  async update(id, _before, after, context) {
    await putStatement(after, context);
    return { physicalId: id };
  },
  async delete(_id, { EventBusName, StatementId }, context) {
    await ignoring(GONE, context.client.call('events', 'RemovePermission', { StatementId, ...(EventBusName ? { EventBusName } : {}) }));
  },
};

/** A whole statement joins those the bus has: the API takes it as part of the policy only. */
async function putStatement({ Statement, ...properties }: BusPolicyProperties, { client }: ProviderContext): Promise<void> {
  if (Statement === undefined) return void (await client.call('events', 'PutPermission', properties as Properties));
  const { Policy } = await client.call<{ Policy?: string }>('events', 'DescribeEventBus', properties.EventBusName ? { Name: properties.EventBusName } : {});
  const others = ((Policy ? JSON.parse(Policy) : { Statement: [] }) as { Statement: { Sid?: string }[] }).Statement.filter(({ Sid }) => Sid !== properties.StatementId);
  const own = { ...(typeof Statement === 'string' ? (JSON.parse(Statement) as object) : (Statement as object)), Sid: properties.StatementId };
  await client.call('events', 'PutPermission', { ...(properties.EventBusName ? { EventBusName: properties.EventBusName } : {}), Policy: JSON.stringify({ Version: '2012-10-17', Statement: [...others, own] }) });
}

/** AWS::Events::*. */
export const events: readonly ResourceProvider[] = [rule, eventBus, eventBusPolicy];
