import type { BuildSettings } from '../config/index.js';
import type { Pipeline, Step, Target, Wave } from './model.js';

/** What a fleet file doesn't say about its app. */
export interface ShapeAssumptions {
  /** Stacks of the app in each target, templates of the fleet file aside. */
  readonly stacks: number;
}

/** How many actions and builds a pipeline will have, by stage. */
export interface PipelineShape {
  readonly stages: readonly StageShape[];
}

export interface StageShape {
  readonly name: string;
  readonly actions: number;
  /** Actions that are CodeBuild builds; they run at the same time at most. */
  readonly builds: number;
  /** What those builds run on. */
  readonly machines: readonly Machine[];
  /** Actions that wait for a person. */
  readonly approvals: number;
  /** Stacks deployed. */
  readonly stacks: number;
}

/** The processor and size of a build. */
export interface Machine {
  readonly architecture: NonNullable<BuildSettings['architecture']>;
  readonly compute: NonNullable<BuildSettings['compute']>;
}

/** What a build runs on: as its step says, else as the pipeline's builds. */
export function machineOf(base: BuildSettings, own: BuildSettings = {}): Machine {
  return { architecture: own.architecture ?? base.architecture ?? 'x86', compute: own.compute ?? base.compute ?? 'small' };
}

/** Actions as CDK Pipelines makes them: two a stack (a change set prepared, then executed), one without change sets. */
export function shapeOf(pipeline: Pipeline, { stacks }: ShapeAssumptions): PipelineShape {
  const own = [
    { name: 'Source', actions: 1 + Object.keys(pipeline.inputs).length, builds: 0, machines: [], approvals: 0, stacks: 0 },
    build('Build', machineOf(pipeline.build, pipeline.synth)),
    ...(pipeline.selfMutation ? [build('UpdatePipeline', machineOf(pipeline.build))] : []),
    // One action publishes all assets; published one by one their number is the app's, and at least one.
    build('Assets', machineOf(pipeline.build)),
  ];
  return { stages: [...own, ...pipeline.waves.map((wave) => waveShape(wave, pipeline, stacks))] };
}

/** Stacks of a target: the app's, and those of templates, in each of its regions. */
export function stacksOf(target: Target, stacks: number): number {
  return (stacks + target.templates.length) * target.regions.length;
}

function waveShape(wave: Wave, pipeline: Pipeline, stacks: number): StageShape {
  const perStack = pipeline.changeSets ? 2 : 1;
  // The constructs check permissions, and protect stacks, once a wave (src/cdk/gates.ts).
  const gates = wave.targets.flatMap(({ permissions }) => permissions ?? []);
  const protects = wave.targets.some(({ terminationProtection }) => terminationProtection);
  const own = (steps: readonly Step[]): Machine[] => steps.map((step) => machineOf(pipeline.build, step.build));
  const common = Array.from({ length: (gates.length > 0 ? 1 : 0) + (protects ? 1 : 0) }, () => machineOf(pipeline.build));
  const machines = [...own(wave.before), ...wave.targets.flatMap(({ verify }) => own(verify)), ...common];
  const approvals = wave.approvals.length + (gates.some(({ approve }) => approve) ? 1 : 0);
  const deployed = wave.targets.reduce((sum, target) => sum + stacksOf(target, stacks), 0);
  return { name: wave.id, actions: machines.length + approvals + deployed * perStack, builds: machines.length, machines, approvals, stacks: deployed };
}

function build(name: string, machine: Machine): StageShape {
  return { name, actions: 1, builds: 1, machines: [machine], approvals: 0, stacks: 0 };
}
