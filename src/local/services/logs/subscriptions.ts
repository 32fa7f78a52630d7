import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Logs from '../../models/types/logs.js';
import { compileFilter } from './filter.js';
import { groupArn, groupOf, invalid, notFound, page, subscriptionFilters, type LogGroup, type LogStream } from './store.js';

/** Per log group (CloudWatch Logs quotas). */
const MAX_FILTERS = 2;

export async function putSubscriptionFilter(input: Logs.PutSubscriptionFilterRequest, context: RequestContext): Promise<void> {
  const group = groupOf(input, context);
  compileFilter(input.filterPattern);
  if (parseArn(input.destinationArn)?.service !== 'lambda')
    throw new AwsError('NotImplemented', `The local cloud sends log events to Lambda functions only, not to ${input.destinationArn}. Nothing was changed.`, { status: 501 });
  const all = subscriptionFilters(context.state, group.account, group.region);
  if (!all.get(group.name, input.filterName) && all.list(group.name).length >= MAX_FILTERS) throw new AwsError('LimitExceededException', 'Resource limit exceeded.', { status: 400 });
  // The destination takes a message before the filter stands, as on AWS.
  try {
    await send(group, input.destinationArn, controlMessage(group), context);
  } catch (error) {
    if (error instanceof AwsError) throw invalid('Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.');
    throw error;
  }
  all.put([group.name, input.filterName], { ...input, distribution: input.distribution ?? 'ByLogStream', creationTime: context.now().getTime() });
}

function controlMessage(group: LogGroup): Payload {
  return { messageType: 'CONTROL_MESSAGE', owner: 'CloudwatchLogs', logGroup: '', logStream: '', subscriptionFilters: [], logEvents: [{ id: '', timestamp: group.created, message: 'CWL CONTROL MESSAGE: Checking health of destination Lambda function.' }] };
}

interface Payload {
  readonly messageType: string;
  readonly owner: string;
  readonly logGroup: string;
  readonly logStream: string;
  readonly subscriptionFilters: readonly string[];
  readonly logEvents: readonly { readonly id: string; readonly timestamp: number; readonly message: string }[];
}

async function send(group: LogGroup, destination: string, payload: Payload, context: RequestContext): Promise<void> {
  const client = context.asService({ service: 'logs.amazonaws.com', sourceArn: `${groupArn(group)}:*`, sourceAccount: group.account, region: parseArn(destination)!.region });
  const data = gzipSync(JSON.stringify(payload)).toString('base64');
  await client.call('lambda', 'Invoke', { FunctionName: destination, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify({ awslogs: { data } })) });
}

/** Hands new events to the functions that subscribed; nobody waits for them. */
export function tellSubscribers(group: LogGroup, stream: LogStream, taken: readonly Logs.InputLogEvent[], context: RequestContext): void {
  for (const filter of subscriptionFilters(context.state, group.account, group.region).list(group.name)) {
    const matches = compileFilter(filter.filterPattern ?? '');
    const logEvents = taken.filter(({ message }) => matches(message)).map(({ timestamp, message }) => ({ id: randomUUID(), timestamp, message }));
    if (logEvents.length === 0) continue;
    const payload: Payload = { messageType: 'DATA_MESSAGE', owner: group.account, logGroup: group.name, logStream: stream.name, subscriptionFilters: [filter.filterName!], logEvents };
    void send(group, filter.destinationArn!, payload, context).catch((error: unknown) => context.runtime.log(`logs: ${filter.filterName} of ${group.name} was not delivered: ${error instanceof Error ? error.message : String(error)}`));
  }
}

export function deleteSubscriptionFilter(input: Logs.DeleteSubscriptionFilterRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  const all = subscriptionFilters(context.state, group.account, group.region);
  if (!all.get(group.name, input.filterName)) throw notFound('The specified subscription filter does not exist.');
  all.delete(group.name, input.filterName);
}

export function describeSubscriptionFilters(input: Logs.DescribeSubscriptionFiltersRequest, context: RequestContext): Logs.DescribeSubscriptionFiltersResponse {
  const group = groupOf(input, context);
  const found = subscriptionFilters(context.state, group.account, group.region).list(group.name).filter((filter) => filter.filterName!.startsWith(input.filterNamePrefix ?? ''));
  const { items, ...rest } = page(found, (filter) => filter.filterName!, input.limit ?? 50, input.nextToken);
  return { subscriptionFilters: items, ...rest };
}
