import { beforeEach, describe, expect, it } from 'vitest';
import { createVerify, X509Certificate } from 'node:crypto';
import { passes, filterProblem } from '../../../src/local/services/sns/filter.js';
import { serveCertificate } from '../../../src/local/services/sns/signing.js';
import type { HttpRequest } from '../../../src/local/kernel/service.js';
import { A, allow, B, failure, memoryCloud, REGION, type MemoryCloud } from './cloud.js';

const TOPIC = `arn:aws:sns:${REGION}:${A}:t`;
const QUEUE = `arn:aws:sqs:${REGION}:${A}:q`;
let cloud: MemoryCloud;

async function queue(): Promise<string> {
  const { QueueUrl } = await cloud.call('sqs', 'CreateQueue', { QueueName: 'q', Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QUEUE, Condition: { ArnEquals: { 'aws:SourceArn': TOPIC } } }] }) } });
  return QueueUrl;
}

async function received(url: string): Promise<string[]> {
  const { Messages = [] } = await cloud.call('sqs', 'ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 10 });
  return Messages.map(({ Body }: { Body: string }) => Body);
}

beforeEach(async () => {
  cloud = memoryCloud();
  await cloud.call('sns', 'CreateTopic', { Name: 't' });
});

describe('delivery', () => {
  it('wraps a message for a queue, signed so that its certificate verifies it', async () => {
    const url = await queue();
    await cloud.call('sns', 'Subscribe', { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: QUEUE });
    await cloud.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'hello', Subject: 'greeting' });
    const note = JSON.parse((await received(url))[0]!) as Record<string, string>;
    expect(note).toMatchObject({ Type: 'Notification', TopicArn: TOPIC, Message: 'hello', Subject: 'greeting', SignatureVersion: '1' });
    const path = new URL(note['SigningCertURL']!).pathname;
    const served = serveCertificate({ method: 'GET', path } as HttpRequest, cloud.runtime);
    const text = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'].map((name) => `${name}\n${note[name]}\n`).join('');
    expect(createVerify('sha1').update(text).verify(new X509Certificate(String(served?.body)).publicKey, note['Signature']!, 'base64')).toBe(true);
  });

  it('reaches a queue only where its policy lets SNS in, and the dead-letter queue otherwise', async () => {
    const url = await queue();
    await cloud.call('sqs', 'CreateQueue', { QueueName: 'closed' });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: QUEUE });
    await cloud.call('sns', 'Subscribe', { TopicArn: TOPIC, Protocol: 'sqs', Endpoint: `arn:aws:sqs:${REGION}:${A}:closed`, Attributes: { RedrivePolicy } });
    await cloud.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'm' });
    expect(await received(`http://x/${A}/closed`)).toEqual([]);
    expect(await received(url)).toHaveLength(1);
  });

  it('puts mail and web requests into the inbox, after the confirmation they hold the token of', async () => {
    expect(await cloud.call('sns', 'Subscribe', { TopicArn: TOPIC, Protocol: 'email', Endpoint: 'ops@example.com' })).toEqual({ SubscriptionArn: 'pending confirmation' });
    await cloud.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'too early' });
    expect(cloud.inbox).toHaveLength(1);
    const token = /--token (\w+)/.exec(cloud.inbox[0]!.body)![1]!;
    await cloud.call('sns', 'ConfirmSubscription', { TopicArn: TOPIC, Token: token });
    await cloud.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'now', Subject: 's' });
    expect(cloud.inbox[1]).toMatchObject({ channel: 'email', to: 'ops@example.com', subject: 's', body: expect.stringContaining('now') as string });
  });

  it('drops what a FIFO topic had within five minutes', async () => {
    const arn = `${TOPIC}.fifo`;
    await cloud.call('sns', 'CreateTopic', { Name: 't.fifo', Attributes: { FifoTopic: 'true' } });
    const publish = () => cloud.call('sns', 'Publish', { TopicArn: arn, Message: 'm', MessageGroupId: 'g', MessageDeduplicationId: 'd' });
    const first = await publish();
    expect(await publish()).toEqual(first);
    cloud.clock.advance(5 * 60_000);
    expect((await publish()).SequenceNumber).not.toBe(first.SequenceNumber);
  });
});

describe('permissions', () => {
  it('lets another account publish only where the topic policy says so', async () => {
    const other = cloud.admin(B);
    expect(await failure(other.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'm' }))).toMatch(/^AuthorizationError: .*not authorized to perform: SNS:Publish/);
    await cloud.call('sns', 'AddPermission', { TopicArn: TOPIC, Label: 'b', AWSAccountId: [B], ActionName: ['Publish'] });
    await expect(other.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'm' })).resolves.toHaveProperty('MessageId');
  });

  it('refuses a policy that names nobody', async () => {
    const Policy = JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${A}:role/none` }, Action: 'sns:Publish', Resource: TOPIC }] });
    expect(await failure(cloud.call('sns', 'SetTopicAttributes', { TopicArn: TOPIC, AttributeName: 'Policy', AttributeValue: Policy }))).toBe('InvalidParameter: Invalid parameter: Policy Error: PrincipalNotFound');
  });

  it('asks KMS in the name of who publishes to an encrypted topic', async () => {
    const { KeyMetadata } = await cloud.call('kms', 'CreateKey');
    await cloud.call('sns', 'SetTopicAttributes', { TopicArn: TOPIC, AttributeName: 'KmsMasterKeyId', AttributeValue: KeyMetadata.KeyId });
    const poor = await cloud.user('poor', allow('sns:*'));
    expect(await failure(poor.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'm' }))).toMatch(/^KMSAccessDenied: .*kms:GenerateDataKey/);
    const rich = await cloud.user('rich', allow(['sns:*', 'kms:GenerateDataKey']));
    await expect(rich.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'm' })).resolves.toBeDefined();
  });
});

describe('filter policies', () => {
  const message = { body: JSON.stringify({ a: { b: 'x.png' }, n: 5, list: ['p', 'q'] }), attributes: { kind: { DataType: 'String', StringValue: 'big' }, n: { DataType: 'Number', StringValue: '7.5' }, many: { DataType: 'String.Array', StringValue: '["one","two"]' } } };
  it.each<[object, boolean]>([
    [{ kind: ['big'] }, true],
    [{ kind: [{ 'anything-but': ['big'] }] }, false],
    [{ kind: [{ prefix: 'b' }], n: [{ numeric: ['>', 7, '<', 8] }] }, true],
    [{ n: [7] }, false],
    [{ many: ['two'] }, true],
    [{ absent: [{ exists: false }] }, true],
    [{ kind: [{ 'equals-ignore-case': 'BIG' }] }, true],
    [{ $or: [{ kind: ['small'] }, { n: [7.5] }] }, true],
  ])('%j of attributes: %s', (policy, expected) => expect(passes(JSON.stringify(policy), 'MessageAttributes', message)).toBe(expected));
  it.each<[object, boolean]>([
    [{ a: { b: [{ suffix: '.png' }] } }, true],
    [{ a: { b: [{ wildcard: 'y*' }] } }, false],
    [{ list: ['q'] }, true],
    [{ n: [{ numeric: ['=', 5] }] }, true],
  ])('%j of the body: %s', (policy, expected) => expect(passes(JSON.stringify(policy), 'MessageBody', message)).toBe(expected));
  it.each([
    ['{"a":[{"nope":1}]}', 'Unrecognized match type nope'],
    ['{"a":"x"}', '"a" must be an object or an array'],
    ['{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}', 'more than 5 keys'],
    ['{"a":{"b":[1]}}', 'does not support nested filter policy'],
  ])('%s is refused: %s', (text, reason) => expect(filterProblem(text, 'MessageAttributes')).toContain(reason));
});

describe('the size of messages', () => {
  const publish = (bytes: number): Promise<unknown> => cloud.call('sns', 'Publish', { TopicArn: TOPIC, Message: 'x'.repeat(bytes) });
  it('is limited by the topic, which takes larger ones for queues and functions only', async () => {
    await expect(publish(262_145)).rejects.toMatchObject({ code: 'InvalidParameter' });
    await cloud.call('sns', 'SetTopicAttributes', { TopicArn: TOPIC, AttributeName: 'MaximumMessageSize', AttributeValue: '300000' });
    await publish(262_145);
    await expect(publish(300_001)).rejects.toMatchObject({ code: 'InvalidParameter' });
    await expect(cloud.call('sns', 'Subscribe', { TopicArn: TOPIC, Protocol: 'email', Endpoint: 'a@example.com' })).rejects.toMatchObject({ code: 'InvalidParameter' });
  });
});
