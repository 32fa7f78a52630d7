import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { GLOBAL, table, type Table } from '../../state/state.js';

/** What a deployment froze: the data plane answers from it alone. */
export interface Snapshot {
  readonly resources: readonly Gateway.Resource[];
  readonly authorizers: readonly Gateway.Authorizer[];
  readonly models: readonly Gateway.Model[];
  readonly validators: readonly Gateway.RequestValidator[];
  readonly responses: readonly Gateway.GatewayResponse[];
  readonly binaryMediaTypes: readonly string[];
}

export type StoredApi = Gateway.RestApi & { id: string; name: string; rootResourceId: string };
export type StoredDeployment = Gateway.Deployment & { id: string; snapshot: Snapshot };

export const apis = table<StoredApi>('apigateway', 'apis');
/** Parts of an API by API and their own ID or name, as the API answers them. */
export const resources = table<Gateway.Resource & { id: string; path: string }>('apigateway', 'resources');
export const deployments = table<StoredDeployment>('apigateway', 'deployments');
export const stages = table<Gateway.Stage & { stageName: string }>('apigateway', 'stages');
export const authorizers = table<Gateway.Authorizer>('apigateway', 'authorizers');
export const models = table<Gateway.Model>('apigateway', 'models');
export const validators = table<Gateway.RequestValidator>('apigateway', 'validators');
export const responses = table<Gateway.GatewayResponse>('apigateway', 'responses');
export const keys = table<Gateway.ApiKey>('apigateway', 'keys');
export const plans = table<Gateway.UsagePlan & { keyIds: string[] }>('apigateway', 'plans');
export const domains = table<Gateway.DomainName>('apigateway', 'domains');
/** By domain and base path. */
export const mappings = table<Gateway.BasePathMapping>('apigateway', 'mappings');
export const accounts = table<Gateway.Account>('apigateway', 'account');

/** Which account and region an API's ID belongs to: its URL doesn't say the account. */
const ownerTable = table<{ account: string; region: string }>('apigateway', 'owners');
export const owners = (state: Runtime['state']): Table<{ account: string; region: string }> => ownerTable(state, GLOBAL, GLOBAL);

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
export function newId(length = 10): string {
  return [...randomBytes(length)].map((byte) => LETTERS[byte % LETTERS.length]).join('');
}

/** A part without its members that are undefined: the state keeps plain data. */
export function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

export function notFound(what: string): AwsError {
  return new AwsError('NotFoundException', `Invalid ${what} identifier specified`, { status: 404 });
}

export function badRequest(message: string): AwsError {
  return new AwsError('BadRequestException', message, { status: 400 });
}

export function conflict(message: string): AwsError {
  return new AwsError('ConflictException', message, { status: 409 });
}

/** Raises NotFoundException, in the words API Gateway has for APIs. */
export function apiOf(id: string, context: RequestContext): StoredApi {
  const api = apis(context.state, context.account, context.region).get(id);
  if (!api) throw new AwsError('NotFoundException', `Invalid API identifier specified ${context.account}:${id}`, { status: 404 });
  return api;
}

export function resourceOf(input: { restApiId: string; resourceId: string }, context: RequestContext): Gateway.Resource & { id: string; path: string } {
  apiOf(input.restApiId, context);
  const resource = resources(context.state, context.account, context.region).get(input.restApiId, input.resourceId);
  if (!resource) throw notFound('Resource');
  return resource;
}

export function page<T>(items: readonly T[], input: { position?: string; limit?: number }, fallback = 25): { items: T[]; position?: string } {
  const start = input.position === undefined ? 0 : Number(Buffer.from(input.position, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw badRequest('Invalid position parameter');
  const end = start + Math.min(input.limit ?? fallback, 500);
  return { items: items.slice(start, end), ...(end < items.length ? { position: Buffer.from(String(end)).toString('base64url') } : {}) };
}
