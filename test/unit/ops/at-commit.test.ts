import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fleetAtCommit } from '../../../src/ops/fleet/at-commit.js';

/** A repository with a fleet in a folder of it; what is committed has region us-east-1, what lies there eu-west-1. */
const folder = mkdtempSync(join(tmpdir(), 'flotilla-commit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const write = (name: string, text: string): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
};
const commit = (message: string): void => {
  git('add', '--all');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '--quiet', '--message', message);
};
const program = (region: string): string => `import { account } from './places.mjs';
import { name } from 'fleet-names';
export default { fleet: name, pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'shop' } }, environments: { dev: { account, region: '${region}' } } };
`;

beforeAll(() => {
  git('init', '--quiet');
  write('.gitignore', 'node_modules\n');
  write('node_modules/fleet-names/package.json', JSON.stringify({ name: 'fleet-names', type: 'module', exports: './index.js' }));
  write('node_modules/fleet-names/index.js', "export const name = 'shop';\n");
  write('app/flotilla.config.mjs', program('us-east-1'));
  write('app/places.mjs', "export const account = '111111111111';\n");
  write('app/overlay.yaml', 'terminationProtection: true\n');
  commit('first');
  write('app/flotilla.config.mjs', program('eu-west-1'));
  write('app/places.mjs', "export const account = '222222222222';\n");
});

describe('a fleet that is a program', () => {
  const file = join(folder, 'app/flotilla.config.mjs');
  const targets = async (ref: string, overlays: readonly string[] = []): Promise<unknown> => {
    const found = await fleetAtCommit(file, overlays, ref);
    return 'unknown' in found ? found.unknown : found.fleet.pipelines.flatMap(({ waves }) => waves.flatMap((wave) => wave.targets.map(({ account, regions, terminationProtection }) => `${account}/${regions[0]!.region} ${terminationProtection}`)));
  };

  it('is run as the commit has it, with the modules of the commit and the packages installed now', async () => {
    expect(await targets('HEAD')).toEqual(['111111111111/us-east-1 false']);
    expect(await fleetAtCommit(file, [], 'HEAD')).toMatchObject({ name: expect.stringMatching(/^HEAD \([0-9a-f]+\), run with the packages installed now$/) });
  });

  it('is laid under the overlays of the commit', async () => {
    expect(await targets('HEAD', [join(folder, 'app/overlay.yaml')])).toEqual(['111111111111/us-east-1 true']);
  });

  it('leaves the repository and the folder of temporary files as they were', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'flotilla-tmp-'));
    const before = git('status', '--porcelain');
    vi.stubEnv('TMPDIR', temporary);
    expect(await targets('HEAD')).toHaveLength(1);
    vi.unstubAllEnvs();
    expect(git('status', '--porcelain')).toBe(before);
    expect(readdirSync(temporary)).toEqual([]);
    rmSync(temporary, { recursive: true });
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
  });

  it('that a commit lacks, or that failed there, is told', async () => {
    expect(await targets('no-such-branch')).toMatch(/^no-such-branch has no valid flotilla.config.mjs: /);
    write('app/flotilla.config.mjs', "throw new TypeError('not today');\n");
    commit('broken');
    expect(await targets('HEAD')).toBe('HEAD has no valid flotilla.config.mjs: TypeError: not today');
    expect(await targets('HEAD~1')).toEqual(['111111111111/us-east-1 false']);
  });
});
