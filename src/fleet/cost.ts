import type { Fleet, Pipeline } from './model.js';
import { PRICES } from './prices.js';
import { shapeOf, type ShapeAssumptions } from './shape.js';

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
  const items = [...fleet.pipelines.flatMap((pipeline) => pipelineCost(pipeline, assumptions)), ...bootstrapCost(fleet)];
  return { items, dollars: cents(items.reduce((sum, { dollars }) => sum + dollars, 0)) };
}

function pipelineCost(pipeline: Pipeline, assumptions: CostAssumptions): readonly CostItem[] {
  const { stages } = shapeOf(pipeline, assumptions);
  const total = (by: (stage: (typeof stages)[number]) => number): number => stages.reduce((sum, stage) => sum + by(stage), 0);
  const builds = total((stage) => stage.builds);
  const stacks = total((stage) => stage.stacks);
  // CodePipeline rounds each action up to a whole minute; a source and a change set take one.
  const quick = total((stage) => stage.actions - stage.builds - stage.approvals) - stacks;
  const minutes = assumptions.runs * (quick + builds * Math.ceil(assumptions.buildMinutes) + stacks * Math.ceil(assumptions.deployMinutes));
  const buckets = pipeline.artifacts.bucket === undefined ? artifactRegions(pipeline).length : 0;
  const compute = pipeline.build.compute ?? 'small';
  return [
    pipeline.type === 'V1' ? item(`pipeline ${pipeline.name}`, 1, 'pipeline', 'codepipeline.v1') : item(`actions of ${pipeline.name}`, minutes, 'minutes', 'codepipeline.v2'),
    item(`builds of ${pipeline.name}`, assumptions.runs * builds * assumptions.buildMinutes, 'minutes', `codebuild.${compute}`),
    ...(pipeline.artifacts.key === undefined && buckets > 0 ? [item(`artifact keys of ${pipeline.name}`, buckets, buckets === 1 ? 'key' : 'keys', 'kms.key')] : []),
    ...(buckets > 0 ? [item(`artifacts of ${pipeline.name}`, (buckets * assumptions.runs * assumptions.artifactMegabytes * pipeline.artifacts.expireAfter) / 30 / 1024, 'GB', 's3.storage')] : []),
  ];
}

/** CodePipeline keeps an artifact bucket, and here a key, in each region it acts in. */
export function artifactRegions(pipeline: Pipeline): readonly string[] {
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
