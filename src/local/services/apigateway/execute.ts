import { randomUUID } from 'node:crypto';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { HttpAnswer, HttpRequest, Runtime } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { authorizeRequest } from './authorize.js';
import { integrate } from './integrate.js';
import { routeOf } from './route.js';
import { fits } from './schema.js';
import { apis, deployments, keys, owners, plans, stages, type Snapshot, type StoredApi } from './store.js';
import { fillTemplate } from './template.js';

export const EXECUTE_PATH = '/_aws/execute-api/';

/** One request to a deployed API, with everything its method may ask for. */
export interface ApiRequest {
  readonly runtime: Runtime;
  readonly account: string;
  readonly region: string;
  readonly api: StoredApi;
  readonly stage: Gateway.Stage & { stageName: string };
  readonly snapshot: Snapshot;
  readonly resource: Gateway.Resource;
  readonly method: Gateway.Method;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly verb: string;
  /** Path behind the stage, with its slash. */
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly multiQuery: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
  /** As it was sent: what a signature covers. */
  readonly sent: Pick<HttpRequest, 'method' | 'path' | 'search' | 'headers'>;
  readonly requestId: string;
  readonly time: number;
  /** What the authorizer said; shown to integrations. */
  authorizer?: Readonly<Record<string, unknown>>;
  /** Who signed the request, as `$context.identity` shows it. */
  caller?: Readonly<Record<string, string | null>>;
  /** The API key that was used. */
  apiKey?: { readonly id: string; readonly value: string };
}

/** A refusal by API Gateway itself: it answers by the gateway response of its type. */
export class Refusal extends AwsError {
  constructor(readonly type: string, status: number, message: string, readonly errorType?: string) {
    super(type, message, { status });
  }
}

/** Answers a deployed API's URL; undefined for other requests. */
export async function executeAnswer(request: HttpRequest, runtime: Runtime): Promise<HttpAnswer | undefined> {
  const target = targetOf(request);
  if (!target) return undefined;
  const requestId = randomUUID();
  const headers = { 'x-amzn-requestid': requestId, 'x-amz-apigw-id': requestId.slice(0, 16) };
  const owner = owners(runtime.state).get(target.apiId);
  const api = owner && apis(runtime.state, owner.account, owner.region).get(target.apiId);
  const stage = owner && stages(runtime.state, owner.account, owner.region).get(target.apiId, target.stage);
  const deployment = owner && stage && deployments(runtime.state, owner.account, owner.region).get(target.apiId, stage.deploymentId!);
  if (!owner || !api || !stage || !deployment || api.disableExecuteApiEndpoint) return { status: 403, headers: { ...headers, 'content-type': 'application/json', 'x-amzn-errortype': 'ForbiddenException' }, body: '{"message":"Forbidden"}' };
  const { snapshot } = deployment;
  try {
    const answer = await answerOf({ ...owner, runtime, api, stage, snapshot, requestId }, request, target.path);
    return { ...answer, headers: { ...headers, ...answer.headers } };
  } catch (error) {
    const refusal = error instanceof Refusal ? error : unexpected(error, target.apiId, runtime);
    const shown = gatewayResponse(snapshot, refusal, requestId, stage);
    return { ...shown, headers: { ...headers, ...shown.headers } };
  }
}

function unexpected(error: unknown, apiId: string, runtime: Runtime): Refusal {
  runtime.log(`apigateway: API ${apiId}: ${error instanceof Error ? error.message : String(error)}`);
  return new Refusal('DEFAULT_5XX', 500, 'Internal server error', isAwsError(error) ? undefined : 'InternalServerErrorException');
}

/** By host (`ID.execute-api.REGION.amazonaws.com/STAGE/…`) or by path (`/_aws/execute-api/ID/STAGE/…`). */
function targetOf(request: HttpRequest): { apiId: string; stage: string; path: string } | undefined {
  const host = /^([a-z0-9]{4,})\.execute-api\.(?:[a-z0-9-]+\.)?(?:amazonaws\.com|localhost)$/.exec(request.host);
  const rest = host ? `${host[1]}${request.path}` : request.path.startsWith(EXECUTE_PATH) ? request.path.slice(EXECUTE_PATH.length) : undefined;
  if (rest === undefined) return undefined;
  const [apiId = '', stage = '', ...path] = rest.split('/');
  return { apiId, stage, path: `/${path.join('/')}` };
}

type Found = Pick<ApiRequest, 'runtime' | 'account' | 'region' | 'api' | 'stage' | 'snapshot' | 'requestId'>;

async function answerOf(found: Found, request: HttpRequest, path: string): Promise<HttpAnswer> {
  const route = routeOf(found.snapshot.resources, request.method, path);
  if (!route) throw new Refusal('MISSING_AUTHENTICATION_TOKEN', 403, 'Missing Authentication Token', 'MissingAuthenticationTokenException');
  const query: Record<string, string> = {};
  const multiQuery: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(request.search)) {
    query[name] = value;
    (multiQuery[name] ??= []).push(value);
  }
  const asked: ApiRequest = {
    ...found, ...route, verb: request.method, path, host: request.host, headers: request.headers, query, multiQuery, body: Buffer.from(await request.body.bytes()), sent: request, time: found.runtime.clock.now(),
  };
  await authorizeRequest(asked);
  checkKey(asked);
  validate(asked);
  return integrate(asked);
}

function checkKey(asked: ApiRequest): void {
  if (!asked.method.apiKeyRequired) return;
  const value = asked.api.apiKeySource === 'AUTHORIZER' ? (asked.authorizer?.['usageIdentifierKey'] as string | undefined) : asked.headers['x-api-key'];
  const key = value === undefined ? undefined : keys(asked.runtime.state, asked.account, asked.region).list().find((each) => each.value === value && each.enabled);
  const allowed = key && plans(asked.runtime.state, asked.account, asked.region).list().some(({ keyIds, apiStages = [] }) => keyIds.includes(key.id!) && apiStages.some(({ apiId, stage }) => apiId === asked.api.id && stage === asked.stage.stageName));
  if (!key || !allowed) throw new Refusal('INVALID_API_KEY', 403, 'Forbidden', 'ForbiddenException');
  asked.apiKey = { id: key.id!, value: key.value! };
}

function validate({ method, snapshot, query, headers, pathParameters, body }: ApiRequest): void {
  const validator = snapshot.validators.find(({ id }) => id === method.requestValidatorId);
  if (validator?.validateRequestParameters) {
    const missing = Object.entries(method.requestParameters ?? {}).filter(([, required]) => required).map(([name]) => name.split('.').slice(2)).filter(([place, name]) => {
      const value = place === 'querystring' ? query[name!] : place === 'header' ? headers[name!.toLowerCase()] : pathParameters[name!];
      return value === undefined || value === '';
    });
    if (missing.length > 0) throw new Refusal('BAD_REQUEST_PARAMETERS', 400, `Missing required request parameters: [${missing.map(([, name]) => name).join(', ')}]`, 'BadRequestException');
  }
  const model = validator?.validateRequestBody ? snapshot.models.find(({ name }) => name === (method.requestModels?.[(headers['content-type'] ?? 'application/json').split(';')[0]!] ?? method.requestModels?.['$default'])) : undefined;
  if (!model?.schema) return;
  const known = new Map(snapshot.models.map(({ name, schema }) => [name!, JSON.parse(schema ?? '{}') as Record<string, unknown>]));
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal('BAD_REQUEST_BODY', 400, 'Invalid request body', 'BadRequestException');
  }
  if (!fits(JSON.parse(model.schema) as Record<string, unknown>, value, known)) throw new Refusal('BAD_REQUEST_BODY', 400, 'Invalid request body', 'BadRequestException');
}

/** User guide, "Gateway responses": the one of the type, else the default one of its class. */
function gatewayResponse(snapshot: Snapshot, refusal: Refusal, requestId: string, stage: Gateway.Stage): HttpAnswer {
  const status = refusal.status ?? 500;
  const set = snapshot.responses.find(({ responseType }) => responseType === refusal.type) ?? snapshot.responses.find(({ responseType }) => responseType === (status >= 500 ? 'DEFAULT_5XX' : 'DEFAULT_4XX'));
  const headers: Record<string, string> = { 'content-type': 'application/json', ...(refusal.errorType ? { 'x-amzn-errortype': refusal.errorType } : {}) };
  for (const [name, value] of Object.entries(set?.responseParameters ?? {})) {
    const header = /^gatewayresponse\.header\.(.+)$/.exec(name)?.[1];
    if (header && /^'.*'$/.test(value)) headers[header.toLowerCase()] = value.slice(1, -1);
  }
  const template = Object.values(set?.responseTemplates ?? {})[0];
  const error = { message: refusal.message, messageString: JSON.stringify(refusal.message), responseType: refusal.type };
  const body = template === undefined ? JSON.stringify({ message: refusal.message }) : fillTemplate(template, { body: '', params: { path: {}, querystring: {}, header: {} }, context: { error, requestId, stage: stage.stageName }, stageVariables: stage.variables ?? {} });
  return { status: Number(set?.statusCode ?? status), headers, body };
}
