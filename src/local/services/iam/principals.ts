import { parseArn } from '../../kernel/arn.js';
import type { PrincipalNames } from '../../kernel/service.js';
import { GLOBAL, type State } from '../../state/state.js';
import { identities, key, roles, users } from './store.js';

/**
 * Policies that name principals are stored with the unique IDs of the roles and users they name: who is deleted and created anew
 * under the same name is somebody else, and the old one shows as its ID (IAM reference, "Principal": "IAM transforms the ARN to the
 * role's unique principal ID when you save the policy").
 */
export interface Bound {
  readonly document: string;
  /** Principals that don't exist, as they stand in the document. */
  readonly unknown: readonly string[];
}

/** Binding and showing as the services' contract has it. */
export function principalNames(state: State): PrincipalNames {
  return {
    bind: (document) => {
      const { document: bound, unknown } = bindPrincipals(state, document);
      const [first] = unknown;
      return first === undefined ? { document: bound } : { invalid: `"${first.startsWith('arn:') || !first.includes('.') ? 'AWS' : 'Service'}":"${first}"` };
    },
    show: (document) => showPrincipals(state, document),
  };
}

/** Replaces the ARNs of roles and users by their unique IDs. */
export function bindPrincipals(state: State, document: string): Bound {
  const unknown: string[] = [];
  let changed = false;
  const policy = mapPrincipals(document, (type, value) => {
    const bound = bind(state, type, value);
    if (bound === undefined) unknown.push(value);
    else if (bound !== value) changed = true;
    return bound ?? value;
  });
  return { document: changed ? JSON.stringify(policy) : document, unknown };
}

/** The document as the read API shows it: IDs of those who exist become ARNs again. */
export function showPrincipals(state: State, document: string): string {
  if (!/"A(?:RO|ID)A[A-Z0-9]{17}"/.test(document)) return document;
  return JSON.stringify(mapPrincipals(document, (_type, value) => identities(state).get(value)?.arn ?? value));
}

/** Unique ID of an existing role or user of that ARN. */
export function idOfArn(state: State, arn: string): string | undefined {
  const parts = parseArn(arn);
  if (!parts || parts.service !== 'iam') return undefined;
  const [kind] = parts.resource.split('/', 1);
  const name = key(parts.resource.slice(parts.resource.lastIndexOf('/') + 1));
  const found = kind === 'role' ? roles(state, parts.account, GLOBAL).get(name) : kind === 'user' ? users(state, parts.account, GLOBAL).get(name) : undefined;
  return found?.arn === arn ? found.id : undefined;
}

function bind(state: State, type: string, value: string): string | undefined {
  if (type === 'Service') return /^[\w.-]+\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal|aws)$/.test(value) ? value : undefined;
  if (type !== 'AWS') return value;
  // An account ID is stored as the ARN of its root (github.com/hashicorp/terraform-provider-aws pull 3832).
  if (/^\d{12}$/.test(value)) return `arn:aws:iam::${value}:root`;
  if (value === '*' || /^arn:[\w-]+:iam::\d{12}:root$/.test(value)) return value;
  if (/^A(RO|ID)A[A-Z0-9]{17}$/.test(value)) return identities(state).get(value) ? value : undefined;
  if (/^arn:aws:sts::\d{12}:(assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+|federated-user\/[\w+=,.@-]+)$/.test(value)) return value;
  // An origin access identity of CloudFront is nobody of IAM.
  if (value.startsWith('arn:aws:iam::cloudfront:user/')) return value;
  return idOfArn(state, value);
}

function mapPrincipals(document: string, change: (type: string, value: string) => string): unknown {
  const policy = JSON.parse(document) as { Statement?: unknown };
  const statements = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  for (const statement of statements as Record<string, unknown>[]) {
    for (const element of ['Principal', 'NotPrincipal']) {
      const named = statement?.[element];
      if (typeof named !== 'object' || named === null) continue;
      const lists = named as Record<string, unknown>;
      for (const [type, value] of Object.entries(lists)) {
        if (typeof value === 'string') lists[type] = change(type, value);
        else if (Array.isArray(value)) lists[type] = value.map((item) => (typeof item === 'string' ? change(type, item) : item));
      }
    }
  }
  return policy;
}
