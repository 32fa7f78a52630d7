import type { Fleet, Pipeline } from './model.js';
import type { Report } from './resolve/names.js';

/** Stages of a pipeline (CodePipeline user guide, Quotas: 50). */
const STAGES = { name: 'codepipeline.stages', limit: 50 } as const;

/** Stages a pipeline will have: its own and its waves. */
export function stagesOf(pipeline: Pipeline): number {
  // Source, Build, Assets; UpdatePipeline where the pipeline changes itself.
  return 3 + (pipeline.selfMutation ? 1 : 0) + pipeline.waves.length;
}

export function checkStages(fleet: Fleet, report: Report): void {
  const limit = fleet.quotas[STAGES.name] ?? STAGES.limit;
  for (const pipeline of fleet.pipelines) {
    const stages = stagesOf(pipeline);
    if (stages > limit) report({ code: 'CFG054', path: pipeline.key === undefined ? ['pipeline'] : ['pipelines', pipeline.key], what: `has ${stages} stages, and CodePipeline takes ${limit}`, fix: `deploy more at the same time (rollout, wave), make several pipelines, or raise the quota and say so: quotas: { ${STAGES.name}: ${stages} }`, atKey: true });
  }
}
