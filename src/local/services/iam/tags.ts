import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type { Handlers } from './handlers.js';
import { page, type PageInput } from './pages.js';
import { policyOf, savePolicy } from './managed-policies.js';
import { oidcProviderOf, samlProviderOf, saveOidcProvider, saveSamlProvider } from './providers.js';
import { key, profileOf, profilesOf, roleOf, saveRole, saveUser, tooMany, userOf, type Tag } from './store.js';

const MAX_TAGS = 50;

/** Tags as given at creation: unique without regard to case, at most fifty. */
export function newTags(given: readonly Tag[] | undefined): Tag[] {
  const tags = given ?? [];
  const problem = tagsProblem(tags);
  if (problem) throw new AwsError('InvalidInput', problem, { status: 400 });
  if (tags.length > MAX_TAGS) tooMany(`The number of tags has reached the maximum limit.`);
  return tags.map(({ Key, Value }) => ({ Key, Value }));
}

/** IAM's and STS's sentence about tags that name one key twice. */
export function tagsProblem(tags: readonly Tag[]): string | undefined {
  const distinct = new Set(tags.map(({ Key }) => Key.toLowerCase()));
  return distinct.size < tags.length ? 'Duplicate tag keys found. Please note that Tag keys are case insensitive.' : undefined;
}

function withTags(tags: readonly Tag[], given: readonly Tag[]): Tag[] {
  const added = newTags(given);
  const names = new Set(added.map(({ Key }) => Key.toLowerCase()));
  return newTags([...tags.filter(({ Key }) => !names.has(Key.toLowerCase())), ...added]);
}

function withoutTags(tags: readonly Tag[], names: readonly string[]): Tag[] {
  const gone = new Set(names.map((name) => name.toLowerCase()));
  return tags.filter(({ Key }) => !gone.has(Key.toLowerCase()));
}

/** A tagged thing: its tags and how to store others. */
interface Tagged {
  readonly tags: readonly Tag[];
  save(tags: Tag[]): void;
}

function tag(thing: Tagged, given: readonly Tag[]): void {
  thing.save(withTags(thing.tags, given));
}

function untag(thing: Tagged, names: readonly string[]): void {
  thing.save(withoutTags(thing.tags, names));
}

function listTags(thing: Tagged, input: PageInput): { Tags: Tag[]; IsTruncated: boolean; Marker?: string } {
  const { items, ...rest } = page(thing.tags, input, ({ Key }) => Key);
  return { Tags: items, ...rest };
}

const role = (name: string, context: RequestContext): Tagged => {
  const found = roleOf(context, name);
  return { tags: found.tags, save: (tags) => saveRole(context, { ...found, tags }) };
};
const user = (name: string, context: RequestContext): Tagged => {
  const found = userOf(context, name);
  return { tags: found.tags, save: (tags) => saveUser(context, { ...found, tags }) };
};
const policy = (arn: string, context: RequestContext): Tagged => {
  const found = policyOf(context, arn);
  return { tags: found.tags, save: (tags) => savePolicy(context, { ...found, tags }) };
};
const profile = (name: string, context: RequestContext): Tagged => {
  const found = profileOf(context, name);
  return { tags: found.tags, save: (tags) => profilesOf(context).put(key(name), { ...found, tags }) };
};
const oidc = (arn: string, context: RequestContext): Tagged => {
  const found = oidcProviderOf(context, arn);
  return { tags: found.tags, save: (tags) => saveOidcProvider(context, { ...found, tags }) };
};
const saml = (arn: string, context: RequestContext): Tagged => {
  const found = samlProviderOf(context, arn);
  return { tags: found.tags, save: (tags) => saveSamlProvider(context, { ...found, tags }) };
};

export const tagOperations = {
  TagRole: (input, context) => tag(role(input.RoleName, context), input.Tags),
  UntagRole: (input, context) => untag(role(input.RoleName, context), input.TagKeys),
  ListRoleTags: (input, context) => listTags(role(input.RoleName, context), input),
  TagUser: (input, context) => tag(user(input.UserName, context), input.Tags),
  UntagUser: (input, context) => untag(user(input.UserName, context), input.TagKeys),
  ListUserTags: (input, context) => listTags(user(input.UserName, context), input),
  TagPolicy: (input, context) => tag(policy(input.PolicyArn, context), input.Tags),
  UntagPolicy: (input, context) => untag(policy(input.PolicyArn, context), input.TagKeys),
  ListPolicyTags: (input, context) => listTags(policy(input.PolicyArn, context), input),
  TagInstanceProfile: (input, context) => tag(profile(input.InstanceProfileName, context), input.Tags),
  UntagInstanceProfile: (input, context) => untag(profile(input.InstanceProfileName, context), input.TagKeys),
  ListInstanceProfileTags: (input, context) => listTags(profile(input.InstanceProfileName, context), input),
  TagOpenIDConnectProvider: (input, context) => tag(oidc(input.OpenIDConnectProviderArn, context), input.Tags),
  UntagOpenIDConnectProvider: (input, context) => untag(oidc(input.OpenIDConnectProviderArn, context), input.TagKeys),
  ListOpenIDConnectProviderTags: (input, context) => listTags(oidc(input.OpenIDConnectProviderArn, context), input),
  TagSAMLProvider: (input, context) => tag(saml(input.SAMLProviderArn, context), input.Tags),
  UntagSAMLProvider: (input, context) => untag(saml(input.SAMLProviderArn, context), input.TagKeys),
  ListSAMLProviderTags: (input, context) => listTags(saml(input.SAMLProviderArn, context), input),
} satisfies Handlers;
