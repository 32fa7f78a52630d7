import { AwsError } from '../../kernel/error.js';
import type { Runtime } from '../../kernel/service.js';
import { Instance, type Invocation, type Outcome } from './instance.js';
import { provisioned } from './settings.js';
import type { Resolved } from './store.js';

/** An environment that nobody used for so long is given up. */
const IDLE = 5 * 60 * 1000;
/** Environments kept warm beyond those that work: each is a process of 40 MB. */
const MAX_IDLE = 16;
/** Processes that work at the same time on this machine; who comes later waits. */
const MAX_BUSY = 32;
const ACCOUNT_CONCURRENCY = 1000;

const pools = new WeakMap<Runtime, Pool>();

export function poolOf(runtime: Runtime): Pool {
  let pool = pools.get(runtime);
  if (!pool) pools.set(runtime, (pool = new Pool(runtime)));
  return pool;
}

/** Ends the idle environments of a function, or of one of its versions: the next invocation runs what is configured now. */
export function retire(runtime: Runtime, functionArn: string, version?: string): void {
  pools.get(runtime)?.retire(functionArn, version);
}

/** Warm environments of all functions: one request at a time in each, more of them for more requests. */
export class Pool {
  private readonly idle = new Map<string, Instance[]>();
  private readonly all = new Set<Instance>();
  private readonly running = new Map<string, number>();
  private busy = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly runtime: Runtime) {
    runtime.signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /** Raises AwsError when the invocation can't begin (concurrency, role, runtime); what the code does is the outcome. */
  async invoke(target: Resolved, invocation: Invocation): Promise<Outcome> {
    const { account, region, name, reservedConcurrency = ACCOUNT_CONCURRENCY } = target.function;
    const owner = `arn:aws:lambda:${region}:${account}:function:${name}`;
    const running = this.running.get(owner) ?? 0;
    if (running >= reservedConcurrency)
      throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', { status: 429, fields: { Reason: target.function.reservedConcurrency === undefined ? 'ConcurrentInvocationLimitExceeded' : 'ReservedFunctionConcurrentInvocationLimitExceeded', Type: 'User' } });
    this.running.set(owner, running + 1);
    await this.turn();
    const key = `${owner}:${target.version.version}:${target.version.revisionId}`;
    try {
      const instance = this.warm(key, target.version.timeout) ?? (await this.start(target));
      const outcome = await instance.invoke(invocation);
      if (instance.dead) this.all.delete(instance);
      else this.keep(key, instance);
      return outcome;
    } finally {
      this.running.set(owner, this.running.get(owner)! - 1);
      this.busy--;
      this.queue.shift()?.();
    }
  }

  retire(functionArn: string, version?: string): void {
    for (const [key, instances] of this.idle) {
      if (!key.startsWith(version === undefined ? `${functionArn}:` : `${functionArn}:${version}:`)) continue;
      this.idle.delete(key);
      for (const instance of instances) this.end(instance);
    }
  }

  private async turn(): Promise<void> {
    if (this.busy >= MAX_BUSY) await new Promise<void>((go) => this.queue.push(go));
    this.busy++;
  }

  private async start(target: Resolved): Promise<Instance> {
    const { at, version } = target;
    const warmed = provisioned(this.runtime.state, at.account, at.region).get(at.name, at.qualifier ?? version.version);
    const instance = await Instance.start(this.runtime, target, warmed ? 'provisioned-concurrency' : 'on-demand');
    this.all.add(instance);
    if (this.runtime.signal.aborted) this.end(instance);
    return instance;
  }

  private warm(key: string, timeout: number): Instance | undefined {
    const instances = this.idle.get(key) ?? [];
    for (let instance = instances.pop(); instance; instance = instances.pop()) {
      // Its credentials must outlive the invocation.
      if (!instance.dead && instance.expires > this.runtime.clock.now() + timeout * 1000 + 60_000) return instance;
      this.end(instance);
    }
    return undefined;
  }

  private keep(key: string, instance: Instance): void {
    if (this.runtime.signal.aborted) return this.end(instance);
    const instances = this.idle.get(key) ?? [];
    instances.push(instance);
    this.idle.set(key, instances);
    const used = instance.lastUsed;
    const timer = setTimeout(() => {
      if (instance.lastUsed === used && this.idle.get(key)?.includes(instance)) this.drop(key, instance);
    }, IDLE);
    timer.unref();
    this.trim();
  }

  private trim(): void {
    const waiting = [...this.idle].flatMap(([key, instances]) => instances.map((instance) => ({ key, instance })));
    if (waiting.length <= MAX_IDLE) return;
    const oldest = waiting.reduce((a, b) => (a.instance.lastUsed <= b.instance.lastUsed ? a : b));
    this.drop(oldest.key, oldest.instance);
  }

  private drop(key: string, instance: Instance): void {
    const left = (this.idle.get(key) ?? []).filter((other) => other !== instance);
    if (left.length > 0) this.idle.set(key, left);
    else this.idle.delete(key);
    this.end(instance);
  }

  private end(instance: Instance): void {
    this.all.delete(instance);
    instance.close();
  }

  private close(): void {
    for (const instance of this.all) this.end(instance);
  }
}
