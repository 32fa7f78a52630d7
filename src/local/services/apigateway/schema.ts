import { testPattern } from '../../../shared/regex.js';

type Schema = { readonly [keyword: string]: unknown };

/** Whether a value fits a JSON schema (draft 4, the keywords that models use). Unknown keywords say nothing. */
export function fits(schema: Schema, value: unknown, models: ReadonlyMap<string, Schema>): boolean {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const target = models.get(reference.split('/').at(-1)!);
    return target === undefined || fits(target, value, models);
  }
  if (schema['type'] !== undefined && ![schema['type']].flat().some((type) => isOf(type as string, value))) return false;
  if (Array.isArray(schema['enum']) && !schema['enum'].some((each) => JSON.stringify(each) === JSON.stringify(value))) return false;
  const all = (keyword: string): Schema[] => (Array.isArray(schema[keyword]) ? (schema[keyword] as Schema[]) : []);
  if (!all('allOf').every((each) => fits(each, value, models))) return false;
  if (all('anyOf').length > 0 && !all('anyOf').some((each) => fits(each, value, models))) return false;
  if (all('oneOf').length > 0 && all('oneOf').filter((each) => fits(each, value, models)).length !== 1) return false;
  if (typeof value === 'string') return fitsText(schema, value);
  if (typeof value === 'number') return fitsNumber(schema, value);
  if (Array.isArray(value)) return fitsArray(schema, value, models);
  return typeof value !== 'object' || value === null || fitsObject(schema, value as Record<string, unknown>, models);
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function fitsText({ minLength, maxLength, pattern }: Schema, value: string): boolean {
  return value.length >= Number(minLength ?? 0) && value.length <= Number(maxLength ?? Number.POSITIVE_INFINITY) && (typeof pattern !== 'string' || testPattern(new RegExp(pattern), value));
}

function fitsNumber({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema, value: number): boolean {
  if (typeof minimum === 'number' && (exclusiveMinimum === true ? value <= minimum : value < minimum)) return false;
  if (typeof maximum === 'number' && (exclusiveMaximum === true ? value >= maximum : value > maximum)) return false;
  return typeof multipleOf !== 'number' || Number.isInteger(value / multipleOf);
}

function fitsArray({ minItems, maxItems, items, uniqueItems }: Schema, value: readonly unknown[], models: ReadonlyMap<string, Schema>): boolean {
  if (value.length < Number(minItems ?? 0) || value.length > Number(maxItems ?? Number.POSITIVE_INFINITY)) return false;
  if (uniqueItems === true && new Set(value.map((each) => JSON.stringify(each))).size < value.length) return false;
  return typeof items !== 'object' || items === null || Array.isArray(items) || value.every((each) => fits(items as Schema, each, models));
}

function fitsObject({ required, properties, additionalProperties }: Schema, value: Record<string, unknown>, models: ReadonlyMap<string, Schema>): boolean {
  const known = (properties ?? {}) as Record<string, Schema>;
  if (Array.isArray(required) && required.some((name) => !Object.hasOwn(value, name as string))) return false;
  if (additionalProperties === false && Object.keys(value).some((name) => !Object.hasOwn(known, name))) return false;
  return Object.entries(known).every(([name, schema]) => !Object.hasOwn(value, name) || fits(schema, value[name], models));
}
