import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Body } from '../../../src/local/kernel/service.js';
import type { Member, Shape } from '../../../src/local/models/model.js';
import { bytesBody } from '../../../src/local/kernel/body.js';
import { identify, parseInput, serializeError, serializeOutput, type WireRequest } from '../../../src/local/wire/index.js';
import { AwsError } from '../../../src/local/kernel/error.js';

/**
 * A server that understands every operation of every model and answers each with a made-up output; `GET /__last` tells what it read and
 * what it answered, so that a real client can hold both against its own view.
 */
export async function echoServer(): Promise<{ server: Server; endpoint: string }> {
  let last: unknown;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = new URL(incoming.url!, 'http://localhost');
    if (incoming.url === '/__last') {
      outgoing.end(JSON.stringify(last));
      return;
    }
    const request: WireRequest = {
      method: incoming.method!,
      path: incoming.url!.split('?')[0]!,
      query: [...url.searchParams],
      headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
      body: bytesBody(unchunk(Buffer.concat(chunks), String(incoming.headers['content-encoding'] ?? ''))),
    };
    const signingName = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers['authorization'] ?? '')?.[1];
    let response;
    try {
      const { model, operation, protocol } = await identify(request, signingName);
      const input = await parseInput(model, operation, protocol, request);
      const fail = request.headers['x-echo-error'];
      const shape = model.operation(operation)!.output;
      const output = shape ? (sample(shape, [], undefined) as Record<string, unknown>) : {};
      last = { model: model.name, operation, protocol, input: await plain(input), output: await plain(output) };
      response = fail
        ? serializeError(model, operation, protocol, new AwsError(fail, `A sentence for ${fail} & more`), 'req-1', { head: request.method === 'HEAD' })
        : serializeOutput(model, operation, protocol, output, '11111111-2222-3333-4444-555555555555');
    } catch (error) {
      last = { error: String((error as Error).stack) };
      response = { status: 400, headers: {}, body: Buffer.from(String(error)) };
    }
    outgoing.writeHead(response.status, response.headers);
    const { body } = response;
    outgoing.end(body === undefined ? undefined : body instanceof Uint8Array ? body : Buffer.from(await body.bytes()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A value for a shape, the same every time: texts that need escaping where the place allows them. */
export function sample(shape: Shape, path: readonly string[], member: Member | undefined): unknown {
  if (shape.document) return { any: ['json', 1] };
  switch (shape.type) {
    case 'structure': {
      const members = [...shape.members.values()].filter((one) => !path.includes(one.shape.name) || isScalar(one.shape));
      const chosen = shape.union ? members.slice(0, 1) : members;
      return Object.fromEntries(chosen.filter((one) => !one.shape.eventstream).map((one) => [one.name, sample(one.shape, [...path, shape.name], one)]));
    }
    case 'list':
      return path.includes(shape.member!.shape.name) ? [] : [1, 2].map(() => sample(shape.member!.shape, [...path, shape.name], shape.member));
    case 'map':
      return path.includes(shape.value!.shape.name) ? {} : { [shape.key!.shape.enum?.[0] ?? 'key-one']: sample(shape.value!.shape, [...path, shape.name], shape.value) };
    case 'string':
      return shape.enum?.[0] ?? (member?.location === undefined ? `a <b> & "c" \u00e9 ${shape.name}` : `plain-${shape.name}`);
    case 'blob':
      return Buffer.from([0, 1, 2, 250, 255]);
    case 'timestamp':
      return new Date(Date.UTC(2026, 1, 3, 4, 5, 6));
    case 'boolean':
      return true;
    case 'float':
    case 'double':
      return 1.5;
    default:
      // The blob of this sample has five bytes.
      return member?.location === 'statusCode' ? 200 : member?.name === 'ContentLength' ? 5 : 7;
  }
}

const isScalar = (shape: Shape): boolean => !['structure', 'list', 'map'].includes(shape.type);

/** JSON that keeps bytes and times apart from text. */
async function plain(value: unknown): Promise<unknown> {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Date) return { $time: value.getTime() / 1000 };
  if (Array.isArray(value)) return Promise.all(value.map(plain));
  if (typeof value !== 'object' || value === null) return value;
  if ('stream' in value) return plain(await (value as Body).bytes());
  return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, item]) => [key, await plain(item)] as const)));
}

/** aws-chunked with or without trailer, unverified. */
function unchunk(bytes: Buffer, encoding: string): Buffer {
  if (!encoding.includes('aws-chunked')) return bytes;
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = parseInt(bytes.subarray(at, end).toString().split(';')[0]!, 16);
    if (!size) break;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
