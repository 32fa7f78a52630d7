import { parseArn } from '../../kernel/arn.js';
import type { AuthorizationRule, RequestContext, Service } from '../../kernel/service.js';
import type * as Events from '../../models/types/events.js';
import { createEventBus, deleteEventBus, describeEventBus, listEventBuses, policyOf, putPermission, removePermission, updateEventBus } from './buses.js';
import { resumeDeliveries } from './deliver.js';
import { acceptEvent, forwardEvent, putEvents, resumePublishing } from './publish.js';
import { deleteRule, describeRule, disableRule, enableRule, listRuleNamesByTarget, listRules, listTargetsByRule, putRule, putTargets, removeTargets, taggedRule, testEventPattern } from './rules.js';
import { resumeSchedules } from './schedule.js';
import { busArn, buses, busOf, findBus, parseBus, ruleArn, rules } from './store.js';

const onRule = (member: 'Name' | 'Rule'): AuthorizationRule => ({
  resource: (input: { Name?: string; Rule?: string; EventBusName?: string }, context: RequestContext) => {
    const bus = parseBus(input.EventBusName, context);
    return ruleArn({ account: bus.account, region: bus.region, bus: bus.name, name: input[member] ?? '*' });
  },
});
const onBus = (member: 'Name' | 'EventBusName'): AuthorizationRule => ({
  resource: (input: { Name?: string; EventBusName?: string }, context: RequestContext) => busArn(parseBus(input[member], context)),
});
const onTagged: AuthorizationRule = { resource: '{ResourceARN}' };

/** Amazon EventBridge: buses, rules by pattern and schedule, targets. */
export const events: Service = {
  name: 'events',
  operations: {
    PutRule: putRule,
    DescribeRule: describeRule,
    ListRules: listRules,
    DeleteRule: deleteRule,
    EnableRule: enableRule,
    DisableRule: disableRule,
    PutTargets: putTargets,
    RemoveTargets: removeTargets,
    ListTargetsByRule: listTargetsByRule,
    ListRuleNamesByTarget: listRuleNamesByTarget,
    TestEventPattern: testEventPattern,
    PutEvents: putEvents,
    CreateEventBus: createEventBus,
    UpdateEventBus: updateEventBus,
    DeleteEventBus: deleteEventBus,
    DescribeEventBus: describeEventBus,
    ListEventBuses: listEventBuses,
    PutPermission: putPermission,
    RemovePermission: removePermission,
    TagResource: (input: Events.TagResourceRequest, context: RequestContext) => changeTags(input.ResourceARN, context, (tags) => ({ ...tags, ...Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key, Value])) })),
    UntagResource: (input: Events.UntagResourceRequest, context: RequestContext) => changeTags(input.ResourceARN, context, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !input.TagKeys.includes(key)))),
    ListTagsForResource: (input: Events.ListTagsForResourceRequest, context: RequestContext) => ({ Tags: Object.entries(tagsOf(input.ResourceARN, context) ?? {}).map(([Key, Value]) => ({ Key, Value })) }),
  },
  internal: { ForwardEvent: forwardEvent, AcceptEvent: acceptEvent },
  authorization: {
    PutRule: onRule('Name'),
    DescribeRule: onRule('Name'),
    ListRules: {},
    DeleteRule: onRule('Name'),
    EnableRule: onRule('Name'),
    DisableRule: onRule('Name'),
    PutTargets: onRule('Rule'),
    RemoveTargets: onRule('Rule'),
    ListTargetsByRule: onRule('Rule'),
    ListRuleNamesByTarget: {},
    TestEventPattern: {},
    // Services publish into the account they act for without anybody's leave.
    PutEvents: {
      when: (_, { principal }) => principal.kind !== 'service',
      resource: (input: Events.PutEventsRequest, context: RequestContext) => [...new Set((input.Entries ?? []).map(({ EventBusName }) => busArn(parseBus(EventBusName, context))))],
      context: (input: Events.PutEventsRequest) => ({ 'events:source': input.Entries?.[0]?.Source, 'events:detail-type': input.Entries?.[0]?.DetailType }),
    },
    ForwardEvent: { action: 'events:PutEvents', when: ({ EventBusName }: { EventBusName: string }, { principal }) => principal.kind !== 'service' || principal.account !== parseArn(EventBusName)?.account, resource: '{EventBusName}' },
    // From a service, about the account's own things.
    AcceptEvent: 'none',
    CreateEventBus: onBus('Name'),
    UpdateEventBus: onBus('Name'),
    DeleteEventBus: onBus('Name'),
    DescribeEventBus: onBus('Name'),
    ListEventBuses: {},
    PutPermission: onBus('EventBusName'),
    RemovePermission: onBus('EventBusName'),
    TagResource: onTagged,
    UntagResource: onTagged,
    ListTagsForResource: onTagged,
  },
  resourcePolicy(arn, context) {
    if (!arn.includes(':event-bus/')) return undefined;
    const bus = findBus(parseBus(arn, context), context);
    const document = bus && policyOf(bus);
    return document === undefined ? undefined : { document, kind: 'resource' };
  },
  resourceTags: (arn, context) => (/^arn:aws:events:[a-z0-9-]+:\d{12}:(rule|event-bus)\//.test(arn) ? tagsIfThere(arn, context) : undefined),
  start(runtime) {
    resumeDeliveries(runtime);
    resumePublishing(runtime);
    resumeSchedules(runtime);
  },
};

function tagsOf(arn: string, context: RequestContext): Readonly<Record<string, string>> | undefined {
  return arn.includes(':event-bus/') ? busOf(arn, context).record.tags : taggedRule(arn, context).tags;
}

function tagsIfThere(arn: string, context: RequestContext): Readonly<Record<string, string>> | undefined {
  if (arn.includes(':event-bus/')) return findBus(parseBus(arn, context), context)?.tags;
  const parts = parseArn(arn)!;
  const path = parts.resource.slice('rule/'.length);
  const slash = path.lastIndexOf('/');
  return rules(context.state, parts.account, parts.region).get(slash < 0 ? 'default' : path.slice(0, slash), path.slice(slash + 1))?.tags;
}

function changeTags(arn: string, context: RequestContext, change: (tags: Readonly<Record<string, string>>) => Record<string, string>): Record<string, never> {
  if (arn.includes(':event-bus/')) {
    const { bus, record } = busOf(arn, context);
    buses(context.state, bus.account, bus.region).put(bus.name, { ...record, tags: change(record.tags) });
  } else {
    const rule = taggedRule(arn, context);
    rules(context.state, rule.account, rule.region).put([rule.bus, rule.name], { ...rule, tags: change(rule.tags) });
  }
  return {};
}
