import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../src/local/kernel/error.js';
import type { Body } from '../../../src/local/kernel/service.js';
import { loadModel, type Protocol } from '../../../src/local/models/model.js';
import { bytesBody } from '../../../src/local/kernel/body.js';
import { identify, parseInput, serializeError, serializeOutput, type WireRequest, type WireResponse } from '../../../src/local/wire/index.js';
import { s3RequestIds } from '../../../src/local/wire/s3-answers.js';

interface RequestCase {
  name: string;
  signingName?: string;
  method?: string;
  path?: string;
  query?: [string, string][];
  headers?: Record<string, string>;
  form?: string;
  target?: string;
  body?: string;
  /** The body's characters are bytes. */
  latin1?: boolean;
}

interface Vectors {
  about: string;
  protocol: Protocol;
  requests: (RequestCase & { operation: string; input: unknown })[];
  refused: (RequestCase & { code: string; message?: string })[];
  responses: { name: string; operation: string; output: unknown; status: number; headers?: Record<string, string>; body: string | null }[];
  errors: { name: string; operation: string; head?: boolean; error: { code: string; message: string; fields?: Record<string, unknown> }; status: number; headers?: Record<string, string>; body: string | null }[];
}

const folder = new URL('./vectors/', import.meta.url);
const REQUEST = '11111111-2222-3333-4444-555555555555';

for (const file of readdirSync(folder)) {
  const vectors = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Vectors;
  describe(vectors.about, () => {
    it.each(vectors.requests)('reads: $name', async (given) => {
      const request = requestOf(given);
      const { model, operation, protocol } = await identify(request, given.signingName);
      expect({ operation: `${model.name}:${operation}`, protocol }).toEqual({ operation: given.operation, protocol: vectors.protocol });
      expect(await toPlain(await parseInput(model, operation, protocol, request), given.input)).toEqual(given.input);
    });

    it.each(vectors.refused)('refuses: $name', async (given) => {
      const request = requestOf(given);
      const attempt = async (): Promise<unknown> => {
        const { model, operation, protocol } = await identify(request, given.signingName);
        return parseInput(model, operation, protocol, request);
      };
      const error = await attempt().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(AwsError);
      expect(error).toMatchObject({ code: given.code, ...(given.message === undefined ? {} : { message: given.message }) });
    });

    // RPC CBOR's answers are held against a real client in clients.test.ts: bytes make no readable table.
    if (vectors.responses.length === 0) return;

    it.each(vectors.responses)('answers: $name', (given) => {
      const [model, operation] = operationOf(given.operation);
      compare(serializeOutput(model, operation, vectors.protocol, fromPlain(given.output) as Record<string, unknown>, REQUEST), given);
    });

    it.each(vectors.errors)('fails: $name', (given) => {
      const [model, operation] = operationOf(given.operation);
      const { code, message, fields } = given.error;
      const error = new AwsError(code, message, fields ? { fields } : {});
      compare(serializeError(model, operation, vectors.protocol, error, REQUEST, { head: given.head ?? false, path: '/' }), given);
    });
  });
}

function requestOf(given: RequestCase): WireRequest {
  const form: Record<string, string> = given.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const target: Record<string, string> = given.target === undefined ? {} : { 'x-amz-target': given.target };
  return {
    method: given.method ?? 'POST',
    path: given.path ?? '/',
    query: given.query ?? [],
    headers: { ...form, ...target, ...given.headers },
    body: bytesBody(Buffer.from(given.form ?? given.body ?? '', given.latin1 ? 'latin1' : 'utf8')),
  };
}

function operationOf(name: string): [NonNullable<ReturnType<typeof loadModel>>, string] {
  const [model, operation] = name.split(':') as [string, string];
  return [loadModel(model)!, operation];
}

function compare(response: WireResponse, expected: { status: number; headers?: Record<string, string>; body: string | null }): void {
  expect(response.status).toBe(expected.status);
  expect(response.headers).toMatchObject(expected.headers ?? {});
  const ids = s3RequestIds(REQUEST);
  const text = response.body === undefined ? null : Buffer.from(response.body as Uint8Array).toString();
  expect(text?.replaceAll(REQUEST, 'REQUEST').replaceAll(ids.requestId, 'S3REQUEST').replaceAll(ids.hostId, 'S3HOST') ?? null).toBe(expected.body);
}

/** Values in the vectors' notation; a streaming payload is shown only where a vector asks for it. */
async function toPlain(value: unknown, expected: unknown): Promise<unknown> {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Date) return { $time: value.getTime() / 1000 };
  if (Array.isArray(value)) return Promise.all(value.map((item, index) => toPlain(item, (expected as unknown[] | undefined)?.[index])));
  if (typeof value !== 'object' || value === null) return value;
  if ('stream' in value) return { $body: Buffer.from(await (value as Body).bytes()).toString() };
  const entries = await Promise.all(Object.entries(value).map(async ([key, item]) => [key, await toPlain(item, (expected as Record<string, unknown> | undefined)?.[key])] as const));
  return Object.fromEntries(entries);
}

function fromPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value !== 'object' || value === null) return value;
  const record = value as Record<string, unknown>;
  if (typeof record['$bytes'] === 'string') return Buffer.from(record['$bytes'], 'base64');
  if (typeof record['$time'] === 'number') return new Date(record['$time'] * 1000);
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, fromPlain(item)]));
}
