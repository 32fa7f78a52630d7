import { ManualClock } from '../../../src/shared/clock.js';
import { dispatcher } from '../../../src/local/dispatch.js';
import { isAwsError, type AwsError } from '../../../src/local/kernel/error.js';
import type { Principal } from '../../../src/local/kernel/principal.js';
import type { Client, ConditionContext, Runtime, Service } from '../../../src/local/kernel/service.js';
import { journal } from '../../../src/local/journal.js';
import { credential, policiesOf, principalNames } from '../../../src/local/services/iam/identity.js';
import { iam } from '../../../src/local/services/iam/index.js';
import { sts } from '../../../src/local/services/sts/index.js';
import { memoryBlobs } from '../../../src/local/state/blobs.js';
import { memoryState } from '../../../src/local/state/memory.js';

export const A = '111111111111';
export const B = '222222222222';

/** IAM and STS behind the real dispatcher (authorisation, validation, operation), in memory and under a clock of our own. */
export function iamCloud() {
  const state = memoryState();
  const clock = new ManualClock();
  const services = new Map<string, Service>([iam, sts].map((service) => [service.name, service]));
  const runtime = {
    clock,
    state,
    blobs: memoryBlobs(),
    endpoint: 'http://127.0.0.1:4566',
    directory: '/dev/null/nowhere',
    client: (options: Parameters<typeof dispatch.client>[0]) => dispatch.client(options),
    identify: (accessKeyId: string) => credential(state, accessKeyId)?.principal,
    principals: principalNames(state),
    deliver: () => {},
    log: () => {},
    signal: new AbortController().signal,
  } as unknown as Runtime;
  const dispatch = dispatcher({ services, authority: { policiesOf }, journal: journal(state), runtime: () => runtime });
  const as = (principal: Principal, context?: ConditionContext): Client => dispatch.client({ principal, region: 'eu-west-1', ...(context ? { context } : {}) });
  const withKey = (accessKeyId: string): Client => as({ ...credential(state, accessKeyId)!.principal, accessKeyId } as Principal);
  return {
    state,
    clock,
    as,
    withKey,
    /** The account's administrator. */
    admin: (account: string = A): Client => withKey(account),
    /** The session of an AssumeRole answer. */
    session: (answer: unknown): Client => withKey((answer as { Credentials: { AccessKeyId: string } }).Credentials.AccessKeyId),
  };
}

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: AwsError = await call.then(
    (answer) => {
      throw new TypeError(`the call succeeded: ${JSON.stringify(answer)}`);
    },
    (reason: unknown) => {
      if (isAwsError(reason)) return reason;
      throw reason;
    },
  );
  return { code: error.code, message: error.message };
}

export function trust(principal: unknown, rest: object = {}, action: string | string[] = 'sts:AssumeRole'): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: principal, Action: action, ...rest }] });
}

export function allow(action: string | string[], resource = '*', rest: object = {}): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: resource, ...rest }] });
}
