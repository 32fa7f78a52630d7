import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAwsError } from '../../../src/local/kernel/error.js';
import type { RootPrincipal } from '../../../src/local/kernel/principal.js';
import { loadModel, type Member, type Shape } from '../../../src/local/models/model.js';
import { services } from '../../../src/local/services/index.js';
import { serializeOutput } from '../../../src/local/wire/index.js';
import { ACCOUNT, codeOf, PROTOCOLS, startServer, type Answer, type Raw, type Server } from './raw.js';

/** Whatever is sent: an error with a code, never a crash, never a 500 for what is the caller's fault. */

let server: Server;
beforeAll(async () => {
  server = await startServer();
  await server.signed('s3', { method: 'PUT', path: '/fuzzed-bucket', body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>' });
});
afterAll(() => server?.stop());
afterEach(() => expect(server.log.splice(0)).toEqual([]));

function expectAnswered(answer: Answer): void {
  expect(answer.status, answer.body).not.toBe(500);
  if (answer.status >= 400 && answer.body !== '') expect(codeOf(answer), answer.body).not.toBe('');
}

const header = fc.stringMatching(/^[\x21-\x7e]{0,40}$/);
const path = fc.oneof(fc.webPath(), fc.stringMatching(/^\/[\x21-\x7e]{0,60}$/).filter((text) => !text.startsWith('/_flotilla/')));
const body = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json(), fc.webQueryParameters(), fc.stringMatching(/^<[a-zA-Z]{1,8}>.{0,80}(<\/[a-zA-Z]{1,8}>)?$/));
const method = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS');

describe('noise', () => {
  it('without a signature', async () => {
    await fc.assert(fc.asyncProperty(method, path, body, header, header, async (verb, where, content, type, target) => {
      const read = verb === 'GET' || verb === 'HEAD';
      expectAnswered(await server.send({ method: verb, path: where, headers: { 'content-type': type, ...(target === '' ? {} : { 'x-amz-target': target }) }, ...(read ? {} : { body: content }) }));
    }), { numRuns: 150 });
  });

  it('in the Authorization header', async () => {
    const authorization = fc.oneof(header, header.map((text) => `AWS4-HMAC-SHA256 ${text}`), fc.tuple(header, header).map(([a, b]) => `AWS4-HMAC-SHA256 Credential=${a}/20260101/eu-west-1/s3/aws4_request, SignedHeaders=${b}, Signature=0`));
    await fc.assert(fc.asyncProperty(authorization, async (value) => {
      const answer = await server.send({ path: '/', headers: { authorization: value } });
      expectAnswered(answer);
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }), { numRuns: 150 });
  });

  it.each(Object.entries(PROTOCOLS))('in the body of a signed request of %s', async (_, { service, raw }) => {
    await fc.assert(fc.asyncProperty(body, async (content) => {
      const form = 'body' in raw && raw.body.startsWith('Action=') ? `${raw.body}&${content}` : content;
      expectAnswered(await server.signed(service, raw.method === 'GET' ? { ...raw, method: 'POST', body: form } : { ...raw, body: form }));
    }), { numRuns: 60 });
  });

  it.each(['s3', 'lambda', 'apigateway'])('in method, path and query of a signed request of %s', async (service) => {
    const query = fc.webQueryParameters();
    await fc.assert(fc.asyncProperty(method, fc.oneof(path, fc.stringMatching(/^\/[a-z]{0,4}$/).map((text) => `/fuzzed-bucket${text}`)), query, body, async (verb, where, search, content) => {
      const [bare] = where.split(/[?#]/);
      const raw: Raw = { method: verb, path: search === '' ? bare! : `${bare}?${search}`, ...(verb === 'GET' || verb === 'HEAD' ? {} : { body: content }) };
      expectAnswered(await server.signed(service, raw));
    }), { numRuns: 120 });
  });
});

/** Inputs as the model has them, right and wrong, from a seed: names that exist among them, so that operations get past their first look-up. */
describe('every operation', () => {
  const SEED = Number(process.env['FLOTILLA_FUZZ_SEED'] ?? 1);
  const ROUNDS = Number(process.env['FLOTILLA_FUZZ_ROUNDS'] ?? 4);
  const root: RootPrincipal = { kind: 'root', account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT };

  it.each(services.map((service) => [service.name, service] as const))('of %s answers in the terms of AWS', { timeout: 60_000 }, async (name, service) => {
    const model = loadModel(name)!;
    const client = server.cloud.runtime.client({ principal: root, region: 'eu-west-1' });
    const defects: string[] = [];
    for (const operation of Object.keys(service.operations)) {
      const shape = model.operation(operation)!.input;
      for (let round = 0; round < ROUNDS; round++) {
        const random = generator(SEED * 1000 + round + hashOf(`${name}:${operation}`));
        const input = shape ? (valueOf(shape, random, 0) as Record<string, unknown>) : {};
        try {
          const output = await client.call(name, operation, input);
          serializeOutput(model, operation, model.head.protocols[0]!, output, 'request');
        } catch (error) {
          if (isAwsError(error) && error.code !== '' && error.status !== 500) continue;
          defects.push(`${operation} ${JSON.stringify(input)}\n  ${error instanceof Error ? error.stack?.split('\n').slice(0, 4).join('\n  ') : String(error)}`);
        }
      }
    }
    expect(defects.join('\n')).toBe('');
  });
});

interface Random {
  below(limit: number): number;
  pick<T>(choices: readonly T[]): T;
  chance(of: number): boolean;
}

/** mulberry32: small, and the same on every machine. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { below: (limit) => Math.floor(next() * limit), pick: (choices) => choices[Math.floor(next() * choices.length)]!, chance: (of) => next() < of };
}

const hashOf = (text: string): number => [...text].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) >>> 0, 7);

const WORDS = ['a', 'fuzzed', 'fuzzed-bucket', 'Name', 'my-thing', '/path/name', 'alias/x', '1', '0', 'true', 'null', '*', `arn:aws:iam::${ACCOUNT}:role/fuzzed`, `arn:aws:sns:eu-west-1:${ACCOUNT}:fuzzed`, `arn:aws:sqs:eu-west-1:${ACCOUNT}:fuzzed`, `arn:aws:s3:::fuzzed-bucket`, 'arn:aws', 'arn:::::', ACCOUNT, 'eu-west-1', '{}', '{"Version":"2012-10-17","Statement":[]}', '[]', '{"a":[1]}', 'http://127.0.0.1/x', '%zz', '日本', ' ', 'x'.repeat(300), '12345678-1234-1234-1234-123456789012', 'vpc-12345678', 'i-1'];

function valueOf(shape: Shape, random: Random, depth: number): unknown {
  switch (shape.type) {
    case 'structure':
      return structureOf(shape, random, depth);
    case 'list':
      return depth > 4 ? [] : Array.from({ length: random.below(3) }, () => memberOf(shape.member!, random, depth + 1));
    case 'map':
      return depth > 4 ? {} : Object.fromEntries(Array.from({ length: random.below(3) }, () => [String(memberOf(shape.key!, random, depth + 1)), memberOf(shape.value!, random, depth + 1)]));
    case 'boolean':
      return random.chance(0.5);
    case 'integer':
    case 'long':
      return random.pick([0, 1, 2, 10, 100, -1, shape.min ?? 5, shape.max ?? 1000, 2147483647]);
    case 'float':
    case 'double':
      return random.pick([0, 1, 0.5, -1, 1e20]);
    case 'timestamp':
      return new Date(random.pick([0, 1_700_000_000_000, 4_000_000_000_000]));
    case 'blob':
      return Buffer.from(random.pick(WORDS));
    default:
      return shape.enum && random.chance(0.9) ? random.pick(shape.enum) : random.pick(WORDS);
  }
}

function structureOf(shape: Shape, random: Random, depth: number): Record<string, unknown> {
  const members = [...shape.members.values()].filter((member) => (shape.required.includes(member.name) ? random.chance(0.95) : depth < 4 && random.chance(0.25)));
  const kept = shape.union ? [...shape.members.values()].filter((_, i, all) => i === random.below(all.length)).slice(0, 1) : members;
  return Object.fromEntries(kept.map((member) => [member.name, memberOf(member, random, depth + 1)]));
}

function memberOf(member: Member, random: Random, depth: number): unknown {
  return valueOf(member.shape, random, depth);
}
