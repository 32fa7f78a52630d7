import { expect, it } from 'vitest';
import { terminal } from '../../../src/cli/terminal.js';
import { printWhere } from '../../../src/cli/where.js';
import type { WhereRow } from '../../../src/ops/where.js';

it('a target whose history was too long to read is told apart from one that nothing was ever deployed to', () => {
  const row = (state: WhereRow['state'], more: Partial<WhereRow>): WhereRow => ({ stage: 'Prod', account: '333333333333', region: 'us-east-1', stacks: ['App'], live: undefined, since: undefined, state, detail: undefined, ...more });
  const unreadBefore = new Date('2026-03-04T05:06:07Z');
  let printed = '';
  printWhere(
    { pipeline: { account: '999999999999', region: 'us-east-1', name: 'app' }, head: undefined, headSummary: undefined, headStatus: undefined, heldStages: [], rows: [row('never', {}), row('never', { unreadBefore }), row('failed', { detail: 'no subnets', unreadBefore })] },
    terminal({}, { stdout: { write: (text: string) => (printed += text) }, stderr: { write: () => true }, env: {} }),
  );
  expect(printed.trimEnd().split('\n').slice(2).map((line) => line.replace(/^Prod +333333333333\/us-east-1 +/, ''))).toEqual([
    '–     · not yet',
    '?     · not since; what ran before 2026-03-04 was not read',
    '?     ✖ failed: no subnets; what ran before 2026-03-04 was not read',
  ]);
});
