import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as CodeBuild from '../../src/local/models/types/codebuild.js';
import { archive } from '../../src/local/process/zip.js';
import { A, functionCloud, REGION, type FunctionCloud } from '../unit/services/function-cloud.js';

/** A Docker asset, from its folder to ECR: the real cdk-assets and a real container engine in a build of CodeBuild. Needs an engine on the machine. */

const folder = mkdtempSync(join(tmpdir(), 'containers-'));
const kept = { ...process.env };
// Storage of the test's own, of the kind that works without a kernel's help.
writeFileSync(join(folder, 'storage.conf'), `[storage]\ndriver = "vfs"\nrunroot = "${join(folder, 'run')}"\ngraphroot = "${join(folder, 'graph')}"\n`);
process.env['CONTAINERS_STORAGE_CONF'] ??= join(folder, 'storage.conf');
process.env['BUILDAH_ISOLATION'] ??= 'chroot';
process.env['FLOTILLA_ISOLATION'] = 'process';

const answers = (...command: string[]): boolean => spawnSync(command[0]!, command.slice(1), { stdio: 'ignore', timeout: 60_000 }).status === 0;
const image = join(folder, 'image');
mkdirSync(image);
writeFileSync(join(image, 'Dockerfile'), 'FROM scratch\nARG GREETING\nLABEL greeting=$GREETING\nCOPY hello /hello\n');
writeFileSync(join(image, 'hello'), 'hello\n');
const candidates = process.env['CDK_DOCKER'] ? [process.env['CDK_DOCKER']] : ['docker', 'finch', 'podman', 'buildah'];
const engine = candidates.find((name) => (name === 'docker' || name === 'finch' ? answers(name, 'version') : answers(name, 'build', '--tag', 'flotilla-probe', image)));
if (!engine) process.stderr.write(`skipped: Docker assets, for none of ${candidates.join(', ')} can build an image here\n`);

let cloud: FunctionCloud;
beforeAll(async () => {
  if (engine) cloud = await functionCloud();
});
afterAll(async () => {
  await cloud?.stop();
  process.env = kept;
  rmSync(folder, { recursive: true, force: true });
});

const REPOSITORY = `cdk-hnb659fds-container-assets-${A}-${REGION}`;
const HASH = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

async function publish(rights: readonly string[]): Promise<{ build: CodeBuild.Build; log: string }> {
  const name = `publish-${rights.length}`;
  const manifest = { version: '36.0.0', files: {}, dockerImages: { [HASH]: { source: { directory: `asset.${HASH}`, dockerBuildArgs: { GREETING: 'hi' } }, destinations: { [`${A}-${REGION}`]: { region: REGION, repositoryName: REPOSITORY, imageTag: HASH } } } } };
  const buildspec = JSON.stringify({ version: '0.2', phases: { install: { commands: ['npm install -g cdk-assets@latest'] }, build: { commands: [`cdk-assets --path App.assets.json --verbose publish "${HASH}:${A}-${REGION}"`] } } });
  const source = await archive([
    { name: 'buildspec.yml', data: Buffer.from(buildspec) },
    { name: 'App.assets.json', data: Buffer.from(JSON.stringify(manifest)) },
    ...['Dockerfile', 'hello'].map((file) => ({ name: `asset.${HASH}/${file}`, data: Buffer.from(file === 'hello' ? 'hello\n' : 'FROM scratch\nARG GREETING\nLABEL greeting=$GREETING\nCOPY hello /hello\n') })),
  ]);
  const serviceRole = await cloud.role(name, ['logs:*', 's3:GetObject*', ...rights], 'codebuild.amazonaws.com');
  await cloud.admin.call('s3', 'PutObject', { Bucket: 'sources', Key: `${name}.zip`, Body: source });
  await cloud.admin.call('codebuild', 'CreateProject', { name, serviceRole, artifacts: { type: 'NO_ARTIFACTS' }, environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/standard:7.0', computeType: 'BUILD_GENERAL1_SMALL', privilegedMode: true }, source: { type: 'S3', location: `sources/${name}.zip` } });
  const { build: started } = await cloud.admin.call<{ build: CodeBuild.Build }>('codebuild', 'StartBuild', { projectName: name });
  let build = started;
  while (build.buildStatus === 'IN_PROGRESS') build = (await cloud.admin.call<{ build: CodeBuild.Build }>('codebuild', 'AwaitPipelineBuild', { id: started.id })).build;
  const { events } = await cloud.admin.call<{ events: { message: string }[] }>('logs', 'GetLogEvents', { logGroupName: build.logs!.groupName, logStreamName: build.logs!.streamName, startFromHead: true });
  return { build, log: events.map(({ message }) => message).join('') };
}

describe.skipIf(!engine)(`a Docker asset, with ${engine ?? 'no engine'}`, { timeout: 300_000 }, () => {
  beforeAll(async () => {
    await cloud.admin.call('s3', 'CreateBucket', { Bucket: 'sources', CreateBucketConfiguration: { LocationConstraint: REGION } });
    await cloud.admin.call('ecr', 'CreateRepository', { repositoryName: REPOSITORY });
  });

  it('is not pushed by a role that may not', async () => {
    const { build, log } = await publish(['ecr:DescribeRepositories', 'ecr:DescribeImages', 'ecr:GetAuthorizationToken']);
    expect([build.buildStatus, log]).toEqual(['FAILED', expect.stringMatching(/403|denied/i)]);
    const { imageDetails } = await cloud.admin.call<{ imageDetails: unknown[] }>('ecr', 'DescribeImages', { repositoryName: REPOSITORY });
    expect(imageDetails).toEqual([]);
  });

  it('is built, tagged and pushed, and stands in ECR under its hash', async () => {
    const { build, log } = await publish(['ecr:*']);
    expect(build.buildStatus, log).toBe('SUCCEEDED');
    const { imageDetails } = await cloud.admin.call<{ imageDetails: { imageTags: string[]; imageSizeInBytes: number }[] }>('ecr', 'DescribeImages', { repositoryName: REPOSITORY });
    expect(imageDetails).toEqual([expect.objectContaining({ imageTags: [HASH], imageSizeInBytes: expect.any(Number) as number })]);
    const { images } = await cloud.admin.call<{ images: { imageManifest: string }[] }>('ecr', 'BatchGetImage', { repositoryName: REPOSITORY, imageIds: [{ imageTag: HASH }] });
    expect((JSON.parse(images[0]!.imageManifest) as { layers: unknown[] }).layers).toHaveLength(1);
  });

  it('that stands already is not built again', async () => {
    const { build, log } = await publish(['ecr:*', 'ecr:DescribeImages']);
    expect([build.buildStatus, log]).toEqual(['SUCCEEDED', expect.stringMatching(/found: /i)]);
    expect(log).not.toMatch(/\bSTEP 1\b|Building Docker image/i);
  });
});
