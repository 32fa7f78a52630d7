import { describe, expect, it } from 'vitest';
import { Timed } from './timed-cloud.js';
import { TestCloud } from './world.js';

const parameter = (name: string, value: unknown, more: object = {}): object => ({ Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: value }, ...more });
const badQueue = (more: object = {}): object => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName: 'no name!' }, ...more });

interface Drift {
  LogicalResourceId: string;
  StackResourceDriftStatus: string;
  PropertyDifferences: { PropertyPath: string; ExpectedValue: string; ActualValue: string; DifferenceType: string }[];
}

async function drift(cloud: TestCloud, id: string): Promise<{ status: string; drifts: Record<string, Drift> }> {
  const { StackDriftDetectionId } = await cloud.call<{ StackDriftDetectionId: string }>('cloudformation', 'DetectStackDrift', { StackName: id });
  const { StackDriftStatus } = await cloud.call<{ StackDriftStatus: string }>('cloudformation', 'DescribeStackDriftDetectionStatus', { StackDriftDetectionId });
  const { StackResourceDrifts } = await cloud.call<{ StackResourceDrifts: Drift[] }>('cloudformation', 'DescribeStackResourceDrifts', { StackName: id });
  return { status: StackDriftStatus, drifts: Object.fromEntries(StackResourceDrifts.map((one) => [one.LogicalResourceId, one])) };
}

describe('drift', () => {
  it('is none in what was just made, however its policies are spelled', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', {
      Resources: {
        P: parameter('p', 1),
        R: {
          Type: 'AWS::IAM::Role',
          Properties: { RoleName: 'r', AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: '111111111111', Service: ['lambda.amazonaws.com'] }, Action: ['sts:AssumeRole'] }] } },
        },
        B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'templates-b', VersioningConfiguration: { Status: 'Enabled' } } },
      },
    });
    const { status, drifts } = await drift(cloud, id);
    expect(status).toBe('IN_SYNC');
    expect(Object.values(drifts).map((one) => one.StackResourceDriftStatus)).toEqual(['IN_SYNC', 'IN_SYNC', 'IN_SYNC']);
  });

  it('is what somebody changed or deleted behind the stack', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', { Resources: { P: parameter('p', 'one'), T: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 't' } }, Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q', VisibilityTimeout: 30 } } } });
    await cloud.call('ssm', 'PutParameter', { Name: 'p', Value: 'two', Overwrite: true });
    await cloud.call('sns', 'DeleteTopic', { TopicArn: 'arn:aws:sns:eu-west-1:111111111111:t' });
    const { status, drifts } = await drift(cloud, id);
    expect(status).toBe('DRIFTED');
    expect(drifts['P']).toMatchObject({ StackResourceDriftStatus: 'MODIFIED', PropertyDifferences: [{ PropertyPath: '/Value', ExpectedValue: 'one', ActualValue: 'two', DifferenceType: 'NOT_EQUAL' }] });
    expect(drifts['T']).toMatchObject({ StackResourceDriftStatus: 'DELETED' });
    expect(drifts['Q']).toMatchObject({ StackResourceDriftStatus: 'IN_SYNC' });
    const { Stacks } = await cloud.call<{ Stacks: object[] }>('cloudformation', 'DescribeStacks', { StackName: id });
    expect(Stacks[0]).toMatchObject({ DriftInformation: { StackDriftStatus: 'DRIFTED' } });
  });
});

describe('an import', () => {
  const template = { Resources: { P: parameter('there', 'own', { DeletionPolicy: 'Retain' }) } };

  async function importing(cloud: TestCloud, more: object): Promise<{ stack: string; set: string }> {
    const { Id, StackId } = await cloud.call<{ Id: string; StackId: string }>('cloudformation', 'CreateChangeSet', { StackName: 's', ChangeSetName: 'c', TemplateBody: JSON.stringify(template), ...more });
    return { stack: StackId, set: Id };
  }

  const wanted = { ChangeSetType: 'IMPORT', ResourcesToImport: [{ ResourceType: 'AWS::SSM::Parameter', LogicalResourceId: 'P', ResourceIdentifier: { Name: 'there' } }] };

  it('takes what stands into the stack, and a rollback lets it go untouched', async () => {
    for (const broken of [false, true]) {
      const cloud = new TestCloud();
      if (!broken) await cloud.call('ssm', 'PutParameter', { Name: 'there', Type: 'String', Value: 'own' });
      const { stack, set } = await importing(cloud, wanted);
      await cloud.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: set });
      expect(await cloud.settled(stack)).toBe(broken ? 'IMPORT_ROLLBACK_COMPLETE' : 'IMPORT_COMPLETE');
      expect(await cloud.standing()).toEqual(broken ? {} : { 'ssm there': ['String', 'own'] });
      if (!broken) expect(await cloud.update(stack, { Resources: { P: parameter('there', 'changed', { DeletionPolicy: 'Retain' }) } })).toBe('UPDATE_COMPLETE');
    }
  });

  it('needs a DeletionPolicy, and nothing else beside it', async () => {
    const cloud = new TestCloud();
    await expect(importing(cloud, { ...wanted, TemplateBody: JSON.stringify({ Resources: { P: parameter('there', 'own') } }) })).rejects.toThrow('Resources [P] to import must have DeletionPolicy attribute specified in the template.');
    await expect(importing(cloud, { ...wanted, TemplateBody: JSON.stringify({ Resources: { ...template.Resources, N: parameter('new', 'x') } }) })).rejects.toThrow('As part of the import operation, you cannot modify or add [N]');
  });

  it('is what ImportExistingResources makes of a creation whose name is taken', async () => {
    const cloud = new TestCloud();
    await cloud.call('ssm', 'PutParameter', { Name: 'there', Type: 'String', Value: 'own' });
    const { stack, set } = await importing(cloud, { ChangeSetType: 'CREATE', ImportExistingResources: true, TemplateBody: JSON.stringify({ Resources: { ...template.Resources, N: parameter('new', 'x') } }) });
    const { Changes } = await cloud.call<{ Changes: { ResourceChange: { Action: string } }[] }>('cloudformation', 'DescribeChangeSet', { ChangeSetName: set });
    expect(Changes.map(({ ResourceChange }) => ResourceChange.Action)).toEqual(['Import', 'Add']);
    await cloud.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: set });
    expect(await cloud.settled(stack)).toBe('CREATE_COMPLETE');
    expect(await cloud.standing()).toEqual({ 'ssm new': ['String', 'x'], 'ssm there': ['String', 'own'] });
  });
});

describe('what a rollback keeps', () => {
  const failing = (policy: string): object => ({ Resources: { P: parameter('p', 'v', { DeletionPolicy: policy }), Q: badQueue({ DependsOn: 'P' }) } });

  it('is what the policy Retain says, but not what RetainExceptOnCreate says', async () => {
    for (const [policy, more, left] of [['Retain', {}, ['ssm p']], ['RetainExceptOnCreate', {}, []], ['Retain', { RetainExceptOnCreate: true }, []]] as const) {
      const cloud = new TestCloud();
      expect((await cloud.create('s', failing(policy), more)).status).toBe('ROLLBACK_COMPLETE');
      expect(Object.keys(await cloud.standing()), `${policy} ${JSON.stringify(more)}`).toEqual(left);
    }
  });

  it('is kept when the stack goes later', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', { Resources: { P: parameter('p', 'v', { DeletionPolicy: 'RetainExceptOnCreate' }) } });
    await cloud.delete(id);
    expect(Object.keys(await cloud.standing())).toEqual(['ssm p']);
  });
});

describe('a stack that can not be deleted', () => {
  it('is let go by force, with what could not be deleted left behind', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', { Resources: { B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'full-bucket' } }, P: parameter('p', 'v') } });
    await cloud.call('s3', 'PutObject', { Bucket: 'full-bucket', Key: 'k', Body: Buffer.from('x') });
    await expect(cloud.delete(id, { DeletionMode: 'FORCE_DELETE_STACK' })).rejects.toThrow('FORCE_DELETE_STACK');
    expect(await cloud.delete(id)).toBe('DELETE_FAILED');
    expect((await cloud.events(id)).find((event) => event.ResourceStatus === 'DELETE_FAILED')?.ResourceStatusReason).toContain('The bucket you tried to delete is not empty');
    expect(await cloud.delete(id, { DeletionMode: 'FORCE_DELETE_STACK' })).toBe('DELETE_COMPLETE');
    expect(Object.keys(await cloud.standing())).toEqual(['s3 full-bucket']);
  });
});

describe('what is waited for', () => {
  it('a custom resource that never answers fails after its ServiceTimeout', async () => {
    const cloud = new Timed();
    const { TopicArn } = await cloud.call<{ TopicArn: string }>('sns', 'CreateTopic', { Name: 'custom' });
    const id = await cloud.start({ Resources: { C: { Type: 'Custom::Silent', Properties: { ServiceToken: TopicArn, ServiceTimeout: 120 } } } });
    await cloud.pass(110);
    expect(await cloud.status('s')).toBe('CREATE_IN_PROGRESS');
    await cloud.pass(200);
    expect(await cloud.status('s')).toBe('ROLLBACK_COMPLETE');
    const [reason] = await cloud.reasons(id, 'CREATE_FAILED');
    expect(reason).toMatch(/^CloudFormation did not receive a response from your Custom Resource\. Please check your logs for requestId \[[0-9a-f-]{36}\]\./);
  });

  it('a wait condition whose signals do not come times out', async () => {
    const cloud = new Timed();
    const id = await cloud.start({ Resources: { H: { Type: 'AWS::CloudFormation::WaitConditionHandle' }, W: { Type: 'AWS::CloudFormation::WaitCondition', Properties: { Handle: { Ref: 'H' }, Timeout: 60, Count: 2 } } } });
    await cloud.pass(70);
    expect(await cloud.status('s')).toBe('ROLLBACK_COMPLETE');
    expect(await cloud.reasons(id, 'CREATE_FAILED')).toEqual(['WaitCondition timed out. Received 0 conditions when expecting 2']);
  });

  const signalled = { Resources: { W: { Type: 'AWS::CloudFormation::WaitCondition', CreationPolicy: { ResourceSignal: { Count: 2, Timeout: 'PT2M' } } } } };
  const signal = (cloud: TestCloud, UniqueId: string, Status = 'SUCCESS'): Promise<unknown> => cloud.call('cloudformation', 'SignalResource', { StackName: 's', LogicalResourceId: 'W', UniqueId, Status });

  it('a CreationPolicy is met by as many signals as it counts, each once', async () => {
    const cloud = new Timed();
    await cloud.start(signalled);
    await signal(cloud, 'a');
    await signal(cloud, 'a');
    await cloud.pass(5);
    expect(await cloud.status('s')).toBe('CREATE_IN_PROGRESS');
    await signal(cloud, 'b');
    await cloud.pass(5);
    expect(await cloud.status('s')).toBe('CREATE_COMPLETE');
    await expect(signal(cloud, 'c')).rejects.toThrow('cannot be signaled');
  });

  it('a CreationPolicy fails by a failure, or by its timeout', async () => {
    for (const failure of [true, false]) {
      const cloud = new Timed();
      const id = await cloud.start(signalled);
      if (failure) await signal(cloud, 'a', 'FAILURE');
      await cloud.pass(failure ? 5 : 125);
      expect(await cloud.status('s')).toBe('ROLLBACK_COMPLETE');
      expect(await cloud.reasons(id, 'CREATE_FAILED')).toEqual([failure ? 'Received 1 FAILURE signal(s) out of 2. Unable to satisfy 100% MinSuccessfulInstancesPercent requirement' : 'Failed to receive 2 resource signal(s) within the specified duration']);
    }
  });
});

describe('what the local cloud has no behaviour for', () => {
  it.each([
    ['CreateStackSet', { StackSetName: 'x' }], ['CreateStackInstances', { StackSetName: 'x', Regions: ['eu-west-1'] }], ['RegisterType', { TypeName: 'A::B::C', SchemaHandlerPackage: 's3://b/k' }], ['ActivateType', {}],
    ['DescribeType', {}], ['CreateGeneratedTemplate', { GeneratedTemplateName: 'x' }], ['CreateStackRefactor', { StackDefinitions: [] }], ['EstimateTemplateCost', {}], ['StartResourceScan', {}],
  ])('%s is refused by name', async (operation, input) => {
    await expect(new TestCloud().call('cloudformation', operation, input)).rejects.toMatchObject({ code: 'NotImplemented', status: 501, message: expect.stringContaining(`cloudformation:${operation}`) as string });
  });

  it('a drift-aware change set is refused by name', async () => {
    const call = new TestCloud().call('cloudformation', 'CreateChangeSet', { StackName: 's', ChangeSetName: 'c', ChangeSetType: 'CREATE', TemplateBody: '{}', DeploymentMode: 'REVERT_DRIFT' });
    await expect(call).rejects.toMatchObject({ code: 'NotImplemented', status: 501, message: expect.stringContaining('REVERT_DRIFT') as string });
  });
});
