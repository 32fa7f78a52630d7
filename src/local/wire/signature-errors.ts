import { AwsError } from '../kernel/error.js';
import type { Identified } from './index.js';

/** What AWS answers to a signature it doesn't take; code and sentence differ between S3, the query protocols and JSON. */
export interface SignatureErrors {
  missing(): AwsError;
  malformed(detail: string): AwsError;
  unsupported(algorithm: string): AwsError;
  unknownKey(accessKeyId: string): AwsError;
  invalidToken(token: string): AwsError;
  expiredToken(token: string): AwsError;
  mismatch(): AwsError;
  skewed(timestamp: string, now: number): AwsError;
  presignExpired(seconds: number, expiredAt: number, now: number): AwsError;
  wrongRegion(region: string): AwsError;
}

export function signatureErrors(called: Pick<Identified, 'model' | 'protocol'>): SignatureErrors {
  if (called.model.name === 's3') return s3Errors;
  return called.protocol === 'query' || called.protocol === 'ec2' ? queryErrors : jsonErrors;
}

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

const forbidden = (code: string, message: string, fields: Record<string, unknown> = {}): AwsError => new AwsError(code, message, { status: 403, fields });
const bad = (code: string, message: string): AwsError => new AwsError(code, message, { status: 400 });

/** Status by protocol: JSON answers 400, REST-JSON 403. */
const refused = (code: string, message: string): AwsError => new AwsError(code, message);

const iso = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');

function skewMessage(timestamp: string, now: number): string {
  const early = timestamp < iso(now);
  return early
    ? `Signature expired: ${timestamp} is now earlier than ${iso(now - 900_000)} (${iso(now)} - 15 min.)`
    : `Signature not yet current: ${timestamp} is still later than ${iso(now + 900_000)} (${iso(now)} + 15 min.)`;
}

const queryErrors: SignatureErrors = {
  missing: () => forbidden('MissingAuthenticationToken', 'Request is missing Authentication Token'),
  malformed: (detail) => bad('IncompleteSignature', detail),
  unsupported: (algorithm) => bad('IncompleteSignature', `Unsupported AWS 'algorithm': '${algorithm}'.`),
  unknownKey: () => forbidden('InvalidClientTokenId', 'The security token included in the request is invalid.'),
  invalidToken: () => forbidden('InvalidClientTokenId', 'The security token included in the request is invalid'),
  expiredToken: () => forbidden('ExpiredToken', 'The security token included in the request is expired'),
  mismatch: () => forbidden('SignatureDoesNotMatch', MISMATCH),
  skewed: (timestamp, now) => forbidden('SignatureDoesNotMatch', skewMessage(timestamp, now)),
  presignExpired: (_, expiredAt, now) => forbidden('SignatureDoesNotMatch', `Signature expired: ${iso(expiredAt)} is now earlier than ${iso(now)}`),
  wrongRegion: (region) => forbidden('SignatureDoesNotMatch', `Credential should be scoped to a valid region, not '${region}'. `),
};

const jsonErrors: SignatureErrors = {
  missing: () => refused('MissingAuthenticationTokenException', 'Missing Authentication Token'),
  malformed: (detail) => refused('IncompleteSignatureException', detail),
  unsupported: (algorithm) => refused('IncompleteSignatureException', `Unsupported AWS 'algorithm': '${algorithm}'.`),
  unknownKey: () => refused('UnrecognizedClientException', 'The security token included in the request is invalid.'),
  invalidToken: () => refused('UnrecognizedClientException', 'The security token included in the request is invalid.'),
  expiredToken: () => refused('ExpiredTokenException', 'The security token included in the request is expired'),
  mismatch: () => refused('InvalidSignatureException', MISMATCH),
  skewed: (timestamp, now) => refused('InvalidSignatureException', skewMessage(timestamp, now)),
  presignExpired: (_, expiredAt, now) => refused('InvalidSignatureException', `Signature expired: ${iso(expiredAt)} is now earlier than ${iso(now)}`),
  wrongRegion: (region) => refused('InvalidSignatureException', `Credential should be scoped to a valid region, not '${region}'. `),
};

const s3Errors: SignatureErrors = {
  missing: () => forbidden('AccessDenied', 'Access Denied'),
  malformed: (detail) => bad('AuthorizationHeaderMalformed', `The authorization header is malformed; ${detail}`),
  unsupported: () => bad('InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.'),
  unknownKey: (accessKeyId) => forbidden('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', { AWSAccessKeyId: accessKeyId }),
  invalidToken: (token) => new AwsError('InvalidToken', 'The provided token is malformed or otherwise invalid.', { status: 400, fields: { 'Token-0': token } }),
  expiredToken: (token) => new AwsError('ExpiredToken', 'The provided token has expired.', { status: 400, fields: { 'Token-0': token } }),
  mismatch: () => forbidden('SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided. Check your key and signing method.'),
  skewed: (timestamp, now) =>
    forbidden('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', {
      RequestTime: timestamp, ServerTime: new Date(now).toISOString(), MaxAllowedSkewMilliseconds: '900000',
    }),
  presignExpired: (seconds, expiredAt, now) =>
    forbidden('AccessDenied', 'Request has expired', { 'X-Amz-Expires': String(seconds), Expires: new Date(expiredAt).toISOString(), ServerTime: new Date(now).toISOString() }),
  wrongRegion: (region) => bad('AuthorizationHeaderMalformed', `The authorization header is malformed; the region '${region}' is wrong; expecting a valid region`),
};
