import type { RequestContext } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { patched } from './patch.js';
import { apiOf, authorizers, badRequest, compact, conflict, deployments, models, newId, notFound, page, resources, responses, stages, validators, type Snapshot, type StoredDeployment } from './store.js';

export function createDeployment(input: Gateway.CreateDeploymentRequest, context: RequestContext): Gateway.Deployment {
  const { id: restApiId } = apiOf(input.restApiId, context);
  const snapshot = snapshotOf(restApiId, context);
  if (!snapshot.resources.some(({ resourceMethods }) => Object.keys(resourceMethods ?? {}).length > 0)) throw badRequest('The REST API doesn\'t contain any methods');
  for (const { resourceMethods } of snapshot.resources)
    if (Object.values(resourceMethods ?? {}).some(({ methodIntegration }) => !methodIntegration)) throw badRequest('No integration defined for method');
  const deployment = compact({ id: newId(6), description: input.description, createdDate: context.now(), snapshot }) as StoredDeployment;
  deployments(context.state, context.account, context.region).put([restApiId, deployment.id], deployment);
  if (input.stageName) deployTo(input.stageName, deployment.id, input, context);
  return shown(deployment);
}

function snapshotOf(restApiId: string, context: RequestContext): Snapshot {
  const { state, account, region } = context;
  return {
    resources: resources(state, account, region).list(restApiId), authorizers: authorizers(state, account, region).list(restApiId), models: models(state, account, region).list(restApiId),
    validators: validators(state, account, region).list(restApiId), responses: responses(state, account, region).list(restApiId), binaryMediaTypes: apiOf(restApiId, context).binaryMediaTypes ?? [],
  };
}

function deployTo(stageName: string, deploymentId: string, input: Gateway.CreateDeploymentRequest, context: RequestContext): void {
  const all = stages(context.state, context.account, context.region);
  const before = all.get(input.restApiId, stageName);
  if (before) all.put([input.restApiId, stageName], compact({ ...before, deploymentId, lastUpdatedDate: context.now(), variables: input.variables ? { ...before.variables, ...input.variables } : before.variables }));
  else createStage({ restApiId: input.restApiId, stageName, deploymentId, ...(input.stageDescription ? { description: input.stageDescription } : {}), ...(input.variables ? { variables: input.variables } : {}), ...(input.tracingEnabled === undefined ? {} : { tracingEnabled: input.tracingEnabled }) }, context);
}

function shown({ snapshot: _, ...deployment }: StoredDeployment): Gateway.Deployment {
  return deployment;
}

function deploymentOf(input: { restApiId: string; deploymentId: string }, context: RequestContext): StoredDeployment {
  apiOf(input.restApiId, context);
  const found = deployments(context.state, context.account, context.region).get(input.restApiId, input.deploymentId);
  if (!found) throw notFound('Deployment');
  return found;
}

export function getDeployment(input: Gateway.GetDeploymentRequest, context: RequestContext): Gateway.Deployment {
  return shown(deploymentOf(input, context));
}

export function getDeployments(input: Gateway.GetDeploymentsRequest, context: RequestContext): Gateway.Deployments {
  apiOf(input.restApiId, context);
  return page(deployments(context.state, context.account, context.region).list(input.restApiId).map(shown), input);
}

export function updateDeployment(input: Gateway.UpdateDeploymentRequest, context: RequestContext): Gateway.Deployment {
  const changed = patched(deploymentOf(input, context), input.patchOperations);
  deployments(context.state, context.account, context.region).put([input.restApiId, input.deploymentId], changed);
  return shown(changed);
}

export function deleteDeployment(input: Gateway.DeleteDeploymentRequest, context: RequestContext): Record<string, never> {
  deploymentOf(input, context);
  if (stages(context.state, context.account, context.region).list(input.restApiId).some(({ deploymentId }) => deploymentId === input.deploymentId))
    throw badRequest('Active stages pointing to this deployment must be moved or deleted');
  deployments(context.state, context.account, context.region).delete(input.restApiId, input.deploymentId);
  return {};
}

export function createStage(input: Gateway.CreateStageRequest, context: RequestContext): Gateway.Stage {
  deploymentOf(input, context);
  const all = stages(context.state, context.account, context.region);
  if (!/^[a-zA-Z0-9_-]+$|^\$default$/.test(input.stageName)) throw badRequest('Stage name only allows a-zA-Z0-9_-');
  if (all.get(input.restApiId, input.stageName)) throw conflict('Stage already exists');
  const { restApiId, ...given } = input;
  const now = context.now();
  const stage = compact({ ...given, cacheClusterEnabled: input.cacheClusterEnabled ?? false, cacheClusterStatus: 'NOT_AVAILABLE', methodSettings: {}, tracingEnabled: input.tracingEnabled ?? false, createdDate: now, lastUpdatedDate: now }) as Gateway.Stage & { stageName: string };
  all.put([restApiId, input.stageName], stage);
  return stage;
}

function stageOf(input: { restApiId: string; stageName: string }, context: RequestContext): Gateway.Stage & { stageName: string } {
  apiOf(input.restApiId, context);
  const found = stages(context.state, context.account, context.region).get(input.restApiId, input.stageName);
  if (!found) throw notFound('stage');
  return found;
}

export const getStage = (input: Gateway.GetStageRequest, context: RequestContext): Gateway.Stage => stageOf(input, context);

export function getStages(input: Gateway.GetStagesRequest, context: RequestContext): Gateway.Stages {
  apiOf(input.restApiId, context);
  return { item: stages(context.state, context.account, context.region).list(input.restApiId).filter(({ deploymentId }) => !input.deploymentId || deploymentId === input.deploymentId) };
}

/** Method settings are patched by `/RESOURCE~1PATH/METHOD/group/name` (user guide, "Patch operations", UpdateStage). */
const SETTINGS: Readonly<Record<string, string>> = {
  'logging/loglevel': 'loggingLevel', 'logging/dataTrace': 'dataTraceEnabled', 'metrics/enabled': 'metricsEnabled', 'throttling/burstLimit': 'throttlingBurstLimit', 'throttling/rateLimit': 'throttlingRateLimit', 'caching/enabled': 'cachingEnabled',
  'caching/ttlInSeconds': 'cacheTtlInSeconds', 'caching/dataEncrypted': 'cacheDataEncrypted', 'caching/requireAuthorizationForCacheControl': 'requireAuthorizationForCacheControl', 'caching/unauthorizedCacheControlHeaderStrategy': 'unauthorizedCacheControlHeaderStrategy',
};

/** What a method's settings are once one of them was set (recorded: GetStage). */
const DEFAULT_SETTINGS: Gateway.MethodSetting = {
  metricsEnabled: false, dataTraceEnabled: false, throttlingBurstLimit: 5000, throttlingRateLimit: 10_000, cachingEnabled: false, cacheTtlInSeconds: 300, cacheDataEncrypted: false, requireAuthorizationForCacheControl: true,
  unauthorizedCacheControlHeaderStrategy: 'SUCCEED_WITH_RESPONSE_HEADER',
};

export function updateStage(input: Gateway.UpdateStageRequest, context: RequestContext): Gateway.Stage {
  const before = stageOf(input, context);
  const operations = (input.patchOperations ?? []).map((operation) => {
    const match = /^\/(?:methodSettings\/)?([^/]+)\/([^/]+)\/(logging|metrics|throttling|caching)\/(\w+)$/.exec(operation.path ?? '');
    const member = match && SETTINGS[`${match[3]}/${match[4]}`];
    if (!member) return operation;
    const path = match[1] === '*' ? '*' : match[1]!.replace(/^~1/, '');
    return { ...operation, path: `/methodSettings/${path}~1${match[2]}/${member}` };
  });
  const patchedStage = patched(before, operations);
  const changed = { ...patchedStage, methodSettings: Object.fromEntries(Object.entries(patchedStage.methodSettings ?? {}).map(([path, settings]) => [path, { ...DEFAULT_SETTINGS, ...settings }])) };
  if (changed.deploymentId !== before.deploymentId) deploymentOf({ restApiId: input.restApiId, deploymentId: changed.deploymentId ?? '' }, context);
  const stage = { ...changed, lastUpdatedDate: context.now() };
  stages(context.state, context.account, context.region).put([input.restApiId, input.stageName], stage);
  return stage;
}

export function deleteStage(input: Gateway.DeleteStageRequest, context: RequestContext): Record<string, never> {
  stageOf(input, context);
  stages(context.state, context.account, context.region).delete(input.restApiId, input.stageName);
  return {};
}
