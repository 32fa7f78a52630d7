import { AwsError } from '../../kernel/error.js';
import type { ObjectVersion } from './store.js';

interface ReadConditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
  readonly IfModifiedSince?: Date;
  readonly IfUnmodifiedSince?: Date;
}

/** Conditional reads (S3 API reference, GetObject). Raises PreconditionFailed, or 304 NotModified. */
export function checkRead(input: ReadConditions, version: ObjectVersion): void {
  const modified = Math.floor(version.modified.getTime() / 1000) * 1000;
  if (input.IfMatch !== undefined) {
    if (!matches(input.IfMatch, version.etag)) throw preconditionFailed('If-Match');
  } else if (input.IfUnmodifiedSince !== undefined && modified > input.IfUnmodifiedSince.getTime()) throw preconditionFailed('If-Unmodified-Since');
  if (input.IfNoneMatch !== undefined) {
    if (matches(input.IfNoneMatch, version.etag)) throw notModified(version);
  } else if (input.IfModifiedSince !== undefined && modified <= input.IfModifiedSince.getTime()) throw notModified(version);
}

interface WriteConditions {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/** Conditional writes (S3 user guide, "Conditional writes"): only `If-None-Match: *` and `If-Match` with an ETag exist, one at a time. */
export function checkWrite(input: WriteConditions, key: string, current: ObjectVersion | undefined): void {
  checkWriteForm(input);
  const exists = current !== undefined && !current.deleteMarker;
  if (input.IfNoneMatch !== undefined && exists) throw preconditionFailed('If-None-Match');
  if (input.IfMatch === undefined) return;
  if (!exists) throw new AwsError('NoSuchKey', 'The specified key does not exist.', { status: 404, fields: { Key: key } });
  if (!matches(input.IfMatch, current.etag)) throw preconditionFailed('If-Match');
}

function checkWriteForm(input: WriteConditions): void {
  if (input.IfMatch !== undefined && input.IfNoneMatch !== undefined) throw unaccepted('If-Match,If-None-Match', 'Multiple conditional request headers present in the request');
  if (input.IfNoneMatch !== undefined && input.IfNoneMatch !== '*') throw unaccepted('If-None-Match', "We don't accept the provided value of If-None-Match header for this API");
  if (input.IfMatch === '*') throw unaccepted('If-Match', "We don't accept the provided value of If-Match header for this API");
}

function matches(condition: string, etag: string): boolean {
  return condition === '*' || condition.split(',').some((part) => part.trim().replace(/^W\//, '').replace(/^"|"$/g, '') === etag);
}

export function preconditionFailed(condition: string): AwsError {
  return new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { status: 412, fields: { Condition: condition } });
}

function notModified(version: ObjectVersion): AwsError {
  return new AwsError('304', 'Not Modified', { status: 304, headers: { etag: `"${version.etag}"`, 'last-modified': version.modified.toUTCString() } });
}

export function unaccepted(header: string, additionalMessage?: string): AwsError {
  return new AwsError('NotImplemented', 'A header you provided implies functionality that is not implemented', {
    status: 501,
    fields: { Header: header, ...(additionalMessage === undefined ? {} : { additionalMessage }) },
  });
}
