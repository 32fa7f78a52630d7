// What a fresh clone needs before anything else: dependencies as the lockfile has them, and the build. Does nothing when both are there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Flotilla needs Node 20.19 or later; this is ${process.versions.node}\n`);
  process.exit(1);
}

/** Runs a program in the project's folder; ends this one with its code when it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs one of the project's own programs (node_modules/.bin). */
export function bin(name, args, options) {
  run(process.execPath, [join(root, 'node_modules', '.bin', name), ...args], options);
}

export function setUp() {
  const stamp = join(root, 'node_modules', '.flotilla-installed');
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(stamp, lock);
  }
}

/** Builds dist/ where a source is newer. */
export function build() {
  const built = join(root, 'dist', '.built');
  const newest = Math.max(...['src', 'scripts', 'examples', 'package.json', 'tsconfig.json'].map((path) => newestIn(join(root, path))));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(built, '');
}

function newestIn(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).filter((name) => name !== 'node_modules').map((name) => newestIn(join(path, name))));
}
