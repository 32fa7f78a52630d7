import type { Decision } from './decide.js';
import { evaluate, isRoot, type Findings, type PolicyType, type Verdict } from './evaluate.js';
import { applies, mismatch, question, type Mismatch, type Question } from './match.js';
import { ACCOUNT, DIRECT, NONE, ROLE } from './principals.js';
import type { Requester } from './request.js';

/** How a decision came about, as data. */
export interface Explanation {
  /** ARN of the caller, the service's name, or `anonymous`. */
  readonly caller: string;
  /** From the caller back: the role of a session, who assumed it, who issued the federated user. */
  readonly onBehalfOf: readonly string[];
  readonly resourceAccount: string;
  /** Every policy, in the order it was looked at. */
  readonly policies: readonly PolicyAccount[];
  /** What would make the request allowed: all of these together. Empty when it is. */
  readonly changes: readonly Change[];
}

export interface PolicyAccount {
  readonly type: PolicyType;
  readonly name: string;
  readonly arn: string | undefined;
  readonly verdict: 'allows' | 'denies' | 'silent' | 'cannot be evaluated';
  readonly problem: string | undefined;
  readonly statements: readonly StatementAccount[];
}

export interface StatementAccount {
  /** From 1, as people count. */
  readonly number: number;
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  /** Undefined when the statement applies. */
  readonly mismatch: Mismatch | undefined;
  /** The statement names only the account, which leaves it to the account's identity policies. */
  readonly delegates: boolean;
}

export type Change =
  | {
      readonly kind: 'add';
      readonly type: PolicyType;
      /** For control policies: which level. */
      readonly tier: number;
      readonly statement: SuggestedStatement;
    }
  | {
      readonly kind: 'remove';
      readonly type: PolicyType;
      readonly policy: string;
      readonly policyArn: string | undefined;
      /** From 1. */
      readonly statement: number;
      readonly sid: string | undefined;
    }
  | { readonly kind: 'repair'; readonly type: PolicyType; readonly policy: string; readonly problem: string };

export interface SuggestedStatement {
  readonly Effect: 'Allow';
  readonly Principal?: { readonly AWS: string } | { readonly Service: string } | { readonly Federated: string };
  readonly Action: string;
  readonly Resource?: string;
}

export function explanation(decision: Decision): Explanation {
  const { request, policies } = decision;
  const asked = question(request, policies);
  const verdicts: Verdict[] = [];
  const findings = evaluate(asked, policies, verdicts);
  return {
    caller: callerName(request.principal),
    onBehalfOf: chain(request.principal),
    resourceAccount: asked.resourceAccount,
    policies: verdicts.map((verdict) => policyAccount(verdict, asked)),
    changes: decision.allowed ? [] : changes(decision, asked, verdicts, findings),
  };
}

export function callerName(principal: Requester): string {
  switch (principal.kind) {
    case 'service':
      return principal.service;
    case 'anonymous':
      return 'anonymous';
    case 'web-identity':
      return `${principal.provider} ${principal.subject}`;
    default:
      return principal.arn;
  }
}

function chain(principal: Requester): string[] {
  if (principal.kind === 'session') return [principal.roleArn, ...(principal.assumedBy ? [principal.assumedBy] : [])];
  return principal.kind === 'federated-user' ? [principal.issuer.arn] : [];
}

function policyAccount(verdict: Verdict, asked: Question): PolicyAccount {
  const { type, name, arn, policy, deniedBy, level } = verdict;
  return {
    type,
    name,
    arn,
    verdict: policy.error !== undefined ? 'cannot be evaluated' : deniedBy ? 'denies' : level === NONE ? 'silent' : 'allows',
    problem: policy.error,
    statements: policy.statements.map((statement) => {
      const failed = mismatch(statement, asked);
      return {
        number: statement.index + 1,
        sid: statement.sid,
        effect: statement.allow ? 'Allow' : 'Deny',
        mismatch: failed,
        delegates: failed === undefined && statement.allow && applies(statement, asked) === ACCOUNT,
      };
    }),
  };
}

function changes(decision: Decision, asked: Question, verdicts: readonly Verdict[], findings: Findings): Change[] {
  return [...removals(verdicts, asked), ...controlPolicies(decision, verdicts), ...grants(decision, asked, findings)];
}

function removals(verdicts: readonly Verdict[], asked: Question): Change[] {
  return verdicts.flatMap((verdict): Change[] => {
    const { type, name, arn, policy } = verdict;
    if (policy.error !== undefined) return [{ kind: 'repair', type, policy: name, problem: policy.error }];
    if (!verdict.deniedBy) return [];
    return policy.statements
      .filter((statement) => !statement.allow && mismatch(statement, asked) === undefined)
      .map((statement) => ({ kind: 'remove', type, policy: name, policyArn: arn, statement: statement.index + 1, sid: statement.sid }));
  });
}

/** A level of control policies none of which allows. */
function controlPolicies(decision: Decision, verdicts: readonly Verdict[]): Change[] {
  const silent: Change[] = [];
  for (const type of ['resource control policy', 'service control policy', 'VPC endpoint policy'] as const) {
    const tiers = new Map<number, boolean>();
    for (const verdict of verdicts) if (verdict.type === type) tiers.set(verdict.tier, tiers.get(verdict.tier) === true || verdict.level !== NONE);
    for (const [tier, allows] of tiers) if (!allows) silent.push({ kind: 'add', type, tier, statement: suggested(decision) });
  }
  return silent;
}

/** What is lacking among identity policies, boundary, session policy and resource policy, in the order of decide.ts. */
function grants(decision: Decision, asked: Question, findings: Findings): Change[] {
  const { requester } = asked;
  const add = (type: PolicyType): Change => ({ kind: 'add', type, tier: 0, statement: suggested(decision, type) });
  const resourceKind = decision.policies.resource?.kind ?? 'resource';
  const resourceType: PolicyType = resourceKind === 'trust' ? 'role trust policy' : 'resource-based policy';
  let granted = Math.max(findings.resourceLevel, findings.grantLevel);
  if (requester.kind === 'service' || requester.kind === 'anonymous' || requester.kind === 'web-identity') {
    return granted === NONE ? [add(resourceType)] : [];
  }
  const needed: Change[] = [];
  const mustName = asked.sameAccount ? resourceKind !== 'resource' && granted < ACCOUNT : granted === NONE;
  if (mustName) {
    needed.push(add(resourceType));
    granted = requester.kind === 'session' || requester.kind === 'federated-user' ? ROLE : DIRECT;
  }
  if (asked.sameAccount && granted === DIRECT) return needed;
  const standsIn = asked.sameAccount && granted === ROLE;
  if (!standsIn && !findings.identityAllows && !isRoot(asked)) needed.push(add('identity-based policy'));
  if (!findings.boundaryAllows) needed.push(add('permissions boundary'));
  if (!findings.sessionAllows) needed.push(add('session policy'));
  return needed;
}

function suggested({ request }: Decision, type?: PolicyType): SuggestedStatement {
  const resource = request.resource.replaceAll('${', '${$}{');
  if (type === 'role trust policy') return { Effect: 'Allow', Principal: named(request.principal), Action: request.action };
  if (type === 'resource-based policy') return { Effect: 'Allow', Principal: named(request.principal), Action: request.action, Resource: resource };
  return { Effect: 'Allow', Action: request.action, Resource: resource };
}

function named(principal: Requester): NonNullable<SuggestedStatement['Principal']> {
  switch (principal.kind) {
    case 'service':
      return { Service: principal.service };
    case 'anonymous':
      return { AWS: '*' };
    case 'web-identity':
      return { Federated: principal.provider };
    case 'session':
      return { AWS: principal.roleArn };
    case 'federated-user':
      return { AWS: principal.issuer.arn };
    default:
      return { AWS: principal.arn };
  }
}
