import { createHash, randomUUID } from 'node:crypto';
import { AwsError } from './kernel/error.js';
import type { AnonymousPrincipal, Principal } from './kernel/principal.js';
import { isRegion } from './kernel/regions.js';
import type { Body, Credential } from './kernel/service.js';
import type { Dispatcher } from './dispatch.js';
import { identify, parseInput, serializeError, serializeOutput, streamingMember, type Identified, type WireRequest, type WireResponse } from './wire/index.js';
import { bytesBody, streamBody } from './kernel/body.js';
import { decodeChunks } from './wire/chunked.js';
import { signatureErrors, type SignatureErrors } from './wire/signature-errors.js';
import { parseSignature, parseTimestamp, sha256, signingKey, verifySignature, type Signature, type SignedRequest } from './kernel/sigv4.js';

export interface Gate {
  readonly dispatcher: Dispatcher;
  credential(accessKeyId: string): Credential | undefined;
  /** Milliseconds since the epoch: what signatures are held against. */
  now(): number;
  log(message: string): void;
}

/**
 * One request to the AWS API, from the wire to the wire:
 * operation → signature → identity → input → (dispatcher: authorisation → validation → operation) → answer.
 */
export async function answer(gate: Gate, raw: WireRequest): Promise<WireResponse> {
  const requestId = randomUUID();
  const signed = parseSignature(raw.headers, raw.query);
  const signingName = 'signature' in signed ? signed.signature.service : serviceOfScope(raw.headers['authorization']);
  let called: Identified | undefined;
  try {
    called = await identify(raw, signingName);
    const { request, principal, region } = await authenticate(gate, raw, called, signed);
    const input = await parseInput(called.model, called.operation, called.protocol, request);
    const output = await gate.dispatcher.dispatch({
      model: called.model,
      operation: called.operation,
      input,
      principal,
      region,
      requestId,
      conditions: presignedConditions(signed),
      http: { method: raw.method, headers: raw.headers, url: raw.path },
    });
    return serializeOutput(called.model, called.operation, called.protocol, output, requestId);
  } catch (error) {
    return failure(gate, raw, called, error, requestId);
  }
}

/** The service a signature names that is wrong otherwise: the error is to come in that service's shape. */
function serviceOfScope(authorization: string | undefined): string | undefined {
  return /Credential=[^/,\s]+\/\d{8}\/[a-z0-9-]+\/([a-z0-9-]+)\/aws4_request/.exec(authorization ?? '')?.[1];
}

function failure(gate: Gate, raw: WireRequest, called: Identified | undefined, error: unknown, requestId: string): WireResponse {
  const head = raw.method === 'HEAD';
  if (error instanceof AwsError) return serializeError(called?.model, called?.operation, called?.protocol ?? guessProtocol(raw), error, requestId, { head, path: raw.path });
  gate.log(`${called?.model.name ?? '?'}:${called?.operation ?? '?'} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const internal = new AwsError('InternalFailure', `The local cloud has a defect: ${error instanceof Error ? error.message : String(error)}`, { status: 500 });
  return serializeError(called?.model, called?.operation, called?.protocol ?? guessProtocol(raw), internal, requestId, { head, path: raw.path });
}

function guessProtocol(raw: WireRequest): Identified['protocol'] {
  return raw.headers['x-amz-target'] ? 'json' : (raw.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded') ? 'query' : 'rest-xml';
}

interface Authenticated {
  readonly request: WireRequest;
  readonly principal: Principal;
  readonly region: string;
}

const ANONYMOUS: AnonymousPrincipal = { kind: 'anonymous', account: '' };

/** Bytes a request outside S3 may have: Lambda's largest direct upload (50 MB) as base64. */
const MAX_BODY = 75 * 1024 * 1024;
const SKEW = 15 * 60 * 1000;

/** Operations that AWS takes unsigned. */
const UNSIGNED: ReadonlySet<string> = new Set(['sts:AssumeRoleWithWebIdentity', 'sts:AssumeRoleWithSAML']);

async function authenticate(gate: Gate, raw: WireRequest, called: Identified, signed: ReturnType<typeof parseSignature>): Promise<Authenticated> {
  const errors = signatureErrors(called);
  if ('malformed' in signed) throw errors.malformed(signed.malformed);
  if ('unsupported' in signed) throw errors.unsupported(signed.unsupported);
  if ('missing' in signed) {
    // A body without signature is read only where the service itself decides about strangers (S3's bucket policies).
    if (called.model.name !== 's3' && !UNSIGNED.has(`${called.model.name}:${called.operation}`)) throw errors.missing();
    return { request: { ...raw, body: plainBody(raw, called) }, principal: ANONYMOUS, region: 'us-east-1' };
  }
  const { signature } = signed;
  const credential = gate.credential(signature.accessKeyId);
  if (!credential || credential.inactive) throw errors.unknownKey(signature.accessKeyId);
  checkScope(signature, errors);
  checkTime(signature, gate.now(), errors);
  if (credential.sessionToken !== signature.sessionToken) throw errors.invalidToken(signature.sessionToken ?? '');
  const request = await verifiedBody(raw, called, signature, credential, errors);
  if (credential.expiresAt !== undefined && credential.expiresAt <= gate.now()) throw errors.expiredToken(signature.sessionToken ?? '');
  return { request, principal: { ...credential.principal, accessKeyId: signature.accessKeyId } as Principal, region: signature.region };
}

function checkScope(signature: Signature, errors: SignatureErrors): void {
  if (!isRegion(signature.region) && signature.region !== 'aws-global') throw errors.wrongRegion(signature.region);
  if (signature.kind === 'header' && !signature.signedHeaders.includes('host')) throw errors.malformed("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

function checkTime(signature: Signature, now: number, errors: SignatureErrors): void {
  const time = parseTimestamp(signature.timestamp);
  if (time === undefined) throw errors.malformed(`Date must be in ISO-8601 'basic format'. Got '${signature.timestamp}'. See http://en.wikipedia.org/wiki/ISO_8601`);
  if (!signature.timestamp.startsWith(signature.date))
    throw errors.malformed(`Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${signature.date}' != '${signature.timestamp.slice(0, 8)}', from '${signature.timestamp}'.`);
  if (signature.kind === 'presigned') {
    if (signature.expires! > 604_800 || signature.expires! < 0) throw errors.malformed('X-Amz-Expires must be less than a week (in seconds) that is 604800');
    if (now > time + signature.expires! * 1000) throw errors.presignExpired(signature.expires!, time + signature.expires! * 1000, now);
    if (time > now + SKEW) throw errors.skewed(signature.timestamp, now);
  } else if (Math.abs(now - time) > SKEW) throw errors.skewed(signature.timestamp, now);
}

/** Verifies the signature; the request that comes back has a body that verifies itself while it is read. */
async function verifiedBody(raw: WireRequest, called: Identified, signature: Signature, credential: Credential, errors: SignatureErrors): Promise<WireRequest> {
  const check = (payloadHash: string): void => {
    const request: SignedRequest = { method: raw.method, path: raw.signedPath ?? raw.path, query: raw.query, headers: raw.headers, payloadHash };
    if (!verifySignature(request, signature, credential.secretAccessKey)) throw errors.mismatch();
  };
  const declared = raw.headers['x-amz-content-sha256'];
  if (called.model.name === 's3') {
    const hash = signature.kind === 'presigned' ? (declared ?? 'UNSIGNED-PAYLOAD') : declared;
    if (hash === undefined) throw new AwsError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256', { status: 400 });
    check(hash);
    return { ...raw, body: s3Body(raw, hash, signature, credential, called) };
  }
  const bytes = await streamBody(raw.body.stream(), { limit: MAX_BODY }).bytes();
  check(signature.kind === 'presigned' && declared === undefined && raw.method === 'GET' ? sha256('') : declared === 'UNSIGNED-PAYLOAD' ? declared : sha256(bytes));
  return { ...raw, body: bytesBody(bytes) };
}

function s3Body(raw: WireRequest, hash: string, signature: Signature, credential: Credential, called: Identified): Body {
  if (hash.startsWith('STREAMING-')) {
    const scope = { date: signature.date, region: signature.region, service: signature.service };
    const chunks = decodeChunks(
      raw.body.stream(),
      hash.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')
        ? {
            key: signingKey(credential.secretAccessKey, scope),
            seed: signature.signature,
            timestamp: signature.timestamp,
            scope: `${scope.date}/${scope.region}/${scope.service}/aws4_request`,
          }
        : undefined,
    );
    const length = Number(raw.headers['x-amz-decoded-content-length'] ?? 'NaN');
    return streamBody(exactly(chunks.stream, length), { length: Number.isNaN(length) ? undefined : length, limit: MAX_BODY, trailers: chunks.trailers });
  }
  if (/^[0-9a-f]{64}$/i.test(hash)) return hashedBody(raw, hash, called);
  if (hash === 'UNSIGNED-PAYLOAD') return plainBody(raw, called);
  throw new AwsError('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.', {
    status: 400, fields: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: hash },
  });
}

function plainBody(raw: WireRequest, called: Identified): Body {
  const streams = streamingMember(called.model, called.operation, 'input') !== undefined;
  const length = raw.headers['content-length'] === undefined ? undefined : Number(raw.headers['content-length']);
  return streamBody(raw.body.stream(), { ...(length === undefined ? {} : { length }), limit: streams ? Number.MAX_SAFE_INTEGER : MAX_BODY });
}

/** Bytes whose SHA-256 the client signed: the last chunk is followed by an error when they weren't those. */
function hashedBody(raw: WireRequest, expected: string, called: Identified): Body {
  const plain = plainBody(raw, called);
  const verified = async function* (): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    for await (const chunk of plain.stream()) {
      hash.update(chunk);
      yield chunk;
    }
    const actual = hash.digest('hex');
    if (actual !== expected.toLowerCase())
      throw new AwsError('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
        status: 400, fields: { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: actual },
      });
  };
  return streamBody(verified(), { ...(plain.length === undefined ? {} : { length: plain.length }), limit: MAX_BODY });
}

/** Raises S3's IncompleteBody unless exactly `length` bytes come. */
async function* exactly(source: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    yield chunk;
  }
  if (!Number.isNaN(length) && size !== length)
    throw new AwsError('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header', { status: 400 });
}

function presignedConditions(signed: ReturnType<typeof parseSignature>): Record<string, string> {
  if (!('signature' in signed)) return {};
  return signed.signature.service === 's3' ? { 's3:authType': signed.signature.kind === 'header' ? 'REST-HEADER' : 'REST-QUERY-STRING', 's3:signatureversion': 'AWS4-HMAC-SHA256' } : {};
}
