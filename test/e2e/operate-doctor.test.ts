import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { S3 } from '@aws-sdk/client-s3';
import { IAM } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, execute, expectSuccess, outputOf, root, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** `flotilla doctor` over a fleet, and `flotilla run --accounts`: what is missing there fails here. One fleet, in the order of its life. */

const ACCOUNTS = { tools: '999999999999', dev: '111111111111', prod: '222222222222' };
const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
let cloud: TestCloud;
let app: string;
let record: string;

beforeAll(async () => {
  cloud = await startTestCloud(ACCOUNTS);
  app = join(cloud.folder, 'app');
  record = join(cloud.folder, 'accounts.json');
  cpSync(join(root, 'test/e2e/apps/pipeline-app'), app, { recursive: true });
  writeFileSync(join(app, 'modules.json'), JSON.stringify(join(root, 'node_modules')));
  writeFileSync(join(app, 'shape.json'), JSON.stringify({ value: 'v0', regions: ['us-east-1', 'eu-west-1'], synth: ['cdk synth --quiet'], smoke: ['test -n "$DEPLOYED"'] }));
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: app });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'First');
});
afterAll(async () => {
  // The rehearsal has a cloud of its own beside the test's.
  if (cloud) expectSuccess(await execute(process.execPath, [CLI, 'cloud', 'stop', '--dir', join(cloud.state, 'rehearsal')], { cwd: cloud.folder, env: process.env as Record<string, string> }));
  await cloud?.stop();
});

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly place: string;
  readonly what: string;
  readonly fix: string;
}
interface Answer {
  readonly pairs: readonly { account: string; region: string; findings: Finding[]; unknown: { fact: string }[] }[];
  readonly fixed: readonly { code: string; place: string; error?: { code: string } }[];
}
const doctor = (...args: string[]): Promise<Ran> => cloud.flotilla('--local', 'doctor', '--app', app, '--output', 'json', ...args);
const errorsOf = (ran: Ran): string[] =>
  (outputOf('doctor', ran) as Answer).pairs
    .flatMap(({ findings }) => findings)
    .filter(({ severity }) => severity === 'error')
    .map(({ code, place }) => `${code} ${place}`)
    .sort();
const iam = () => new IAM(cloud.client('prod'));
const role = (kind: string) => `cdk-hnb659fds-${kind}-role-222222222222-eu-west-1`;

describe('doctor', () => {
  it('finds that nothing is bootstrapped, with the command that does it', async () => {
    const ran = await doctor();
    expect(ran.code).toBe(4);
    expect(errorsOf(ran)).toEqual(['DOC003 111111111111/us-east-1', 'DOC003 222222222222/eu-west-1', 'DOC003 222222222222/us-east-1', 'DOC003 999999999999/us-east-1']);
    const { fix } = (outputOf('doctor', ran) as Answer).pairs.flatMap(({ findings }) => findings).find(({ place }) => place === '222222222222/eu-west-1')!;
    expect(fix).toBe('flotilla --local bootstrap --pair 222222222222/eu-west-1 --trust 999999999999');
  });

  it('does not widen by itself: without policies for the trusted it leaves the bootstrap, and says why', async () => {
    const ran = await doctor('--fix', '--yes');
    const { fixed } = outputOf('doctor', ran) as Answer;
    expect(fixed.find(({ place }) => place === '222222222222/eu-west-1')).toMatchObject({ code: 'DOC003', error: { code: 'BST003' } });
    expect(fixed.find(({ place }) => place === '999999999999/us-east-1')).toEqual({ code: 'DOC003', place: '999999999999/us-east-1' });
  });

  it('bootstraps with --fix when it is told what deployments may do', async () => {
    const ran = expectSuccess(await doctor('--fix', '--yes', '--cloudformation-execution-policies', ADMIN));
    expect(errorsOf(ran)).toEqual([]);
  });

  it('finds what was changed by hand: trust, a role, a bucket of somebody else’s policy, a stuck stack, a boundary that binds nothing', async () => {
    const own = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::222222222222:root' }, Action: 'sts:AssumeRole' } };
    await iam().updateAssumeRolePolicy({ RoleName: role('deploy'), PolicyDocument: JSON.stringify(own) });
    await iam().createPolicy({ PolicyName: 'Bounds', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }) });
    await iam().putRolePermissionsBoundary({ RoleName: role('cfn-exec'), PermissionsBoundary: 'arn:aws:iam::222222222222:policy/Bounds' });
    await new CloudFormation(cloud.client('dev')).createChangeSet({ StackName: 'Dev-Service', ChangeSetName: 'left', ChangeSetType: 'CREATE', TemplateBody: JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } }) });
    const ran = await doctor();
    expect(errorsOf(ran)).toEqual(['DOC007 222222222222/eu-west-1', 'DOC016 222222222222/eu-west-1', 'DOC017 111111111111/us-east-1']);
    const { fix } = (outputOf('doctor', ran) as Answer).pairs.flatMap(({ findings }) => findings).find(({ code }) => code === 'DOC007')!;
    expect(fix).toContain(`aws iam update-assume-role-policy --role-name ${role('deploy')}`);
  });

  it('removes with --fix the stack that never came to be', async () => {
    const ran = await doctor('--fix', '--yes');
    expect((outputOf('doctor', ran) as Answer).fixed).toEqual([{ code: 'DOC017', place: '111111111111/us-east-1' }]);
    await expect(new CloudFormation(cloud.client('dev')).describeStacks({ StackName: 'Dev-Service' })).rejects.toThrow('does not exist');
  });

  it('tells a bucket that somebody else took from one that may not be read', async () => {
    const name = 'cdk-hnb659fds-assets-111111111111-us-east-1';
    const own = new S3(cloud.client('dev'));
    await own.deleteBucketPolicy({ Bucket: name });
    await own.putBucketPolicy({ Bucket: name, Policy: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Principal: '*', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${name}` } }) });
    const denied = (outputOf('doctor', await doctor()) as Answer).pairs.find(({ account }) => account === ACCOUNTS.dev)!;
    expect([denied.findings.some(({ code }) => code === 'DOC011'), denied.unknown.map(({ fact }) => fact)]).toEqual([false, expect.arrayContaining(['bucket'])]);
    await own.deleteBucketPolicy({ Bucket: name });
    await own.deleteBucket({ Bucket: name });
    await new S3(cloud.client('prod')).createBucket({ Bucket: name });
    expect(errorsOf(await doctor())).toContain('DOC011 111111111111/us-east-1');
    await new S3(cloud.client('prod')).deleteBucket({ Bucket: name });
    expect(errorsOf(await doctor())).toContain('DOC010 111111111111/us-east-1');
    await own.createBucket({ Bucket: name });
    await own.putBucketVersioning({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } });
  });

  it('says what it may not read instead of guessing', async () => {
    await cloud.control('faults', { faults: [{ kind: 'deny', account: ACCOUNTS.prod, service: 'iam', operation: 'GetRole', times: 100 }] });
    const ran = await doctor();
    await cloud.control('faults', { faults: [] });
    expect(errorsOf(ran)).toEqual([]);
    expect((outputOf('doctor', ran) as Answer).pairs.find(({ account }) => account === ACCOUNTS.prod)!.unknown.map(({ fact }) => fact)).toEqual(expect.arrayContaining(['roles', 'policies']));
  });
});

describe('run --accounts', () => {
  it('fails here because of the trust that is missing there', async () => {
    await doctor('--save', record);
    expect(statSync(record).mode & 0o777).toBe(0o600);
    const ran = await cloud.flotilla('run', app, '--accounts', record, '--approve', 'all');
    expect(ran.code).toBe(4);
    expect(ran.stderr).toMatch(/deploy-role-222222222222-eu-west-1/);
    expect(ran.stderr).toMatch(/222222222222\/eu-west-1 {2}known: bootstrap version 33, roles with their trust, policies and boundaries \(2 changed by hand\)/);
    expect(ran.stderr).toMatch(/assumed {2}no control policy forbids anything/);
  });

  it('goes through when the trust is there, and stops at a control policy of the record', async () => {
    const trust = readFileSync(record, 'utf8');
    const accounts = JSON.parse(trust) as { pairs: { account: string; region: string; roles: { value: Record<string, { trust: string }> }; controlPolicies: unknown }[] };
    const prod = (region: string) => accounts.pairs.find((pair) => pair.account === ACCOUNTS.prod && pair.region === region)!;
    prod('eu-west-1').roles.value['deploy']!.trust = prod('us-east-1').roles.value['deploy']!.trust;
    Object.assign(prod('us-east-1'), { exports: { known: true, value: [{ name: 'net:zone', value: 'zone-a', stack: 'Network' }] } });
    writeFileSync(record, JSON.stringify(accounts));
    const through = expectSuccess(await cloud.flotilla('run', app, '--accounts', record, '--approve', 'all', '--output', 'json'));
    expect(through.stderr).toMatch(/222222222222\/us-east-1 {2}known: .*1 exported values of 1 stacks/);
    for (const pair of accounts.pairs.filter(({ account }) => account === ACCOUNTS.dev))
      pair.controlPolicies = { known: true, value: [{ name: 'NoParameters', document: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'ssm:PutParameter', Resource: '*' }, { Effect: 'Allow', Action: '*', Resource: '*' }] }) }] };
    writeFileSync(record, JSON.stringify(accounts));
    const forbidden = await cloud.flotilla('run', app, '--accounts', record, '--approve', 'all');
    expect(forbidden.code).toBe(4);
    expect(forbidden.stderr).toMatch(/explicit deny in a service control policy/);
  });

  it('fails here because of a stack that is stuck there, with the way out', async () => {
    const accounts = JSON.parse(readFileSync(record, 'utf8')) as { pairs: { account: string; stacks: { value: unknown[] }; controlPolicies: unknown }[] };
    for (const pair of accounts.pairs.filter(({ account }) => account === ACCOUNTS.dev)) Object.assign(pair, { controlPolicies: { known: true, value: [] }, stacks: { known: true, value: [{ name: 'Dev-Service', status: 'ROLLBACK_COMPLETE' }] } });
    writeFileSync(record, JSON.stringify(accounts));
    const stuck = await cloud.flotilla('run', app, '--accounts', record, '--approve', 'all');
    expect(stuck.code).toBe(4);
    expect(stuck.stderr).toMatch(/ROLLBACK_COMPLETE state and can not be updated/);
    expect(stuck.stderr).toMatch(/111111111111\/us-east-1 {2}known: .*1 of the fleet’s stacks/);
  });

  it('records what the organization forbids and the quotas allow, and fails here at each of them', async () => {
    const dev = { account: ACCOUNTS.dev, region: 'us-east-1' };
    const policies = [{ name: 'NoParameters', document: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'ssm:PutParameter', Resource: '*' }] }) }];
    // The trust that was taken away by hand is given back.
    const both = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { AWS: [ACCOUNTS.prod, ACCOUNTS.tools].map((account) => `arn:aws:iam::${account}:root`) }, Action: 'sts:AssumeRole' } };
    await iam().updateAssumeRolePolicy({ RoleName: role('deploy'), PolicyDocument: JSON.stringify(both) });
    await cloud.control('organization', { management: ACCOUNTS.tools });
    await cloud.control('scps', { account: ACCOUNTS.dev, policies });
    const { pairs } = outputOf('doctor', await doctor('--save', record, '--organization', ACCOUNTS.tools)) as Answer;
    expect(pairs.flatMap(({ unknown }) => unknown.map(({ fact }) => fact)).filter((fact) => /controlPolicies|quotas/.test(fact))).toEqual([]);
    const forbidden = await cloud.flotilla('run', app, '--accounts', record, '--approve', 'all');
    expect([forbidden.code, forbidden.stderr]).toEqual([4, expect.stringMatching(/explicit deny in a service control policy/)]);
    expect(forbidden.stderr).toMatch(/111111111111\/us-east-1 {2}known: .*3 control policies.*\d+ quotas/);
    await cloud.control('scps', { account: ACCOUNTS.dev, policies: [] });

    // As many stacks as stand there: the bootstrap alone.
    await cloud.control('quotas', { ...dev, quotas: [{ service: 'cloudformation', code: 'L-0485CB21', value: 1 }] });
    await cloud.control('quotas', { account: ACCOUNTS.tools, region: 'us-east-1', quotas: [{ service: 'codebuild', code: 'L-9D07B6EF', value: 2 }] });
    const near = (outputOf('doctor', await doctor('--save', record, '--organization', ACCOUNTS.tools)) as Answer).pairs.flatMap(({ findings }) => findings);
    expect(near.filter(({ code }) => code === 'DOC020' || code === 'DOC021').map(({ code, place }) => `${code} ${place}`)).toEqual(expect.arrayContaining(['DOC020 111111111111/us-east-1', 'DOC021 999999999999/us-east-1']));
    const full = await cloud.flotilla('run', app, '--accounts', record, '--approve', 'all');
    expect([full.code, full.stderr]).toEqual([4, expect.stringMatching(/Limit for stack has been exceeded/)]);
    expect(full.stderr).toMatch(/raise "Stack count" in Service Quotas/);
  });

  it('refuses a file that is no record', async () => {
    writeFileSync(record, '{"type":"something"}');
    const ran = await cloud.flotilla('run', app, '--accounts', record);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('REH002')]);
  });
});
