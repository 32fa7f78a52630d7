import type { Json } from '../json.js';

/** `AWS::NoValue`: the member that holds it disappears. */
export const NO_VALUE = Symbol('AWS::NoValue');

/** A value that exists only once resources do. In the scopes of change sets it is text instead: `KNOWN_AFTER_APPLY`. */
export const UNKNOWN = Symbol('known after apply');

/** How AWS prints such a value in BeforeContext and AfterContext (recorded). */
export const KNOWN_AFTER_APPLY = '{{changeSet:KNOWN_AFTER_APPLY}}';

export type Value = Json | typeof NO_VALUE | typeof UNKNOWN | Value[] | { [key: string]: Value };

export function containsUnknown(value: Value): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some((item) => containsUnknown(item as Value));
  if (typeof value === 'object' && value !== null) return Object.values(value).some((member) => containsUnknown(member as Value));
  return false;
}
