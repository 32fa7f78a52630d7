import type { RequestContext } from '../../kernel/service.js';
import type * as Logs from '../../models/types/logs.js';
import { compilePattern } from './filter.js';
import { groupArn, metricFilters, type LogGroup } from './store.js';

/** Turns new events into metrics where a metric filter wants them (user guide, "Creating metrics from log events using filters"). */
export function recordMetrics(group: LogGroup, taken: readonly Logs.InputLogEvent[], context: RequestContext): void {
  for (const filter of metricFilters(context.state, group.account, group.region).list(group.name)) {
    const { matches, extract } = compilePattern(filter.filterPattern ?? '');
    for (const transformation of filter.metricTransformations ?? []) {
      const wanted = [transformation.metricValue, ...Object.values(transformation.dimensions ?? {})].filter((name) => name.startsWith('$'));
      const matched = taken.filter(({ message }) => matches(message)).map(({ timestamp, message }) => ({ timestamp, fields: extract(message, wanted) }));
      const MetricData = matched.flatMap((event) => datum(transformation, event));
      if (MetricData.length === 0) continue;
      const client = context.asService({ service: 'logs.amazonaws.com', sourceArn: groupArn(group), sourceAccount: group.account });
      void client
        .call('cloudwatch', 'RecordMetrics', { Namespace: transformation.metricNamespace, MetricData })
        .catch((error: unknown) => context.runtime.log(`logs: ${filter.filterName} of ${group.name} made no metric: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
}

interface Matched {
  readonly timestamp: number;
  readonly fields: Readonly<Record<string, string>>;
}

function datum(transformation: Logs.MetricTransformation, { timestamp, fields }: Matched): object[] {
  const text = transformation.metricValue.startsWith('$') ? fields[transformation.metricValue] : transformation.metricValue;
  const Value = Number(text);
  // An event without the number, or without a dimension, makes no datapoint.
  if (text === undefined || text === '' || Number.isNaN(Value)) return [];
  const dimensions = Object.entries(transformation.dimensions ?? {}).map(([Name, field]) => ({ Name, Value: fields[field] }));
  if (dimensions.some(({ Value: value }) => value === undefined)) return [];
  return [{ MetricName: transformation.metricName, Timestamp: new Date(timestamp), Value, Unit: transformation.unit ?? 'None', ...(dimensions.length > 0 ? { Dimensions: dimensions } : {}) }];
}
