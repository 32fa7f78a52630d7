import { readFileSync } from 'node:fs';
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
    const { bytes, start, index } = this.#open();
    const entry = index.get(name);
    if (!entry) return undefined;
    return decompress(bytes.subarray(start + entry[0], start + entry[0] + entry[1])) as T;
  }

  #open(): Opened {
    if (!this.#opened) {
      const bytes = readFileSync(this.#file);
      const start = 4 + bytes.readUInt32BE(0);
      const index = decompress(bytes.subarray(4, start)) as Record<string, [number, number]>;
      this.#opened = { bytes, start, index: new Map(Object.entries(index)) };
    }
    return this.#opened;
  }
}

interface Opened {
  readonly bytes: Buffer;
  /** Where the values begin. */
  readonly start: number;
  readonly index: ReadonlyMap<string, [offset: number, length: number]>;
}

export function decompress(bytes: Uint8Array): unknown {
  return JSON.parse(brotliDecompressSync(bytes).toString('utf8'));
}
