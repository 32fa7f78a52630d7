import { join } from 'node:path';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, root, startTestCloud, writeFiles, type Ran, type TestCloud } from './cloud.js';

/** The publisher that an assembly of schema 55 takes along, against the local cloud. */

const BUCKET = 'assets-111111111111-us-east-1';
let cloud: TestCloud;
let assembly: string;
let s3: S3;

beforeAll(async () => {
  cloud = await startTestCloud({ dev: '111111111111/us-east-1' });
  s3 = new S3({ ...cloud.client('dev'), forcePathStyle: true });
  const file = (path: string, packaging: string): object => ({ source: { path, packaging }, destinations: { 'here-1a': { bucketName: BUCKET, objectKey: `${path}-key`, region: 'us-east-1' } } });
  assembly = writeFiles(join(cloud.folder, 'assembly'), {
    'page.html': '<h1>Payments of this month</h1>',
    'code/index.js': 'exports.handler = async () => 1;',
    'app.assets.json': JSON.stringify({ version: '55.0.0', files: { page: file('page.html', 'file'), code: file('code', 'zip') }, dockerImages: {} }),
  });
}, 60_000);

afterAll(() => cloud?.stop());

function publish(...selected: string[]): Promise<Ran> {
  return cloud.program(process.execPath, [join(root, 'dist/publisher/cdk-assets'), '--path', 'app.assets.json', '--verbose', 'publish', ...selected], { cwd: assembly });
}

describe('the publisher of an assembly', () => {
  it('names the asset whose bucket is missing, and fails', async () => {
    const ran = await publish('page:here-1a');
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/page.*No bucket named 'assets-111111111111-us-east-1'/)]);
  });

  it('says how it is called where no manifest is named', async () => {
    const ran = await cloud.program(process.execPath, [join(root, 'dist/publisher/cdk-assets'), 'publish'], { cwd: assembly });
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/STP002.*\n {2}fix {2}cdk-assets --path MANIFEST publish/)]);
  });

  it('uploads the assets it is asked for', async () => {
    await s3.createBucket({ Bucket: BUCKET });
    expectSuccess(await publish('page:here-1a'));
    const { Contents } = await s3.listObjectsV2({ Bucket: BUCKET });
    expect(Contents?.map(({ Key }) => Key)).toEqual(['page.html-key']);
    const { Body, ContentType } = await s3.getObject({ Bucket: BUCKET, Key: 'page.html-key' });
    expect([await Body!.transformToString(), ContentType]).toEqual(['<h1>Payments of this month</h1>', 'text/html']);
  });

  it('uploads all without a selection, folders as archives, and leaves alone what is there', async () => {
    const ran = expectSuccess(await publish());
    expect(ran.stdout).toMatch(/found: Found s3:\/\/\S+\/page.html-key/);
    expect(ran.stdout.match(/upload:/g)).toHaveLength(1);
    const { Body } = await s3.getObject({ Bucket: BUCKET, Key: 'code-key' });
    expect((await Body!.transformToByteArray()).slice(0, 4)).toEqual(new Uint8Array([0x50, 0x4b, 3, 4]));
  });
});
