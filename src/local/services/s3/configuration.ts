import { AwsError } from '../../kernel/error.js';
import type { Operation, RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { checkTags } from './objects.js';
import { bucketOf, putBucket, type Bucket } from './store.js';

/** A sub-resource of a bucket that is put, got and deleted whole. */
interface Kind {
  /** Member of the put operation's input that holds it. */
  readonly member: string;
  readonly missing?: { readonly code: string; readonly message: string };
  readonly check?: (value: never, bucket: Bucket) => void;
  /** What get answers where nothing was put. */
  readonly standard?: (bucket: Bucket) => Record<string, unknown>;
  /** Get answers the value under this member; without it, the value's own members. */
  readonly wrapped?: boolean;
}

const NOT_FOUND = 404;

const KINDS: Readonly<Record<string, Kind>> = {
  cors: { member: 'CORSConfiguration', missing: { code: 'NoSuchCORSConfiguration', message: 'The CORS configuration does not exist' } },
  lifecycle: { member: 'LifecycleConfiguration', missing: { code: 'NoSuchLifecycleConfiguration', message: 'The lifecycle configuration does not exist' }, check: checkLifecycle },
  encryption: {
    member: 'ServerSideEncryptionConfiguration',
    wrapped: true,
    standard: () => ({ ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }] } }),
  },
  tagging: { member: 'Tagging', missing: { code: 'NoSuchTagSet', message: 'The TagSet does not exist' }, check: checkTagging },
  website: { member: 'WebsiteConfiguration', missing: { code: 'NoSuchWebsiteConfiguration', message: 'The specified bucket does not have a website configuration' } },
  ownership: { member: 'OwnershipControls', wrapped: true, missing: { code: 'OwnershipControlsNotFoundError', message: 'The bucket ownership controls were not found' } },
  publicAccessBlock: { member: 'PublicAccessBlockConfiguration', wrapped: true, missing: { code: 'NoSuchPublicAccessBlockConfiguration', message: 'The public access block configuration was not found' } },
  replication: { member: 'ReplicationConfiguration', wrapped: true, missing: { code: 'ReplicationConfigurationNotFoundError', message: 'The replication configuration was not found' } },
  objectLock: { member: 'ObjectLockConfiguration', wrapped: true, missing: { code: 'ObjectLockConfigurationNotFoundError', message: 'Object Lock configuration does not exist for this bucket' } },
  logging: { member: 'BucketLoggingStatus', standard: () => ({}) },
  accelerate: { member: 'AccelerateConfiguration', standard: () => ({}) },
  requestPayment: { member: 'RequestPaymentConfiguration', standard: () => ({ Payer: 'BucketOwner' }) },
};

function put(name: string): Operation {
  return (input: Record<string, unknown> & { Bucket: string }, context: RequestContext) => {
    const bucket = bucketOf(input, context);
    const kind = KINDS[name]!;
    const value = input[kind.member] as never;
    kind.check?.(value, bucket);
    change(bucket, name, value, context);
    return {};
  };
}

function get(name: string): Operation {
  return (input: { Bucket: string }, context: RequestContext) => {
    const bucket = bucketOf(input, context);
    const kind = KINDS[name]!;
    const value = bucket.configuration[name] as Record<string, unknown> | undefined;
    if (value === undefined) {
      if (kind.standard) return kind.standard(bucket);
      throw new AwsError(kind.missing!.code, kind.missing!.message, { status: NOT_FOUND, fields: { BucketName: bucket.name } });
    }
    return kind.wrapped ? { [kind.member]: value } : value;
  };
}

function remove(name: string): Operation {
  return (input: { Bucket: string }, context: RequestContext) => {
    change(bucketOf(input, context), name, undefined, context);
    return {};
  };
}

function change(bucket: Bucket, name: string, value: unknown, context: RequestContext): void {
  const { [name]: _, ...rest } = bucket.configuration;
  putBucket(context.state, { ...bucket, configuration: value === undefined ? rest : { ...rest, [name]: value } });
}

export const configurationOperations: Readonly<Record<string, Operation>> = {
  PutBucketCors: put('cors'),
  GetBucketCors: get('cors'),
  DeleteBucketCors: remove('cors'),
  PutBucketLifecycleConfiguration: put('lifecycle'),
  GetBucketLifecycleConfiguration: get('lifecycle'),
  DeleteBucketLifecycle: remove('lifecycle'),
  PutBucketEncryption: put('encryption'),
  GetBucketEncryption: get('encryption'),
  DeleteBucketEncryption: remove('encryption'),
  PutBucketTagging: put('tagging'),
  GetBucketTagging: get('tagging'),
  DeleteBucketTagging: remove('tagging'),
  PutBucketWebsite: put('website'),
  GetBucketWebsite: get('website'),
  DeleteBucketWebsite: remove('website'),
  PutBucketOwnershipControls: put('ownership'),
  GetBucketOwnershipControls: get('ownership'),
  DeleteBucketOwnershipControls: remove('ownership'),
  PutPublicAccessBlock: (input: S3.PutPublicAccessBlockRequest, context: RequestContext) => {
    const given = input.PublicAccessBlockConfiguration;
    const block = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false, ...given };
    change(bucketOf(input, context), 'publicAccessBlock', block, context);
    return {};
  },
  GetPublicAccessBlock: get('publicAccessBlock'),
  DeletePublicAccessBlock: remove('publicAccessBlock'),
  PutBucketReplication: put('replication'),
  GetBucketReplication: get('replication'),
  DeleteBucketReplication: remove('replication'),
  PutObjectLockConfiguration: put('objectLock'),
  GetObjectLockConfiguration: get('objectLock'),
  PutBucketLogging: put('logging'),
  GetBucketLogging: (input: { Bucket: string }, context: RequestContext) => bucketOf(input, context).configuration['logging'] ?? {},
  PutBucketAccelerateConfiguration: put('accelerate'),
  GetBucketAccelerateConfiguration: get('accelerate'),
  PutBucketRequestPayment: put('requestPayment'),
  GetBucketRequestPayment: get('requestPayment'),
  PutBucketVersioning: putBucketVersioning,
  GetBucketVersioning: (input: { Bucket: string }, context: RequestContext) => {
    const { versioning } = bucketOf(input, context);
    return versioning ? { Status: versioning } : {};
  },
  ...identified('Analytics', 'AnalyticsConfiguration'),
  ...identified('Inventory', 'InventoryConfiguration'),
  ...identified('Metrics', 'MetricsConfiguration'),
  ...identified('IntelligentTiering', 'IntelligentTieringConfiguration'),
};

/** Configurations of which a bucket holds several, by ID. */
function identified(name: string, member: string): Record<string, Operation> {
  const all = (bucket: Bucket): Record<string, unknown> => (bucket.configuration[member] as Record<string, unknown> | undefined) ?? {};
  return {
    [`PutBucket${name}Configuration`]: (input: Record<string, unknown> & { Bucket: string; Id: string }, context: RequestContext) => {
      const bucket = bucketOf(input, context);
      change(bucket, member, { ...all(bucket), [input.Id]: input[member] }, context);
      return {};
    },
    [`GetBucket${name}Configuration`]: (input: { Bucket: string; Id: string }, context: RequestContext) => {
      const value = all(bucketOf(input, context))[input.Id];
      if (value === undefined) throw new AwsError('NoSuchConfiguration', 'The specified configuration does not exist.', { status: NOT_FOUND });
      return { [member]: value };
    },
    [`DeleteBucket${name}Configuration`]: (input: { Bucket: string; Id: string }, context: RequestContext) => {
      const bucket = bucketOf(input, context);
      const { [input.Id]: removed, ...rest } = all(bucket);
      if (removed === undefined) throw new AwsError('NoSuchConfiguration', 'The specified configuration does not exist.', { status: NOT_FOUND });
      change(bucket, member, rest, context);
      return {};
    },
    [`ListBucket${name}Configurations`]: (input: { Bucket: string }, context: RequestContext) => ({ IsTruncated: false, [`${member}List`]: Object.values(all(bucketOf(input, context))) }),
  };
}

function putBucketVersioning(input: S3.PutBucketVersioningRequest, context: RequestContext): Record<string, never> {
  const bucket = bucketOf(input, context);
  const status = input.VersioningConfiguration.Status;
  if (status !== 'Enabled' && status !== 'Suspended') throw new AwsError('IllegalVersioningConfigurationException', 'The Versioning element must be specified', { status: 400 });
  if (status === 'Suspended' && bucket.configuration['objectLock'])
    throw new AwsError('InvalidBucketState', 'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.', { status: 409 });
  putBucket(context.state, { ...bucket, versioning: status });
  return {};
}

function checkTagging(value: { TagSet: { Key: string; Value: string }[] }): void {
  if (value.TagSet.length > 50) throw new AwsError('BadRequest', 'Bucket tag count cannot be greater than 50', { status: 400 });
  for (let i = 0; i < value.TagSet.length; i += 10) checkTags(value.TagSet.slice(i, i + 10).filter(({ Key }) => !Key.startsWith('aws:')).map(({ Key, Value }) => [Key, Value]));
}

function checkLifecycle(value: { Rules?: { ID?: string; Status?: string; Expiration?: unknown; Transitions?: unknown }[] } | undefined): void {
  const rules = value?.Rules ?? [];
  if (rules.length === 0) throw new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema', { status: 400 });
  if (rules.length > 1000) throw new AwsError('InvalidRequest', 'The number of lifecycle rules must not exceed the allowed limit of 1000 rules', { status: 400 });
  const ids = rules.map((rule) => rule.ID).filter((id) => id !== undefined);
  if (new Set(ids).size !== ids.length) throw new AwsError('InvalidArgument', 'Rule ID must be unique. Found same ID for one or more rules', { status: 400 });
  for (const rule of rules) {
    const actions = Object.keys(rule).filter((key) => /Expiration|Transition|AbortIncomplete/.test(key));
    if (actions.length === 0) throw new AwsError('InvalidRequest', 'At least one action needs to be specified in a rule', { status: 400 });
  }
}
