import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { GLOBAL, table, type State, type Table } from '../../state/state.js';

/** IAM's things, one table a kind, by account. Names are unique and found without regard to case: keys are in lower case. */

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** What users, groups and roles have in common. */
export interface Entity {
  readonly name: string;
  readonly path: string;
  /** `AROA…`, `AIDA…`, `AGPA…`: never used twice. */
  readonly id: string;
  readonly arn: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Inline policies: name to document. */
  readonly inline: Readonly<Record<string, string>>;
  /** ARNs of attached managed policies, in order of attachment. */
  readonly attached: readonly string[];
}

export interface User extends Entity {
  readonly tags: readonly Tag[];
  readonly boundary?: string;
  readonly groups: readonly string[];
  readonly loginProfile?: { readonly created: number; readonly resetRequired: boolean; readonly hash: string };
  readonly passwordLastUsed?: number;
}

export type Group = Entity;

export interface Role extends Entity {
  readonly tags: readonly Tag[];
  readonly boundary?: string;
  readonly description?: string;
  /** The trust policy with the unique IDs of the roles and users it names in place of their ARNs. */
  readonly trust: string;
  /** Seconds. */
  readonly maxSessionDuration: number;
  readonly lastUsed?: { readonly date: number; readonly region: string };
}

export interface ManagedPolicy {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly arn: string;
  readonly description?: string;
  readonly created: number;
  readonly updated: number;
  readonly versions: readonly { readonly id: string; readonly document: string; readonly created: number }[];
  readonly defaultVersion: string;
  /** Number of the next version. */
  readonly next: number;
  readonly tags: readonly Tag[];
}

export interface InstanceProfile {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly arn: string;
  readonly created: number;
  readonly role?: string;
  readonly tags: readonly Tag[];
}

export interface AccessKey {
  readonly id: string;
  readonly account: string;
  readonly user: string;
  readonly secret: string;
  readonly active: boolean;
  readonly created: number;
}

export const users = table<User>('iam', 'users');
export const groups = table<Group>('iam', 'groups');
export const roles = table<Role>('iam', 'roles');
export const policies = table<ManagedPolicy>('iam', 'policies');
export const instanceProfiles = table<InstanceProfile>('iam', 'instance-profiles');

/** Scope of what is found without knowing the account: access keys, sessions, unique IDs. */
export const CLOUD = 'cloud';

const accessKeyTable = table<AccessKey>('iam', 'access-keys');
export const accessKeys = (state: State): Table<AccessKey> => accessKeyTable(state, CLOUD, GLOBAL);

/** Access keys of a user: user name and key ID. */
export const userKeys = table<string>('iam', 'user-keys');

export interface Identity {
  readonly account: string;
  readonly kind: 'user' | 'role';
  readonly name: string;
  readonly arn: string;
}

const identityTable = table<Identity>('iam', 'ids');
/** Who has a unique ID; empty once the user or role is deleted. */
export const identities = (state: State): Table<Identity> => identityTable(state, CLOUD, GLOBAL);

export const key = (name: string): string => name.toLowerCase();

export const usersOf = (context: RequestContext): Table<User> => users(context.state, context.account, GLOBAL);
export const groupsOf = (context: RequestContext): Table<Group> => groups(context.state, context.account, GLOBAL);
export const rolesOf = (context: RequestContext): Table<Role> => roles(context.state, context.account, GLOBAL);
export const policiesTableOf = (context: RequestContext): Table<ManagedPolicy> => policies(context.state, context.account, GLOBAL);
export const profilesOf = (context: RequestContext): Table<InstanceProfile> => instanceProfiles(context.state, context.account, GLOBAL);

/** An existing user; without a name the caller itself, where that is a user. */
export function userOf(context: RequestContext, name: string | undefined): User {
  const { principal } = context;
  if (name === undefined && principal.kind !== 'user') {
    throw new AwsError('ValidationError', 'Must specify userName when calling with non-User credentials', { status: 400 });
  }
  const wanted = name ?? (principal.kind === 'user' ? principal.userName : '');
  return usersOf(context).get(key(wanted)) ?? absent(`The user with name ${wanted} cannot be found.`);
}

export function groupOf(context: RequestContext, name: string): Group {
  return groupsOf(context).get(key(name)) ?? absent(`The group with name ${name} cannot be found.`);
}

export function roleOf(context: RequestContext, name: string): Role {
  return rolesOf(context).get(key(name)) ?? absent(`The role with name ${name} cannot be found.`);
}

export function profileOf(context: RequestContext, name: string): InstanceProfile {
  return profilesOf(context).get(key(name)) ?? absent(`Instance Profile ${name} cannot be found.`);
}

export const saveUser = (context: RequestContext, user: User): void => usersOf(context).put(key(user.name), user);
export const saveGroup = (context: RequestContext, group: Group): void => groupsOf(context).put(key(group.name), group);
export const saveRole = (context: RequestContext, role: Role): void => rolesOf(context).put(key(role.name), role);

export function absent(message: string): never {
  throw new AwsError('NoSuchEntity', message, { status: 404 });
}

export function exists(message: string): never {
  throw new AwsError('EntityAlreadyExists', message, { status: 409 });
}

export function conflict(message: string): never {
  throw new AwsError('DeleteConflict', message, { status: 409 });
}

export function tooMany(message: string): never {
  throw new AwsError('LimitExceeded', message, { status: 409 });
}

export function invalid(message: string): never {
  throw new AwsError('ValidationError', message, { status: 400 });
}

/** `{ Tags: [...] }`, or nothing when there are none: how IAM answers. */
export function shownTags(tags: readonly Tag[]): { Tags?: Tag[] } {
  return tags.length > 0 ? { Tags: [...tags] } : {};
}
