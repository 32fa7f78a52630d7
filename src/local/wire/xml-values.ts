import type { Member, ServiceModel, Shape } from '../models/model.js';
import { unknownMember } from './json.js';
import { malformedXml, type Malformed } from './malformed.js';
import { scalarFromText } from './text-values.js';
import { formatTimestamp } from './timestamps.js';
import { put, type Structure } from './types.js';
import { escapeXml, type XmlElement } from '../../shared/xml.js';

/** The values of a structure from its XML element. S3 refuses elements its schema doesn't have; other services pass over them. */
export function structureFromXml(model: ServiceModel, shape: Shape, element: XmlElement): Structure {
  return readStructure(shape, element, { refuse: malformedXml(model.head), strict: model.name === 's3' });
}

interface Reading {
  readonly refuse: Malformed;
  readonly strict: boolean;
}

function readStructure(shape: Shape, element: XmlElement, reading: Reading): Structure {
  const byName = new Map<string, XmlElement[]>();
  for (const child of element.children) {
    const list = byName.get(child.name);
    if (list) list.push(child);
    else byName.set(child.name, [child]);
  }
  const result: Structure = {};
  for (const member of shape.members.values()) {
    if (member.location !== undefined) continue;
    const name = elementName(member);
    if (member.xmlAttribute) {
      const attribute = element.attributes.get(name);
      if (attribute !== undefined) result[member.name] = attribute;
      continue;
    }
    const elements = byName.get(name);
    byName.delete(name);
    if (elements) result[member.name] = readMember(member, elements, reading);
  }
  if (reading.strict && byName.size > 0) throw reading.refuse(`unexpected element ${[...byName.keys()][0]}`);
  return result;
}

/** The element's name: a flat list is named by its items where they have a name. */
function elementName(member: Member): string {
  const items = isFlat(member) ? member.shape.member?.locationName : undefined;
  return member.locationName ?? items ?? member.name;
}

const isFlat = (member: Member): boolean => member.flattened || member.shape.flattened;

function readMember(member: Member, elements: readonly XmlElement[], reading: Reading): unknown {
  const { shape } = member;
  const first = elements[0]!;
  if (shape.type === 'list') {
    const items = isFlat(member) ? elements : first.children;
    return items.map((item) => readMember(shape.member!, [item], reading));
  }
  if (shape.type === 'map') return readMap(shape, isFlat(member) ? elements : first.children, reading);
  if (reading.strict && elements.length > 1) throw reading.refuse(`element ${first.name} given twice`);
  if (shape.type === 'structure') return readStructure(shape, first, reading);
  if (first.children.length > 0) throw reading.refuse(`unexpected element ${first.children[0]!.name}`);
  return scalarFromText(shape, first.text, (expected) => reading.refuse(`'${first.text}' is not ${expected}`));
}

function readMap(shape: Shape, entries: readonly XmlElement[], reading: Reading): Structure {
  const result: Structure = {};
  for (const entry of entries) {
    const key = entry.children.find((child) => child.name === (shape.key!.locationName ?? 'key'));
    const value = entry.children.find((child) => child.name === (shape.value!.locationName ?? 'value'));
    if (!key || !value) throw reading.refuse('a map entry needs a key and a value');
    put(result, key.text, readMember(shape.value!, [value], reading));
  }
  return result;
}

/** How values are written: the query protocols' own names, EC2's sets, and how much of a time is shown. */
export interface XmlStyle {
  readonly query: boolean;
  readonly ec2: boolean;
  /** IAM and STS show whole seconds, EC2 and S3 `.000Z`, the others milliseconds. */
  readonly milliseconds: 'shown' | 'zero' | 'none';
}

/** The elements of a structure's members, those in the body, in the model's order. A member the model doesn't know is a defect of the service. */
export function structureToXml(shape: Shape, value: Structure, style: XmlStyle, where: string): string {
  for (const key of Object.keys(value)) if (value[key] !== undefined && !shape.members.has(key)) throw unknownMember(where, key);
  let text = '';
  for (const member of shape.members.values()) {
    const item = value[member.name];
    if (item === undefined || item === null || member.location !== undefined || member.xmlAttribute) continue;
    text += memberToXml(member, nameOf(member, style), item, style, `${where}.${member.name}`);
  }
  return text;
}

function nameOf(member: Member, style: XmlStyle): string {
  return (style.query && !style.ec2 ? member.queryName : undefined) ?? elementName(member);
}

/** One member as `<name>…</name>`; a flat list as several. */
export function memberToXml(member: Member, name: string, value: unknown, style: XmlStyle, where: string): string {
  const { shape } = member;
  switch (shape.type) {
    case 'list': {
      const item = shape.member!;
      const flat = isFlat(member);
      const itemName = flat ? name : (item.locationName ?? (style.ec2 ? 'item' : 'member'));
      const items = (value as unknown[]).map((one) => memberToXml(item, itemName, one, style, `${where}[]`)).join('');
      return flat ? items : wrap(name, items);
    }
    case 'map':
      return mapToXml(member, name, value as Structure, style, where);
    case 'structure':
      return `<${name}${attributes(member, value as Structure)}>${structureToXml(shape, value as Structure, style, where)}</${name}>`;
    default:
      return wrap(name, escapeXml(scalarToText(member, value, style)));
  }
}

function mapToXml(member: Member, name: string, value: Structure, style: XmlStyle, where: string): string {
  const { key, value: content } = member.shape;
  const keyName = key!.queryName ?? key!.locationName ?? 'key';
  const valueName = content!.queryName ?? content!.locationName ?? 'value';
  const flat = isFlat(member);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined && item !== null)
    .map(([entry, item]) => wrap(flat ? name : 'entry', wrap(keyName, escapeXml(entry)) + memberToXml(content!, valueName, item, style, `${where}.*`)))
    .join('');
  return flat ? entries : wrap(name, entries);
}

const wrap = (name: string, content: string): string => (content === '' ? `<${name}/>` : `<${name}>${content}</${name}>`);

/** Namespace declarations and the members that are attributes (S3's `xsi:type` of a grantee). */
function attributes(member: Member, value: Structure): string {
  const space = member.xmlNamespace ?? member.shape.xmlNamespace;
  let text = space?.prefix ? ` xmlns:${space.prefix}="${escapeXml(space.uri)}"` : '';
  for (const attribute of member.shape.members.values()) {
    const item = value[attribute.name];
    if (attribute.xmlAttribute && item !== undefined) text += ` ${attribute.locationName ?? attribute.name}="${escapeXml(String(item))}"`;
  }
  return text;
}

function scalarToText(member: Member, value: unknown, style: XmlStyle): string {
  switch (member.shape.type) {
    case 'timestamp': {
      const date = value instanceof Date ? value : new Date(value as string | number);
      return formatTimestamp(date, member.timestampFormat ?? member.shape.timestampFormat ?? 'iso8601', style.milliseconds);
    }
    case 'blob':
      return Buffer.from(value as Uint8Array).toString('base64');
    default:
      return String(value);
  }
}
