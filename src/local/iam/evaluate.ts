import { compilePolicy, type CompiledPolicy, type Statement } from './compile.js';
import { applies, type Question } from './match.js';
import { ACCOUNT, DIRECT, NONE, ROLE, type Level } from './principals.js';
import { rcpServices } from './rcp.js';
import type { AttachedPolicy, Grant, NamedPolicy, PolicySet } from './request.js';

export type PolicyType =
  | 'resource control policy'
  | 'service control policy'
  | 'VPC endpoint policy'
  | 'resource-based policy'
  | 'role trust policy'
  | 'identity-based policy'
  | 'permissions boundary'
  | 'session policy';

/** One policy that was looked at, and what it said. */
export interface Verdict {
  readonly type: PolicyType;
  readonly name: string;
  readonly arn: string | undefined;
  readonly policy: CompiledPolicy;
  readonly document: string;
  readonly deniedBy: Statement | undefined;
  readonly level: Level;
  /** For control policies: which level of the organization, from 0 (the root). */
  readonly tier: number;
}

/** What all policies together say, before the order of iam.md turns it into a decision. */
export interface Findings {
  /** First policy that denies or can't be evaluated, in the order AWS looks. */
  readonly denial: Verdict | undefined;
  readonly rcpAllows: boolean;
  readonly scpAllows: boolean;
  readonly endpointAllows: boolean;
  readonly resourceLevel: Level;
  readonly grantLevel: Level;
  readonly identityAllows: boolean;
  readonly boundaryAllows: boolean;
  readonly sessionAllows: boolean;
}

/**
 * Asks every policy. `seen` receives each verdict, for explanations; without it the walk stops at the first denial.
 */
export function evaluate(asked: Question, policies: PolicySet, seen?: Verdict[]): Findings {
  const walk = new Walk(asked, seen);
  const rcpAllows = rcpsApply(asked) ? walk.levels('resource control policy', policies.rcps) : true;
  const scpAllows = scpsApply(asked) ? walk.levels('service control policy', policies.scps) : true;
  const endpointAllows = policies.vpcEndpoint ? walk.any('VPC endpoint policy', [policies.vpcEndpoint]) : true;
  const resourceLevel = policies.resource ? walk.resource(policies.resource) : NONE;
  const { requester } = asked;
  const identityAllows = walk.any('identity-based policy', policies.identity) || isRoot(asked);
  const boundaryAllows = policies.boundary ? walk.any('permissions boundary', [policies.boundary]) : true;
  // "If you don't pass a policy, the resulting federated user session has no permissions" (GetFederationToken).
  const unbounded = requester.kind !== 'federated-user';
  const sessionAllows = policies.session && policies.session.length > 0 ? walk.any('session policy', policies.session) : unbounded;
  return {
    denial: walk.denial,
    rcpAllows,
    scpAllows,
    endpointAllows,
    resourceLevel,
    grantLevel: policies.grants ? grantLevel(policies.grants, asked) : NONE,
    identityAllows,
    boundaryAllows,
    sessionAllows,
  };
}

export function isRoot(asked: Question): boolean {
  const { requester } = asked;
  return requester.kind === 'root' || (requester.kind === 'federated-user' && requester.issuer.kind === 'root');
}

/** SCPs bind the principals of member accounts, their root users included; not services, and not service-linked roles. */
function scpsApply({ requester }: Question): boolean {
  if (requester.kind === 'service' || requester.kind === 'anonymous' || requester.kind === 'web-identity') return false;
  return !isServiceLinked(requester);
}

/** RCPs bind everybody but service-linked roles, on the services that support them. */
function rcpsApply({ requester, action }: Question): boolean {
  return rcpServices.has(action.slice(0, action.indexOf(':'))) && !isServiceLinked(requester);
}

function isServiceLinked(requester: Question['requester']): boolean {
  return requester.kind === 'session' && requester.roleArn.includes(':role/aws-service-role/');
}

class Walk {
  denial: Verdict | undefined;
  private readonly asked: Question;
  private readonly seen: Verdict[] | undefined;

  constructor(asked: Question, seen: Verdict[] | undefined) {
    this.asked = asked;
    this.seen = seen;
  }

  /** Each level must allow. */
  levels(type: PolicyType, levels: PolicySet['scps']): boolean {
    let all = true;
    if (levels) for (let tier = 0; tier < levels.length; tier++) if (!this.any(type, levels[tier]!, tier)) all = false;
    return all;
  }

  /** One of the policies must allow. */
  any(type: PolicyType, policies: readonly NamedPolicy[], tier = 0): boolean {
    let allowed = false;
    for (const policy of policies) {
      if (this.done) return false;
      if (this.look(type, policy.name, policy.arn, policy.document, tier) !== NONE) allowed = true;
    }
    return allowed;
  }

  resource(policy: AttachedPolicy): Level {
    if (this.done) return NONE;
    const type = policy.kind === 'trust' ? 'role trust policy' : 'resource-based policy';
    return this.look(type, policy.name ?? type, undefined, policy.document);
  }

  private get done(): boolean {
    return this.denial !== undefined && this.seen === undefined;
  }

  private look(type: PolicyType, name: string, arn: string | undefined, document: string, tier = 0): Level {
    const policy = compilePolicy(document);
    let level: Level = NONE;
    let deniedBy: Statement | undefined;
    for (const statement of policy.about(this.asked.action)) {
      const named = applies(statement, this.asked);
      if (named === NONE) continue;
      if (statement.allow) {
        if (named > level) level = named;
      } else if (!ownerKeepsPolicy(type, this.asked)) deniedBy ??= statement;
    }
    const denies = deniedBy !== undefined || policy.error !== undefined;
    if (this.seen || (denies && !this.denial)) {
      const verdict: Verdict = { type, name, arn, policy, document, deniedBy, level, tier };
      this.seen?.push(verdict);
      if (denies) this.denial ??= verdict;
    }
    return level;
  }
}

/** "… the bucket owner's root user can perform these even if the bucket policy explicitly denies it" (S3: Get-, Put-, DeleteBucketPolicy). */
function ownerKeepsPolicy(type: PolicyType, asked: Question): boolean {
  if (type !== 'resource-based policy' || asked.requester.kind !== 'root' || !asked.sameAccount) return false;
  return /^s3:(get|put|delete)bucketpolicy$/.test(asked.action);
}

/** KMS grants allow as a key policy that names the grantee would (KMS guide, "Grants in AWS KMS"). */
function grantLevel(grants: readonly Grant[], asked: Question): Level {
  let best: Level = NONE;
  for (const grant of grants) {
    if (!grant.operations.some((operation) => `kms:${operation.toLowerCase()}` === asked.action)) continue;
    if (!constraintsHold(grant, asked)) continue;
    const level = granteeLevel(grant.granteePrincipal, asked);
    if (level > best) best = level;
  }
  return best;
}

function granteeLevel(grantee: string, { requester }: Question): Level {
  if (requester.kind === 'service') return grantee === requester.service ? DIRECT : NONE;
  if (!('arn' in requester)) return NONE;
  if (grantee === requester.arn) return DIRECT;
  if (requester.kind === 'session' && grantee === requester.roleArn) return ROLE;
  return grantee === `arn:aws:iam::${requester.account}:root` ? ACCOUNT : NONE;
}

function constraintsHold(grant: Grant, { context }: Question): boolean {
  const given = (key: string): string | undefined => context.values(`kms:encryptioncontext:${key.toLowerCase()}`)?.[0];
  const holds = (pairs: Readonly<Record<string, string>>): boolean => Object.entries(pairs).every(([key, value]) => given(key) === value);
  if (grant.encryptionContextSubset && !holds(grant.encryptionContextSubset)) return false;
  if (!grant.encryptionContextEquals) return true;
  const keys = context.values('kms:encryptioncontextkeys') ?? [];
  return holds(grant.encryptionContextEquals) && keys.length === Object.keys(grant.encryptionContextEquals).length;
}
