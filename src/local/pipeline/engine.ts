import { randomUUID } from 'node:crypto';
import { assumeRole } from '../kernel/assume.js';
import { AwsError, isAwsError } from '../kernel/error.js';
import type { Runtime } from '../kernel/service.js';
import type * as CodePipeline from '../models/types/codepipeline.js';
import { applyTransition, finishAction, newStages, withAction } from './apply.js';
import { artifactIn, artifactKey, readObject, storeOf, writeObject } from './artifacts.js';
import { announceAction, announceExecution, announceStage } from './events.js';
import { isEnded, type ActionRun, type Artifact, type Execution, type PipelineRecord, type Revision } from './execution.js';
import { findProvider } from './providers.js';
import { nextTransition, type Transition } from './rules.js';
import type { ActionContext, ActionResult, ActionRunner } from './runner.js';
import { PipelineStore, startedPipelines } from './store.js';
import { resolveConfiguration } from './variables.js';

export interface StartOptions {
  readonly trigger: Execution['trigger'];
  readonly variables?: Readonly<Record<string, string>>;
  readonly overrides?: readonly CodePipeline.SourceRevisionOverride[];
  readonly id?: string;
}

/**
 * Moves executions. All it knows lies in the store: each transition is one commit, actions that run are taken up again after a restart
 * with the same attempt ID. Nothing here decides: rules.ts does.
 */
export class PipelineEngine {
  private readonly stores = new Map<string, PipelineStore>();
  private readonly running = new Map<string, AbortController>();
  private readonly runners: ReadonlyMap<string, ActionRunner>;

  constructor(
    private readonly runtime: Runtime,
    runners: readonly ActionRunner[],
  ) {
    this.runners = new Map(runners.flatMap((runner) => runner.types.map((type): [string, ActionRunner] => [type, runner])));
  }

  store(account: string, region: string): PipelineStore {
    const key = `${account}/${region}`;
    let store = this.stores.get(key);
    if (!store) this.stores.set(key, (store = new PipelineStore(this.runtime.state, account, region)));
    return store;
  }

  /** Takes up what was under way when the process ended. */
  resume(): void {
    for (const { account, region, name } of startedPipelines(this.runtime.state)) this.pump(account, region, name);
  }

  start(pipeline: PipelineRecord, options: StartOptions): Execution {
    const store = this.store(pipeline.account, pipeline.region);
    const now = this.now();
    const execution: Execution = {
      id: options.id ?? randomUUID(),
      pipeline: pipeline.name,
      account: pipeline.account,
      region: pipeline.region,
      number: pipeline.next,
      mode: pipeline.declaration.executionMode ?? 'SUPERSEDED',
      declaration: pipeline.declaration,
      status: 'InProgress',
      started: now,
      updated: now,
      trigger: options.trigger,
      variables: options.variables ?? {},
      overrides: options.overrides ?? [],
      stage: 0,
      place: 'waiting',
      stages: newStages(pipeline.declaration),
      artifacts: {},
      revisions: {},
      namespaces: {},
    };
    store.transaction(() => {
      store.putPipeline({ ...pipeline, next: pipeline.next + 1 });
      store.putExecution(execution, undefined);
      announceExecution(this.runtime, execution, 'STARTED');
    });
    this.pump(pipeline.account, pipeline.region, pipeline.name);
    return execution;
  }

  /** Takes a new definition; every execution of the old one ends once its running actions have ended. One commit: no execution outlives its definition unnoticed. */
  redefine(pipeline: PipelineRecord): void {
    const store = this.store(pipeline.account, pipeline.region);
    store.transaction(() => {
      store.putPipeline(pipeline);
      for (const execution of store.active(pipeline.name)) if (execution.mode !== 'PARALLEL') this.change(execution, (before) => ({ ...before, cancelled: true }));
    });
    this.pump(pipeline.account, pipeline.region, pipeline.name);
  }

  /** Changes an execution in one commit, that announces `state` where there is one, and lets what follows happen. */
  update(execution: Execution, change: (before: Execution) => Execution, state?: string): Execution {
    const after = this.change(execution, change, (changed) => state && announceExecution(this.runtime, changed, state));
    this.pump(after.account, after.region, after.pipeline);
    return after;
  }

  /** Stops an execution: when its running actions have ended, or at once by abandoning them. One commit: nothing is abandoned by halves. */
  stop(execution: Execution, stop: { readonly abandon: boolean; readonly reason: string }): Execution {
    const after = this.change(
      execution,
      (before) => ({ ...(stop.abandon ? this.withoutRunning(before) : before), status: 'Stopping', stop, updated: this.now() }),
      (changed) => announceExecution(this.runtime, changed, 'STOPPING'),
    );
    if (stop.abandon) this.release(execution);
    this.pump(after.account, after.region, after.pipeline);
    return this.store(after.account, after.region).execution(after.id) ?? after;
  }

  /** Ends the attempts that run of an execution, whose record is about to go. */
  release(execution: Execution): void {
    for (const { actions } of execution.stages) for (const action of actions) this.running.get(action.id)?.abort(new AwsError('Abandoned', 'The action was abandoned', { status: 400 }));
  }

  private withoutRunning(execution: Execution): Execution {
    const store = this.store(execution.account, execution.region);
    const stages = execution.stages.map((stage) => ({
      ...stage,
      actions: stage.actions.map((action) => {
        if (action.status !== 'InProgress') return action;
        const abandoned: ActionRun = { ...action, status: 'Abandoned', updated: this.now(), token: undefined };
        store.putPast({ pipeline: execution.pipeline, execution: execution.id, version: execution.declaration.version!, stage: stage.name, action: abandoned }, execution.number);
        return abandoned;
      }),
    }));
    return { ...execution, stages };
  }

  /** Ends an attempt from outside its runner: an approval's answer, a job's result. Nothing happens when it is no longer the current one. */
  endAction(execution: Execution, action: ActionRun, end: Partial<ActionRun> & Pick<ActionRun, 'status'>): void {
    this.conclude(execution, action, end, undefined);
    this.running.get(action.id)?.abort(new AwsError('Answered', 'The action was ended from outside', { status: 400 }));
    this.pump(execution.account, execution.region, execution.pipeline);
  }

  /** One commit: the change, and what `tell` announces of it. */
  private change(execution: Execution, change: (before: Execution) => Execution, tell?: (after: Execution) => void): Execution {
    const store = this.store(execution.account, execution.region);
    return store.transaction(() => {
      const before = store.execution(execution.id);
      // The pipeline was deleted meanwhile: what still ends of it has no place any more.
      if (!before) return execution;
      const after = change(before);
      if (after === before) return after;
      store.putExecution(after, before);
      tell?.(after);
      return after;
    });
  }

  /** Applies transitions until none is due, one commit each, and starts what they started. */
  pump(account: string, region: string, name: string): void {
    const store = this.store(account, region);
    for (;;) {
      const pipeline = store.pipeline(name);
      if (!pipeline) return;
      const active = store.active(name);
      const transition = nextTransition(pipeline, active);
      if (!transition) break;
      this.apply(store, transition);
    }
    for (const execution of store.active(name))
      for (const action of execution.stages[execution.stage]?.actions ?? []) if (action.status === 'InProgress' && !this.running.has(action.id)) this.launch(execution, action);
  }

  private apply(store: PipelineStore, transition: Transition): void {
    const now = this.now();
    const before = store.execution(transition.execution)!;
    const after = applyTransition(before, transition, now, randomUUID);
    const stage = after.stages[before.stage]!.name;
    store.transaction(() => {
      store.putExecution(after, before);
      if (transition.kind === 'enter') announceStage(this.runtime, after, stage, 'STARTED');
      if (transition.kind === 'complete-stage') announceStage(this.runtime, after, stage, 'SUCCEEDED');
      if (transition.kind === 'fail-stage') announceStage(this.runtime, after, stage, 'FAILED');
      if (transition.kind === 'start') announceAction(this.runtime, after, stage, transition.action, 'STARTED');
      if (isEnded(after)) announceExecution(this.runtime, after, EVENT[after.status]!);
    });
  }

  private launch(execution: Execution, action: ActionRun): void {
    const abort = new AbortController();
    this.running.set(action.id, abort);
    const declared = execution.declaration.stages[execution.stage]!.actions.find(({ name }) => name === action.name)!;
    const minutes = declared.timeoutInMinutes ?? findProvider(declared.actionTypeId)!.minutes;
    const deadline = (action.started?.getTime() ?? this.runtime.clock.now()) + minutes * 60_000;
    const cancel = this.runtime.clock.after(Math.max(0, deadline - this.runtime.clock.now()), () => abort.abort(timedOut(declared, minutes)));
    const stopped = (): void => abort.abort(new AwsError('ServerStopped', 'The local cloud was stopped', { status: 503 }));
    this.runtime.signal.addEventListener('abort', stopped, { once: true });
    this.perform(execution, action, declared, abort.signal)
      .then(
        (result) => this.finish(execution, action, declared, { status: 'Succeeded', result }),
        (error: unknown) => {
          // A stop of the server is no end of the action: the next start takes it up again.
          if (!this.runtime.signal.aborted) this.finish(execution, action, declared, { status: 'Failed', error });
        },
      )
      .finally(() => {
        cancel();
        this.runtime.signal.removeEventListener('abort', stopped);
        this.running.delete(action.id);
        if (!this.runtime.signal.aborted) this.pump(execution.account, execution.region, execution.pipeline);
      })
      .catch((error: unknown) => this.runtime.log(`codepipeline: ${execution.pipeline}/${action.name}: ${error instanceof Error ? error.stack : String(error)}`));
  }

  private finish(execution: Execution, action: ActionRun, declared: CodePipeline.ActionDeclaration, end: { status: 'Succeeded'; result: ActionResult } | { status: 'Failed'; error: unknown }): void {
    const revision = end.status === 'Succeeded' ? end.result.revision : undefined;
    const artifact = declared.outputArtifacts?.[0]?.name ?? '';
    this.conclude(execution, action, end.status === 'Succeeded' ? succeeded(end.result) : failed(end.error), revision && { ...revision, action: action.name, artifact });
  }

  /** Notes the end of the current attempt, its history included, and tells it. */
  private conclude(execution: Execution, action: ActionRun, end: Partial<ActionRun> & Pick<ActionRun, 'status'>, revision: Revision | undefined): void {
    const store = this.store(execution.account, execution.region);
    const conclude = (before: Execution): Execution => {
      const finished = finishAction(before, action.id, end, this.now());
      if (finished === before) return before;
      const { name: stage, actions } = finished.stages[finished.stage]!;
      store.putPast({ pipeline: before.pipeline, execution: before.id, version: before.declaration.version!, stage, action: actions.find(({ id }) => id === action.id)! }, before.number);
      return revision ? { ...finished, revisions: { ...finished.revisions, [action.name]: revision } } : finished;
    };
    this.change(execution, conclude, (after) => announceAction(this.runtime, after, after.stages[after.stage]!.name, action.name, end.status === 'Succeeded' ? 'SUCCEEDED' : 'FAILED'));
  }

  private async perform(execution: Execution, action: ActionRun, declared: CodePipeline.ActionDeclaration, signal: AbortSignal): Promise<ActionResult> {
    const { category, provider } = declared.actionTypeId;
    const runner = this.runners.get(`${category}/${provider}`);
    if (!runner) throw new AwsError('ActionTypeNotFound', `The local cloud does not run ${category} actions of ${provider}`, { status: 400 });
    const context = await this.contextOf(execution, action, declared, signal);
    const aborted = new Promise<never>((_, reject) => {
      const fail = (): void => reject(signal.reason as Error);
      if (signal.aborted) fail();
      else signal.addEventListener('abort', fail, { once: true });
    });
    return Promise.race([runner.run(context), aborted]);
  }

  private async contextOf(execution: Execution, action: ActionRun, declared: CodePipeline.ActionDeclaration, signal: AbortSignal): Promise<ActionContext> {
    const { runtime } = this;
    const pipeline = this.store(execution.account, execution.region).pipeline(execution.pipeline)!;
    const { declaration } = execution;
    const region = declared.region ?? execution.region;
    const pipelineRole = await this.assumed(() => assumeRole(runtime, { roleArn: declaration.roleArn, sessionName: execution.id.slice(0, 32), region: execution.region, as: { service: SERVICE, account: execution.account } }));
    const actionRole = declared.roleArn
      ? await this.assumed(() => assumeRole(runtime, { roleArn: declared.roleArn!, sessionName: execution.id.slice(0, 32), region, as: { client: pipelineRole.client } }))
      : { client: pipelineRole.client.in(region), credentials: pipelineRole.credentials };
    const configuration = resolveConfiguration(declared.configuration ?? {}, execution);
    const store = storeOf(declaration, region);
    const inputs: Artifact[] = [];
    for (const { name } of declared.inputArtifacts ?? []) inputs.push(await artifactIn(declaration, execution.artifacts[name]!, region, pipelineRole.client, execution.region));
    const note = (change: (before: ActionRun) => ActionRun): void => void this.change(execution, (before) => (current(before, action) ? withAction(before, action.name, change) : before));
    const secret = findProvider(declared.actionTypeId)?.secret ?? [];
    note((before) => ({ ...before, inputs, resolved: Object.fromEntries(Object.entries(configuration).map(([key, value]) => [key, secret.includes(key) ? '****' : value])) }));
    const memory: Record<string, unknown> = { ...action.memory };
    const outputLocation = (name: string): Artifact => ({ name, bucket: store.location, key: artifactKey(execution.pipeline, name, action.id) });
    return {
      runtime, pipeline, execution, stage: execution.stages[execution.stage]!.name, declared, attempt: action.id, configuration, region,
      pipelineClient: pipelineRole.client, client: actionRole.client, credentials: actionRole.credentials, inputs, memory, signal,
      encryptionKey: store.encryptionKey?.id,
      remember: (values) => {
        Object.assign(memory, values);
        note((before) => ({ ...before, memory: { ...before.memory, ...values } }));
      },
      announce: ({ id, url, summary, token }) => note((before) => ({ ...before, external: { id, url }, ...(summary === undefined ? {} : { summary }), ...(token === undefined ? {} : { token }) })),
      readArtifact: (name) => readObject(actionRole.client, inputs.find((input) => input.name === name)!),
      writeArtifact: (name, content) => writeObject(actionRole.client, outputLocation(name), content, store.encryptionKey?.id),
      outputLocation,
      sleep: (ms) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason as Error);
          const cancel = runtime.clock.after(ms, resolve);
          signal.addEventListener('abort', () => (cancel(), reject(signal.reason as Error)), { once: true });
        }),
    };
  }

  /** A role that can't be assumed fails the action as AWS says it. */
  private async assumed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isAwsError(error, 'AccessDenied')) throw new AwsError('PermissionError', error.message, { status: 400 });
      throw error;
    }
  }

  private now(): Date {
    return new Date(this.runtime.clock.now());
  }
}

export const SERVICE = 'codepipeline.amazonaws.com';

const EVENT: Readonly<Record<string, string>> = { Succeeded: 'SUCCEEDED', Failed: 'FAILED', Stopped: 'STOPPED', Superseded: 'SUPERSEDED', Cancelled: 'CANCELED' };

function current(execution: Execution, action: ActionRun): boolean {
  return execution.stages[execution.stage]?.actions.some(({ id, status }) => id === action.id && status === 'InProgress') ?? false;
}

function succeeded(result: ActionResult): Partial<ActionRun> & { status: 'Succeeded' } {
  return {
    status: 'Succeeded',
    outputs: result.outputs ?? [],
    variables: result.variables ?? {},
    ...(result.summary === undefined ? {} : { summary: result.summary }),
    ...(result.externalId !== undefined || result.externalUrl !== undefined ? { external: { id: result.externalId, url: result.externalUrl } } : {}),
  };
}

function failed(error: unknown): Partial<ActionRun> & { status: 'Failed' } {
  if (error instanceof AwsError) return { status: 'Failed', error: { code: error.code, message: error.message }, summary: error.message };
  const message = `The local cloud has a defect: ${error instanceof Error ? error.message : String(error)}`;
  return { status: 'Failed', error: { code: 'InternalError', message }, summary: message };
}

function timedOut(declared: CodePipeline.ActionDeclaration, minutes: number): AwsError {
  const what = declared.actionTypeId.category === 'Approval' ? 'was not approved or rejected' : 'did not complete';
  return new AwsError('ActionTimeout', `The action failed because it ${what} within ${minutes} minutes`, { status: 400 });
}

