import type { RequestContext, Service } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { bucketByArn, checkAcl, deleteBucketPolicy, getBucketAcl, getBucketPolicy, getBucketPolicyStatus, grants, putBucketAcl, putBucketPolicy, resourcePolicy } from './access.js';
import { authorization } from './authorization.js';
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets.js';
import { configurationOperations } from './configuration.js';
import { copyObject } from './copy.js';
import { listObjects, listObjectsV2, listObjectVersions } from './list.js';
import { getObjectLegalHold, getObjectRetention, putObjectLegalHold, putObjectRetention } from './lock.js';
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload, listMultipartUploads, listParts, uploadPart, uploadPartCopy } from './multipart.js';
import { getBucketNotificationConfiguration, putBucketNotificationConfiguration } from './notifications.js';
import { changeVersion, deleteObject, deleteObjects, deleteObjectTagging, getObject, getObjectAttributes, getObjectTagging, headObject, putObject, putObjectTagging, readable } from './objects.js';
import { bucketOf, canonicalId } from './store.js';

/** Amazon S3: buckets in accounts and regions, objects and their versions, by its REST-XML API. */
export const s3: Service = {
  name: 's3',
  operations: {
    CreateBucket: createBucket,
    DeleteBucket: deleteBucket,
    HeadBucket: headBucket,
    GetBucketLocation: getBucketLocation,
    ListBuckets: listBuckets,
    ListObjects: listObjects,
    ListObjectsV2: listObjectsV2,
    ListObjectVersions: listObjectVersions,
    PutBucketPolicy: putBucketPolicy,
    GetBucketPolicy: getBucketPolicy,
    DeleteBucketPolicy: deleteBucketPolicy,
    GetBucketPolicyStatus: getBucketPolicyStatus,
    PutBucketAcl: putBucketAcl,
    GetBucketAcl: getBucketAcl,
    ...configurationOperations,
    PutBucketNotificationConfiguration: putBucketNotificationConfiguration,
    GetBucketNotificationConfiguration: getBucketNotificationConfiguration,
    PutObject: putObject,
    GetObject: getObject,
    HeadObject: headObject,
    CopyObject: copyObject,
    DeleteObject: deleteObject,
    DeleteObjects: deleteObjects,
    GetObjectAttributes: getObjectAttributes,
    GetObjectTagging: getObjectTagging,
    PutObjectTagging: putObjectTagging,
    DeleteObjectTagging: deleteObjectTagging,
    GetObjectAcl: (input: S3.GetObjectAclRequest, context: RequestContext) => {
      const bucket = bucketOf(input, context);
      return { Owner: { ID: canonicalId(bucket.account) }, Grants: grants(bucket, readable(input, bucket, context).acl) };
    },
    PutObjectAcl: (input: S3.PutObjectAclRequest, context: RequestContext) => {
      const bucket = bucketOf(input, context);
      checkAcl(bucket, input.ACL);
      changeVersion(input, bucket, context, (before) => ({ ...before, acl: input.ACL ?? 'private' }));
      return {};
    },
    GetObjectRetention: getObjectRetention,
    PutObjectRetention: putObjectRetention,
    GetObjectLegalHold: getObjectLegalHold,
    PutObjectLegalHold: putObjectLegalHold,
    CreateMultipartUpload: createMultipartUpload,
    UploadPart: uploadPart,
    UploadPartCopy: uploadPartCopy,
    CompleteMultipartUpload: completeMultipartUpload,
    AbortMultipartUpload: abortMultipartUpload,
    ListParts: listParts,
    ListMultipartUploads: listMultipartUploads,
  },
  authorization,
  resourcePolicy,
  resourceAccount: (arn, context) => bucketByArn(arn, context)?.account,
  resourceTags: (arn, context) => {
    const set = bucketByArn(arn, context)?.configuration['tagging'] as { TagSet?: { Key: string; Value: string }[] } | undefined;
    return set?.TagSet && Object.fromEntries(set.TagSet.map(({ Key, Value }) => [Key, Value]));
  },
};
