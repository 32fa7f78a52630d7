import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../../shared/clock.js';
import { table, type State } from '../../state/state.js';
import { PlainFailure } from '../resources/failure.js';
import type { Signal, StackServices } from '../resources/provider.js';
import type { DeploymentConfig } from '../store/records.js';
import { StackStore } from '../store/store.js';

const SERVICE = 'cloudformation';
const responses = table<string>(SERVICE, 'responses');
const sent = table<boolean>(SERVICE, 'requests-sent');
const signalTable = table<Signal>(SERVICE, 'signals');
const secrets = table<string>(SERVICE, 'mailbox-secret');

export const MAILBOX_PATH = '/_cloudformation/';

export interface MailboxOwner {
  readonly account: string;
  readonly region: string;
  readonly stackUuid: string;
  readonly stackId: string;
  readonly rootId: string | undefined;
  readonly logicalId: string;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly endpoint: string;
  readonly nestedChangeSet: string | undefined;
  readonly deploymentConfig: Required<DeploymentConfig>;
}

/**
 * Answers from outside that resources wait for: custom resources and wait conditions PUT them to a URL that only its receiver knows
 * (AWS hands out presigned S3 URLs). They are kept in state before anybody is told, so a crash loses none.
 */
export class Mailbox {
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(
    private readonly state: State,
    private readonly clock: Clock,
    private readonly settled: (account: string, region: string, stackId: string) => Promise<void>,
  ) {}

  services(owner: MailboxOwner): StackServices {
    const store = new StackStore(this.state, owner.account, owner.region);
    const box = (purpose: string): string => `${owner.stackUuid}.${owner.logicalId}.${purpose}.${owner.token}`;
    const handle = `${owner.stackUuid}.${owner.logicalId}.wait`;
    return {
      depth: () => {
        let depth = 0;
        for (let stack = store.find(owner.stackId); stack?.parentId !== undefined; stack = store.find(stack.parentId)) depth++;
        return depth;
      },
      adopt: (childId) => {
        const child = store.find(childId);
        if (child) store.patchStack(child.uuid, { parentId: owner.stackId, rootId: owner.rootId ?? owner.stackId });
      },
      nestedChangeSet: owner.nestedChangeSet,
      deploymentConfig: owner.deploymentConfig,
      settled: (stackId) => this.settled(owner.account, owner.region, stackId),
      responseUrl: (purpose) => this.url(owner, 'response', box(purpose)),
      response: (purpose, timeoutMs) => this.until(() => responses(this.state, owner.account, owner.region).get(box(purpose)), box(purpose), timeoutMs, owner.signal),
      firstTime: (purpose) => {
        const table = sent(this.state, owner.account, owner.region);
        if (table.get(box(purpose))) return false;
        table.put(box(purpose), true);
        return true;
      },
      waitHandle: () => this.url(owner, 'signal', handle),
      signals: (name, count, timeoutMs) => {
        const id = name.startsWith('http') ? boxOfUrl(name) : name;
        const table = signalTable(this.state, owner.account, owner.region);
        const enough = (): readonly Signal[] | undefined => {
          const all = table.list(id);
          return all.some((signal) => signal.status === 'FAILURE') || all.filter((signal) => signal.status === 'SUCCESS').length >= count ? all : undefined;
        };
        return this.until(enough, id, timeoutMs, owner.signal);
      },
      outputs: (stackId) => Object.fromEntries((store.find(stackId)?.outputs ?? []).map((output) => [output.key, output.value])),
    };
  }

  /** A signal for a resource of a stack (SignalResource, CreationPolicy). */
  signal(account: string, region: string, box: string, signal: Signal): void {
    signalTable(this.state, account, region).put([box, signal.id], signal);
    this.tell(box);
  }

  /** Takes a PUT to a mailbox URL. Answers false when the URL isn't one of ours. */
  receive(path: string, search: string, body: string): boolean {
    const [kind, account, region, box] = path.slice(MAILBOX_PATH.length).split('/').map(decodeURIComponent);
    const given = Buffer.from(new URLSearchParams(search).get('signature') ?? '');
    if (!kind || !account || !region || !box) return false;
    const expected = Buffer.from(this.signature(account, region, kind, box));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    if (kind === 'response') {
      responses(this.state, account, region).put(box, body);
      this.tell(box);
      return true;
    }
    const signal = parseSignal(body);
    if (!signal) return false;
    this.signal(account, region, box, signal);
    return true;
  }

  private url(owner: MailboxOwner, kind: string, box: string): string {
    const parts = [kind, owner.account, owner.region, box].map(encodeURIComponent).join('/');
    return `${owner.endpoint}${MAILBOX_PATH}${parts}?signature=${this.signature(owner.account, owner.region, kind, box)}`;
  }

  private signature(account: string, region: string, kind: string, box: string): string {
    const table = secrets(this.state, account, region);
    let secret = table.get('secret');
    if (secret === undefined) table.put('secret', (secret = crypto.randomUUID() + crypto.randomUUID()));
    return createHash('sha256').update(`${secret}\n${kind}\n${box}`).digest('base64url');
  }

  private tell(box: string): void {
    for (const wake of this.waiting.get(box) ?? []) wake();
  }

  private until<T>(look: () => T | undefined, box: string, timeoutMs: number, signal: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const listeners = this.waiting.get(box) ?? new Set();
      this.waiting.set(box, listeners);
      const end = (): void => {
        cancel();
        listeners.delete(wake);
        if (listeners.size === 0) this.waiting.delete(box);
        signal.removeEventListener('abort', stop);
      };
      const wake = (): void => {
        const found = look();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const stop = (): void => {
        end();
        reject(new PlainFailure('Resource creation cancelled'));
      };
      const cancel = this.clock.after(timeoutMs, () => {
        end();
        resolve(undefined);
      });
      listeners.add(wake);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      else wake();
    });
  }
}

/** Box a mailbox URL leads to. */
export function boxOfUrl(url: string): string {
  return decodeURIComponent(new URL(url).pathname.split('/').pop() ?? '');
}

/** What cfn-signal and `curl` send to a wait condition's handle (user guide: "Wait condition signal JSON format"). */
function parseSignal(body: string): Signal | undefined {
  try {
    const { Status, UniqueId, Data, Reason } = JSON.parse(body) as Record<string, unknown>;
    if ((Status !== 'SUCCESS' && Status !== 'FAILURE') || typeof UniqueId !== 'string') return undefined;
    return { id: UniqueId, status: Status, data: typeof Data === 'string' ? Data : JSON.stringify(Data ?? ''), reason: typeof Reason === 'string' ? Reason : undefined };
  } catch {
    return undefined;
  }
}
