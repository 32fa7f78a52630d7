import { openSync, readSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** A file of many compressed JSON values, each read alone (written by scripts/generate-models/pack.mjs). */
export class Pack<T> {
  readonly #file: URL;
  #opened: Opened | undefined;

  constructor(file: URL) {
    this.#file = file;
  }

  names(): string[] {
    return [...this.#open().index.keys()];
  }

  has(name: string): boolean {
    return this.#open().index.has(name);
  }

  read(name: string): T | undefined {
    const { file, start, index } = this.#open();
    const entry = index.get(name);
    return entry && (decompress(slice(file, start + entry[0], entry[1])) as T);
  }

  #open(): Opened {
    if (!this.#opened) {
      const file = openSync(this.#file, 'r');
      const length = slice(file, 0, 4).readUInt32BE();
      const index = decompress(slice(file, 4, length)) as Record<string, [number, number]>;
      this.#opened = { file, start: 4 + length, index: new Map(Object.entries(index)) };
    }
    return this.#opened;
  }
}

interface Opened {
  /** Descriptor; open for the life of the process. */
  readonly file: number;
  /** Where the values begin. */
  readonly start: number;
  readonly index: ReadonlyMap<string, [offset: number, length: number]>;
}

function slice(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  readSync(file, bytes, 0, length, offset);
  return bytes;
}

function decompress(bytes: Uint8Array): unknown {
  return JSON.parse(brotliDecompressSync(bytes).toString('utf8'));
}
