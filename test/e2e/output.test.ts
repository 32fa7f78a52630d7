import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SNS } from '@aws-sdk/client-sns';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, execute, expectSuccess, outputOf, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** What commands print with `--output json`, each held against the schema that is published for it. Those of the operator are so in their own tests. */

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud({ tools: '999999999999', dev: '111111111111' });
});
afterAll(() => cloud?.stop());

const flotilla = (...args: string[]): Promise<Ran> => execute(process.execPath, [CLI, ...args, '--output', 'json'], { cwd: cloud.folder, env: { ...cloud.environment } });
const answer = async (name: string, ...args: string[]): Promise<unknown> => outputOf(name, expectSuccess(await flotilla(...name.split(' '), ...args)));

describe('the published schema holds for', () => {
  it('init, and for plan and validate of what it wrote, at first and against the commit before', async () => {
    const folder = join(cloud.folder, 'shop');
    expect(await answer('init', 'networking', folder, '--name', 'shop', '--yes')).toMatchObject({ template: 'networking', name: 'shop' });
    const file = join(folder, 'flotilla.yaml');
    const overlay = ['--overlay', join(folder, 'deployments', 'core.yaml')];
    expect(await answer('validate', file, ...overlay)).toMatchObject({ valid: true, targets: 3 });
    expect(await answer('plan', file, ...overlay)).not.toHaveProperty('since');
    const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: folder, stdio: 'ignore' });
    git('init', '--quiet');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'First commit');
    writeFileSync(join(folder, 'deployments', 'core.yaml'), 'fleet: shop-two\n');
    expect(await answer('plan', file, ...overlay)).toMatchObject({ since: { changes: expect.arrayContaining([expect.objectContaining({ kind: 'danger' })]) } });
  });

  it('explain, of one code and of all', async () => {
    expect(await answer('explain', 'CFG012')).toMatchObject({ type: 'explanation', code: 'CFG012' });
    expect(await answer('explain')).toMatchObject({ type: 'codes' });
  });

  it('the mistakes of a fleet file, and any other error', async () => {
    writeFileSync(join(cloud.folder, 'wrong.yaml'), 'fleet: Wrong Name\n');
    for (const command of ['validate', 'plan']) {
      const refused = await flotilla(command, 'wrong.yaml');
      expect([refused.code, outputOf('problems', refused)]).toMatchObject([2, { problems: expect.arrayContaining([expect.objectContaining({ where: expect.stringContaining('wrong.yaml:1:') })]) }]);
    }
    const unknown = await flotilla('explain', 'XYZ999');
    expect([unknown.code, outputOf('error', unknown)]).toMatchObject([6, { code: 'CLI012' }]);
  });

  it('every command of the local cloud', async () => {
    const state = ['--dir', cloud.state];
    expect(await answer('cloud start', ...state)).toMatchObject({ started: false });
    expect(await answer('cloud status', ...state)).toMatchObject({ target: 'LOCAL' });
    expect(await answer('cloud env', '--account', 'dev', ...state)).toMatchObject({ AWS_PROFILE: 'dev' });
    const sns = new SNS(cloud.client('dev', 'us-east-1'));
    const { TopicArn } = await sns.createTopic({ Name: 'news' });
    await sns.subscribe({ TopicArn, Protocol: 'email', Endpoint: 'ada@example.com' });
    await expect.poll(() => answer('cloud inbox', ...state)).toMatchObject([{ channel: 'email', to: 'ada@example.com' }]);
    expect(await answer('cloud dump', '111111111111', ...state)).not.toEqual([]);
    writeFileSync(join(cloud.folder, 'none.json'), JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }] }));
    expect(await answer('cloud organization', '999999999999', ...state)).toMatchObject({ management: '999999999999' });
    expect(await answer('cloud scp', 'dev', join(cloud.folder, 'none.json'), ...state)).toMatchObject({ policies: ['none'] });
    await expect(new S3(cloud.client('dev', 'us-east-1')).listBuckets({})).rejects.toThrow(/explicit deny/);
    expect(await answer('cloud why', ...state)).toMatchObject({ text: expect.stringContaining('control policy') });
    expect(await answer('cloud stop', ...state)).toEqual({ stopped: true });
    expect(await answer('cloud reset', ...state)).toEqual({ reset: true, stopped: false });
  });
});
