import type { Runtime } from '../../kernel/service.js';
import type { ResourceProvider } from '../resources/provider.js';
import type { OperationRecord, StackRecord } from '../store/records.js';
import { StackStore, interrupted } from '../store/store.js';
import { actingClient } from './acting.js';
import { Mailbox } from './mailbox.js';
import { runPhase } from './phases.js';
import { Session } from './session.js';

/** An operation begins a moment after it was asked for, so that whoever asked can see it in progress, as on AWS. */
const BEGIN_MS = 20;

/**
 * Runs stack operations. What an operation is and how far it came stands in the store (OperationRecord, TouchRecord): `resume` takes up
 * what a crash interrupted, and nothing here needs to survive.
 */
export class Engine {
  readonly mailbox: Mailbox;
  private readonly sessions = new Map<string, Session>();
  private readonly waiters = new Map<string, (() => void)[]>();

  constructor(private readonly runtime: Runtime, private readonly provider: (type: string) => ResourceProvider) {
    this.mailbox = new Mailbox(runtime.state, runtime.clock, (account, region, stackId) => this.settled(account, region, stackId));
  }

  /** Starts working on the operation that the store holds for the stack; the call itself returns before anything is done. */
  launch(account: string, region: string, uuid: string): void {
    this.runtime.clock.after(BEGIN_MS, () => {
      this.work(account, region, uuid).catch((error: unknown) => {
        if (!this.runtime.signal.aborted) this.runtime.log(`cloudformation: operation on ${uuid} broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        this.done(uuid);
      });
    });
  }

  /** Takes up all operations that were under way when the process ended. */
  resume(): void {
    for (const { account, region, uuid } of interrupted(this.runtime.state)) this.launch(account, region, uuid);
  }

  /** Ends what the running operation waits for; it then goes back, or on to what `onFailure` says (CancelUpdateStack, DeleteStack, timeouts). */
  cancel(stack: Pick<StackRecord, 'account' | 'region' | 'uuid'>, reason: string, onFailure?: OperationRecord['onFailure']): void {
    const patch = { cancelled: reason, ...(onFailure === undefined ? {} : { onFailure }) };
    const session = this.sessions.get(stack.uuid);
    if (session) {
      session.putOperation(patch);
      return session.abort.abort();
    }
    // Not begun yet: it will find itself cancelled.
    const store = new StackStore(this.runtime.state, stack.account, stack.region);
    const operation = store.operation(stack.uuid);
    if (operation) store.putOperation({ ...operation, ...patch });
  }

  /** Resolves when no operation is under way on the stack. */
  settled(account: string, region: string, stackId: string): Promise<void> {
    const stack = new StackStore(this.runtime.state, account, region).find(stackId);
    if (!stack || !stack.status.endsWith('_IN_PROGRESS') || stack.status === 'REVIEW_IN_PROGRESS') return Promise.resolve();
    return new Promise((resolve) => this.waiters.set(stack.uuid, [...(this.waiters.get(stack.uuid) ?? []), resolve]));
  }

  private async work(account: string, region: string, uuid: string): Promise<void> {
    const store = new StackStore(this.runtime.state, account, region);
    const operation = store.operation(uuid);
    if (!operation) return this.done(uuid);
    const client = await actingClient(this.runtime, { account, region, principal: operation.principal, roleArn: operation.roleArn });
    const cancelTimeout = this.timeout(store, uuid);
    for (;;) {
      // A phase begins with a signal of its own: what was cancelled going forward must be able to go back.
      const session = new Session(this.runtime, store, store.operation(uuid)!, client);
      this.sessions.set(uuid, session);
      if (session.operation.phase === 'forward' && session.operation.cancelled !== undefined) session.abort.abort();
      const more = await runPhase({ session, mailbox: this.mailbox, provider: this.provider });
      if (!more || this.runtime.signal.aborted) break;
    }
    cancelTimeout();
    this.done(uuid);
  }

  private timeout(store: StackStore, uuid: string): () => void {
    const stack = store.stack(uuid);
    if (stack?.status !== 'CREATE_IN_PROGRESS' || stack.timeoutInMinutes === undefined) return () => undefined;
    const end = (store.operation(uuid)?.startedAt.getTime() ?? this.runtime.clock.now()) + stack.timeoutInMinutes * 60_000;
    return this.runtime.clock.after(Math.max(0, end - this.runtime.clock.now()), () => this.cancel(stack, 'Stack creation time exceeded the specified timeout. '));
  }

  private done(uuid: string): void {
    this.sessions.delete(uuid);
    const waiting = this.waiters.get(uuid) ?? [];
    this.waiters.delete(uuid);
    for (const resolve of waiting) resolve();
  }
}
