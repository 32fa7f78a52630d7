import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cw from '../../models/types/cloudwatch.js';
import { alarmOf, dashboardArn, dashboards, page, saveAlarm, unsupported, type Dashboard } from './store.js';

export function putDashboard(input: Cw.PutDashboardInput, context: RequestContext): Cw.PutDashboardOutput {
  if (!/^[\w-]{1,255}$/.test(input.DashboardName)) throw wrong(`The value ${input.DashboardName} for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).`);
  if (!isObject(input.DashboardBody)) throw wrong('The field DashboardBody must be a valid JSON object');
  const before = dashboards(context.state, context.account).get(input.DashboardName);
  const tags = before?.tags ?? Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  dashboards(context.state, context.account).put(input.DashboardName, { name: input.DashboardName, body: input.DashboardBody, modified: context.now(), tags });
  return { DashboardValidationMessages: [] };
}

function isObject(text: string): boolean {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function wrong(message: string): AwsError {
  return new AwsError('InvalidParameterInput', message, { status: 400 });
}

function dashboardOf(name: string, context: RequestContext): Dashboard {
  const found = dashboards(context.state, context.account).get(name);
  if (!found) throw new AwsError('ResourceNotFound', `Dashboard ${name} does not exist`, { status: 404 });
  return found;
}

export function getDashboard(input: Cw.GetDashboardInput, context: RequestContext): Cw.GetDashboardOutput {
  const { name, body } = dashboardOf(input.DashboardName, context);
  return { DashboardName: name, DashboardBody: body, DashboardArn: dashboardArn(context.account, name) };
}

export function listDashboards(input: Cw.ListDashboardsInput, context: RequestContext): Cw.ListDashboardsOutput {
  const all = dashboards(context.state, context.account).list().filter(({ name }) => name.startsWith(input.DashboardNamePrefix ?? ''));
  const { items, ...rest } = page(all, 1000, input.NextToken);
  return { DashboardEntries: items.map(({ name, body, modified }) => ({ DashboardName: name, DashboardArn: dashboardArn(context.account, name), LastModified: modified, Size: Buffer.byteLength(body) })), ...rest };
}

/** All or none (API reference, DeleteDashboards). */
export function deleteDashboards(input: Cw.DeleteDashboardsInput, context: RequestContext): Cw.DeleteDashboardsOutput {
  for (const name of input.DashboardNames) dashboardOf(name, context);
  for (const name of input.DashboardNames) dashboards(context.state, context.account).delete(name);
  return {};
}

export function tagResource(input: Cw.TagResourceInput, context: RequestContext): Record<string, never> {
  changeTags(input.ResourceARN, (before) => ({ ...before, ...Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key, Value])) }), context);
  return {};
}

export function untagResource(input: Cw.UntagResourceInput, context: RequestContext): Record<string, never> {
  changeTags(input.ResourceARN, (before) => Object.fromEntries(Object.entries(before).filter(([key]) => !input.TagKeys.includes(key))), context);
  return {};
}

export function listTagsForResource(input: Cw.ListTagsForResourceInput, context: RequestContext): Cw.ListTagsForResourceOutput {
  const tags = tagsOf(input.ResourceARN, context);
  return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}

function parse(arn: string): { alarm: string } | { dashboard: string } {
  const [, alarm] = /^arn:aws:cloudwatch:[^:]*:\d{12}:alarm:(.+)$/.exec(arn) ?? [];
  const [, dashboard] = /^arn:aws:cloudwatch::\d{12}:dashboard\/(.+)$/.exec(arn) ?? [];
  if (alarm !== undefined) return { alarm };
  if (dashboard === undefined) throw unsupported(`tags of ${arn}`);
  return { dashboard };
}

function tagsOf(arn: string, context: RequestContext): Readonly<Record<string, string>> {
  const named = parse(arn);
  return 'alarm' in named ? alarmOf(named.alarm, context).tags : dashboardOf(named.dashboard, context).tags;
}

function changeTags(arn: string, change: (before: Readonly<Record<string, string>>) => Record<string, string>, context: RequestContext): void {
  const named = parse(arn);
  if ('alarm' in named) {
    const alarm = alarmOf(named.alarm, context);
    saveAlarm(context.state, { ...alarm, tags: change(alarm.tags) });
  } else {
    const dashboard = dashboardOf(named.dashboard, context);
    dashboards(context.state, context.account).put(dashboard.name, { ...dashboard, tags: change(dashboard.tags) });
  }
}
