import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../src/local/kernel/error.js';
import { loadModel, type Protocol, type Shape } from '../../../src/local/models/model.js';
import { bytesBody } from '../../../src/local/kernel/body.js';
import { decodeCbor, encodeCbor } from '../../../src/local/wire/cbor.js';
import { identify, parseInput, serializeOutput, validateInput, type WireRequest } from '../../../src/local/wire/index.js';
import { structureFromJson, structureToJson } from '../../../src/local/wire/json.js';
import { malformedJson } from '../../../src/local/wire/malformed.js';
import { memberToXml } from '../../../src/local/wire/xml-values.js';
import { structureFromXml } from '../../../src/local/wire/xml-values.js';
import { escapeXml, parseXml } from '../../../src/shared/xml.js';
import { sample } from './echo.js';

const refuse = malformedJson;
const request = (fields: Partial<Omit<WireRequest, 'body'>> & { body?: string | Uint8Array }): WireRequest => ({ method: 'POST', path: '/', query: [], headers: {}, ...fields, body: bytesBody(fields.body ?? '') });

describe('what was written is read', () => {
  it('CBOR', () => {
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null), fc.uint8Array(), fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }), fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
    })).any;
    fc.assert(
      fc.property(value, (given) => {
        expect(comparable(decodeCbor(encodeCbor(given)))).toEqual(comparable(given));
      }),
    );
  });

  it('text in XML, attributes too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        // A carriage return is written as a reference, so it survives too.
        const root = parseXml(Buffer.from(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`), refuse);
        expect([root.text, root.attributes.get('b')]).toEqual([text, text]);
      }),
    );
  });

  it('JSON of every input and output of services that speak it', () => {
    for (const service of ['ssm', 'kms', 'ecr', 'codepipeline', 'codebuild', 'dynamodb', 'logs', 'events', 'lambda', 'apigateway']) {
      for (const shape of shapesOf(service)) {
        const given = sample(shape, [], undefined) as Record<string, unknown>;
        const style = { rest: service === 'lambda' || service === 'apigateway' };
        const written = structureToJson(shape, given, style, service);
        if (Object.values(given).some((value) => typeof value === 'object' && value !== null && 'stream' in value)) continue;
        expect(structureFromJson(shape, Buffer.from(JSON.stringify(written)), style)).toEqual(given);
      }
    }
  });

  it('XML of every document that S3 takes', () => {
    const model = loadModel('s3')!;
    for (const operation of model.operations.values()) {
      const member = operation.input?.payload === undefined ? undefined : operation.input.members.get(operation.input.payload);
      // Two deprecated operations have two members for one element.
      if (member?.shape.type !== 'structure' || operation.deprecated) continue;
      const given = sample(member.shape, [], member) as Record<string, unknown>;
      const text = memberToXml(member, member.locationName ?? member.shape.name, given, { query: false, ec2: false, milliseconds: 'zero' }, operation.name);
      expect(withoutEmpty(structureFromXml(model, member.shape, parseXml(Buffer.from(text), refuse)))).toEqual(withoutEmpty(given));
    }
  });

  it('a key in a path, whatever it holds', async () => {
    const key = fc.string({ unit: 'grapheme', minLength: 1 });
    await fc.assert(
      fc.asyncProperty(key, async (given) => {
        const path = `/bucket/${given.split('/').map(encodeURIComponent).join('/')}`;
        const wire = request({ method: 'PUT', path });
        const { model, operation, protocol } = await identify(wire, 's3');
        expect(await parseInput(model, operation, protocol, wire)).toMatchObject({ Bucket: 'bucket', Key: given });
      }),
    );
  });
});

describe('garbage', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.array(fc.tuple(fc.constantFrom('Action', 'Version', 'Tags.member.1.Key', 'Tags', 'Tags.member', 'Tags.1', 'RoleName', 'RoleName.1', 'Parameters.entry.1.key', '__proto__', 'constructor.x'), fc.string())).map((pairs) => pairs.map(([k, v]) => `${k}=${v}`).join('&')),
    fc.array(fc.constantFrom('<', '>', '</', '/>', 'a', 'Tagging', 'TagSet', 'Tag', ' ', '="', '"', '&amp;', '&x;', '<![CDATA[', ']]>', '<!--', '-->', '<?', '?>', '<!DOCTYPE')).map((parts) => parts.join('')),
  );
  const wire = fc.record({
    signingName: fc.constantFrom(undefined, 'iam', 'cloudformation', 'ec2', 'sqs', 'sns', 'ssm', 'kms', 's3', 'route53', 'lambda', 'apigateway', 'monitoring', 'dynamodb', 'nobody'),
    method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', ''),
    path: fc.oneof(fc.constantFrom('/', '/b', '/b/k', '/2013-04-01/hostedzone', '/2015-03-31/functions/f', '/restapis', '/service/GraniteServiceVersion20100801/operation/PutMetricData', ''), fc.string().map((tail) => `/${tail}`)),
    query: fc.array(fc.tuple(fc.oneof(fc.constantFrom('tagging', 'acl', 'delete', 'uploadId', 'partNumber', 'max-keys', 'Action', 'Version', 'mode'), fc.string()), fc.oneof(fc.string(), fc.constantFrom('CreateRole', '2010-05-08', 'import')))),
    headers: fc.dictionary(fc.constantFrom('x-amz-target', 'content-type', 'smithy-protocol', 'x-amz-copy-source', 'if-modified-since', 'x-amz-tagging-count', 'x-amz-object-attributes', 'content-length'), fc.oneof(fc.string(), fc.constantFrom('application/x-www-form-urlencoded', 'AmazonSSM.PutParameter', 'DynamoDB_20120810.PutItem', 'TrentService.Decrypt', 'rpc-v2-cbor'))),
    body: fc.oneof(text, fc.uint8Array()),
  });

  it('raises AWS errors of the caller and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(wire, async ({ signingName, ...fields }) => {
        const given = request(fields);
        try {
          const { model, operation, protocol } = await identify(given, signingName);
          validateInput(model, operation, await parseInput(model, operation, protocol, given));
        } catch (error) {
          expect(error).toBeInstanceOf(AwsError);
          expect((error as AwsError).status ?? 400).toBeLessThan(500);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('in a body of every protocol too', async () => {
    const targets: [string, Partial<WireRequest>][] = [
      ['iam', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, query: [['Action', 'CreateRole'], ['Version', '2010-05-08']] }],
      ['dynamodb', { headers: { 'x-amz-target': 'DynamoDB_20120810.PutItem' } }],
      ['monitoring', { headers: { 'smithy-protocol': 'rpc-v2-cbor' }, path: '/service/GraniteServiceVersion20100801/operation/PutMetricData' }],
      ['lambda', { path: '/2015-03-31/functions' }],
      ['s3', { method: 'PUT', path: '/b', query: [['lifecycle', '']] }],
      ['route53', { path: '/2013-04-01/hostedzone' }],
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...targets), fc.oneof(text, fc.uint8Array()), async ([signingName, fields], body) => {
        const given = request({ ...fields, body });
        const { model, operation, protocol } = await identify(given, signingName);
        try {
          validateInput(model, operation, await parseInput(model, operation, protocol, given));
        } catch (error) {
          expect(error).toBeInstanceOf(AwsError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('nested without end costs no stack', async () => {
    const deep = 100_000;
    const cases: [string, Parameters<typeof request>[0]][] = [
      ['dynamodb', { headers: { 'x-amz-target': 'DynamoDB_20120810.PutItem' }, body: `{"Item":{"a":${'{"L":['.repeat(deep)}${']}'.repeat(deep)}}}` }],
      ['s3', { method: 'PUT', path: '/b', query: [['tagging', '']], body: '<a>'.repeat(deep) }],
      ['monitoring', { headers: { 'smithy-protocol': 'rpc-v2-cbor' }, path: '/service/GraniteServiceVersion20100801/operation/PutMetricData', body: new Uint8Array(deep).fill(0x81) }],
    ];
    for (const [signingName, fields] of cases) {
      const given = request(fields);
      const { model, operation, protocol } = await identify(given, signingName);
      await expect(parseInput(model, operation, protocol, given)).rejects.toBeInstanceOf(AwsError);
    }
  });
});

describe('answers', () => {
  it('name the operation and the member that the model does not have', () => {
    const cases: [string, string, Protocol][] = [['iam', 'CreateRole', 'query'], ['iam', 'DeleteRole', 'query'], ['ssm', 'GetParameter', 'json'], ['s3', 'GetObject', 'rest-xml'], ['lambda', 'GetFunction', 'rest-json'], ['ec2', 'DescribeVpcs', 'ec2']];
    for (const [service, operation, protocol] of cases) {
      expect(() => serializeOutput(loadModel(service)!, operation, protocol, { Coffee: 1 }, 'r')).toThrow(`${service}:${operation} has no member 'Coffee'`);
    }
  });
});

function shapesOf(service: string): Shape[] {
  return [...loadModel(service)!.operations.values()].flatMap(({ input, output }) => [input, output]).filter((shape): shape is Shape => shape !== undefined && shape.payload === undefined && ![...shape.members.values()].some((member) => member.location !== undefined));
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => !(Array.isArray(item) && item.length === 0)).map(([key, item]) => [key, withoutEmpty(item)]));
}

/** Bytes as arrays and no undefined: Buffer and Uint8Array are the same here. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'number' && Object.is(value, -0)) return 0;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.entries(value).map(([key, item]) => [key, comparable(item)]).sort();
}
