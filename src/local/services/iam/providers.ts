import { randomUUID } from 'node:crypto';
import { arn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { GLOBAL, table, type State } from '../../state/state.js';
import type { Handlers } from './handlers.js';
import { absent, CLOUD, exists, shownTags, tooMany, type Tag } from './store.js';
import { newTags } from './tags.js';

/** Identity providers outside AWS that roles may trust: OpenID Connect and SAML. */

export interface OidcProvider {
  readonly arn: string;
  /** Host and path, without `https://`. */
  readonly url: string;
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly created: number;
  readonly tags: readonly Tag[];
}

export interface SamlProvider {
  readonly arn: string;
  readonly uuid: string;
  readonly metadata: string;
  readonly created: number;
  readonly tags: readonly Tag[];
}

const oidcProviders = table<OidcProvider>('iam', 'oidc-providers');
const samlProviders = table<SamlProvider>('iam', 'saml-providers');

/** Public keys of an OIDC issuer, as its `jwks_uri` would give them. */
export interface KeySet {
  readonly keys: readonly (Readonly<Record<string, unknown>> & { readonly kid?: string; readonly alg?: string })[];
}

const issuerKeys = table<KeySet>('iam', 'oidc-keys');

/** Gives the local cloud the keys it can't fetch. `issuer` is the provider's URL with or without `https://`. */
export function setIssuerKeys(state: State, issuer: string, keys: KeySet): void {
  issuerKeys(state, CLOUD, GLOBAL).put(issuer.replace(/^https:\/\//, '').replace(/\/$/, ''), keys);
}

export function keysOfIssuer(state: State, url: string): KeySet | undefined {
  return issuerKeys(state, CLOUD, GLOBAL).get(url);
}

const CLIENT_IDS = 100;

export const providerOperations = {
  CreateOpenIDConnectProvider: (input, context) => {
    if (!input.Url.startsWith('https://')) throw new AwsError('ValidationError', 'Invalid Open ID Connect Provider URL', { status: 400 });
    const url = input.Url.slice('https://'.length).replace(/\/$/, '');
    const provider: OidcProvider = {
      arn: arn('iam', '', context.account, `oidc-provider/${url}`),
      url,
      clientIds: [...(input.ClientIDList ?? [])],
      thumbprints: checkedThumbprints(input.ThumbprintList),
      created: context.now().getTime(),
      tags: newTags(input.Tags),
    };
    if (oidcProviders(context.state, context.account, GLOBAL).get(provider.arn)) exists(`Provider with url ${input.Url} already exists.`);
    saveOidcProvider(context, provider);
    return { OpenIDConnectProviderArn: provider.arn, ...shownTags(provider.tags) };
  },

  GetOpenIDConnectProvider: (input, context) => {
    const provider = oidcProviderOf(context, input.OpenIDConnectProviderArn);
    return {
      Url: provider.url,
      ClientIDList: [...provider.clientIds],
      ThumbprintList: [...provider.thumbprints],
      CreateDate: new Date(provider.created),
      ...shownTags(provider.tags),
    };
  },

  ListOpenIDConnectProviders: (_input, context) => ({
    OpenIDConnectProviderList: oidcProviders(context.state, context.account, GLOBAL).list().map((provider) => ({ Arn: provider.arn })),
  }),

  DeleteOpenIDConnectProvider: (input, context) => {
    // "This operation is idempotent; it does not fail or return an error if you call it for a provider that does not exist."
    oidcProviders(context.state, context.account, GLOBAL).delete(input.OpenIDConnectProviderArn);
  },

  AddClientIDToOpenIDConnectProvider: (input, context) => {
    const provider = oidcProviderOf(context, input.OpenIDConnectProviderArn);
    if (provider.clientIds.includes(input.ClientID)) return;
    if (provider.clientIds.length >= CLIENT_IDS) tooMany(`Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${CLIENT_IDS}`);
    saveOidcProvider(context, { ...provider, clientIds: [...provider.clientIds, input.ClientID] });
  },

  RemoveClientIDFromOpenIDConnectProvider: (input, context) => {
    const provider = oidcProviderOf(context, input.OpenIDConnectProviderArn);
    saveOidcProvider(context, { ...provider, clientIds: provider.clientIds.filter((id) => id !== input.ClientID) });
  },

  UpdateOpenIDConnectProviderThumbprint: (input, context) => {
    const provider = oidcProviderOf(context, input.OpenIDConnectProviderArn);
    saveOidcProvider(context, { ...provider, thumbprints: checkedThumbprints(input.ThumbprintList) });
  },

  CreateSAMLProvider: (input, context) => {
    const provider: SamlProvider = {
      arn: arn('iam', '', context.account, `saml-provider/${input.Name}`),
      uuid: randomUUID(),
      metadata: checkedMetadata(input.SAMLMetadataDocument),
      created: context.now().getTime(),
      tags: newTags(input.Tags),
    };
    if (samlProviders(context.state, context.account, GLOBAL).get(provider.arn)) exists(`Provider with name ${input.Name} already exists.`);
    saveSamlProvider(context, provider);
    return { SAMLProviderArn: provider.arn, ...shownTags(provider.tags) };
  },

  GetSAMLProvider: (input, context) => {
    const provider = samlProviderOf(context, input.SAMLProviderArn);
    return {
      SAMLProviderUUID: provider.uuid,
      SAMLMetadataDocument: provider.metadata,
      CreateDate: new Date(provider.created),
      ...validUntil(provider),
      ...shownTags(provider.tags),
    };
  },

  ListSAMLProviders: (_input, context) => ({
    SAMLProviderList: samlProviders(context.state, context.account, GLOBAL)
      .list()
      .map((provider) => ({ Arn: provider.arn, CreateDate: new Date(provider.created), ...validUntil(provider) })),
  }),

  UpdateSAMLProvider: (input, context) => {
    const provider = samlProviderOf(context, input.SAMLProviderArn);
    if (input.SAMLMetadataDocument) saveSamlProvider(context, { ...provider, metadata: checkedMetadata(input.SAMLMetadataDocument) });
    return { SAMLProviderArn: provider.arn };
  },

  DeleteSAMLProvider: (input, context) => {
    const provider = samlProviderOf(context, input.SAMLProviderArn);
    samlProviders(context.state, context.account, GLOBAL).delete(provider.arn);
  },
} satisfies Handlers;

export function oidcProviderOf(context: RequestContext, providerArn: string): OidcProvider {
  return oidcProvider(context.state, context.account, providerArn) ?? absent(`OpenIDConnect Provider not found for arn ${providerArn}`);
}

export function oidcProvider(state: State, account: string, providerArn: string): OidcProvider | undefined {
  return oidcProviders(state, account, GLOBAL).get(providerArn);
}

export function samlProviderOf(context: RequestContext, providerArn: string): SamlProvider {
  return samlProviders(context.state, context.account, GLOBAL).get(providerArn) ?? absent(`Manifest not found for arn ${providerArn}`);
}

export const saveOidcProvider = (context: RequestContext, provider: OidcProvider): void =>
  oidcProviders(context.state, context.account, GLOBAL).put(provider.arn, provider);
export const saveSamlProvider = (context: RequestContext, provider: SamlProvider): void =>
  samlProviders(context.state, context.account, GLOBAL).put(provider.arn, provider);

export function providerCounts(context: RequestContext): number {
  return oidcProviders(context.state, context.account, GLOBAL).list().length + samlProviders(context.state, context.account, GLOBAL).list().length;
}

/** SHA-1 of the certificate, in hex; AWS fetches it where none is given, the local cloud asks nobody. */
function checkedThumbprints(given: readonly string[] | undefined): string[] {
  const thumbprints = given ?? [];
  if (thumbprints.length > 5) throw new AwsError('InvalidInput', 'Thumbprint list must contain fewer than 5 entries.', { status: 400 });
  return [...thumbprints];
}

function checkedMetadata(document: string): string {
  if (!/<[\w:]*EntityDescriptor\b/.test(document)) throw new AwsError('InvalidInput', 'Could not parse metadata', { status: 400 });
  return document;
}

function validUntil(provider: SamlProvider): { ValidUntil?: Date } {
  const stated = /\bvalidUntil="([^"]+)"/.exec(provider.metadata)?.[1];
  const time = stated === undefined ? Number.NaN : Date.parse(stated);
  return Number.isNaN(time) ? {} : { ValidUntil: new Date(time) };
}
