import { createHash, randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type { AttributeValue, KeySchemaElement, TableDescription } from '../../models/types/dynamodb.js';
import { table as declare, type Key, type KeyPart, type State, type Table } from '../../state/state.js';
import { canonical, invalid, itemSize, typeOf, type Item } from './values.js';

export interface StoredTable {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** As DescribeTable shows it, but for what changes by itself. */
  readonly description: TableDescription;
  readonly tags: Readonly<Record<string, string>>;
  readonly ttl?: string;
  readonly backups?: { readonly since: Date; readonly days: number };
  readonly policy?: { readonly document: string; readonly revision: string };
  /** Regions that have the same items. */
  readonly replicas: readonly string[];
  readonly insights?: boolean;
}

export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly at: Date;
  readonly keys: Item;
  readonly before?: Item;
  readonly after?: Item;
}

const tableTable = declare<StoredTable>('dynamodb', 'tables');
const itemTable = declare<Item>('dynamodb', 'items');
const indexTable = declare<Key>('dynamodb', 'index-entries');
const streamTable = declare<StreamRecord>('dynamodb', 'stream-records');

export const tables = (state: State, account: string, region: string): Table<StoredTable> => tableTable(state, account, region);
/** By table, partition key and sort key. */
export const items = (state: State, { account, region }: Pick<StoredTable, 'account' | 'region'>): Table<Item> => itemTable(state, account, region);
/** By table, index, partition key, sort key and the item's own key, which is also the value. */
export const indexEntries = (state: State, { account, region }: Pick<StoredTable, 'account' | 'region'>): Table<Key> => indexTable(state, account, region);
/** By stream ARN and sequence number. */
export const streamRecords = (state: State, { account, region }: Pick<StoredTable, 'account' | 'region'>): Table<StreamRecord> => streamTable(state, account, region);

export function tableArn({ account, region, name }: Pick<StoredTable, 'account' | 'region' | 'name'>): string {
  return `arn:aws:dynamodb:${region}:${account}:table/${name}`;
}

/** A table's account and name, from a name or an ARN (with or without index or stream). */
export function parseTable(given: string, context: Pick<RequestContext, 'account'>): { account: string; name: string } {
  const arn = parseArn(given);
  return arn ? { account: arn.account, name: arn.resource.split('/')[1] ?? '' } : { account: context.account, name: given };
}

export function findTable(given: string, context: Pick<RequestContext, 'account' | 'region' | 'state'>): StoredTable | undefined {
  const { account, name } = parseTable(given, context);
  return tables(context.state, account, context.region).get(name);
}

/** Raises ResourceNotFoundException. */
export function tableOf(given: string, context: RequestContext, message = 'Requested resource not found'): StoredTable {
  const found = findTable(given, context);
  if (!found) throw new AwsError('ResourceNotFoundException', message, { status: 400 });
  return found;
}

export function saveTable(state: State, table: StoredTable): void {
  tables(state, table.account, table.region).put(table.name, table);
}

export interface KeyNames {
  readonly hash: string;
  readonly range?: string;
}

export function keyNames(schema: readonly KeySchemaElement[]): KeyNames {
  const range = schema.find(({ KeyType }) => KeyType === 'RANGE')?.AttributeName;
  return { hash: schema.find(({ KeyType }) => KeyType === 'HASH')!.AttributeName, ...(range === undefined ? {} : { range }) };
}

export function attributeType(table: StoredTable, name: string): string | undefined {
  return table.description.AttributeDefinitions!.find(({ AttributeName }) => AttributeName === name)?.AttributeType;
}

/** Bytes of a key part that stand in a state key as they are; the rest of longer ones is told by its hash. */
const LONGEST = 400;

/** A key value as a part of a state key: in DynamoDB's order. */
export function keyParts(value: AttributeValue): KeyPart[] {
  if (value.N !== undefined) return [Number(value.N), canonical(value)];
  const text = value.S ?? Buffer.from(value.B!).toString('hex');
  return [`=${text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}${createHash('sha256').update(text).digest('hex')}`}`];
}

/** Key of an item in the state. */
export function stateKey(table: StoredTable, key: Item): Key {
  const { hash, range } = keyNames(table.description.KeySchema!);
  return [table.name, ...keyParts(key[hash]!), ...(range === undefined ? [] : keyParts(key[range]!))];
}

/** The primary key attributes of an item. */
export function keyOf(table: StoredTable, item: Item): Record<string, AttributeValue> {
  const { hash, range } = keyNames(table.description.KeySchema!);
  return { [hash]: item[hash]!, ...(range === undefined ? {} : { [range]: item[range]! }) };
}

/** Raises unless exactly the table's key attributes are there, of the right types. */
export function checkKey(table: StoredTable, key: Item): void {
  const names = Object.values(keyNames(table.description.KeySchema!)) as string[];
  if (Object.keys(key).length !== names.length || names.some((name) => key[name] === undefined || typeOf(key[name]!) !== attributeType(table, name))) throw invalid('The provided key element does not match the schema');
  checkEmpty(names, key);
}

function checkEmpty(names: readonly string[], item: Item): void {
  for (const name of names)
    if (item[name]?.S === '' || item[name]?.B?.byteLength === 0) throw invalid(`One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${item[name]!.S === '' ? 'string' : 'binary'} value. Key: ${name}`);
}

const MAX_ITEM = 400 * 1024;

/** Raises for an item the table can't take. */
export function checkItem(table: StoredTable, item: Item): void {
  for (const name of Object.values(keyNames(table.description.KeySchema!)) as string[]) {
    const value = item[name];
    if (value === undefined) throw invalid(`One or more parameter values were invalid: Missing the key ${name} in the item`);
    if (typeOf(value) !== attributeType(table, name)) throw invalid(`One or more parameter values were invalid: Type mismatch for key ${name} expected: ${attributeType(table, name)} actual: ${typeOf(value)}`);
  }
  checkEmpty(Object.values(keyNames(table.description.KeySchema!)) as string[], item);
  for (const index of indexesOf(table)) {
    const names = Object.values(keyNames(index.KeySchema!)) as string[];
    for (const name of names)
      if (item[name] !== undefined && typeOf(item[name]!) !== attributeType(table, name))
        throw invalid(`One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${attributeType(table, name)} Actual: ${typeOf(item[name]!)} IndexName: ${index.IndexName}`);
  }
  if (itemSize(item) > MAX_ITEM) throw invalid('Item size has exceeded the maximum allowed size');
}

export function indexesOf(table: StoredTable): { readonly IndexName?: string; readonly KeySchema?: KeySchemaElement[]; readonly Projection?: { ProjectionType?: string; NonKeyAttributes?: string[] } }[] {
  return [...(table.description.GlobalSecondaryIndexes ?? []), ...(table.description.LocalSecondaryIndexes ?? [])];
}

/** Where an item stands in an index; undefined when it lacks the index's key. */
export function indexKey(table: StoredTable, index: { readonly IndexName?: string; readonly KeySchema?: readonly KeySchemaElement[] }, item: Item): Key | undefined {
  const { hash, range } = keyNames(index.KeySchema!);
  if (item[hash] === undefined || (range !== undefined && item[range] === undefined)) return undefined;
  return [table.name, index.IndexName!, ...keyParts(item[hash]!), ...(range === undefined ? [] : keyParts(item[range]!)), ...stateKey(table, item).slice(1)];
}

export function getItem(table: StoredTable, key: Item, state: State): Item | undefined {
  return items(state, table).get(...stateKey(table, key));
}

/** Writes or removes an item in every region that has the table, with its index entries and stream records. */
export function writeItem(table: StoredTable, key: Item, after: Item | undefined, context: Pick<RequestContext, 'state' | 'now'>): void {
  const { state } = context;
  state.transaction(() => {
    for (const region of new Set([table.region, ...table.replicas])) {
      const here = region === table.region ? table : tables(state, table.account, region).get(table.name);
      if (here) writeHere(here, key, after, context);
    }
  });
}

function writeHere(table: StoredTable, key: Item, after: Item | undefined, { state, now }: Pick<RequestContext, 'state' | 'now'>): void {
  const all = items(state, table);
  const entries = indexEntries(state, table);
  const place = stateKey(table, key);
  const before = all.get(...place);
  for (const index of indexesOf(table)) {
    const old = before && indexKey(table, index, before);
    const fresh = after && indexKey(table, index, after);
    if (old) entries.delete(...old);
    if (fresh) entries.put(fresh, place);
  }
  if (after) all.put(place, after);
  else all.delete(...place);
  recordChange(table, key, before, after, state, now());
}

const sequences = new WeakMap<State, number>();

function recordChange(table: StoredTable, keys: Item, before: Item | undefined, after: Item | undefined, state: State, at: Date): void {
  const { StreamSpecification: stream, LatestStreamArn: arn } = table.description;
  if (!stream?.StreamEnabled || arn === undefined || (!before && !after)) return;
  if (before && after && canonical({ M: { ...before } }) === canonical({ M: { ...after } })) return;
  const view = stream.StreamViewType ?? 'KEYS_ONLY';
  const next = Math.max(at.getTime() * 4096, (sequences.get(state) ?? 0) + 1);
  sequences.set(state, next);
  streamRecords(state, table).put([arn, next], {
    eventID: randomUUID().replaceAll('-', ''),
    eventName: before ? (after ? 'MODIFY' : 'REMOVE') : 'INSERT',
    at,
    keys,
    ...(before && (view === 'OLD_IMAGE' || view === 'NEW_AND_OLD_IMAGES') ? { before } : {}),
    ...(after && (view === 'NEW_IMAGE' || view === 'NEW_AND_OLD_IMAGES') ? { after } : {}),
  });
}

/** Features of DynamoDB the local cloud doesn't have. */
export function unsupported(what: string): AwsError {
  return new AwsError('NotImplemented', `The local cloud has no behaviour for ${what} of Amazon DynamoDB. Nothing was changed.`, { status: 501 });
}

/** Raises for parameters of the time before expressions. */
export function refuseLegacy(input: object): void {
  const given = input as Record<string, unknown>;
  for (const name of ['AttributesToGet', 'AttributeUpdates', 'ConditionalOperator', 'Expected', 'KeyConditions', 'QueryFilter', 'ScanFilter']) if (given[name] !== undefined) throw unsupported(`the legacy parameter ${name}`);
}
