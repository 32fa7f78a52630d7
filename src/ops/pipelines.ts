import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { unlessAbsent } from './aws/absent.js';
import type { PipelineRef } from './follow.js';
import type { StackRef } from './stacks.js';
import { clientOf, type Target } from './target.js';

/** Pipelines a stack made, by CloudFormation's own account of it; none where it does not stand. */
export async function stackPipelines(target: Target, { account, region, stackName }: StackRef): Promise<PipelineRef[]> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  const found: PipelineRef[] = [];
  for (let NextToken: string | undefined, first = true; first || NextToken; first = false) {
    const page = await unlessAbsent(client.send(new ListStackResourcesCommand({ StackName: stackName, NextToken })));
    NextToken = page?.NextToken;
    for (const { ResourceType, ResourceStatus = '', PhysicalResourceId } of page?.StackResourceSummaries ?? [])
      if (ResourceType === 'AWS::CodePipeline::Pipeline' && PhysicalResourceId && !/^DELETE_COMPLETE/.test(ResourceStatus)) found.push({ account, region, name: PhysicalResourceId });
  }
  return found;
}
