import { GetBucketVersioningCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalCloud, type LocalCloud } from '../../../src/local/index.js';
import { commitToRun, type CommitInfo } from '../../../src/ops/run/git.js';
import { makeSourceBucket, putCommit, sourceObject } from '../../../src/ops/run/source-objects.js';
import type { Target } from '../../../src/ops/target.js';

const PIPELINE = { account: '999999999999', region: 'eu-west-1' };
const folder = mkdtempSync(join(tmpdir(), 'source-objects-'));
const root = join(folder, 'app');
let cloud: LocalCloud;
let target: Target;
const git = (...args: string[]): string => execFileSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { encoding: 'utf8' });
function commit(text: string): Promise<CommitInfo> {
  writeFileSync(join(root, 'app.txt'), text);
  git('add', '--all');
  git('commit', '--quiet', '-m', `Ändert ${text}`);
  return commitToRun(root, { ref: 'HEAD', dirty: false });
}
beforeAll(async () => {
  execFileSync('git', ['init', '--quiet', root]);
  cloud = await startLocalCloud({ directory: join(folder, 'cloud') });
  target = { kind: 'LOCAL', endpoint: cloud.endpoint, credentials: (account) => Promise.resolve(cloud.credentials(account)) };
});
afterAll(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('an object that a pipeline reads', () => {
  const object = sourceObject({ provider: 'S3', configuration: { S3Bucket: 'the-source', S3ObjectKey: 'app.zip' } }, PIPELINE)!;

  it('lies where the action’s role reads it, else where the pipeline is', () => {
    expect(object).toEqual({ bucket: 'the-source', key: 'app.zip', ...PIPELINE });
    expect(sourceObject({ provider: 'S3', account: '111111111111', configuration: { S3Bucket: 'b', S3ObjectKey: 'k' } }, PIPELINE)).toMatchObject({ account: '111111111111', region: 'eu-west-1' });
    expect(sourceObject({ provider: 'S3', configuration: { S3ObjectKey: 'k' } }, PIPELINE)).toBeUndefined();
    expect(sourceObject({ provider: 'CodeCommit', configuration: { RepositoryName: 'app' } }, PIPELINE)).toBeUndefined();
  });

  it('is left alone while there is no bucket; the one that is made keeps versions', async () => {
    const first = await commit('one');
    expect(await putCommit(target, object, root, first)).toBeUndefined();
    expect([await makeSourceBucket(target, object), await makeSourceBucket(target, object)]).toEqual([true, false]);
    expect(await s3().send(new GetBucketVersioningCommand({ Bucket: 'the-source' }))).toMatchObject({ Status: 'Enabled' });
  });

  it('holds the files of the commit, put once for each commit', async () => {
    const two = await commit('two');
    const put = await putCommit(target, object, root, two);
    expect(put).toMatchObject({ put: true, version: expect.stringMatching(/./) as string });
    expect(await putCommit(target, object, root, two)).toEqual({ put: false, version: put!.version });
    const stored = await s3().send(new GetObjectCommand({ Bucket: 'the-source', Key: 'app.zip' }));
    expect(stored).toMatchObject({ VersionId: put!.version, Metadata: { 'codepipeline-artifact-revision-summary': `${two.id.slice(0, 7)} ?ndert two` } });
    writeFileSync(join(folder, 'stored.zip'), await stored.Body!.transformToByteArray());
    expect(execFileSync('python3', ['-c', 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.namelist(), z.read("app.txt").decode())', join(folder, 'stored.zip')], { encoding: 'utf8' })).toBe("['app.txt'] two\n");
    expect((await putCommit(target, object, root, await commit('three')))?.version).not.toBe(put!.version);
  });

  const s3 = (): S3Client => new S3Client({ endpoint: cloud.endpoint, region: 'eu-west-1', credentials: cloud.credentials('999999999999') });
});
