import { describe, expect, it } from 'vitest';
import { hanging, tableLines, wrapped } from '../../../src/cli/table.js';
import { printWhere } from '../../../src/cli/where.js';
import { terminal } from '../../../src/cli/terminal.js';
import type { WhereReport, WhereRow } from '../../../src/ops/where.js';

const row = (stage: string, region: string, more: Partial<WhereRow>): WhereRow => ({ stage, account: '333333333333', region, stacks: ['App'], live: undefined, since: undefined, state: 'never', detail: undefined, ...more });
const report: WhereReport = {
  pipeline: { account: '999999999999', region: 'us-east-1', name: 'payments' },
  head: '3f9c1a2'.padEnd(40, '0'),
  headSummary: 'Add refunds for orders that were paid in parts',
  headStatus: 'InProgress',
  latest: { execution: 'e', status: 'InProgress', commit: '3f9c1a2'.padEnd(40, '0'), stage: 'Build' },
  heldStages: [],
  rows: [
    row('Dev', 'us-east-1', { live: '3f9c1a2'.padEnd(40, '0'), behind: 0, state: 'deployed', since: new Date() }),
    row('Prod', 'ap-southeast-2', { live: 'a10be77'.padEnd(40, '0'), behind: 3, state: 'failed', detail: `Resource handler returned message: "Subnets not in VPC ${'vpc-0123456789 '.repeat(4)}"` }),
    row('Canary', 'eu-west-1', {}),
  ],
};

function shown(columns: number | undefined): string[] {
  let text = '';
  const stdout = { isTTY: columns !== undefined, ...(columns === undefined ? {} : { columns }), write: (more: string) => (text += more) };
  printWhere(report, terminal({ color: false }, { stdout, stderr: stdout, env: {} }));
  return text.trimEnd().split('\n');
}

describe('the matrix of where', () => {
  it.each([60, 80, 100])('fits a terminal of %d columns', (columns) => {
    const lines = shown(columns);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines.join('\n').replaceAll(/\s+/g, ' ')).toContain('Subnets not in VPC');
  });

  it('is a block a row where a table has no room, with the same in it', () => {
    expect(shown(60)).toEqual([
      'payments   head 3f9c1a2',
      '    "Add refunds for orders that were paid in parts"  is',
      '    under way in Build',
      'Dev  333333333333/us-east-1',
      '  live 3f9c1a2  behind –  ✓ deployed now',
      'Prod  333333333333/ap-southeast-2',
      '  live a10be77  behind 3  ✖ failed; ran a10be77: Resource',
      '  handler returned message: "Subnets not in VPC',
      '  vpc-0123456789 vpc-0123456789 vpc-0123456789',
      '  vpc-0123456789 "',
      'Canary  333333333333/eu-west-1',
      '  live –  behind –  · not yet; 3f9c1a2 is in Build',
    ]);
  });

  it('is neither wrapped nor cut for a program', () => {
    const lines = shown(undefined);
    expect(lines).toHaveLength(5);
    expect(lines[1]).toBe('STAGE   ACCOUNT/REGION               LIVE     BEHIND  STATE');
    expect(lines[3]!.length).toBeGreaterThan(120);
  });
});

describe('a text', () => {
  it('is broken at its spaces only', () => expect(wrapped('one two-is-long-as-it-is three', 8)).toEqual(['one', 'two-is-long-as-it-is', 'three']));
  it('counts no colours', () => expect(wrapped('\u001b[32mabcd\u001b[39m efgh', 9)).toHaveLength(1));
  it('stays beside what it begins with where there is room', () => {
    expect(hanging('begin', 'text', 10)).toBe('begin text');
    expect(hanging('begin', 'some text', 10)).toBe('begin\n    some text');
  });
  it('takes the last column of a table twice, then the lines below', () => {
    expect(tableLines(['A', 'B'], [['x', 'a few words that go on'], ['y', 'a few words that go on for many more lines than two']], 24, (text) => text)).toEqual(['A  B', 'x  a few words that go', '   on', 'y', '    a few words that go', '    on for many more', '    lines than two']);
  });
});
