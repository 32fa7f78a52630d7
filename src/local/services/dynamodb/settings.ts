import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { validatePolicy } from '../../iam/index.js';
import type * as Ddb from '../../models/types/dynamodb.js';
import { findTable, parseTable, saveTable, tableOf, unsupported, type StoredTable } from './store.js';
import { invalid } from './values.js';

/** What a table has besides its keys: tags, time to live, backups, a resource policy. */

/** Expired items are still there: on AWS, too, it may take days until they go. */
export function updateTimeToLive(input: Ddb.UpdateTimeToLiveInput, context: RequestContext): Ddb.UpdateTimeToLiveOutput {
  const table = tableOf(input.TableName, context);
  const { AttributeName, Enabled } = input.TimeToLiveSpecification;
  if (Enabled && table.ttl !== undefined) throw invalid('TimeToLive is already enabled');
  if (!Enabled && table.ttl === undefined) throw invalid('TimeToLive is already disabled');
  const { ttl: _, ...rest } = table;
  saveTable(context.state, Enabled ? { ...rest, ttl: AttributeName } : rest);
  return { TimeToLiveSpecification: input.TimeToLiveSpecification };
}

export function describeTimeToLive(input: Ddb.DescribeTimeToLiveInput, context: RequestContext): Ddb.DescribeTimeToLiveOutput {
  const { ttl } = tableOf(input.TableName, context);
  return { TimeToLiveDescription: ttl === undefined ? { TimeToLiveStatus: 'DISABLED' } : { TimeToLiveStatus: 'ENABLED', AttributeName: ttl } };
}

/** The setting is kept and shown; the local cloud can't go back in time. */
export function updateContinuousBackups(input: Ddb.UpdateContinuousBackupsInput, context: RequestContext): Ddb.UpdateContinuousBackupsOutput {
  const table = backedTable(input.TableName, context);
  const { PointInTimeRecoveryEnabled, RecoveryPeriodInDays } = input.PointInTimeRecoverySpecification;
  const { backups, ...rest } = table;
  const after: StoredTable = PointInTimeRecoveryEnabled ? { ...rest, backups: { since: backups?.since ?? context.now(), days: RecoveryPeriodInDays ?? 35 } } : rest;
  saveTable(context.state, after);
  return { ContinuousBackupsDescription: backupsOf(after, context) };
}

export function describeContinuousBackups(input: Ddb.DescribeContinuousBackupsInput, context: RequestContext): Ddb.DescribeContinuousBackupsOutput {
  return { ContinuousBackupsDescription: backupsOf(backedTable(input.TableName, context), context) };
}

function backedTable(given: string, context: RequestContext): StoredTable {
  const table = findTable(given, context);
  if (!table) throw new AwsError('TableNotFoundException', `Table not found: ${parseTable(given, context).name}`, { status: 400 });
  return table;
}

function backupsOf({ backups }: StoredTable, context: RequestContext): Ddb.ContinuousBackupsDescription {
  if (!backups) return { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' } };
  const now = context.now();
  return { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: backups.days, EarliestRestorableDateTime: backups.since, LatestRestorableDateTime: new Date(Math.max(backups.since.getTime(), now.getTime() - 300_000)) } };
}

export function tagResource(input: Ddb.TagResourceInput, context: RequestContext): void {
  const table = named(input.ResourceArn, context);
  const tags = { ...table.tags, ...Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key, Value])) };
  if (Object.keys(tags).length > 50) throw invalid('One or more parameter values were invalid: Too many tags');
  saveTable(context.state, { ...table, tags });
}

export function untagResource(input: Ddb.UntagResourceInput, context: RequestContext): void {
  const table = named(input.ResourceArn, context);
  saveTable(context.state, { ...table, tags: Object.fromEntries(Object.entries(table.tags).filter(([key]) => !input.TagKeys.includes(key))) });
}

export function listTagsOfResource(input: Ddb.ListTagsOfResourceInput, context: RequestContext): Ddb.ListTagsOfResourceOutput {
  return { Tags: Object.entries(named(input.ResourceArn, context).tags).map(([Key, Value]) => ({ Key, Value })) };
}

function named(arn: string, context: RequestContext): StoredTable {
  return tableOf(arn, context, `Requested resource not found: ResourcArn: ${arn} not found`);
}

/** A policy as it is stored. */
export function bindPolicy(text: string, context: RequestContext): string {
  const problem = isJson(text) ? validatePolicy(text, 'resource') : 'The policy is not valid JSON';
  if (problem !== undefined) throw invalid(`Invalid policy document: ${problem}`);
  const bound = context.runtime.principals.bind(text);
  if ('invalid' in bound) throw invalid(`Invalid policy document: Invalid principal in policy: ${bound.invalid}`);
  return bound.document;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function putResourcePolicy(input: Ddb.PutResourcePolicyInput, context: RequestContext): Ddb.PutResourcePolicyOutput {
  if (input.ResourceArn.includes('/stream/')) throw unsupported('resource policies of streams');
  const table = named(input.ResourceArn, context);
  if (input.ExpectedRevisionId !== undefined && input.ExpectedRevisionId !== (table.policy?.revision ?? 'NO_POLICY')) throw policyNotFound('Revision ID');
  const revision = String(context.now().getTime());
  saveTable(context.state, { ...table, policy: { document: bindPolicy(input.Policy, context), revision } });
  return { RevisionId: revision };
}

export function getResourcePolicy(input: Ddb.GetResourcePolicyInput, context: RequestContext): Ddb.GetResourcePolicyOutput {
  const { policy } = named(input.ResourceArn, context);
  if (!policy) throw policyNotFound(input.ResourceArn);
  return { Policy: context.runtime.principals.show(policy.document), RevisionId: policy.revision };
}

export function deleteResourcePolicy(input: Ddb.DeleteResourcePolicyInput, context: RequestContext): Ddb.DeleteResourcePolicyOutput {
  const { policy, ...table } = named(input.ResourceArn, context);
  saveTable(context.state, table);
  return policy ? { RevisionId: policy.revision } : {};
}

function policyNotFound(what: string): AwsError {
  return new AwsError('PolicyNotFoundException', `Resource-based policy not found for the provided ResourceArn: ${what}`, { status: 400 });
}
