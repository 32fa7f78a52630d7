import type { Member, ServiceModel, Shape } from '../models/model.js';
import { malformedQuery } from './malformed.js';
import { scalarFromText } from './text-values.js';
import { put, type Structure, type WireRequest } from './types.js';

/**
 * Input of the query protocols: `Tags.member.1.Key=…`. EC2's variant has names of its own and every list flat (Smithy: "AWS query
 * protocol", "AWS EC2 query protocol"). An empty list arrives as `Tags=`. Parameters the model doesn't know are ignored, as AWS does.
 */
export async function inputFromForm(model: ServiceModel, shape: Shape, ec2: boolean, request: WireRequest): Promise<Structure> {
  const root = node();
  const form = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded') ? Buffer.from(await request.body.bytes()).toString('utf8') : '';
  for (const [name, value] of request.query) insert(root, name, value);
  for (const part of form.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    insert(root, decode(equals < 0 ? part : part.slice(0, equals)), equals < 0 ? '' : decode(part.slice(equals + 1)));
  }
  return structure(shape, root, { ec2, model }, 0);
}

/** Parameters form a tree: `A.B=1` is the value of child B of child A. */
interface Node {
  value: string | undefined;
  children: Map<string, Node> | undefined;
}

interface Reading {
  readonly ec2: boolean;
  readonly model: ServiceModel;
}

const node = (): Node => ({ value: undefined, children: undefined });

/** Deeper than any model; keeps a hostile name from costing more than its length. */
const DEEPEST = 64;

function insert(root: Node, name: string, value: string): void {
  const parts = name.split('.', DEEPEST + 1);
  if (parts.length > DEEPEST) throw malformedQuery(`The parameter name is nested more than ${DEEPEST} levels deep`);
  let at = root;
  for (const part of parts) {
    at.children ??= new Map();
    let next = at.children.get(part);
    if (!next) at.children.set(part, (next = node()));
    at = next;
  }
  at.value = value;
}

function structure(shape: Shape, at: Node, reading: Reading, depth: number): Structure {
  if (depth > DEEPEST) throw malformedQuery(`The request is nested more than ${DEEPEST} levels deep`);
  const result: Structure = {};
  if (!at.children) return result;
  for (const member of shape.members.values()) {
    const child = childOf(at, member, reading.ec2);
    if (child) result[member.name] = value(member, child, reading, member.name, depth + 1);
  }
  return result;
}

function childOf(at: Node, member: Member, ec2: boolean): Node | undefined {
  const { children } = at;
  if (!children) return undefined;
  if (ec2) return children.get(member.queryName ?? capital(member.locationName ?? member.name)) ?? children.get(member.name);
  // The name of a flat list is that of its items (Smithy: xmlFlattened).
  const items = isFlat(member) ? member.shape.member?.locationName : undefined;
  return (
    (member.queryName === undefined ? undefined : children.get(member.queryName)) ??
    (items === undefined ? undefined : children.get(items)) ??
    (member.locationName === undefined ? undefined : children.get(member.locationName)) ??
    children.get(member.name)
  );
}

const isFlat = (member: Member): boolean => member.flattened || member.shape.flattened;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function value(member: Member, at: Node, reading: Reading, path: string, depth: number): unknown {
  const { shape } = member;
  switch (shape.type) {
    case 'structure':
      return structure(shape, at, reading, depth);
    case 'list':
      return list(member, at, reading, path, depth);
    case 'map':
      return map(member, at, reading, path, depth);
    default:
      if (at.value === undefined) throw malformedQuery(`Unexpected complex element termination at '${path}'`);
      return scalarFromText(shape, at.value, (expected) => malformedQuery(`'${at.value}' at '${path}' can not be converted to ${expected}`));
  }
}

function list(member: Member, at: Node, reading: Reading, path: string, depth: number): unknown[] {
  const item = member.shape.member!;
  const wrapped = reading.ec2 || isFlat(member) ? undefined : (at.children?.get(item.locationName ?? 'member') ?? at.children?.get('member'));
  return numbered(wrapped ?? at).map((child, index) => value(item, child, reading, `${path}.${index + 1}`, depth + 1));
}

function map(member: Member, at: Node, reading: Reading, path: string, depth: number): Structure {
  const { key, value: content } = member.shape;
  const entries = isFlat(member) ? at : (at.children?.get('entry') ?? at);
  const result: Structure = {};
  for (const entry of numbered(entries)) {
    const name = (entry.children?.get(key!.queryName ?? key!.locationName ?? 'key') ?? entry.children?.get('Name') ?? entry.children?.get('key'))?.value;
    if (name === undefined) throw malformedQuery(`Map entry without a key at '${path}'`);
    const child = entry.children!.get(content!.queryName ?? content!.locationName ?? 'value') ?? entry.children!.get('Value') ?? entry.children!.get('value');
    if (child) put(result, name, value(content!, child, reading, `${path}.${name}`, depth + 1));
  }
  return result;
}

/** Children by their number, whatever numbers were left out. */
function numbered(at: Node): Node[] {
  if (!at.children) return [];
  const items: [number, Node][] = [];
  for (const [name, child] of at.children) if (/^\d{1,9}$/.test(name)) items.push([Number(name), child]);
  items.sort(([a], [b]) => a - b);
  return items.map(([, child]) => child);
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw malformedQuery('The query string contains a malformed percent-encoding');
  }
}
