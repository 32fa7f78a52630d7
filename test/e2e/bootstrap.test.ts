import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation, type Stack } from '@aws-sdk/client-cloudformation';
import { IAM } from '@aws-sdk/client-iam';
import { KMS } from '@aws-sdk/client-kms';
import { S3 } from '@aws-sdk/client-s3';
import { SSM } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** `cdk bootstrap` of the real CLI, in all the ways teams use it. */

const REGION = 'eu-west-1';
let cloud: TestCloud;

beforeAll(async () => {
  cloud = await startTestCloud({ dev: `111111111111/${REGION}`, tools: `999999999999/${REGION}`, prod: `222222222222/${REGION}`, old: `333333333333/${REGION}` });
});
afterAll(() => cloud?.stop());

const ids: Record<string, string> = { dev: '111111111111', tools: '999999999999', prod: '222222222222', old: '333333333333' };
const bootstrap = (profile: string, ...args: string[]): Promise<Ran> => cloud.cdk(['bootstrap', `aws://${ids[profile]}/${REGION}`, ...args], { profile });
const stackOf = async (profile: string, name = 'CDKToolkit'): Promise<Stack> => (await new CloudFormation(cloud.client(profile)).describeStacks({ StackName: name })).Stacks![0]!;
const parameterOf = async (profile: string, name: string): Promise<string> => (await new SSM(cloud.client(profile)).getParameter({ Name: name })).Parameter!.Value!;
const roleOf = async (profile: string, kind: string, qualifier = 'hnb659fds') => (await new IAM(cloud.client(profile)).getRole({ RoleName: `cdk-${qualifier}-${kind}-${ids[profile]}-${REGION}` })).Role!;

describe('a plain bootstrap', () => {
  it('leaves the toolkit stack, its version, bucket and roles', async () => {
    expectSuccess(await bootstrap('dev'));
    expect((await stackOf('dev')).StackStatus).toBe('CREATE_COMPLETE');
    expect(await parameterOf('dev', '/cdk-bootstrap/hnb659fds/version')).toBe('33');
    const s3 = new S3(cloud.client('dev'));
    const Bucket = `cdk-hnb659fds-assets-111111111111-${REGION}`;
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBe('Enabled');
    expect((await s3.getPublicAccessBlock({ Bucket })).PublicAccessBlockConfiguration).toMatchObject({ BlockPublicAcls: true, RestrictPublicBuckets: true });
    const attached = await new IAM(cloud.client('dev')).listAttachedRolePolicies({ RoleName: (await roleOf('dev', 'cfn-exec-role')).RoleName });
    expect(attached.AttachedPolicies).toEqual([{ PolicyName: 'AdministratorAccess', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }]);
  });

  it('changes nothing when it is run again', async () => {
    const { LastUpdatedTime } = await stackOf('dev');
    const again = expectSuccess(await bootstrap('dev'));
    expect(again.text).toContain('(no changes)');
    expect((await stackOf('dev')).LastUpdatedTime).toEqual(LastUpdatedTime);
  });

  it('refuses credentials of another account', async () => {
    const wrong = await cloud.cdk(['bootstrap', `aws://222222222222/${REGION}`], { profile: 'dev' });
    expect(wrong.code).toBe(1);
    expect(wrong.text).toMatch(/Need to perform AWS calls for account 222222222222, but the current credentials are for 111111111111/);
  });
});

describe('a second bootstrap', () => {
  it('with its own qualifier and toolkit stack stands beside the first, both untouched', async () => {
    const first = await stackOf('dev');
    expectSuccess(await bootstrap('dev', '--qualifier', 'teamb', '--toolkit-stack-name', 'TeamBToolkit', '--trust', ids['tools']!, '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/PowerUserAccess'));
    expect(await stackOf('dev')).toEqual(first);
    expect(await parameterOf('dev', '/cdk-bootstrap/teamb/version')).toBe('33');
    expect((await roleOf('dev', 'deploy-role')).RoleId).not.toBe((await roleOf('dev', 'deploy-role', 'teamb')).RoleId);
    const second = await stackOf('dev', 'TeamBToolkit');
    expectSuccess(await bootstrap('dev', '--termination-protection'));
    expect(await stackOf('dev', 'TeamBToolkit')).toEqual(second);
  });

  it('protects the stack from deletion when asked to', async () => {
    await expect(new CloudFormation(cloud.client('dev')).deleteStack({ StackName: 'CDKToolkit' })).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Stack [CDKToolkit] cannot be deleted while TerminationProtection is enabled',
    });
  });
});

describe('trust', () => {
  it('opens the roles to the other account, lookups alone to those trusted for lookups', async () => {
    expectSuccess(
      await bootstrap('prod', '--trust', ids['tools']!, '--trust-for-lookup', ids['dev']!, '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/AdministratorAccess', '--tags', 'team=platform'),
    );
    const trusted = async (kind: string): Promise<string> => decodeURIComponent((await roleOf('prod', kind)).AssumeRolePolicyDocument!);
    expect(await trusted('deploy-role')).toContain('arn:aws:iam::999999999999:root');
    expect(await trusted('deploy-role')).not.toContain(ids['dev']);
    expect(await trusted('lookup-role')).toContain('arn:aws:iam::111111111111:root');
    expect((await stackOf('prod')).Tags).toEqual([{ Key: 'team', Value: 'platform' }]);
  });

  it('without execution policies is refused by the CLI', async () => {
    const refused = await bootstrap('old', '--trust', ids['tools']!);
    expect(refused.code).toBe(1);
    expect(refused.text).toContain("Please pass '--cloudformation-execution-policies' when using '--trust'");
  });

  it('is remembered by a bootstrap that does not name it', async () => {
    expectSuccess(await bootstrap('prod', '--public-access-block-configuration', 'false'));
    expect(decodeURIComponent((await roleOf('prod', 'deploy-role')).AssumeRolePolicyDocument!)).toContain('arn:aws:iam::999999999999:root');
    await expect(new S3(cloud.client('prod')).getPublicAccessBlock({ Bucket: `cdk-hnb659fds-assets-222222222222-${REGION}` })).rejects.toMatchObject({ name: 'NoSuchPublicAccessBlockConfiguration' });
  });
});

describe('an execution policy that does not exist', () => {
  it('fails the bootstrap with IAM’s sentence and leaves the failed stack', async () => {
    const failed = await bootstrap('tools', '--qualifier', 'bad', '--toolkit-stack-name', 'Bad', '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/NoSuchPolicy');
    expect(failed.code).toBe(1);
    expect(failed.text).toMatch(/Policy arn:aws:iam::aws:policy\/NoSuchPolicy does not exist or is not attachable/);
    expect((await stackOf('tools', 'Bad')).StackStatus).toBe('ROLLBACK_COMPLETE');
  });
});

describe('a permissions boundary', () => {
  const boundaryOf = async (kind: string) => (await roleOf('tools', kind)).PermissionsBoundary?.PermissionsBoundaryArn;

  it('of the CLI’s example binds the execution role, and all roles when asked', async () => {
    // The CLI looks for an error named NoSuchEntity where the SDK says NoSuchEntityException: on AWS as here it only finds a boundary that exists.
    await new IAM(cloud.client('tools')).createPolicy({ PolicyName: 'cdk-hnb659fds-permissions-boundary', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }) });
    const example = 'arn:aws:iam::999999999999:policy/cdk-hnb659fds-permissions-boundary';
    expectSuccess(await bootstrap('tools', '--example-permissions-boundary'));
    expect(await boundaryOf('cfn-exec-role')).toBe(example);
    expect(await boundaryOf('deploy-role')).toBeUndefined();
    expectSuccess(await bootstrap('tools', '--example-permissions-boundary', '--apply-permissions-boundary-to-all-roles'));
    for (const kind of ['deploy-role', 'file-publishing-role', 'image-publishing-role', 'lookup-role']) expect(await boundaryOf(kind)).toBe(example);
  });

  it('of one’s own replaces it', async () => {
    await new IAM(cloud.client('tools')).createPolicy({ PolicyName: 'TeamBoundary', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } }) });
    expectSuccess(await bootstrap('tools', '--custom-permissions-boundary', 'TeamBoundary'));
    expect(await boundaryOf('cfn-exec-role')).toBe('arn:aws:iam::999999999999:policy/TeamBoundary');
  });
});

describe('an older bootstrap', () => {
  it('is upgraded, and not taken back', async () => {
    const template = join(cloud.folder, 'old.yaml');
    const shown = expectSuccess(await cloud.cdk(['bootstrap', '--show-template'], { profile: 'old' }));
    writeFileSync(template, shown.stdout.replace(/Value: "?33"?/g, 'Value: "20"').replaceAll(/'33'/g, "'20'"));
    expect(readFileSync(template, 'utf8')).not.toContain("'33'");
    expectSuccess(await bootstrap('old', '--template', template));
    expect(await parameterOf('old', '/cdk-bootstrap/hnb659fds/version')).toBe('20');
    expectSuccess(await bootstrap('old', '--bootstrap-customer-key'));
    expect(await parameterOf('old', '/cdk-bootstrap/hnb659fds/version')).toBe('33');
    expect((await stackOf('old')).StackStatus).toBe('UPDATE_COMPLETE');
    const back = await bootstrap('old', '--template', template);
    expect(back.text).toContain('Bootstrap stack already at version 33. Not downgrading it to version 20');
    expect(await parameterOf('old', '/cdk-bootstrap/hnb659fds/version')).toBe('33');
  });

  it('has a customer key for its bucket from then on', async () => {
    const outputs = (await stackOf('old')).Outputs ?? [];
    const bucket = outputs.find(({ OutputKey }) => OutputKey === 'BucketName')!.OutputValue!;
    const rule = (await new S3(cloud.client('old')).getBucketEncryption({ Bucket: bucket })).ServerSideEncryptionConfiguration!.Rules![0]!;
    const key = rule.ApplyServerSideEncryptionByDefault!.KMSMasterKeyID!;
    expect((await new KMS(cloud.client('old')).describeKey({ KeyId: key })).KeyMetadata).toMatchObject({ KeyState: 'Enabled', KeyManager: 'CUSTOMER' });
    const { Aliases } = await new KMS(cloud.client('old')).listAliases({});
    expect(Aliases!.map(({ AliasName }) => AliasName)).toContain('alias/cdk-hnb659fds-assets-key');
  });
});
