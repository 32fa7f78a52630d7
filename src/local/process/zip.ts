import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';
import { ZipFile as ZipWriter } from 'yazl';
import { AwsError } from '../kernel/error.js';
import { liesInside } from './inside.js';

/** Bytes an archive may unfold to, and how often its own size: a zip bomb stops here. */
const MAX_TOTAL = 2 * 1024 ** 3;
const MAX_RATIO = 200;

export interface ArchiveFile {
  /** Relative path with slashes; never absolute, never with `..`. */
  readonly name: string;
  readonly data: Uint8Array;
  readonly executable?: boolean;
  /** For a symbolic link: its target, relative and inside the archive. */
  readonly link?: string;
}

/** Files and links of a zip archive, directories left out. */
export async function entries(archive: Uint8Array): Promise<ArchiveFile[]> {
  const found: ArchiveFile[] = [];
  let total = 0;
  await walk(archive, async (zip, entry) => {
    if (entry.fileName.endsWith('/')) return;
    total += entry.uncompressedSize;
    if (total > MAX_TOTAL || total > archive.byteLength * MAX_RATIO + 1024 * 1024) throw invalid('the archive unfolds to more than it may');
    const mode = entry.externalFileAttributes >>> 16;
    const name = safeName(entry);
    const data = await content(zip, entry);
    const link = (mode & 0o170000) === 0o120000 ? safeLink(name, Buffer.from(data).toString('utf8')) : undefined;
    found.push({ name, data, ...(link === undefined ? { executable: (mode & 0o100) !== 0 } : { link }) });
  });
  return found;
}

/** Writes an archive's files below a folder. */
export async function extract(archive: Uint8Array, directory: string): Promise<void> {
  const all = await entries(archive);
  const made = new Set<string>();
  for (const file of all) {
    const path = join(directory, file.name);
    if (!made.has(dirname(path))) {
      // The folder may have links of its own (a repository's), which are not to be written through.
      if (!liesInside(dirname(path), directory)) throw invalid(`it holds a path that leads out of it: ${file.name}`);
      mkdirSync(dirname(path), { recursive: true });
      made.add(dirname(path));
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(path);
    if (file.link === undefined) writeFileSync(path, file.data, { mode: file.executable ? 0o755 : 0o644 });
  }
  // Links last: no file of the archive can be written through one.
  for (const file of all) if (file.link !== undefined) symlinkSync(file.link, join(directory, file.name));
}

/** One file of an archive. Raises when it isn't there. */
export async function entry(archive: Uint8Array, name: string): Promise<Uint8Array> {
  let data: Uint8Array | undefined;
  await walk(archive, async (zip, found) => {
    if (data === undefined && found.fileName === name) data = await content(zip, found);
  });
  if (data === undefined) throw invalid(`the file '${name}' is not in the artifact`);
  return data;
}

async function walk(archive: Uint8Array, visit: (zip: ZipFile, entry: Entry) => Promise<void>): Promise<void> {
  let zip: ZipFile;
  try {
    zip = await fromBufferPromise(Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength), { lazyEntries: true, autoClose: false });
  } catch (error) {
    throw invalid(`it is not a zip archive: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    for await (const found of zip.eachEntry()) await visit(zip, found);
  } catch (error) {
    // Names that lead out, sizes that lie, data that doesn't unfold: the reader says it in words of its own.
    throw error instanceof AwsError ? error : invalid(error instanceof Error ? error.message : String(error));
  }
}

async function content(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  return buffer(await zip.openReadStreamPromise(entry));
}

function safeName(entry: Entry): string {
  const parts = entry.fileName.split(/[\\/]/);
  if (entry.fileName.startsWith('/') || parts.includes('..') || /^[A-Za-z]:/.test(entry.fileName)) throw invalid(`it holds a path that leads out of it: ${entry.fileName}`);
  return entry.fileName;
}

function safeLink(name: string, target: string): string {
  const inside = posix.normalize(posix.join(posix.dirname(name), target));
  // `..` behind a name could climb out through another link: only leading ones are plain.
  const climbs = /(^|\/)(?!\.{1,2}(\/|$))[^/]+\/(.*\/)?\.\.(\/|$)/.test(target);
  if (climbs || posix.isAbsolute(target) || inside === '..' || inside.startsWith('../')) throw invalid(`it holds a link that leads out of it: ${name} -> ${target}`);
  return target;
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidArtifact', `The artifact can't be read: ${message}`, { status: 400 });
}

/** A zip archive of these files; the same files give the same bytes. */
export async function archive(files: readonly ArchiveFile[]): Promise<Uint8Array> {
  const writer = new ZipWriter();
  for (const { name, data, executable, link } of files) {
    const mode = link !== undefined ? 0o120777 : executable ? 0o100755 : 0o100644;
    const bytes = link !== undefined ? Buffer.from(link) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    writer.addBuffer(bytes, name, { mtime: EPOCH, mode, forceDosTimestamp: true });
  }
  writer.end();
  return buffer(writer.outputStream);
}

const EPOCH = new Date(Date.UTC(2020, 0, 1));
