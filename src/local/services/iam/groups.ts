import { arn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import type { Handlers } from './handlers.js';
import { uniqueId } from './ids.js';
import { page } from './pages.js';
import { conflict, exists, groupOf, groupsOf, key, saveGroup, saveUser, tooMany, userOf, usersOf, type Group, type User } from './store.js';
import { shownUser } from './users.js';

const GROUPS_PER_USER = 10;

export const groupOperations = {
  CreateGroup: (input, context) => {
    const { GroupName: name, Path: path = '/' } = input;
    if (groupsOf(context).get(key(name))) exists(`Group with name ${name} already exists.`);
    const group: Group = {
      name,
      path,
      id: uniqueId('AGPA'),
      arn: arn('iam', '', context.account, `group${path}${name}`),
      created: context.now().getTime(),
      inline: {},
      attached: [],
    };
    saveGroup(context, group);
    return { Group: shownGroup(group) };
  },

  GetGroup: (input, context) => {
    const group = groupOf(context, input.GroupName);
    const { items, ...rest } = page(members(group.name, context), input, ({ name }) => key(name));
    return { Group: shownGroup(group), Users: items.map(shownUser), ...rest };
  },

  ListGroups: (input, context) => {
    const prefix = input.PathPrefix ?? '/';
    const { items, ...rest } = page(groupsOf(context).list().filter((group) => group.path.startsWith(prefix)), input, ({ name }) => key(name));
    return { Groups: items.map(shownGroup), ...rest };
  },

  ListGroupsForUser: (input, context) => {
    const found = userOf(context, input.UserName).groups.map((name) => groupOf(context, name));
    const { items, ...rest } = page(found, input, ({ name }) => key(name));
    return { Groups: items.map(shownGroup), ...rest };
  },

  UpdateGroup: (input, context) => {
    const group = groupOf(context, input.GroupName);
    const name = input.NewGroupName ?? group.name;
    const path = input.NewPath ?? group.path;
    if (key(name) !== key(group.name) && groupsOf(context).get(key(name))) exists(`Group with name ${name} already exists.`);
    context.state.transaction(() => {
      for (const user of members(group.name, context)) {
        saveUser(context, { ...user, groups: user.groups.map((member) => (key(member) === key(group.name) ? name : member)) });
      }
      groupsOf(context).delete(key(group.name));
      saveGroup(context, { ...group, name, path, arn: arn('iam', '', context.account, `group${path}${name}`) });
    });
  },

  DeleteGroup: (input, context) => {
    const group = groupOf(context, input.GroupName);
    if (members(group.name, context).length > 0) conflict('Cannot delete entity, must remove users from group first.');
    if (group.attached.length > 0) conflict('Cannot delete entity, must detach all policies first.');
    if (Object.keys(group.inline).length > 0) conflict('Cannot delete entity, must delete policies first.');
    groupsOf(context).delete(key(group.name));
  },

  AddUserToGroup: (input, context) => {
    const group = groupOf(context, input.GroupName);
    const user = userOf(context, input.UserName);
    if (isMember(user, group.name)) return;
    if (user.groups.length >= GROUPS_PER_USER) tooMany(`Cannot exceed quota for GroupsPerUser: ${GROUPS_PER_USER}`);
    saveUser(context, { ...user, groups: [...user.groups, group.name] });
  },

  RemoveUserFromGroup: (input, context) => {
    const group = groupOf(context, input.GroupName);
    const user = userOf(context, input.UserName);
    saveUser(context, { ...user, groups: user.groups.filter((name) => key(name) !== key(group.name)) });
  },
} satisfies Handlers;

export function members(group: string, context: RequestContext): User[] {
  return usersOf(context).list().filter((user) => isMember(user, group));
}

function isMember(user: User, group: string): boolean {
  return user.groups.some((name) => key(name) === key(group));
}

function shownGroup(group: Group): IAM.Group {
  return { Path: group.path, GroupName: group.name, GroupId: group.id, Arn: group.arn, CreateDate: new Date(group.created) };
}
