import { createHash, randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync, type Dirent } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { treePrint } from './data/tree-print.mjs';
import { liesInside, readInside } from '../process/inside.js';

/*
 * Installed trees of lockfiles, kept between builds. A build gets one of its own, moved into its workspace, and gives it back when it ends; no two builds share a file. In the folder of trees,
 * `KEY/node_modules` is the one that stays, which builds see read-only and copy where nothing lies ready; `KEY/print` is what it looked like when npm had installed it; `KEY/spare-N` lie ready. A key begins with the hash of its lockfile.
 */

/** How many trees of one lockfile lie ready: as many builds can take one at once. */
const SPARES = 2;
/** Folders below a source in which a lockfile is looked for. */
const DEPTH = 3;
const KEY = /^[0-9a-f]{16}-[0-9a-f]{16}$/;
/** Bytes of a note that the launcher leaves. */
const MAX_NOTE = 64 * 1024;

export function treesFolder(directory: string): string {
  return join(directory, 'cache', 'trees');
}

/** Where the npm launcher finds the trees that were laid ready for a build, and notes those it installed or took. */
export function offersFolder(workspace: string): string {
  return join(workspace, '.trees');
}

/** Moves a tree that lies ready for each lockfile of the sources into the workspace. */
export function offerTrees(trees: string, workspace: string, sources: Iterable<string>): void {
  const known = existsSync(trees) ? readdirSync(trees).filter((name) => KEY.test(name)) : [];
  if (known.length === 0) return;
  const offers = offersFolder(workspace);
  mkdirSync(offers, { recursive: true });
  const locks = new Set([...sources].flatMap((source) => lockfiles(source, DEPTH)));
  for (const key of known.filter((name) => locks.has(name.slice(0, 16)))) {
    for (let n = 1; n <= SPARES && !existsSync(join(offers, key)); n++) moved(join(trees, key, `spare-${n}`), join(offers, key));
  }
}

/** The first 16 digits of the hashes of the lockfiles in and below a folder. */
function lockfiles(folder: string, depth: number): string[] {
  const entries: Dirent[] = readdirSync(folder, { withFileTypes: true });
  const own = entries.some((entry) => entry.name === 'package-lock.json' && entry.isFile()) ? [createHash('sha256').update(readFileSync(join(folder, 'package-lock.json'))).digest('hex').slice(0, 16)] : [];
  if (depth === 0) return own;
  const below = entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'));
  return [...own, ...below.flatMap((entry) => lockfiles(join(folder, entry.name), depth - 1))];
}

/** Takes back what a build was given or installed, where it is still what npm installed; the rest goes with the workspace. */
export async function takeBackTrees(trees: string, workspace: string): Promise<void> {
  const offers = offersFolder(workspace);
  if (!existsSync(offers) || lstatSync(offers).isSymbolicLink()) return;
  for (const name of readdirSync(offers)) {
    if (KEY.test(name)) await takeBack(trees, name, join(offers, name), undefined);
    const text = readInside(join(offers, name), workspace, MAX_NOTE);
    if (text === undefined) continue;
    const [key = '', folder = '', print = ''] = text.split('\n');
    if (KEY.test(key) && liesInside(folder, workspace)) await takeBack(trees, key, folder, print);
  }
}

async function takeBack(trees: string, key: string, folder: string, installed: string | undefined): Promise<void> {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const home = join(trees, key);
  const known = existsSync(join(home, 'print')) ? readFileSync(join(home, 'print'), 'utf8') : undefined;
  const free = Array.from({ length: SPARES }, (_, index) => join(home, `spare-${index + 1}`)).find((spare) => !existsSync(spare));
  if (known !== undefined && !free) return;
  const print = await treePrint(folder);
  if (print !== (known ?? installed)) return;
  if (known !== undefined) return void moved(folder, free!);
  const incoming = `${home}.${randomUUID()}`;
  mkdirSync(incoming, { recursive: true });
  writeFileSync(join(incoming, 'print'), print);
  // Another build may have brought the same tree meanwhile.
  if (!moved(folder, join(incoming, 'node_modules')) || !moved(incoming, home)) await rm(incoming, { recursive: true, force: true });
}

function moved(from: string, to: string): boolean {
  if (!existsSync(from) || existsSync(to)) return false;
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    // Another build was first, or the file system can't: the launcher copies, or npm installs.
    if (['ENOENT', 'EEXIST', 'ENOTEMPTY', 'EXDEV', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
