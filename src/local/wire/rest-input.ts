import { AwsError } from '../kernel/error.js';
import type { Member, ServiceModel, Shape, OperationModel, Protocol } from '../models/model.js';
import { documentFromJson, structureFromJson } from './json.js';
import { malformedJson, malformedParameter, malformedXml } from './malformed.js';
import { pathSegments, routeOf } from './routes.js';
import { scalarFromText } from './text-values.js';
import { put, type Structure, type WireRequest } from './types.js';
import { structureFromXml } from './xml-values.js';
import { parseXml } from '../../shared/xml.js';

/** Input of the REST protocols: members stand in path, query, headers and body (Smithy: "HTTP binding traits"). */
export async function inputFromRest(model: ServiceModel, operation: OperationModel, protocol: Protocol, request: WireRequest): Promise<Structure> {
  const shape = operation.input;
  const input: Structure = {};
  if (!shape) return input;
  const labels = pathLabels(model, operation, request.path);
  for (const member of shape.members.values()) {
    const value = located(model, member, request, labels, operation);
    if (value !== undefined) input[member.name] = value;
  }
  Object.assign(input, await bodyMembers(model, shape, protocol, request));
  return input;
}

function located(model: ServiceModel, member: Member, request: WireRequest, labels: ReadonlyMap<string, string>, operation: OperationModel): unknown {
  const name = member.locationName ?? member.name;
  switch (member.location) {
    case 'uri':
      return fromText(model, member, labels.get(name), name);
    case 'querystring':
      return fromQuery(model, member, name, request.query, operation);
    case 'header':
      return fromHeader(model, member, name, request.headers[name.toLowerCase()]);
    case 'headers': {
      const map = prefixed(name.toLowerCase(), request.headers);
      return Object.keys(map).length > 0 ? map : undefined;
    }
    default:
      return undefined;
  }
}

/** Labels of the path, each decoded exactly once; a greedy one keeps its slashes, empty segments and dots: S3 keys may hold them. */
function pathLabels(model: ServiceModel, operation: OperationModel, path: string): Map<string, string> {
  const { segments } = routeOf(operation);
  const greedy = segments.findIndex((segment) => 'label' in segment && segment.greedy);
  // `/bucket/key/`: the slash at the end belongs to the key.
  const given = greedy >= 0 ? path.split('/').slice(1) : pathSegments(path);
  const labels = new Map<string, string>();
  segments.forEach((segment, index) => {
    if ('literal' in segment) return;
    const after = segments.length - 1 - greedy;
    const text = index === greedy ? given.slice(index, given.length - after).join('/') : greedy >= 0 && index > greedy ? given[given.length - (segments.length - index)] : given[index];
    if (text !== undefined) labels.set(segment.label, decodeLabel(model, text));
  });
  return labels;
}

function decodeLabel(model: ServiceModel, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    if (model.name === 's3') throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", { status: 400, fields: { URI: text } });
    throw new AwsError('SerializationException', `The path segment '${text}' has a malformed percent-encoding`, { status: 400 });
  }
}

function fromText(model: ServiceModel, member: Member, text: string | undefined, name: string): unknown {
  if (text === undefined) return undefined;
  return scalarFromText(member.shape, text, (expected) => malformedParameter(model.head, name, text, expected));
}

function fromQuery(model: ServiceModel, member: Member, name: string, query: WireRequest['query'], operation: OperationModel): unknown {
  if (member.shape.type === 'map') return queryMap(model, member, query, operation);
  const values = query.filter(([key]) => key === name).map(([, value]) => value);
  if (values.length === 0) return undefined;
  if (member.shape.type === 'list') return values.map((value) => fromText(model, member.shape.member!, value, name));
  const value = values[0]!;
  // `?max-keys=`: an empty number is no number.
  if (value === '' && member.shape.type !== 'string') return undefined;
  return fromText(model, member, value, name);
}

/** Every parameter that no other member and no fixed part of the URI names. */
function queryMap(model: ServiceModel, member: Member, query: WireRequest['query'], operation: OperationModel): Structure | undefined {
  const taken = new Set(routeOf(operation).constants.map(([name]) => name));
  for (const other of operation.input!.members.values()) if (other.location === 'querystring' && other !== member) taken.add(other.locationName ?? other.name);
  const result: Structure = {};
  const { value } = member.shape;
  for (const [key, text] of query) {
    if (taken.has(key)) continue;
    if (value!.shape.type !== 'list') put(result, key, fromText(model, value!, text, key));
    else put(result, key, [...((Object.hasOwn(result, key) ? result[key] : []) as unknown[]), text]);
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

function fromHeader(model: ServiceModel, member: Member, name: string, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (member.jsonvalue) return documentFromJson(Buffer.from(text, 'base64'));
  if (member.shape.type === 'list') return headerList(text).map((item) => fromText(model, member.shape.member!, item, name));
  if (text === '' && member.shape.type !== 'string') return undefined;
  return fromText(model, member, text, name);
}

/** `a, "b, c"`: items may be quoted. */
function headerList(text: string): string[] {
  const items: string[] = [];
  for (const [, quoted, plain] of text.matchAll(/\s*(?:"((?:[^"\\]|\\.)*)"|([^,]+))\s*(?:,|$)/g)) items.push(quoted === undefined ? plain!.trim() : quoted.replace(/\\(.)/g, '$1'));
  return items;
}

function prefixed(prefix: string, headers: WireRequest['headers']): Structure {
  const result: Structure = {};
  for (const [name, value] of Object.entries(headers)) if (name.startsWith(prefix)) put(result, name.slice(prefix.length), value);
  return result;
}

async function bodyMembers(model: ServiceModel, shape: Shape, protocol: Protocol, request: WireRequest): Promise<Structure> {
  if (shape.payload !== undefined) {
    const member = shape.members.get(shape.payload)!;
    const value = await payload(model, member, protocol, request);
    return value === undefined ? {} : { [member.name]: value };
  }
  if (![...shape.members.values()].some((member) => member.location === undefined)) return {};
  const bytes = await request.body.bytes();
  if (bytes.byteLength === 0) return {};
  if (protocol === 'rest-json') return bodyOf(shape, structureFromJson(shape, bytes, { rest: true }));
  return bodyOf(shape, structureFromXml(model, shape, parseXml(bytes, malformedXml(model.head))));
}

/** What stands elsewhere in HTTP can't be overwritten from the body. */
function bodyOf(shape: Shape, values: Structure): Structure {
  for (const key of Object.keys(values)) if (shape.members.get(key)?.location !== undefined) delete values[key];
  return values;
}

async function payload(model: ServiceModel, member: Member, protocol: Protocol, request: WireRequest): Promise<unknown> {
  const { shape } = member;
  if (member.streaming || shape.streaming) return request.body;
  const bytes = await request.body.bytes();
  if (bytes.byteLength === 0) return undefined;
  if (shape.document) return documentFromJson(bytes);
  if (shape.type === 'blob') return bytes;
  if (shape.type === 'string') return Buffer.from(bytes).toString('utf8');
  if (protocol === 'rest-json') {
    if (shape.type !== 'structure') throw malformedJson(`The payload '${member.name}' can not be read`);
    return structureFromJson(shape, bytes, { rest: true });
  }
  const root = parseXml(bytes, malformedXml(model.head));
  const expected = member.locationName ?? shape.name;
  // S3 refuses a document of another kind; SDKs of other services have been seen to name the root differently.
  if (model.name === 's3' && root.name !== expected) throw malformedXml(model.head)(`unexpected root element ${root.name}`);
  return structureFromXml(model, shape, root);
}
