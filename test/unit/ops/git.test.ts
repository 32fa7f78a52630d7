import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAsCommitted } from '../../../src/ops/run/git.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'flotilla-git-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a working tree is that of a commit, of another with the same files, and no more when something is changed', async () => {
  const git = (...args: string[]): string => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=t@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: folder, encoding: 'utf8' }).trim();
  const commit = (text: string): string => {
    writeFileSync(join(folder, 'app.js'), text);
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', text);
    return git('rev-parse', 'HEAD');
  };
  git('init', '--quiet');
  const [first, second, again] = [commit('one'), commit('two'), commit('two')];
  expect([await isAsCommitted(folder, first), await isAsCommitted(folder, second), await isAsCommitted(folder, again)]).toEqual([false, true, true]);
  writeFileSync(join(folder, 'new.js'), '');
  expect(await isAsCommitted(folder, again)).toBe(false);
});
