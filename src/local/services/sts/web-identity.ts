import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { decide, type WebIdentity } from '../../iam/index.js';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { ConditionContext, RequestContext } from '../../kernel/service.js';
import type * as STS from '../../models/types/sts.js';
import { keysOfIssuer, oidcProvider, roleByArn, tagMap, trustPolicy, type KeySet } from '../iam/identity.js';
import { checkedDuration } from './assume-role.js';
import { packedSize, roleSession, sessionPolicies } from './sessions.js';

/**
 * A role for the holder of an OpenID Connect token. The provider must stand in the role's account, its keys must have been given to the
 * local cloud (it fetches none), and the trust policy decides by the token's claims.
 */
export function assumeRoleWithWebIdentity(input: STS.AssumeRoleWithWebIdentityRequest, context: RequestContext): STS.AssumeRoleWithWebIdentityResponse {
  const account = parseArn(input.RoleArn)?.account ?? '';
  if (!/^\d{12}$/.test(account)) throw new AwsError('ValidationError', `${input.RoleArn} is invalid`, { status: 400 });
  const token = parseToken(input.WebIdentityToken);
  const url = token.claims.iss.replace(/^https:\/\//, '').replace(/\/$/, '');
  const provider = oidcProvider(context.state, account, `arn:aws:iam::${account}:oidc-provider/${url}`);
  if (!provider) throw badToken(`No OpenIDConnect provider found in your account for ${token.claims.iss}`);
  checkSignature(token, keysOfIssuer(context.state, url));
  checkTimes(token, context.now().getTime());
  const audiences = list(token.claims.aud);
  const audience = audiences.find((item) => provider.clientIds.includes(item));
  if (audience === undefined) throw badToken('Incorrect token audience');

  const caller: WebIdentity = { kind: 'web-identity', account: '', provider: provider.arn, subject: token.claims.sub };
  const decision = decide(
    { principal: caller, action: 'sts:AssumeRoleWithWebIdentity', resource: input.RoleArn, resourceAccount: account, context: conditions(url, token, audience, input) },
    { identity: [], resource: trustPolicy(context.state, input.RoleArn) },
  );
  const role = roleByArn(context.state, input.RoleArn);
  if (!decision.allowed || !role) throw new AwsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', { status: 403 });
  const tags = tagsOf(token);
  const packed = packedSize(input, tags);
  const made = roleSession(
    {
      role,
      account,
      name: input.RoleSessionName,
      duration: checkedDuration(input.DurationSeconds, role.maxSessionDuration, false),
      policies: sessionPolicies(input, context),
      tags,
      transitiveTagKeys: [],
      sourceIdentity: undefined,
      assumedBy: `${provider.arn} ${token.claims.sub}`,
    },
    context,
  );
  return {
    ...made,
    SubjectFromWebIdentityToken: token.claims.sub,
    Audience: audience,
    Provider: provider.arn,
    ...(packed === undefined ? {} : { PackedPolicySize: packed }),
  };
}

interface Token {
  readonly header: { readonly alg: string; readonly kid?: string };
  readonly claims: { readonly iss: string; readonly sub: string; readonly aud: string | string[]; readonly exp?: number; readonly nbf?: number } & Record<string, unknown>;
  readonly signed: string;
  readonly signature: Buffer;
}

function parseToken(text: string): Token {
  const [header = '', claims = '', signature = '', ...rest] = text.split('.');
  const parsed = { header: json(header), claims: json(claims) };
  if (!parsed.header || !parsed.claims || signature === '' || rest.length > 0 || typeof parsed.header.alg !== 'string') {
    throw badToken('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
  }
  for (const name of ['iss', 'sub', 'aud']) if (parsed.claims[name] === undefined) throw badToken(`Missing a required claim: ${name}`);
  return { ...parsed, signed: `${header}.${claims}`, signature: Buffer.from(signature, 'base64url') } as unknown as Token;
}

function json(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const HASHES: Readonly<Record<string, { readonly hash: string; readonly curve: boolean }>> = {
  RS256: { hash: 'sha256', curve: false },
  RS384: { hash: 'sha384', curve: false },
  RS512: { hash: 'sha512', curve: false },
  ES256: { hash: 'sha256', curve: true },
  ES384: { hash: 'sha384', curve: true },
  ES512: { hash: 'sha512', curve: true },
};

function checkSignature(token: Token, keys: KeySet | undefined): void {
  const { alg, kid } = token.header;
  const method = Object.hasOwn(HASHES, alg) ? HASHES[alg]! : undefined;
  const candidates = keys?.keys.filter((key) => kid === undefined || key.kid === kid) ?? [];
  if (candidates.length === 0) {
    throw badToken("Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements");
  }
  const holds =
    method !== undefined &&
    candidates.some((jwk) => {
      try {
        const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
        return verify(method.hash, Buffer.from(token.signed), method.curve ? { key, dsaEncoding: 'ieee-p1363' } : key, token.signature);
      } catch {
        return false;
      }
    });
  if (!holds) throw badToken('Invalid token signature');
}

function checkTimes({ claims }: Token, now: number): void {
  const { exp, nbf } = claims;
  if (exp === undefined) throw badToken('Missing a required claim: exp');
  const seconds = Math.floor(now / 1000);
  if (exp <= seconds) {
    throw new AwsError('ExpiredTokenException', `Token expired: current date/time ${seconds} must be before the expiration date/time ${exp}`, { status: 400 });
  }
  if (nbf !== undefined && nbf > seconds) throw badToken(`Token not valid yet: current date/time ${seconds} must be after ${nbf}`);
}

/** `PROVIDER:aud`, `PROVIDER:sub` … (IAM reference, "Available keys for AWS OIDC federation"). */
function conditions(url: string, { claims }: Token, audience: string, input: STS.AssumeRoleWithWebIdentityRequest): ConditionContext {
  const named: Record<string, string | readonly string[] | undefined> = {
    [`${url}:sub`]: claims.sub,
    [`${url}:aud`]: typeof claims['azp'] === 'string' ? claims['azp'] : audience,
    [`${url}:oaud`]: typeof claims['azp'] === 'string' ? audience : undefined,
    [`${url}:amr`]: Array.isArray(claims['amr']) ? (claims['amr'] as string[]) : undefined,
    'sts:RoleSessionName': input.RoleSessionName,
  };
  for (const name of ['email', 'actor', 'actor_id', 'repository', 'repository_id', 'job_workflow_ref', 'ref', 'environment']) {
    const value = claims[name];
    if (typeof value === 'string') named[`${url}:${name}`] = value;
  }
  return named;
}

/** Session tags in the claim `https://aws.amazon.com/tags` (IAM guide, "Pass session tags in AWS STS"). */
function tagsOf({ claims }: Token): Record<string, string> {
  const carried = (claims['https://aws.amazon.com/tags'] as { principal_tags?: Record<string, string[]> } | undefined)?.principal_tags ?? {};
  return tagMap(Object.entries(carried).map(([Key, values]) => ({ Key, Value: values[0] ?? '' })));
}

function list(value: string | string[]): string[] {
  return Array.isArray(value) ? value : [value];
}

function badToken(message: string): AwsError {
  return new AwsError('InvalidIdentityToken', message, { status: 400 });
}
