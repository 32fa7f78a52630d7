/** Plain data as templates hold it. */
export type Json = null | string | number | boolean | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal as JSON: members of objects in any order. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]));
  }
  return false;
}

/** CloudFormation knows one kind of scalar: `true`, `1` and their quoted forms are the same value to it. */
export function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || sameJson(a === undefined ? a : stringifyScalars(a), b === undefined ? b : stringifyScalars(b));
}

/** Numbers and booleans as text, the way events and change sets show properties (recorded: ResourceProperties, BeforeContext). */
export function stringifyScalars(value: Json): Json {
  if (Array.isArray(value)) return value.map(stringifyScalars);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, stringifyScalars(member)]));
  return value === null ? null : String(value);
}

/** JSON text with sorted keys: equal values give equal text. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isObject(value)) return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key]!)}`).join(',')}}`;
  return JSON.stringify(value);
}
