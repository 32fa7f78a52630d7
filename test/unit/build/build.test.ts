import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as CodeBuild from '../../../src/local/models/types/codebuild.js';
import { archive, entries } from '../../../src/local/process/zip.js';
import type { Body } from '../../../src/local/kernel/service.js';
import { eventually, functionCloud, REGION, type FunctionCloud } from '../services/function-cloud.js';

/** Whole builds on a whole cloud: project, role, processes, log, artifacts (CodeBuild user guide). */

let cloud: FunctionCloud;
let role: string;
beforeAll(async () => {
  process.env['FLOTILLA_ISOLATION'] = 'process';
  cloud = await functionCloud();
  role = await cloud.role('builder', ['*'], 'codebuild.amazonaws.com');
  await cloud.admin.call('s3', 'CreateBucket', { Bucket: 'results', CreateBucketConfiguration: { LocationConstraint: REGION } });
});
afterAll(async () => {
  delete process.env['FLOTILLA_ISOLATION'];
  await cloud.stop();
});

interface Spec {
  readonly env?: object;
  readonly phases: Record<string, object>;
  readonly artifacts?: object;
  readonly cache?: object;
}

let projects = 0;

async function start(spec: Spec | string, more: Record<string, unknown> = {}): Promise<string> {
  const name = `project-${++projects}`;
  await cloud.admin.call('codebuild', 'CreateProject', {
    name, serviceRole: role, artifacts: { type: 'NO_ARTIFACTS' }, environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/standard:7.0', computeType: 'BUILD_GENERAL1_SMALL' },
    source: { type: 'NO_SOURCE', buildspec: typeof spec === 'string' ? spec : JSON.stringify({ version: '0.2', ...spec }, undefined, 1) }, ...more,
  });
  return again(name);
}

const again = async (name: string, more: Record<string, unknown> = {}): Promise<string> => (await cloud.admin.call<{ build: CodeBuild.Build }>('codebuild', 'StartBuild', { projectName: name, ...more })).build.id!;
const look = async (id: string): Promise<CodeBuild.Build> => (await cloud.admin.call<{ builds: CodeBuild.Build[] }>('codebuild', 'BatchGetBuilds', { ids: [id] })).builds[0]!;
const ended = (id: string): Promise<CodeBuild.Build> => eventually(async () => ((await look(id)).buildStatus === 'IN_PROGRESS' ? undefined : look(id)));
const build = async (...args: Parameters<typeof start>): Promise<CodeBuild.Build> => ended(await start(...args));
const phases = (done: CodeBuild.Build): Record<string, string> => Object.fromEntries(done.phases!.filter(({ phaseStatus }) => phaseStatus).map(({ phaseType, phaseStatus }) => [phaseType!, phaseStatus!]));
const reason = (done: CodeBuild.Build): string | undefined => done.phases!.flatMap(({ contexts = [] }) => contexts).find(({ statusCode }) => statusCode)?.message;

async function logOf(done: CodeBuild.Build): Promise<string[]> {
  const { events } = await cloud.admin.call<{ events: { message: string }[] }>('logs', 'GetLogEvents', { logGroupName: done.logs!.groupName, logStreamName: done.logs!.streamName, startFromHead: true });
  return events.map(({ message }) => message.trimEnd());
}

async function bytesOf(Key: string): Promise<Uint8Array> {
  const { Body: body } = await cloud.admin.call<{ Body: Body }>('s3', 'GetObject', { Bucket: 'results', Key });
  return body.bytes();
}

describe('a build', () => {
  it('runs its phases in order and carries environment and folder across them', async () => {
    const done = await build({ env: { variables: { A: '1' }, 'exported-variables': ['B', 'NONE'] }, phases: { install: { commands: ['export B="$A-2"', 'mkdir x', 'cd x'] }, build: { commands: ['echo "in $(basename "$PWD") with $B"'] } } });
    expect(done.buildStatus).toBe('SUCCEEDED');
    expect(done.phases!.map(({ phaseType }) => phaseType)).toEqual(['SUBMITTED', 'QUEUED', 'PROVISIONING', 'DOWNLOAD_SOURCE', 'INSTALL', 'BUILD', 'UPLOAD_ARTIFACTS', 'FINALIZING', 'COMPLETED']);
    expect(await logOf(done)).toContain('in x with 1-2');
    expect(done.exportedEnvironmentVariables).toEqual([{ name: 'B', value: '1-2' }, { name: 'NONE', value: '' }]);
  });

  it('has the variables CodeBuild sets, and its role’s credentials, and nobody else’s', async () => {
    const done = await build({ phases: { build: { commands: ['echo "$CODEBUILD_BUILD_ID $AWS_REGION $CI $CODEBUILD_BUILD_SUCCEEDING"', 'test -z "$AWS_ACCESS_KEY_ID$AWS_PROFILE"', 'curl -s -H "Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN" "$AWS_CONTAINER_CREDENTIALS_FULL_URI" | grep -c "\\"AccessKeyId\\":\\"ASIA"'] } } });
    expect([done.buildStatus, reason(done)]).toEqual(['SUCCEEDED', undefined]);
    expect(await logOf(done)).toEqual(expect.arrayContaining([`${done.id} ${REGION} true 1`, '1']));
  });

  it.each<[what: string, spec: Spec, status: string, expected: Record<string, string>, lines: string[]]>([
    ['whose install fails runs nothing more, but its finally', { phases: { install: { commands: ['exit 3'], finally: ['echo finally'] }, build: { commands: ['echo never'] }, post_build: { commands: ['echo never'] } } }, 'FAILED', { INSTALL: 'FAILED' }, ['finally']],
    ['whose build fails still runs post_build, which sees it', { phases: { build: { commands: ['false'], finally: ['echo finally'] }, post_build: { commands: ['echo "succeeding $CODEBUILD_BUILD_SUCCEEDING"'] } } }, 'FAILED', { BUILD: 'FAILED', POST_BUILD: 'SUCCEEDED' }, ['finally', 'succeeding 0']],
    ['goes on after a failure it was told to pass over', { phases: { install: { 'on-failure': 'CONTINUE', commands: ['false'] }, build: { commands: ['echo built'] } } }, 'SUCCEEDED', { INSTALL: 'FAILED', BUILD: 'SUCCEEDED' }, ['built']],
    ['passes over a failed build it was told to, and later phases see it', { phases: { build: { 'on-failure': 'CONTINUE', commands: ['false'] }, post_build: { commands: ['echo "succeeding $CODEBUILD_BUILD_SUCCEEDING"'] } } }, 'SUCCEEDED', { BUILD: 'FAILED', POST_BUILD: 'SUCCEEDED' }, ['succeeding 0']],
    ['fails by its finally too', { phases: { build: { commands: ['echo built'], finally: ['exit 4'] } } }, 'FAILED', { BUILD: 'FAILED' }, ['built']],
    ['ends at a failed build that aborts', { phases: { build: { 'on-failure': 'ABORT', commands: ['false'] }, post_build: { commands: ['echo never'] } } }, 'FAILED', { BUILD: 'FAILED' }, []],
  ])('%s', async (_what, spec, status, expected, lines) => {
    const done = await build(spec);
    expect([done.buildStatus, phases(done)]).toEqual([status, expect.objectContaining(expected)]);
    const log = await logOf(done);
    expect(log).toEqual(expect.arrayContaining(lines));
    expect(log).not.toContain('never');
  });

  it('attempts its artifacts after a failed build', async () => {
    const done = await build({ phases: { build: { commands: ['echo x > a.txt', 'false'] } }, artifacts: { files: ['a.txt'] } }, { artifacts: { type: 'S3', location: 'results', packaging: 'NONE', name: 'failed' } });
    expect([done.buildStatus, phases(done)['UPLOAD_ARTIFACTS']]).toEqual(['FAILED', 'SUCCEEDED']);
    const early = await build({ phases: { install: { commands: ['false'] } }, artifacts: { files: ['**/*'] } });
    expect(phases(early)).not.toHaveProperty('UPLOAD_ARTIFACTS');
    expect(Buffer.from(await bytesOf('failed/a.txt')).toString()).toBe('x\n');
  });

  it('leaves its artifacts, the secondary ones beside the first', async () => {
    const done = await build(
      { phases: { build: { commands: ['mkdir -p out/d; echo 1 > out/a; echo 2 > out/d/b; echo 3 > c'] } }, artifacts: { files: ['**/*'], 'base-directory': 'out', 'secondary-artifacts': { Two: { files: ['c'], name: 'second' } } } },
      { artifacts: { type: 'S3', location: 'results', packaging: 'ZIP', path: 'zips', name: 'first.zip' }, secondaryArtifacts: [{ type: 'S3', location: 'results', packaging: 'NONE', artifactIdentifier: 'Two', name: 'other' }] },
    );
    expect([done.buildStatus, reason(done)]).toEqual(['SUCCEEDED', undefined]);
    expect((await entries(await bytesOf('zips/first.zip'))).map(({ name }) => name).sort()).toEqual(['a', 'd/b']);
  });

  it('fails with CodeBuild’s sentence where no file matches', async () => {
    const done = await build({ phases: { build: { commands: ['true'] } }, artifacts: { files: ['none'] } }, { artifacts: { type: 'S3', location: 'results' } });
    expect([done.buildStatus, phases(done)['UPLOAD_ARTIFACTS'], reason(done)]).toEqual(['FAILED', 'FAILED', 'no matching artifact paths found']);
  });

  it('fails in DOWNLOAD_SOURCE by a buildspec that is none', async () => {
    const done = await build('version: 0.2\nphases: {build: {comands: [a]}}\n');
    expect([phases(done)['DOWNLOAD_SOURCE'], reason(done)]).toEqual(['FAILED', "invalid buildspec: unknown key 'phases.build.comands'"]);
  });

  it('takes secrets and parameters, and shows no secret in its log', async () => {
    await cloud.admin.call('secretsmanager', 'CreateSecret', { Name: 'login', SecretString: JSON.stringify({ password: 'hunter2!' }) });
    await cloud.admin.call('ssm', 'PutParameter', { Name: '/plain', Value: 'visible', Type: 'String' });
    const done = await build({ env: { 'secrets-manager': { PASSWORD: 'login:password' }, 'parameter-store': { PLAIN: '/plain' } }, phases: { build: { commands: ['echo "$PLAIN and $PASSWORD"'] } } });
    expect(await logOf(done)).toContain('visible and ***');
    const missing = await build({ env: { 'parameter-store': { X: '/none' } }, phases: { build: { commands: ['true'] } } });
    expect([missing.buildStatus, reason(missing)]).toEqual(['FAILED', expect.stringContaining('ParameterNotFound')]);
  });

  it('reads a source from S3 and its buildspec.yml', async () => {
    await cloud.admin.call('s3', 'PutObject', { Bucket: 'results', Key: 'src.zip', Body: await archive([{ name: 'buildspec.yml', data: Buffer.from('version: 0.2\nphases:\n  build:\n    commands:\n      - cat hello.txt\n') }, { name: 'hello.txt', data: Buffer.from('from the source\n') }]) });
    const done = await build('', { source: { type: 'S3', location: 'results/src.zip' } });
    expect([done.buildStatus, reason(done)]).toEqual(['SUCCEEDED', undefined]);
    expect(await logOf(done)).toContain('from the source');
  });

  it('keeps its cache from one build to the next', async () => {
    const first = await build({ phases: { build: { commands: ['cat kept/n 2>/dev/null || echo nothing', 'mkdir -p kept; echo cached > kept/n'] } }, cache: { paths: ['kept/**/*'] } }, { cache: { type: 'LOCAL', modes: ['LOCAL_CUSTOM_CACHE'] } });
    const second = await ended(await again(first.projectName!));
    expect([(await logOf(first)).includes('nothing'), (await logOf(second)).includes('cached')]).toEqual([true, true]);
  });

  it('is stopped with all its commands', async () => {
    const id = await start({ phases: { build: { commands: ['sleep 60', 'echo never'] }, post_build: { commands: ['echo never'] } } });
    await eventually(async () => ((await look(id)).currentPhase === 'BUILD' ? true : undefined));
    await cloud.admin.call('codebuild', 'StopBuild', { id });
    const done = await ended(id);
    expect([done.buildStatus, phases(done)['BUILD']]).toEqual(['STOPPED', 'STOPPED']);
    expect(await logOf(done)).not.toContain('never');
  });

  it('is started once for one token', async () => {
    const done = await build({ phases: { build: { commands: ['true'] } } });
    const [one, two] = [await again(done.projectName!, { idempotencyToken: 't' }), await again(done.projectName!, { idempotencyToken: 't' })];
    expect(one).toBe(two);
    await ended(one);
  });

  it('fails where its role trusts CodeBuild not', async () => {
    const other = await cloud.role('not-builder', ['*'], 'lambda.amazonaws.com');
    const refused = await build({ phases: { build: { commands: ['true'] } } }, { serviceRole: other }).then((done) => reason(done), (error: Error) => error.message);
    expect(refused).toMatch(/not authorized to perform: sts:AssumeRole/);
  });
});
