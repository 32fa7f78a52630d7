import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cw from '../../models/types/cloudwatch.js';
import { GLOBAL, table, type State, type Table } from '../../state/state.js';

export type StateValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface Alarm {
  readonly kind: 'MetricAlarm' | 'CompositeAlarm';
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** What was put, by AWS's names. */
  readonly settings: Cw.PutMetricAlarmInput & Partial<Cw.PutCompositeAlarmInput>;
  readonly configured: Date;
  readonly state: StateValue;
  readonly reason: string;
  readonly reasonData?: string;
  readonly updated: Date;
  readonly transitioned: Date;
  readonly tags: Readonly<Record<string, string>>;
}

/** What was put for one metric at one time. */
export interface Sample {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Single values and how often each came; absent where only statistics were given. */
  readonly values?: readonly (readonly [number, number])[];
  readonly unit: string;
}

export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly Cw.Dimension[];
  readonly seen: Date;
}

export interface Dashboard {
  readonly name: string;
  readonly body: string;
  readonly modified: Date;
  readonly tags: Readonly<Record<string, string>>;
}

const alarmTable = table<Alarm>('cloudwatch', 'alarms');
const historyTable = table<Cw.AlarmHistoryItem>('cloudwatch', 'history');
const sampleTable = table<Sample>('cloudwatch', 'samples');
const metricTable = table<Metric>('cloudwatch', 'metrics');
const dashboardTable = table<Dashboard>('cloudwatch', 'dashboards');
const watchedTable = table<true>('cloudwatch', 'watched-places');

type Place = Pick<Alarm, 'account' | 'region'>;

export const alarms = (state: State, { account, region }: Place): Table<Alarm> => alarmTable(state, account, region);
/** By alarm, time and a number. */
export const history = (state: State, { account, region }: Place): Table<Cw.AlarmHistoryItem> => historyTable(state, account, region);
/** By namespace, name, dimensions, milliseconds since the epoch and a number. */
export const samples = (state: State, { account, region }: Place): Table<Sample> => sampleTable(state, account, region);
export const metrics = (state: State, { account, region }: Place): Table<Metric> => metricTable(state, account, region);
/** Dashboards are of the account, not of a region. */
export const dashboards = (state: State, account: string): Table<Dashboard> => dashboardTable(state, account, GLOBAL);
/** Accounts and regions that have alarms, for who looks at them as time passes. */
export const watchedPlaces = (state: State): Table<true> => watchedTable(state, 'cloud', GLOBAL);

export function alarmArn({ account, region, name }: Pick<Alarm, 'account' | 'region' | 'name'>): string {
  return `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`;
}

export function dashboardArn(account: string, name: string): string {
  return `arn:aws:cloudwatch::${account}:dashboard/${name}`;
}

/** Dimensions as a key part: their order means nothing. */
export function dimensionKey(dimensions: readonly Cw.Dimension[] = []): string {
  return JSON.stringify([...dimensions].map(({ Name, Value }) => [Name, Value]).sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0)));
}

export function alarmOf(name: string, context: RequestContext): Alarm {
  const found = alarms(context.state, context).get(name);
  if (!found) throw new AwsError('ResourceNotFound', `Unknown: ${name}`, { status: 404 });
  return found;
}

export function saveAlarm(state: State, alarm: Alarm): void {
  state.transaction(() => {
    alarms(state, alarm).put(alarm.name, alarm);
    watchedPlaces(state).put([alarm.account, alarm.region], true);
  });
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message, { status: 400 });
}

export function invalidValue(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message, { status: 400 });
}

/** Parts of CloudWatch the local cloud doesn't have. */
export function unsupported(what: string): AwsError {
  return new AwsError('NotImplemented', `The local cloud has no behaviour for ${what} of Amazon CloudWatch. Nothing was changed.`, { status: 501 });
}

export function page<T>(all: readonly T[], limit: number, token: string | undefined): { items: T[]; NextToken?: string } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8'));
  if (Number.isNaN(start)) throw new AwsError('InvalidNextToken', 'Invalid nextToken', { status: 400 });
  const end = start + limit;
  return { items: all.slice(start, end), ...(end < all.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {}) };
}
