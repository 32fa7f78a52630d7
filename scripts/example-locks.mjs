// Writes the lockfiles of examples/* anew, after Flotilla's own dependencies changed: node scripts/example-locks.mjs (dist/ has to be built).
// The packed package's hash is left out: whoever puts the tarball into vendor/ writes it (scripts/vendor.mjs, flotilla init).
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

const work = mkdtempSync(join(tmpdir(), 'flotilla-locks-'));
try {
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', work], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(join(work, readdirSync(work)[0]), join(work, 'flotilla.tgz'));
  const first = lockOf(readdirSync(join(root, 'examples'))[0]);
  // All of them have the same dependencies; a test holds them to that.
  for (const name of readdirSync(join(root, 'examples'))) writeFileSync(join(root, 'examples', name, 'package-lock.json'), `${JSON.stringify({ ...first, name, packages: { ...first.packages, '': { ...first.packages[''], name } } }, null, 2)}\n`);
} finally {
  rmSync(work, { recursive: true });
}

function lockOf(name) {
  const app = join(work, 'app');
  mkdirSync(join(app, 'vendor'), { recursive: true });
  cpSync(join(work, 'flotilla.tgz'), join(app, 'vendor', 'flotilla.tgz'));
  cpSync(join(root, 'examples', name, 'package.json'), join(app, 'package.json'));
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--omit-lockfile-registry-resolved', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: app, stdio: 'inherit' });
  execFileSync(process.execPath, [join(root, 'scripts', 'complete-lockfile.mjs'), join(app, 'package-lock.json')], { stdio: 'inherit' });
  const lock = JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8'));
  delete lock.packages['node_modules/flotilla'].integrity;
  return lock;
}
