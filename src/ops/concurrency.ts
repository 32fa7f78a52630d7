/** Runs work with at most so many at a time, in the order it was handed in. One is shared by everything a command does. */
export interface Limiter {
  <T>(work: () => Promise<T>): Promise<T>;
}

export const DEFAULT_CONCURRENCY = 16;

export function limiter(most: number = DEFAULT_CONCURRENCY): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    // A slot that becomes free is handed to the first in line: nobody who comes later can take it.
    if (running < most) running++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/** Every item through `work`, in parallel as far as the limiter lets; results in the order of the items. */
export function each<T, R>(limit: Limiter, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  return Promise.all(items.map((item) => limit(() => work(item))));
}
