// Stands before npm on the PATH of a build. Two things cost a build most and change nothing in its result: installing the CDK's own tools,
// which Flotilla has, and installing the same tree of the same lockfile again. Everything else, and everything uncertain, is npm's.
//
// Environment: FLOTILLA_TOOLS (JSON: name -> folder of the installed package), FLOTILLA_TREES (folder of cached trees).
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [verb, ...args] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(process.env.FLOTILLA_LAUNCHERS ?? here));
const npm = folders.map((folder) => join(folder, 'npm')).find(existsSync);
if (!npm) fail('npm is not installed on this machine');

if (verb === 'ci') ci();
else if (['install', 'i', 'add'].includes(verb)) install();
else exec();

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(127);
}

function exec() {
  const { status, signal } = spawnSync(npm, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH: folders.join(delimiter) } });
  process.exit(signal ? 1 : (status ?? 1));
}

/** `npm install -g NAME[@RANGE]…` of tools that Flotilla carries, in a version the range means. */
function install() {
  const tools = JSON.parse(process.env.FLOTILLA_TOOLS ?? '{}');
  const global = args.some((arg) => arg === '-g' || arg === '--global' || arg === '--location=global');
  const wanted = args.filter((arg) => !arg.startsWith('-'));
  const flags = args.filter((arg) => arg.startsWith('-') && !['-g', '--global', '--location=global', '--silent', '-s', '--no-audit', '--no-fund', '--quiet', '-q', '--force', '-f', '--loglevel=error'].includes(arg));
  if (!global || wanted.length === 0 || flags.length > 0) return exec();
  const chosen = wanted.map((spec) => {
    const at = spec.indexOf('@', 1);
    const name = at < 0 ? spec : spec.slice(0, at);
    const folder = tools[name];
    if (!folder) return undefined;
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return means(at < 0 ? '' : spec.slice(at + 1), manifest.version) ? { name, folder, manifest, spec } : undefined;
  });
  if (chosen.some((tool) => tool === undefined)) return exec();
  const prefix = process.env.npm_config_prefix ?? join(process.env.HOME, '.npm-global');
  for (const { name, folder, manifest, spec } of chosen) {
    const target = join(prefix, 'lib', 'node_modules', name);
    mkdirSync(dirname(target), { recursive: true });
    mkdirSync(join(prefix, 'bin'), { recursive: true });
    rmSync(target, { recursive: true, force: true });
    symlinkSync(folder, target);
    for (const [bin, file] of Object.entries(typeof manifest.bin === 'string' ? { [name.split('/').pop()]: manifest.bin } : (manifest.bin ?? {}))) {
      rmSync(join(prefix, 'bin', bin), { force: true });
      symlinkSync(join(target, file), join(prefix, 'bin', bin));
    }
    process.stdout.write(`${spec}: ${name} ${manifest.version}, the copy that Flotilla carries\n`);
  }
  process.stdout.write(`added ${chosen.length} package${chosen.length === 1 ? '' : 's'}\n`);
}

/** Ranges that are decided here: none, a tag, a major, an exact version. Others are left to npm. */
function means(range, version) {
  if (range === '' || range === 'latest') return true;
  if (range === version) return true;
  return /^[~^]?\d+$/.test(range) && version.split('.')[0] === range.replace(/^[~^]/, '');
}

/** `npm ci` with a lockfile whose tree was installed before, by this npm and Node on this platform, with the same settings. */
function ci() {
  const trees = process.env.FLOTILLA_TREES;
  const root = process.cwd();
  const harmless = ['--prefer-offline', '--no-audit', '--no-fund', '--quiet', '--silent', '-s', '-q', '--loglevel=error'];
  if (!trees || args.some((arg) => !harmless.includes(arg)) || !existsSync(join(root, 'package-lock.json')) || !existsSync(join(root, 'package.json'))) return exec();
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // Workspaces link into the source tree, and scripts of the package itself may do anything: npm's business.
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  if (manifest.workspaces || hooks.some((hook) => manifest.scripts?.[hook])) return exec();
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (/"link": true|"resolved": "file:/.test(lock)) return exec();
  const settings = ['.npmrc'].map((file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''));
  const { version } = JSON.parse(readFileSync(join(dirname(npm), '..', 'lib', 'node_modules', 'npm', 'package.json'), 'utf8').toString());
  const dependencies = JSON.stringify([manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies, manifest.overrides]);
  const key = createHash('sha256').update([lock, dependencies, ...settings, version, process.version, process.platform, process.arch, process.env.NODE_ENV ?? '', process.env.npm_config_omit ?? ''].join('\n')).digest('hex').slice(0, 40);
  const tree = join(trees, key);
  if (existsSync(join(tree, 'complete')) && unchanged(tree)) {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true });
    link(join(tree, 'node_modules'), join(root, 'node_modules'));
    process.stdout.write(`node_modules of this lockfile, as npm ci installed it before (${key.slice(0, 12)})\n`);
    return;
  }
  const { status } = spawnSync(npm, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH: folders.join(delimiter) } });
  if (status !== 0) process.exit(status ?? 1);
  if (!existsSync(join(root, 'node_modules'))) return;
  keep(root, tree);
}

/** Keeps the installed tree for later builds. Several builds may do so at once; none fails because of it. */
function keep(root, tree) {
  // Process IDs repeat: each sandbox counts its own.
  const incoming = `${tree}.${randomUUID()}`;
  try {
    mkdirSync(incoming, { recursive: true });
    link(join(root, 'node_modules'), join(incoming, 'node_modules'));
    writeFileSync(join(incoming, 'complete'), fingerprint(join(incoming, 'node_modules')));
    if (existsSync(tree)) renameSync(tree, `${incoming}.old`);
    renameSync(incoming, tree);
  } catch (error) {
    process.stderr.write(`the installed tree was not kept for later builds: ${error.message}\n`);
  }
  rmSync(incoming, { recursive: true, force: true });
  rmSync(`${incoming}.old`, { recursive: true, force: true });
}

/** A copy whose files are hard links: nothing is read or written but names. */
function link(from, to) {
  const { status } = spawnSync('cp', process.platform === 'linux' ? ['-al', from, to] : ['-R', '-c', from, to]);
  if (status !== 0) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

/** Builds share the files of a tree; one that wrote into them has changed their times, and the tree is not taken any more. */
function unchanged(tree) {
  return readFileSync(join(tree, 'complete'), 'utf8') === fingerprint(join(tree, 'node_modules'));
}

function fingerprint(folder) {
  const hash = createHash('sha256');
  const walk = (directory, name) => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path, `${name}/${entry.name}`);
      else {
        const { size, mtimeMs } = lstatSync(path);
        hash.update(`${name}/${entry.name} ${size} ${mtimeMs}\n`);
      }
    }
  };
  walk(folder, '');
  return hash.digest('hex');
}
