import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { table, type State, type Table } from '../../state/state.js';
import { kindOf, type KindName } from './kinds.js';

/** Things are kept as the API describes them: what a Describe call answers is what is stored. */
export type Item = object;

interface Place {
  readonly state: State;
  readonly account: string;
  readonly region: string;
}

export function all<T extends Item>(kind: KindName, { state, account, region }: Place): T[] {
  return of<T>(kind)(state, account, region).list();
}

function of<T>(kind: string): (state: State, account: string, region: string) => Table<T> {
  return (tables.get(kind) ?? tables.set(kind, table<unknown>('ec2', kind)).get(kind)!) as (state: State, account: string, region: string) => Table<T>;
}

const tables = new Map<string, (state: State, account: string, region: string) => Table<unknown>>();

/** What belongs to one VPC and has its `VpcId`. */
export function within<T extends Item>(kind: KindName, vpcId: string | undefined, place: Place): T[] {
  return all<T & { VpcId?: string }>(kind, place).filter((item) => item.VpcId === vpcId);
}

export function peek<T extends Item>(kind: KindName, id: string | undefined, { state, account, region }: Place): T | undefined {
  return id === undefined || id === '' ? undefined : of<T>(kind)(state, account, region).get(id);
}

/** Raises the kind's own NotFound error. */
export function find<T extends Item>(kind: KindName, id: string | undefined, context: RequestContext): T {
  if (id === undefined) throw missing(kindOf(kind).id);
  const found = peek<T>(kind, id, context);
  if (!found) throw notFound(kind, id);
  return found;
}

export function notFound(kind: KindName, id: string): AwsError {
  const { code, missing: sentence } = kindOf(kind);
  return fail(code, sentence(id));
}

export function save<T extends Item>(kind: KindName, item: T, { state, account, region }: Place): T {
  of<T>(kind)(state, account, region).put(String((item as Record<string, unknown>)[kindOf(kind).id]), item);
  return item;
}

export function remove(kind: KindName, id: string, { state, account, region }: Place): void {
  of(kind)(state, account, region).delete(id);
}

/** What EC2 knows of a thing and doesn't describe with it (DNS settings of a VPC, versions of a launch template). */
export function details<T>(name: string, { state, account, region }: Place): Table<T> {
  return of<T>(`${name}-details`)(state, account, region);
}

export function newId(kind: KindName | 'association'): string {
  return `${kind === 'association' ? 'rtbassoc' : kindOf(kind).prefix}-${suffix()}`;
}

/** Seventeen hexadecimal digits. */
export function suffix(): string {
  return `0${randomBytes(8).toString('hex')}`;
}

export function arnOf(kind: KindName, id: string, { account, region }: Pick<Place, 'account' | 'region'>): string {
  return `arn:aws:ec2:${region}:${account}:${kindOf(kind).type}/${id}`;
}

export function fail(code: string, message: string, status = 400): AwsError {
  return new AwsError(code, message, { status });
}

export function missing(parameter: string): AwsError {
  return fail('MissingParameter', `The request must contain the parameter ${parameter}`);
}

export function invalidValue(value: unknown, parameter: string, reason: string): AwsError {
  return fail('InvalidParameterValue', `Value (${String(value)}) for parameter ${parameter} is invalid. ${reason}`);
}

export function dependency(noun: string, id: string): AwsError {
  return fail('DependencyViolation', `The ${noun} '${id}' has dependencies and cannot be deleted.`);
}

/** Parts of EC2 the local cloud doesn't have. */
export function unsupported(what: string): AwsError {
  return fail('NotImplemented', `The local cloud has no behaviour for ${what} of Amazon EC2. Nothing was changed.`, 501);
}
