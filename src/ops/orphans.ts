import { CodePipelineClient, GetPipelineCommand, ListActionExecutionsCommand } from '@aws-sdk/client-codepipeline';
import { unlessAbsent } from './aws/absent.js';
import { stacksOf } from './fleet/from-pipelines.js';
import { DEFAULT_QUALIFIER } from '../shared/bootstrap.js';
import { type FleetStack } from './fleet/fleet.js';
import type { PipelineRef } from './follow.js';
import { describeStack } from './stacks.js';
import { clientOf, type Target } from './target.js';

/**
 * Stacks that a pipeline deployed once and declares no more: of a region that was removed, a stage that was renamed. What it deployed its own
 * history tells (CodePipeline keeps twelve months of it), so stacks of others are never among them.
 */
export async function orphans(target: Target, pipeline: PipelineRef): Promise<FleetStack[]> {
  const client = await clientOf(target, CodePipelineClient, pipeline.account, pipeline.region);
  // A fleet may declare a pipeline that isn't there yet, or no more.
  const declaration = (await unlessAbsent(client.send(new GetPipelineCommand({ name: pipeline.name }))))?.pipeline;
  if (!declaration) return [];
  const declared = new Set(stacksOf(declaration, pipeline).map(({ path }) => path));
  const found = new Map<string, FleetStack>();
  for (let nextToken: string | undefined, first = true; first || nextToken; first = false) {
    const page = await client.send(new ListActionExecutionsCommand({ pipelineName: pipeline.name, maxResults: 100, nextToken }));
    nextToken = page.nextToken;
    for (const { input, status, stageName } of page.actionExecutionDetails ?? []) {
      const stackName = input?.configuration?.['StackName'];
      if (status !== 'Succeeded' || input?.actionTypeId?.provider !== 'CloudFormation' || !stackName || !/EXECUTE|CREATE_UPDATE/.test(input.configuration?.['ActionMode'] ?? '')) continue;
      const account = (input.roleArn ?? input.configuration?.['RoleArn'])?.split(':')[4] || pipeline.account;
      const region = input.region ?? pipeline.region;
      const path = `${account}/${region}/${stackName}`;
      if (!declared.has(path) && !found.has(path)) found.set(path, { path, stackName, account, region, dependsOn: [], kind: 'application', qualifier: /role\/cdk-([A-Za-z0-9_-]+?)-deploy-role-/.exec(input.roleArn ?? '')?.[1] ?? DEFAULT_QUALIFIER, ...(stageName ? { stage: stageName } : {}) });
    }
  }
  const standing = await Promise.all([...found.values()].map(async (stack) => ((await describeStack(target, stack)) ? stack : undefined)));
  return standing.filter((stack) => stack !== undefined);
}
