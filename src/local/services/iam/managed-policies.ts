import { arn as makeArn, parseArn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import { awsManagedPolicies, awsManagedPolicy } from './aws-managed.js';
import { checkDocument, checkManagedSize, encoded } from './documents.js';
import type { Handlers } from './handlers.js';
import { uniqueId } from './ids.js';
import { page } from './pages.js';
import { absent, conflict, exists, groupsOf, invalid, key, policiesTableOf, rolesOf, shownTags, tooMany, usersOf, type ManagedPolicy } from './store.js';
import { newTags } from './tags.js';

const VERSIONS = 5;

export const managedPolicyOperations = {
  CreatePolicy: (input, context) => {
    const { PolicyName: name, Path: path = '/', PolicyDocument: document } = input;
    checkDocument(document, 'managed');
    checkManagedSize(document);
    if (policiesTableOf(context).get(key(name))) exists(`A policy called ${name} already exists. Duplicate names are not allowed.`);
    const created = context.now().getTime();
    const policy: ManagedPolicy = {
      name,
      path,
      id: uniqueId('ANPA'),
      arn: makeArn('iam', '', context.account, `policy${path}${name}`),
      created,
      updated: created,
      versions: [{ id: 'v1', document, created }],
      defaultVersion: 'v1',
      next: 2,
      tags: newTags(input.Tags),
      ...(input.Description ? { description: input.Description } : {}),
    };
    savePolicy(context, policy);
    return { Policy: { ...shownPolicy(policy, usage(context)), ...shownTags(policy.tags) } };
  },

  GetPolicy: (input, context) => {
    const policy = anyPolicy(context, input.PolicyArn);
    return { Policy: { ...shownPolicy(policy, usage(context)), ...shownDescription(policy), Tags: [...policy.tags] } };
  },

  ListPolicies: (input, context) => {
    const scope = input.Scope ?? 'All';
    const all = [...(scope === 'Local' ? [] : awsManagedPolicies()), ...(scope === 'AWS' ? [] : policiesTableOf(context).list())];
    const used = usage(context);
    const asBoundary = input.PolicyUsageFilter === 'PermissionsBoundary';
    const matching = all.filter((policy) => {
      const { attachments, boundaries } = used.get(policy.arn) ?? UNUSED;
      if (input.OnlyAttached && (asBoundary ? boundaries : attachments + boundaries) === 0) return false;
      if (input.PolicyUsageFilter && (asBoundary ? boundaries : attachments) === 0) return false;
      return policy.path.startsWith(input.PathPrefix ?? '/');
    });
    const { items, ...rest } = page(matching, input, ({ arn }) => arn);
    return { Policies: items.map((policy) => shownPolicy(policy, used)), ...rest };
  },

  DeletePolicy: (input, context) => {
    const policy = policyOf(context, input.PolicyArn);
    const { attachments, boundaries } = usage(context).get(policy.arn) ?? UNUSED;
    if (attachments + boundaries > 0) conflict('Cannot delete a policy attached to entities.');
    if (policy.versions.length > 1) {
      conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.");
    }
    policiesTableOf(context).delete(key(policy.name));
  },

  CreatePolicyVersion: (input, context) => {
    const policy = policyOf(context, input.PolicyArn);
    checkDocument(input.PolicyDocument, 'managed');
    checkManagedSize(input.PolicyDocument);
    if (policy.versions.length >= VERSIONS) {
      tooMany(`A managed policy can have up to ${VERSIONS} versions. Before you create a new version, you must delete an existing version.`);
    }
    const version = { id: `v${policy.next}`, document: input.PolicyDocument, created: context.now().getTime() };
    const isDefault = input.SetAsDefault === true;
    savePolicy(context, {
      ...policy,
      versions: [...policy.versions, version],
      next: policy.next + 1,
      updated: version.created,
      ...(isDefault ? { defaultVersion: version.id } : {}),
    });
    return { PolicyVersion: { VersionId: version.id, IsDefaultVersion: isDefault, CreateDate: new Date(version.created) } };
  },

  GetPolicyVersion: (input, context) => {
    const policy = anyPolicy(context, input.PolicyArn);
    const version = versionOf(policy, input.VersionId);
    return { PolicyVersion: { Document: encoded(version.document), ...shownVersion(policy, version) } };
  },

  ListPolicyVersions: (input, context) => {
    const policy = anyPolicy(context, input.PolicyArn);
    const newestFirst = [...policy.versions].reverse();
    const { items, ...rest } = page(newestFirst, input, ({ id }) => String(1_000_000 - Number(id.slice(1))));
    return { Versions: items.map((version) => shownVersion(policy, version)), ...rest };
  },

  DeletePolicyVersion: (input, context) => {
    const policy = policyOf(context, input.PolicyArn);
    const version = versionOf(policy, input.VersionId);
    if (version.id === policy.defaultVersion) conflict('Cannot delete the default version of a policy.');
    savePolicy(context, { ...policy, versions: policy.versions.filter(({ id }) => id !== version.id), updated: context.now().getTime() });
  },

  SetDefaultPolicyVersion: (input, context) => {
    const policy = policyOf(context, input.PolicyArn);
    savePolicy(context, { ...policy, defaultVersion: versionOf(policy, input.VersionId).id, updated: context.now().getTime() });
  },

  ListEntitiesForPolicy: (input, context) => {
    const policy = anyPolicy(context, input.PolicyArn);
    const prefix = input.PathPrefix ?? '/';
    const boundary = input.PolicyUsageFilter === 'PermissionsBoundary';
    const uses = (entity: { path: string; attached: readonly string[]; boundary?: string }): boolean =>
      entity.path.startsWith(prefix) && (boundary ? entity.boundary === policy.arn : entity.attached.includes(policy.arn));
    const wanted = (type: string): boolean => input.EntityFilter === undefined || input.EntityFilter === type;
    const found = [
      ...(wanted('Group') ? groupsOf(context).list().filter(uses).map((entity) => ({ type: 'group', entity })) : []),
      ...(wanted('Role') ? rolesOf(context).list().filter(uses).map((entity) => ({ type: 'role', entity })) : []),
      ...(wanted('User') ? usersOf(context).list().filter(uses).map((entity) => ({ type: 'user', entity })) : []),
    ];
    const { items, ...rest } = page(found, input, ({ type, entity }) => `${type}/${key(entity.name)}`);
    const of = (type: string) => items.filter((item) => item.type === type).map(({ entity }) => entity);
    return {
      PolicyGroups: of('group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyUsers: of('user').map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyRoles: of('role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...rest,
    };
  },
} satisfies Handlers;

export const savePolicy = (context: RequestContext, policy: ManagedPolicy): void => policiesTableOf(context).put(key(policy.name), policy);

/** A policy of the caller's own account. */
export function policyOf(context: RequestContext, arn: string): ManagedPolicy {
  return localPolicy(context, arn) ?? absent(`Policy ${arn} was not found.`);
}

/** A policy of the caller's account or of AWS. */
export function anyPolicy(context: RequestContext, arn: string): ManagedPolicy {
  return findPolicy(context, arn) ?? absent(`Policy ${arn} was not found.`);
}

/** A policy that can be attached or be a boundary. */
export function attachablePolicy(context: RequestContext, arn: string): ManagedPolicy {
  return findPolicy(context, arn) ?? absent(`Policy ${arn} does not exist or is not attachable.`);
}

function findPolicy(context: RequestContext, arn: string): ManagedPolicy | undefined {
  if (!parseArn(arn)) invalid('Invalid ARN:  Could not be parsed!');
  return awsManagedPolicy(arn) ?? localPolicy(context, arn);
}

function localPolicy(context: RequestContext, arn: string): ManagedPolicy | undefined {
  const found = policiesTableOf(context).get(key(arn.slice(arn.lastIndexOf('/') + 1)));
  return found?.arn === arn ? found : undefined;
}

function versionOf(policy: ManagedPolicy, id: string): ManagedPolicy['versions'][number] {
  return policy.versions.find((version) => version.id === id) ?? absent(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
}

interface Usage {
  readonly attachments: number;
  readonly boundaries: number;
}

const UNUSED: Usage = { attachments: 0, boundaries: 0 };

/** How often each policy is attached and is a boundary in this account. */
export function usage(context: RequestContext): Map<string, Usage> {
  const counted = new Map<string, { attachments: number; boundaries: number }>();
  const of = (arn: string): { attachments: number; boundaries: number } => {
    let found = counted.get(arn);
    if (!found) counted.set(arn, (found = { attachments: 0, boundaries: 0 }));
    return found;
  };
  for (const entity of [...usersOf(context).list(), ...rolesOf(context).list(), ...groupsOf(context).list()]) {
    for (const arn of entity.attached) of(arn).attachments++;
    if ('boundary' in entity && typeof entity.boundary === 'string') of(entity.boundary).boundaries++;
  }
  return counted;
}

export function shownPolicy(policy: ManagedPolicy, used: Map<string, Usage>): IAM.Policy {
  const { attachments, boundaries } = used.get(policy.arn) ?? UNUSED;
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: boundaries,
    IsAttachable: true,
    CreateDate: new Date(policy.created),
    UpdateDate: new Date(policy.updated),
  };
}

function shownDescription(policy: ManagedPolicy): { Description?: string } {
  return policy.description ? { Description: policy.description } : {};
}

function shownVersion(policy: ManagedPolicy, version: ManagedPolicy['versions'][number]): IAM.PolicyVersion {
  return { VersionId: version.id, IsDefaultVersion: version.id === policy.defaultVersion, CreateDate: new Date(version.created) };
}
