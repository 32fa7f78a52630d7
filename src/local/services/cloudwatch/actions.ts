import { AwsError } from '../../kernel/error.js';
import { parseArn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import { alarmArn, type Alarm } from './store.js';

type Surroundings = Pick<RequestContext, 'now' | 'runtime'>;

/**
 * Does what an alarm is to do in its new state: tells topics and functions, and EventBridge. Actions of services that are only modelled here
 * (scaling policies, instances, Systems Manager) are named in the log. Nobody waits for it.
 */
export function act(before: Alarm, after: Alarm, context: Surroundings): void {
  const { settings } = after;
  const wanted = { OK: settings.OKActions, ALARM: settings.AlarmActions, INSUFFICIENT_DATA: settings.InsufficientDataActions }[after.state] ?? [];
  const done = (settings.ActionsEnabled ?? true) ? wanted.map((action) => perform(action, before, after, context)) : [];
  for (const work of [...done, toEventBridge(before, after, context)]) void work.catch((error: unknown) => context.runtime.log(`cloudwatch: an action of the alarm ${after.name} failed: ${error instanceof Error ? error.message : String(error)}`));
}

async function perform(action: string, before: Alarm, after: Alarm, context: Surroundings): Promise<void> {
  const target = parseArn(action);
  const client = (service: string) => context.runtime.client({ principal: { kind: 'service', service, account: after.account, sourceArn: alarmArn(after) }, region: target?.region ?? after.region });
  if (target?.service === 'sns')
    await client('cloudwatch.amazonaws.com').call('sns', 'Publish', { TopicArn: action, Subject: `${after.state}: "${after.name}" in ${after.region}`.slice(0, 100), Message: JSON.stringify(notification(before, after)) });
  else if (target?.service === 'lambda')
    await client('lambda.alarms.cloudwatch.amazonaws.com').call('lambda', 'Invoke', { FunctionName: action, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(lambdaEvent(before, after))) });
  else throw new AwsError('NotImplemented', `The local cloud has no behaviour for the alarm action ${action}`);
}

const stamp = (date: Date): string => date.toISOString().replace('Z', '+0000');

/** The message that subscribers of the topic get. */
function notification(before: Alarm, { settings, ...after }: Alarm): object {
  const trigger = settings.AlarmRule !== undefined
    ? { AlarmRule: settings.AlarmRule }
    : {
        Trigger: {
          ...(settings.Metrics
            ? { Metrics: settings.Metrics }
            : {
                MetricName: settings.MetricName, Namespace: settings.Namespace, ...(settings.Statistic ? { StatisticType: 'Statistic', Statistic: settings.Statistic.toUpperCase() } : { StatisticType: 'ExtendedStatistic', ExtendedStatistic: settings.ExtendedStatistic }),
                Unit: settings.Unit ?? null, Dimensions: (settings.Dimensions ?? []).map(({ Name, Value }) => ({ value: Value, name: Name })),
              }),
          Period: settings.Period, EvaluationPeriods: settings.EvaluationPeriods, DatapointsToAlarm: settings.DatapointsToAlarm, ComparisonOperator: settings.ComparisonOperator, Threshold: settings.Threshold, TreatMissingData: settings.TreatMissingData ?? '',
          EvaluateLowSampleCountPercentile: settings.EvaluateLowSampleCountPercentile ?? '',
        },
      };
  return {
    AlarmName: after.name, AlarmDescription: settings.AlarmDescription ?? null, AWSAccountId: after.account, AlarmConfigurationUpdatedTimestamp: stamp(after.configured), NewStateValue: after.state, NewStateReason: after.reason, StateChangeTime: stamp(after.updated),
    Region: after.region, AlarmArn: alarmArn(after), OldStateValue: before.state, OKActions: settings.OKActions ?? [], AlarmActions: settings.AlarmActions ?? [], InsufficientDataActions: settings.InsufficientDataActions ?? [], ...trigger,
  };
}

function stateOf(alarm: Alarm): object {
  return { value: alarm.state, reason: alarm.reason, timestamp: stamp(alarm.updated), ...(alarm.reasonData === undefined ? {} : { reasonData: alarm.reasonData }) };
}

function configuration({ settings }: Alarm): object {
  if (settings.AlarmRule !== undefined) return { alarmRule: settings.AlarmRule, description: settings.AlarmDescription };
  const dimensions = Object.fromEntries((settings.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]));
  const metrics = settings.Metrics?.map(({ Id, MetricStat, Expression, ReturnData }) => ({ id: Id, ...(MetricStat ? { metricStat: { metric: { namespace: MetricStat.Metric.Namespace, name: MetricStat.Metric.MetricName }, period: MetricStat.Period, stat: MetricStat.Stat } } : { expression: Expression }), returnData: ReturnData ?? true })) ?? [
    { id: 'metric', metricStat: { metric: { namespace: settings.Namespace, name: settings.MetricName, dimensions }, period: settings.Period, stat: settings.Statistic ?? settings.ExtendedStatistic }, returnData: true },
  ];
  return { description: settings.AlarmDescription, metrics };
}

function lambdaEvent(before: Alarm, after: Alarm): object {
  return {
    source: 'aws.cloudwatch', alarmArn: alarmArn(after), accountId: after.account, time: stamp(after.updated), region: after.region,
    alarmData: { alarmName: after.name, state: stateOf(after), previousState: stateOf(before), configuration: configuration(after) },
  };
}

async function toEventBridge(before: Alarm, after: Alarm, context: Surroundings): Promise<void> {
  const client = context.runtime.client({ principal: { kind: 'service', service: 'cloudwatch.amazonaws.com', account: after.account, sourceArn: alarmArn(after) }, region: after.region });
  const Detail = JSON.stringify({ alarmName: after.name, state: stateOf(after), previousState: stateOf(before), configuration: configuration(after) });
  await client.call('events', 'PutEvents', { Entries: [{ Source: 'aws.cloudwatch', DetailType: 'CloudWatch Alarm State Change', Resources: [alarmArn(after)], Detail }] });
}
