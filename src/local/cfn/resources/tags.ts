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
