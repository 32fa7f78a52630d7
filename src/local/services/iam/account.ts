import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import { GLOBAL, table } from '../../state/state.js';
import { attachedPolicies } from './attachments.js';
import { awsManagedPolicies } from './aws-managed.js';
import { encoded } from './documents.js';
import type { Handlers } from './handlers.js';
import { profilesWith, shownProfile } from './instance-profiles.js';
import { shownPolicy, usage } from './managed-policies.js';
import { page } from './pages.js';
import { providerCounts } from './providers.js';
import { shortRole, shownBoundary, shownLastUsed } from './roles.js';
import { absent, accessKeys, exists, groupsOf, key, policiesTableOf, profilesOf, rolesOf, shownTags, userOf, usersOf, type Entity, type ManagedPolicy, type User } from './store.js';
import { keysOf } from './users.js';

/** The account as a whole: alias, summary, everything in one answer, credential report. */

const aliases = table<string>('iam', 'aliases');
const reports = table<{ readonly csv: string; readonly generated: number }>('iam', 'credential-reports');

export const accountOperations = {
  CreateAccountAlias: (input, context) => {
    const own = aliases(context.state, context.account, GLOBAL);
    const taken = aliases(context.state, 'cloud', GLOBAL);
    const owner = taken.get(input.AccountAlias);
    if (owner !== undefined && owner !== context.account) exists(`The account alias ${input.AccountAlias} already exists.`);
    context.state.transaction(() => {
      const before = own.get('alias');
      if (before !== undefined) taken.delete(before);
      own.put('alias', input.AccountAlias);
      taken.put(input.AccountAlias, context.account);
    });
  },

  ListAccountAliases: (_input, context) => {
    const alias = aliases(context.state, context.account, GLOBAL).get('alias');
    return { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false };
  },

  DeleteAccountAlias: (input, context) => {
    const own = aliases(context.state, context.account, GLOBAL);
    if (own.get('alias') !== input.AccountAlias) absent(`The account alias ${input.AccountAlias} cannot be found.`);
    context.state.transaction(() => {
      own.delete('alias');
      aliases(context.state, 'cloud', GLOBAL).delete(input.AccountAlias);
    });
  },

  GetAccountSummary: (_input, context) => {
    const policies = policiesTableOf(context).list();
    const users = usersOf(context).list();
    return {
      SummaryMap: {
        Users: users.length,
        UsersQuota: 5000,
        Groups: groupsOf(context).list().length,
        GroupsQuota: 300,
        Roles: rolesOf(context).list().length,
        RolesQuota: 1000,
        InstanceProfiles: profilesOf(context).list().length,
        InstanceProfilesQuota: 1000,
        Policies: policies.length,
        PoliciesQuota: 1500,
        PolicyVersionsInUse: policies.reduce((sum, policy) => sum + policy.versions.length, 0),
        PolicyVersionsInUseQuota: 10_000,
        Providers: providerCounts(context),
        ServerCertificates: 0,
        ServerCertificatesQuota: 20,
        MFADevices: 0,
        MFADevicesInUse: 0,
        AccountMFAEnabled: 0,
        AccountAccessKeysPresent: 0,
        AccountSigningCertificatesPresent: 0,
        AccountPasswordPresent: 0,
        AccessKeysPerUserQuota: 2,
        AssumeRolePolicySizeQuota: 2048,
        AttachedPoliciesPerGroupQuota: 10,
        AttachedPoliciesPerRoleQuota: 10,
        AttachedPoliciesPerUserQuota: 10,
        GlobalEndpointTokenVersion: 1,
        GroupPolicySizeQuota: 5120,
        GroupsPerUserQuota: 10,
        PolicySizeQuota: 6144,
        RolePolicySizeQuota: 10_240,
        SigningCertificatesPerUserQuota: 2,
        UserPolicySizeQuota: 2048,
        VersionsPerPolicyQuota: 5,
      } as IAM.GetAccountSummaryResponse['SummaryMap'],
    };
  },

  GetAccountAuthorizationDetails: (input, context) => {
    const wanted = (type: IAM.EntityType): boolean => !input.Filter || input.Filter.length === 0 || input.Filter.includes(type);
    const used = usage(context);
    const found = [
      ...(wanted('User') ? usersOf(context).list().map((user) => ({ type: 'user' as const, sort: `1/${key(user.name)}`, user })) : []),
      ...(wanted('Group') ? groupsOf(context).list().map((group) => ({ type: 'group' as const, sort: `2/${key(group.name)}`, group })) : []),
      ...(wanted('Role') ? rolesOf(context).list().map((role) => ({ type: 'role' as const, sort: `3/${key(role.name)}`, role })) : []),
      ...(wanted('LocalManagedPolicy') ? policiesTableOf(context).list().map(policyItem) : []),
      ...(wanted('AWSManagedPolicy') ? awsManagedPolicies().filter((policy) => used.has(policy.arn)).map(policyItem) : []),
    ];
    const { items, ...rest } = page(found, input, ({ sort }) => sort);
    return {
      UserDetailList: items.flatMap((item) => (item.type === 'user' ? [userDetail(item.user)] : [])),
      GroupDetailList: items.flatMap((item) => (item.type === 'group' ? [groupDetail(item.group)] : [])),
      RoleDetailList: items.flatMap((item) => {
        if (item.type !== 'role') return [];
        const { role } = item;
        return [
          {
            ...shortRole(role, context),
            InstanceProfileList: profilesWith(role.name, context).map((profile) => shownProfile(profile, context)),
            RolePolicyList: inlineDetails(role),
            AttachedManagedPolicies: attachedPolicies(role),
            ...shownBoundary(role.boundary),
            ...shownTags(role.tags),
            RoleLastUsed: shownLastUsed(role),
          },
        ];
      }),
      Policies: items.flatMap((item) => (item.type === 'policy' ? [{ ...shownPolicy(item.policy, used), PolicyVersionList: versionDetails(item.policy) }] : [])),
      ...rest,
    };
  },

  GenerateCredentialReport: (_input, context) => {
    const stored = reports(context.state, context.account, GLOBAL);
    const known = stored.get('report');
    stored.put('report', { csv: credentialReport(context), generated: context.now().getTime() });
    return known ? { State: 'COMPLETE' } : { State: 'STARTED', Description: 'No report exists. Starting a new report generation task' };
  },

  GetCredentialReport: (_input, context) => {
    const report = reports(context.state, context.account, GLOBAL).get('report');
    if (!report) throw new AwsError('ReportNotPresent', 'No report present. Use GenerateCredentialReport to generate one.', { status: 410 });
    return { Content: new TextEncoder().encode(report.csv), ReportFormat: 'text/csv', GeneratedTime: new Date(report.generated) };
  },

  // None of these can be made in the local cloud, so there are none.
  ListMFADevices: (input, context) => {
    if (input.UserName !== undefined) userOf(context, input.UserName);
    return { MFADevices: [], IsTruncated: false };
  },
  ListVirtualMFADevices: () => ({ VirtualMFADevices: [], IsTruncated: false }),
  ListSigningCertificates: (input, context) => {
    userOf(context, input.UserName);
    return { Certificates: [], IsTruncated: false };
  },
  ListSSHPublicKeys: (input, context) => {
    userOf(context, input.UserName);
    return { SSHPublicKeys: [], IsTruncated: false };
  },
  ListServerCertificates: () => ({ ServerCertificateMetadataList: [], IsTruncated: false }),
} satisfies Handlers;

function policyItem(policy: ManagedPolicy) {
  return { type: 'policy' as const, sort: `4/${policy.arn}`, policy };
}

function inlineDetails(entity: Entity): IAM.PolicyDetail[] {
  return Object.entries(entity.inline).map(([name, document]) => ({ PolicyName: name, PolicyDocument: encoded(document) }));
}

function userDetail(user: User): IAM.UserDetail {
  return {
    ...entityDetail(user),
    UserName: user.name,
    UserId: user.id,
    UserPolicyList: inlineDetails(user),
    GroupList: [...user.groups],
    ...shownBoundary(user.boundary),
    ...shownTags(user.tags),
  };
}

function groupDetail(group: Entity): IAM.GroupDetail {
  return { ...entityDetail(group), GroupName: group.name, GroupId: group.id, GroupPolicyList: inlineDetails(group) };
}

function entityDetail(entity: Entity) {
  return { Path: entity.path, Arn: entity.arn, CreateDate: new Date(entity.created), AttachedManagedPolicies: attachedPolicies(entity) };
}

function versionDetails(policy: ManagedPolicy): IAM.PolicyVersion[] {
  return [...policy.versions].reverse().map((version) => ({
    Document: encoded(version.document),
    VersionId: version.id,
    IsDefaultVersion: version.id === policy.defaultVersion,
    CreateDate: new Date(version.created),
  }));
}

const REPORT_COLUMNS =
  'user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,' +
  'access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,' +
  'access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,' +
  'cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated';

/** One line a user (IAM guide, "Understanding the report format"). */
function credentialReport(context: RequestContext): string {
  const time = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, '+00:00');
  const lines = usersOf(context).list().map((user) => {
    const keys = keysOf(user.name, context).map((id) => accessKeys(context.state).get(id));
    const keyColumns = [0, 1].flatMap((i) => {
      const found = keys[i];
      return found ? [String(found.active), time(found.created), 'N/A', 'N/A', 'N/A'] : ['false', 'N/A', 'N/A', 'N/A', 'N/A'];
    });
    const changed = user.loginProfile ? time(user.loginProfile.created) : 'N/A';
    const password = [String(user.loginProfile !== undefined), user.loginProfile ? 'no_information' : 'N/A', changed, 'N/A'];
    return [user.name, user.arn, time(user.created), ...password, 'false', ...keyColumns, 'false', 'N/A', 'false', 'N/A'].join(',');
  });
  return [REPORT_COLUMNS, ...lines].join('\n');
}
