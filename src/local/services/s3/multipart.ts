import { createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { bytesBody } from '../../kernel/body.js';
import { checkAcl } from './access.js';
import { CHECKSUM_MEMBERS, checksumOf } from './checksums.js';
import { checkWrite } from './conditions.js';
import { copySource, sourceBytes } from './copy.js';
import { encryptionOutput, sealFor } from './encryption.js';
import { notify } from './notifications.js';
import { checkKey, describe, parseTagging, storeBytes } from './objects.js';
import { addVersion, bucketOf, canonicalId, currentVersion, newVersionId, parts, uploads, type Bucket, type ObjectVersion, type Part, type Upload } from './store.js';

const MIN_PART = 5 * 1024 * 1024;

export async function createMultipartUpload(input: S3.CreateMultipartUploadRequest, context: RequestContext): Promise<S3.CreateMultipartUploadOutput> {
  const bucket = bucketOf(input, context);
  checkKey(input.Key);
  checkAcl(bucket, input.ACL);
  // Asked now as AWS does, so that a key the caller may not use fails before gigabytes were sent.
  const { encryption } = await sealFor(input, bucket, input.Key, context);
  const upload: Upload = { id: randomBytes(48).toString('base64url'), bucket: bucket.name, key: input.Key, initiated: context.now(), input: input as unknown as Record<string, unknown> };
  uploads(context.state, bucket).put([bucket.name, input.Key, upload.id], upload);
  return {
    Bucket: bucket.name,
    Key: input.Key,
    UploadId: upload.id,
    ...(input.ChecksumAlgorithm ? { ChecksumAlgorithm: input.ChecksumAlgorithm, ChecksumType: input.ChecksumType ?? (input.ChecksumAlgorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE') } : {}),
    ...encryptionOutput(encryption),
  } as S3.CreateMultipartUploadOutput;
}

export async function uploadPart(input: S3.UploadPartRequest, context: RequestContext): Promise<S3.UploadPartOutput> {
  const bucket = bucketOf(input, context);
  const upload = uploadOf(bucket, input, context);
  checkPartNumber(input.PartNumber);
  const stored = await storeBytes(input.Body ?? bytesBody(''), { ...(input as unknown as Record<string, unknown>), ChecksumAlgorithm: input.ChecksumAlgorithm ?? upload.input['ChecksumAlgorithm'] }, context, (bytes) => bytes);
  keepPart(bucket, upload, input.PartNumber, stored, context);
  return { ETag: `"${stored.etag}"`, ...stored.checksums, ServerSideEncryption: (upload.input['ServerSideEncryption'] as never) ?? 'AES256' } as S3.UploadPartOutput;
}

export async function uploadPartCopy(input: S3.UploadPartCopyRequest, context: RequestContext): Promise<S3.UploadPartCopyOutput> {
  const bucket = bucketOf(input, context);
  const upload = uploadOf(bucket, input, context);
  checkPartNumber(input.PartNumber);
  const source = copySource(input, context);
  const bytes = await sourceBytes(source, input, context, input.CopySourceRange);
  const stored = await storeBytes(bytes, { ChecksumAlgorithm: upload.input['ChecksumAlgorithm'] }, context, (plain) => plain);
  keepPart(bucket, upload, input.PartNumber, stored, context);
  return { CopyPartResult: { ETag: `"${stored.etag}"`, LastModified: context.now(), ...stored.checksums } } as S3.UploadPartCopyOutput;
}

function checkPartNumber(number: number): void {
  if (number < 1 || number > 10_000)
    throw new AwsError('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', { status: 400, fields: { ArgumentName: 'partNumber', ArgumentValue: String(number) } });
}

function keepPart(bucket: Bucket, upload: Upload, number: number, stored: { blob: string; size: number; etag: string; checksums: Record<string, string> }, context: RequestContext): void {
  const part: Part = { number, blob: stored.blob, size: stored.size, etag: stored.etag, checksums: stored.checksums, modified: context.now() };
  parts(context.state, bucket).put([upload.id, number], part);
}

export async function completeMultipartUpload(input: S3.CompleteMultipartUploadRequest, context: RequestContext): Promise<S3.CompleteMultipartUploadOutput> {
  const bucket = bucketOf(input, context);
  const upload = uploadOf(bucket, input, context);
  const chosen = chooseParts(input, parts(context.state, bucket).list(upload.id));
  checkWrite(input, input.Key, currentVersion(context.state, bucket, input.Key));
  const begun = upload.input as unknown as S3.CreateMultipartUploadRequest;
  const { encryption, seal } = await sealFor(begun, bucket, input.Key, context);
  const { blobs } = context.runtime;
  const joined = async function* (): AsyncGenerator<Uint8Array> {
    for (const part of chosen) yield* blobs.read(part.blob);
  };
  const info = await blobs.write(seal(joined()));
  const md5 = createHash('md5');
  for (const part of chosen) md5.update(Buffer.from(part.etag, 'hex'));
  const version: ObjectVersion = {
    key: input.Key,
    versionId: newVersionId(bucket),
    deleteMarker: false,
    modified: context.now(),
    blob: info.id,
    size: chosen.reduce((sum, part) => sum + part.size, 0),
    etag: `${md5.digest('hex')}-${chosen.length}`,
    ...compositeChecksums(begun.ChecksumAlgorithm, chosen),
    ...describe(begun as Partial<S3.PutObjectRequest>),
    tags: parseTagging(begun.Tagging),
    encryption,
    parts: chosen.map((part) => part.size),
  };
  context.state.transaction(() => {
    addVersion(context.state, bucket, version);
    forget(bucket, upload, context);
  });
  notify(bucket, 's3:ObjectCreated:CompleteMultipartUpload', version, context);
  return {
    Location: `${context.runtime.endpoint}/${bucket.name}/${encodeURIComponent(input.Key)}`,
    Bucket: bucket.name,
    Key: input.Key,
    ETag: `"${version.etag}"`,
    ...version.checksums,
    ...(version.checksumType ? { ChecksumType: version.checksumType } : {}),
    ...encryptionOutput(encryption),
    ...(bucket.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
  } as S3.CompleteMultipartUploadOutput;
}

function chooseParts(input: S3.CompleteMultipartUploadRequest, uploaded: readonly Part[]): Part[] {
  const listed = input.MultipartUpload?.Parts ?? [];
  if (listed.length === 0) throw new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema', { status: 400 });
  const known = new Map(uploaded.map((part) => [part.number, part]));
  let before = 0;
  const chosen = listed.map(({ PartNumber = 0, ETag = '' }) => {
    if (PartNumber <= before) throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.', { status: 400, fields: { UploadId: input.UploadId } });
    before = PartNumber;
    const part = known.get(PartNumber);
    if (!part || part.etag !== ETag.replace(/"/g, ''))
      throw new AwsError('InvalidPart', "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.", {
        status: 400, fields: { UploadId: input.UploadId, PartNumber: String(PartNumber), ETag },
      });
    return part;
  });
  const small = chosen.slice(0, -1).find((part) => part.size < MIN_PART);
  if (small)
    throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      status: 400, fields: { ProposedSize: String(small.size), MinSizeAllowed: String(MIN_PART), PartNumber: String(small.number), ETag: small.etag },
    });
  return chosen;
}

/** A composite checksum is the checksum of the parts' checksums, with their number. */
function compositeChecksums(algorithm: string | undefined, chosen: readonly Part[]): Pick<ObjectVersion, 'checksums' | 'checksumType'> {
  const member = algorithm === undefined ? undefined : CHECKSUM_MEMBERS[algorithm];
  const sums = member === undefined ? [] : chosen.map((part) => part.checksums[member]);
  if (member === undefined || algorithm === 'CRC64NVME' || sums.some((sum) => sum === undefined)) return { checksums: {} };
  return { checksums: { [member]: `${checksumOf(algorithm!, Buffer.concat(sums.map((sum) => Buffer.from(sum!, 'base64'))))}-${chosen.length}` }, checksumType: 'COMPOSITE' };
}

export function abortMultipartUpload(input: S3.AbortMultipartUploadRequest, context: RequestContext): Record<string, never> {
  const bucket = bucketOf(input, context);
  const upload = uploadOf(bucket, input, context);
  context.state.transaction(() => forget(bucket, upload, context));
  return {};
}

function forget(bucket: Bucket, upload: Upload, context: RequestContext): void {
  for (const part of parts(context.state, bucket).list(upload.id)) parts(context.state, bucket).delete(upload.id, part.number);
  uploads(context.state, bucket).delete(bucket.name, upload.key, upload.id);
}

export function listParts(input: S3.ListPartsRequest, context: RequestContext): S3.ListPartsOutput {
  const bucket = bucketOf(input, context);
  const upload = uploadOf(bucket, input, context);
  const max = input.MaxParts ?? 1000;
  const after = Number(input.PartNumberMarker ?? 0);
  const all = parts(context.state, bucket).list(upload.id).filter((part) => part.number > after);
  const page = all.slice(0, max);
  return {
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.id,
    PartNumberMarker: String(after),
    NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
    MaxParts: max,
    IsTruncated: all.length > page.length,
    Parts: page.map((part) => ({ PartNumber: part.number, LastModified: part.modified, ETag: `"${part.etag}"`, Size: part.size, ...part.checksums })),
    StorageClass: (upload.input['StorageClass'] as never) ?? 'STANDARD',
    Owner: { ID: canonicalId(bucket.account) },
    Initiator: { ID: canonicalId(bucket.account) },
  } as unknown as S3.ListPartsOutput;
}

export function listMultipartUploads(input: S3.ListMultipartUploadsRequest, context: RequestContext): S3.ListMultipartUploadsOutput {
  const bucket = bucketOf(input, context);
  const prefix = input.Prefix ?? '';
  const all = uploads(context.state, bucket).list(bucket.name).filter((upload) => upload.key.startsWith(prefix) && upload.key > (input.KeyMarker ?? ''));
  const max = input.MaxUploads ?? 1000;
  const page = all.slice(0, max);
  return {
    Bucket: bucket.name,
    KeyMarker: input.KeyMarker ?? '',
    UploadIdMarker: input.UploadIdMarker ?? '',
    MaxUploads: max,
    IsTruncated: all.length > max,
    ...(all.length > max ? { NextKeyMarker: page.at(-1)!.key, NextUploadIdMarker: page.at(-1)!.id } : {}),
    Prefix: prefix,
    Uploads: page.map((upload) => ({ Key: upload.key, UploadId: upload.id, Initiated: upload.initiated, StorageClass: (upload.input['StorageClass'] as never) ?? 'STANDARD', Owner: { ID: canonicalId(bucket.account) } })),
  };
}

function uploadOf(bucket: Bucket, input: { Key: string; UploadId: string }, context: RequestContext): Upload {
  const upload = uploads(context.state, bucket).get(bucket.name, input.Key, input.UploadId);
  if (!upload)
    throw new AwsError('NoSuchUpload', 'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.', { status: 404, fields: { UploadId: input.UploadId } });
  return upload;
}
