import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { isAwsError } from '../kernel/error.js';
import type { Body, Client } from '../kernel/service.js';
import { archive, extract } from '../process/zip.js';
import { chooseFiles } from './files.js';
import type { Build } from './record.js';

/** Caches of a project: in a bucket, with the project's role, or on this machine (user guide, "Build caching"). */
export async function restoreCache(build: Build, paths: readonly string[], source: string, directory: string, client: Client, note: (text: string) => void): Promise<void> {
  if (paths.length === 0) return;
  const { cache } = build.project;
  const content = cache.type === 'S3' ? await fromBucket(cache.location!, build, client) : cache.type === 'LOCAL' ? fromDisk(build, directory) : undefined;
  if (!content) return;
  await extract(content, source);
  note(`Cache of ${paths.join(', ')} was restored`);
}

async function fromBucket(location: string, build: Build, client: Client): Promise<Uint8Array | undefined> {
  const { bucket, key } = cacheObject(location, build);
  try {
    const { Body: body } = await client.call<{ Body: Body }>('s3', 'GetObject', { Bucket: bucket, Key: key });
    return await body.bytes();
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey') || isAwsError(error, 'AccessDenied')) return undefined;
    throw error;
  }
}

function cacheObject(location: string, build: Build): { bucket: string; key: string } {
  const [bucket = '', ...prefix] = location.replace(/^arn:aws:s3:::/, '').split('/');
  return { bucket, key: [...prefix.filter(Boolean), `${build.project.name}-cache.zip`].join('/') };
}

function diskFile(build: Build, directory: string): string {
  return join(directory, 'cache', 'codebuild', build.account, build.region, `${build.project.name}.zip`);
}

function fromDisk(build: Build, directory: string): Uint8Array | undefined {
  const file = diskFile(build, directory);
  return existsSync(file) ? readFileSync(file) : undefined;
}

export async function saveCache(build: Build, paths: readonly string[], source: string, directory: string, client: Client, note: (text: string) => void): Promise<void> {
  const { cache } = build.project;
  if (paths.length === 0 || (cache.type !== 'S3' && cache.type !== 'LOCAL')) return;
  const inside = paths.map((path) => (path.startsWith('/') ? relative(source, path).split(sep).join('/') : path));
  const outside = inside.filter((path) => path.startsWith('..'));
  for (const path of outside) note(`The local cloud caches only what lies below the source: '${path}' was passed over`);
  const files = inside.filter((path) => !path.startsWith('..')).map((path) => path.replace(/\/$/, '/**/*'));
  let content: Uint8Array;
  try {
    content = await archive(chooseFiles({ files, excludePaths: [], baseDirectory: undefined, discardPaths: false, name: undefined, followLinks: false }, source));
  } catch (error) {
    if (isAwsError(error, 'CLIENT_ERROR')) return;
    throw error;
  }
  if (cache.type === 'LOCAL') {
    const file = diskFile(build, directory);
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { force: true });
    writeFileSync(file, content);
    return;
  }
  const { bucket, key } = cacheObject(cache.location!, build);
  await client.call('s3', 'PutObject', { Bucket: bucket, Key: key, Body: content });
}
