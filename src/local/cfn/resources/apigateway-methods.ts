import { patchesOf } from './apigateway-members.js';
import { ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';

const GONE = ['NotFoundException'];

type Node = Readonly<Record<string, unknown>>;

interface MethodProperties {
  readonly RestApiId: string;
  readonly ResourceId: string;
  readonly HttpMethod: string;
  readonly AuthorizationType?: string;
  readonly Integration?: Node & { readonly IntegrationResponses?: readonly (Node & { readonly StatusCode: string | number })[] };
  readonly MethodResponses?: readonly (Node & { readonly StatusCode: string | number })[];
  readonly [name: string]: unknown;
}

const method: ResourceProvider<MethodProperties> = {
  type: 'AWS::ApiGateway::Method',
  async create(properties, context) {
    await put(properties, context, true);
    return { physicalId: idOf(properties) };
  },
  async update(id, before, after, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteMethod', at(before)));
    await put(after, context, false);
    return { physicalId: id };
  },
  async delete(_id, properties, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteMethod', at(properties)));
  },
  identify: idOf,
};

const at = ({ RestApiId, ResourceId, HttpMethod }: MethodProperties): Record<string, string> => ({ restApiId: RestApiId, resourceId: ResourceId, httpMethod: HttpMethod });
function idOf({ RestApiId, ResourceId, HttpMethod }: MethodProperties): string {
  return `${RestApiId}|${ResourceId}|${HttpMethod}`;
}

/** Tables keep their keys: `method.request.path.id` is a name, not a member. */
function plain(properties: Node, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => properties[name] !== undefined).map((name) => [name.charAt(0).toLowerCase() + name.slice(1), properties[name]]));
}

async function put(properties: MethodProperties, context: ProviderContext, announce: boolean): Promise<void> {
  const { client } = context;
  await client.call('apigateway', 'PutMethod', {
    ...at(properties), authorizationType: properties.AuthorizationType ?? 'NONE',
    ...plain(properties, ['AuthorizerId', 'ApiKeyRequired', 'OperationName', 'RequestParameters', 'RequestModels', 'RequestValidatorId', 'AuthorizationScopes']),
  });
  if (announce) context.initiated(idOf(properties));
  for (const response of properties.MethodResponses ?? []) await client.call('apigateway', 'PutMethodResponse', { ...at(properties), statusCode: String(response.StatusCode), ...plain(response, ['ResponseParameters', 'ResponseModels']) });
  const { Integration: integration } = properties;
  if (!integration) return;
  await client.call('apigateway', 'PutIntegration', {
    ...at(properties), type: integration['Type'],
    ...plain(integration, ['IntegrationHttpMethod', 'Uri', 'ConnectionType', 'ConnectionId', 'Credentials', 'RequestParameters', 'RequestTemplates', 'PassthroughBehavior', 'CacheNamespace', 'CacheKeyParameters', 'ContentHandling', 'TimeoutInMillis', 'ResponseTransferMode']),
  });
  for (const response of integration.IntegrationResponses ?? [])
    await client.call('apigateway', 'PutIntegrationResponse', { ...at(properties), statusCode: String(response.StatusCode), ...plain(response, ['SelectionPattern', 'ResponseParameters', 'ResponseTemplates', 'ContentHandling']) });
}

interface PartProperties {
  readonly RestApiId: string;
  readonly [name: string]: unknown;
}

/** A part of an API that is created with its members and changed by patches. */
function part(options: { type: string; kind: string; idMember: string; members: readonly string[]; changing: readonly string[]; attribute?: string; named?: boolean; prepare?: (members: Record<string, unknown>, context: ProviderContext) => Record<string, unknown> }): ResourceProvider<PartProperties> {
  const { type, kind, idMember, members, changing, attribute, named, prepare = (given) => given } = options;
  return {
    type,
    async create(properties, context) {
      const made = await context.client.call<{ id: string; name: string }>('apigateway', `Create${kind}`, { restApiId: properties.RestApiId, ...prepare(plain(properties, members), context) });
      const physicalId = named ? made.name : made.id;
      return { physicalId, ...(attribute ? { attributes: { [attribute]: physicalId } } : {}) };
    },
    async update(id, before, after, context) {
      const patchOperations = patchesOf(textual(before), textual(after), changing);
      if (patchOperations.length > 0) await context.client.call('apigateway', `Update${kind}`, { restApiId: after.RestApiId, [idMember]: id, patchOperations });
      return { physicalId: id, ...(attribute ? { attributes: { [attribute]: id } } : {}) };
    },
    async delete(id, { RestApiId }, context) {
      await ignoring(GONE, context.client.call('apigateway', `Delete${kind}`, { restApiId: RestApiId, [idMember]: id }));
    },
  };
}

/** A schema is text in the API and an object in templates. */
function textual(properties: PartProperties): PartProperties {
  return { ...properties, ...(typeof properties['Schema'] === 'object' ? { Schema: JSON.stringify(properties['Schema']) } : {}) };
}

const authorizer = part({
  type: 'AWS::ApiGateway::Authorizer', kind: 'Authorizer', idMember: 'authorizerId', attribute: 'AuthorizerId',
  members: ['Name', 'Type', 'ProviderARNs', 'AuthType', 'AuthorizerUri', 'AuthorizerCredentials', 'IdentitySource', 'IdentityValidationExpression', 'AuthorizerResultTtlInSeconds'],
  changing: ['Name', 'Type', 'AuthType', 'AuthorizerUri', 'AuthorizerCredentials', 'IdentitySource', 'IdentityValidationExpression', 'AuthorizerResultTtlInSeconds'],
});
const model = part({
  type: 'AWS::ApiGateway::Model', kind: 'Model', idMember: 'modelName', named: true, members: ['Name', 'Description', 'ContentType', 'Schema'], changing: ['Description', 'Schema'],
  prepare: ({ schema, name, ...rest }, context) => ({ ...rest, contentType: rest['contentType'] ?? 'application/json', name: name ?? context.name({ separator: '', limit: 128 }).replace(/[^A-Za-z0-9]/g, ''), ...(schema === undefined ? {} : { schema: typeof schema === 'string' ? schema : JSON.stringify(schema) }) }),
});
const validator = part({
  type: 'AWS::ApiGateway::RequestValidator', kind: 'RequestValidator', idMember: 'requestValidatorId', attribute: 'RequestValidatorId', members: ['Name', 'ValidateRequestBody', 'ValidateRequestParameters'],
  changing: ['Name', 'ValidateRequestBody', 'ValidateRequestParameters'],
});

const gatewayResponse: ResourceProvider<PartProperties & { readonly ResponseType: string }> = {
  type: 'AWS::ApiGateway::GatewayResponse',
  async create(properties, context) {
    await context.client.call('apigateway', 'PutGatewayResponse', responseInput(properties));
    return { physicalId: `${properties.RestApiId}|${properties.ResponseType}`, attributes: { Id: `${properties.RestApiId}|${properties.ResponseType}` } };
  },
  async update(id, _before, after, context) {
    await context.client.call('apigateway', 'PutGatewayResponse', responseInput(after));
    return { physicalId: id, attributes: { Id: id } };
  },
  async delete(_id, { RestApiId, ResponseType }, context) {
    await ignoring(GONE, context.client.call('apigateway', 'DeleteGatewayResponse', { restApiId: RestApiId, responseType: ResponseType }));
  },
};

function responseInput(properties: PartProperties & { readonly ResponseType: string }): Record<string, unknown> {
  return { restApiId: properties.RestApiId, ...plain(properties, ['ResponseType', 'ResponseParameters', 'ResponseTemplates']), ...(properties['StatusCode'] === undefined ? {} : { statusCode: String(properties['StatusCode']) }) };
}

export const methodProviders: readonly ResourceProvider[] = [method, authorizer, model, validator, gatewayResponse];
