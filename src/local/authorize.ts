import { PARTITION, parseArn } from './kernel/arn.js';
import { AwsError } from './kernel/error.js';
import type { Principal } from './kernel/principal.js';
import type { AuthorizationRule, ConditionContext, RequestContext, Service } from './kernel/service.js';
import { accessDeniedCode, accessDeniedStatus, decide, denialMessage, type Decision, type PolicySet } from './iam/index.js';
import { encodeAuthorizationMessage } from './services/sts/messages.js';
import type { State } from './state/state.js';

/** Where the policies of a principal and of its organization come from: the IAM service's state. */
export interface Authority {
  policiesOf(state: State, principal: Principal, resourceAccount: string): PolicySet;
}

/** One answered question, kept for `flotilla cloud why`. */
export interface Judgement {
  readonly action: string;
  readonly resource: string;
  readonly decision: Decision;
}

/** Raises AWS's denial unless every rule of the operation allows the request; returns the judgements, the denied one last. */
export function authorize(
  rules: readonly AuthorizationRule[],
  input: unknown,
  context: RequestContext,
  extra: ConditionContext,
  service: Service,
  authority: Authority,
  record: (judgement: Judgement) => void,
): void {
  for (const rule of rules) {
    if (rule.when && !rule.when(input, context)) continue;
    const conditions = { ...requestTags(input), ...rule.context?.(input, context), ...extra };
    for (const action of actionsOf(rule, input, context, service))
      for (const resource of resourcesOf(rule, input, context)) check(action, resource, conditions, context, service, authority, record);
  }
}

/** The same for a single action on a single resource: what an operation asks of its own (iam:PassRole). */
export function check(
  action: string,
  resource: string,
  conditions: ConditionContext,
  context: RequestContext,
  service: Service,
  authority: Authority,
  record: (judgement: Judgement) => void,
): void {
  const { principal, state } = context;
  const policy = service.resourcePolicy?.(resource, context);
  const resourceAccount = service.resourceAccount?.(resource, context) ?? (parseArn(resource)?.account || context.account);
  const decision = decide(
    { principal, action, resource, resourceAccount, context: { ...globalKeys(context, resourceAccount), ...resourceTags(service, resource, context), ...conditions } },
    {
      ...authority.policiesOf(state, principal, resourceAccount),
      ...(policy ? { resource: { ...policy, account: resourceAccount } } : {}),
      ...(service.grants ? { grants: service.grants(resource, context) } : {}),
    },
  );
  record({ action, resource, decision });
  if (decision.allowed) return;
  const prefix = service.actionPrefix ?? service.name;
  // EC2 adds what those who may decode it can read, to refusals of what changes something.
  const encoded = prefix === 'ec2' && !/^ec2:(Describe|Get)/i.test(action) ? { encodedMessage: encodeAuthorizationMessage(state, decision) } : {};
  throw new AwsError(accessDeniedCode(prefix), denialMessage(decision, encoded), { status: accessDeniedStatus(prefix) });
}

function actionsOf(rule: AuthorizationRule, input: unknown, context: RequestContext, service: Service): readonly string[] {
  const action = typeof rule.action === 'function' ? rule.action(input, context) : rule.action;
  if (action === undefined) return [`${service.actionPrefix ?? service.name}:${context.operation}`];
  return typeof action === 'string' ? [action] : action;
}

function resourcesOf(rule: AuthorizationRule, input: unknown, context: RequestContext): readonly string[] {
  const { resource } = rule;
  if (resource === undefined) return ['*'];
  if (typeof resource === 'string') return [fillTemplate(resource, input as Record<string, unknown>, context)];
  const found = resource(input, context);
  return typeof found === 'string' ? [found] : found;
}

/** Fills `{account}`, `{region}`, `{partition}` and `{Member}`; a member that already is an ARN stands for the whole. */
function fillTemplate(template: string, input: Record<string, unknown>, context: RequestContext): string {
  let whole: string | undefined;
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'account') return context.account;
    if (name === 'region') return context.region;
    if (name === 'partition') return PARTITION;
    const value = input[name];
    if (typeof value !== 'string' || value === '') return '*';
    if (value.startsWith('arn:')) whole = value;
    return value;
  });
  return whole ?? filled;
}

/** Keys every request has (IAM User Guide, "AWS global condition context keys"). */
function globalKeys(context: RequestContext, resourceAccount: string): Record<string, string | number | boolean | readonly string[] | undefined> {
  const { principal } = context;
  const now = context.now();
  return {
    'aws:CurrentTime': now.toISOString(),
    'aws:EpochTime': Math.floor(now.getTime() / 1000),
    'aws:RequestedRegion': context.region,
    'aws:ResourceAccount': resourceAccount,
    // The wire is loopback; on AWS the same request would have come by TLS.
    'aws:SecureTransport': true,
    'aws:SourceIp': principal.kind === 'service' ? undefined : '127.0.0.1',
    'aws:UserAgent': context.http?.headers['user-agent'],
    'aws:ViaAWSService': false,
    'aws:PrincipalIsAWSService': principal.kind === 'service',
    ...principalKeys(principal),
  };
}

function principalKeys(principal: Principal): Record<string, string | boolean | readonly string[] | undefined> {
  switch (principal.kind) {
    case 'root':
      return { 'aws:PrincipalArn': principal.arn, 'aws:PrincipalAccount': principal.account, 'aws:PrincipalType': 'Account', 'aws:userid': principal.userId };
    case 'user':
      return {
        'aws:PrincipalArn': principal.arn,
        'aws:PrincipalAccount': principal.account,
        'aws:PrincipalType': 'User',
        'aws:userid': principal.userId,
        'aws:username': principal.userName,
        ...tagKeys('aws:PrincipalTag', principal.tags),
      };
    case 'session':
      return {
        'aws:PrincipalArn': principal.roleArn,
        'aws:PrincipalAccount': principal.account,
        'aws:PrincipalType': 'AssumedRole',
        'aws:userid': principal.userId,
        'aws:TokenIssueTime': new Date(principal.issuedAt).toISOString(),
        'aws:MultiFactorAuthPresent': false,
        'aws:SourceIdentity': principal.sourceIdentity,
        ...tagKeys('aws:PrincipalTag', principal.tags),
      };
    case 'federated-user':
      return {
        'aws:PrincipalArn': principal.arn,
        'aws:PrincipalAccount': principal.account,
        'aws:PrincipalType': 'FederatedUser',
        'aws:userid': principal.userId,
        'aws:TokenIssueTime': new Date(principal.issuedAt).toISOString(),
        ...tagKeys('aws:PrincipalTag', principal.tags),
      };
    case 'service':
      return { 'aws:PrincipalServiceName': principal.service, 'aws:PrincipalType': 'AWSService', 'aws:SourceArn': principal.sourceArn, 'aws:SourceAccount': principal.account };
    case 'anonymous':
      return { 'aws:PrincipalType': 'Anonymous', 'aws:userid': 'anonymous' };
  }
}

function tagKeys(prefix: string, tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}/${key}`, value]));
}

function resourceTags(service: Service, resource: string, context: RequestContext): Record<string, string> {
  const tags = service.resourceTags?.(resource, context);
  if (!tags) return {};
  // Several services have a key of their own besides the global one: iam:ResourceTag, ec2:ResourceTag, secretsmanager:ResourceTag …
  const owner = parseArn(resource)?.service;
  return { ...tagKeys('aws:ResourceTag', tags), ...(owner ? tagKeys(`${owner}:ResourceTag`, tags) : {}) };
}

/** `aws:RequestTag/…` and `aws:TagKeys`, from the two forms services take tags in: a list of key and value, or a map. */
function requestTags(input: unknown): Record<string, string | readonly string[]> {
  const { Tags, tags, TagList, TagKeys, tagKeys: untag } = (input ?? {}) as Record<string, unknown>;
  const given = Tags ?? tags ?? TagList;
  const pairs: [string, string][] = [];
  if (Array.isArray(given)) {
    for (const tag of given as Record<string, unknown>[]) {
      const key = tag['Key'] ?? tag['key'] ?? tag['TagKey'];
      const value = tag['Value'] ?? tag['value'] ?? tag['TagValue'] ?? '';
      if (typeof key === 'string' && typeof value === 'string') pairs.push([key, value]);
    }
  } else if (given && typeof given === 'object') {
    for (const [key, value] of Object.entries(given)) if (typeof value === 'string') pairs.push([key, value]);
  }
  const removed = TagKeys ?? untag;
  const names = [...pairs.map(([key]) => key), ...(Array.isArray(removed) ? removed.filter((key) => typeof key === 'string') : [])];
  if (names.length === 0) return {};
  return { ...Object.fromEntries(pairs.map(([key, value]) => [`aws:RequestTag/${key}`, value])), 'aws:TagKeys': names };
}
