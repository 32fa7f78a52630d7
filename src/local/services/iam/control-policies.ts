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

export type ControlKind = 'scps' | 'rcps';

const ORGANIZATION = 'o-localcloud';

interface StoredControl {
  readonly policies: readonly ControlPolicy[];
  readonly fullAccess: boolean;
  /** Policies of the root and of every unit above the account, each level by itself: every one has to allow. */
  readonly above?: readonly (readonly ControlPolicy[])[];
}

/** An organization of every account there is. */
export interface Organization {
  readonly id: string;
  /** The management account, which no service control policy binds (Organizations User Guide, "Service control policies"). */
  readonly management: string;
}

const organizationTable = table<Organization>('organizations', 'organization');

const controlTable = table<StoredControl>('organizations', 'control-policies');

/**
 * Attaches service control policies to an account. `FullAWSAccess` stays attached besides, as in Organizations, unless it is
 * detached: then only what the given policies allow is allowed.
 */
export function setScps(state: State, account: string, attached: readonly ControlPolicy[], options: { readonly detachFullAccess?: boolean } = {}): void {
  controlTable(state, CLOUD, GLOBAL).put(['scps', account], { policies: attached, fullAccess: options.detachFullAccess !== true });
}

/** Attaches service control policies as they are on each level: the account's own first, the root's last. `FullAWSAccess` is among them, or it isn't there. */
export function setScpLevels(state: State, account: string, [own = [], ...above]: readonly (readonly ControlPolicy[])[]): void {
  controlTable(state, CLOUD, GLOBAL).put(['scps', account], { policies: own, fullAccess: false, above });
}

/** Makes an account the management account of an organization of all accounts. */
export function setOrganization(state: State, management: string): Organization {
  const organization = { id: ORGANIZATION, management };
  organizationTable(state, CLOUD, GLOBAL).put('organization', organization);
  return organization;
}

export function organizationOf(state: State): Organization | undefined {
  return organizationTable(state, CLOUD, GLOBAL).get('organization');
}

/** Policies attached to an account itself. */
export function attachedControls(state: State, kind: ControlKind, account: string): readonly NamedPolicy[] {
  return controlPolicies(state, kind, account)?.[0] ?? [FULL_ACCESS[kind]];
}

/** Levels of service control policies of an account; undefined where none were set. */
export function scpsOf(state: State, account: string): readonly (readonly NamedPolicy[])[] | undefined {
  if (organizationOf(state)?.management === account) return undefined;
  return controlPolicies(state, 'scps', account);
}

/** The same of resource control policies. */
export function rcpsOf(state: State, account: string): readonly (readonly NamedPolicy[])[] | undefined {
  return controlPolicies(state, 'rcps', account);
}

function controlPolicies(state: State, kind: ControlKind, account: string): readonly (readonly NamedPolicy[])[] | undefined {
  const stored = controlTable(state, CLOUD, GLOBAL).get(kind, account);
  if (!stored || (stored.policies.length === 0 && stored.fullAccess)) return undefined;
  const owner = organizationOf(state)?.management ?? account;
  const named = (level: readonly ControlPolicy[]): NamedPolicy[] => level.map((policy) => ({ ...policy, arn: policy.arn ?? (policy.name === FULL_ACCESS[kind].name ? FULL_ACCESS[kind].arn : controlArn(kind, owner, policy)) }));
  return [[...(stored.fullAccess ? [FULL_ACCESS[kind]] : []), ...named(stored.policies)], ...(stored.above ?? []).map(named)];
}

const EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';

const FULL_ACCESS: Readonly<Record<ControlKind, NamedPolicy>> = {
  scps: { name: 'FullAWSAccess', arn: `arn:${PARTITION}:organizations::aws:policy/service_control_policy/p-FullAWSAccess`, document: EVERYTHING },
  rcps: { name: 'RCPFullAWSAccess', arn: `arn:${PARTITION}:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess`, document: EVERYTHING },
};

/** Policies of the same name and text are the same one, wherever they are attached. */
function controlArn(kind: ControlKind, account: string, { name, document }: ControlPolicy): string {
  const id = createHash('sha256').update(`${name}\n${document}`).digest('hex').slice(0, 8);
  const type = kind === 'scps' ? 'service_control_policy' : 'resource_control_policy';
  return `arn:${PARTITION}:organizations::${account}:policy/${ORGANIZATION}/${type}/p-${id}`;
}
