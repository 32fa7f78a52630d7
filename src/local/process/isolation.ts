import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { FlotillaError } from '../../shared/errors.js';

/** What a user asks for. `auto` is bubblewrap where it works, otherwise process mode. */
export type IsolationWish = 'auto' | Isolation;
/** What is in force. */
export type Isolation = 'bwrap' | 'process';

/** A folder or file shown to the process at a path, read-only unless `writable`. */
export interface Mount {
  readonly source: string;
  /** Default: where it is. Elsewhere needs bubblewrap. */
  readonly target?: string;
  readonly writable?: boolean;
}

const run = promisify(execFile);
let tried: Promise<string | undefined> | undefined;

/** Decides once what isolation there is. Raises FlotillaError PRC001 when bubblewrap was asked for and doesn't work here. */
export async function resolveIsolation(wish: IsolationWish): Promise<Isolation> {
  if (wish === 'process') return 'process';
  tried ??= tryBubblewrap();
  const failed = await tried;
  if (failed === undefined) return 'bwrap';
  if (wish === 'auto') return 'process';
  throw new FlotillaError('PRC001', 'Isolation by bubblewrap was asked for, and it does not work here', {
    why: failed,
    fix: 'install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap) and allow unprivileged user namespaces, or choose isolation `process`',
  });
}

/** What the isolation means, in one sentence for the user. */
export function describeIsolation(isolation: Isolation): string {
  return isolation === 'bwrap'
    ? 'bwrap: code sees the system read-only, its own workspace, home and /tmp; your home folder and other processes are hidden; the network is open'
    : 'process: code runs with your user\'s rights. Its environment, HOME and AWS configuration are its own, but your files stay readable and writable to it; install bubblewrap to hide them';
}

/** Why bubblewrap can't be used, or undefined when a sandbox like ours really started. */
async function tryBubblewrap(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `bubblewrap exists on Linux only, this is ${process.platform}`;
  try {
    await run('bwrap', [...system(), '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', ...UNSHARED, 'true'], { timeout: 10_000 });
    return undefined;
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
    return code === 'ENOENT' ? 'the program bwrap is not installed' : (stderr?.trim() || message);
  }
}

/** The network stays: builds need registries, and the local cloud is on loopback. */
const UNSHARED = ['--unshare-user-try', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent'];

/** Folders of an operating system, none of them the home of a person or of sockets that lead out (`/run`). */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc', '/opt', '/nix/store', '/snap', '/var/lib/ca-certificates', '/run/systemd/resolve', '/run/current-system'];

function system(): string[] {
  return SYSTEM.filter((path) => existsSync(path)).flatMap((path) => (lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]));
}

/** The command that runs `command` within bubblewrap. */
export function bubblewrapped(command: readonly string[], options: { cwd: string; path: string; temporary: string; mounts: readonly Mount[] }): string[] {
  const tools = toolFolders(options.path).flatMap((path) => ['--ro-bind', path, path]);
  // Later mounts cover earlier ones: a workspace below /tmp lies on top of the process's own /tmp.
  const mounts = options.mounts.filter(({ source }) => existsSync(source)).flatMap(({ source, target, writable }) => [writable ? '--bind' : '--ro-bind', resolve(source), target ?? resolve(source)]);
  return ['bwrap', ...system(), '--proc', '/proc', '--dev', '/dev', '--bind', options.temporary, '/tmp', ...tools, ...mounts, ...UNSHARED, '--chdir', options.cwd, '--', ...command];
}

/** Beside a folder of programs lie what they are made of. `share` is left out: ~/.local/share holds key rings. */
const PARTS = ['lib', 'lib64', 'libexec', 'include', 'versions', 'version', 'alias', 'bin', 'shims', 'plugins', 'pyenv.d'];

/** Folders outside the system that PATH and this Node need (nvm, pyenv, ~/.local/bin …): programs, not the home they lie in. */
function toolFolders(path: string): string[] {
  const found = new Set<string>();
  const add = (folder: string): void => {
    if (!existsSync(folder) || SYSTEM.some((known) => folder === known || folder.startsWith(known + sep))) return;
    found.add(folder);
  };
  for (const entry of [...path.split(delimiter), dirname(process.execPath)]) {
    if (!entry.startsWith('/')) continue;
    const real = existsSync(entry) ? realpathSync(entry) : entry;
    for (const folder of new Set([resolve(entry), real])) {
      add(folder);
      if (/^(bin|shims|sbin)$/.test(basename(folder))) for (const part of PARTS) add(join(dirname(folder), part));
    }
  }
  return [...found].sort();
}
