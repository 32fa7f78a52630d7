import { createHash, randomBytes } from 'node:crypto';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Ecr from '../../models/types/ecr.js';
import { logins, type Login } from './store.js';

/** Milliseconds a token is good for (API reference, GetAuthorizationToken). */
const LIFETIME = 12 * 3_600_000;

/** A password of the registry that stands for the caller. */
export function getAuthorizationToken(_: Ecr.GetAuthorizationTokenRequest, context: RequestContext): Ecr.GetAuthorizationTokenResponse {
  const { principal } = context;
  const now = context.now().getTime();
  const expires = Math.min(now + LIFETIME, 'expiresAt' in principal ? principal.expiresAt : Number.MAX_SAFE_INTEGER);
  const password = randomBytes(48).toString('base64url');
  const all = logins(context.state);
  context.state.transaction(() => {
    for (const [key, login] of all.entries()) if (login.expires <= now) all.delete(...key);
    all.put(hash(password), { principal, region: context.region, expires });
  });
  // Every registry of every account is reached at the one endpoint.
  return { authorizationData: [{ authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'), expiresAt: new Date(expires), proxyEndpoint: context.runtime.endpoint }] };
}

/** Whom Basic credentials stand for. */
export function loginOf(authorization: string | undefined, runtime: Runtime): Login | undefined {
  const encoded = /^Basic (.+)$/i.exec(authorization ?? '')?.[1];
  const [user, password] = Buffer.from(encoded ?? '', 'base64').toString('utf8').split(/:([^]*)/);
  if (user !== 'AWS' || !password) return undefined;
  const login = logins(runtime.state).get(hash(password));
  return login && login.expires > runtime.clock.now() ? login : undefined;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
