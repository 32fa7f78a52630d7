import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';

/** Bytes by content hash. A name never becomes a path: `id` is a SHA-256 in hex and nothing else. */
export interface Blobs {
  /** Stores the bytes; resolves when they are in the file system. `observe` sees each chunk, for checksums of the caller's own. */
  write(source: AsyncIterable<Uint8Array> | Uint8Array, observe?: (chunk: Uint8Array) => void): Promise<BlobInfo>;
  /** A stream of the bytes from `start` to `end` (inclusive), all of them by default. */
  read(id: string, range?: { start: number; end: number }): AsyncIterable<Uint8Array>;
  bytes(id: string): Uint8Array;
  /** Path of the file, for programs that read it themselves (unzip, a function's code). Never to be written. */
  path(id: string): string;
  delete(id: string): void;
}

export interface BlobInfo {
  /** SHA-256, hex. */
  readonly id: string;
  /** MD5, hex: S3's ETag. */
  readonly md5: string;
  readonly size: number;
}

/** Bytes up to this many are hashed and written in one go. */
const SMALL = 256 * 1024;

export function fileBlobs(directory: string): Blobs {
  mkdirSync(join(directory, 'incoming'), { recursive: true, mode: 0o700 });
  const path = (id: string): string => join(directory, id.slice(0, 2), id);

  const keep = (id: string, incoming: string): void => {
    const target = path(id);
    if (existsSync(target)) {
      rmSync(incoming, { force: true });
      return;
    }
    mkdirSync(join(directory, id.slice(0, 2)), { recursive: true, mode: 0o700 });
    renameSync(incoming, target);
  };

  return {
    async write(source, observe) {
      const sha = createHash('sha256');
      const md5 = createHash('md5');
      let size = 0;
      const incoming = join(directory, 'incoming', randomUUID());
      const take = (chunk: Uint8Array): void => {
        sha.update(chunk);
        md5.update(chunk);
        observe?.(chunk);
        size += chunk.byteLength;
      };
      if (source instanceof Uint8Array && source.byteLength <= SMALL) {
        take(source);
        const id = sha.digest('hex');
        if (!existsSync(path(id))) {
          writeFileSync(incoming, source, { mode: 0o600 });
          keep(id, incoming);
        }
        return { id, md5: md5.digest('hex'), size };
      }
      const file = createWriteStream(incoming, { mode: 0o600 });
      try {
        for await (const chunk of source instanceof Uint8Array ? [source] : source) {
          take(chunk);
          if (!file.write(chunk)) await once(file, 'drain');
        }
        file.end();
        await once(file, 'close');
      } catch (error) {
        file.destroy();
        rmSync(incoming, { force: true });
        throw error;
      }
      const id = sha.digest('hex');
      keep(id, incoming);
      return { id, md5: md5.digest('hex'), size };
    },
    read: (id, range) => (range ? createReadStream(path(id), { start: range.start, end: range.end }) : createReadStream(path(id))),
    bytes: (id) => readFileSync(path(id)),
    path,
    delete: (id) => rmSync(path(id), { force: true }),
  };
}

/** Blobs in memory, for tests. */
export function memoryBlobs(): Blobs {
  const blobs = new Map<string, Uint8Array>();
  return {
    async write(source, observe) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source instanceof Uint8Array ? [source] : source) {
        observe?.(chunk);
        chunks.push(chunk);
      }
      const all = Buffer.concat(chunks);
      const id = createHash('sha256').update(all).digest('hex');
      blobs.set(id, all);
      return { id, md5: createHash('md5').update(all).digest('hex'), size: all.byteLength };
    },
    async *read(id, range) {
      const all = blobs.get(id) ?? new Uint8Array();
      yield range ? all.subarray(range.start, range.end + 1) : all;
    },
    bytes: (id) => blobs.get(id) ?? new Uint8Array(),
    path: (id) => id,
    delete: (id) => void blobs.delete(id),
  };
}
