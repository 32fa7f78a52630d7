import { isObject, type Json, type JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { HandlerError, ignoring } from './failure.js';
import { iamPolicies } from './iam-policies.js';
import { keepPolicies, policyText, type Holder, type InlinePolicy } from './iam-holders.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface RoleProperties {
  readonly RoleName?: string;
  readonly Path?: string;
  readonly AssumeRolePolicyDocument: Json;
  readonly Description?: string;
  readonly ManagedPolicyArns?: readonly string[];
  readonly MaxSessionDuration?: number;
  readonly PermissionsBoundary?: string;
  readonly Policies?: readonly InlinePolicy[];
  readonly Tags?: readonly Tag[];
}

const GONE = ['NoSuchEntity', 'NoSuchEntityException'];
const roleName = (properties: RoleProperties, context: ProviderContext): string => properties.RoleName ?? context.name({ limit: 64 });

const role: ResourceProvider<RoleProperties> = {
  type: 'AWS::IAM::Role',
  identify: roleName,
  async create(properties, context) {
    const RoleName = roleName(properties, context);
    const { Role } = await context.client.call<{ Role: { Arn: string; RoleId: string } }>('iam', 'CreateRole', {
      RoleName, AssumeRolePolicyDocument: policyText(trustDocument(properties.AssumeRolePolicyDocument)),
      ...(properties.Path ? { Path: properties.Path } : {}), Description: properties.Description ?? '',
      ...(properties.MaxSessionDuration ? { MaxSessionDuration: properties.MaxSessionDuration } : {}), ...(properties.PermissionsBoundary ? { PermissionsBoundary: properties.PermissionsBoundary } : {}),
      Tags: withoutSystemTags(context.tags(properties.Tags)),
    });
    context.initiated(RoleName);
    await keepPolicies(ROLE, RoleName, {}, properties, context);
    return { physicalId: RoleName, attributes: { Arn: Role.Arn, RoleId: Role.RoleId } };
  },
  async update(RoleName, before, after, context) {
    const { client } = context;
    if (policyText(before.AssumeRolePolicyDocument) !== policyText(after.AssumeRolePolicyDocument)) {
      await client.call('iam', 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: policyText(trustDocument(after.AssumeRolePolicyDocument)) });
    }
    if (before.Description !== after.Description || before.MaxSessionDuration !== after.MaxSessionDuration) {
      await client.call('iam', 'UpdateRole', { RoleName, Description: after.Description ?? '', MaxSessionDuration: after.MaxSessionDuration ?? 3600 });
    }
    await keepBoundary('Role', RoleName, before.PermissionsBoundary, after.PermissionsBoundary, context);
    await keepPolicies(ROLE, RoleName, before, after, context);
    await keepTags('Role', RoleName, before.Tags, after.Tags, context);
    return { attributes: await roleAnswers(RoleName, context) };
  },
  async delete(RoleName, properties, context) {
    await ignoring(GONE, keepPolicies(ROLE, RoleName, properties, {}, context));
    await ignoring(GONE, context.client.call('iam', 'DeleteRole', { RoleName }));
  },
  async read(RoleName, context) {
    const answer = await ignoring(GONE, context.client.call<{ Role: { Arn: string; RoleId: string; Path: string; Description?: string; MaxSessionDuration?: number; AssumeRolePolicyDocument: string } }>('iam', 'GetRole', { RoleName }));
    if (!answer) return undefined;
    const { Arn, RoleId, Path, Description, MaxSessionDuration, AssumeRolePolicyDocument } = answer.Role;
    return {
      RoleName, Arn, RoleId, Path, AssumeRolePolicyDocument: decoded(AssumeRolePolicyDocument), ...(Description ? { Description } : {}), ...(MaxSessionDuration === undefined ? {} : { MaxSessionDuration }),
    } satisfies JsonObject;
  },
  attributes: (RoleName, _properties, context) => roleAnswers(RoleName, context),
};

/** CloudFormation writes a list of one as its item in trust policies (recorded: cfn-nested-stacks-nested-output-in-params); IAM itself keeps what it gets. */
function trustDocument(document: Json): Json {
  if (Array.isArray(document)) return document.map(trustDocument);
  if (!isObject(document)) return document;
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, key !== 'Statement' && Array.isArray(value) && value.length === 1 && typeof value[0] === 'string' ? value[0] : trustDocument(value)]));
}

const ROLE: Holder = { kind: 'Role', member: 'RoleName' };
const USER: Holder = { kind: 'User', member: 'UserName' };
const GROUP: Holder = { kind: 'Group', member: 'GroupName' };

async function roleAnswers(RoleName: string, context: ProviderContext): Promise<JsonObject> {
  const { Role } = await context.client.call<{ Role: { Arn: string; RoleId: string } }>('iam', 'GetRole', { RoleName });
  return { Arn: Role.Arn, RoleId: Role.RoleId };
}

function decoded(document: string): Json {
  return JSON.parse(document.startsWith('%') ? decodeURIComponent(document) : document) as Json;
}

async function keepBoundary(kind: 'Role' | 'User', name: string, before: string | undefined, after: string | undefined, context: ProviderContext): Promise<void> {
  if (before === after) return;
  if (after === undefined) await ignoring(GONE, context.client.call('iam', `Delete${kind}PermissionsBoundary`, { [`${kind}Name`]: name }));
  else await context.client.call('iam', `Put${kind}PermissionsBoundary`, { [`${kind}Name`]: name, PermissionsBoundary: after });
}

async function keepTags(kind: 'Role' | 'User', name: string, before: readonly Tag[] | undefined, after: readonly Tag[] | undefined, context: ProviderContext): Promise<void> {
  const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before)), withoutSystemTags(context.tags(after)));
  if (remove.length > 0) await context.client.call('iam', `Untag${kind}`, { [`${kind}Name`]: name, TagKeys: remove });
  if (add.length > 0) await context.client.call('iam', `Tag${kind}`, { [`${kind}Name`]: name, Tags: add });
}

interface UserProperties {
  readonly UserName?: string;
  readonly Path?: string;
  readonly Groups?: readonly string[];
  readonly LoginProfile?: { readonly Password: string; readonly PasswordResetRequired?: boolean };
  readonly ManagedPolicyArns?: readonly string[];
  readonly PermissionsBoundary?: string;
  readonly Policies?: readonly InlinePolicy[];
  readonly Tags?: readonly Tag[];
}

const userName = (properties: UserProperties, context: ProviderContext): string => properties.UserName ?? context.name({ limit: 64 });

const user: ResourceProvider<UserProperties> = {
  type: 'AWS::IAM::User',
  identify: userName,
  async create(properties, context) {
    const UserName = userName(properties, context);
    const { User } = await context.client.call<{ User: { Arn: string } }>('iam', 'CreateUser', {
      UserName, ...(properties.Path ? { Path: properties.Path } : {}), ...(properties.PermissionsBoundary ? { PermissionsBoundary: properties.PermissionsBoundary } : {}), Tags: withoutSystemTags(context.tags(properties.Tags)),
    });
    context.initiated(UserName);
    await keepGroups(UserName, [], properties.Groups ?? [], context);
    await keepPolicies(USER, UserName, {}, properties, context);
    if (properties.LoginProfile) await context.client.call('iam', 'CreateLoginProfile', { UserName, ...properties.LoginProfile });
    return { physicalId: UserName, attributes: { Arn: User.Arn } };
  },
  async update(UserName, before, after, context) {
    await keepGroups(UserName, before.Groups ?? [], after.Groups ?? [], context);
    await keepPolicies(USER, UserName, before, after, context);
    await keepBoundary('User', UserName, before.PermissionsBoundary, after.PermissionsBoundary, context);
    await keepTags('User', UserName, before.Tags, after.Tags, context);
    if (before.Path !== after.Path) await context.client.call('iam', 'UpdateUser', { UserName, NewPath: after.Path ?? '/' });
    await keepLogin(UserName, before.LoginProfile, after.LoginProfile, context);
  },
  async delete(UserName, properties, context) {
    await ignoring(GONE, keepGroups(UserName, properties.Groups ?? [], [], context));
    await ignoring(GONE, keepPolicies(USER, UserName, properties, {}, context));
    if (properties.LoginProfile) await ignoring(GONE, context.client.call('iam', 'DeleteLoginProfile', { UserName }));
    await ignoring(GONE, context.client.call('iam', 'DeleteUser', { UserName }));
  },
  async read(UserName, context) {
    const answer = await ignoring(GONE, context.client.call<{ User: { Arn: string; Path: string } }>('iam', 'GetUser', { UserName }));
    return answer ? { UserName, Arn: answer.User.Arn, Path: answer.User.Path } : undefined;
  },
};

async function keepLogin(UserName: string, before: UserProperties['LoginProfile'], after: UserProperties['LoginProfile'], { client }: ProviderContext): Promise<void> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (after === undefined) await ignoring(GONE, client.call('iam', 'DeleteLoginProfile', { UserName }));
  else await client.call('iam', before === undefined ? 'CreateLoginProfile' : 'UpdateLoginProfile', { UserName, ...after });
}

async function keepGroups(UserName: string, before: readonly string[], after: readonly string[], context: ProviderContext): Promise<void> {
  for (const GroupName of before) if (!after.includes(GroupName)) await ignoring(GONE, context.client.call('iam', 'RemoveUserFromGroup', { GroupName, UserName }));
  for (const GroupName of after) if (!before.includes(GroupName)) await context.client.call('iam', 'AddUserToGroup', { GroupName, UserName });
}

interface GroupProperties {
  readonly GroupName?: string;
  readonly Path?: string;
  readonly ManagedPolicyArns?: readonly string[];
  readonly Policies?: readonly InlinePolicy[];
}

const groupName = (properties: GroupProperties, context: ProviderContext): string => properties.GroupName ?? context.name({ limit: 128 });

const group: ResourceProvider<GroupProperties> = {
  type: 'AWS::IAM::Group',
  identify: groupName,
  async create(properties, context) {
    const GroupName = groupName(properties, context);
    const { Group } = await context.client.call<{ Group: { Arn: string } }>('iam', 'CreateGroup', { GroupName, ...(properties.Path ? { Path: properties.Path } : {}) });
    context.initiated(GroupName);
    await keepPolicies(GROUP, GroupName, {}, properties, context);
    return { physicalId: GroupName, attributes: { Arn: Group.Arn } };
  },
  async update(GroupName, before, after, context) {
    await keepPolicies(GROUP, GroupName, before, after, context);
    if (before.Path !== after.Path) await context.client.call('iam', 'UpdateGroup', { GroupName, NewPath: after.Path ?? '/' });
  },
  async delete(GroupName, properties, context) {
    await ignoring(GONE, keepPolicies(GROUP, GroupName, properties, {}, context));
    await ignoring(GONE, context.client.call('iam', 'DeleteGroup', { GroupName }));
  },
  async read(GroupName, context) {
    const answer = await ignoring(GONE, context.client.call<{ Group: { Arn: string; Path: string } }>('iam', 'GetGroup', { GroupName }));
    return answer ? { GroupName, Arn: answer.Group.Arn, Path: answer.Group.Path } : undefined;
  },
};

interface InstanceProfileProperties {
  readonly InstanceProfileName?: string;
  readonly Path?: string;
  readonly Roles: readonly string[];
}

const profileName = (properties: InstanceProfileProperties, context: ProviderContext): string => properties.InstanceProfileName ?? context.name({ limit: 128 });

const instanceProfile: ResourceProvider<InstanceProfileProperties> = {
  type: 'AWS::IAM::InstanceProfile',
  identify: profileName,
  async create(properties, context) {
    const InstanceProfileName = profileName(properties, context);
    const { InstanceProfile } = await context.client.call<{ InstanceProfile: { Arn: string } }>('iam', 'CreateInstanceProfile', { InstanceProfileName, ...(properties.Path ? { Path: properties.Path } : {}) });
    context.initiated(InstanceProfileName);
    for (const RoleName of properties.Roles) await context.client.call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName, RoleName });
    return { physicalId: InstanceProfileName, attributes: { Arn: InstanceProfile.Arn } };
  },
  async update(InstanceProfileName, before, after, context) {
    for (const RoleName of before.Roles) if (!after.Roles.includes(RoleName)) await ignoring(GONE, context.client.call('iam', 'RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName }));
    for (const RoleName of after.Roles) if (!before.Roles.includes(RoleName)) await context.client.call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName, RoleName });
  },
  async delete(InstanceProfileName, properties, context) {
    for (const RoleName of properties.Roles) await ignoring(GONE, context.client.call('iam', 'RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName }));
    await ignoring(GONE, context.client.call('iam', 'DeleteInstanceProfile', { InstanceProfileName }));
  },
  async read(InstanceProfileName, context) {
    const answer = await ignoring(GONE, context.client.call<{ InstanceProfile: { Arn: string; Path: string; Roles: { RoleName: string }[] } }>('iam', 'GetInstanceProfile', { InstanceProfileName }));
    return answer ? { InstanceProfileName, Arn: answer.InstanceProfile.Arn, Path: answer.InstanceProfile.Path, Roles: answer.InstanceProfile.Roles.map((entry) => entry.RoleName) } : undefined;
  },
};

interface AccessKeyProperties {
  readonly UserName: string;
  readonly Status?: string;
  readonly Serial?: number;
}

const accessKey: ResourceProvider<AccessKeyProperties> = {
  type: 'AWS::IAM::AccessKey',
  async create({ UserName, Status }, context) {
    const { AccessKey } = await context.client.call<{ AccessKey: { AccessKeyId: string; SecretAccessKey: string } }>('iam', 'CreateAccessKey', { UserName });
    context.initiated(AccessKey.AccessKeyId);
    if (Status === 'Inactive') await context.client.call('iam', 'UpdateAccessKey', { UserName, AccessKeyId: AccessKey.AccessKeyId, Status });
    return { physicalId: AccessKey.AccessKeyId, attributes: { Id: AccessKey.AccessKeyId, SecretAccessKey: AccessKey.SecretAccessKey } };
  },
  async update(AccessKeyId, before, after, context) {
    if (before.Status !== after.Status) await context.client.call('iam', 'UpdateAccessKey', { UserName: after.UserName, AccessKeyId, Status: after.Status ?? 'Active' });
  },
  async delete(AccessKeyId, { UserName }, context) {
    await ignoring(GONE, context.client.call('iam', 'DeleteAccessKey', { UserName, AccessKeyId }));
  },
};

interface OidcProperties {
  readonly Url?: string;
  readonly ClientIdList?: readonly string[];
  readonly ThumbprintList?: readonly string[];
  readonly Tags?: readonly Tag[];
}

const oidcProvider: ResourceProvider<OidcProperties> = {
  type: 'AWS::IAM::OIDCProvider',
  identify: (properties, context) => (properties.Url === undefined ? undefined : `arn:aws:iam::${context.account}:oidc-provider/${properties.Url.replace(/^https:\/\//, '')}`),
  async create(properties, context) {
    if (properties.Url === undefined) throw new HandlerError('InvalidRequest', 'Url is required');
    const { OpenIDConnectProviderArn } = await context.client.call<{ OpenIDConnectProviderArn: string }>('iam', 'CreateOpenIDConnectProvider', {
      Url: properties.Url, ...(properties.ClientIdList ? { ClientIDList: properties.ClientIdList } : {}), ...(properties.ThumbprintList ? { ThumbprintList: properties.ThumbprintList } : {}), Tags: withoutSystemTags(context.tags(properties.Tags)),
    });
    return { physicalId: OpenIDConnectProviderArn, attributes: { Arn: OpenIDConnectProviderArn } };
  },
  async update(OpenIDConnectProviderArn, before, after, context) {
    const { client } = context;
    const was = before.ClientIdList ?? [];
    const is = after.ClientIdList ?? [];
    for (const ClientID of is) if (!was.includes(ClientID)) await client.call('iam', 'AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID });
    for (const ClientID of was) if (!is.includes(ClientID)) await client.call('iam', 'RemoveClientIDFromOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID });
    if (JSON.stringify(before.ThumbprintList) !== JSON.stringify(after.ThumbprintList)) await client.call('iam', 'UpdateOpenIDConnectProviderThumbprint', { OpenIDConnectProviderArn, ThumbprintList: after.ThumbprintList ?? [] });
  },
  async delete(OpenIDConnectProviderArn, _properties, context) {
    await ignoring(GONE, context.client.call('iam', 'DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn }));
  },
  async read(OpenIDConnectProviderArn, context) {
    const answer = await ignoring(GONE, context.client.call<{ Url: string; ClientIDList?: string[]; ThumbprintList?: string[] }>('iam', 'GetOpenIDConnectProvider', { OpenIDConnectProviderArn }));
    return answer ? { Arn: OpenIDConnectProviderArn, Url: answer.Url, ClientIdList: answer.ClientIDList ?? [], ThumbprintList: answer.ThumbprintList ?? [] } : undefined;
  },
};

export const iam = [role, user, group, instanceProfile, accessKey, oidcProvider, ...iamPolicies];
