import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sqs from '../../models/types/sqs.js';
import { checkSame, redriveOf, shownAttributes, withAttributes } from './attributes.js';
import { invalidValue, knownDeduplication, messages, noQueue, queueArn, queueOf, queues, queueUrl, ready, saveQueue, type Queue } from './store.js';
import { wake } from './waiting.js';

export function createQueue(input: Sqs.CreateQueueRequest, context: RequestContext): Sqs.CreateQueueResult {
  const attributes = input.Attributes ?? {};
  checkName(input.QueueName, attributes['FifoQueue'] === 'true');
  const before = queues(context.state, context.account, context.region).get(input.QueueName);
  if (before) {
    checkSame(before, attributes, context);
    return { QueueUrl: queueUrl(before, context) };
  }
  const now = context.now();
  const queue: Queue = { name: input.QueueName, account: context.account, region: context.region, fifo: input.QueueName.endsWith('.fifo'), created: now, modified: now, attributes: {}, tags: input.tags ?? {} };
  saveQueue(context.state, withAttributes(queue, attributes, context));
  return { QueueUrl: queueUrl(queue, context) };
}

function checkName(name: string, fifo: boolean): void {
  if (fifo && !(/^[\w-]+\.fifo$/.test(name) && name.length <= 80))
    throw invalidValue('The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.');
  if (!fifo && !/^[\w-]{1,80}$/.test(name)) throw invalidValue('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length');
}

export function deleteQueue(input: Sqs.DeleteQueueRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  context.state.transaction(() => {
    empty(queue, context);
    queues(context.state, queue.account, queue.region).delete(queue.name);
  });
  wake(context.runtime, queueArn(queue));
}

function empty(queue: Queue, { state }: RequestContext): void {
  for (const tableOf of [messages, ready, knownDeduplication]) {
    const all = tableOf(state, queue);
    for (const [key] of all.entries([queue.name])) all.delete(...key);
  }
}

export function purgeQueue(input: Sqs.PurgeQueueRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  const now = context.now().getTime();
  if (queue.purged !== undefined && now - queue.purged < 60_000) throw new AwsError('PurgeQueueInProgress', `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`, { status: 403 });
  context.state.transaction(() => {
    empty(queue, context);
    saveQueue(context.state, { ...queue, purged: now });
  });
}

export function getQueueUrl(input: Sqs.GetQueueUrlRequest, context: RequestContext): Sqs.GetQueueUrlResult {
  const queue = queues(context.state, input.QueueOwnerAWSAccountId ?? context.account, context.region).get(input.QueueName);
  if (!queue) throw noQueue();
  return { QueueUrl: queueUrl(queue, context) };
}

export function listQueues(input: Sqs.ListQueuesRequest, context: RequestContext): Sqs.ListQueuesResult {
  const all = queues(context.state, context.account, context.region).list().filter((queue) => queue.name.startsWith(input.QueueNamePrefix ?? ''));
  const { items, NextToken } = page(all, (queue) => queue.name, input);
  return { ...(items.length > 0 ? { QueueUrls: items.map((queue) => queueUrl(queue, context)) } : {}), ...(NextToken ? { NextToken } : {}) };
}

function page<T>(all: readonly T[], name: (item: T) => string, { MaxResults, NextToken }: { MaxResults?: number; NextToken?: string }): { items: T[]; NextToken?: string } {
  if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > 1000)) throw invalidValue(`Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.`);
  const after = NextToken === undefined ? undefined : Buffer.from(NextToken, 'base64url').toString('utf8');
  const rest = after === undefined ? all : all.filter((item) => name(item) > after);
  const items = rest.slice(0, MaxResults ?? 1000);
  // Without MaxResults no token is given (API reference, ListQueues).
  return { items, ...(MaxResults !== undefined && rest.length > items.length ? { NextToken: Buffer.from(name(items.at(-1)!)).toString('base64url') } : {}) };
}

export function listDeadLetterSourceQueues(input: Sqs.ListDeadLetterSourceQueuesRequest, context: RequestContext): Sqs.ListDeadLetterSourceQueuesResult {
  const queue = queueOf(input.QueueUrl, context);
  const arn = queueArn(queue);
  const sources = queues(context.state, queue.account, queue.region).list().filter((one) => redriveOf(one)?.target === arn);
  const { items, ...rest } = page(sources, (one) => one.name, input);
  return { queueUrls: items.map((one) => queueUrl(one, context)), ...rest };
}

export function getQueueAttributes(input: Sqs.GetQueueAttributesRequest, context: RequestContext): Sqs.GetQueueAttributesResult {
  const queue = queueOf(input.QueueUrl, context);
  const Attributes = shownAttributes(queue, input.AttributeNames ?? [], context);
  return Object.keys(Attributes).length > 0 ? { Attributes } : {};
}

export function setQueueAttributes(input: Sqs.SetQueueAttributesRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  saveQueue(context.state, withAttributes(queue, input.Attributes, context));
}

export function tagQueue(input: Sqs.TagQueueRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  const tags = { ...queue.tags, ...input.Tags };
  if (Object.keys(tags).length > 50) throw invalidValue(`Too many tags added for queue ${queue.name}.`);
  saveQueue(context.state, { ...queue, tags });
}

export function untagQueue(input: Sqs.UntagQueueRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  saveQueue(context.state, { ...queue, tags: Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !input.TagKeys.includes(key))) });
}

export function listQueueTags(input: Sqs.ListQueueTagsRequest, context: RequestContext): Sqs.ListQueueTagsResult {
  const { tags } = queueOf(input.QueueUrl, context);
  return Object.keys(tags).length > 0 ? { Tags: { ...tags } } : {};
}

interface Policy {
  readonly Statement: readonly { readonly Sid?: string }[];
}

export function addPermission(input: Sqs.AddPermissionRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  const policy = (queue.policy === undefined ? { Version: '2012-10-17', Id: `${queueArn(queue)}/SQSDefaultPolicy`, Statement: [] } : JSON.parse(queue.policy)) as Policy;
  if (policy.Statement.some(({ Sid }) => Sid === input.Label)) throw invalidValue(`Value ${input.Label} for parameter Label is invalid. Reason: Already exists.`);
  for (const action of input.Actions) if (!PERMITTED.has(action)) throw invalidValue(`Value SQS:${action} for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions.`);
  const principals = input.AWSAccountIds.map((id) => `arn:aws:iam::${id}:root`);
  const actions = input.Actions.map((action) => `SQS:${action}`);
  const statement = { Sid: input.Label, Effect: 'Allow', Principal: { AWS: principals.length === 1 ? principals[0] : principals }, Action: actions.length === 1 ? actions[0] : actions, Resource: queueArn(queue) };
  saveQueue(context.state, { ...queue, policy: JSON.stringify({ ...policy, Statement: [...policy.Statement, statement] }), modified: context.now() });
}

const PERMITTED: ReadonlySet<string> = new Set(['*', 'SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes', 'GetQueueUrl', 'ListDeadLetterSourceQueues', 'PurgeQueue']);

export function removePermission(input: Sqs.RemovePermissionRequest, context: RequestContext): void {
  const queue = queueOf(input.QueueUrl, context);
  const policy = JSON.parse(queue.policy ?? '{"Statement":[]}') as Policy;
  const Statement = policy.Statement.filter(({ Sid }) => Sid !== input.Label);
  if (Statement.length === policy.Statement.length) throw invalidValue(`Value ${input.Label} for parameter Label is invalid. Reason: can't find label on existing policy.`);
  const { policy: _, ...rest } = queue;
  saveQueue(context.state, Statement.length === 0 ? rest : { ...rest, policy: JSON.stringify({ ...policy, Statement }) });
}
