import { CreateBucketCommand, HeadBucketCommand, HeadObjectCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client, type BucketLocationConstraint } from '@aws-sdk/client-s3';
import { unlessAbsent } from '../aws/absent.js';
import { clientOf, type Target } from '../target.js';
import type { Environment, SourceAction } from './assembly.js';
import { archiveCommit, type CommitInfo } from './git.js';

/** An object that a source action of the provider S3 reads. */
export interface SourceObject extends Environment {
  readonly bucket: string;
  readonly key: string;
}

/** The object of a source action; undefined for other providers, and where the template does not tell its name. */
export function sourceObject({ provider, configuration, account, region }: SourceAction, pipeline: Environment): SourceObject | undefined {
  const { S3Bucket: bucket, S3ObjectKey: key } = configuration;
  return provider === 'S3' && bucket && key ? { bucket, key, account: account ?? pipeline.account, region: region ?? pipeline.region } : undefined;
}

/** Makes the bucket of a source where there is none, versioned as CodePipeline wants it (user guide, "Amazon S3 source action"). Answers whether it did. */
export async function makeSourceBucket(target: Target, { bucket: Bucket, account, region }: SourceObject): Promise<boolean> {
  const client = await clientOf(target, S3Client, account, region);
  if (await bucketExists(client, Bucket)) return false;
  await client.send(new CreateBucketCommand({ Bucket, ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } }) }));
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  return true;
}

/**
 * Puts the files of a commit, zipped, where a source action reads them. Answers the version that holds them, and whether it is new; undefined while there
 * is no bucket.
 */
export async function putCommit(target: Target, { bucket: Bucket, key: Key, account, region }: SourceObject, root: string, commit: CommitInfo): Promise<{ version: string; put: boolean } | undefined> {
  const client = await clientOf(target, S3Client, account, region);
  if (!(await bucketExists(client, Bucket))) return undefined;
  const standing = await unlessAbsent(client.send(new HeadObjectCommand({ Bucket, Key })));
  if (standing?.VersionId && standing.Metadata?.[COMMIT] === commit.id) return { version: standing.VersionId, put: false };
  // The console shows this instead of the version (user guide, "Amazon S3 source action"); headers are ASCII.
  const summary = `${commit.id.slice(0, 7)} ${commit.subject}`.replaceAll(/[^\x20-\x7e]/g, '?');
  const { VersionId = '' } = await client.send(new PutObjectCommand({ Bucket, Key, Body: await archiveCommit(root, commit.id), Metadata: { [COMMIT]: commit.id, 'codepipeline-artifact-revision-summary': summary } }));
  return { version: VersionId, put: true };
}

const COMMIT = 'commit';

async function bucketExists(client: S3Client, Bucket: string): Promise<boolean> {
  return (await unlessAbsent(client.send(new HeadBucketCommand({ Bucket })))) !== undefined;
}
