import { AwsError } from '../../kernel/error.js';
import type { RequestContext, ResourcePolicy } from '../../kernel/service.js';
import { validatePolicy } from '../../iam/index.js';
import type * as Logs from '../../models/types/logs.js';
import { invalid, notFound, page, resourcePolicies } from './store.js';

/** Per account and region (CloudWatch Logs quotas). */
const MAX_POLICIES = 10;

export function putResourcePolicy(input: Logs.PutResourcePolicyRequest, context: RequestContext): Logs.PutResourcePolicyResponse {
  const { policyName: name, policyDocument: text } = checked(input);
  const all = resourcePolicies(context.state, context.account, context.region);
  if (!all.get(name) && all.list().length >= MAX_POLICIES) throw new AwsError('LimitExceededException', 'Resource limit exceeded.', { status: 400 });
  const problem = validatePolicy(text, 'resource');
  if (problem !== undefined) throw invalid(`Invalid policy document: ${problem}`);
  const bound = context.runtime.principals.bind(text);
  if ('invalid' in bound) throw invalid(`Invalid principal in policy: ${bound.invalid}`);
  const updated = context.now().getTime();
  all.put(name, { name, document: bound.document, updated });
  return { resourcePolicy: { policyName: name, policyDocument: text, lastUpdatedTime: updated } };
}

function checked(input: Logs.PutResourcePolicyRequest): { policyName: string; policyDocument: string } {
  refuseResource(input);
  if (input.policyName === undefined || input.policyDocument === undefined) throw invalid('policyName and policyDocument are required.');
  return { policyName: input.policyName, policyDocument: input.policyDocument };
}

function refuseResource(input: { readonly resourceArn?: string }): void {
  if (input.resourceArn !== undefined) throw new AwsError('NotImplemented', 'The local cloud has no behaviour for resource policies of single log groups (resourceArn) of CloudWatch Logs. Nothing was changed.', { status: 501 });
}

export function deleteResourcePolicy(input: Logs.DeleteResourcePolicyRequest, context: RequestContext): void {
  refuseResource(input);
  const all = resourcePolicies(context.state, context.account, context.region);
  if (input.policyName === undefined || !all.get(input.policyName)) throw notFound('Policy with name [' + (input.policyName ?? '') + '] does not exist');
  all.delete(input.policyName);
}

export function describeResourcePolicies(input: Logs.DescribeResourcePoliciesRequest, context: RequestContext): Logs.DescribeResourcePoliciesResponse {
  refuseResource(input);
  const { items, ...rest } = page(resourcePolicies(context.state, context.account, context.region).list(), ({ name }) => name, input.limit ?? 50, input.nextToken);
  return { resourcePolicies: items.map(({ name, document, updated }) => ({ policyName: name, policyDocument: context.runtime.principals.show(document), lastUpdatedTime: updated })), ...rest };
}

/** All policies of the account and region speak for each of its groups: one document of all their statements. */
export function policyOf(account: string, context: RequestContext): ResourcePolicy | undefined {
  const all = resourcePolicies(context.state, account, context.region).list();
  if (all.length === 0) return undefined;
  if (all.length === 1) return { document: all[0]!.document, kind: 'resource' };
  const Statement = all.flatMap(({ document }) => [(JSON.parse(document) as { Statement: unknown }).Statement].flat());
  return { document: JSON.stringify({ Version: '2012-10-17', Statement }), kind: 'resource' };
}
