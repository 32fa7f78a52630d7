import { AwsError } from '../../kernel/error.js';
import type { RequestContext, Service } from '../../kernel/service.js';
import type * as Ddb from '../../models/types/dynamodb.js';
import { findTable, streamRecords, tables, type StoredTable, type StreamRecord } from './store.js';
import { itemSize } from './values.js';

/** A stream has one shard here, from its beginning to its end; records go after 24 hours. */
const SHARD = 'shardId-00000001000000000000-00000001';
const KEPT = 24 * 3_600_000;

/** Amazon DynamoDB Streams. */
export const dynamodbstreams: Service = {
  name: 'dynamodbstreams',
  actionPrefix: 'dynamodb',
  operations: { ListStreams: listStreams, DescribeStream: describeStream, GetShardIterator: getShardIterator, GetRecords: getRecords },
  authorization: {
    ListStreams: { action: 'dynamodb:ListStreams', resource: 'arn:{partition}:dynamodb:{region}:{account}:table/*/stream/*' },
    DescribeStream: { resource: '{StreamArn}' },
    GetShardIterator: { resource: '{StreamArn}' },
    GetRecords: { resource: (input: { ShardIterator: string }) => iteratorOf(input.ShardIterator).arn },
  },
};

function streamOf(arn: string, context: RequestContext): StoredTable {
  const table = findTable(arn, context);
  if (!table || table.description.LatestStreamArn !== arn) throw new AwsError('ResourceNotFoundException', `Requested resource not found: Stream: ${arn} not found`, { status: 400 });
  return table;
}

interface ListInput {
  readonly TableName?: string;
  readonly Limit?: number;
  readonly ExclusiveStartStreamArn?: string;
}

function listStreams(input: ListInput, context: RequestContext): object {
  const all = tables(context.state, context.account, context.region).list().filter(({ name, description }) => description.LatestStreamArn !== undefined && (input.TableName === undefined || input.TableName === name));
  const start = input.ExclusiveStartStreamArn === undefined ? 0 : all.findIndex(({ description }) => description.LatestStreamArn === input.ExclusiveStartStreamArn) + 1;
  const shown = all.slice(start, start + (input.Limit ?? 100));
  return {
    Streams: shown.map(({ name, description }) => ({ StreamArn: description.LatestStreamArn, TableName: name, StreamLabel: description.LatestStreamLabel })),
    ...(start + shown.length < all.length ? { LastEvaluatedStreamArn: shown.at(-1)!.description.LatestStreamArn } : {}),
  };
}

function describeStream(input: { StreamArn: string }, context: RequestContext): object {
  const { name, description } = streamOf(input.StreamArn, context);
  const enabled = description.StreamSpecification?.StreamEnabled ?? false;
  return {
    StreamDescription: {
      StreamArn: input.StreamArn, StreamLabel: description.LatestStreamLabel, StreamStatus: enabled ? 'ENABLED' : 'DISABLED', StreamViewType: description.StreamSpecification?.StreamViewType, TableName: name, KeySchema: description.KeySchema,
      CreationRequestDateTime: new Date(`${description.LatestStreamLabel}Z`), Shards: [{ ShardId: SHARD, SequenceNumberRange: { StartingSequenceNumber: sequence(0) } }],
    },
  };
}

const sequence = (number: number): string => `1${String(number).padStart(20, '0')}`;

interface IteratorInput {
  readonly StreamArn: string;
  readonly ShardId: string;
  readonly ShardIteratorType: string;
  readonly SequenceNumber?: string;
}

function getShardIterator(input: IteratorInput, context: RequestContext): object {
  const table = streamOf(input.StreamArn, context);
  if (input.ShardId !== SHARD) throw new AwsError('ResourceNotFoundException', 'Requested resource not found: Shard does not exist', { status: 400 });
  const number = Number((input.SequenceNumber ?? '1').slice(1));
  const latest = streamRecords(context.state, table).entries([input.StreamArn], { reverse: true, limit: 1 }).map(([key]) => Number(key[1]))[0] ?? 0;
  const after = { TRIM_HORIZON: 0, LATEST: latest, AT_SEQUENCE_NUMBER: number - 1, AFTER_SEQUENCE_NUMBER: number }[input.ShardIteratorType] ?? 0;
  return { ShardIterator: iterator(input.StreamArn, after) };
}

const iterator = (arn: string, after: number): string => `${arn}|1|${Buffer.from(String(after)).toString('base64')}`;

function iteratorOf(text: string): { arn: string; after: number } {
  const [arn = '', , encoded = ''] = text.split('|');
  const after = Number(Buffer.from(encoded, 'base64').toString('utf8'));
  if (!arn.startsWith('arn:') || encoded === '' || Number.isNaN(after)) throw new AwsError('ValidationException', 'Invalid ShardIterator', { status: 400 });
  return { arn, after };
}

function getRecords(input: { ShardIterator: string; Limit?: number }, context: RequestContext): object {
  const { arn, after } = iteratorOf(input.ShardIterator);
  const table = streamOf(arn, context);
  const all = streamRecords(context.state, table);
  const oldest = context.now().getTime() - KEPT;
  const found = all.entries([arn], { after: [arn, after], limit: input.Limit ?? 1000 });
  const live = found.filter(([, record]) => record.at.getTime() >= oldest);
  const last = found.at(-1)?.[0][1];
  return { Records: live.map(([key, record]) => shown(Number(key[1]), record, table)), NextShardIterator: iterator(arn, last === undefined ? after : Number(last)) };
}

function shown(number: number, record: StreamRecord, table: StoredTable): object {
  return {
    eventID: record.eventID,
    eventName: record.eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: table.region,
    dynamodb: {
      ApproximateCreationDateTime: record.at,
      Keys: record.keys,
      ...(record.after ? { NewImage: record.after } : {}),
      ...(record.before ? { OldImage: record.before } : {}),
      SequenceNumber: sequence(number),
      SizeBytes: itemSize(record.keys) + itemSize(record.after ?? {}) + itemSize(record.before ?? {}),
      StreamViewType: table.description.StreamSpecification?.StreamViewType as Ddb.StreamViewType,
    },
  };
}
