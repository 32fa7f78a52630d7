import type { RequestContext } from '../../kernel/service.js';
import type * as Logs from '../../models/types/logs.js';
import { compilePattern } from './filter.js';
import { groupOf, metricFilters, notFound, page } from './store.js';

export function putMetricFilter(input: Logs.PutMetricFilterRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  compilePattern(input.filterPattern);
  metricFilters(context.state, group.account, group.region).put([group.name, input.filterName], { ...input, creationTime: context.now().getTime() });
}

export function deleteMetricFilter(input: Logs.DeleteMetricFilterRequest, context: RequestContext): void {
  const group = groupOf(input, context);
  const all = metricFilters(context.state, group.account, group.region);
  if (!all.get(group.name, input.filterName)) throw notFound('The specified metric filter does not exist.');
  all.delete(group.name, input.filterName);
}

export function describeMetricFilters(input: Logs.DescribeMetricFiltersRequest, context: RequestContext): Logs.DescribeMetricFiltersResponse {
  const all = metricFilters(context.state, context.account, context.region);
  const found = (input.logGroupName === undefined ? all.list() : all.list(groupOf({ logGroupName: input.logGroupName }, context).name))
    .filter((filter) => filter.filterName!.startsWith(input.filterNamePrefix ?? ''))
    .filter((filter) => filter.metricTransformations!.some(({ metricName, metricNamespace }) => (input.metricName ?? metricName) === metricName && (input.metricNamespace ?? metricNamespace) === metricNamespace));
  const { items, ...rest } = page(found, (filter) => `${filter.logGroupName}/${filter.filterName}`, input.limit ?? 50, input.nextToken);
  return { metricFilters: items, ...rest };
}

export function testMetricFilter(input: Logs.TestMetricFilterRequest): Logs.TestMetricFilterResponse {
  const { matches, extract } = compilePattern(input.filterPattern);
  const records = input.logEventMessages.map((eventMessage, i) => ({ eventNumber: i + 1, eventMessage, extractedValues: extract(eventMessage) }));
  return { matches: records.filter(({ eventMessage }) => matches(eventMessage)) };
}
