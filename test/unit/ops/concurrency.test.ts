import { describe, expect, it } from 'vitest';
import { each, limiter } from '../../../src/ops/concurrency.js';

describe('a limiter', () => {
  it('lets no more run than it was made for, and answers in order', async () => {
    let running = 0;
    let most = 0;
    const results = await each(limiter(3), [...Array(20).keys()], async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return item;
    });
    expect(results).toEqual([...Array(20).keys()]);
    expect(most).toBe(3);
  });

  it('goes on after a failure', async () => {
    const limit = limiter(1);
    await expect(limit(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await limit(() => Promise.resolve('yes'))).toBe('yes');
  });
});
