import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, PROTOCOLS, startServer, type Raw, type Server } from './raw.js';

/** Who may talk to the server at all: not a web page, not a rebound name, nobody without a signature. */

let server: Server;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server?.stop());

const port = (): string => new URL(server.cloud.endpoint).port;

describe('the Host header', () => {
  it.each(['evil.example', 'evil.example:4566', '127.0.0.1.evil.example', 'localhost.evil.example', '0.0.0.0', '10.0.0.1', '[::2]', 'amazonaws.com.evil.example', ''])('%j is refused', async (host) => {
    const answer = await server.send({ path: '/', headers: { host } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.body).not.toContain('ListAllMyBucketsResult');
    const signed = await server.signed('s3', { path: '/', headers: { host } });
    expect([400, 403]).toContain(signed.status);
  });

  it.each(['127.0.0.1', 'localhost', 'bucket.s3.eu-west-1.amazonaws.com', 'sts.amazonaws.com'])('%j is served', async (host) => {
    expect((await server.signed('sts', { ...PROTOCOLS.query.raw, headers: { ...PROTOCOLS.query.raw.headers, host: `${host}:${port()}` } })).status).toBe(200);
  });
});

describe('a web page', () => {
  it.each([
    ['of another site', { origin: 'https://evil.example' }],
    ['without an origin to name', { origin: 'null' }],
    ['on another port of this machine', { origin: 'http://localhost:1' }],
    ['by its Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site' }],
  ])('%s is refused, signed or not', async (_, headers) => {
    for (const answer of [await server.send({ method: 'POST', path: '/', headers }), await server.signed('s3', { path: '/', headers })]) expect(answer.status).toBe(403);
  });

  it('is given no permission to read across origins', async () => {
    const answer = await server.send({ method: 'OPTIONS', path: '/', headers: { origin: 'https://evil.example', 'access-control-request-method': 'PUT' } });
    expect(answer.status).toBe(403);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('without a signature', () => {
  // The REST protocols can't be told without a signature: AWS has a host name for each service, the local cloud the signing scope.
  it.each(Object.entries(PROTOCOLS).filter(([name]) => !name.startsWith('rest')))('%s answers AWS’s error', async (_, { service, raw }) => {
    const answer = await server.send(raw);
    expect(codeOf(answer), service).toMatch(/^MissingAuthenticationToken(Exception)?$/);
  });

  it.each([
    ['PUT', '/new-bucket', ''],
    ['PUT', '/kept-bucket/key', 'x'],
    ['DELETE', '/kept-bucket', ''],
    ['POST', '/kept-bucket?delete', '<Delete><Object><Key>a</Key></Object></Delete>'],
    ['PUT', '/kept-bucket?policy', '{}'],
  ])('%s %s writes nothing', async (method, path, body) => {
    await server.signed('s3', { method: 'PUT', path: '/kept-bucket', body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>' });
    const answer = await server.send({ method, path, body });
    expect(answer.status).toBe(403);
    expect(codeOf(answer)).toBe('AccessDenied');
    const listed = (await server.signed('s3', { path: '/' })).body;
    expect(listed).toContain('<Name>kept-bucket</Name>');
    expect(listed).not.toContain('new-bucket');
  });

  it('no other operation of any service writes', async () => {
    const before = server.cloud.runtime.state.list([]).filter(([key]) => key[2] !== 'flotilla').length;
    const writes: Raw[] = [
      { method: 'POST', path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=CreateUser&Version=2010-05-08&UserName=x' },
      { method: 'POST', path: '/', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.PutParameter' }, body: '{"Name":"a","Value":"b","Type":"String"}' },
      { method: 'POST', path: '/?Action=CreateTopic&Version=2010-03-31&Name=x' },
    ];
    for (const raw of writes) expect([400, 403]).toContain((await server.send(raw)).status);
    expect(server.cloud.runtime.state.list([]).filter(([key]) => key[2] !== 'flotilla').length).toBe(before);
  });
});

describe('the control interface', () => {
  it.each([{}, { 'x-flotilla-token': '' }, { 'x-flotilla-token': 'wrong' }, { 'x-flotilla-token': 'token-of-the-tesT' }, { authorization: 'token-of-the-test' }])('with %j is closed', async (headers) => {
    for (const command of ['status', 'accounts', 'dump', 'stop', 'scps', 'nonsense']) {
      const answer = await server.send({ method: 'POST', path: `/_flotilla/${command}`, headers: headers as Record<string, string>, body: '{}' });
      expect(answer.status).toBe(403);
      expect(codeOf(answer)).toBe('CLD001');
      expect(answer.body).not.toMatch(/secret/i);
    }
  });

  it('answers a wrong command, method or body with an error of its own', async () => {
    const headers = { 'x-flotilla-token': server.token };
    expect(await server.send({ method: 'POST', path: '/_flotilla/nonsense', headers })).toMatchObject({ status: 404 });
    expect(await server.send({ method: 'POST', path: '/_flotilla/constructor', headers })).toMatchObject({ status: 404 });
    expect(await server.send({ method: 'GET', path: '/_flotilla/status', headers })).toMatchObject({ status: 404 });
    expect((await server.send({ method: 'POST', path: '/_flotilla/status', headers, body: '{"a":' })).status).toBe(400);
    expect((await server.send({ method: 'POST', path: '/_flotilla/scps', headers, body: '{"account":"1","policies":7}' })).status).toBe(400);
    expect((await server.send({ method: 'POST', path: '/_flotilla/declare', headers, body: '{"id":"../../x"}' })).status).toBe(400);
  });

  it('attaches control policies to an account that exists, and only what is one', async () => {
    const scps = (account: string, document: string) => server.send({ method: 'POST', path: '/_flotilla/scps', headers: { 'x-flotilla-token': server.token }, body: JSON.stringify({ account, policies: [{ name: 'p', document }] }) });
    const deny = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'iam:CreateUser', Resource: '*' }] });
    expect(codeOf(await scps('nobody', deny))).toBe('CLD010');
    expect(codeOf(await scps('555555555555', '{"Version":'))).toBe('CLD014');
    expect(codeOf(await scps('555555555555', '{"Statement":[{"Effect":"Perhaps"}]}'))).toBe('CLD014');
    await server.send({ method: 'POST', path: '/_flotilla/declare', headers: { 'x-flotilla-token': server.token }, body: '{"id":"555555555555","name":"named"}' });
    expect(JSON.parse((await scps('named', deny)).body)).toEqual({ account: '555555555555' });
  });

  it('shows no secret in a dump', async () => {
    const answer = await server.send({ method: 'POST', path: '/_flotilla/dump', headers: { 'x-flotilla-token': server.token }, body: '{}' });
    expect(answer.status).toBe(200);
    expect(answer.body).not.toMatch(/secretAccessKey/);
  });
});
