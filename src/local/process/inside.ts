import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, sep } from 'node:path';

/*
 * Code in a sandbox sees less than the server that reads and writes its files afterwards. A link it left behind must not lead the
 * server where the code itself couldn't go.
 */

/** Whether `path`, every link on the way followed, is `folder` or lies in it. A path that isn't there yet lies where its nearest folder does. */
export function liesInside(path: string, folder: string): boolean {
  let nearest = path;
  while (!existsSync(nearest)) {
    // A link to nothing would be followed by whoever writes to it.
    if (isLink(nearest) || dirname(nearest) === nearest) return false;
    nearest = dirname(nearest);
  }
  const real = realpathSync(nearest);
  const root = realpathSync(folder);
  return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** Text of a regular file that lies in `folder`; undefined for anything else: a link out of it, a pipe, a file larger than `limit` bytes. */
export function readInside(path: string, folder: string, limit: number): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > limit || !liesInside(path, folder)) return undefined;
  return readFileSync(path, 'utf8');
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
