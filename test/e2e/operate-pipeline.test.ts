import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { SSM } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, execute, expectSuccess, outputOf, root, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** A commit on its way, as who operates it sees and steers it: where, diff, approve, logs, retry, hold, release, stop. In the order of its life. */

const ACCOUNTS = { tools: '999999999999', dev: '111111111111', prod: '222222222222' };
let cloud: TestCloud;
let app: string;
let first: string;
let second: string;

beforeAll(async () => {
  cloud = await startTestCloud(ACCOUNTS);
  app = join(cloud.folder, 'app');
  cpSync(join(root, 'test/e2e/apps/pipeline-app'), app, { recursive: true });
  writeFileSync(join(app, 'modules.json'), JSON.stringify(join(root, 'node_modules')));
  writeFileSync(join(app, 'shape.json'), JSON.stringify({ value: 'v1', regions: ['us-east-1', 'eu-west-1'], synth: ['cdk synth --quiet'], smoke: ['echo smoke', 'test -n "$DEPLOYED"'] }));
  git('init', '--quiet', '--initial-branch=main');
  first = commit({});
  expectSuccess(await cloud.flotilla('run', app, '--approve', 'all'));
  second = commit({ value: 'v2', role: true });
});
afterAll(() => cloud?.stop());

const git = (...args: string[]): string => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: app, encoding: 'utf8' }).trim();
function commit(change: Record<string, unknown>): string {
  const file = join(app, 'shape.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }));
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', JSON.stringify(change));
  return git('rev-parse', 'HEAD');
}
/** In the app's folder, as its developer works: git can tell what is behind. */
const operate = (...args: string[]): Promise<Ran> => execute(process.execPath, [CLI, '--local', ...args, '--dir', cloud.state], { cwd: app, env: process.env as Record<string, string> });
const json = async <T>(...args: string[]): Promise<T> => outputOf(args[0]!, expectSuccess(await operate(...args, '--output', 'json'))) as T;
const valueIn = async (region: string) => (await new SSM(cloud.client('prod', region)).getParameter({ Name: '/service/value' })).Parameter?.Value;

interface Where {
  readonly pipelines: readonly { rows: { stage: string; region: string; live: string; state: string; behind?: number; held?: { state: string; detail?: string }; gate?: { action: string; commit: string; since: string; expires: string } }[]; commits: { id: string; author: string; subject: string }[] }[];
  readonly commit: { commit: string; stages: { stage: string; there: number; of: number }[] };
}

describe('diff', () => {
  it('tells before a push what would change, permissions first, and that nothing has to be done by hand', async () => {
    const ran = await operate('diff', '--fail-on-changes', '--output', 'json');
    expect(ran.code).toBe(7);
    const { stacks, regionsDiffer } = outputOf('diff', ran) as { stacks: { stackName: string; region: string; kind: string; changed: boolean; broadened: string[]; updated: number; added: number; byHand: string[] }[]; regionsDiffer: unknown[] };
    const prod = stacks.filter(({ stackName }) => stackName.startsWith('Prod'));
    expect(prod).toHaveLength(2);
    for (const stack of prod) expect(stack).toMatchObject({ changed: true, added: 1, updated: 1, broadened: expect.arrayContaining([expect.stringContaining('ReadOnlyAccess')]) as unknown });
    expect(stacks.find(({ kind }) => kind === 'pipeline')!.byHand).toEqual([]);
    expect(regionsDiffer).toEqual([]);
  });

  it('shows each group of stacks that change alike once, and says when regions differ', async () => {
    const text = expectSuccess(await operate('diff', '--stage', 'Dev')).stdout;
    expect(text).toMatch(/111111111111\/us-east-1 Dev-Service\n {2}permits +role/);
    await new CloudFormation(cloud.client('prod', 'eu-west-1')).updateStack({ StackName: 'Prod-eu-west-1-Service', TemplateBody: JSON.stringify({ Resources: { Value: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/service/value', Type: 'String', Value: 'by hand' } } } }), RoleARN: 'arn:aws:iam::222222222222:role/cdk-hnb659fds-cfn-exec-role-222222222222-eu-west-1' });
    await expect.poll(async () => valueIn('eu-west-1'), { timeout: 30_000 }).toBe('by hand');
    expect(expectSuccess(await operate('diff')).stdout).toMatch(/regions differ: 222222222222\/us-east-1/);
  });

  it('names a stage that is not there', async () => expect((await operate('diff', '--stage', 'Nowhere')).code).toBe(6));
});

describe('where', () => {
  it('says when an account does not hold what the pipeline deployed', async () => {
    await expect.poll(async () => (await json<Where>('where')).pipelines[0]!.rows.find(({ region }) => region === 'eu-west-1')!.held?.state, { timeout: 30_000 }).toBe('changed');
  });

  it('counts how far each target is behind, and shows the gate with its age and end', async () => {
    expect((await cloud.flotilla('run', app)).code).toBe(10);
    const { pipelines, commit: state } = await json<Where>('where');
    const rows = pipelines[0]!.rows;
    expect(rows.map(({ stage, live, behind, state: rowState }) => [stage, live, behind, rowState])).toEqual([
      ['Dev', second, 0, 'deployed'],
      ['Prod', first, 1, 'waiting'],
      ['Prod', first, 1, 'waiting'],
    ]);
    // Whose they are: from git here, and elsewhere from CodeCommit.
    const authors = [{ id: second, author: 'Test', subject: '{"value":"v2","role":true}' }, { id: first, author: 'Test', subject: '{}' }];
    expect(pipelines[0]!.commits).toMatchObject(authors);
    expect((outputOf('where', expectSuccess(await cloud.flotilla('--local', 'where', '--output', 'json'))) as Where).pipelines[0]!.commits).toMatchObject(authors);
    const gate = rows[1]!.gate!;
    expect([gate.action, gate.commit]).toEqual(['Promote', second]);
    expect(Date.parse(gate.expires) - Date.parse(gate.since)).toBe(7 * 24 * 3_600_000);
    expect(state).toMatchObject({ commit: second, stages: [{ stage: 'Dev', there: 1, of: 1 }, { stage: 'Prod', there: 0, of: 2 }] });
  });

  it('answers for one commit, and waits with an exit code that says how it stands', async () => {
    expect((await json<Where>('where', first.slice(0, 8))).commit.stages.map(({ there, of }) => [there, of])).toEqual([[1, 1], [2, 2]]);
    expect((await operate('where', '--wait')).code).toBe(10);
    expect((await operate('where', first, '--wait')).code).toBe(0);
    expect((await operate('where', 'ffffffff')).code).toBe(6);
  });
});

describe('approve', () => {
  interface Case {
    readonly commit: { id: string; author: string; subject: string };
    readonly live: string;
    readonly decision: string | null;
    readonly changes: { region: string; changed: boolean; broadened: string[] }[];
  }

  it('shows whose commit it is and what it would change, and decides nothing in a dry run', async () => {
    const shown = await json<Case>('approve', '--dry-run');
    expect(shown).toMatchObject({ commit: { id: second, author: 'Test', subject: '{"value":"v2","role":true}' }, live: first, decision: null });
    expect(shown.changes.map(({ region, changed, broadened }) => [region, changed, broadened.some((text) => text.includes('ReadOnlyAccess'))])).toEqual([['us-east-1', true, true], ['eu-west-1', true, true]]);
  });

  it('refuses when another commit stands there than the one that is meant', async () => {
    const ran = await operate('approve', '--yes', '--commit', first);
    expect([ran.code, ran.stderr]).toEqual([6, expect.stringContaining('GAT003')]);
  });

  it('decides for the commit that is named', async () => {
    expect(await json<Case>('approve', 'Promote', '--yes', '--commit', second, '--comment', 'looked at')).toMatchObject({ decision: 'approve' });
    expect((await operate('where', '--wait')).code).toBe(0);
    expect(await valueIn('us-east-1')).toBe('v2');
    expect((await operate('approve')).code).toBe(6);
  });
});

describe('an execution', () => {
  it('is read by its logs', async () => {
    const { lines, failures } = await json<{ lines: { source: string; line: string }[]; failures: unknown[] }>('logs', 'SmokeTest');
    expect(lines.some(({ source, line }) => source === 'Dev/SmokeTest' && line.includes('smoke'))).toBe(true);
    expect(failures).toEqual([]);
  });

  it('is kept from a stage by a hold, which where tells with its reason', async () => {
    expectSuccess(await operate('hold', 'Prod', '--reason', 'a freeze'));
    expect(expectSuccess(await operate('where')).stdout).toMatch(/Prod is held: a freeze/);
    expect((await operate('hold', 'Nowhere', '--reason', 'x')).code).toBe(6);
    expectSuccess(await operate('resume', 'Prod'));
    expect(expectSuccess(await operate('where')).stdout).not.toMatch(/is held/);
  });

  it('that failed is retried: the whole stage where its change set was consumed', async () => {
    // A parameter of the same name stands in the way in one account.
    const parameters = new SSM(cloud.client('dev'));
    const third = commit({ value: '' });
    const ran = await cloud.flotilla('run', app);
    expect(ran.code).toBe(4);
    const dry = await json<{ stage: string; mode: string }>('retry', '--dry-run');
    expect(dry).toMatchObject({ stage: 'Dev', mode: 'ALL_ACTIONS' });
    expect((await operate('retry', '--wait')).code).toBe(4);
    const { failures } = await json<{ failures: { stage: string; message: string }[] }>('logs');
    expect(failures[0]).toMatchObject({ stage: 'Dev' });
    expect((await parameters.getParameter({ Name: '/service/value' })).Parameter?.Value).toBe('v2');
    expect(((await json<Where>('where')).pipelines[0]!.rows[0])).toMatchObject({ state: 'failed', live: second });
    expect((await operate('where', third, '--wait')).code).toBe(4);
    expect((await operate('retry', 'Prod')).code).toBe(6);
  });

  it('is released anew, and stopped at its gate', async () => {
    commit({ value: 'v4' });
    expect((await cloud.flotilla('run', app)).code).toBe(10);
    const would = await json<{ execution: string; dryRun: boolean }>('stop', '--abandon', '--dry-run');
    expect([would.dryRun, (await json<Where>('where')).pipelines[0]!.rows.some(({ state }) => state === 'waiting')]).toEqual([true, true]);
    const { execution } = await json<{ execution: string }>('stop', '--abandon', '--yes');
    expect(execution).toBe(would.execution);
    expect(await json('release', '--dry-run', '--commit', second.slice(0, 8))).toMatchObject({ dryRun: true, sources: [{ type: 'COMMIT_ID', revision: second }] });
    const released = await json<{ execution: string; status?: string }>('release');
    expect(released.execution).not.toBe(execution);
    expect((await operate('release', '--source', 'Nobody=1')).code).toBe(6);
  });

  it('shows in a dry run what would be held and let in, and changes nothing', async () => {
    expect(await json('hold', 'Prod', '--reason', 'freeze', '--dry-run')).toMatchObject({ dryRun: true, held: true });
    expect((await json<{ pipelines: { heldStages: unknown[] }[] }>('where')).pipelines[0]!.heldStages).toEqual([]);
    await json('hold', 'Prod', '--reason', 'freeze');
    expect(await json('resume', 'Prod', '--dry-run')).toMatchObject({ before: { reason: 'freeze' } });
    // What is kept from a stage waits for a person, and nobody waits for it without an end.
    expect([(await operate('release', '--wait')).code, (await operate('where', '--wait')).code]).toEqual([10, 10]);
    expect((await json<{ pipelines: { heldStages: { reason: string }[] }[] }>('where')).pipelines[0]!.heldStages).toEqual([expect.objectContaining({ stage: 'Prod', reason: 'freeze' })]);
    await json('resume', 'Prod');
    expect(await json('resume', 'Prod')).not.toHaveProperty('before');
  });
});

describe('prune', () => {
  it('deletes the stack of a region that was removed, and nothing that is declared', async () => {
    commit({ value: 'v5', regions: ['us-east-1'] });
    expectSuccess(await cloud.flotilla('run', app, '--approve', 'all'));
    const stack = () => new CloudFormation(cloud.client('prod', 'eu-west-1')).describeStacks({ StackName: 'Prod-eu-west-1-Service' });
    const shown = await json<{ items: unknown[] }>('prune', '--dry-run');
    expect(shown.items).toEqual([{ kind: 'stack', account: ACCOUNTS.prod, region: 'eu-west-1', name: 'Prod-eu-west-1-Service' }]);
    expect((await operate('prune')).code).toBe(2);
    await stack();
    expect(await json('prune', '--yes')).toMatchObject({ deleted: ['stack 222222222222/eu-west-1 Prod-eu-west-1-Service'] });
    await expect(stack()).rejects.toThrow('does not exist');
    expect(await valueIn('us-east-1')).toBe('v5');
    expect((await json<{ items: unknown[] }>('prune')).items).toEqual([]);
  });
});
