/**
 * Durable state of the local cloud: ordered keys, values that msgpack can carry (plain data, Date, Uint8Array), synchronous
 * transactions. What a transaction wrote is there after `kill -9` of the process once `transaction` has returned.
 */
export interface State {
  get<T>(key: Key): T | undefined;
  /** Entries whose key starts with `prefix`, in key order. The result is a snapshot: writing while walking it is safe. */
  list<T>(prefix: Key, options?: ListOptions): [Key, T][];
  put(key: Key, value: unknown): void;
  delete(key: Key): void;
  /** Runs `work` atomically; a throw undoes all its writes. Nested transactions join the outer one. `work` must be synchronous. */
  transaction<T>(work: () => T): T;
  close(): Promise<void>;
}

export type KeyPart = string | number;
export type Key = readonly KeyPart[];

export interface ListOptions {
  /** Start behind this key (exclusive); it must itself start with the prefix. */
  readonly after?: Key;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** A typed table of one service in one account and region. */
export interface Table<T> {
  get(...key: KeyPart[]): T | undefined;
  put(key: KeyPart | Key, value: T): void;
  delete(...key: KeyPart[]): void;
  /** Values in key order, optionally only those whose key starts with the given parts. */
  list(...prefix: KeyPart[]): T[];
  entries(prefix?: Key, options?: ListOptions): [Key, T][];
}

/** Scope of things that are unique in all of AWS (bucket names) or belong to an account as a whole (IAM). */
export const GLOBAL = 'global';

/**
 * Declares a table. State is keyed account x region first, so that one account's things can never answer for another's:
 *
 *     const topics = table<Topic>('sns', 'topics');
 *     topics(ctx.state, ctx.account, ctx.region).get(name);
 */
export function table<T>(service: string, name: string): (state: State, account: string, region: string) => Table<T> {
  return (state, account, region) => {
    const base: Key = [account, region, service, name];
    const full = (key: KeyPart | Key): Key => [...base, ...(Array.isArray(key) ? (key as Key) : [key as KeyPart])];
    const entries = (prefix: Key = [], options?: ListOptions): [Key, T][] =>
      state
        .list<T>([...base, ...prefix], options?.after ? { ...options, after: [...base, ...options.after] } : options)
        .map(([key, value]) => [key.slice(base.length), value]);
    return {
      get: (...key) => state.get<T>([...base, ...key]),
      put: (key, value) => state.put(full(key), value),
      delete: (...key) => state.delete([...base, ...key]),
      list: (...prefix) => entries(prefix).map(([, value]) => value),
      entries,
    };
  };
}
