import { AwsError } from '../../kernel/error.js';
import type { FederatedUserPrincipal, RootPrincipal, UserPrincipal } from '../../kernel/principal.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as STS from '../../models/types/sts.js';
import { tagMap, tagsProblem } from '../iam/identity.js';
import { packedSize, sessionPolicies, temporaryCredentials } from './sessions.js';

/** Seconds: twelve hours, and one for the root user. */
const DEFAULT_DURATION = 43_200;
const ROOT_DURATION = 3600;

export function getFederationToken(input: STS.GetFederationTokenRequest, context: RequestContext): STS.GetFederationTokenResponse {
  const issuer = longTermCaller('GetFederationToken', context);
  const problem = tagsProblem(input.Tags ?? []);
  if (problem) throw new AwsError('InvalidParameterValue', problem, { status: 400 });
  const tags = tagMap(input.Tags ?? []);
  const duration = boundedDuration(input.DurationSeconds, issuer);
  const now = context.now().getTime();
  const principal: FederatedUserPrincipal = {
    kind: 'federated-user',
    account: context.account,
    arn: `arn:aws:sts::${context.account}:federated-user/${input.Name}`,
    userId: `${context.account}:${input.Name}`,
    name: input.Name,
    issuer,
    sessionPolicies: sessionPolicies(input, context),
    tags,
    issuedAt: now,
    expiresAt: now + duration * 1000,
  };
  const PackedPolicySize = packedSize(input, tags) ?? 0;
  return {
    Credentials: temporaryCredentials(principal, duration, context),
    FederatedUser: { FederatedUserId: principal.userId, Arn: principal.arn },
    PackedPolicySize,
  };
}

export function getSessionToken(input: STS.GetSessionTokenRequest, context: RequestContext): STS.GetSessionTokenResponse {
  const caller = longTermCaller('GetSessionToken', context);
  if (input.TokenCode !== undefined || input.SerialNumber !== undefined) {
    throw new AwsError('AccessDenied', 'MultiFactorAuthentication failed with invalid MFA one time pass code. ', { status: 403 });
  }
  return { Credentials: temporaryCredentials(caller, boundedDuration(input.DurationSeconds, caller), context) };
}

/** Only users and the root user, with credentials of their own. */
function longTermCaller(operation: string, { principal }: RequestContext): UserPrincipal | RootPrincipal {
  const longTerm = (principal.kind === 'user' || principal.kind === 'root') && !principal.accessKeyId?.startsWith('ASIA');
  if (!longTerm) throw new AwsError('AccessDenied', `Cannot call ${operation} with session credentials`, { status: 403 });
  const { accessKeyId: _, ...caller } = principal as UserPrincipal | RootPrincipal;
  return caller as UserPrincipal | RootPrincipal;
}

function boundedDuration(wanted: number | undefined, caller: UserPrincipal | RootPrincipal): number {
  return caller.kind === 'root' ? Math.min(wanted ?? ROOT_DURATION, ROOT_DURATION) : (wanted ?? DEFAULT_DURATION);
}
