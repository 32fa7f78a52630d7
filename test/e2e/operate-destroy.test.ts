import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CodeCommit } from '@aws-sdk/client-codecommit';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { KMS } from '@aws-sdk/client-kms';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAssembly, type AssemblyModel } from '../../src/ops/run/assembly.js';
import { CLI, expectSuccess, outputOf, root, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** From nothing to everywhere and back, over five accounts and four regions, beside another team's bootstrap and stacks. In the order of its life. */

const ACCOUNTS = { tools: '999999999999', dev: '111111111111', test: '222222222222', stage: '333333333333', prod: '444444444444' };
const REGIONS = ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-southeast-2'];
const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
const profiles = Object.fromEntries(Object.entries(ACCOUNTS).map(([name, id]) => [id, name]));
let cloud: TestCloud;
let app: string;
let assembly: string;
let model: AssemblyModel;
let theirs: Record<string, unknown>;

beforeAll(async () => {
  cloud = await startTestCloud(ACCOUNTS);
  app = join(cloud.folder, 'app');
  cpSync(join(root, 'test/e2e/apps/fleet-app'), app, { recursive: true });
  writeFileSync(join(app, 'modules.json'), JSON.stringify(join(root, 'node_modules')));
  assembly = join(app, 'cdk.out');
  expectSuccess(await cloud.cdk(['synth', '--quiet'], { cwd: app }));
  model = readAssembly(assembly, { account: ACCOUNTS.tools, region: 'us-east-1' });
  await new CodeCommit(cloud.client('tools')).createRepository({ repositoryName: 'fleet' });
});
afterAll(() => cloud?.stop());

const operate = (command: string, ...args: string[]): Promise<Ran> => cloud.flotilla('--local', command, '--assembly', assembly, '--output', 'json', ...args);
const cfn = (account: string, region: string) => new CloudFormation(cloud.client(profiles[account]!, region));

/** Everything an account and region holds of CloudFormation and S3, by what a reader of the API sees. */
async function holdings(): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const account of Object.values(ACCOUNTS)) {
    for (const region of REGIONS) {
      const { Stacks = [] } = await cfn(account, region).describeStacks({});
      for (const stack of Stacks) found[`${account}/${region} stack ${stack.StackName}`] = stack;
    }
    const { Buckets = [] } = await new S3(cloud.client(profiles[account]!)).listBuckets({});
    for (const { Name } of Buckets) found[`${account} bucket ${Name}`] = Name;
  }
  return found;
}
const of = (all: Record<string, unknown>, pattern: RegExp) => Object.fromEntries(Object.entries(all).filter(([key]) => pattern.test(key)));
const ofTheirs = (all: Record<string, unknown>) => of(all, /Their|theirs/);

/** The application's stacks, as the pipeline deploys them: with the execution role of the bootstrap. */
async function deployApplications(): Promise<void> {
  const rounds = [/\/Network$/, /\/Service$/].map((pattern) => model.stacks.filter(({ path }) => pattern.test(path)));
  for (const stacks of rounds)
    await Promise.all(
      stacks.map(async ({ account, region, stackName, templateFile }) => {
        const client = cfn(account, region);
        await client.createStack({ StackName: stackName, TemplateBody: readFileSync(templateFile, 'utf8'), RoleARN: `arn:aws:iam::${account}:role/cdk-hnb659fds-cfn-exec-role-${account}-${region}` });
        await expect.poll(async () => (await client.describeStacks({ StackName: stackName })).Stacks![0]!.StackStatus, { timeout: 60_000 }).toBe('CREATE_COMPLETE');
      }),
    );
}

describe('deploy', () => {
  it('refuses before anything is bootstrapped, with the command that does it', async () => {
    const ran = await operate('deploy', '--yes');
    expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining('DPL004')]);
  });

  it('brings about the pipeline and its support stacks, and asks nothing twice', async () => {
    expectSuccess(await operate('bootstrap', '--yes', '--cloudformation-execution-policies', ADMIN));
    expectSuccess(await cloud.flotilla('--local', 'bootstrap', '--yes', '--pair', '444444444444/eu-west-1', '--pair', '999999999999/us-east-1', '--qualifier', 'theirs', '--toolkit-stack-name', 'TheirToolkit'));
    const them = cfn(ACCOUNTS.prod, 'eu-west-1');
    await them.createStack({ StackName: 'TheirService', TemplateBody: JSON.stringify({ Resources: { Store: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'theirs-store' } } } }), RoleARN: 'arn:aws:iam::444444444444:role/cdk-theirs-cfn-exec-role-444444444444-eu-west-1' });
    await expect.poll(async () => (await them.describeStacks({ StackName: 'TheirService' })).Stacks![0]!.StackStatus, { timeout: 60_000 }).toBe('CREATE_COMPLETE');
    theirs = ofTheirs(await holdings());
    expect(Object.keys(theirs).length).toBeGreaterThanOrEqual(6);
    const deployed = outputOf('deploy', expectSuccess(await operate('deploy', '--yes'))) as { deployed: boolean; pipelines: unknown[] };
    expect(deployed).toMatchObject({ deployed: true, pipelines: [{ name: 'fleet', account: ACCOUNTS.tools }] });
    expect((outputOf('deploy', expectSuccess(await operate('deploy', '--yes'))) as { deployed: boolean }).deployed).toBe(false);
  });
});

describe('destroy', () => {
  interface Answer {
    readonly fleet: string;
    readonly items: readonly { key: string; kind: string; layer: string }[];
    readonly retained: readonly { name: string; data?: string }[];
    readonly obstacles: readonly { key: string; what: string }[];
    readonly deleted?: readonly string[];
    readonly failures?: readonly { key: string; code: string; why?: string }[];
  }
  const destroy = async (...args: string[]): Promise<Answer & { code: number }> => {
    const ran = await operate('destroy', ...args);
    if (!ran.stdout) throw new Error(ran.text);
    return { ...(outputOf('destroy', ran) as Answer), code: ran.code };
  };

  it('shows what would go and, first, what would stay with its data; and touches nothing', async () => {
    await deployApplications();
    const s3 = new S3(cloud.client('dev'));
    for (const text of ['one', 'two', 'three']) await s3.putObject({ Bucket: 'fleet-cache-111111111111', Key: 'entry', Body: text });
    await s3.deleteObject({ Bucket: 'fleet-cache-111111111111', Key: 'entry' });
    await s3.putObject({ Bucket: 'fleet-ledger-111111111111', Key: 'book', Body: 'dear' });
    const before = await holdings();
    const plan = await destroy('--dry-run');
    const count = (kind: string, layer: string): number => plan.items.filter((item) => item.kind === kind && item.layer === layer).length;
    expect([plan.code, count('stack', 'application'), count('stack', 'pipeline'), count('stack', 'support'), count('bucket', 'artifacts'), count('key', 'artifacts')]).toEqual([0, 32, 1, 3, 4, 4]);
    expect(plan.retained).toContainEqual(expect.objectContaining({ name: 'fleet-ledger-111111111111', data: '1 object versions' }));
    expect(await holdings()).toEqual(before);
    expect((await operate('destroy', '--dry-run')).stderr).toContain('bootstraps stay; --bootstrap takes');
    expect((await operate('destroy', '--dry-run', '--bootstrap')).stderr).not.toContain('bootstraps stay');
  });

  it('is not begun without the name of the fleet', async () => {
    expect((await operate('destroy')).code).toBe(2);
    expect((await operate('destroy', '--confirm', 'Fleet')).code).toBe(2);
  });

  it('is refused while a stack is protected or another team uses what it exports', async () => {
    const client = cfn(ACCOUNTS.prod, 'us-east-1');
    await client.updateTerminationProtection({ StackName: 'Prod-us-east-1-Service', EnableTerminationProtection: true });
    await client.createStack({ StackName: 'Importer', TemplateBody: JSON.stringify({ Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { 'Fn::ImportValue': 'fleet-zone' } } } } }) });
    await expect.poll(async () => (await client.describeStacks({ StackName: 'Importer' })).Stacks![0]!.StackStatus, { timeout: 60_000 }).toBe('CREATE_COMPLETE');
    const refused = await destroy('--confirm', 'FleetPipeline');
    expect([refused.code, refused.obstacles.map(({ what }) => what).sort()]).toEqual([5, ['Prod-us-east-1-Network exports fleet-zone, which Importer imports', 'Prod-us-east-1-Service of 444444444444/us-east-1 is protected from deletion']]);
    await client.deleteStack({ StackName: 'Importer' });
    await expect.poll(async () => client.describeStacks({ StackName: 'Importer' }).then(() => 'there', () => 'gone'), { timeout: 60_000 }).toBe('gone');
  });

  it('is not begun where an account may not be read, which is named', async () => {
    await cloud.control('faults', { faults: [{ kind: 'deny', account: ACCOUNTS.prod, region: 'eu-west-1', service: 'cloudformation', times: 1_000 }] });
    const ran = await operate('destroy', '--confirm', 'FleetPipeline');
    await cloud.control('faults', { faults: [] });
    expect([ran.code, outputOf('error', ran)]).toMatchObject([3, { code: 'AWS032', where: '444444444444/eu-west-1' }]);
  });

  it('that is interrupted says so, and leaves what it had not begun', async () => {
    const child = spawn(process.execPath, [CLI, '--local', 'destroy', '--assembly', assembly, '--confirm', 'FleetPipeline', '--unprotect', '--concurrency', '2', '--dir', cloud.state], { cwd: cloud.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (/✓ delete stack/.test(stderr) && !child.killed) child.kill('SIGINT');
    });
    expect(await ended).toBe(130);
    const { length } = Object.keys(of(await holdings(), /stack (Dev|Test|Stage|Prod)/));
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(32);
  });

  it('fails in one stack, and keeps the pipeline until that is mended', async () => {
    await cloud.control('faults', { faults: [{ kind: 'deny', account: ACCOUNTS.stage, region: 'eu-west-1', service: 'cloudformation', operation: 'DeleteStack', times: 1 }, { kind: 'throttle', times: 25, every: 4 }] });
    const failed = await destroy('--confirm', 'FleetPipeline', '--unprotect', '--bootstrap');
    expect([failed.code, failed.failures]).toEqual([4, [expect.objectContaining({ code: 'AWS032' })]]);
    expect((await new CodePipeline(cloud.client('tools')).getPipelineState({ name: 'fleet' })).stageStates![1]!.inboundTransitionState).toMatchObject({ enabled: false, disabledReason: 'the fleet is being destroyed' });
  });

  it('goes on where it was, and leaves nothing but what was listed as retained and what is another team’s', async () => {
    const done = await destroy('--confirm', 'FleetPipeline', '--unprotect', '--bootstrap');
    expect([done.code, done.failures]).toEqual([0, []]);
    const after = await holdings();
    expect(ofTheirs(after)).toEqual(theirs);
    expect(Object.keys(after).filter((key) => !(key in theirs)).sort()).toEqual(['111111111111', '222222222222', '333333333333', '444444444444'].map((account) => `${account} bucket fleet-ledger-${account}`));
    const states: string[] = [];
    for (const region of REGIONS) {
      const kms = new KMS(cloud.client('tools', region));
      for (const { KeyId } of (await kms.listKeys({})).Keys ?? []) {
        const { KeyMetadata } = await kms.describeKey({ KeyId });
        if (KeyMetadata!.KeyManager === 'CUSTOMER') states.push(KeyMetadata!.KeyState!);
      }
    }
    expect(new Set(states)).toEqual(new Set(['PendingDeletion']));
    expect((await destroy('--confirm', 'FleetPipeline')).items).toEqual([]);
  });
});
