import { CodePipelineClient, GetPipelineCommand, ListPipelinesCommand, type PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { each, type Limiter } from '../concurrency.js';
import type { PipelineRef } from '../follow.js';
import { clientOf, type Target } from '../target.js';
import { DEFAULT_QUALIFIER } from '../../shared/bootstrap.js';
import { type FleetPair, type FleetStack, type OperatedFleet, type Pair } from './fleet.js';

/** Every pipeline of these accounts and regions, or those of the names given. */
export async function pipelinesIn(target: Target, places: readonly Pair[], names: readonly string[], limit: Limiter): Promise<PipelineRef[]> {
  const found = await each(limit, places, async ({ account, region }) => {
    const client = await clientOf(target, CodePipelineClient, account, region);
    const refs: PipelineRef[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(new ListPipelinesCommand({ nextToken }));
      refs.push(...(page.pipelines ?? []).map(({ name = '' }) => ({ account, region, name })));
      nextToken = page.nextToken;
    } while (nextToken);
    return refs;
  });
  return found.flat().filter(({ name }) => names.length === 0 || names.includes(name));
}

/** The fleet as the pipelines that stand describe it: what their CloudFormation actions deploy, and where. */
export async function fleetFromPipelines(target: Target, pipelines: readonly PipelineRef[], limit: Limiter): Promise<OperatedFleet> {
  const declared = await each(limit, pipelines, async (pipeline) => {
    const client = await clientOf(target, CodePipelineClient, pipeline.account, pipeline.region);
    return { pipeline, declaration: (await client.send(new GetPipelineCommand({ name: pipeline.name }))).pipeline! };
  });
  const stacks = declared.flatMap(({ pipeline, declaration }) => stacksOf(declaration, pipeline));
  const trusted = [...new Set(pipelines.map(({ account }) => account))].sort();
  const pairs = new Map<string, FleetPair>();
  for (const { account, region, qualifier, stage } of [...stacks, ...pipelines.map((pipeline) => ({ ...pipeline, qualifier: qualifierOf(declared.find((one) => one.pipeline === pipeline)!.declaration), stage: undefined }))])
    if (!pairs.has(`${account}/${region}/${qualifier}`))
      pairs.set(`${account}/${region}/${qualifier}`, {
        account,
        region,
        ...(stage === undefined ? {} : { environment: stage.toLowerCase() }),
        bootstrap: { qualifier, ...(qualifier === DEFAULT_QUALIFIER ? {} : { toolkitStackName: `CDKToolkit-${qualifier}` }), trust: trusted.filter((other) => other !== account), trustForLookup: [] },
      });
  return { name: pipelines.map(({ name }) => name).join(', '), pipelines: [...pipelines], pairs: [...pairs.values()], stacks };
}

/** Stacks of the CloudFormation actions. The account is the one of the role the action acts with; the order of a stage is that of its run orders. */
export function stacksOf(declaration: PipelineDeclaration, pipeline: PipelineRef): FleetStack[] {
  const stacks = new Map<string, FleetStack>();
  for (const stage of declaration.stages ?? [])
    for (const action of stage.actions ?? []) {
      const stackName = action.configuration?.['StackName'];
      if (action.actionTypeId?.provider !== 'CloudFormation' || stackName === undefined) continue;
      const role = action.roleArn ?? action.configuration?.['RoleArn'] ?? '';
      const account = role.split(':')[4] || pipeline.account;
      const region = action.region ?? pipeline.region;
      const path = `${account}/${region}/${stackName}`;
      stacks.set(path, { path, stackName, account, region, dependsOn: [], kind: 'application', qualifier: /role\/cdk-([A-Za-z0-9_-]+?)-(?:deploy|cfn-exec)-role-/.exec(role)?.[1] ?? DEFAULT_QUALIFIER, stage: stage.name ?? '' });
    }
  return [...stacks.values()];
}

function qualifierOf(declaration: PipelineDeclaration): string {
  for (const stage of declaration.stages ?? [])
    for (const { roleArn = '' } of stage.actions ?? []) {
      const found = /role\/cdk-([A-Za-z0-9_-]+?)-deploy-role-/.exec(roleArn)?.[1];
      if (found) return found;
    }
  return DEFAULT_QUALIFIER;
}
