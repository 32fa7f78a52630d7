import { beforeEach, describe, expect, it } from 'vitest';
import { evaluateExpression, parseExpression } from '../../../src/local/services/cloudwatch/math.js';
import { watchAlarms } from '../../../src/local/services/cloudwatch/evaluation.js';
import { A, failure, memoryCloud, REGION, type Answer, type MemoryCloud } from './cloud.js';

let cloud: MemoryCloud;
const call = (operation: string, input: object): Promise<Answer> => cloud.call('cloudwatch', operation, input as Record<string, unknown>);
const alarm = (more: object = {}): Promise<Answer> => call('PutMetricAlarm', { AlarmName: 'a', Namespace: 'N', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold', ...more });
const value = (Value: number): Promise<Answer> => call('PutMetricData', { Namespace: 'N', MetricData: [{ MetricName: 'm', Value }] });
const state = async (name = 'a'): Promise<string> => {
  const { MetricAlarms, CompositeAlarms } = await call('DescribeAlarms', { AlarmNames: [name], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] });
  return [...MetricAlarms, ...CompositeAlarms][0].StateValue;
};

beforeEach(() => {
  cloud = memoryCloud();
});

describe('alarms', () => {
  it('change when data comes, and tell the topic', async () => {
    await cloud.call('sns', 'CreateTopic', { Name: 't' });
    const topic = `arn:aws:sns:${REGION}:${A}:t`;
    await cloud.call('sns', 'Subscribe', { TopicArn: topic, Protocol: 'sms', Endpoint: '+15550100' });
    await alarm({ AlarmActions: [topic] });
    expect(await state()).toBe('INSUFFICIENT_DATA');
    await value(3);
    expect(await state()).toBe('OK');
    await value(4);
    expect(await state()).toBe('ALARM');
    await Promise.resolve();
    expect(JSON.parse(cloud.inbox[0]!.body)).toMatchObject({ AlarmName: 'a', NewStateValue: 'ALARM', OldStateValue: 'OK', NewStateReason: expect.stringContaining('1 out of the last 1 datapoints [7.0] was greater than the threshold (5.0)') as string });
  });

  it.each([['missing', 'INSUFFICIENT_DATA'], ['notBreaching', 'OK'], ['breaching', 'ALARM'], ['ignore', 'ALARM']])('treat missing data as %s: %s', async (TreatMissingData, expected) => {
    const stop = watchAlarms(cloud.runtime);
    await alarm({ TreatMissingData });
    await value(9);
    expect(await state()).toBe('ALARM');
    cloud.clock.advance(180_000);
    expect(await state()).toBe(expected);
    stop();
  });

  it('need as many datapoints as they are told', async () => {
    await alarm({ EvaluationPeriods: 3, DatapointsToAlarm: 2 });
    for (const [one, expected] of [[9, 'OK'], [1, 'OK'], [9, 'ALARM'], [1, 'OK']] as const) {
      await value(one);
      expect(await state()).toBe(expected);
      cloud.clock.advance(60_000);
    }
  });

  it('are watched by composite alarms, which keep them from being deleted', async () => {
    await alarm();
    await call('PutCompositeAlarm', { AlarmName: 'c', AlarmRule: `ALARM("a") AND NOT (OK(arn:aws:cloudwatch:${REGION}:${A}:alarm:a) OR FALSE)` });
    expect(await state('c')).toBe('OK');
    await value(9);
    expect(await state('c')).toBe('ALARM');
    expect(await failure(call('DeleteAlarms', { AlarmNames: ['a'] }))).toMatch(/^ValidationError: .*composite alarm c depends on it/);
    expect(await failure(call('PutCompositeAlarm', { AlarmName: 'd', AlarmRule: 'ALARM(none)' }))).toMatch(/alarms \[none\] in the alarm rule do not exist/);
    expect(await failure(call('PutCompositeAlarm', { AlarmName: 'd', AlarmRule: 'ALARM(a' }))).toMatch(/^ValidationError: Invalid AlarmRule/);
  });

  it('watch expressions', async () => {
    const metric = (name: string) => ({ Id: name, MetricStat: { Metric: { Namespace: 'N', MetricName: name }, Period: 60, Stat: 'Sum' }, ReturnData: false });
    await call('PutMetricAlarm', { AlarmName: 'a', EvaluationPeriods: 1, Threshold: 50, ComparisonOperator: 'GreaterThanThreshold', Metrics: [metric('errors'), metric('calls'), { Id: 'rate', Expression: '100 * errors / calls' }] });
    await call('PutMetricData', { Namespace: 'N', MetricData: [{ MetricName: 'calls', Value: 4 }, { MetricName: 'errors', Value: 3 }] });
    expect(await state()).toBe('ALARM');
  });
});

describe('statistics', () => {
  it.each([['SampleCount', 4], ['Sum', 16], ['Average', 4], ['Minimum', 1], ['Maximum', 9], ['p50', 3], ['p100', 9]])('%s is %d', async (Stat, expected) => {
    await call('PutMetricData', { Namespace: 'N', MetricData: [{ MetricName: 'm', Values: [1, 3, 9], Counts: [1, 2, 1] }] });
    const { MetricDataResults } = await call('GetMetricData', { StartTime: new Date(cloud.clock.now() - 60_000), EndTime: new Date(cloud.clock.now() + 60_000), MetricDataQueries: [{ Id: 'q', MetricStat: { Metric: { Namespace: 'N', MetricName: 'm' }, Period: 60, Stat } }] });
    expect(MetricDataResults[0].Values).toEqual([expected]);
  });

  it('tell dimensions apart, in whatever order they come', async () => {
    const Dimensions = [{ Name: 'a', Value: '1' }, { Name: 'b', Value: '2' }];
    await call('PutMetricData', { Namespace: 'N', MetricData: [{ MetricName: 'm', Value: 5, Dimensions }, { MetricName: 'm', Value: 7 }] });
    const { Datapoints } = await call('GetMetricStatistics', { Namespace: 'N', MetricName: 'm', Dimensions: [...Dimensions].reverse(), Period: 60, Statistics: ['Sum'], StartTime: new Date(cloud.clock.now() - 60_000), EndTime: new Date(cloud.clock.now() + 60_000) });
    expect(Datapoints).toMatchObject([{ Sum: 5 }]);
  });

  it("leave AWS's namespaces to AWS, and refuse by name what they don't have", async () => {
    expect(await failure(call('PutMetricData', { Namespace: 'AWS/Lambda', MetricData: [{ MetricName: 'm', Value: 1 }] }))).toBe('InvalidParameterValue: The value AWS/ for parameter Namespace is invalid.');
    expect(await failure(alarm({ Statistic: undefined, ExtendedStatistic: 'tm90' }))).toMatch(/^NotImplemented: .*tm90/);
  });
});

describe('metric math', () => {
  const series: Record<string, ReadonlyMap<number, number>> = { a: new Map([[0, 1], [60_000, 4]]), b: new Map([[0, 2], [60_000, 0]]), gap: new Map([[0, 1], [120_000, 3]]) };
  const run = (text: string): number[] => [...evaluateExpression(parseExpression(text), { period: 60, metrics: ['a', 'b'], resolve: (name) => series[name]! }).values()];
  it.each<[string, number[]]>([
    ['a + b * 2', [5, 4]],
    ['(a + b) / 2', [1.5, 2]],
    ['a / b', [0.5]],
    ['-a', [-1, -4]],
    ['SUM([a, b])', [3, 4]],
    ['MAX(METRICS())', [2, 4]],
    ['IF(a > 2, 100, b)', [2, 100]],
    ['IF(a > 2 && b == 0, 1, 0)', [0, 1]],
    ['FILL(gap, 0)', [1, 0, 3]],
    ['FILL(gap, REPEAT)', [1, 1, 3]],
    ['FILL(gap, LINEAR)', [1, 2, 3]],
    ['RATE(a)', [0.05]],
    ['a * SUM(a)', [5, 20]],
  ])('%s', (text, expected) => expect(run(text)).toEqual(expected));
  it.each([['a +', 'Syntax error'], ['NOPE(a)', "Unsupported function 'NOPE'"], ['SEARCH("x", "Sum", 60)', 'SEARCH']])('%s is refused', (text, reason) => expect(() => parseExpression(text)).toThrow(reason));
});
