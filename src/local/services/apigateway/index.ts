import { parseArn } from '../../kernel/arn.js';
import type { Authorization, AuthorizationRule, Operation, RequestContext, Service } from '../../kernel/service.js';
import { loadModel } from '../../models/model.js';
import { createRestApi, deleteRestApi, getRestApi, getRestApis, importRestApi, putRestApi, updateRestApi } from './apis.js';
import { executeAnswer } from './execute.js';
import * as methods from './methods.js';
import { accountParts, parts, tagsOf } from './parts.js';
import { createDeployment, createStage, deleteDeployment, deleteStage, getDeployment, getDeployments, getStage, getStages, updateDeployment, updateStage } from './stages.js';
import { apis, owners } from './store.js';

const operations: Readonly<Record<string, Operation>> = {
  CreateRestApi: createRestApi,
  GetRestApi: getRestApi,
  GetRestApis: getRestApis,
  UpdateRestApi: updateRestApi,
  DeleteRestApi: deleteRestApi,
  ImportRestApi: importRestApi,
  PutRestApi: putRestApi,
  CreateResource: methods.createResource,
  GetResource: methods.getResource,
  GetResources: methods.getResources,
  UpdateResource: methods.updateResource,
  DeleteResource: methods.deleteResource,
  PutMethod: methods.putMethod,
  GetMethod: methods.getMethod,
  UpdateMethod: methods.updateMethod,
  DeleteMethod: methods.deleteMethod,
  PutMethodResponse: methods.putMethodResponse,
  GetMethodResponse: methods.getMethodResponse,
  UpdateMethodResponse: methods.updateMethodResponse,
  DeleteMethodResponse: methods.deleteMethodResponse,
  PutIntegration: methods.putIntegration,
  GetIntegration: methods.getIntegration,
  UpdateIntegration: methods.updateIntegration,
  DeleteIntegration: methods.deleteIntegration,
  PutIntegrationResponse: methods.putIntegrationResponse,
  GetIntegrationResponse: methods.getIntegrationResponse,
  UpdateIntegrationResponse: methods.updateIntegrationResponse,
  DeleteIntegrationResponse: methods.deleteIntegrationResponse,
  CreateDeployment: createDeployment,
  GetDeployment: getDeployment,
  GetDeployments: getDeployments,
  UpdateDeployment: updateDeployment,
  DeleteDeployment: deleteDeployment,
  CreateStage: createStage,
  GetStage: getStage,
  GetStages: getStages,
  UpdateStage: updateStage,
  DeleteStage: deleteStage,
  ...parts,
  ...accountParts,
};

/** IAM knows no actions of API Gateway but the HTTP methods, on the paths of its REST API (user guide, "How API Gateway works with IAM"). */
function ruleOf(name: string): AuthorizationRule {
  return {
    action: () => `apigateway:${loadModel('apigateway')!.operation(name)!.method}`,
    resource: (input: Record<string, unknown>, { region }: RequestContext) => {
      const { uri } = loadModel('apigateway')!.operation(name)!;
      if (typeof input['resourceArn'] === 'string') return input['resourceArn'];
      return `arn:aws:apigateway:${region}::${pathOf(uri, input)}`;
    },
  };
}

/** The URI's labels by the members they are filled from; the model keeps the wire's own names. */
function pathOf(uri: string, input: Record<string, unknown>): string {
  return uri.split('?')[0]!.replace(/\{([^}+]+)\+?\}/g, (_, label: string) => String(input[label] ?? input[memberOf(label)] ?? input[NAMES[label] ?? ''] ?? '*'));
}

const NAMES: Readonly<Record<string, string>> = {
  restapi_id: 'restApiId', resource_id: 'resourceId', http_method: 'httpMethod', status_code: 'statusCode', deployment_id: 'deploymentId', stage_name: 'stageName', authorizer_id: 'authorizerId', model_name: 'modelName',
  requestvalidator_id: 'requestValidatorId', response_type: 'responseType', api_Key: 'apiKey', usageplanId: 'usagePlanId', domain_name: 'domainName', base_path: 'basePath', parent_id: 'parentId', keyId: 'keyId',
};

function memberOf(label: string): string {
  return label.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Amazon API Gateway, REST APIs (v1): the control plane by AWS's API, deployed stages at their URLs. */
export const apigateway: Service = {
  name: 'apigateway',
  operations,
  internal: { AuthorizeExecute: () => ({}) },
  authorization: {
    ...(Object.fromEntries(Object.keys(operations).map((name) => [name, ruleOf(name)])) as Record<string, Authorization>),
    AuthorizeExecute: { action: 'execute-api:Invoke', resource: '{methodArn}' },
  },
  resourcePolicy(arn, context) {
    const named = parseArn(arn);
    if (named?.service !== 'execute-api') return undefined;
    const document = apis(context.state, named.account, named.region).get(named.resource.split('/')[0]!)?.policy;
    // Policies may leave account and region out: `execute-api:/*` (user guide, "API Gateway resource policy examples").
    return document ? { document: document.replace(/"execute-api:\//g, `"arn:aws:execute-api:${named.region}:${named.account}:${named.resource.split('/')[0]}/`), kind: 'resource' } : undefined;
  },
  resourceAccount: (arn, context) => {
    const [kind, id] = (parseArn(arn)?.resource ?? '').split('/').slice(1);
    return kind === 'restapis' && id ? (owners(context.state).get(id)?.account ?? context.account) : undefined;
  },
  resourceTags: tagsOf,
  http: executeAnswer,
};
