import { retryStage } from '../../src/local/pipeline/apply.js';
import { isEnded, type Execution } from '../../src/local/pipeline/execution.js';
import { build, Crash, sourceStage, stage, World, type Plan } from './world.js';
import { Model, type ModelStage, type Mode, type Operation } from './model.js';

/** A pipeline, what is done to it and when, and how its actions go: all from one seed. */
export interface Scenario {
  readonly seed: number;
  readonly mode: Mode;
  readonly stages: readonly ModelStage[];
  readonly operations: readonly { readonly at: number; readonly operation: Operation }[];
  plan(what: string, nth: number): { ms: number; fails: boolean };
}

export function scenarioOf(seed: number): Scenario {
  const random = generator(seed);
  const pick = (most: number): number => Math.floor(random() * most);
  const shape = (): ModelStage[] => [
    { name: 'Source', actions: [{ name: 'Get', order: 1 }] },
    ...Array.from({ length: 1 + pick(3) }, (_, index) => ({ name: 'ABC'[index]!, actions: Array.from({ length: 1 + pick(3) }, (__, i) => ({ name: `a${i}`, order: 1 + pick(3) })) })),
  ];
  const stages = shape();
  const operations = Array.from({ length: 4 + pick(12) }, (_, index): { at: number; operation: Operation } => {
    // Times are odd here and even for actions: nothing falls together by chance, so there is one right end.
    const at = 1 + 2 * pick(60_000);
    const of = pick(5);
    const kind = index === 0 ? 0 : pick(20);
    if (kind < 9) return { at, operation: { kind: 'start' } };
    if (kind < 12) return { at, operation: { kind: 'stop', of, abandon: random() < 0.5 } };
    if (kind < 16) return { at, operation: { kind: 'retry', of, all: random() < 0.5 } };
    if (kind < 19) return { at, operation: { kind: 'switch', stage: 1 + pick(2), enabled: random() < 0.6 } };
    return { at, operation: { kind: 'redefine', stages: shape() } };
  }).sort((a, b) => a.at - b.at);
  return {
    seed,
    mode: (['SUPERSEDED', 'QUEUED', 'PARALLEL'] as const)[pick(5) % 3]!,
    stages,
    operations,
    plan: (what, nth) => {
      const own = generator(hash(`${seed} ${what} ${nth}`));
      return { ms: 2 + 2 * Math.floor(own() * 12_000 + own() * own() * 20_000), fails: own() < 0.15 };
    },
  };
}

/** What stands at the end: compared between the engine, the model, and the engine that died on the way. */
export interface End {
  readonly executions: readonly string[];
  readonly attempts: Readonly<Record<string, number>>;
}

/** Runs the scenario on the engine, optionally dying before a commit. Raises where a rule is broken. */
export async function simulate(scenario: Scenario, crashAt?: number): Promise<{ end: End; told: Readonly<Record<string, number>>; commits: number }> {
  const watch = new Watch();
  const world = new World({ plan: (what, nth): Plan => scenario.plan(what, nth), onCommit: (at) => (crashAt === undefined || at.commits >= crashAt ? watch.look(at) : undefined), ...(crashAt === undefined ? {} : { crashAt }) });
  const begin = world.clock.now();
  await surviving(world, () => world.define(stagesOf(scenario.stages), { executionMode: scenario.mode }), () => world.pipeline() !== undefined);
  for (const { at, operation } of scenario.operations) {
    await passTo(world, begin + at);
    await perform(world, operation);
  }
  await passTo(world, world.clock.now());
  for (const { name } of scenario.stages) if (world.pipeline().disabled[name]) await surviving(world, () => world.switchStage(name, true), () => !world.pipeline().disabled[name]);
  for (const name of ['A', 'B', 'C']) if (world.pipeline().disabled[name]) await surviving(world, () => world.switchStage(name, true), () => !world.pipeline().disabled[name]);
  await passTo(world, world.clock.now() + 1_000_000_000);
  if (watch.broken) throw new Error(watch.broken);
  const executions = world.executions();
  for (const execution of executions) if (!isEnded(execution)) throw new Error(`execution ${execution.number} never ends: ${execution.status} ${execution.place} in stage ${execution.stage}`);
  return { end: { executions: executions.map(described), attempts: counted([...world.jobs.values()].map(({ what }) => what)) }, told: counted(world.events), commits: world.commits };
}

/** What the model says of the same scenario. */
export function predict(scenario: Scenario): End {
  const model = new Model(scenario.mode, scenario.stages, (what, nth) => scenario.plan(what, nth));
  let last = 0;
  for (const { at, operation } of scenario.operations) {
    model.passTo(at);
    model.apply(operation);
    last = at;
  }
  model.passTo(last);
  model.enableAll();
  model.passTo(2_000_000_000);
  return {
    executions: model.runs.map((run) => `${run.number} ${run.status}: ${run.stages.map(({ name }, index) => `${name} ${run.stageStatus[index]}`).join(', ')}`),
    attempts: Object.fromEntries([...model.attempts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** The engine against the model; then again with a death before every commit, each to the same end. */
export async function torture(seed: number, crashes: 'every' | 'none' = 'every'): Promise<{ commits: number; executions: number }> {
  const scenario = scenarioOf(seed);
  const { end, told, commits } = await simulate(scenario);
  same(end, predict(scenario), `seed ${seed}: the engine and the model`);
  if (crashes === 'every')
    for (let at = 1; at <= commits; at++) {
      const again = await simulate(scenario, at).catch((error: unknown) => {
        throw new Error(`seed ${seed}, death before commit ${at}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      });
      const runs = `seed ${seed}, death before commit ${at}: the resumed run and the uninterrupted one`;
      same(again.end, end, runs);
      same(again.told, told, `events of ${runs}`);
    }
  return { commits, executions: end.executions.length };
}

function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual, undefined, 1), JSON.stringify(expected, undefined, 1)];
  if (a !== b) throw new Error(`${what} differ:\n${a}\n---\n${b}`);
}

async function passTo(world: World, time: number): Promise<void> {
  for (;;) {
    await world.advance(Math.max(0, time - world.clock.now()));
    if (!world.crashed) return;
    world.boot();
  }
}

/** Does something as a client would: when the cloud dies under it, it looks whether it was done, and asks again. */
async function surviving(world: World, work: () => void, done: () => boolean): Promise<void> {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    world.boot();
    if (!done()) work();
  }
  await passTo(world, world.clock.now());
}

async function perform(world: World, operation: Operation): Promise<void> {
  switch (operation.kind) {
    case 'start': {
      const id = `execution-${world.executions().length + 1}`;
      return surviving(world, () => void world.start(id), () => world.store.execution(id) !== undefined);
    }
    case 'stop': {
      const before = world.executions()[operation.of];
      if (!before || isEnded(before) || (before.status === 'Stopping' && !operation.abandon)) return;
      return surviving(world, () => void world.engine.stop(world.execution(before.number), { abandon: operation.abandon, reason: '' }), () => world.execution(before.number).stop?.abandon === operation.abandon);
    }
    case 'retry': {
      const before = world.executions()[operation.of];
      if (!before || !retryable(world, before)) return;
      const ids = JSON.stringify(before.stages[before.stage]);
      return surviving(
        world,
        () => void world.engine.update(world.execution(before.number), (execution) => retryStage(execution, operation.all ? 'ALL_ACTIONS' : 'FAILED_ACTIONS', new Date(world.clock.now()))),
        () => JSON.stringify(world.execution(before.number).stages[before.stage]) !== ids,
      );
    }
    case 'switch': {
      const name = world.pipeline().declaration.stages[operation.stage]?.name;
      if (name === undefined) return;
      return surviving(world, () => world.switchStage(name, operation.enabled), () => (world.pipeline().disabled[name] === undefined) === operation.enabled);
    }
    case 'redefine': {
      const version = world.pipeline().declaration.version!;
      return surviving(world, () => world.redefine(stagesOf(operation.stages), { executionMode: world.pipeline().declaration.executionMode! }), () => world.pipeline().declaration.version! > version);
    }
  }
}

/** What RetryStageExecution asks before it retries. */
function retryable(world: World, execution: Execution): boolean {
  const current = execution.stages[execution.stage]!;
  if (!isEnded(execution) || (current.status !== 'Failed' && current.status !== 'Stopped') || (execution.status !== 'Failed' && execution.status !== 'Stopped')) return false;
  if (execution.mode === 'PARALLEL') return true;
  const later = world.executions().some((other) => other.number > execution.number && other.stages.find(({ name }) => name === current.name)?.entered !== undefined);
  return execution.declaration.version === world.pipeline().declaration.version && !later;
}

/** Rules that hold after every single commit. */
class Watch {
  private readonly entered = new Map<string, number>();

  /** The first rule that was seen broken; the engine logs what is thrown at it and goes on. */
  broken: string | undefined;

  look(world: World): void {
    try {
      this.check(world);
    } catch (error) {
      this.broken ??= `at commit ${world.commits}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  private check(world: World): void {
    const executions = world.executions();
    const inside = executions.filter(({ place, mode }) => place === 'inside' && mode !== 'PARALLEL').map((execution) => execution.stages[execution.stage]!.name);
    if (new Set(inside).size !== inside.length) throw new Error(`two executions in one stage: ${inside.join(', ')}`);
    for (const execution of executions) {
      for (const { name, entered } of execution.stages) {
        if (!entered) continue;
        const key = `${execution.number}/${name}`;
        const known = this.entered.get(key);
        if (known !== undefined && known !== entered.getTime()) throw new Error(`${key} was entered twice`);
        this.entered.set(key, entered.getTime());
      }
      if (execution.status === 'Superseded' && !executions.some((other) => other.number > execution.number)) throw new Error(`execution ${execution.number} was superseded by none that is newer`);
      const running = execution.stages.filter(({ actions }) => actions.some(({ status }) => status === 'InProgress')).length;
      if (running > 1 || (isEnded(execution) && running > 0)) throw new Error(`execution ${execution.number} runs where it is not`);
    }
    if (executions[0]?.mode !== 'QUEUED') return;
    for (const [index, execution] of executions.entries())
      for (const later of executions.slice(index + 1))
        for (const { name, entered } of execution.stages) {
          const other = later.stages.find((candidate) => candidate.name === name)?.entered;
          if (entered && other && other < entered) throw new Error(`${later.number} went past ${execution.number} into ${name}`);
        }
  }
}

function described(execution: Execution): string {
  return `${execution.number} ${execution.status}: ${execution.stages.map(({ name, status }) => `${name} ${status}`).join(', ')}`;
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function stagesOf(stages: readonly ModelStage[]) {
  return stages.map(({ name, actions }) => (name === 'Source' ? sourceStage() : stage(name, ...actions.map((action) => build(action.name, action.order)))));
}

/** mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hash(text: string): number {
  let value = 2166136261;
  for (const char of text) value = Math.imul(value ^ char.charCodeAt(0), 16777619);
  return value >>> 0;
}
