import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ddb from '../../models/types/dynamodb.js';
import type { Key } from '../../state/state.js';
import { meets, projected } from './evaluate.js';
import { consumed, readUnits } from './items.js';
import { parseCondition, parseProjection, Substitutions, type Condition, type Operand, type Path } from './parse.js';
import { attributeType, checkKey, indexEntries, indexesOf, indexKey, items, keyNames, keyOf, keyParts, refuseLegacy, stateKey, tableOf, type KeyNames, type StoredTable } from './store.js';
import { checkedItem, invalid, itemSize, typeOf, type Item } from './values.js';

/** Bytes one Query or Scan reads. */
const MAX_READ = 1024 * 1024;

export function query(input: Ddb.QueryInput, context: RequestContext): Ddb.QueryOutput {
  refuseLegacy(input);
  if (input.KeyConditionExpression === undefined) throw invalid('Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.');
  const substitutions = new Substitutions(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
  const keyCondition = parseCondition(input.KeyConditionExpression, 'KeyConditionExpression', substitutions);
  const read = prepare(input, substitutions, context);
  const { hash, range } = split(keyCondition, read.names, read.table);
  if (read.filter) refuseKeyFilter(read.filter, read.names);
  const forward = input.ScanIndexForward ?? true;
  return run(read, [...read.prefix, ...keyParts(hash)], forward, (item) => !range || meets(range, item), input, context);
}

export function scan(input: Ddb.ScanInput, context: RequestContext): Ddb.ScanOutput {
  refuseLegacy(input);
  if ((input.Segment === undefined) !== (input.TotalSegments === undefined)) throw invalid(input.Segment === undefined ? 'The Segment parameter is required but was not present in the request when parameter TotalSegments is present' : 'The TotalSegments parameter is required but was not present in the request when Segment parameter is present');
  if (input.Segment !== undefined && input.Segment >= input.TotalSegments!) throw invalid(`The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${input.Segment} is not less than TotalSegments: ${input.TotalSegments}`);
  const read = prepare(input, new Substitutions(input.ExpressionAttributeNames, input.ExpressionAttributeValues), context);
  const inSegment = (item: Item): boolean => input.TotalSegments === undefined || segmentOf(item[read.names.hash]!, input.TotalSegments) === input.Segment;
  return run(read, read.prefix, true, inSegment, input, context);
}

function segmentOf(value: Ddb.AttributeValue, segments: number): number {
  let hash = 7;
  for (const part of keyParts(value)) for (const char of String(part)) hash = (hash * 31 + char.charCodeAt(0)) % 2_147_483_647;
  return hash % segments;
}

interface Read {
  readonly table: StoredTable;
  readonly index: ReturnType<typeof indexesOf>[number] | undefined;
  readonly names: KeyNames;
  /** Of the keys that are read. */
  readonly prefix: Key;
  readonly filter: Condition | undefined;
  readonly projection: readonly Path[] | undefined;
}

type ReadInput = Ddb.QueryInput | Ddb.ScanInput;

function prepare(input: ReadInput, substitutions: Substitutions, context: RequestContext): Read {
  const filter = input.FilterExpression === undefined ? undefined : parseCondition(input.FilterExpression, 'FilterExpression', substitutions);
  const projection = input.ProjectionExpression === undefined ? undefined : parseProjection(input.ProjectionExpression, substitutions);
  substitutions.finish(filter !== undefined || projection !== undefined || 'KeyConditionExpression' in input);
  if (input.Select === 'SPECIFIC_ATTRIBUTES' ? !projection : projection && input.Select !== undefined) throw invalid(projection ? `Cannot specify the ProjectionExpression when choosing to get ${input.Select === 'COUNT' ? 'only the Count' : input.Select}` : 'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES');
  const table = tableOf(input.TableName, context);
  const index = input.IndexName === undefined ? undefined : indexesOf(table).find(({ IndexName }) => IndexName === input.IndexName);
  if (input.IndexName !== undefined && !index) throw invalid(`The table does not have the specified index: ${input.IndexName}`);
  if (input.ConsistentRead && table.description.GlobalSecondaryIndexes?.some(({ IndexName }) => IndexName === input.IndexName)) throw invalid('Consistent reads are not supported on global secondary indexes');
  return { table, index, names: keyNames((index ?? table.description).KeySchema!), prefix: index ? [table.name, index.IndexName!] : [table.name], filter, projection };
}

/** The partition, and the condition on the sort key (developer guide, "Key condition expressions for the Query operation"). */
function split(condition: Condition, names: KeyNames, table: StoredTable): { hash: Ddb.AttributeValue; range: Condition | undefined } {
  const parts = condition.kind === 'and' ? [condition.left, condition.right] : [condition];
  const keyed = parts.map((part) => ({ part, name: attributeOf(part) }));
  const hash = keyed.find(({ name }) => name === names.hash);
  if (!hash) throw invalid(`Query condition missed key schema element: ${names.hash}`);
  if (hash.part.kind !== 'compare' || hash.part.operator !== '=') throw invalid('Query key condition not supported');
  const range = keyed.find((one) => one !== hash);
  if (range && range.name !== names.range) throw invalid(names.range === undefined || keyed.length > 2 ? 'Query key condition not supported' : `Query condition missed key schema element: ${names.range}`);
  if (range && !isRangeCondition(range.part)) throw invalid('Query key condition not supported');
  const value = constant(hash.part.right) ?? constant(hash.part.left);
  if (!value) throw invalid('Query key condition not supported');
  for (const [name, given] of [[names.hash, value], ...(range ? [[range.name, rangeValue(range.part)]] : [])] as [string, Ddb.AttributeValue | undefined][])
    if (given && typeOf(given) !== attributeType(table, name)) throw invalid('One or more parameter values were invalid: Condition parameter type does not match schema type');
  return { hash: value, range: range?.part };
}

const constant = (operand: Operand): Ddb.AttributeValue | undefined => (operand.kind === 'value' ? operand.value : undefined);

function attributeOf(condition: Condition): string | undefined {
  const operands = condition.kind === 'compare' ? [condition.left, condition.right] : condition.kind === 'between' ? [condition.operand] : condition.kind === 'function' ? [condition.arguments[0]!] : [];
  const path = operands.find((operand) => operand.kind === 'path');
  return path?.kind === 'path' && path.path.length === 1 ? String(path.path[0]) : undefined;
}

function isRangeCondition(condition: Condition): boolean {
  return condition.kind === 'between' || (condition.kind === 'compare' && condition.operator !== '<>') || (condition.kind === 'function' && condition.name === 'begins_with');
}

function rangeValue(condition: Condition): Ddb.AttributeValue | undefined {
  if (condition.kind === 'compare') return constant(condition.right) ?? constant(condition.left);
  if (condition.kind === 'between') return constant(condition.low);
  return condition.kind === 'function' ? constant(condition.arguments[1]!) : undefined;
}

function refuseKeyFilter(filter: Condition, names: KeyNames): void {
  const paths: Path[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    if ('path' in value && Array.isArray(value.path)) paths.push(value.path as Path);
    for (const inner of Object.values(value)) walk(inner);
  };
  walk(filter);
  for (const name of [names.hash, names.range]) if (name !== undefined && paths.some((path) => path.length === 1 && path[0] === name)) throw invalid(`Filter Expression can only contain non-primary key attributes: Primary key attribute: ${name}`);
}

function run(read: Read, prefix: Key, forward: boolean, within: (item: Item) => boolean, input: ReadInput, context: RequestContext): Ddb.QueryOutput {
  const found: Item[] = [];
  const limit = input.Limit ?? Number.MAX_SAFE_INTEGER;
  let scanned = 0;
  let size = 0;
  let last: Item | undefined;
  let more = false;
  for (const item of walk(read, prefix, forward, startOf(read, input), context)) {
    if (!within(item)) continue;
    if (scanned === limit || size >= MAX_READ) {
      more = true;
      break;
    }
    scanned++;
    size += itemSize(item);
    last = item;
    if (!read.filter || meets(read.filter, item)) found.push(item);
  }
  // Exactly as many as were asked for: whether there are more isn't known yet.
  const next = last && (more || scanned === limit) ? lastKey(read, last) : undefined;
  const shown = found.map((item) => show(read, item, input));
  return {
    ...(input.Select === 'COUNT' ? {} : { Items: shown }),
    Count: found.length,
    ScannedCount: scanned,
    ...(next ? { LastEvaluatedKey: next } : {}),
    ...consumed(input, read.table, readUnits(size, input.ConsistentRead)),
  };
}

function lastKey(read: Read, item: Item): Record<string, Ddb.AttributeValue> {
  const own = keyOf(read.table, item);
  if (!read.index) return own;
  return { ...own, ...Object.fromEntries((Object.values(read.names) as string[]).map((name) => [name, item[name]!])) };
}

function startOf(read: Read, input: ReadInput): Key | undefined {
  if (input.ExclusiveStartKey === undefined) return undefined;
  const key = checkedItem(input.ExclusiveStartKey);
  const own = Object.fromEntries((Object.values(keyNames(read.table.description.KeySchema!)) as string[]).map((name) => [name, key[name]!]));
  try {
    checkKey(read.table, own);
  } catch (error) {
    if (error instanceof AwsError) throw invalid('The provided starting key is invalid: The provided key element does not match the schema');
    throw error;
  }
  return read.index ? indexKey(read.table, read.index, key) : stateKey(read.table, key);
}

/** Items in the order of the index, a page of the state at a time. */
function* walk(read: Read, prefix: Key, forward: boolean, start: Key | undefined, { state }: RequestContext): Generator<Item> {
  const all = items(state, read.table);
  let after = start;
  for (;;) {
    const options = { limit: 100, reverse: !forward, ...(after ? { after } : {}) };
    if (read.index) {
      const page = indexEntries(state, read.table).entries(prefix, options);
      for (const [, place] of page) {
        const item = all.get(...place);
        if (item) yield item;
      }
      if (page.length < 100) return;
      after = page.at(-1)![0];
    } else {
      const page = all.entries(prefix, options);
      for (const [, item] of page) yield item;
      if (page.length < 100) return;
      after = page.at(-1)![0];
    }
  }
}

/** What an index holds of an item, and of that what was asked for. */
function show(read: Read, item: Item, input: ReadInput): Record<string, Ddb.AttributeValue> {
  const { index, table, projection } = read;
  const kind = index?.Projection?.ProjectionType ?? 'ALL';
  const local = table.description.LocalSecondaryIndexes?.some(({ IndexName }) => IndexName === index?.IndexName);
  if (kind !== 'ALL' && !(local && (projection || input.Select === 'ALL_ATTRIBUTES'))) {
    if (input.Select === 'ALL_ATTRIBUTES') throw invalid(`One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${index!.IndexName} because its projection type is not ALL`);
    const kept = new Set<string>([...(Object.values(keyNames(table.description.KeySchema!)) as string[]), ...(Object.values(read.names) as string[]), ...(kind === 'INCLUDE' ? (index!.Projection!.NonKeyAttributes ?? []) : [])]);
    const partial = Object.fromEntries(Object.entries(item).filter(([name]) => kept.has(name)));
    return projection ? projected(partial, projection) : partial;
  }
  return projection ? projected(item, projection) : { ...item };
}
