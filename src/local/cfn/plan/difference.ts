import { isObject, sameValue, type Json, type JsonObject } from '../json.js';

/** A place where two values differ: `path` from the resource (`Properties`, name, …). */
export interface Difference {
  readonly path: readonly string[];
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** Leaves at which two sets of properties differ; added and removed members and items are leaves as a whole. */
export function differences(before: JsonObject, after: JsonObject, path: readonly string[] = ['Properties']): Difference[] {
  const found: Difference[] = [];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) compare(before[key], after[key], [...path, key], found);
  return found;
}

function compare(before: Json | undefined, after: Json | undefined, path: readonly string[], found: Difference[]): void {
  if (sameValue(before, after)) return;
  if (isObject(before ?? null) && isObject(after ?? null)) {
    found.push(...differences(before as JsonObject, after as JsonObject, path));
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i++) compare(before[i], after[i], [...path, String(i)], found);
    return;
  }
  found.push({ path, before, after });
}
