import { randomUUID } from 'node:crypto';
import { CloudFormation, type Stack } from '@aws-sdk/client-cloudformation';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, outputOf, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** `flotilla bootstrap`: five accounts, four regions, and what may stand in the way. In the order of a fleet's life. */

const ACCOUNTS = { tools: '999999999999', dev: '111111111111', staging: '222222222222', prod: '333333333333', shared: '444444444444' };
const REGIONS = ['us-east-1', 'eu-west-1', 'eu-central-1', 'af-south-1'];
const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud(ACCOUNTS);
});
afterAll(() => cloud?.stop());

const pairs = Object.values(ACCOUNTS).flatMap((account) => REGIONS.map((region) => `${account}/${region}`));
const all = pairs.flatMap((pair) => ['--pair', pair]);
const bootstrap = (...args: string[]): Promise<Ran> => cloud.flotilla('--local', 'bootstrap', '--output', 'json', '--yes', ...args);
interface Answer {
  readonly applied: boolean;
  readonly pairs: readonly { account: string; region: string; action: string; changes: { kind: string; text: string }[]; kept: string[]; refusal?: { code: string; message: string }; failure?: { code: string; why?: string } }[];
}
const answerOf = (ran: Ran): Answer => outputOf('bootstrap', ran) as Answer;
const actions = (ran: Ran): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { action } of answerOf(ran).pairs) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
};
const stackOf = async (profile: keyof typeof ACCOUNTS, region: string, name = 'CDKToolkit'): Promise<Stack | undefined> => (await new CloudFormation(cloud.client(profile, region)).describeStacks({ StackName: name }).catch(() => undefined))?.Stacks?.[0];

describe('a fleet of 5 accounts × 4 regions', () => {
  it('is shown first, and nothing is changed by a dry run', async () => {
    const ran = expectSuccess(await bootstrap(...all, '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN, '--dry-run'));
    expect(actions(ran)).toEqual({ create: 20 });
    expect(ran.stderr).toContain('999999999999 may deploy and publish assets');
    expect(await stackOf('dev', 'us-east-1')).toBeUndefined();
  });

  it('is not touched without a yes', async () => {
    const ran = await cloud.flotilla('--local', 'bootstrap', ...all, '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('CLI006')]);
    expect(await stackOf('dev', 'us-east-1')).toBeUndefined();
  });

  it('is bootstrapped in parallel, but for a region that an account has not opted in to, a pair that fails halfway, and through throttling', async () => {
    await cloud.control('regions', { account: 'staging', closed: ['af-south-1'] });
    // A role of the same name stands in the way of one pair.
    await new IAM(cloud.client('prod')).createRole({ RoleName: 'cdk-hnb659fds-lookup-role-333333333333-eu-west-1', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' } }) });
    await cloud.control('faults', { faults: [{ kind: 'throttle', service: 'cloudformation', times: 12 }] });
    const ran = await bootstrap(...all, '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN);
    expect(ran.code).toBe(4);
    const { pairs: found } = answerOf(ran);
    expect(found.find(({ refusal }) => refusal)).toMatchObject({ account: ACCOUNTS.staging, region: 'af-south-1', refusal: { code: 'AWS029' } });
    expect(found.filter(({ failure }) => failure)).toEqual([expect.objectContaining({ account: ACCOUNTS.prod, region: 'eu-west-1', failure: expect.objectContaining({ code: 'BST010', why: expect.stringContaining('cdk-hnb659fds-lookup-role-333333333333-eu-west-1') as string }) as unknown })]);
    expect((await stackOf('prod', 'us-east-1'))?.StackStatus).toBe('CREATE_COMPLETE');
    expect((await stackOf('prod', 'eu-west-1'))?.StackStatus).toBe('ROLLBACK_COMPLETE');
  });

  it('is completed by the next run, which takes over the bucket that was left', async () => {
    await cloud.control('regions', { account: 'staging', closed: [] });
    await new IAM(cloud.client('prod')).deleteRole({ RoleName: 'cdk-hnb659fds-lookup-role-333333333333-eu-west-1' });
    const ran = expectSuccess(await bootstrap(...all, '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN));
    expect(actions(ran)).toEqual({ none: 18, recreate: 1, create: 1 });
    expect((await stackOf('prod', 'eu-west-1'))?.StackStatus).toBe('CREATE_COMPLETE');
    await new S3(cloud.client('prod', 'eu-west-1')).headBucket({ Bucket: 'cdk-hnb659fds-assets-333333333333-eu-west-1' });
  });

  it('changes nothing when it is run again', async () => {
    const before = await stackOf('dev', 'eu-west-1');
    const ran = expectSuccess(await bootstrap(...all, '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN));
    expect([actions(ran), answerOf(ran).applied]).toEqual([{ none: 20 }, false]);
    expect(await stackOf('dev', 'eu-west-1')).toEqual(before);
  });

  it('keeps trust that it does not name, and takes it away when told to', async () => {
    const kept = expectSuccess(await bootstrap('--pair', '111111111111/us-east-1', '--trust', ACCOUNTS.shared, '--termination-protection', '--tag', 'team=platform'));
    expect(answerOf(kept).pairs[0]).toMatchObject({ action: 'update', changes: [{ kind: 'widens', text: 'may deploy: + 444444444444' }, { kind: 'changes', text: 'tag team=platform' }, { kind: 'changes', text: 'termination protection on' }], kept: [expect.stringContaining('999999999999')] });
    const stack = await stackOf('dev', 'us-east-1');
    expect([stack?.EnableTerminationProtection, stack?.Tags, stack?.Parameters?.find(({ ParameterKey }) => ParameterKey === 'TrustedAccounts')?.ParameterValue]).toEqual([true, [{ Key: 'team', Value: 'platform' }], '444444444444,999999999999']);
    expectSuccess(await bootstrap('--pair', '111111111111/us-east-1', '--trust', ACCOUNTS.tools, '--drop-trust'));
    const trust = decodeURIComponent((await new IAM(cloud.client('dev')).getRole({ RoleName: 'cdk-hnb659fds-deploy-role-111111111111-us-east-1' })).Role!.AssumeRolePolicyDocument!);
    expect([trust.includes(ACCOUNTS.shared), trust.includes(ACCOUNTS.tools)]).toEqual([false, true]);
  });
});

describe('the settings of a bootstrap', () => {
  it('are those that cdk bootstrap has: key, boundary, lookups, policies by account', async () => {
    await new IAM(cloud.client('shared')).createPolicy({ PolicyName: 'Bounds', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }) });
    const READ = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
    expectSuccess(await bootstrap('--pair', '444444444444/us-west-2', '--pair', '111111111111/us-west-2', '--trust', ACCOUNTS.tools, '--trust-for-lookup', ACCOUNTS.dev, '--cloudformation-execution-policies', ADMIN, '--cloudformation-execution-policies', `444444444444=${READ}`));
    expectSuccess(await bootstrap('--pair', '444444444444/us-west-2', '--kms', 'customer', '--permissions-boundary', 'Bounds', '--boundary-on-all-roles'));
    const role = async (profile: 'shared' | 'dev', kind: string) => (await new IAM(cloud.client(profile)).getRole({ RoleName: `cdk-hnb659fds-${kind}-role-${ACCOUNTS[profile]}-us-west-2` })).Role!;
    expect(decodeURIComponent((await role('shared', 'lookup')).AssumeRolePolicyDocument!)).toContain(ACCOUNTS.dev);
    expect((await role('shared', 'deploy')).PermissionsBoundary?.PermissionsBoundaryArn).toBe('arn:aws:iam::444444444444:policy/Bounds');
    const attached = async (profile: 'shared' | 'dev') => (await new IAM(cloud.client(profile)).listAttachedRolePolicies({ RoleName: (await role(profile, 'cfn-exec')).RoleName })).AttachedPolicies!.map(({ PolicyArn }) => PolicyArn);
    expect([await attached('shared'), await attached('dev')]).toEqual([[READ], [ADMIN]]);
    const encryption = await new S3(cloud.client('shared', 'us-west-2')).getBucketEncryption({ Bucket: 'cdk-hnb659fds-assets-444444444444-us-west-2' });
    expect(encryption.ServerSideEncryptionConfiguration!.Rules![0]!.ApplyServerSideEncryptionByDefault).toMatchObject({ SSEAlgorithm: 'aws:kms', KMSMasterKeyID: expect.stringMatching(/key\//) as string });
  });

  it('that stand are left when they are not named', async () => {
    expect(actions(expectSuccess(await bootstrap('--pair', '444444444444/us-west-2')))).toEqual({ none: 1 });
  });

  it('of an old template are brought up to date', async () => {
    const old = (await new CloudFormation(cloud.client('dev', 'us-west-2')).getTemplate({ StackName: 'CDKToolkit' })).TemplateBody!.replace("Value: '33'", "Value: '20'").replace(/\n {2}BootstrapVersion:[^]*$/, "\n  BootstrapVersion:\n    Value: '20'\n");
    const client = new CloudFormation(cloud.client('dev', 'us-east-2'));
    await client.createStack({ StackName: 'CDKToolkit', TemplateBody: old, Capabilities: ['CAPABILITY_NAMED_IAM'], Parameters: [{ ParameterKey: 'FileAssetsBucketKmsKeyId', ParameterValue: 'AWS_MANAGED_KEY' }] });
    await expect.poll(async () => (await stackOf('dev', 'us-east-2'))?.StackStatus, { timeout: 60_000 }).toBe('CREATE_COMPLETE');
    const upgraded = expectSuccess(await bootstrap('--pair', '111111111111/us-east-2'));
    expect(answerOf(upgraded).pairs[0]).toMatchObject({ action: 'update', changes: [{ kind: 'upgrade', text: 'version 20 → 33' }] });
    expect((await stackOf('dev', 'us-east-2'))?.Outputs?.find(({ OutputKey }) => OutputKey === 'BootstrapVersion')?.OutputValue).toBe('33');
  });
});

describe('another team', () => {
  it('is not touched: neither by a qualifier without a toolkit stack of its own, nor by theirs', async () => {
    const before = await stackOf('dev', 'eu-west-1');
    const trap = await bootstrap('--pair', '111111111111/eu-west-1', '--qualifier', 'acme');
    expect([trap.code, answerOf(trap).pairs[0]!.refusal?.code]).toEqual([2, 'BST002']);
    const theirs = await bootstrap('--pair', '111111111111/eu-west-1', '--qualifier', 'acme', '--toolkit-stack-name', 'CDKToolkit');
    expect(theirs.code).toBe(2);
    expectSuccess(await bootstrap('--pair', '111111111111/eu-west-1', '--qualifier', 'acme', '--toolkit-stack-name', 'AcmeToolkit'));
    const second = await bootstrap('--pair', '111111111111/eu-west-1', '--qualifier', 'acme', '--toolkit-stack-name', 'OtherToolkit');
    expect([second.code, answerOf(second).pairs[0]!.refusal]).toMatchObject([5, { code: 'BST005', message: expect.stringContaining('AcmeToolkit') as string }]);
    const other = await bootstrap('--pair', '111111111111/eu-west-1', '--qualifier', 'other', '--toolkit-stack-name', 'AcmeToolkit');
    expect([other.code, answerOf(other).pairs[0]!.refusal?.code]).toEqual([5, 'BST004']);
    expect(await stackOf('dev', 'eu-west-1')).toEqual(before);
  });
});

describe('an emitted bootstrap', () => {
  it('as a template is the same as the one that stands', async () => {
    const emitted = expectSuccess(await cloud.flotilla('--local', 'bootstrap', '--pair', '222222222222/us-west-2', '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN, '--emit', 'template'));
    const client = new CloudFormation(cloud.client('staging', 'us-west-2'));
    await client.createStack({ StackName: 'CDKToolkit', TemplateBody: emitted.stdout, Capabilities: ['CAPABILITY_NAMED_IAM'] });
    await expect.poll(async () => (await stackOf('staging', 'us-west-2'))?.StackStatus, { timeout: 60_000 }).toBe('CREATE_COMPLETE');
    expect(actions(expectSuccess(await bootstrap('--pair', '222222222222/us-west-2', '--trust', ACCOUNTS.tools)))).toEqual({ none: 1 });
  });

  it('as a stack set names every account and region', async () => {
    const emitted = expectSuccess(await cloud.flotilla('--local', 'bootstrap', ...all, '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN, '--emit', 'stackset'));
    const { Resources } = JSON.parse(emitted.stdout) as { Resources: Record<string, { Type: string; Properties: { StackInstancesGroup: { DeploymentTargets: { Accounts: string[] }; Regions: string[] }[] } }> };
    const named = Object.values(Resources).flatMap(({ Properties }) => Properties.StackInstancesGroup.flatMap(({ DeploymentTargets, Regions }) => DeploymentTargets.Accounts.flatMap((account) => Regions.map((region) => `${account}/${region}`))));
    expect(named.sort()).toEqual([...pairs].sort());
    const validated = await new CloudFormation(cloud.client('tools')).validateTemplate({ TemplateBody: emitted.stdout.slice(0, 51_200).length === emitted.stdout.length ? emitted.stdout : JSON.stringify({ Resources: { One: Object.values(Resources)[0] } }) }).catch((error: Error) => error.message);
    expect(typeof validated).not.toBe('string');
  });

  it('as a stack set is what its instances make: no bootstrap changes them, and doctor finds nothing wrong', async () => {
    const places = ['--pair', '222222222222/ca-central-1', '--pair', '222222222222/eu-north-1'];
    const wanted = [...places, '--trust', ACCOUNTS.tools, '--cloudformation-execution-policies', ADMIN];
    const emitted = expectSuccess(await cloud.flotilla('--local', 'bootstrap', ...wanted, '--emit', 'stackset'));
    const sets = Object.values((JSON.parse(emitted.stdout) as { Resources: Record<string, { Properties: { StackSetName: string; TemplateBody: string; Parameters: { ParameterKey: string; ParameterValue: string }[]; Capabilities: 'CAPABILITY_NAMED_IAM'[]; StackInstancesGroup: { Regions: string[] }[] } }> }).Resources);
    // Instances as StackSets makes them: a stack of that name in each account and region, from the set's template and parameters.
    for (const { Properties: set } of sets)
      for (const region of set.StackInstancesGroup.flatMap(({ Regions }) => Regions)) {
        const client = new CloudFormation(cloud.client('staging', region));
        const StackName = `StackSet-${set.StackSetName}-${randomUUID()}`;
        await client.createStack({ StackName, TemplateBody: set.TemplateBody, Parameters: set.Parameters, Capabilities: set.Capabilities });
        await expect.poll(async () => (await client.describeStacks({ StackName })).Stacks![0]!.StackStatus, { timeout: 60_000 }).toBe('CREATE_COMPLETE');
      }
    expect(actions(expectSuccess(await bootstrap(...places, '--trust', ACCOUNTS.tools)))).toEqual({ none: 2 });
    const doctor = expectSuccess(await cloud.flotilla('--local', 'doctor', ...places, '--trust', ACCOUNTS.tools, '--output', 'json'));
    expect((outputOf('doctor', doctor) as { pairs: { findings: { code: string; severity: string }[] }[] }).pairs.map(({ findings }) => findings.filter(({ code }) => code !== 'DOC015').map(({ code, severity }) => [code, severity]))).toEqual([[['DOC024', 'note']], [['DOC024', 'note']]]);
    const wider = await bootstrap(...places, '--trust', `${ACCOUNTS.tools},123456789012`);
    expect([wider.code, answerOf(wider).pairs.map(({ refusal }) => refusal?.code)]).toEqual([5, ['BST012', 'BST012']]);
  });
});
