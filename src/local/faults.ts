import { AwsError } from './kernel/error.js';
import { isOpen } from './kernel/opt-in.js';
import type { Call } from './dispatch.js';
import { signatureErrors } from './wire/signature-errors.js';
import { table, type State } from './state/state.js';

/** A fault to rehearse: calls from outside that fit are refused, as often as it says. */
export interface Fault {
  readonly id: string;
  /** Account, region, service and operation it is for; what is absent fits all. */
  readonly account?: string;
  readonly region?: string;
  readonly service?: string;
  readonly operation?: string;
  readonly kind: 'throttle' | 'deny';
  /** Refusals that are left. */
  readonly times: number;
  /** One of so many calls that fit is refused. */
  readonly every: number;
  /** Calls that fitted since the last refusal. */
  readonly passed: number;
}

const faults = table<Fault>('flotilla', 'faults');

export function setFaults(state: State, wanted: readonly Fault[]): void {
  const stored = faults(state, 'cloud', 'global');
  for (const { id } of stored.list()) stored.delete(id);
  for (const fault of wanted) stored.put(fault.id, fault);
}

/** Refuses a call to a region that its account has not opted in to, and one that a fault is for. */
export function refuseFaulty(call: Call, state: State): void {
  const { account } = call.principal;
  if (call.principal.kind !== 'anonymous' && !isOpen(state, account, call.region)) throw notOptedIn(call);
  if (call.http === undefined) return;
  const stored = faults(state, 'cloud', 'global');
  const fault = stored.list().find((one) => fits(one, call));
  if (!fault) return;
  if (fault.passed + 1 < fault.every) return stored.put(fault.id, { ...fault, passed: fault.passed + 1 });
  if (fault.times > 1) stored.put(fault.id, { ...fault, times: fault.times - 1, passed: 0 });
  else stored.delete(fault.id);
  throw fault.kind === 'throttle' ? throttled(call) : denied(call);
}

function fits({ account, region, service, operation }: Fault, call: Call): boolean {
  const same = (wanted: string | undefined, actual: string): boolean => wanted === undefined || wanted === actual;
  return same(account, call.principal.account) && same(region, call.region) && same(service, call.model.name) && same(operation, call.operation);
}

/** The region's own STS doesn't know the account's credentials: what every service there answers. */
function notOptedIn({ model, principal }: Call): AwsError {
  if (model.name === 'ec2') return new AwsError('AuthFailure', 'AWS was not able to validate the provided access credentials', { status: 401 });
  return signatureErrors({ model, protocol: model.head.protocols[0]! }).unknownKey('accessKeyId' in principal ? String(principal.accessKeyId) : '');
}

/** Each service's own word for it (SDKs and Tools Reference Guide, "Retry behavior"). */
function throttled({ model }: Call): AwsError {
  if (model.name === 's3') return new AwsError('SlowDown', 'Please reduce your request rate.', { status: 503 });
  if (model.name === 'ec2') return new AwsError('RequestLimitExceeded', 'Request limit exceeded.', { status: 503 });
  return new AwsError(model.head.protocols[0] === 'query' ? 'Throttling' : 'ThrottlingException', 'Rate exceeded', { status: 400 });
}

function denied({ model, operation, principal }: Call): AwsError {
  const message = `User: arn:aws:iam::${principal.account}:root is not authorized to perform: ${model.name}:${operation} because of a fault that was set to be rehearsed`;
  return new AwsError(model.head.protocols[0] === 'query' ? 'AccessDenied' : 'AccessDeniedException', message, { status: model.head.protocols[0] === 'query' ? 403 : 400 });
}
