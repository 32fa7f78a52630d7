import type { RequestContext } from '../../kernel/service.js';
import { validatePolicy } from '../../iam/index.js';
import type * as Sns from '../../models/types/sns.js';
import { invalid, saveTopic, topicArn, topicOf } from './store.js';

/** Actions a topic policy can speak of (SNS developer guide, "Amazon SNS policy keys and actions"). */
const ACTIONS = ['GetTopicAttributes', 'SetTopicAttributes', 'AddPermission', 'RemovePermission', 'DeleteTopic', 'Subscribe', 'ListSubscriptionsByTopic', 'Publish'];

interface Statement {
  readonly Sid?: string;
  readonly Action?: string | string[];
  readonly Resource?: string | string[];
}

/** The policy a topic has when nobody set one: whoever acts for the owner's account (recorded). */
export function defaultPolicy(arn: string, account: string): string {
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: ACTIONS.map((action) => `SNS:${action}`),
        Resource: arn,
        Condition: { StringEquals: { 'AWS:SourceOwner': account } },
      },
    ],
  });
}

/** The policy as it is stored. Raises InvalidParameter. An empty text brings the default policy back. */
export function bindPolicy(text: string, arn: string, context: RequestContext): string {
  if (text === '') return defaultPolicy(arn, context.account);
  const statements = parse(text);
  if (statements === undefined || validatePolicy(text, 'resource') !== undefined) throw invalid('Policy Error: null');
  for (const { Action, Resource } of statements) {
    for (const action of [Action ?? []].flat()) if (action !== '*' && !/^sns:/i.test(action)) throw invalid('Policy statement action out of service scope!');
    for (const resource of [Resource ?? []].flat()) if (resource !== '*' && !resource.startsWith('arn:aws:sns:')) throw invalid('Policy statement resource must match topic ARN');
  }
  const bound = context.runtime.principals.bind(text);
  if ('invalid' in bound) throw invalid('Policy Error: PrincipalNotFound');
  return bound.document;
}

function parse(text: string): Statement[] | undefined {
  try {
    const { Statement } = JSON.parse(text) as { Statement?: Statement | Statement[] };
    return Statement === undefined ? undefined : [Statement].flat();
  } catch {
    return undefined;
  }
}

export function addPermission(input: Sns.AddPermissionInput, context: RequestContext): void {
  const topic = topicOf(input.TopicArn, context);
  const policy = JSON.parse(topic.policy) as { Statement: Statement[] };
  if (policy.Statement.some(({ Sid }) => Sid === input.Label)) throw invalid('Statement already exists');
  for (const action of input.ActionName) if (action !== '*' && !ACTIONS.includes(action)) throw invalid('Policy statement action out of service scope!');
  if (input.AWSAccountId.length === 0 || input.AWSAccountId.some((id) => !/^\d{12}$/.test(id))) throw invalid('AWSAccountId');
  const principals = input.AWSAccountId.map((id) => `arn:aws:iam::${id}:root`);
  const actions = input.ActionName.map((action) => `SNS:${action}`);
  const statement = { Sid: input.Label, Effect: 'Allow', Principal: { AWS: one(principals) }, Action: one(actions), Resource: topicArn(topic) };
  saveTopic(context.state, { ...topic, policy: JSON.stringify({ ...policy, Statement: [...policy.Statement, statement] }) });
}

const one = (values: readonly string[]): string | readonly string[] => (values.length === 1 ? values[0]! : values);

export function removePermission(input: Sns.RemovePermissionInput, context: RequestContext): void {
  const topic = topicOf(input.TopicArn, context);
  const policy = JSON.parse(topic.policy) as { Statement: Statement[] };
  saveTopic(context.state, { ...topic, policy: JSON.stringify({ ...policy, Statement: policy.Statement.filter(({ Sid }) => Sid !== input.Label) }) });
}
