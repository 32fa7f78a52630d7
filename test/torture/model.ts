/**
 * The rules of CodePipeline once more, told another way (user guide, "How pipeline executions work"): stages as slots with a queue before
 * them, events on a line of time. What it says must be what the engine does.
 */

export type Mode = 'SUPERSEDED' | 'QUEUED' | 'PARALLEL';

export interface ModelAction {
  readonly name: string;
  readonly order: number;
}

export interface ModelStage {
  readonly name: string;
  readonly actions: readonly ModelAction[];
}

export type Operation =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop'; readonly of: number; readonly abandon: boolean }
  | { readonly kind: 'retry'; readonly of: number; readonly all: boolean }
  | { readonly kind: 'switch'; readonly stage: number; readonly enabled: boolean }
  | { readonly kind: 'redefine'; readonly stages: readonly ModelStage[] };

export interface Outcome {
  /** Milliseconds the attempt takes. */
  readonly ms: number;
  readonly fails: boolean;
}

interface Run {
  readonly number: number;
  readonly version: number;
  readonly stages: readonly ModelStage[];
  status: string;
  stage: number;
  place: 'waiting' | 'inside' | 'ended';
  /** Actions of the current stage: done, failed, or running in this attempt. */
  done: Map<string, 'Succeeded' | 'Failed' | 'Running'>;
  readonly entered: Set<string>;
  stageStatus: string[];
  stopping: boolean;
  cancelled: boolean;
  /** Attempts that were abandoned have another life. */
  life: number;
}

export class Model {
  readonly runs: Run[] = [];
  /** Attempts by `NUMBER/STAGE/ACTION`. */
  readonly attempts = new Map<string, number>();
  private now = 0;
  private events: { at: number; act: () => void }[] = [];
  private readonly disabled = new Set<string>();
  private version = 1;

  constructor(
    private readonly mode: Mode,
    private stages: readonly ModelStage[],
    private readonly outcome: (what: string, nth: number) => Outcome,
  ) {}

  /** Lets time pass; what falls due happens in order. */
  passTo(time: number): void {
    for (;;) {
      const next = this.events.filter(({ at }) => at <= time).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.events = this.events.filter((event) => event !== next);
      this.now = next.at;
      next.act();
    }
    this.now = time;
  }

  /** Whether the service accepts the operation now; does it then. */
  apply(operation: Operation): boolean {
    switch (operation.kind) {
      case 'start': {
        const run: Run = { number: this.runs.length + 1, version: this.version, stages: this.stages, status: 'InProgress', stage: -1, place: 'waiting', done: new Map(), entered: new Set(), stageStatus: this.stages.map(() => 'NotStarted'), stopping: false, cancelled: false, life: 0 };
        this.runs.push(run);
        this.arrive(run, 0);
        return true;
      }
      case 'stop': {
        const run = this.runs[operation.of];
        if (!run || run.place === 'ended' || (run.stopping && !operation.abandon)) return false;
        run.stopping = true;
        if (operation.abandon) run.life++;
        if (operation.abandon || run.place === 'waiting' || !running(run)) this.end(run, 'Stopped');
        return true;
      }
      case 'retry': {
        const run = this.runs[operation.of];
        if (!run || run.place !== 'ended' || (run.status !== 'Failed' && run.status !== 'Stopped') || !this.retryable(run)) return false;
        const name = run.stages[run.stage]!.name;
        if (operation.all) run.done.clear();
        for (const [action, state] of run.done) if (state !== 'Succeeded') run.done.delete(action);
        run.entered.add(name);
        Object.assign(run, { status: 'InProgress', place: 'inside', stopping: false });
        run.stageStatus[run.stage] = 'InProgress';
        this.go(run);
        return true;
      }
      case 'switch': {
        const name = this.stages[operation.stage]?.name;
        if (name === undefined) return false;
        if (operation.enabled) this.disabled.delete(name);
        else this.disabled.add(name);
        this.admit(name);
        return true;
      }
      case 'redefine': {
        this.stages = operation.stages;
        this.version++;
        if (this.mode === 'PARALLEL') return true;
        for (const run of this.runs.filter(({ place }) => place !== 'ended')) {
          run.cancelled = true;
          if (run.place === 'waiting' || !running(run)) this.end(run, 'Cancelled');
        }
        return true;
      }
    }
  }

  enableAll(): void {
    const names = [...this.disabled];
    this.disabled.clear();
    for (const name of names.sort()) this.admit(name);
  }

  private retryable(run: Run): boolean {
    const name = run.stages[run.stage]?.name;
    if (name === undefined || !['Failed', 'Stopped'].includes(run.stageStatus[run.stage]!)) return false;
    if (this.mode === 'PARALLEL') return true;
    return run.version === this.version && !this.runs.some((other) => other.number > run.number && other.entered.has(name));
  }

  private arrive(run: Run, stage: number): void {
    run.stage = stage;
    run.place = 'waiting';
    run.done = new Map();
    this.admit(run.stages[stage]!.name);
  }

  /** Who waits before the stage enters it, or gives way. */
  private admit(name: string): void {
    const before = (): Run[] => this.runs.filter((run) => run.place === 'waiting' && run.stages[run.stage]?.name === name);
    if (this.mode === 'SUPERSEDED') for (const run of before().slice(0, -1)) this.end(run, 'Superseded');
    for (const run of before()) {
      const taken = this.mode !== 'PARALLEL' && this.runs.some((other) => other.place === 'inside' && other.stages[other.stage]!.name === name);
      if (taken || this.disabled.has(name)) return;
      run.place = 'inside';
      run.entered.add(name);
      run.stageStatus[run.stage] = 'InProgress';
      this.go(run);
    }
  }

  /** Starts what is next in the stage, or leaves it. */
  private go(run: Run): void {
    if (running(run)) return;
    const { actions, name } = run.stages[run.stage]!;
    if (run.stopping) return this.end(run, 'Stopped');
    if (run.cancelled) return this.end(run, 'Cancelled');
    if ([...run.done.values()].includes('Failed')) return this.end(run, 'Failed');
    const open = actions.filter((action) => !run.done.has(action.name));
    if (open.length === 0) {
      run.stageStatus[run.stage] = 'Succeeded';
      if (run.stage + 1 === run.stages.length) return this.end(run, 'Succeeded');
      const left = run.stage;
      this.arrive(run, left + 1);
      return this.admit(name);
    }
    const order = Math.min(...open.map((action) => action.order));
    for (const action of open.filter((candidate) => candidate.order === order)) {
      const what = `${run.number}/${name}/${action.name}`;
      const nth = this.attempts.get(what) ?? 0;
      this.attempts.set(what, nth + 1);
      const { ms, fails } = this.outcome(what, nth);
      const { life } = run;
      run.done.set(action.name, 'Running');
      this.events.push({
        at: this.now + ms,
        act: () => {
          if (run.life !== life) return;
          run.done.set(action.name, fails ? 'Failed' : 'Succeeded');
          this.go(run);
        },
      });
    }
  }

  private end(run: Run, status: string): void {
    const inside = run.place === 'inside';
    run.place = 'ended';
    run.status = status;
    if (inside && status !== 'Succeeded') run.stageStatus[run.stage] = status === 'Cancelled' ? settled(run) : status;
    if (inside) this.admit(run.stages[run.stage]!.name);
  }
}

function running(run: Run): boolean {
  return [...run.done.values()].includes('Running');
}

function settled(run: Run): string {
  const states = run.stages[run.stage]!.actions.map(({ name }) => run.done.get(name));
  return states.includes('Failed') ? 'Failed' : states.every((state) => state === 'Succeeded') ? 'Succeeded' : 'Cancelled';
}
