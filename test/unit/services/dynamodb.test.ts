import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { addNumbers, compareNumbers, formatNumber, parseNumber } from '../../../src/local/services/dynamodb/values.js';
import { A, allow, failure, memoryCloud, REGION, type Answer, type MemoryCloud } from './cloud.js';

let cloud: MemoryCloud;
const call = (operation: string, input: object): Promise<Answer> => cloud.call('dynamodb', operation, { TableName: 't', ...input });
const item = (pk: string, sk: number, more: object = {}): object => ({ pk: { S: pk }, sk: { N: String(sk) }, ...more });
const put = (pk: string, sk: number, more: object = {}, rest: object = {}): Promise<Answer> => call('PutItem', { Item: item(pk, sk, more), ...rest });
const sorts = ({ Items }: Answer): string[] => Items.map((one: Answer) => one.sk.N);

beforeEach(async () => {
  cloud = memoryCloud();
  await call('CreateTable', {
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }, { AttributeName: 'sk', AttributeType: 'N' }, { AttributeName: 'g', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    BillingMode: 'PAY_PER_REQUEST',
    GlobalSecondaryIndexes: [{ IndexName: 'byG', KeySchema: [{ AttributeName: 'g', KeyType: 'HASH' }], Projection: { ProjectionType: 'KEYS_ONLY' } }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
});

describe('queries', () => {
  const query = (condition: string, values: object, more: object = {}): Promise<Answer> => call('Query', { KeyConditionExpression: condition, ExpressionAttributeValues: values, ...more });

  beforeEach(async () => {
    for (const sk of [10, 2, -1, 1.5]) await put('a', sk, { v: { S: `v${sk}` }, ...(sk > 1.5 ? { g: { S: 'x' } } : {}) });
    await put('b', 1);
  });

  it('follow the sort key as numbers, both ways', async () => {
    expect(sorts(await query('pk = :p', { ':p': { S: 'a' } }))).toEqual(['-1', '1.5', '2', '10']);
    expect(sorts(await query('pk = :p AND sk BETWEEN :x AND :y', { ':p': { S: 'a' }, ':x': { N: '0' }, ':y': { N: '2' } }, { ScanIndexForward: false }))).toEqual(['2', '1.5']);
  });

  it('go on behind the last key', async () => {
    const first = await query('pk = :p', { ':p': { S: 'a' } }, { Limit: 3 });
    const second = await query('pk = :p', { ':p': { S: 'a' } }, { Limit: 3, ExclusiveStartKey: first.LastEvaluatedKey });
    expect([sorts(first), sorts(second), second.LastEvaluatedKey]).toEqual([['-1', '1.5', '2'], ['10'], undefined]);
  });

  it('read an index, which has only the items with its key and only what it projects', async () => {
    const { Items } = await query('g = :g', { ':g': { S: 'x' } }, { IndexName: 'byG' });
    expect(Items).toEqual([item('a', 2, { g: { S: 'x' } }), item('a', 10, { g: { S: 'x' } })]);
    await call('UpdateItem', { Key: item('a', 2), UpdateExpression: 'REMOVE g' });
    expect(sorts(await query('g = :g', { ':g': { S: 'x' } }, { IndexName: 'byG' }))).toEqual(['10']);
  });

  it.each([
    ['sk = :p', { ':p': { N: '1' } }, 'ValidationException: Query condition missed key schema element: pk'],
    ['pk = :p AND v = :v', { ':p': { S: 'a' }, ':v': { S: 'x' } }, 'ValidationException: Query condition missed key schema element: sk'],
    ['pk = :p', { ':p': { N: '1' } }, 'ValidationException: One or more parameter values were invalid: Condition parameter type does not match schema type'],
    ['pk = :p AND name = :n', { ':p': { S: 'a' }, ':n': { S: 'x' } }, 'ValidationException: Invalid KeyConditionExpression: Attribute name is a reserved keyword; reserved keyword: name'],
    ['pk = :p', { ':p': { S: 'a' }, ':q': { S: 'a' } }, 'ValidationException: Value provided in ExpressionAttributeValues unused in expressions: keys: {:q}'],
  ])('%s with %j: %s', async (condition, values, expected) => expect(await failure(query(condition, values))).toBe(expected));
});

describe('updates', () => {
  const update = (UpdateExpression: string, values: object | undefined, more: object = {}): Promise<Answer> => call('UpdateItem', { Key: item('a', 1), UpdateExpression, ReturnValues: 'ALL_NEW', ...(values ? { ExpressionAttributeValues: values } : {}), ...more });

  it.each<[string, object | undefined, object, object]>([
    ['SET n = if_not_exists(n, :z) + :one', { ':z': { N: '0' }, ':one': { N: '1' } }, {}, { n: { N: '1' } }],
    ['SET n = n - :x', { ':x': { N: '0.1' } }, { n: { N: '0.3' } }, { n: { N: '0.2' } }],
    ['SET l = list_append(l, :x)', { ':x': { L: [{ S: 'b' }] } }, { l: { L: [{ S: 'a' }] } }, { l: { L: [{ S: 'a' }, { S: 'b' }] } }],
    ['SET m.k[1] = :x', { ':x': { S: 'new' } }, { m: { M: { k: { L: [{ S: '0' }, { S: '1' }] } } } }, { m: { M: { k: { L: [{ S: '0' }, { S: 'new' }] } } } }],
    ['REMOVE l[0], l[2]', undefined, { l: { L: [{ S: '0' }, { S: '1' }, { S: '2' }] } }, { l: { L: [{ S: '1' }] } }],
    ['ADD s :x DELETE d :y', { ':x': { SS: ['b'] }, ':y': { SS: ['p'] } }, { s: { SS: ['a'] }, d: { SS: ['p'] } }, { s: { SS: ['a', 'b'] } }],
    ['SET a = b, b = a', undefined, { a: { S: '1' }, b: { S: '2' } }, { a: { S: '2' }, b: { S: '1' } }],
  ])('%s', async (expression, values, before, after) => {
    await put('a', 1, before);
    expect((await update(expression, values)).Attributes).toEqual(item('a', 1, after));
  });

  it.each([
    ['SET pk = :x', { ':x': { S: 'b' } }, 'Cannot update attribute pk. This attribute is part of the key'],
    ['SET m.k = :x', { ':x': { S: 'b' } }, 'The document path provided in the update expression is invalid for update'],
    ['SET a = :x, a.b = :x', { ':x': { S: 'b' } }, 'Two document paths overlap with each other'],
    ['SET a = b', undefined, 'The provided expression refers to an attribute that does not exist in the item'],
  ])('%s is refused', async (expression, values, expected) => expect(await failure(update(expression, values))).toContain(expected));
});

describe('conditions and transactions', () => {
  it('decide whether something is written, and show the item that stood in the way', async () => {
    await put('a', 1, { v: { S: 'old' } });
    expect(await failure(put('a', 1, {}, { ConditionExpression: 'attribute_not_exists(pk)' }))).toBe('ConditionalCheckFailedException: The conditional request failed');
    await put('a', 1, { v: { S: 'new' } }, { ConditionExpression: 'begins_with(v, :o) AND size(v) = :n AND NOT contains(v, :z) AND v IN (:o, :d)', ExpressionAttributeValues: { ':o': { S: 'old' }, ':n': { N: '3' }, ':z': { S: 'z' }, ':d': { S: 'd' } } });
    expect((await call('GetItem', { Key: item('a', 1), ProjectionExpression: 'v' })).Item).toEqual({ v: { S: 'new' } });
  });

  it('write all or nothing, once for a token', async () => {
    const TransactItems = [{ Put: { TableName: 't', Item: item('z', 1) } }, { Update: { TableName: 't', Key: item('z', 2), UpdateExpression: 'ADD n :one', ExpressionAttributeValues: { ':one': { N: '1' } } } }];
    const run = (items: object[], ClientRequestToken?: string): Promise<Answer> => cloud.call('dynamodb', 'TransactWriteItems', { TransactItems: items, ...(ClientRequestToken ? { ClientRequestToken } : {}) });
    await run(TransactItems, 'once');
    await run(TransactItems, 'once');
    expect((await call('GetItem', { Key: item('z', 2) })).Item.n).toEqual({ N: '1' });
    expect(await failure(run([{ Put: { TableName: 't', Item: item('z', 9) } }, { ConditionCheck: { TableName: 't', Key: item('z', 8), ConditionExpression: 'attribute_exists(pk)' } }]))).toBe(
      'TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]',
    );
    expect((await call('GetItem', { Key: item('z', 9) })).Item).toBeUndefined();
  });

  it('are allowed by the actions of their parts', async () => {
    const writer = await cloud.user('writer', allow('dynamodb:PutItem', `arn:aws:dynamodb:${REGION}:${A}:table/t`));
    await expect(writer.call('dynamodb', 'TransactWriteItems', { TransactItems: [{ Put: { TableName: 't', Item: item('a', 1) } }] })).resolves.toBeDefined();
    expect(await failure(writer.call('dynamodb', 'TransactWriteItems', { TransactItems: [{ Delete: { TableName: 't', Key: item('a', 1) } }] }))).toContain('dynamodb:DeleteItem');
  });
});

it('records changes in the stream, with both images', async () => {
  await put('a', 1, { v: { S: '1' } });
  await put('a', 1, { v: { S: '1' } });
  await put('a', 1, { v: { S: '2' } });
  await call('DeleteItem', { Key: item('a', 1) });
  const streams = (operation: string, input: object): Promise<Answer> => cloud.call('dynamodbstreams', operation, input as Record<string, unknown>);
  const { Streams } = await streams('ListStreams', {});
  const { StreamDescription } = await streams('DescribeStream', { StreamArn: Streams[0].StreamArn });
  const { ShardIterator } = await streams('GetShardIterator', { StreamArn: Streams[0].StreamArn, ShardId: StreamDescription.Shards[0].ShardId, ShardIteratorType: 'TRIM_HORIZON' });
  const { Records } = await streams('GetRecords', { ShardIterator });
  expect(Records.map(({ eventName, dynamodb }: Answer) => [eventName, dynamodb.OldImage?.v.S, dynamodb.NewImage?.v.S])).toEqual([['INSERT', undefined, '1'], ['MODIFY', '1', '2'], ['REMOVE', '2', undefined]]);
});

it('has the same items in every replica', async () => {
  await put('a', 1);
  await call('UpdateTable', { ReplicaUpdates: [{ Create: { RegionName: 'us-west-2' } }] });
  const there = cloud.admin(A, 'us-west-2');
  await there.call('dynamodb', 'PutItem', { TableName: 't', Item: item('a', 2) });
  const key = (sk: number): Record<string, unknown> => ({ TableName: 't', Key: item('a', sk) });
  expect([(await there.call<Answer>('dynamodb', 'GetItem', key(1))).Item, (await call('GetItem', key(2))).Item]).toEqual([item('a', 1), item('a', 2)]);
});

describe('numbers', () => {
  it.each([['0.1', '0.2', '0.3'], ['99999999999999999999999999999999999999', '0', '99999999999999999999999999999999999999'], ['1e20', '1', '100000000000000000001'], ['-5', '5', '0']])('%s + %s = %s', (a, b, sum) => expect(addNumbers(a, b)).toBe(sum));
  it('keep their order and their value through being written', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -20, max: 20 }), fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (a, power, b) => {
      const text = `${a}e${power}`;
      expect(compareNumbers(formatNumber(parseNumber(text)), text)).toBe(0);
      expect(Math.sign(compareNumbers(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }));
  });
});
