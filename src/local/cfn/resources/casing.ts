import type { Json } from '../json.js';

/** Property names as the newer APIs spell them: `ActionTypeId` → `actionTypeId`, all the way down. */
export function camelCase(value: Json): Json {
  if (Array.isArray(value)) return value.map(camelCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.charAt(0).toLowerCase() + key.slice(1), camelCase(entry as Json)]));
}
