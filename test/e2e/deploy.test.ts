import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { S3 } from '@aws-sdk/client-s3';
import { SNS } from '@aws-sdk/client-sns';
import { SSM } from '@aws-sdk/client-ssm';
import { CfnOutput, NestedStack, RemovalPolicy, type App, type Stack, type StackProps } from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stack, synthesize } from './apps/synth.js';
import { expectSuccess, startTestCloud, writeFiles, type Ran, type TestCloud } from './cloud.js';

/** `cdk deploy` and its siblings of the real CLI, in one account. */

const ENV = { account: '111111111111', region: 'eu-west-1' };
let cloud: TestCloud;
let cloudFormation: CloudFormation;

beforeAll(async () => {
  cloud = await startTestCloud({ dev: `${ENV.account}/${ENV.region}` });
  cloudFormation = new CloudFormation(cloud.client('dev'));
  expectSuccess(await cloud.cdk(['bootstrap', `aws://${ENV.account}/${ENV.region}`]));
});
afterAll(() => cloud?.stop());

let assemblies = 0;
function assembly(define: (app: App) => void): string {
  return synthesize(join(cloud.folder, `assembly-${++assemblies}`), define);
}
const one = (name: string, define: (stack: Stack) => void, props?: StackProps): string => assembly((app) => void stack(app, name, ENV, define, props));
const deploy = (app: string, name: string, ...args: string[]): Promise<Ran> => cloud.cdk(['deploy', name, '-a', app, '--require-approval', 'never', ...args]);
const status = async (name: string): Promise<string> => (await cloudFormation.describeStacks({ StackName: name })).Stacks![0]!.StackStatus!;

const plain = (displayName: string, value = 'one') => (it: Stack): void => {
  const topic = new Topic(it, 'Topic', { displayName });
  new StringParameter(it, 'Parameter', { parameterName: '/plain/value', stringValue: value });
  new CfnOutput(it, 'TopicArn', { value: topic.topicArn });
};
const failing = (broken: boolean, topicName = 'first') => (it: Stack): void => {
  const topic = new Topic(it, 'Topic', { displayName: topicName });
  const role = new Role(it, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), managedPolicies: broken ? [ManagedPolicy.fromManagedPolicyArn(it, 'Missing', 'arn:aws:iam::aws:policy/NoSuchPolicy')] : [] });
  role.node.addDependency(topic);
};

describe('deploy', () => {
  let topic: string;

  it('creates a stack by change set and writes its outputs', async () => {
    const outputs = join(cloud.folder, 'outputs.json');
    const ran = expectSuccess(await deploy(one('Plain', plain('First'), { tags: { team: 'a' } }), 'Plain', '--outputs-file', outputs));
    topic = (JSON.parse(readFileSync(outputs, 'utf8')) as { Plain: { TopicArn: string } }).Plain.TopicArn;
    expect(ran.text).toContain(topic);
    expect((await new SNS(cloud.client('dev')).getTopicAttributes({ TopicArn: topic })).Attributes).toMatchObject({ DisplayName: 'First' });
    expect((await new SNS(cloud.client('dev')).listTagsForResource({ ResourceArn: topic })).Tags).toContainEqual({ Key: 'team', Value: 'a' });
    expect(await status('Plain')).toBe('CREATE_COMPLETE');
  });

  it('says that nothing changed when nothing did', async () => {
    expect(expectSuccess(await deploy(one('Plain', plain('First'), { tags: { team: 'a' } }), 'Plain')).text).toContain('Plain (no changes)');
  });

  it('updates directly, without a change set', async () => {
    expectSuccess(await deploy(one('Plain', plain('Second'), { tags: { team: 'a' } }), 'Plain', '--method', 'direct'));
    expect((await new SNS(cloud.client('dev')).getTopicAttributes({ TopicArn: topic })).Attributes).toMatchObject({ DisplayName: 'Second' });
    expect((await cloudFormation.listChangeSets({ StackName: 'Plain' })).Summaries).toEqual([]);
    expect(expectSuccess(await deploy(one('Plain', plain('Second'), { tags: { team: 'a' } }), 'Plain', '--method', 'direct', '--force')).text).toContain('(no changes)');
  });

  it('prepares a change set and leaves it when told to', async () => {
    expectSuccess(await deploy(one('Plain', plain('Third'), { tags: { team: 'a' } }), 'Plain', '--method', 'prepare-change-set', '--change-set-name', 'waiting'));
    const waiting = await cloudFormation.describeChangeSet({ StackName: 'Plain', ChangeSetName: 'waiting' });
    expect(waiting).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' });
    expect(waiting.Changes).toMatchObject([{ ResourceChange: { Action: 'Modify', LogicalResourceId: expect.stringMatching(/^Topic/), Replacement: 'False' } }]);
    expect((await new SNS(cloud.client('dev')).getTopicAttributes({ TopicArn: topic })).Attributes).toMatchObject({ DisplayName: 'Second' });
    await cloudFormation.deleteChangeSet({ StackName: 'Plain', ChangeSetName: 'waiting' });
  });

  it('in express mode does not wait for the resources to be stable', async () => {
    expectSuccess(await deploy(one('Express', (it) => void new Topic(it, 'Topic')), 'Express', '--express'));
  });

  it('publishes assets before it deploys, templates included', async () => {
    const file = join(writeFiles(join(cloud.folder, 'asset'), { 'data.txt': 'hello' }), 'data.txt');
    const app = one('WithAsset', (it) => {
      const asset = new Asset(it, 'Data', { path: file });
      new CfnOutput(it, 'Bucket', { value: asset.s3BucketName });
      new CfnOutput(it, 'Key', { value: asset.s3ObjectKey });
      new Topic(it, 'Topic');
    });
    expectSuccess(await deploy(app, 'WithAsset'));
    const { Outputs } = (await cloudFormation.describeStacks({ StackName: 'WithAsset' })).Stacks![0]!;
    const output = (name: string) => Outputs!.find(({ OutputKey }) => OutputKey === name)!.OutputValue!;
    const { Body } = await new S3(cloud.client('dev')).getObject({ Bucket: output('Bucket'), Key: output('Key') });
    expect(await Body!.transformToString()).toBe('hello');
  });

  it('creates nested stacks and their outputs', async () => {
    const app = one('Outer', (it) => {
      const inner = new NestedStack(it, 'Inner');
      new CfnOutput(it, 'InnerTopic', { value: new Topic(inner, 'Topic').topicArn });
    });
    expectSuccess(await deploy(app, 'Outer'));
    const { Stacks } = await cloudFormation.describeStacks({});
    const inner = Stacks!.find(({ StackName }) => StackName!.startsWith('Outer-Inner'))!;
    expect(inner.StackStatus).toBe('CREATE_COMPLETE');
    expect(inner.RootId).toBe(Stacks!.find(({ StackName }) => StackName === 'Outer')!.StackId);
  });
});

describe('a deployment that fails', () => {
  it('rolls the new stack back and prints the service’s reason', async () => {
    const ran = await deploy(one('Failing', failing(true)), 'Failing');
    expect(ran.code).toBe(1);
    expect(ran.text).toMatch(/Policy arn:aws:iam::aws:policy\/NoSuchPolicy does not exist or is not attachable\. \(Service: Iam, Status Code: 404, Request ID: /);
    expect(await status('Failing')).toBe('ROLLBACK_COMPLETE');
  });

  it('is followed by a new creation once it is mended', async () => {
    expectSuccess(await deploy(one('Failing', failing(false)), 'Failing'));
    expect(await status('Failing')).toBe('CREATE_COMPLETE');
  });

  it('without rollback waits where it broke until `cdk rollback`', async () => {
    const ran = await deploy(one('Failing', failing(true, 'second')), 'Failing', '--no-rollback');
    expect(ran.code).toBe(1);
    expect(await status('Failing')).toBe('UPDATE_FAILED');
    const back = expectSuccess(await cloud.cdk(['rollback', 'Failing', '-a', one('Failing', failing(false))]));
    expect(back.text).toContain('Failing');
    expect(await status('Failing')).toBe('UPDATE_ROLLBACK_COMPLETE');
  });
});

describe('looking', () => {
  it('`diff` shows the change and fails when asked to', async () => {
    const app = one('Plain', plain('Fourth', 'two'), { tags: { team: 'a' } });
    const ran = await cloud.cdk(['diff', 'Plain', '-a', app, '--fail']);
    expect(ran.code).toBe(1);
    expect(ran.text).toMatch(/\[~\] AWS::SNS::Topic Topic/);
    expect(ran.text).toMatch(/\[-\] Second\s+.*\[\+\] Fourth/s);
    expect((await cloudFormation.listChangeSets({ StackName: 'Plain' })).Summaries).toEqual([]);
  });

  it('`list` names the stacks, and what each waits for', async () => {
    const app = assembly((it) => {
      const first = stack(it, 'First', ENV, (made) => void new Topic(made, 'Topic'));
      stack(it, 'Second', ENV, (made) => void new Topic(made, 'Topic')).addStackDependency(first);
    });
    expect(expectSuccess(await cloud.cdk(['list', '-a', app])).stdout.trim().split('\n')).toEqual(['First', 'Second']);
    expect(JSON.parse(expectSuccess(await cloud.cdk(['list', '-a', app, '--show-dependencies', '--json'])).stdout)).toMatchObject([{ id: 'First', dependencies: [] }, { id: 'Second', dependencies: [{ id: 'First' }] }]);
  });

  it('`drift` finds what was changed behind the stack’s back', async () => {
    const app = one('Plain', plain('Second'), { tags: { team: 'a' } });
    expect((await cloud.cdk(['drift', 'Plain', '-a', app])).text).toContain('No drift detected');
    const { StackResources } = await cloudFormation.describeStackResources({ StackName: 'Plain' });
    const topic = StackResources!.find(({ ResourceType }) => ResourceType === 'AWS::SNS::Topic')!.PhysicalResourceId!;
    await new SNS(cloud.client('dev')).setTopicAttributes({ TopicArn: topic, AttributeName: 'DisplayName', AttributeValue: 'Tampered' });
    const drifted = await cloud.cdk(['drift', 'Plain', '-a', app, '--fail']);
    expect(drifted.code).toBe(1);
    expect(drifted.text).toMatch(/Modified Resources[\s\S]*AWS::SNS::Topic[\s\S]*Second[\s\S]*Tampered/);
    await new SNS(cloud.client('dev')).setTopicAttributes({ TopicArn: topic, AttributeName: 'DisplayName', AttributeValue: 'Second' });
  });

  it('context lookups read zones and parameters by the lookup role, and are remembered', async () => {
    await new SSM(cloud.client('dev')).putParameter({ Name: '/lookup/ami', Value: 'ami-0abc', Type: 'String' });
    const folder = writeFiles(join(cloud.folder, 'lookups'), {
      'app.cjs': `
        const { App, Stack, CfnOutput } = require('aws-cdk-lib');
        const { StringParameter } = require('aws-cdk-lib/aws-ssm');
        const { Vpc } = require('aws-cdk-lib/aws-ec2');
        const stack = new Stack(new App(), 'Lookups', { env: ${JSON.stringify(ENV)} });
        new CfnOutput(stack, 'Zones', { value: stack.availabilityZones.join() });
        new CfnOutput(stack, 'Image', { value: StringParameter.valueFromLookup(stack, '/lookup/ami') });
        new CfnOutput(stack, 'Network', { value: Vpc.fromLookup(stack, 'Vpc', { isDefault: true }).vpcCidrBlock });
      `,
      'cdk.json': JSON.stringify({ app: 'node app.cjs' }),
    });
    const ran = expectSuccess(await cloud.cdk(['synth', 'Lookups', '--json'], { cwd: folder, env: { NODE_PATH: join(import.meta.dirname, '..', '..', 'node_modules') } }));
    expect(JSON.parse(ran.stdout)).toMatchObject({ Outputs: { Zones: { Value: 'eu-west-1a,eu-west-1b,eu-west-1c' }, Image: { Value: 'ami-0abc' }, Network: { Value: '172.31.0.0/16' } } });
    expect(Object.keys(JSON.parse(readFileSync(join(folder, 'cdk.context.json'), 'utf8')) as object)).toContain(`availability-zones:account=${ENV.account}:region=${ENV.region}`);
  });
});

describe('import', () => {
  it('takes an existing bucket into a stack as it is', async () => {
    await new S3(cloud.client('dev')).createBucket({ Bucket: 'grown-by-hand', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
    const app = one('Imported', (it) => void new Bucket(it, 'Bucket', { removalPolicy: RemovalPolicy.RETAIN }));
    const logicalId = Object.keys((JSON.parse(readFileSync(join(app, 'Imported.template.json'), 'utf8')) as { Resources: object }).Resources)[0]!;
    const mapping = join(cloud.folder, 'mapping.json');
    writeFileSync(mapping, JSON.stringify({ [logicalId]: { BucketName: 'grown-by-hand' } }));
    expectSuccess(await cloud.cdk(['import', 'Imported', '-a', app, '--resource-mapping', mapping]));
    expect(await status('Imported')).toBe('IMPORT_COMPLETE');
    const { StackResources } = await cloudFormation.describeStackResources({ StackName: 'Imported' });
    expect(StackResources).toMatchObject([{ PhysicalResourceId: 'grown-by-hand', ResourceStatus: 'IMPORT_COMPLETE' }]);
  });
});

describe('stacks that hold each other', () => {
  const pair = (used: boolean): string =>
    assembly((it) => {
      let shared: Topic | undefined;
      stack(it, 'Producer', ENV, (made) => {
        shared = new Topic(made, 'Shared');
        new Topic(made, 'Own');
        if (used) made.exportValue(shared.topicArn);
      }, { terminationProtection: true });
      stack(it, 'Consumer', ENV, (made) => void new StringParameter(made, 'Parameter', { stringValue: used ? shared!.topicArn : 'none' }));
    });

  it('are deployed in order, the exported value imported', async () => {
    expectSuccess(await cloud.cdk(['deploy', '--all', '-a', pair(true), '--require-approval', 'never']));
    const exported = (await cloudFormation.listExports({})).Exports!.filter(({ Name }) => Name!.startsWith('Producer:ExportsOutput'));
    expect(exported).toHaveLength(1);
    expect((await cloudFormation.listImports({ ExportName: exported[0]!.Name })).Imports).toEqual(['Consumer']);
  });

  it('refuse the end of an export that is in use, and of a protected stack', async () => {
    const ran = await deploy(pair(false), 'Producer', '--exclusively');
    expect(ran.code).toBe(1);
    expect(ran.text).toMatch(/Cannot delete export Producer:ExportsOutput\S+ as it is in use by Consumer/);
    expect(await status('Producer')).toBe('UPDATE_ROLLBACK_COMPLETE');
    const protectedStack = await cloud.cdk(['destroy', 'Producer', '--force', '--exclusively', '-a', pair(true)]);
    expect(protectedStack.code).toBe(1);
    expect(protectedStack.text).toContain('Stack [Producer] cannot be deleted while TerminationProtection is enabled');
  });

  it('are not changed by two deployments at once', async () => {
    await cloudFormation.updateTerminationProtection({ StackName: 'Producer', EnableTerminationProtection: false });
    const template = (n: number): string => JSON.stringify({ Resources: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`Topic${i}`, { Type: 'AWS::SNS::Topic', Properties: { DisplayName: String(n) }, ...(i === 0 ? {} : { DependsOn: `Topic${i - 1}` }) }])) });
    await cloudFormation.createStack({ StackName: 'Busy', TemplateBody: template(1) });
    await expect(cloudFormation.updateStack({ StackName: 'Busy', TemplateBody: template(2) })).rejects.toMatchObject({ name: 'ValidationError', message: expect.stringMatching(/^Stack:arn:aws:cloudformation:eu-west-1:111111111111:stack\/Busy\/\S+ is in CREATE_IN_PROGRESS state and can not be updated\.$/) });
    await expect(cloudFormation.createStack({ StackName: 'Busy', TemplateBody: template(2) })).rejects.toMatchObject({ name: 'AlreadyExistsException', message: 'Stack [Busy] already exists' });
  });
});

describe('an end', () => {
  it('`gc` removes the assets that no stack uses', async () => {
    const bucket = `cdk-hnb659fds-assets-${ENV.account}-${ENV.region}`;
    const s3 = new S3(cloud.client('dev'));
    await s3.putObject({ Bucket: bucket, Key: `${'0'.repeat(64)}.zip`, Body: 'orphan' });
    const keys = async (): Promise<string[]> => ((await s3.listObjectsV2({ Bucket: bucket })).Contents ?? []).map(({ Key }) => Key!);
    const before = await keys();
    expectSuccess(await cloud.cdk(['gc', '--unstable', 'gc', '--type', 's3', '--created-buffer-days', '0', '--rollback-buffer-days', '0', '--confirm', 'false', `aws://${ENV.account}/${ENV.region}`]));
    const after = await keys();
    expect(before).toContain(`${'0'.repeat(64)}.zip`);
    expect(after).not.toContain(`${'0'.repeat(64)}.zip`);
    expect(after.length).toBeGreaterThan(0);
  });

  it('`destroy` leaves only what is retained', async () => {
    const app = assembly((it) => {
      stack(it, 'Plain', ENV, plain('Second'));
      stack(it, 'Imported', ENV, (made) => void new Bucket(made, 'Bucket', { removalPolicy: RemovalPolicy.RETAIN }));
    });
    expectSuccess(await cloud.cdk(['destroy', '--all', '--force', '-a', app]));
    await expect(cloudFormation.describeStacks({ StackName: 'Plain' })).rejects.toMatchObject({ name: 'ValidationError', message: 'Stack with id Plain does not exist' });
    await expect(new SSM(cloud.client('dev')).getParameter({ Name: '/plain/value' })).rejects.toMatchObject({ name: 'ParameterNotFound' });
    await new S3(cloud.client('dev')).headBucket({ Bucket: 'grown-by-hand' });
  });
});
