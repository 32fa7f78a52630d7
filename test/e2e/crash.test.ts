import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { S3 } from '@aws-sdk/client-s3';
import { SNS } from '@aws-sdk/client-sns';
import { SSM } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, execute, expectSuccess, recordOf, startTestCloud, type TestCloud } from './cloud.js';

/** What was acknowledged stands, whatever happens to the process; and one folder has one owner. */

let cloud: TestCloud;
beforeAll(async () => void (cloud = await startTestCloud({ dev: '111111111111/eu-west-1' })));
afterAll(() => cloud?.stop());

const processId = (): number => (JSON.parse(readFileSync(join(cloud.state, 'cloud', 'cloud.json'), 'utf8')) as { pid: number }).pid;
const restart = async (): Promise<void> => {
  expect(recordOf(expectSuccess(await cloud.flotilla('cloud', 'start', '--output', 'json')))).toMatchObject({ endpoint: cloud.endpoint, started: true });
};
const ROUNDS = 6;

describe('kill -9 while writing', () => {
  it('loses no object, no parameter and no stack that was acknowledged', async () => {
    const settings = cloud.client('dev');
    const s3 = new S3(settings);
    const ssm = new SSM(settings);
    const cloudFormation = new CloudFormation(settings);
    await s3.createBucket({ Bucket: 'crash', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
    await s3.putBucketVersioning({ Bucket: 'crash', VersioningConfiguration: { Status: 'Enabled' } });
    const objects = new Map<string, string>();
    const parameters = new Map<string, string>();
    const stacks = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      let going = true;
      const write = async (work: (i: number) => Promise<void>): Promise<void> => {
        for (let i = 0; going; i++) await work(i).catch(() => (going = false));
      };
      const writers = [
        write(async (i) => {
          const [key, body] = [`object-${i % 7}`, `${round}/${i}`.padEnd(i % 3 === 0 ? 400_000 : 10, '.')];
          await s3.putObject({ Bucket: 'crash', Key: key, Body: body });
          objects.set(key, body);
        }),
        write(async (i) => {
          await ssm.putParameter({ Name: `/crash/${i % 5}`, Value: `${round}/${i}`, Type: 'String', Overwrite: true });
          parameters.set(`/crash/${i % 5}`, `${round}/${i}`);
        }),
        write(async (i) => {
          const name = `crash-${round}-${i}`;
          await cloudFormation.createStack({ StackName: name, TemplateBody: JSON.stringify({ Resources: { A: { Type: 'AWS::SNS::Topic', Properties: { TopicName: name } }, B: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: { 'Fn::Sub': '/stack/${A.TopicName}' }, Value: 'x' } } } }) });
          stacks.add(name);
        }),
      ];
      // Not at a fixed moment of the work: after so many acknowledged writes.
      const enough = parameters.size === 0 ? 5 : 20 + 13 * round;
      let seen = 0;
      await new Promise<void>((resolve) => {
        const put = parameters.set.bind(parameters);
        parameters.set = (...entry) => {
          if (++seen === enough) resolve();
          return put(...entry);
        };
      });
      process.kill(processId(), 'SIGKILL');
      await Promise.all(writers);
      delete (parameters as { set?: unknown }).set;
      await restart();

      for (const [key, body] of objects) {
        const found = await (await s3.getObject({ Bucket: 'crash', Key: key })).Body!.transformToString();
        // A write that was cut off may have been done without being acknowledged: then it is the later one, whole.
        if (found !== body) expect(found, key).toMatch(new RegExp(`^${round}/\\d+\\.*$`));
        expect(found.length === 10 || found.length === 400_000).toBe(true);
        objects.set(key, found);
      }
      for (const [name, value] of parameters) {
        const found = (await ssm.getParameter({ Name: name })).Parameter!.Value!;
        if (found !== value) expect(Number(found.split('/')[1])).toBeGreaterThan(Number(value.split('/')[1]));
      }
      for (const name of stacks) await settled(cloudFormation, name);
    }
    const topics = new Set(((await listTopics(new SNS(settings))) ?? []).map((arn) => arn.split(':').at(-1)));
    for (const name of stacks) expect(topics.has(name), name).toBe(true);
  });

  it('leaves no half-written blob under a name that counts', () => {
    const folder = join(cloud.state, 'cloud', 'blobs');
    for (const name of readdirSync(folder)) if (name !== 'incoming') for (const blob of readdirSync(join(folder, name))) expect(blob).toMatch(/^[0-9a-f]{64}$/);
  });
});

/** The stack is taken up where the crash left it, and ends. */
async function settled(client: CloudFormation, name: string): Promise<void> {
  for (;;) {
    const { StackStatus, StackStatusReason } = (await client.describeStacks({ StackName: name })).Stacks![0]!;
    if (StackStatus === 'CREATE_COMPLETE') return;
    if (!StackStatus!.endsWith('_IN_PROGRESS')) throw new Error(`${name} is ${StackStatus}: ${StackStatusReason}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function listTopics(client: SNS): Promise<string[]> {
  const found: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.listTopics(token === undefined ? {} : { NextToken: token });
    found.push(...(page.Topics ?? []).map(({ TopicArn }) => TopicArn!));
    token = page.NextToken;
  } while (token !== undefined);
  return found;
}

describe('one folder', () => {
  it('has one owner; a second process names it and ends', async () => {
    const program = join(CLI, '..', 'local.js');
    const second = await execute(process.execPath, [program, '--dir', join(cloud.state, 'cloud')], { cwd: cloud.folder, env: process.env as Record<string, string> });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('CLD004');
    expect(second.stderr).toContain(String(processId()));
    await new S3(cloud.client('dev')).headBucket({ Bucket: 'crash' });
  });

  it('is taken by exactly one of many that start at once', async () => {
    await cloud.flotilla('cloud', 'stop');
    const starts = await Promise.all(Array.from({ length: 4 }, () => cloud.flotilla('cloud', 'start', '--output', 'json')));
    const won = starts.filter(({ code }) => code === 0);
    expect(won.length).toBeGreaterThanOrEqual(1);
    expect(new Set(won.map((ran) => (recordOf(ran) as { pid: number }).pid)).size).toBe(1);
    for (const lost of starts.filter(({ code }) => code !== 0)) expect(lost.stdout).toContain('CLD004');
    await new S3(cloud.client('dev')).headBucket({ Bucket: 'crash' });
  });
});

describe('the user’s own AWS settings', () => {
  it('are never read by a local command, nor given to the cloud', async () => {
    const home = join(cloud.folder, 'user');
    const marker = join(cloud.folder, 'credentials-were-read');
    mkdirSync(join(home, '.aws'), { recursive: true });
    writeFileSync(join(home, '.aws', 'config'), `[default]\nregion = eu-west-1\ncredential_process = touch ${marker}\n[profile dev]\ncredential_process = touch ${marker}\n`);
    const env = { PATH: process.env['PATH']!, HOME: home, AWS_ACCESS_KEY_ID: 'AKIAREAL000000000000', AWS_SECRET_ACCESS_KEY: 'real-secret', AWS_SESSION_TOKEN: 'real-token' };
    const state = join(cloud.folder, 'other', '.flotilla');
    const run = (...args: string[]) => execute(process.execPath, [CLI, ...args, '--dir', state], { cwd: cloud.folder, env });
    expectSuccess(await run('cloud', 'start', '--account', 'dev=111111111111'));
    try {
      const { pid } = JSON.parse(readFileSync(join(state, 'cloud', 'cloud.json'), 'utf8')) as { pid: number };
      if (process.platform === 'linux') expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/AKIAREAL|real-secret|real-token/);
      const shown = expectSuccess(await run('cloud', 'env')).stdout;
      expect(shown).toContain('unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN');
      expect(shown).not.toMatch(/real-/);
      for (const command of ['status', 'inbox']) expectSuccess(await run('cloud', command));
      expect(existsSync(marker)).toBe(false);
    } finally {
      await run('cloud', 'stop');
    }
  });
});
