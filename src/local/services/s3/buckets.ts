import { AwsError } from '../../kernel/error.js';
import { isRegion } from '../../kernel/regions.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { checkTags } from './objects.js';
import { bucketArn, bucketOf, buckets, canonicalId, putBucket, uploads, versions, type Bucket } from './store.js';

const ALL_BLOCKED = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };

export function createBucket(input: S3.CreateBucketRequest & { CreateBucketConfiguration?: { Tags?: { Key: string; Value: string }[] } }, context: RequestContext): S3.CreateBucketOutput {
  const name = input.Bucket;
  checkName(name);
  const region = regionOf(input.CreateBucketConfiguration?.LocationConstraint, context);
  const existing = buckets(context.state).get(name);
  if (existing) {
    if (existing.account !== context.account)
      throw new AwsError('BucketAlreadyExists', 'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.', { status: 409, fields: { BucketName: name } });
    // Only in us-east-1 does S3 take a second creation by the owner for a success (API reference, CreateBucket).
    if (region === 'us-east-1' && existing.region === 'us-east-1') return { Location: `/${name}` };
    throw new AwsError('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded and you already own it.', { status: 409, fields: { BucketName: name } });
  }
  const tags = input.CreateBucketConfiguration?.Tags;
  const bucket: Bucket = {
    name,
    account: context.account,
    region,
    created: context.now(),
    ...(input.CreateBucketConfiguration?.LocationConstraint === 'EU' ? { locationConstraint: 'EU' } : {}),
    ...(input.ObjectLockEnabledForBucket ? { versioning: 'Enabled' as const } : {}),
    configuration: {
      publicAccessBlock: ALL_BLOCKED,
      ownership: { Rules: [{ ObjectOwnership: input.ObjectOwnership ?? 'BucketOwnerEnforced' }] },
      ...(input.ObjectLockEnabledForBucket ? { objectLock: { ObjectLockEnabled: 'Enabled' } } : {}),
      ...(input.ACL && input.ACL !== 'private' ? { acl: input.ACL } : {}),
      ...(tags && tags.length > 0 ? { tagging: { TagSet: Object.entries(checkTags(tags.map(({ Key, Value }) => [Key, Value]))).map(([Key, Value]) => ({ Key, Value })) } } : {}),
    },
  };
  if (input.ACL && input.ACL !== 'private' && (input.ObjectOwnership ?? 'BucketOwnerEnforced') === 'BucketOwnerEnforced')
    throw new AwsError('InvalidBucketAclWithObjectOwnership', "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting", { status: 400 });
  putBucket(context.state, bucket);
  return { Location: region === 'us-east-1' ? `/${name}` : `http://${name}.s3.amazonaws.com/`, BucketArn: bucketArn(name) } as S3.CreateBucketOutput;
}

/** S3 user guide, "Bucket naming rules". */
function checkName(name: string): void {
  const valid =
    name.length >= 3 && name.length <= 63 && /^[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(name) && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !name.startsWith('xn--') && !name.endsWith('-s3alias') && !name.endsWith('--ol-s3') && !name.includes('.-') && !name.includes('-.');
  if (!valid) throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', { status: 400, fields: { BucketName: name } });
}

function regionOf(constraint: string | undefined, context: RequestContext): string {
  if (context.region === 'us-east-1') {
    if (constraint === undefined || constraint === '') return 'us-east-1';
    if (constraint === 'EU') return 'eu-west-1';
    if (constraint === 'us-east-1' || !isRegion(constraint)) throw new AwsError('InvalidLocationConstraint', 'The specified location-constraint is not valid', { status: 400, fields: { LocationConstraint: constraint } });
    return constraint;
  }
  if (constraint === 'EU' && context.region === 'eu-west-1') return 'eu-west-1';
  if (constraint !== context.region) {
    const shown = constraint || 'unspecified';
    throw new AwsError('IllegalLocationConstraintException', `The ${shown} location constraint is incompatible for the region specific endpoint this request was sent to.`, { status: 400 });
  }
  return constraint;
}

export function deleteBucket(input: S3.DeleteBucketRequest, context: RequestContext): Record<string, never> {
  const bucket = bucketOf(input, context);
  const { state } = context;
  if (versions(state, bucket).entries([bucket.name], { limit: 1 }).length > 0) {
    const message = bucket.versioning ? 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.' : 'The bucket you tried to delete is not empty';
    throw new AwsError('BucketNotEmpty', message, { status: 409, fields: { BucketName: bucket.name } });
  }
  for (const upload of uploads(state, bucket).list(bucket.name)) uploads(state, bucket).delete(bucket.name, upload.key, upload.id);
  buckets(state).delete(bucket.name);
  return {};
}

export function headBucket(input: S3.HeadBucketRequest, context: RequestContext): S3.HeadBucketOutput {
  const bucket = bucketOf(input, context);
  return { BucketRegion: bucket.region, AccessPointAlias: false, BucketArn: bucketArn(bucket.name) } as S3.HeadBucketOutput;
}

export function getBucketLocation(input: S3.GetBucketLocationRequest, context: RequestContext): S3.GetBucketLocationOutput {
  const bucket = bucketOf(input, context);
  return (bucket.region === 'us-east-1' ? {} : { LocationConstraint: bucket.locationConstraint ?? bucket.region }) as S3.GetBucketLocationOutput;
}

export function listBuckets(input: S3.ListBucketsRequest, context: RequestContext): S3.ListBucketsOutput {
  const all = buckets(context.state)
    .list()
    .filter((bucket) => bucket.account === context.account && bucket.name.startsWith(input.Prefix ?? '') && (input.BucketRegion === undefined || bucket.region === input.BucketRegion))
    .filter((bucket) => input.ContinuationToken === undefined || bucket.name > Buffer.from(input.ContinuationToken, 'base64url').toString());
  const page = all.slice(0, input.MaxBuckets ?? 10_000);
  return {
    Buckets: page.map((bucket) => ({ Name: bucket.name, CreationDate: bucket.created, BucketRegion: bucket.region, BucketArn: bucketArn(bucket.name) })),
    Owner: { ID: canonicalId(context.account) },
    ...(input.Prefix === undefined ? {} : { Prefix: input.Prefix }),
    ...(all.length > page.length ? { ContinuationToken: Buffer.from(page.at(-1)!.name).toString('base64url') } : {}),
  } as S3.ListBucketsOutput;
}
