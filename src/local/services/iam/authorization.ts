import { arn } from '../../kernel/arn.js';
import type { Authorization, AuthorizationRule, ConditionContext, RequestContext } from '../../kernel/service.js';
import { linkedRoleName } from './service-linked.js';
import { groupsOf, key, profilesOf, rolesOf, usersOf } from './store.js';

/** What each operation of IAM needs (Service Authorization Reference, "AWS Identity and Access Management"). */

type Input = Readonly<Record<string, string | undefined>>;
type Resource = (input: Input, context: RequestContext) => string;

const iam = (context: RequestContext, resource: string): string => arn('iam', '', context.account, resource);

const role: Resource = ({ RoleName: name = '', Path: path }, context) => rolesOf(context).get(key(name))?.arn ?? iam(context, `role${path ?? '/'}${name}`);
const group: Resource = ({ GroupName: name = '', Path: path }, context) => groupsOf(context).get(key(name))?.arn ?? iam(context, `group${path ?? '/'}${name}`);
const profile: Resource = ({ InstanceProfileName: name = '', Path: path }, context) =>
  profilesOf(context).get(key(name))?.arn ?? iam(context, `instance-profile${path ?? '/'}${name}`);

/** The user named, or else the caller. */
const user: Resource = ({ UserName: name, Path: path }, context) => {
  if (name !== undefined) return usersOf(context).get(key(name))?.arn ?? iam(context, `user${path ?? '/'}${name}`);
  return context.principal.kind === 'user' ? context.principal.arn : iam(context, 'user/*');
};

const newPolicy: Resource = ({ PolicyName: name = '', Path: path = '/' }, context) => iam(context, `policy${path}${name}`);
const policy: Resource = ({ PolicyArn = '*' }) => PolicyArn;
const oidc: Resource = ({ OpenIDConnectProviderArn, Url }, context) =>
  OpenIDConnectProviderArn ?? iam(context, `oidc-provider/${(Url ?? '').replace(/^https:\/\//, '').replace(/\/$/, '')}`);
const saml: Resource = ({ SAMLProviderArn, Name }, context) => SAMLProviderArn ?? iam(context, `saml-provider/${Name ?? ''}`);
const linked: Resource = ({ AWSServiceName: service = '', CustomSuffix }, context) =>
  iam(context, `role/aws-service-role/${service}/${linkedRoleName(service, CustomSuffix) ?? '*'}`);
const under =
  (kind: string): Resource =>
  ({ PathPrefix: prefix = '/' }, context) =>
    iam(context, `${kind}${prefix}`);
const anything: Resource = () => '*';

/** `iam:PermissionsBoundary`: the boundary that is given, or else the one that the role or user has. */
const boundary = ({ PermissionsBoundary, RoleName, UserName }: Input, context: RequestContext): ConditionContext => {
  const entity = RoleName !== undefined ? rolesOf(context).get(key(RoleName)) : UserName !== undefined ? usersOf(context).get(key(UserName)) : undefined;
  return { 'iam:PermissionsBoundary': PermissionsBoundary ?? entity?.boundary };
};
const attached = (input: Input, context: RequestContext): ConditionContext => ({ 'iam:PolicyARN': input.PolicyArn, ...boundary(input, context) });
const service = ({ AWSServiceName }: Input): ConditionContext => ({ 'iam:AWSServiceName': AWSServiceName });
const credentialService = ({ ServiceName }: Input): ConditionContext => ({ 'iam:ServiceSpecificCredentialServiceName': ServiceName });

function rules(resource: Resource, names: string, context?: AuthorizationRule['context']): Record<string, Authorization> {
  const rule: AuthorizationRule = { resource, ...(context ? { context } : {}) };
  return Object.fromEntries(names.split(' ').map((name) => [name, rule]));
}

export const authorization: Readonly<Record<string, Authorization>> = {
  ...rules(role, 'GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole TagRole UntagRole ListRoleTags'),
  ...rules(role, 'GetRolePolicy ListRolePolicies ListAttachedRolePolicies ListInstanceProfilesForRole'),
  ...rules(role, 'CreateRole PutRolePolicy DeleteRolePolicy PutRolePermissionsBoundary DeleteRolePermissionsBoundary', boundary),
  ...rules(role, 'AttachRolePolicy DetachRolePolicy', attached),
  ...rules(role, 'DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus'),
  ...rules(linked, 'CreateServiceLinkedRole', service),
  ...rules(user, 'GetUser UpdateUser DeleteUser TagUser UntagUser ListUserTags GetUserPolicy ListUserPolicies ListAttachedUserPolicies ListGroupsForUser'),
  ...rules(user, 'CreateUser PutUserPolicy DeleteUserPolicy PutUserPermissionsBoundary DeleteUserPermissionsBoundary', boundary),
  ...rules(user, 'AttachUserPolicy DetachUserPolicy', attached),
  ...rules(user, 'CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey GetAccessKeyLastUsed'),
  ...rules(user, 'CreateLoginProfile GetLoginProfile UpdateLoginProfile DeleteLoginProfile ChangePassword'),
  ...rules(user, 'CreateServiceSpecificCredential ListServiceSpecificCredentials', credentialService),
  ...rules(user, 'UpdateServiceSpecificCredential ResetServiceSpecificCredential DeleteServiceSpecificCredential'),
  ...rules(user, 'ListMFADevices ListSigningCertificates ListSSHPublicKeys'),
  ...rules(group, 'CreateGroup GetGroup UpdateGroup DeleteGroup AddUserToGroup RemoveUserFromGroup'),
  ...rules(group, 'PutGroupPolicy GetGroupPolicy DeleteGroupPolicy ListGroupPolicies ListAttachedGroupPolicies'),
  ...rules(group, 'AttachGroupPolicy DetachGroupPolicy', attached),
  ...rules(newPolicy, 'CreatePolicy'),
  ...rules(policy, 'GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion ListPolicyVersions DeletePolicyVersion SetDefaultPolicyVersion'),
  ...rules(policy, 'ListEntitiesForPolicy TagPolicy UntagPolicy ListPolicyTags'),
  ...rules(profile, 'CreateInstanceProfile GetInstanceProfile DeleteInstanceProfile RemoveRoleFromInstanceProfile'),
  ...rules(profile, 'TagInstanceProfile UntagInstanceProfile ListInstanceProfileTags'),
  AddRoleToInstanceProfile: [
    { resource: profile },
    { action: 'iam:PassRole', resource: role, context: () => ({ 'iam:PassedToService': 'ec2.amazonaws.com' }) },
  ],
  ...rules(oidc, 'CreateOpenIDConnectProvider GetOpenIDConnectProvider DeleteOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint'),
  ...rules(oidc, 'AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider'),
  ...rules(oidc, 'TagOpenIDConnectProvider UntagOpenIDConnectProvider ListOpenIDConnectProviderTags'),
  ...rules(saml, 'CreateSAMLProvider GetSAMLProvider UpdateSAMLProvider DeleteSAMLProvider TagSAMLProvider UntagSAMLProvider ListSAMLProviderTags'),
  ...rules(under('role'), 'ListRoles'),
  ...rules(under('user'), 'ListUsers'),
  ...rules(under('group'), 'ListGroups'),
  ...rules(under('instance-profile'), 'ListInstanceProfiles'),
  // As AWS words it: "on resource: policy path /".
  ...rules(({ PathPrefix = '/' }) => `policy path ${PathPrefix}`, 'ListPolicies'),
  ...rules((_, context) => iam(context, 'oidc-provider/*'), 'ListOpenIDConnectProviders'),
  ...rules((_, context) => iam(context, 'saml-provider/*'), 'ListSAMLProviders'),
  ...rules(anything, 'CreateAccountAlias ListAccountAliases DeleteAccountAlias GetAccountSummary GetAccountAuthorizationDetails'),
  ...rules(anything, 'GetAccountPasswordPolicy UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy'),
  ...rules(anything, 'GenerateCredentialReport GetCredentialReport ListVirtualMFADevices ListServerCertificates'),
  ...rules(anything, 'SimulateCustomPolicy GetContextKeysForCustomPolicy'),
  ...rules(({ PolicySourceArn = '*' }) => PolicySourceArn, 'SimulatePrincipalPolicy GetContextKeysForPrincipalPolicy'),
};

