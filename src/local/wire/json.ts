import { FlotillaError } from '../../shared/errors.js';
import type { Member, Shape, TimestampFormat } from '../models/model.js';
import { malformedJson, type Malformed } from './malformed.js';
import { fromBase64 } from './text-values.js';
import { formatTimestamp, fromEpoch, parseTimestampText } from './timestamps.js';
import { put, type Structure } from './types.js';

export interface JsonStyle {
  /** `locationName` counts in REST-JSON (Smithy's jsonName), never in the target protocols. */
  readonly rest: boolean;
  /** Bytes and times stay what they are: CBOR, whose values are otherwise those of JSON. */
  readonly native?: boolean;
}

/** Parses a JSON body into the values of a structure. `null` is the same as absent. Members the model doesn't know are ignored, as AWS does. */
export function structureFromJson(shape: Shape, bytes: Uint8Array, style: JsonStyle): Structure {
  return structureFromPlain(shape, parse(bytes), style);
}

/** The same for a value that was parsed already. */
export function structureFromPlain(shape: Shape, value: unknown, style: JsonStyle): Structure {
  return value === undefined || value === null ? {} : (read(shape, value, style, 0) as Structure);
}

/** Parses a body that is any JSON. */
export function documentFromJson(bytes: Uint8Array): unknown {
  return parse(bytes);
}

function parse(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) return undefined;
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw malformedJson('Invalid UTF-8 in the request body');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw malformedJson('The request body is not valid JSON');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const DEEPEST = 100;

function read(shape: Shape, value: unknown, style: JsonStyle, depth: number): unknown {
  if (depth > DEEPEST) throw malformedJson(`The request is nested more than ${DEEPEST} levels deep`);
  if (shape.document) return value;
  switch (shape.type) {
    case 'structure':
      return readStructure(shape, object(value), style, depth);
    case 'list':
      if (!Array.isArray(value)) throw malformedJson(isObject(value) ? 'Start of structure or map found where not expected.' : `Unexpected field type: expected a list, got ${kind(value)}`);
      return value.map((item) => (item === null ? null : read(shape.member!.shape, item, style, depth + 1)));
    case 'map': {
      const result: Structure = {};
      for (const [key, item] of Object.entries(object(value))) if (item !== null) put(result, key, read(shape.value!.shape, item, style, depth + 1));
      return result;
    }
    default:
      return readScalar(shape, value, malformedJson);
  }
}

function readStructure(shape: Shape, value: Structure, style: JsonStyle, depth: number): Structure {
  const result: Structure = {};
  for (const member of shape.members.values()) {
    const name = jsonName(member, style);
    const item = Object.hasOwn(value, name) ? value[name] : undefined;
    if (item !== undefined && item !== null) result[member.name] = read(member.shape, item, style, depth + 1);
  }
  return result;
}

export function jsonName(member: Member, style: JsonStyle): string {
  return style.rest && member.location === undefined ? (member.locationName ?? member.name) : member.name;
}

const isObject = (value: unknown): value is Structure => typeof value === 'object' && value !== null && !Array.isArray(value);

function object(value: unknown): Structure {
  if (isObject(value)) return value;
  throw malformedJson(Array.isArray(value) ? 'Start of list found where not expected' : `Unexpected field type: expected a structure or map, got ${kind(value)}`);
}

/** As AWS style what it found: `NUMBER_VALUE can not be converted to a String`. */
function kind(value: unknown): string {
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return 'NUMBER_VALUE';
}

const TYPE_NAMES: Readonly<Record<string, string>> = { integer: 'an Integer', long: 'a Long', float: 'a Float', double: 'a Double', boolean: 'a Boolean', blob: 'a Blob', timestamp: 'a Timestamp' };

function readScalar(shape: Shape, value: unknown, refuse: Malformed): unknown {
  if ((shape.type === 'timestamp' && value instanceof Date) || (shape.type === 'blob' && value instanceof Uint8Array)) return value;
  if (typeof value === 'object') throw refuse(Array.isArray(value) ? 'Start of list found where not expected' : 'Start of structure or map found where not expected.');
  const wrong = (): never => {
    throw refuse(`${kind(value)} can not be converted to ${TYPE_NAMES[shape.type] ?? 'a String'}`);
  };
  switch (shape.type) {
    case 'integer':
    case 'long':
      return typeof value === 'number' && Number.isInteger(value) ? value : wrong();
    case 'float':
    case 'double':
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
      return typeof value === 'number' ? value : wrong();
    case 'boolean':
      return typeof value === 'boolean' ? value : wrong();
    case 'timestamp':
      return (typeof value === 'number' ? fromEpoch(value) : typeof value === 'string' ? parseTimestampText(value) : undefined) ?? wrong();
    case 'blob':
      return (typeof value === 'string' ? fromBase64(value) : undefined) ?? wrong();
    default:
      return typeof value === 'string' ? value : wrong();
  }
}

/** What a structure becomes in JSON: plain data for JSON.stringify. A member the model doesn't know is a defect of the service. */
export function structureToJson(shape: Shape, value: Structure, style: JsonStyle, where: string, only: (member: Member) => boolean = () => true): Structure {
  const result: Structure = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || item === null) continue;
    const member = shape.members.get(key);
    if (!member) throw unknownMember(where, key);
    if (only(member)) result[jsonName(member, style)] = write(member.shape, item, style, `${where}.${key}`, member.timestampFormat);
  }
  return result;
}

export function unknownMember(where: string, key: string): FlotillaError {
  return new FlotillaError('BUG', `${where} has no member '${key}' in its model`, { why: 'A service answered something that AWS does not.' });
}

function write(shape: Shape, value: unknown, style: JsonStyle, where: string, format: TimestampFormat | undefined): unknown {
  if (shape.document) return value;
  switch (shape.type) {
    case 'structure':
      return structureToJson(shape, value as Structure, style, where);
    case 'list':
      return (value as unknown[]).map((item) => write(shape.member!.shape, item, style, `${where}[]`, undefined));
    case 'map': {
      const result: Structure = {};
      for (const [key, item] of Object.entries(value as Structure)) if (item !== undefined && item !== null) put(result, key, write(shape.value!.shape, item, style, `${where}.*`, undefined));
      return result;
    }
    case 'blob':
      return style.native ? value : Buffer.from(value as Uint8Array).toString('base64');
    case 'timestamp': {
      if (style.native) return value instanceof Date ? value : new Date(value as string | number);
      const chosen = format ?? shape.timestampFormat ?? 'unixTimestamp';
      const date = value instanceof Date ? value : new Date(value as string | number);
      return chosen === 'unixTimestamp' ? date.getTime() / 1000 : chosen === 'unixTimestampMillis' ? date.getTime() : formatTimestamp(date, chosen);
    }
    case 'float':
    case 'double':
      return style.native || Number.isFinite(value) ? value : String(value);
    default:
      return value;
  }
}
