import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { isProgram, loadConfig, readConfig, type FleetConfig, type FleetText } from '../../config/index.js';
import type { Fleet } from '../../fleet/model.js';
import { examineFleet, resolveFleet } from '../../fleet/resolve.js';

const run = promisify(execFile);

/** The fleet as a commit has it, or why it isn't known. */
export type FleetAtCommit = { readonly name: string; readonly fleet: Fleet } | { readonly unknown: string };

/**
 * Reads the fleet file, and what is laid over it, as they are in `ref`; one that is a program runs in a copy of that commit, with the packages
 * that are installed now. A commit that lacks them, or where they are wrong, is told, never raised.
 */
export async function fleetAtCommit(file: string, overlays: readonly string[], ref: string): Promise<FleetAtCommit> {
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) return { unknown: `there is no folder ${folder}` };
  try {
    const { stdout: commit } = await run('git', ['rev-parse', '--short', '--verify', `${ref}^{commit}`], { cwd: folder });
    const name = `${ref} (${commit.trim()})`;
    if ([file, ...overlays].some(isProgram)) return { name: `${name}, run with the packages installed now`, fleet: resolveFleet(await configOfProgram(file, overlays, ref)) };
    const texts = await Promise.all([file, ...overlays].map((one) => textAt(one, ref)));
    return { name, fleet: resolveFleet(readConfig(texts, mistakes)) };
  } catch (error) {
    return { unknown: `${ref} has no valid ${basename(file)}: ${firstLine(error)}` };
  }
}

function mistakes(config: FleetConfig): ReturnType<typeof examineFleet>['mistakes'] {
  return examineFleet(config).mistakes;
}

async function textAt(file: string, ref: string): Promise<FleetText> {
  const { stdout } = await run('git', ['show', `${ref}:./${basename(file)}`], { cwd: dirname(resolve(file)), maxBuffer: 16 * 1024 ** 2 });
  return { file, text: stdout };
}

/** Lays the commit's files out in a folder of their own, by an index of its own: neither the repository's index nor its work tree is touched. */
async function configOfProgram(file: string, overlays: readonly string[], ref: string): Promise<FleetConfig> {
  const folder = realpathSync(dirname(resolve(file)));
  const { stdout } = await run('git', ['rev-parse', '--show-toplevel'], { cwd: folder });
  const root = realpathSync(stdout.trim());
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'flotilla-plan-')));
  try {
    const git = { cwd: root, env: { ...process.env, GIT_INDEX_FILE: join(copy, 'index') } };
    await run('git', ['read-tree', ref], git);
    await run('git', ['checkout-index', '--all', `--prefix=${join(copy, 'tree')}/`], git);
    linkPackages(folder, root, join(copy, 'tree'));
    const at = (one: string): string => join(copy, 'tree', relative(root, join(realpathSync(dirname(resolve(one))), basename(one))));
    return loadConfig(at(file), overlays.map(at), mistakes);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Installed packages lie beside the fleet file or above it; a commit doesn't hold them. */
function linkPackages(folder: string, root: string, tree: string): void {
  for (let place = folder; place.startsWith(root); place = dirname(place)) {
    const [from, to] = [join(place, 'node_modules'), join(tree, relative(root, place), 'node_modules')];
    if (existsSync(from) && existsSync(dirname(to)) && !existsSync(to)) symlinkSync(from, to, 'dir');
    if (place === root) return;
  }
}

function firstLine(error: unknown): string {
  const { stderr, why, message } = error as { readonly stderr?: string; readonly why?: string; readonly message: string };
  return (stderr?.trim() || why || message).split('\n')[0]!.replace(/^fatal: /, '');
}
