import { AwsError } from '../../kernel/error.js';
import { parseArn } from '../../kernel/arn.js';
import type { RequestContext, ResourcePolicy } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { layerPolicyOf } from './layers.js';
import { aliases, conflict, functionArn, invalid, newRevision, parseFunctionName, policies, preconditionFailed, resolve, versionKey, versions, type AliasRecord, type PolicyRecord, type Resolved } from './store.js';

/** The policy that grants on this very ARN: that of the function, or of the version or alias it names. */
export function resourcePolicy(arn: string, context: RequestContext): ResourcePolicy | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== 'lambda') return undefined;
  const [kind, name = '', qualifier = ''] = parsed.resource.split(':');
  if (kind === 'layer') return layerPolicyOf(parsed.account, parsed.region, name, qualifier, context);
  if (kind !== 'function') return undefined;
  const found = policies(context.state, parsed.account, parsed.region).get(name, qualifier);
  return found && found.statements.length > 0 ? { document: documentOf(found), kind: 'resource' } : undefined;
}

function documentOf(policy: PolicyRecord): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: policy.statements });
}

export function addPermission(input: Lambda.AddPermissionRequest, context: RequestContext): Lambda.AddPermissionResponse {
  const resolved = resolve(context, input.FunctionName, input.Qualifier);
  const { at, arn } = resolved;
  const all = policies(context.state, at.account, at.region);
  const before = all.get(at.name, at.qualifier ?? '');
  if (input.RevisionId !== undefined && input.RevisionId !== revisionOf(resolved, context)) throw preconditionFailed();
  if (at.qualifier === '$LATEST') throw invalid('We currently do not support adding policies for $LATEST.');
  if (before?.statements.some(({ Sid }) => Sid === input.StatementId)) throw conflict(`The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`);
  const statement = {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal: principalOf(input.Principal),
    Action: input.Action,
    Resource: arn,
    ...conditionOf(input),
  };
  const bound = context.runtime.principals.bind(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
  if ('invalid' in bound) throw invalid('The provided principal was invalid. Please check the principal and try again.');
  const kept = (JSON.parse(bound.document) as { Statement: PolicyRecord['statements'] }).Statement[0]!;
  all.put([at.name, at.qualifier ?? ''], { statements: [...(before?.statements ?? []), kept], revisionId: revise(resolved, context) });
  return { Statement: JSON.stringify(statement) };
}

function principalOf(given: string): unknown {
  if (given === '*') return '*';
  if (/^\d{12}$/.test(given)) return { AWS: `arn:aws:iam::${given}:root` };
  if (given.startsWith('arn:')) return { AWS: given };
  if (/^[a-z0-9.-]+\.amazonaws\.com$/i.test(given) || given.includes('.')) return { Service: given };
  throw invalid('The provided principal was invalid. Please check the principal and try again.');
}

function conditionOf(input: Lambda.AddPermissionRequest): { Condition?: unknown } {
  const equals = {
    ...(input.SourceAccount ? { 'AWS:SourceAccount': input.SourceAccount } : {}),
    ...(input.EventSourceToken ? { 'lambda:EventSourceToken': input.EventSourceToken } : {}),
    ...(input.FunctionUrlAuthType ? { 'lambda:FunctionUrlAuthType': input.FunctionUrlAuthType } : {}),
    ...(input.PrincipalOrgID ? { 'aws:PrincipalOrgID': input.PrincipalOrgID } : {}),
  };
  const condition = {
    ...(Object.keys(equals).length > 0 ? { StringEquals: equals } : {}),
    ...(input.SourceArn ? { ArnLike: { 'AWS:SourceArn': input.SourceArn } } : {}),
    ...(input.InvokedViaFunctionUrl === undefined ? {} : { Bool: { 'lambda:InvokedViaFunctionUrl': String(input.InvokedViaFunctionUrl) } }),
  };
  return Object.keys(condition).length > 0 ? { Condition: condition } : {};
}

export function removePermission(input: Lambda.RemovePermissionRequest, context: RequestContext): Record<string, never> {
  const resolved = resolve(context, input.FunctionName, input.Qualifier);
  const { at } = resolved;
  const all = policies(context.state, at.account, at.region);
  const before = all.get(at.name, at.qualifier ?? '');
  if (input.RevisionId !== undefined && before && input.RevisionId !== revisionOf(resolved, context)) throw preconditionFailed();
  if (!before?.statements.some(({ Sid }) => Sid === input.StatementId)) throw missing(`Statement ${input.StatementId} is not found in resource policy.`);
  const statements = before.statements.filter(({ Sid }) => Sid !== input.StatementId);
  const revisionId = revise(resolved, context);
  if (statements.length === 0) all.delete(at.name, at.qualifier ?? '');
  else all.put([at.name, at.qualifier ?? ''], { statements, revisionId });
  return {};
}

export function getPolicy(input: Lambda.GetPolicyRequest, context: RequestContext): Lambda.GetPolicyResponse {
  const resolved = resolve(context, input.FunctionName, input.Qualifier);
  const { at } = resolved;
  const found = policies(context.state, at.account, at.region).get(at.name, at.qualifier ?? '');
  if (!found || found.statements.length === 0) throw missing('The resource you requested does not exist.');
  return { Policy: context.runtime.principals.show(documentOf(found)), RevisionId: revisionOf(resolved, context) };
}

/** A policy has the revision of what it is attached to: the function, version or alias (recorded: cfn-lambda-cfn-lambda-permissions). */
function revisionOf({ at, version }: Resolved, context: RequestContext): string {
  return aliasOf(at, context)?.revisionId ?? version.revisionId;
}

function revise({ at, version }: Resolved, context: RequestContext): string {
  const revisionId = newRevision();
  const alias = aliasOf(at, context);
  if (alias) aliases(context.state, at.account, at.region).put([at.name, alias.name], { ...alias, revisionId });
  else versions(context.state, at.account, at.region).put([at.name, versionKey(version.version)], { ...version, revisionId });
  return revisionId;
}

function aliasOf(at: Resolved['at'], context: RequestContext): AliasRecord | undefined {
  return at.qualifier === undefined ? undefined : aliases(context.state, at.account, at.region).get(at.name, at.qualifier);
}

function missing(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, { status: 404, fields: { Type: 'User' } });
}

/** The ARN an operation on a function is authorised for. */
export function functionResource(input: { FunctionName?: string; Qualifier?: string }, context: RequestContext): string {
  const at = parseFunctionName(input.FunctionName ?? '*', context, input.Qualifier);
  return functionArn(at, at.qualifier);
}

/** The same for operations on the function as a whole, whatever version was named. */
export function wholeFunction(input: { FunctionName?: string }, context: RequestContext): string {
  return functionArn(parseFunctionName(input.FunctionName ?? '*', context));
}
