import type { Json } from '../json.js';
import { ignoring } from './failure.js';
import type { ProviderContext } from './provider.js';

/** Who policies hang on: roles, users and groups have the same operations under other names. */
export interface Holder {
  readonly kind: 'Role' | 'User' | 'Group';
  readonly member: 'RoleName' | 'UserName' | 'GroupName';
}

export interface InlinePolicy {
  readonly PolicyName: string;
  readonly PolicyDocument: Json;
}

interface Policies {
  readonly ManagedPolicyArns?: readonly string[];
  readonly Policies?: readonly InlinePolicy[];
}

const GONE = ['NoSuchEntity', 'NoSuchEntityException'];

export function policyText(document: Json): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}

/** Attaches, detaches, puts and deletes until the holder has the policies of `after`; others it has are left alone. */
export async function keepPolicies(holder: Holder, name: string, before: Policies, after: Policies, context: ProviderContext): Promise<void> {
  const { client } = context;
  const target = { [holder.member]: name };
  const was = before.ManagedPolicyArns ?? [];
  const is = after.ManagedPolicyArns ?? [];
  for (const PolicyArn of was) if (!is.includes(PolicyArn)) await ignoring(GONE, client.call('iam', `Detach${holder.kind}Policy`, { ...target, PolicyArn }));
  for (const PolicyArn of is) if (!was.includes(PolicyArn)) await client.call('iam', `Attach${holder.kind}Policy`, { ...target, PolicyArn });
  const inline = new Map((before.Policies ?? []).map((policy) => [policy.PolicyName, policyText(policy.PolicyDocument)]));
  for (const { PolicyName, PolicyDocument } of after.Policies ?? []) {
    if (inline.get(PolicyName) !== policyText(PolicyDocument)) await client.call('iam', `Put${holder.kind}Policy`, { ...target, PolicyName, PolicyDocument: policyText(PolicyDocument) });
    inline.delete(PolicyName);
  }
  for (const PolicyName of inline.keys()) await ignoring(GONE, client.call('iam', `Delete${holder.kind}Policy`, { ...target, PolicyName }));
}
