import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { alreadyExists, ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface AlarmProperties {
  readonly AlarmName?: string;
  readonly Tags?: readonly Tag[];
  readonly [setting: string]: unknown;
}

const GONE = ['ResourceNotFound', 'ResourceNotFoundException'];

const nameOf = (properties: AlarmProperties, context: ProviderContext): string => properties.AlarmName ?? context.name({ limit: 255 });
const arnOf = (name: string, context: ProviderContext): string => `arn:aws:cloudwatch:${context.region}:${context.account}:alarm:${name}`;

/** Both kinds are put whole: what an update leaves out is out. */
const alarm = (type: string, operation: string, kind: 'MetricAlarms' | 'CompositeAlarms'): ResourceProvider<AlarmProperties> => {
  const put = (name: string, { Tags: _, ...properties }: AlarmProperties, tags: readonly Tag[] | undefined, context: ProviderContext): Promise<unknown> =>
    context.client.call('cloudwatch', operation, { ...properties, AlarmName: name, ...(tags && tags.length > 0 ? { Tags: tags } : {}) });
  const provider: ResourceProvider<AlarmProperties> = {
    type,
    identify: nameOf,
    async create(properties, context) {
      const name = nameOf(properties, context);
      // Putting changes an alarm that stands; a stack must not take it over.
      if (properties.AlarmName !== undefined && (await provider.read!(name, context))) throw alreadyExists(type, name);
      await put(name, properties, context.tags(properties.Tags), context);
      return { physicalId: name, attributes: { Arn: arnOf(name, context) } };
    },
    async update(name, before, after, context) {
      await put(name, after, undefined, context);
      await retag(arnOf(name, context), before.Tags, after.Tags, context);
    },
    async delete(name, _, context) {
      await ignoring(GONE, context.client.call('cloudwatch', 'DeleteAlarms', { AlarmNames: [name] }));
    },
    async read(name, context) {
      const answer = await context.client.call<Record<string, Record<string, Json>[]>>('cloudwatch', 'DescribeAlarms', { AlarmNames: [name], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] });
      const found = answer[kind]?.[0];
      if (!found) return undefined;
      const hidden = /^(AlarmArn|AlarmConfigurationUpdatedTimestamp|State\w+)$/;
      return { ...Object.fromEntries(Object.entries(found).filter(([member]) => !hidden.test(member))), Arn: found['AlarmArn']! } as JsonObject;
    },
    attributes: async (name, _, context) => ({ Arn: arnOf(name, context) }),
  };
  return provider;
};

async function retag(ResourceARN: string, before: readonly Tag[] | undefined, after: readonly Tag[] | undefined, context: ProviderContext): Promise<void> {
  const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before)), withoutSystemTags(context.tags(after)));
  if (remove.length > 0) await context.client.call('cloudwatch', 'UntagResource', { ResourceARN, TagKeys: remove });
  if (add.length > 0) await context.client.call('cloudwatch', 'TagResource', { ResourceARN, Tags: add });
}

interface DashboardProperties {
  readonly DashboardName?: string;
  readonly DashboardBody: string;
  readonly Tags?: readonly Tag[];
}

const dashboardName = (properties: DashboardProperties, context: ProviderContext): string => properties.DashboardName ?? context.name({ limit: 255 });
const dashboardArn = (name: string, context: ProviderContext): string => `arn:aws:cloudwatch::${context.account}:dashboard/${name}`;

const dashboard: ResourceProvider<DashboardProperties> = {
  type: 'AWS::CloudWatch::Dashboard',
  identify: dashboardName,
  async create(properties, context) {
    const DashboardName = dashboardName(properties, context);
    if (properties.DashboardName !== undefined && (await dashboard.read!(DashboardName, context))) throw alreadyExists('AWS::CloudWatch::Dashboard', DashboardName);
    await context.client.call('cloudwatch', 'PutDashboard', { DashboardName, DashboardBody: properties.DashboardBody, Tags: context.tags(properties.Tags) });
    return { physicalId: DashboardName };
  },
  async update(DashboardName, before, after, context) {
    await context.client.call('cloudwatch', 'PutDashboard', { DashboardName, DashboardBody: after.DashboardBody });
    await retag(dashboardArn(DashboardName, context), before.Tags, after.Tags, context);
  },
  async delete(name, _, context) {
    await ignoring(GONE, context.client.call('cloudwatch', 'DeleteDashboards', { DashboardNames: [name] }));
  },
  async read(name, context) {
    const found = await ignoring(GONE, context.client.call<{ DashboardBody: string }>('cloudwatch', 'GetDashboard', { DashboardName: name }));
    return found && { DashboardName: name, DashboardBody: found.DashboardBody };
  },
};

export const cloudwatch: readonly ResourceProvider[] = [alarm('AWS::CloudWatch::Alarm', 'PutMetricAlarm', 'MetricAlarms'), alarm('AWS::CloudWatch::CompositeAlarm', 'PutCompositeAlarm', 'CompositeAlarms'), dashboard];
