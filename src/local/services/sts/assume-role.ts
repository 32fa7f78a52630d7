import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { AuthorizationRule, ConditionContext, RequestContext } from '../../kernel/service.js';
import type * as STS from '../../models/types/sts.js';
import { roleByArn, tagMap, tagsProblem } from '../iam/identity.js';
import { packedSize, roleSession, sessionPolicies } from './sessions.js';

const DEFAULT_DURATION = 3600;
/** "… role chaining limits your AWS CLI or AWS API role session to a maximum of one hour." */
const CHAINED_DURATION = 3600;

export function assumeRole(input: STS.AssumeRoleRequest, context: RequestContext): STS.AssumeRoleResponse {
  const { principal } = context;
  if (principal.kind === 'root') throw new AwsError('AccessDenied', 'Roles may not be assumed by root accounts.', { status: 403 });
  if (input.TokenCode !== undefined || input.SerialNumber !== undefined) throw noSuchDevice();
  const { tags, transitiveTagKeys } = sessionTags(input, context);
  const role = roleByArn(context.state, input.RoleArn);
  // The trust policy of a role that isn't there has allowed nobody: nothing gets here.
  if (!role) throw new AwsError('AccessDenied', `User: ${callerArn(context)} is not authorized to perform: sts:AssumeRole on resource: ${input.RoleArn}`, { status: 403 });
  const duration = checkedDuration(input.DurationSeconds, role.maxSessionDuration, principal.kind === 'session');
  const policies = sessionPolicies(input, context);
  const packed = packedSize(input, tags);
  const sourceIdentity = input.SourceIdentity ?? (principal.kind === 'session' ? principal.sourceIdentity : undefined);
  const made = roleSession(
    {
      role,
      account: parseArn(role.arn)!.account,
      name: input.RoleSessionName,
      duration,
      policies,
      tags,
      transitiveTagKeys,
      sourceIdentity,
      assumedBy: callerArn(context),
    },
    context,
  );
  return {
    ...made,
    ...(packed === undefined ? {} : { PackedPolicySize: packed }),
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
  };
}

export const assumeRoleRules: readonly AuthorizationRule<Partial<STS.AssumeRoleRequest>>[] = [
  { action: 'sts:AssumeRole', resource: roleArn, context: conditions },
  { action: 'sts:TagSession', resource: roleArn, context: conditions, when: carriesTags },
  { action: 'sts:SetSourceIdentity', resource: roleArn, context: conditions, when: carriesSourceIdentity },
];

function roleArn({ RoleArn: arn = '' }: Partial<STS.AssumeRoleRequest>): string {
  const parts = parseArn(arn);
  if (parts?.service !== 'iam' || !parts.resource.startsWith('role/') || !/^\d{12}$/.test(parts.account)) {
    throw new AwsError('ValidationError', `${arn} is invalid`, { status: 400 });
  }
  return arn;
}

function conditions(input: Partial<STS.AssumeRoleRequest>, { principal }: RequestContext): ConditionContext {
  return {
    'sts:ExternalId': input.ExternalId,
    'sts:RoleSessionName': input.RoleSessionName,
    'sts:SourceIdentity': input.SourceIdentity,
    'sts:TransitiveTagKeys': input.TransitiveTagKeys,
    ...(principal.kind === 'session' ? Object.fromEntries(Object.entries(inherited(principal)).map(([key, value]) => [`aws:RequestTag/${key}`, value])) : {}),
  };
}

function carriesTags(input: Partial<STS.AssumeRoleRequest>, { principal }: RequestContext): boolean {
  return (input.Tags?.length ?? 0) > 0 || (principal.kind === 'session' && principal.transitiveTagKeys.length > 0);
}

function carriesSourceIdentity(input: Partial<STS.AssumeRoleRequest>, { principal }: RequestContext): boolean {
  return input.SourceIdentity !== undefined || (principal.kind === 'session' && principal.sourceIdentity !== undefined);
}

type Session = Extract<RequestContext['principal'], { kind: 'session' }>;

/** Tags that a session hands on to those it makes. */
function inherited(session: Session): Record<string, string> {
  const keys = new Set(session.transitiveTagKeys.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(session.tags).filter(([name]) => keys.has(name.toLowerCase())));
}

function sessionTags(input: STS.AssumeRoleRequest, { principal }: RequestContext): { tags: Record<string, string>; transitiveTagKeys: string[] } {
  const given = input.Tags ?? [];
  const problem = tagsProblem(given);
  if (problem) throw invalidParameter(problem);
  const handed = principal.kind === 'session' ? inherited(principal) : {};
  const handedKeys = new Set(Object.keys(handed).map((name) => name.toLowerCase()));
  if (given.some(({ Key }) => handedKeys.has(Key.toLowerCase()))) {
    throw invalidParameter("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.");
  }
  const transitive = (input.TransitiveTagKeys ?? []).map((wanted) => {
    const tag = given.find(({ Key }) => Key.toLowerCase() === wanted.toLowerCase());
    if (!tag) throw invalidParameter('The specified transitive tag key must be included in the requested tags.');
    return tag.Key;
  });
  return { tags: { ...handed, ...tagMap(given) }, transitiveTagKeys: [...Object.keys(handed), ...transitive] };
}

export function checkedDuration(wanted: number | undefined, maximum: number, chained: boolean): number {
  const duration = wanted ?? DEFAULT_DURATION;
  if (chained && duration > CHAINED_DURATION) {
    throw new AwsError('ValidationError', 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.', { status: 400 });
  }
  if (duration > maximum) {
    throw new AwsError('ValidationError', 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.', { status: 400 });
  }
  return duration;
}

function callerArn({ principal }: RequestContext): string {
  return 'arn' in principal ? principal.arn : principal.kind === 'service' ? principal.service : 'anonymous';
}

function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message, { status: 400 });
}

function noSuchDevice(): AwsError {
  const message = 'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.';
  return new AwsError('AccessDenied', message, { status: 403 });
}
