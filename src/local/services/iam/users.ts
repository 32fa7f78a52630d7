import { arn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import { GLOBAL } from '../../state/state.js';
import type { Handlers } from './handlers.js';
import { uniqueId } from './ids.js';
import { attachablePolicy } from './managed-policies.js';
import { page } from './pages.js';
import { shownBoundary } from './roles.js';
import { serviceCredentialsOf } from './service-credentials.js';
import { accessKeys, conflict, exists, identities, key, saveUser, shownTags, userKeys, userOf, usersOf, type User } from './store.js';
import { newTags } from './tags.js';

export const userOperations = {
  CreateUser: (input, context) => {
    const { UserName: name, Path: path = '/' } = input;
    if (usersOf(context).get(key(name))) exists(`User with name ${name} already exists.`);
    const user: User = {
      name,
      path,
      id: uniqueId('AIDA'),
      arn: arn('iam', '', context.account, `user${path}${name}`),
      created: context.now().getTime(),
      inline: {},
      attached: [],
      tags: newTags(input.Tags),
      groups: [],
      ...(input.PermissionsBoundary ? { boundary: attachablePolicy(context, input.PermissionsBoundary).arn } : {}),
    };
    context.state.transaction(() => {
      saveUser(context, user);
      identities(context.state).put(user.id, { account: context.account, kind: 'user', name, arn: user.arn });
    });
    return { User: { ...shownUser(user), ...shownTags(user.tags), ...shownBoundary(user.boundary) } };
  },

  GetUser: (input, context) => {
    const { principal } = context;
    if (input.UserName === undefined && principal.kind === 'root') {
      return { User: { UserId: principal.account, Arn: principal.arn, CreateDate: new Date(Date.UTC(2026, 0, 1)) } as IAM.User };
    }
    const user = userOf(context, input.UserName);
    return { User: { ...shownUser(user), ...shownTags(user.tags), ...shownBoundary(user.boundary) } };
  },

  ListUsers: (input, context) => {
    const prefix = input.PathPrefix ?? '/';
    const matching = usersOf(context).list().filter((user) => user.path.startsWith(prefix));
    const { items, ...rest } = page(matching, input, ({ name }) => key(name));
    return { Users: items.map(shownUser), ...rest };
  },

  UpdateUser: (input, context) => {
    const user = userOf(context, input.UserName);
    const name = input.NewUserName ?? user.name;
    const path = input.NewPath ?? user.path;
    if (key(name) !== key(user.name) && usersOf(context).get(key(name))) exists(`User with name ${name} already exists.`);
    rename(user, { ...user, name, path, arn: arn('iam', '', context.account, `user${path}${name}`) }, context);
  },

  DeleteUser: (input, context) => {
    const user = userOf(context, input.UserName);
    if (user.groups.length > 0) conflict('Cannot delete entity, must remove users from group first.');
    if (user.attached.length > 0) conflict('Cannot delete entity, must detach all policies first.');
    if (Object.keys(user.inline).length > 0) conflict('Cannot delete entity, must delete policies first.');
    if (user.loginProfile) conflict('Cannot delete entity, must delete login profile first.');
    if (keysOf(user.name, context).length > 0) conflict('Cannot delete entity, must delete access keys first.');
    if (serviceCredentialsOf(user.name, context).length > 0) conflict('Cannot delete entity, must delete service specific credentials first.');
    context.state.transaction(() => {
      usersOf(context).delete(key(user.name));
      identities(context.state).delete(user.id);
    });
  },
} satisfies Handlers;

/** IDs of a user's access keys. */
export function keysOf(name: string, context: RequestContext): string[] {
  return userKeys(context.state, context.account, GLOBAL).list(key(name));
}

/** A renamed user keeps its ID, its keys and its groups; policies that name it by ARN follow, for they hold the ID. */
function rename(before: User, after: User, context: RequestContext): void {
  context.state.transaction(() => {
    const keyTable = userKeys(context.state, context.account, GLOBAL);
    for (const id of keysOf(before.name, context)) {
      keyTable.delete(key(before.name), id);
      keyTable.put([key(after.name), id], id);
      const stored = accessKeys(context.state).get(id);
      if (stored) accessKeys(context.state).put(id, { ...stored, user: after.name });
    }
    usersOf(context).delete(key(before.name));
    saveUser(context, after);
    identities(context.state).put(after.id, { account: context.account, kind: 'user', name: after.name, arn: after.arn });
  });
}

export function shownUser(user: User): IAM.User {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: user.arn,
    CreateDate: new Date(user.created),
    ...(user.passwordLastUsed ? { PasswordLastUsed: new Date(user.passwordLastUsed) } : {}),
  };
}
