import type { Principal } from './principal.js';
import type { HttpRequest, Runtime } from './service.js';
import { parseSignature, parseTimestamp, sha256, verifySignature } from './sigv4.js';

/** Signatures are good for fifteen minutes around their time (IAM user guide, "Signing AWS requests"). */
const SKEW = 15 * 60 * 1000;

export type SignedCaller = { readonly principal: Principal; readonly region: string } | 'unsigned' | 'invalid';

/** Who signed a request to an endpoint outside the AWS API (`execute-api`, function URLs), for the named service. */
export function signedCaller(request: Pick<HttpRequest, 'method' | 'path' | 'search' | 'headers'>, body: Uint8Array, service: string, runtime: Runtime): SignedCaller {
  const query = [...new URLSearchParams(request.search)];
  const parsed = parseSignature(request.headers, query);
  if (!('signature' in parsed)) return 'missing' in parsed ? 'unsigned' : 'invalid';
  const { signature } = parsed;
  const credential = runtime.credential(signature.accessKeyId);
  const time = parseTimestamp(signature.timestamp);
  const now = runtime.clock.now();
  if (!credential || credential.inactive || time === undefined || signature.service !== service || credential.sessionToken !== signature.sessionToken) return 'invalid';
  const late = signature.kind === 'presigned' ? now > time + signature.expires! * 1000 || time > now + SKEW : Math.abs(now - time) > SKEW;
  if (late || !signature.timestamp.startsWith(signature.date) || (credential.expiresAt !== undefined && credential.expiresAt <= now)) return 'invalid';
  // What the client says its body is counts only if it is: the signature covers the hash, not the bytes.
  const payloadHash = request.headers['x-amz-content-sha256'] === 'UNSIGNED-PAYLOAD' ? 'UNSIGNED-PAYLOAD' : sha256(body);
  if (!verifySignature({ method: request.method, path: request.path, query, headers: request.headers, payloadHash }, signature, credential.secretAccessKey)) return 'invalid';
  return { principal: { ...credential.principal, accessKeyId: signature.accessKeyId } as Principal, region: signature.region };
}
