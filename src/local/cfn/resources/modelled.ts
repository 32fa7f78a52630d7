import { resourceSchema, type ResourceSchema } from '../../models/resources.js';
import { table } from '../../state/state.js';
import type { Json, JsonObject } from '../json.js';
import { alreadyExists, HandlerError } from './failure.js';
import { randomText } from './names.js';
import type { Created, ProviderContext, ResourceProvider } from './provider.js';

/** What was kept of models whose policy is `Snapshot`: `flotilla cloud dump ACCOUNT REGION cloudformation snapshots`. */
const snapshots = table<JsonObject>('cloudformation', 'snapshots');
const models = table<JsonObject>('cloudformation', 'modelled');

/**
 * The provider of every type without behaviour: properties were checked against the resource schema, the model is kept, identifier and
 * attributes are formed by schema. Stacks say which of their resources are of this kind.
 */
export function modelledProvider(type: string): ResourceProvider<JsonObject> {
  return {
    type,
    modelled: true,
    async create(properties, context) {
      const { physicalId, attributes } = form(type, properties, context);
      const store = models(context.state, context.account, context.region);
      if (store.get(type, physicalId) !== undefined) throw alreadyExists(type, physicalId);
      store.put([type, physicalId], { ...attributes, ...properties });
      return { physicalId, attributes };
    },
    async update(physicalId, _before, after, context) {
      const store = models(context.state, context.account, context.region);
      const standing = store.get(type, physicalId);
      if (standing === undefined) throw new HandlerError('NotFound', `Resource of type '${type}' with identifier '${physicalId}' was not found.`);
      const readOnly = Object.fromEntries(readOnlyNames(resourceSchema(type)!).filter((name) => standing[name] !== undefined).map((name) => [name, standing[name]!]));
      store.put([type, physicalId], { ...readOnly, ...after });
    },
    async delete(physicalId, _properties, context) {
      models(context.state, context.account, context.region).delete(type, physicalId);
    },
    async read(physicalId, context) {
      return models(context.state, context.account, context.region).get(type, physicalId);
    },
    async snapshot(physicalId, properties, context) {
      const name = context.name({ prefix: `${context.stackName}-snapshot`, lowerCase: true, limit: 255 });
      const model = models(context.state, context.account, context.region).get(type, physicalId) ?? properties;
      snapshots(context.state, context.account, context.region).put([type, name], { source: physicalId, stackId: context.stackId, createdAt: new Date(context.clock.now()).toISOString(), model });
      return `Snapshot ${name} was recorded: the local cloud has no behaviour for this type`;
    },
    identify: (properties, context) => form(type, properties, context).physicalId,
  };
}

function form(type: string, properties: JsonObject, context: ProviderContext): Created & { attributes: JsonObject } {
  const schema = resourceSchema(type)!;
  const attributes: JsonObject = {};
  const identifiers = (schema.primaryIdentifier ?? []).map((pointer) => pointer.split('/').slice(2).join('.'));
  const own = identifiers.filter((name) => properties[name] === undefined);
  for (const name of own) attributes[name] = invent(name, type, context);
  const id = identifiers.length === 0 ? context.name() : identifiers.map((name) => String(properties[name] ?? attributes[name])).join('|');
  for (const name of readOnlyNames(schema)) {
    if (attributes[name] === undefined && properties[name] === undefined) attributes[name] = value(name, schema, type, id, context);
  }
  return { physicalId: id, attributes };
}

function readOnlyNames(schema: ResourceSchema): string[] {
  return (schema.readOnlyProperties ?? []).map((pointer) => pointer.split('/').slice(2).join('.')).filter((name) => !name.includes('*'));
}

/** An identifier nobody gave: a name is the generated name, an ARN is made of the parts there are, an ID is random. */
function invent(name: string, type: string, context: ProviderContext): string {
  if (/arn$/i.test(name)) return arnOf(type, context.name({ limit: 64 }), context);
  if (/name$/i.test(name)) return context.name({ limit: 64 });
  return `${kind(type)}-${randomText(`${context.token}/${context.logicalId}`, 17).toLowerCase()}`;
}

function value(name: string, schema: ResourceSchema, type: string, id: string, context: ProviderContext): Json {
  const last = name.split('.').pop()!;
  const types = schema.properties[name]?.type;
  if (types === 'boolean') return false;
  if (types === 'integer' || types === 'number') return 0;
  if (types === 'array') return [];
  if (types === 'object') return {};
  if (/arn$/i.test(last)) return id.startsWith('arn:') ? id : arnOf(type, id, context);
  if (/(time|date|at)$/i.test(last)) return new Date(context.clock.now()).toISOString();
  if (/id$/i.test(last)) return id.startsWith('arn:') ? id.split(/[:/]/).pop()! : id;
  return id;
}

function arnOf(type: string, id: string, context: ProviderContext): string {
  const service = type.split('::')[1]!.toLowerCase();
  return `arn:aws:${service}:${context.region}:${context.account}:${kind(type)}${COLON_SERVICES.has(service) ? ':' : '/'}${id.split('|').pop()!}`;
}

/** Services whose ARNs part kind and name by a colon. */
const COLON_SERVICES = new Set(['cloudwatch', 'elasticache', 'lambda', 'logs', 'rds', 'redshift', 'states']);

function kind(type: string): string {
  return type.split('::')[2]!.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}
