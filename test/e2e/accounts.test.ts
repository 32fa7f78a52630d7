import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { IAM } from '@aws-sdk/client-iam';
import { KMS } from '@aws-sdk/client-kms';
import { S3 } from '@aws-sdk/client-s3';
import { SNS } from '@aws-sdk/client-sns';
import { STS } from '@aws-sdk/client-sts';
import { CfnOutput, DefaultStackSynthesizer, RemovalPolicy, type Stack, type StackProps } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stack, synthesize } from './apps/synth.js';
import { expectSuccess, startTestCloud, writeFiles, type Ran, type TestCloud } from './cloud.js';

/** What crosses from one account into another, and what is refused where AWS refuses it. */

const REGION = 'eu-west-1';
const TOOLS = '999999999999';
const DEV = '111111111111';
const CLOSED = '222222222222';
const NARROW = '333333333333';
let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud({ tools: `${TOOLS}/${REGION}`, dev: `${DEV}/${REGION}`, closed: `${CLOSED}/${REGION}`, narrow: `${NARROW}/${REGION}` });
  const admin = 'arn:aws:iam::aws:policy/AdministratorAccess';
  const bootstrap = async (profile: string, account: string, ...args: string[]): Promise<Ran> => expectSuccess(await cloud.cdk(['bootstrap', `aws://${account}/${REGION}`, ...args], { profile }));
  await bootstrap('dev', DEV, '--trust', TOOLS, '--cloudformation-execution-policies', admin);
  await bootstrap('dev', DEV, '--qualifier', 'teamb', '--toolkit-stack-name', 'TeamB', '--cloudformation-execution-policies', admin);
  await bootstrap('closed', CLOSED);
  await bootstrap('narrow', NARROW, '--trust', TOOLS, '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/AmazonSNSFullAccess');
});
afterAll(() => cloud?.stop());

let assemblies = 0;
function app(account: string, name: string, define: (stack: Stack) => void, props: StackProps = {}, region = REGION): string {
  return synthesize(join(cloud.folder, `assembly-${++assemblies}`), (it) => void stack(it, name, { account, region }, define, props));
}
const deploy = (assembly: string, name: string, profile = 'tools'): Promise<Ran> => cloud.cdk(['deploy', name, '-a', assembly, '--require-approval', 'never'], { profile });
const topic = (it: Stack): void => void new Topic(it, 'Topic', { topicName: `${it.stackName}-topic` });
const document = (...statements: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });

describe('a deployment from the tools account', () => {
  it('into an account that trusts it makes the stack there, with its assets', async () => {
    const file = join(writeFiles(join(cloud.folder, 'asset'), { 'data.txt': 'across' }), 'data.txt');
    const assembly = app(DEV, 'Across', (it) => {
      topic(it);
      new CfnOutput(it, 'Key', { value: new Asset(it, 'Data', { path: file }).s3ObjectKey });
    });
    expectSuccess(await deploy(assembly, 'Across'));
    const { Topics } = await new SNS(cloud.client('dev')).listTopics({});
    expect(Topics).toEqual([{ TopicArn: `arn:aws:sns:${REGION}:${DEV}:Across-topic` }]);
    expect((await new SNS(cloud.client('tools')).listTopics({})).Topics ?? []).toEqual([]);
    const made = (await new CloudFormation(cloud.client('dev')).describeStacks({ StackName: 'Across' })).Stacks![0]!;
    expect(made.RoleARN).toBe(`arn:aws:iam::${DEV}:role/cdk-hnb659fds-cfn-exec-role-${DEV}-${REGION}`);
    const { Body } = await new S3(cloud.client('dev')).getObject({ Bucket: `cdk-hnb659fds-assets-${DEV}-${REGION}`, Key: made.Outputs![0]!.OutputValue! });
    expect(await Body!.transformToString()).toBe('across');
  });

  it('into an account that does not trust it is refused, with the CLI’s advice', async () => {
    const ran = await deploy(app(CLOSED, 'Closed', topic), 'Closed');
    expect(ran.code).toBe(1);
    expect(ran.text).toMatch(/Could not assume role in target account using current credentials \(which are for account 999999999999\) User: arn:aws:iam::999999999999:\S+ is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role\/cdk-hnb659fds-deploy-role-222222222222-eu-west-1/);
    expect(ran.text).toContain("(re)-bootstrap the environment with the right '--trust'");
  });

  it('by a qualifier that is not trusted is refused', async () => {
    const ran = await deploy(app(DEV, 'TeamB', topic, { synthesizer: new DefaultStackSynthesizer({ qualifier: 'teamb' }) }), 'TeamB');
    expect(ran.code).toBe(1);
    expect(ran.text).toContain(`sts:AssumeRole on resource: arn:aws:iam::${DEV}:role/cdk-teamb-deploy-role-${DEV}-${REGION}`);
  });

  it('by a qualifier that nobody bootstrapped is refused', async () => {
    const ran = await deploy(app(DEV, 'Nobody', topic, { synthesizer: new DefaultStackSynthesizer({ qualifier: 'nobody' }) }), 'Nobody');
    expect(ran.code).toBe(1);
    expect(ran.text).toMatch(/Could not assume role in target account/);
  });

  it('into an account without bootstrap says so', async () => {
    const ran = await deploy(app(TOOLS, 'Unready', topic), 'Unready');
    expect(ran.code).toBe(1);
    expect(ran.text).toMatch(/\/cdk-bootstrap\/hnb659fds\/version not found.*Has the environment been bootstrapped\?/s);
  });
});

describe('an execution policy', () => {
  it('that lacks an action rolls the stack back with the service’s reason', async () => {
    const ran = await deploy(
      app(NARROW, 'Narrow', (it) => {
        topic(it);
        new StringParameter(it, 'Parameter', { parameterName: '/narrow', stringValue: 'x' }).node.addDependency(it.node.findChild('Topic'));
      }),
      'Narrow',
    );
    expect(ran.code).toBe(1);
    expect(ran.text).toMatch(
      /User: arn:aws:sts::333333333333:assumed-role\/cdk-hnb659fds-cfn-exec-role-333333333333-eu-west-1\/AWSCloudFormation is not authorized to perform: ssm:PutParameter on resource: arn:aws:ssm:eu-west-1:333333333333:parameter\/narrow because no identity-based policy allows the ssm:PutParameter action/,
    );
    expect((await new CloudFormation(cloud.client('narrow')).describeStacks({ StackName: 'Narrow' })).Stacks![0]!.StackStatus).toBe('ROLLBACK_COMPLETE');
    expect((await new SNS(cloud.client('narrow')).listTopics({})).Topics ?? []).toEqual([]);
  });

  it('is what `flotilla cloud why` names as lacking', async () => {
    const why = expectSuccess(await cloud.flotilla('cloud', 'why'));
    expect(why.stdout).toContain('ssm:PutParameter');
    expect(why.stdout).toContain('cdk-hnb659fds-cfn-exec-role-333333333333-eu-west-1');
  });
});

describe('a service control policy', () => {
  it('forbids a region to everyone in the account', async () => {
    const file = join(
      writeFiles(join(cloud.folder, 'scp'), { 'OnlyIreland.json': document({ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', NotAction: ['iam:*', 'sts:*'], Resource: '*', Condition: { StringNotEquals: { 'aws:RequestedRegion': [REGION] } } }) }),
      'OnlyIreland.json',
    );
    expectSuccess(await cloud.flotilla('cloud', 'scp', DEV, file));
    await expect(new SNS(cloud.client('dev', 'us-east-1')).createTopic({ Name: 'abroad' })).rejects.toMatchObject({
      name: 'AuthorizationErrorException',
      message: expect.stringMatching(/is not authorized to perform: SNS:CreateTopic on resource: arn:aws:sns:us-east-1:111111111111:abroad with an explicit deny in a service control policy/),
    });
    const why = expectSuccess(await cloud.flotilla('cloud', 'why'));
    expect(why.stdout).toContain('OnlyIreland');
    const ran = await cloud.cdk(['bootstrap', `aws://${DEV}/us-east-1`], { profile: 'dev' });
    expect(ran.code).toBe(1);
    expect(ran.text).toContain('with an explicit deny in a service control policy');
    expectSuccess(await deploy(app(DEV, 'AtHome', topic), 'AtHome'));
    expectSuccess(await cloud.flotilla('cloud', 'scp', DEV));
  });
});

describe('a role that was deleted and made again', () => {
  const trust = document({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${TOOLS}:root` }, Action: 'sts:AssumeRole' });
  const session = async (name: string) => {
    const { Credentials } = await new STS(cloud.client('tools')).assumeRole({ RoleArn: `arn:aws:iam::${TOOLS}:role/${name}`, RoleSessionName: 'judge' });
    return { ...cloud.client('dev'), credentials: { accessKeyId: Credentials!.AccessKeyId!, secretAccessKey: Credentials!.SecretAccessKey!, sessionToken: Credentials!.SessionToken! } };
  };
  const makeRole = async (name: string): Promise<string> => {
    const iam = new IAM(cloud.client('tools'));
    const { Role } = await iam.createRole({ RoleName: name, AssumeRolePolicyDocument: trust });
    await iam.putRolePolicy({ RoleName: name, PolicyName: 'all', PolicyDocument: document({ Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: '*' }) });
    return Role!.Arn!;
  };
  const remake = async (name: string): Promise<string> => {
    const iam = new IAM(cloud.client('tools'));
    await iam.deleteRolePolicy({ RoleName: name, PolicyName: 'all' });
    await iam.deleteRole({ RoleName: name });
    return makeRole(name);
  };

  it('is a stranger to the bucket policy and the key policy that named it; both show the old one’s ID', async () => {
    const role = await makeRole('reader');
    const assembly = app(DEV, 'Store', (it) => {
      const bucket = new Bucket(it, 'Bucket', { bucketName: 'store-of-dev', removalPolicy: RemovalPolicy.DESTROY });
      new CfnOutput(it, 'Arn', { value: bucket.bucketArn });
    });
    expectSuccess(await deploy(assembly, 'Store'));
    const s3 = new S3(cloud.client('dev'));
    const kms = new KMS(cloud.client('dev'));
    const key = (await kms.createKey({})).KeyMetadata!.Arn!;
    const keyPolicy = document({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${DEV}:root` }, Action: 'kms:*', Resource: '*' }, { Effect: 'Allow', Principal: { AWS: role }, Action: 'kms:*', Resource: '*' });
    const bucketPolicy = document({ Effect: 'Allow', Principal: { AWS: role }, Action: 's3:*', Resource: ['arn:aws:s3:::store-of-dev', 'arn:aws:s3:::store-of-dev/*'] });
    await s3.putBucketPolicy({ Bucket: 'store-of-dev', Policy: bucketPolicy });
    await kms.putKeyPolicy({ KeyId: key, PolicyName: 'default', Policy: keyPolicy });
    await s3.putObject({ Bucket: 'store-of-dev', Key: 'a', Body: 'x' });
    const before = await session('reader');
    await new S3(before).getObject({ Bucket: 'store-of-dev', Key: 'a' });
    await new KMS(before).encrypt({ KeyId: key, Plaintext: Buffer.from('x') });

    await remake('reader');
    const after = await session('reader');
    await expect(new S3(after).getObject({ Bucket: 'store-of-dev', Key: 'a' })).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(new KMS(after).encrypt({ KeyId: key, Plaintext: Buffer.from('x') })).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect((await s3.getBucketPolicy({ Bucket: 'store-of-dev' })).Policy).toMatch(/"AROA[A-Z0-9]{17}"/);
    expect((await kms.getKeyPolicy({ KeyId: key, PolicyName: 'default' })).Policy).toMatch(/"AROA[A-Z0-9]{17}"/);

    await s3.putBucketPolicy({ Bucket: 'store-of-dev', Policy: bucketPolicy });
    await new S3(after).getObject({ Bucket: 'store-of-dev', Key: 'a' });
  });

  it('cannot be named by a policy while it does not exist', async () => {
    await expect(
      new S3(cloud.client('dev')).putBucketPolicy({ Bucket: 'store-of-dev', Policy: document({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${TOOLS}:role/never` }, Action: 's3:*', Resource: 'arn:aws:s3:::store-of-dev' }) }),
    ).rejects.toMatchObject({ name: 'MalformedPolicy', message: 'Invalid principal in policy' });
  });
});

describe('cdk-assets', () => {
  it('publishes into another account by its file-publishing role, once', async () => {
    const file = join(writeFiles(join(cloud.folder, 'published'), { 'site/index.html': '<p>hello</p>' }), 'site');
    const assembly = app(DEV, 'Site', (it) => void new CfnOutput(it, 'Key', { value: new Asset(it, 'Site', { path: file }).s3ObjectKey }));
    const manifest = join(assembly, 'Site.assets.json');
    // cdk-assets 4.7.3 reads assembly schema 54 at most.
    writeFileSync(manifest, JSON.stringify({ ...(JSON.parse(readFileSync(manifest, 'utf8')) as object), version: '54.0.0' }));
    const first = expectSuccess(await cloud.cdkAssets(['--path', manifest, '--verbose', 'publish'], { profile: 'tools' }));
    expect(first.text).toMatch(/Upload/);
    const again = expectSuccess(await cloud.cdkAssets(['--path', manifest, '--verbose', 'publish'], { profile: 'tools' }));
    expect(again.text).toMatch(/Found s3:\/\/cdk-hnb659fds-assets-111111111111-eu-west-1/);
    const refused = await cloud.cdkAssets(['--path', manifest, '--verbose', 'publish'], { profile: 'closed' });
    expect(refused.code).not.toBe(0);
    expect(refused.text).toContain(`Bucket named 'cdk-hnb659fds-assets-${DEV}-${REGION}' exists, but we dont have access to it.`);
  });
});
