import { AwsError } from '../../kernel/error.js';
import { entries } from '../../process/zip.js';
import type { ActionContext, ActionResult, ActionRunner } from '../runner.js';

/** Copies an artifact, or the files in it, to a bucket (user guide, "Amazon S3 deploy action reference"). */
export const s3Deploy: ActionRunner = {
  types: ['Deploy/S3'],
  async run(context: ActionContext): Promise<ActionResult> {
    const { configuration } = context;
    const bucket = configuration['BucketName']!;
    const prefix = substitute(configuration['ObjectKey'] ?? '', context);
    const content = await context.readArtifact(context.inputs[0]!.name);
    const put = (Key: string, Body: Uint8Array): Promise<unknown> =>
      context.client.call('s3', 'PutObject', {
        Bucket: bucket,
        Key,
        Body,
        ...(configuration['KMSEncryptionKeyARN'] ? { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: configuration['KMSEncryptionKeyARN'] } : {}),
        ...(configuration['CannedACL'] ? { ACL: configuration['CannedACL'] } : {}),
        ...(configuration['CacheControl'] ? { CacheControl: configuration['CacheControl'] } : {}),
      });
    if (configuration['Extract'] !== 'true') {
      if (prefix === '') throw new AwsError('ConfigurationError', 'ObjectKey is required when Extract is false', { status: 400 });
      await put(prefix, content);
      return { summary: 'Deployment Succeeded' };
    }
    for (const { name, data } of await entries(content)) await put(prefix === '' ? name : `${prefix.replace(/\/$/, '')}/${name}`, data);
    return { summary: 'Deployment Succeeded' };
  },
};

/** `{datetime}` and `{uuid}` may stand in the key. */
function substitute(key: string, context: ActionContext): string {
  return key.replace('{datetime}', new Date(context.runtime.clock.now()).toISOString()).replace('{uuid}', context.attempt);
}
