import { createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { Authorization, RequestContext, Service } from '../../kernel/service.js';
import type * as Notifications from '../../models/types/codestar-notifications.js';
import { table, type Table } from '../../state/state.js';
import { EVENT_TYPES, isEventType, typesOf } from './event-types.js';

interface RuleRecord {
  readonly id: string;
  readonly name: string;
  readonly resource: string;
  readonly eventTypes: readonly string[];
  readonly targets: readonly { readonly type: string; readonly address: string }[];
  readonly detail: string;
  readonly status: string;
  readonly createdBy: string;
  readonly created: Date;
  readonly modified: Date;
  readonly tags: Readonly<Record<string, string>>;
  readonly token?: string;
}

const ruleTable = table<RuleRecord>('codestar-notifications', 'rules');
const rules = ({ state, account, region }: RequestContext): Table<RuleRecord> => ruleTable(state, account, region);
const arnOf = ({ id }: { id: string }, { region, account }: RequestContext): string => `arn:aws:codestar-notifications:${region}:${account}:notificationrule/${id}`;
const onRule: Authorization = { resource: '{Arn}' };
const onResource: Authorization = { context: ({ Resource }: { Resource?: string }) => ({ 'codestar-notifications:NotificationsForResource': Resource }) };

const MAX_TARGETS = 10;

/** AWS CodeStar Notifications: rules that tell topics and chat channels what happens in pipelines, builds and repositories. */
export const codestarNotifications: Service = {
  name: 'codestar-notifications',
  operations: {
    CreateNotificationRule: create,
    UpdateNotificationRule: update,
    DeleteNotificationRule: (input: Notifications.DeleteNotificationRuleRequest, context: RequestContext) => {
      rules(context).delete(idOf(input.Arn));
      return { Arn: input.Arn };
    },
    DescribeNotificationRule: describe,
    ListNotificationRules: list,
    ListEventTypes: (input: { Filters?: { Name: string; Value: string }[] }) => ({
      EventTypes: EVENT_TYPES.filter((type) => (input.Filters ?? []).every(({ Name, Value }) => (Name === 'SERVICE_NAME' ? type.ServiceName === Value : type.ResourceType === Value))),
    }),
    ListTargets: (_: unknown, context: RequestContext) => ({
      Targets: [...new Map(rules(context).list().flatMap(({ targets }) => targets).map((target) => [target.address, target])).values()].map(({ type, address }) => ({ TargetType: type, TargetAddress: address, TargetStatus: 'ACTIVE' })),
    }),
    DeleteTarget: (input: Notifications.DeleteTargetRequest, context: RequestContext) => {
      const used = rules(context).list().filter(({ targets }) => targets.some(({ address }) => address === input.TargetAddress));
      if (used.length > 0 && !input.ForceUnsubscribeAll) throw new AwsError('ValidationException', 'The target is subscribed to one or more notification rules', { status: 400 });
      for (const rule of used) save({ ...rule, targets: rule.targets.filter(({ address }) => address !== input.TargetAddress) }, context);
      return {};
    },
    Subscribe: (input: Notifications.SubscribeRequest, context: RequestContext) => {
      const rule = find(input.Arn, context);
      save({ ...rule, targets: checked([...rule.targets.filter(({ address }) => address !== input.Target.TargetAddress).map(({ type, address }) => ({ TargetType: type, TargetAddress: address })), input.Target]) }, context);
      return { Arn: input.Arn };
    },
    Unsubscribe: (input: Notifications.UnsubscribeRequest, context: RequestContext) => {
      const rule = find(input.Arn, context);
      save({ ...rule, targets: rule.targets.filter(({ address }) => address !== input.TargetAddress) }, context);
      return { Arn: input.Arn };
    },
    TagResource: (input: Notifications.TagResourceRequest, context: RequestContext) => {
      const rule = find(input.Arn, context);
      save({ ...rule, tags: { ...rule.tags, ...input.Tags } }, context);
      return { Tags: { ...rule.tags, ...input.Tags } };
    },
    UntagResource: (input: Notifications.UntagResourceRequest, context: RequestContext) => {
      const rule = find(input.Arn, context);
      save({ ...rule, tags: Object.fromEntries(Object.entries(rule.tags).filter(([key]) => !input.TagKeys.includes(key))) }, context);
      return {};
    },
    ListTagsForResource: (input: Notifications.ListTagsForResourceRequest, context: RequestContext) => ({ Tags: { ...find(input.Arn, context).tags } }),
  },
  internal: { ReceiveEvent: receive },
  authorization: {
    CreateNotificationRule: onResource,
    UpdateNotificationRule: onRule,
    DeleteNotificationRule: onRule,
    DescribeNotificationRule: onRule,
    ListNotificationRules: {},
    ListEventTypes: {},
    ListTargets: {},
    DeleteTarget: {},
    Subscribe: onRule,
    Unsubscribe: onRule,
    TagResource: onRule,
    UntagResource: onRule,
    ListTagsForResource: onRule,
    // From EventBridge, about the account's own things.
    ReceiveEvent: 'none',
  },
  resourceTags: (arn, context) => (arn.includes(':notificationrule/') ? rules(context).get(idOf(arn))?.tags : undefined),
};

const idOf = (arn: string): string => arn.split('/').at(-1) ?? '';
const save = (rule: RuleRecord, context: RequestContext): void => rules(context).put(rule.id, { ...rule, modified: context.now() });

function find(arn: string, context: RequestContext): RuleRecord {
  const rule = rules(context).get(idOf(arn));
  if (!rule) throw new AwsError('ResourceNotFoundException', `Notification rule ${arn} does not exist`, { status: 404 });
  return rule;
}

function checked(targets: readonly Notifications.Target[]): RuleRecord['targets'] {
  if (targets.length > MAX_TARGETS) throw new AwsError('LimitExceededException', 'Maximum number of targets per notification rule exceeded', { status: 400 });
  return targets.map(({ TargetType = 'SNS', TargetAddress = '' }) => {
    if (!['SNS', 'AWSChatbotSlack'].includes(TargetType)) throw new AwsError('NotImplemented', `The local cloud has no behaviour for notification targets of type ${TargetType}. Nothing was changed.`, { status: 501 });
    return { type: TargetType, address: TargetAddress };
  });
}

function checkTypes(ids: readonly string[]): void {
  const unknown = ids.filter((id) => !isEventType(id));
  if (unknown.length > 0) throw new AwsError('ValidationException', `Invalid event type ids: [${unknown.join(', ')}]`, { status: 400 });
}

function create(input: Notifications.CreateNotificationRuleRequest, context: RequestContext): Notifications.CreateNotificationRuleResult {
  checkTypes(input.EventTypeIds);
  const all = rules(context).list();
  const same = input.ClientRequestToken === undefined ? undefined : all.find(({ token }) => token === input.ClientRequestToken);
  if (same) return { Arn: arnOf(same, context) };
  if (all.some(({ name, resource }) => name === input.Name && resource === input.Resource)) throw new AwsError('ResourceAlreadyExistsException', `Notification rule with name ${input.Name} already exists`, { status: 409 });
  const rule: RuleRecord = {
    id: createHash('sha1').update(randomBytes(20)).digest('hex'), name: input.Name, resource: input.Resource, eventTypes: input.EventTypeIds, targets: checked(input.Targets), detail: input.DetailType, status: input.Status ?? 'ENABLED',
    createdBy: 'arn' in context.principal ? context.principal.arn : context.principal.kind, created: context.now(), modified: context.now(), tags: { ...input.Tags }, ...(input.ClientRequestToken ? { token: input.ClientRequestToken } : {}),
  };
  save(rule, context);
  return { Arn: arnOf(rule, context) };
}

function update(input: Notifications.UpdateNotificationRuleRequest, context: RequestContext): Record<string, never> {
  const rule = find(input.Arn, context);
  checkTypes(input.EventTypeIds ?? []);
  save({ ...rule, name: input.Name ?? rule.name, status: input.Status ?? rule.status, eventTypes: input.EventTypeIds ?? rule.eventTypes, targets: input.Targets ? checked(input.Targets) : rule.targets, detail: input.DetailType ?? rule.detail }, context);
  return {};
}

function describe(input: Notifications.DescribeNotificationRuleRequest, context: RequestContext): Notifications.DescribeNotificationRuleResult {
  const rule = find(input.Arn, context);
  return {
    Arn: input.Arn, Name: rule.name, EventTypes: EVENT_TYPES.filter(({ EventTypeId }) => rule.eventTypes.includes(EventTypeId)).map((type) => ({ ...type })), Resource: rule.resource,
    Targets: rule.targets.map(({ type, address }) => ({ TargetType: type, TargetAddress: address, TargetStatus: 'ACTIVE' as never })), DetailType: rule.detail as never, CreatedBy: rule.createdBy, Status: rule.status as never,
    CreatedTimestamp: rule.created, LastModifiedTimestamp: rule.modified, Tags: { ...rule.tags },
  };
}

function list(input: Notifications.ListNotificationRulesRequest, context: RequestContext): Notifications.ListNotificationRulesResult {
  const fits = (rule: RuleRecord): boolean =>
    (input.Filters ?? []).every(({ Name, Value }) => {
      if (Name === 'RESOURCE') return rule.resource === Value;
      if (Name === 'EVENT_TYPE_ID') return rule.eventTypes.includes(Value);
      return Name === 'CREATED_BY' ? rule.createdBy === Value : rule.targets.some(({ address }) => address === Value);
    });
  return { NotificationRules: rules(context).list().filter(fits).map((rule) => ({ Id: rule.id, Arn: arnOf(rule, context) })) };
}

interface BusEvent {
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly region: string;
  readonly time: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Tells the targets of every rule that follows what happened. */
async function receive({ event }: { event: BusEvent }, context: RequestContext): Promise<Record<string, never>> {
  const types = typesOf(event);
  for (const rule of rules(context).list()) {
    if (rule.status !== 'ENABLED' || !event.resources.includes(rule.resource) || !types.some((type) => rule.eventTypes.includes(type))) continue;
    const arn = arnOf(rule, context);
    const message = JSON.stringify({
      account: event.account, detailType: event['detail-type'], region: event.region, source: event.source, time: event.time, notificationRuleArn: arn, detail: event.detail, resources: event.resources, additionalAttributes: {},
    });
    const client = context.asService({ sourceArn: arn });
    for (const { type, address } of rule.targets) {
      const sent = type === 'SNS' ? client.call('sns', 'Publish', { TopicArn: address, Message: message }) : client.call('chatbot', 'ReceiveMessage', { configurationArn: address, subject: event['detail-type'], message });
      await sent.catch((error: unknown) => context.runtime.log(`codestar-notifications: rule ${rule.name} could not tell ${address}: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
  return {};
}
