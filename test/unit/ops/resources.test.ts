import { CloudFormationClient, DescribeChangeSetCommand, type StackEvent } from '@aws-sdk/client-cloudformation';
import type { ActionExecutionDetail } from '@aws-sdk/client-codepipeline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OpsEvent } from '../../../src/ops/events.js';
import { ResourceFollower } from '../../../src/ops/resources.js';

/** What is told of a running deployment, from the events of its stack. */

const START = new Date('2026-11-21T12:00:00Z');
const STACK = 'arn:aws:cloudformation:eu-west-1:222222222222:stack/App/1';
let now: number;
let events: StackEvent[];
let calls: string[];
let told: OpsEvent[];
let answer: (name: string) => unknown;
let follower: ResourceFollower;

const event = (id: string, status: string, seconds: number, reason?: string): void =>
  void events.unshift({ EventId: `${id}-${status}-${seconds}`, StackId: STACK, PhysicalResourceId: id === 'App' ? STACK : `${id}-1`, LogicalResourceId: id, ResourceType: id === 'App' ? 'AWS::CloudFormation::Stack' : 'AWS::SNS::Topic', ResourceStatus: status as never, ResourceStatusReason: reason, StackName: 'App', Timestamp: new Date(START.getTime() + seconds * 1000) });

const action = (mode: string, more: Record<string, string> = { ChangeSetName: 'cs' }): ActionExecutionDetail => ({
  actionExecutionId: `run-${mode}`, stageName: 'Dev', actionName: 'App.Deploy', status: 'InProgress', startTime: START,
  input: { roleArn: 'arn:aws:iam::222222222222:role/deploy', region: 'eu-west-1', actionTypeId: { category: 'Deploy', owner: 'AWS', provider: 'CloudFormation', version: '1' }, configuration: { ActionMode: mode, StackName: 'App', ...more } },
});

beforeEach(() => {
  [now, events, calls, told] = [START.getTime(), [], [], []];
  answer = (name) => (name === DescribeChangeSetCommand.name ? { Changes: [{}, {}, {}] } : { StackEvents: events });
  vi.spyOn(CloudFormationClient.prototype, 'send').mockImplementation(async (command: object) => {
    calls.push(command.constructor.name);
    return answer(command.constructor.name) as never;
  });
  const target = { kind: 'LOCAL', endpoint: undefined, credentials: async (account: string) => ({ accessKeyId: account, secretAccessKey: 'none' }) } as const;
  follower = new ResourceFollower(target, { account: '111111111111', region: 'eu-west-1' }, (next) => told.push(next), () => now);
});
afterEach(() => vi.restoreAllMocks());

describe('resources of a running deployment', () => {
  it('are counted against the change set, the latest one in progress named, without the stack and what was before', async () => {
    event('Old', 'CREATE_COMPLETE', -60);
    for (const [id, status, at] of [['App', 'CREATE_IN_PROGRESS', 1], ['A', 'CREATE_IN_PROGRESS', 2], ['A', 'CREATE_COMPLETE', 3], ['B', 'CREATE_IN_PROGRESS', 4], ['C', 'CREATE_IN_PROGRESS', 5]] as const) event(id, status, at);
    await follower.advance([action('CHANGE_SET_EXECUTE')]);
    expect(told).toEqual([{ type: 'resources', stage: 'Dev', action: 'App.Deploy', stack: 'App', done: 1, total: 3, current: 'C', failed: [] }]);
  });

  it('are told again when something changed, a failure once, and are not looked at more often than each second', async () => {
    event('A', 'CREATE_IN_PROGRESS', 1);
    await follower.advance([action('CHANGE_SET_EXECUTE')]);
    event('A', 'CREATE_FAILED', 2, 'no such key');
    event('B', 'CREATE_FAILED', 2, 'Resource creation cancelled');
    await follower.advance([action('CHANGE_SET_EXECUTE')]);
    expect(told).toHaveLength(1);
    for (const wait of [1000, 1000]) {
      now += wait;
      await follower.advance([action('CHANGE_SET_EXECUTE')]);
    }
    expect(told.slice(1)).toEqual([{ type: 'resources', stage: 'Dev', action: 'App.Deploy', stack: 'App', done: 0, total: 3, failed: ['A (AWS::SNS::Topic): no such key'] }]);
  });

  it('have no total without a change set, and change sets that are only made have none', async () => {
    event('A', 'UPDATE_COMPLETE', 1);
    await follower.advance([action('CREATE_UPDATE', {}), action('CHANGE_SET_REPLACE')]);
    expect(told).toEqual([{ type: 'resources', stage: 'Dev', action: 'App.Deploy', stack: 'App', done: 1, failed: [] }]);
  });

  it('are asked for once by who may not read them', async () => {
    answer = () => {
      throw new TypeError('AccessDenied');
    };
    for (let n = 0; n < 3; n++) {
      now += 5000;
      await follower.advance([action('CHANGE_SET_EXECUTE')]);
    }
    expect([told, calls]).toEqual([[], ['DescribeStackEventsCommand']]);
  });
});
