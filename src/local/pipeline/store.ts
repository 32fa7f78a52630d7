import type * as CodePipeline from '../models/types/codepipeline.js';
import { table, type State } from '../state/state.js';
import { isEnded, type ActionRun, type Execution, type PipelineRecord, type StageRun } from './execution.js';

type StoredExecution = Omit<Execution, 'declaration' | 'stages'> & { readonly version: number };

/** An attempt at an action that is history. */
export interface PastAction {
  readonly pipeline: string;
  readonly execution: string;
  readonly version: number;
  readonly stage: string;
  readonly action: ActionRun;
}

const pipelineTable = table<PipelineRecord>('codepipeline', 'pipelines');
const versionTable = table<CodePipeline.PipelineDeclaration>('codepipeline', 'versions');
const executionTable = table<StoredExecution>('codepipeline', 'executions');
const stageTable = table<StageRun>('codepipeline', 'stages');
const idTable = table<{ readonly pipeline: string; readonly number: number }>('codepipeline', 'execution-ids');
const pastTable = table<PastAction>('codepipeline', 'past-actions');
const indexTable = table<{ readonly account: string; readonly region: string; readonly name: string }>('codepipeline', 'active');

/** Pipelines and executions of one account and region; keeps the executions that run in memory, as they are on disk. */
export class PipelineStore {
  private readonly cache = new Map<string, Execution>();
  private readonly declarations = new Map<string, CodePipeline.PipelineDeclaration>();

  constructor(
    readonly state: State,
    readonly account: string,
    readonly region: string,
  ) {}

  transaction<T>(work: () => T): T {
    try {
      return this.state.transaction(work);
    } catch (error) {
      this.cache.clear();
      throw error;
    }
  }

  pipeline(name: string): PipelineRecord | undefined {
    return pipelineTable(this.state, this.account, this.region).get(name);
  }

  pipelines(): PipelineRecord[] {
    return pipelineTable(this.state, this.account, this.region).list();
  }

  putPipeline(record: PipelineRecord): void {
    this.transaction(() => {
      pipelineTable(this.state, this.account, this.region).put(record.name, record);
      versionTable(this.state, this.account, this.region).put([record.name, record.declaration.version!], record.declaration);
    });
  }

  version(name: string, version: number): CodePipeline.PipelineDeclaration | undefined {
    const key = `${name}\n${version}`;
    const known = this.declarations.get(key);
    if (known) return known;
    const found = versionTable(this.state, this.account, this.region).get(name, version);
    if (found) this.declarations.set(key, found);
    return found;
  }

  /** Removes the pipeline with its versions, executions and history. */
  removePipeline(name: string): void {
    this.transaction(() => {
      const { state, account, region } = this;
      for (const stored of executionTable(state, account, region).list(name)) idTable(state, account, region).delete(stored.id);
      for (const make of [versionTable, executionTable, stageTable, pastTable, activeTable] as const) {
        const all = make(state, account, region);
        for (const [key] of all.entries([name])) all.delete(...key);
      }
      pipelineTable(state, account, region).delete(name);
      indexTable(state, 'cloud', 'global').delete(account, region, name);
    });
    for (const key of this.declarations.keys()) if (key.startsWith(`${name}\n`)) this.declarations.delete(key);
    for (const key of this.cache.keys()) if (key.startsWith(`${name}\n`)) this.cache.delete(key);
  }

  execution(id: string): Execution | undefined {
    const place = idTable(this.state, this.account, this.region).get(id);
    return place && this.load(place.pipeline, place.number);
  }

  /** Newest first. */
  executions(name: string, options: { readonly limit?: number; readonly before?: number } = {}): Execution[] {
    return executionTable(this.state, this.account, this.region)
      .entries([name], { reverse: true, ...(options.limit === undefined ? {} : { limit: options.limit }), ...(options.before === undefined ? {} : { after: [name, options.before] }) })
      .map(([, stored]) => this.hydrate(stored));
  }

  /** Executions that have not ended, oldest first. */
  active(name: string): Execution[] {
    const numbers = activeTable(this.state, this.account, this.region).entries([name]).map(([key]) => Number(key[1]));
    return numbers.map((number) => this.load(name, number)).filter((execution) => execution !== undefined);
  }

  private load(name: string, number: number): Execution | undefined {
    const cached = this.cache.get(`${name}\n${number}`);
    if (cached) return cached;
    const stored = executionTable(this.state, this.account, this.region).get(name, number);
    return stored && this.hydrate(stored);
  }

  private hydrate(stored: StoredExecution): Execution {
    const cached = this.cache.get(`${stored.pipeline}\n${stored.number}`);
    if (cached) return cached;
    const declaration = this.version(stored.pipeline, stored.version)!;
    const stages = stageTable(this.state, this.account, this.region).list(stored.pipeline, stored.number);
    return { ...stored, declaration, stages };
  }

  /** Writes what changed of an execution: its head, and the stages that are others than before. */
  putExecution(after: Execution, before: Execution | undefined): void {
    const { declaration, stages, ...head } = after;
    this.transaction(() => {
      const { state, account, region } = this;
      executionTable(state, account, region).put([after.pipeline, after.number], { ...head, version: declaration.version! });
      for (const [index, stage] of stages.entries()) if (before?.stages[index] !== stage) stageTable(state, account, region).put([after.pipeline, after.number, index], stage);
      if (!before) idTable(state, account, region).put(after.id, { pipeline: after.pipeline, number: after.number });
      const activeRows = activeTable(state, account, region);
      if (isEnded(after)) activeRows.delete(after.pipeline, after.number);
      else if (!before || isEnded(before)) {
        activeRows.put([after.pipeline, after.number], true);
        indexTable(state, 'cloud', 'global').put([account, region, after.pipeline], { account, region, name: after.pipeline });
      }
    });
    const key = `${after.pipeline}\n${after.number}`;
    if (isEnded(after)) this.cache.delete(key);
    else this.cache.set(key, after);
  }

  /** Keeps an attempt that is over. */
  putPast(past: PastAction, number: number): void {
    pastTable(this.state, this.account, this.region).put([past.pipeline, number, past.action.id], past);
  }

  pastActions(name: string, number?: number): PastAction[] {
    const all = pastTable(this.state, this.account, this.region);
    return number === undefined ? all.list(name) : all.list(name, number);
  }
}

const activeTable = table<true>('codepipeline', 'active-executions');

/** Every pipeline that ever ran, in all accounts and regions: what a restart looks through. */
export function startedPipelines(state: State): { readonly account: string; readonly region: string; readonly name: string }[] {
  return indexTable(state, 'cloud', 'global').list();
}
