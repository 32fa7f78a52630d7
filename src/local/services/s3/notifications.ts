import { AwsError } from '../../kernel/error.js';
import { parseArn } from '../../kernel/arn.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { bucketArn, bucketOf, canonicalId, putBucket, type Bucket, type ObjectVersion } from './store.js';

interface Target {
  readonly Id?: string;
  readonly TopicArn?: string;
  readonly QueueArn?: string;
  readonly LambdaFunctionArn?: string;
  readonly Events: readonly string[];
  readonly Filter?: { readonly Key?: { readonly FilterRules?: readonly { readonly Name?: string; readonly Value?: string }[] } };
}

interface Configuration {
  readonly TopicConfigurations?: readonly Target[];
  readonly QueueConfigurations?: readonly Target[];
  readonly LambdaFunctionConfigurations?: readonly Target[];
  readonly EventBridgeConfiguration?: object;
}

/** Stores where events go, after each destination took S3's test message (S3 user guide, "Event notifications"). */
export async function putBucketNotificationConfiguration(input: S3.PutBucketNotificationConfigurationRequest, context: RequestContext): Promise<Record<string, never>> {
  const bucket = bucketOf(input, context);
  const configuration = withIds(input.NotificationConfiguration as Configuration);
  if (!input.SkipDestinationValidation) for (const target of targetsOf(configuration)) await validate(bucket, target, context);
  const { notification: _, ...rest } = bucket.configuration;
  putBucket(context.state, { ...bucket, configuration: { ...rest, notification: configuration } });
  return {};
}

export function getBucketNotificationConfiguration(input: S3.GetBucketNotificationConfigurationRequest, context: RequestContext): Configuration {
  const set = (bucketOf(input, context).configuration['notification'] as Configuration | undefined) ?? {};
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined && (!Array.isArray(value) || value.length > 0)));
}

function withIds(configuration: Configuration): Configuration {
  const name = (targets: readonly Target[] | undefined): Target[] | undefined => targets?.map((target, i) => ({ ...target, Id: target.Id ?? Buffer.from(`${destinationOf(target)}${i}`).toString('base64url').slice(-48) }));
  return {
    ...configuration,
    TopicConfigurations: name(configuration.TopicConfigurations),
    QueueConfigurations: name(configuration.QueueConfigurations),
    LambdaFunctionConfigurations: name(configuration.LambdaFunctionConfigurations),
  };
}

function targetsOf(configuration: Configuration): Target[] {
  return [...(configuration.TopicConfigurations ?? []), ...(configuration.QueueConfigurations ?? []), ...(configuration.LambdaFunctionConfigurations ?? [])];
}

function destinationOf(target: Target): string {
  return target.TopicArn ?? target.QueueArn ?? target.LambdaFunctionArn ?? '';
}

async function validate(bucket: Bucket, target: Target, context: RequestContext): Promise<void> {
  const destination = destinationOf(target);
  // A function is asked for by name only: S3 sends it no test event.
  const test = { Service: 'Amazon S3', Event: 's3:TestEvent', Time: context.now().toISOString(), Bucket: bucket.name, RequestId: context.requestId };
  try {
    if (target.LambdaFunctionArn) await context.onBehalf.in(bucket.region).call('lambda', 'GetFunctionConfiguration', { FunctionName: destination });
    else await send(bucket, destination, test, context);
  } catch (error) {
    if (error instanceof AwsError)
      throw new AwsError('InvalidArgument', 'Unable to validate the following destination configurations', { status: 400, fields: { ArgumentName: destination, ArgumentValue: error.message } });
    throw error;
  }
}

/** Tells everybody who asked that something happened to an object. Deliveries are not waited for; S3 promises no order. */
export function notify(bucket: Bucket, event: string, version: ObjectVersion, context: RequestContext): void {
  const configuration = bucket.configuration['notification'] as Configuration | undefined;
  if (!configuration) return;
  const deliver = (work: Promise<unknown>): void => void work.catch((error: unknown) => context.runtime.log(`s3: ${event} of ${bucket.name}/${version.key} was not delivered: ${error instanceof Error ? error.message : String(error)}`));
  for (const target of targetsOf(configuration)) {
    if (!target.Events.some((wanted) => wanted === event || (wanted.endsWith(':*') && event.startsWith(wanted.slice(0, -1))))) continue;
    if (!filterMatches(target, version.key)) continue;
    deliver(send(bucket, destinationOf(target), { Records: [record(bucket, event, version, target, context)] }, context));
  }
  if (configuration.EventBridgeConfiguration) deliver(toEventBridge(bucket, event, version, context));
}

function filterMatches(target: Target, key: string): boolean {
  return (target.Filter?.Key?.FilterRules ?? []).every(({ Name = '', Value = '' }) => (Name.toLowerCase() === 'prefix' ? key.startsWith(Value) : key.endsWith(Value)));
}

async function send(bucket: Bucket, destination: string, message: unknown, context: RequestContext): Promise<void> {
  const target = parseArn(destination);
  const client = context.asService({ service: 's3.amazonaws.com', sourceArn: bucketArn(bucket.name), sourceAccount: bucket.account, region: target?.region ?? bucket.region });
  const text = JSON.stringify(message);
  if (target?.service === 'sns') await client.call('sns', 'Publish', { TopicArn: destination, Subject: 'Amazon S3 Notification', Message: text });
  else if (target?.service === 'sqs') await client.call('sqs', 'SendMessage', { QueueUrl: `${context.runtime.endpoint}/${target.account}/${target.resource}`, MessageBody: text });
  else if (target?.service === 'lambda') await client.call('lambda', 'Invoke', { FunctionName: destination, InvocationType: 'Event', Payload: Buffer.from(text) });
  else throw new AwsError('InvalidArgument', 'The ARN is not well formed', { status: 400, fields: { ArgumentName: 'ARN', ArgumentValue: destination } });
}

function record(bucket: Bucket, event: string, version: ObjectVersion, target: Target, context: RequestContext): unknown {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: bucket.region,
    eventTime: context.now().toISOString(),
    eventName: event.replace(/^s3:/, ''),
    userIdentity: { principalId: 'userId' in context.principal ? `AWS:${context.principal.userId}` : context.principal.kind },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': context.requestId, 'x-amz-id-2': context.requestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: target.Id,
      bucket: { name: bucket.name, ownerIdentity: { principalId: canonicalId(bucket.account).slice(0, 14).toUpperCase() }, arn: bucketArn(bucket.name) },
      object: {
        key: encodeURIComponent(version.key).replace(/%20/g, '+').replace(/%2F/g, '/'),
        ...(version.deleteMarker ? {} : { size: version.size, eTag: version.etag }),
        ...(bucket.versioning ? { versionId: version.versionId } : {}),
        sequencer: context.now().getTime().toString(16).toUpperCase().padStart(18, '0'),
      },
    },
  };
}

async function toEventBridge(bucket: Bucket, event: string, version: ObjectVersion, context: RequestContext): Promise<void> {
  const [, group = '', detail = ''] = event.split(':');
  const type: Record<string, string> = { ObjectCreated: 'Object Created', ObjectRemoved: 'Object Deleted', ObjectTagging: detail === 'Put' ? 'Object Tags Added' : 'Object Tags Deleted' };
  if (!type[group]) return;
  const reason: Record<string, string> = { Put: 'PutObject', Copy: 'CopyObject', CompleteMultipartUpload: 'CompleteMultipartUpload', Delete: 'DeleteObject', DeleteMarkerCreated: 'DeleteObject' };
  const client = context.asService({ service: 's3.amazonaws.com', sourceArn: bucketArn(bucket.name), sourceAccount: bucket.account, region: bucket.region });
  await client.call('events', 'PutEvents', {
    Entries: [
      {
        Source: 'aws.s3',
        DetailType: type[group],
        Resources: [bucketArn(bucket.name)],
        Detail: JSON.stringify({
          version: '0',
          bucket: { name: bucket.name },
          object: { key: version.key, size: version.size, etag: version.etag, ...(bucket.versioning ? { 'version-id': version.versionId } : {}) },
          'request-id': context.requestId,
          requester: context.principal.account,
          reason: reason[detail],
          ...(group === 'ObjectRemoved' ? { 'deletion-type': version.deleteMarker ? 'Delete Marker Created' : 'Permanently Deleted' } : {}),
        }),
      },
    ],
  });
}
