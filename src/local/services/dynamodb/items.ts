import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ddb from '../../models/types/dynamodb.js';
import { meets, projected, updated } from './evaluate.js';
import { parseCondition, parseProjection, parseUpdate, Substitutions, type Condition, type Update } from './parse.js';
import { checkItem, checkKey, getItem as find, keyNames, keyOf, refuseLegacy, tableOf, writeItem, type StoredTable } from './store.js';
import { checkedItem, invalid, itemSize, type Item } from './values.js';

export function getItem(input: Ddb.GetItemInput, context: RequestContext): Ddb.GetItemOutput {
  refuseLegacy(input);
  const substitutions = new Substitutions(input.ExpressionAttributeNames);
  const projection = input.ProjectionExpression === undefined ? undefined : parseProjection(input.ProjectionExpression, substitutions);
  substitutions.finish(projection !== undefined);
  const table = tableOf(input.TableName, context);
  const key = checkedItem(input.Key);
  checkKey(table, key);
  const item = find(table, key, context.state);
  return { ...(item ? { Item: projection ? projected(item, projection) : { ...item } } : {}), ...consumed(input, table, readUnits(item ? itemSize(item) : 0, input.ConsistentRead)) };
}

export function readUnits(size: number, consistent: boolean | undefined): number {
  return Math.max(1, Math.ceil(size / 4096)) * (consistent ? 1 : 0.5);
}

export function writeUnits(...sizes: number[]): number {
  return Math.max(1, Math.ceil(Math.max(...sizes) / 1024));
}

export function consumed(input: { readonly ReturnConsumedCapacity?: string }, table: StoredTable, CapacityUnits: number): { ConsumedCapacity?: Ddb.ConsumedCapacity } {
  const wanted = input.ReturnConsumedCapacity ?? 'NONE';
  return wanted === 'NONE' ? {} : { ConsumedCapacity: { TableName: table.name, CapacityUnits, ...(wanted === 'INDEXES' ? { Table: { CapacityUnits } } : {}) } };
}

/** One write as all ways to write have it: PutItem, batches, transactions. */
export interface Write {
  readonly table: StoredTable;
  readonly key: Item;
  readonly condition?: Condition;
  /** Answers the item as it is to be; undefined removes it. Raises ValidationException. */
  readonly apply: (before: Item | undefined) => Item | undefined;
  readonly update?: Update;
  /** A check of a transaction changes nothing. */
  readonly check?: boolean;
  readonly showOld: boolean;
}

interface WriteInput {
  readonly TableName: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, Ddb.AttributeValue>;
  readonly ReturnValuesOnConditionCheckFailure?: string;
}

function conditionOf(input: WriteInput, substitutions: Substitutions): Condition | undefined {
  return input.ConditionExpression === undefined ? undefined : parseCondition(input.ConditionExpression, 'ConditionExpression', substitutions);
}

const base = (input: WriteInput, condition: Condition | undefined): { condition?: Condition; showOld: boolean } => ({ ...(condition ? { condition } : {}), showOld: input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' });

export function putOf(input: WriteInput & { readonly Item: Item }, context: RequestContext): Write {
  const substitutions = new Substitutions(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
  const condition = conditionOf(input, substitutions);
  substitutions.finish(condition !== undefined);
  const table = tableOf(input.TableName, context);
  const item = checkedItem(input.Item);
  checkItem(table, item);
  return { table, key: keyOf(table, item), ...base(input, condition), apply: () => item };
}

export function deleteOf(input: WriteInput & { readonly Key: Item }, context: RequestContext): Write {
  const substitutions = new Substitutions(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
  const condition = conditionOf(input, substitutions);
  substitutions.finish(condition !== undefined);
  const table = tableOf(input.TableName, context);
  const key = checkedItem(input.Key);
  checkKey(table, key);
  return { table, key, ...base(input, condition), apply: () => undefined };
}

export function checkOf(input: WriteInput & { readonly Key: Item }, context: RequestContext): Write {
  return { ...deleteOf(input, context), check: true };
}

export function updateOf(input: WriteInput & { readonly Key: Item; readonly UpdateExpression?: string }, context: RequestContext): Write {
  const substitutions = new Substitutions(input.ExpressionAttributeNames, input.ExpressionAttributeValues);
  const update = input.UpdateExpression === undefined ? undefined : parseUpdate(input.UpdateExpression, substitutions);
  const condition = conditionOf(input, substitutions);
  substitutions.finish(update !== undefined || condition !== undefined);
  const table = tableOf(input.TableName, context);
  const key = checkedItem(input.Key);
  checkKey(table, key);
  if (update) refuseKeys(table, update);
  const apply = (before: Item | undefined): Item => {
    const item = update ? updated(update, before ?? key) : (before ?? key);
    checkItem(table, item);
    return item;
  };
  return { table, key, ...base(input, condition), apply, ...(update ? { update } : {}) };
}

function refuseKeys(table: StoredTable, update: Update): void {
  const paths = [...update.set, ...update.add, ...update.delete].map(({ path }) => path).concat(update.remove);
  for (const name of Object.values(keyNames(table.description.KeySchema!)) as string[])
    if (paths.some(([first]) => first === name)) throw invalid(`One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`);
}

/** The item as it stands, and whether it meets the write's condition. */
export function judge(write: Write, context: RequestContext): { before: Item | undefined; met: boolean } {
  const before = find(write.table, write.key, context.state);
  return { before, met: !write.condition || meets(write.condition, before ?? {}) };
}

function perform(write: Write, context: RequestContext): { before: Item | undefined; after: Item | undefined } {
  return context.state.transaction(() => {
    const { before, met } = judge(write, context);
    if (!met) throw new AwsError('ConditionalCheckFailedException', 'The conditional request failed', { status: 400, ...(write.showOld && before ? { fields: { Item: before } } : {}) });
    const after = write.apply(before);
    writeItem(write.table, write.key, after, context);
    return { before, after };
  });
}

export function putItem(input: Ddb.PutItemInput, context: RequestContext): Ddb.PutItemOutput {
  refuseLegacy(input);
  if (!['NONE', 'ALL_OLD', undefined].includes(input.ReturnValues)) throw invalid('Return values set to invalid value');
  const write = putOf(input, context);
  const { before, after } = perform(write, context);
  return { ...(input.ReturnValues === 'ALL_OLD' && before ? { Attributes: { ...before } } : {}), ...consumed(input, write.table, writeUnits(itemSize(before ?? {}), itemSize(after ?? {}))) };
}

export function deleteItem(input: Ddb.DeleteItemInput, context: RequestContext): Ddb.DeleteItemOutput {
  refuseLegacy(input);
  if (!['NONE', 'ALL_OLD', undefined].includes(input.ReturnValues)) throw invalid('Return values set to invalid value');
  const write = deleteOf(input, context);
  const { before } = perform(write, context);
  return { ...(input.ReturnValues === 'ALL_OLD' && before ? { Attributes: { ...before } } : {}), ...consumed(input, write.table, writeUnits(itemSize(before ?? {}))) };
}

export function updateItem(input: Ddb.UpdateItemInput, context: RequestContext): Ddb.UpdateItemOutput {
  refuseLegacy(input);
  const write = updateOf(input, context);
  const { before, after } = perform(write, context);
  const Attributes = returned(input.ReturnValues ?? 'NONE', write, before, after ?? {});
  return { ...(Attributes ? { Attributes } : {}), ...consumed(input, write.table, writeUnits(itemSize(before ?? {}), itemSize(after ?? {}))) };
}

function returned(wanted: string, write: Write, before: Item | undefined, after: Item): Record<string, Ddb.AttributeValue> | undefined {
  if (wanted === 'ALL_NEW') return { ...after };
  if (wanted === 'ALL_OLD') return before && { ...before };
  if (wanted !== 'UPDATED_NEW' && wanted !== 'UPDATED_OLD') return undefined;
  const { update } = write;
  const paths = update ? [...update.set, ...update.add, ...update.delete].map(({ path }) => path).concat(update.remove) : [];
  const source = wanted === 'UPDATED_NEW' ? after : before;
  const found = source ? projected(source, paths) : {};
  return Object.keys(found).length > 0 ? found : undefined;
}

