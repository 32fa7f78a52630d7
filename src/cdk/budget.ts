import { Annotations, CfnResource, Stack } from 'aws-cdk-lib';
import type { Fleet } from '../fleet/index.js';
import { afterBuild } from './after-build.js';

/** A documented limit that a generated pipeline can run into. `name` is its key under `quotas` of the fleet file. */
interface Budget {
  readonly name: string;
  readonly limit: number;
  readonly unit: string;
  readonly fix: string;
}

/** Limits of IAM, S3, KMS, CodeBuild, CodePipeline and CloudFormation, with what helps when one is near (quota pages of each service). */
const BUDGETS = {
  inlinePolicies: { name: 'iam.inlinePolicies', limit: 10_240, unit: 'characters of inline policies of a role', fix: 'split the environments over several pipelines' },
  managedPolicy: { name: 'iam.managedPolicy', limit: 6144, unit: 'characters of a managed policy', fix: 'split the environments over several pipelines' },
  trustPolicy: { name: 'iam.trustPolicy', limit: 2048, unit: 'characters of a trust policy', fix: 'ask for a higher quota (8,192 at most) and set it under quotas' },
  bucketPolicy: { name: 's3.bucketPolicy', limit: 20_480, unit: 'bytes of a bucket policy', fix: 'split the environments over several pipelines' },
  keyPolicy: { name: 'kms.keyPolicy', limit: 32_768, unit: 'bytes of a key policy', fix: 'split the environments over several pipelines' },
  buildspec: { name: 'codebuild.buildspec', limit: 25_600, unit: 'characters of an inline buildspec', fix: 'pipeline: { assets: { batch: true } } moves it into a file' },
  stages: { name: 'codepipeline.stages', limit: 50, unit: 'stages of a pipeline', fix: 'put environments into one wave (wave: NAME), or split them over several pipelines' },
  stageActions: { name: 'codepipeline.stageActions', limit: 50, unit: 'actions of a stage', fix: 'split the wave' },
  actions: { name: 'codepipeline.actions', limit: 500, unit: 'actions of a pipeline', fix: 'pipeline: { changeSets: false } halves the deployments; or split the environments over several pipelines' },
  resources: { name: 'cloudformation.resources', limit: 500, unit: 'resources of a stack', fix: 'split the environments over several pipelines' },
} as const satisfies Record<string, Budget>;

/** Share of a limit from which the synthesis warns. */
const WARN_AT = 0.8;

/** Measures the pipeline's stack when everything is in it: warns at 80 % of a limit, fails the synthesis beyond it, each time with the fix. */
export function addBudget(stack: Stack, fleet: Fleet): void {
  afterBuild(stack, 'Budget', () => measure(stack, fleet));
}

function measure(stack: Stack, fleet: Fleet): void {
  const resources = stack.node.findAll().filter((construct): construct is CfnResource => CfnResource.isCfnResource(construct) && Stack.of(construct) === stack);
  check(stack, fleet, BUDGETS.resources, resources.length, stack.stackName);
  const inline = new Map<string, number>();
  for (const resource of resources) {
    const { Properties: properties = {} } = rendered(stack, resource);
    const id = resource.node.path;
    const size = (value: unknown): number => (value === undefined ? 0 : deployedLength(value));
    switch (resource.cfnResourceType) {
      case 'AWS::IAM::Role':
        check(stack, fleet, BUDGETS.trustPolicy, size(properties['AssumeRolePolicyDocument']), id);
        add(inline, stack.resolve(resource.logicalId) as string, ((properties['Policies'] ?? []) as { PolicyDocument?: unknown }[]).reduce((sum, { PolicyDocument }) => sum + size(PolicyDocument), 0));
        break;
      case 'AWS::IAM::Policy':
        for (const role of (properties['Roles'] ?? []) as { Ref?: string }[]) add(inline, role.Ref ?? id, size(properties['PolicyDocument']));
        break;
      case 'AWS::IAM::ManagedPolicy':
        check(stack, fleet, BUDGETS.managedPolicy, size(properties['PolicyDocument']), id);
        break;
      case 'AWS::S3::BucketPolicy':
        check(stack, fleet, BUDGETS.bucketPolicy, size(properties['PolicyDocument']), id);
        break;
      case 'AWS::KMS::Key':
        check(stack, fleet, BUDGETS.keyPolicy, size(properties['KeyPolicy']), id);
        break;
      case 'AWS::CodeBuild::Project': {
        const { BuildSpec } = (properties['Source'] ?? {}) as { BuildSpec?: unknown };
        check(stack, fleet, BUDGETS.buildspec, BuildSpec === undefined ? 0 : textLength(BuildSpec), id);
        break;
      }
      case 'AWS::CodePipeline::Pipeline': {
        const stages = (properties['Stages'] ?? []) as { Name: string; Actions: unknown[] }[];
        check(stack, fleet, BUDGETS.stages, stages.length, id);
        check(stack, fleet, BUDGETS.actions, stages.reduce((sum, { Actions }) => sum + Actions.length, 0), id);
        for (const { Name, Actions } of stages) check(stack, fleet, BUDGETS.stageActions, Actions.length, `${id}/${Name}`);
        break;
      }
    }
  }
  for (const [role, size] of inline) check(stack, fleet, BUDGETS.inlinePolicies, size, role);
}

function check(stack: Stack, fleet: Fleet, { name, limit: documented, unit, fix }: Budget, used: number, where: string): void {
  const limit = fleet.quotas[name] ?? documented;
  // A stage that is full is how waves are cut; only one that overflows is worth a word.
  if (used <= limit * WARN_AT || (name === BUDGETS.stageActions.name && used <= limit)) return;
  const text = `${where}: about ${used} of ${limit} ${unit}`;
  if (used <= limit) Annotations.of(stack).addWarningV2(`flotilla:${name}:${where}`, `${text}; ${fix}`);
  else Annotations.of(stack).addError(`CDK021 ${text}; ${fix}, or raise quotas: { ${name}: … } in the fleet file where your account's is higher`);
}

/** The resource as the template will have it. */
function rendered(stack: Stack, resource: CfnResource): { Properties?: Record<string, unknown> } {
  const template = stack.resolve(resource._toCloudFormation()) as { Resources?: Record<string, { Properties?: Record<string, unknown> }> };
  return Object.values(template.Resources ?? {})[0] ?? {};
}

/** Characters of a policy once CloudFormation has put values in place of its intrinsics; ARNs are taken as long as CDK's are. */
function deployedLength(value: unknown): number {
  return JSON.stringify(filled(value)).length;
}

function textLength(value: unknown): number {
  const text = filled(value);
  return typeof text === 'string' ? text.length : JSON.stringify(text).length;
}

const PSEUDO: Readonly<Record<string, number>> = { 'AWS::Partition': 3, 'AWS::AccountId': 12, 'AWS::Region': 14, 'AWS::URLSuffix': 13 };

function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  const [key, argument] = Object.entries(value)[0] ?? [];
  if (key === 'Ref') return 'x'.repeat(PSEUDO[String(argument)] ?? 60);
  if (key === 'Fn::GetAtt' || key === 'Fn::ImportValue') return 'x'.repeat(100);
  if (key === 'Fn::Join') {
    const [separator, items] = argument as [string, unknown[]];
    return items.map((item) => String(filled(item))).join(separator);
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item)]));
}

function add(sums: Map<string, number>, key: string, size: number): void {
  sums.set(key, (sums.get(key) ?? 0) + size);
}
