import type { RequestContext } from '../../kernel/service.js';
import type * as Cw from '../../models/types/cloudwatch.js';
import type { Key, State } from '../../state/state.js';
import { metricArrived } from './evaluation.js';
import { dimensionKey, invalidValue, metrics, page, samples, unsupported, type Sample } from './store.js';
import { evaluateExpression, parseExpression, type Series } from './math.js';
import { statistic, statisticProblem } from './statistics.js';

const DAY = 86_400_000;

export function putMetricData(input: Cw.PutMetricDataInput, context: RequestContext): void {
  if (input.Namespace.startsWith('AWS/')) throw invalidValue('The value AWS/ for parameter Namespace is invalid.');
  recordMetrics(input, context);
}

/** What services record of themselves, too: the namespace may be AWS's. */
export function recordMetrics(input: Cw.PutMetricDataInput, context: RequestContext): void {
  const data = [...(input.MetricData ?? []), ...(input.EntityMetricData ?? []).flatMap(({ MetricData = [] }) => MetricData)];
  const now = context.now();
  const taken = data.map((datum, i) => ({ datum, sample: sampleOf(datum, i + 1), at: timeOf(datum, i + 1, now) }));
  const { state } = context;
  state.transaction(() => {
    for (const { datum, sample, at } of taken) {
      const key = [input.Namespace, datum.MetricName, dimensionKey(datum.Dimensions)];
      metrics(state, context).put(key, { namespace: input.Namespace, name: datum.MetricName, dimensions: datum.Dimensions ?? [], seen: now });
      samples(state, context).put([...key, at, nextNumber(state)], sample);
    }
  });
  for (const name of new Set(taken.map(({ datum }) => datum.MetricName))) metricArrived(input.Namespace, name, context);
}

const numbers = new WeakMap<State, number>();

/** Tells samples of one millisecond apart, across restarts too. */
function nextNumber(state: State): number {
  const next = Math.max(Date.now(), (numbers.get(state) ?? 0) + 1);
  numbers.set(state, next);
  return next;
}

function sampleOf(datum: Cw.MetricDatum, number: number): Sample {
  const member = `MetricData.member.${number}`;
  const unit = datum.Unit ?? 'None';
  if ((datum.Dimensions ?? []).length > 30) throw invalidValue(`The collection ${member}.Dimensions must not have a size greater than 30.`);
  if (datum.StatisticValues) {
    const { SampleCount: count, Sum: sum, Minimum: min, Maximum: max } = datum.StatisticValues;
    if (datum.Value !== undefined || datum.Values) throw invalidValue(`The parameters ${member}.Value and ${member}.StatisticValues are mutually exclusive and you have specified both.`);
    return { count, sum, min, max, unit };
  }
  const values = datum.Values ?? (datum.Value === undefined ? undefined : [datum.Value]);
  if (!values || values.length === 0) throw invalidValue(`At least one of the parameters must be specified: ${member}.Value, ${member}.Values, ${member}.StatisticValues`);
  if (datum.Counts && datum.Counts.length !== values.length) throw invalidValue(`The parameters ${member}.Values and ${member}.Counts must be of the same size.`);
  if (values.some((value) => !Number.isFinite(value))) throw invalidValue(`The value for parameter ${member}.Value is invalid.`);
  const counted = values.map((value, i): [number, number] => [value, datum.Counts?.[i] ?? 1]);
  return {
    count: counted.reduce((sum, [, count]) => sum + count, 0), sum: counted.reduce((sum, [value, count]) => sum + value * count, 0), min: Math.min(...values), max: Math.max(...values), values: counted, unit,
  };
}

function timeOf({ Timestamp }: Cw.MetricDatum, number: number, now: Date): number {
  const at = Timestamp?.getTime() ?? now.getTime();
  if (at < now.getTime() - 14 * DAY || at > now.getTime() + 7_200_000) throw invalidValue(`The parameter MetricData.member.${number}.Timestamp must specify a time no more than two weeks in the past and no more than two hours in the future.`);
  return at;
}

export interface MetricName {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly Cw.Dimension[];
}

/** Values of a statistic by the start of each period that has some, ascending. `to` is exclusive. */
export function series(metric: MetricName, stat: string, period: number, from: number, to: number, context: Pick<RequestContext, 'state' | 'account' | 'region'>, unit?: string): Series {
  const found = new Map<number, number>();
  for (const [start, list] of periods(metric, period, from, to, context, unit)) found.set(start, statistic(list, stat));
  return found;
}

function periods(metric: MetricName, period: number, from: number, to: number, context: Pick<RequestContext, 'state' | 'account' | 'region'>, unit: string | undefined): Map<number, Sample[]> {
  const key = [metric.Namespace ?? '', metric.MetricName ?? '', dimensionKey(metric.Dimensions)];
  const found = new Map<number, Sample[]>();
  const all = samples(context.state, context);
  let after: Key = [...key, from];
  for (;;) {
    const some = all.entries(key, { after, limit: 500 });
    for (const [place, sample] of some) {
      const at = Number(place[3]);
      if (at >= to) return found;
      if (unit !== undefined && sample.unit !== unit) continue;
      const start = Math.floor(at / (period * 1000)) * period * 1000;
      found.set(start, [...(found.get(start) ?? []), sample]);
    }
    if (some.length < 500) return found;
    after = some.at(-1)![0];
  }
}

export function getMetricStatistics(input: Cw.GetMetricStatisticsInput, context: RequestContext): Cw.GetMetricStatisticsOutput {
  if (!input.Statistics?.length && !input.ExtendedStatistics?.length) throw invalidValue('Must specify either Statistics or ExtendedStatistics');
  if (input.StartTime >= input.EndTime) throw invalidValue('The parameter StartTime must be less than the parameter EndTime.');
  checkPeriod(input.Period);
  for (const stat of input.ExtendedStatistics ?? []) checkStatistic(stat);
  const found = periods(input, input.Period, align(input.StartTime, input.Period), input.EndTime.getTime(), context, input.Unit);
  if (found.size > 1440) throw invalidValue('You have requested up to ' + found.size + ' datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.');
  const Datapoints = [...found].map(([start, list]): Cw.Datapoint => ({
    Timestamp: new Date(start),
    ...Object.fromEntries((input.Statistics ?? []).map((stat) => [stat, statistic(list, stat)])),
    ...(input.ExtendedStatistics ? { ExtendedStatistics: Object.fromEntries(input.ExtendedStatistics.map((stat) => [stat, statistic(list, stat)])) } : {}),
    Unit: list[0]!.unit as Cw.StandardUnit,
  }));
  return { Label: input.MetricName, Datapoints };
}

const align = (time: Date, period: number): number => Math.floor(time.getTime() / (period * 1000)) * period * 1000;

export function checkPeriod(period: number | undefined): void {
  if (period === undefined || !([1, 5, 10, 20, 30].includes(period) || (period >= 60 && period % 60 === 0))) throw invalidValue(`The value ${period} for parameter Period is invalid: it must be 1, 5, 10, 20, 30 or a multiple of 60.`);
}

export function checkStatistic(stat: string): void {
  const problem = statisticProblem(stat);
  if (problem === 'unsupported') throw unsupported(`the statistic ${stat}`);
  if (problem) throw invalidValue(`The value ${stat} for parameter ExtendedStatistic is not supported.`);
}

export function getMetricData(input: Cw.GetMetricDataInput, context: RequestContext): Cw.GetMetricDataOutput {
  if (input.StartTime >= input.EndTime) throw invalidValue('The parameter StartTime must be less than the parameter EndTime.');
  const answers = evaluateQueries(input.MetricDataQueries, input.StartTime.getTime(), input.EndTime.getTime(), context);
  const descending = (input.ScanBy ?? 'TimestampDescending') === 'TimestampDescending';
  const MetricDataResults = input.MetricDataQueries.filter(({ ReturnData }) => ReturnData !== false).map(({ Id, Label, MetricStat }): Cw.MetricDataResult => {
    const points = [...answers.get(Id)!].sort(([a], [b]) => (descending ? b - a : a - b));
    return { Id, Label: Label ?? MetricStat?.Metric.MetricName ?? Id, Timestamps: points.map(([at]) => new Date(at)), Values: points.map(([, value]) => value), StatusCode: 'Complete' };
  });
  return { MetricDataResults, Messages: [] };
}

/** The series of each query, expressions after what they name. */
export function evaluateQueries(queries: readonly Cw.MetricDataQuery[], from: number, to: number, context: Pick<RequestContext, 'state' | 'account' | 'region'>): Map<string, Series> {
  checkQueries(queries);
  const period = Math.max(...queries.map(({ MetricStat, Period }) => MetricStat?.Period ?? Period ?? 1));
  const found = new Map<string, Series>();
  const place = (query: Cw.MetricDataQuery): typeof context => ({ state: context.state, account: query.AccountId ?? context.account, region: context.region });
  for (const query of queries) if (query.MetricStat) found.set(query.Id, series(query.MetricStat.Metric, query.MetricStat.Stat, query.MetricStat.Period, align(new Date(from), query.MetricStat.Period), to, place(query), query.MetricStat.Unit));
  const resolve = (id: string, within: readonly string[]): Series => {
    const known = found.get(id);
    if (known) return known;
    const query = queries.find((one) => one.Id === id);
    if (!query?.Expression || within.includes(id)) throw invalidValue(`Error in expression '${within.at(-1) ?? id}': Undefined variable '${id}'`);
    const answer = evaluateExpression(parseExpression(query.Expression), { period, range: { from, to }, metrics: queries.filter(({ MetricStat }) => MetricStat).map(({ Id }) => Id), resolve: (name) => resolve(name, [...within, id]) });
    found.set(id, answer);
    return answer;
  };
  for (const { Id } of queries) resolve(Id, []);
  return found;
}

export function checkQueries(queries: readonly Cw.MetricDataQuery[]): void {
  const ids = queries.map(({ Id }) => Id);
  if (new Set(ids).size < ids.length) throw invalidValue('The values for parameter id in MetricDataQueries are not unique.');
  for (const { Id, MetricStat, Expression } of queries) {
    if (!/^[a-z]\w*$/.test(Id)) throw invalidValue(`The value ${Id} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.`);
    if ((MetricStat === undefined) === (Expression === undefined)) throw invalidValue('Exactly one of MetricStat and Expression must be specified.');
    if (MetricStat) {
      checkPeriod(MetricStat.Period);
      checkStatistic(MetricStat.Stat);
    }
    if (Expression !== undefined) parseExpression(Expression);
  }
}

export function listMetrics(input: Cw.ListMetricsInput, context: RequestContext): Cw.ListMetricsOutput {
  const recent = input.RecentlyActive === 'PT3H' ? context.now().getTime() - 3 * 3_600_000 : 0;
  const found = metrics(context.state, context)
    .list(...(input.Namespace === undefined ? [] : [input.Namespace]))
    .filter((metric) => (input.MetricName === undefined || metric.name === input.MetricName) && metric.seen.getTime() >= recent)
    .filter((metric) => (input.Dimensions ?? []).every(({ Name, Value }) => metric.dimensions.some((dimension) => dimension.Name === Name && (Value === undefined || dimension.Value === Value))));
  const { items, ...rest } = page(found, 500, input.NextToken);
  return { Metrics: items.map(({ namespace, name, dimensions }) => ({ Namespace: namespace, MetricName: name, Dimensions: [...dimensions] })), ...rest };
}
