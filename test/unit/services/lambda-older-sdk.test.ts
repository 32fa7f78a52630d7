import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionCloud, type FunctionCloud } from './function-cloud.js';

/** Version 2 of the AWS SDK, which Lambda's Node.js runtimes had up to 16 (developer guide, "Runtime-included SDK versions"). */

const folder = mkdtempSync(join(tmpdir(), 'older-sdk-'));
const path = process.env['PATH'];
const asked = join(folder, 'asked');
let cloud: FunctionCloud;
let role: string;
beforeAll(async () => {
  // An npm that installs a package of ours, and notes what it was asked for.
  const npm = `#!/bin/sh\necho "$*" >> '${asked}'\nmkdir -p node_modules/aws-sdk/clients\necho "exports.version = 'two'" > node_modules/aws-sdk/index.js\necho "module.exports = 'client'" > node_modules/aws-sdk/clients/s3.js\n`;
  writeFileSync(join(folder, 'npm'), npm);
  chmodSync(join(folder, 'npm'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
  cloud = await functionCloud();
  role = await cloud.role('plain');
});
afterAll(async () => {
  process.env['PATH'] = path;
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

const CODE = "exports.handler = async () => [require('aws-sdk').version, require('aws-sdk/clients/s3')];";

describe('version 2 of the SDK', () => {
  it('is not there for runtimes that have it no more, nor installed for code that does not name it', async () => {
    await cloud.lambda('newer', CODE, role, { Runtime: 'nodejs18.x' });
    await cloud.lambda('other', "exports.handler = async () => require('@aws-sdk/client-s3') && 'three';", role, { Runtime: 'nodejs16.x' });
    expect(await cloud.invoke('newer')).toMatchObject({ error: 'Unhandled', value: { errorMessage: expect.stringContaining("Cannot find module 'aws-sdk'") } });
    expect(await cloud.invoke('other')).toMatchObject({ value: 'three', error: undefined });
    expect(existsSync(asked)).toBe(false);
  });

  it('is there for older ones, installed once', async () => {
    for (const [name, runtime] of [['a', 'nodejs14.x'], ['b', 'nodejs16.x']] as const) {
      await cloud.lambda(name, CODE, role, { Runtime: runtime });
      expect(await cloud.invoke(name)).toMatchObject({ value: ['two', 'client'], error: undefined });
    }
    expect(readFileSync(asked, 'utf8')).toMatch(/^install .*aws-sdk@2\.\d+\.\d+\n$/);
  });
});
