import type { RequestContext } from '../../kernel/service.js';
import type * as Cw from '../../models/types/cloudwatch.js';
import { checkPeriod, checkQueries, checkStatistic } from './data.js';
import { changeState, compositeState, remember, triggering } from './evaluation.js';
import { alarmsOf, parseRule } from './rule.js';
import { alarmArn, alarmOf, alarms, dimensionKey, history, invalid, page, saveAlarm, unsupported, type Alarm, type StateValue } from './store.js';

const COMPARISONS: ReadonlySet<string> = new Set(['GreaterThanOrEqualToThreshold', 'GreaterThanThreshold', 'LessThanThreshold', 'LessThanOrEqualToThreshold']);

/** A new alarm is looked at when data comes or the minute is over, not before. */
export function putMetricAlarm(input: Cw.PutMetricAlarmInput, context: RequestContext): void {
  check(input);
  const settings: Alarm['settings'] = { ...input, ActionsEnabled: input.ActionsEnabled ?? true, OKActions: input.OKActions ?? [], AlarmActions: input.AlarmActions ?? [], InsufficientDataActions: input.InsufficientDataActions ?? [], ...(input.Metrics ? {} : { Dimensions: input.Dimensions ?? [] }) };
  put('MetricAlarm', settings, { state: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation' }, context);
}

function check(input: Cw.PutMetricAlarmInput): void {
  for (const name of ['ThresholdMetricId', 'EvaluationWindow', 'WarmUpConfiguration', 'EvaluationCriteria', 'EvaluationInterval', 'ActionConfiguration'] as const) if (input[name] !== undefined) throw unsupported(`the alarm setting ${name}`);
  if (!COMPARISONS.has(input.ComparisonOperator ?? '')) {
    if (input.ComparisonOperator === undefined) throw invalid('The parameter ComparisonOperator is required');
    throw unsupported(`the comparison ${input.ComparisonOperator}`);
  }
  if (input.EvaluationPeriods === undefined || input.EvaluationPeriods < 1) throw invalid('The parameter EvaluationPeriods must be at least 1');
  if (input.DatapointsToAlarm !== undefined && (input.DatapointsToAlarm > input.EvaluationPeriods || input.DatapointsToAlarm < 1)) throw invalid('DatapointsToAlarm must be less than or equal to EvaluationPeriods');
  if (input.TreatMissingData !== undefined && !['breaching', 'notBreaching', 'ignore', 'missing'].includes(input.TreatMissingData)) throw invalid(`The value ${input.TreatMissingData} for parameter TreatMissingData is not supported.`);
  if (input.Threshold === undefined) throw invalid('The parameter Threshold is required');
  if (input.Metrics) return checkMetrics(input);
  if (input.MetricName === undefined || input.Namespace === undefined) throw invalid('The parameters MetricName and Namespace are required unless Metrics is given');
  checkPeriod(input.Period);
  if ((input.Statistic === undefined) === (input.ExtendedStatistic === undefined)) throw invalid('Exactly one of Statistic and ExtendedStatistic must be specified');
  if (input.ExtendedStatistic !== undefined) checkStatistic(input.ExtendedStatistic);
  if (input.Period! * input.EvaluationPeriods > 7 * 86_400) throw invalid('Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).');
}

function checkMetrics(input: Cw.PutMetricAlarmInput): void {
  const given = (['MetricName', 'Namespace', 'Statistic', 'ExtendedStatistic', 'Dimensions', 'Period', 'Unit'] as const).find((name) => input[name] !== undefined);
  if (given !== undefined) throw invalid(`${given} must not be set when Metrics is`);
  checkQueries(input.Metrics!);
  if (input.Metrics!.filter(({ ReturnData }) => ReturnData !== false).length !== 1) throw invalid('Exactly one element of the metrics list should return data.');
}

function put(kind: Alarm['kind'], settings: Alarm['settings'], initial: { state: StateValue; reason: string; reasonData?: string }, context: RequestContext): Alarm {
  const { Tags, ...rest } = settings;
  const name = settings.AlarmName;
  const before = alarms(context.state, context).get(name);
  if (before && before.kind !== kind) throw invalid(`An alarm with the name ${name} and another type already exists`);
  const now = context.now();
  const alarm: Alarm = before
    ? { ...before, settings: rest, configured: now }
    : { kind, name, account: context.account, region: context.region, settings: rest, configured: now, ...initial, updated: now, transitioned: now, tags: Object.fromEntries((Tags ?? []).map(({ Key, Value }) => [Key, Value])) };
  context.state.transaction(() => {
    saveAlarm(context.state, alarm);
    remember(alarm, 'ConfigurationUpdate', `Alarm "${name}" ${before ? 'updated' : 'created'}`, { version: '1.0', type: before ? 'Update' : 'Create' }, context);
  });
  return alarm;
}

export function putCompositeAlarm(input: Cw.PutCompositeAlarmInput, context: RequestContext): void {
  for (const name of ['ActionsSuppressor', 'ActionConfiguration'] as const) if (input[name] !== undefined) throw unsupported(`the alarm setting ${name}`);
  const unknown = alarmsOf(parseRule(input.AlarmRule)).filter((name) => !alarms(context.state, context).get(name));
  if (unknown.length > 0) throw invalid(`Could not save the composite alarm as alarms [${unknown.join(', ')}] in the alarm rule do not exist`);
  if (alarmsOf(parseRule(input.AlarmRule)).includes(input.AlarmName)) throw invalid('A composite alarm can not refer to itself');
  const settings = { ...input, ActionsEnabled: input.ActionsEnabled ?? true, OKActions: input.OKActions ?? [], AlarmActions: input.AlarmActions ?? [], InsufficientDataActions: input.InsufficientDataActions ?? [] };
  const state = compositeState(input.AlarmRule, context);
  const arn = alarmArn({ account: context.account, region: context.region, name: input.AlarmName });
  const saved = put('CompositeAlarm', settings, { state, reason: `${arn} was created and its alarm rule evaluates to ${state}`, reasonData: triggering(input.AlarmRule, context) }, context);
  if (saved.state !== state) changeState(saved, state, `${arn} was updated and its alarm rule evaluates to ${state}`, triggering(input.AlarmRule, context), context);
}

export function deleteAlarms(input: Cw.DeleteAlarmsInput, context: RequestContext): void {
  const names = new Set(input.AlarmNames);
  for (const composite of alarms(context.state, context).list())
    if (composite.kind === 'CompositeAlarm' && !names.has(composite.name) && alarmsOf(parseRule(composite.settings.AlarmRule!)).some((name) => names.has(name))) throw invalid(`Could not delete ${[...names].join(', ')} as the composite alarm ${composite.name} depends on it`);
  context.state.transaction(() => {
    for (const name of names) {
      alarms(context.state, context).delete(name);
      for (const [key] of history(context.state, context).entries([name])) history(context.state, context).delete(...key);
    }
  });
}

export function describeAlarms(input: Cw.DescribeAlarmsInput, context: RequestContext): Cw.DescribeAlarmsOutput {
  if (input.AlarmNames && input.AlarmNamePrefix !== undefined) throw invalid('AlarmNames and AlarmNamePrefix can not both be specified');
  // Without a type only metric alarms are shown (API reference, DescribeAlarms).
  const types = new Set<string>(input.AlarmTypes ?? ['MetricAlarm']);
  const all = alarms(context.state, context).list();
  const children = input.ChildrenOfAlarmName === undefined ? undefined : new Set(alarmsOf(parseRule(alarmOf(input.ChildrenOfAlarmName, context).settings.AlarmRule ?? 'FALSE')));
  const found = all
    .filter((alarm) => types.has(alarm.kind) || children)
    .filter((alarm) => (!input.AlarmNames || input.AlarmNames.includes(alarm.name)) && alarm.name.startsWith(input.AlarmNamePrefix ?? ''))
    .filter((alarm) => input.StateValue === undefined || alarm.state === input.StateValue)
    .filter((alarm) => input.ActionPrefix === undefined || [...(alarm.settings.AlarmActions ?? []), ...(alarm.settings.OKActions ?? []), ...(alarm.settings.InsufficientDataActions ?? [])].some((action) => action.startsWith(input.ActionPrefix!)))
    .filter((alarm) => !children || children.has(alarm.name))
    .filter((alarm) => input.ParentsOfAlarmName === undefined || (alarm.settings.AlarmRule !== undefined && alarmsOf(parseRule(alarm.settings.AlarmRule)).includes(input.ParentsOfAlarmName)));
  const { items, ...rest } = page(found, input.MaxRecords ?? 50, input.NextToken);
  return { MetricAlarms: items.filter(({ kind }) => kind === 'MetricAlarm').map(shown), CompositeAlarms: items.filter(({ kind }) => kind === 'CompositeAlarm').map(shown), ...rest };
}

function shown(alarm: Alarm): Cw.MetricAlarm & Cw.CompositeAlarm {
  return {
    ...alarm.settings,
    AlarmArn: alarmArn(alarm),
    AlarmConfigurationUpdatedTimestamp: alarm.configured,
    StateValue: alarm.state,
    StateReason: alarm.reason,
    ...(alarm.reasonData === undefined ? {} : { StateReasonData: alarm.reasonData }),
    StateUpdatedTimestamp: alarm.updated,
    StateTransitionedTimestamp: alarm.transitioned,
  };
}

export function describeAlarmsForMetric(input: Cw.DescribeAlarmsForMetricInput, context: RequestContext): Cw.DescribeAlarmsForMetricOutput {
  const found = alarms(context.state, context).list().filter(
    ({ settings }) =>
      settings.MetricName === input.MetricName && settings.Namespace === input.Namespace && dimensionKey(settings.Dimensions) === dimensionKey(input.Dimensions) && (input.Statistic === undefined || settings.Statistic === input.Statistic) &&
      (input.ExtendedStatistic === undefined || settings.ExtendedStatistic === input.ExtendedStatistic) && (input.Period === undefined || settings.Period === input.Period) && (input.Unit === undefined || settings.Unit === input.Unit),
  );
  return { MetricAlarms: found.map(shown) };
}

export function describeAlarmHistory(input: Cw.DescribeAlarmHistoryInput, context: RequestContext): Cw.DescribeAlarmHistoryOutput {
  const all = history(context.state, context).list(...(input.AlarmName === undefined ? [] : [input.AlarmName]));
  const found = all
    .filter((item) => (input.HistoryItemType === undefined || item.HistoryItemType === input.HistoryItemType) && (!input.AlarmTypes || input.AlarmTypes.includes(item.AlarmType!)))
    .filter((item) => (!input.StartDate || item.Timestamp! >= input.StartDate) && (!input.EndDate || item.Timestamp! <= input.EndDate))
    .sort((a, b) => a.Timestamp!.getTime() - b.Timestamp!.getTime());
  if (input.ScanBy !== 'TimestampAscending') found.reverse();
  const { items, ...rest } = page(found, input.MaxRecords ?? 100, input.NextToken);
  return { AlarmHistoryItems: items, ...rest };
}

export function setAlarmState(input: Cw.SetAlarmStateInput, context: RequestContext): void {
  changeState(alarmOf(input.AlarmName, context), input.StateValue, input.StateReason, input.StateReasonData, context);
}

export function enableActions(enabled: boolean): (input: { AlarmNames: string[] }, context: RequestContext) => void {
  return (input, context) => {
    for (const name of input.AlarmNames) {
      const alarm = alarms(context.state, context).get(name);
      if (alarm) saveAlarm(context.state, { ...alarm, settings: { ...alarm.settings, ActionsEnabled: enabled } });
    }
  };
}
