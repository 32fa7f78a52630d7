import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchesPattern } from '../../../src/shared/event-pattern.js';
import { parseSchedule } from '../../../src/local/services/events/cron.js';
import { inputOf } from '../../../src/local/services/events/transform.js';
import { A, eventually, functionCloud, REGION, type FunctionCloud } from './function-cloud.js';

describe('event patterns', () => {
  const event = { source: 'my.app', n: 5, tags: ['a', 'b'], nothing: null, ip: '10.1.2.3', deep: { file: 'img/x.png', list: [{ k: 1 }, { k: 2 }] } };
  it.each<[unknown, boolean]>([
    [{ source: ['my.app'] }, true],
    [{ source: ['other'] }, false],
    [{ source: [{ prefix: 'my.' }] }, true],
    [{ source: [{ prefix: { 'equals-ignore-case': 'MY.' } }] }, true],
    [{ source: [{ 'anything-but': ['x', 'y'] }] }, true],
    [{ source: [{ 'anything-but': { prefix: 'my' } }] }, false],
    [{ source: [{ 'equals-ignore-case': 'MY.APP' }] }, true],
    [{ n: [{ numeric: ['>', 0, '<=', 5] }] }, true],
    [{ n: [{ numeric: ['=', 4] }] }, false],
    [{ n: ['5'] }, false],
    [{ tags: ['b'] }, true],
    [{ nothing: [null] }, true],
    [{ missing: [{ exists: false }] }, true],
    [{ deep: { missing: [{ exists: false }] } }, true],
    [{ source: [{ exists: false }] }, false],
    [{ ip: [{ cidr: '10.0.0.0/8' }] }, true],
    [{ ip: [{ cidr: '10.1.3.0/24' }] }, false],
    [{ deep: { file: [{ wildcard: 'img/*.png' }] } }, true],
    [{ deep: { file: [{ suffix: '.png' }] } }, true],
    [{ deep: { list: { k: [2] } } }, true],
    [{ $or: [{ source: ['no'] }, { n: [5] }] }, true],
    [{ $or: [{ source: ['no'] }, { n: [6] }] }, false],
  ])('%j: %s', (pattern, expected) => {
    expect(matchesPattern(JSON.stringify(pattern), event)).toBe(expected);
  });
});

describe('schedules', () => {
  const next = (text: string, after: string): string | undefined => {
    const schedule = parseSchedule(text);
    const at = schedule?.kind === 'cron' ? schedule.next(Date.parse(after)) : undefined;
    return at === undefined ? undefined : new Date(at).toISOString();
  };
  it.each([
    ['cron(0 10 * * ? *)', '2026-01-01T10:00:00Z', '2026-01-02T10:00:00.000Z'],
    ['cron(0/15 * * * ? *)', '2026-01-01T10:01:00Z', '2026-01-01T10:15:00.000Z'],
    ['cron(0 18 ? * MON-FRI *)', '2026-01-02T18:00:00Z', '2026-01-05T18:00:00.000Z'],
    ['cron(0 8 1 * ? *)', '2026-01-01T08:00:00Z', '2026-02-01T08:00:00.000Z'],
    ['cron(0 0 L * ? *)', '2026-02-01T00:00:00Z', '2026-02-28T00:00:00.000Z'],
    ['cron(0 9 ? * 2#1 *)', '2026-01-01T00:00:00Z', '2026-01-05T09:00:00.000Z'],
  ])('%s', (text, after, expected) => expect(next(text, after)).toBe(expected));
  it('that are none are refused', () => expect(['rate(1 minutes)', 'rate(0 days)', 'cron(0 10 * * * *)', 'cron(61 * * * ? *)', 'at noon'].map(parseSchedule)).toEqual([undefined, undefined, undefined, undefined, undefined]));
});

it('an input template is filled in as text within quotes and as JSON outside', () => {
  const event = { version: '0', id: 'i', 'detail-type': 't', source: 's', account: A, time: 'now', region: REGION, resources: [], detail: { name: 'x "y"', n: 3 } };
  const target = { Id: '1', Arn: 'a', InputTransformer: { InputPathsMap: { name: '$.detail.name', n: '$.detail.n', all: '$.detail' }, InputTemplate: '{"text": "<name>: <n>", "n": <n>, "name": <name>, "all": <all>}' } };
  expect(JSON.parse(inputOf(target, event, { arn: 'r', name: 'r', ingested: '' }))).toEqual({ text: 'x "y": 3', n: 3, name: 'x "y"', all: event.detail });
});

describe('EventBridge', () => {
  let cloud: FunctionCloud;
  let queue: string;
  beforeAll(async () => {
    cloud = await functionCloud();
    queue = (await cloud.admin.call<{ QueueUrl: string }>('sqs', 'CreateQueue', { QueueName: 'q', Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }] }) } })).QueueUrl;
    await cloud.admin.call('events', 'PutRule', { Name: 'r', EventPattern: '{"source":["my.app"]}' });
    await cloud.admin.call('events', 'PutTargets', { Rule: 'r', Targets: [{ Id: '1', Arn: `arn:aws:sqs:${REGION}:${A}:q`, InputPath: '$.detail' }] });
  });
  afterAll(() => cloud.stop());

  const put = (Source: string) => cloud.admin.call<{ FailedEntryCount: number; Entries: { ErrorCode?: string }[] }>('events', 'PutEvents', { Entries: [{ Source, DetailType: 't', Detail: '{"a":1}' }] });

  it('delivers what matches', async () => {
    await put('other');
    await put('my.app');
    const message = await eventually(async () => (await cloud.admin.call<{ Messages?: { Body: string }[] }>('sqs', 'ReceiveMessage', { QueueUrl: queue })).Messages?.[0]);
    expect(message.Body).toBe('{"a":1}');
  });

  it('takes events of AWS from AWS only', async () => {
    expect((await put('aws.s3')).Entries[0]).toMatchObject({ ErrorCode: 'NotAuthorizedForSourceException' });
  });

  it('keeps a rule that has targets, and names a pattern\'s fault', async () => {
    await expect(cloud.admin.call('events', 'DeleteRule', { Name: 'r' })).rejects.toMatchObject({ message: "Rule can't be deleted since it has targets." });
    await expect(cloud.admin.call('events', 'PutRule', { Name: 'x', EventPattern: '{"source":"a"}' })).rejects.toMatchObject({ code: 'InvalidEventPatternException', message: 'Event pattern is not valid. Reason: "source" must be an object or an array' });
  });

  it('tells Slack and topics about pipelines', async () => {
    const pipeline = `arn:aws:codepipeline:${REGION}:${A}:p`;
    const { TopicArn } = await cloud.admin.call<{ TopicArn: string }>('sns', 'CreateTopic', { Name: 't' });
    const IamRoleArn = await cloud.role('chat', [], 'chatbot.amazonaws.com');
    const { ChannelConfiguration } = await cloud.admin.call<{ ChannelConfiguration: { ChatConfigurationArn: string } }>('chatbot', 'CreateSlackChannelConfiguration', { ConfigurationName: 'c', SlackTeamId: 'T123', SlackChannelId: 'C123', IamRoleArn, SnsTopicArns: [TopicArn] });
    await cloud.admin.call('codestar-notifications', 'CreateNotificationRule', { Name: 'n', Resource: pipeline, DetailType: 'FULL', EventTypeIds: ['codepipeline-pipeline-pipeline-execution-failed'], Targets: [{ TargetType: 'AWSChatbotSlack', TargetAddress: ChannelConfiguration.ChatConfigurationArn }] });
    const service = cloud.runtime.client({ principal: { kind: 'service', service: 'codepipeline.amazonaws.com', account: A }, region: REGION });
    const emit = (state: string) => service.call('events', 'PutEvents', { Entries: [{ Source: 'aws.codepipeline', DetailType: 'CodePipeline Pipeline Execution State Change', Resources: [pipeline], Detail: JSON.stringify({ pipeline: 'p', state }) }] });
    await emit('SUCCEEDED');
    await emit('FAILED');
    await cloud.admin.call('sns', 'Publish', { TopicArn, Message: 'to the topic' });
    const slack = await eventually(async () => {
      const answer = await fetch(`${cloud.endpoint}/_flotilla/inbox`, { method: 'POST', headers: { 'x-flotilla-token': 'test' }, body: '{}' });
      const found = ((await answer.json()) as { channel: string; body: string; to: string }[]).filter(({ channel }) => channel === 'slack');
      return found.length >= 2 ? found : undefined;
    });
    expect(slack.map(({ to, body }) => [to, /FAILED|to the topic/.test(body)])).toEqual([['T123/C123', true], ['T123/C123', true]]);
  });
});
