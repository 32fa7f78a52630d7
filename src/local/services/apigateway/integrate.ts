import { request as httpRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { assumeRole } from '../../kernel/assume.js';
import { isAwsError } from '../../kernel/error.js';
import type { Client, HttpAnswer } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { functionOf, proxyEvent, requestContext, sourceArn, withVariables } from './event.js';
import { Refusal, type ApiRequest } from './execute.js';
import { fillTemplate, type TemplateInput } from './template.js';
import { testPattern } from '../../../shared/regex.js';

/** Asks the backend and forms the answer. */
export async function integrate(asked: ApiRequest): Promise<HttpAnswer> {
  const integration = asked.method.methodIntegration ?? {};
  switch (integration.type) {
    case 'AWS_PROXY':
      return byLambda(asked, integration);
    case 'MOCK':
      return byMock(asked, integration);
    case 'AWS':
      return byLambdaTemplates(asked, integration);
    case 'HTTP_PROXY':
    case 'HTTP':
      return byHttp(asked, integration);
    default:
      throw new Refusal('API_CONFIGURATION_ERROR', 500, 'Internal server error');
  }
}

const INTERNAL = (type = 'INTEGRATION_FAILURE', status = 502): Refusal => new Refusal(type, status, 'Internal server error', 'InternalServerErrorException');

async function call(asked: ApiRequest, integration: Gateway.Integration, payload: unknown): Promise<{ text: string; failed: boolean }> {
  const uri = withVariables(integration.uri ?? '', asked);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Refusal('INTEGRATION_TIMEOUT', 504, 'Endpoint request timed out', 'InternalServerErrorException')), integration.timeoutInMillis ?? 29_000);
  });
  try {
    const client = await clientOf(asked, integration);
    const answer = await Promise.race([client.call<{ Payload: Uint8Array; FunctionError?: string }>('lambda', 'Invoke', { FunctionName: functionOf(uri), Payload: Buffer.from(JSON.stringify(payload)) }), timeout]);
    return { text: Buffer.from(answer.Payload).toString('utf8'), failed: answer.FunctionError !== undefined };
  } catch (error) {
    if (error instanceof Refusal || !isAwsError(error)) throw error;
    asked.runtime.log(`apigateway: ${asked.verb} ${asked.path} of API ${asked.api.id}: ${error.message}`);
    throw INTERNAL('API_CONFIGURATION_ERROR', 500);
  } finally {
    clearTimeout(timer);
  }
}

async function clientOf(asked: ApiRequest, { credentials, uri }: Gateway.Integration): Promise<Client> {
  const { runtime, account } = asked;
  const region = /:lambda:([a-z0-9-]+):\d/.exec(uri ?? '')?.[1] ?? asked.region;
  if (!credentials) return runtime.client({ principal: { kind: 'service', service: 'apigateway.amazonaws.com', account, sourceArn: sourceArn(asked) }, region });
  return (await assumeRole(runtime, { roleArn: credentials, sessionName: 'BackplaneAssumeRoleSession', region, as: { service: 'apigateway.amazonaws.com', account, sourceArn: sourceArn(asked) } })).client;
}

interface ProxyAnswer {
  readonly statusCode?: unknown;
  readonly headers?: Record<string, unknown>;
  readonly multiValueHeaders?: Record<string, readonly unknown[]>;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
}

/** User guide, "Output format of a Lambda function for proxy integration". */
async function byLambda(asked: ApiRequest, integration: Gateway.Integration): Promise<HttpAnswer> {
  const { text, failed } = await call(asked, integration, proxyEvent(asked));
  const answer = failed ? undefined : (parse(text) as ProxyAnswer | null | undefined);
  if (typeof answer !== 'object' || answer === null || !/^\d{3}$/.test(String(answer.statusCode ?? 200)) || (answer.body !== undefined && answer.body !== null && typeof answer.body !== 'string')) {
    asked.runtime.log(`apigateway: ${asked.verb} ${asked.path} of API ${asked.api.id}: ${failed ? `the function failed: ${text.slice(0, 500)}` : 'Malformed Lambda proxy response'}`);
    throw INTERNAL();
  }
  const headers: Record<string, string | string[]> = { 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = String(value);
  for (const [name, values] of Object.entries(answer.multiValueHeaders ?? {})) headers[name.toLowerCase()] = values.map(String);
  const body = (answer.body as string | null | undefined) ?? '';
  return { status: Number(answer.statusCode ?? 200), headers, body: answer.isBase64Encoded && asked.snapshot.binaryMediaTypes.length > 0 ? Buffer.from(body, 'base64') : body };
}

function byMock(asked: ApiRequest, integration: Gateway.Integration): HttpAnswer {
  const template = templateOf(integration.requestTemplates, asked);
  const filled = template === undefined ? '' : fillTemplate(template, inputOf(asked, asked.body.toString('utf8')));
  // API Gateway takes names without quotes too; CDK writes `{ statusCode: 204 }`.
  const status = /["']?statusCode["']?\s*:\s*["']?(\d{3})\b/.exec(filled)?.[1];
  if (status === undefined) throw INTERNAL('DEFAULT_5XX', 500);
  return mapped(asked, integration, status, '', {});
}

/** A Lambda integration with mapping templates; other AWS services are refused by name. */
async function byLambdaTemplates(asked: ApiRequest, integration: Gateway.Integration): Promise<HttpAnswer> {
  const service = /^arn:aws[a-z-]*:apigateway:[a-z0-9-]+:([a-z0-9.-]+):/.exec(integration.uri ?? '')?.[1] ?? '';
  if (service !== 'lambda') throw new Refusal('DEFAULT_5XX', 501, `The local cloud's API Gateway does not integrate with ${service}`);
  const template = templateOf(integration.requestTemplates, asked);
  const text = asked.body.toString('utf8');
  const payload = template === undefined ? text || '{}' : fillTemplate(template, inputOf(asked, text));
  const { text: answer, failed } = await call(asked, integration, parse(payload) ?? payload);
  const message = failed ? String((parse(answer) as { errorMessage?: unknown } | undefined)?.errorMessage ?? '') : '';
  return mapped(asked, integration, message, answer, {});
}

async function byHttp(asked: ApiRequest, integration: Gateway.Integration): Promise<HttpAnswer> {
  const address = withVariables(integration.uri ?? '', asked).replace(/\{(\w+)\+?\}/g, (_, name: string) => asked.pathParameters[name] ?? '');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || url.protocol !== 'http:' || !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) throw new Refusal('DEFAULT_5XX', 501, `The local cloud's API Gateway reaches loopback addresses only, not ${address}`);
  for (const [name, values] of Object.entries(asked.multiQuery)) for (const value of values) url.searchParams.append(name, value);
  const { host: _, connection: _c, 'content-length': _l, 'transfer-encoding': _t, ...headers } = asked.headers;
  const answer = await new Promise<HttpAnswer & { body: Buffer }>((resolve, reject) => {
    const outgoing = httpRequest(url, { method: integration.httpMethod === 'ANY' ? asked.verb : integration.httpMethod ?? asked.verb, headers, timeout: integration.timeoutInMillis ?? 29_000 }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode ?? 502, headers: Object.fromEntries(Object.entries(response.headers).filter(([name, value]) => value !== undefined && !['connection', 'transfer-encoding', 'keep-alive', 'content-length'].includes(name))) as Record<string, string>, body }), reject);
    });
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', reject);
    outgoing.end(asked.body);
  }).catch((error: unknown) => {
    asked.runtime.log(`apigateway: ${address}: ${error instanceof Error ? error.message : String(error)}`);
    throw INTERNAL('INTEGRATION_FAILURE', 504);
  });
  return integration.type === 'HTTP_PROXY' ? answer : mapped(asked, integration, String(answer.status), answer.body.toString('utf8'), answer.headers as Record<string, string>);
}

/** The integration response whose pattern fits, else the default one; its headers and body by its mappings. */
function mapped(asked: ApiRequest, integration: Gateway.Integration, selector: string, body: string, backend: Readonly<Record<string, string>>): HttpAnswer {
  const all = Object.values(integration.integrationResponses ?? {});
  const chosen = all.find(({ selectionPattern }) => selectionPattern && testPattern(new RegExp(`^(?:${selectionPattern})$`, 's'), selector)) ?? (integration.type === 'MOCK' ? all.find(({ statusCode, selectionPattern }) => !selectionPattern && statusCode === selector) : undefined) ?? all.find(({ selectionPattern }) => !selectionPattern);
  if (!chosen) throw INTERNAL('DEFAULT_5XX', 500);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(chosen.responseParameters ?? {})) {
    const header = /^method\.response\.header\.(.+)$/.exec(name)?.[1];
    const given = /^'(.*)'$/s.exec(value)?.[1] ?? backend[/^integration\.response\.header\.(.+)$/.exec(value)?.[1]?.toLowerCase() ?? ''];
    if (header && given !== undefined) headers[header.toLowerCase()] = given;
  }
  const [type, template] = Object.entries(chosen.responseTemplates ?? {}).find(([media]) => media === 'application/json') ?? Object.entries(chosen.responseTemplates ?? {})[0] ?? [];
  if (type && !Object.keys(chosen.responseParameters ?? {}).some((name) => /content-type$/i.test(name))) headers['content-type'] = type;
  return { status: Number(chosen.statusCode), headers, body: template === undefined || template === '' ? body : fillTemplate(template, inputOf(asked, body)) };
}

function templateOf(templates: Readonly<Record<string, string>> | undefined, asked: ApiRequest): string | undefined {
  const type = (asked.headers['content-type'] ?? 'application/json').split(';')[0]!.trim();
  return templates?.[type] ?? templates?.['$default'] ?? (asked.verb === 'OPTIONS' || asked.verb === 'GET' ? templates?.['application/json'] : undefined);
}

function inputOf(asked: ApiRequest, body: string): TemplateInput {
  return { body, params: { path: asked.pathParameters, querystring: asked.query, header: asked.headers }, context: requestContext(asked), stageVariables: asked.stage.variables ?? {} };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
