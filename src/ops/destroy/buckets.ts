import { AbortMultipartUploadCommand, DeleteBucketCommand, DeleteObjectsCommand, ListMultipartUploadsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { FlotillaError } from '../../shared/errors.js';
import { unlessAbsent } from '../aws/absent.js';
import type { Pair } from '../fleet/fleet.js';
import { clientOf, type Target } from '../target.js';

/** Objects of a bucket, at least: the first page of its versions. Undefined where there is no such bucket. */
export async function bucketContent(target: Target, { account, region }: Pair, Bucket: string): Promise<{ versions: number; more: boolean } | undefined> {
  const client = await clientOf(target, S3Client, account, region);
  const page = await unlessAbsent(client.send(new ListObjectVersionsCommand({ Bucket, ExpectedBucketOwner: account })));
  return page && { versions: (page.Versions?.length ?? 0) + (page.DeleteMarkers?.length ?? 0), more: page.IsTruncated ?? false };
}

/** Takes every version, every delete marker and every unfinished upload out of a bucket; only out of one that is the account's own. */
export async function emptyBucket(target: Target, { account, region }: Pair, Bucket: string): Promise<void> {
  const client = await clientOf(target, S3Client, account, region);
  for (;;) {
    // What is deleted is no more on the first page: it is always the first that is asked for.
    const page = await unlessAbsent(client.send(new ListObjectVersionsCommand({ Bucket, ExpectedBucketOwner: account })));
    const Objects = [...(page?.Versions ?? []), ...(page?.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({ Key: Key!, ...(VersionId ? { VersionId } : {}) }));
    if (Objects.length === 0) break;
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true }, ExpectedBucketOwner: account }));
    if (Errors.length > 0) throw new FlotillaError('DST004', `${Errors.length} objects of ${Bucket} can't be deleted`, { where: `${account}/${region}`, why: `${Errors[0]!.Key}: ${Errors[0]!.Code} ${Errors[0]!.Message}`, fix: 'a bucket policy or an object lock may forbid it', exitCode: 4 });
  }
  for (let KeyMarker: string | undefined, UploadIdMarker: string | undefined, more = true; more; ) {
    const page = await unlessAbsent(client.send(new ListMultipartUploadsCommand({ Bucket, KeyMarker, UploadIdMarker, ExpectedBucketOwner: account })));
    for (const { Key, UploadId } of page?.Uploads ?? []) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId, ExpectedBucketOwner: account }));
    [KeyMarker, UploadIdMarker, more] = [page?.NextKeyMarker, page?.NextUploadIdMarker, page?.IsTruncated ?? false];
  }
}

export async function deleteBucket(target: Target, pair: Pair, Bucket: string): Promise<void> {
  await emptyBucket(target, pair, Bucket);
  const client = await clientOf(target, S3Client, pair.account, pair.region);
  await unlessAbsent(client.send(new DeleteBucketCommand({ Bucket, ExpectedBucketOwner: pair.account })));
}
