import { describe, expect, it } from 'vitest';
import { TestCloud } from './world.js';

interface Request {
  readonly RequestType: string;
  readonly RequestId: string;
  readonly ResponseURL: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Record<string, unknown>;
  readonly OldResourceProperties?: Record<string, unknown>;
}

/** A topic whose subscriber answers custom resource requests as `answer` says; undefined leaves them unanswered. */
async function answering(cloud: TestCloud, answer: (request: Request) => object | undefined): Promise<{ requests: Request[]; token: string }> {
  const requests: Request[] = [];
  cloud.intercept = ({ operation, input }) => {
    if (operation !== 'Publish') return;
    const request = JSON.parse(String(input['Message'])) as Request;
    requests.push(request);
    const body = answer(request);
    if (body) setImmediate(() => respond(cloud, request, body));
  };
  const { TopicArn } = await cloud.call<{ TopicArn: string }>('sns', 'CreateTopic', { Name: 'custom' });
  return { requests, token: TopicArn };
}

function respond(cloud: TestCloud, request: Request, body: object): boolean {
  const url = new URL(request.ResponseURL);
  return cloud.engine().mailbox.receive(url.pathname, url.search, JSON.stringify({ RequestId: request.RequestId, ...body }));
}

const stack = (token: string, value: unknown): object => ({ Resources: { C: { Type: 'Custom::Thing', Properties: { ServiceToken: token, Value: value } } }, Outputs: { O: { Value: { 'Fn::GetAtt': ['C', 'Answer'] } }, R: { Value: { Ref: 'C' } } } });

async function outputs(cloud: TestCloud, id: string): Promise<Record<string, string>> {
  const { Stacks } = await cloud.call<{ Stacks: { Outputs?: { OutputKey: string; OutputValue: string }[] }[] }>('cloudformation', 'DescribeStacks', { StackName: id });
  return Object.fromEntries((Stacks[0]!.Outputs ?? []).map((output) => [output.OutputKey, output.OutputValue]));
}

describe('a custom resource', () => {
  it('is made by its service, whose data are its attributes', async () => {
    const cloud = new TestCloud();
    const { requests, token } = await answering(cloud, () => ({ Status: 'SUCCESS', PhysicalResourceId: 'thing', Data: { Answer: 42 } }));
    const { id, status } = await cloud.create('s', stack(token, [1, true]));
    expect(status).toBe('CREATE_COMPLETE');
    expect(await outputs(cloud, id)).toEqual({ O: '42', R: 'thing' });
    // Scalars go out as text.
    expect(requests[0]).toMatchObject({ RequestType: 'Create', ResourceProperties: { ServiceToken: token, Value: ['1', 'true'] } });
  });

  it('fails with the reason its service gives', async () => {
    const cloud = new TestCloud();
    const { token } = await answering(cloud, () => ({ Status: 'FAILED', Reason: 'no luck', PhysicalResourceId: 'x' }));
    const { id, status } = await cloud.create('s', stack(token, 'a'));
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect((await cloud.events(id)).find((event) => event.ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason).toMatch(/^Received response status \[FAILED\] from custom resource\. Message returned: no luck \(RequestId: [0-9a-f-]+\)$/);
  });

  it('is replaced when its service answers another physical ID', async () => {
    const cloud = new TestCloud();
    const { requests, token } = await answering(cloud, (request) => ({ Status: 'SUCCESS', PhysicalResourceId: `thing-${String(request.ResourceProperties['Value'])}`, Data: { Answer: 'x' } }));
    const { id } = await cloud.create('s', stack(token, 'a'));
    expect(await cloud.update(id, stack(token, 'b'))).toBe('UPDATE_COMPLETE');
    expect(requests.map((request) => [request.RequestType, request.PhysicalResourceId])).toEqual([['Create', undefined], ['Update', 'thing-a'], ['Delete', 'thing-a']]);
    expect(requests[1]!.OldResourceProperties).toMatchObject({ Value: 'a' });
  });

  it('is asked once, whatever happens to the process while it works', async () => {
    const cloud = new TestCloud();
    const { requests, token } = await answering(cloud, () => undefined);
    const { StackId } = await cloud.call<{ StackId: string }>('cloudformation', 'CreateStack', { StackName: 's', TemplateBody: JSON.stringify(stack(token, 'a')) });
    while (requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    cloud.boot();
    respond(cloud, requests[0]!, { Status: 'SUCCESS', PhysicalResourceId: 'thing', Data: { Answer: 'late' } });
    expect(await cloud.settled(StackId)).toBe('CREATE_COMPLETE');
    expect(requests.length).toBe(1);
    expect(await outputs(cloud, StackId)).toEqual({ O: 'late', R: 'thing' });
  });

  it('takes no answer from somebody who was not asked', async () => {
    const cloud = new TestCloud();
    const { requests, token } = await answering(cloud, () => undefined);
    await cloud.call('cloudformation', 'CreateStack', { StackName: 's', TemplateBody: JSON.stringify(stack(token, 'a')) });
    while (requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const url = new URL(requests[0]!.ResponseURL);
    expect(cloud.engine().mailbox.receive(url.pathname, '?signature=guess', '{}')).toBe(false);
  });
});

describe('a wait condition', () => {
  it('completes when its signals have come, and hands their data on', async () => {
    const cloud = new TestCloud();
    const { StackId } = await cloud.call<{ StackId: string }>('cloudformation', 'CreateStack', {
      StackName: 's',
      TemplateBody: JSON.stringify({
        Resources: { H: { Type: 'AWS::CloudFormation::WaitConditionHandle' }, W: { Type: 'AWS::CloudFormation::WaitCondition', Properties: { Handle: { Ref: 'H' }, Timeout: '600', Count: 2 } } },
        Outputs: { O: { Value: { 'Fn::GetAtt': ['W', 'Data'] } } },
      }),
    });
    let handle: string | undefined;
    while (handle === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      handle = (await cloud.events(StackId)).find((event) => event.LogicalResourceId === 'H' && event.ResourceStatus === 'CREATE_COMPLETE')?.PhysicalResourceId;
    }
    const url = new URL(handle);
    for (const UniqueId of ['a', 'b']) expect(cloud.engine().mailbox.receive(url.pathname, url.search, JSON.stringify({ Status: 'SUCCESS', UniqueId, Data: UniqueId.toUpperCase(), Reason: '' }))).toBe(true);
    expect(await cloud.settled(StackId)).toBe('CREATE_COMPLETE');
    expect(JSON.parse((await outputs(cloud, StackId))['O']!)).toEqual({ a: 'A', b: 'B' });
  });
});

describe('a nested stack', () => {
  const child = (value: string): string => JSON.stringify({ Parameters: { V: { Type: 'String' } }, Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Name: 'nested', Type: 'String', Value: { 'Fn::Sub': `\${V}${value}` } } } }, Outputs: { N: { Value: { Ref: 'P' } } } });
  const parent = { Resources: { C: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://s3.eu-west-1.amazonaws.com/templates/child.json', Parameters: { V: 'v' } } } }, Outputs: { O: { Value: { 'Fn::GetAtt': ['C', 'Outputs.N'] } } } };

  it('follows its parent', async () => {
    const cloud = new TestCloud();
    await cloud.call('s3', 'CreateBucket', { Bucket: 'templates', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
    await cloud.call('s3', 'PutObject', { Bucket: 'templates', Key: 'child.json', Body: Buffer.from(child('1')) });
    const { id, status } = await cloud.create('s', parent);
    expect(status).toBe('CREATE_COMPLETE');
    expect(await outputs(cloud, id)).toEqual({ O: 'nested' });
    expect(await cloud.standing()).toEqual({ 'ssm nested': ['String', 'v1'] });
    await cloud.call('s3', 'PutObject', { Bucket: 'templates', Key: 'child.json', Body: Buffer.from(child('2')) });
    expect(await cloud.update(id, parent)).toBe('UPDATE_COMPLETE');
    expect(await cloud.standing()).toEqual({ 'ssm nested': ['String', 'v2'] });
    expect(await cloud.delete(id)).toBe('DELETE_COMPLETE');
    expect(await cloud.standing()).toEqual({});
  });

  it('fails its parent with its own reason', async () => {
    const cloud = new TestCloud();
    await cloud.call('s3', 'CreateBucket', { Bucket: 'templates', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
    await cloud.call('s3', 'PutObject', { Bucket: 'templates', Key: 'child.json', Body: Buffer.from(JSON.stringify({ Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'Nope', Value: 'x' } } }, Parameters: { V: { Type: 'String' } } })) });
    const { id, status } = await cloud.create('s', parent);
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect((await cloud.events(id)).find((event) => event.ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason).toMatch(/^Embedded stack arn:aws:cloudformation:.* was not successfully created: The following resource\(s\) failed to create: \[P\]\. ?$/);
  });
});
