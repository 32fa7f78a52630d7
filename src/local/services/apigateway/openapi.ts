import { parse } from 'yaml';
import type { RequestContext } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { apis, authorizers, badRequest, compact, models, newId, resources, responses, validators, type StoredApi } from './store.js';

type Node = Record<string, unknown>;

export interface Definition {
  readonly title: string;
  readonly description: string | undefined;
  readonly version: string | undefined;
  readonly document: Node;
}

/** An OpenAPI 3 or Swagger 2 document, JSON or YAML. Raises BadRequestException. */
export function parseDefinition(text: string): Definition {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw badRequest(`Invalid OpenAPI input: ${error instanceof Error ? error.message : String(error)}`);
  }
  const node = object(document);
  if (!node['swagger'] && !node['openapi']) throw badRequest('Invalid OpenAPI input.');
  const info = object(node['info']);
  return { title: String(info['title'] ?? 'API'), description: textOf(info['description']), version: textOf(info['version']), document: node };
}

const textOf = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));
const object = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {});
const METHODS = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options', 'x-amazon-apigateway-any-method'];

/** Makes resources, methods and what belongs to them (user guide, "Import a REST API into API Gateway"). */
export function importInto(api: StoredApi, { document, ...info }: Definition, mode: string, context: RequestContext): void {
  const at = [context.state, context.account, context.region] as const;
  context.state.transaction(() => {
    if (mode === 'overwrite')
      for (const part of [resources, authorizers, models, validators, responses]) for (const [key] of part(...at).entries([api.id])) if (part !== resources || key[1] !== api.rootResourceId) part(...at).delete(...key);
    apis(...at).put(api.id, compact({ ...api, name: info.title, ...(info.description ? { description: info.description } : {}), ...(info.version ? { version: info.version } : {}), binaryMediaTypes: binaryTypes(api, document) }));
    const root = resources(...at).get(api.id, api.rootResourceId)!;
    if (mode === 'overwrite') resources(...at).put([api.id, root.id], { id: root.id, path: '/' });
    for (const [name, schema] of Object.entries(object(document['definitions'] ?? object(document['components'])['schemas'])))
      models(...at).put([api.id, name], { id: newId(6), name, contentType: 'application/json', schema: JSON.stringify(schema) });
    const validatorIds = importValidators(api, document, context);
    const authorizerIds = importAuthorizers(api, document, context);
    for (const [type, response] of Object.entries(object(document['x-amazon-apigateway-gateway-responses'])))
      responses(...at).put([api.id, type], compact({ responseType: type, ...object(response), defaultResponse: false }) as Gateway.GatewayResponse);
    for (const [path, item] of Object.entries(object(document['paths']))) importPath(api, path, object(item), document, { validatorIds, authorizerIds }, context);
  });
}

/** Those of the definition join those the API has. */
function binaryTypes(api: StoredApi, document: Node): string[] | undefined {
  const all = [...new Set([...(api.binaryMediaTypes ?? []), ...((document['x-amazon-apigateway-binary-media-types'] as string[] | undefined) ?? [])])].sort();
  return all.length > 0 ? all : undefined;
}

function importValidators(api: StoredApi, document: Node, context: RequestContext): Map<string, string> {
  const ids = new Map<string, string>();
  for (const [name, given] of Object.entries(object(document['x-amazon-apigateway-request-validators']))) {
    const id = newId(6);
    ids.set(name, id);
    validators(context.state, context.account, context.region).put([api.id, id], { id, name, validateRequestBody: object(given)['validateRequestBody'] === true, validateRequestParameters: object(given)['validateRequestParameters'] === true });
  }
  return ids;
}

function importAuthorizers(api: StoredApi, document: Node, context: RequestContext): Map<string, Gateway.Authorizer> {
  const found = new Map<string, Gateway.Authorizer>();
  for (const [name, given] of Object.entries(object(document['securityDefinitions'] ?? object(document['components'])['securitySchemes']))) {
    const scheme = object(given);
    const extension = object(scheme['x-amazon-apigateway-authorizer']);
    if (scheme['x-amazon-apigateway-authtype'] === 'awsSigv4') found.set(name, { type: 'AWS_IAM' as never });
    if (Object.keys(extension).length === 0) continue;
    const id = newId(6);
    const type = String(extension['type'] ?? 'token').toUpperCase();
    const authorizer = compact({
      id, name, type, authType: String(scheme['x-amazon-apigateway-authtype'] ?? 'custom'), authorizerUri: textOf(extension['authorizerUri']), authorizerCredentials: textOf(extension['authorizerCredentials']),
      identitySource: textOf(extension['identitySource']) ?? (scheme['name'] ? `method.request.header.${String(scheme['name'])}` : undefined), identityValidationExpression: textOf(extension['identityValidationExpression']),
      authorizerResultTtlInSeconds: Number(extension['authorizerResultTtlInSeconds'] ?? 300), providerARNs: extension['providerARNs'] as string[] | undefined,
    }) as Gateway.Authorizer;
    found.set(name, authorizer);
    authorizers(context.state, context.account, context.region).put([api.id, id], authorizer);
  }
  return found;
}

interface Known {
  readonly validatorIds: ReadonlyMap<string, string>;
  readonly authorizerIds: ReadonlyMap<string, Gateway.Authorizer>;
}

function importPath(api: StoredApi, path: string, item: Node, document: Node, known: Known, context: RequestContext): void {
  const all = resources(context.state, context.account, context.region);
  let parent = all.get(api.id, api.rootResourceId)!;
  for (const pathPart of path.split('/').filter(Boolean)) {
    const childPath = `${parent.path === '/' ? '' : parent.path}/${pathPart}`;
    let child = all.list(api.id).find((each) => each.path === childPath);
    if (!child) all.put([api.id, (child = { id: newId(6), parentId: parent.id, pathPart, path: childPath }).id], child);
    parent = child;
  }
  const resourceMethods = { ...parent.resourceMethods };
  for (const verb of METHODS) {
    if (item[verb] === undefined) continue;
    const httpMethod = verb.startsWith('x-') ? 'ANY' : verb.toUpperCase();
    resourceMethods[httpMethod] = importMethod(httpMethod, object(item[verb]), object(item), document, known);
  }
  all.put([api.id, parent.id], { ...parent, resourceMethods });
}

function importMethod(httpMethod: string, operation: Node, item: Node, document: Node, known: Known): Gateway.Method {
  const security = ((operation['security'] ?? document['security'] ?? []) as Node[]).flatMap((each) => Object.keys(each));
  const authorizer = security.map((name) => known.authorizerIds.get(name)).find(Boolean);
  const validator = textOf(operation['x-amazon-apigateway-request-validator'] ?? document['x-amazon-apigateway-request-validator']);
  const requestParameters: Record<string, boolean> = {};
  for (const parameter of [...((item['parameters'] ?? []) as Node[]), ...((operation['parameters'] ?? []) as Node[])]) {
    const place = { query: 'querystring', header: 'header', path: 'path' }[String(parameter['in'])];
    if (place) requestParameters[`method.request.${place}.${String(parameter['name'])}`] = parameter['required'] === true;
  }
  const methodResponses = Object.fromEntries(Object.keys(object(operation['responses'])).filter((status) => /^\d+$/.test(status)).map((statusCode) => [statusCode, { statusCode }]));
  const integration = operation['x-amazon-apigateway-integration'];
  return compact({
    httpMethod, authorizationType: authorizer ? ((authorizer.type as string) === 'AWS_IAM' ? 'AWS_IAM' : authorizer.type === 'COGNITO_USER_POOLS' ? 'COGNITO_USER_POOLS' : 'CUSTOM') : 'NONE', authorizerId: authorizer?.id,
    apiKeyRequired: security.some((name) => !known.authorizerIds.has(name)), operationName: textOf(operation['operationId']), requestValidatorId: validator === undefined ? undefined : known.validatorIds.get(validator),
    requestParameters: Object.keys(requestParameters).length > 0 ? requestParameters : undefined, methodResponses, methodIntegration: integration === undefined ? undefined : importIntegration(object(integration)),
  }) as Gateway.Method;
}

function importIntegration(given: Node): Gateway.Integration {
  const type = String(given['type'] ?? 'mock').toUpperCase();
  const answers = Object.entries(object(given['responses'])).map(([pattern, response]): [string, Gateway.IntegrationResponse] => {
    const { statusCode, ...rest } = object(response);
    return [String(statusCode), compact({ ...rest, statusCode: String(statusCode), selectionPattern: pattern === 'default' ? undefined : pattern }) as Gateway.IntegrationResponse];
  });
  return compact({
    type, httpMethod: textOf(given['httpMethod']), uri: textOf(given['uri']), credentials: textOf(given['credentials']), passthroughBehavior: textOf(given['passthroughBehavior'])?.toUpperCase() ?? 'WHEN_NO_MATCH',
    requestTemplates: given['requestTemplates'], requestParameters: given['requestParameters'], timeoutInMillis: Number(given['timeoutInMillis'] ?? 29_000), contentHandling: textOf(given['contentHandling']),
    integrationResponses: answers.length > 0 ? Object.fromEntries(answers) : undefined,
  }) as unknown as Gateway.Integration;
}
