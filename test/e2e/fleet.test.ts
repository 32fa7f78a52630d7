import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodePipeline, type PipelineExecutionSummary } from '@aws-sdk/client-codepipeline';
import { IAM } from '@aws-sdk/client-iam';
import { SNS } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, recordOf, root, startTestCloud, writeFiles, type Ran, type TestCloud } from './cloud.js';

/** A fleet of `flotilla/cdk` on the local cloud: what its own steps do when they run with the roles they were given. In the order of its life. */

const REGION = 'us-east-1';
let cloud: TestCloud;
let app: string;
let pipelines: CodePipeline;

const FLEET = `fleet: shop
pipeline:
  account: "999999999999"
  region: us-east-1
  source: { codecommit: shop, branch: main, paths: ["service/**"] }
  synth: [cdk synth --quiet]
environments:
  dev:
    account: "111111111111"
    regions: [us-east-1]
    verify: { smoke: ['test -n "$Queue"'] }
    templates: { Ledger: { template: ledger.yaml, parameters: { Keeper: accounts } } }
  prod:
    account: "222222222222"
    regions: [us-east-1, eu-west-1]
    gates: { permissions: broadened }
    terminationProtection: true
notify: { email: [ops@example.com] }
`;

/** A stack of a team that writes its CloudFormation by hand. */
const LEDGER = `AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Keeper: { Type: String }
Resources:
  Book:
    Type: AWS::SSM::Parameter
    Properties: { Name: /ledger/book, Type: String, Value: !Sub "kept by \${Keeper} in \${AWS::Region}" }
Outputs:
  Book: { Value: !GetAtt Book.Value }
`;

/** CDK comes from where the tests run, the library as built: nothing is installed. */
const APP = `process.env.NODE_PATH = require('./modules.json');
require('node:module').Module._initPaths();
const { App, CfnOutput, Stack } = require('aws-cdk-lib');
const { Role, ServicePrincipal, PolicyStatement } = require('aws-cdk-lib/aws-iam');
const { Queue } = require('aws-cdk-lib/aws-sqs');
const { Fleet } = require('./library/cdk.cjs');
const { actions } = require('./service/shape.json');

Fleet.load(new App(), 'flotilla.yaml').deploy((stage, target) => {
  const stack = new Stack(stage, 'Shop', { env: target.env });
  const queue = new Queue(stack, 'Orders');
  const role = new Role(stack, 'Worker', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  role.addToPolicy(new PolicyStatement({ actions, resources: [queue.queueArn] }));
  new CfnOutput(stack, 'Queue', { value: queue.queueUrl });
});
`;

beforeAll(async () => {
  cloud = await startTestCloud({ tools: `999999999999/${REGION}`, dev: `111111111111/${REGION}`, prod: `222222222222/${REGION}` });
  pipelines = new CodePipeline(cloud.client('tools'));
  app = writeFiles(join(cloud.folder, 'app'), { 'flotilla.yaml': FLEET, 'ledger.yaml': LEDGER, 'app.js': APP, 'cdk.json': JSON.stringify({ app: 'node app.js' }), 'modules.json': JSON.stringify(join(root, 'node_modules')) });
  mkdirSync(join(app, 'service'));
  for (const name of ['cdk.cjs', 'steps']) cpSync(join(root, 'dist', name), join(app, 'library', name), { recursive: true });
  git('init', '--quiet', '--initial-branch=main');
});
afterAll(() => cloud?.stop());

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null', ...args], { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

function commit(file: string, text: string): string {
  writeFileSync(join(app, file), text);
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', `change ${file}`);
  return git('rev-parse', 'HEAD');
}

function push(): void {
  const { accessKeyId, secretAccessKey } = cloud.client('tools').credentials;
  const url = new URL('/v1/repos/shop', cloud.endpoint);
  Object.assign(url, { username: accessKeyId, password: encodeURIComponent(secretAccessKey) });
  git('push', '--quiet', url.href, 'HEAD:refs/heads/main');
}

const run = (...args: string[]): Promise<Ran> => cloud.flotilla('run', app, '--output', 'json', ...args);
const executions = async (): Promise<PipelineExecutionSummary[]> => (await pipelines.listPipelineExecutions({ pipelineName: 'shop' })).pipelineExecutionSummaries!;

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 120_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 150))) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what}: not within two minutes`);
}

const ended = (id: string): Promise<PipelineExecutionSummary> =>
  until(`the end of ${id.slice(0, 7)}`, async () => {
    const newest = (await executions()).find(({ sourceRevisions }) => sourceRevisions?.some(({ revisionId }) => revisionId === id));
    return newest && !['InProgress', 'Stopping', 'Cancelled'].includes(newest.status!) ? newest : undefined;
  });

const messages = async (): Promise<{ body: string }[]> => recordOf(expectSuccess(await cloud.flotilla('cloud', 'inbox', '--output', 'json'))) as { body: string }[];

/** As the subscribers do: by the command in the mail they got. */
async function confirmSubscriptions(): Promise<void> {
  const sns = new SNS(cloud.client('tools'));
  for (const { body } of await messages()) {
    const [, TopicArn, Token] = /--topic-arn (\S+) --token (\S+)/.exec(body) ?? [];
    if (Token) await sns.confirmSubscription({ TopicArn: TopicArn!, Token });
  }
}

async function logOf(build: string): Promise<string> {
  const { builds } = await new CodeBuild(cloud.client('tools')).batchGetBuilds({ ids: [build] });
  const { groupName, streamName } = builds![0]!.logs!;
  const { events } = await new CloudWatchLogs(cloud.client('tools')).getLogEvents({ logGroupName: groupName!, logStreamName: streamName!, startFromHead: true });
  return events!.map(({ message }) => message).join('\n');
}

describe('a fleet', () => {
  it('goes to prod by itself where no permission is broadened: the check gives its approval', async () => {
    const id = commit('service/shape.json', JSON.stringify({ actions: ['sqs:ReceiveMessage'] }));
    const ran = expectSuccess(await run());
    expect(recordOf(ran)).toMatchObject({ commit: { id }, pipelines: [{ name: 'shop', status: 'Succeeded' }] });
    const { actionExecutionDetails } = await pipelines.listActionExecutions({ pipelineName: 'shop', filter: { pipelineExecutionId: (await ended(id)).pipelineExecutionId! } });
    expect(actionExecutionDetails!.find(({ actionName }) => actionName === 'ConfirmPermissions')?.output?.executionResult?.externalExecutionSummary).toMatch(/^No permission is broadened \(templates [0-9a-f]{12}\)/);
  });

  it('runs again without a synthesis or a deployment of its pipeline where nothing it is made of has changed', async () => {
    const ran = expectSuccess(await run('--again'));
    expect(ran.stderr).toMatch(/✓ synth .* as before · 6 stacks/);
    expect(ran.stderr).toMatch(/= deploy ShopPipeline +stands as it is/);
  });

  it('protects the stacks that ask for it, in every region', async () => {
    for (const [profile, region, expected] of [['dev', 'us-east-1', false], ['prod', 'us-east-1', true], ['prod', 'eu-west-1', true]] as const) {
      const { Stacks } = await new CloudFormation(cloud.client(profile, region)).describeStacks({});
      expect(Stacks!.filter(({ StackName }) => StackName!.endsWith('-Shop')).map(({ EnableTerminationProtection }) => EnableTerminationProtection)).toEqual([expected]);
    }
  });

  it('deploys stacks from hand-written CloudFormation beside the app’s', async () => {
    const { Stacks } = await new CloudFormation(cloud.client('dev')).describeStacks({ StackName: 'Dev-us-east-1-Ledger' });
    expect(Stacks![0]).toMatchObject({ StackStatus: 'CREATE_COMPLETE', Outputs: [{ OutputKey: 'Book', OutputValue: 'kept by accounts in us-east-1' }] });
  });

  it('marks its stacks with its name', async () => {
    const { Stacks } = await new CloudFormation(cloud.client('prod')).describeStacks({ StackName: 'Prod-us-east-1-Shop' });
    expect(Stacks![0]!.Tags).toEqual([{ Key: 'flotilla:fleet', Value: 'shop' }]);
  });

  it('waits for a person where a permission is broadened, and says to the topic which', async () => {
    await confirmSubscriptions();
    const id = commit('service/shape.json', JSON.stringify({ actions: ['sqs:*'] }));
    const ran = await run();
    expect([ran.code, ran.stderr]).toEqual([10, expect.stringContaining('flotilla --local approve ConfirmPermissions')]);
    expect((await messages()).at(-1)!.body).toMatch(/role Worker\w+ may now sqs:\* on \$\{Orders\w+\.Arn\}/);
    expectSuccess(await cloud.flotilla('--local', 'approve', 'ConfirmPermissions'));
    expect((await ended(id)).status).toBe('Succeeded');
  });

  it('does not ask again when permissions become narrower', async () => {
    commit('service/shape.json', JSON.stringify({ actions: ['sqs:ReceiveMessage'] }));
    expectSuccess(await run());
  });
});

describe('a push', () => {
  it('that changes none of the paths starts nothing; one that does starts the pipeline', async () => {
    const before = (await executions()).length;
    commit('README.md', 'words');
    push();
    const id = commit('service/shape.json', JSON.stringify({ actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'] }));
    push();
    await until('the pipeline starts', async () => ((await executions()).some(({ sourceRevisions }) => sourceRevisions?.some(({ revisionId }) => revisionId === id)) ? true : undefined));
    const made = (await executions()).slice(0, (await executions()).length - before);
    expect(made.map(({ sourceRevisions }) => sourceRevisions?.[0]?.revisionId)).toEqual([id]);
    expect(made[0]!.trigger?.triggerType).toBe('StartPipelineExecution');
  });
});

describe('the preflight', () => {
  it('ends the synth step when a target stops trusting the pipeline, before anything is changed, and says how to mend it', async () => {
    const iam = new IAM(cloud.client('prod'));
    const RoleName = 'cdk-hnb659fds-deploy-role-222222222222-eu-west-1';
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::222222222222:root' }, Action: 'sts:AssumeRole' }] };
    await iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: JSON.stringify(trust) });
    const id = commit('service/shape.json', JSON.stringify({ actions: ['sqs:SendMessage'] }));
    push();
    const execution = await ended(id);
    const { actionExecutionDetails } = await pipelines.listActionExecutions({ pipelineName: 'shop', filter: { pipelineExecutionId: execution.pipelineExecutionId! } });
    expect(actionExecutionDetails!.filter(({ status }) => status === 'Failed').map(({ stageName, actionName }) => `${stageName}/${actionName}`)).toEqual(['Build/Synth']);
    const log = await logOf(actionExecutionDetails!.find(({ status }) => status === 'Failed')!.output!.executionResult!.externalExecutionId!);
    expect(log).toMatch(/PRE004 222222222222\/eu-west-1 does not trust 999999999999 to deploy/);
    expect(log).toContain('npx cdk bootstrap aws://222222222222/eu-west-1 --trust 999999999999');
  });
});
