import { limiter } from '../ops/concurrency.js';
import type { Pair } from '../ops/fleet/fleet.js';
import { pipelinesIn } from '../ops/fleet/from-pipelines.js';
import type { PipelineRef } from '../ops/follow.js';
import { control } from './cloud/connection.js';
import type { LocalWorld } from './cloud/local.js';

/** Every pipeline of every account the local cloud knows. */
export async function localPipelines(world: LocalWorld): Promise<PipelineRef[]> {
  return pipelinesIn(world.target, await control<Pair[]>(world.connection, 'pipelines'), [], limiter());
}
