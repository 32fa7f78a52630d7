import { arn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import type { Handlers } from './handlers.js';
import { uniqueId } from './ids.js';
import { page } from './pages.js';
import { shortRole } from './roles.js';
import { absent, conflict, exists, key, profileOf, profilesOf, roleOf, rolesOf, shownTags, tooMany, type InstanceProfile } from './store.js';
import { newTags } from './tags.js';

export const instanceProfileOperations = {
  CreateInstanceProfile: (input, context) => {
    const { InstanceProfileName: name, Path: path = '/' } = input;
    if (profilesOf(context).get(key(name))) exists(`Instance Profile ${name} already exists.`);
    const profile: InstanceProfile = {
      name,
      path,
      id: uniqueId('AIPA'),
      arn: arn('iam', '', context.account, `instance-profile${path}${name}`),
      created: context.now().getTime(),
      tags: newTags(input.Tags),
    };
    save(profile, context);
    return { InstanceProfile: { ...shownProfile(profile, context), ...shownTags(profile.tags) } };
  },

  GetInstanceProfile: (input, context) => {
    const profile = profileOf(context, input.InstanceProfileName);
    return { InstanceProfile: { ...shownProfile(profile, context), ...shownTags(profile.tags) } };
  },

  ListInstanceProfiles: (input, context) => {
    const prefix = input.PathPrefix ?? '/';
    const { items, ...rest } = page(profilesOf(context).list().filter((profile) => profile.path.startsWith(prefix)), input, ({ name }) => key(name));
    return { InstanceProfiles: items.map((profile) => shownProfile(profile, context)), ...rest };
  },

  ListInstanceProfilesForRole: (input, context) => {
    const { items, ...rest } = page(profilesWith(roleOf(context, input.RoleName).name, context), input, ({ name }) => key(name));
    return { InstanceProfiles: items.map((profile) => shownProfile(profile, context)), ...rest };
  },

  DeleteInstanceProfile: (input, context) => {
    const profile = profileOf(context, input.InstanceProfileName);
    if (profile.role !== undefined) conflict('Cannot delete entity, must remove roles from instance profile first.');
    profilesOf(context).delete(key(profile.name));
  },

  AddRoleToInstanceProfile: (input, context) => {
    const profile = profileOf(context, input.InstanceProfileName);
    const role = roleOf(context, input.RoleName);
    if (profile.role !== undefined) tooMany('Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1');
    save({ ...profile, role: role.name }, context);
  },

  RemoveRoleFromInstanceProfile: (input, context) => {
    const { role, ...profile } = profileOf(context, input.InstanceProfileName);
    if (role === undefined || key(role) !== key(roleOf(context, input.RoleName).name)) {
      absent(`The role with name ${input.RoleName} cannot be found in the instance profile ${profile.name}.`);
    }
    save(profile, context);
  },
} satisfies Handlers;

const save = (profile: InstanceProfile, context: RequestContext): void => profilesOf(context).put(key(profile.name), profile);

export function profilesWith(role: string, context: RequestContext): InstanceProfile[] {
  return profilesOf(context).list().filter((profile) => profile.role !== undefined && key(profile.role) === key(role));
}

export function shownProfile(profile: InstanceProfile, context: RequestContext): IAM.InstanceProfile {
  const role = profile.role === undefined ? undefined : rolesOf(context).get(key(profile.role));
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: profile.arn,
    CreateDate: new Date(profile.created),
    Roles: role ? [shortRole(role, context)] : [],
  };
}
