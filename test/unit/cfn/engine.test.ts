import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../src/local/kernel/error.js';
import { Crash, TestCloud } from './world.js';

const parameter = (name: string, value: unknown, more: object = {}): object => ({ Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: value }, ...more });
const topic = (name: string, display?: unknown, more: object = {}): object => ({ Type: 'AWS::SNS::Topic', Properties: { TopicName: name, ...(display === undefined ? {} : { DisplayName: display }) }, ...more });
const queue = (name: string, timeout: number, more: object = {}): object => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName: name, VisibilityTimeout: timeout }, ...more });

const A = {
  Resources: {
    P: parameter('p', 'one'),
    T: topic('t', { 'Fn::GetAtt': ['P', 'Value'] }),
    Q: queue('q', 30, { DependsOn: 'T' }),
    Gone: parameter('gone', { Ref: 'T' }),
  },
  Outputs: { Topic: { Value: { Ref: 'T' }, Export: { Name: 'topic' } } },
};
const B = {
  Resources: {
    P: parameter('p2', 'two'),
    T: topic('t', { 'Fn::GetAtt': ['P', 'Value'] }),
    Q: queue('q', 60, { DependsOn: 'T' }),
    New: parameter('new', { 'Fn::Join': ['-', [{ Ref: 'P' }, { 'Fn::GetAtt': ['T', 'TopicName'] }]] }),
  },
  Outputs: { Topic: { Value: { Ref: 'T' }, Export: { Name: 'topic' } } },
};
const STANDING_A = { 'sns t': 'one', 'sqs q': '30', 'ssm gone': ['String', 'arn:aws:sns:eu-west-1:111111111111:t'], 'ssm p': ['String', 'one'] };
const STANDING_B = { 'sns t': 'two', 'sqs q': '60', 'ssm new': ['String', 'p2-t'], 'ssm p2': ['String', 'two'] };

describe('a stack', () => {
  it('is created, updated and deleted with its resources', async () => {
    const cloud = new TestCloud();
    const { id, status } = await cloud.create('s', A);
    expect(status).toBe('CREATE_COMPLETE');
    expect(await cloud.standing()).toEqual(STANDING_A);
    expect(await cloud.update(id, B)).toBe('UPDATE_COMPLETE');
    expect(await cloud.standing()).toEqual(STANDING_B);
    expect(await cloud.delete(id)).toBe('DELETE_COMPLETE');
    expect(await cloud.standing()).toEqual({});
  });

  it('refuses an update that changes nothing', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', A);
    await expect(cloud.update(id, A)).rejects.toThrow('No updates are to be performed.');
  });

  it('keeps what its policies retain', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', { Resources: { P: parameter('kept', 'v', { DeletionPolicy: 'Retain' }), Q: parameter('lost', 'v') } });
    await cloud.delete(id);
    expect(Object.keys(await cloud.standing())).toEqual(['ssm kept']);
  });

  it('can not be deleted while an export is in use, and stays as it was', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', A);
    await cloud.create('user', { Resources: { U: parameter('u', { 'Fn::ImportValue': 'topic' }) } });
    expect(await cloud.delete(id)).toBe('CREATE_COMPLETE');
    expect((await cloud.events(id)).at(-1)).toMatchObject({ ResourceStatus: 'CREATE_COMPLETE', ResourceStatusReason: 'Delete canceled. Cannot delete export topic as it is in use by user.' });
    expect(await cloud.update(id, { Resources: A.Resources })).toBe('UPDATE_ROLLBACK_COMPLETE');
  });

  it('refuses to go while it is protected', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', A, { EnableTerminationProtection: true });
    await expect(cloud.delete(id)).rejects.toThrow('Stack [s] cannot be deleted while TerminationProtection is enabled');
  });

  it('refuses what its stack policy denies', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', A, { StackPolicyBody: JSON.stringify({ Statement: [{ Effect: 'Deny', Action: 'Update:*', Principal: '*', Resource: 'LogicalResourceId/Q' }, { Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' }] }) });
    expect(await cloud.update(id, B)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual(STANDING_A);
    expect((await cloud.events(id)).find((event) => event.ResourceStatus === 'UPDATE_FAILED')?.ResourceStatusReason).toBe('Action denied by stack policy: Statement [#1] does not allow [Update:Modify] for resource [LogicalResourceId/Q]');
  });
});

describe('a failing resource', () => {
  const refuse = (cloud: TestCloud, operation: string): void => {
    cloud.intercept = (call) => {
      if (call.operation === operation) throw new AwsError('AccessDenied', 'User: u is not authorized to perform: x', { status: 403 });
    };
  };

  it('rolls a creation back, with the reason in the events', async () => {
    const cloud = new TestCloud();
    refuse(cloud, 'CreateQueue');
    const { id, status } = await cloud.create('s', A);
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual({});
    const events = await cloud.events(id);
    expect(events.find((event) => event.ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason).toMatch(
      /^Resource handler returned message: "User: u is not authorized to perform: x \(Service: Sqs, Status Code: 403, Request ID: [0-9a-f-]+\) \(SDK Attempt Count: 1\)" \(RequestToken: [0-9a-f-]+, HandlerErrorCode: AccessDenied\)$/,
    );
    expect(events.find((event) => event.ResourceStatus === 'ROLLBACK_IN_PROGRESS')?.ResourceStatusReason).toContain('The following resource(s) failed to create: [Q');
  });

  it('leaves everything where rollback is disabled, until RollbackStack is called', async () => {
    const cloud = new TestCloud();
    refuse(cloud, 'CreateQueue');
    const { id, status } = await cloud.create('s', A, { DisableRollback: true });
    expect(status).toBe('CREATE_FAILED');
    expect(await cloud.standing()).toMatchObject({ 'ssm p': ['String', 'one'] });
    await cloud.call('cloudformation', 'RollbackStack', { StackName: id });
    expect(await cloud.settled(id)).toBe('ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual({});
  });

  it('rolls an update back, replaced resources included', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', A);
    refuse(cloud, 'SetQueueAttributes');
    let calls = 0;
    cloud.intercept = (call) => {
      if (call.operation === 'SetQueueAttributes' && calls++ === 0) throw new AwsError('OverLimit', 'no', { status: 400 });
    };
    expect(await cloud.update(id, B)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual(STANDING_A);
  });

  it('whose new properties are not valid is put back, though nothing of them was sent', async () => {
    const cloud = new TestCloud();
    const tags = (...Tags: object[]): object => ({ Resources: { T: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 't', Tags } } } });
    const { id } = await cloud.create('s', tags({ Key: 'a', Value: 'b' }));
    expect(await cloud.update(id, tags({ Key: 'a', Value: 'b' }, { Value: 'c' }))).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect((await cloud.events(id)).find((event) => event.ResourceStatus === 'UPDATE_FAILED')?.ResourceStatusReason).toBe('Properties validation failed for resource T with message:\n#/Tags/1: required key [Key] not found');
    expect(await cloud.call('sns', 'ListTagsForResource', { ResourceArn: 'arn:aws:sns:eu-west-1:111111111111:t' })).toMatchObject({ Tags: [{ Key: 'a', Value: 'b' }] });
  });

  it('leaves an update where it is, and the next one cleans up what that replaced', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', A);
    refuse(cloud, 'SetQueueAttributes');
    expect(await cloud.update(id, B, { DisableRollback: true })).toBe('UPDATE_FAILED');
    expect(await cloud.standing()).toMatchObject({ 'ssm p': ['String', 'one'], 'ssm p2': ['String', 'two'] });
    cloud.intercept = () => undefined;
    expect(await cloud.update(id, B, { DisableRollback: true })).toBe('UPDATE_COMPLETE');
    expect(await cloud.standing()).toEqual(STANDING_B);
  });

  it('leads to UPDATE_ROLLBACK_FAILED when it can not be put back, and on from there with or without it', async () => {
    for (const skip of [false, true]) {
      const cloud = new TestCloud();
      const { id } = await cloud.create('s', A);
      refuse(cloud, 'SetQueueAttributes');
      expect(await cloud.update(id, B)).toBe('UPDATE_ROLLBACK_FAILED');
      if (!skip) cloud.intercept = () => undefined;
      await cloud.call('cloudformation', 'ContinueUpdateRollback', { StackName: id, ...(skip ? { ResourcesToSkip: ['Q'] } : {}) });
      expect(await cloud.settled(id)).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await cloud.standing()).toEqual(STANDING_A);
    }
  });

  it('keeps a stack in DELETE_FAILED until it is retained', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', A);
    refuse(cloud, 'DeleteQueue');
    expect(await cloud.delete(id)).toBe('DELETE_FAILED');
    expect(await cloud.delete(id, { RetainResources: ['Q'] })).toBe('DELETE_COMPLETE');
    expect(Object.keys(await cloud.standing())).toEqual(['sqs q']);
  });
});

describe('a crash', () => {
  /** Runs `work` in a process that dies at the n-th commit, then lets the next one finish; answers false when it didn't die. */
  async function crashing(cloud: TestCloud, at: number, work: () => Promise<unknown>): Promise<boolean> {
    cloud.boot({ crashAt: cloud.commits + at });
    try {
      await work();
      return false;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    cloud.boot();
    return true;
  }

  it('at any commit of a creation ends as it would have', async () => {
    for (let n = 2, crashed = true; crashed; n++) {
      const cloud = new TestCloud();
      crashed = await crashing(cloud, n, () => cloud.create('s', A));
      const { Stacks } = await cloud.call<{ Stacks: { StackId: string }[] }>('cloudformation', 'DescribeStacks', {});
      expect(await cloud.settled(Stacks[0]!.StackId), `commit ${n}`).toBe('CREATE_COMPLETE');
      expect(await cloud.standing(), `commit ${n}`).toEqual(STANDING_A);
    }
  });

  it('at any commit of an update ends as it would have', async () => {
    for (let n = 2, crashed = true; crashed; n++) {
      const cloud = new TestCloud();
      const { id } = await cloud.create('s', A);
      crashed = await crashing(cloud, n, () => cloud.update(id, B));
      expect(await cloud.settled(id), `commit ${n}`).toBe('UPDATE_COMPLETE');
      expect(await cloud.standing(), `commit ${n}`).toEqual(STANDING_B);
    }
  });

  it('at any commit of a failing update rolls back all the same', async () => {
    for (let n = 2, crashed = true; crashed; n++) {
      const cloud = new TestCloud();
      const { id } = await cloud.create('s', A);
      cloud.intercept = (call) => {
        if (call.operation === 'PutParameter' && call.input['Name'] === 'new') throw new AwsError('ParameterLimitExceeded', 'no', { status: 400 });
      };
      crashed = await crashing(cloud, n, () => cloud.update(id, B));
      expect(await cloud.settled(id), `commit ${n}`).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(await cloud.standing(), `commit ${n}`).toEqual(STANDING_A);
    }
  });

  it('at any commit of a deletion leaves nothing', async () => {
    for (let n = 2, crashed = true; crashed; n++) {
      const cloud = new TestCloud();
      const { id } = await cloud.create('s', A);
      crashed = await crashing(cloud, n, () => cloud.delete(id));
      expect(await cloud.settled(id), `commit ${n}`).toBe('DELETE_COMPLETE');
      expect(await cloud.standing(), `commit ${n}`).toEqual({});
    }
  });
});
