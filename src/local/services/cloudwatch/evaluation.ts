import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Cw from '../../models/types/cloudwatch.js';
import { act } from './actions.js';
import { evaluateQueries, series } from './data.js';
import type { Series } from './math.js';
import { alarmsOf, holds, parseRule } from './rule.js';
import { alarmArn, alarms, history, saveAlarm, watchedPlaces, type Alarm, type StateValue } from './store.js';

/** What evaluating needs of a request, or of the clock. */
export type Surroundings = Pick<RequestContext, 'state' | 'account' | 'region' | 'now' | 'runtime'>;

/** A metric got new data: the alarms that watch it look at it at once. */
export function metricArrived(namespace: string, name: string, context: Surroundings): void {
  for (const alarm of alarms(context.state, context).list()) if (watches(alarm, namespace, name)) evaluateAlarm(alarm, context);
}

function watches({ kind, settings }: Alarm, namespace: string, name: string): boolean {
  if (kind !== 'MetricAlarm') return false;
  if (settings.Metrics) return settings.Metrics.some(({ MetricStat }) => MetricStat?.Metric.Namespace === namespace && MetricStat.Metric.MetricName === name);
  return settings.Namespace === namespace && settings.MetricName === name;
}

/** As time passes data goes missing: all alarms are looked at once a minute. Answers how to stop. */
export function watchAlarms(runtime: Runtime): () => void {
  let cancel = (): void => undefined;
  const look = (): void => {
    for (const [[account, region]] of watchedPlaces(runtime.state).entries()) {
      const context: Surroundings = { state: runtime.state, account: String(account), region: String(region), now: () => new Date(runtime.clock.now()), runtime };
      for (const alarm of alarms(runtime.state, context).list()) if (alarm.kind === 'MetricAlarm') evaluateAlarm(alarm, context);
    }
    cancel = runtime.clock.after(60_000, look);
  };
  cancel = runtime.clock.after(60_000, look);
  return () => cancel();
}

function evaluateAlarm(alarm: Alarm, context: Surroundings): void {
  const verdict = judge(alarm, context);
  if (verdict && verdict.state !== alarm.state) changeState(alarm, verdict.state, verdict.reason, verdict.data, context);
}

interface Verdict {
  readonly state: StateValue;
  readonly reason: string;
  readonly data: string;
}

/** User guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data". */
function judge({ settings, state }: Alarm, context: Surroundings): Verdict | undefined {
  const period = settings.Period ?? settings.Metrics?.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 60;
  const count = settings.EvaluationPeriods ?? 1;
  const needed = settings.DatapointsToAlarm ?? count;
  const now = context.now().getTime();
  const current = Math.floor(now / (period * 1000)) * period * 1000;
  const from = current - count * period * 1000;
  const points = read(settings, period, from, current + period * 1000, context);
  // The period that runs counts only when it has data already.
  const last = points.has(current) ? current : current - period * 1000;
  const window = Array.from({ length: count }, (_, i) => points.get(last - i * period * 1000));
  const present = window.filter((value) => value !== undefined);
  const missing = window.length - present.length;
  const treat = settings.TreatMissingData ?? 'missing';
  const breaching = present.filter((value) => breaches(value, settings)).length + (treat === 'breaching' ? missing : 0);
  const data = JSON.stringify({ version: '1.0', queryDate: stamp(context.now()), startDate: stamp(new Date(last - (count - 1) * period * 1000)), ...(settings.Statistic ? { statistic: settings.Statistic } : {}), period, recentDatapoints: [...present].reverse(), threshold: settings.Threshold });
  if (present.length === 0 && treat === 'ignore') return undefined;
  if (present.length === 0 && treat === 'missing') return { state: 'INSUFFICIENT_DATA', reason: `Insufficient Data: ${count} datapoint${count === 1 ? ' was' : 's were'} unknown.`, data };
  if (breaching >= needed) return { state: 'ALARM', reason: reasonOf(present, breaching, count, settings, missing, treat), data };
  // With too little to tell, an alarm that ignores what is missing stays as it is.
  if (treat === 'ignore' && missing > 0 && breaching + missing >= needed) return { state, reason: '', data };
  return { state: 'OK', reason: reasonOf(present, window.length - breaching - (treat === 'missing' ? missing : 0), count, settings, missing, treat, true), data };
}

const stamp = (date: Date): string => date.toISOString().replace('Z', '+0000');

function read(settings: Alarm['settings'], period: number, from: number, to: number, context: Surroundings): Series {
  if (!settings.Metrics) return series(settings, settings.Statistic ?? settings.ExtendedStatistic ?? 'Average', period, from, to, context, settings.Unit);
  const id = settings.Metrics.find(({ ReturnData }) => ReturnData !== false)?.Id ?? settings.Metrics[0]!.Id;
  return evaluateQueries(settings.Metrics, from, to, context).get(id)!;
}

function breaches(value: number, { ComparisonOperator, Threshold = 0 }: Alarm['settings']): boolean {
  switch (ComparisonOperator) {
    case 'GreaterThanOrEqualToThreshold':
      return value >= Threshold;
    case 'GreaterThanThreshold':
      return value > Threshold;
    case 'LessThanThreshold':
      return value < Threshold;
    default:
      return value <= Threshold;
  }
}

const WORDS: Readonly<Record<string, string>> = { GreaterThanOrEqualToThreshold: 'greater than or equal to', GreaterThanThreshold: 'greater than', LessThanThreshold: 'less than', LessThanOrEqualToThreshold: 'less than or equal to' };

function reasonOf(present: readonly number[], crossing: number, count: number, settings: Alarm['settings'], missing: number, treat: string, fine = false): string {
  if (present.length === 0) return `Threshold Crossed: no datapoints were received for ${count} period${count === 1 ? '' : 's'} and ${missing} missing datapoint${missing === 1 ? ' was' : 's were'} treated as [${treat === 'breaching' ? 'Breaching' : 'NonBreaching'}].`;
  const shown = present.map((value) => (Number.isInteger(value) ? value.toFixed(1) : String(value))).join(', ');
  const threshold = Number.isInteger(settings.Threshold) ? settings.Threshold!.toFixed(1) : String(settings.Threshold);
  const relation = `${fine ? 'not ' : ''}${WORDS[settings.ComparisonOperator ?? ''] ?? ''}`;
  return `Threshold Crossed: ${crossing} out of the last ${count} datapoints [${shown}] ${crossing === 1 ? 'was' : 'were'} ${relation} the threshold (${threshold})${fine ? '' : ` (minimum ${settings.DatapointsToAlarm ?? count} datapoint${(settings.DatapointsToAlarm ?? count) === 1 ? '' : 's'} for OK -> ALARM transition)`}.`;
}

/** Sets a state, remembers it, does what the alarm is to do, and tells the composite alarms that watch it. */
export function changeState(alarm: Alarm, state: StateValue, reason: string, reasonData: string | undefined, context: Surroundings): void {
  const now = context.now();
  const { reasonData: _, ...rest } = alarm;
  const after: Alarm = { ...rest, state, reason, ...(reasonData === undefined ? {} : { reasonData }), updated: now, transitioned: alarm.state === state ? alarm.transitioned : now };
  context.state.transaction(() => {
    saveAlarm(context.state, after);
    if (alarm.state !== state) remember(after, 'StateUpdate', `Alarm updated from ${alarm.state} to ${state}`, { version: '1.0', oldState: { stateValue: alarm.state, stateReason: alarm.reason }, newState: { stateValue: state, stateReason: reason } }, context);
  });
  if (alarm.state === state) return;
  act(alarm, after, context);
  for (const composite of alarms(context.state, context).list())
    if (composite.kind === 'CompositeAlarm' && composite.name !== alarm.name && alarmsOf(parseRule(composite.settings.AlarmRule!)).includes(alarm.name)) evaluateComposite(composite, context, alarmArn(alarm), state);
}

export function remember(alarm: Alarm, HistoryItemType: Cw.HistoryItemType, HistorySummary: string, data: object, context: Surroundings): void {
  const all = history(context.state, alarm);
  const at = context.now();
  const number = all.entries([alarm.name, at.getTime()]).length;
  all.put([alarm.name, at.getTime(), number], { AlarmName: alarm.name, AlarmType: alarm.kind, Timestamp: at, HistoryItemType, HistorySummary, HistoryData: JSON.stringify(data) });
}

export function compositeState(rule: string, context: Surroundings): StateValue {
  return holds(parseRule(rule), (name) => alarms(context.state, context).get(name)?.state) ? 'ALARM' : 'OK';
}

/** The alarms a composite alarm's state comes from, as its reason names them. */
export function triggering(rule: string, context: Surroundings): string {
  const found = alarmsOf(parseRule(rule)).flatMap((name) => {
    const child = alarms(context.state, context).get(name);
    return child ? [{ arn: alarmArn(child), state: { value: child.state, timestamp: stamp(child.transitioned) } }] : [];
  });
  return JSON.stringify({ triggeringAlarms: found });
}

function evaluateComposite(composite: Alarm, context: Surroundings, cause: string, causeState: StateValue): void {
  const rule = composite.settings.AlarmRule!;
  const state = compositeState(rule, context);
  if (state === composite.state) return;
  changeState(composite, state, `${cause} transitioned to ${causeState} at ${context.now().toUTCString()}`, triggering(rule, context), context);
}
