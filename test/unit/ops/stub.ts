import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Target } from '../../../src/ops/target.js';

export interface Stub {
  readonly target: Target;
  /** Operations that were asked, in their order. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

/** A service of AWS that speaks JSON, as far as a test answers for it: `answers` by operation, `__type` in an error. */
export async function startStub(answers: Readonly<Record<string, (input: never) => object>>): Promise<Stub> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1)!;
    calls.push(operation);
    void textOf(request).then((text) => {
      const answer = answers[operation];
      const body = answer ? answer(JSON.parse(text) as never) : { __type: 'NotImplemented', message: operation };
      response.writeHead('__type' in body ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    target: { kind: 'LOCAL', endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, credentials: (account) => Promise.resolve({ accessKeyId: account, secretAccessKey: 'none' }) },
    calls,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
