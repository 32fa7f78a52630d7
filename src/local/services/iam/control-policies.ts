import { createHash } from 'node:crypto';
import type { NamedPolicy } from '../../iam/index.js';
import { PARTITION } from '../../kernel/arn.js';
import { GLOBAL, table, type State } from '../../state/state.js';
import { CLOUD } from './store.js';

/** A control policy as it is set: JSON text, with an ARN where it has one. */
export interface ControlPolicy {
  readonly name: string;
  readonly document: string;
  readonly arn?: string;
}

type ControlKind = 'scps' | 'rcps';

interface StoredControl {
  readonly policies: readonly ControlPolicy[];
  readonly fullAccess: boolean;
}

const controlTable = table<StoredControl>('organizations', 'control-policies');

/**
 * Attaches service control policies to an account. `FullAWSAccess` stays attached besides, as in Organizations, unless it is
 * detached: then only what the given policies allow is allowed.
 */
export function setScps(state: State, account: string, attached: readonly ControlPolicy[], options: { readonly detachFullAccess?: boolean } = {}): void {
  controlTable(state, CLOUD, GLOBAL).put(['scps', account], { policies: attached, fullAccess: options.detachFullAccess !== true });
}

/** The same for resource control policies; `RCPFullAWSAccess` can't be detached. */
export function setRcps(state: State, account: string, attached: readonly ControlPolicy[]): void {
  controlTable(state, CLOUD, GLOBAL).put(['rcps', account], { policies: attached, fullAccess: true });
}

/** Levels of service control policies of an account; undefined where none were set. */
export function scpsOf(state: State, account: string): readonly (readonly NamedPolicy[])[] | undefined {
  return controlPolicies(state, 'scps', account);
}

/** The same of resource control policies. */
export function rcpsOf(state: State, account: string): readonly (readonly NamedPolicy[])[] | undefined {
  return controlPolicies(state, 'rcps', account);
}

function controlPolicies(state: State, kind: ControlKind, account: string): readonly (readonly NamedPolicy[])[] | undefined {
  const stored = controlTable(state, CLOUD, GLOBAL).get(kind, account);
  if (!stored || (stored.policies.length === 0 && stored.fullAccess)) return undefined;
  const named = stored.policies.map((policy) => ({ ...policy, arn: policy.arn ?? controlArn(kind, account, policy.name) }));
  return [[...(stored.fullAccess ? [FULL_ACCESS[kind]] : []), ...named]];
}

const EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';

const FULL_ACCESS: Readonly<Record<ControlKind, NamedPolicy>> = {
  scps: { name: 'FullAWSAccess', arn: `arn:${PARTITION}:organizations::aws:policy/service_control_policy/p-FullAWSAccess`, document: EVERYTHING },
  rcps: { name: 'RCPFullAWSAccess', arn: `arn:${PARTITION}:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess`, document: EVERYTHING },
};

function controlArn(kind: ControlKind, account: string, name: string): string {
  const id = createHash('sha256').update(name).digest('hex').slice(0, 8);
  const type = kind === 'scps' ? 'service_control_policy' : 'resource_control_policy';
  return `arn:${PARTITION}:organizations::${account}:policy/o-localcloud/${type}/p-${id}`;
}
