import type { Authorization, AuthorizationRule, ConditionContext, RequestContext } from '../../kernel/service.js';
import { parseCopySource } from './copy.js';
import { bucketArn, buckets, findVersion, currentVersion } from './store.js';

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
}

const objectArn = (input: ObjectInput): string => `${bucketArn(input.Bucket)}/${input.Key}`;

/** Action and resource of each operation (Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"). */
const bucketRule = (action: string, context?: AuthorizationRule['context']): AuthorizationRule => ({
  action: `s3:${action}`,
  resource: (input: { Bucket: string }) => bucketArn(input.Bucket),
  ...(context ? { context } : {}),
});

const objectRule = (action: string, versioned?: string): AuthorizationRule => ({
  action: (input: ObjectInput) => `s3:${versioned && input.VersionId ? versioned : action}`,
  resource: objectArn,
  context: (input: ObjectInput, context: RequestContext) => ({ ...(input.VersionId ? { 's3:VersionId': input.VersionId } : {}), ...existingTags(input, context) }),
});

const writeRule = (extra: readonly AuthorizationRule[] = []): AuthorizationRule[] => [
  { action: 's3:PutObject', resource: objectArn, context: writeKeys },
  { action: 's3:PutObjectAcl', resource: objectArn, when: (input: { ACL?: string }) => input.ACL !== undefined, context: writeKeys },
  { action: 's3:PutObjectTagging', resource: objectArn, when: (input: { Tagging?: string }) => Boolean(input.Tagging), context: writeKeys },
  { action: 's3:PutObjectRetention', resource: objectArn, when: (input: { ObjectLockMode?: string }) => input.ObjectLockMode !== undefined },
  { action: 's3:PutObjectLegalHold', resource: objectArn, when: (input: { ObjectLockLegalHoldStatus?: string }) => input.ObjectLockLegalHoldStatus !== undefined },
  ...extra,
];

function writeKeys(input: Record<string, string | boolean | undefined>): ConditionContext {
  const tags = typeof input['Tagging'] === 'string' ? [...new URLSearchParams(input['Tagging']).entries()] : [];
  return {
    's3:x-amz-acl': input['ACL'],
    's3:x-amz-server-side-encryption': input['ServerSideEncryption'],
    's3:x-amz-server-side-encryption-aws-kms-key-id': input['SSEKMSKeyId'],
    's3:x-amz-server-side-encryption-customer-algorithm': input['SSECustomerAlgorithm'],
    's3:x-amz-storage-class': input['StorageClass'],
    's3:x-amz-metadata-directive': input['MetadataDirective'],
    's3:x-amz-copy-source': input['CopySource'],
    's3:x-amz-website-redirect-location': input['WebsiteRedirectLocation'],
    's3:object-lock-mode': input['ObjectLockMode'],
    's3:object-lock-legal-hold': input['ObjectLockLegalHoldStatus'],
    's3:if-none-match': input['IfNoneMatch'],
    's3:if-match': input['IfMatch'],
    ...Object.fromEntries(tags.map(([key, value]) => [`s3:RequestObjectTag/${key}`, value])),
    ...(tags.length > 0 ? { 's3:RequestObjectTagKeys': tags.map(([key]) => key) } : {}),
  };
}

function existingTags(input: ObjectInput, context: RequestContext): ConditionContext {
  const bucket = buckets(context.state).get(input.Bucket);
  if (!bucket) return {};
  const version = input.VersionId ? findVersion(context.state, bucket, input.Key, input.VersionId)?.version : currentVersion(context.state, bucket, input.Key);
  return Object.fromEntries(Object.entries(version?.tags ?? {}).map(([key, value]) => [`s3:ExistingObjectTag/${key}`, value]));
}

const listKeys = (input: { Prefix?: string; Delimiter?: string; MaxKeys?: number }): ConditionContext => ({
  's3:prefix': input.Prefix ?? '',
  's3:delimiter': input.Delimiter,
  's3:max-keys': input.MaxKeys,
});

const copyRead: AuthorizationRule = {
  action: (input: { CopySource: string }) => (parseCopySource(input.CopySource).versionId ? 's3:GetObjectVersion' : 's3:GetObject'),
  resource: (input: { CopySource: string }) => {
    const source = parseCopySource(input.CopySource);
    return `${bucketArn(source.bucket)}/${source.key}`;
  },
  context: (input: { CopySource: string }, context) => {
    const { bucket, key, versionId } = parseCopySource(input.CopySource);
    return existingTags({ Bucket: bucket, Key: key, ...(versionId ? { VersionId: versionId } : {}) }, context);
  },
};

const deleteAction = (entry: { VersionId?: string }): string => (entry.VersionId ? 's3:DeleteObjectVersion' : 's3:DeleteObject');

/** DeleteObjects asks for each key; a multi-delete is checked as S3 does, object by object, in the rule of each kind. */
const deleteMany = (versioned: boolean): AuthorizationRule => ({
  action: versioned ? 's3:DeleteObjectVersion' : 's3:DeleteObject',
  resource: (input: { Bucket: string; Delete: { Objects: { Key: string; VersionId?: string }[] } }) =>
    input.Delete.Objects.filter((entry) => Boolean(entry.VersionId) === versioned).map((entry) => `${bucketArn(input.Bucket)}/${entry.Key}`),
  when: (input: { Delete?: { Objects?: { VersionId?: string }[] } }) => (input.Delete?.Objects ?? []).some((entry) => Boolean(entry.VersionId) === versioned),
});

export const authorization: Readonly<Record<string, Authorization>> = {
  ListBuckets: { action: 's3:ListAllMyBuckets' },
  CreateBucket: bucketRule('CreateBucket', (input: { ACL?: string; CreateBucketConfiguration?: { LocationConstraint?: string } }) => ({
    's3:x-amz-acl': input.ACL,
    's3:LocationConstraint': input.CreateBucketConfiguration?.LocationConstraint,
  })),
  DeleteBucket: bucketRule('DeleteBucket'),
  HeadBucket: bucketRule('ListBucket'),
  GetBucketLocation: bucketRule('GetBucketLocation'),
  ListObjects: bucketRule('ListBucket', listKeys),
  ListObjectsV2: bucketRule('ListBucket', listKeys),
  ListObjectVersions: bucketRule('ListBucketVersions', listKeys),
  ListMultipartUploads: bucketRule('ListBucketMultipartUploads'),
  PutBucketPolicy: bucketRule('PutBucketPolicy'),
  GetBucketPolicy: bucketRule('GetBucketPolicy'),
  DeleteBucketPolicy: bucketRule('DeleteBucketPolicy'),
  GetBucketPolicyStatus: bucketRule('GetBucketPolicyStatus'),
  PutBucketAcl: bucketRule('PutBucketAcl'),
  GetBucketAcl: bucketRule('GetBucketAcl'),
  PutBucketCors: bucketRule('PutBucketCORS'),
  GetBucketCors: bucketRule('GetBucketCORS'),
  DeleteBucketCors: bucketRule('PutBucketCORS'),
  PutBucketLifecycleConfiguration: bucketRule('PutLifecycleConfiguration'),
  GetBucketLifecycleConfiguration: bucketRule('GetLifecycleConfiguration'),
  DeleteBucketLifecycle: bucketRule('PutLifecycleConfiguration'),
  PutBucketEncryption: bucketRule('PutEncryptionConfiguration'),
  GetBucketEncryption: bucketRule('GetEncryptionConfiguration'),
  DeleteBucketEncryption: bucketRule('PutEncryptionConfiguration'),
  PutBucketTagging: bucketRule('PutBucketTagging'),
  GetBucketTagging: bucketRule('GetBucketTagging'),
  DeleteBucketTagging: bucketRule('PutBucketTagging'),
  PutBucketWebsite: bucketRule('PutBucketWebsite'),
  GetBucketWebsite: bucketRule('GetBucketWebsite'),
  DeleteBucketWebsite: bucketRule('DeleteBucketWebsite'),
  PutBucketOwnershipControls: bucketRule('PutBucketOwnershipControls'),
  GetBucketOwnershipControls: bucketRule('GetBucketOwnershipControls'),
  DeleteBucketOwnershipControls: bucketRule('PutBucketOwnershipControls'),
  PutPublicAccessBlock: bucketRule('PutBucketPublicAccessBlock'),
  GetPublicAccessBlock: bucketRule('GetBucketPublicAccessBlock'),
  DeletePublicAccessBlock: bucketRule('PutBucketPublicAccessBlock'),
  PutBucketReplication: bucketRule('PutReplicationConfiguration'),
  GetBucketReplication: bucketRule('GetReplicationConfiguration'),
  DeleteBucketReplication: bucketRule('PutReplicationConfiguration'),
  PutObjectLockConfiguration: bucketRule('PutBucketObjectLockConfiguration'),
  GetObjectLockConfiguration: bucketRule('GetBucketObjectLockConfiguration'),
  PutBucketLogging: bucketRule('PutBucketLogging'),
  GetBucketLogging: bucketRule('GetBucketLogging'),
  PutBucketAccelerateConfiguration: bucketRule('PutAccelerateConfiguration'),
  GetBucketAccelerateConfiguration: bucketRule('GetAccelerateConfiguration'),
  PutBucketRequestPayment: bucketRule('PutBucketRequestPayment'),
  GetBucketRequestPayment: bucketRule('GetBucketRequestPayment'),
  PutBucketVersioning: bucketRule('PutBucketVersioning'),
  GetBucketVersioning: bucketRule('GetBucketVersioning'),
  PutBucketNotificationConfiguration: bucketRule('PutBucketNotification'),
  GetBucketNotificationConfiguration: bucketRule('GetBucketNotification'),
  ...configurations('Analytics', 'AnalyticsConfiguration'),
  ...configurations('Inventory', 'InventoryConfiguration'),
  ...configurations('Metrics', 'MetricsConfiguration'),
  ...configurations('IntelligentTiering', 'IntelligentTieringConfiguration'),
  PutObject: writeRule(),
  CopyObject: writeRule([copyRead]),
  CreateMultipartUpload: writeRule(),
  UploadPart: { action: 's3:PutObject', resource: objectArn },
  UploadPartCopy: [{ action: 's3:PutObject', resource: objectArn }, copyRead],
  CompleteMultipartUpload: { action: 's3:PutObject', resource: objectArn },
  AbortMultipartUpload: objectRule('AbortMultipartUpload'),
  ListParts: objectRule('ListMultipartUploadParts'),
  GetObject: objectRule('GetObject', 'GetObjectVersion'),
  HeadObject: objectRule('GetObject', 'GetObjectVersion'),
  GetObjectAttributes: objectRule('GetObjectAttributes', 'GetObjectVersionAttributes'),
  GetObjectTagging: objectRule('GetObjectTagging', 'GetObjectVersionTagging'),
  PutObjectTagging: objectRule('PutObjectTagging', 'PutObjectVersionTagging'),
  DeleteObjectTagging: objectRule('DeleteObjectTagging', 'DeleteObjectVersionTagging'),
  GetObjectAcl: objectRule('GetObjectAcl', 'GetObjectVersionAcl'),
  PutObjectAcl: objectRule('PutObjectAcl', 'PutObjectVersionAcl'),
  GetObjectRetention: objectRule('GetObjectRetention'),
  PutObjectRetention: objectRule('PutObjectRetention'),
  GetObjectLegalHold: objectRule('GetObjectLegalHold'),
  PutObjectLegalHold: objectRule('PutObjectLegalHold'),
  DeleteObject: { action: deleteAction, resource: objectArn, context: (input: ObjectInput) => (input.VersionId ? { 's3:VersionId': input.VersionId } : {}) },
  DeleteObjects: [deleteMany(false), deleteMany(true)],
};

function configurations(name: string, action: string): Record<string, Authorization> {
  return {
    [`PutBucket${name}Configuration`]: bucketRule(`Put${action}`),
    [`GetBucket${name}Configuration`]: bucketRule(`Get${action}`),
    [`DeleteBucket${name}Configuration`]: bucketRule(`Put${action}`),
    [`ListBucket${name}Configurations`]: bucketRule(`Get${action}`),
  };
}
