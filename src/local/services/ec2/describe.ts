import type { Operation, RequestContext } from '../../kernel/service.js';
import { loadModel, type Shape } from '../../models/model.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { kindOf, type KindName } from './kinds.js';
import { all, fail, notFound, peek, type Item } from './store.js';
import { tagsOf } from './tags.js';

interface DescribeInput {
  readonly Filters?: readonly Ec2.Filter[];
  readonly Filter?: readonly Ec2.Filter[];
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** A Describe operation: by IDs, by filters, in pages. `view` adds what isn't stored with the thing. */
export function describe<T extends Item>(kind: KindName, ids: string, result: string, view: (item: T, context: RequestContext) => T = (item) => item): Operation {
  return (input: DescribeInput, context: RequestContext) => {
    const { items, ...rest } = select<T>(kind, ((input as Record<string, unknown>)[ids] as string[] | undefined) ?? [], input, context, view);
    return { [result]: items, ...rest };
  };
}

export function select<T extends Item>(kind: KindName, ids: readonly string[], input: DescribeInput, context: RequestContext, view: (item: T, context: RequestContext) => T = (item) => item): { items: T[]; NextToken?: string } {
  const named = ids.length > 0 ? [...new Set(ids)].map((id) => peek<T>(kind, id, context) ?? raise(kind, id)) : all<T>(kind, context);
  const filters = input.Filters ?? input.Filter ?? [];
  const found = named.map((item) => view(item, context)).filter((item) => matchesAll(kind, item, filters));
  return page(found, input);
}

function raise(kind: KindName, id: string): never {
  throw notFound(kind, id);
}

export function page<T>(found: readonly T[], { MaxResults, NextToken }: { readonly MaxResults?: number; readonly NextToken?: string }): { items: T[]; NextToken?: string } {
  const start = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, 'base64url').toString('utf8'));
  if (Number.isNaN(start)) throw fail('InvalidNextToken', 'The token is invalid.');
  const end = start + (MaxResults ?? found.length);
  return { items: found.slice(start, end), ...(end < found.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {}) };
}

/** Filters of all Describe operations: each must match, one of its values (EC2 user guide, "List and filter your resources"). */
export function matchesAll(kind: KindName, item: Item, filters: readonly Ec2.Filter[]): boolean {
  return filters.every(({ Name = '', Values = [] }) => {
    const actual = valuesOf(kind, item, Name);
    return Values.some((value) => actual.some((text) => matchesValue(value, text)));
  });
}

function valuesOf(kind: KindName, item: Item, name: string): string[] {
  const tags = tagsOf(kind, item);
  if (name.startsWith('tag:')) return tags.filter(({ Key }) => Key === name.slice(4)).map(({ Value }) => Value ?? '');
  if (name === 'tag-key') return tags.map(({ Key }) => Key!);
  if (name === 'tag-value') return tags.map(({ Value }) => Value ?? '');
  return read(item, pathOf(kindOf(kind).shape, name, kindOf(kind).filters)).map(String);
}

function read(value: unknown, path: readonly string[]): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one) => read(one, path));
  if (path.length === 0) return [value instanceof Date ? value.toISOString() : value];
  return read((value as Record<string, unknown>)[path[0]!], path.slice(1));
}

const paths = new Map<string, readonly string[]>();

/** `association.subnet-id` of a route table is `Associations[].SubnetId`: names of filters are members of the shape. Raises for others. */
export function pathOf(shapeName: string, name: string, own: Readonly<Record<string, string>> | undefined): readonly string[] {
  const known = paths.get(`${shapeName}/${name}`);
  if (known) return known;
  const special = own?.[name];
  const path = special?.split('.') ?? followed(loadModel('ec2')!.shape(shapeName), name);
  if (!path) throw fail('InvalidParameterValue', `The filter '${name}' is invalid`);
  paths.set(`${shapeName}/${name}`, path);
  return path;
}

function followed(shape: Shape, name: string): string[] | undefined {
  const [first = '', ...rest] = name.split('.');
  const wanted = first.replaceAll('-', '').toLowerCase();
  const member = [...shape.members.values()].find((one) => [wanted, `${wanted}s`, `${wanted}es`, `${wanted}set`].includes(one.name.toLowerCase()));
  if (!member) return undefined;
  const inner = member.shape.type === 'list' ? member.shape.member!.shape : member.shape;
  if (rest.length === 0) return inner.type === 'structure' ? undefined : [member.name];
  const path = inner.type === 'structure' ? followed(inner, rest.join('.')) : undefined;
  return path && [member.name, ...path];
}

/** `*` stands for any text, `?` for one character, a backslash before them for themselves. */
export function matchesValue(pattern: string, text: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === text;
  let at = 0;
  let mark = -1;
  let start = 0;
  for (let i = 0; i < text.length; ) {
    const char = pattern[at];
    if (char === '*') {
      mark = at++;
      start = i;
    } else if (char === '?' || (char === '\\' ? pattern[at + 1] === text[i] : char === text[i])) {
      at += char === '\\' ? 2 : 1;
      i++;
    } else if (mark >= 0) {
      at = mark + 1;
      i = ++start;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
