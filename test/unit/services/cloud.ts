import { ManualClock } from '../../../src/shared/clock.js';
import { dispatcher } from '../../../src/local/dispatch.js';
import { journal } from '../../../src/local/journal.js';
import { isAwsError, type AwsError } from '../../../src/local/kernel/error.js';
import type { Principal } from '../../../src/local/kernel/principal.js';
import type { Client, InboxMessage, Runtime, Service } from '../../../src/local/kernel/service.js';
import { credential, serviceCredential, policiesOf, principalNames } from '../../../src/local/services/iam/identity.js';
import { services } from '../../../src/local/services/index.js';
import { memoryBlobs } from '../../../src/local/state/blobs.js';
import { memoryState } from '../../../src/local/state/memory.js';

export const A = '111111111111';
export const B = '222222222222';
export const REGION = 'eu-west-1';

/** What a test reads of an answer. */
// eslint-disable-next-line -- tests know the members they look at
export type Answer = any;

/** All services behind the real dispatcher, in memory and under a clock of our own. */
export function memoryCloud() {
  const state = memoryState();
  const clock = new ManualClock();
  const inbox: InboxMessage[] = [];
  const ended = new AbortController();
  const runtime = {
    clock,
    state,
    blobs: memoryBlobs(),
    endpoint: 'http://127.0.0.1:4566',
    directory: '/dev/null/nowhere',
    client: (options: Parameters<typeof dispatch.client>[0]) => dispatch.client(options),
    credential: (accessKeyId: string) => credential(state, accessKeyId),
    serviceCredential: (service: string, name: string, password: string) => serviceCredential(state, service, name, password),
    identify: (accessKeyId: string) => credential(state, accessKeyId)?.principal,
    principals: principalNames(state),
    deliver: (message: InboxMessage) => void inbox.push(message),
    log: () => {},
    signal: ended.signal,
  } as unknown as Runtime;
  const dispatch = dispatcher({ services: new Map<string, Service>(services.map((service) => [service.name, service])), authority: { policiesOf }, journal: journal(state), runtime: () => runtime });
  const as = (principal: Principal, region = REGION): Client => dispatch.client({ principal, region });
  const admin = (account = A, region = REGION): Client => as(credential(state, account)!.principal, region);
  return {
    state,
    clock,
    inbox,
    runtime,
    admin,
    as,
    /** Calls as the administrator of account A. */
    call: (service: string, operation: string, input: Record<string, unknown> = {}): Promise<Answer> => admin().call(service, operation, input),
    /** A user who may do what the statements say. */
    async user(name: string, ...statements: object[]): Promise<Client> {
      await admin().call('iam', 'CreateUser', { UserName: name });
      await admin().call('iam', 'PutUserPolicy', { UserName: name, PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: statements }) });
      const { AccessKey } = await admin().call<{ AccessKey: { AccessKeyId: string } }>('iam', 'CreateAccessKey', { UserName: name });
      return as(credential(state, AccessKey.AccessKeyId)!.principal);
    },
  };
}

export type MemoryCloud = ReturnType<typeof memoryCloud>;

export const allow = (Action: string | string[], Resource: string | string[] = '*'): object => ({ Effect: 'Allow', Action, Resource });

/** The error of a call that must fail: `Code: message`. */
export async function failure(call: Promise<unknown>): Promise<string> {
  const error: AwsError = await call.then(
    (answer) => {
      throw new TypeError(`the call succeeded: ${JSON.stringify(answer)}`);
    },
    (reason: unknown) => {
      if (isAwsError(reason)) return reason;
      throw reason;
    },
  );
  return `${error.code}: ${error.message}`;
}
