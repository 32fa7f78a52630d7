import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute, expectSuccess, root, type Ran } from './cloud.js';

/** What `npm pack` makes is a whole program in an empty folder. */

let folder: string;
const env = { ...(process.env as Record<string, string>), npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' };
const run = (name: string, ...args: string[]): Promise<Ran> => execute(name, args, { cwd: folder, env });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-package-'));
  expectSuccess(await execute('npm', ['pack', '--pack-destination', folder, '--ignore-scripts'], { cwd: root, env }));
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
  expectSuccess(await run('npm', 'install', join(folder, tarball), '--ignore-scripts', '--no-save', '--omit=peer'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

describe('the package, installed', () => {
  it('has its licence and none of the sources', () => {
    const names = readdirSync(join(folder, 'node_modules', 'flotilla'));
    expect(names.sort()).toEqual(['LICENSE', 'NOTICE.md', 'README.md', 'dist', 'package.json', 'schema']);
  });

  it('gives the command line', async () => {
    expect(expectSuccess(await run('npx', '--no-install', 'flotilla', '--version')).stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
    expect((await run('npx', '--no-install', 'flotilla', 'no-such-command')).code).toBe(2);
  });

  it('starts and stops a local cloud that answers', async () => {
    const started = expectSuccess(await run('npx', '--no-install', 'flotilla', 'cloud', 'start', '--account', 'dev=111111111111'));
    try {
      expect(started.stdout).toMatch(/local cloud started at http:\/\/127\.0\.0\.1:\d+/);
      expect(expectSuccess(await run('npx', '--no-install', 'flotilla', 'cloud', 'status')).stdout).toContain('111111111111');
    } finally {
      expect(expectSuccess(await run('npx', '--no-install', 'flotilla', 'cloud', 'stop')).stdout).toContain('stopped');
    }
  });

  it('gives `flotilla/local` to ES modules: a cloud inside the process', async () => {
    writeFileSync(
      join(folder, 'local.mjs'),
      `import { startLocalCloud } from 'flotilla/local';
      const cloud = await startLocalCloud({ directory: './inside' });
      const { accessKeyId } = cloud.credentials('222222222222');
      console.log(cloud.endpoint, accessKeyId);
      await cloud.stop();`,
    );
    expect(expectSuccess(await run(process.execPath, 'local.mjs')).stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+ 222222222222/);
  });

  it('gives `flotilla/cdk` to CommonJS, beside the project’s own aws-cdk-lib', async () => {
    const aside = join(root, 'node_modules');
    const script = `const cdk = require('flotilla/cdk'); console.log(typeof cdk, Object.keys(cdk).length >= 0)`;
    const ran = await execute(process.execPath, ['-e', script], { cwd: folder, env: { ...env, NODE_PATH: aside } });
    expect(expectSuccess(ran).stdout).toBe('object true\n');
    expect(expectSuccess(await run(process.execPath, '--input-type=module', '-e', "console.log(typeof (await import('flotilla')))")).stdout).toBe('object\n');
  });
});
