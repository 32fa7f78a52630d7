import type { JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { HandlerError, ignoring } from './failure.js';
import type { Created, ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

/** Answers of the EC2 API, read by who knows what was asked. */
// eslint-disable-next-line -- each caller knows the members of the answer it asked for
export type Answer = any;

export function ec2(context: ProviderContext, operation: string, input: Record<string, unknown>): Promise<Answer> {
  return context.client.call('ec2', operation, Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)));
}

/** What every EC2 provider has in common: properties it honours, tags, deletion of what is gone. */
// eslint-disable-next-line -- each provider declares the shape of its properties
export interface Ec2Resource<P = any> {
  readonly type: string;
  /** Properties with behaviour; any other that a template sets is refused by name. */
  readonly honours: readonly string[];
  /** How tag specifications call it; without it the type has no tags. */
  readonly tagged?: string;
  /** False for the types on which CloudFormation sets no tags of its own. */
  readonly systemTags?: boolean;
  /** Codes that say it is gone already. */
  readonly gone: readonly string[];
  create(properties: P, context: ProviderContext, tagSpecification: object): Promise<Created>;
  update?(id: string, before: P, after: P, context: ProviderContext): Promise<Partial<Created> | void>;
  delete(id: string, properties: P, context: ProviderContext): Promise<unknown>;
  /** Attributes of one that exists. */
  attributes?(id: string, context: ProviderContext): Promise<JsonObject>;
  /** Properties as EC2 has them now. */
  read?(id: string, context: ProviderContext): Promise<JsonObject | undefined>;
  /** The ID that CreateTags takes, where the physical ID is another. */
  tagId?(id: string, context: ProviderContext): Promise<string | undefined>;
}

interface Tagged {
  readonly Tags?: readonly Tag[];
}

export function ec2Provider(resource: Ec2Resource): ResourceProvider {
  const tagsOf = (own: readonly Tag[] | undefined, context: ProviderContext): Tag[] => (resource.systemTags === false ? withoutSystemTags(context.tags(own)) : context.tags(own));
  const check = (properties: object): void => {
    for (const name of Object.keys(properties))
      if (name !== 'Tags' && !resource.honours.includes(name)) throw new HandlerError('InvalidRequest', `The local cloud has no behaviour for the property ${name} of ${resource.type}`);
  };
  const { attributes, read } = resource;
  return {
    type: resource.type,
    async create(properties: Tagged & JsonObject, context) {
      check(properties);
      const Tags = resource.tagged === undefined ? [] : tagsOf(properties.Tags, context);
      return resource.create(properties, context, Tags.length > 0 ? { TagSpecifications: [{ ResourceType: resource.tagged, Tags }] } : {});
    },
    async update(id, before: Tagged & JsonObject, after: Tagged & JsonObject, context) {
      check(after);
      const changed = await resource.update?.(id, before, after, context);
      if (resource.tagged !== undefined) await retag((await resource.tagId?.(id, context)) ?? id, context.tagsBefore(before.Tags), tagsOf(after.Tags, context), context);
      return changed;
    },
    async delete(id, properties, context) {
      await ignoring(resource.gone, resource.delete(id, properties, context));
    },
    ...(attributes ? { attributes: (id: string, _: unknown, context: ProviderContext) => attributes(id, context) } : {}),
    ...(read ? { read: (id: string, context: ProviderContext) => ignoring(resource.gone, read(id, context)) } : {}),
  };
}

async function retag(id: string, before: readonly Tag[], after: readonly Tag[], context: ProviderContext): Promise<void> {
  const { add, remove } = tagChanges(withoutSystemTags(before), withoutSystemTags(after));
  if (remove.length > 0) await ec2(context, 'DeleteTags', { Resources: [id], Tags: remove.map((Key) => ({ Key })) });
  if (add.length > 0) await ec2(context, 'CreateTags', { Resources: [id], Tags: add });
}

/** Own tags as a template has them. */
export function ownTags(tags: readonly Tag[] | undefined): JsonObject {
  const own = withoutSystemTags(tags ?? []);
  return own.length > 0 ? { Tags: own.map(({ Key, Value }) => ({ Key, Value })) } : {};
}

/** What is in the second list and not in the first. */
export function added<T>(before: readonly T[] | undefined, after: readonly T[] | undefined): T[] {
  return (after ?? []).filter((item) => !(before ?? []).includes(item));
}
