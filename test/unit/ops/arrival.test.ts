import { describe, expect, it } from 'vitest';
import { arrival } from '../../../src/ops/arrival.js';
import type { History } from '../../../src/ops/history.js';
import type { WhereReport, WhereRow } from '../../../src/ops/where.js';

/** Commits are letters, each after the one before it. */
const commits: History = { between: () => Promise.resolve(undefined), contains: (of, commit) => Promise.resolve(of >= commit), resolve: (name) => Promise.resolve(name), remotes: () => Promise.resolve([]), describe: () => Promise.resolve(undefined) };
const row = (state: WhereRow['state'], live: string | undefined, more: Partial<WhereRow> = {}): WhereRow => ({ stage: 'Prod', account: '333333333333', region: 'us-east-1', stacks: ['Prod-App'], live, since: undefined, state, detail: undefined, ...more });
const gate = (commit: string): NonNullable<WhereRow['gate']> => ({ action: 'Promote', execution: 'e', commit, since: undefined, expires: undefined });
const report = (head: string, headStatus: string, ...rows: WhereRow[]): WhereReport => ({ pipeline: { account: '999999999999', region: 'us-east-1', name: 'app' }, head, headSummary: undefined, headStatus, rows, heldStages: [] });
const end = async (given: WhereReport, commit?: string) => (await arrival([given], commit, commits)).end;

describe('a commit', () => {
  it('is everywhere once every target has it or a later one', async () => {
    expect(await end(report('b', 'Succeeded', row('deployed', 'b')), 'a')).toBe('everywhere');
  });

  it('has not failed because the one before it did', async () => {
    const given = report('b', 'InProgress', row('failed', undefined, { attempted: 'a' }));
    expect(await end(given, 'b')).toBeUndefined();
    expect(await end(given, 'a')).toBe('failed');
  });

  it('does not wait at a gate that holds another', async () => {
    const given = report('b', 'InProgress', row('waiting', undefined, { gate: gate('a') }));
    expect(await end(given, 'b')).toBeUndefined();
    expect(await end(given, 'a')).toBe('waiting');
  });

  it('has failed where its execution ended before any target', async () => {
    expect(await end(report('b', 'Failed', row('deployed', 'a', { attempted: 'a' })), 'b')).toBe('failed');
  });

  it('waits before a stage that somebody holds', async () => {
    const held = { ...report('b', 'InProgress', row('deployed', 'a')), latest: { execution: 'e', status: 'InProgress', commit: 'b', stage: 'Prod' }, heldStages: [{ stage: 'Prod', reason: 'freeze', by: 'me', at: undefined }] };
    expect(await end(held)).toBe('waiting');
    expect(await end({ ...held, heldStages: [] })).toBeUndefined();
  });

  it('is under way while a target is deployed to, and before a pipeline has taken it up', async () => {
    expect(await end(report('b', 'InProgress', row('deploying', 'a', { attempted: 'b' }), row('failed', 'a', { attempted: 'b' })), 'b')).toBeUndefined();
    expect(await end(report('a', 'Failed', row('failed', undefined, { attempted: 'a' })), 'b')).toBeUndefined();
  });
});
