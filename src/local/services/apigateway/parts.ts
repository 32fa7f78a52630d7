import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import { parseArn } from '../../kernel/arn.js';
import type { Operation, RequestContext } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import type { Table } from '../../state/state.js';
import { patched } from './patch.js';
import { accounts, apiOf, apis, authorizers, badRequest, compact, conflict, domains, keys, mappings, models, newId, notFound, page, plans, responses, stages, validators } from './store.js';

type AnyInput = { readonly [name: string]: unknown } & { restApiId: string; patchOperations?: Gateway.PatchOperation[]; position?: string; limit?: number };
type Located = (state: RequestContext['state'], account: string, region: string) => Table<object>;

/** The five operations of a part that belongs to an API and changes by patches only. */
function partOperations(kind: string, plural: string, part: unknown, member: string, title: string, create: (input: AnyInput, context: RequestContext) => object & { id?: string; name?: string }, key: 'id' | 'name' = 'id'): Record<string, Operation> {
  const all = (context: RequestContext): Table<object> => (part as Located)(context.state, context.account, context.region);
  const find = (input: AnyInput, context: RequestContext): object => {
    apiOf(input.restApiId, context);
    const found = all(context).get(input.restApiId, input[member] as string);
    if (!found) throw notFound(title);
    return found;
  };
  return {
    [`Create${kind}`]: (input: AnyInput, context: RequestContext) => {
      apiOf(input.restApiId, context);
      const made = compact(create(input, context));
      if (key === 'name' && all(context).get(input.restApiId, made.name!)) throw conflict(`${title} name already exists for this REST API`);
      all(context).put([input.restApiId, made[key]!], made);
      return made;
    },
    [`Get${kind}`]: find,
    [`Get${plural}`]: (input: AnyInput, context: RequestContext) => {
      apiOf(input.restApiId, context);
      return page(all(context).list(input.restApiId), input);
    },
    [`Update${kind}`]: (input: AnyInput, context: RequestContext) => {
      const changed = patched(find(input, context), input.patchOperations);
      all(context).put([input.restApiId, input[member] as string], changed);
      return changed;
    },
    [`Delete${kind}`]: (input: AnyInput, context: RequestContext) => {
      find(input, context);
      all(context).delete(input.restApiId, input[member] as string);
      return {};
    },
  };
}

const without = (input: object, ...names: string[]): Record<string, unknown> => Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name)));

/** Authorizers, models, request validators and gateway responses. */
export const parts: Readonly<Record<string, Operation>> = {
  ...partOperations('Authorizer', 'Authorizers', authorizers, 'authorizerId', 'authorizer', (given) => {
    const input = given as unknown as Gateway.CreateAuthorizerRequest;
    if (input.type !== 'COGNITO_USER_POOLS' && !input.authorizerUri) throw badRequest('Invalid Authorizer URI');
    return { id: newId(6), authType: input.type === 'COGNITO_USER_POOLS' ? 'cognito_user_pools' : 'custom', authorizerResultTtlInSeconds: 300, ...without(input, 'restApiId') };
  }),
  ...partOperations('Model', 'Models', models, 'modelName', 'Model Name', (input) => ({ id: newId(6), ...without(input, 'restApiId') }), 'name'),
  ...partOperations('RequestValidator', 'RequestValidators', validators, 'requestValidatorId', 'Request Validator', (input) => ({ id: newId(6), validateRequestBody: false, validateRequestParameters: false, ...without(input, 'restApiId') })),
  PutGatewayResponse: (input: Gateway.PutGatewayResponseRequest, context: RequestContext) => {
    apiOf(input.restApiId, context);
    const response = compact({ ...without(input, 'restApiId'), defaultResponse: false }) as Gateway.GatewayResponse;
    responses(context.state, context.account, context.region).put([input.restApiId, input.responseType], response);
    return response;
  },
  GetGatewayResponse: (input: Gateway.GetGatewayResponseRequest, context: RequestContext) => gatewayResponse(input, context),
  GetGatewayResponses: (input: Gateway.GetGatewayResponsesRequest, context: RequestContext) => {
    apiOf(input.restApiId, context);
    return page(responses(context.state, context.account, context.region).list(input.restApiId), input);
  },
  UpdateGatewayResponse: (input: Gateway.UpdateGatewayResponseRequest, context: RequestContext) => {
    const changed = patched({ ...gatewayResponse(input, context), defaultResponse: false }, input.patchOperations);
    responses(context.state, context.account, context.region).put([input.restApiId, input.responseType], changed);
    return changed;
  },
  DeleteGatewayResponse: (input: Gateway.DeleteGatewayResponseRequest, context: RequestContext) => {
    if (!responses(context.state, context.account, context.region).get(input.restApiId, input.responseType)) throw notFound('gateway response type');
    responses(context.state, context.account, context.region).delete(input.restApiId, input.responseType);
    return {};
  },
};

function gatewayResponse(input: { restApiId: string; responseType: string }, context: RequestContext): Gateway.GatewayResponse {
  apiOf(input.restApiId, context);
  return responses(context.state, context.account, context.region).get(input.restApiId, input.responseType) ?? ({ responseType: input.responseType, responseParameters: {}, responseTemplates: { 'application/json': '{"message":$context.error.messageString}' }, defaultResponse: true } as Gateway.GatewayResponse);
}

const keyOf = (id: string, context: RequestContext): Gateway.ApiKey => {
  const found = keys(context.state, context.account, context.region).get(id);
  if (!found) throw notFound('API Key');
  return found;
};
const planOf = (id: string, context: RequestContext): Gateway.UsagePlan & { keyIds: string[] } => {
  const found = plans(context.state, context.account, context.region).get(id);
  if (!found) throw notFound('Usage Plan');
  return found;
};
const hidden = ({ value, ...key }: Gateway.ApiKey, include: boolean | undefined): Gateway.ApiKey => ({ ...key, ...(include ? { value } : {}) });
const plain = ({ keyIds: _, ...plan }: Gateway.UsagePlan & { keyIds: string[] }): Gateway.UsagePlan => plan;

/** API keys, usage plans, domains and the account: things beside the APIs. */
export const accountParts: Readonly<Record<string, Operation>> = {
  CreateApiKey: (input: Gateway.CreateApiKeyRequest, context: RequestContext) => {
    const now = context.now();
    const stageKeys = (input.stageKeys ?? []).map(({ restApiId, stageName }) => `${restApiId}/${stageName}`);
    const key = compact({ ...without(input, 'generateDistinctId'), id: newId(), value: input.value ?? randomBytes(20).toString('hex'), enabled: input.enabled ?? false, createdDate: now, lastUpdatedDate: now, stageKeys }) as Gateway.ApiKey;
    keys(context.state, context.account, context.region).put(key.id!, key);
    return key;
  },
  GetApiKey: (input: Gateway.GetApiKeyRequest, context: RequestContext) => hidden(keyOf(input.apiKey, context), input.includeValue),
  GetApiKeys: (input: Gateway.GetApiKeysRequest, context: RequestContext) => page(keys(context.state, context.account, context.region).list().filter(({ name = '' }) => name.startsWith(input.nameQuery ?? '')).map((key) => hidden(key, input.includeValues)), input),
  UpdateApiKey: (input: Gateway.UpdateApiKeyRequest, context: RequestContext) => {
    const changed = { ...patched(keyOf(input.apiKey, context), input.patchOperations), lastUpdatedDate: context.now() };
    keys(context.state, context.account, context.region).put(input.apiKey, changed);
    return hidden(changed, false);
  },
  DeleteApiKey: (input: Gateway.DeleteApiKeyRequest, context: RequestContext) => {
    keyOf(input.apiKey, context);
    keys(context.state, context.account, context.region).delete(input.apiKey);
    return {};
  },
  CreateUsagePlan: (input: Gateway.CreateUsagePlanRequest, context: RequestContext) => {
    const plan = compact({ ...input, id: newId(6), apiStages: input.apiStages ?? [], keyIds: [] }) as Gateway.UsagePlan & { keyIds: string[] };
    plans(context.state, context.account, context.region).put(plan.id!, plan);
    return plain(plan);
  },
  GetUsagePlan: (input: Gateway.GetUsagePlanRequest, context: RequestContext) => plain(planOf(input.usagePlanId, context)),
  GetUsagePlans: (input: Gateway.GetUsagePlansRequest, context: RequestContext) => page(plans(context.state, context.account, context.region).list().filter(({ keyIds }) => !input.keyId || keyIds.includes(input.keyId)).map(plain), input),
  UpdateUsagePlan: (input: Gateway.UpdateUsagePlanRequest, context: RequestContext) => {
    const before = planOf(input.usagePlanId, context);
    let apiStages = before.apiStages ?? [];
    const rest = (input.patchOperations ?? []).filter(({ op, path, value = '' }) => {
      if (path !== '/apiStages') return true;
      const [apiId, stage] = value.split(':');
      apiStages = apiStages.filter((each) => each.apiId !== apiId || each.stage !== stage);
      if (op === 'add') apiStages = [...apiStages, compact({ apiId, stage })];
      return false;
    });
    const changed = { ...patched(before, rest), apiStages };
    plans(context.state, context.account, context.region).put(input.usagePlanId, changed);
    return plain(changed);
  },
  DeleteUsagePlan: (input: Gateway.DeleteUsagePlanRequest, context: RequestContext) => {
    planOf(input.usagePlanId, context);
    plans(context.state, context.account, context.region).delete(input.usagePlanId);
    return {};
  },
  CreateUsagePlanKey: (input: Gateway.CreateUsagePlanKeyRequest, context: RequestContext) => {
    const plan = planOf(input.usagePlanId, context);
    const key = keyOf(input.keyId, context);
    if (plan.keyIds.includes(input.keyId)) throw conflict('Usage Plan already contains this API Key');
    plans(context.state, context.account, context.region).put(input.usagePlanId, { ...plan, keyIds: [...plan.keyIds, input.keyId] });
    return { id: key.id, type: 'API_KEY', value: key.value, name: key.name };
  },
  GetUsagePlanKey: (input: Gateway.GetUsagePlanKeyRequest, context: RequestContext) => {
    if (!planOf(input.usagePlanId, context).keyIds.includes(input.keyId)) throw notFound('Usage Plan Key');
    const { id, value, name } = keyOf(input.keyId, context);
    return { id, type: 'API_KEY', value, name };
  },
  GetUsagePlanKeys: (input: Gateway.GetUsagePlanKeysRequest, context: RequestContext) => page(planOf(input.usagePlanId, context).keyIds.map((id) => ({ ...keys(context.state, context.account, context.region).get(id), id, type: 'API_KEY' })).map(({ id, type, name }) => compact({ id, type, name })), input),
  DeleteUsagePlanKey: (input: Gateway.DeleteUsagePlanKeyRequest, context: RequestContext) => {
    const plan = planOf(input.usagePlanId, context);
    plans(context.state, context.account, context.region).put(input.usagePlanId, { ...plan, keyIds: plan.keyIds.filter((id) => id !== input.keyId) });
    return {};
  },
  CreateDomainName: (input: Gateway.CreateDomainNameRequest, context: RequestContext) => {
    const all = domains(context.state, context.account, context.region);
    if (all.get(input.domainName)) throw badRequest('The domain name you provided already exists.');
    const id = newId();
    const types = input.endpointConfiguration?.types ?? ['EDGE'];
    const domain = compact({
      ...without(input, 'certificateBody', 'certificatePrivateKey', 'certificateChain'), domainNameStatus: 'AVAILABLE', endpointConfiguration: { ...input.endpointConfiguration, types }, securityPolicy: input.securityPolicy ?? 'TLS_1_2',
      domainNameArn: `arn:aws:apigateway:${context.region}::/domainnames/${input.domainName}`,
      ...(types.includes('REGIONAL') ? { regionalDomainName: `d-${id}.execute-api.${context.region}.amazonaws.com`, regionalHostedZoneId: 'Z1UJRXOUMOOFQ8' } : { distributionDomainName: `${id}.cloudfront.net`, distributionHostedZoneId: 'Z2FDTNDATAQYW2' }),
    }) as Gateway.DomainName;
    all.put(input.domainName, domain);
    return domain;
  },
  GetDomainName: (input: Gateway.GetDomainNameRequest, context: RequestContext) => domainOf(input.domainName, context),
  GetDomainNames: (input: Gateway.GetDomainNamesRequest, context: RequestContext) => page(domains(context.state, context.account, context.region).list(), input),
  UpdateDomainName: (input: Gateway.UpdateDomainNameRequest, context: RequestContext) => {
    const changed = patched(domainOf(input.domainName, context), input.patchOperations);
    domains(context.state, context.account, context.region).put(input.domainName, changed);
    return changed;
  },
  DeleteDomainName: (input: Gateway.DeleteDomainNameRequest, context: RequestContext) => {
    domainOf(input.domainName, context);
    for (const { basePath } of mappings(context.state, context.account, context.region).list(input.domainName)) mappings(context.state, context.account, context.region).delete(input.domainName, basePath!);
    domains(context.state, context.account, context.region).delete(input.domainName);
    return {};
  },
  CreateBasePathMapping: (input: Gateway.CreateBasePathMappingRequest, context: RequestContext) => {
    domainOf(input.domainName, context);
    apiOf(input.restApiId, context);
    if (input.stage && !stages(context.state, context.account, context.region).get(input.restApiId, input.stage)) throw badRequest('Invalid stage identifier specified');
    const basePath = input.basePath || '(none)';
    const all = mappings(context.state, context.account, context.region);
    if (all.get(input.domainName, basePath)) throw conflict('Base path already exists for this domain name');
    const mapping = compact({ basePath, restApiId: input.restApiId, stage: input.stage });
    all.put([input.domainName, basePath], mapping);
    return mapping;
  },
  GetBasePathMapping: (input: Gateway.GetBasePathMappingRequest, context: RequestContext) => mappingOf(input, context),
  GetBasePathMappings: (input: Gateway.GetBasePathMappingsRequest, context: RequestContext) => page(mappings(context.state, context.account, context.region).list(input.domainName), input),
  UpdateBasePathMapping: (input: Gateway.UpdateBasePathMappingRequest, context: RequestContext) => {
    const changed = patched(mappingOf(input, context), input.patchOperations, { restapiId: 'restApiId' });
    mappings(context.state, context.account, context.region).delete(input.domainName, input.basePath);
    mappings(context.state, context.account, context.region).put([input.domainName, changed.basePath!], changed);
    return changed;
  },
  DeleteBasePathMapping: (input: Gateway.DeleteBasePathMappingRequest, context: RequestContext) => {
    mappingOf(input, context);
    mappings(context.state, context.account, context.region).delete(input.domainName, input.basePath);
    return {};
  },
  GetAccount: (_: unknown, context: RequestContext) => accountOf(context),
  UpdateAccount: (input: Gateway.UpdateAccountRequest, context: RequestContext) => {
    const changed = patched(accountOf(context), input.patchOperations);
    const role = changed.cloudwatchRoleArn;
    if (role && !/^arn:aws:iam::\d{12}:role\//.test(role)) throw badRequest('Role ARN is not well formed');
    if (role) context.authorize('iam:PassRole', role, { 'iam:PassedToService': 'apigateway.amazonaws.com' });
    accounts(context.state, context.account, context.region).put('account', changed);
    return changed;
  },
  TagResource: (input: Gateway.TagResourceRequest, context: RequestContext) => changeTags(input.resourceArn, context, (tags) => ({ ...tags, ...input.tags })),
  UntagResource: (input: Gateway.UntagResourceRequest, context: RequestContext) => changeTags(input.resourceArn, context, (tags) => Object.fromEntries(Object.entries(tags).filter(([name]) => !input.tagKeys.includes(name)))),
  GetTags: (input: Gateway.GetTagsRequest, context: RequestContext) => ({ tags: { ...tagged(input.resourceArn, context).value.tags } }),
};

function domainOf(name: string, context: RequestContext): Gateway.DomainName {
  const found = domains(context.state, context.account, context.region).get(name);
  if (!found) throw new AwsError('NotFoundException', 'Invalid domain name identifier specified', { status: 404 });
  return found;
}

function mappingOf(input: { domainName: string; basePath: string }, context: RequestContext): Gateway.BasePathMapping {
  const found = mappings(context.state, context.account, context.region).get(input.domainName, input.basePath);
  if (!found) throw notFound('base path mapping');
  return found;
}

function accountOf(context: RequestContext): Gateway.Account {
  return accounts(context.state, context.account, context.region).get('account') ?? { throttleSettings: { burstLimit: 5000, rateLimit: 10_000 }, features: ['UsagePlans'], apiKeyVersion: '4' };
}

interface Tagged {
  readonly value: { tags?: Record<string, string> };
  readonly put: (value: object) => void;
}

function tagged(arn: string, context: RequestContext): Tagged {
  const path = (parseArn(arn)?.resource ?? '').split('/').slice(1);
  const [kind, id = '', sub, name = ''] = path;
  const at = [context.state, context.account, context.region] as const;
  const entry = (all: Table<object>, key: string[]): Tagged => {
    const value = all.get(...key);
    if (!value) throw notFound('resource');
    return { value: value as { tags?: Record<string, string> }, put: (changed) => all.put(key, changed) };
  };
  if (kind === 'restapis' && sub === 'stages') return entry(stages(...at) as unknown as Table<object>, [id, name]);
  if (kind === 'restapis') return entry(apis(...at) as unknown as Table<object>, [id]);
  if (kind === 'apikeys') return entry(keys(...at) as unknown as Table<object>, [id]);
  if (kind === 'usageplans') return entry(plans(...at) as unknown as Table<object>, [id]);
  if (kind === 'domainnames') return entry(domains(...at) as unknown as Table<object>, [id]);
  throw badRequest(`Invalid resource ARN ${arn}`);
}

function changeTags(arn: string, context: RequestContext, change: (tags: Record<string, string>) => Record<string, string>): Record<string, never> {
  const { value, put } = tagged(arn, context);
  put({ ...value, tags: change(value.tags ?? {}) });
  return {};
}

/** Tags of what an ARN names, where it carries any. */
export function tagsOf(arn: string, context: RequestContext): Record<string, string> | undefined {
  const [kind, id = '', sub, name = ''] = (parseArn(arn)?.resource ?? '').split('/').slice(1);
  const at = [context.state, context.account, context.region] as const;
  if (kind === 'restapis') return sub === 'stages' ? stages(...at).get(id, name)?.tags : apis(...at).get(id)?.tags;
  if (kind === 'apikeys') return keys(...at).get(id)?.tags;
  return kind === 'usageplans' ? plans(...at).get(id)?.tags : kind === 'domainnames' ? domains(...at).get(id)?.tags : undefined;
}
