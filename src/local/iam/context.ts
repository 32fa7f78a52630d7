import type { ConditionContext } from '../kernel/service.js';
import type { Requester } from './request.js';

/**
 * The condition keys of one request. Key names ignore case. What the request doesn't carry itself is derived from who makes it
 * (IAM reference, "AWS global condition context keys").
 */
export class Context {
  private readonly given: ConditionContext;
  private readonly principal: Requester;
  private readonly resourceAccount: string;
  private byName: Map<string, readonly string[]> | undefined;

  constructor(given: ConditionContext, principal: Requester, resourceAccount: string) {
    this.given = given;
    this.principal = principal;
    this.resourceAccount = resourceAccount;
  }

  /** Values of the key (in lower case); undefined when it is absent or an empty list. */
  values(key: string): readonly string[] | undefined {
    this.byName ??= namesInLowerCase(this.given);
    const given = this.byName.get(key);
    if (given !== undefined) return given;
    const derived = derivedKey(key, this.principal, this.resourceAccount);
    return derived === undefined ? undefined : [derived];
  }

  /** Keys the request carries, as given. */
  get keys(): ConditionContext {
    return this.given;
  }
}

function namesInLowerCase(given: ConditionContext): Map<string, readonly string[]> {
  const map = new Map<string, readonly string[]>();
  for (const key in given) {
    const value = given[key];
    if (value === undefined) continue;
    if (typeof value === 'object') {
      if (value.length > 0) map.set(key.toLowerCase(), value);
    } else map.set(key.toLowerCase(), [String(value)]);
  }
  return map;
}

const PRINCIPAL_TAG = 'aws:principaltag/';

function derivedKey(key: string, principal: Requester, resourceAccount: string): string | undefined {
  switch (key) {
    case 'aws:principalarn':
      return principalArn(principal);
    case 'aws:principalaccount':
    case 'kms:calleraccount':
      return principal.kind === 'service' || principal.account === '' ? undefined : principal.account;
    case 'aws:principaltype':
      return PRINCIPAL_TYPES[principal.kind];
    case 'aws:principalisawsservice':
      return String(principal.kind === 'service');
    case 'aws:principalservicename':
      return principal.kind === 'service' ? principal.service : undefined;
    case 'aws:sourceaccount':
      return principal.kind === 'service' ? principal.account || undefined : undefined;
    case 'aws:sourcearn':
      return principal.kind === 'service' ? principal.sourceArn : undefined;
    case 'aws:userid':
      return principal.kind === 'anonymous' ? 'anonymous' : 'userId' in principal ? principal.userId : undefined;
    case 'aws:username':
      return principal.kind === 'user' ? principal.userName : undefined;
    case 'aws:sourceidentity':
      return principal.kind === 'session' ? principal.sourceIdentity : undefined;
    case 'aws:tokenissuetime':
      return 'issuedAt' in principal ? new Date(principal.issuedAt).toISOString() : undefined;
    case 'aws:federatedprovider':
      return principal.kind === 'web-identity' ? principal.provider : undefined;
    case 'aws:resourceaccount':
    case 's3:resourceaccount':
      return resourceAccount || undefined;
    default:
      return key.startsWith(PRINCIPAL_TAG) ? principalTag(principal, key.slice(PRINCIPAL_TAG.length)) : undefined;
  }
}

const PRINCIPAL_TYPES: Readonly<Record<Requester['kind'], string | undefined>> = {
  root: 'Account',
  user: 'User',
  session: 'AssumedRole',
  'federated-user': 'FederatedUser',
  anonymous: 'Anonymous',
  service: undefined,
  'web-identity': undefined,
};

/** `aws:PrincipalArn`: for a role session the role's ARN, never the session's. */
export function principalArn(principal: Requester): string | undefined {
  if (principal.kind === 'session') return principal.roleArn;
  return 'arn' in principal ? principal.arn : undefined;
}

function principalTag(principal: Requester, name: string): string | undefined {
  if (!('tags' in principal)) return undefined;
  for (const key in principal.tags) if (key.toLowerCase() === name) return principal.tags[key];
  return undefined;
}
