/** Time as a dependency: everything that waits or stamps takes a clock, so that a run can be replayed and no test sleeps. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `task` after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, task: () => void): () => void;
}

const LONGEST_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    // setTimeout overflows past 2^31-1 ms (24.8 days) and would fire at once: longer times are waited for in parts.
    const end = Date.now() + ms;
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      timer = left > LONGEST_MS ? setTimeout(() => wait(end - Date.now()), LONGEST_MS) : setTimeout(task, left);
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds of the given clock, or as soon as the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** A clock that moves only when told to; due tasks run in order of their time. */
export class ManualClock implements Clock {
  private time: number;
  private tasks: { at: number; order: number; task: () => void }[] = [];
  private order = 0;

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.time + Math.max(0, ms), order: this.order++, task };
    this.tasks.push(entry);
    return () => {
      this.tasks = this.tasks.filter((other) => other !== entry);
    };
  }

  /** Moves time forward and runs what falls due, oldest first. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.tasks.filter((t) => t.at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!next) break;
      this.tasks = this.tasks.filter((other) => other !== next);
      this.time = next.at;
      next.task();
    }
    this.time = end;
  }

  /** Milliseconds until the next task, or undefined when nothing waits. */
  untilNext(): number | undefined {
    const times = this.tasks.map((t) => t.at);
    return times.length === 0 ? undefined : Math.min(...times) - this.time;
  }
}
