import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { HandlerError, ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface Index {
  readonly IndexName: string;
  readonly [member: string]: unknown;
}

interface TableProperties {
  readonly TableName?: string;
  readonly KeySchema: readonly Json[];
  readonly AttributeDefinitions?: readonly Json[];
  readonly BillingMode?: string;
  readonly ProvisionedThroughput?: JsonObject;
  readonly OnDemandThroughput?: JsonObject;
  readonly WarmThroughput?: JsonObject;
  readonly GlobalSecondaryIndexes?: readonly Index[];
  readonly LocalSecondaryIndexes?: readonly Index[];
  readonly StreamSpecification?: { readonly StreamViewType?: string; readonly ResourcePolicy?: Json };
  readonly SSESpecification?: { readonly SSEEnabled: boolean; readonly KMSMasterKeyId?: string; readonly SSEType?: string };
  readonly TimeToLiveSpecification?: { readonly Enabled: boolean; readonly AttributeName?: string };
  readonly PointInTimeRecoverySpecification?: { readonly PointInTimeRecoveryEnabled?: boolean; readonly RecoveryPeriodInDays?: number };
  readonly TableClass?: string;
  readonly DeletionProtectionEnabled?: boolean;
  readonly ResourcePolicy?: { readonly PolicyDocument: Json };
  readonly ContributorInsightsSpecification?: { readonly Enabled: boolean };
  readonly Tags?: readonly Tag[];
  readonly [other: string]: unknown;
}

const GONE = ['ResourceNotFoundException'];

const HONOURED = new Set([
  'TableName', 'KeySchema', 'AttributeDefinitions', 'BillingMode', 'ProvisionedThroughput', 'OnDemandThroughput', 'WarmThroughput', 'GlobalSecondaryIndexes', 'LocalSecondaryIndexes', 'StreamSpecification', 'SSESpecification', 'TimeToLiveSpecification',
  'PointInTimeRecoverySpecification', 'TableClass', 'DeletionProtectionEnabled', 'ResourcePolicy', 'ContributorInsightsSpecification', 'Tags',
]);

function check(properties: TableProperties): void {
  for (const name of Object.keys(properties)) if (!HONOURED.has(name)) throw new HandlerError('InvalidRequest', `The local cloud has no behaviour for the property ${name} of AWS::DynamoDB::Table`);
  if (properties.ContributorInsightsSpecification?.Enabled) throw new HandlerError('InvalidRequest', 'The local cloud has no behaviour for CloudWatch Contributor Insights of DynamoDB');
}

const call = <O = Record<string, never>>(context: ProviderContext, operation: string, input: Record<string, unknown>): Promise<O> => context.client.call<O>('dynamodb', operation, Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)));

const nameOf = (properties: TableProperties, context: ProviderContext): string => properties.TableName ?? context.name({ limit: 255 });
const streamOf = (properties: TableProperties): JsonObject | undefined => (properties.StreamSpecification?.StreamViewType === undefined ? undefined : { StreamEnabled: true, StreamViewType: properties.StreamSpecification.StreamViewType });
const sseOf = ({ SSESpecification: sse }: TableProperties): JsonObject | undefined => sse && { Enabled: sse.SSEEnabled, ...(sse.SSEEnabled ? { SSEType: sse.SSEType ?? 'KMS' } : {}), ...(sse.KMSMasterKeyId === undefined ? {} : { KMSMasterKeyId: sse.KMSMasterKeyId }) };
const policyOf = ({ ResourcePolicy: policy }: TableProperties): string | undefined => policy && (typeof policy.PolicyDocument === 'string' ? policy.PolicyDocument : JSON.stringify(policy.PolicyDocument));
/** Indexes without what belongs to other operations. */
const indexInput = ({ ContributorInsightsSpecification: _, ...index }: Index): object => index;

const table: ResourceProvider<TableProperties> = {
  type: 'AWS::DynamoDB::Table',
  identify: (properties, context) => nameOf(properties, context),
  async create(properties, context) {
    check(properties);
    const TableName = nameOf(properties, context);
    const tags = withoutSystemTags(context.tags(properties.Tags));
    await call(context, 'CreateTable', {
      TableName, AttributeDefinitions: properties.AttributeDefinitions, KeySchema: properties.KeySchema, BillingMode: properties.BillingMode, ProvisionedThroughput: properties.ProvisionedThroughput, OnDemandThroughput: properties.OnDemandThroughput,
      WarmThroughput: properties.WarmThroughput, GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes?.map(indexInput), LocalSecondaryIndexes: properties.LocalSecondaryIndexes, StreamSpecification: streamOf(properties), SSESpecification: sseOf(properties),
      TableClass: properties.TableClass, DeletionProtectionEnabled: properties.DeletionProtectionEnabled, ResourcePolicy: policyOf(properties), Tags: tags.length > 0 ? tags : undefined,
    });
    context.initiated(TableName);
    await active(TableName, context);
    await setRest(TableName, {}, properties, context);
    return { physicalId: TableName, attributes: await attributes(TableName, context) };
  },
  async update(name, before, after, context) {
    check(after);
    await updateTable(name, before, after, context);
    await setRest(name, before, after, context);
    const arn = String((await attributes(name, context))['Arn']);
    const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before.Tags)), withoutSystemTags(context.tags(after.Tags)));
    if (remove.length > 0) await call(context, 'UntagResource', { ResourceArn: arn, TagKeys: remove });
    if (add.length > 0) await call(context, 'TagResource', { ResourceArn: arn, Tags: add });
    if (policyOf(after) !== policyOf(before)) await (policyOf(after) === undefined ? call(context, 'DeleteResourcePolicy', { ResourceArn: arn }) : call(context, 'PutResourcePolicy', { ResourceArn: arn, Policy: policyOf(after) }));
    return { attributes: await attributes(name, context) };
  },
  async delete(name, _, context) {
    await ignoring(GONE, call(context, 'DeleteTable', { TableName: name }));
  },
  async read(name, context) {
    const answer = await ignoring(GONE, call<{ Table: Record<string, Json> }>(context, 'DescribeTable', { TableName: name }));
    if (!answer) return undefined;
    const { AttributeDefinitions, KeySchema, BillingModeSummary, ProvisionedThroughput, DeletionProtectionEnabled } = answer.Table as Record<string, JsonObject>;
    const onDemand = BillingModeSummary?.['BillingMode'] === 'PAY_PER_REQUEST';
    const throughput: JsonObject = onDemand ? { BillingMode: 'PAY_PER_REQUEST' } : { ProvisionedThroughput: { ReadCapacityUnits: ProvisionedThroughput!['ReadCapacityUnits']!, WriteCapacityUnits: ProvisionedThroughput!['WriteCapacityUnits']! } };
    return { TableName: name, AttributeDefinitions: AttributeDefinitions!, KeySchema: KeySchema!, DeletionProtectionEnabled: DeletionProtectionEnabled!, ...throughput };
  },
  attributes: (name, _, context) => attributes(name, context),
};

async function active(TableName: string, context: ProviderContext): Promise<void> {
  await context.poll(async () => ((await call<{ Table: { TableStatus: string } }>(context, 'DescribeTable', { TableName })).Table.TableStatus === 'ACTIVE' ? true : undefined), { what: `table ${TableName}` });
}

async function attributes(TableName: string, context: ProviderContext): Promise<JsonObject> {
  const { Table } = await call<{ Table: { TableArn: string; TableId: string; LatestStreamArn?: string } }>(context, 'DescribeTable', { TableName });
  return { Arn: Table.TableArn, TableId: Table.TableId, ...(Table.LatestStreamArn === undefined ? {} : { StreamArn: Table.LatestStreamArn }) };
}

const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);

async function updateTable(TableName: string, before: TableProperties, after: TableProperties, context: ProviderContext): Promise<void> {
  const changed = Object.fromEntries((['BillingMode', 'ProvisionedThroughput', 'OnDemandThroughput', 'WarmThroughput', 'TableClass', 'DeletionProtectionEnabled'] as const).filter((name) => differs(before[name], after[name]) && after[name] !== undefined).map((name) => [name, after[name]]));
  if (before.DeletionProtectionEnabled && after.DeletionProtectionEnabled === undefined) changed['DeletionProtectionEnabled'] = false;
  if (before.BillingMode === 'PAY_PER_REQUEST' && after.BillingMode === undefined) changed['BillingMode'] = 'PROVISIONED';
  if (changed['BillingMode'] === 'PAY_PER_REQUEST') delete changed['ProvisionedThroughput'];
  if (Object.keys(changed).length > 0) await call(context, 'UpdateTable', { TableName, ...changed });
  if (differs(before.SSESpecification, after.SSESpecification)) await call(context, 'UpdateTable', { TableName, SSESpecification: sseOf(after) ?? { Enabled: false } });
  if (differs(streamOf(before), streamOf(after))) {
    if (streamOf(before)) await call(context, 'UpdateTable', { TableName, StreamSpecification: { StreamEnabled: false } });
    if (streamOf(after)) await call(context, 'UpdateTable', { TableName, StreamSpecification: streamOf(after) });
  }
  await updateIndexes(TableName, before, after, context);
}

/** DynamoDB makes or removes one index at a time. */
async function updateIndexes(TableName: string, before: TableProperties, after: TableProperties, context: ProviderContext): Promise<void> {
  const was = new Map((before.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName, index]));
  const is = new Map((after.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName, index]));
  const rebuilt = (index: Index): boolean => was.has(index.IndexName) && (differs(was.get(index.IndexName)!['KeySchema'], index['KeySchema']) || differs(was.get(index.IndexName)!['Projection'], index['Projection']));
  const update = (change: object): Promise<unknown> => call(context, 'UpdateTable', { TableName, AttributeDefinitions: after.AttributeDefinitions, GlobalSecondaryIndexUpdates: [change] });
  for (const IndexName of was.keys()) if (!is.has(IndexName) || rebuilt(is.get(IndexName)!)) await update({ Delete: { IndexName } });
  for (const index of is.values()) {
    if (!was.has(index.IndexName) || rebuilt(index)) await update({ Create: indexInput(index) });
    else if (index['ProvisionedThroughput'] && differs(was.get(index.IndexName)!['ProvisionedThroughput'], index['ProvisionedThroughput'])) await update({ Update: { IndexName: index.IndexName, ProvisionedThroughput: index['ProvisionedThroughput'] } });
  }
}

async function setRest(TableName: string, before: Partial<TableProperties>, after: TableProperties, context: ProviderContext): Promise<void> {
  const ttl = (properties: Partial<TableProperties>): string | undefined => (properties.TimeToLiveSpecification?.Enabled ? properties.TimeToLiveSpecification.AttributeName : undefined);
  if (ttl(before) !== ttl(after)) {
    if (ttl(before) !== undefined) await call(context, 'UpdateTimeToLive', { TableName, TimeToLiveSpecification: { Enabled: false, AttributeName: ttl(before) } });
    if (ttl(after) !== undefined) await call(context, 'UpdateTimeToLive', { TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: ttl(after) } });
  }
  const pitr = (properties: Partial<TableProperties>): JsonObject => ({ PointInTimeRecoveryEnabled: properties.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled ?? false, ...(properties.PointInTimeRecoverySpecification?.RecoveryPeriodInDays === undefined ? {} : { RecoveryPeriodInDays: properties.PointInTimeRecoverySpecification.RecoveryPeriodInDays }) });
  if (differs(pitr(before), pitr(after))) await call(context, 'UpdateContinuousBackups', { TableName, PointInTimeRecoverySpecification: pitr(after) });
}

interface Replica {
  readonly Region: string;
  readonly DeletionProtectionEnabled?: boolean;
  readonly PointInTimeRecoverySpecification?: TableProperties['PointInTimeRecoverySpecification'];
  readonly ResourcePolicy?: TableProperties['ResourcePolicy'];
  readonly SSESpecification?: { readonly KMSMasterKeyId: string };
  readonly TableClass?: string;
  readonly Tags?: readonly Tag[];
  readonly ReadProvisionedThroughputSettings?: { readonly ReadCapacityUnits?: number };
  readonly [other: string]: unknown;
}

interface GlobalProperties {
  readonly TableName?: string;
  readonly Replicas: readonly Replica[];
  readonly WriteProvisionedThroughputSettings?: { readonly WriteCapacityAutoScalingSettings?: { readonly MinCapacity: number } };
  readonly GlobalSecondaryIndexes?: readonly Index[];
  readonly [other: string]: unknown;
}

/** The replica of the stack's region is the table; the others are made from it. */
const globalTable: ResourceProvider<GlobalProperties> = {
  type: 'AWS::DynamoDB::GlobalTable',
  identify: (properties, context) => properties.TableName ?? context.name({ limit: 255 }),
  async create(properties, context) {
    const own = ownTable(properties, context);
    const made = await table.create(own, context);
    await replicate(made.physicalId, [], others(properties, context), context);
    return { physicalId: made.physicalId, attributes: await attributes(made.physicalId, context) };
  },
  async update(name, before, after, context) {
    await table.update!(name, ownTable(before, context), ownTable(after, context), context);
    await replicate(name, others(before, context), others(after, context), context);
    return { attributes: await attributes(name, context) };
  },
  async delete(name, properties, context) {
    await ignoring([...GONE, 'ValidationException'], replicate(name, others(properties, context), [], context));
    await table.delete(name, ownTable(properties, context), context);
  },
  attributes: (name, _, context) => attributes(name, context),
};

const others = ({ Replicas }: GlobalProperties, context: ProviderContext): string[] => Replicas.map(({ Region }) => Region).filter((region) => region !== context.region);

function ownTable(properties: GlobalProperties, context: ProviderContext): TableProperties {
  const { Replicas, WriteProvisionedThroughputSettings: write, GlobalSecondaryIndexes, ...rest } = properties;
  const replica = Replicas.find(({ Region }) => Region === context.region);
  if (!replica) throw new HandlerError('InvalidRequest', `Replicas must contain one of the stack's region, ${context.region}`);
  const { DeletionProtectionEnabled, PointInTimeRecoverySpecification, ResourcePolicy, TableClass, Tags, SSESpecification: key } = replica;
  const sse = rest['SSESpecification'] as TableProperties['SSESpecification'];
  const throughput = properties['BillingMode'] === 'PAY_PER_REQUEST' ? {} : { ProvisionedThroughput: { ReadCapacityUnits: replica.ReadProvisionedThroughputSettings?.ReadCapacityUnits ?? 5, WriteCapacityUnits: write?.WriteCapacityAutoScalingSettings?.MinCapacity ?? 5 } };
  return {
    ...(rest as unknown as TableProperties), ...throughput,
    ...(GlobalSecondaryIndexes ? { GlobalSecondaryIndexes: GlobalSecondaryIndexes.map(({ WriteProvisionedThroughputSettings: _w, WriteOnDemandThroughputSettings: _o, ...index }) => ({ ...index, ...(properties['BillingMode'] === 'PAY_PER_REQUEST' ? {} : throughput) })) } : {}),
    ...(sse ? { SSESpecification: { ...sse, ...(key ? { KMSMasterKeyId: key.KMSMasterKeyId } : {}) } } : {}),
    ...Object.fromEntries(Object.entries({ DeletionProtectionEnabled, PointInTimeRecoverySpecification, ResourcePolicy, TableClass, Tags }).filter(([, value]) => value !== undefined)),
  };
}

async function replicate(TableName: string, before: readonly string[], after: readonly string[], context: ProviderContext): Promise<void> {
  for (const RegionName of before) if (!after.includes(RegionName)) await call(context, 'UpdateTable', { TableName, ReplicaUpdates: [{ Delete: { RegionName } }] });
  for (const RegionName of after) if (!before.includes(RegionName)) await call(context, 'UpdateTable', { TableName, ReplicaUpdates: [{ Create: { RegionName } }] });
}

export const dynamodb: readonly ResourceProvider[] = [table, globalTable];
