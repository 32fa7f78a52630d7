import { refuse, type FleetConfig, type Mistake } from '../config/index.js';
import type { Fleet, Pipeline, Target } from './model.js';
import { checkQuotas } from './quotas.js';
import { bootstrapMatrix } from './resolve/bootstrap.js';
import type { Report } from './resolve/names.js';
import { resolvePipelines } from './resolve/pipelines.js';
import { checkPartition } from './resolve/partition.js';
import { resolveEnvironment, type PlacedTarget, type ResolvedEnvironment } from './resolve/targets.js';

/** The model of a valid fleet. Raises FleetFileError with everything that its parts contradict each other in. Pure. */
export function resolveFleet(config: FleetConfig): Fleet {
  const { fleet, mistakes } = examineFleet(config);
  refuse(mistakes);
  return fleet;
}

/** The model, and what is wrong with it; with mistakes the model is what could be made of the rest. */
export function examineFleet(config: FleetConfig): { readonly fleet: Fleet; readonly mistakes: readonly Mistake[] } {
  const mistakes = new Map<string, Mistake>();
  // One mistake reaches several targets; it is told once.
  const report: Report = (mistake) => void mistakes.set(JSON.stringify([mistake.code, mistake.path, mistake.what]), mistake);
  const environments = new Map<string, ResolvedEnvironment>();
  for (const [name, environment] of Object.entries(config.environments)) if (environment.enabled) environments.set(name, resolveEnvironment(name, config, report));
  const pipelines = resolvePipelines(config, environments, report);
  checkStageIds(pipelines, report);
  for (const pipeline of pipelines) checkPartition(pipeline, report);
  const bootstrap = bootstrapMatrix(pipelines, report);
  const fleet = { name: config.fleet, tags: config.tags ?? {}, pipelines: pipelines.map(withoutPaths), bootstrap, quotas: config.quotas ?? {} };
  checkQuotas(fleet, report);
  return { fleet, mistakes: [...mistakes.values()] };
}

/** Stage IDs head the names of stacks, so they differ through the whole fleet; and they stand in the app beside the pipeline stacks. */
function checkStageIds(pipelines: readonly Pipeline[], report: Report): void {
  const seen = new Map<string, string>(pipelines.map(({ stackId }) => [stackId, 'the stack of a pipeline']));
  for (const target of pipelines.flatMap((pipeline) => pipeline.waves.flatMap((wave) => wave.targets))) {
    const other = seen.get(target.stageId);
    if (other !== undefined) report({ code: 'CFG044', path: (target as PlacedTarget).path, what: `has the stage ID ${target.stageId}, as ${other} has`, why: 'stages of one name would deploy stacks of one name', fix: 'tell them apart with `stage:`, for instance {Environment}-{account}-{region}' });
    else seen.set(target.stageId, `${target.environment} in ${target.account}/${target.regions.map(({ region }) => region).join(', ')}`);
  }
}

/** The model says nothing about the file it came from. */
function withoutPaths(pipeline: Pipeline): Pipeline {
  const bare = ({ path: _, ...target }: PlacedTarget): Target => target;
  return { ...pipeline, waves: pipeline.waves.map((wave) => ({ ...wave, targets: wave.targets.map((target) => bare(target as PlacedTarget)) })) };
}
