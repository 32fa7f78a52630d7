import { timingSafeEqual } from 'node:crypto';
import type { Principal } from '../../kernel/principal.js';
import type { HttpRequest, Runtime } from '../../kernel/service.js';
import { REGIONS } from '../../kernel/regions.js';
import { sha256, sign, signingKey } from '../../kernel/sigv4.js';

export interface GitCaller {
  readonly principal: Principal;
  /** Where the request says it. */
  readonly region: string | undefined;
}

/**
 * Who speaks git: a user name and a password that `aws codecommit credential-helper` made of an access key (a signature over the request's
 * path and host), the access key with its secret itself, or the Git credentials of a user (IAM User Guide, "Use IAM with CodeCommit"). Undefined when none holds.
 */
export function gitCaller(request: HttpRequest, runtime: Runtime): GitCaller | undefined {
  const given = /^Basic (.+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
  if (given === undefined) return undefined;
  const text = Buffer.from(given, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const name = text.slice(0, colon);
  const password = text.slice(colon + 1);
  const region = /^git-codecommit\.([a-z0-9-]+)\.amazonaws\.com$/.exec(request.host)?.[1];
  const user = runtime.serviceCredential('codecommit.amazonaws.com', name, password);
  if (user) return { principal: user, region };
  const [accessKeyId = '', token] = name.split('%', 2);
  const credential = runtime.credential(accessKeyId);
  if (!credential || credential.inactive || credential.sessionToken !== token || (credential.expiresAt ?? Infinity) <= runtime.clock.now()) return undefined;
  const { principal, secretAccessKey } = credential;
  if (same(password, secretAccessKey)) return { principal, region };
  const signed = /^(\d{8}T\d{6})Z([0-9a-f]{64})$/.exec(password);
  if (!signed) return undefined;
  const signedBy = (region ? [region] : REGIONS).find((candidate) => same(helperSignature(request, signed[1]!, candidate, secretAccessKey), signed[2]!));
  return signedBy === undefined ? undefined : { principal, region: signedBy };
}

/** The helper signs the path of the repository, without what git appends to it, and the host. */
function helperSignature(request: HttpRequest, timestamp: string, region: string, secret: string): string {
  const path = request.path.replace(/\/(info\/refs|git-upload-pack|git-receive-pack|HEAD|objects\/.*)$/, '');
  const scope = { date: timestamp.slice(0, 8), region, service: 'codecommit' };
  const canonical = `GIT\n${path}\n\nhost:${request.headers['host'] ?? ''}\n\nhost\n`;
  return sign(signingKey(secret, scope), `AWS4-HMAC-SHA256\n${timestamp}\n${scope.date}/${region}/codecommit/aws4_request\n${sha256(canonical)}`);
}

function same(a: string, b: string): boolean {
  const x = Buffer.from(a);
  const y = Buffer.from(b);
  return x.length === y.length && timingSafeEqual(x, y);
}
