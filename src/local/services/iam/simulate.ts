import { compilePolicy, decide, type Decision, type NamedPolicy, type PolicySet } from '../../iam/index.js';
import { parseArn } from '../../kernel/arn.js';
import type { Principal } from '../../kernel/principal.js';
import type { ConditionContext, RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import { checkDocument } from './documents.js';
import type { Handlers } from './handlers.js';
import { entityPolicies, policiesOf, roleByArn, tagMap, userPrincipal } from './identity.js';
import { page } from './pages.js';
import { absent, groupsOf, invalid, key, usersOf, type Group, type Role, type User } from './store.js';

/** The policy simulator: the evaluator asked without doing anything (IAM guide, "Testing IAM policies"). */

export const simulationOperations = {
  SimulatePrincipalPolicy: (input, context) => {
    const source = sourceOf(input.PolicySourceArn, context);
    const base = policiesOfSource(source, context);
    const caller = input.CallerArn === undefined ? source.principal : callerOf(input.CallerArn, context);
    return simulate(input, { ...base, identity: [...base.identity, ...named(input.PolicyInputList)] }, caller, context);
  },

  SimulateCustomPolicy: (input, context) => {
    for (const document of input.PolicyInputList) checkDocument(document, 'identity');
    const caller = input.CallerArn === undefined ? somebody(context.account) : callerOf(input.CallerArn, context);
    return simulate(input, { identity: named(input.PolicyInputList) }, caller, context);
  },

  GetContextKeysForCustomPolicy: (input) => ({ ContextKeyNames: contextKeys(input.PolicyInputList) }),

  GetContextKeysForPrincipalPolicy: (input, context) => {
    const { identity, boundary } = policiesOfSource(sourceOf(input.PolicySourceArn, context), context);
    const documents = [...identity, ...(boundary ? [boundary] : [])].map(({ document }) => document);
    return { ContextKeyNames: contextKeys([...documents, ...(input.PolicyInputList ?? [])]) };
  },
} satisfies Handlers;

interface Source {
  readonly entity: User | Role | Group;
  readonly principal: Principal;
  readonly isGroup: boolean;
}

function sourceOf(arn: string, context: RequestContext): Source {
  const parts = parseArn(arn);
  if (!parts || parts.service !== 'iam') invalid('Invalid Entity Arn: Could not be parsed!');
  const name = arn.slice(arn.lastIndexOf('/') + 1);
  const user = parts!.resource.startsWith('user/') ? usersOf(context).get(key(name)) : undefined;
  if (user) return { entity: user, principal: userPrincipal(context.account, user), isGroup: false };
  const role = roleByArn(context.state, arn);
  if (role) return { entity: role, principal: rolePrincipal(role, context), isGroup: false };
  const group = parts!.resource.startsWith('group/') ? groupsOf(context).get(key(name)) : undefined;
  if (group) return { entity: group, principal: somebody(context.account), isGroup: true };
  return absent(`The entity ${arn} cannot be found.`);
}

function policiesOfSource(source: Source, context: RequestContext): PolicySet {
  return source.isGroup ? { identity: entityPolicies(context.state, source.entity) } : policiesOf(context.state, source.principal);
}

function callerOf(arn: string, context: RequestContext): Principal {
  const parts = parseArn(arn);
  if (parts?.resource === 'root') return { kind: 'root', account: parts.account, arn, userId: parts.account };
  const { principal } = sourceOf(arn, context);
  return principal;
}

/** A caller of whom nothing is known but the account. */
function somebody(account: string): Principal {
  return { kind: 'user', account, arn: `arn:aws:iam::${account}:user/simulated`, userId: 'AIDASIMULATED00000000', userName: 'simulated', tags: {} };
}

function rolePrincipal(role: Role, context: RequestContext): Principal {
  const now = context.now().getTime();
  return {
    kind: 'session',
    account: context.account,
    arn: `arn:aws:sts::${context.account}:assumed-role/${role.name}/simulated`,
    roleArn: role.arn,
    roleName: role.name,
    roleId: role.id,
    sessionName: 'simulated',
    userId: `${role.id}:simulated`,
    sessionPolicies: [],
    tags: tagMap(role.tags),
    transitiveTagKeys: [],
    issuedAt: now,
    expiresAt: now + 3_600_000,
  };
}

type Input = Pick<
  IAM.SimulatePrincipalPolicyRequest,
  'ActionNames' | 'ResourceArns' | 'ResourcePolicy' | 'ResourceOwner' | 'PermissionsBoundaryPolicyInputList' | 'ContextEntries' | 'Marker' | 'MaxItems'
>;

function simulate(input: Input, policies: PolicySet, principal: Principal, context: RequestContext): IAM.SimulatePolicyResponse {
  const boundary = named(input.PermissionsBoundaryPolicyInputList)[0] ?? policies.boundary;
  const owner = parseArn(input.ResourceOwner ?? '')?.account ?? context.account;
  const resource = input.ResourcePolicy === undefined ? {} : { resource: { kind: 'resource' as const, account: owner, document: input.ResourcePolicy } };
  const set: PolicySet = { ...policies, ...(boundary ? { boundary } : {}), ...resource };
  const given = contextOf(input.ContextEntries);
  const resources = input.ResourceArns && input.ResourceArns.length > 0 ? input.ResourceArns : ['*'];
  const asked = input.ActionNames.flatMap((action) => resources.map((arn) => ({ action, arn })));
  const { items, ...rest } = page(
    asked.map((question, position) => ({ ...question, position: String(position).padStart(6, '0') })),
    input,
    ({ position }) => position,
  );
  const results = items.map(({ action, arn }) => {
    const decision = decide({ principal, action, resource: arn, resourceAccount: owner, context: given }, set);
    return shownResult(decision, action, arn, given);
  });
  return { EvaluationResults: results, ...rest };
}

function shownResult(decision: Decision, action: string, resource: string, given: ConditionContext): IAM.EvaluationResult {
  const { policies } = decision;
  const outcome = decision.allowed ? 'allowed' : decision.reason.kind === 'explicit deny' ? 'explicitDeny' : 'implicitDeny';
  const documents = [...policies.identity.map(({ document }) => document), ...(policies.boundary ? [policies.boundary.document] : [])];
  const known = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: outcome,
    MatchedStatements: matched(decision),
    MissingContextValues: decision.allowed ? [] : contextKeys(documents).filter((name) => !known.has(name.toLowerCase())),
    ...(policies.scps ? { OrganizationsDecisionDetail: { AllowedByOrganizations: !blames(decision, 'service control policy') } } : {}),
    ...(policies.boundary ? { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: !blames(decision, 'permissions boundary') } } : {}),
  };
}

function blames(decision: Decision, type: string): boolean {
  return decision.reason.kind !== 'allowed' && decision.reason.type === type;
}

/** Statements that applied, of the effect that decided. */
function matched(decision: Decision): IAM.Statement[] {
  const effect = decision.allowed ? 'Allow' : 'Deny';
  return decision.explanation.policies.flatMap((policy) =>
    policy.statements
      .filter((statement) => statement.mismatch === undefined && statement.effect === effect)
      .map(() => ({ SourcePolicyId: policy.name, SourcePolicyType: policy.type === 'resource-based policy' ? ('resource' as const) : sourceType(policy.arn) })),
  );
}

function sourceType(arn: string | undefined): IAM.PolicySourceType {
  if (arn === undefined) return 'none';
  return arn.includes(':iam::aws:') ? 'aws-managed' : 'user-managed';
}

function named(documents: readonly string[] | undefined): NamedPolicy[] {
  return (documents ?? []).map((document, i) => ({ name: `PolicyInputList.${i + 1}`, document }));
}

function contextOf(entries: readonly IAM.ContextEntry[] | undefined): ConditionContext {
  return Object.fromEntries(
    (entries ?? []).map(({ ContextKeyName, ContextKeyValues, ContextKeyType }) => {
      const values = ContextKeyValues ?? [];
      return [ContextKeyName ?? '', ContextKeyType?.endsWith('List') ? values : (values[0] ?? undefined)];
    }),
  );
}

/** Condition keys that documents ask for, in conditions and in variables. */
function contextKeys(documents: readonly string[]): string[] {
  const names = new Map<string, string>();
  for (const document of documents) {
    for (const statement of compilePolicy(document).statements) {
      for (const { key: name } of statement.conditions) names.set(name.toLowerCase(), name);
    }
    for (const [, variable] of document.matchAll(/\$\{([\w.-]+:[^},\s]+)[^}]*\}/g)) names.set(variable!.toLowerCase(), variable!);
  }
  return [...names.values()];
}
