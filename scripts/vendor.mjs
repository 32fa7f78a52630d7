// Puts the packed package into an app that depends on it as `file:vendor/flotilla.tgz`, as a registry would hand it out.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** The tarball's hash goes into the lockfile: a changed package is another dependency, for npm and for every cache. */
export function vendor(app) {
  const packed = mkdtempSync(join(tmpdir(), 'flotilla-pack-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', packed], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  mkdirSync(join(app, 'vendor'), { recursive: true });
  const tarball = join(app, 'vendor', 'flotilla.tgz');
  const bytes = readFileSync(join(packed, readdirSync(packed)[0]));
  writeFileSync(`${tarball}.new`, bytes);
  renameSync(`${tarball}.new`, tarball);
  rmSync(packed, { recursive: true });
  const file = join(app, 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  lock.packages['node_modules/flotilla'].integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
