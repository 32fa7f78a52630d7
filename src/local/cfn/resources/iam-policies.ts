import type { Json } from '../json.js';
import { HandlerError, ignoring } from './failure.js';
import { policyText, type Holder } from './iam-holders.js';
import { randomText } from './names.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

const GONE = ['NoSuchEntity', 'NoSuchEntityException'];
const HOLDERS: readonly (Holder & { readonly property: 'Roles' | 'Users' | 'Groups' })[] = [
  { kind: 'Role', member: 'RoleName', property: 'Roles' },
  { kind: 'User', member: 'UserName', property: 'Users' },
  { kind: 'Group', member: 'GroupName', property: 'Groups' },
];

interface PolicyProperties {
  readonly PolicyName: string;
  readonly PolicyDocument: Json;
  readonly Roles?: readonly string[];
  readonly Users?: readonly string[];
  readonly Groups?: readonly string[];
}

/** An inline policy put on several roles, users and groups. */
const policy: ResourceProvider<PolicyProperties> = {
  type: 'AWS::IAM::Policy',
  async create(properties, context) {
    // The ID is CloudFormation's own and there before anything is done (recorded: cfn-stacks-blocked-stack-deletion).
    const physicalId = `${context.stackName.slice(0, 5)}-${context.logicalId.slice(0, 4)}-${randomText(`${context.token}/${context.logicalId}`, 12, true)}`;
    context.initiated(physicalId);
    requireHolders(properties);
    await put(properties, context);
    return { physicalId, attributes: { Id: physicalId } };
  },
  async update(_id, before, after, context) {
    requireHolders(after);
    await put(after, context);
    for (const { kind, member, property } of HOLDERS) {
      for (const name of before[property] ?? []) {
        const kept = before.PolicyName === after.PolicyName && (after[property] ?? []).includes(name);
        if (!kept) await ignoring(GONE, context.client.call('iam', `Delete${kind}Policy`, { [member]: name, PolicyName: before.PolicyName }));
      }
    }
  },
  async delete(_id, properties, context) {
    requireHolders(properties);
    for (const { kind, member, property } of HOLDERS) {
      for (const name of properties[property] ?? []) await ignoring(GONE, context.client.call('iam', `Delete${kind}Policy`, { [member]: name, PolicyName: properties.PolicyName }));
    }
  },
  recover: (properties, context) => policy.create(properties, context),
};

function requireHolders(properties: PolicyProperties): void {
  if (HOLDERS.every(({ property }) => (properties[property] ?? []).length === 0)) throw new HandlerError('InvalidRequest', 'At least one of [Groups,Roles,Users] must be non-empty.');
}

async function put(properties: PolicyProperties, context: ProviderContext): Promise<void> {
  const PolicyDocument = policyText(properties.PolicyDocument);
  for (const { kind, member, property } of HOLDERS) {
    for (const name of properties[property] ?? []) await context.client.call('iam', `Put${kind}Policy`, { [member]: name, PolicyName: properties.PolicyName, PolicyDocument });
  }
}

interface ManagedPolicyProperties {
  readonly ManagedPolicyName?: string;
  readonly Path?: string;
  readonly Description?: string;
  readonly PolicyDocument: Json;
  readonly Roles?: readonly string[];
  readonly Users?: readonly string[];
  readonly Groups?: readonly string[];
}

const managedName = (properties: ManagedPolicyProperties, context: ProviderContext): string => properties.ManagedPolicyName ?? context.name({ limit: 128 });

const managedPolicy: ResourceProvider<ManagedPolicyProperties> = {
  type: 'AWS::IAM::ManagedPolicy',
  identify: (properties, context) => `arn:aws:iam::${context.account}:policy${properties.Path ?? '/'}${managedName(properties, context)}`,
  async create(properties, context) {
    const { Policy } = await context.client.call<{ Policy: { Arn: string; PolicyId: string } }>('iam', 'CreatePolicy', {
      PolicyName: managedName(properties, context), PolicyDocument: policyText(properties.PolicyDocument),
      ...(properties.Path ? { Path: properties.Path } : {}), ...(properties.Description === undefined ? {} : { Description: properties.Description }),
    });
    context.initiated(Policy.Arn);
    await attach(Policy.Arn, {}, properties, context);
    return { physicalId: Policy.Arn, attributes: { PolicyArn: Policy.Arn, PolicyId: Policy.PolicyId, DefaultVersionId: 'v1', AttachmentCount: 0, IsAttachable: true, PermissionsBoundaryUsageCount: 0 } };
  },
  async update(PolicyArn, before, after, context) {
    if (policyText(before.PolicyDocument) !== policyText(after.PolicyDocument)) await newVersion(PolicyArn, after.PolicyDocument, context);
    await attach(PolicyArn, before, after, context);
  },
  async delete(PolicyArn, properties, context) {
    await attach(PolicyArn, properties, {}, context);
    const answer = await ignoring(GONE, context.client.call<{ Versions: { VersionId: string; IsDefaultVersion: boolean }[] }>('iam', 'ListPolicyVersions', { PolicyArn }));
    for (const { VersionId, IsDefaultVersion } of answer?.Versions ?? []) if (!IsDefaultVersion) await ignoring(GONE, context.client.call('iam', 'DeletePolicyVersion', { PolicyArn, VersionId }));
    await ignoring(GONE, context.client.call('iam', 'DeletePolicy', { PolicyArn }));
  },
  async read(PolicyArn, context) {
    const answer = await ignoring(GONE, context.client.call<{ Policy: { PolicyName: string; PolicyId: string; Path: string; DefaultVersionId: string } }>('iam', 'GetPolicy', { PolicyArn }));
    if (!answer) return undefined;
    const { PolicyName, PolicyId, Path, DefaultVersionId } = answer.Policy;
    const { PolicyVersion } = await context.client.call<{ PolicyVersion: { Document: string } }>('iam', 'GetPolicyVersion', { PolicyArn, VersionId: DefaultVersionId });
    const text = PolicyVersion.Document.startsWith('%') ? decodeURIComponent(PolicyVersion.Document) : PolicyVersion.Document;
    return { PolicyArn, ManagedPolicyName: PolicyName, PolicyId, Path, DefaultVersionId, PolicyDocument: JSON.parse(text) as Json };
  },
};

/** A managed policy has at most five versions: the oldest that isn't the default one makes room. */
async function newVersion(PolicyArn: string, document: Json, context: ProviderContext): Promise<void> {
  const { Versions } = await context.client.call<{ Versions: { VersionId: string; IsDefaultVersion: boolean }[] }>('iam', 'ListPolicyVersions', { PolicyArn });
  const old = Versions.filter((version) => !version.IsDefaultVersion).sort((a, b) => Number(a.VersionId.slice(1)) - Number(b.VersionId.slice(1)))[0];
  if (Versions.length >= 5 && old) await context.client.call('iam', 'DeletePolicyVersion', { PolicyArn, VersionId: old.VersionId });
  await context.client.call('iam', 'CreatePolicyVersion', { PolicyArn, PolicyDocument: policyText(document), SetAsDefault: true });
}

async function attach(PolicyArn: string, before: Partial<ManagedPolicyProperties>, after: Partial<ManagedPolicyProperties>, context: ProviderContext): Promise<void> {
  for (const { kind, member, property } of HOLDERS) {
    const was = before[property] ?? [];
    const is = after[property] ?? [];
    for (const name of was) if (!is.includes(name)) await ignoring(GONE, context.client.call('iam', `Detach${kind}Policy`, { [member]: name, PolicyArn }));
    for (const name of is) if (!was.includes(name)) await context.client.call('iam', `Attach${kind}Policy`, { [member]: name, PolicyArn });
  }
}

/** `AWS::IAM::RolePolicy` and its like: one inline policy of one holder. */
function inlinePolicy(holder: Holder): ResourceProvider<Record<string, Json>> {
  const names = (properties: Record<string, Json>): Record<string, Json> => ({ [holder.member]: properties[holder.member]!, PolicyName: properties['PolicyName']! });
  const provider: ResourceProvider<Record<string, Json>> = {
    type: `AWS::IAM::${holder.kind}Policy`,
    identify: (properties) => `${String(properties['PolicyName'])}|${String(properties[holder.member])}`,
    async create(properties, context) {
      await context.client.call('iam', `Put${holder.kind}Policy`, { ...names(properties), PolicyDocument: policyText(properties['PolicyDocument'] ?? {}) });
      return { physicalId: `${String(properties['PolicyName'])}|${String(properties[holder.member])}` };
    },
    async update(_id, _before, after, context) {
      await context.client.call('iam', `Put${holder.kind}Policy`, { ...names(after), PolicyDocument: policyText(after['PolicyDocument'] ?? {}) });
    },
    async delete(_id, properties, context) {
      await ignoring(GONE, context.client.call('iam', `Delete${holder.kind}Policy`, names(properties)));
    },
    recover: (properties, context) => provider.create(properties, context),
  };
  return provider;
}

interface AdditionProperties {
  readonly GroupName: string;
  readonly Users: readonly string[];
}

const userToGroupAddition: ResourceProvider<AdditionProperties> = {
  type: 'AWS::IAM::UserToGroupAddition',
  async create({ GroupName, Users }, context) {
    const physicalId = context.name();
    for (const UserName of Users) await context.client.call('iam', 'AddUserToGroup', { GroupName, UserName });
    return { physicalId };
  },
  async update(_id, before, after, context) {
    for (const UserName of before.Users) {
      if (before.GroupName !== after.GroupName || !after.Users.includes(UserName)) await ignoring(GONE, context.client.call('iam', 'RemoveUserFromGroup', { GroupName: before.GroupName, UserName }));
    }
    for (const UserName of after.Users) await context.client.call('iam', 'AddUserToGroup', { GroupName: after.GroupName, UserName });
  },
  async delete(_id, { GroupName, Users }, context) {
    for (const UserName of Users) await ignoring(GONE, context.client.call('iam', 'RemoveUserFromGroup', { GroupName, UserName }));
  },
  recover: (properties, context) => userToGroupAddition.create(properties, context),
};

export const iamPolicies: readonly ResourceProvider[] = [policy, managedPolicy, ...HOLDERS.map(inlinePolicy), userToGroupAddition];
