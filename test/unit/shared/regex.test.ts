import { describe, expect, it } from 'vitest';
import { testPattern } from '../../../src/shared/regex.js';

describe('a pattern somebody else wrote', () => {
  it('matches as it always does', () => {
    expect(testPattern(/^[a-z]+$/, 'abc')).toBe(true);
    expect(testPattern(/^[a-z]+$/, 'abC')).toBe(false);
    expect(testPattern(/^(?=.*[A-Z])(?=.*\d).{8,}$/, 'Passw0rds')).toBe(true);
  });

  it('that would never end is stopped, and matches nothing', () => {
    const begin = performance.now();
    expect(testPattern(/^(a+)+$/, `${'a'.repeat(60)}!`)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(testPattern(/^a$/, 'a')).toBe(true);
  });

  it('that was not given the processor is tried again: a busy machine refuses nothing', () => {
    const never = new Int32Array(new SharedArrayBuffer(4));
    let tries = 0;
    const starved = { test: () => ++tries > 2 || Atomics.wait(never, 0, 0, 1000) === 'ok' } as unknown as RegExp;
    expect([testPattern(starved, 'abc'), tries]).toEqual([true, 3]);
  });
});
