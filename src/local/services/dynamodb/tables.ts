import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ddb from '../../models/types/dynamodb.js';
import { indexEntries, indexKey, items, keyNames, parseTable, saveTable, stateKey, streamRecords, tableArn, tableOf, tables, unsupported, type StoredTable } from './store.js';
import { bindPolicy } from './settings.js';
import { invalid, itemSize } from './values.js';

export async function createTable(input: Ddb.CreateTableInput, context: RequestContext): Promise<Ddb.CreateTableOutput> {
  refuse(input as unknown as Record<string, unknown>, ['VectorIndexes', 'GlobalTableSourceArn']);
  const { account, name } = parseTable(input.TableName, context);
  checkSchema(input);
  checkThroughput(input);
  const sse = await sseOf(input.SSESpecification, context);
  const table = { account, region: context.region, name };
  if (tables(context.state, account, context.region).get(name)) throw new AwsError('ResourceInUseException', `Table already exists: ${name}`, { status: 400 });
  const now = context.now();
  const onDemand = input.BillingMode === 'PAY_PER_REQUEST';
  const description: Ddb.TableDescription = {
    AttributeDefinitions: input.AttributeDefinitions,
    TableName: name,
    KeySchema: input.KeySchema,
    TableStatus: 'ACTIVE',
    CreationDateTime: now,
    ...throughputOf(input, onDemand),
    TableArn: tableArn(table),
    TableId: randomUUID(),
    ...(onDemand ? { BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST', LastUpdateToPayPerRequestDateTime: now } } : {}),
    ...(input.GlobalSecondaryIndexes ? { GlobalSecondaryIndexes: input.GlobalSecondaryIndexes.map((index) => globalIndex(index, tableArn(table), onDemand)) } : {}),
    ...(input.LocalSecondaryIndexes ? { LocalSecondaryIndexes: input.LocalSecondaryIndexes.map((index) => ({ ...index, IndexArn: `${tableArn(table)}/index/${index.IndexName}`, IndexSizeBytes: 0, ItemCount: 0 })) } : {}),
    ...streamOf(input.StreamSpecification, tableArn(table), now),
    ...(sse ? { SSEDescription: sse } : {}),
    ...(input.TableClass ? { TableClassSummary: { TableClass: input.TableClass } } : {}),
    DeletionProtectionEnabled: input.DeletionProtectionEnabled ?? false,
    ...(input.OnDemandThroughput ? { OnDemandThroughput: input.OnDemandThroughput } : {}),
  };
  const stored: StoredTable = { ...table, description, tags: tagRecord(input.Tags ?? []), replicas: [] };
  saveTable(context.state, input.ResourcePolicy === undefined ? stored : { ...stored, policy: { document: bindPolicy(input.ResourcePolicy, context), revision: String(now.getTime()) } });
  return { TableDescription: { ...shown(stored, context), TableStatus: 'CREATING' } };
}

function refuse(input: Record<string, unknown>, members: readonly string[]): void {
  for (const member of members) if (input[member] !== undefined) throw unsupported(`the parameter ${member}`);
}

function checkSchema(input: Ddb.CreateTableInput): void {
  const schemas = [input.KeySchema ?? [], ...(input.GlobalSecondaryIndexes ?? []).map(({ KeySchema }) => KeySchema), ...(input.LocalSecondaryIndexes ?? []).map(({ KeySchema }) => KeySchema)];
  if (input.KeySchema === undefined || input.AttributeDefinitions === undefined) throw invalid('One or more parameter values were invalid: KeySchema and AttributeDefinitions are required');
  const defined = new Set(input.AttributeDefinitions.map(({ AttributeName }) => AttributeName));
  const used = new Set(schemas.flat().map(({ AttributeName }) => AttributeName));
  for (const schema of schemas) {
    if (schema[0]?.KeyType !== 'HASH') throw invalid('Invalid KeySchema: The first KeySchemaElement is not a HASH key type');
    if (schema.length > 2 || (schema[1] && schema[1].KeyType !== 'RANGE')) throw invalid('Invalid KeySchema: The second KeySchemaElement is not a RANGE key type');
    if (schema[1]?.AttributeName === schema[0].AttributeName) throw invalid('Both the Hash Key and the Range Key element in the KeySchema have the same name');
  }
  const unknown = [...used].filter((name) => !defined.has(name));
  if (unknown.length > 0) throw invalid(`One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [${unknown.join(', ')}], AttributeDefinitions: [${[...defined].join(', ')}]`);
  if (defined.size > used.size) throw invalid('One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions');
  const hash = keyNames(input.KeySchema).hash;
  for (const { KeySchema, IndexName } of input.LocalSecondaryIndexes ?? []) {
    if (keyNames(input.KeySchema).range === undefined) throw invalid('One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex');
    if (keyNames(KeySchema).hash !== hash) throw invalid(`One or more parameter values were invalid: Table KeySchema and LocalSecondaryIndex KeySchema do not have the same hash key: ${IndexName}`);
  }
  const names = [...(input.GlobalSecondaryIndexes ?? []), ...(input.LocalSecondaryIndexes ?? [])].map(({ IndexName }) => IndexName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalid(`One or more parameter values were invalid: Duplicate index name: ${twice}`);
}

function checkThroughput(input: Ddb.CreateTableInput): void {
  if (input.BillingMode === 'PAY_PER_REQUEST') {
    if (input.ProvisionedThroughput) throw invalid('One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST');
  } else if (!input.ProvisionedThroughput) throw invalid('One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED');
}

/** On-demand tables show zeros, and what a new one can bear at once. */
function throughputOf(input: { readonly ProvisionedThroughput?: Ddb.ProvisionedThroughput; readonly WarmThroughput?: Ddb.WarmThroughput }, onDemand: boolean): Pick<Ddb.TableDescription, 'ProvisionedThroughput' | 'WarmThroughput'> {
  const { ReadCapacityUnits = 0, WriteCapacityUnits = 0 } = onDemand ? {} : (input.ProvisionedThroughput ?? {});
  const warm = { ReadUnitsPerSecond: onDemand ? 12000 : ReadCapacityUnits, WriteUnitsPerSecond: onDemand ? 4000 : WriteCapacityUnits, ...input.WarmThroughput };
  return { ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits, WriteCapacityUnits }, WarmThroughput: { ...warm, Status: 'ACTIVE' } };
}

function globalIndex(index: Ddb.GlobalSecondaryIndex, arn: string, onDemand: boolean): Ddb.GlobalSecondaryIndexDescription {
  return { IndexName: index.IndexName, KeySchema: index.KeySchema, Projection: index.Projection, IndexStatus: 'ACTIVE', ...throughputOf(index, onDemand), IndexSizeBytes: 0, ItemCount: 0, IndexArn: `${arn}/index/${index.IndexName}`, ...(index.OnDemandThroughput ? { OnDemandThroughput: index.OnDemandThroughput } : {}) } as Ddb.GlobalSecondaryIndexDescription;
}

function streamOf(specification: Ddb.StreamSpecification | undefined, arn: string, now: Date): Partial<Ddb.TableDescription> {
  if (!specification?.StreamEnabled) return {};
  if (specification.StreamViewType === undefined) throw invalid('One or more parameter values were invalid: StreamViewType is required when StreamEnabled is true');
  const label = now.toISOString().slice(0, -1);
  return { StreamSpecification: specification, LatestStreamLabel: label, LatestStreamArn: `${arn}/stream/${label}` };
}

async function sseOf(specification: Ddb.SSESpecification | undefined, context: RequestContext): Promise<Ddb.SSEDescription | undefined> {
  if (!specification?.Enabled) return undefined;
  const { KeyMetadata } = await context.onBehalf.call<{ KeyMetadata: { Arn: string; Enabled: boolean } }>('kms', 'DescribeKey', { KeyId: specification.KMSMasterKeyId ?? 'alias/aws/dynamodb' });
  if (!KeyMetadata.Enabled) throw invalid(`One or more parameter values were invalid: KMS key is disabled: ${KeyMetadata.Arn}`);
  return { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: KeyMetadata.Arn };
}

function shown(table: StoredTable, context: RequestContext): Ddb.TableDescription {
  const all = items(context.state, table).list(table.name);
  return {
    ...table.description,
    ItemCount: all.length,
    TableSizeBytes: all.reduce((sum, item) => sum + itemSize(item), 0),
    ...(table.replicas.length > 0 ? { GlobalTableVersion: '2019.11.21', Replicas: table.replicas.filter((region) => region !== table.region).map((RegionName) => ({ RegionName, ReplicaStatus: 'ACTIVE' as const, ReplicaArn: tableArn({ ...table, region: RegionName }) })) } : {}),
  };
}

export function describeTable(input: Ddb.DescribeTableInput, context: RequestContext): Ddb.DescribeTableOutput {
  return { Table: shown(named(input.TableName, context), context) };
}

function named(given: string, context: RequestContext): StoredTable {
  return tableOf(given, context, `Requested resource not found: Table: ${parseTable(given, context).name} not found`);
}

export function listTables(input: Ddb.ListTablesInput, context: RequestContext): Ddb.ListTablesOutput {
  const names = tables(context.state, context.account, context.region).list().map(({ name }) => name).filter((name) => input.ExclusiveStartTableName === undefined || name > input.ExclusiveStartTableName);
  const shownNames = names.slice(0, input.Limit ?? 100);
  return { TableNames: shownNames, ...(names.length > shownNames.length ? { LastEvaluatedTableName: shownNames.at(-1) } : {}) };
}

export function deleteTable(input: Ddb.DeleteTableInput, context: RequestContext): Ddb.DeleteTableOutput {
  const table = named(input.TableName, context);
  if (table.description.DeletionProtectionEnabled) throw invalid(`Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`);
  const description = shown(table, context);
  context.state.transaction(() => {
    drop(table, context);
    for (const region of table.replicas) {
      const other = tables(context.state, table.account, region).get(table.name);
      if (other) saveTable(context.state, { ...other, replicas: other.replicas.filter((one) => one !== table.region) });
    }
  });
  return { TableDescription: { ...description, TableStatus: 'DELETING' } };
}

function drop(table: StoredTable, { state }: RequestContext): void {
  for (const part of [items(state, table), indexEntries(state, table)]) for (const [key] of part.entries([table.name])) part.delete(...key);
  const stream = table.description.LatestStreamArn;
  if (stream !== undefined) for (const [key] of streamRecords(state, table).entries([stream])) streamRecords(state, table).delete(...key);
  tables(state, table.account, table.region).delete(table.name);
}

export async function updateTable(input: Ddb.UpdateTableInput, context: RequestContext): Promise<Ddb.UpdateTableOutput> {
  refuse(input as unknown as Record<string, unknown>, ['VectorIndexUpdates', 'GlobalTableWitnessUpdates', 'MultiRegionConsistency', 'DisassociationProtectionEnabled']);
  const before = named(input.TableName, context);
  const sse = input.SSESpecification === undefined ? before.description.SSEDescription : await sseOf(input.SSESpecification, context);
  const table = named(input.TableName, context);
  const now = context.now();
  const onDemand = (input.BillingMode ?? table.description.BillingModeSummary?.BillingMode) === 'PAY_PER_REQUEST';
  if (input.BillingMode === 'PROVISIONED' && !input.ProvisionedThroughput) throw invalid('One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED');
  let description: Ddb.TableDescription = { ...table.description, ...(input.AttributeDefinitions ? { AttributeDefinitions: mergeDefinitions(table.description.AttributeDefinitions!, input.AttributeDefinitions) } : {}) };
  if (input.BillingMode !== undefined) description = { ...description, ...throughputOf(input, onDemand), BillingModeSummary: { BillingMode: input.BillingMode, ...(onDemand ? { LastUpdateToPayPerRequestDateTime: now } : {}) } };
  else if (input.ProvisionedThroughput) description = { ...description, ...throughputOf(input, false) };
  if (input.StreamSpecification) description = restream(description, input.StreamSpecification, tableArn(table), now);
  if (input.TableClass) description = { ...description, TableClassSummary: { TableClass: input.TableClass, LastUpdateDateTime: now } };
  if (input.DeletionProtectionEnabled !== undefined) description = { ...description, DeletionProtectionEnabled: input.DeletionProtectionEnabled };
  if (input.OnDemandThroughput) description = { ...description, OnDemandThroughput: input.OnDemandThroughput };
  description = { ...description, SSEDescription: sse };
  let stored: StoredTable = { ...table, description };
  context.state.transaction(() => {
    for (const change of input.GlobalSecondaryIndexUpdates ?? []) stored = reindex(stored, change, onDemand, context);
    stored = replicate(stored, input.ReplicaUpdates ?? [], context);
    saveTable(context.state, dropUnusedDefinitions(stored));
  });
  return { TableDescription: { ...shown(stored, context), TableStatus: 'UPDATING' } };
}

function mergeDefinitions(before: readonly Ddb.AttributeDefinition[], given: readonly Ddb.AttributeDefinition[]): Ddb.AttributeDefinition[] {
  return [...new Map([...before, ...given].map((definition) => [definition.AttributeName, definition])).values()];
}

function dropUnusedDefinitions(table: StoredTable): StoredTable {
  const { description } = table;
  const used = new Set([description.KeySchema!, ...(description.GlobalSecondaryIndexes ?? []).map(({ KeySchema }) => KeySchema!), ...(description.LocalSecondaryIndexes ?? []).map(({ KeySchema }) => KeySchema!)].flat().map(({ AttributeName }) => AttributeName));
  return { ...table, description: { ...description, AttributeDefinitions: description.AttributeDefinitions!.filter(({ AttributeName }) => used.has(AttributeName)) } };
}

function restream(description: Ddb.TableDescription, wanted: Ddb.StreamSpecification, arn: string, now: Date): Ddb.TableDescription {
  const enabled = description.StreamSpecification?.StreamEnabled ?? false;
  if (enabled && wanted.StreamEnabled) throw new AwsError('ValidationException', `Table already has an enabled stream: TableName: ${description.TableName}`, { status: 400 });
  if (!enabled && !wanted.StreamEnabled) throw new AwsError('ValidationException', `Table has no stream to disable: TableName: ${description.TableName}`, { status: 400 });
  const { StreamSpecification: _, ...rest } = description;
  return { ...rest, ...streamOf(wanted, arn, now) };
}

function reindex(table: StoredTable, change: Ddb.GlobalSecondaryIndexUpdate, onDemand: boolean, context: RequestContext): StoredTable {
  const before = table.description.GlobalSecondaryIndexes ?? [];
  const name = (change.Create ?? change.Update ?? change.Delete)?.IndexName;
  const there = before.find(({ IndexName }) => IndexName === name);
  const { state } = context;
  if (change.Create) {
    if (there) throw invalid('Attempting to create an index which already exists');
    const made = globalIndex(change.Create as Ddb.GlobalSecondaryIndex, tableArn(table), onDemand);
    for (const item of items(state, table).list(table.name)) {
      const key = indexKey(table, made, item);
      if (key) indexEntries(state, table).put(key, stateKey(table, item));
    }
    return { ...table, description: { ...table.description, GlobalSecondaryIndexes: [...before, made] } };
  }
  if (!there) throw new AwsError('ResourceNotFoundException', 'Requested resource not found', { status: 400 });
  if (change.Delete) {
    for (const [key] of indexEntries(state, table).entries([table.name, name!])) indexEntries(state, table).delete(...key);
    const { GlobalSecondaryIndexes: _, ...rest } = table.description;
    const left = before.filter((index) => index !== there);
    return { ...table, description: { ...rest, ...(left.length > 0 ? { GlobalSecondaryIndexes: left } : {}) } };
  }
  const changed = { ...there, ...throughputOf(change.Update ?? {}, onDemand) } as Ddb.GlobalSecondaryIndexDescription;
  return { ...table, description: { ...table.description, GlobalSecondaryIndexes: before.map((index) => (index === there ? changed : index)) } };
}

/** Copies of the table in other regions, which every write reaches (global tables, version 2019.11.21). */
function replicate(table: StoredTable, changes: readonly Ddb.ReplicationGroupUpdate[], context: RequestContext): StoredTable {
  let regions = new Set(table.replicas);
  for (const { Create, Delete } of changes) {
    if (Create) {
      if (Create.RegionName === table.region || regions.has(Create.RegionName)) throw invalid(`Failed to create a the new replica of table with name: '${table.name}' because one or more replicas already existed as tables.`);
      regions.add(Create.RegionName);
      const copy: StoredTable = { ...table, region: Create.RegionName, description: { ...table.description, TableArn: tableArn({ ...table, region: Create.RegionName }), TableId: randomUUID(), LatestStreamArn: table.description.LatestStreamArn?.replace(`:${table.region}:`, `:${Create.RegionName}:`) } };
      saveTable(context.state, copy);
      for (const [key, item] of items(context.state, table).entries([table.name])) items(context.state, copy).put(key, item);
      for (const [key, place] of indexEntries(context.state, table).entries([table.name])) indexEntries(context.state, copy).put(key, place);
    }
    if (Delete) {
      if (!regions.has(Delete.RegionName)) throw invalid(`Failed to delete replica: no replica of ${table.name} in ${Delete.RegionName}`);
      regions = new Set([...regions].filter((region) => region !== Delete.RegionName));
      const copy = tables(context.state, table.account, Delete.RegionName).get(table.name);
      if (copy) drop(copy, context);
    }
  }
  for (const region of regions) {
    const copy = tables(context.state, table.account, region).get(table.name);
    if (copy) saveTable(context.state, { ...copy, replicas: [table.region, ...regions].filter((one) => one !== region) });
  }
  return { ...table, replicas: [...regions] };
}

function tagRecord(tags: readonly Ddb.Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}
