import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute, expectSuccess, outputOf, root, startTestCloud, type TestCloud } from '../cloud.js';
import { inventory, networksOf } from './inventory.js';
import { arrival, run, systemIn, where, type System } from './system.js';

/** The first two systems as those build them who write Python: plain aws_cdk.pipelines, unchanged, on one local cloud. In the order of their lives. */

/** The smallest of what they require. */
const PROBE = readFileSync(join(root, 'test/fixtures/python-payments/requirements.txt'), 'utf8').split('\n').find((line) => line.startsWith('constructs'))!;

/** Why Python apps can't be tried here; undefined where they can. */
async function obstacle(): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-pip-'));
  try {
    const ran = await execute('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, PROBE], { cwd: folder, env: process.env as Record<string, string> });
    return ran.code === 0 ? undefined : `pip: ${ran.stderr.trim().split('\n').at(-1)}`;
  } catch {
    return 'python3 is not installed';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const skipped = await obstacle();

describe.skipIf(skipped !== undefined)(`apps in Python${skipped === undefined ? '' : ` (left out: ${skipped})`}`, () => {
  const REGIONS = ['us-east-1', 'eu-west-1', 'eu-west-2', 'eu-central-1'];
  let cloud: TestCloud;
  let before: string[];

  beforeAll(async () => {
    cloud = await startTestCloud({ tools: '999999999999/us-east-1', dev: '111111111111/us-east-1', other: '222222222222/us-east-1', prod: '333333333333/us-east-1', dr: '444444444444/eu-central-1' });
    before = await inventory(cloud, REGIONS);
  });
  afterAll(() => cloud?.stop());

  /** Takes the whole app away again, its bootstraps too. */
  async function destroy(system: System, name: string): Promise<void> {
    const done = outputOf('destroy', expectSuccess(await system.flotilla('--local', 'destroy', '--confirm', name, '--bootstrap', '--output', 'json')));
    expect(done).toMatchObject({ failures: [], left: [] });
    const { retained } = done as { retained: { type: string; name: string }[] };
    const left = (await inventory(cloud, REGIONS)).filter((line) => !before.includes(line));
    expect(left.filter((line) => !retained.some((one) => line.includes(one.name)))).toEqual([]);
    before = [...before, ...left];
  }

  it('payments goes through its tests to staging, and to both regions of prod once it is promoted', async () => {
    const system = await python(cloud, 'payments');
    const id = system.commit('Charge by API');
    expect(await run(system)).toEqual({ end: 'at a gate', stderr: expect.stringContaining('approve PromoteToProd') });
    const log = async (action: string): Promise<string> => (await system.answer<{ lines: { line: string }[] }>('--local', 'logs', action)).lines.map(({ line }) => line).join('\n');
    expect(await log('SmokeTest')).toContain('{"status": "ok", "region": "us-east-1"}');
    expect(await log('IntegrationTest')).toContain('"accepted": true');
    expectSuccess(await system.flotilla('--local', 'approve', 'PromoteToProd'));
    expect(await arrival(system, id)).toBe('everywhere');
    expect(await where(system)).toEqual({ 'Dev us-east-1': `${id} deployed`, 'Staging us-east-1': `${id} deployed`, 'Prod us-east-1': `${id} deployed`, 'Prod eu-west-1': `${id} deployed` });
    await destroy(system, 'PaymentsPipeline');
  });

  it('networking brings each environment that is on its networks, from YAML, once it is approved', async () => {
    const system = await python(cloud, 'networking');
    const id = system.commit('Two regions');
    expect((await run(system, '--approve', 'Approve-pre')).end).toBe('everywhere');
    expect(await where(system)).toEqual({ 'Dev eu-west-1': `${id} deployed`, 'Dev eu-west-2': `${id} deployed`, 'Pre eu-west-1': `${id} deployed`, 'Pre eu-west-2': `${id} deployed` });
    const names = await Promise.all([['dev', 'eu-west-1'], ['dev', 'eu-west-2'], ['other', 'eu-west-1'], ['other', 'eu-west-2'], ['dr', 'eu-central-1']].map(([profile, region]) => networksOf(cloud, profile!, region!)));
    expect(names).toEqual([['vpc-acme-dev 10.10.0.0/16'], ['vpc-acme-dev 10.11.0.0/16'], ['vpc-acme-pre-main 10.20.0.0/16'], ['vpc-acme-pre-main 10.21.0.0/16'], []]);
    await destroy(system, 'NetworkingPipeline');
  });
});

function python(cloud: TestCloud, name: string): Promise<System> {
  return systemIn(cloud, `python-${name}`, async ({ app }) => cpSync(join(root, `test/fixtures/python-${name}`), app, { recursive: true }));
}
