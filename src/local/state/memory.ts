import type { Key, ListOptions, State } from './state.js';

/**
 * State in memory with the durable one's semantics, for tests and simulations. `onCommit` is called before each commit takes
 * effect with its number (from 1); throwing there is a crash: nothing of that transaction stands.
 */
export function memoryState(options: { onCommit?: (commit: number) => void } = {}): State & { snapshot(): Map<string, unknown> } {
  const values = new Map<string, { key: Key; value: unknown }>();
  let undo: Map<string, { key: Key; value: unknown } | undefined> | undefined;
  let commits = 0;
  const id = (key: Key): string => JSON.stringify(key);

  const write = (key: Key, value: unknown): void => {
    const name = id(key);
    if (undo && !undo.has(name)) undo.set(name, values.get(name));
    if (value === undefined) values.delete(name);
    else values.set(name, { key: [...key], value: structuredClone(value) });
  };

  const state: State & { snapshot(): Map<string, unknown> } = {
    get: <T>(key: Key) => {
      const entry = values.get(id(key));
      return entry === undefined ? undefined : (structuredClone(entry.value) as T);
    },
    list: <T>(prefix: Key, listOptions: ListOptions = {}) => {
      let found = [...values.values()].filter(({ key }) => prefix.every((part, i) => key[i] === part));
      found.sort((a, b) => compareKeys(a.key, b.key));
      if (listOptions.reverse) found.reverse();
      const { after } = listOptions;
      if (after) found = found.filter(({ key }) => (listOptions.reverse ? compareKeys(key, after) < 0 : compareKeys(key, after) > 0));
      if (listOptions.limit !== undefined) found = found.slice(0, listOptions.limit);
      return found.map(({ key, value }) => [key, structuredClone(value) as T]);
    },
    put: (key, value) => state.transaction(() => write(key, value)),
    delete: (key) => state.transaction(() => write(key, undefined)),
    transaction: <T>(work: () => T) => {
      if (undo) return work();
      undo = new Map();
      try {
        const result = work();
        if (undo.size > 0) options.onCommit?.(++commits);
        return result;
      } catch (error) {
        for (const [name, entry] of undo) {
          if (entry === undefined) values.delete(name);
          else values.set(name, entry);
        }
        throw error;
      } finally {
        undo = undefined;
      }
    },
    close: async () => {},
    snapshot: () => new Map([...values].map(([name, entry]) => [name, structuredClone(entry.value)])),
  };
  return state;
}

function compareKeys(a: Key, b: Key): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x === y) continue;
    if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}
