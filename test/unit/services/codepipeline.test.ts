import { CodePipeline, paginateListActionExecutions, paginateListPipelineExecutions } from '@aws-sdk/client-codepipeline';
import { IAM } from '@aws-sdk/client-iam';
import { CodeCommit } from '@aws-sdk/client-codecommit';
import { S3 } from '@aws-sdk/client-s3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startLocalCloud, type LocalCloud } from '../../../src/local/index.js';
import { eventually } from './function-cloud.js';

let folder: string;
let cloud: LocalCloud;
let client: CodePipeline;
const COUNT = 130;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-codepipeline-'));
  cloud = await startLocalCloud({ directory: join(folder, 'cloud') });
  const settings = { endpoint: cloud.endpoint, region: 'us-east-1', credentials: cloud.credentials('111111111111') };
  await new S3(settings).createBucket({ Bucket: 'artifacts' });
  const trust = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { Service: 'codepipeline.amazonaws.com' }, Action: 'sts:AssumeRole' } };
  const roleArn = (await new IAM(settings).createRole({ RoleName: 'pipeline', AssumeRolePolicyDocument: JSON.stringify(trust) })).Role!.Arn!;
  client = new CodePipeline(settings);
  const source = { name: 'Source', actionTypeId: { category: 'Source' as const, owner: 'AWS' as const, provider: 'S3', version: '1' }, outputArtifacts: [{ name: 'Out' }], configuration: { S3Bucket: 'artifacts', S3ObjectKey: 'none.zip', PollForSourceChanges: 'false' } };
  const gate = { name: 'Gate', actionTypeId: { category: 'Approval' as const, owner: 'AWS' as const, provider: 'Manual', version: '1' } };
  await client.createPipeline({ pipeline: { name: 'app', roleArn, artifactStore: { type: 'S3', location: 'artifacts' }, stages: [{ name: 'Source', actions: [source] }, { name: 'Wait', actions: [gate] }] } });
  for (let count = 1; count < COUNT; count++) await client.startPipelineExecution({ name: 'app' });
});
afterAll(async () => {
  await cloud?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('the history of actions goes on behind a hundred executions, each attempt once', async () => {
  const seen: string[] = [];
  for await (const { actionExecutionDetails = [] } of paginateListActionExecutions({ client, pageSize: 40 }, { pipelineName: 'app' })) seen.push(...actionExecutionDetails.map(({ pipelineExecutionId = '' }) => pipelineExecutionId));
  const executions: string[] = [];
  for await (const { pipelineExecutionSummaries = [] } of paginateListPipelineExecutions({ client, pageSize: 50 }, { pipelineName: 'app' })) executions.push(...pipelineExecutionSummaries.map(({ pipelineExecutionId = '' }) => pipelineExecutionId));
  expect(executions).toHaveLength(COUNT);
  expect(new Set(seen).size).toBe(seen.length);
  expect(new Set(seen)).toEqual(new Set(executions));
});

it('a page that nobody gave is refused', async () => {
  await expect(client.listActionExecutions({ pipelineName: 'app', nextToken: 'nonsense' })).rejects.toMatchObject({ name: 'InvalidNextTokenException' });
});

it('a filter leaves no page out', async () => {
  const { pipelineExecutionSummaries, nextToken } = await client.listPipelineExecutions({ pipelineName: 'app', maxResults: 10, filter: { succeededInStage: { stageName: 'Source' } } });
  expect([pipelineExecutionSummaries, nextToken]).toEqual([[], undefined]);
});

it('a branch that a repository has not is named, with the repository', async () => {
  const settings = { endpoint: cloud.endpoint, region: 'us-east-1', credentials: cloud.credentials('111111111111') };
  await new CodeCommit(settings).createRepository({ repositoryName: 'empty' });
  const iam = new IAM(settings);
  await iam.putRolePolicy({ RoleName: 'pipeline', PolicyName: 'reads', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['codecommit:*', 's3:*'], Resource: '*' }] }) });
  const roleArn = (await iam.getRole({ RoleName: 'pipeline' })).Role!.Arn!;
  const source = { name: 'Code', actionTypeId: { category: 'Source' as const, owner: 'AWS' as const, provider: 'CodeCommit', version: '1' }, outputArtifacts: [{ name: 'Out' }], configuration: { RepositoryName: 'empty', BranchName: 'trunk', PollForSourceChanges: 'false' } };
  const gate = { name: 'Gate', actionTypeId: { category: 'Approval' as const, owner: 'AWS' as const, provider: 'Manual', version: '1' } };
  await client.createPipeline({ pipeline: { name: 'branchless', roleArn, artifactStore: { type: 'S3', location: 'artifacts' }, stages: [{ name: 'Source', actions: [source] }, { name: 'Wait', actions: [gate] }] } });
  const failure = await eventually(async () => (await client.getPipelineState({ name: 'branchless' })).stageStates?.[0]?.actionStates?.[0]?.latestExecution?.errorDetails);
  expect(failure).toMatchObject({ message: expect.stringContaining('no branch named trunk was found in the selected AWS CodeCommit repository empty') as string });
});
