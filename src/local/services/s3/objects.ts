import { AwsError } from '../../kernel/error.js';
import type { Body, RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { bytesBody, streamBody } from '../../kernel/body.js';
import { planChecksums } from './checksums.js';
import { checkRead, checkWrite, unaccepted } from './conditions.js';
import { encryptionOutput, sealFor, unsealer } from './encryption.js';
import { checkAcl } from './access.js';
import { assertUnlocked } from './lock.js';
import { notify } from './notifications.js';
import { addVersion, bucketArn, bucketOf, currentVersion, findVersion, newVersionId, removeVersion, replaceVersion, type Bucket, type ObjectVersion } from './store.js';

const MAX_KEY = 1024;

export async function putObject(input: S3.PutObjectRequest, context: RequestContext): Promise<S3.PutObjectOutput> {
  const bucket = bucketOf(input, context);
  checkKey(input.Key);
  checkAcl(bucket, input.ACL);
  if (input.WriteOffsetBytes !== undefined) throw unaccepted('x-amz-write-offset-bytes');
  checkWrite(input, input.Key, currentVersion(context.state, bucket, input.Key));
  const { encryption, seal } = await sealFor(input, bucket, input.Key, context);
  const body = input.Body ?? bytesBody('');
  if (body.length !== undefined && body.length > 5 * 1024 ** 3)
    throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', { status: 400, fields: { ProposedSize: String(body.length), MaxSizeAllowed: '5368709120' } });
  const stored = await storeBytes(body, input as unknown as Record<string, unknown>, context, seal);
  const version: ObjectVersion = {
    key: input.Key,
    versionId: newVersionId(bucket),
    deleteMarker: false,
    modified: context.now(),
    blob: stored.blob,
    size: stored.size,
    etag: stored.etag,
    checksums: stored.checksums,
    checksumType: 'FULL_OBJECT',
    ...describe(input),
    tags: parseTagging(input.Tagging),
    encryption,
  };
  context.state.transaction(() => {
    // Looked at again: another request may have written while the bytes came in.
    checkWrite(input, input.Key, currentVersion(context.state, bucket, input.Key));
    addVersion(context.state, bucket, version);
  });
  notify(bucket, 's3:ObjectCreated:Put', version, context);
  return {
    ETag: `"${version.etag}"`,
    ...stored.checksums,
    ChecksumType: 'FULL_OBJECT',
    ...encryptionOutput(encryption),
    ...(bucket.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
  } as S3.PutObjectOutput;
}

export interface Stored {
  readonly blob: string;
  readonly size: number;
  readonly etag: string;
  readonly checksums: Record<string, string>;
}

/** Reads the payload once: checksums over what was sent, the blob over what is kept. */
export async function storeBytes(
  body: Body,
  input: Record<string, unknown>,
  context: RequestContext,
  seal: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Promise<Stored> {
  const { createHash } = await import('node:crypto');
  const trailerNames = (context.http?.headers['x-amz-trailer'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const plan = planChecksums(input, trailerNames);
  const md5 = createHash('md5');
  let size = 0;
  const observed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body.stream()) {
      plan.observe(chunk);
      md5.update(chunk);
      size += chunk.byteLength;
      yield chunk;
    }
  };
  const info = await context.runtime.blobs.write(seal(observed()));
  const etag = md5.digest('hex');
  const checksums = plan.finish(body.trailers?.() ?? {}, etag);
  return { blob: info.id, size, etag, checksums };
}

/** What the client said of the object, as it is given back. */
export function describe(input: Partial<S3.PutObjectRequest>): Pick<ObjectVersion, 'contentType' | 'headers' | 'metadata' | 'storageClass' | 'acl' | 'lock'> {
  const headers: Record<string, string> = {};
  for (const name of DESCRIBING) if (input[name] !== undefined) headers[name] = String(input[name]);
  // `aws-chunked` names how the upload travelled, not what the object is.
  if (headers['ContentEncoding'] !== undefined) {
    const kept = headers['ContentEncoding'].split(',').map((part) => part.trim()).filter((part) => part !== '' && part !== 'aws-chunked');
    if (kept.length > 0) headers['ContentEncoding'] = kept.join(',');
    else delete headers['ContentEncoding'];
  }
  return {
    contentType: input.ContentType ?? 'binary/octet-stream',
    headers,
    metadata: input.Metadata ?? {},
    ...(input.StorageClass && input.StorageClass !== 'STANDARD' ? { storageClass: input.StorageClass } : {}),
    ...(input.ACL ? { acl: input.ACL } : {}),
    ...(input.ObjectLockMode || input.ObjectLockLegalHoldStatus
      ? { lock: { mode: input.ObjectLockMode, until: input.ObjectLockRetainUntilDate, legalHold: input.ObjectLockLegalHoldStatus } }
      : {}),
  };
}

const DESCRIBING = ['CacheControl', 'ContentDisposition', 'ContentEncoding', 'ContentLanguage', 'Expires', 'WebsiteRedirectLocation'] as const;

export async function getObject(input: S3.GetObjectRequest, context: RequestContext): Promise<S3.GetObjectOutput> {
  const bucket = bucketOf(input, context);
  const version = readable(input, bucket, context);
  checkRead(input, version);
  const open = await unsealer(version.encryption, input, bucket, context);
  const part = partRange(version, input.PartNumber);
  const range = part ?? parseRange(input.Range, version.size);
  const start = range?.start ?? 0;
  const end = range?.end ?? version.size - 1;
  const length = version.size === 0 ? 0 : end - start + 1;
  const stream = length === 0 ? bytesBody('') : streamBody(open(context.runtime.blobs.read(version.blob!, { start, end }), start), { length, limit: 512 * 1024 * 1024 });
  return {
    ...objectOutput(version, bucket),
    Body: stream,
    ContentLength: length,
    ...(range ? { ContentRange: `bytes ${start}-${end}/${version.size}` } : {}),
    // The stored checksum is that of the whole: a range that is the whole has it too.
    ...(length === version.size ? checksumOutput(version, input.ChecksumMode) : {}),
    ...(part ? { PartsCount: version.parts!.length } : {}),
    ...(input.ResponseContentType ? { ContentType: input.ResponseContentType } : {}),
    ...(input.ResponseContentDisposition ? { ContentDisposition: input.ResponseContentDisposition } : {}),
    ...(input.ResponseContentEncoding ? { ContentEncoding: input.ResponseContentEncoding } : {}),
    ...(input.ResponseContentLanguage ? { ContentLanguage: input.ResponseContentLanguage } : {}),
    ...(input.ResponseCacheControl ? { CacheControl: input.ResponseCacheControl } : {}),
  } as S3.GetObjectOutput;
}

export async function headObject(input: S3.HeadObjectRequest, context: RequestContext): Promise<S3.HeadObjectOutput> {
  const bucket = bucketOf(input, context);
  const version = readable(input, bucket, context);
  checkRead(input, version);
  await unsealer(version.encryption, input, bucket, context);
  const range = partRange(version, input.PartNumber) ?? parseRange(input.Range, version.size);
  return {
    ...objectOutput(version, bucket),
    ContentLength: range ? range.end - range.start + 1 : version.size,
    ...(range ? { ContentRange: `bytes ${range.start}-${range.end}/${version.size}` } : checksumOutput(version, input.ChecksumMode)),
  } as S3.HeadObjectOutput;
}

/** The version a read is for. A caller who may not list is told AccessDenied where there is nothing (S3 API reference, GetObject). */
export function readable(input: { Key: string; VersionId?: string }, bucket: Bucket, context: RequestContext): ObjectVersion {
  if (input.VersionId !== undefined) {
    checkVersionId(input.VersionId, bucket);
    const found = findVersion(context.state, bucket, input.Key, input.VersionId)?.version;
    if (!found) throw noSuchVersion(input.Key, input.VersionId);
    if (found.deleteMarker) throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', { status: 405, headers: { 'x-amz-delete-marker': 'true' }, fields: { Method: 'GET', ResourceType: 'DeleteMarker' } });
    return found;
  }
  const version = currentVersion(context.state, bucket, input.Key);
  if (version && !version.deleteMarker) return version;
  context.authorize('s3:ListBucket', bucketArn(bucket.name));
  throw new AwsError('NoSuchKey', 'The specified key does not exist.', {
    status: 404,
    fields: { Key: input.Key },
    ...(version ? { headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId } } : {}),
  });
}

/** A version ID is a token of S3's own: what it can't have made is invalid, and a bucket that never had versions made none. */
export function checkVersionId(versionId: string, bucket: Bucket): void {
  if (versionId !== 'null' && (bucket.versioning === undefined || !/^[A-Za-z0-9._-]{32}$/.test(versionId)))
    throw new AwsError('InvalidArgument', 'Invalid version id specified', { status: 400, fields: { ArgumentName: 'versionId', ArgumentValue: versionId } });
}

function noSuchVersion(key: string, versionId: string): AwsError {
  return new AwsError('NoSuchVersion', 'The specified version does not exist.', { status: 404, fields: { Key: key, VersionId: versionId } });
}

function objectOutput(version: ObjectVersion, bucket: Bucket): Record<string, unknown> {
  return {
    AcceptRanges: 'bytes',
    LastModified: version.modified,
    ETag: `"${version.etag}"`,
    ContentType: version.contentType,
    ...version.headers,
    Metadata: version.metadata,
    ...(version.storageClass ? { StorageClass: version.storageClass } : {}),
    ...(bucket.versioning ? { VersionId: version.versionId } : {}),
    ...(Object.keys(version.tags).length > 0 ? { TagCount: Object.keys(version.tags).length } : {}),
    ...encryptionOutput(version.encryption),
    ...(version.lock?.mode ? { ObjectLockMode: version.lock.mode, ObjectLockRetainUntilDate: version.lock.until } : {}),
    ...(version.lock?.legalHold ? { ObjectLockLegalHoldStatus: version.lock.legalHold } : {}),
  };
}

function checksumOutput(version: ObjectVersion, mode: string | undefined): Record<string, unknown> {
  return mode === 'ENABLED' ? { ...version.checksums, ...(version.checksumType ? { ChecksumType: version.checksumType } : {}) } : {};
}

interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A single `bytes=` range; anything S3 doesn't understand is the whole object, what lies behind its end is an error. */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const suffix = Number(match[2]);
    if (suffix === 0 || size === 0) throw invalidRange(header!, size);
    return { start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < start) return undefined;
  if (start >= size) throw invalidRange(header!, size);
  return { start, end };
}

function invalidRange(header: string, size: number): AwsError {
  return new AwsError('InvalidRange', 'The requested range is not satisfiable', { status: 416, fields: { RangeRequested: header, ActualObjectSize: String(size) } });
}

function partRange(version: ObjectVersion, partNumber: number | undefined): ByteRange | undefined {
  if (partNumber === undefined) return undefined;
  const sizes = version.parts;
  if (!sizes) {
    if (partNumber === 1) return undefined;
    throw new AwsError('InvalidPartNumber', 'The requested partnumber is not satisfiable', { status: 416 });
  }
  if (partNumber < 1 || partNumber > sizes.length) throw new AwsError('InvalidPartNumber', 'The requested partnumber is not satisfiable', { status: 416 });
  const start = sizes.slice(0, partNumber - 1).reduce((sum, size) => sum + size, 0);
  return { start, end: start + sizes[partNumber - 1]! - 1 };
}

export function deleteObject(input: S3.DeleteObjectRequest, context: RequestContext): S3.DeleteObjectOutput {
  const bucket = bucketOf(input, context);
  if (input.IfMatchSize !== undefined) throw unaccepted('x-amz-if-match-size');
  if (input.IfMatchLastModifiedTime !== undefined) throw unaccepted('x-amz-if-match-last-modified-time');
  if (input.VersionId !== undefined) checkVersionId(input.VersionId, bucket);
  if (input.IfMatch !== undefined) checkWrite({ IfMatch: input.IfMatch }, input.Key, currentVersion(context.state, bucket, input.Key));
  return removeOne(bucket, input.Key, input.VersionId, input.BypassGovernanceRetention ?? false, context);
}

/** Deletes one version for good, or puts a delete marker on a versioned key. */
export function removeOne(bucket: Bucket, key: string, versionId: string | undefined, bypass: boolean, context: RequestContext): { DeleteMarker?: boolean; VersionId?: string } {
  const { state } = context;
  if (versionId !== undefined) {
    const found = findVersion(state, bucket, key, versionId);
    if (!found) return { VersionId: versionId };
    assertUnlocked(found.version, bypass, context);
    removeVersion(state, bucket, key, found.order);
    notify(bucket, 's3:ObjectRemoved:Delete', found.version, context);
    return { VersionId: versionId, ...(found.version.deleteMarker ? { DeleteMarker: true } : {}) };
  }
  const current = currentVersion(state, bucket, key);
  if (bucket.versioning) {
    const marker: ObjectVersion = {
      key, versionId: newVersionId(bucket), deleteMarker: true, modified: context.now(), size: 0, etag: '', checksums: {}, contentType: '', headers: {}, metadata: {}, tags: {}, encryption: { algorithm: 'AES256' },
    };
    addVersion(state, bucket, marker);
    notify(bucket, 's3:ObjectRemoved:DeleteMarkerCreated', marker, context);
    return { DeleteMarker: true, VersionId: marker.versionId };
  }
  if (!current) return {};
  const found = findVersion(state, bucket, key, current.versionId)!;
  removeVersion(state, bucket, key, found.order);
  notify(bucket, 's3:ObjectRemoved:Delete', current, context);
  return {};
}

export function deleteObjects(input: S3.DeleteObjectsRequest, context: RequestContext): S3.DeleteObjectsOutput {
  const bucket = bucketOf(input, context);
  const deleted: S3.DeletedObject[] = [];
  const errors: S3.Error[] = [];
  if (input.Delete.Objects.length > 1000) throw new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema', { status: 400 });
  for (const { Key, VersionId } of input.Delete.Objects) {
    try {
      if (VersionId !== undefined && !findVersion(context.state, bucket, Key, VersionId) && VersionId !== 'null') throw noSuchVersion(Key, VersionId);
      const result = removeOne(bucket, Key, VersionId, input.BypassGovernanceRetention ?? false, context);
      deleted.push({
        Key,
        ...(VersionId === undefined ? {} : { VersionId }),
        ...(result.DeleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: result.VersionId } : {}),
      });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      errors.push({ Key, ...(VersionId === undefined ? {} : { VersionId }), Code: error.code, Message: error.message });
    }
  }
  return { ...(input.Delete.Quiet ? {} : { Deleted: deleted }), ...(errors.length > 0 ? { Errors: errors } : {}) };
}

export function getObjectTagging(input: S3.GetObjectTaggingRequest, context: RequestContext): S3.GetObjectTaggingOutput {
  const bucket = bucketOf(input, context);
  const version = readable(input, bucket, context);
  return { TagSet: Object.entries(version.tags).map(([Key, Value]) => ({ Key, Value })), ...(bucket.versioning ? { VersionId: version.versionId } : {}) };
}

export function putObjectTagging(input: S3.PutObjectTaggingRequest, context: RequestContext): S3.PutObjectTaggingOutput {
  const bucket = bucketOf(input, context);
  const tags = checkTags(input.Tagging.TagSet.map(({ Key, Value }): [string, string] => [Key, Value]));
  const version = changeVersion(input, bucket, context, (before) => ({ ...before, tags }));
  notify(bucket, 's3:ObjectTagging:Put', version, context);
  return bucket.versioning ? { VersionId: version.versionId } : {};
}

export function deleteObjectTagging(input: S3.DeleteObjectTaggingRequest, context: RequestContext): S3.DeleteObjectTaggingOutput {
  const bucket = bucketOf(input, context);
  const version = changeVersion(input, bucket, context, (before) => ({ ...before, tags: {} }));
  notify(bucket, 's3:ObjectTagging:Delete', version, context);
  return bucket.versioning ? { VersionId: version.versionId } : {};
}

export function changeVersion(input: { Key: string; VersionId?: string }, bucket: Bucket, context: RequestContext, change: (before: ObjectVersion) => ObjectVersion): ObjectVersion {
  const version = readable(input, bucket, context);
  const { order } = findVersion(context.state, bucket, version.key, version.versionId)!;
  const after = change(version);
  replaceVersion(context.state, bucket, order, after);
  return after;
}

export function getObjectAttributes(input: S3.GetObjectAttributesRequest, context: RequestContext): S3.GetObjectAttributesOutput {
  const bucket = bucketOf(input, context);
  const version = readable(input, bucket, context);
  const wanted = new Set<string>(input.ObjectAttributes);
  return {
    LastModified: version.modified,
    ...(bucket.versioning ? { VersionId: version.versionId } : {}),
    ...(wanted.has('ETag') ? { ETag: version.etag } : {}),
    ...(wanted.has('Checksum') ? { Checksum: { ...version.checksums, ...(version.checksumType ? { ChecksumType: version.checksumType } : {}) } } : {}),
    ...(wanted.has('ObjectSize') ? { ObjectSize: version.size } : {}),
    ...(wanted.has('StorageClass') ? { StorageClass: version.storageClass ?? 'STANDARD' } : {}),
    ...(wanted.has('ObjectParts') && version.parts ? { ObjectParts: { TotalPartsCount: version.parts.length } } : {}),
  } as S3.GetObjectAttributesOutput;
}

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > MAX_KEY) throw new AwsError('KeyTooLongError', 'Your key is too long', { status: 400, fields: { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(MAX_KEY) } });
}

/** Tags of the `x-amz-tagging` header: a query string. */
export function parseTagging(text: string | undefined): Record<string, string> {
  if (text === undefined || text === '') return {};
  return checkTags([...new URLSearchParams(text).entries()]);
}

export function checkTags(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  if (pairs.length > 10) throw new AwsError('BadRequest', 'Object tags cannot be greater than 10', { status: 400 });
  const tags: Record<string, string> = {};
  for (const [key, value] of pairs) {
    if (key in tags) throw new AwsError('InvalidTag', 'Cannot provide multiple Tags with the same key', { status: 400, fields: { TagKey: key } });
    if (key.length === 0 || key.length > 128) throw new AwsError('InvalidTag', 'The TagKey you have provided is invalid', { status: 400, fields: { TagKey: key } });
    if (value.length > 256) throw new AwsError('InvalidTag', 'The TagValue you have provided is invalid', { status: 400, fields: { TagKey: key, TagValue: value } });
    if (key.startsWith('aws:')) throw new AwsError('InvalidTag', "Your TagKey cannot be prefixed with aws:", { status: 400, fields: { TagKey: key } });
    tags[key] = value;
  }
  return tags;
}
