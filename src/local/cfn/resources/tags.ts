import type { Tag } from '../store/records.js';

/** What an update has to do to the tags of a resource. */
export function tagChanges(before: readonly Tag[], after: readonly Tag[]): { readonly add: Tag[]; readonly remove: string[] } {
  const was = new Map(before.map((tag) => [tag.Key, tag.Value]));
  const keys = new Set(after.map((tag) => tag.Key));
  return { add: after.filter((tag) => was.get(tag.Key) !== tag.Value), remove: before.filter((tag) => !keys.has(tag.Key)).map((tag) => tag.Key) };
}

/** Without CloudFormation's own tags: for services whose API doesn't take them. */
export function withoutSystemTags(tags: readonly Tag[]): Tag[] {
  return tags.filter((tag) => !tag.Key.startsWith('aws:'));
}

/** Each key once; the first that has it wins: own tags before the stack's. */
export function mergeTags(own: readonly Tag[] | Readonly<Record<string, string>> | undefined, ...others: (readonly Tag[])[]): Tag[] {
  const list = own === undefined ? [] : Array.isArray(own) ? (own as readonly Tag[]) : Object.entries(own as Readonly<Record<string, string>>).map(([Key, Value]) => ({ Key, Value }));
  const merged = new Map<string, Tag>();
  for (const tag of [...list, ...others.flat()]) if (!merged.has(tag.Key)) merged.set(tag.Key, { Key: tag.Key, Value: String(tag.Value) });
  return [...merged.values()];
}
