import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { bucketOf, canonicalId, findVersion, versions, type Bucket, type ObjectVersion } from './store.js';

const MAX_KEYS = 1000;
/** Sorts behind every key that starts with what stands before it. */
const LAST = '\u{10FFFF}';

interface Walk {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** Keys up to and including this one are passed over. */
  readonly after: string;
  readonly limit: number;
}

interface Page {
  readonly current: ObjectVersion[];
  readonly prefixes: string[];
  /** The last key or common prefix of the page, when more follow. */
  readonly next: string | undefined;
}

/** Current versions in key order, rolled up by delimiter; reads only what the page needs, however large the bucket. */
function walk(bucket: Bucket, options: Walk, context: RequestContext): Page {
  const { prefix, delimiter, limit } = options;
  const all = versions(context.state, bucket);
  const current: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  // An exclusive start that includes a key equal to the prefix: a two-part key sorts before its three-part entries.
  let start: (string | number)[] = options.after !== '' && options.after >= prefix ? [bucket.name, options.after + '\0'] : [bucket.name, prefix];
  if (options.after !== '' && options.after >= prefix) start = [bucket.name, options.after, Number.MAX_SAFE_INTEGER];
  if (delimiter && options.after.startsWith(prefix) && options.after.endsWith(delimiter)) start = [bucket.name, options.after + LAST];
  for (;;) {
    const batch = all.entries([bucket.name], { after: start, limit: 500 });
    let skipTo: string | undefined;
    for (const [key, version] of batch) {
      const name = String(key[1]);
      start = key as (string | number)[];
      if (!name.startsWith(prefix)) {
        if (name > prefix) return { current, prefixes, next: undefined };
        continue;
      }
      start = [bucket.name, name, Number.MAX_SAFE_INTEGER];
      if (current.at(-1)?.key === name || last === name) continue;
      if (version.deleteMarker) {
        last = name;
        skipTo = name;
        break;
      }
      const rolled = delimiter ? commonPrefix(name, prefix, delimiter) : undefined;
      if (current.length + prefixes.length === limit) return { current, prefixes, next: last ?? '' };
      if (rolled !== undefined) {
        prefixes.push(rolled);
        last = rolled;
        start = [bucket.name, rolled + LAST];
        skipTo = rolled;
        break;
      }
      current.push(version);
      last = name;
    }
    if (skipTo === undefined && batch.length < 500) return { current, prefixes, next: undefined };
  }
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

export function listObjectsV2(input: S3.ListObjectsV2Request, context: RequestContext): S3.ListObjectsV2Output {
  const bucket = bucketOf(input, context);
  const limit = pageSize(input.MaxKeys);
  const after = input.ContinuationToken === undefined ? (input.StartAfter ?? '') : decodeToken(input.ContinuationToken);
  const page = limit === 0 ? { current: [], prefixes: [], next: undefined } : walk(bucket, { prefix: input.Prefix ?? '', delimiter: input.Delimiter || undefined, after, limit }, context);
  return {
    Name: bucket.name,
    Prefix: input.Prefix ?? '',
    MaxKeys: limit,
    KeyCount: page.current.length + page.prefixes.length,
    IsTruncated: page.next !== undefined,
    ...(input.Delimiter ? { Delimiter: input.Delimiter } : {}),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
    ...(input.StartAfter === undefined ? {} : { StartAfter: input.StartAfter }),
    ...(input.ContinuationToken === undefined ? {} : { ContinuationToken: input.ContinuationToken }),
    ...(page.next === undefined ? {} : { NextContinuationToken: Buffer.from(page.next).toString('base64url') }),
    ...(page.current.length > 0 ? { Contents: page.current.map((version) => entry(version, input.FetchOwner ? bucket : undefined)) } : {}),
    ...(page.prefixes.length > 0 ? { CommonPrefixes: page.prefixes.map((Prefix) => ({ Prefix: Prefix })) } : {}),
  } as S3.ListObjectsV2Output;
}

export function listObjects(input: S3.ListObjectsRequest, context: RequestContext): S3.ListObjectsOutput {
  const bucket = bucketOf(input, context);
  const limit = pageSize(input.MaxKeys);
  const page = limit === 0 ? { current: [], prefixes: [], next: undefined } : walk(bucket, { prefix: input.Prefix ?? '', delimiter: input.Delimiter || undefined, after: input.Marker ?? '', limit }, context);
  return {
    Name: bucket.name,
    Prefix: input.Prefix ?? '',
    Marker: input.Marker ?? '',
    MaxKeys: limit,
    IsTruncated: page.next !== undefined,
    ...(input.Delimiter ? { Delimiter: input.Delimiter } : {}),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
    ...(page.next !== undefined && input.Delimiter ? { NextMarker: page.next } : {}),
    ...(page.current.length > 0 ? { Contents: page.current.map((version) => entry(version, bucket)) } : {}),
    ...(page.prefixes.length > 0 ? { CommonPrefixes: page.prefixes.map((Prefix) => ({ Prefix: Prefix })) } : {}),
  } as S3.ListObjectsOutput;
}

export function listObjectVersions(input: S3.ListObjectVersionsRequest, context: RequestContext): S3.ListObjectVersionsOutput {
  const bucket = bucketOf(input, context);
  const limit = pageSize(input.MaxKeys);
  const prefix = input.Prefix ?? '';
  const page = limit === 0 ? { shown: [], prefixes: [], more: false } : walkVersions(bucket, prefix, input, limit, context);
  const last = page.shown.at(-1);
  const common = (version: ObjectVersion, latest: boolean): Record<string, unknown> => ({
    Key: version.key, VersionId: version.versionId, IsLatest: latest, LastModified: version.modified, Owner: { ID: canonicalId(bucket.account) },
  });
  const markers = page.shown.filter(({ version }) => version.deleteMarker).map(({ version, latest }) => common(version, latest));
  const kept = page.shown
    .filter(({ version }) => !version.deleteMarker)
    .map(({ version, latest }) => ({ ...common(version, latest), ETag: `"${version.etag}"`, Size: version.size, StorageClass: version.storageClass ?? 'STANDARD', ...checksumMembers(version) }));
  return {
    Name: bucket.name,
    Prefix: prefix,
    KeyMarker: input.KeyMarker ?? '',
    VersionIdMarker: input.VersionIdMarker ?? '',
    MaxKeys: limit,
    IsTruncated: page.more,
    ...(input.Delimiter ? { Delimiter: input.Delimiter } : {}),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
    ...(page.more ? { NextKeyMarker: last?.version.key ?? page.prefixes.at(-1) ?? '', NextVersionIdMarker: last?.version.versionId } : {}),
    ...(kept.length > 0 ? { Versions: kept } : {}),
    ...(markers.length > 0 ? { DeleteMarkers: markers } : {}),
    ...(page.prefixes.length > 0 ? { CommonPrefixes: page.prefixes.map((Prefix) => ({ Prefix })) } : {}),
  } as S3.ListObjectVersionsOutput;
}

function walkVersions(bucket: Bucket, prefix: string, input: S3.ListObjectVersionsRequest, limit: number, context: RequestContext) {
  const shown: { version: ObjectVersion; latest: boolean }[] = [];
  const prefixes: string[] = [];
  const all = versions(context.state, bucket);
  let start: (string | number)[] = [bucket.name, prefix];
  let before: string | undefined;
  if (input.KeyMarker) {
    const marker = input.VersionIdMarker ? findVersion(context.state, bucket, input.KeyMarker, input.VersionIdMarker) : undefined;
    start = [bucket.name, input.KeyMarker, marker?.order ?? Number.MAX_SAFE_INTEGER];
    if (marker) before = input.KeyMarker;
  }
  for (;;) {
    const batch = all.entries([bucket.name], { after: start, limit: 500 });
    let skipped = false;
    for (const [key, version] of batch) {
      start = key as (string | number)[];
      if (!version.key.startsWith(prefix)) {
        if (version.key > prefix) return { shown, prefixes, more: false };
        continue;
      }
      if (shown.length + prefixes.length === limit) return { shown, prefixes, more: true };
      const rolled = input.Delimiter ? commonPrefix(version.key, prefix, input.Delimiter) : undefined;
      if (rolled !== undefined) {
        prefixes.push(rolled);
        start = [bucket.name, rolled + LAST];
        skipped = true;
        break;
      }
      shown.push({ version, latest: before !== version.key });
      before = version.key;
    }
    if (!skipped && batch.length < 500) return { shown, prefixes, more: false };
  }
}

function entry(version: ObjectVersion, owner: Bucket | undefined): Record<string, unknown> {
  return {
    Key: version.key,
    LastModified: version.modified,
    ETag: `"${version.etag}"`,
    Size: version.size,
    StorageClass: version.storageClass ?? 'STANDARD',
    ...checksumMembers(version),
    ...(owner ? { Owner: { ID: canonicalId(owner.account) } } : {}),
  };
}

function checksumMembers(version: ObjectVersion): Record<string, unknown> {
  const names = Object.keys(version.checksums).map((member) => member.replace('Checksum', ''));
  return names.length > 0 ? { ChecksumAlgorithm: names, ChecksumType: version.checksumType } : {};
}

function pageSize(asked: number | undefined): number {
  if (asked !== undefined && asked < 0)
    throw new AwsError('InvalidArgument', 'Argument maxKeys must be an integer between 0 and 2147483647', { status: 400, fields: { ArgumentName: 'maxKeys', ArgumentValue: String(asked) } });
  return Math.min(asked ?? MAX_KEYS, MAX_KEYS);
}

function decodeToken(token: string): string {
  const key = Buffer.from(token, 'base64url').toString('utf8');
  if (key === '' || Buffer.from(key).toString('base64url') !== token)
    throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect', { status: 400, fields: { ArgumentName: 'continuation-token' } });
  return key;
}
