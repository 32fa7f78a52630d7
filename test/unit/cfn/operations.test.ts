import { describe, expect, it } from 'vitest';
import { Timed } from './timed-cloud.js';
import { TestCloud } from './world.js';

const parameter = (name: string, value: unknown, more: object = {}): object => ({ Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: value }, ...more });
const ALARM = 'arn:aws:cloudwatch:eu-west-1:111111111111:alarm:errors';
const TRIGGERS = { RollbackConfiguration: { RollbackTriggers: [{ Arn: ALARM, Type: 'AWS::CloudWatch::Alarm' }], MonitoringTimeInMinutes: 10 } };
const badQueue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'no name!' } };

describe('rollback triggers', () => {
  const A = { Resources: { P: parameter('p', 'one') } };
  const B = { Resources: { P: parameter('p', 'two'), N: parameter('new', 'x') } };

  it('hold an operation for the monitoring time and let it end while the alarm is quiet', async () => {
    const cloud = new Timed();
    await cloud.alarm('OK');
    await cloud.start(A, TRIGGERS);
    await cloud.pass(590);
    expect(await cloud.status('s')).toBe('CREATE_IN_PROGRESS');
    await cloud.pass(20);
    expect(await cloud.status('s')).toBe('CREATE_COMPLETE');
  });

  it('roll a creation back when the alarm goes off during the monitoring time', async () => {
    const cloud = new Timed();
    await cloud.alarm('OK');
    const id = await cloud.start(A, TRIGGERS);
    await cloud.pass(60);
    expect(await cloud.standing()).toEqual({ 'ssm p': ['String', 'one'] });
    await cloud.alarm('ALARM');
    await cloud.pass(10);
    expect(await cloud.status('s')).toBe('ROLLBACK_COMPLETE');
    expect(await cloud.reasons(id, 'ROLLBACK_IN_PROGRESS')).toEqual([`Rollback trigger [${ALARM}] is in ALARM state. Rollback requested by user.`]);
    expect(await cloud.standing()).toEqual({});
  });

  it('stay with the stack for its updates, and put back what an update changed', async () => {
    const cloud = new Timed();
    await cloud.alarm('OK');
    await cloud.start(A, TRIGGERS);
    await cloud.pass(620);
    await cloud.change(B);
    await cloud.pass(30);
    expect(await cloud.standing()).toEqual({ 'ssm new': ['String', 'x'], 'ssm p': ['String', 'two'] });
    await cloud.alarm('ALARM');
    await cloud.pass(10);
    expect(await cloud.status('s')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual({ 'ssm p': ['String', 'one'] });
  });

  it('end an operation that is still waiting for a resource', async () => {
    const cloud = new Timed();
    await cloud.alarm('OK');
    const id = await cloud.start({ Resources: { H: { Type: 'AWS::CloudFormation::WaitConditionHandle' }, W: { Type: 'AWS::CloudFormation::WaitCondition', Properties: { Handle: { Ref: 'H' }, Timeout: 3600 } } } }, TRIGGERS);
    await cloud.alarm('ALARM');
    await cloud.pass(10);
    expect(await cloud.status('s')).toBe('ROLLBACK_COMPLETE');
    expect(await cloud.reasons(id, 'CREATE_FAILED')).toEqual(['Resource creation cancelled']);
  });

  it('touch nothing when an alarm is missing or in ALARM from the start', async () => {
    for (const state of ['ALARM', undefined] as const) {
      const cloud = new Timed();
      if (state) await cloud.alarm(state);
      const id = await cloud.start(A, TRIGGERS);
      await cloud.pass(3);
      expect(await cloud.status('s')).toBe('ROLLBACK_COMPLETE');
      expect(await cloud.reasons(id, 'CREATE_FAILED')).toEqual([]);
      expect(await cloud.reasons(id, 'ROLLBACK_IN_PROGRESS')).toEqual([`Rollback trigger [${ALARM}] ${state ? 'is in ALARM state' : 'does not exist'}. Rollback requested by user.`]);
    }
  });

  it('leave time to cancel an update where there are none but a monitoring time', async () => {
    const cloud = new Timed();
    await cloud.start(A);
    await cloud.change(B, { RollbackConfiguration: { MonitoringTimeInMinutes: 5 } });
    await cloud.pass(60);
    expect(await cloud.status('s')).toBe('UPDATE_IN_PROGRESS');
    await cloud.call('cloudformation', 'CancelUpdateStack', { StackName: 's' });
    await cloud.pass(5);
    expect(await cloud.status('s')).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual({ 'ssm p': ['String', 'one'] });
  });

  it('go on after a restart for the time that was left', async () => {
    const cloud = new Timed();
    await cloud.alarm('OK');
    await cloud.start(A, TRIGGERS);
    await cloud.pass(300);
    cloud.boot({ clock: cloud.clock });
    await cloud.pass(280);
    expect(await cloud.status('s')).toBe('CREATE_IN_PROGRESS');
    await cloud.pass(40);
    expect(await cloud.status('s')).toBe('CREATE_COMPLETE');
  });
});

describe('a creation that takes longer than its timeout', () => {
  it('is rolled back with the reason, counting from its beginning', async () => {
    const cloud = new Timed();
    const id = await cloud.start({ Resources: { H: { Type: 'AWS::CloudFormation::WaitConditionHandle' }, W: { Type: 'AWS::CloudFormation::WaitCondition', Properties: { Handle: { Ref: 'H' }, Timeout: 3600 } } } }, { TimeoutInMinutes: 5 });
    await cloud.pass(200);
    cloud.boot({ clock: cloud.clock });
    await cloud.pass(90);
    expect(await cloud.status('s')).toBe('CREATE_IN_PROGRESS');
    await cloud.pass(20);
    expect(await cloud.status('s')).toBe('ROLLBACK_COMPLETE');
    expect(await cloud.reasons(id, 'ROLLBACK_IN_PROGRESS')).toEqual(['Stack creation time exceeded the specified timeout. Rollback requested by user.']);
  });
});

describe('a stack that is deleted while it is created', () => {
  const waiting = { Resources: { P: parameter('p', 'one'), H: { Type: 'AWS::CloudFormation::WaitConditionHandle' }, W: { Type: 'AWS::CloudFormation::WaitCondition', DependsOn: 'P', Properties: { Handle: { Ref: 'H' }, Timeout: 3600 } } } };

  it('goes, with what was made so far', async () => {
    const cloud = new Timed();
    const id = await cloud.start(waiting);
    await cloud.call('cloudformation', 'DeleteStack', { StackName: 's' });
    await cloud.pass(3);
    expect(await cloud.status(id)).toBe('DELETE_COMPLETE');
    expect(await cloud.standing()).toEqual({});
    expect(await cloud.reasons(id, 'DELETE_IN_PROGRESS')).toContain('User Initiated');
  });

  it('goes even before it has begun', async () => {
    const cloud = new Timed();
    const { StackId } = await cloud.call<{ StackId: string }>('cloudformation', 'CreateStack', { StackName: 's', TemplateBody: JSON.stringify(waiting) });
    await cloud.call('cloudformation', 'DeleteStack', { StackName: 's' });
    await cloud.pass(3);
    expect(await cloud.status(StackId)).toBe('DELETE_COMPLETE');
    expect(await cloud.standing()).toEqual({});
  });
});

describe('express mode', () => {
  const EXPRESS = { DeploymentConfig: { Mode: 'EXPRESS' } };
  const note = 'Resource operation completed using Express Mode. It may continue becoming available in the background.';

  it('says of each resource that it may not be ready', async () => {
    const cloud = new TestCloud();
    const { id, status } = await cloud.create('s', { Resources: { P: parameter('p', 'one') } }, EXPRESS);
    expect(status).toBe('CREATE_COMPLETE');
    expect((await cloud.events(id)).find((event) => event.LogicalResourceId === 'P' && event.ResourceStatus === 'CREATE_COMPLETE')?.ResourceStatusReason).toBe(note);
    const { Stacks } = await cloud.call<{ Stacks: object[] }>('cloudformation', 'DescribeStacks', { StackName: 's' });
    expect(Stacks[0]).toMatchObject({ DeploymentConfig: { Mode: 'EXPRESS' }, DisableRollback: true });
  });

  it('leaves what failed, and goes on only in the same mode', async () => {
    const cloud = new TestCloud();
    const { id, status } = await cloud.create('s', { Resources: { P: parameter('p', 'one'), Q: { ...badQueue, DependsOn: 'P' } } }, EXPRESS);
    expect(status).toBe('CREATE_FAILED');
    expect(Object.keys(await cloud.standing())).toEqual(['ssm p']);
    await expect(cloud.call('cloudformation', 'RollbackStack', { StackName: 's' })).rejects.toThrow('RollbackStack is not supported for stacks that were last updated using EXPRESS deployment mode');
    const good = { Resources: { P: parameter('p', 'one'), Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'name', VisibilityTimeout: 30 } } } };
    await expect(cloud.update(id, good)).rejects.toThrow('Follow-up operations must use the same DeploymentConfig (mode=EXPRESS)');
    expect(await cloud.update(id, good, EXPRESS)).toBe('UPDATE_COMPLETE');
    expect(Object.keys(await cloud.standing())).toEqual(['sqs name', 'ssm p']);
  });

  it('rolls back where it is asked to, also from a change set', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', { Resources: { P: parameter('p', 'one') } });
    const { Id } = await cloud.call<{ Id: string }>('cloudformation', 'CreateChangeSet', {
      StackName: 's', ChangeSetName: 'c', TemplateBody: JSON.stringify({ Resources: { P: parameter('p', 'two'), Q: { ...badQueue, DependsOn: 'P' } } }), DeploymentConfig: { Mode: 'EXPRESS', DisableRollback: false },
    });
    expect(await cloud.call('cloudformation', 'DescribeChangeSet', { ChangeSetName: Id })).toMatchObject({ DeploymentConfig: { Mode: 'EXPRESS', DisableRollback: false } });
    await cloud.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: Id });
    expect(await cloud.settled(id)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual({ 'ssm p': ['String', 'one'] });
  });
});

describe('a policy Snapshot', () => {
  const database = (more: object = {}): object => ({ Type: 'AWS::RDS::DBInstance', Properties: { DBInstanceIdentifier: 'db', DBInstanceClass: 'db.t3.micro', Engine: 'postgres', AllocatedStorage: '20' }, ...more });
  const snapshots = (cloud: TestCloud): unknown[] => cloud.state.list(['111111111111', 'eu-west-1', 'cloudformation', 'snapshots']).map(([, value]) => (value as { source: string }).source);

  it('keeps the model of a database that goes, and says so', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', { Resources: { P: parameter('p', 'one'), Db: database({ DeletionPolicy: 'Snapshot' }) } });
    expect(snapshots(cloud)).toEqual([]);
    expect(await cloud.update(id, { Resources: { P: parameter('p', 'one') } })).toBe('UPDATE_COMPLETE');
    expect(snapshots(cloud)).toEqual(['db']);
    expect((await cloud.events(id)).find((event) => event.LogicalResourceId === 'Db' && event.ResourceStatus === 'DELETE_COMPLETE')?.ResourceStatusReason).toMatch(/^Snapshot s-snapshot-db-\w+ was recorded/);
  });

  it('is the default of a database, and not that of one that says Delete', async () => {
    const cloud = new TestCloud();
    const { id } = await cloud.create('s', { Resources: { Db: database() } });
    await cloud.delete(id);
    expect(snapshots(cloud)).toEqual(['db']);
    const other = await cloud.create('t', { Resources: { Db: database({ DeletionPolicy: 'Delete' }) } });
    await cloud.delete(other.id);
    expect(snapshots(cloud)).toEqual(['db']);
  });

  it('is refused for types that have no snapshots', async () => {
    const cloud = new TestCloud();
    for (const policy of ['DeletionPolicy', 'UpdateReplacePolicy']) {
      await expect(cloud.create('s', { Resources: { P: parameter('p', 'one', { [policy]: 'Snapshot' }) } })).rejects.toMatchObject({ code: 'ValidationError', message: expect.stringMatching(/^Template error: resource type AWS::SSM::Parameter does not support .*Snapshot$/) as string });
    }
  });
});
