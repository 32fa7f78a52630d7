import { CloudFormationClient, GetTemplateCommand, paginateListStackResources, type Stack } from '@aws-sdk/client-cloudformation';
import { parseTemplate } from '../changes/deployed.js';
import { describeStack, type StackRef } from '../stacks.js';
import { clientOf, type Target } from '../target.js';
import { bucketContent } from './buckets.js';
import { keyOf, type Item, type Layer, type LogGroupItem, type Retained, type StackItem } from './items.js';

export interface StackAnatomy {
  readonly item: StackItem;
  readonly retained: readonly Retained[];
  /** What outlives the stack and is nobody's then: log groups of its functions and builds. */
  readonly leftovers: readonly Item[];
}

interface Resource {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly kept: boolean;
}

/** Log groups that services make by themselves for what a stack holds. */
const LOGS: Readonly<Record<string, (name: string) => string>> = {
  'AWS::Lambda::Function': (name) => `/aws/lambda/${name}`,
  'AWS::CodeBuild::Project': (name) => `/aws/codebuild/${name}`,
};

/** Looks into a stack that stands: what goes with it, what it leaves. Undefined where it does not stand. */
export async function dissect(target: Target, ref: StackRef, layer: Layer): Promise<StackAnatomy | undefined> {
  const stack = await describeStack(target, ref);
  if (!stack) return undefined;
  const resources = await resourcesOf(target, ref, stack);
  const going = resources.filter(({ kept }) => !kept);
  const named = (type: string): string[] => going.filter((one) => one.type === type).map(({ name }) => name);
  const { account, region } = ref;
  return {
    item: { kind: 'stack', layer, key: keyOf('stack', ref, ref.stackName), account, region, name: ref.stackName, id: stack.StackId ?? ref.stackName, protected: stack.EnableTerminationProtection ?? false, after: [], buckets: named('AWS::S3::Bucket'), repositories: named('AWS::ECR::Repository') },
    retained: await Promise.all(
      resources.filter(({ kept }) => kept).map(async ({ type, name }) => {
        const content = type === 'AWS::S3::Bucket' ? await bucketContent(target, ref, name).catch(() => undefined) : undefined;
        return { account, region, stack: ref.stackName, type, name, ...(content ? { data: `${content.versions}${content.more ? '+' : ''} object versions` } : {}) };
      }),
    ),
    leftovers: going.flatMap(({ type, name }): LogGroupItem[] => (LOGS[type] ? [{ kind: 'log group', layer: 'logs', key: keyOf('log group', ref, LOGS[type](name)), account, region, name: LOGS[type](name) }] : [])),
  };
}

async function resourcesOf(target: Target, ref: StackRef, stack: Stack): Promise<Resource[]> {
  if (stack.StackStatus === 'REVIEW_IN_PROGRESS') return [];
  const client = await clientOf(target, CloudFormationClient, ref.account, ref.region);
  const { TemplateBody = '{}' } = await client.send(new GetTemplateCommand({ StackName: ref.stackName, TemplateStage: 'Processed' }));
  const template = parseTemplate(TemplateBody) as { Resources?: Record<string, { DeletionPolicy?: string }> };
  const found: Resource[] = [];
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: ref.stackName }))
    for (const { LogicalResourceId = '', ResourceType = '', PhysicalResourceId, ResourceStatus = '' } of StackResourceSummaries)
      if (PhysicalResourceId && !/^DELETE_(COMPLETE|SKIPPED)$/.test(ResourceStatus)) found.push({ id: LogicalResourceId, type: ResourceType, name: PhysicalResourceId, kept: /^Retain/.test(template.Resources?.[LogicalResourceId]?.DeletionPolicy ?? '') });
  return found;
}
