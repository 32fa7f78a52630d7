import { dispatcher } from '../../../src/local/dispatch.js';
import { journal } from '../../../src/local/journal.js';
import type { RootPrincipal } from '../../../src/local/kernel/principal.js';
import type { Client, Runtime, Service } from '../../../src/local/kernel/service.js';
import { cloudformation } from '../../../src/local/services/cloudformation/index.js';
import { engineOf } from '../../../src/local/services/cloudformation/engine.js';
import { iam } from '../../../src/local/services/iam/index.js';
import { policiesOf } from '../../../src/local/services/iam/identity.js';
import { s3 } from '../../../src/local/services/s3/index.js';
import { sns } from '../../../src/local/services/sns/index.js';
import { sqs } from '../../../src/local/services/sqs/index.js';
import { ssm } from '../../../src/local/services/ssm/index.js';
import { sts } from '../../../src/local/services/sts/index.js';
import { memoryBlobs } from '../../../src/local/state/blobs.js';
import { memoryState } from '../../../src/local/state/memory.js';
import type { State } from '../../../src/local/state/state.js';
import type { Clock } from '../../../src/shared/clock.js';

export const ACCOUNT = '111111111111';
export const REGION = 'eu-west-1';
const root: RootPrincipal = { kind: 'root', account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT };

export class Crash extends Error {}

export interface Call {
  readonly service: string;
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

/**
 * Services in memory, one process after another on the same state. `boot` starts a process; `crashAt` kills it at that commit: nothing it
 * does afterwards has any effect.
 */
export class TestCloud {
  readonly state = memoryState();
  private dead = { now: false };
  commits = 0;
  client!: Client;
  runtime!: Runtime;
  /** Called before each call of a provider; a throw is that call's failure. */
  intercept: (call: Call) => void = () => undefined;

  constructor(readonly services: readonly Service[] = [cloudformation, iam, s3, sns, sqs, ssm, sts]) {
    this.boot();
  }

  boot(options: { crashAt?: number; clock?: Clock } = {}): void {
    this.dead.now = true;
    const dead = (this.dead = { now: false });
    const state = this.mortal(dead, options.crashAt);
    const clock = options.clock ? mortalClock(options.clock, dead) : eagerClock(dead);
    const services = new Map(this.services.map((service) => [service.name, service]));
    const dispatch = dispatcher({ services, authority: { policiesOf }, journal: journal(memoryState()), runtime: () => runtime });
    const client: typeof dispatch.client = (caller) => this.intercepted(dispatch.client(caller));
    const runtime: Runtime = {
      clock, state, blobs: memoryBlobs(), endpoint: 'http://127.0.0.1:1', directory: '/dev/null/nowhere', client, deliver: () => undefined, log: () => undefined, signal: new AbortController().signal,
      principals: { bind: (document) => ({ document }), show: (document) => document }, credential: () => undefined, serviceCredential: () => undefined,
    };
    this.runtime = runtime;
    this.client = dispatch.client({ principal: root, region: REGION });
    for (const service of services.values()) if (service.name === 'cloudformation') void service.start?.(runtime);
  }

  call<O = Record<string, unknown>>(service: string, operation: string, input: Record<string, unknown>): Promise<O> {
    return this.client.call<O>(service, operation, input);
  }

  /** Waits until the stack works no more, or the process died. */
  async settled(stackId: string): Promise<string> {
    for (;;) {
      if (this.dead.now) throw new Crash();
      const { Stacks } = await this.call<{ Stacks: { StackStatus: string }[] }>('cloudformation', 'DescribeStacks', { StackName: stackId });
      const status = Stacks[0]!.StackStatus;
      if (!status.endsWith('_IN_PROGRESS') || status === 'REVIEW_IN_PROGRESS') return status;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async create(name: string, template: object, more: object = {}): Promise<{ id: string; status: string }> {
    const { StackId } = await this.call<{ StackId: string }>('cloudformation', 'CreateStack', { StackName: name, TemplateBody: JSON.stringify(template), Capabilities: ['CAPABILITY_NAMED_IAM'], ...more });
    return { id: StackId, status: await this.settled(StackId) };
  }

  async update(id: string, template: object, more: object = {}): Promise<string> {
    await this.call('cloudformation', 'UpdateStack', { StackName: id, TemplateBody: JSON.stringify(template), Capabilities: ['CAPABILITY_NAMED_IAM'], ...more });
    return this.settled(id);
  }

  async delete(id: string, more: object = {}): Promise<string> {
    await this.call('cloudformation', 'DeleteStack', { StackName: id, ...more });
    return this.settled(id);
  }

  async events(id: string): Promise<{ LogicalResourceId: string; ResourceStatus: string; ResourceStatusReason?: string; PhysicalResourceId: string }[]> {
    const { StackEvents } = await this.call<{ StackEvents: never[] }>('cloudformation', 'DescribeStackEvents', { StackName: id });
    return [...StackEvents].reverse();
  }

  /** What stands in the services, by name: parameters, topics, queues, roles and buckets (but those that hold templates), with what makes them up. */
  async standing(): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    const { Parameters } = await this.call<{ Parameters: { Name: string }[] }>('ssm', 'DescribeParameters', {});
    for (const { Name } of Parameters) {
      const { Parameter } = await this.call<{ Parameter: { Value: string; Type: string } }>('ssm', 'GetParameter', { Name });
      found[`ssm ${Name}`] = [Parameter.Type, Parameter.Value];
    }
    const { Topics } = await this.call<{ Topics: { TopicArn: string }[] }>('sns', 'ListTopics', {});
    for (const { TopicArn } of Topics) {
      const { Attributes } = await this.call<{ Attributes: Record<string, string> }>('sns', 'GetTopicAttributes', { TopicArn });
      found[`sns ${TopicArn.split(':').pop()}`] = Attributes['DisplayName'];
    }
    const { QueueUrls = [] } = await this.call<{ QueueUrls?: string[] }>('sqs', 'ListQueues', {});
    for (const QueueUrl of QueueUrls) {
      const { Attributes } = await this.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames: ['VisibilityTimeout'] });
      found[`sqs ${QueueUrl.split('/').pop()}`] = Attributes['VisibilityTimeout'];
    }
    const { Buckets = [] } = await this.call<{ Buckets?: { Name: string }[] }>('s3', 'ListBuckets', {});
    for (const { Name } of Buckets.filter((bucket) => !bucket.Name.startsWith('templates'))) found[`s3 ${Name}`] = (await this.call<{ Status?: string }>('s3', 'GetBucketVersioning', { Bucket: Name })).Status ?? 'off';
    const { Roles } = await this.call<{ Roles: { RoleName: string; Description?: string }[] }>('iam', 'ListRoles', {});
    for (const { RoleName, Description } of Roles) {
      const { PolicyNames } = await this.call<{ PolicyNames: string[] }>('iam', 'ListRolePolicies', { RoleName });
      found[`iam ${RoleName}`] = [Description, ...PolicyNames];
    }
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  engine(): ReturnType<typeof engineOf> {
    return engineOf(this.runtime);
  }

  private mortal(dead: { now: boolean }, crashAt: number | undefined): State {
    let depth = 0;
    const alive = (): void => {
      if (dead.now) throw new Crash();
      this.commits++;
      if (crashAt !== undefined && this.commits >= crashAt) {
        dead.now = true;
        throw new Crash();
      }
    };
    const write = <T>(work: () => T): T => {
      if (depth > 0) return work();
      alive();
      depth++;
      try {
        return this.state.transaction(work);
      } finally {
        depth--;
      }
    };
    return {
      get: (key) => this.state.get(key),
      list: (prefix, options) => this.state.list(prefix, options),
      put: (key, value) => write(() => this.state.put(key, value)),
      delete: (key) => write(() => this.state.delete(key)),
      transaction: write,
      close: () => Promise.resolve(),
    };
  }

  private intercepted(client: Client): Client {
    return {
      call: async (service, operation, input) => {
        this.intercept({ service, operation, input });
        return client.call(service, operation, input);
      },
      in: (region) => this.intercepted(client.in(region)),
    };
  }
}

/** The tasks of a dead process don't run. */
function mortalClock(clock: Clock, dead: { now: boolean }): Clock {
  return { now: () => clock.now(), after: (ms, task) => clock.after(ms, () => (dead.now ? undefined : task())) };
}

/** Short pauses take one turn of the loop, long ones never end: tests wait for nothing. */
function eagerClock(dead: { now: boolean }): Clock {
  return {
    now: () => Date.now(),
    after: (ms, task) => {
      if (ms > 5000) return () => undefined;
      let cancelled = false;
      setImmediate(() => {
        if (!cancelled && !dead.now) task();
      });
      return () => void (cancelled = true);
    },
  };
}
