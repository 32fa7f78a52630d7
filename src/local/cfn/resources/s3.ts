import { isAwsError } from '../../kernel/error.js';
import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { HandlerError, ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { bucketConfigurations } from './s3-configuration.js';
import { withoutSystemTags } from './tags.js';

interface BucketProperties {
  readonly BucketName?: string;
  readonly AccessControl?: string;
  readonly ObjectLockEnabled?: boolean;
  readonly OwnershipControls?: { readonly Rules: readonly { readonly ObjectOwnership?: string }[] };
  readonly Tags?: readonly Tag[];
  readonly [configuration: string]: unknown;
}

const nameOf = (properties: BucketProperties, context: ProviderContext): string => properties.BucketName ?? context.name({ limit: 63, lowerCase: true });

/** Canned ACLs by CloudFormation's names for them. */
const ACLS: Readonly<Record<string, string>> = {
  Private: 'private', PublicRead: 'public-read', PublicReadWrite: 'public-read-write', AuthenticatedRead: 'authenticated-read', LogDeliveryWrite: 'log-delivery-write',
  BucketOwnerRead: 'bucket-owner-read', BucketOwnerFullControl: 'bucket-owner-full-control', AwsExecRead: 'aws-exec-read',
};

const ABSENT = ['NoSuchBucket', 'NotFound', '404'];

const bucket: ResourceProvider<BucketProperties> = {
  type: 'AWS::S3::Bucket',
  identify: nameOf,
  async create(properties, context) {
    const Bucket = nameOf(properties, context);
    // In us-east-1 CreateBucket answers the caller's own bucket; a stack must not take it over.
    const owned = context.region === 'us-east-1' && properties.BucketName !== undefined && (await ignoring(ABSENT, context.client.call('s3', 'HeadBucket', { Bucket })));
    if (owned) throw taken(Bucket);
    try {
      await createBucket(Bucket, properties, context);
    } catch (error) {
      throw isAwsError(error) && /^BucketAlready/.test(error.code) ? taken(Bucket) : error;
    }
    context.initiated(Bucket);
    await configure(Bucket, {}, properties, context);
    await tag(Bucket, [], withoutSystemTags(context.tags(properties.Tags)), context);
    return { physicalId: Bucket, attributes: answers(Bucket, context.region) };
  },
  async update(Bucket, before, after, context) {
    if (before.AccessControl !== after.AccessControl) await context.client.call('s3', 'PutBucketAcl', { Bucket, ACL: ACLS[after.AccessControl ?? 'Private'] });
    await configure(Bucket, before, after, context);
    await tag(Bucket, withoutSystemTags(context.tagsBefore(before.Tags)), withoutSystemTags(context.tags(after.Tags)), context);
  },
  async delete(Bucket, _properties, context) {
    await ignoring(['NoSuchBucket'], context.client.call('s3', 'DeleteBucket', { Bucket }));
  },
  async read(Bucket, context) {
    const head = await ignoring(ABSENT, context.client.call('s3', 'HeadBucket', { Bucket }));
    if (!head) return undefined;
    const model: JsonObject = { BucketName: Bucket, ...answers(Bucket, context.region) };
    for (const configuration of bucketConfigurations) {
      const value = await configuration.read?.(Bucket, context);
      if (value !== undefined) model[configuration.property] = value;
    }
    return model;
  },
  attributes: async (Bucket, _properties, context) => answers(Bucket, context.region),
};

function createBucket(Bucket: string, properties: BucketProperties, { client, region }: ProviderContext): Promise<unknown> {
  return client.call('s3', 'CreateBucket', {
    Bucket,
    ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region } }),
    ...(properties.ObjectLockEnabled ? { ObjectLockEnabledForBucket: true } : {}),
    ...(properties.OwnershipControls?.Rules[0]?.ObjectOwnership ? { ObjectOwnership: properties.OwnershipControls.Rules[0].ObjectOwnership } : {}),
    ...(properties.AccessControl && properties.AccessControl !== 'Private' ? { ACL: ACLS[properties.AccessControl] ?? properties.AccessControl } : {}),
  });
}

/** The handler's own words for a name that is taken, by whomever (as users report them). */
function taken(Bucket: string): HandlerError {
  return new HandlerError('AlreadyExists', `${Bucket} already exists (Service: S3, Status Code: 0, Request ID: null)`);
}

async function configure(Bucket: string, before: BucketProperties, after: BucketProperties, context: ProviderContext): Promise<void> {
  for (const { property, put, remove } of bucketConfigurations) {
    const was = before[property] as Json | undefined;
    const is = after[property] as Json | undefined;
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    if (is !== undefined) await put(Bucket, is, context);
    else await remove(Bucket, was!, context);
  }
}

async function tag(Bucket: string, before: readonly Tag[], after: readonly Tag[], context: ProviderContext): Promise<void> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (after.length === 0) await context.client.call('s3', 'DeleteBucketTagging', { Bucket });
  else await context.client.call('s3', 'PutBucketTagging', { Bucket, Tagging: { TagSet: after } });
}

function answers(name: string, region: string): JsonObject {
  const website = ['us-east-1', 'us-west-1', 'us-west-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-northeast-1', 'eu-west-1', 'sa-east-1'].includes(region) ? '-' : '.';
  return {
    Arn: `arn:aws:s3:::${name}`,
    DomainName: `${name}.s3.amazonaws.com`,
    RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
    DualStackDomainName: `${name}.s3.dualstack.${region}.amazonaws.com`,
    WebsiteURL: `http://${name}.s3-website${website}${region}.amazonaws.com`,
  };
}

interface BucketPolicyProperties {
  readonly Bucket: string;
  readonly PolicyDocument: Json;
}

const bucketPolicy: ResourceProvider<BucketPolicyProperties> = {
  type: 'AWS::S3::BucketPolicy',
  identify: (properties) => properties.Bucket,
  async create(properties, context) {
    await putPolicy(properties, context);
    return { physicalId: properties.Bucket };
  },
  async update(_id, _before, after, context) {
    await putPolicy(after, context);
  },
  async delete(Bucket, _properties, context) {
    await ignoring(['NoSuchBucket', 'NoSuchBucketPolicy'], context.client.call('s3', 'DeleteBucketPolicy', { Bucket }));
  },
  async read(Bucket, context) {
    const answer = await ignoring(['NoSuchBucket', 'NoSuchBucketPolicy'], context.client.call<{ Policy: string }>('s3', 'GetBucketPolicy', { Bucket }));
    return answer ? { Bucket, PolicyDocument: JSON.parse(answer.Policy) as Json } : undefined;
  },
  recover: (properties, context) => bucketPolicy.create(properties, context),
};

async function putPolicy({ Bucket, PolicyDocument }: BucketPolicyProperties, context: ProviderContext): Promise<void> {
  await context.client.call('s3', 'PutBucketPolicy', { Bucket, Policy: typeof PolicyDocument === 'string' ? PolicyDocument : JSON.stringify(PolicyDocument) });
}

export const s3 = [bucket, bucketPolicy];
