import { arn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import { checkDocument, checkTrustSize, encoded, malformed } from './documents.js';
import type { Handlers } from './handlers.js';
import { uniqueId } from './ids.js';
import { attachablePolicy } from './managed-policies.js';
import { page } from './pages.js';
import { bindPrincipals, showPrincipals } from './principals.js';
import { conflict, exists, identities, key, profilesOf, roleOf, rolesOf, saveRole, shownTags, type Role } from './store.js';
import { newTags } from './tags.js';

/** Seconds a session of a role may last when the role doesn't say. */
const DEFAULT_SESSION = 3600;

export const roleOperations = {
  CreateRole: (input, context) => {
    const { RoleName: name, Path: path = '/' } = input;
    if (rolesOf(context).get(key(name))) exists(`Role with name ${name} already exists.`);
    const role: Role = {
      name,
      path,
      id: uniqueId('AROA'),
      arn: arn('iam', '', context.account, `role${path}${name}`),
      created: context.now().getTime(),
      inline: {},
      attached: [],
      tags: newTags(input.Tags),
      trust: storedTrust(input.AssumeRolePolicyDocument, context),
      maxSessionDuration: input.MaxSessionDuration ?? DEFAULT_SESSION,
      ...(input.Description !== undefined ? { description: input.Description } : {}),
      ...(input.PermissionsBoundary ? { boundary: attachablePolicy(context, input.PermissionsBoundary).arn } : {}),
    };
    storeRole(role, context);
    // The answer repeats the document as it was given; what is read later names accounts by their root (recorded: CreateRole, 2025-04-10).
    return { Role: { ...shortRole(role, context), AssumeRolePolicyDocument: encoded(input.AssumeRolePolicyDocument), ...shownTags(role.tags), ...shownBoundary(role.boundary) } };
  },

  GetRole: (input, context) => ({ Role: fullRole(roleOf(context, input.RoleName), context) }),

  ListRoles: (input, context) => {
    const prefix = input.PathPrefix ?? '/';
    const matching = rolesOf(context).list().filter((role) => role.path.startsWith(prefix));
    const { items, ...rest } = page(matching, input, ({ name }) => key(name));
    return { Roles: items.map((role) => ({ ...shortRole(role, context), MaxSessionDuration: role.maxSessionDuration })), ...rest };
  },

  DeleteRole: (input, context) => {
    const role = modifiable(roleOf(context, input.RoleName));
    if (profilesOf(context).list().some((profile) => key(profile.role ?? '') === key(role.name))) {
      conflict('Cannot delete entity, must remove roles from instance profile first.');
    }
    if (role.attached.length > 0) conflict('Cannot delete entity, must detach all policies first.');
    if (Object.keys(role.inline).length > 0) conflict('Cannot delete entity, must delete policies first.');
    removeRole(role, context);
  },

  UpdateRole: (input, context) => {
    const { description, ...role } = modifiable(roleOf(context, input.RoleName));
    const text = input.Description ?? description;
    saveRole(context, { ...role, ...(text !== undefined ? { description: text } : {}), maxSessionDuration: input.MaxSessionDuration ?? role.maxSessionDuration });
    return {};
  },

  UpdateRoleDescription: (input, context) => {
    const { description: _, ...role } = roleOf(context, input.RoleName);
    const updated = { ...role, ...(input.Description !== undefined ? { description: input.Description } : {}) };
    saveRole(context, updated);
    return { Role: shortRole(updated, context) };
  },

  UpdateAssumeRolePolicy: (input, context) => {
    const role = modifiable(roleOf(context, input.RoleName));
    saveRole(context, { ...role, trust: storedTrust(input.PolicyDocument, context) });
  },
} satisfies Handlers;

/** Checks a trust policy and replaces the principals it names by their unique IDs. */
function storedTrust(document: string, context: RequestContext): string {
  checkDocument(document, 'trust');
  const { document: bound, unknown } = bindPrincipals(context.state, document);
  const [first] = unknown;
  if (first !== undefined) {
    const type = /^(arn:|A(RO|ID)A|\d{12}$)/.test(first) || !first.includes('.') ? 'AWS' : 'SERVICE';
    throw malformed(`Invalid principal in policy: "${type}":"${first}"`);
  }
  checkTrustSize(document);
  return bound;
}

export function storeRole(role: Role, context: RequestContext): void {
  context.state.transaction(() => {
    saveRole(context, role);
    identities(context.state).put(role.id, { account: context.account, kind: 'role', name: role.name, arn: role.arn });
  });
}

export function removeRole(role: Role, context: RequestContext): void {
  context.state.transaction(() => {
    rolesOf(context).delete(key(role.name));
    identities(context.state).delete(role.id);
  });
}

/** A service-linked role is its service's alone. */
export function modifiable(role: Role): Role {
  if (role.path.startsWith('/aws-service-role/')) {
    throw new AwsError('UnmodifiableEntity', `Cannot perform the operation on the protected role '${role.name}' - this role is only modifiable by AWS`, { status: 400 });
  }
  return role;
}

/** As CreateRole and lists answer it. */
export function shortRole(role: Role, context: RequestContext): IAM.Role {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.created),
    AssumeRolePolicyDocument: encoded(showPrincipals(context.state, role.trust)),
    ...(role.description !== undefined ? { Description: role.description } : {}),
  };
}

function fullRole(role: Role, context: RequestContext): IAM.Role {
  return {
    ...shortRole(role, context),
    MaxSessionDuration: role.maxSessionDuration,
    ...shownBoundary(role.boundary),
    ...shownTags(role.tags),
    RoleLastUsed: shownLastUsed(role),
  };
}

export function shownLastUsed(role: Role): IAM.RoleLastUsed {
  return role.lastUsed ? { LastUsedDate: new Date(role.lastUsed.date), Region: role.lastUsed.region } : {};
}

/** AWS answers `Policy` as the type, not the enumeration's `PermissionsBoundaryPolicy`. */
export function shownBoundary(boundary: string | undefined): { PermissionsBoundary?: IAM.AttachedPermissionsBoundary } {
  if (boundary === undefined) return {};
  return { PermissionsBoundary: { PermissionsBoundaryType: 'Policy' as IAM.PermissionsBoundaryAttachmentType, PermissionsBoundaryArn: boundary } };
}
