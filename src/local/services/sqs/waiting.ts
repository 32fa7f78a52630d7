import type { Runtime } from '../../kernel/service.js';

const waiters = new WeakMap<Runtime, Map<string, Set<() => void>>>();

/** Resolves when somebody wakes who waits for that queue, when `ms` milliseconds have passed, or when the server stops. */
export function untilWoken(runtime: Runtime, arn: string, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const all = waiters.get(runtime) ?? new Map<string, Set<() => void>>();
    waiters.set(runtime, all);
    const here = all.get(arn) ?? new Set();
    all.set(arn, here);
    const end = (): void => {
      here.delete(end);
      if (here.size === 0) all.delete(arn);
      cancel();
      runtime.signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = runtime.clock.after(ms, end);
    here.add(end);
    runtime.signal.addEventListener('abort', end);
  });
}

/** Messages came, or the queue went. */
export function wake(runtime: Runtime, arn: string): void {
  for (const end of [...(waiters.get(runtime)?.get(arn) ?? [])]) end();
}
