import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as CodeBuild from '../../../src/local/models/types/codebuild.js';
import { archive } from '../../../src/local/process/zip.js';
import { eventually, functionCloud, REGION, type FunctionCloud } from '../services/function-cloud.js';

/** `npm ci` in builds: npm installs a lockfile once, and no build sees what another wrote into its tree. npm itself is one that counts. */

let cloud: FunctionCloud;
let folder: string;
let role: string;
const path = process.env['PATH']!;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-trees-'));
  for (const name of ['bin', 'lib/node_modules/npm']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'lib/node_modules/npm/package.json'), '{"version":"10.0.0"}');
  writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh\necho "$@" >>'${join(folder, 'calls')}'\nmkdir -p node_modules/left\necho installed >node_modules/left/index.js\n`);
  chmodSync(join(folder, 'bin/npm'), 0o755);
  process.env['PATH'] = `${join(folder, 'bin')}:${path}`;
  process.env['FLOTILLA_ISOLATION'] = 'process';
  cloud = await functionCloud();
  role = await cloud.role('builder', ['*'], 'codebuild.amazonaws.com');
  await cloud.admin.call('s3', 'CreateBucket', { Bucket: 'sources', CreateBucketConfiguration: { LocationConstraint: REGION } });
});
afterAll(async () => {
  process.env['PATH'] = path;
  delete process.env['FLOTILLA_ISOLATION'];
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

let projects = 0;

/** Runs a build of a source with this lockfile; answers its log. */
async function build(lock: string, ...commands: string[]): Promise<string> {
  const name = `trees-${++projects}`;
  const file = (at: string, text: string) => ({ name: at, data: Buffer.from(text), mode: 0o644 });
  const source = await archive([file('package.json', '{"name":"app"}'), file('package-lock.json', lock)]);
  await cloud.admin.call('s3', 'PutObject', { Bucket: 'sources', Key: `${name}.zip`, Body: source });
  await cloud.admin.call('codebuild', 'CreateProject', {
    name, serviceRole: role, artifacts: { type: 'NO_ARTIFACTS' }, environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/standard:7.0', computeType: 'BUILD_GENERAL1_SMALL' },
    source: { type: 'S3', location: `sources/${name}.zip`, buildspec: JSON.stringify({ version: '0.2', phases: { build: { commands } } }, undefined, 1) },
  });
  const { build: begun } = await cloud.admin.call<{ build: CodeBuild.Build }>('codebuild', 'StartBuild', { projectName: name });
  const done = await eventually(async () => {
    const { builds } = await cloud.admin.call<{ builds: CodeBuild.Build[] }>('codebuild', 'BatchGetBuilds', { ids: [begun.id] });
    return builds[0]!.buildStatus === 'IN_PROGRESS' ? undefined : builds[0]!;
  });
  expect([done.buildStatus, done.phases!.flatMap(({ contexts = [] }) => contexts).map(({ message }) => message).filter(Boolean)]).toEqual(['SUCCEEDED', []]);
  const { events } = await cloud.admin.call<{ events: { message: string }[] }>('logs', 'GetLogEvents', { logGroupName: done.logs!.groupName, logStreamName: done.logs!.streamName, startFromHead: true });
  return events.map(({ message }) => message).join('\n');
}
const installs = (): number => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n').length : 0);
const kept = (): string => join(cloud.runtime.directory, 'cache', 'trees');
const readTree = 'cat node_modules/left/index.js';

describe('npm ci in a build', () => {
  it('is done by npm the first time, and the tree it made is there for the next builds', async () => {
    expect(await build('{"lock":1}', 'npm ci', readTree)).toContain('installed');
    for (const _ of [1, 2, 3]) expect(await build('{"lock":1}', 'npm ci --no-audit', readTree)).toMatch(/as npm ci installed it before[^]*installed/);
    expect(installs()).toBe(1);
    expect(readdirSync(kept()).flatMap((key) => readdirSync(join(kept(), key)))).toEqual(['node_modules', 'print', 'spare-1']);
  });

  it('is npm’s for another lockfile, other settings, or options that change what is installed', async () => {
    await build('{"lock":2}', 'npm ci');
    await build('{"lock":2}', 'echo loglevel=error >.npmrc', 'npm ci');
    await build('{"lock":2}', 'npm ci --omit=dev');
    expect(installs()).toBe(4);
  });

  it('gives no build what another has written into its tree', async () => {
    await build('{"lock":3}', 'npm ci');
    for (const _ of [1, 2]) expect(await build('{"lock":3}', 'npm ci', readTree, 'echo patched >>node_modules/left/index.js')).not.toContain('patched\n');
    expect(await build('{"lock":3}', 'npm ci', readTree)).not.toMatch(/^patched/m);
    expect(installs()).toBe(5);
  });

  it('keeps nothing of a tree that was changed before its build ended', async () => {
    await build('{"lock":4}', 'npm ci', 'echo patched >>node_modules/left/index.js');
    expect(await build('{"lock":4}', 'npm ci', readTree)).not.toMatch(/^patched/m);
    expect(installs()).toBe(7);
  });

  it('takes back no tree that a note or a link places outside of the workspace', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    appendFileSync(join(outside, 'precious'), '');
    const key = `${'a'.repeat(16)}-${'b'.repeat(16)}`;
    await build('{"lock":5}', 'mkdir -p "$FLOTILLA_OFFERS"', `printf '${key}\\n${outside}\\n\\n' >"$FLOTILLA_OFFERS/x.note"`, `ln -s '${outside}' "$FLOTILLA_OFFERS/${key}"`);
    expect(existsSync(join(outside, 'precious'))).toBe(true);
    expect(existsSync(join(kept(), key))).toBe(false);
  });
});
