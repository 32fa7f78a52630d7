import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud, type Cloud } from '../../../src/local/server.js';
import { accountCredentials } from '../../../src/local/services/iam/identity.js';

/** Requests byte for byte: what no well-behaved client sends. The signer is written from the SigV4 description, not from ours. */

export interface Raw {
  readonly method?: string;
  /** As it goes over the wire, query included. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Server {
  readonly cloud: Cloud;
  readonly directory: string;
  readonly token: string;
  /** What the server said of its own defects. */
  readonly log: string[];
  send(raw: Raw): Promise<Answer>;
  /** Signed as the administrator of the account, unless `credentials` are others'. */
  signed(service: string, raw: Raw, options?: SignOptions): Promise<Answer>;
  stop(): Promise<void>;
}

export interface SignOptions {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly region?: string;
  /** Milliseconds since the epoch. */
  readonly at?: number;
  /** Changes the finished headers. */
  readonly tamper?: (headers: Record<string, string>) => void;
  readonly payloadHash?: string;
}

export const ACCOUNT = '111111111111';

export async function startServer(): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-server-'));
  const log: string[] = [];
  const token = 'token-of-the-test';
  const cloud = await startCloud({ directory, token, log: (message) => void log.push(message) });
  const send = (raw: Raw): Promise<Answer> => transmit(cloud.endpoint, raw);
  return {
    cloud,
    directory,
    token,
    log,
    send,
    signed: (service, raw, options = {}) => {
      const own = accountCredentials(cloud.runtime.state, ACCOUNT);
      return send({ ...raw, headers: sign(cloud.endpoint, service, raw, { accessKeyId: own.accessKeyId, secretAccessKey: own.secretAccessKey, ...options }) });
    },
    stop: async () => {
      await cloud.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function transmit(endpoint: string, raw: Raw): Promise<Answer> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: hostname, port, method: raw.method ?? 'GET', path: raw.path, headers: { ...raw.headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(raw.body);
  });
}

const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const encode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function sign(endpoint: string, service: string, raw: Raw, options: SignOptions): Record<string, string> {
  const region = options.region ?? 'eu-west-1';
  const timestamp = new Date(options.at ?? Date.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const date = timestamp.slice(0, 8);
  const payload = options.payloadHash ?? hash(raw.body ?? '');
  const headers: Record<string, string> = {
    host: new URL(endpoint).host,
    ...Object.fromEntries(Object.entries(raw.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    'x-amz-date': timestamp,
    'x-amz-content-sha256': payload,
    ...(options.sessionToken === undefined ? {} : { 'x-amz-security-token': options.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const [path = '/', search = ''] = raw.path.split('?', 2);
  const query = search.split('&').filter(Boolean).map((pair) => pair.split('=', 2).map((part) => encode(decode(part))).concat('').slice(0, 2).join('=')).sort().join('&');
  const canonical = [raw.method ?? 'GET', path.split('/').map((part) => encode(service === 's3' ? decode(part.replace(/\+/g, '%2B')) : part)).join('/'), query, ...names.map((name) => `${name}:${headers[name]!.trim().replace(/ +/g, ' ')}`), '', names.join(';'), payload].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = [date, region, service, 'aws4_request'].reduce<Buffer>((current, part) => hmac(current, part), Buffer.from(`AWS4${options.secretAccessKey}`));
  const signature = createHmac('sha256', key).update(['AWS4-HMAC-SHA256', timestamp, scope, hash(canonical)].join('\n')).digest('hex');
  headers['authorization'] = `AWS4-HMAC-SHA256 Credential=${options.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  options.tamper?.(headers);
  return headers;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return text;
  }
}

/** The code of an AWS error in any protocol; empty when there is none. */
export function codeOf(answer: Answer): string {
  const xml = /<Code>([^<]*)<\/Code>/.exec(answer.body)?.[1];
  if (xml !== undefined) return xml;
  const header = answer.headers['x-amzn-errortype'];
  if (typeof header === 'string') return header.split(':')[0]!;
  try {
    return String((JSON.parse(answer.body) as { __type?: string; code?: string }).__type ?? (JSON.parse(answer.body) as { code?: string }).code ?? '').replace(/^.*#/, '');
  } catch {
    return '';
  }
}

/** One request of each protocol, that works when it is signed. */
export const PROTOCOLS = {
  query: { service: 'sts', raw: { method: 'POST', path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, body: 'Action=GetCallerIdentity&Version=2011-06-15' } },
  ec2: { service: 'ec2', raw: { method: 'POST', path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, body: 'Action=DescribeAvailabilityZones&Version=2016-11-15' } },
  json: { service: 'ssm', raw: { method: 'POST', path: '/', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.DescribeParameters' }, body: '{}' } },
  'json 1.0': { service: 'sqs', raw: { method: 'POST', path: '/', headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.ListQueues' }, body: '{}' } },
  'rest-json': { service: 'lambda', raw: { method: 'GET', path: '/2015-03-31/functions' } },
  'rest-xml': { service: 's3', raw: { method: 'GET', path: '/' } },
} as const satisfies Record<string, { service: string; raw: Raw }>;
