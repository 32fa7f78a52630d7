import { CodePipelineClient, ListPipelinesCommand } from '@aws-sdk/client-codepipeline';
import type { PipelineRef } from '../ops/follow.js';
import { clientSettings } from '../ops/target.js';
import { control } from './cloud/connection.js';
import type { LocalWorld } from './cloud/local.js';

/** Every pipeline of every account the local cloud knows. */
export async function localPipelines(world: LocalWorld): Promise<PipelineRef[]> {
  const places = await control<{ account: string; region: string }[]>(world.connection, 'pipelines');
  const found: PipelineRef[] = [];
  for (const { account, region } of places) {
    const client = new CodePipelineClient(await clientSettings(world.target, account, region));
    const { pipelines = [] } = await client.send(new ListPipelinesCommand({}));
    found.push(...pipelines.map(({ name = '' }) => ({ account, region, name })));
  }
  return found;
}
