import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Logs from '../../models/types/logs.js';
import { table, type Key, type State, type Table } from '../../state/state.js';

export interface LogGroup {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly retention?: number;
  readonly kmsKeyId?: string;
  readonly groupClass: Logs.LogGroupClass;
  readonly protected: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface LogStream {
  readonly group: string;
  readonly name: string;
  readonly created: number;
  readonly first?: number;
  readonly last?: number;
  readonly ingested?: number;
}

export interface StoredEvent {
  readonly message: string;
  readonly ingested: number;
}

const groupTable = table<LogGroup>('logs', 'groups');
const streamTable = table<LogStream>('logs', 'streams');
const eventTable = table<StoredEvent>('logs', 'events');
const subscriptionTable = table<Logs.SubscriptionFilter>('logs', 'subscription-filters');
const metricTable = table<Logs.MetricFilter>('logs', 'metric-filters');
const policyTable = table<StoredPolicy>('logs', 'resource-policies');

export interface StoredPolicy {
  readonly name: string;
  /** With principals as unique IDs. */
  readonly document: string;
  readonly updated: number;
}

export const groups = (state: State, account: string, region: string): Table<LogGroup> => groupTable(state, account, region);
/** By group and name. */
export const streams = (state: State, group: LogGroup): Table<LogStream> => streamTable(state, group.account, group.region);
/** By group, stream, timestamp and a number that only grows: in the order they are read. */
export const events = (state: State, group: LogGroup): Table<StoredEvent> => eventTable(state, group.account, group.region);
export const subscriptionFilters = (state: State, account: string, region: string): Table<Logs.SubscriptionFilter> => subscriptionTable(state, account, region);
export const metricFilters = (state: State, account: string, region: string): Table<Logs.MetricFilter> => metricTable(state, account, region);
export const resourcePolicies = (state: State, account: string, region: string): Table<StoredPolicy> => policyTable(state, account, region);

export function groupArn(group: Pick<LogGroup, 'account' | 'region' | 'name'>): string {
  return `arn:aws:logs:${group.region}:${group.account}:log-group:${group.name}`;
}

export function saveGroup(state: State, group: LogGroup): void {
  groups(state, group.account, group.region).put(group.name, group);
}

export interface GroupName {
  readonly account: string;
  readonly name: string;
}

/** A group by its name or its ARN, with or without `:*`. */
export function parseGroup(identifier: string, context: Pick<RequestContext, 'account'>): GroupName {
  const arn = parseArn(identifier);
  if (!arn) return { account: context.account, name: identifier };
  return { account: arn.account, name: arn.resource.replace(/^log-group:/, '').replace(/:.*$/, '') };
}

/** The group an input names. Raises ResourceNotFoundException. */
export function groupOf(input: { readonly logGroupName?: string; readonly logGroupIdentifier?: string }, context: RequestContext): LogGroup {
  const identifier = input.logGroupName ?? input.logGroupIdentifier;
  if (identifier === undefined) throw invalid('LogGroupIdentifier or LogGroupName is required.');
  if (input.logGroupName !== undefined && input.logGroupIdentifier !== undefined) throw invalid('LogGroupIdentifier and LogGroupName cannot both be specified.');
  const { account, name } = parseGroup(identifier, context);
  const group = groups(context.state, account, context.region).get(name);
  if (!group) throw notFound('The specified log group does not exist.');
  return group;
}

export function streamOf(group: LogGroup, name: string, { state }: RequestContext): LogStream {
  const stream = streams(state, group).get(group.name, name);
  if (!stream) throw notFound('The specified log stream does not exist.');
  return stream;
}

/** Removes everything of a table that stands under a key. */
export function clear(from: Table<unknown>, prefix: Key): void {
  for (const [key] of from.entries(prefix)) from.delete(...key);
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, { status: 400 });
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterException', message, { status: 400 });
}

/** Pages by the name behind which to go on. */
export function page<T>(items: readonly T[], name: (item: T) => string, limit: number, token: string | undefined): { items: T[]; nextToken?: string } {
  const after = token === undefined ? undefined : Buffer.from(token, 'base64url').toString('utf8');
  const start = after === undefined ? 0 : items.findIndex((item) => name(item) === after) + 1;
  const shown = items.slice(start, start + limit);
  return { items: shown, ...(start + limit < items.length ? { nextToken: Buffer.from(name(shown.at(-1)!)).toString('base64url') } : {}) };
}
