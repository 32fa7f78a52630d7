import type { Context } from './context.js';
import type { Requester } from './request.js';

/**
 * How strongly a resource policy names the requester (IAM guide, "Policy evaluation for requests within a single account"):
 * `direct` (the user, the session, everyone) stands alone; `role` stands in for the identity policy but is bounded by the permissions
 * boundary and the session policy; `account` only delegates to the account's identity policies.
 */
export const NONE = 0;
export const ACCOUNT = 1;
export const ROLE = 2;
export const DIRECT = 3;
export type Level = typeof NONE | typeof ACCOUNT | typeof ROLE | typeof DIRECT;

export interface PrincipalSet {
  readonly not: boolean;
  /** As written, for explanations. */
  readonly written: readonly string[];
  readonly everyone: boolean;
  readonly accounts: ReadonlySet<string>;
  /** ARNs of users, roles, sessions and federated users, and unique IDs (`AIDA…`, `AROA…`). */
  readonly identities: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  readonly federated: ReadonlySet<string>;
}

/** Undefined when the element isn't in the policy grammar. */
export function principalSet(element: unknown, not: boolean): PrincipalSet | undefined {
  const lists: PrincipalLists | undefined = typeof element === 'string' ? { AWS: [element] } : principalLists(element);
  if (!lists || (typeof element === 'string' && element !== '*')) return undefined;
  const accounts = new Set<string>();
  const identities = new Set<string>();
  let everyone = false;
  for (const value of lists.AWS ?? []) {
    const account = /^(\d{12})$/.exec(value) ?? /^arn:[\w-]+:iam::(\d{12}):root$/.exec(value);
    if (value === '*') everyone = true;
    else if (account) accounts.add(account[1]!);
    else identities.add(value);
  }
  if (lists.Federated?.includes('*')) everyone = true;
  const written = Object.entries(lists as Record<string, readonly string[]>).flatMap(([type, values]) => values.map((value) => `${type}: ${value}`));
  return { not, written, everyone, accounts, identities, services: new Set(lists.Service), federated: new Set(lists.Federated) };
}

interface PrincipalLists {
  AWS?: string[];
  Service?: string[];
  Federated?: string[];
  CanonicalUser?: string[];
}

function principalLists(element: unknown): PrincipalLists | undefined {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return undefined;
  const lists: Record<string, string[]> = {};
  for (const [type, value] of Object.entries(element)) {
    if (!['AWS', 'Service', 'Federated', 'CanonicalUser'].includes(type)) return undefined;
    const values = Array.isArray(value) ? value : [value];
    if (!values.every((item) => typeof item === 'string')) return undefined;
    lists[type] = values as string[];
  }
  return lists;
}

/** How a Principal element names the requester; for NotPrincipal, everyone it doesn't list is named directly. */
export function principalLevel(set: PrincipalSet, requester: Requester, context: Context): Level {
  const level = listed(set, requester, context);
  if (!set.not) return level;
  return level === NONE ? DIRECT : NONE;
}

function listed(set: PrincipalSet, requester: Requester, context: Context): Level {
  if (set.everyone) return DIRECT;
  switch (requester.kind) {
    case 'root':
      return set.accounts.has(requester.account) ? DIRECT : NONE;
    case 'user':
      if (set.identities.has(requester.arn) || set.identities.has(requester.userId)) return DIRECT;
      break;
    case 'session':
      if (set.identities.has(requester.arn) || set.identities.has(requester.userId)) return DIRECT;
      if (set.identities.has(requester.roleArn) || set.identities.has(requester.roleId)) return ROLE;
      break;
    case 'federated-user':
      if (set.identities.has(requester.arn) || set.identities.has(requester.userId)) return DIRECT;
      if (set.identities.has(requester.issuer.arn) || set.identities.has(requester.issuer.userId)) return ROLE;
      break;
    case 'service':
      return namesService(set.services, requester.service, context) ? DIRECT : NONE;
    case 'web-identity':
      return set.federated.has(requester.provider) ? DIRECT : NONE;
    case 'anonymous':
      return NONE;
  }
  return set.accounts.has(requester.account) ? ACCOUNT : NONE;
}

/** A service has a global principal and in many cases regional ones (`logs.eu-west-1.amazonaws.com`), which mean it in that region only. */
function namesService(services: ReadonlySet<string>, service: string, context: Context): boolean {
  if (services.has(service)) return true;
  const region = context.values('aws:requestedregion')?.[0];
  if (region === undefined) return false;
  const dot = service.indexOf('.');
  if (service.slice(dot + 1).startsWith(`${region}.`)) return services.has(service.replace(`.${region}.`, '.'));
  return services.has(`${service.slice(0, dot)}.${region}${service.slice(dot)}`);
}
