import { STS } from '@aws-sdk/client-sts';
import { IAM } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountCredentials } from '../../../src/local/services/iam/identity.js';
import { ACCOUNT, codeOf, PROTOCOLS, startServer, type Server, type SignOptions } from './raw.js';

/** A signature that is wrong in any way gets the error AWS has for it, in the protocol's own shape. */

let server: Server;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server?.stop());

const HOUR = 3_600_000;
const CASES: readonly [string, SignOptions, Record<'query' | 'json' | 's3', [number, string]>][] = [
  ['an unknown key', { accessKeyId: 'AKIANOBODY0000000000' }, { query: [403, 'InvalidClientTokenId'], json: [400, 'UnrecognizedClientException'], s3: [403, 'InvalidAccessKeyId'] }],
  ['a wrong secret', { secretAccessKey: 'wrong' }, { query: [403, 'SignatureDoesNotMatch'], json: [400, 'InvalidSignatureException'], s3: [403, 'SignatureDoesNotMatch'] }],
  ['an old date', { at: Date.now() - HOUR }, { query: [403, 'SignatureDoesNotMatch'], json: [400, 'InvalidSignatureException'], s3: [403, 'RequestTimeTooSkewed'] }],
  ['a date to come', { at: Date.now() + HOUR }, { query: [403, 'SignatureDoesNotMatch'], json: [400, 'InvalidSignatureException'], s3: [403, 'RequestTimeTooSkewed'] }],
  ['a token that belongs to no session', { sessionToken: 'abc' }, { query: [403, 'InvalidClientTokenId'], json: [400, 'UnrecognizedClientException'], s3: [400, 'InvalidToken'] }],
  ['a region that is none', { region: 'eu-west-9' }, { query: [403, 'SignatureDoesNotMatch'], json: [400, 'InvalidSignatureException'], s3: [400, 'AuthorizationHeaderMalformed'] }],
  ['a header that was changed behind it', { tamper: (headers) => void (headers['x-amz-date'] = headers['x-amz-date']!.replace(/.Z$/, (end) => (end === '0Z' ? '1Z' : '0Z'))) }, { query: [403, 'SignatureDoesNotMatch'], json: [400, 'InvalidSignatureException'], s3: [403, 'SignatureDoesNotMatch'] }],
  ['a signature cut short', { tamper: (headers) => void (headers['authorization'] = headers['authorization']!.slice(0, -5)) }, { query: [403, 'SignatureDoesNotMatch'], json: [400, 'InvalidSignatureException'], s3: [403, 'SignatureDoesNotMatch'] }],
  ['no signature in the header', { tamper: (headers) => void (headers['authorization'] = headers['authorization']!.replace(/, Signature=.*/, '')) }, { query: [400, 'IncompleteSignature'], json: [400, 'IncompleteSignatureException'], s3: [400, 'AuthorizationHeaderMalformed'] }],
];

const FAMILY: Record<keyof typeof PROTOCOLS, 'query' | 'json' | 's3'> = { query: 'query', ec2: 'query', json: 'json', 'json 1.0': 'json', 'rest-json': 'json', 'rest-xml': 's3' };

describe.each(Object.entries(PROTOCOLS) as [keyof typeof PROTOCOLS, (typeof PROTOCOLS)[keyof typeof PROTOCOLS]][])('%s', (protocol, { service, raw }) => {
  it('takes a good one', async () => {
    const answer = await server.signed(service, raw);
    expect([answer.status, codeOf(answer)]).toEqual([200, '']);
  });

  it.each(CASES)('refuses %s', async (_, options, expected) => {
    const [status, code] = expected[FAMILY[protocol]];
    const answer = await server.signed(service, raw, options);
    expect(codeOf(answer)).toBe(code);
    // REST-JSON answers 403 where JSON answers 400.
    expect(answer.status).toBe(protocol === 'rest-json' && code !== 'IncompleteSignatureException' ? 403 : status);
  });
});

describe('what was signed is what counts', () => {
  it('a body that was changed is refused', async () => {
    const answer = await server.signed('ssm', { ...PROTOCOLS.json.raw, body: '{"MaxResults":5}' }, { payloadHash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' });
    expect(codeOf(answer)).toBe('InvalidSignatureException');
    const put = await server.signed('s3', { method: 'PUT', path: '/some-bucket/key', body: 'real' }, { payloadHash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' });
    expect([codeOf(put)]).toEqual([expect.stringMatching(/XAmzContentSHA256Mismatch|NoSuchBucket/)]);
  });

  it('a query added behind the signature is refused', async () => {
    const answer = await server.signed('s3', { path: '/', headers: {} });
    expect(answer.status).toBe(200);
    const stolen: Record<string, string> = {};
    await server.signed('s3', { path: '/' }, { tamper: (headers) => void Object.assign(stolen, headers) });
    expect(codeOf(await server.send({ path: '/?prefix=a', headers: stolen }))).toBe('SignatureDoesNotMatch');
    expect(codeOf(await server.send({ path: '/', method: 'DELETE', headers: stolen }))).toMatch(/SignatureDoesNotMatch|MethodNotAllowed/);
  });

  it('one service’s signature is not another’s', async () => {
    const answer = await server.signed('sns', { ...PROTOCOLS.query.raw });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain('<Arn>');
  });
});

describe('a session', () => {
  it('ends when its time is over', async () => {
    const client = { endpoint: server.cloud.endpoint, region: 'eu-west-1', credentials: accountCredentials(server.cloud.runtime.state, ACCOUNT) };
    await new IAM(client).createRole({ RoleName: 'short', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'sts:AssumeRole' } }) });
    const { Credentials: given } = await new STS(client).assumeRole({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/short`, RoleSessionName: 'short', DurationSeconds: 900 });
    const own = { accessKeyId: given!.AccessKeyId!, secretAccessKey: given!.SecretAccessKey!, sessionToken: given!.SessionToken! };
    expect((await server.signed('sts', PROTOCOLS.query.raw, own)).status).toBe(200);
    const now = server.cloud.runtime.clock.now;
    const clock = server.cloud.runtime.clock as { now: () => number };
    try {
      clock.now = () => Date.now() + 901_000;
      for (const [protocol, code] of [['query', 'ExpiredToken'], ['json', 'ExpiredTokenException'], ['rest-xml', 'ExpiredToken']] as const) {
        const { service, raw } = PROTOCOLS[protocol];
        expect(codeOf(await server.signed(service, raw, { ...own, at: clock.now() }))).toBe(code);
      }
    } finally {
      clock.now = now;
    }
  });
});
