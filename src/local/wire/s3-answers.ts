import { createHash } from 'node:crypto';
import type { Structure } from './types.js';

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Root elements where they aren't the name of the output's shape (S3 API reference, response syntax of each operation). */
export const S3_ROOTS: Readonly<Record<string, string>> = {
  CompleteMultipartUpload: 'CompleteMultipartUploadResult',
  CreateMultipartUpload: 'InitiateMultipartUploadResult',
  CreateSession: 'CreateSessionResult',
  DeleteObjects: 'DeleteResult',
  GetBucketAccelerateConfiguration: 'AccelerateConfiguration',
  GetBucketAcl: 'AccessControlPolicy',
  GetBucketCors: 'CORSConfiguration',
  GetBucketLifecycle: 'LifecycleConfiguration',
  GetBucketLifecycleConfiguration: 'LifecycleConfiguration',
  GetBucketLocation: 'LocationConstraint',
  GetBucketLogging: 'BucketLoggingStatus',
  GetBucketNotification: 'NotificationConfiguration',
  GetBucketNotificationConfiguration: 'NotificationConfiguration',
  GetBucketRequestPayment: 'RequestPaymentConfiguration',
  GetBucketTagging: 'Tagging',
  GetBucketVersioning: 'VersioningConfiguration',
  GetBucketWebsite: 'WebsiteConfiguration',
  GetObjectAcl: 'AccessControlPolicy',
  GetObjectAttributes: 'GetObjectAttributesResponse',
  GetObjectTagging: 'Tagging',
  ListBucketAnalyticsConfigurations: 'ListBucketAnalyticsConfigurationResult',
  ListBucketIntelligentTieringConfigurations: 'ListBucketIntelligentTieringConfigurationsResult',
  ListBucketInventoryConfigurations: 'ListInventoryConfigurationsResult',
  ListBucketMetricsConfigurations: 'ListMetricsConfigurationsResult',
  ListBuckets: 'ListAllMyBucketsResult',
  ListMultipartUploads: 'ListMultipartUploadsResult',
  ListObjectVersions: 'ListVersionsResult',
  ListObjects: 'ListBucketResult',
  ListObjectsV2: 'ListBucketResult',
  ListParts: 'ListPartsResult',
};

const STATUS_CODES: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  304: 'NotModified',
  307: 'TemporaryRedirect Redirect',
  403: 'AccessDenied AccountProblem AllAccessDisabled ExpiredToken InvalidAccessKeyId InvalidObjectState InvalidPayer InvalidSecurity NotSignedUp RequestTimeTooSkewed SignatureDoesNotMatch',
  404: `NoSuchBucket NoSuchBucketPolicy NoSuchConfiguration NoSuchCORSConfiguration NoSuchKey NoSuchLifecycleConfiguration NoSuchObjectLockConfiguration
    NoSuchPublicAccessBlockConfiguration NoSuchTagSet NoSuchUpload NoSuchVersion NoSuchWebsiteConfiguration ObjectLockConfigurationNotFoundError
    OwnershipControlsNotFoundError ReplicationConfigurationNotFoundError ServerSideEncryptionConfigurationNotFoundError`,
  405: 'MethodNotAllowed',
  409: 'BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty ConditionalRequestConflict InvalidBucketState OperationAborted RestoreAlreadyInProgress',
  411: 'MissingContentLength',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
  500: 'InternalError',
  501: 'NotImplemented',
  503: 'ServiceUnavailable SlowDown',
};

/** HTTP status by code, of the many errors S3's model doesn't list (S3 API reference, "List of error codes"). Everything else is 400. */
export const S3_STATUS: ReadonlyMap<string, number> = new Map(
  Object.entries(STATUS_CODES).flatMap(([status, codes]) => codes.split(/\s+/).map((code): [string, number] => [code, Number(status)])),
);

/** S3's identifiers of a request look unlike everyone else's; both come from ours. */
export function s3RequestIds(requestId: string): { requestId: string; hostId: string } {
  return {
    requestId: requestId.replaceAll('-', '').slice(0, 16).toUpperCase(),
    hostId: createHash('sha384').update(requestId).digest('base64'),
  };
}

/** With `encoding-type=url`, keys and what is made of keys are percent-encoded in the answer (S3 API reference, ListObjectsV2). */
export function urlEncoded(output: Structure): Structure {
  if (output['EncodingType'] !== 'url') return output;
  const result: Structure = { ...output };
  for (const name of ['Prefix', 'Delimiter', 'Marker', 'NextMarker', 'StartAfter', 'KeyMarker', 'NextKeyMarker']) {
    if (typeof result[name] === 'string') result[name] = encode(result[name]);
  }
  for (const name of ['Contents', 'Versions', 'DeleteMarkers', 'Uploads', 'CommonPrefixes']) {
    const list = result[name] as Structure[] | undefined;
    if (list) result[name] = list.map((item) => ({ ...item, ...(item['Key'] === undefined ? {} : { Key: encode(String(item['Key'])) }), ...(item['Prefix'] === undefined ? {} : { Prefix: encode(String(item['Prefix'])) }) }));
  }
  return result;
}

function encode(text: string): string {
  // Through UTF-8: a lone surrogate, which no key that came over HTTP has, would make encodeURIComponent throw.
  return text.split('/').map((part) => encodeURIComponent(Buffer.from(part).toString()).replace(/[!'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)).join('/');
}
