import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpAnswer, HttpRequest } from './kernel/service.js';
import { streamBody } from './kernel/body.js';
import type { WireRequest, WireResponse } from './wire/index.js';

/** Hosts a request may be for: loopback, or an AWS name that a proxy or a hosts entry led here (DNS rebinding can use neither). */
const HOSTS = /^(127\.0\.0\.1|localhost|\[::1\]|[a-z0-9.-]+\.localhost|[a-z0-9._-]+\.amazonaws\.com|[a-z0-9._-]+\.on\.aws)$/;

/** Why a request is turned away before anything reads it, or undefined. */
export function refusal(request: IncomingMessage): string | undefined {
  const host = hostOf(request);
  if (!HOSTS.test(host)) return `Host '${host}' is not one this server answers to`;
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined && !sameOrigin(origin, request)) return `Origin '${origin}' may not call the local cloud`;
  if (site === 'cross-site') return 'a page of another site may not call the local cloud';
  return undefined;
}

function sameOrigin(origin: string, request: IncomingMessage): boolean {
  try {
    return new URL(origin).host === request.headers.host;
  } catch {
    return false;
  }
}

/** Host without port, lower case. */
export function hostOf(request: IncomingMessage): string {
  return (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, '');
}

/** Bytes of a form: the largest AWS takes are 1 MB messages of SNS and SQS, percent-encoded. */
const MAX_FORM = 10 * 1024 * 1024;

export function httpRequest(request: IncomingMessage): HttpRequest {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: request.method ?? 'GET',
    host: hostOf(request),
    path: mark < 0 ? url : url.slice(0, mark),
    search: mark < 0 ? '' : url.slice(mark + 1),
    headers: flatHeaders(request),
    // A form is read before its signature is known to be good: its action stands in it.
    body: streamBody(request, { limit: (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded') ? MAX_FORM : Number.MAX_SAFE_INTEGER }),
  };
}

function flatHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  return headers;
}

/** The request as the AWS protocols see it; S3's virtual-host style becomes path style, the signed path is kept. */
export function wireRequest(request: HttpRequest): WireRequest {
  const query = request.search === '' ? [] : request.search.split('&').filter(Boolean).map(parseParameter);
  const bucket = bucketOfHost(request.host);
  return {
    method: request.method,
    path: bucket === undefined ? request.path : `/${bucket}${request.path}`,
    signedPath: request.path,
    query,
    headers: request.headers,
    body: request.body,
  };
}

function parseParameter(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [decodeQuery(text), ''] : [decodeQuery(text.slice(0, equals)), decodeQuery(text.slice(equals + 1))];
}

function decodeQuery(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return text;
  }
}

/** `bucket.s3.eu-west-1.amazonaws.com`, `bucket.s3.amazonaws.com`, `bucket.s3.localhost`, `bucket.localhost`. */
function bucketOfHost(host: string): string | undefined {
  const aws = /^(.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com$/.exec(host) ?? /^(.+)\.s3\.amazonaws\.com$/.exec(host);
  if (aws) return aws[1];
  const local = /^(.+?)(?:\.s3(?:\.[a-z0-9-]+)?)?\.localhost$/.exec(host);
  return local && !/^(s3|[a-z0-9-]+\.s3|.*execute-api.*|.*lambda-url.*)$/.test(local[1]!) ? local[1] : undefined;
}

export async function sendWire(response: ServerResponse, answer: WireResponse): Promise<void> {
  const { body } = answer;
  const headers: Record<string, string> = { ...answer.headers };
  if (body === undefined || body instanceof Uint8Array) {
    if (headers['content-length'] === undefined && headers['Content-Length'] === undefined && answer.status !== 204) headers['Content-Length'] = String(body?.byteLength ?? 0);
    response.writeHead(answer.status, headers);
    response.end(body);
    return;
  }
  if (body.length !== undefined && headers['content-length'] === undefined) headers['Content-Length'] = String(body.length);
  response.writeHead(answer.status, headers);
  await pipeline(Readable.from(body.stream()), response);
}

export async function sendHttp(response: ServerResponse, answer: HttpAnswer): Promise<void> {
  response.writeHead(answer.status, answer.headers as Record<string, string | string[]>);
  if (answer.body === undefined || typeof answer.body === 'string' || answer.body instanceof Uint8Array) response.end(answer.body);
  else await pipeline(Readable.from(answer.body), response);
}
