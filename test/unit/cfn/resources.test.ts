import { describe, expect, it } from 'vitest';
import { services } from '../../../src/local/services/index.js';
import { TestCloud } from './world.js';

const all = services.filter((service) => service.name !== 'codebuild');
const TRUST = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
const ALLOW = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
const alarm = { ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 1, MetricName: 'm', Namespace: 'n', Period: 60, Statistic: 'Sum', Threshold: 1 };
const table = { TableName: 'taken', KeySchema: [{ AttributeName: 'a', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'a', AttributeType: 'S' }], BillingMode: 'PAY_PER_REQUEST' };
const one = (Type: string, Properties: object): object => ({ Resources: { X: { Type, Properties } } });

async function outputs(cloud: TestCloud, id: string): Promise<Record<string, string>> {
  const { Stacks } = await cloud.call<{ Stacks: { Outputs?: { OutputKey: string; OutputValue: string }[] }[] }>('cloudformation', 'DescribeStacks', { StackName: id });
  return Object.fromEntries((Stacks[0]!.Outputs ?? []).map((output) => [output.OutputKey, output.OutputValue]));
}

describe('a name that is taken', () => {
  it.each<[string, object, string]>([
    ['AWS::SNS::Topic', { TopicName: 'taken' }, "Resource of type 'AWS::SNS::Topic' with identifier 'taken' already exists."],
    ['AWS::SQS::Queue', { QueueName: 'taken' }, "Resource of type 'AWS::SQS::Queue' with identifier 'taken' already exists."],
    ['AWS::Events::Rule', { Name: 'taken', ScheduleExpression: 'rate(1 day)' }, "Resource of type 'AWS::Events::Rule' with identifier 'taken' already exists."],
    ['AWS::CloudWatch::Alarm', { AlarmName: 'taken', ...alarm }, "Resource of type 'AWS::CloudWatch::Alarm' with identifier 'taken' already exists."],
    ['AWS::CloudWatch::Dashboard', { DashboardName: 'taken', DashboardBody: '{"widgets":[]}' }, "Resource of type 'AWS::CloudWatch::Dashboard' with identifier 'taken' already exists."],
    ['AWS::Logs::LogGroup', { LogGroupName: 'taken' }, `Resource of type 'AWS::Logs::LogGroup' with identifier '{"/properties/LogGroupName":"taken"}' already exists.`],
    ['AWS::S3::Bucket', { BucketName: 'taken-bucket' }, 'taken-bucket already exists (Service: S3, Status Code: 0, Request ID: null)'],
    ['AWS::SSM::Parameter', { Name: 'taken', Type: 'String', Value: 'v' }, 'The parameter already exists.'],
    ['AWS::IAM::Role', { RoleName: 'taken', AssumeRolePolicyDocument: TRUST }, 'Role with name taken already exists.'],
    ['AWS::IAM::User', { UserName: 'taken' }, 'User with name taken already exists.'],
    ['AWS::IAM::Group', { GroupName: 'taken' }, 'Group with name taken already exists.'],
    ['AWS::IAM::ManagedPolicy', { ManagedPolicyName: 'taken', PolicyDocument: ALLOW }, 'A policy called taken already exists.'],
    ['AWS::SecretsManager::Secret', { Name: 'taken', SecretString: 'x' }, 'The operation failed because the secret taken already exists.'],
    ['AWS::DynamoDB::Table', table, 'Table already exists: taken'],
    ['AWS::ECR::Repository', { RepositoryName: 'taken' }, "The repository with name 'taken' already exists"],
    ['AWS::Events::EventBus', { Name: 'taken' }, 'Event bus taken already exists.'],
  ])('of %s fails the second stack and leaves what the first has', async (type, properties, sentence) => {
    const cloud = new TestCloud(all);
    const first = await cloud.create('first', one(type, properties));
    expect(first.status).toBe('CREATE_COMPLETE');
    const second = await cloud.create('second', one(type, properties));
    expect(second.status).toBe('ROLLBACK_COMPLETE');
    const reason = (await cloud.events(second.id)).find((event) => event.ResourceStatus === 'CREATE_FAILED')!.ResourceStatusReason!;
    expect(reason).toContain(`Resource handler returned message: "${sentence}`);
    expect(reason).toMatch(/HandlerErrorCode: AlreadyExists\)$/);
    // It still stands: the same name is still taken.
    expect((await cloud.create('third', one(type, properties))).status).toBe('ROLLBACK_COMPLETE');
  });

  it('is not taken over in us-east-1 either, where S3 itself would answer one’s own bucket', async () => {
    const cloud = new TestCloud(all);
    const there = cloud.client.in('us-east-1');
    await there.call('s3', 'CreateBucket', { Bucket: 'own-bucket' });
    const { StackId } = await there.call<{ StackId: string }>('cloudformation', 'CreateStack', { StackName: 's', TemplateBody: JSON.stringify(one('AWS::S3::Bucket', { BucketName: 'own-bucket' })) });
    let status = '';
    while (!/COMPLETE|FAILED/.test(status)) {
      await new Promise((resolve) => setImmediate(resolve));
      status = (await there.call<{ Stacks: { StackStatus: string }[] }>('cloudformation', 'DescribeStacks', { StackName: StackId })).Stacks[0]!.StackStatus;
    }
    expect(status).toBe('ROLLBACK_COMPLETE');
    await there.call('s3', 'HeadBucket', { Bucket: 'own-bucket' });
  });
});

describe('a bucket of server access logs', () => {
  it('has the canned ACL of log delivery, which the model of the API does not list, and no other that it does not', async () => {
    const cloud = new TestCloud(all);
    const owned = { OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] } };
    expect((await cloud.create('logs', one('AWS::S3::Bucket', { BucketName: 'the-logs', AccessControl: 'LogDeliveryWrite', ...owned }))).status).toBe('CREATE_COMPLETE');
    const { Grants } = await cloud.call<{ Grants: { Grantee: { URI?: string }; Permission: string }[] }>('s3', 'GetBucketAcl', { Bucket: 'the-logs' });
    expect(Grants.filter(({ Grantee }) => Grantee.URI?.endsWith('/s3/LogDelivery')).map(({ Permission }) => Permission)).toEqual(['WRITE', 'READ_ACP']);
    await expect(cloud.call('s3', 'CreateBucket', { Bucket: 'other-logs', ACL: 'log-delivery-read', ObjectOwnership: 'ObjectWriter' })).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});

describe('a property that leaves the template', () => {
  it('takes a queue back to what queues have of themselves', async () => {
    for (const [full, small] of [
      [{ QueueName: 'q', VisibilityTimeout: 40, DelaySeconds: 3, MaximumMessageSize: 2048, MessageRetentionPeriod: 120, ReceiveMessageWaitTimeSeconds: 4, SqsManagedSseEnabled: false }, { QueueName: 'q' }],
      [{ QueueName: 'q.fifo', FifoQueue: true, ContentBasedDeduplication: true, DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }, { QueueName: 'q.fifo', FifoQueue: true }],
    ]) {
      const attributes = async (cloud: TestCloud): Promise<unknown> => {
        const { QueueUrl } = await cloud.call<{ QueueUrl: string }>('sqs', 'GetQueueUrl', { QueueName: small!.QueueName });
        const { Attributes } = await cloud.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] });
        return Object.fromEntries(Object.entries(Attributes).filter(([name]) => !/Timestamp/.test(name)));
      };
      const [updated, created] = [new TestCloud(all), new TestCloud(all)];
      const { id } = await updated.create('s', one('AWS::SQS::Queue', full!));
      expect(await updated.update(id, one('AWS::SQS::Queue', small!))).toBe('UPDATE_COMPLETE');
      await created.create('s', one('AWS::SQS::Queue', small!));
      expect(await attributes(updated)).toEqual(await attributes(created));
    }
  });

  it('ends the subscriptions of a topic and the login of a user', async () => {
    const cloud = new TestCloud(all);
    await cloud.call('sqs', 'CreateQueue', { QueueName: 'q' });
    const template = (there: boolean): object => ({
      Resources: {
        T: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 't', DisplayName: 'd', ...(there ? { Subscription: [{ Protocol: 'sqs', Endpoint: 'arn:aws:sqs:eu-west-1:111111111111:q' }] } : {}) } },
        U: { Type: 'AWS::IAM::User', Properties: { UserName: 'u', ...(there ? { LoginProfile: { Password: 'Abcdef123456!' } } : {}) } },
      },
    });
    const subscriptions = async (): Promise<number> => (await cloud.call<{ Subscriptions: object[] }>('sns', 'ListSubscriptionsByTopic', { TopicArn: 'arn:aws:sns:eu-west-1:111111111111:t' })).Subscriptions.length;
    const { id } = await cloud.create('s', template(true), { Capabilities: ['CAPABILITY_NAMED_IAM'] });
    expect(await subscriptions()).toBe(1);
    await cloud.call('iam', 'GetLoginProfile', { UserName: 'u' });
    expect(await cloud.update(id, template(false))).toBe('UPDATE_COMPLETE');
    expect(await subscriptions()).toBe(0);
    await expect(cloud.call('iam', 'GetLoginProfile', { UserName: 'u' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    expect(await cloud.update(id, template(true))).toBe('UPDATE_COMPLETE');
    expect(await subscriptions()).toBe(1);
    await cloud.call('iam', 'GetLoginProfile', { UserName: 'u' });
  });
});

describe('an attribute', () => {
  it('is read from the resource where nobody set it', async () => {
    const cloud = new TestCloud(all);
    const get = (resource: string, attribute: string): object => ({ Value: { 'Fn::GetAtt': [resource, attribute] } });
    const { id, status } = await cloud.create('s', {
      Resources: { Q: { Type: 'AWS::SQS::Queue' }, P: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/a/b', Type: 'String', Value: 'v' } }, T: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { 'Fn::GetAtt': ['Q', 'VisibilityTimeout'] } } } },
      Outputs: { Delay: get('Q', 'DelaySeconds'), Arn: get('P', 'Arn'), Type: get('P', 'DataType'), Shown: get('T', 'DisplayName') },
    });
    expect(status).toBe('CREATE_COMPLETE');
    expect(await outputs(cloud, id)).toEqual({ Delay: '0', Arn: 'arn:aws:ssm:eu-west-1:111111111111:parameter/a/b', Type: 'text', Shown: '30' });
  });
});
