import { Annotations, CfnResource, Stack } from 'aws-cdk-lib';
import { QUOTAS, quotaOf, type Fleet, type Pipeline, type QuotaName } from '../fleet/index.js';
import { afterBuild } from './after-build.js';
import { acknowledgeWildcards } from './judgements.js';

const SPLIT = 'split the environments over several pipelines';

/** What helps when a quota is near. */
const FIXES = {
  'iam.role-policy-characters': SPLIT,
  'iam.managed-policy-characters': SPLIT,
  'iam.trust-policy-characters': 'ask for a higher quota (8,192 at most) and say so under quotas',
  's3.bucket-policy-bytes': SPLIT,
  'kms.key-policy-bytes': SPLIT,
  'codebuild.buildspec-characters': 'pipeline: { assets: { batch: true } } moves it into a file',
  'codepipeline.stages': 'put environments into one wave (wave: NAME), or split them over several pipelines',
  'codepipeline.actions-per-stage': 'split the wave (rollout)',
  'codepipeline.actions': 'pipeline: { changeSets: false } halves the deployments; or split the environments over several pipelines',
  'cloudformation.resources': SPLIT,
  'cloudformation.template-bytes': SPLIT,
} as const satisfies Partial<Record<QuotaName, string>>;

/** Share of a limit from which the synthesis warns. */
const WARN_AT = 0.8;

/**
 * Looks at the pipeline's stack when everything is in it: warns at 80 % of a limit, fails the synthesis beyond it, each time with the fix; and
 * says of each wildcard in a policy that is the pipeline's own why it stands there.
 */
export function addReview(stack: Stack, fleet: Fleet, pipeline: Pipeline): void {
  afterBuild(stack, 'Budget', () => review(stack, fleet, pipeline));
}

function review(stack: Stack, fleet: Fleet, pipeline: Pipeline): void {
  const resources = stack.node.findAll().filter((construct): construct is CfnResource => CfnResource.isCfnResource(construct) && Stack.of(construct) === stack);
  check(stack, fleet, 'cloudformation.resources', resources.length, stack.stackName);
  const inline = new Map<string, number>();
  let bytes = 0;
  for (const resource of resources) {
    const body = rendered(stack, resource);
    const { Properties: properties = {} } = body;
    bytes += JSON.stringify(body).length;
    const id = resource.node.path;
    const size = (value: unknown): number => (value === undefined ? 0 : deployedLength(value));
    switch (resource.cfnResourceType) {
      case 'AWS::IAM::Role':
        check(stack, fleet, 'iam.trust-policy-characters', size(properties['AssumeRolePolicyDocument']), id);
        add(inline, stack.resolve(resource.logicalId) as string, ((properties['Policies'] ?? []) as { PolicyDocument?: unknown }[]).reduce((sum, { PolicyDocument }) => sum + size(PolicyDocument), 0));
        break;
      case 'AWS::IAM::Policy':
        acknowledgeWildcards(pipeline, resource, properties);
        for (const role of (properties['Roles'] ?? []) as { Ref?: string }[]) add(inline, role.Ref ?? id, size(properties['PolicyDocument']));
        break;
      case 'AWS::IAM::ManagedPolicy':
        check(stack, fleet, 'iam.managed-policy-characters', size(properties['PolicyDocument']), id);
        break;
      case 'AWS::S3::BucketPolicy':
        check(stack, fleet, 's3.bucket-policy-bytes', size(properties['PolicyDocument']), id);
        break;
      case 'AWS::KMS::Key':
        check(stack, fleet, 'kms.key-policy-bytes', size(properties['KeyPolicy']), id);
        break;
      case 'AWS::CodeBuild::Project': {
        const { BuildSpec } = (properties['Source'] ?? {}) as { BuildSpec?: unknown };
        check(stack, fleet, 'codebuild.buildspec-characters', BuildSpec === undefined ? 0 : textLength(BuildSpec), id);
        break;
      }
      case 'AWS::CodePipeline::Pipeline': {
        const stages = (properties['Stages'] ?? []) as { Name: string; Actions: unknown[] }[];
        check(stack, fleet, 'codepipeline.stages', stages.length, id);
        check(stack, fleet, 'codepipeline.actions', stages.reduce((sum, { Actions }) => sum + Actions.length, 0), id);
        for (const { Name, Actions } of stages) check(stack, fleet, 'codepipeline.actions-per-stage', Actions.length, `${id}/${Name}`);
        break;
      }
    }
  }
  check(stack, fleet, 'cloudformation.template-bytes', bytes, stack.stackName);
  for (const [role, size] of inline) check(stack, fleet, 'iam.role-policy-characters', size, role);
}

function check(stack: Stack, fleet: Fleet, quota: keyof typeof FIXES, used: number, where: string): void {
  const limit = quotaOf(fleet.quotas, quota);
  // A stage that is full is how waves are cut; only one that overflows is worth a word.
  if (used <= limit * WARN_AT || (quota === 'codepipeline.actions-per-stage' && used <= limit)) return;
  const { unit, what } = QUOTAS[quota];
  const text = `${where}: ${what}: about ${used} of ${limit} ${unit}; ${FIXES[quota]}`;
  if (used <= limit) Annotations.of(stack).addWarningV2(`flotilla:${quota}:${where}`, text);
  else Annotations.of(stack).addError(`CDK021 ${text}, or say so where your account's quota is higher: quotas: { ${quota}: … }`);
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
