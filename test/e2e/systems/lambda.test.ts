import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { IAM } from '@aws-sdk/client-iam';
import { Lambda } from '@aws-sdk/client-lambda';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, outputOf } from '../cloud.js';
import { inventory } from './inventory.js';
import { arrival, pipelineOf, run, startExample, until, where, type System } from './system.js';

/** A function in accounts that are shared with others: examples/lambda, from an empty folder to nothing, beside somebody else's default bootstrap. In the order of its life. */

const REGION = 'ap-southeast-2';
const TOOLS = '888888888888';
const TARGETS = { dev: '111111111111', test: '222222222222', prod: '333333333333' };
const ACCOUNTS = { tools: TOOLS, ...TARGETS };
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess';
let system: System;
let before: string[];
let theirs: string;

beforeAll(async () => {
  system = await startExample('lambda', Object.fromEntries(Object.entries(ACCOUNTS).map(([name, id]) => [name, `${id}/${REGION}`])), '--name', 'greetings', '--account', TOOLS);
  await somebodyElse();
  before = await inventory(system.cloud, [REGION]);
  theirs = await whatIsTheirs();
});
afterAll(() => system?.cloud.stop());

/** Another team has bootstrapped the accounts, as everyone does, and deploys there. */
async function somebodyElse(): Promise<void> {
  expectSuccess(await system.flotilla('--local', 'bootstrap', '--yes', ...Object.values(ACCOUNTS).flatMap((account) => ['--pair', `${account}/${REGION}`]), '--trust', '777777777777', '--cloudformation-execution-policies', ADMINISTRATOR));
  for (const [profile, account] of Object.entries(ACCOUNTS)) {
    const client = new CloudFormation(system.cloud.client(profile));
    const Resources = { Store: { Type: 'AWS::S3::Bucket', Properties: { BucketName: `their-store-${account}` } }, Topic: { Type: 'AWS::SNS::Topic' } };
    await client.createStack({ StackName: 'TheirService', TemplateBody: JSON.stringify({ Resources }), RoleARN: `arn:aws:iam::${account}:role/cdk-hnb659fds-cfn-exec-role-${account}-${REGION}` });
    await until('their stack', async () => ((await client.describeStacks({ StackName: 'TheirService' })).Stacks![0]!.StackStatus === 'CREATE_COMPLETE' ? true : undefined));
  }
}

/** Their stacks, templates, roles with all their policies, and buckets with what is in them, to the byte. */
async function whatIsTheirs(): Promise<string> {
  const found: unknown[] = [];
  for (const profile of Object.keys(ACCOUNTS)) {
    const client = new CloudFormation(system.cloud.client(profile));
    for (const StackName of ['CDKToolkit', 'TheirService']) found.push((await client.describeStacks({ StackName })).Stacks, (await client.getTemplate({ StackName })).TemplateBody, (await client.listStackResources({ StackName })).StackResourceSummaries);
    const iam = new IAM(system.cloud.client(profile));
    for (const { RoleName, ...role } of (await iam.listRoles({})).Roles!.filter((one) => one.RoleName!.startsWith('cdk-hnb659fds-'))) {
      const { PolicyNames = [] } = await iam.listRolePolicies({ RoleName });
      const documents = await Promise.all(PolicyNames.map(async (PolicyName) => (await iam.getRolePolicy({ RoleName, PolicyName })).PolicyDocument));
      found.push({ ...role, RoleLastUsed: undefined }, documents, (await iam.listAttachedRolePolicies({ RoleName })).AttachedPolicies);
    }
    const s3 = new S3(system.cloud.client(profile));
    for (const { Name: Bucket } of (await s3.listBuckets({})).Buckets!.filter(({ Name }) => /hnb659fds|their/.test(Name!))) found.push(Bucket, (await s3.listObjectVersions({ Bucket: Bucket! })).Versions, await s3.getBucketPolicy({ Bucket: Bucket! }).then(({ Policy }) => Policy, () => undefined));
  }
  return JSON.stringify(found);
}

const toolkit = async (profile: string): Promise<Record<string, string>> => {
  const { Stacks } = await new CloudFormation(system.cloud.client(profile)).describeStacks({ StackName: 'CDKToolkit-greeter' });
  return Object.fromEntries(Stacks![0]!.Parameters!.map(({ ParameterKey, ParameterValue }) => [ParameterKey!, ParameterValue!]));
};

describe('a bootstrap of one’s own', () => {
  it('is made in every account from the fleet file: qualifier, toolkit stack, trust for the build account, execution policies', async () => {
    expectSuccess(await system.program('npm', 'test'));
    expect(await system.answer('validate')).toMatchObject({ valid: true, warnings: [] });
    expectSuccess(await system.flotilla('--local', 'bootstrap', '--yes'));
    for (const profile of Object.keys(TARGETS)) {
      const { Qualifier, TrustedAccounts, CloudFormationExecutionPolicies } = await toolkit(profile);
      expect([profile, Qualifier, TrustedAccounts]).toEqual([profile, 'greeter', TOOLS]);
      expect(CloudFormationExecutionPolicies).toContain('AWSLambda_FullAccess');
      expect(CloudFormationExecutionPolicies).not.toContain('AdministratorAccess');
    }
    expect(await toolkit('tools')).toMatchObject({ Qualifier: 'greeter', TrustedAccounts: '' });
  });
});

describe('a commit', () => {
  let id: string;

  it('waits for a person before each environment', async () => {
    id = system.commit('First commit');
    expect(await run(system)).toEqual({ end: 'at a gate', stderr: expect.not.stringContaining('bootstrap 1') });
    const reached: string[][] = [];
    for (const stage of ['Dev', 'Test', 'Prod']) {
      reached.push(Object.values(await where(system)).map((state) => state.replace(id, 'it')));
      expectSuccess(await system.flotilla('--local', 'approve', `Approve${stage}`));
      expect([stage, await arrival(system, id)]).toEqual([stage, stage === 'Prod' ? 'everywhere' : 'at a gate']);
    }
    expect(reached).toEqual([
      ['nothing waiting', 'nothing never', 'nothing never'],
      ['it deployed', 'nothing waiting', 'nothing never'],
      ['it deployed', 'it deployed', 'nothing waiting'],
    ]);
  });

  it('runs in each account, in the words of its environment', async () => {
    const said = await Promise.all(
      Object.keys(TARGETS).map(async (profile) => {
        const lambda = new Lambda(system.cloud.client(profile));
        const { Functions } = await lambda.listFunctions({});
        const { Payload } = await lambda.invoke({ FunctionName: Functions![0]!.FunctionName!, Payload: JSON.stringify({ name: 'Ada' }) });
        return (JSON.parse(Buffer.from(Payload!).toString('utf8')) as { message: string }).message;
      }),
    );
    expect(said).toEqual(['Hello from dev, Ada', 'Hello from test, Ada', 'Hello, Ada']);
  });

  it('was deployed through the roles of that bootstrap, with the policies it was given, by a pipeline in the build account', async () => {
    for (const [profile, account] of Object.entries(TARGETS)) {
      const { Stacks } = await new CloudFormation(system.cloud.client(profile)).describeStacks({});
      const own = Stacks!.filter(({ StackName }) => StackName!.endsWith('-Greeter'));
      expect(own.map(({ RoleARN }) => RoleARN)).toEqual([`arn:aws:iam::${account}:role/cdk-greeter-cfn-exec-role-${account}-${REGION}`]);
      expect((await toolkit(profile))['CloudFormationExecutionPolicies']).not.toContain('AdministratorAccess');
    }
    const { stages } = await pipelineOf(system, 'greetings').declaration();
    expect(stages!.flatMap(({ actions = [] }) => actions).filter(({ actionTypeId }) => actionTypeId?.provider === 'CloudFormation').map(({ roleArn }) => roleArn)).toEqual(Object.values(TARGETS).map((account) => `arn:aws:iam::${account}:role/cdk-greeter-deploy-role-${account}-${REGION}`));
  });

  it('has touched nothing of anybody else’s', async () => {
    expect(await whatIsTheirs()).toBe(theirs);
  });
});

describe('the whole', () => {
  it('is destroyed with its bootstraps, and leaves the others’ as they were', async () => {
    const done = outputOf('destroy', expectSuccess(await system.flotilla('--local', 'destroy', '--confirm', 'greetings', '--bootstrap', '--output', 'json')));
    expect(done).toMatchObject({ retained: [], obstacles: [], failures: [], left: [] });
    expect(await inventory(system.cloud, [REGION])).toEqual(before);
    expect(await whatIsTheirs()).toBe(theirs);
  });
});
