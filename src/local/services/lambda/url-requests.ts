import { randomUUID } from 'node:crypto';
import { signedCaller } from '../../kernel/caller.js';
import { isAwsError } from '../../kernel/error.js';
import type { Principal } from '../../kernel/principal.js';
import type { HttpAnswer, HttpRequest, Runtime } from '../../kernel/service.js';
import { invokeDirectly } from './invoke.js';
import { functionArn, owners } from './store.js';
import { URL_PATH, urls, type UrlRecord } from './urls.js';

/** Answers a function URL (developer guide, "Invoking Lambda function URLs"): event format 2.0 in, its answer out. */
export async function urlAnswer(request: HttpRequest, runtime: Runtime): Promise<HttpAnswer | undefined> {
  const found = idOf(request);
  if (!found) return undefined;
  const owner = owners(runtime.state).get(found.id);
  const url = owner && urls(runtime.state, owner.account, owner.region).get(owner.name, owner.qualifier);
  if (!owner || !url) return json(404, { Message: null });
  if (request.method === 'OPTIONS' && url.cors && request.headers['access-control-request-method']) return { status: 200, headers: cors(url, request) };
  const body = Buffer.from(await request.body.bytes());
  if (!(await allowed(owner, url, request, body, runtime))) return json(403, { Message: 'Forbidden' }, { 'x-amzn-ErrorType': 'AccessDeniedException' });
  const event = eventOf(request, found, body, runtime);
  const outcome = await invokeDirectly(runtime, { ...owner, qualifier: owner.qualifier || undefined }, event);
  if (outcome.error) return json(502, { message: 'Internal Server Error' });
  return answerOf(Buffer.from(outcome.payload).toString('utf8'), cors(url, request));
}

function idOf(request: HttpRequest): { id: string; path: string } | undefined {
  const host = /^([a-z0-9]{32})\.lambda-url\.[a-z0-9-]+\.(on\.aws|localhost|amazonaws\.com)$/.exec(request.host);
  if (host) return { id: host[1]!, path: request.path };
  if (!request.path.startsWith(URL_PATH)) return undefined;
  const rest = request.path.slice(URL_PATH.length);
  const slash = rest.indexOf('/');
  return slash < 0 ? { id: rest, path: '/' } : { id: rest.slice(0, slash), path: rest.slice(slash) };
}

/** An open URL still needs a statement that lets everybody call it; a signed one asks the caller's policies. */
async function allowed(owner: { account: string; region: string; name: string; qualifier: string }, url: UrlRecord, request: HttpRequest, body: Buffer, runtime: Runtime): Promise<boolean> {
  const caller = url.authType === 'NONE' ? undefined : signedCaller(request, body, 'lambda', runtime);
  if (typeof caller === 'string') return false;
  const principal: Principal = caller?.principal ?? { kind: 'anonymous', account: '' };
  const client = runtime.client({ principal, region: owner.region, context: { 'lambda:FunctionUrlAuthType': url.authType, 'lambda:InvokedViaFunctionUrl': true } });
  try {
    await client.call('lambda', 'AuthorizeUrl', { FunctionName: functionArn(owner, owner.qualifier || undefined) });
    return true;
  } catch (error) {
    if (isAwsError(error)) return false;
    throw error;
  }
}

function eventOf(request: HttpRequest, { id, path }: { id: string; path: string }, bytes: Buffer, runtime: Runtime): unknown {
  const { cookie, ...headers } = request.headers;
  const query = new URLSearchParams(request.search);
  const parameters: Record<string, string> = {};
  for (const [name, value] of query) parameters[name] = parameters[name] === undefined ? value : `${parameters[name]},${value}`;
  const text = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded))/.test(headers['content-type'] ?? 'text/plain');
  const now = runtime.clock.now();
  return {
    version: '2.0', routeKey: '$default', rawPath: decodeURI(path), rawQueryString: request.search, ...(cookie ? { cookies: cookie.split(/; ?/) } : {}), headers: { ...headers, ...(cookie ? { cookie } : {}) },
    ...(query.size > 0 ? { queryStringParameters: parameters } : {}),
    requestContext: {
      accountId: 'anonymous', apiId: id, domainName: request.host, domainPrefix: id,
      http: { method: request.method, path: decodeURI(path), protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: headers['user-agent'] ?? '' },
      requestId: randomUUID(), routeKey: '$default', stage: '$default', time: new Date(now).toISOString(), timeEpoch: now,
    },
    ...(bytes.length > 0 ? { body: text ? bytes.toString('utf8') : bytes.toString('base64') } : {}), isBase64Encoded: bytes.length > 0 && !text,
  };
}

function answerOf(payload: string, added: Record<string, string>): HttpAnswer {
  const value = parse(payload);
  if (typeof value !== 'object' || value === null || !('statusCode' in value)) return { status: 200, headers: { 'content-type': 'application/json', ...added }, body: typeof value === 'string' ? value : payload };
  const answer = value as { statusCode: unknown; headers?: Record<string, unknown>; body?: unknown; isBase64Encoded?: boolean; cookies?: string[] };
  const headers: Record<string, string | string[]> = { 'content-type': 'application/json', ...added };
  for (const [name, text] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = String(text);
  if (answer.cookies) headers['set-cookie'] = answer.cookies;
  const body = answer.body === undefined || answer.body === null ? '' : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  return { status: Number(answer.statusCode) || 200, headers, body: answer.isBase64Encoded ? Buffer.from(body, 'base64') : body };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function cors(url: UrlRecord, request: HttpRequest): Record<string, string> {
  const { origin } = request.headers;
  if (!url.cors || !origin) return {};
  const { AllowOrigins = [], AllowMethods = [], AllowHeaders = [], ExposeHeaders = [], MaxAge, AllowCredentials } = url.cors;
  if (!AllowOrigins.includes('*') && !AllowOrigins.includes(origin)) return {};
  return {
    'access-control-allow-origin': AllowOrigins.includes('*') ? '*' : origin,
    ...(AllowMethods.length > 0 ? { 'access-control-allow-methods': AllowMethods.join(',') } : {}),
    ...(AllowHeaders.length > 0 ? { 'access-control-allow-headers': AllowHeaders.join(',') } : {}),
    ...(ExposeHeaders.length > 0 ? { 'access-control-expose-headers': ExposeHeaders.join(',') } : {}),
    ...(MaxAge === undefined ? {} : { 'access-control-max-age': String(MaxAge) }),
    ...(AllowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
  };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
