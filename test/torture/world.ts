import { ManualClock } from '../../src/shared/clock.js';
import { resumeAnnouncements } from '../../src/local/kernel/announce.js';
import { AwsError } from '../../src/local/kernel/error.js';
import type { Client, Runtime } from '../../src/local/kernel/service.js';
import type * as CodePipeline from '../../src/local/models/types/codepipeline.js';
import { PipelineEngine } from '../../src/local/pipeline/engine.js';
import type { Execution, PipelineRecord } from '../../src/local/pipeline/execution.js';
import type { ActionContext, ActionResult, ActionRunner } from '../../src/local/pipeline/runner.js';
import { memoryState } from '../../src/local/state/memory.js';
import type { State } from '../../src/local/state/state.js';

/** The pipeline engine alone, on a clock of ours, with actions whose work is a job outside that takes its time and ends as it was told. */

export const ACCOUNT = '111111111111';
export const REGION = 'eu-west-1';
export const PIPELINE = 'pipe';

/** How an attempt at an action goes. */
export interface Plan {
  readonly ms: number;
  readonly fails?: boolean;
  readonly variables?: Readonly<Record<string, string>>;
}

export interface Job {
  /** `NUMBER/STAGE/ACTION`. */
  readonly what: string;
  readonly attempt: string;
  readonly end: number;
  readonly plan: Plan;
}

/** A process that died: whatever it still tries is without effect. */
export class Crash extends Error {}

export interface WorldOptions {
  /** Answers how the nth attempt (from 0) at an action goes. */
  readonly plan?: (what: string, nth: number) => Plan;
  /** Dies before this commit, counted from 1 over all lives. */
  readonly crashAt?: number;
  /** Called after each commit. */
  readonly onCommit?: (world: World) => void;
}

export class World {
  readonly clock = new ManualClock();
  readonly jobs = new Map<string, Job>();
  /** Events as they were announced: `EXECUTION STATE`, `STAGE STATE`, `STAGE/ACTION STATE`. */
  readonly events: string[] = [];
  private readonly accepted = new Set<string>();
  commits = 0;
  engine!: PipelineEngine;
  private readonly durable = memoryState();
  private life = 0;
  private ended!: AbortController;
  private dead = false;

  constructor(private readonly options: WorldOptions = {}) {
    this.boot();
  }

  /** A new process on the same state; it takes up what was under way. */
  boot(): void {
    this.ended?.abort();
    this.ended = new AbortController();
    this.dead = false;
    this.life++;
    const runtime = this.runtime();
    this.engine = new PipelineEngine(runtime, [this.runner()]);
    this.engine.resume();
    resumeAnnouncements(runtime);
  }

  get crashed(): boolean {
    return this.dead;
  }

  get store() {
    return this.engine.store(ACCOUNT, REGION);
  }

  pipeline(): PipelineRecord {
    return this.store.pipeline(PIPELINE)!;
  }

  /** Creates the pipeline without starting it. */
  define(stages: CodePipeline.StageDeclaration[], more: Partial<CodePipeline.PipelineDeclaration> = {}): PipelineRecord {
    const now = new Date(this.clock.now());
    const record: PipelineRecord = { name: PIPELINE, account: ACCOUNT, region: REGION, declaration: declarationOf(stages, more, 1), created: now, updated: now, tags: {}, disabled: {}, next: 1 };
    this.store.putPipeline(record);
    return record;
  }

  redefine(stages: CodePipeline.StageDeclaration[], more: Partial<CodePipeline.PipelineDeclaration> = {}): void {
    const before = this.pipeline();
    this.engine.redefine({ ...before, declaration: declarationOf(stages, more, before.declaration.version! + 1) });
  }

  start(id?: string, variables: Readonly<Record<string, string>> = {}): Execution {
    return this.engine.start(this.pipeline(), { trigger: { triggerType: 'StartPipelineExecution', triggerDetail: '' }, variables, ...(id ? { id } : {}) });
  }

  switchStage(stage: string, enabled: boolean): void {
    const record = this.pipeline();
    const { [stage]: _, ...others } = record.disabled;
    this.store.putPipeline({ ...record, disabled: enabled ? others : { ...others, [stage]: { reason: '', by: '', at: new Date(0) } } });
    this.engine.pump(ACCOUNT, REGION, PIPELINE);
  }

  execution(number: number): Execution {
    return this.executions().find((execution) => execution.number === number)!;
  }

  /** Oldest first. */
  executions(): Execution[] {
    return this.store.executions(PIPELINE).reverse();
  }

  statuses(): string[] {
    return this.executions().map(({ status }) => status);
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async advance(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.settle();
    for (;;) {
      const next = this.clock.untilNext();
      if (this.dead || next === undefined || this.clock.now() + next > end) break;
      this.clock.advance(next);
      await this.settle();
    }
    if (!this.dead) this.clock.advance(end - this.clock.now());
    await this.settle();
  }

  /** Attempts that were made at an action: jobs with tokens of their own. */
  attempts(what: string): Job[] {
    return [...this.jobs.values()].filter((job) => job.what === what);
  }

  private runtime(): Runtime {
    const { events, accepted } = this;
    const client: Client = {
      in: () => client,
      call: async <O>(service: string, operation: string, input: Record<string, unknown>): Promise<O> => {
        if (operation === 'AssumeRole') return { Credentials: { AccessKeyId: 'A', SecretAccessKey: 'S', SessionToken: 'T', Expiration: new Date(0) } } as O;
        if (operation === 'AcceptEvent') {
          const { Id, Entry } = input as { Id: string; Entry: { Detail: string } };
          if (accepted.has(Id)) return {} as O;
          accepted.add(Id);
          const { stage, action, state } = JSON.parse(Entry.Detail) as { stage?: string; action?: string; state: string };
          events.push(`${[stage, action].filter(Boolean).join('/') || 'execution'} ${state}`);
          return {} as O;
        }
        throw new TypeError(`${service}:${operation} is not in this world`);
      },
    };
    return {
      clock: this.clock, state: this.mortalState(), endpoint: '', directory: '', client: () => client, signal: this.ended.signal, log: () => {},
      credential: () => ({ secretAccessKey: 'S', principal: { kind: 'anonymous', account: '' } }),
      serviceCredential: () => undefined,
      blobs: undefined as never, principals: undefined as never, deliver: () => {},
    };
  }

  /** State that counts the commits, and of which a dead process sees nothing. */
  private mortalState(): State {
    const { durable } = this;
    const life = this.life;
    let depth = 0;
    const alive = (): void => {
      if (this.dead || life !== this.life) throw new Crash('dead');
    };
    const transaction = <T>(work: () => T): T => {
      alive();
      if (depth > 0) return work();
      depth++;
      let result: T;
      try {
        result = durable.transaction(() => {
          const made = work();
          if (this.commits + 1 === this.options.crashAt) {
            this.commits++;
            this.dead = true;
            throw new Crash(`before commit ${this.commits}`);
          }
          return made;
        });
        this.commits++;
      } finally {
        depth--;
      }
      this.options.onCommit?.(this);
      return result;
    };
    return {
      get: (key) => (alive(), durable.get(key)),
      list: (prefix, options) => (alive(), durable.list(prefix, options)),
      put: (key, value) => transaction(() => durable.put(key, value)),
      delete: (key) => transaction(() => durable.delete(key)),
      transaction,
      close: async () => {},
    };
  }

  /** Starts a job by its token, notes it, waits for its end: what every real runner does. */
  private runner(): ActionRunner {
    return {
      types: ['Source/S3', 'Build/CodeBuild', 'Approval/Manual'],
      run: async (context: ActionContext): Promise<ActionResult> => {
        if (context.declared.actionTypeId.provider === 'Manual') {
          if (context.memory['token'] === undefined) context.remember({ token: `token-${context.attempt}` });
          context.announce({ token: context.memory['token'] as string });
          return new Promise(() => {});
        }
        const job = this.jobOf(context);
        if (context.memory['job'] === undefined) context.remember({ job: job.attempt });
        if (job.end > this.clock.now()) await context.sleep(job.end - this.clock.now());
        if (job.plan.fails) throw new AwsError('JobFailed', `${job.what} failed`, { status: 400 });
        return { externalId: job.attempt, variables: job.plan.variables ?? {}, ...(context.stage === 'Source' ? { revision: { revisionId: `r${context.execution.number}`, summary: '' } } : {}) };
      },
    };
  }

  private jobOf(context: ActionContext): Job {
    const known = this.jobs.get(context.attempt);
    if (known) return known;
    const what = `${context.execution.number}/${context.stage}/${context.declared.name}`;
    const plan = this.options.plan?.(what, this.attempts(what).length) ?? { ms: 1000 };
    const job = { what, attempt: context.attempt, end: this.clock.now() + plan.ms, plan };
    this.jobs.set(context.attempt, job);
    return job;
  }
}

export function declarationOf(stages: CodePipeline.StageDeclaration[], more: Partial<CodePipeline.PipelineDeclaration> = {}, version = 1): CodePipeline.PipelineDeclaration {
  return { name: PIPELINE, roleArn: `arn:aws:iam::${ACCOUNT}:role/pipe`, artifactStore: { type: 'S3', location: 'store' }, executionMode: 'SUPERSEDED', pipelineType: 'V2', stages, version, ...more };
}

export function sourceStage(name = 'Source'): CodePipeline.StageDeclaration {
  return { name, actions: [{ name: 'Get', actionTypeId: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' }, configuration: { S3Bucket: 'b', S3ObjectKey: 'k' }, outputArtifacts: [{ name: 'Code' }] }] };
}

export function stage(name: string, ...actions: CodePipeline.ActionDeclaration[]): CodePipeline.StageDeclaration {
  return { name, actions };
}

export function build(name: string, runOrder = 1, more: Partial<CodePipeline.ActionDeclaration> = {}): CodePipeline.ActionDeclaration {
  return { name, runOrder, actionTypeId: { category: 'Build', owner: 'AWS', provider: 'CodeBuild', version: '1' }, configuration: { ProjectName: 'p' }, ...more };
}

export function gate(name: string, runOrder = 1, more: Partial<CodePipeline.ActionDeclaration> = {}): CodePipeline.ActionDeclaration {
  return { name, runOrder, actionTypeId: { category: 'Approval', owner: 'AWS', provider: 'Manual', version: '1' }, ...more };
}
