import { createSign, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/local/iam/index.js';
import { credential, policiesOf, setIssuerKeys, setScps } from '../../../src/local/services/iam/identity.js';
import { encodeAuthorizationMessage } from '../../../src/local/services/sts/messages.js';
import { A, allow, B, failure, iamCloud, trust } from './iam-cloud.js';

const role = (name: string, account = A): string => `arn:aws:iam::${account}:role/${name}`;
const assume = (name: string, rest: object = {}, account = A) => ({ RoleArn: role(name, account), RoleSessionName: 'me', ...rest });
const denied = (who: string, name: string, why = '', account = A, action = 'sts:AssumeRole') => ({
  code: 'AccessDenied',
  message: `User: ${who} is not authorized to perform: ${action} on resource: ${role(name, account)}${why}`,
});
const ADMIN = (account = A): string => `arn:aws:iam::${account}:user/local-admin`;

async function withRole(name: string, document: string, rest: object = {}, account = A, cloud = iamCloud()) {
  await cloud.admin(account).call('iam', 'CreateRole', { RoleName: name, AssumeRolePolicyDocument: document, ...rest });
  return cloud;
}

describe('AssumeRole', () => {
  it('gives a session of the role', async () => {
    const cloud = await withRole('app', trust({ AWS: A }));
    const answer = await cloud.admin().call<{ Credentials: { Expiration: Date } }>('sts', 'AssumeRole', assume('app'));
    expect(answer).toEqual({
      Credentials: {
        AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
        SecretAccessKey: expect.stringMatching(/^.{40}$/),
        SessionToken: expect.any(String),
        Expiration: new Date(cloud.clock.now() + 3_600_000),
      },
      AssumedRoleUser: { AssumedRoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}:me$/), Arn: `arn:aws:sts::${A}:assumed-role/app/me` },
    });
    expect(await cloud.session(answer).call('sts', 'GetCallerIdentity', {})).toMatchObject({ Arn: `arn:aws:sts::${A}:assumed-role/app/me`, Account: A });
    const { Role } = await cloud.admin().call<{ Role: { RoleLastUsed: object } }>('iam', 'GetRole', { RoleName: 'app' });
    expect(Role.RoleLastUsed).toEqual({ LastUsedDate: new Date(cloud.clock.now()), Region: 'eu-west-1' });
  });

  it('across accounts needs both sides', async () => {
    const cloud = await withRole('deploy', trust({ AWS: A }), {}, B);
    await cloud.admin(A).call('sts', 'AssumeRole', assume('deploy', {}, B));
    await withRole('deploy2', trust({ AWS: B }), {}, B, cloud);
    expect(await failure(cloud.admin(A).call('sts', 'AssumeRole', assume('deploy2', {}, B)))).toEqual(denied(ADMIN(), 'deploy2', '', B));
    await withRole('weak', trust({ AWS: A }), {}, A, cloud);
    const weak = cloud.session(await cloud.admin().call('sts', 'AssumeRole', assume('weak')));
    const who = `arn:aws:sts::${A}:assumed-role/weak/me`;
    expect(await failure(weak.call('sts', 'AssumeRole', assume('deploy', {}, B)))).toEqual(denied(who, 'deploy', ' because no identity-based policy allows the sts:AssumeRole action', B));
  });

  it('of a role that isn’t there says no more than of one that doesn’t trust', async () => {
    const cloud = iamCloud();
    expect(await failure(cloud.admin().call('sts', 'AssumeRole', assume('no')))).toEqual(denied(ADMIN(), 'no'));
    expect(await failure(cloud.admin().call('sts', 'AssumeRole', { RoleArn: 'arn:aws:iam::x', RoleSessionName: 'me' }))).toMatchObject({ code: 'ValidationError' });
  });

  it('asks for the external ID', async () => {
    const cloud = await withRole('app', trust({ AWS: A }, { Condition: { StringEquals: { 'sts:ExternalId': 'xyz' } } }));
    const sts = cloud.admin();
    expect(await failure(sts.call('sts', 'AssumeRole', assume('app')))).toEqual(denied(ADMIN(), 'app'));
    await sts.call('sts', 'AssumeRole', assume('app', { ExternalId: 'xyz' }));
  });

  it('bounds the duration: by the role, and to an hour when chained', async () => {
    const cloud = await withRole('a', trust({ AWS: A }), { MaxSessionDuration: 7200 });
    const long = await cloud.admin().call('sts', 'AssumeRole', assume('a', { DurationSeconds: 7200 }));
    expect(await failure(cloud.admin().call('sts', 'AssumeRole', assume('a', { DurationSeconds: 7201 })))).toEqual({
      code: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
    await withRole('b', trust({ AWS: role('a') }), { MaxSessionDuration: 7200 }, A, cloud);
    expect(await failure(cloud.session(long).call('sts', 'AssumeRole', assume('b', { DurationSeconds: 3601 })))).toEqual({
      code: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    });
    await cloud.session(long).call('sts', 'AssumeRole', assume('b', { DurationSeconds: 3600 }));
  });

  it('does not know a trusted role that was recreated', async () => {
    const cloud = await withRole('source', trust({ AWS: A }));
    await withRole('target', trust({ AWS: role('source') }), {}, A, cloud);
    const before = cloud.session(await cloud.admin().call('sts', 'AssumeRole', assume('source')));
    await before.call('sts', 'AssumeRole', assume('target'));
    await cloud.admin().call('iam', 'DeleteRole', { RoleName: 'source' });
    await withRole('source', trust({ AWS: A }), {}, A, cloud);
    const after = cloud.session(await cloud.admin().call('sts', 'AssumeRole', assume('source')));
    expect(await failure(after.call('sts', 'AssumeRole', assume('target')))).toEqual(denied(`arn:aws:sts::${A}:assumed-role/source/me`, 'target'));
  });

  it('takes a session of a deleted role for nobody', async () => {
    const cloud = await withRole('app', trust({ AWS: A }));
    const admin = cloud.admin();
    await admin.call('iam', 'PutRolePolicy', { RoleName: 'app', PolicyName: 'p', PolicyDocument: allow('iam:List*') });
    const session = cloud.session(await admin.call('sts', 'AssumeRole', assume('app')));
    await session.call('iam', 'ListRoles', {});
    await admin.call('iam', 'DeleteRolePolicy', { RoleName: 'app', PolicyName: 'p' });
    await admin.call('iam', 'DeleteRole', { RoleName: 'app' });
    await admin.call('iam', 'CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: trust({ AWS: A }) });
    await admin.call('iam', 'PutRolePolicy', { RoleName: 'app', PolicyName: 'p', PolicyDocument: allow('iam:List*') });
    expect((await failure(session.call('iam', 'ListRoles', {}))).code).toBe('AccessDenied');
  });

  it('narrows the session by its policies', async () => {
    const cloud = await withRole('app', trust({ AWS: A }));
    await cloud.admin().call('iam', 'PutRolePolicy', { RoleName: 'app', PolicyName: 'p', PolicyDocument: allow('iam:*') });
    const session = cloud.session(await cloud.admin().call('sts', 'AssumeRole', assume('app', { Policy: allow('iam:ListRoles') })));
    await session.call('iam', 'ListRoles', {});
    expect((await failure(session.call('iam', 'ListUsers', {}))).message).toContain('because no session policy allows the iam:ListUsers action');
    expect(await failure(cloud.admin().call('sts', 'AssumeRole', assume('app', { Policy: '{' })))).toMatchObject({ code: 'MalformedPolicyDocument' });
  });

  it('hands on transitive tags, and needs sts:TagSession for any', async () => {
    const cloud = await withRole('a', trust({ AWS: A }, {}, ['sts:AssumeRole', 'sts:TagSession']));
    await withRole('b', trust({ AWS: A }, {}, ['sts:AssumeRole', 'sts:TagSession']), {}, A, cloud);
    await withRole('untagged', trust({ AWS: A }), {}, A, cloud);
    const admin = cloud.admin();
    const tags = { Tags: [{ Key: 'Team', Value: 'x' }, { Key: 'Cost', Value: '1' }], TransitiveTagKeys: ['team'] };
    await admin.call('iam', 'PutRolePolicy', { RoleName: 'a', PolicyName: 'p', PolicyDocument: allow('sts:*') });
    const a = await admin.call<{ Credentials: { AccessKeyId: string } }>('sts', 'AssumeRole', assume('a', tags));
    const b = await cloud.session(a).call<{ Credentials: { AccessKeyId: string } }>('sts', 'AssumeRole', assume('b'));
    expect(credential(cloud.state, b.Credentials.AccessKeyId)?.principal).toMatchObject({ tags: { Team: 'x' }, transitiveTagKeys: ['Team'] });
    expect(await failure(admin.call('sts', 'AssumeRole', assume('untagged', tags)))).toEqual(denied(ADMIN(), 'untagged', '', A, 'sts:TagSession'));
    expect(await failure(cloud.session(a).call('sts', 'AssumeRole', assume('b', { Tags: [{ Key: 'team', Value: 'y' }] })))).toMatchObject({ code: 'InvalidParameterValue' });
    expect(await failure(admin.call('sts', 'AssumeRole', assume('a', { TransitiveTagKeys: ['no'] })))).toEqual({
      code: 'InvalidParameterValue',
      message: 'The specified transitive tag key must be included in the requested tags.',
    });
    expect(await failure(admin.call('sts', 'AssumeRole', assume('a', { Tags: [{ Key: 'x', Value: '' }, { Key: 'X', Value: '' }] })))).toEqual({
      code: 'InvalidParameterValue',
      message: 'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    });
  });

  it('is how a service comes to act in a role that trusts it', async () => {
    const cloud = await withRole('exec', trust({ Service: 'cloudformation.amazonaws.com' }));
    const service = cloud.as({ kind: 'service', service: 'cloudformation.amazonaws.com', account: A });
    await service.call('sts', 'AssumeRole', assume('exec'));
    expect(await failure(cloud.as({ kind: 'service', service: 'codebuild.amazonaws.com', account: A }).call('sts', 'AssumeRole', assume('exec')))).toEqual(denied('codebuild.amazonaws.com', 'exec'));
    expect((await failure(cloud.admin().call('sts', 'AssumeRole', assume('exec')))).code).toBe('AccessDenied');
  });

  it('is forbidden by a service control policy, in its words', async () => {
    const cloud = await withRole('app', trust({ AWS: A }));
    setScps(cloud.state, A, [{ name: 'NoSts', document: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' } }) }]);
    expect((await failure(cloud.admin().call('sts', 'AssumeRole', assume('app')))).message).toContain(' with an explicit deny in a service control policy');
  });
});

describe('other tokens', () => {
  it('of a federated user are the intersection of user and policy', async () => {
    const cloud = iamCloud();
    const token = await cloud.admin().call('sts', 'GetFederationToken', { Name: 'fred', DurationSeconds: 900, Policy: allow('iam:ListRoles') });
    expect(token).toMatchObject({ FederatedUser: { Arn: `arn:aws:sts::${A}:federated-user/fred`, FederatedUserId: `${A}:fred` } });
    await cloud.session(token).call('iam', 'ListRoles', {});
    expect((await failure(cloud.session(token).call('iam', 'ListUsers', {}))).code).toBe('AccessDenied');
    const plain = await cloud.admin().call('sts', 'GetFederationToken', { Name: 'fred' });
    expect(plain).toMatchObject({ PackedPolicySize: 0 });
    expect((await failure(cloud.session(plain).call('iam', 'ListRoles', {}))).code).toBe('AccessDenied');
    expect(await failure(cloud.session(plain).call('sts', 'GetFederationToken', { Name: 'x1' }))).toMatchObject({ code: 'AccessDenied' });
  });

  it('of a user itself', async () => {
    const cloud = iamCloud();
    const token = await cloud.admin().call('sts', 'GetSessionToken', {});
    expect(await cloud.session(token).call('sts', 'GetCallerIdentity', {})).toMatchObject({ Arn: ADMIN() });
    expect(await failure(cloud.session(token).call('sts', 'GetSessionToken', {}))).toEqual({ code: 'AccessDenied', message: 'Cannot call GetSessionToken with session credentials' });
  });

  it('are forgotten long after they expired', async () => {
    const cloud = await withRole('app', trust({ AWS: A }));
    const first = await cloud.admin().call<{ Credentials: { AccessKeyId: string } }>('sts', 'AssumeRole', assume('app'));
    cloud.clock.advance(2 * 3_600_000);
    await cloud.admin().call('sts', 'AssumeRole', assume('app'));
    expect(credential(cloud.state, first.Credentials.AccessKeyId)).toMatchObject({ expiresAt: expect.any(Number) });
    cloud.clock.advance(24 * 3_600_000);
    await cloud.admin().call('sts', 'AssumeRole', assume('app'));
    expect(credential(cloud.state, first.Credentials.AccessKeyId)).toBeUndefined();
  });

  it('tell their account', async () => {
    const cloud = iamCloud();
    expect(await cloud.admin().call('sts', 'GetAccessKeyInfo', { AccessKeyId: await newKey(cloud) })).toEqual({ Account: A });
  });
});

async function newKey(cloud: ReturnType<typeof iamCloud>): Promise<string> {
  await cloud.admin().call('iam', 'CreateUser', { UserName: 'bob' });
  const { AccessKey } = await cloud.admin().call<{ AccessKey: { AccessKeyId: string } }>('iam', 'CreateAccessKey', { UserName: 'bob' });
  return AccessKey.AccessKeyId;
}

describe('encoded authorization messages', () => {
  it('decode to the decision, and to nothing when changed', async () => {
    const cloud = iamCloud();
    const principal = credential(cloud.state, await newKey(cloud))!.principal;
    const decision = decide({ principal, action: 'ec2:RunInstances', resource: '*', context: { 'aws:RequestedRegion': 'eu-west-1' } }, policiesOf(cloud.state, principal));
    const message = encodeAuthorizationMessage(cloud.state, decision);
    const { DecodedMessage } = await cloud.admin().call<{ DecodedMessage: string }>('sts', 'DecodeAuthorizationMessage', { EncodedMessage: message });
    expect(JSON.parse(DecodedMessage)).toMatchObject({ allowed: false, explicitDeny: false, context: { action: 'ec2:RunInstances', principal: { arn: `arn:aws:iam::${A}:user/bob` } } });
    const forged = `${message.slice(0, -2)}AA`;
    expect(await failure(cloud.admin().call('sts', 'DecodeAuthorizationMessage', { EncodedMessage: forged }))).toMatchObject({ code: 'InvalidAuthorizationMessageException' });
  });
});

describe('AssumeRoleWithWebIdentity', () => {
  const issuer = 'https://token.example.com';
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (claims: object, now: number): string => {
    const text = `${encode({ alg: 'RS256', kid: 'k1' })}.${encode({ iss: issuer, aud: 'sts.amazonaws.com', exp: Math.floor(now / 1000) + 600, ...claims })}`;
    return `${text}.${createSign('sha256').update(text).sign(privateKey).toString('base64url')}`;
  };
  const web = (cloud: ReturnType<typeof iamCloud>, claims: object) =>
    cloud.as({ kind: 'anonymous', account: '' }).call('sts', 'AssumeRoleWithWebIdentity', { ...assume('ci'), WebIdentityToken: token(claims, cloud.clock.now()) });

  async function prepared() {
    const cloud = iamCloud();
    await cloud.admin().call('iam', 'CreateOpenIDConnectProvider', { Url: issuer, ClientIDList: ['sts.amazonaws.com'] });
    const document = trust(
      { Federated: `arn:aws:iam::${A}:oidc-provider/token.example.com` },
      { Condition: { StringLike: { 'token.example.com:sub': 'repo:acme/*' }, StringEquals: { 'token.example.com:aud': 'sts.amazonaws.com' } } },
      'sts:AssumeRoleWithWebIdentity',
    );
    return withRole('ci', document, {}, A, cloud);
  }

  it('gives a session to a token whose signature holds and whose claims are trusted', async () => {
    const cloud = await prepared();
    setIssuerKeys(cloud.state, issuer, { keys: [jwk] });
    const answer = await web(cloud, { sub: 'repo:acme/app' });
    expect(answer).toMatchObject({ SubjectFromWebIdentityToken: 'repo:acme/app', Audience: 'sts.amazonaws.com', AssumedRoleUser: { Arn: `arn:aws:sts::${A}:assumed-role/ci/me` } });
    expect(await failure(web(cloud, { sub: 'repo:evil/app' }))).toEqual({ code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' });
    expect(await failure(web(cloud, { sub: 'repo:acme/app', aud: 'other' }))).toEqual({ code: 'InvalidIdentityToken', message: 'Incorrect token audience' });
    expect(await failure(web(cloud, { sub: 'repo:acme/app', exp: 1 }))).toMatchObject({ code: 'ExpiredTokenException' });
    expect(await failure(web(cloud, { sub: 'repo:acme/app', iss: 'https://other.example.com' }))).toMatchObject({ code: 'InvalidIdentityToken' });
  });

  it('refuses tokens it can’t verify', async () => {
    const cloud = await prepared();
    expect((await failure(web(cloud, { sub: 'repo:acme/app' }))).message).toContain("Couldn't retrieve verification key");
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    setIssuerKeys(cloud.state, issuer, { keys: [{ ...other, kid: 'k1' }] });
    expect(await failure(web(cloud, { sub: 'repo:acme/app' }))).toEqual({ code: 'InvalidIdentityToken', message: 'Invalid token signature' });
  });
});
