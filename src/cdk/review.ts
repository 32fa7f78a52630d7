import { Annotations, CfnResource, Stack } from 'aws-cdk-lib';
import { CfnProject } from 'aws-cdk-lib/aws-codebuild';
import type { Pipeline as CodePipelineResource } from 'aws-cdk-lib/aws-codepipeline';
import { CfnManagedPolicy, CfnPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnKey } from 'aws-cdk-lib/aws-kms';
import { CfnBucketPolicy } from 'aws-cdk-lib/aws-s3';
import { QUOTAS, quotaOf, type Fleet, type Pipeline, type QuotaName } from '../fleet/index.js';
import { afterBuild } from './after-build.js';
import { acknowledgeWildcards } from './judgements.js';

const SPLIT = 'split the environments over several pipelines';

/** Context with which CDK writes templates without indentation. */
const NO_INDENTATION = '@aws-cdk/core:suppressTemplateIndentation';

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
  'cloudformation.template-bytes': `${SPLIT}; a third is indentation, which the context ${NO_INDENTATION} takes away`,
} as const satisfies Partial<Record<QuotaName, string>>;

/** Share of a limit from which the synthesis warns. */
const WARN_AT = 0.8;

/** Bytes of a template that an action and any other resource take, roughly; and the share of the limit at which it is worth knowing better. */
const ROUGHLY = { action: 1500, resource: 2500, share: 0.5 };

/**
 * Looks at the pipeline's stack when everything is in it: warns at 80 % of a limit, fails the synthesis beyond it, each time with the fix; and
 * says of each wildcard in a policy that is the pipeline's own why it stands there.
 */
export function addReview(stack: Stack, fleet: Fleet, pipeline: Pipeline, resource: CodePipelineResource): void {
  afterBuild(stack, 'Budget', () => {
    countActions(stack, fleet, resource);
    const resources = stack.node.findAll().filter((construct): construct is CfnResource => CfnResource.isCfnResource(construct) && Stack.of(construct) === stack);
    review(stack, fleet, pipeline, resources);
    measureTemplate(stack, fleet, resources, resource.stages.reduce((sum, { actions }) => sum + actions.length, 0));
  });
}

function review(stack: Stack, fleet: Fleet, pipeline: Pipeline, resources: readonly CfnResource[]): void {
  check(stack, fleet, 'cloudformation.resources', resources.length, stack.stackName);
  const inline = new Map<string, number>();
  for (const resource of resources) {
    const id = resource.node.path;
    // Only the properties that count: a whole resource costs as much to render as its part of the synthesis.
    const size = (property: unknown): number => (property === undefined ? 0 : deployedLength(stack.resolve(property)));
    if (resource instanceof CfnRole) {
      check(stack, fleet, 'iam.trust-policy-characters', size(resource.assumeRolePolicyDocument), id);
      add(inline, stack.resolve(resource.logicalId) as string, ((stack.resolve(resource.policies) ?? []) as { policyDocument?: unknown }[]).reduce((sum, { policyDocument }) => sum + size(policyDocument), 0));
    } else if (resource instanceof CfnPolicy) {
      const document = stack.resolve(resource.policyDocument) as object;
      acknowledgeWildcards(pipeline, resource, document);
      for (const role of (stack.resolve(resource.roles) ?? []) as { Ref?: string }[]) add(inline, role.Ref ?? id, deployedLength(document));
    } else if (resource instanceof CfnManagedPolicy) check(stack, fleet, 'iam.managed-policy-characters', size(resource.policyDocument), id);
    else if (resource instanceof CfnBucketPolicy) check(stack, fleet, 's3.bucket-policy-bytes', size(resource.policyDocument), id);
    else if (resource instanceof CfnKey) check(stack, fleet, 'kms.key-policy-bytes', size(resource.keyPolicy), id);
    else if (resource instanceof CfnProject) {
      const { buildSpec } = stack.resolve(resource.source) as { buildSpec?: unknown };
      check(stack, fleet, 'codebuild.buildspec-characters', buildSpec === undefined ? 0 : textLength(buildSpec), id);
    }
  }
  for (const [role, size] of inline) check(stack, fleet, 'iam.role-policy-characters', size, role);
}

/** The size of the template as CDK will write it. Rendering everything once more costs, so it is done only where the counts say that it may matter. */
function measureTemplate(stack: Stack, fleet: Fleet, resources: readonly CfnResource[], actions: number): void {
  const limit = quotaOf(fleet.quotas, 'cloudformation.template-bytes');
  if (actions * ROUGHLY.action + resources.length * ROUGHLY.resource < limit * ROUGHLY.share) return;
  const indentation = stack.node.tryGetContext(NO_INDENTATION) ? undefined : 1;
  const bodies = resources.map((resource) => (stack.resolve(resource._toCloudFormation()) as { readonly Resources?: object }).Resources);
  check(stack, fleet, 'cloudformation.template-bytes', Buffer.byteLength(JSON.stringify({ Resources: Object.assign({}, ...bodies) }, undefined, indentation)), stack.stackName);
}

function countActions(stack: Stack, fleet: Fleet, { node, stages }: CodePipelineResource): void {
  check(stack, fleet, 'codepipeline.stages', stages.length, node.path);
  check(stack, fleet, 'codepipeline.actions', stages.reduce((sum, { actions }) => sum + actions.length, 0), node.path);
  for (const { stageName, actions } of stages) check(stack, fleet, 'codepipeline.actions-per-stage', actions.length, `${node.path}/${stageName}`);
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
