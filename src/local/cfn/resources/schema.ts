import { resourceSchema, type PropertySchema, type ResourceSchema } from '../../models/resources.js';
import { isObject, type Json, type JsonObject } from '../json.js';

/** Scalars as the schema wants them: CloudFormation converts between text, numbers and booleans wherever it can. */
export function coerceProperties(type: string, properties: JsonObject): JsonObject {
  const schema = resourceSchema(type);
  return schema ? (coerce(properties, schema, schema, 0) as JsonObject) : properties;
}

/**
 * What AWS's validation of registry types would say: `#: required key [X] not found`, `#/A: …`. `strict` adds lengths, patterns, ranges
 * and enumerations, for types whose service isn't there to judge them.
 */
export function validateProperties(type: string, properties: JsonObject, strict: boolean): string[] {
  const schema = resourceSchema(type);
  if (!schema) return [];
  const found: string[] = [];
  for (const pointer of schema.readOnlyProperties ?? []) {
    const name = pointer.split('/')[2]!;
    if (pointer.split('/').length === 3 && properties[name] !== undefined && !isInput(schema, name)) found.push(`#: read-only key [${name}] is not permitted`);
  }
  check(properties, schema, schema, '#', strict, found, 0);
  return [...new Set(found)];
}

/** A few read-only properties are inputs as well (deprecated double use): those in `required` or create-only. */
function isInput(schema: ResourceSchema, name: string): boolean {
  return (schema.required ?? []).includes(name) || (schema.createOnlyProperties ?? []).includes(`/properties/${name}`);
}

export function validationReason(logicalId: string, violations: readonly string[]): string {
  const text = violations.length === 1 ? violations[0]! : [`#: ${violations.length} schema violations found`, ...violations].join('\n');
  return `Properties validation failed for resource ${logicalId} with message:\n${text}`;
}

export function resolveReference(schema: PropertySchema, root: ResourceSchema): PropertySchema {
  let current = schema;
  for (let i = 0; i < 20 && current.$ref !== undefined; i++) {
    const [, section, name] = current.$ref.split('/') as [string, string, string];
    const target = (section === 'definitions' ? root.definitions : root.properties)?.[decodeURIComponent(name).replace(/~1/g, '/')];
    if (!target) return {};
    const { $ref: _, ...rest } = current;
    current = { ...target, ...rest };
  }
  return current;
}

function typesOf(schema: PropertySchema): readonly string[] {
  return schema.type === undefined ? [] : Array.isArray(schema.type) ? (schema.type as string[]) : [schema.type as string];
}

function coerce(value: Json, given: PropertySchema, root: ResourceSchema, depth: number): Json {
  if (depth > 60) return value;
  const schema = resolveReference(given, root);
  const types = typesOf(schema);
  if (Array.isArray(value)) return value.map((item) => (schema.items ? coerce(item, schema.items, root, depth + 1) : item));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => {
      const inner = schema.properties?.[key] ?? branch(schema, key, root) ?? pattern(schema, key) ?? (isObject(schema.additionalProperties) ? (schema.additionalProperties as PropertySchema) : undefined);
      return [key, inner ? coerce(member, inner, root, depth + 1) : member];
    }));
  }
  if (types.length === 0 || value === null) return value;
  if (types.includes('array') && !types.includes('string')) return [schema.items ? coerce(value, schema.items, root, depth + 1) : value];
  return scalar(value, types);
}

function scalar(value: string | number | boolean, types: readonly string[]): Json {
  if (typeof value === 'string') {
    if (types.includes('string')) return value;
    if (types.includes('boolean') && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
    if ((types.includes('integer') || types.includes('number')) && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
    if (types.includes('object') && /^\s*\{/.test(value)) return parse(value);
    return value;
  }
  if (typeof value === 'number' && (types.includes('number') || types.includes('integer'))) return value;
  if (typeof value === 'boolean' && types.includes('boolean')) return value;
  return types.includes('string') ? String(value) : value;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function pattern(schema: PropertySchema, key: string): PropertySchema | undefined {
  for (const [expression, inner] of Object.entries(schema.patternProperties ?? {})) if (regular(expression)?.test(key) !== false) return inner;
  return undefined;
}

/** A property that only a branch of the schema declares. */
function branch(schema: PropertySchema, key: string, root: ResourceSchema): PropertySchema | undefined {
  for (const option of [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])]) {
    const inner = resolveReference(option, root).properties?.[key];
    if (inner) return inner;
  }
  return undefined;
}

function check(value: Json, given: PropertySchema, root: ResourceSchema, path: string, strict: boolean, found: string[], depth: number): void {
  if (depth > 60) return;
  const schema = resolveReference(given, root);
  const types = typesOf(schema);
  if (types.length > 0 && !types.some((type) => isType(value, type))) {
    found.push(`${path}: expected type: ${types.map(title).join(', ')}, found: ${title(kindOf(value))}`);
    return;
  }
  if (isObject(value)) checkObject(value, schema, root, path, strict, found, depth);
  else if (Array.isArray(value)) checkArray(value, schema, root, path, strict, found, depth);
  else checkScalar(value, schema, path, strict, found);
}

function checkObject(value: JsonObject, schema: PropertySchema, root: ResourceSchema, path: string, strict: boolean, found: string[], depth: number): void {
  for (const name of schema.required ?? []) if (value[name] === undefined && !isReadOnly(root, path, name)) found.push(`${path}: required key [${name}] not found`);
  const names = Object.keys(value);
  if (schema.requiredXor && schema.requiredXor.filter((name) => names.includes(name)).length !== 1 && strict) {
    found.push(`${path}: 0 subschemas matched instead of one`);
  }
  for (const [key, member] of Object.entries(value)) {
    const inner = schema.properties?.[key] ?? branch(schema, key, root) ?? pattern(schema, key);
    if (inner) check(member, inner, root, `${path}/${key}`, strict, found, depth + 1);
    else if (schema.additionalProperties === false && isClosed(schema)) found.push(`${path}: extraneous key [${key}] is not permitted`);
    else if (isObject(schema.additionalProperties)) check(member, schema.additionalProperties as PropertySchema, root, `${path}/${key}`, strict, found, depth + 1);
  }
}

/** Unknown members are refused where the schema lists what there is. */
function isClosed(schema: PropertySchema): boolean {
  return schema.properties !== undefined || schema.patternProperties !== undefined;
}

function isReadOnly(root: ResourceSchema, path: string, name: string): boolean {
  return path === '#' && (root.readOnlyProperties ?? []).includes(`/properties/${name}`);
}

function checkArray(value: Json[], schema: PropertySchema, root: ResourceSchema, path: string, strict: boolean, found: string[], depth: number): void {
  if (schema.items) value.forEach((item, i) => check(item, schema.items!, root, `${path}/${i}`, strict, found, depth + 1));
  if (!strict) return;
  if (schema.minItems !== undefined && value.length < schema.minItems) found.push(`${path}: expected minimum item count: ${schema.minItems}, found: ${value.length}`);
  if (schema.maxItems !== undefined && value.length > schema.maxItems) found.push(`${path}: expected maximum item count: ${schema.maxItems}, found: ${value.length}`);
}

function checkScalar(value: Json, schema: PropertySchema, path: string, strict: boolean, found: string[]): void {
  if (schema.enum && !schema.enum.some((allowed) => String(allowed) === String(value))) found.push(`${path}: ${String(value)} is not a valid enum value`);
  if (!strict) return;
  if (typeof value === 'string') {
    if (schema.minLength !== undefined && value.length < schema.minLength) found.push(`${path}: expected minLength: ${schema.minLength}, actual: ${value.length}`);
    if (schema.maxLength !== undefined && value.length > schema.maxLength) found.push(`${path}: expected maxLength: ${schema.maxLength}, actual: ${value.length}`);
    if (schema.pattern !== undefined && value.length <= 2048 && regular(schema.pattern)?.test(value) === false) found.push(`${path}: string [${value}] does not match pattern ${schema.pattern}`);
  }
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) found.push(`${path}: ${value} is not greater or equal to ${schema.minimum}`);
    if (schema.maximum !== undefined && value > schema.maximum) found.push(`${path}: ${value} is not less or equal to ${schema.maximum}`);
  }
}

function isType(value: Json, type: string): boolean {
  switch (type) {
    case 'string': return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    case 'integer': return typeof value === 'number' && Number.isInteger(value);
    case 'number': return typeof value === 'number';
    case 'boolean': return typeof value === 'boolean';
    case 'array': return Array.isArray(value);
    case 'object': return isObject(value);
    default: return value === null;
  }
}

function kindOf(value: Json): string {
  return Array.isArray(value) ? 'JSONArray' : isObject(value) ? 'JSONObject' : typeof value;
}

function title(type: string): string {
  return { object: 'JSONObject', array: 'JSONArray' }[type] ?? type.charAt(0).toUpperCase() + type.slice(1);
}

const expressions = new Map<string, RegExp | undefined>();

/** A pattern of the schema; one that JavaScript can't compile judges nothing. */
function regular(expression: string): RegExp | undefined {
  if (!expressions.has(expression)) {
    let compiled: RegExp | undefined;
    try {
      compiled = new RegExp(expression, 'u');
    } catch {
      try {
        compiled = new RegExp(expression);
      } catch {
        compiled = undefined;
      }
    }
    expressions.set(expression, compiled);
  }
  return expressions.get(expression);
}
