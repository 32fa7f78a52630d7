import { describe, expect, it } from 'vitest';
import { schedule } from '../../../src/local/cfn/execute/scheduler.js';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);

describe('a schedule', () => {
  it('lets what else waits for the event loop in between two nodes', async () => {
    let done = 0;
    const seen: number[] = [];
    const other = (): void => {
      seen.push(done);
      if (done < 50) setImmediate(other);
    };
    setImmediate(other);
    await schedule({ nodes: names(50), after: () => [], parallel: 10, halted: () => false, run: async () => void done++ });
    expect(new Set(seen).size).toBeGreaterThanOrEqual(50);
  });

  it('runs no more nodes at a time than it may, and as many as it may', async () => {
    let active = 0;
    let most = 0;
    const run = async (): Promise<void> => {
      most = Math.max(most, ++active);
      for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => void setImmediate(resolve));
      active--;
    };
    await schedule({ nodes: names(12), after: () => [], parallel: 4, halted: () => false, run });
    expect(most).toBe(4);
  });

  it('leaves out what depends on a failure, and starts nothing once it is halted', async () => {
    const ran: string[] = [];
    const after: Record<string, string[]> = { n1: ['n0'], n2: ['n1'] };
    const plan = { nodes: names(4), after: (node: string) => after[node] ?? [], parallel: 1, run: async (node: string) => {
      ran.push(node);
      if (node === 'n0') throw new TypeError('no');
    } };
    const failures = await schedule({ ...plan, halted: () => false });
    expect(failures.map(({ node }) => node)).toEqual(['n0']);
    expect(ran).toEqual(['n0', 'n3']);
    ran.length = 0;
    await schedule({ ...plan, halted: () => ran.length > 0 });
    expect(ran).toEqual(['n0']);
  });
});
