// npm start: the main job. A git commit of examples/payments goes through its pipeline on the local cloud, in a folder of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, root, setUp } from './setup.mjs';
import { vendor } from './vendor.mjs';

setUp();
build();

const work = join(root, '.flotilla', 'payments');
const source = join(root, 'examples', 'payments');
const git = (...args) => execFileSync('git', ['-c', 'user.name=Flotilla', '-c', 'user.email=flotilla@localhost', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null', ...args], { cwd: work, encoding: 'utf8' });

exportExample();
const cli = join(root, 'dist', 'cli.js');
const interactive = process.stdin.isTTY && process.stderr.isTTY;
if (!interactive) process.stderr.write('no terminal: npm start approves the gates itself (PromoteToProd, and ConfirmPermissions where permissions are broadened)\n');
const { status } = spawnSync(process.execPath, [cli, 'run', work, ...(interactive ? [] : ['--approve', 'all']), ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);

/** The example as a repository of its own; a later start commits what changed in it, if anything did. */
function exportExample() {
  mkdirSync(work, { recursive: true });
  const lock = join(work, 'package-lock.json');
  const before = existsSync(lock) ? readFileSync(lock, 'utf8') : undefined;
  for (const name of readdirSync(work)) if (!['.git', '.flotilla', 'node_modules'].includes(name)) rmSync(join(work, name), { recursive: true });
  for (const name of readdirSync(source)) if (!['node_modules', 'cdk.out', '.flotilla'].includes(name)) cpSync(join(source, name), join(work, name), { recursive: true });
  vendor(work);
  // Other dependencies than those that are installed: flotilla run installs them anew.
  if (before !== readFileSync(lock, 'utf8')) rmSync(join(work, 'node_modules'), { recursive: true, force: true });
  if (!existsSync(join(work, '.git'))) git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  if (git('status', '--porcelain') !== '') git('commit', '--quiet', '--message', 'Payments: charge by API');
}
