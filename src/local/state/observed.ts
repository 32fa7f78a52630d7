import type { Key, State } from './state.js';

/** The same state, with somebody who sees what a transaction wrote before it takes effect; throwing there undoes it. For torture tests. */
export function observedState(inner: State, beforeCommit: (written: readonly Key[]) => void): State {
  let written: Key[] | undefined;
  const transaction = <T>(work: () => T): T => {
    if (written) return work();
    const keys: Key[] = (written = []);
    try {
      return inner.transaction(() => {
        const result = work();
        if (keys.length > 0) beforeCommit(keys);
        return result;
      });
    } finally {
      written = undefined;
    }
  };
  return {
    ...inner,
    transaction,
    put: (key, value) =>
      transaction(() => {
        written!.push(key);
        inner.put(key, value);
      }),
    delete: (key) =>
      transaction(() => {
        written!.push(key);
        inner.delete(key);
      }),
  };
}
