import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { globMatches } from '../../shared/glob.js';
import { AwsError } from '../kernel/error.js';
import { liesInside } from '../process/inside.js';
import type { ArchiveFile } from '../process/zip.js';
import type { Artifacts } from './buildspec.js';

/**
 * Files an `artifacts` block chooses (user guide, "artifacts/files"): a base directory, patterns, exclusions. Raises CodeBuild's sentence where nothing matches,
 * and an error that names it for what lies outside the build's workspace: a link or a base directory must not carry this machine's files out.
 */
export function chooseFiles(spec: Artifacts, source: string): ArchiveFile[] {
  const workspace = dirname(source);
  const bases = baseDirectories(spec.baseDirectory, source);
  for (const base of bases) if (!liesInside(base, workspace)) throw outside(spec.baseDirectory ?? base);
  const files: ArchiveFile[] = [];
  for (const base of bases) {
    const all = walk(base, spec.followLinks);
    for (const path of all) {
      const name = relative(base, path).split(sep).join('/');
      if (!spec.files.some((pattern) => matches(pattern, name, path)) || spec.excludePaths.some((pattern) => matches(pattern, name, path))) continue;
      const stat = lstatSync(path);
      const shown = spec.discardPaths ? name.slice(name.lastIndexOf('/') + 1) : name;
      if (stat.isSymbolicLink() && !spec.followLinks) files.push({ name: shown, data: new Uint8Array(), link: readlinkSync(path) });
      else if (!liesInside(path, workspace)) throw outside(name);
      else files.push({ name: shown, data: readFileSync(path), executable: (statSync(path).mode & 0o100) !== 0 });
    }
  }
  if (files.length === 0) throw new AwsError('CLIENT_ERROR', 'no matching artifact paths found', { status: 400 });
  return files;
}

function baseDirectories(pattern: string | undefined, source: string): string[] {
  if (pattern === undefined || pattern === '' || pattern === '.') return [source];
  if (!/[*?[{]/.test(pattern)) {
    const directory = resolve(source, pattern);
    try {
      if (statSync(directory).isDirectory()) return [directory];
    } catch {
      // Said below.
    }
    throw noBase(pattern);
  }
  const found = directories(source).filter((directory) => globMatches(pattern.replace(/\/$/, ''), relative(source, directory).split(sep).join('/')));
  if (found.length === 0) throw noBase(pattern);
  return found;
}

function outside(path: string): AwsError {
  return new AwsError('CLIENT_ERROR', `the local cloud takes artifacts from the build's workspace only, and '${path}' leads out of it`, { status: 400 });
}

function noBase(pattern: string): AwsError {
  return new AwsError('CLIENT_ERROR', `no matching base directory path found for ${pattern}`, { status: 400 });
}

function matches(pattern: string, name: string, path: string): boolean {
  const plain = pattern.replace(/^\.\//, '');
  if (plain.startsWith('/')) return path === plain || globMatches(plain, path);
  // A directory named as it is stands for nothing, as on AWS: patterns choose files.
  return plain === '**/*' || plain === '**' || globMatches(plain, name);
}

function walk(directory: string, followLinks: boolean, seen = new Set<string>()): string[] {
  const real = realpathSync(directory);
  if (seen.has(real)) return [];
  seen.add(real);
  const found: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) {
      const target = followLinks ? follow(path) : 'file';
      if (target === 'directory') found.push(...walk(path, followLinks, seen));
      else if (target === 'file') found.push(path);
    } else if (entry.isDirectory()) found.push(...walk(path, followLinks, seen));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

function follow(path: string): 'file' | 'directory' | 'nothing' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch {
    return 'nothing';
  }
}

function directories(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && entry.name !== '.git')
    .flatMap((entry) => [join(directory, entry.name), ...directories(join(directory, entry.name))]);
}
