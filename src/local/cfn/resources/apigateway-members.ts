import type { Tag } from '../store/records.js';
import { sameValue, type Json } from '../json.js';
import { camelCase } from './casing.js';

export interface Patch {
  op: string;
  path: string;
  value?: string;
}

const first = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Members of a resource as the REST API names them. */
export function restMembers(properties: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => properties[name] !== undefined).map((name) => [first(name), isPlain(properties[name]) ? camelCase(properties[name] as Json) : properties[name]]));
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Patches for what changed among simple members. */
export function patchesOf(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>, names: readonly string[], renamed: Readonly<Record<string, string>> = {}): Patch[] {
  return names
    .filter((name) => !sameValue((before[name] ?? null) as Json, (after[name] ?? null) as Json))
    .map((name) => {
      const path = `/${renamed[name] ?? first(name)}`;
      return after[name] === undefined ? { op: 'remove', path } : { op: 'replace', path, value: String(after[name]) };
    });
}

export function tagMap(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}
