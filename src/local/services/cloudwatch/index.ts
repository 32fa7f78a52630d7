import type { AuthorizationRule, RequestContext, Service } from '../../kernel/service.js';
import * as alarm from './alarms.js';
import * as dashboard from './dashboards.js';
import * as data from './data.js';
import { watchAlarms } from './evaluation.js';
import { alarmArn, alarms, dashboardArn, dashboards } from './store.js';

let stopWatching: (() => void) | undefined;

/** Amazon CloudWatch: metrics, alarms, dashboards. */
export const cloudwatch: Service = {
  name: 'cloudwatch',
  operations: {
    PutMetricData: data.putMetricData,
    GetMetricData: data.getMetricData,
    GetMetricStatistics: data.getMetricStatistics,
    ListMetrics: data.listMetrics,
    PutMetricAlarm: alarm.putMetricAlarm,
    PutCompositeAlarm: alarm.putCompositeAlarm,
    DeleteAlarms: alarm.deleteAlarms,
    DescribeAlarms: alarm.describeAlarms,
    DescribeAlarmsForMetric: alarm.describeAlarmsForMetric,
    DescribeAlarmHistory: alarm.describeAlarmHistory,
    SetAlarmState: alarm.setAlarmState,
    EnableAlarmActions: alarm.enableActions(true),
    DisableAlarmActions: alarm.enableActions(false),
    PutDashboard: dashboard.putDashboard,
    GetDashboard: dashboard.getDashboard,
    ListDashboards: dashboard.listDashboards,
    DeleteDashboards: dashboard.deleteDashboards,
    TagResource: dashboard.tagResource,
    UntagResource: dashboard.untagResource,
    ListTagsForResource: dashboard.listTagsForResource,
  },
  internal: { RecordMetrics: data.recordMetrics },
  authorization: {
    PutMetricData: { context: (input: { Namespace: string }) => ({ 'cloudwatch:namespace': input.Namespace }) },
    GetMetricData: {},
    GetMetricStatistics: {},
    ListMetrics: {},
    DescribeAlarmsForMetric: {},
    ListDashboards: {},
    PutMetricAlarm: [onAlarm(), { ...onAlarm(), action: 'cloudwatch:TagResource', when: (input: { Tags?: unknown[] }) => (input.Tags ?? []).length > 0 }],
    PutCompositeAlarm: [onAlarm(), { ...onAlarm(), action: 'cloudwatch:TagResource', when: (input: { Tags?: unknown[] }) => (input.Tags ?? []).length > 0 }],
    SetAlarmState: onAlarm(),
    DescribeAlarmHistory: onAlarm(),
    ...Object.fromEntries(['DeleteAlarms', 'DescribeAlarms', 'EnableAlarmActions', 'DisableAlarmActions'].map((operation) => [operation, onAlarms()])),
    PutDashboard: onDashboard(),
    GetDashboard: onDashboard(),
    DeleteDashboards: { resource: (input: { DashboardNames: string[] }, context) => input.DashboardNames.map((name) => dashboardArn(context.account, name)) },
    ...Object.fromEntries(['TagResource', 'UntagResource', 'ListTagsForResource'].map((operation) => [operation, { resource: (input: { ResourceARN: string }) => input.ResourceARN }])),
    // Services record what they did of their own accord.
    RecordMetrics: 'none',
  },
  resourceTags: (arn, context) => {
    const [, , , region = '', account = '', kind = '', ...name] = arn.split(':');
    if (kind === 'alarm') return alarms(context.state, { account, region }).get(name.join(':'))?.tags;
    return kind.startsWith('dashboard/') ? dashboards(context.state, account).get(kind.slice('dashboard/'.length))?.tags : undefined;
  },
  start: (runtime) => {
    stopWatching = watchAlarms(runtime);
  },
  stop: () => stopWatching?.(),
};

function onAlarm(): AuthorizationRule<{ AlarmName?: string }> {
  return { resource: (input, context) => arnOf(input.AlarmName ?? '*', context) };
}

function onAlarms(): AuthorizationRule<{ AlarmNames?: string[] }> {
  return { resource: (input, context) => (input.AlarmNames ?? ['*']).map((name) => arnOf(name, context)) };
}

function onDashboard(): AuthorizationRule<{ DashboardName: string }> {
  return { resource: (input, context) => dashboardArn(context.account, input.DashboardName) };
}

function arnOf(name: string, { account, region }: RequestContext): string {
  return alarmArn({ account, region, name });
}
