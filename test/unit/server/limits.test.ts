import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, PROTOCOLS, startServer, type Raw, type Server } from './raw.js';

/** Input made to be expensive is refused early, and costs nothing. */

let server: Server;
beforeAll(async () => {
  server = await startServer();
  await server.signed('s3', { method: 'PUT', path: '/limits', body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>' });
});
afterAll(() => server?.stop());

const MIB = 1024 * 1024;
const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  const begin = performance.now();
  const result = await work;
  expect(performance.now() - begin).toBeLessThan(ms);
  return result;
};
const xml = (body: string): Raw => ({ method: 'PUT', path: '/limits?tagging', body });

describe('a body', () => {
  it('of a form larger than any operation takes is refused before it is held', async () => {
    const answer = await server.send({ ...PROTOCOLS.query.raw, body: `Action=GetCallerIdentity&Version=2011-06-15&x=${'a'.repeat(12 * MIB)}` });
    expect(answer.status).toBe(413);
  });

  it('of JSON larger than any operation takes is refused', async () => {
    const answer = await server.signed('ssm', { ...PROTOCOLS.json.raw, body: `{"x":"${'a'.repeat(80 * MIB)}"}` });
    expect(answer.status).toBe(413);
    expect(codeOf(answer)).toBe('RequestEntityTooLargeException');
  });

  it('nested a hundred thousand deep is an error, not a crash', async () => {
    const deep = 100_000;
    expect((await server.signed('ssm', { ...PROTOCOLS.json.raw, body: `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}` })).status).toBeLessThan(500);
    expect((await server.signed('ssm', { ...PROTOCOLS.json.raw, body: `{"Filters":${'['.repeat(deep)}${']'.repeat(deep)}}` })).status).toBe(400);
    expect((await server.signed('s3', xml(`${'<a>'.repeat(deep)}${'</a>'.repeat(deep)}`))).status).toBe(400);
    const form = { ...PROTOCOLS.query.raw, body: `Action=AssumeRole&Version=2011-06-15&RoleArn=x&RoleSessionName=xx&Tags${'.member.1'.repeat(10_000)}=x` };
    expect((await server.signed('sts', form)).status).toBeLessThan(500);
    const policy = `${'['.repeat(deep)}${']'.repeat(deep)}`;
    expect((await server.signed('s3', { method: 'PUT', path: '/limits?policy', body: policy })).status).toBe(400);
  });

  it('whose entities expand is refused: no document type is read', async () => {
    const lol = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i === 0 ? '' : i};`.repeat(10)}">`).join('')}]><Tagging><TagSet><Tag><Key>&lol9;</Key><Value>x</Value></Tag></TagSet></Tagging>`;
    const answer = await within(1000, server.signed('s3', xml(lol)));
    expect([answer.status, codeOf(answer)]).toEqual([400, 'MalformedXML']);
    const external = await server.signed('s3', xml('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Tagging><TagSet><Tag><Key>&e;</Key><Value>x</Value></Tag></TagSet></Tagging>'));
    expect(external.status).toBe(400);
    expect(external.body).not.toContain('root:');
  });

  it('with a list index of a billion allocates nothing', async () => {
    const answer = await within(1000, server.signed('sts', { ...PROTOCOLS.query.raw, body: 'Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111111111111:role/x&RoleSessionName=xx&Tags.member.1000000000.Key=a&Tags.member.1000000000.Value=b' }));
    expect(answer.status).toBeLessThan(500);
  });

  it('names of an object’s own prototype are only names', async () => {
    for (const body of ['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}']) expect((await server.signed('ssm', { ...PROTOCOLS.json.raw, body })).status).toBeLessThan(500);
    for (const key of ['__proto__', 'constructor', 'toString']) {
      const answer = await server.signed('ssm', { ...PROTOCOLS.json.raw, headers: { ...PROTOCOLS.json.raw.headers, 'x-amz-target': `AmazonSSM.${key}` } });
      expect(codeOf(answer)).toBe('UnknownOperationException');
      expect(codeOf(await server.signed('iam', { ...PROTOCOLS.query.raw, body: `Action=${key}&Version=2010-05-08` }))).toBe('InvalidAction');
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('a policy', () => {
  it('of wildcards without end is matched in linear time', async () => {
    const star = (n: number): string => `arn:aws:s3:::limits/${'*a'.repeat(n)}`;
    const document = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: star(200), Condition: { StringLike: { 'aws:UserAgent': '*a'.repeat(300) } } } });
    expect((await server.signed('s3', { method: 'DELETE', path: '/limits?publicAccessBlock' })).status).toBe(204);
    const put = await server.signed('s3', { method: 'PUT', path: '/limits?policy', body: document });
    expect([put.status < 300, codeOf(put)]).toEqual([true, '']);
    await within(500, server.send({ path: `/limits/${'a'.repeat(1000)}b`, headers: { 'user-agent': 'a'.repeat(5000) } }));
  });
});

describe('a pattern of the caller’s', () => {
  it('that never ends holds nobody up', async () => {
    const value = `${'a'.repeat(60)}!`;
    const put = await within(2000, server.signed('ssm', { ...PROTOCOLS.json.raw, headers: { ...PROTOCOLS.json.raw.headers, 'x-amz-target': 'AmazonSSM.PutParameter' }, body: JSON.stringify({ Name: 'slow', Value: value, Type: 'String', AllowedPattern: '(a+)+' }) }));
    expect(codeOf(put)).toBe('ParameterPatternMismatchException');
    const template = encodeURIComponent(JSON.stringify({ Parameters: { P: { Type: 'String', AllowedPattern: '(a+)+' } }, Resources: { T: { Type: 'AWS::SNS::Topic' } } }));
    const created = await within(2000, server.signed('cloudformation', { ...PROTOCOLS.query.raw, body: `Action=CreateStack&Version=2010-05-15&StackName=slow&TemplateBody=${template}&Parameters.member.1.ParameterKey=P&Parameters.member.1.ParameterValue=${encodeURIComponent(value)}` }));
    expect(codeOf(created)).toBe('ValidationError');
  });
});

describe('a connection', () => {
  it.each(['GARBAGE\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '\u0000\u0001\u0002'])(
    'that speaks no HTTP (%j) is closed, and the server goes on',
    async (text) => {
      const { hostname, port } = new URL(server.cloud.endpoint);
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.end(text));
        socket.on('data', () => {});
        socket.on('error', () => resolve());
        socket.on('close', () => resolve());
      });
      expect((await server.signed('sts', PROTOCOLS.query.raw)).status).toBe(200);
    },
  );

  it('broken off in the middle of an upload leaves no object', async () => {
    const { hostname, port } = new URL(server.cloud.endpoint);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write('PUT /limits/half HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\nabc');
        setImmediate(() => socket.destroy());
      });
      socket.on('close', () => resolve());
    });
    expect((await server.signed('s3', { path: '/limits/half' })).status).toBe(404);
    expect(server.log.filter((line) => line.includes('failed'))).toEqual([]);
  });
});
