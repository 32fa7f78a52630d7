import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SSM } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectSuccess, root, startTestCloud, type TestCloud } from './cloud.js';

/** An app that looks up what its accounts hold, taken from its first synthesis on. */

let cloud: TestCloud;
let app: string;
beforeAll(async () => {
  cloud = await startTestCloud({ tools: '999999999999', dev: '111111111111', prod: '222222222222' });
  app = join(cloud.folder, 'app');
  cpSync(join(root, 'test/e2e/apps/pipeline-app'), app, { recursive: true });
  writeFileSync(join(app, 'modules.json'), JSON.stringify(join(root, 'node_modules')));
  writeFileSync(join(app, 'shape.json'), JSON.stringify({ value: 'v1', regions: ['us-east-1'], synth: ['cdk synth --quiet'], smoke: ['true'], lookup: true }));
  git('init', '--quiet', '--initial-branch=main');
  commit();
});
afterAll(() => cloud?.stop());

const git = (...args: string[]): string => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: app, encoding: 'utf8' });
function commit(): void {
  git('add', '--all');
  git('commit', '--quiet', '--message', 'a change');
}

it('is synthesized once its pairs are bootstrapped; its build, whose role may not look up, wants what was found checked in', async () => {
  const first = await cloud.flotilla('run', app, '--approve', 'all');
  for (const pair of ['111111111111/us-east-1', '222222222222/us-east-1', '999999999999/us-east-1']) expect(first.stderr).toMatch(new RegExp(`✓ bootstrap ${pair}`));
  expect([first.code, first.stderr]).toEqual([4, expect.stringMatching(/✓ synth [^]*✖ Build\/Synth/)]);
  git('add', 'cdk.context.json');
  commit();
  expectSuccess(await cloud.flotilla('run', app, '--approve', 'all'));
  expect((await new SSM(cloud.client('prod', 'us-east-1')).getParameter({ Name: '/service/zones' })).Parameter?.Value).toMatch(/^us-east-1a,us-east-1b/);
});
