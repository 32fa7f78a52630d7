import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AttachedPolicy, NamedPolicy, PolicySet } from '../../iam/index.js';
import { PARTITION, parseArn } from '../../kernel/arn.js';
import type { Principal, SessionPrincipal, UserPrincipal } from '../../kernel/principal.js';
import { GLOBAL, table, type State } from '../../state/state.js';
import { awsManagedPolicy } from './aws-managed.js';
import { rcpsOf, scpsOf } from './control-policies.js';
import { derivedId } from './ids.js';
import { passwordHash, serviceCredentials } from './service-credentials.js';
import { accessKeys, CLOUD, groups, identities, key, policies, roles, users, type Entity, type Role, type Tag, type User } from './store.js';

export { attachedControls, organizationOf, setOrganization, setScpLevels, setScps, type ControlKind, type ControlPolicy, type Organization } from './control-policies.js';
export { secretKey, uniqueId } from './ids.js';
export { checkDocument } from './documents.js';
export { principalNames } from './principals.js';
export { keysOfIssuer, oidcProvider, setIssuerKeys, type KeySet } from './providers.js';
export { tagsProblem } from './tags.js';

/** What the request chain asks of IAM's state: whose a key is, and which policies bind somebody. */

export interface Credential {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly principal: Principal;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
  readonly inactive?: boolean;
}

/**
 * Every account has an administrator whose access key ID is the account's number: the user `local-admin` with AdministratorAccess, which
 * comes to be with its first authorised use. It is a user and not the account's root, because root users can assume no roles.
 */
export const ADMINISTRATOR = 'local-admin';

export function credential(state: State, accessKeyId: string): Credential | undefined {
  if (/^\d{12}$/.test(accessKeyId)) {
    return { ...accountCredentials(state, accessKeyId), principal: userPrincipal(accessKeyId, administrator(state, accessKeyId)) };
  }
  if (accessKeyId.startsWith('ASIA')) return sessions(state).get(accessKeyId);
  const found = accessKeys(state).get(accessKeyId);
  const user = found && users(state, found.account, GLOBAL).get(key(found.user));
  if (!found || !user) return undefined;
  return { secretAccessKey: found.secret, principal: userPrincipal(found.account, user), ...(found.active ? {} : { inactive: true }) };
}

/** The administrator's credentials of an account: derived from a secret of this installation, the same each time. */
export function accountCredentials(state: State, account: string): { accessKeyId: string; secretAccessKey: string } {
  const secret = createHmac('sha256', installationSecret(state)).update(`account ${account}`).digest('base64').slice(0, 40);
  return { accessKeyId: account, secretAccessKey: secret };
}

const ADMINISTRATOR_ACCESS = `arn:${PARTITION}:iam::aws:policy/AdministratorAccess`;

/** The administrator as it is, or as it will be: a key alone, before its signature is verified, brings nothing into being. */
function administrator(state: State, account: string): User {
  const arn = `arn:${PARTITION}:iam::${account}:user/${ADMINISTRATOR}`;
  return (
    users(state, account, GLOBAL).get(ADMINISTRATOR) ?? {
      name: ADMINISTRATOR,
      path: '/',
      id: derivedId('AIDA', arn),
      arn,
      created: Date.UTC(2026, 0, 1),
      inline: {},
      attached: [ADMINISTRATOR_ACCESS],
      tags: [],
      groups: [],
    }
  );
}

function storedAdministrator(state: State, account: string): User {
  const user = administrator(state, account);
  state.transaction(() => {
    users(state, account, GLOBAL).put(ADMINISTRATOR, user);
    identities(state).put(user.id, { account, kind: 'user', name: user.name, arn: user.arn });
  });
  return user;
}

export function userPrincipal(account: string, user: User): UserPrincipal {
  return { kind: 'user', account, arn: user.arn, userId: user.id, userName: user.name, tags: tagMap(user.tags) };
}

export function tagMap(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** Everything that bounds what a principal may do to things of `resourceAccount`, the resource's own policy aside. */
export function policiesOf(state: State, principal: Principal, resourceAccount = principal.account): PolicySet {
  const rcps = rcpsOf(state, resourceAccount);
  const own = ownPolicies(state, principal);
  return rcps ? { ...own, rcps } : own;
}

function ownPolicies(state: State, principal: Principal): PolicySet {
  switch (principal.kind) {
    case 'user':
      return { ...userPolicies(state, principal), scps: scpsOf(state, principal.account) };
    case 'session':
      return { ...rolePolicies(state, principal), scps: scpsOf(state, principal.account) };
    case 'federated-user': {
      const issuer = principal.issuer.kind === 'user' ? userPolicies(state, principal.issuer) : NOTHING;
      return { ...issuer, session: principal.sessionPolicies, scps: scpsOf(state, principal.account) };
    }
    case 'root':
      return { identity: [], scps: scpsOf(state, principal.account) };
    case 'service':
    case 'anonymous':
      return NOTHING;
  }
}

const NOTHING: PolicySet = { identity: [] };

function userPolicies(state: State, principal: UserPrincipal): PolicySet {
  const known = users(state, principal.account, GLOBAL).get(key(principal.userName));
  const user = known ?? (principal.userName === ADMINISTRATOR ? storedAdministrator(state, principal.account) : undefined);
  if (!user || user.id !== principal.userId) return NOTHING;
  const inGroups = user.groups.flatMap((name) => {
    const group = groups(state, principal.account, GLOBAL).get(key(name));
    return group ? entityPolicies(state, group) : [];
  });
  return { identity: [...entityPolicies(state, user), ...inGroups], ...boundaryOf(state, user.boundary) };
}

/** A session lives on the role it was made from: one created later under the same name is another, and gives it nothing. */
function rolePolicies(state: State, principal: SessionPrincipal): PolicySet {
  const role = roles(state, principal.account, GLOBAL).get(key(principal.roleName));
  const session = principal.sessionPolicies.length > 0 ? { session: principal.sessionPolicies } : {};
  if (!role || role.id !== principal.roleId) return { ...NOTHING, ...session };
  return { identity: entityPolicies(state, role), ...boundaryOf(state, role.boundary), ...session };
}

function boundaryOf(state: State, arn: string | undefined): { boundary?: NamedPolicy } {
  if (arn === undefined) return {};
  // A boundary whose policy is gone allows nothing.
  return { boundary: managedDocument(state, arn) ?? { name: arn, arn, document: '{"Version":"2012-10-17","Statement":[]}' } };
}

/** Inline and attached policies of a user, group or role. */
export function entityPolicies(state: State, entity: Entity): NamedPolicy[] {
  const found: NamedPolicy[] = [];
  for (const name in entity.inline) found.push({ name, document: entity.inline[name]! });
  for (const arn of entity.attached) {
    const policy = managedDocument(state, arn);
    if (policy) found.push(policy);
  }
  return found;
}

/** The default version of a managed policy. */
export function managedDocument(state: State, arn: string): NamedPolicy | undefined {
  const policy = awsManagedPolicy(arn) ?? localPolicy(state, arn);
  const version = policy?.versions.find(({ id }) => id === policy.defaultVersion);
  return policy && version && { name: policy.name, arn, document: version.document };
}

function localPolicy(state: State, arn: string): ReturnType<typeof awsManagedPolicy> {
  const parts = parseArn(arn);
  if (parts?.service !== 'iam' || !parts.resource.startsWith('policy/')) return undefined;
  const policy = policies(state, parts.account, GLOBAL).get(key(parts.resource.slice(parts.resource.lastIndexOf('/') + 1)));
  return policy?.arn === arn ? policy : undefined;
}

/** The role of an ARN, spelt as it is; names in ARNs keep their case. */
export function roleByArn(state: State, arn: string): Role | undefined {
  const parts = parseArn(arn);
  if (parts?.service !== 'iam' || !parts.resource.startsWith('role/')) return undefined;
  const role = roles(state, parts.account, GLOBAL).get(key(parts.resource.slice(parts.resource.lastIndexOf('/') + 1)));
  return role?.arn === arn ? role : undefined;
}

/** A role's trust policy, with unique IDs; one that trusts nobody where there is no such role, so that nobody learns of it. */
export function trustPolicy(state: State, roleArn: string): AttachedPolicy {
  const account = parseArn(roleArn)?.account ?? '';
  return { kind: 'trust', account, document: roleByArn(state, roleArn)?.trust ?? '{"Version":"2012-10-17","Statement":[]}', name: 'trust policy' };
}

/** The user whose service-specific credential this is; undefined when name or password is wrong or it is inactive. */
export function serviceCredential(state: State, service: string, serviceUser: string, password: string): UserPrincipal | undefined {
  const [, name, account] = /^(.+?)(?:\+\d+)?-at-(\d{12})$/.exec(serviceUser) ?? [];
  if (name === undefined || account === undefined) return undefined;
  const hash = passwordHash(password);
  const found = serviceCredentials(state, account, GLOBAL)
    .list(key(name))
    .find((item) => item.serviceUser === serviceUser && item.service === service && item.active && item.hash === hash);
  const user = found && users(state, account, GLOBAL).get(key(found.user));
  return user && userPrincipal(account, user);
}

/** Notes that a session of the role was made: RoleLastUsed. */
export function roleUsed(state: State, role: Role, region: string, date: number): void {
  const account = parseArn(role.arn)!.account;
  roles(state, account, GLOBAL).put(key(role.name), { ...role, lastUsed: { date, region } });
}

/** Account of an access key, of a user or of a session. */
export function accountOfKey(state: State, accessKeyId: string): string | undefined {
  return credential(state, accessKeyId)?.principal.account;
}

// Sessions

export interface StoredSession extends Credential {
  readonly sessionToken: string;
  readonly expiresAt: number;
}

const sessionTable = table<StoredSession>('iam', 'credentials');
const expiryTable = table<true>('iam', 'session-expiry');

const sessions = (state: State): ReturnType<typeof sessionTable> => sessionTable(state, CLOUD, GLOBAL);

/** Expired sessions are kept this long, to be told that they expired; after that their key is unknown. */
const KEPT_MS = 12 * 3_600_000;
const SWEPT_AT_ONCE = 20;

/** Stores a session's credentials and sweeps away some that expired long ago. */
export function storeSession(state: State, accessKeyId: string, session: StoredSession, now: number): void {
  state.transaction(() => {
    sessions(state).put(accessKeyId, session);
    const expiries = expiryTable(state, CLOUD, GLOBAL);
    expiries.put([session.expiresAt, accessKeyId], true);
    for (const [[at, id]] of expiries.entries([], { limit: SWEPT_AT_ONCE })) {
      if (Number(at) > now - KEPT_MS) break;
      expiries.delete(at!, id!);
      sessions(state).delete(String(id));
    }
  });
}

// The installation's secret

const secrets = table<string>('flotilla', 'secret');

/** 32 random bytes that this installation's derived secrets come from; made when first needed. */
function installationSecret(state: State): Buffer {
  const found = secrets(state, CLOUD, GLOBAL).get('installation');
  if (found !== undefined) return Buffer.from(found, 'hex');
  const made = randomBytes(32);
  secrets(state, CLOUD, GLOBAL).put('installation', made.toString('hex'));
  return made;
}

/** A keyed digest under the installation's secret, for things that go out and must come back unchanged. */
export function seal(state: State, purpose: string, data: Uint8Array): Buffer {
  return createHmac('sha256', installationSecret(state)).update(`${purpose}\0`).update(data).digest();
}

export function sealHolds(state: State, purpose: string, data: Uint8Array, given: Uint8Array): boolean {
  const expected = seal(state, purpose, data);
  return given.byteLength === expected.byteLength && timingSafeEqual(expected, given);
}
