import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { kindOf, kindOfId, KINDS, type KindName } from './kinds.js';
import { all, fail, find, save } from './store.js';

const MAX_TAGS = 50;

/** Tags that a request wants its new thing to have. Raises for a type that the request doesn't make. */
export function tagsFor(kind: KindName, input: { readonly TagSpecifications?: readonly Ec2.TagSpecification[]; readonly TagSpecification?: readonly Ec2.TagSpecification[] }, context: RequestContext, others: readonly KindName[] = []): Ec2.Tag[] {
  const tags: Ec2.Tag[] = [];
  for (const { ResourceType, Tags = [] } of input.TagSpecifications ?? input.TagSpecification ?? []) {
    if (ResourceType === kindOf(kind).type) tags.push(...Tags);
    else if (!others.some((other) => kindOf(other).type === ResourceType)) throw fail('InvalidParameterValue', `'${ResourceType ?? ''}' is not a valid taggable resource type for this operation.`);
  }
  return checked(tags, context);
}

function checked(tags: readonly Ec2.Tag[], context: RequestContext): Ec2.Tag[] {
  const seen = new Set<string>();
  for (const { Key = '' } of tags) {
    if (seen.has(Key)) throw fail('InvalidParameterValue', `Duplicate tag key '${Key}' specified.`);
    seen.add(Key);
    // CloudFormation sets its own tags; it calls from inside.
    if (/^aws:/i.test(Key) && !(context.http === undefined && Key.startsWith('aws:cloudformation:'))) throw fail('InvalidParameterValue', `Tag keys starting with 'aws:' are reserved for internal use`);
  }
  return tags.map(({ Key, Value }) => ({ Key, Value: Value ?? '' }));
}

/** The members that carry the tags of a new thing. */
export function tagged(kind: KindName, tags: readonly Ec2.Tag[]): object {
  const { tags: member = 'Tags', emptyTags } = kindOf(kind) as { tags?: string; emptyTags?: boolean };
  return tags.length > 0 || emptyTags ? { [member]: tags } : {};
}

export function tagsOf(kind: KindName, item: object): Ec2.Tag[] {
  return ((item as Record<string, unknown>)[kindOf(kind).tags ?? 'Tags'] as Ec2.Tag[] | undefined) ?? [];
}

export function createTags(input: Ec2.CreateTagsRequest, context: RequestContext): void {
  const tags = checked(input.Tags, context);
  change(input.Resources, context, (before) => {
    const after = new Map([...before, ...tags].map(({ Key, Value }) => [Key!, Value]));
    if (after.size > MAX_TAGS) throw fail('TagLimitExceeded', 'The maximum number of Tags for a resource has been reached.');
    return [...after].map(([Key, Value]) => ({ Key, Value }));
  });
}

/** A tag without a value goes whatever its value; without tags, all the user's tags go. */
export function deleteTags(input: Ec2.DeleteTagsRequest, context: RequestContext): void {
  change(input.Resources, context, (before) =>
    before.filter(({ Key, Value }) => (input.Tags ? !input.Tags.some((tag) => tag.Key === Key && (tag.Value === undefined || tag.Value === Value)) : Key!.startsWith('aws:'))),
  );
}

function change(ids: readonly string[], context: RequestContext, how: (before: Ec2.Tag[]) => Ec2.Tag[]): void {
  context.state.transaction(() => {
    for (const id of ids) {
      const kind = kindOfId(id);
      if (!kind) throw fail('InvalidID', `The ID '${id}' is not valid`);
      const item = find(kind, id, context);
      const { [kindOf(kind).tags ?? 'Tags']: _, ...rest } = item as Record<string, unknown>;
      save(kind, { ...rest, ...tagged(kind, how(tagsOf(kind, item))) }, context);
    }
  });
}

export function describeTags(input: Ec2.DescribeTagsRequest, context: RequestContext): Ec2.DescribeTagsResult {
  const found: Ec2.TagDescription[] = [];
  for (const kind of Object.keys(KINDS) as KindName[]) {
    const { id, type } = kindOf(kind);
    for (const item of all(kind, context)) for (const { Key, Value } of tagsOf(kind, item)) found.push({ Key, Value, ResourceId: String((item as Record<string, unknown>)[id]), ResourceType: type });
  }
  const members: Record<string, keyof Ec2.TagDescription> = { key: 'Key', value: 'Value', 'resource-id': 'ResourceId', 'resource-type': 'ResourceType' };
  const matches = (tag: Ec2.TagDescription): boolean =>
    (input.Filters ?? []).every(({ Name = '', Values = [] }) => {
      if (Name.startsWith('tag:')) return tag.Key === Name.slice(4) && Values.includes(tag.Value!);
      const member = members[Name];
      if (!member) throw fail('InvalidParameterValue', `The filter '${Name}' is invalid`);
      return Values.includes(String(tag[member]));
    });
  return { Tags: found.filter(matches) };
}
