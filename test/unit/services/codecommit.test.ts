import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash, createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountCredentials } from '../../../src/local/services/iam/identity.js';
import { A, eventually, functionCloud, REGION, type FunctionCloud } from './function-cloud.js';

/** CodeCommit by real git: clone, push, the credential helper's signature, and what a push sets off. */

let cloud: FunctionCloud;
let folder: string;
beforeAll(async () => {
  cloud = await functionCloud();
  folder = mkdtempSync(join(tmpdir(), 'codecommit-'));
  await cloud.admin.call('codecommit', 'CreateRepository', { repositoryName: 'app' });
});
afterAll(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = promisify(execFile);
async function git(directory: string, ...args: string[]): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const env = { PATH: process.env['PATH'], HOME: folder, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
  return (await run('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', '-c', 'init.defaultBranch=main', ...args], { cwd: directory, env })).stdout.trim();
}

/** User name and password as `aws codecommit credential-helper` makes them of a URL. */
function signed(url: URL, keys: { accessKeyId: string; secretAccessKey: string }, at = new Date()): { username: string; password: string } {
  const timestamp = at.toISOString().replace(/[-:]|\.\d+Z$/g, '');
  const scope = `${timestamp.slice(0, 8)}/${REGION}/codecommit/aws4_request`;
  const canonical = `GIT\n${url.pathname}\n\nhost:${url.host}\n\nhost\n`;
  const text = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const key = scope.split('/').reduce<Buffer>((current, part) => createHmac('sha256', current).update(part).digest(), Buffer.from(`AWS4${keys.secretAccessKey}`));
  return { username: keys.accessKeyId, password: `${timestamp}Z${createHmac('sha256', key).update(text).digest('hex')}` };
}

function remote(change: (given: { username: string; password: string }) => { username: string; password: string } = (given) => given): string {
  const url = new URL('/v1/repos/app', cloud.endpoint);
  Object.assign(url, change(signed(url, accountCredentials(cloud.runtime.state, A))));
  return url.href;
}

describe('git', () => {
  it('pushes and clones with what the credential helper signs', async () => {
    const work = join(folder, 'work');
    await git(work, 'init', '--quiet');
    writeFileSync(join(work, 'a.txt'), 'one\n');
    await git(work, 'add', '.');
    await git(work, 'commit', '--quiet', '-m', 'First');
    await git(work, 'push', '--quiet', remote(), 'HEAD:refs/heads/main');
    const head = await git(work, 'rev-parse', 'HEAD');
    const { branch } = await cloud.admin.call<{ branch: { commitId: string } }>('codecommit', 'GetBranch', { repositoryName: 'app', branchName: 'main' });
    expect(branch.commitId).toBe(head);
    await git(folder, 'clone', '--quiet', '--branch', 'main', remote(), 'copy');
    expect(readFileSync(join(folder, 'copy', 'a.txt'), 'utf8')).toBe('one\n');
  });

  it.each<[string, (given: { username: string; password: string }) => { username: string; password: string }]>([
    ['another signature', ({ username, password }) => ({ username, password: `${password.slice(0, -1)}${password.endsWith('0') ? '1' : '0'}` })],
    ['another key', ({ password }) => ({ username: 'AKIAIOSFODNN7EXAMPLE', password })],
    ['no password', ({ username }) => ({ username, password: '' })],
  ])('is refused with %s', async (_what, change) => {
    await expect(git(folder, 'ls-remote', remote(change))).rejects.toThrow(/Authentication failed|terminal prompts disabled|40[13]|could not read/i);
  });

  it('lets a user in with Git credentials made in IAM, as far as his policies go and as long as they are active', async () => {
    await cloud.admin.call('iam', 'CreateUser', { UserName: 'ada' });
    await cloud.admin.call('iam', 'PutUserPolicy', { UserName: 'ada', PolicyName: 'Reads', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'codecommit:GitPull', Resource: '*' } }) });
    const { ServiceSpecificCredential: made } = await cloud.admin.call<{ ServiceSpecificCredential: { ServiceUserName: string; ServicePassword: string; ServiceSpecificCredentialId: string } }>('iam', 'CreateServiceSpecificCredential', { UserName: 'ada', ServiceName: 'codecommit.amazonaws.com' });
    const url = remote(() => ({ username: made.ServiceUserName, password: encodeURIComponent(made.ServicePassword) }));
    expect(await git(folder, 'ls-remote', url)).toContain('refs/heads/main');
    await expect(git(join(folder, 'work'), 'push', url, 'HEAD:refs/heads/other')).rejects.toThrow(/403/);
    await expect(git(folder, 'ls-remote', remote(() => ({ username: made.ServiceUserName, password: 'another' })))).rejects.toThrow(/Authentication failed|terminal prompts disabled|401|could not read/i);
    await cloud.admin.call('iam', 'UpdateServiceSpecificCredential', { UserName: 'ada', ServiceSpecificCredentialId: made.ServiceSpecificCredentialId, Status: 'Inactive' });
    await expect(git(folder, 'ls-remote', url)).rejects.toThrow(/Authentication failed|terminal prompts disabled|401|could not read/i);
  });

  it('push sends the event that pipelines listen to', async () => {
    const { QueueUrl } = await cloud.admin.call<{ QueueUrl: string }>('sqs', 'CreateQueue', { QueueName: 'pushes', Attributes: {} });
    const queueArn = `arn:aws:sqs:${REGION}:${A}:pushes`;
    await cloud.admin.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: queueArn }] }) } });
    await cloud.admin.call('events', 'PutRule', { Name: 'pushes', EventPattern: JSON.stringify({ source: ['aws.codecommit'], detail: { referenceName: ['release'] } }) });
    await cloud.admin.call('events', 'PutTargets', { Rule: 'pushes', Targets: [{ Id: '1', Arn: queueArn }] });
    const work = join(folder, 'work');
    const before = await git(work, 'rev-parse', 'HEAD');
    await git(work, 'push', '--quiet', remote(), 'HEAD:refs/heads/release');
    const { Body: body } = await eventually(async () => (await cloud.admin.call<{ Messages?: { Body: string }[] }>('sqs', 'ReceiveMessage', { QueueUrl })).Messages?.[0]);
    expect(JSON.parse(body)).toMatchObject({
      'detail-type': 'CodeCommit Repository State Change', resources: [`arn:aws:codecommit:${REGION}:${A}:app`],
      detail: { event: 'referenceCreated', referenceType: 'branch', referenceName: 'release', referenceFullName: 'refs/heads/release', repositoryName: 'app', commitId: before },
    });
  });
});
