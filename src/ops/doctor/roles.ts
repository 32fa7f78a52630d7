import { GetPolicyCommand, GetPolicyVersionCommand, GetRoleCommand, GetRolePolicyCommand, IAMClient, ListAttachedRolePoliciesCommand, ListRolePoliciesCommand, SimulateCustomPolicyCommand } from '@aws-sdk/client-iam';
import { unlessAbsent } from '../aws/absent.js';
import type { FleetPair } from '../fleet/fleet.js';
import { clientOf, type Target } from '../target.js';
import { ROLE_KINDS, type RoleFacts, type RoleKind } from './facts.js';

/** The five roles of a bootstrap, null where one isn't there. */
export async function readRoles(target: Target, { account, region, bootstrap }: FleetPair, record: boolean): Promise<Record<RoleKind, RoleFacts | null>> {
  const client = await clientOf(target, IAMClient, account, 'us-east-1');
  const found = await Promise.all(ROLE_KINDS.map(async (kind) => [kind, await readRole(client, `cdk-${bootstrap.qualifier}-${kind}-role-${account}-${region}`, record)] as const));
  return Object.fromEntries(found) as Record<RoleKind, RoleFacts | null>;
}

async function readRole(client: IAMClient, RoleName: string, record: boolean): Promise<RoleFacts | null> {
  const role = (await unlessAbsent(client.send(new GetRoleCommand({ RoleName }))))?.Role;
  if (!role) return null;
  const { AttachedPolicies = [] } = await client.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  const boundary = role.PermissionsBoundary?.PermissionsBoundaryArn;
  return {
    name: RoleName,
    arn: role.Arn ?? '',
    trust: decodeURIComponent(role.AssumeRolePolicyDocument ?? '{}'),
    ...(boundary ? { boundary } : {}),
    attached: AttachedPolicies.map(({ PolicyArn = '' }) => PolicyArn),
    ...(record ? { inline: await inlinePolicies(client, RoleName) } : {}),
  };
}

async function inlinePolicies(client: IAMClient, RoleName: string): Promise<Record<string, string>> {
  const { PolicyNames = [] } = await client.send(new ListRolePoliciesCommand({ RoleName }));
  const documents = await Promise.all(PolicyNames.map((PolicyName) => client.send(new GetRolePolicyCommand({ RoleName, PolicyName }))));
  return Object.fromEntries(documents.map(({ PolicyName = '', PolicyDocument = '' }) => [PolicyName, decodeURIComponent(PolicyDocument)]));
}

/** Documents of the customer's own policies that the roles have, as permissions or as boundary. */
export async function readPolicies(target: Target, { account }: FleetPair, roles: Readonly<Record<RoleKind, RoleFacts | null>>): Promise<Record<string, string>> {
  const client = await clientOf(target, IAMClient, account, 'us-east-1');
  const arns = new Set(Object.values(roles).flatMap((role) => (role ? [...role.attached, ...(role.boundary ? [role.boundary] : [])] : [])).filter((arn) => !/^arn:[a-z-]+:iam::aws:/.test(arn)));
  const found: Record<string, string> = {};
  for (const PolicyArn of arns) {
    const { Policy } = await client.send(new GetPolicyCommand({ PolicyArn }));
    const { PolicyVersion } = await client.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy?.DefaultVersionId }));
    found[PolicyArn] = decodeURIComponent(PolicyVersion?.Document ?? '{}');
  }
  return found;
}

/**
 * Boundaries that bind nothing made under them: a role can be created without the boundary. CDK's own example was of that kind up to CLI 2.1147,
 * and an existing policy is taken as it is by a bootstrap with a newer one. Decided by IAM itself (SimulateCustomPolicy).
 */
export async function inertBoundaries(target: Target, { account }: FleetPair, roles: Readonly<Record<RoleKind, RoleFacts | null>>, policies: Readonly<Record<string, string>>): Promise<string[]> {
  const client = await clientOf(target, IAMClient, account, 'us-east-1');
  const bounds = new Set(Object.values(roles).flatMap((role) => (role?.boundary && policies[role.boundary] ? [role.boundary] : [])));
  const inert: string[] = [];
  for (const arn of bounds) {
    const { EvaluationResults = [] } = await client.send(new SimulateCustomPolicyCommand({ PolicyInputList: [policies[arn]!], ActionNames: ['iam:CreateRole'], ResourceArns: [`arn:aws:iam::${account}:role/made-by-a-deployment`] }));
    if (EvaluationResults.some(({ EvalDecision }) => EvalDecision === 'allowed')) inert.push(arn);
  }
  return inert;
}
