import { describe, expect, it } from 'vitest';
import { torture } from '../../torture/simulation.js';

/** The short form of `npm run torture`; a seed that fails is replayed by `npm run torture -- --simulation --from SEED --seeds 1`. */
describe('random pipelines', () => {
  it.each(Array.from({ length: 60 }, (_, index) => 1000 + index))('end as the model of the rules says: seed %i', async (seed) => {
    expect((await torture(seed, 'none')).executions).toBeGreaterThan(0);
  });

  it.each([2, 7, 23])('end the same when the process dies before any commit: seed %i', async (seed) => {
    expect((await torture(seed, 'every')).commits).toBeGreaterThan(0);
  }, 60_000);
});
