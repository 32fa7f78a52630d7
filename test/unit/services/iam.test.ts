import { describe, expect, it } from 'vitest';
import { accountCredentials, credential } from '../../../src/local/services/iam/identity.js';
import { A, allow, B, failure, iamCloud, trust } from './iam-cloud.js';

const EC2 = trust({ Service: 'ec2.amazonaws.com' });
const arn = (resource: string, account = A): string => `arn:aws:iam::${account}:${resource}`;

describe('roles', () => {
  it('come with a unique ID, an ARN with the path, and answers as AWS shapes them', async () => {
    const iam = iamCloud().admin();
    const made = await iam.call('iam', 'CreateRole', { RoleName: 'app', Path: '/team/', AssumeRolePolicyDocument: EC2, Description: 'x', Tags: [{ Key: 'k', Value: 'v' }] });
    expect(made).toEqual({
      Role: {
        Path: '/team/',
        RoleName: 'app',
        RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
        Arn: arn('role/team/app'),
        CreateDate: expect.any(Date),
        AssumeRolePolicyDocument: encodeURIComponent(EC2).replaceAll("'", '%27'),
        Description: 'x',
        Tags: [{ Key: 'k', Value: 'v' }],
      },
    });
    const { Role } = await iam.call<{ Role: Record<string, unknown> }>('iam', 'GetRole', { RoleName: 'APP' });
    expect(Role).toMatchObject({ RoleName: 'app', MaxSessionDuration: 3600, RoleLastUsed: {} });
    const listed = await iam.call<{ Roles: object[] }>('iam', 'ListRoles', { PathPrefix: '/team/' });
    expect(listed).toMatchObject({ IsTruncated: false, Roles: [{ RoleName: 'app' }] });
    expect(listed.Roles[0]).not.toHaveProperty('Tags');
  });

  it('are refused and found missing in AWS’s words', async () => {
    const iam = iamCloud().admin();
    await iam.call('iam', 'CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: EC2 });
    const create = (document: string, name = 'other') => failure(iam.call('iam', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: document }));
    expect(await create(EC2, 'App')).toEqual({ code: 'EntityAlreadyExists', message: 'Role with name App already exists.' });
    expect(await create('{,}')).toEqual({ code: 'MalformedPolicyDocument', message: 'This policy contains invalid Json' });
    expect(await create(trust({ AWS: arn('role/nobody') }))).toEqual({ code: 'MalformedPolicyDocument', message: `Invalid principal in policy: "AWS":"${arn('role/nobody')}"` });
    expect(await create(trust({ Service: 'nonsense' }))).toMatchObject({ code: 'MalformedPolicyDocument' });
    expect(await create(trust({ Service: 'ec2.amazonaws.com' }, { Condition: { StringEquals: { 'aws:x': 'y'.repeat(2100) } } }))).toEqual({
      code: 'LimitExceeded',
      message: 'Cannot exceed quota for ACLSizePerRole: 2048',
    });
    expect(await failure(iam.call('iam', 'GetRole', { RoleName: 'no' }))).toEqual({ code: 'NoSuchEntity', message: 'The role with name no cannot be found.' });
  });

  it('are deleted only when nothing hangs on them', async () => {
    const iam = iamCloud().admin();
    const role = { RoleName: 'app' };
    await iam.call('iam', 'CreateRole', { ...role, AssumeRolePolicyDocument: EC2 });
    await iam.call('iam', 'PutRolePolicy', { ...role, PolicyName: 'p', PolicyDocument: allow('s3:*') });
    await iam.call('iam', 'AttachRolePolicy', { ...role, PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
    await iam.call('iam', 'CreateInstanceProfile', { InstanceProfileName: 'app' });
    await iam.call('iam', 'AddRoleToInstanceProfile', { ...role, InstanceProfileName: 'app' });
    const refused = async () => (await failure(iam.call('iam', 'DeleteRole', role))).message;
    expect(await refused()).toBe('Cannot delete entity, must remove roles from instance profile first.');
    await iam.call('iam', 'RemoveRoleFromInstanceProfile', { ...role, InstanceProfileName: 'app' });
    expect(await refused()).toBe('Cannot delete entity, must detach all policies first.');
    await iam.call('iam', 'DetachRolePolicy', { ...role, PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
    expect(await refused()).toBe('Cannot delete entity, must delete policies first.');
    await iam.call('iam', 'DeleteRolePolicy', { ...role, PolicyName: 'p' });
    await iam.call('iam', 'DeleteRole', role);
    expect(await failure(iam.call('iam', 'GetRole', role))).toMatchObject({ code: 'NoSuchEntity' });
  });

  it('keep trusting the very role they named: one recreated under its ARN is a stranger, shown as AROA…', async () => {
    const iam = iamCloud().admin();
    const shownTrust = async () => {
      const { Role } = await iam.call<{ Role: { AssumeRolePolicyDocument: string } }>('iam', 'GetRole', { RoleName: 'target' });
      return JSON.parse(decodeURIComponent(Role.AssumeRolePolicyDocument)).Statement[0].Principal.AWS;
    };
    const { Role } = await iam.call<{ Role: { RoleId: string } }>('iam', 'CreateRole', { RoleName: 'source', AssumeRolePolicyDocument: EC2 });
    await iam.call('iam', 'CreateRole', { RoleName: 'target', AssumeRolePolicyDocument: trust({ AWS: arn('role/source') }) });
    expect(await shownTrust()).toBe(arn('role/source'));
    await iam.call('iam', 'DeleteRole', { RoleName: 'source' });
    expect(await shownTrust()).toBe(Role.RoleId);
    await iam.call('iam', 'CreateRole', { RoleName: 'source', AssumeRolePolicyDocument: EC2 });
    expect(await shownTrust()).toBe(Role.RoleId);
  });

  it('may be linked to a service, and are then the service’s alone', async () => {
    const iam = iamCloud().admin();
    await iam.call('iam', 'CreateServiceLinkedRole', { AWSServiceName: 'ecs.amazonaws.com' });
    expect(await failure(iam.call('iam', 'DeleteRole', { RoleName: 'AWSServiceRoleForECS' }))).toEqual({
      code: 'UnmodifiableEntity',
      message: "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS",
    });
    expect(await failure(iam.call('iam', 'CreateServiceLinkedRole', { AWSServiceName: 'ecs.amazonaws.com' }))).toEqual({
      code: 'InvalidInput',
      message: 'Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix.',
    });
    const { DeletionTaskId } = await iam.call<{ DeletionTaskId: string }>('iam', 'DeleteServiceLinkedRole', { RoleName: 'AWSServiceRoleForECS' });
    expect(await iam.call('iam', 'GetServiceLinkedRoleDeletionStatus', { DeletionTaskId })).toEqual({ Status: 'SUCCEEDED' });
  });
});

describe('managed policies', () => {
  it('have versions, of which one is the default and at most five exist', async () => {
    const iam = iamCloud().admin();
    const { Policy } = await iam.call<{ Policy: { Arn: string } }>('iam', 'CreatePolicy', { PolicyName: 'p', PolicyDocument: allow('s3:*') });
    const PolicyArn = Policy.Arn;
    for (let i = 2; i <= 5; i++) await iam.call('iam', 'CreatePolicyVersion', { PolicyArn, PolicyDocument: allow(`s3:Get${i}`), SetAsDefault: i === 3 });
    expect(await failure(iam.call('iam', 'CreatePolicyVersion', { PolicyArn, PolicyDocument: allow('s3:*') }))).toEqual({
      code: 'LimitExceeded',
      message: 'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
    });
    expect(await failure(iam.call('iam', 'DeletePolicyVersion', { PolicyArn, VersionId: 'v3' }))).toMatchObject({
      code: 'DeleteConflict',
      message: 'Cannot delete the default version of a policy.',
    });
    await iam.call('iam', 'DeletePolicyVersion', { PolicyArn, VersionId: 'v2' });
    const { Versions } = await iam.call<{ Versions: { VersionId: string; IsDefaultVersion: boolean }[] }>('iam', 'ListPolicyVersions', { PolicyArn });
    expect(Versions.map(({ VersionId, IsDefaultVersion }) => `${VersionId}${IsDefaultVersion ? '*' : ''}`)).toEqual(['v5', 'v4', 'v3*', 'v1']);
    expect(await failure(iam.call('iam', 'DeletePolicy', { PolicyArn }))).toMatchObject({ code: 'DeleteConflict' });
  });

  it('of AWS are there with their documents, and unknown ones refused', async () => {
    const iam = iamCloud().admin();
    await iam.call('iam', 'CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: EC2 });
    const attach = (PolicyArn: string) => iam.call('iam', 'AttachRolePolicy', { RoleName: 'app', PolicyArn });
    await attach('arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole');
    expect(await failure(attach('arn:aws:iam::aws:policy/NoSuch'))).toEqual({
      code: 'NoSuchEntity',
      message: 'Policy arn:aws:iam::aws:policy/NoSuch does not exist or is not attachable.',
    });
    expect(await failure(attach('longpolicynamebutnoarn'))).toEqual({ code: 'ValidationError', message: 'Invalid ARN:  Could not be parsed!' });
    const { PolicyVersion } = await iam.call<{ PolicyVersion: { Document: string } }>('iam', 'GetPolicyVersion', {
      PolicyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole',
      VersionId: 'v1',
    });
    expect(JSON.parse(decodeURIComponent(PolicyVersion.Document)).Statement[0].Action).toContain('logs:PutLogEvents');
    const { AttachedPolicies } = await iam.call<{ AttachedPolicies: object[] }>('iam', 'ListAttachedRolePolicies', { RoleName: 'app' });
    expect(AttachedPolicies).toEqual([{ PolicyName: 'AWSLambdaBasicExecutionRole', PolicyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' }]);
  });

  it.each(['AdministratorAccess', 'ReadOnlyAccess', 'PowerUserAccess', 'job-function/ViewOnlyAccess', 'AWSCodePipeline_FullAccess', 'SecretsManagerReadWrite'])(
    '%s is known',
    async (name) => {
      const iam = iamCloud().admin();
      await iam.call('iam', 'GetPolicy', { PolicyArn: `arn:aws:iam::aws:policy/${name}` });
    },
  );

  it('are bounded in size and number', async () => {
    const iam = iamCloud().admin();
    const long = allow('s3:GetObject', `arn:aws:s3:::${'b'.repeat(6200)}`);
    expect(await failure(iam.call('iam', 'CreatePolicy', { PolicyName: 'p', PolicyDocument: long }))).toEqual({ code: 'LimitExceeded', message: 'Cannot exceed quota for PolicySize: 6144' });
    await iam.call('iam', 'CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: EC2 });
    for (const name of ['a', 'b']) {
      const put = iam.call('iam', 'PutRolePolicy', { RoleName: 'app', PolicyName: name, PolicyDocument: long });
      if (name === 'a') await put;
      else expect(await failure(put)).toEqual({ code: 'LimitExceeded', message: 'Maximum policy size of 10240 bytes exceeded for role app' });
    }
    for (let i = 0; i <= 10; i++) {
      const { Policy } = await iam.call<{ Policy: { Arn: string } }>('iam', 'CreatePolicy', { PolicyName: `m${i}`, PolicyDocument: allow('s3:*') });
      const attach = iam.call('iam', 'AttachRolePolicy', { RoleName: 'app', PolicyArn: Policy.Arn });
      if (i < 10) await attach;
      else expect(await failure(attach)).toEqual({ code: 'LimitExceeded', message: 'Cannot exceed quota for PoliciesPerRole: 10' });
    }
  });

  it('are listed by page', async () => {
    const iam = iamCloud().admin();
    for (const name of ['a', 'b', 'c']) await iam.call('iam', 'CreatePolicy', { PolicyName: name, PolicyDocument: allow('s3:*') });
    type Listed = { Policies: { PolicyName: string }[]; Marker?: string; IsTruncated: boolean };
    const first = await iam.call<Listed>('iam', 'ListPolicies', { Scope: 'Local', MaxItems: 2 });
    expect(first).toMatchObject({ IsTruncated: true, Policies: [{ PolicyName: 'a' }, { PolicyName: 'b' }] });
    const second = await iam.call<Listed>('iam', 'ListPolicies', { Scope: 'Local', MaxItems: 2, Marker: first.Marker });
    expect(second).toMatchObject({ IsTruncated: false, Policies: [{ PolicyName: 'c' }] });
  });
});

describe('users and groups', () => {
  it('have keys that work as long as they are active', async () => {
    const cloud = iamCloud();
    const iam = cloud.admin();
    await iam.call('iam', 'CreateUser', { UserName: 'bob' });
    const { AccessKey } = await iam.call<{ AccessKey: { AccessKeyId: string } }>('iam', 'CreateAccessKey', { UserName: 'bob' });
    const bob = cloud.withKey(AccessKey.AccessKeyId);
    expect(await bob.call('sts', 'GetCallerIdentity', {})).toMatchObject({ Arn: arn('user/bob'), Account: A });
    expect(await failure(bob.call('iam', 'ListRoles', {}))).toEqual({
      code: 'AccessDenied',
      message: `User: ${arn('user/bob')} is not authorized to perform: iam:ListRoles on resource: ${arn('role/')} because no identity-based policy allows the iam:ListRoles action`,
    });
    await iam.call('iam', 'CreateGroup', { GroupName: 'readers' });
    await iam.call('iam', 'PutGroupPolicy', { GroupName: 'readers', PolicyName: 'p', PolicyDocument: allow('iam:List*') });
    await iam.call('iam', 'AddUserToGroup', { GroupName: 'readers', UserName: 'bob' });
    await bob.call('iam', 'ListRoles', {});
    expect(await failure(iam.call('iam', 'DeleteUser', { UserName: 'bob' }))).toMatchObject({ message: 'Cannot delete entity, must remove users from group first.' });
    await iam.call('iam', 'PutUserPermissionsBoundary', { UserName: 'bob', PermissionsBoundary: 'arn:aws:iam::aws:policy/AmazonS3FullAccess' });
    expect((await failure(bob.call('iam', 'ListRoles', {}))).message).toContain('because no permissions boundary allows the iam:ListRoles action');
  });

  it('keep their identity when renamed', async () => {
    const iam = iamCloud().admin();
    const { User } = await iam.call<{ User: { UserId: string } }>('iam', 'CreateUser', { UserName: 'bob' });
    await iam.call('iam', 'CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trust({ AWS: arn('user/bob') }) });
    await iam.call('iam', 'UpdateUser', { UserName: 'bob', NewUserName: 'robert' });
    expect(await iam.call('iam', 'GetUser', { UserName: 'robert' })).toMatchObject({ User: { UserId: User.UserId, Arn: arn('user/robert') } });
    const { Role } = await iam.call<{ Role: { AssumeRolePolicyDocument: string } }>('iam', 'GetRole', { RoleName: 'r' });
    expect(decodeURIComponent(Role.AssumeRolePolicyDocument)).toContain(arn('user/robert'));
  });

  it('of one account are unknown to another', async () => {
    const cloud = iamCloud();
    await cloud.admin(A).call('iam', 'CreateUser', { UserName: 'bob' });
    expect(await failure(cloud.admin(B).call('iam', 'GetUser', { UserName: 'bob' }))).toEqual({ code: 'NoSuchEntity', message: 'The user with name bob cannot be found.' });
    expect((await failure(cloud.admin(B).call('iam', 'GetPolicy', { PolicyArn: arn('policy/p') }))).code).toBe('AccessDenied');
  });
});

describe('other things of an account', () => {
  it('OIDC providers', async () => {
    const iam = iamCloud().admin();
    const url = { Url: 'https://token.actions.githubusercontent.com', ClientIDList: ['sts.amazonaws.com'] };
    const { OpenIDConnectProviderArn } = await iam.call<{ OpenIDConnectProviderArn: string }>('iam', 'CreateOpenIDConnectProvider', url);
    expect(OpenIDConnectProviderArn).toBe(arn('oidc-provider/token.actions.githubusercontent.com'));
    expect(await failure(iam.call('iam', 'CreateOpenIDConnectProvider', url))).toEqual({
      code: 'EntityAlreadyExists',
      message: 'Provider with url https://token.actions.githubusercontent.com already exists.',
    });
    expect(await iam.call('iam', 'GetOpenIDConnectProvider', { OpenIDConnectProviderArn })).toMatchObject({ Url: 'token.actions.githubusercontent.com', ClientIDList: ['sts.amazonaws.com'] });
  });

  it('tags, which conditions can ask for', async () => {
    const cloud = iamCloud();
    const iam = cloud.admin();
    await iam.call('iam', 'CreateRole', { RoleName: 'mine', AssumeRolePolicyDocument: EC2, Tags: [{ Key: 'team', Value: 'a' }] });
    await iam.call('iam', 'CreateRole', { RoleName: 'other', AssumeRolePolicyDocument: EC2 });
    await iam.call('iam', 'CreateUser', { UserName: 'bob' });
    await iam.call('iam', 'PutUserPolicy', { UserName: 'bob', PolicyName: 'p', PolicyDocument: allow('iam:GetRole', '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': 'a' } } }) });
    const { AccessKey } = await iam.call<{ AccessKey: { AccessKeyId: string } }>('iam', 'CreateAccessKey', { UserName: 'bob' });
    const bob = cloud.withKey(AccessKey.AccessKeyId);
    await bob.call('iam', 'GetRole', { RoleName: 'mine' });
    expect((await failure(bob.call('iam', 'GetRole', { RoleName: 'other' }))).code).toBe('AccessDenied');
    expect(await failure(iam.call('iam', 'TagRole', { RoleName: 'mine', Tags: [{ Key: 'x', Value: '1' }, { Key: 'X', Value: '2' }] }))).toMatchObject({ code: 'InvalidInput' });
    await iam.call('iam', 'TagRole', { RoleName: 'mine', Tags: [{ Key: 'TEAM', Value: 'b' }] });
    expect(await iam.call('iam', 'ListRoleTags', { RoleName: 'mine' })).toEqual({ Tags: [{ Key: 'TEAM', Value: 'b' }], IsTruncated: false });
  });

  it('a boundary that CreateRole must carry', async () => {
    const cloud = iamCloud();
    const iam = cloud.admin();
    const boundary = 'arn:aws:iam::aws:policy/PowerUserAccess';
    await iam.call('iam', 'CreateUser', { UserName: 'bob' });
    await iam.call('iam', 'PutUserPolicy', {
      UserName: 'bob',
      PolicyName: 'p',
      PolicyDocument: allow(['iam:CreateRole', 'iam:AttachRolePolicy'], '*', { Condition: { StringEquals: { 'iam:PermissionsBoundary': boundary } } }),
    });
    const { AccessKey } = await iam.call<{ AccessKey: { AccessKeyId: string } }>('iam', 'CreateAccessKey', { UserName: 'bob' });
    const bob = cloud.withKey(AccessKey.AccessKeyId);
    expect((await failure(bob.call('iam', 'CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: EC2 }))).code).toBe('AccessDenied');
    await bob.call('iam', 'CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: EC2, PermissionsBoundary: boundary });
    await bob.call('iam', 'AttachRolePolicy', { RoleName: 'r', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
  });

  it('an alias, a summary, everything at once, and a credential report', async () => {
    const iam = iamCloud().admin();
    await iam.call('iam', 'CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: EC2 });
    await iam.call('iam', 'CreateAccountAlias', { AccountAlias: 'tools' });
    expect(await iam.call('iam', 'ListAccountAliases', {})).toEqual({ AccountAliases: ['tools'], IsTruncated: false });
    expect(await iam.call('iam', 'GetAccountSummary', {})).toMatchObject({ SummaryMap: { Roles: 1, Users: 1 } });
    expect(await iam.call('iam', 'GetAccountAuthorizationDetails', {})).toMatchObject({
      UserDetailList: [{ UserName: 'local-admin' }],
      RoleDetailList: [{ RoleName: 'app' }],
      Policies: [{ PolicyName: 'AdministratorAccess' }],
    });
    expect(await failure(iam.call('iam', 'GetCredentialReport', {}))).toMatchObject({ code: 'ReportNotPresent' });
    await iam.call('iam', 'GenerateCredentialReport', {});
    const { Content } = await iam.call<{ Content: Uint8Array }>('iam', 'GetCredentialReport', {});
    expect(new TextDecoder().decode(Content)).toContain(`local-admin,${arn('user/local-admin')},`);
  });

  it('the policy simulator', async () => {
    const iam = iamCloud().admin();
    await iam.call('iam', 'CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: EC2 });
    await iam.call('iam', 'PutRolePolicy', { RoleName: 'app', PolicyName: 'p', PolicyDocument: allow('s3:GetObject', 'arn:aws:s3:::b/*', { Condition: { StringEquals: { 'aws:SourceVpc': 'v' } } }) });
    const ask = (extra: object) =>
      iam.call<{ EvaluationResults: object[] }>('iam', 'SimulatePrincipalPolicy', { PolicySourceArn: arn('role/app'), ActionNames: ['s3:GetObject'], ResourceArns: ['arn:aws:s3:::b/k'], ...extra });
    expect((await ask({})).EvaluationResults).toMatchObject([{ EvalDecision: 'implicitDeny', MissingContextValues: ['aws:SourceVpc'] }]);
    const given = { ContextEntries: [{ ContextKeyName: 'aws:SourceVpc', ContextKeyValues: ['v'], ContextKeyType: 'string' }] };
    expect((await ask(given)).EvaluationResults).toMatchObject([{ EvalDecision: 'allowed', MatchedStatements: [{ SourcePolicyId: 'p' }] }]);
    const deny = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Action: '*', Resource: '*' } });
    expect((await ask({ ...given, PolicyInputList: [deny] })).EvaluationResults).toMatchObject([{ EvalDecision: 'explicitDeny' }]);
  });

  it('service-specific credentials', async () => {
    const iam = iamCloud().admin();
    await iam.call('iam', 'CreateUser', { UserName: 'bob' });
    expect(await failure(iam.call('iam', 'CreateServiceSpecificCredential', { UserName: 'bob', ServiceName: 'lambda.amazonaws.com' }))).toEqual({
      code: 'NoSuchEntity',
      message: 'No such service lambda.amazonaws.com is supported for Service Specific Credentials',
    });
    const made = await iam.call('iam', 'CreateServiceSpecificCredential', { UserName: 'bob', ServiceName: 'codecommit.amazonaws.com' });
    expect(made).toMatchObject({ ServiceSpecificCredential: { ServiceUserName: `bob-at-${A}`, Status: 'Active', ServicePassword: expect.any(String) } });
    expect(await failure(iam.call('iam', 'DeleteServiceSpecificCredential', { UserName: 'bob', ServiceSpecificCredentialId: 'satisfiesregexbutstillinvalid' }))).toEqual({
      code: 'NoSuchEntity',
      message: 'No such credential satisfiesregexbutstillinvalid exists',
    });
    expect(await failure(iam.call('iam', 'DeleteServiceSpecificCredential', { UserName: 'bob', ServiceSpecificCredentialId: 'totally-wrong-credential-id-with-hyphens' }))).toEqual({
      code: 'ValidationError',
      message: "1 validation error detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]+",
    });
  });
});

it('every operation says what it needs to be allowed', async () => {
  const { iam } = await import('../../../src/local/services/iam/index.js');
  const { sts } = await import('../../../src/local/services/sts/index.js');
  for (const service of [iam, sts]) expect(Object.keys(service.operations).filter((name) => service.authorization[name] === undefined)).toEqual([]);
});

it('asking whose a key is brings nothing into being', async () => {
  const cloud = iamCloud();
  accountCredentials(cloud.state, A);
  const before = cloud.state.snapshot();
  expect(credential(cloud.state, B)?.principal).toMatchObject({ account: B, userName: 'local-admin' });
  expect(credential(cloud.state, 'AKIAUNKNOWN000000000')).toBeUndefined();
  expect(cloud.state.snapshot()).toEqual(before);
  expect(await cloud.admin(B).call('iam', 'ListUsers', {})).toMatchObject({ Users: [{ UserName: 'local-admin' }] });
});
