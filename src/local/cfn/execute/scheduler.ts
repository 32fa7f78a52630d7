export interface Schedule {
  readonly nodes: readonly string[];
  /** Nodes that must be done first; those not in `nodes` count as done. */
  after(node: string): readonly string[];
  run(node: string): Promise<void>;
  /** Most nodes at work at the same time. */
  readonly parallel: number;
  /** Whether to start nothing more once this holds. */
  halted(): boolean;
}

/** Node and what it raised, in order of failing. */
export type Failures = readonly { readonly node: string; readonly error: unknown }[];

/**
 * Runs nodes along their dependencies with bounded parallelism. A node whose dependency failed doesn't run. Resolves when nothing runs
 * any more. Cost: each edge is looked at once.
 */
export function schedule(plan: Schedule): Promise<Failures> {
  const waiting = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  const known = new Set(plan.nodes);
  for (const node of plan.nodes) {
    const needs = [...new Set(plan.after(node))].filter((other) => known.has(other) && other !== node);
    waiting.set(node, needs.length);
    for (const other of needs) dependents.set(other, [...(dependents.get(other) ?? []), node]);
  }
  const ready = plan.nodes.filter((node) => waiting.get(node) === 0);
  const failures: { node: string; error: unknown }[] = [];
  let active = 0;
  let next = 0;
  return new Promise((resolve) => {
    const finish = (node: string): void => {
      for (const dependent of dependents.get(node) ?? []) {
        const left = waiting.get(dependent)! - 1;
        waiting.set(dependent, left);
        if (left === 0) ready.push(dependent);
      }
    };
    // One node a turn of the event loop: where providers wait for nothing, a large stack would keep every other request waiting.
    const step = (): void => {
      if (active < plan.parallel && next < ready.length && !plan.halted()) {
        const node = ready[next++]!;
        active++;
        plan
          .run(node)
          .then(
            () => finish(node),
            (error: unknown) => void failures.push({ node, error }),
          )
          .finally(() => {
            active--;
            take();
          });
        take();
      } else if (active === 0 && (plan.halted() || next >= ready.length)) resolve(failures);
    };
    let taking = false;
    const take = (): void => {
      if (taking) return;
      taking = true;
      setImmediate(() => {
        taking = false;
        step();
      });
    };
    step();
  });
}
