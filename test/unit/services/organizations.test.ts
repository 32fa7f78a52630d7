import { IAM } from '@aws-sdk/client-iam';
import { Organizations } from '@aws-sdk/client-organizations';
import { SNS } from '@aws-sdk/client-sns';
import { STS } from '@aws-sdk/client-sts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startCloud, type Cloud } from '../../../src/local/server.js';
import { accountCredentials } from '../../../src/local/services/iam/identity.js';

const [MANAGEMENT, MEMBER] = ['999999999999', '111111111111'];
let folder: string;
let cloud: Cloud;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-organizations-'));
  cloud = await startCloud({ directory: folder, token: 'token' });
});
afterEach(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

const settings = (account: string) => ({ endpoint: cloud.endpoint, region: 'us-east-1', maxAttempts: 1, credentials: accountCredentials(cloud.runtime.state, account) });
const client = (account: string) => new Organizations(settings(account));
async function control(command: string, input: object): Promise<unknown> {
  const response = await fetch(`${cloud.endpoint}/_flotilla/${command}`, { method: 'POST', headers: { 'x-flotilla-token': 'token' }, body: JSON.stringify(input) });
  return response.json();
}
const document = (effect: string, action: string) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: effect, Action: action, Resource: '*' }] });

it('is no organization before somebody makes one', async () => {
  await expect(client(MANAGEMENT).describeOrganization({})).rejects.toMatchObject({ name: 'AWSOrganizationsNotInUseException' });
});

it('tells the control policies that bind an account, as IAM enforces them', async () => {
  await control('declare', { id: MEMBER, name: 'dev' });
  await control('organization', { management: MANAGEMENT });
  const policies = [{ name: 'NoTopics', document: document('Deny', 'sns:CreateTopic') }];
  await control('scps', { account: MEMBER, policies });
  await control('scps', { account: MANAGEMENT, policies });
  const organizations = client(MANAGEMENT);
  expect((await organizations.listAccounts({})).Accounts!.map(({ Id, Name }) => [Id, Name])).toEqual([[MEMBER, 'dev'], [MANAGEMENT, MANAGEMENT]]);
  const { Parents } = await organizations.listParents({ ChildId: MEMBER });
  const attached = async (TargetId: string) => (await organizations.listPoliciesForTarget({ TargetId, Filter: 'SERVICE_CONTROL_POLICY' })).Policies!;
  expect([Parents, (await organizations.listRoots({})).Roots!.map(({ Id }) => Id)]).toEqual([[{ Id: 'r-root', Type: 'ROOT' }], ['r-root']]);
  expect((await attached('r-root')).map(({ Name, AwsManaged }) => [Name, AwsManaged])).toEqual([['FullAWSAccess', true]]);
  const [full, own] = await attached(MEMBER);
  expect(JSON.parse((await organizations.describePolicy({ PolicyId: full!.Id! })).Policy!.Content!)).toMatchObject({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
  expect(own).toMatchObject({ Name: 'NoTopics', Type: 'SERVICE_CONTROL_POLICY', AwsManaged: false, Arn: expect.stringMatching(/^arn:aws:organizations::999999999999:policy\/o-localcloud\/service_control_policy\/p-[0-9a-f]{8}$/) as unknown });
  expect((await organizations.describePolicy({ PolicyId: own!.Id! })).Policy!.Content).toBe(policies[0]!.document);
  expect((await organizations.listTargetsForPolicy({ PolicyId: own!.Id! })).Targets!.map(({ TargetId }) => TargetId)).toContain(MEMBER);
  await expect(new SNS(settings(MEMBER)).createTopic({ Name: 'x' })).rejects.toThrow(/explicit deny in a service control policy/);
  // The management account is bound by none (Organizations User Guide).
  expect((await new SNS(settings(MANAGEMENT)).createTopic({ Name: 'x' })).TopicArn).toBeDefined();
});

it('takes every level into account: what one of them does not allow is denied', async () => {
  const all = { name: 'FullAWSAccess', document: document('Allow', '*') };
  const some = { name: 'OnlySts', document: document('Allow', 'sts:*') };
  const create = () => new SNS(settings(MEMBER)).createTopic({ Name: 'x' });
  await control('scps', { account: MEMBER, levels: [[all], [some]] });
  await expect(create()).rejects.toThrow(/no service control policy allows/);
  await control('scps', { account: MEMBER, levels: [[all], [all]] });
  expect((await create()).TopicArn).toBeDefined();
  await control('scps', { account: MEMBER, levels: [[some], [all]] });
  await expect(create()).rejects.toThrow(/service control policy/);
});

it('answers members and identities without the permission as AWS does, and changes nothing', async () => {
  await control('organization', { management: MANAGEMENT });
  expect((await client(MEMBER).describeOrganization({})).Organization).toMatchObject({ MasterAccountId: MANAGEMENT, FeatureSet: 'ALL' });
  await expect(client(MEMBER).listAccounts({})).rejects.toMatchObject({ name: 'AccessDeniedException', message: "You don't have permissions to access this resource." });
  await expect(client(MANAGEMENT).listPoliciesForTarget({ TargetId: '123456789012', Filter: 'SERVICE_CONTROL_POLICY' })).rejects.toMatchObject({ name: 'TargetNotFoundException' });
  await expect(client(MANAGEMENT).describePolicy({ PolicyId: 'p-none0000' })).rejects.toMatchObject({ name: 'PolicyNotFoundException' });
  await expect(client(MANAGEMENT).createPolicy({ Name: 'x', Description: 'x', Content: '{}', Type: 'SERVICE_CONTROL_POLICY' })).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
  const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: MANAGEMENT }, Action: 'sts:AssumeRole' }] });
  const { Role } = await new IAM(settings(MANAGEMENT)).createRole({ RoleName: 'reader', AssumeRolePolicyDocument: trust });
  const { Credentials } = await new STS(settings(MANAGEMENT)).assumeRole({ RoleArn: Role!.Arn!, RoleSessionName: 'session' });
  const reader = new Organizations({ ...settings(MANAGEMENT), credentials: { accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! } });
  await expect(reader.listRoots({})).rejects.toThrow(/not authorized to perform: organizations:ListRoots/);
});

it('gives lists in pages', async () => {
  await control('organization', { management: MANAGEMENT });
  await control('declare', { id: MEMBER, name: 'dev' });
  const first = await client(MANAGEMENT).listAccounts({ MaxResults: 1 });
  const second = await client(MANAGEMENT).listAccounts({ MaxResults: 1, NextToken: first.NextToken });
  expect([first, second].map(({ Accounts }) => Accounts!.map(({ Id }) => Id))).toEqual([[MEMBER], [MANAGEMENT]]);
  expect(second.NextToken).toBeUndefined();
});
