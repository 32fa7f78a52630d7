import type { RequestContext } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { patched } from './patch.js';
import { apiOf, badRequest, compact, conflict, newId, notFound, page, resourceOf, resources } from './store.js';

type Stored = Gateway.Resource & { id: string; path: string };
const table = (context: RequestContext) => resources(context.state, context.account, context.region);
const save = (restApiId: string, resource: Stored, context: RequestContext): void => table(context).put([restApiId, resource.id], resource);
const shown = ({ resourceMethods, ...rest }: Stored, embed: readonly string[] = []): Gateway.Resource => ({
  ...rest,
  ...(resourceMethods && Object.keys(resourceMethods).length > 0 ? { resourceMethods: embed.includes('methods') ? resourceMethods : Object.fromEntries(Object.keys(resourceMethods).map((name) => [name, {}])) } : {}),
});

export function createResource(input: Gateway.CreateResourceRequest, context: RequestContext): Gateway.Resource {
  apiOf(input.restApiId, context);
  const parent = table(context).get(input.restApiId, input.parentId);
  if (!parent) throw notFound('Resource');
  if (!/^(\{[\w:.-]+\+?\}|[\w:.~%$!*'(),;@&=+-]+)$/.test(input.pathPart))
    throw badRequest("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.");
  if (/\{[^}]+\+\}$/.test(parent.path)) throw badRequest(`Cannot create a child of a resource with a greedy path variable: ${parent.path}`);
  const siblings = table(context).list(input.restApiId).filter(({ parentId }) => parentId === parent.id);
  if (siblings.some(({ pathPart }) => pathPart === input.pathPart)) throw conflict('Another resource with the same parent already has this name: ' + input.pathPart);
  const variable = (part = ''): boolean => /^\{[^+}]+\}$/.test(part);
  const twin = siblings.find(({ pathPart }) => variable(pathPart) && variable(input.pathPart));
  if (twin) throw badRequest(`A sibling (${twin.pathPart}) of this resource already has a variable path part -- only one is allowed`);
  const resource: Stored = { id: newId(6), parentId: parent.id, pathPart: input.pathPart, path: `${parent.path === '/' ? '' : parent.path}/${input.pathPart}` };
  save(input.restApiId, resource, context);
  return resource;
}

export function getResource(input: Gateway.GetResourceRequest, context: RequestContext): Gateway.Resource {
  return shown(resourceOf(input, context), input.embed);
}

export function getResources(input: Gateway.GetResourcesRequest, context: RequestContext): Gateway.Resources {
  apiOf(input.restApiId, context);
  return page(table(context).list(input.restApiId).map((resource) => shown(resource, input.embed)), input);
}

export function updateResource(input: Gateway.UpdateResourceRequest, context: RequestContext): Gateway.Resource {
  const changed = patched(resourceOf(input, context), input.patchOperations);
  const parent = table(context).get(input.restApiId, changed.parentId ?? '');
  const moved: Stored = { ...changed, path: parent ? `${parent.path === '/' ? '' : parent.path}/${changed.pathPart}` : '/' };
  save(input.restApiId, moved, context);
  return shown(moved);
}

export function deleteResource(input: Gateway.DeleteResourceRequest, context: RequestContext): Record<string, never> {
  const resource = resourceOf(input, context);
  if (resource.path === '/') throw badRequest('Unable to delete root resource');
  const gone = (id: string): void => {
    for (const child of table(context).list(input.restApiId)) if (child.parentId === id) gone(child.id);
    table(context).delete(input.restApiId, id);
  };
  gone(resource.id);
  return {};
}

interface At {
  readonly restApiId: string;
  readonly resourceId: string;
  readonly httpMethod: string;
}

function methodOf(input: At, context: RequestContext): { resource: Stored; method: Gateway.Method } {
  const resource = resourceOf(input, context);
  const method = resource.resourceMethods?.[input.httpMethod];
  if (!method) throw notFound('Method');
  return { resource, method };
}

function saveMethod(input: At, resource: Stored, method: Gateway.Method | undefined, context: RequestContext): void {
  const { [input.httpMethod]: _, ...others } = resource.resourceMethods ?? {};
  save(input.restApiId, { ...resource, resourceMethods: method ? { ...others, [input.httpMethod]: method } : others }, context);
}

const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'ANY']);

export function putMethod(input: Gateway.PutMethodRequest, context: RequestContext): Gateway.Method {
  const resource = resourceOf(input, context);
  if (!METHODS.has(input.httpMethod)) throw badRequest('Invalid HttpMethod specified. Valid options are GET,PUT,POST,PATCH,DELETE,HEAD,OPTIONS,ANY');
  if (resource.resourceMethods?.[input.httpMethod]) throw conflict('Method already exists for this resource');
  if (['CUSTOM', 'COGNITO_USER_POOLS'].includes(input.authorizationType) && !input.authorizerId) throw badRequest('Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.');
  const { restApiId: _a, resourceId: _r, ...given } = input;
  const method: Gateway.Method = { ...given, apiKeyRequired: input.apiKeyRequired ?? false };
  saveMethod(input, resource, method, context);
  return method;
}

export function getMethod(input: Gateway.GetMethodRequest, context: RequestContext): Gateway.Method {
  return methodOf(input, context).method;
}

export function updateMethod(input: Gateway.UpdateMethodRequest, context: RequestContext): Gateway.Method {
  const { resource, method } = methodOf(input, context);
  const changed = patched(method, input.patchOperations);
  saveMethod(input, resource, changed, context);
  return changed;
}

export function deleteMethod(input: Gateway.DeleteMethodRequest, context: RequestContext): Record<string, never> {
  const { resource } = methodOf(input, context);
  saveMethod(input, resource, undefined, context);
  return {};
}

export function putMethodResponse(input: Gateway.PutMethodResponseRequest, context: RequestContext): Gateway.MethodResponse {
  const { resource, method } = methodOf(input, context);
  if (method.methodResponses?.[input.statusCode]) throw conflict('Response already exists for this resource');
  const response = compact({ statusCode: input.statusCode, responseParameters: input.responseParameters, responseModels: input.responseModels });
  saveMethod(input, resource, { ...method, methodResponses: { ...method.methodResponses, [input.statusCode]: response } }, context);
  return response;
}

export function getMethodResponse(input: Gateway.GetMethodResponseRequest, context: RequestContext): Gateway.MethodResponse {
  const found = methodOf(input, context).method.methodResponses?.[input.statusCode];
  if (!found) throw notFound('Response status code');
  return found;
}

export function updateMethodResponse(input: Gateway.UpdateMethodResponseRequest, context: RequestContext): Gateway.MethodResponse {
  const { resource, method } = methodOf(input, context);
  const changed = patched(getMethodResponse(input, context), input.patchOperations);
  saveMethod(input, resource, { ...method, methodResponses: { ...method.methodResponses, [input.statusCode]: changed } }, context);
  return changed;
}

export function deleteMethodResponse(input: Gateway.DeleteMethodResponseRequest, context: RequestContext): Record<string, never> {
  const { resource, method } = methodOf(input, context);
  getMethodResponse(input, context);
  const { [input.statusCode]: _, ...others } = method.methodResponses ?? {};
  saveMethod(input, resource, { ...method, methodResponses: others }, context);
  return {};
}

/** API Gateway quotas: "Integration timeout for Regional APIs": 50 ms to 29 s, longer on request. */
const TIMEOUT = 29_000;

export function putIntegration(input: Gateway.PutIntegrationRequest, context: RequestContext): Gateway.Integration {
  const { resource, method } = methodOf(input, context);
  const { restApiId: _a, resourceId: _r, httpMethod: _m, integrationHttpMethod, ...given } = input;
  if (['AWS', 'AWS_PROXY'].includes(input.type) && !input.uri) throw badRequest('Invalid integration URI specified');
  if (input.uri && /^AWS/.test(input.type) && !/^arn:aws[a-z-]*:apigateway:[a-z0-9-]+:[a-z0-9.-]+:(path|action)\//.test(input.uri)) throw badRequest('Invalid ARN specified in the request');
  if (['AWS', 'AWS_PROXY', 'HTTP', 'HTTP_PROXY'].includes(input.type) && !integrationHttpMethod) throw badRequest('Enumeration value for HttpMethod must be non-empty');
  if (input.type === 'AWS_PROXY' && !/:lambda:path\//.test(input.uri ?? '')) throw badRequest('Integrations of type \'AWS_PROXY\' currently only supports Lambda function and Firehose stream invocations.');
  const integration = compact({
    ...given, ...(integrationHttpMethod ? { httpMethod: integrationHttpMethod } : {}), passthroughBehavior: input.passthroughBehavior ?? 'WHEN_NO_MATCH', timeoutInMillis: input.timeoutInMillis ?? TIMEOUT,
    cacheNamespace: input.cacheNamespace ?? resource.id, cacheKeyParameters: input.cacheKeyParameters ?? [],
  }) as Gateway.Integration;
  if (input.credentials?.startsWith('arn:aws:iam::') && input.credentials.includes(':role/')) context.authorize('iam:PassRole', input.credentials, { 'iam:PassedToService': 'apigateway.amazonaws.com' });
  saveMethod(input, resource, { ...method, methodIntegration: integration }, context);
  return integration;
}

function integrationOf(input: At, context: RequestContext): { resource: Stored; method: Gateway.Method; integration: Gateway.Integration } {
  const { resource, method } = methodOf(input, context);
  if (!method.methodIntegration) throw notFound('Integration');
  return { resource, method, integration: method.methodIntegration };
}

export function getIntegration(input: Gateway.GetIntegrationRequest, context: RequestContext): Gateway.Integration {
  return integrationOf(input, context).integration;
}

export function updateIntegration(input: Gateway.UpdateIntegrationRequest, context: RequestContext): Gateway.Integration {
  const { resource, method, integration } = integrationOf(input, context);
  const changed = patched(integration, input.patchOperations, { integrationHttpMethod: 'httpMethod' });
  saveMethod(input, resource, { ...method, methodIntegration: changed }, context);
  return changed;
}

export function deleteIntegration(input: Gateway.DeleteIntegrationRequest, context: RequestContext): Record<string, never> {
  const { resource, method } = integrationOf(input, context);
  const { methodIntegration: _, ...rest } = method;
  saveMethod(input, resource, rest, context);
  return {};
}

export function putIntegrationResponse(input: Gateway.PutIntegrationResponseRequest, context: RequestContext): Gateway.IntegrationResponse {
  const { resource, method, integration } = integrationOf(input, context);
  if (!method.methodResponses?.[input.statusCode]) throw notFound('Response status code');
  const { restApiId: _a, resourceId: _r, httpMethod: _m, ...response } = input;
  saveMethod(input, resource, { ...method, methodIntegration: { ...integration, integrationResponses: { ...integration.integrationResponses, [input.statusCode]: response } } }, context);
  return response;
}

export function getIntegrationResponse(input: Gateway.GetIntegrationResponseRequest, context: RequestContext): Gateway.IntegrationResponse {
  const found = integrationOf(input, context).integration.integrationResponses?.[input.statusCode];
  if (!found) throw notFound('Response status code');
  return found;
}

export function updateIntegrationResponse(input: Gateway.UpdateIntegrationResponseRequest, context: RequestContext): Gateway.IntegrationResponse {
  const { resource, method, integration } = integrationOf(input, context);
  const changed = patched(getIntegrationResponse(input, context), input.patchOperations);
  saveMethod(input, resource, { ...method, methodIntegration: { ...integration, integrationResponses: { ...integration.integrationResponses, [input.statusCode]: changed } } }, context);
  return changed;
}

export function deleteIntegrationResponse(input: Gateway.DeleteIntegrationResponseRequest, context: RequestContext): Record<string, never> {
  const { resource, method, integration } = integrationOf(input, context);
  getIntegrationResponse(input, context);
  const { [input.statusCode]: _, ...others } = integration.integrationResponses ?? {};
  saveMethod(input, resource, { ...method, methodIntegration: { ...integration, integrationResponses: others } }, context);
  return {};
}
