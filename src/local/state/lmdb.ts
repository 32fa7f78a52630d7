import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import type { Key, ListOptions, State } from './state.js';

/**
 * State in an LMDB file under `dir`. `noSync`: a commit reaches the kernel before it is acknowledged, so it survives the death of
 * this process in any form; what a power failure may cost is the last moments, not worth 0.3 ms and more for each request
 * (docs/decisions/0002-state.md).
 */
export function lmdbState(dir: string): State {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const db: RootDatabase<unknown, (string | number)[]> = open({ path: dir, noSync: true, maxReaders: 16, compression: false } as never);
  // lmdb has no say in the mode of what it makes.
  for (const file of ['data.mdb', 'lock.mdb']) chmodSync(join(dir, file), 0o600);
  let depth = 0;

  const state: State = {
    get: <T>(key: Key) => db.get(key as (string | number)[]) as T | undefined,
    list: <T>(prefix: Key, options: ListOptions = {}) => {
      const low = prefix as (string | number)[];
      const high = [...low, HIGHEST] as unknown as (string | number)[];
      const after = options.after as (string | number)[] | undefined;
      const range = options.reverse
        ? { start: after ?? high, end: low, reverse: true, exclusiveStart: after !== undefined, limit: options.limit }
        : { start: after ?? low, end: high, exclusiveStart: after !== undefined, limit: options.limit };
      const found: [Key, T][] = [];
      for (const { key, value } of db.getRange(range)) found.push([key as unknown as Key, value as T]);
      return found;
    },
    put: (key, value) => {
      state.transaction(() => db.put(key as (string | number)[], value));
    },
    delete: (key) => {
      state.transaction(() => db.remove(key as (string | number)[]));
    },
    transaction: <T>(work: () => T) => {
      if (depth > 0) return work();
      depth++;
      try {
        return db.transactionSync(work);
      } finally {
        depth--;
      }
    },
    close: async () => {
      await db.flushed;
      await db.close();
    },
  };
  return state;
}

/** Sorts behind every string and number in lmdb's ordered-binary encoding. */
const HIGHEST = Buffer.from([0xff]);
