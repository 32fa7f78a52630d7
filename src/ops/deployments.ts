import { paginateListActionExecutions, type ActionExecutionDetail, type CodePipelineClient, type PipelineDeclaration, type StageState } from '@aws-sdk/client-codepipeline';
import type { PipelineRef } from './follow.js';

/** An account and region that a stage deploys to. */
export interface DeployTarget {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  readonly actions: readonly string[];
  /** Those of `actions` that only prepare a change set. */
  readonly preparing: readonly string[];
  readonly stacks: readonly string[];
}

/** What a pipeline did to a target. */
export interface Deployment {
  readonly place: DeployTarget;
  /** The newest execution all of whose deployments of the target have succeeded. */
  readonly done: { readonly execution: string; readonly at: Date } | undefined;
  /** The newest execution that came there, with why it failed where it did. */
  readonly last: { readonly execution: string; readonly running: boolean; readonly failure?: string } | undefined;
}

/** CloudFormation actions by stage, account and region. The account is the one of the role the action deploys with. */
export function deployTargets(declaration: PipelineDeclaration, pipeline: PipelineRef): DeployTarget[] {
  const targets = new Map<string, { stage: string; account: string; region: string; actions: string[]; preparing: string[]; stacks: string[] }>();
  for (const stage of declaration.stages ?? [])
    for (const action of stage.actions ?? []) {
      if (action.actionTypeId?.provider !== 'CloudFormation') continue;
      const account = (action.roleArn ?? action.configuration?.['RoleArn'])?.split(':')[4] ?? pipeline.account;
      const region = action.region ?? pipeline.region;
      const key = `${stage.name}/${account}/${region}`;
      const place = targets.get(key) ?? { stage: stage.name ?? '', account, region, actions: [], preparing: [], stacks: [] };
      place.actions.push(action.name ?? '');
      if (action.configuration?.['ActionMode'] === 'CHANGE_SET_REPLACE') place.preparing.push(action.name ?? '');
      const stack = action.configuration?.['StackName'];
      if (stack && !place.stacks.includes(stack)) place.stacks.push(stack);
      targets.set(key, place);
    }
  return [...targets.values()];
}

/**
 * What was deployed to each target last. A stage that succeeded tells it by itself; of the others the history of actions is read, newest first,
 * as far back as a target has no whole deployment yet.
 */
export async function deployments(client: CodePipelineClient, declaration: PipelineDeclaration, states: readonly StageState[], places: readonly DeployTarget[]): Promise<Deployment[]> {
  const parallel = declaration.executionMode === 'PARALLEL';
  const found = new Map(places.map((place) => [place, parallel ? undefined : fromState(place, states.find(({ stageName }) => stageName === place.stage))]));
  const open = places.filter((place) => found.get(place) === undefined);
  if (open.length > 0) for (const deployment of await fromHistory(client, declaration.name ?? '', open)) found.set(deployment.place, deployment);
  return [...found.values()] as Deployment[];
}

/** All actions of a stage that succeeded are of one execution; a stage that nothing has entered deployed nothing. Undefined where only the history tells. */
function fromState(place: DeployTarget, state: StageState | undefined): Deployment | undefined {
  const stage = state?.latestExecution;
  if (!stage) return { place, done: undefined, last: undefined };
  const own = place.actions.map((name) => state.actionStates?.find(({ actionName }) => actionName === name)?.latestExecution);
  if (stage.status !== 'Succeeded' || !own.every((action) => action?.status === 'Succeeded')) return undefined;
  const execution = stage.pipelineExecutionId ?? '';
  return { place, done: { execution, at: new Date(Math.max(...own.map((action) => action?.lastStatusChange?.getTime() ?? 0))) }, last: { execution, running: false } };
}

async function fromHistory(client: CodePipelineClient, pipelineName: string, places: readonly DeployTarget[]): Promise<Deployment[]> {
  const own = new Map(places.map((place): [DeployTarget, ActionExecutionDetail[]] => [place, []]));
  for await (const { actionExecutionDetails = [] } of paginateListActionExecutions({ client, pageSize: 100 }, { pipelineName })) {
    for (const detail of actionExecutionDetails)
      for (const [place, details] of own) if (detail.stageName === place.stage && place.actions.includes(detail.actionName ?? '')) details.push(detail);
    if ([...own].every(([place, details]) => lastComplete(place, details) !== undefined)) break;
  }
  return [...own].map(([place, details]) => ({ place, done: lastComplete(place, details), last: lastAttempt(details) }));
}

/** The newest execution all of whose deployments of this target have succeeded. */
function lastComplete(place: DeployTarget, details: readonly ActionExecutionDetail[]): Deployment['done'] {
  const deploys = details.filter(({ actionName = '', status }) => status === 'Succeeded' && !place.preparing.includes(actionName));
  for (const execution of new Set(deploys.map(({ pipelineExecutionId = '' }) => pipelineExecutionId))) {
    const own = deploys.filter(({ pipelineExecutionId }) => pipelineExecutionId === execution);
    if (new Set(own.map(({ actionName }) => actionName)).size >= place.stacks.length) return { execution, at: new Date(Math.max(...own.map(({ lastUpdateTime }) => lastUpdateTime?.getTime() ?? 0))) };
  }
  return undefined;
}

/** The latest attempt of each action counts: a retry that runs has not failed. */
function lastAttempt(details: readonly ActionExecutionDetail[]): Deployment['last'] {
  const execution = details[0]?.pipelineExecutionId;
  if (execution === undefined) return undefined;
  const latest = new Map<string, ActionExecutionDetail>();
  for (const detail of details) if (detail.pipelineExecutionId === execution && !latest.has(detail.actionName ?? '')) latest.set(detail.actionName ?? '', detail);
  const failed = [...latest.values()].find(({ status }) => status === 'Failed');
  return { execution, running: [...latest.values()].some(({ status }) => status === 'InProgress'), ...(failed ? { failure: failed.output?.executionResult?.errorDetails?.message ?? 'no reason was given' } : {}) };
}
