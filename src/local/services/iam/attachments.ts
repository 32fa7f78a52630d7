import type { RequestContext } from '../../kernel/service.js';
import { checkDocument, checkInlineSize, encoded } from './documents.js';
import type { Handlers } from './handlers.js';
import { anyPolicy, attachablePolicy } from './managed-policies.js';
import { page, type PageInput } from './pages.js';
import { modifiable } from './roles.js';
import { absent, groupOf, roleOf, saveGroup, saveRole, saveUser, tooMany, userOf, type Entity, type Group, type Role, type User } from './store.js';

/** Policies of roles, users and groups: inline, attached, and permissions boundaries. */

type Kind = 'role' | 'user' | 'group';

const ATTACHED = { role: { limit: 10, name: 'PoliciesPerRole' }, user: { limit: 10, name: 'PoliciesPerUser' }, group: { limit: 10, name: 'PoliciesPerGroup' } };

/** An entity and how to store it with changes. */
interface Held {
  readonly kind: Kind;
  readonly entity: Entity;
  save(changes: Partial<Entity>): void;
}

const role = (name: string, context: RequestContext): Held => {
  const entity: Role = modifiable(roleOf(context, name));
  return { kind: 'role', entity, save: (changes) => saveRole(context, { ...entity, ...changes }) };
};
const user = (name: string, context: RequestContext): Held => {
  const entity: User = userOf(context, name);
  return { kind: 'user', entity, save: (changes) => saveUser(context, { ...entity, ...changes }) };
};
const group = (name: string, context: RequestContext): Held => {
  const entity: Group = groupOf(context, name);
  return { kind: 'group', entity, save: (changes) => saveGroup(context, { ...entity, ...changes }) };
};

function attach({ kind, entity, save }: Held, arn: string, context: RequestContext): void {
  const policy = attachablePolicy(context, arn);
  if (entity.attached.includes(policy.arn)) return;
  const { limit, name } = ATTACHED[kind];
  if (entity.attached.length >= limit) tooMany(`Cannot exceed quota for ${name}: ${limit}`);
  save({ attached: [...entity.attached, policy.arn] });
}

function detach({ entity, save }: Held, arn: string, context: RequestContext): void {
  if (!entity.attached.includes(arn)) absent(`Policy ${anyPolicy(context, arn).arn} was not found.`);
  save({ attached: entity.attached.filter((other) => other !== arn) });
}

function put({ kind, entity, save }: Held, name: string, document: string): void {
  checkDocument(document, 'identity');
  const inline = { ...entity.inline, [name]: document };
  checkInlineSize(kind, entity.name, inline);
  save({ inline });
}

function inlineOf(entity: Entity, kind: Kind, name: string): string {
  return Object.hasOwn(entity.inline, name) ? entity.inline[name]! : absent(`The ${kind} policy with name ${name} cannot be found.`);
}

function remove({ kind, entity, save }: Held, name: string): void {
  inlineOf(entity, kind, name);
  const { [name]: _, ...inline } = entity.inline;
  save({ inline });
}

function listInline(entity: Entity, input: PageInput): { PolicyNames: string[]; IsTruncated: boolean; Marker?: string } {
  const { items, ...rest } = page(Object.keys(entity.inline), input, (name) => name);
  return { PolicyNames: items, ...rest };
}

function listAttached(entity: Entity, input: PageInput & { readonly PathPrefix?: string }) {
  const prefix = `policy${input.PathPrefix ?? '/'}`;
  const all = attachedPolicies(entity).filter(({ PolicyArn }) => PolicyArn.slice(PolicyArn.indexOf('policy/')).startsWith(prefix));
  const { items, ...rest } = page(all, input, ({ PolicyArn }) => PolicyArn);
  return { AttachedPolicies: items, ...rest };
}

export function attachedPolicies(entity: Entity): { PolicyName: string; PolicyArn: string }[] {
  return entity.attached.map((arn) => ({ PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn }));
}

export const attachmentOperations = {
  PutRolePolicy: (input, context) => put(role(input.RoleName, context), input.PolicyName, input.PolicyDocument),
  PutUserPolicy: (input, context) => put(user(input.UserName, context), input.PolicyName, input.PolicyDocument),
  PutGroupPolicy: (input, context) => put(group(input.GroupName, context), input.PolicyName, input.PolicyDocument),

  GetRolePolicy: (input, context) => {
    const entity = roleOf(context, input.RoleName);
    return { RoleName: entity.name, PolicyName: input.PolicyName, PolicyDocument: encoded(inlineOf(entity, 'role', input.PolicyName)) };
  },
  GetUserPolicy: (input, context) => {
    const entity = userOf(context, input.UserName);
    return { UserName: entity.name, PolicyName: input.PolicyName, PolicyDocument: encoded(inlineOf(entity, 'user', input.PolicyName)) };
  },
  GetGroupPolicy: (input, context) => {
    const entity = groupOf(context, input.GroupName);
    return { GroupName: entity.name, PolicyName: input.PolicyName, PolicyDocument: encoded(inlineOf(entity, 'group', input.PolicyName)) };
  },

  DeleteRolePolicy: (input, context) => remove(role(input.RoleName, context), input.PolicyName),
  DeleteUserPolicy: (input, context) => remove(user(input.UserName, context), input.PolicyName),
  DeleteGroupPolicy: (input, context) => remove(group(input.GroupName, context), input.PolicyName),

  ListRolePolicies: (input, context) => listInline(roleOf(context, input.RoleName), input),
  ListUserPolicies: (input, context) => listInline(userOf(context, input.UserName), input),
  ListGroupPolicies: (input, context) => listInline(groupOf(context, input.GroupName), input),

  AttachRolePolicy: (input, context) => attach(role(input.RoleName, context), input.PolicyArn, context),
  AttachUserPolicy: (input, context) => attach(user(input.UserName, context), input.PolicyArn, context),
  AttachGroupPolicy: (input, context) => attach(group(input.GroupName, context), input.PolicyArn, context),

  DetachRolePolicy: (input, context) => detach(role(input.RoleName, context), input.PolicyArn, context),
  DetachUserPolicy: (input, context) => detach(user(input.UserName, context), input.PolicyArn, context),
  DetachGroupPolicy: (input, context) => detach(group(input.GroupName, context), input.PolicyArn, context),

  ListAttachedRolePolicies: (input, context) => listAttached(roleOf(context, input.RoleName), input),
  ListAttachedUserPolicies: (input, context) => listAttached(userOf(context, input.UserName), input),
  ListAttachedGroupPolicies: (input, context) => listAttached(groupOf(context, input.GroupName), input),

  PutRolePermissionsBoundary: (input, context) => {
    const entity = modifiable(roleOf(context, input.RoleName));
    saveRole(context, { ...entity, boundary: attachablePolicy(context, input.PermissionsBoundary).arn });
  },
  PutUserPermissionsBoundary: (input, context) => {
    saveUser(context, { ...userOf(context, input.UserName), boundary: attachablePolicy(context, input.PermissionsBoundary).arn });
  },
  DeleteRolePermissionsBoundary: (input, context) => {
    const { boundary, ...entity } = modifiable(roleOf(context, input.RoleName));
    if (boundary === undefined) absent(`Role ${entity.name} does not have a permissions boundary attached.`);
    saveRole(context, entity);
  },
  DeleteUserPermissionsBoundary: (input, context) => {
    const { boundary, ...entity } = userOf(context, input.UserName);
    if (boundary === undefined) absent(`User ${entity.name} does not have a permissions boundary attached.`);
    saveUser(context, entity);
  },
} satisfies Handlers;
