import { AwsError } from '../../kernel/error.js';
import type { Body, RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { bytesBody, streamBody } from '../../kernel/body.js';
import { checkAcl } from './access.js';
import { checkWrite, preconditionFailed } from './conditions.js';
import { encryptionOutput, sealFor, unsealer } from './encryption.js';
import { notify } from './notifications.js';
import { checkKey, describe, parseRange, parseTagging, readable, storeBytes } from './objects.js';
import { addVersion, bucketOf, buckets, currentVersion, newVersionId, noSuchBucket, type Bucket, type ObjectVersion } from './store.js';

export interface Source {
  readonly bucket: Bucket;
  readonly version: ObjectVersion;
}

interface CopyInput {
  readonly CopySource: string;
  readonly CopySourceIfMatch?: string;
  readonly CopySourceIfNoneMatch?: string;
  readonly CopySourceIfModifiedSince?: Date;
  readonly CopySourceIfUnmodifiedSince?: Date;
  readonly CopySourceSSECustomerAlgorithm?: string;
  readonly CopySourceSSECustomerKey?: string;
  readonly CopySourceSSECustomerKeyMD5?: string;
}

/** `bucket/key`, with or without a leading slash, percent-encoded, optionally `?versionId=`. */
export function parseCopySource(text: string): { bucket: string; key: string; versionId?: string } {
  const mark = text.lastIndexOf('?versionId=');
  const path = mark < 0 ? text : text.slice(0, mark);
  const versionId = mark < 0 ? undefined : text.slice(mark + '?versionId='.length);
  let decoded: string;
  try {
    decoded = decodeURIComponent(path.replace(/^\//, ''));
  } catch {
    decoded = path.replace(/^\//, '');
  }
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1)
    throw new AwsError('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey', { status: 400, fields: { ArgumentName: 'x-amz-copy-source', ArgumentValue: text } });
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1), ...(versionId === undefined ? {} : { versionId }) };
}

/** The object a copy reads, after its conditions. */
export function copySource(input: CopyInput, context: RequestContext): Source {
  const { bucket: name, key, versionId } = parseCopySource(input.CopySource);
  const bucket = buckets(context.state).get(name);
  if (!bucket) throw noSuchBucket(name);
  const version = readable({ Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) }, bucket, context);
  const etag = (text: string): string => text.replace(/"/g, '');
  const modified = Math.floor(version.modified.getTime() / 1000) * 1000;
  if (input.CopySourceIfMatch !== undefined && etag(input.CopySourceIfMatch) !== version.etag) throw preconditionFailed('x-amz-copy-source-If-Match');
  if (input.CopySourceIfMatch === undefined && input.CopySourceIfUnmodifiedSince !== undefined && modified > input.CopySourceIfUnmodifiedSince.getTime())
    throw preconditionFailed('x-amz-copy-source-If-Unmodified-Since');
  if (input.CopySourceIfNoneMatch !== undefined && etag(input.CopySourceIfNoneMatch) === version.etag) throw preconditionFailed('x-amz-copy-source-If-None-Match');
  // A time that is still to come is no condition (recorded: s3-copy-object-preconditions).
  const since = input.CopySourceIfModifiedSince?.getTime() ?? Number.POSITIVE_INFINITY;
  if (since <= context.now().getTime() && modified <= since) throw preconditionFailed('x-amz-copy-source-If-Modified-Since');
  return { bucket, version };
}

/** The plain bytes of a source, or of a range of it. */
export async function sourceBytes({ bucket, version }: Source, input: CopyInput, context: RequestContext, range?: string): Promise<Body> {
  if (version.size === 0) return bytesBody('');
  const open = await unsealer(
    version.encryption,
    { SSECustomerAlgorithm: input.CopySourceSSECustomerAlgorithm, SSECustomerKey: input.CopySourceSSECustomerKey, SSECustomerKeyMD5: input.CopySourceSSECustomerKeyMD5 },
    bucket,
    context,
  );
  const { start, end } = parseRange(range, version.size) ?? { start: 0, end: version.size - 1 };
  return streamBody(open(context.runtime.blobs.read(version.blob!, { start, end }), start), { length: end - start + 1, limit: Number.MAX_SAFE_INTEGER });
}

export async function copyObject(input: S3.CopyObjectRequest, context: RequestContext): Promise<S3.CopyObjectOutput> {
  const bucket = bucketOf(input, context);
  checkKey(input.Key);
  checkAcl(bucket, input.ACL);
  const source = copySource(input, context);
  const { version: before } = source;
  const replace = input.MetadataDirective === 'REPLACE';
  checkWrite(input, input.Key, currentVersion(context.state, bucket, input.Key));
  if (source.bucket.name === bucket.name && before.key === input.Key && !replace && !changesSomething(input))
    throw new AwsError(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
      { status: 400 },
    );
  const { encryption, seal } = await sealFor(input, bucket, input.Key, context);
  const algorithm = Object.keys(before.checksums)[0]?.replace('Checksum', '');
  const stored = await storeBytes(await sourceBytes(source, input, context), { ChecksumAlgorithm: input.ChecksumAlgorithm ?? algorithm }, context, seal);
  const kept = describe(input as unknown as Partial<S3.PutObjectRequest>);
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
    ...(replace ? kept : { ...kept, contentType: before.contentType, headers: before.headers, metadata: before.metadata }),
    tags: input.TaggingDirective === 'REPLACE' ? parseTagging(input.Tagging) : before.tags,
    encryption,
  };
  context.state.transaction(() => {
    checkWrite(input, input.Key, currentVersion(context.state, bucket, input.Key));
    addVersion(context.state, bucket, version);
  });
  notify(bucket, 's3:ObjectCreated:Copy', version, context);
  return {
    CopyObjectResult: { ETag: `"${version.etag}"`, LastModified: version.modified, ...version.checksums, ChecksumType: 'FULL_OBJECT' },
    ...(source.bucket.versioning ? { CopySourceVersionId: before.versionId } : {}),
    ...(bucket.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
    ...encryptionOutput(encryption),
  } as S3.CopyObjectOutput;
}

function changesSomething(input: S3.CopyObjectRequest): boolean {
  return [input.StorageClass, input.ServerSideEncryption, input.SSEKMSKeyId, input.SSECustomerAlgorithm, input.WebsiteRedirectLocation, input.ChecksumAlgorithm].some((value) => value !== undefined);
}
