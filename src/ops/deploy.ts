import { FlotillaError } from '../shared/errors.js';
import { each, type Limiter } from './concurrency.js';
import type { Emit } from './events.js';
import { placeOf, type FleetStack, type OperatedFleet } from './fleet/fleet.js';
import type { PipelineRef } from './follow.js';
import { standingBootstrap } from './bootstrap/standing.js';
import { stackPipelines } from './pipelines.js';
import { runCdk } from './synth.js';
import type { Target } from './target.js';

export interface DeployOptions {
  readonly target: Target;
  readonly fleet: OperatedFleet;
  readonly limit: Limiter;
  readonly emit: Emit;
  /** Environment of the CDK CLI for an account and region: with credentials of that account alone. */
  environment(account: string, region: string): Promise<Readonly<Record<string, string>>>;
  readonly signal?: AbortSignal;
}

/** Stacks that `deploy` brings about: those that hold pipelines; what they need, CDK deploys with them. */
export function pipelineStacks(fleet: OperatedFleet): FleetStack[] {
  const stacks = fleet.stacks.filter(({ kind }) => kind === 'pipeline');
  if (fleet.assembly === undefined) throw new FlotillaError('DPL001', 'there is no app to deploy', { why: 'the fleet was read from pipelines that stand', fix: '--app FOLDER or --assembly cdk.out', exitCode: 2 });
  if (stacks.length === 0) throw new FlotillaError('DPL002', 'the app has no pipeline', { why: 'no stack of the top assembly holds an AWS::CodePipeline::Pipeline', fix: 'deploy it with cdk deploy', exitCode: 6 });
  return stacks;
}

/** Pairs without a bootstrap: what the pipeline could not deploy to, and often could not even be made for (its key policy names their roles). */
export async function unbootstrapped(target: Target, fleet: OperatedFleet, limit: Limiter): Promise<string[]> {
  const found = await each(limit, fleet.pairs, async (pair) => {
    const { stack, holder } = await standingBootstrap(target, pair);
    return stack?.parameters['Qualifier'] === pair.bootstrap.qualifier || holder !== undefined ? undefined : placeOf(pair);
  });
  return found.filter((place) => place !== undefined);
}

/** Deploys the stacks of the pipelines with the real CDK CLI, as their owner does once; from then on they change themselves. */
export async function deployPipelines(options: DeployOptions): Promise<PipelineRef[]> {
  const { target, fleet, emit, signal } = options;
  const pipelines: PipelineRef[] = [];
  for (const stack of pipelineStacks(fleet)) {
    const name = `deploy ${placeOf(stack)} ${stack.stackName}`;
    const start = performance.now();
    emit({ type: 'step', name, status: 'started' });
    try {
      await runCdk(['deploy', '--app', fleet.assembly!, stack.path, '--require-approval', 'never', '--progress', 'events'], 'DPL003', `cdk deploy ${stack.stackName}`, { cwd: fleet.assembly!, env: await options.environment(stack.account, stack.region), emit, ...(signal ? { signal } : {}) });
    } catch (error) {
      emit({ type: 'step', name, status: 'failed', seconds: (performance.now() - start) / 1000 });
      throw error;
    }
    emit({ type: 'step', name, status: 'succeeded', seconds: (performance.now() - start) / 1000 });
    pipelines.push(...(await stackPipelines(target, stack)));
  }
  return pipelines;
}
