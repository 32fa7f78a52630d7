import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as IAM from '@aws-sdk/client-iam';
import * as STS from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCloud, type Cloud } from '../../src/local/server.js';
import { accountCredentials, setScps } from '../../src/local/services/iam/identity.js';

/** IAM and STS as the unmodified SDK sees them, over the wire, across accounts. */

const A = '111111111111';
const B = '222222222222';

let cloud: Cloud;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'flotilla-iam-'));
  cloud = await startCloud({ directory, token: 'test', log: () => {} });
});

afterAll(async () => {
  await cloud.stop();
  rmSync(directory, { recursive: true, force: true });
});

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
const admin = (account: string): Credentials => accountCredentials(cloud.runtime.state, account);
const options = (credentials: Credentials) => ({ endpoint: cloud.endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
const iam = (credentials: Credentials) => new IAM.IAM(options(credentials));
const sts = (credentials: Credentials) => new STS.STS(options(credentials));
const trust = (principal: object, rest: object = {}): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: principal, Action: ['sts:AssumeRole'], ...rest }] });
const document = (action: string, resource = '*', effect = 'Allow'): string => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: effect, Action: action, Resource: resource }] });

async function assume(credentials: Credentials, role: string, rest: Partial<STS.AssumeRoleCommandInput> = {}): Promise<Credentials> {
  const { Credentials: made } = await sts(credentials).assumeRole({ RoleArn: role, RoleSessionName: 'session', ...rest });
  return { accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey!, sessionToken: made!.SessionToken! };
}

async function role(account: string, name: string, trusted: string, policy?: string): Promise<string> {
  const client = iam(admin(account));
  const { Role } = await client.createRole({ RoleName: name, AssumeRolePolicyDocument: trusted });
  if (policy) await client.putRolePolicy({ RoleName: name, PolicyName: 'own', PolicyDocument: policy });
  return Role!.Arn!;
}

describe('a chain of roles across accounts', () => {
  it('holds where both sides allow each step, and names the step that doesn’t', async () => {
    const target = await role(B, 'target', trust({ AWS: A }), document('iam:GetRole'));
    const source = await role(A, 'source', trust({ AWS: A }), document('sts:AssumeRole', target));
    const idle = await role(A, 'idle', trust({ AWS: A }));
    const inB = await assume(await assume(admin(A), source), target);
    expect((await sts(inB).getCallerIdentity({})).Arn).toBe(`arn:aws:sts::${B}:assumed-role/target/session`);
    expect((await iam(inB).getRole({ RoleName: 'target' })).Role?.Arn).toBe(target);
    await expect(iam(inB).listRoles({})).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${B}:assumed-role/target/session is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::${B}:role/ because no identity-based policy allows the iam:ListRoles action`,
    });
    await expect(assume(await assume(admin(A), idle), target)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${A}:assumed-role/idle/session is not authorized to perform: sts:AssumeRole on resource: ${target} because no identity-based policy allows the sts:AssumeRole action`,
    });
  });

  it('breaks when the trusted role is deleted and created anew', async () => {
    const source = await role(A, 'renewed', trust({ AWS: A }), document('sts:*'));
    const target = await role(B, 'loyal', trust({ AWS: source }));
    await assume(await assume(admin(A), source), target);
    await iam(admin(A)).deleteRolePolicy({ RoleName: 'renewed', PolicyName: 'own' });
    await iam(admin(A)).deleteRole({ RoleName: 'renewed' });
    await role(A, 'renewed', trust({ AWS: A }), document('sts:*'));
    await expect(assume(await assume(admin(A), source), target)).rejects.toMatchObject({ name: 'AccessDenied' });
    const { Role } = await iam(admin(B)).getRole({ RoleName: 'loyal' });
    expect(JSON.parse(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).Statement[0].Principal.AWS).toMatch(/^AROA/);
  });
});

describe('credentials', () => {
  it('are refused when any part of them is wrong', async () => {
    const session = await assume(admin(A), await role(A, 'plain', trust({ AWS: A })));
    await expect(sts({ ...session, sessionToken: 'other' }).getCallerIdentity({})).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    await expect(sts({ ...session, secretAccessKey: 'other' }).getCallerIdentity({})).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
    await expect(sts({ accessKeyId: 'AKIAUNKNOWN000000000', secretAccessKey: 'x' }).getCallerIdentity({})).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    await expect(sts({ accessKeyId: B, secretAccessKey: admin(A).secretAccessKey }).getCallerIdentity({})).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  it('of a user stop working when the key is made inactive', async () => {
    const client = iam(admin(A));
    await client.createUser({ UserName: 'keyed' });
    const { AccessKey } = await client.createAccessKey({ UserName: 'keyed' });
    const own = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    expect((await sts(own).getCallerIdentity({})).Arn).toBe(`arn:aws:iam::${A}:user/keyed`);
    await client.updateAccessKey({ UserName: 'keyed', AccessKeyId: own.accessKeyId, Status: 'Inactive' });
    await expect(sts(own).getCallerIdentity({})).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  });
});

describe('service control policies', () => {
  it('bind everyone in the account, its administrator included', async () => {
    const account = '333333333333';
    setScps(cloud.runtime.state, account, [
      {
        name: 'OneRegion',
        document: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Deny', NotAction: ['iam:*', 'sts:*'], Resource: '*', Condition: { StringNotEquals: { 'aws:RequestedRegion': 'eu-west-1' } } }, { Effect: 'Deny', Action: 'iam:CreateUser', Resource: '*' }],
        }),
      },
    ]);
    await iam(admin(account)).listUsers({});
    await expect(iam(admin(account)).createUser({ UserName: 'x' })).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(`is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::${account}:user/x with an explicit deny in a service control policy`),
    });
  });
});
