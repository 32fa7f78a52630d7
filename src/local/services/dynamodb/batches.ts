import { createHash } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ddb from '../../models/types/dynamodb.js';
import { table as declare } from '../../state/state.js';
import { projected } from './evaluate.js';
import { checkOf, deleteOf, getItem, judge, putOf, updateOf, type Write } from './items.js';
import { parseProjection, Substitutions } from './parse.js';
import { checkKey, getItem as find, refuseLegacy, stateKey, tableOf, tableArn, writeItem } from './store.js';
import { checkedItem, invalid, itemSize, type Item } from './values.js';

const MAX_READ = 16 * 1024 * 1024;

export function batchGetItem(input: Ddb.BatchGetItemInput, context: RequestContext): Ddb.BatchGetItemOutput {
  const count = Object.values(input.RequestItems).reduce((sum, { Keys }) => sum + Keys.length, 0);
  if (count > 100) throw invalid('Too many items requested for the BatchGetItem call');
  const Responses: Record<string, Record<string, Ddb.AttributeValue>[]> = {};
  const UnprocessedKeys: Record<string, Ddb.KeysAndAttributes> = {};
  let size = 0;
  for (const [name, wanted] of Object.entries(input.RequestItems)) {
    refuseLegacy(wanted);
    const substitutions = new Substitutions(wanted.ExpressionAttributeNames);
    const projection = wanted.ProjectionExpression === undefined ? undefined : parseProjection(wanted.ProjectionExpression, substitutions);
    substitutions.finish(projection !== undefined);
    const table = tableOf(name, context);
    const keys = wanted.Keys.map((key) => checkedItem(key));
    for (const key of keys) checkKey(table, key);
    if (new Set(keys.map((key) => JSON.stringify(stateKey(table, key)))).size < keys.length) throw invalid('Provided list of item keys contains duplicates');
    Responses[name] = [];
    for (const key of keys) {
      const item = find(table, key, context.state);
      if (item && (size += itemSize(item)) > MAX_READ) (UnprocessedKeys[name] ??= { ...wanted, Keys: [] }).Keys.push(key);
      else if (item) Responses[name].push(projection ? projected(item, projection) : { ...item });
    }
  }
  return { Responses, UnprocessedKeys };
}

export function batchWriteItem(input: Ddb.BatchWriteItemInput, context: RequestContext): Ddb.BatchWriteItemOutput {
  const requests = Object.entries(input.RequestItems).flatMap(([TableName, list]) => list.map((request) => ({ TableName, ...request })));
  if (requests.length > 25) throw invalid('Too many items requested for the BatchWriteItem call');
  const writes = requests.map(({ TableName, PutRequest, DeleteRequest }): Write => {
    if ((PutRequest === undefined) === (DeleteRequest === undefined)) throw invalid('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes');
    return PutRequest ? putOf({ TableName, Item: PutRequest.Item }, context) : deleteOf({ TableName, Key: DeleteRequest!.Key }, context);
  });
  if (new Set(writes.map(placeOf)).size < writes.length) throw invalid('Provided list of item keys contains duplicates');
  context.state.transaction(() => {
    for (const write of writes) writeItem(write.table, write.key, write.apply(undefined), context);
  });
  return { UnprocessedItems: {} };
}

const placeOf = (write: Write): string => JSON.stringify([tableArn(write.table), stateKey(write.table, write.key)]);

export function transactGetItems(input: Ddb.TransactGetItemsInput, context: RequestContext): Ddb.TransactGetItemsOutput {
  return { Responses: input.TransactItems.map(({ Get }) => getItem(Get, context)).map(({ Item }) => (Item ? { Item } : {})) };
}

/** Tokens of transactions of the last ten minutes: the same request again does nothing again. */
const tokens = declare<{ digest: string; at: number }>('dynamodb', 'transaction-tokens');
const TOKEN_LIFE = 10 * 60 * 1000;

export function transactWriteItems(input: Ddb.TransactWriteItemsInput, context: RequestContext): Ddb.TransactWriteItemsOutput {
  if (isRepeated(input, context)) return {};
  const writes = input.TransactItems.map((item): Write => {
    const given = Object.values(item).filter((one) => one !== undefined);
    if (given.length !== 1) throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
    if (item.Put) return putOf(item.Put, context);
    if (item.Update) return updateOf(item.Update, context);
    return item.Delete ? deleteOf(item.Delete, context) : checkOf(item.ConditionCheck!, context);
  });
  if (new Set(writes.map(placeOf)).size < writes.length) throw invalid('Transaction request cannot include multiple operations on one item');
  context.state.transaction(() => {
    const reasons = writes.map((write) => ({ write, ...judge(write, context) }));
    if (reasons.some(({ met }) => !met)) throw cancelled(reasons);
    for (const { write, before } of reasons) if (!write.check) writeItem(write.table, write.key, write.apply(before), context);
    remember(input, context);
  });
  return {};
}

function cancelled(reasons: readonly { readonly write: Write; readonly before: Item | undefined; readonly met: boolean }[]): AwsError {
  const codes = reasons.map(({ met }) => (met ? 'None' : 'ConditionalCheckFailed'));
  const CancellationReasons: Ddb.CancellationReason[] = reasons.map(({ met, write, before }) => (met ? { Code: 'None' } : { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', ...(write.showOld && before ? { Item: { ...before } } : {}) }));
  return new AwsError('TransactionCanceledException', `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`, { status: 400, fields: { CancellationReasons } });
}

const digestOf = (input: Ddb.TransactWriteItemsInput): string => createHash('sha256').update(JSON.stringify(input.TransactItems)).digest('hex');

function isRepeated(input: Ddb.TransactWriteItemsInput, context: RequestContext): boolean {
  const before = input.ClientRequestToken === undefined ? undefined : tokens(context.state, context.account, context.region).get(input.ClientRequestToken);
  if (!before || context.now().getTime() - before.at > TOKEN_LIFE) return false;
  if (before.digest !== digestOf(input)) throw new AwsError('IdempotentParameterMismatchException', 'Parameters do not match with the parameters of the previous request with the same client request token', { status: 400 });
  return true;
}

function remember(input: Ddb.TransactWriteItemsInput, context: RequestContext): void {
  if (input.ClientRequestToken === undefined) return;
  const all = tokens(context.state, context.account, context.region);
  const now = context.now().getTime();
  for (const [key, { at }] of all.entries([], { limit: 20 })) if (now - at > TOKEN_LIFE) all.delete(...key);
  all.put(input.ClientRequestToken, { digest: digestOf(input), at: now });
}
