import type { Fleet, Pipeline } from './model.js';
import { PRICES } from './prices.js';
import { machineOf, shapeOf, type Machine, type ShapeAssumptions, type StageShape } from './shape.js';

/** What a fleet file can't say and a price depends on. */
export interface CostAssumptions extends ShapeAssumptions {
  /** Executions of each pipeline a month. */
  readonly runs: number;
  /** Minutes of a build. */
  readonly buildMinutes: number;
  /** Minutes of deploying a stack. */
  readonly deployMinutes: number;
  /** Megabytes of artifacts an execution leaves in each artifact bucket. */
  readonly artifactMegabytes: number;
}

export const DEFAULT_ASSUMPTIONS: CostAssumptions = { stacks: 1, runs: 40, buildMinutes: 3, deployMinutes: 2, artifactMegabytes: 20 };

export interface CostItem {
  readonly what: string;
  readonly quantity: number;
  readonly unit: string;
  /** Dollars a month. */
  readonly dollars: number;
  readonly price: keyof typeof PRICES;
}

export interface Cost {
  readonly items: readonly CostItem[];
  readonly dollars: number;
}

/** What the pipelines themselves cost a month: not what they deploy. */
export function costOf(fleet: Fleet, assumptions: CostAssumptions): Cost {
  const items = [...fleet.pipelines.flatMap((pipeline) => pipelineCost(pipeline, assumptions)), ...supportCost(fleet, assumptions), ...bootstrapCost(fleet)];
  return { items, dollars: cents(items.reduce((sum, { dollars }) => sum + dollars, 0)) };
}

function pipelineCost(pipeline: Pipeline, assumptions: CostAssumptions): readonly CostItem[] {
  const { stages } = shapeOf(pipeline, assumptions);
  const total = (by: (stage: StageShape) => number): number => stages.reduce((sum, stage) => sum + by(stage), 0);
  const builds = total((stage) => stage.builds);
  const stacks = total((stage) => stage.stacks);
  // CodePipeline rounds each action up to a whole minute; a source and a change set take one.
  const quick = total((stage) => stage.actions - stage.builds - stage.approvals) - stacks;
  const minutes = assumptions.runs * (quick + builds * Math.ceil(assumptions.buildMinutes) + stacks * Math.ceil(assumptions.deployMinutes));
  const { bucket, key, templatesOnly } = pipeline.artifacts;
  const sources = 1 + Object.keys(pipeline.inputs).length;
  // Sources and the synthesis write artifacts, which are copied to each other region; builds and deployments read them.
  const writes = sources + (templatesOnly ? 2 : 1) * artifactRegions(pipeline).length;
  return [
    pipeline.type === 'V1' ? item(`pipeline ${pipeline.name}`, 1, 'pipeline', 'codepipeline.v1') : item(`actions of ${pipeline.name}`, minutes, 'minutes', 'codepipeline.v2'),
    ...buildCost(pipeline, stages, assumptions),
    ...(key === undefined && bucket === undefined ? [item(`artifact key of ${pipeline.name}`, 1, 'key', 'kms.key')] : []),
    ...(bucket === undefined ? [item(`artifacts of ${pipeline.name}`, stored(pipeline, assumptions), 'GB', 's3.storage')] : []),
    item(`artifacts written by ${pipeline.name}`, (assumptions.runs * writes) / 1000, 'thousand', 's3.writes'),
    item(`artifacts read by ${pipeline.name}`, (assumptions.runs * (builds + stacks)) / 1000, 'thousand', 's3.reads'),
  ];
}

/** Builds by what they run on; a source with `paths:` in CodeCommit has a short one for each push, of which each run had one. */
function buildCost(pipeline: Pipeline, stages: readonly StageShape[], { runs, buildMinutes }: CostAssumptions): readonly CostItem[] {
  const minutes = new Map<string, { readonly machine: Machine; readonly minutes: number }>();
  const add = (machine: Machine, more: number): void => {
    const key = `${machine.architecture} ${machine.compute}`;
    minutes.set(key, { machine, minutes: (minutes.get(key)?.minutes ?? 0) + more });
  };
  for (const machine of stages.flatMap(({ machines }) => machines)) add(machine, runs * buildMinutes);
  for (const source of [pipeline.source, ...Object.values(pipeline.inputs)]) if ('codecommit' in source && source.paths !== undefined) add(machineOf(pipeline.build), runs);
  return [...minutes.entries()].map(([key, each]) => {
    const { architecture, compute } = each.machine;
    return item(`builds of ${pipeline.name}${minutes.size === 1 ? '' : ` (${key})`}`, each.minutes, 'minutes', architecture === 'arm' ? `codebuild.arm.${compute}` : `codebuild.${compute}`);
  });
}

/** Gigabytes of artifacts that a bucket holds on average. */
function stored({ artifacts }: Pipeline, { runs, artifactMegabytes }: CostAssumptions): number {
  return (runs * artifactMegabytes * artifacts.expireAfter) / 30 / 1024;
}

/** CodePipeline keeps an artifact bucket, and here a key, in each region it acts in; those in other regions than its own are shared by the fleet's pipelines. */
function supportCost({ pipelines }: Fleet, assumptions: CostAssumptions): readonly CostItem[] {
  const others = pipelines.flatMap((pipeline) => artifactRegions(pipeline).slice(1).map((region) => ({ pipeline, place: `${pipeline.account}/${region}` })));
  const keys = new Set(others.map(({ place }) => place)).size;
  if (keys === 0) return [];
  return [item('artifact keys in other regions', keys, keys === 1 ? 'key' : 'keys', 'kms.key'), item('artifacts in other regions', others.reduce((sum, { pipeline }) => sum + stored(pipeline, assumptions), 0), 'GB', 's3.storage')];
}

/** Regions a pipeline keeps artifacts in, its own first. */
function artifactRegions(pipeline: Pipeline): readonly string[] {
  return [...new Set([pipeline.region, ...pipeline.waves.flatMap((wave) => wave.targets.flatMap((target) => target.regions.map(({ region }) => region)))])];
}

function bootstrapCost(fleet: Fleet): readonly CostItem[] {
  const keys = fleet.bootstrap.filter(({ kms }) => kms === true).length;
  return keys === 0 ? [] : [item('keys of bootstraps', keys, keys === 1 ? 'key' : 'keys', 'kms.key')];
}

function item(what: string, quantity: number, unit: string, price: keyof typeof PRICES): CostItem {
  return { what, quantity: Math.round(quantity * 100) / 100, unit, dollars: cents(quantity * PRICES[price].dollars), price };
}

function cents(dollars: number): number {
  return Math.round(dollars * 100) / 100;
}
