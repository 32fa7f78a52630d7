import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Logs from '../../models/types/logs.js';
import { clear, events, groupArn, groupOf, groups, invalid, metricFilters, notFound, page, parseGroup, saveGroup, streams, subscriptionFilters, type LogGroup, type LogStream } from './store.js';

/** Days (API reference, PutRetentionPolicy). */
const RETENTIONS: ReadonlySet<number> = new Set([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]);

export async function createLogGroup(input: Logs.CreateLogGroupRequest, context: RequestContext): Promise<void> {
  const { account, region } = context;
  if (/^aws\//.test(input.logGroupName)) throw invalid("Log groups starting with aws/ are reserved for AWS.");
  const group: LogGroup = {
    name: input.logGroupName, account, region, created: context.now().getTime(), groupClass: input.logGroupClass ?? 'STANDARD', protected: input.deletionProtectionEnabled ?? false, tags: checkTags(input.tags ?? {}),
    ...(input.kmsKeyId ? { kmsKeyId: input.kmsKeyId } : {}),
  };
  if (Object.keys(group.tags).length > 0) authorizeTags(group, context);
  const exists = (): boolean => groups(context.state, account, region).get(group.name) !== undefined;
  if (!exists() && group.kmsKeyId) await checkKey(group, group.kmsKeyId, context);
  if (exists()) throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists', { status: 400 });
  saveGroup(context.state, group);
}

/** To tag a group when it is made takes either of two permissions (API reference, CreateLogGroup). */
function authorizeTags(group: LogGroup, context: RequestContext): void {
  try {
    context.authorize('logs:TagLogGroup', `${groupArn(group)}:log-stream:`);
  } catch {
    context.authorize('logs:TagResource', groupArn(group));
  }
}

/** CloudWatch Logs itself must be allowed to use the key for this group (user guide, "Encrypt log data using AWS KMS"). */
async function checkKey(group: LogGroup, KeyId: string, context: RequestContext): Promise<void> {
  const client = context.asService({ service: `logs.${group.region}.amazonaws.com`, sourceArn: groupArn(group), sourceAccount: group.account });
  try {
    await client.call('kms', 'GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext: { 'aws:logs:arn': groupArn(group) } });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (/^AccessDenied|^NotFound/.test(error.code)) throw new AwsError('AccessDeniedException', `The specified KMS key does not exist or is not allowed to be used with LogGroup '${groupArn(group)}'`, { status: 400 });
    throw invalid(error.message);
  }
}

export function deleteLogGroup(input: Logs.DeleteLogGroupRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  if (group.protected) throw new AwsError('ValidationException', `The log group ${group.name} has deletion protection enabled and can't be deleted.`, { status: 400 });
  const { state } = context;
  state.transaction(() => {
    for (const part of [streams(state, group), events(state, group), subscriptionFilters(state, group.account, group.region), metricFilters(state, group.account, group.region)]) clear(part, [group.name]);
    groups(state, group.account, group.region).delete(group.name);
  });
}

export function describeLogGroups(input: Logs.DescribeLogGroupsRequest, context: RequestContext): Logs.DescribeLogGroupsResponse {
  if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined) throw invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
  const { items, ...rest } = page(selectGroups(input, context), (group) => group.name, input.limit ?? 50, input.nextToken);
  return { logGroups: items.map((group) => shown(group, context)), ...rest };
}

export function listLogGroups(input: Logs.ListLogGroupsRequest, context: RequestContext): Logs.ListLogGroupsResponse {
  const { items, ...rest } = page(selectGroups(input, context), (group) => group.name, input.limit ?? 50, input.nextToken);
  return { logGroups: items.map((group) => ({ logGroupName: group.name, logGroupArn: groupArn(group), logGroupClass: group.groupClass })), ...rest };
}

function selectGroups(input: Logs.DescribeLogGroupsRequest, context: RequestContext): LogGroup[] {
  const named = input.logGroupIdentifiers && new Set(input.logGroupIdentifiers.map((identifier) => parseGroup(identifier, context).name));
  return groups(context.state, context.account, context.region)
    .list()
    .filter((group) => group.name.startsWith(input.logGroupNamePrefix ?? ''))
    .filter((group) => group.name.toLowerCase().includes((input.logGroupNamePattern ?? '').toLowerCase()))
    .filter((group) => (!named || named.has(group.name)) && (input.logGroupClass === undefined || input.logGroupClass === group.groupClass));
}

function shown(group: LogGroup, context: RequestContext): Logs.LogGroup {
  return {
    logGroupName: group.name,
    creationTime: group.created,
    ...(group.retention === undefined ? {} : { retentionInDays: group.retention }),
    metricFilterCount: metricFilters(context.state, group.account, group.region).list(group.name).length,
    arn: `${groupArn(group)}:*`,
    // What is stored is told a day late on AWS; the local cloud doesn't count it.
    storedBytes: 0,
    ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
    logGroupClass: group.groupClass,
    logGroupArn: groupArn(group),
    ...(group.protected ? { deletionProtectionEnabled: true } : {}),
  };
}

export function putRetentionPolicy(input: Logs.PutRetentionPolicyRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  if (!RETENTIONS.has(input.retentionInDays))
    throw invalid(`1 validation error detected: Value '${input.retentionInDays}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${[...RETENTIONS].join(', ')}]`);
  saveGroup(context.state, { ...group, retention: input.retentionInDays });
}

export function deleteRetentionPolicy(input: Logs.DeleteRetentionPolicyRequest, context: RequestContext): void {
  const { retention: _, ...group } = groupOf(input, context);
  saveGroup(context.state, group);
}

export function putLogGroupDeletionProtection(input: Logs.PutLogGroupDeletionProtectionRequest, context: RequestContext): void {
  saveGroup(context.state, { ...groupOf(input, context), protected: input.deletionProtectionEnabled });
}

export async function associateKmsKey(input: Logs.AssociateKmsKeyRequest, context: RequestContext): Promise<void> {
  const group = keyedGroup(input, context);
  await checkKey(group, input.kmsKeyId, context);
  saveGroup(context.state, { ...group, kmsKeyId: input.kmsKeyId });
}

export function disassociateKmsKey(input: Logs.DisassociateKmsKeyRequest, context: RequestContext): void {
  const { kmsKeyId: _, ...group } = keyedGroup(input, context);
  saveGroup(context.state, group);
}

function keyedGroup(input: { logGroupName?: string; resourceIdentifier?: string }, context: RequestContext): LogGroup {
  if (input.resourceIdentifier?.includes(':query-result:')) throw new AwsError('NotImplemented', 'The local cloud has no behaviour for the encryption of query results of CloudWatch Logs. Nothing was changed.', { status: 501 });
  return groupOf({ logGroupName: input.logGroupName, logGroupIdentifier: input.resourceIdentifier }, context);
}

export function createLogStream(input: Logs.CreateLogStreamRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  const all = streams(context.state, group);
  if (all.get(group.name, input.logStreamName)) throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists', { status: 400 });
  all.put([group.name, input.logStreamName], { group: group.name, name: input.logStreamName, created: context.now().getTime() });
}

export function deleteLogStream(input: Logs.DeleteLogStreamRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  const all = streams(context.state, group);
  if (!all.get(group.name, input.logStreamName)) throw notFound('The specified log stream does not exist.');
  context.state.transaction(() => {
    all.delete(group.name, input.logStreamName);
    clear(events(context.state, group), [group.name, input.logStreamName]);
  });
}

export function describeLogStreams(input: Logs.DescribeLogStreamsRequest, context: RequestContext): Logs.DescribeLogStreamsResponse {
  const group = groupOf(input, context);
  const byTime = input.orderBy === 'LastEventTime';
  if (byTime && input.logStreamNamePrefix !== undefined) throw invalid('Cannot order by LastEventTime with a logStreamNamePrefix.');
  const all = streams(context.state, group).list(group.name).filter((stream) => stream.name.startsWith(input.logStreamNamePrefix ?? ''));
  if (byTime) all.sort((a, b) => (a.last ?? 0) - (b.last ?? 0));
  if (input.descending) all.reverse();
  const { items, ...rest } = page(all, (stream) => stream.name, input.limit ?? 50, input.nextToken);
  return { logStreams: items.map((stream) => shownStream(group, stream)), ...rest };
}

function shownStream(group: LogGroup, stream: LogStream): Logs.LogStream {
  return {
    logStreamName: stream.name,
    creationTime: stream.created,
    ...(stream.first === undefined ? {} : { firstEventTimestamp: stream.first, lastEventTimestamp: stream.last, lastIngestionTime: stream.ingested }),
    uploadSequenceToken: SEQUENCE_TOKEN,
    arn: `${groupArn(group)}:log-stream:${stream.name}`,
    storedBytes: 0,
  };
}

/** Sequence tokens are given and no longer looked at (API reference, PutLogEvents). */
export const SEQUENCE_TOKEN = '49590302686137264370486580113206398263519563520000000000';

export function tagLogGroup(input: Logs.TagLogGroupRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  saveGroup(context.state, { ...group, tags: checkTags({ ...group.tags, ...input.tags }) });
}

export function untagLogGroup(input: Logs.UntagLogGroupRequest, context: RequestContext): void {
  removeTags(groupOf(input, context), input.tags, context);
}

export function listTagsLogGroup(input: Logs.ListTagsLogGroupRequest, context: RequestContext): Logs.ListTagsLogGroupResponse {
  return { tags: { ...groupOf(input, context).tags } };
}

export function tagResource(input: Logs.TagResourceRequest, context: RequestContext): void {
  const group = taggedGroup(input.resourceArn, context);
  saveGroup(context.state, { ...group, tags: checkTags({ ...group.tags, ...input.tags }) });
}

export function untagResource(input: Logs.UntagResourceRequest, context: RequestContext): void {
  removeTags(taggedGroup(input.resourceArn, context), input.tagKeys, context);
}

export function listTagsForResource(input: Logs.ListTagsForResourceRequest, context: RequestContext): Logs.ListTagsForResourceResponse {
  return { tags: { ...taggedGroup(input.resourceArn, context).tags } };
}

function taggedGroup(arn: string, context: RequestContext): LogGroup {
  if (!/^arn:aws:logs:[^:]*:\d{12}:log-group:/.test(arn)) throw new AwsError('NotImplemented', `The local cloud tags log groups only, not ${arn}. Nothing was changed.`, { status: 501 });
  return groupOf({ logGroupIdentifier: arn }, context);
}

function removeTags(group: LogGroup, keys: readonly string[], context: RequestContext): void {
  saveGroup(context.state, { ...group, tags: Object.fromEntries(Object.entries(group.tags).filter(([key]) => !keys.includes(key))) });
}

function checkTags(tags: Record<string, string>): Record<string, string> {
  if (Object.keys(tags).length > 50) throw new AwsError('TooManyTagsException', 'A resource can have no more than 50 tags.', { status: 400 });
  for (const key of Object.keys(tags)) if (/^aws:(?!cloudformation:)/i.test(key)) throw invalid('Tag keys that start with aws: are reserved.');
  return tags;
}
