import { nearest } from '../shared/suggest.js';
import type { Fleet } from './model.js';
import type { Report } from './resolve/names.js';
import { shapeOf, type PipelineShape, type ShapeAssumptions } from './shape.js';

/** A limit of AWS's that fleets run into. */
export interface Quota {
  /** Its value where `quotas:` of the fleet file says no other. */
  readonly limit: number;
  readonly unit: string;
  readonly what: string;
  /** Whether AWS raises it on request. */
  readonly adjustable: boolean;
  readonly source: string;
}

/** Read on 2026-11-21. The one table: `plan` counts what a model shows, the constructs what a template shows, `doctor` what an account has. */
export const QUOTAS = {
  'codepipeline.stages': { limit: 50, unit: 'stages', what: 'stages of a pipeline', adjustable: true, source: 'CodePipeline user guide, Quotas' },
  'codepipeline.actions-per-stage': { limit: 50, unit: 'actions', what: 'actions of a stage', adjustable: false, source: 'CodePipeline user guide, Quotas' },
  'codepipeline.actions': { limit: 500, unit: 'actions', what: 'actions of a pipeline', adjustable: true, source: 'CodePipeline user guide, Quotas' },
  'codebuild.concurrent-builds': { limit: 20, unit: 'builds', what: 'builds at the same time (new accounts: 1 to 5; see Service Quotas)', adjustable: true, source: 'CodeBuild user guide, Quotas' },
  'codebuild.buildspec-characters': { limit: 25_600, unit: 'characters', what: 'inline buildspec of a project', adjustable: false, source: 'UpdateProject: Max buildspec length is 25600' },
  'iam.role-policy-characters': { limit: 10_240, unit: 'characters', what: 'inline policies of a role together', adjustable: false, source: 'IAM user guide, IAM and STS quotas' },
  'iam.managed-policy-characters': { limit: 6144, unit: 'characters', what: 'a managed policy', adjustable: false, source: 'IAM user guide, IAM and STS quotas' },
  'iam.trust-policy-characters': { limit: 2048, unit: 'characters', what: 'trust policy of a role', adjustable: true, source: 'IAM user guide, IAM and STS quotas' },
  's3.bucket-policy-bytes': { limit: 20 * 1024, unit: 'bytes', what: 'policy of a bucket', adjustable: false, source: 'S3 user guide, Bucket policies' },
  'kms.key-policy-bytes': { limit: 32 * 1024, unit: 'bytes', what: 'policy of a key', adjustable: false, source: 'KMS developer guide, Resource quotas' },
  'cloudformation.resources': { limit: 500, unit: 'resources', what: 'resources of a stack', adjustable: false, source: 'CloudFormation user guide, Quotas' },
  'cloudformation.template-bytes': { limit: 1_000_000, unit: 'bytes', what: 'template of a stack, from S3', adjustable: false, source: 'CreateChangeSet: Template may not exceed 1000000 bytes in size' },
} as const satisfies Readonly<Record<string, Quota>>;

export type QuotaName = keyof typeof QUOTAS;

/** How much of a quota one pipeline uses. */
export interface QuotaUse {
  readonly quota: QuotaName;
  readonly pipeline: string;
  /** The stage it is counted in, where the quota is one of a stage. */
  readonly stage: string | undefined;
  readonly used: number;
  readonly limit: number;
}

/** The value that holds for a fleet: its own or AWS's default. */
export function quotaOf(quotas: Fleet['quotas'], name: QuotaName): number {
  return quotas[name] ?? QUOTAS[name].limit;
}

/** What the model shows of the quotas, the fullest stage for those of a stage. */
export function quotaUses(fleet: Fleet, assumptions: ShapeAssumptions): readonly QuotaUse[] {
  return fleet.pipelines.flatMap((pipeline) => {
    const shape = shapeOf(pipeline, assumptions);
    const use = (quota: QuotaName, used: number, stage?: string): QuotaUse => ({ quota, pipeline: pipeline.name, stage, used, limit: quotaOf(fleet.quotas, quota) });
    const fullest = most(shape, ({ actions }) => actions);
    const busiest = most(shape, ({ builds }) => builds);
    return [
      use('codepipeline.stages', shape.stages.length),
      use('codepipeline.actions-per-stage', fullest.actions, fullest.name),
      use('codepipeline.actions', shape.stages.reduce((sum, { actions }) => sum + actions, 0)),
      use('codebuild.concurrent-builds', busiest.builds, busiest.name),
    ];
  });
}

/** Quotas by name, and what is beyond them whatever the app holds. */
export function checkQuotas(fleet: Fleet, report: Report): void {
  for (const name of Object.keys(fleet.quotas)) {
    if (Object.hasOwn(QUOTAS, name)) continue;
    const meant = nearest(name, Object.keys(QUOTAS));
    report({ code: 'CFG066', path: ['quotas', name], atKey: true, what: 'is no quota that Flotilla counts', fix: meant === undefined ? `there are ${Object.keys(QUOTAS).join(', ')}` : `did you mean ${meant}?` });
  }
  const limit = quotaOf(fleet.quotas, 'codepipeline.stages');
  for (const pipeline of fleet.pipelines) {
    const stages = shapeOf(pipeline, { stacks: 1 }).stages.length;
    if (stages > limit) report({ code: 'CFG054', path: pipeline.key === undefined ? ['pipeline'] : ['pipelines', pipeline.key], atKey: true, what: `has ${stages} stages, and CodePipeline takes ${limit}`, fix: `deploy more at the same time (rollout, wave), make several pipelines, or raise the quota and say so: quotas: { codepipeline.stages: ${stages} }` });
  }
}

function most(shape: PipelineShape, by: (stage: PipelineShape['stages'][number]) => number): PipelineShape['stages'][number] {
  return shape.stages.reduce((best, stage) => (by(stage) > by(best) ? stage : best));
}
