import { GetPipelineCommand, ListPipelineExecutionsCommand, type ActionExecutionDetail, type CodePipelineClient, type PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import type { PipelineShape } from './events.js';

/** How long each action took in the last execution that succeeded; none where there was none. */
export async function lastDurations(client: CodePipelineClient, pipelineName: string, actionsOf: (execution: string) => Promise<readonly ActionExecutionDetail[]>): Promise<readonly ActionExecutionDetail[]> {
  const { pipelineExecutionSummaries = [] } = await client.send(new ListPipelineExecutionsCommand({ pipelineName, maxResults: 20 }));
  const last = pipelineExecutionSummaries.find(({ status }) => status === 'Succeeded')?.pipelineExecutionId;
  return last === undefined ? [] : actionsOf(last);
}

/** What the pipeline is made of, with the seconds that each action is expected to take. */
export async function shapeOf(client: CodePipelineClient, name: string, before: readonly ActionExecutionDetail[]): Promise<PipelineShape> {
  const { pipeline } = await client.send(new GetPipelineCommand({ name }));
  return { stages: (pipeline?.stages ?? []).map((stage) => ({ name: stage.name ?? '', actions: (stage.actions ?? []).map(({ name: action = '' }) => action) })), waves: wavesOf(pipeline, before) };
}

/** Actions that run at the same time, wave after wave. */
function wavesOf(pipeline: PipelineDeclaration | undefined, before: readonly ActionExecutionDetail[]): PipelineShape['waves'] {
  return (pipeline?.stages ?? []).flatMap(({ name: stage = '', actions = [] }) => {
    const orders = [...new Set(actions.map(({ runOrder = 1 }) => runOrder))].sort((a, b) => a - b);
    return orders.map((order) =>
      actions
        .filter(({ runOrder = 1 }) => runOrder === order)
        .map(({ name: action = '', actionTypeId }) => {
          const seconds = actionTypeId?.category === 'Approval' ? 0 : expected(stage, action, actionTypeId?.provider, before);
          return { name: `${stage}/${action}`, ...(seconds === undefined ? {} : { seconds }) };
        }),
    );
  });
}

/** As long as the last time; an action that is new, as long as others of its provider in the middle. */
function expected(stage: string, action: string, provider: string | undefined, before: readonly ActionExecutionDetail[]): number | undefined {
  const same = before.find((detail) => detail.stageName === stage && detail.actionName === action);
  if (same) return secondsOf(same);
  const others = before.filter(({ input }) => input?.actionTypeId?.provider === provider).map(secondsOf).sort((a, b) => a - b);
  return others[Math.floor(others.length / 2)];
}

function secondsOf({ startTime, lastUpdateTime }: ActionExecutionDetail): number {
  return Math.max(0, ((lastUpdateTime?.getTime() ?? 0) - (startTime?.getTime() ?? 0)) / 1000);
}

/**
 * Seconds until the last wave is over: of each wave the longest action that isn't. What waits for people counts nothing; undefined where an
 * action is left of which nothing is known. `runs` answers the seconds an action has been running, or `done`.
 */
export function remainingSeconds(waves: PipelineShape['waves'], runs: (name: string) => number | 'done' | undefined): number | undefined {
  let sum = 0;
  for (const wave of waves) {
    let longest = 0;
    for (const { name, seconds } of wave) {
      const running = runs(name);
      if (running === 'done') continue;
      if (seconds === undefined) return undefined;
      longest = Math.max(longest, seconds - (running ?? 0));
    }
    sum += longest;
  }
  return sum;
}
