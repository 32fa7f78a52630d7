import { isObject, type Json, type JsonObject } from '../json.js';
import { intrinsic } from '../template/references.js';
import { TransformError } from './error.js';
import type { TransformContext } from './transform.js';

const NAME = 'AWS::LanguageExtensions';

/**
 * `AWS::LanguageExtensions` (user guide: "AWS::LanguageExtensions transform"): Fn::ForEach is unrolled; Fn::Length, Fn::ToJsonString and
 * functions whose arguments are all literal afterwards are computed, as the processed templates show (recorded: cfn-transformers-transform-*).
 * Functions that need the stack (Ref to resources, GetAtt, conditions) stay.
 */
export function applyLanguageExtensions(document: JsonObject, context: TransformContext): JsonObject {
  const mappings = isObject(document['Mappings'] ?? null) ? (document['Mappings'] as JsonObject) : {};
  const pass: Pass = { context, mappings, locals: new Map() };
  const result: JsonObject = {};
  for (const [name, member] of Object.entries(document)) {
    result[name] = name === 'Transform' || name === 'Parameters' || name === 'Metadata' ? member : expand(member, pass, [name]);
  }
  return result;
}

interface Pass {
  readonly context: TransformContext;
  readonly mappings: JsonObject;
  /** Values of the loop variables in force. */
  readonly locals: ReadonlyMap<string, string>;
}

function expand(value: Json, pass: Pass, path: readonly string[]): Json {
  if (Array.isArray(value)) return value.map((item, i) => expand(item, pass, [...path, String(i)]));
  if (!isObject(value)) return value;
  const call = intrinsic(value);
  if (call && !call.name.startsWith('Fn::ForEach::')) return simplify(call.name, call.argument, pass, path);
  const result: JsonObject = {};
  for (const [key, member] of Object.entries(value)) {
    if (key.startsWith('Fn::ForEach::')) Object.assign(result, forEach(key, member, pass, path));
    else result[name(key, pass)] = expand(member, pass, [...path, key]);
  }
  return result;
}

/** `Fn::ForEach::Loop: [Identifier, Collection, {OutputKey: OutputValue}]`. */
function forEach(key: string, argument: Json, pass: Pass, path: readonly string[]): JsonObject {
  if (!Array.isArray(argument) || argument.length !== 3) throw new TransformError(NAME, `${key} layout is incorrect`);
  const [identifier, collection, body] = argument;
  if (typeof identifier !== 'string' || !isObject(body)) throw new TransformError(NAME, `${key} layout is incorrect`);
  if (pass.locals.has(identifier)) throw new TransformError(NAME, `Loop identifier ${identifier} is already used by an enclosing loop`);
  const result: JsonObject = {};
  for (const item of items(key, collection!, pass)) {
    const locals = new Map([...pass.locals, [identifier, item]]);
    for (const [member, content] of Object.entries(expand(body, { ...pass, locals }, path) as JsonObject)) {
      if (Object.hasOwn(result, member)) throw new TransformError(NAME, `Duplicate key ${member} in ${key}`);
      result[member] = content;
    }
  }
  return result;
}

function items(key: string, collection: Json, pass: Pass): string[] {
  const list = Array.isArray(collection) ? collection.flatMap((item) => known(item, pass)) : known(collection, pass);
  if (!list.every((item): item is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof item))) {
    throw new TransformError(NAME, `Fn::ForEach value could not be resolved for ${key}`);
  }
  return list.map(String).filter((item, i, all) => item !== '' || all.length > 1 || i > 0);
}

/** A collection: literals, a list parameter, Fn::FindInMap, Fn::Split … whatever can be known without resources. */
function known(value: Json, pass: Pass): Json[] {
  const expanded = resolve(value, pass);
  return Array.isArray(expanded) ? expanded : [expanded];
}

function resolve(value: Json, pass: Pass): Json {
  const call = intrinsic(value);
  if (call?.name === 'Ref' && typeof call.argument === 'string') {
    const local = pass.locals.get(call.argument);
    if (local !== undefined) return local;
    const given = pass.context.parameters[call.argument] ?? pass.context.pseudo[call.argument];
    if (given === undefined) throw new TransformError(NAME, `Ref ${call.argument} could not be resolved`);
    return typeof given === 'string' ? given : ([...(given as readonly Json[])] as Json[]);
  }
  if (!call) return Array.isArray(value) ? value.map((item) => resolve(item, pass)) : value;
  return simplify(call.name, Array.isArray(call.argument) ? call.argument.map((part) => resolve(part, pass)) : call.argument, pass, []);
}

/** `${X}` and `&{X}` (alphanumerics only) in the names a loop makes. */
function name(key: string, pass: Pass): string {
  if (pass.locals.size === 0) return key;
  return key
    .replace(/\$\{([A-Za-z0-9]+)\}/g, (whole, variable: string) => pass.locals.get(variable) ?? whole)
    .replace(/&\{([A-Za-z0-9]+)\}/g, (whole, variable: string) => pass.locals.get(variable)?.replace(/[^A-Za-z0-9]/g, '') ?? whole);
}

function simplify(functionName: string, argument: Json, pass: Pass, path: readonly string[]): Json {
  if (functionName === 'Ref') return typeof argument === 'string' ? (pass.locals.get(argument) ?? { Ref: name(argument, pass) }) : { Ref: expand(argument, pass, path) };
  if (functionName === 'Fn::Sub') return substitute(argument, pass, path);
  if (functionName === 'Fn::GetAtt' && Array.isArray(argument)) return { 'Fn::GetAtt': argument.map((part) => (typeof part === 'string' ? name(part, pass) : expand(part, pass, path))) };
  if (functionName === 'Fn::GetAtt' && typeof argument === 'string') return { 'Fn::GetAtt': name(argument, pass) };
  if (functionName === 'Condition' && typeof argument === 'string') return { Condition: name(argument, pass) };
  const inner = expand(argument, pass, [...path, functionName]);
  switch (functionName) {
    case 'Fn::ToJsonString':
      if (!isObject(inner) && !Array.isArray(inner)) throw new TransformError(NAME, 'Fn::ToJsonString expects an object or an array');
      return isLiteral(inner) ? JSON.stringify(inner) : { [functionName]: inner };
    case 'Fn::Length':
      return length(inner, pass);
    case 'Fn::Join':
      return Array.isArray(inner) && typeof inner[0] === 'string' && isScalars(inner[1]) ? inner[1].map(String).join(inner[0]) : { [functionName]: inner };
    case 'Fn::Split':
      return Array.isArray(inner) && typeof inner[0] === 'string' && typeof inner[1] === 'string' ? inner[1].split(inner[0]) : { [functionName]: inner };
    case 'Fn::Select':
      return select(inner);
    case 'Fn::FindInMap':
      return findInMap(inner, pass);
    case 'Fn::Base64':
      return typeof inner === 'string' ? Buffer.from(inner).toString('base64') : { [functionName]: inner };
    default:
      return { [functionName]: inner };
  }
}

function substitute(argument: Json, pass: Pass, path: readonly string[]): Json {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, undefined];
  if (typeof text !== 'string') return { 'Fn::Sub': expand(argument, pass, path) };
  const own = isObject(variables ?? null) ? (expand(variables!, pass, path) as JsonObject) : undefined;
  let rest = false;
  const replaced = text.replace(/\$\{([^}]*)\}/g, (whole, inner: string) => {
    const variable = inner.trim();
    const value = own?.[variable] ?? pass.locals.get(variable);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    rest = true;
    return whole;
  });
  if (!rest) return replaced;
  const left = own && Object.fromEntries(Object.entries(own).filter(([, value]) => typeof value === 'object'));
  return { 'Fn::Sub': left && Object.keys(left).length > 0 ? [replaced, left] : replaced };
}

function length(inner: Json, pass: Pass): Json {
  if (Array.isArray(inner)) return inner.length;
  const call = intrinsic(inner);
  if (call?.name === 'Ref' && typeof call.argument === 'string') {
    const given = pass.context.parameters[call.argument];
    if (Array.isArray(given)) return given.length;
  }
  throw new TransformError(NAME, 'Fn::Length expects a list or an intrinsic function returning a list');
}

function select(inner: Json): Json {
  if (Array.isArray(inner) && Array.isArray(inner[1]) && isLiteral(inner[1]) && /^\d+$/.test(String(inner[0]))) {
    const item = inner[1][Number(inner[0])];
    if (item !== undefined) return item;
  }
  return { 'Fn::Select': inner };
}

function findInMap(inner: Json, pass: Pass): Json {
  if (!Array.isArray(inner) || inner.length < 3 || !inner.slice(0, 3).every((part) => typeof part === 'string')) return { 'Fn::FindInMap': inner };
  const [map, key, attribute] = inner as string[];
  const mapping = pass.mappings[map!];
  const entry = isObject(mapping ?? null) ? (mapping as JsonObject)[key!] : undefined;
  const value = isObject(entry ?? null) ? (entry as JsonObject)[attribute!] : undefined;
  if (value !== undefined) return value;
  const options = inner[3];
  const fallback = isObject(options ?? null) ? (options as unknown as JsonObject)['DefaultValue'] : undefined;
  return fallback ?? { 'Fn::FindInMap': inner };
}

function isScalars(value: Json | undefined): value is (string | number | boolean)[] {
  return Array.isArray(value) && value.every((item) => typeof item !== 'object');
}

function isLiteral(value: Json): boolean {
  if (Array.isArray(value)) return value.every(isLiteral);
  return !isObject(value) || (!intrinsic(value) && Object.values(value).every(isLiteral));
}
