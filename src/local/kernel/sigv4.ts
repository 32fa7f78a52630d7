import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Signature Version 4, the verifying side (IAM User Guide, "AWS Signature Version 4 for API requests"; S3 API reference,
 * "Authenticating Requests"). Pure: what a signature means in a given service's errors is decided by the chain.
 */
export interface Signature {
  readonly kind: 'header' | 'presigned';
  readonly accessKeyId: string;
  /** `20260131`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20260131T101500Z`. */
  readonly timestamp: string;
  readonly sessionToken: string | undefined;
  /** Seconds a presigned URL lives. */
  readonly expires: number | undefined;
}

export type SignatureParse = { readonly signature: Signature } | { readonly missing: true } | { readonly malformed: string } | { readonly unsupported: string };

type Headers = Readonly<Record<string, string>>;
type Query = readonly (readonly [string, string])[];

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Finds the signature of a request in its Authorization header or its query. */
export function parseSignature(headers: Headers, query: Query): SignatureParse {
  const authorization = headers['authorization'];
  if (authorization !== undefined) return parseHeader(authorization, headers);
  const parameters = new Map(query);
  const algorithm = parameters.get('X-Amz-Algorithm');
  if (algorithm !== undefined) return parsePresigned(algorithm, parameters);
  if (parameters.has('AWSAccessKeyId') && parameters.has('Signature')) return { unsupported: 'AWS Signature Version 2' };
  return { missing: true };
}

function parseHeader(authorization: string, headers: Headers): SignatureParse {
  const space = authorization.indexOf(' ');
  const algorithm = space < 0 ? authorization : authorization.slice(0, space);
  if (algorithm !== ALGORITHM) return { unsupported: algorithm };
  const fields = new Map<string, string>();
  for (const part of authorization.slice(space + 1).split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  for (const name of ['Credential', 'Signature', 'SignedHeaders'])
    if (!fields.get(name)) return { malformed: `Authorization header requires '${name}' parameter. Authorization=${algorithm}` };
  const scope = parseCredential(fields.get('Credential')!);
  if (!scope) return { malformed: `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${fields.get('Credential')}'` };
  const timestamp = headers['x-amz-date'] ?? (headers['date'] ? compactDate(headers['date']) : undefined);
  if (!timestamp) return { malformed: `Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=${algorithm}` };
  return {
    signature: {
      kind: 'header',
      ...scope,
      signedHeaders: fields.get('SignedHeaders')!.toLowerCase().split(';'),
      signature: fields.get('Signature')!,
      timestamp,
      sessionToken: headers['x-amz-security-token'],
      expires: undefined,
    },
  };
}

function parsePresigned(algorithm: string, parameters: ReadonlyMap<string, string>): SignatureParse {
  if (algorithm !== ALGORITHM) return { unsupported: algorithm };
  const scope = parseCredential(parameters.get('X-Amz-Credential') ?? '');
  const timestamp = parameters.get('X-Amz-Date');
  const signature = parameters.get('X-Amz-Signature');
  const expires = Number(parameters.get('X-Amz-Expires') ?? 'NaN');
  if (!scope || !timestamp || !signature || !Number.isInteger(expires))
    return {
      malformed:
        'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    };
  return {
    signature: {
      kind: 'presigned',
      ...scope,
      signedHeaders: (parameters.get('X-Amz-SignedHeaders') ?? 'host').toLowerCase().split(';'),
      signature,
      timestamp,
      sessionToken: parameters.get('X-Amz-Security-Token'),
      expires,
    },
  };
}

function parseCredential(text: string): { accessKeyId: string; date: string; region: string; service: string } | undefined {
  const parts = text.split('/');
  if (parts.length !== 5 || parts[4] !== 'aws4_request') return undefined;
  const [accessKeyId, date, region, service] = parts as [string, string, string, string];
  return accessKeyId && /^\d{8}$/.test(date) && region && service ? { accessKeyId, date, region, service } : undefined;
}

function compactDate(date: string): string | undefined {
  const time = Date.parse(date);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** Milliseconds since the epoch of `20260131T101500Z`, or undefined when it isn't such a time. */
export function parseTimestamp(timestamp: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

export interface SignedRequest {
  readonly method: string;
  /** As sent: percent-encoded, without the query. */
  readonly path: string;
  readonly query: Query;
  readonly headers: Headers;
  /** Hex SHA-256 of the body, or the literal that stands for it (UNSIGNED-PAYLOAD, STREAMING-…). */
  readonly payloadHash: string;
}

/** True when the signature was made with this secret over this request. */
export function verifySignature(request: SignedRequest, signature: Signature, secretAccessKey: string): boolean {
  const expected = sign(signingKey(secretAccessKey, signature), stringToSign(request, signature));
  const given = Buffer.from(signature.signature);
  const wanted = Buffer.from(expected);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function stringToSign(request: SignedRequest, signature: Signature): string {
  const canonical = [
    request.method,
    canonicalPath(request.path, signature.service),
    canonicalQuery(request.query),
    ...signature.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signature.signedHeaders.join(';'),
    request.payloadHash,
  ].join('\n');
  return [ALGORITHM, signature.timestamp, `${signature.date}/${signature.region}/${signature.service}/aws4_request`, sha256(canonical)].join('\n');
}

/** S3 signs the path encoded once and as it is; every other service encodes each segment a second time and resolves dots. */
function canonicalPath(path: string, service: string): string {
  if (service === 's3') return path.split('/').map((segment) => encode(decode(segment))).join('/') || '/';
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(segment);
  }
  const slash = path.endsWith('/') && segments.length > 0 ? '/' : '';
  return `/${segments.map(encode).join('/')}${slash}`;
}

function canonicalQuery(query: Query): string {
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

/** RFC 3986: everything but unreserved characters, in upper-case hex. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Derived keys by scope: a day's requests of one credential share one key. */
const keys = new Map<string, Buffer>();

/** The key all signatures of one secret, day, region and service are made with. */
export function signingKey(secretAccessKey: string, scope: { date: string; region: string; service: string }): Buffer {
  const name = `${secretAccessKey}\n${scope.date}\n${scope.region}\n${scope.service}`;
  const known = keys.get(name);
  if (known) return known;
  const key = [scope.date, scope.region, scope.service, 'aws4_request'].reduce<Buffer>(
    (current, part) => createHmac('sha256', current).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  if (keys.size > 2000) keys.clear();
  keys.set(name, key);
  return key;
}

export function sign(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
