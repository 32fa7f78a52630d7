import type { AuthorizationRule, ConditionContext, RequestContext, Service } from '../../kernel/service.js';
import type * as Ddb from '../../models/types/dynamodb.js';
import * as batch from './batches.js';
import * as item from './items.js';
import { query, scan } from './query.js';
import * as setting from './settings.js';
import { findTable, keyNames, parseTable, tableArn } from './store.js';
import * as table from './tables.js';
import type { Item } from './values.js';

export { dynamodbstreams } from './streams.js';

/** Amazon DynamoDB. */
export const dynamodb: Service = {
  name: 'dynamodb',
  operations: {
    CreateTable: table.createTable,
    UpdateTable: table.updateTable,
    DeleteTable: table.deleteTable,
    DescribeTable: table.describeTable,
    ListTables: table.listTables,
    GetItem: item.getItem,
    PutItem: item.putItem,
    UpdateItem: item.updateItem,
    DeleteItem: item.deleteItem,
    Query: query,
    Scan: scan,
    BatchGetItem: batch.batchGetItem,
    BatchWriteItem: batch.batchWriteItem,
    TransactGetItems: batch.transactGetItems,
    TransactWriteItems: batch.transactWriteItems,
    UpdateTimeToLive: setting.updateTimeToLive,
    DescribeTimeToLive: setting.describeTimeToLive,
    UpdateContinuousBackups: setting.updateContinuousBackups,
    DescribeContinuousBackups: setting.describeContinuousBackups,
    TagResource: setting.tagResource,
    UntagResource: setting.untagResource,
    ListTagsOfResource: setting.listTagsOfResource,
    PutResourcePolicy: setting.putResourcePolicy,
    GetResourcePolicy: setting.getResourcePolicy,
    DeleteResourcePolicy: setting.deleteResourcePolicy,
    // Where clients are to find the service (API reference, DescribeEndpoints).
    DescribeEndpoints: (_: object, context: RequestContext) => ({ Endpoints: [{ Address: `dynamodb.${context.region}.amazonaws.com`, CachePeriodInMinutes: 1440 }] }),
    DescribeLimits: () => ({ AccountMaxReadCapacityUnits: 80000, AccountMaxWriteCapacityUnits: 80000, TableMaxReadCapacityUnits: 40000, TableMaxWriteCapacityUnits: 40000 }),
  },
  authorization: {
    ListTables: {},
    DescribeEndpoints: {},
    DescribeLimits: {},
    CreateTable: [onTable('CreateTable'), { ...onTable('TagResource'), when: (input: { Tags?: unknown[] }) => (input.Tags ?? []).length > 0 }],
    ...Object.fromEntries(
      ['UpdateTable', 'DeleteTable', 'DescribeTable', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan', 'UpdateTimeToLive', 'DescribeTimeToLive', 'UpdateContinuousBackups', 'DescribeContinuousBackups'].map((operation) => [operation, onTable(operation)]),
    ),
    ...Object.fromEntries(['TagResource', 'UntagResource', 'ListTagsOfResource', 'PutResourcePolicy', 'GetResourcePolicy', 'DeleteResourcePolicy'].map((operation) => [operation, { resource: (input: { ResourceArn: string }) => input.ResourceArn }])),
    BatchGetItem: onTables(),
    BatchWriteItem: onTables(),
    TransactGetItems: { action: 'dynamodb:GetItem', resource: (input: Ddb.TransactGetItemsInput, context) => input.TransactItems.map(({ Get }) => arnOf(Get.TableName, context)) },
    TransactWriteItems: (['Put', 'Update', 'Delete', 'ConditionCheck'] as const).map(
      (kind): AuthorizationRule<Ddb.TransactWriteItemsInput> => ({
        action: kind === 'ConditionCheck' ? 'dynamodb:ConditionCheckItem' : `dynamodb:${kind}Item`,
        when: (input) => input.TransactItems.some((one) => one[kind] !== undefined),
        resource: (input, context) => [...new Set(input.TransactItems.flatMap((one) => (one[kind] ? [arnOf(one[kind].TableName, context)] : [])))],
      }),
    ),
  },
  resourcePolicy: (arn, context) => {
    const document = arn.startsWith('arn:aws:dynamodb:') ? findTable(arn, context)?.policy?.document : undefined;
    return document === undefined ? undefined : { document, kind: 'resource' };
  },
  resourceTags: (arn, context) => (arn.startsWith('arn:aws:dynamodb:') ? findTable(arn, context)?.tags : undefined),
};

interface Input {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly Select?: string;
  readonly ReturnValues?: string;
}

function onTable(operation: string): AuthorizationRule<Input> {
  return { action: `dynamodb:${operation}`, resource: (input, context) => `${arnOf(input.TableName, context)}${input.IndexName === undefined ? '' : `/index/${input.IndexName}`}`, context: keys };
}

function onTables(): AuthorizationRule<{ RequestItems?: Record<string, unknown> }> {
  return { resource: (input, context) => Object.keys(input.RequestItems ?? {}).map((name) => arnOf(name, context)) };
}

function arnOf(given: string | undefined, context: RequestContext): string {
  return tableArn({ ...parseTable(given ?? '*', context), region: context.region });
}

/** Fine-grained access (developer guide, "Using IAM policy conditions for fine-grained access control"). */
function keys(input: Input, context: RequestContext): ConditionContext {
  const found = input.TableName === undefined ? undefined : findTable(input.TableName, context);
  const source = input.Key ?? input.Item;
  const leading = found && source?.[keyNames(found.description.KeySchema!).hash];
  const value = leading?.S ?? leading?.N;
  return {
    ...(value === undefined ? {} : { 'dynamodb:LeadingKeys': [value] }),
    ...(input.Item ? { 'dynamodb:Attributes': Object.keys(input.Item) } : input.Key ? { 'dynamodb:Attributes': Object.keys(input.Key) } : {}),
    'dynamodb:Select': input.Select,
    'dynamodb:ReturnValues': input.ReturnValues,
  };
}
