import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { importInto, parseDefinition } from './openapi.js';
import { patched } from './patch.js';
import { apiOf, apis, authorizers, badRequest, compact, deployments, mappings, domains, models, newId, owners, page, resources, responses, stages, validators, type StoredApi } from './store.js';

/** Models every API begins with (recorded: GetModels of a new API). */
const FIRST_MODELS: readonly Gateway.Model[] = [
  { name: 'Empty', description: 'This is a default empty schema model', contentType: 'application/json', schema: '{\n  "$schema": "http://json-schema.org/draft-04/schema#",\n  "title" : "Empty Schema",\n  "type" : "object"\n}' },
  { name: 'Error', description: 'This is a default error schema model', contentType: 'application/json', schema: '{\n  "$schema" : "http://json-schema.org/draft-04/schema#",\n  "title" : "Error Schema",\n  "type" : "object",\n  "properties" : {\n    "message" : { "type" : "string" }\n  }\n}' },
];

export function createRestApi(input: Gateway.CreateRestApiRequest, context: RequestContext): Gateway.RestApi {
  if (input.cloneFrom !== undefined) throw new AwsError('NotImplemented', 'The local cloud has no behaviour for apigateway:CreateRestApi with cloneFrom. Nothing was changed.', { status: 501 });
  if (input.name.trim() === '') throw badRequest('API name cannot be empty');
  const api = newApi(input, context);
  return shown(api, context);
}

function newApi(input: Omit<Gateway.CreateRestApiRequest, 'cloneFrom'>, context: RequestContext): StoredApi {
  const id = newId();
  const rootResourceId = newId();
  const { policy, tags, ...given } = input;
  const api = compact({
    ...given, id, rootResourceId, createdDate: context.now(), apiKeySource: input.apiKeySource ?? 'HEADER', endpointConfiguration: { types: ['EDGE'], ipAddressType: 'ipv4', ...input.endpointConfiguration }, tags: tags ?? {},
    disableExecuteApiEndpoint: input.disableExecuteApiEndpoint ?? false, policy: policy === undefined ? undefined : boundPolicy(policy, context),
  }) as StoredApi;
  context.state.transaction(() => {
    apis(context.state, context.account, context.region).put(id, api);
    owners(context.state).put(id, { account: context.account, region: context.region });
    resources(context.state, context.account, context.region).put([id, rootResourceId], { id: rootResourceId, path: '/' });
    for (const model of FIRST_MODELS) models(context.state, context.account, context.region).put([id, model.name!], { ...model, id: newId(6) });
  });
  return api;
}

function boundPolicy(policy: string, context: RequestContext): string {
  const bound = isObject(policy) ? context.runtime.principals.bind(policy) : { invalid: policy };
  if ('invalid' in bound) throw badRequest('Invalid policy document. Please check the policy syntax and ensure that Principals are valid.');
  return bound.document;
}

function isObject(text: string): boolean {
  try {
    return /^\s*\{/.test(text) && JSON.parse(text) !== null;
  } catch {
    return false;
  }
}

function shown({ policy, ...api }: StoredApi, context: RequestContext): Gateway.RestApi {
  return { ...api, ...(policy === undefined || policy === '' ? {} : { policy: context.runtime.principals.show(policy) }) };
}

export function getRestApi(input: Gateway.GetRestApiRequest, context: RequestContext): Gateway.RestApi {
  return shown(apiOf(input.restApiId, context), context);
}

export function getRestApis(input: Gateway.GetRestApisRequest, context: RequestContext): Gateway.RestApis {
  return page(apis(context.state, context.account, context.region).list().map((api) => shown(api, context)), input);
}

export function updateRestApi(input: Gateway.UpdateRestApiRequest, context: RequestContext): Gateway.RestApi {
  const changed = patched(apiOf(input.restApiId, context), input.patchOperations);
  const kept = compact({ ...changed, policy: changed.policy ? boundPolicy(changed.policy, context) : undefined });
  apis(context.state, context.account, context.region).put(kept.id, kept);
  return shown(kept, context);
}

export function deleteRestApi(input: Gateway.DeleteRestApiRequest, context: RequestContext): Record<string, never> {
  const { id } = apiOf(input.restApiId, context);
  const mapped = domains(context.state, context.account, context.region).list().some(({ domainName }) => mappings(context.state, context.account, context.region).list(domainName!).some(({ restApiId }) => restApiId === id));
  if (mapped) throw badRequest('Please remove all base path mappings related to the API from your domains');
  context.state.transaction(() => {
    for (const part of [resources, deployments, stages, authorizers, models, validators, responses]) {
      const all = part(context.state, context.account, context.region);
      for (const [key] of all.entries([id])) all.delete(...key);
    }
    apis(context.state, context.account, context.region).delete(id);
    owners(context.state).delete(id);
  });
  return {};
}

export function importRestApi(input: Gateway.ImportRestApiRequest, context: RequestContext): Gateway.RestApi {
  const definition = parseDefinition(Buffer.from(input.body).toString('utf8'));
  const api = newApi({ name: definition.title, ...(definition.description ? { description: definition.description } : {}), ...(definition.version ? { version: definition.version } : {}) }, context);
  importInto(api, definition, 'overwrite', context);
  return shown(apiOf(api.id, context), context);
}

export function putRestApi(input: Gateway.PutRestApiRequest, context: RequestContext): Gateway.RestApi {
  const api = apiOf(input.restApiId, context);
  importInto(api, parseDefinition(Buffer.from(input.body).toString('utf8')), input.mode ?? 'merge', context);
  return shown(apiOf(api.id, context), context);
}
