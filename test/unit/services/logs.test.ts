import { beforeEach, describe, expect, it } from 'vitest';
import { compilePattern } from '../../../src/local/services/logs/filter.js';
import { A, allow, failure, memoryCloud, REGION, type Answer, type MemoryCloud } from './cloud.js';

describe('filter patterns', () => {
  const json = JSON.stringify({ level: 'warn', n: 3, user: { name: 'amy' }, tags: ['a', 'b'], gone: null, ok: true });
  it.each<[string, string, boolean]>([
    ['', 'anything', true],
    ['ERROR', 'an ERROR here', true],
    ['ERROR Exception', 'an ERROR here', false],
    ['"an ERROR"', 'an ERROR here', true],
    ['?ERROR ?WARN', 'a WARN here', true],
    ['ERROR -here', 'an ERROR here', false],
    ['%E[RS]+OR%', 'an ERROR here', true],
    ['{ $.level = "w*" }', json, true],
    ['{ $.level = "warn" && $.n > 3 }', json, false],
    ['{ ($.n >= 3 || $.x = 1) && $.user.name != "bob" }', json, true],
    ['{ $.tags[1] = "b" }', json, true],
    ['{ $.gone IS NULL }', json, true],
    ['{ $.ok IS TRUE && $.other NOT EXISTS }', json, true],
    ['{ $.n = %^\\d$% }', json, true],
    ['{ $.level = warn }', 'no json', false],
    ['[ip, user, status = 4*, bytes > 1000]', '10.0.0.1 amy 404 2000', true],
    ['[ip, ..., bytes > 1000]', '10.0.0.1 amy 404 20', false],
    ['[w1=ERROR || w1=WARN, w2]', 'WARN x', true],
  ])('%s on %s: %s', (pattern, text, expected) => expect(compilePattern(pattern).matches(text)).toBe(expected));
  it.each(['{ $.a = }', '{ a = 1 }', '[a, b', '{ $.a = %(x)% }'])('%s is refused', (pattern) => expect(() => compilePattern(pattern)).toThrow('Invalid filter pattern'));
});

describe('streams', () => {
  let cloud: MemoryCloud;
  const names = { logGroupName: 'g', logStreamName: 's' };
  const call = (operation: string, input: object): Promise<Answer> => cloud.call('logs', operation, input as Record<string, unknown>);
  const texts = ({ events }: Answer): string[] => events.map(({ message }: Answer) => message);
  const put = (messages: string[], more: object = {}): Promise<Answer> => call('PutLogEvents', { ...names, logEvents: messages.map((message, i) => ({ timestamp: cloud.clock.now() + i, message })), ...more });

  beforeEach(async () => {
    cloud = memoryCloud();
    await call('CreateLogGroup', { logGroupName: 'g' });
    await call('CreateLogStream', names);
  });

  it('is read forward while it is written: the token stays at the end until there is more', async () => {
    await put(['1', '2', '3']);
    const first = await call('GetLogEvents', { ...names, startFromHead: true, limit: 2 });
    const second = await call('GetLogEvents', { ...names, nextToken: first.nextForwardToken });
    const third = await call('GetLogEvents', { ...names, nextToken: second.nextForwardToken });
    expect([texts(first), texts(second), texts(third), third.nextForwardToken === second.nextForwardToken]).toEqual([['1', '2'], ['3'], [], true]);
    cloud.clock.advance(10);
    await put(['4']);
    expect(texts(await call('GetLogEvents', { ...names, nextToken: third.nextForwardToken }))).toEqual(['4']);
  });

  it('gives the newest first page by default, and goes back from there', async () => {
    await put(['1', '2', '3', '4']);
    const page = await call('GetLogEvents', { ...names, limit: 2 });
    expect([texts(page), texts(await call('GetLogEvents', { ...names, limit: 2, nextToken: page.nextBackwardToken }))]).toEqual([['3', '4'], ['1', '2']]);
  });

  it('merges streams by time when they are filtered, page by page', async () => {
    await call('CreateLogStream', { ...names, logStreamName: 'r' });
    await put(['s1', 's2', 's3']);
    await put(['r1', 'r2', 'r3'], { logStreamName: 'r' });
    const first = await call('FilterLogEvents', { logGroupName: 'g', limit: 4 });
    const rest = await call('FilterLogEvents', { logGroupName: 'g', nextToken: first.nextToken });
    const all = [...first.events, ...rest.events];
    expect(all.map(({ message }) => message)).toEqual(['s1', 'r1', 's2', 'r2', 's3', 'r3']);
    expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(6);
  });

  it('forgets what is over its retention and refuses what is too old or too new', async () => {
    await put(['old']);
    await call('PutRetentionPolicy', { logGroupName: 'g', retentionInDays: 1 });
    cloud.clock.advance(86_400_001);
    expect(texts(await call('GetLogEvents', names))).toEqual([]);
    const now = cloud.clock.now();
    const { rejectedLogEventsInfo } = await call('PutLogEvents', { ...names, logEvents: [{ timestamp: now, message: 'a' }, { timestamp: now + 3 * 3_600_000, message: 'b' }] });
    expect(rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
    expect(await failure(call('PutLogEvents', { ...names, logEvents: [{ timestamp: 2, message: 'a' }, { timestamp: 1, message: 'b' }] }))).toMatch(/chronological order/);
  });

  it('makes metrics of events that a metric filter matches', async () => {
    await call('PutMetricFilter', { logGroupName: 'g', filterName: 'f', filterPattern: '{ $.level = "error" }', metricTransformations: [{ metricName: 'm', metricNamespace: 'N', metricValue: '$.n' }] });
    await put(['{"level":"error","n":7}', '{"level":"info","n":1}']);
    await Promise.resolve();
    const { Datapoints } = await cloud.call('cloudwatch', 'GetMetricStatistics', { Namespace: 'N', MetricName: 'm', Period: 60, Statistics: ['Sum'], StartTime: new Date(cloud.clock.now() - 600_000), EndTime: new Date(cloud.clock.now() + 60_000) });
    expect(Datapoints).toMatchObject([{ Sum: 7 }]);
  });

  it('is granted by the group ARN with a star and not by the bare one', async () => {
    const group = `arn:aws:logs:${REGION}:${A}:log-group:g`;
    const bare = await cloud.user('bare', allow('logs:*', group));
    expect(await failure(bare.call('logs', 'CreateLogStream', { ...names, logStreamName: 'x' }))).toContain(`logs:CreateLogStream on resource: ${group}:log-stream:x`);
    const starred = await cloud.user('starred', allow('logs:*', `${group}:*`));
    await expect(starred.call('logs', 'CreateLogStream', { ...names, logStreamName: 'x' })).resolves.toBeDefined();
    await expect(starred.call('logs', 'DescribeLogStreams', { logGroupName: 'g' })).resolves.toBeDefined();
  });

  it('takes only a key that CloudWatch Logs itself may use', async () => {
    const { KeyMetadata } = await cloud.call('kms', 'CreateKey');
    expect(await failure(call('CreateLogGroup', { logGroupName: 'k', kmsKeyId: KeyMetadata.Arn }))).toMatch(/^AccessDeniedException: The specified KMS key does not exist or is not allowed/);
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${A}:root` }, Action: 'kms:*', Resource: '*' }, { Effect: 'Allow', Principal: { Service: `logs.${REGION}.amazonaws.com` }, Action: 'kms:GenerateDataKey*', Resource: '*' }] });
    await cloud.call('kms', 'PutKeyPolicy', { KeyId: KeyMetadata.KeyId, Policy });
    await expect(call('CreateLogGroup', { logGroupName: 'k', kmsKeyId: KeyMetadata.Arn })).resolves.toBeDefined();
  });
});
