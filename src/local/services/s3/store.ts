import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { GLOBAL, table, type State, type Table } from '../../state/state.js';

/** A bucket. Names are unique in all of AWS; the bucket itself lies in one account and region. */
export interface Bucket {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly created: Date;
  /** `EU` buckets answer GetBucketLocation with the constraint they were made with. */
  readonly locationConstraint?: string;
  readonly versioning?: 'Enabled' | 'Suspended';
  readonly policy?: string;
  /** Sub-resources as they were put, by name: cors, lifecycle, encryption, tagging, notification … */
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** One version of an object, or the marker that it was deleted. */
export interface ObjectVersion {
  readonly key: string;
  /** `null` in buckets without versioning. */
  readonly versionId: string;
  readonly deleteMarker: boolean;
  readonly modified: Date;
  readonly blob?: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: Readonly<Record<string, string>>;
  readonly checksumType?: 'FULL_OBJECT' | 'COMPOSITE';
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass?: string;
  readonly encryption: Encryption;
  readonly acl?: string;
  /** Sizes of the parts of a multipart upload. */
  readonly parts?: readonly number[];
  readonly lock?: { mode?: string; until?: Date; legalHold?: string };
}

export interface Encryption {
  readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | 'customer';
  readonly keyId?: string;
  readonly bucketKey?: boolean;
  /** The data key under the KMS key, and the vector the bytes were encrypted with. */
  readonly wrappedKey?: Uint8Array;
  readonly vector?: Uint8Array;
  readonly context?: Readonly<Record<string, string>>;
  readonly customerKeyMd5?: string;
}

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiated: Date;
  /** What CreateMultipartUpload was given. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface Part {
  readonly number: number;
  readonly blob: string;
  readonly size: number;
  readonly etag: string;
  readonly checksums: Readonly<Record<string, string>>;
  readonly modified: Date;
}

const bucketTable = table<Bucket>('s3', 'buckets');
const versionTable = table<ObjectVersion>('s3', 'versions');
const uploadTable = table<Upload>('s3', 'uploads');
const partTable = table<Part>('s3', 'parts');
const sequenceTable = table<number>('s3', 'sequence');

export const buckets = (state: State): Table<Bucket> => bucketTable(state, 'aws', GLOBAL);
/** Keyed bucket, key, order: a lower order is newer, so the first entry of a key is its current version. */
export const versions = (state: State, bucket: Bucket): Table<ObjectVersion> => versionTable(state, bucket.account, bucket.region);
export const uploads = (state: State, bucket: Bucket): Table<Upload> => uploadTable(state, bucket.account, bucket.region);
export const parts = (state: State, bucket: Bucket): Table<Part> => partTable(state, bucket.account, bucket.region);

/** The bucket a request is for. Raises NoSuchBucket, a wrong ExpectedBucketOwner's AccessDenied, or the redirect to its region. */
export function bucketOf(input: { Bucket: string; ExpectedBucketOwner?: string }, context: RequestContext): Bucket {
  const bucket = buckets(context.state).get(input.Bucket);
  if (!bucket) throw noSuchBucket(input.Bucket);
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.account) throw new AwsError('AccessDenied', 'Access Denied', { status: 403 });
  if (context.http && context.principal.kind !== 'anonymous' && bucket.region !== context.region && context.operation !== 'GetBucketLocation') throw wrongRegion(bucket, context);
  return bucket;
}

export function noSuchBucket(name: string): AwsError {
  return new AwsError('NoSuchBucket', 'The specified bucket does not exist', { status: 404, fields: { BucketName: name } });
}

function wrongRegion(bucket: Bucket, context: RequestContext): AwsError {
  const headers = { 'x-amz-bucket-region': bucket.region };
  if (context.operation === 'HeadBucket') return new AwsError('PermanentRedirect', 'Moved Permanently', { status: 301, headers });
  return new AwsError('AuthorizationHeaderMalformed', `The authorization header is malformed; the region '${context.region}' is wrong; expecting '${bucket.region}'`, {
    status: 400,
    headers,
    fields: { Region: bucket.region },
  });
}

export function putBucket(state: State, bucket: Bucket): void {
  buckets(state).put(bucket.name, bucket);
}

/** The current version of a key, a delete marker included. */
export function currentVersion(state: State, bucket: Bucket, key: string): ObjectVersion | undefined {
  return versions(state, bucket).entries([bucket.name, key], { limit: 1 })[0]?.[1];
}

/** A version by its ID, with its place. */
export function findVersion(state: State, bucket: Bucket, key: string, versionId: string): { order: number; version: ObjectVersion } | undefined {
  for (const [entryKey, version] of versions(state, bucket).entries([bucket.name, key])) if (version.versionId === versionId) return { order: Number(entryKey[2]), version };
  return undefined;
}

/** Stores a version as the current one; in a bucket without versioning, or suspended, it takes the place of the `null` version. */
export function addVersion(state: State, bucket: Bucket, version: ObjectVersion): void {
  state.transaction(() => {
    const all = versions(state, bucket);
    if (version.versionId === 'null') {
      const before = findVersion(state, bucket, version.key, 'null');
      if (before) all.delete(bucket.name, version.key, before.order);
    }
    const sequences = sequenceTable(state, bucket.account, bucket.region);
    const next = (sequences.get('next') ?? 0) + 1;
    sequences.put('next', next);
    all.put([bucket.name, version.key, Number.MAX_SAFE_INTEGER - next], version);
  });
}

export function replaceVersion(state: State, bucket: Bucket, order: number, version: ObjectVersion): void {
  versions(state, bucket).put([bucket.name, version.key, order], version);
}

export function removeVersion(state: State, bucket: Bucket, key: string, order: number): void {
  versions(state, bucket).delete(bucket.name, key, order);
}

/** An ID of S3's form: 32 characters, opaque. */
export function newVersionId(bucket: Bucket): string {
  return bucket.versioning === 'Enabled' ? randomBytes(24).toString('base64url').replace(/-/g, '.') : 'null';
}

/** The canonical user ID S3 shows for an account: 64 hexadecimal digits, always the same. */
export function canonicalId(account: string): string {
  return Buffer.from(account.padEnd(32, 'f')).toString('hex').slice(0, 64);
}

export function bucketArn(name: string): string {
  return `arn:aws:s3:::${name}`;
}
