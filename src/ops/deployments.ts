import type { CodePipelineClient, PipelineDeclaration, StageState } from '@aws-sdk/client-codepipeline';
import type { ActionHistory, ActionRun } from './action-history.js';
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
  /** Nothing was found since then, and what is older was not read. */
  readonly unreadBefore?: Date;
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
 * as far back as a target has no whole deployment yet, or as `history` goes.
 */
export async function deployments(client: CodePipelineClient, declaration: PipelineDeclaration, states: readonly StageState[], places: readonly DeployTarget[], history: ActionHistory): Promise<Deployment[]> {
  const parallel = declaration.executionMode === 'PARALLEL';
  const found = new Map(places.map((place) => [place, parallel ? undefined : fromState(place, states.find(({ stageName }) => stageName === place.stage))]));
  const open = places.filter((place) => found.get(place) === undefined);
  if (open.length > 0) for (const deployment of await fromHistory(client, declaration.name ?? '', open, history)) found.set(deployment.place, deployment);
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

async function fromHistory(client: CodePipelineClient, pipelineName: string, places: readonly DeployTarget[], history: ActionHistory): Promise<Deployment[]> {
  const of = (place: DeployTarget, runs: readonly ActionRun[]): ActionRun[] => runs.filter(({ stage, action }) => stage === place.stage && place.actions.includes(action));
  const { runs, backTo } = await history.read(client, pipelineName, (some) => places.every((place) => lastComplete(place, of(place, some)) !== undefined));
  return places.map((place) => {
    const own = of(place, runs);
    const done = lastComplete(place, own);
    return { place, done, last: lastAttempt(own), ...(done === undefined && backTo !== undefined ? { unreadBefore: backTo } : {}) };
  });
}

/** The newest execution all of whose deployments of this target have succeeded. */
function lastComplete(place: DeployTarget, runs: readonly ActionRun[]): Deployment['done'] {
  const deploys = runs.filter(({ action, status }) => status === 'Succeeded' && !place.preparing.includes(action));
  for (const execution of new Set(deploys.map((run) => run.execution))) {
    const own = deploys.filter((run) => run.execution === execution);
    if (new Set(own.map(({ action }) => action)).size >= place.stacks.length) return { execution, at: new Date(Math.max(...own.map(({ at }) => at?.getTime() ?? 0))) };
  }
  return undefined;
}

/** The latest attempt of each action counts: a retry that runs has not failed. */
function lastAttempt(runs: readonly ActionRun[]): Deployment['last'] {
  const execution = runs[0]?.execution;
  if (execution === undefined) return undefined;
  const latest = new Map<string, ActionRun>();
  for (const run of runs) if (run.execution === execution && !latest.has(run.action)) latest.set(run.action, run);
  const failure = [...latest.values()].find((run) => run.failure !== undefined)?.failure;
  return { execution, running: [...latest.values()].some(({ status }) => status === 'InProgress'), ...(failure === undefined ? {} : { failure }) };
}
