import { evaluate, isRoot, type Findings, type PolicyType, type Verdict } from './evaluate.js';
import { explanation, type Explanation } from './explanation.js';
import { question, type Question } from './match.js';
import { ACCOUNT, DIRECT, NONE, ROLE } from './principals.js';
import type { AuthorizationRequest, PolicySet } from './request.js';

export type Reason =
  | { readonly kind: 'allowed'; readonly by: 'no permission needed' | 'account root' | 'identity' | 'resource' | 'identity and resource' | 'grant' }
  | {
      readonly kind: 'explicit deny';
      readonly type: PolicyType;
      readonly policy: string;
      readonly policyArn: string | undefined;
      /** From 0. */
      readonly statement: number;
    }
  /** Nothing of this type allows where something must. */
  | { readonly kind: 'implicit deny'; readonly type: PolicyType }
  /** A policy that applies can't be evaluated; that denies. */
  | { readonly kind: 'evaluation error'; readonly type: PolicyType; readonly policy: string; readonly problem: string };

export interface Decision {
  readonly allowed: boolean;
  readonly reason: Reason;
  readonly request: AuthorizationRequest;
  readonly policies: PolicySet;
  /** Caller and owner of the resource are one account. */
  readonly sameAccount: boolean;
  /** Worked out when asked for. */
  readonly explanation: Explanation;
}

/**
 * Decides one action on one resource, by the order of the IAM user guide ("Policy evaluation logic"): explicit denies; resource and
 * service control policies; then within an account what the resource policy or the identity allows, across accounts what both allow.
 */
export function decide(request: AuthorizationRequest, policies: PolicySet): Decision {
  const asked = question(request, policies);
  const reason = ALWAYS_ALLOWED.has(asked.action) ? NEEDS_NOTHING : judge(asked, policies, evaluate(asked, policies));
  return new Decided(request, policies, asked.sameAccount, reason);
}

class Decided implements Decision {
  readonly allowed: boolean;
  readonly reason: Reason;
  readonly request: AuthorizationRequest;
  readonly policies: PolicySet;
  readonly sameAccount: boolean;

  constructor(request: AuthorizationRequest, policies: PolicySet, sameAccount: boolean, reason: Reason) {
    this.request = request;
    this.policies = policies;
    this.sameAccount = sameAccount;
    this.reason = reason;
    this.allowed = reason.kind === 'allowed';
  }

  get explanation(): Explanation {
    return explanation(this);
  }
}

/** "No permissions are required to perform this operation", even under an explicit deny (STS API reference). */
const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['sts:getcalleridentity', 'sts:getsessiontoken']);

const NEEDS_NOTHING: Reason = { kind: 'allowed', by: 'no permission needed' };
const BY_IDENTITY: Reason = { kind: 'allowed', by: 'identity' };
const BY_RESOURCE: Reason = { kind: 'allowed', by: 'resource' };
const BY_BOTH: Reason = { kind: 'allowed', by: 'identity and resource' };
const BY_ROOT: Reason = { kind: 'allowed', by: 'account root' };
const BY_GRANT: Reason = { kind: 'allowed', by: 'grant' };

function judge(asked: Question, policies: PolicySet, findings: Findings): Reason {
  if (findings.denial) return denied(findings.denial);
  if (!findings.rcpAllows) return lacking('resource control policy');
  if (!findings.scpAllows) return lacking('service control policy');
  if (!findings.endpointAllows) return lacking('VPC endpoint policy');
  const { requester } = asked;
  if (requester.kind === 'service' || requester.kind === 'anonymous' || requester.kind === 'web-identity') {
    if (findings.resourceLevel !== NONE) return BY_RESOURCE;
    return findings.grantLevel === NONE ? lacking(resourceType(policies)) : BY_GRANT;
  }
  return asked.sameAccount ? judgeWithin(asked, policies, findings) : judgeAcross(policies, findings);
}

function judgeWithin(asked: Question, policies: PolicySet, findings: Findings): Reason {
  const granted = Math.max(findings.resourceLevel, findings.grantLevel);
  const viaGrant = findings.grantLevel > findings.resourceLevel;
  if (granted === DIRECT) return viaGrant ? BY_GRANT : BY_RESOURCE;
  // Trust and key policies must allow themselves; one that names only the account hands the question to its identity policies.
  if (policies.resource && policies.resource.kind !== 'resource' && granted < ACCOUNT) return lacking(resourceType(policies));
  if (granted !== ROLE && !findings.identityAllows) return lacking('identity-based policy');
  if (!findings.boundaryAllows) return lacking('permissions boundary');
  if (!findings.sessionAllows) return lacking('session policy');
  if (granted === ROLE) return viaGrant ? BY_GRANT : BY_RESOURCE;
  return isRoot(asked) ? BY_ROOT : BY_IDENTITY;
}

function judgeAcross(policies: PolicySet, findings: Findings): Reason {
  if (!findings.identityAllows) return lacking('identity-based policy');
  if (!findings.boundaryAllows) return lacking('permissions boundary');
  if (!findings.sessionAllows) return lacking('session policy');
  const granted = Math.max(findings.resourceLevel, findings.grantLevel);
  return granted === NONE ? lacking(resourceType(policies)) : BY_BOTH;
}

function resourceType(policies: PolicySet): PolicyType {
  return policies.resource?.kind === 'trust' ? 'role trust policy' : 'resource-based policy';
}

function lacking(type: PolicyType): Reason {
  return { kind: 'implicit deny', type };
}

function denied(verdict: Verdict): Reason {
  const { type, name, arn, deniedBy, policy } = verdict;
  if (deniedBy) return { kind: 'explicit deny', type, policy: name, policyArn: arn, statement: deniedBy.index };
  return { kind: 'evaluation error', type, policy: name, problem: policy.error ?? '' };
}
