import { beforeEach, describe, expect, it } from 'vitest';
import { A, allow, failure, memoryCloud, REGION, type Answer, type MemoryCloud } from './cloud.js';

let cloud: MemoryCloud;
const url = (name: string): string => `http://127.0.0.1:4566/${A}/${name}`;
const arn = (name: string): string => `arn:aws:sqs:${REGION}:${A}:${name}`;
const create = (QueueName: string, Attributes: Record<string, string> = {}): Promise<Answer> => cloud.call('sqs', 'CreateQueue', { QueueName, Attributes });
const send = (name: string, MessageBody: string, more: object = {}): Promise<Answer> => cloud.call('sqs', 'SendMessage', { QueueUrl: url(name), MessageBody, ...more });
const receive = async (name: string, more: object = {}): Promise<Answer[]> => (await cloud.call('sqs', 'ReceiveMessage', { QueueUrl: url(name), ...more })).Messages ?? [];
const bodies = (messages: Answer[]): string[] => messages.map(({ Body }) => Body);

beforeEach(() => {
  cloud = memoryCloud();
});

describe('a standard queue', () => {
  it('hides what was received until the visibility timeout is over, and gives it again', async () => {
    await create('q', { VisibilityTimeout: '10' });
    await send('q', 'm');
    const [first] = await receive('q');
    expect(await receive('q')).toEqual([]);
    cloud.clock.advance(10_000);
    const [second] = await receive('q', { MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
    expect(second.Attributes).toEqual({ ApproximateReceiveCount: '2' });
    expect(second.MessageId).toBe(first.MessageId);
    await cloud.call('sqs', 'DeleteMessage', { QueueUrl: url('q'), ReceiptHandle: second.ReceiptHandle });
    cloud.clock.advance(10_000);
    expect(await receive('q')).toEqual([]);
  });

  it('wakes who waits when a message comes, and lets go when the time is over', async () => {
    await create('q');
    const waiting = receive('q', { WaitTimeSeconds: 20 });
    await send('q', 'late');
    expect(bodies(await waiting)).toEqual(['late']);
    const vain = receive('q', { WaitTimeSeconds: 5 });
    await Promise.resolve();
    cloud.clock.advance(5_000);
    expect(await vain).toEqual([]);
  });

  it('holds delayed messages back and counts each kind', async () => {
    await create('q');
    await send('q', 'now');
    await send('q', 'later', { DelaySeconds: 60 });
    await receive('q');
    const { Attributes } = await cloud.call('sqs', 'GetQueueAttributes', { QueueUrl: url('q'), AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] });
    expect(Attributes).toEqual({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '1', ApproximateNumberOfMessagesDelayed: '1' });
  });

  it('moves what was received too often to the dead-letter queue, and back by a move task', async () => {
    await create('dead');
    await create('q', { VisibilityTimeout: '0', RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn('dead'), maxReceiveCount: 2 }) });
    await send('q', 'm');
    await receive('q');
    await receive('q');
    expect(await receive('q')).toEqual([]);
    const [buried] = await receive('dead', { VisibilityTimeout: 0, AttributeNames: ['All'] });
    expect(buried.Attributes.DeadLetterQueueSourceArn).toBe(arn('q'));
    await cloud.call('sqs', 'StartMessageMoveTask', { SourceArn: arn('dead') });
    expect(bodies(await receive('q'))).toEqual(['m']);
  });

  it('computes the digests as AWS documents them', async () => {
    await create('q');
    // Recorded: sns-publish-sqs-from-sns.
    const sent = await send('q', 'Test msg', { MessageAttributes: { attr1: { DataType: 'Number', StringValue: '99.12' } } });
    expect(sent.MD5OfMessageAttributes).toBe('d302007e9aa062660afc85fd0a482472');
  });
});

describe('a FIFO queue', () => {
  beforeEach(() => create('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' }));

  it('keeps the order of a group and blocks it while one of its messages is out', async () => {
    for (const [group, body] of [['a', '1'], ['a', '2'], ['b', '3']] as const) await send('q.fifo', body, { MessageGroupId: group });
    const [first] = await receive('q.fifo');
    expect([first.Body, ...bodies(await receive('q.fifo')), ...bodies(await receive('q.fifo'))]).toEqual(['1', '3']);
    await cloud.call('sqs', 'DeleteMessage', { QueueUrl: url('q.fifo'), ReceiptHandle: first.ReceiptHandle });
    expect(bodies(await receive('q.fifo'))).toEqual(['2']);
  });

  it('takes the same message once in five minutes', async () => {
    const first = await send('q.fifo', 'm', { MessageGroupId: 'a' });
    expect((await send('q.fifo', 'm', { MessageGroupId: 'a' })).MessageId).toBe(first.MessageId);
    cloud.clock.advance(300_000);
    expect((await send('q.fifo', 'm', { MessageGroupId: 'a' })).MessageId).not.toBe(first.MessageId);
  });

  it('needs a group', async () => expect(await failure(send('q.fifo', 'm'))).toBe('MissingParameter: The request must contain the parameter MessageGroupId.'));
});

describe('permissions and errors', () => {
  it('asks KMS for sender and receiver of an encrypted queue, and stores nothing readable', async () => {
    const { KeyMetadata } = await cloud.call('kms', 'CreateKey');
    await create('q', { KmsMasterKeyId: KeyMetadata.KeyId });
    await send('q', 'very secret');
    expect(JSON.stringify([...cloud.state.snapshot()])).not.toContain('very secret');
    const reader = await cloud.user('reader', allow('sqs:*'));
    expect(await failure(reader.call('sqs', 'ReceiveMessage', { QueueUrl: url('q') }))).toMatch(/^KmsAccessDenied: .*kms:Decrypt/);
  });

  it('checks a batch as the single action, on the queue alone', async () => {
    await create('q');
    await create('other');
    const sender = await cloud.user('sender', allow('sqs:SendMessage', arn('q')));
    const Entries = [{ Id: '1', MessageBody: 'a' }];
    await expect(sender.call('sqs', 'SendMessageBatch', { QueueUrl: url('q'), Entries })).resolves.toMatchObject({ Failed: [] });
    expect(await failure(sender.call('sqs', 'SendMessageBatch', { QueueUrl: url('other'), Entries }))).toContain('not authorized to perform: sqs:sendmessage');
  });

  it.each([
    ['GetQueueUrl', { QueueName: 'none' }, 'QueueDoesNotExist: The specified queue does not exist.'],
    ['CreateQueue', { QueueName: 'q', Attributes: { VisibilityTimeout: '-1' } }, 'InvalidAttributeValue: Invalid value for the parameter VisibilityTimeout.'],
    ['CreateQueue', { QueueName: 'q', Attributes: { Nope: '1' } }, 'InvalidAttributeName: Unknown Attribute Nope.'],
  ])('%s %j: %s', async (operation, input, expected) => expect(await failure(cloud.call('sqs', operation, input))).toBe(expected));
});
