import { CloudFormation, waitUntilStackCreateComplete } from '@aws-sdk/client-cloudformation';
import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { IAM } from '@aws-sdk/client-iam';
import { ServiceQuotas } from '@aws-sdk/client-service-quotas';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startCloud, type Cloud } from '../../../src/local/server.js';
import { accountCredentials } from '../../../src/local/services/iam/identity.js';

const ACCOUNT = '111111111111';
const [STACKS, PIPELINES, SMALL] = ['L-0485CB21', 'L-78D200AD', 'L-9D07B6EF'];
let folder: string;
let cloud: Cloud;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-quotas-'));
  cloud = await startCloud({ directory: folder, token: 'token' });
});
afterEach(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

const settings = (region = 'us-east-1') => ({ endpoint: cloud.endpoint, region, maxAttempts: 1, credentials: accountCredentials(cloud.runtime.state, ACCOUNT) });
async function setQuota(service: string, code: string, value: number): Promise<unknown> {
  const response = await fetch(`${cloud.endpoint}/_flotilla/quotas`, { method: 'POST', headers: { 'x-flotilla-token': 'token' }, body: JSON.stringify({ account: ACCOUNT, region: 'us-east-1', quotas: [{ service, code, value }] }) });
  return response.json();
}
const role = async (service: string): Promise<string> => {
  const trust = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' } };
  return (await new IAM(settings()).createRole({ RoleName: service.split('.')[0]!, AssumeRolePolicyDocument: JSON.stringify(trust) })).Role!.Arn!;
};

it('Service Quotas tells the value that holds in the region, and AWS’s default', async () => {
  await setQuota('codebuild', SMALL!, 3);
  const at = async (region: string) => (await new ServiceQuotas(settings(region)).getServiceQuota({ ServiceCode: 'codebuild', QuotaCode: SMALL })).Quota;
  expect(await at('us-east-1')).toMatchObject({ QuotaName: 'Concurrently running builds for Linux/Small environment', Value: 3, QuotaArn: `arn:aws:servicequotas:us-east-1:${ACCOUNT}:codebuild/${SMALL}` });
  expect((await at('eu-west-1'))!.Value).toBe(60);
  const quotas = new ServiceQuotas(settings());
  expect((await quotas.listAWSDefaultServiceQuotas({ ServiceCode: 'codebuild' })).Quotas!.map(({ Value }) => Value)).toEqual(Array.from({ length: 7 }, () => 1));
  expect((await quotas.listServices({})).Services!.map(({ ServiceCode }) => ServiceCode)).toEqual(['cloudformation', 'codebuild', 'codepipeline']);
  await expect(quotas.listServiceQuotas({ ServiceCode: 'nothing' })).rejects.toMatchObject({ name: 'NoSuchResourceException' });
  await expect(quotas.getServiceQuota({ ServiceCode: 'codebuild', QuotaCode: 'L-00000000' })).rejects.toMatchObject({ name: 'NoSuchResourceException' });
  await expect(quotas.requestServiceQuotaIncrease({ ServiceCode: 'codebuild', QuotaCode: SMALL, DesiredValue: 9 })).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
  expect(await setQuota('codebuild', 'L-00000000', 1)).toMatchObject({ unknown: [{ code: 'L-00000000' }] });
});

it('no stack comes to be beyond the quota, by itself or by a change set, until one is gone', async () => {
  const client = new CloudFormation(settings());
  const TemplateBody = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } });
  await setQuota('cloudformation', STACKS!, 1);
  expect((await client.describeAccountLimits({})).AccountLimits).toContainEqual({ Name: 'StackLimit', Value: 1 });
  await client.createStack({ StackName: 'One', TemplateBody });
  await expect(client.createStack({ StackName: 'Two', TemplateBody })).rejects.toMatchObject({ name: 'LimitExceededException', message: 'Limit for stack has been exceeded' });
  await expect(client.createChangeSet({ StackName: 'Two', ChangeSetName: 'c', ChangeSetType: 'CREATE', TemplateBody })).rejects.toMatchObject({ name: 'LimitExceededException' });
  await waitUntilStackCreateComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName: 'One' });
  await client.deleteStack({ StackName: 'One' });
  await expect.poll(() => client.describeStacks({ StackName: 'One' }).then(() => 'there', () => 'gone'), { timeout: 60_000 }).toBe('gone');
  expect((await client.createStack({ StackName: 'Two', TemplateBody })).StackId).toBeDefined();
});

it('no build starts where none may run, and no pipeline is made where there is no room for one', async () => {
  const codebuild = new CodeBuild(settings());
  await codebuild.createProject({ name: 'small', serviceRole: await role('codebuild.amazonaws.com'), source: { type: 'NO_SOURCE', buildspec: 'version: 0.2\nphases: { build: { commands: [echo hello] } }' }, artifacts: { type: 'NO_ARTIFACTS' }, environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/standard:7.0', computeType: 'BUILD_GENERAL1_SMALL' } });
  await setQuota('codebuild', SMALL!, 0);
  await expect(codebuild.startBuild({ projectName: 'small' })).rejects.toMatchObject({ name: 'AccountLimitExceededException', message: 'Cannot have more than 0 builds in queue for the account' });
  await setQuota('codepipeline', PIPELINES!, 0);
  const pipeline = { name: 'app', roleArn: await role('codepipeline.amazonaws.com'), artifactStore: { type: 'S3' as const, location: 'artifacts' }, stages: [] };
  await expect(new CodePipeline(settings()).createPipeline({ pipeline })).rejects.toMatchObject({ name: 'LimitExceededException' });
});
