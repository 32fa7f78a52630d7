import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { changeVersion, readable } from './objects.js';
import { bucketArn, bucketOf, type ObjectVersion } from './store.js';

/** Raises AccessDenied where a retention period or a legal hold protects the version (S3 user guide, "Object Lock"). */
export function assertUnlocked(version: ObjectVersion, bypass: boolean, context: RequestContext): void {
  const { lock } = version;
  if (!lock) return;
  const retained = lock.until !== undefined && lock.until.getTime() > context.now().getTime();
  const governed = retained && lock.mode === 'GOVERNANCE' && bypass;
  if (governed) context.authorize('s3:BypassGovernanceRetention', `${bucketArn('*')}/${version.key}`);
  if (lock.legalHold === 'ON' || (retained && !governed)) throw new AwsError('AccessDenied', 'Access Denied because object protected by object lock.', { status: 403 });
}

export function putObjectRetention(input: S3.PutObjectRetentionRequest, context: RequestContext): Record<string, never> {
  const bucket = bucketOf(input, context);
  changeVersion(input, bucket, context, (before) => {
    assertUnlocked({ ...before, lock: { ...before.lock, legalHold: undefined } as NonNullable<ObjectVersion['lock']> }, input.BypassGovernanceRetention ?? false, context);
    return { ...before, lock: { ...before.lock, mode: input.Retention?.Mode, until: input.Retention?.RetainUntilDate } };
  });
  return {};
}

export function getObjectRetention(input: S3.GetObjectRetentionRequest, context: RequestContext): S3.GetObjectRetentionOutput {
  const { lock } = readable(input, bucketOf(input, context), context);
  if (!lock?.mode) throw new AwsError('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', { status: 404 });
  return { Retention: { Mode: lock.mode as never, RetainUntilDate: lock.until } };
}

export function putObjectLegalHold(input: S3.PutObjectLegalHoldRequest, context: RequestContext): Record<string, never> {
  changeVersion(input, bucketOf(input, context), context, (before) => ({ ...before, lock: { ...before.lock, legalHold: input.LegalHold?.Status } }));
  return {};
}

export function getObjectLegalHold(input: S3.GetObjectLegalHoldRequest, context: RequestContext): S3.GetObjectLegalHoldOutput {
  const { lock } = readable(input, bucketOf(input, context), context);
  if (!lock?.legalHold) throw new AwsError('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', { status: 404 });
  return { LegalHold: { Status: lock.legalHold as never } };
}
