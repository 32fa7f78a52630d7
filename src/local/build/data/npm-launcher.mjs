// Stands before npm on the PATH of a build. Two things cost a build most and change nothing in its result: installing the CDK's own tools,
// which Flotilla has, and installing the same tree of the same lockfile again. Everything else, and everything uncertain, is npm's.
//
// Environment: FLOTILLA_TOOLS (JSON: name -> folder of the installed package), FLOTILLA_TREES (folder of kept trees, to copy from), FLOTILLA_OFFERS (trees
// of this build's own, to move into place).
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { treePrint } from './tree-print.mjs';

const [verb, ...args] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(process.env.FLOTILLA_LAUNCHERS ?? here));
const npm = folders.map((folder) => join(folder, 'npm')).find(existsSync);
if (!npm) fail('npm is not installed on this machine');

if (verb === 'ci') await ci();
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
    return means(at < 0 ? '' : spec.slice(at + 1), manifest) ? { name, folder, manifest, spec } : undefined;
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
function means(range, manifest) {
  if (range === manifest.version) return true;
  if (!readsAssembly(manifest)) return false;
  if (range === '' || range === 'latest') return true;
  return /^[~^]?\d+$/.test(range) && manifest.version.split('.')[0] === range.replace(/^[~^]/, '');
}

/** Whether a tool reads the cloud assembly that the build stands in, by the schema it was made with. If not, npm may have one by now that does. */
function readsAssembly({ devDependencies = {} }) {
  if (!existsSync('manifest.json')) return true;
  const [read] = /\d+/.exec(devDependencies['@aws-cdk/cloud-assembly-schema'] ?? '') ?? [];
  return !(Number.parseInt(JSON.parse(readFileSync('manifest.json', 'utf8')).version, 10) > Number(read));
}

/** `npm ci` with a lockfile whose tree was installed before, by this npm and Node on this platform, with the same settings. */
async function ci() {
  const root = process.cwd();
  const key = keyOf(root);
  if (key === undefined) return exec();
  const target = join(root, 'node_modules');
  const offered = join(process.env.FLOTILLA_OFFERS, key);
  const kept = join(process.env.FLOTILLA_TREES, key, 'node_modules');
  if (existsSync(offered) || existsSync(kept)) {
    rmSync(target, { recursive: true, force: true });
    if (moved(offered, target) || copied(kept, target)) {
      note(key, target, '');
      process.stdout.write(`node_modules of this lockfile, as npm ci installed it before (${key.slice(0, 12)})\n`);
      return;
    }
  }
  const { status } = spawnSync(npm, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH: folders.join(delimiter) } });
  if (status !== 0) process.exit(status ?? 1);
  if (existsSync(target)) note(key, target, await treePrint(target));
}

/** What decides which tree `npm ci` would install; undefined where that is npm's business. */
function keyOf(root) {
  const harmless = ['--prefer-offline', '--no-audit', '--no-fund', '--quiet', '--silent', '-s', '-q', '--loglevel=error'];
  if (!process.env.FLOTILLA_OFFERS || !process.env.FLOTILLA_TREES || args.some((arg) => !harmless.includes(arg))) return undefined;
  if (!existsSync(join(root, 'package-lock.json')) || !existsSync(join(root, 'package.json'))) return undefined;
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // Workspaces link into the source tree, and scripts of the package itself may do anything.
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  if (manifest.workspaces || hooks.some((hook) => manifest.scripts?.[hook])) return undefined;
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (/"link": true|"resolved": "file:/.test(lock)) return undefined;
  const settings = ['.npmrc'].map((file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''));
  const { version } = JSON.parse(readFileSync(join(dirname(npm), '..', 'lib', 'node_modules', 'npm', 'package.json'), 'utf8'));
  const dependencies = JSON.stringify([manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies, manifest.overrides]);
  const rest = [dependencies, ...settings, version, process.version, process.platform, process.arch, process.env.NODE_ENV ?? '', process.env.npm_config_omit ?? ''];
  return [lock, rest.join('\n')].map((text) => createHash('sha256').update(text).digest('hex').slice(0, 16)).join('-');
}

/** Tells the local cloud where a tree lies, so that it takes it back when the build has ended. */
function note(key, folder, print) {
  try {
    mkdirSync(process.env.FLOTILLA_OFFERS, { recursive: true });
    writeFileSync(join(process.env.FLOTILLA_OFFERS, `${randomUUID()}.note`), `${key}\n${folder}\n${print}\n`);
  } catch (error) {
    process.stderr.write(`the installed tree is not kept for later builds: ${error.message}\n`);
  }
}

function moved(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Copied by the system's own program, several times as fast as by Node; times stay, by which a change is seen later. */
function copied(from, to) {
  const { status } = spawnSync('cp', process.platform === 'darwin' ? ['-R', '-c', '-p', from, to] : ['-a', from, to], { stdio: 'ignore' });
  if (status !== 0) rmSync(to, { recursive: true, force: true });
  return status === 0;
}
