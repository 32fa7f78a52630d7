import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import { FlotillaError } from '../../../shared/errors.js';
import { matchesPattern, parsePattern } from '../../../shared/event-pattern.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Events from '../../models/types/events.js';
import { parseSchedule } from './cron.js';
import { follow } from './schedule.js';
import { busOf, invalid, notFound, page, parseBus, ruleArn, ruleOf, rules, type RuleRecord } from './store.js';

const MAX_TARGETS = 5;

export function putRule(input: Events.PutRuleRequest, context: RequestContext): Events.PutRuleResponse {
  const { bus } = busOf(input.EventBusName, context);
  if (!input.EventPattern && !input.ScheduleExpression) throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
  if (input.EventPattern) checkPattern(input.EventPattern);
  if (input.ScheduleExpression && bus.name !== 'default') throw invalid('ScheduleExpression is supported only on the default event bus.');
  if (input.ScheduleExpression && !parseSchedule(input.ScheduleExpression)) throw invalid('Parameter ScheduleExpression is not valid.');
  if (input.RoleArn) context.authorize('iam:PassRole', input.RoleArn, { 'iam:PassedToService': 'events.amazonaws.com' });
  const all = rules(context.state, bus.account, bus.region);
  const before = all.get(bus.name, input.Name);
  const rule: RuleRecord = {
    name: input.Name, bus: bus.name, account: bus.account, region: bus.region, state: input.State ?? 'ENABLED', targets: before?.targets ?? [], createdBy: before?.createdBy ?? context.account,
    tags: before?.tags ?? Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    ...(input.EventPattern ? { pattern: input.EventPattern } : {}), ...(input.ScheduleExpression ? { schedule: input.ScheduleExpression } : {}),
    ...(input.Description ? { description: input.Description } : {}), ...(input.RoleArn ? { roleArn: input.RoleArn } : {}),
  };
  all.put([bus.name, input.Name], rule);
  follow(context.runtime, rule);
  return { RuleArn: ruleArn(rule) };
}

function checkPattern(text: string): void {
  try {
    parsePattern(text);
  } catch (error) {
    if (error instanceof FlotillaError) throw new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${error.message}`, { status: 400 });
    throw error;
  }
}

export function testEventPattern(input: Events.TestEventPatternRequest): Events.TestEventPatternResponse {
  checkPattern(input.EventPattern);
  let event: unknown;
  try {
    event = JSON.parse(input.Event);
  } catch {
    throw invalid('Parameter Event is not valid.');
  }
  const missing = ['id', 'account', 'source', 'time', 'region', 'detail-type'].filter((name) => typeof event !== 'object' || event === null || !(name in event));
  if (missing.length > 0) throw invalid(`Parameter Event is not valid. Reason: missing ${missing.join(', ')}`);
  return { Result: matchesPattern(input.EventPattern, event) };
}

function shown(rule: RuleRecord): Events.Rule {
  return {
    Name: rule.name, Arn: ruleArn(rule), ...(rule.pattern ? { EventPattern: rule.pattern } : {}), State: rule.state as Events.RuleState, ...(rule.description ? { Description: rule.description } : {}),
    ...(rule.schedule ? { ScheduleExpression: rule.schedule } : {}), ...(rule.roleArn ? { RoleArn: rule.roleArn } : {}), EventBusName: rule.bus,
  };
}

export function describeRule(input: Events.DescribeRuleRequest, context: RequestContext): Events.DescribeRuleResponse {
  const rule = ruleOf(input.Name, input.EventBusName, context);
  return { ...shown(rule), CreatedBy: rule.createdBy };
}

export function listRules(input: Events.ListRulesRequest, context: RequestContext): Events.ListRulesResponse {
  const { bus } = busOf(input.EventBusName, context);
  const { items, next } = page(rules(context.state, bus.account, bus.region).list(bus.name).filter(({ name }) => name.startsWith(input.NamePrefix ?? '')), input.NextToken, input.Limit);
  return { Rules: items.map(shown), ...next };
}

export function listRuleNamesByTarget(input: Events.ListRuleNamesByTargetRequest, context: RequestContext): Events.ListRuleNamesByTargetResponse {
  const { bus } = busOf(input.EventBusName, context);
  const found = rules(context.state, bus.account, bus.region).list(bus.name).filter(({ targets }) => targets.some(({ Arn }) => Arn === input.TargetArn));
  const { items, next } = page(found.map(({ name }) => name), input.NextToken, input.Limit);
  return { RuleNames: items, ...next };
}

export function deleteRule(input: Events.DeleteRuleRequest, context: RequestContext): Record<string, never> {
  const bus = parseBus(input.EventBusName, context);
  const rule = rules(context.state, bus.account, bus.region).get(bus.name, input.Name);
  if (!rule) return {};
  if (rule.targets.length > 0) throw invalid("Rule can't be deleted since it has targets.");
  rules(context.state, bus.account, bus.region).delete(bus.name, input.Name);
  follow(context.runtime, { ...rule, state: 'DISABLED' });
  return {};
}

function setState(rule: RuleRecord, state: string, context: RequestContext): Record<string, never> {
  const changed = { ...rule, state };
  rules(context.state, rule.account, rule.region).put([rule.bus, rule.name], changed);
  follow(context.runtime, changed);
  return {};
}

export const enableRule = (input: Events.EnableRuleRequest, context: RequestContext): Record<string, never> => setState(ruleOf(input.Name, input.EventBusName, context), 'ENABLED', context);
export const disableRule = (input: Events.DisableRuleRequest, context: RequestContext): Record<string, never> => setState(ruleOf(input.Name, input.EventBusName, context), 'DISABLED', context);

export function putTargets(input: Events.PutTargetsRequest, context: RequestContext): Events.PutTargetsResponse {
  const rule = ruleOf(input.Rule, input.EventBusName, context);
  for (const target of input.Targets) checkTarget(target, context);
  const changed = new Map(rule.targets.map((target) => [target.Id, target]));
  for (const target of input.Targets) changed.set(target.Id, target);
  if (changed.size > MAX_TARGETS) throw new AwsError('LimitExceededException', "The requested resource exceeds the maximum number allowed.", { status: 400 });
  rules(context.state, rule.account, rule.region).put([rule.bus, rule.name], { ...rule, targets: [...changed.values()] });
  return { FailedEntryCount: 0, FailedEntries: [] };
}

/** Services whose targets need a role (user guide, "Event bus targets"). */
const NEED_ROLE = /^arn:aws:(codepipeline|codebuild|states|kinesis|ecs|batch|firehose|sagemaker|execute-api):/;

function checkTarget(target: Events.Target, context: RequestContext): void {
  if (!target.Arn.startsWith('arn:')) throw invalid(`Parameter ${target.Arn} is not valid. Reason: Provided Arn is not in correct format.`);
  if ([target.Input, target.InputPath, target.InputTransformer].filter((given) => given !== undefined).length > 1) throw invalid(`Only one of Input, InputPath, or InputTransformer must be provided for target ${target.Id}.`);
  if (NEED_ROLE.test(target.Arn) && !target.RoleArn) throw invalid(`RoleArn is required for target ${target.Arn}.`);
  if (target.Arn.endsWith('.fifo') && target.Arn.includes(':sqs:') && !target.SqsParameters?.MessageGroupId) throw invalid(`Parameter(s) SqsParameters must be specified for target: ${target.Id}.`);
  if (target.Input !== undefined) checkJson(target.Input, target);
  if (target.RoleArn) context.authorize('iam:PassRole', target.RoleArn, { 'iam:PassedToService': 'events.amazonaws.com' });
}

function checkJson(text: string, target: Events.Target): void {
  try {
    JSON.parse(text);
  } catch {
    throw invalid(`JSON syntax error in input for target ${target.Id}.`);
  }
}

export function removeTargets(input: Events.RemoveTargetsRequest, context: RequestContext): Events.RemoveTargetsResponse {
  const rule = ruleOf(input.Rule, input.EventBusName, context);
  rules(context.state, rule.account, rule.region).put([rule.bus, rule.name], { ...rule, targets: rule.targets.filter(({ Id }) => !input.Ids.includes(Id)) });
  return { FailedEntryCount: 0, FailedEntries: [] };
}

export function listTargetsByRule(input: Events.ListTargetsByRuleRequest, context: RequestContext): Events.ListTargetsByRuleResponse {
  const { items, next } = page(ruleOf(input.Rule, input.EventBusName, context).targets, input.NextToken, input.Limit);
  return { Targets: items, ...next };
}

/** The rule an ARN names. */
export function taggedRule(arn: string, context: RequestContext): RuleRecord {
  const parts = parseArn(arn);
  const path = (parts?.resource ?? '').replace(/^rule\//, '');
  const slash = path.lastIndexOf('/');
  const bus = slash < 0 ? 'default' : path.slice(0, slash);
  const rule = parts && rules(context.state, parts.account, parts.region).get(bus, path.slice(slash + 1));
  if (!rule) throw notFound(`Rule ${path.slice(slash + 1)} does not exist on EventBus ${bus}.`);
  return rule;
}
