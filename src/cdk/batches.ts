import { Stack, type Stage } from 'aws-cdk-lib';
import type { Pipeline, Target, Wave } from '../fleet/index.js';
import { FlotillaError } from '../shared/errors.js';

/** Actions of a stage (CodePipeline quotas). CDK splits longer ones wherever the 51st action falls, also between a change set and its execution. */
const ACTIONS_A_STAGE = 50;

/**
 * The waves as the pipeline gets them: one whose targets need more actions than a stage holds becomes several, each with whole targets.
 * Gates stand before the first part, what follows the wave behind each part's own targets.
 */
export function inBatches(pipeline: Pipeline, stageOf: (target: Target) => Stage): Wave[] {
  return pipeline.waves.flatMap((wave) => {
    const parts: Target[][] = [];
    let room = 0;
    for (const target of wave.targets) {
      const actions = actionsOf(pipeline, target, stageOf(target));
      if (actions > ACTIONS_A_STAGE && pipeline.changeSets) throw tooLong(target, actions);
      if (actions > room) {
        parts.push([]);
        room = ACTIONS_A_STAGE - extra(wave, parts.length === 1);
      }
      parts.at(-1)!.push(target);
      room -= actions;
    }
    if (parts.length <= 1) return [wave];
    return parts.map((targets, index) => ({ ...wave, id: `${wave.id}-${index + 1}`, targets, ...(index === 0 ? {} : { approvals: [], before: [] }) }));
  });
}

/** Actions of a target: one for each stack, or two with a change set, and its tests. */
export function actionsOf(pipeline: Pipeline, target: Target, stage: Stage): number {
  return stacksOf(stage).length * (pipeline.changeSets ? 2 : 1) + target.verify.length;
}

/** The stacks of a stage that are deployed by themselves. */
export function stacksOf(stage: Stage): Stack[] {
  return stage.node.findAll().filter((construct): construct is Stack => Stack.isStack(construct) && !construct.nested);
}

/** Name of a wave's stage in the pipeline: CDK Pipelines calls a wave of one stage by that stage (pipelines, PipelineGraph). */
export function stageName(wave: Wave): string {
  return wave.targets.length === 1 ? wave.targets[0]!.stageId : wave.id;
}

/** Actions of a wave's part beside its targets: gates and steps before, the check and confirmation of permissions, protection after. */
function extra(wave: Wave, first: boolean): number {
  const gates = wave.targets.some(({ permissions }) => permissions) ? 2 : 0;
  const protection = wave.targets.some(({ terminationProtection }) => terminationProtection) ? 1 : 0;
  return gates + protection + (first ? wave.approvals.length + wave.before.length : 0);
}

function tooLong(target: Target, actions: number): FlotillaError {
  return new FlotillaError('CDK013', `stage ${target.stageId} needs ${actions} actions, a stage of a pipeline holds ${ACTIONS_A_STAGE}`, {
    why: 'CDK would split it, and a change set and its execution would stand in different stages: a retry of one would miss the other',
    fix: 'pipeline: { changeSets: false } needs one action a stack instead of two; or spread the stacks over more environments',
    exitCode: 2,
  });
}
