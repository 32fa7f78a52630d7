import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodePipeline, type PipelineDeclaration } from '@aws-sdk/client-codepipeline';
import { EventBridge } from '@aws-sdk/client-eventbridge';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import { SQS } from '@aws-sdk/client-sqs';
import { SSM } from '@aws-sdk/client-ssm';
import { archive } from '../../src/local/process/zip.js';

/**
 * `tsx test/torture/kill.ts [--from N] [--to N]`: the built cloud takes a small pipeline (S3 → CodeBuild → change set → approval) to its
 * end; then again with kill -9 before each commit of the execution, a restart, and the same end. What it leaves is compared: states,
 * attempts, builds, stack events, objects.
 */
const PROGRAM = fileURLToPath(new URL('../../dist/local.js', import.meta.url));
const ACCOUNT = '111111111111';
const REGION = 'eu-west-1';
const folder = mkdtempSync(join(tmpdir(), 'flotilla-kill-'));
const base = join(folder, 'base');
const value = (name: string, otherwise: number): number => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);

interface Life {
  readonly child: ChildProcess;
  readonly dead: Promise<void>;
  readonly settings: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string }; maxAttempts: number };
}

async function boot(directory: string, killAt?: number): Promise<Life> {
  mkdirSync(directory, { recursive: true });
  const log = openSync(join(directory, 'log'), 'a');
  const child = spawn(process.execPath, [PROGRAM, '--dir', directory], { stdio: ['ignore', log, log], env: { ...process.env, FLOTILLA_ISOLATION: 'process', ...(killAt === undefined ? {} : { FLOTILLA_KILL_AT: String(killAt) }) } });
  const dead = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const known = await eventually('the start', async () => {
    if (child.exitCode !== null || child.signalCode !== null) return 'dead' as const;
    const file = join(directory, 'cloud.json');
    const found = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { pid: number; endpoint: string; token: string }) : undefined;
    return found?.pid === child.pid ? found : undefined;
  });
  if (known === 'dead') return { child, dead, settings: { endpoint: 'http://127.0.0.1:9', region: REGION, credentials: { accessKeyId: 'x', secretAccessKey: 'x' }, maxAttempts: 1 } };
  const answer = await fetch(`${known.endpoint}/_flotilla/declare`, { method: 'POST', headers: { 'x-flotilla-token': known.token, 'content-type': 'application/json' }, body: JSON.stringify({ id: ACCOUNT, name: 'a', region: REGION }) }).catch(() => undefined);
  const { accessKeyId, secretAccessKey } = answer ? ((await answer.json()) as { accessKeyId: string; secretAccessKey: string }) : { accessKeyId: 'x', secretAccessKey: 'x' };
  return { child, dead, settings: { endpoint: known.endpoint, region: REGION, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 } };
}

async function eventually<T>(what: string, look: () => Promise<T | undefined>, ms = 60_000): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 40))) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what}: not within ${ms / 1000} s`);
}

/** What a pipeline needs, in a folder that every run starts from. */
async function prepare(): Promise<void> {
  const life = await boot(base);
  const iam = new IAM(life.settings);
  const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: ['codepipeline.amazonaws.com', 'codebuild.amazonaws.com', 'cloudformation.amazonaws.com'] }, Action: 'sts:AssumeRole' }] });
  await iam.createRole({ RoleName: 'all', AssumeRolePolicyDocument: trust });
  await iam.attachRolePolicy({ RoleName: 'all', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' });
  const s3 = new S3(life.settings);
  for (const Bucket of ['kill-source', 'kill-store']) {
    await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } });
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  }
  const template = JSON.stringify({ Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: '/killed', Value: 'deployed' } } } });
  const topic = JSON.stringify({ Resources: { T: { Type: 'AWS::SNS::Topic' } } });
  await s3.putObject({ Bucket: 'kill-source', Key: 'src.zip', Body: await archive([{ name: 'template.json', data: Buffer.from(template) }, { name: 'topic.json', data: Buffer.from(topic) }]) });
  // A stack that failed before, for REPLACE_ON_FAILURE.
  const formation = new CloudFormation(life.settings);
  await formation.createStack({ StackName: 'failed', RoleARN: ROLE, TemplateBody: JSON.stringify({ Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Name: 'not a name', Value: '' } } } }) });
  await eventually('the failed stack', async () => ((await formation.describeStacks({ StackName: 'failed' })).Stacks![0]!.StackStatus === 'ROLLBACK_COMPLETE' ? true : undefined));
  await watch(life);
  await new CodeBuild(life.settings).createProject({
    name: 'small', serviceRole: ROLE, source: { type: 'CODEPIPELINE', buildspec: 'version: 0.2\nphases:\n  build:\n    commands:\n      - sleep 0.3\nartifacts:\n  files: [template.json, topic.json]\n' }, artifacts: { type: 'CODEPIPELINE' },
    environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/standard:7.0', computeType: 'BUILD_GENERAL1_SMALL' },
  });
  life.child.kill('SIGTERM');
  await life.dead;
}

/** A queue that gets each event of the pipeline: none may be missing after a death. */
async function watch({ settings }: Life): Promise<void> {
  const { QueueUrl } = await new SQS(settings).createQueue({ QueueName: 'told', Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }] }) } });
  if (!QueueUrl) throw new TypeError('no queue');
  const events = new EventBridge(settings);
  await events.putRule({ Name: 'told', EventPattern: JSON.stringify({ source: ['aws.codepipeline', 'aws.codebuild'] }) });
  await events.putTargets({ Rule: 'told', Targets: [{ Id: 'queue', Arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:told` }] });
}

/** What the queue was told, each event once: a repetition is what EventBridge allows itself ("at least once"). */
async function told({ settings }: Life): Promise<string[]> {
  const sqs = new SQS(settings);
  const { QueueUrl } = await sqs.getQueueUrl({ QueueName: 'told' });
  const seen = new Map<string, string>();
  for (;;) {
    const { Messages = [] } = await sqs.receiveMessage({ QueueUrl: QueueUrl!, MaxNumberOfMessages: 10, VisibilityTimeout: 600 });
    if (Messages.length === 0) return [...seen.values()].sort();
    for (const { Body } of Messages) {
      const { id, source, detail } = JSON.parse(Body!) as { id: string; source: string; detail: Record<string, string> };
      seen.set(id, [source, detail['stage'], detail['action'], detail['state'] ?? detail['build-status']].filter(Boolean).join(' '));
    }
  }
}

const ROLE = `arn:aws:iam::${ACCOUNT}:role/all`;
const type = (category: 'Source' | 'Build' | 'Deploy' | 'Approval', provider: string) => ({ category, owner: 'AWS' as const, provider, version: '1' });
const deploy = (name: string, runOrder: number, ActionMode: string, more: object = {}) => ({ name, runOrder, actionTypeId: type('Deploy', 'CloudFormation'), configuration: { ActionMode, StackName: 'killed', ChangeSetName: 'change', ...more } });
const template = { TemplatePath: 'Out::template.json', RoleArn: ROLE };
const other = { TemplatePath: 'Out::topic.json', RoleArn: ROLE };
const PIPELINE: PipelineDeclaration = {
  name: 'killed', roleArn: ROLE, pipelineType: 'V2', artifactStore: { type: 'S3', location: 'kill-store' },
  stages: [
    { name: 'Source', actions: [{ name: 'Get', actionTypeId: type('Source', 'S3'), configuration: { S3Bucket: 'kill-source', S3ObjectKey: 'src.zip', PollForSourceChanges: 'false' }, outputArtifacts: [{ name: 'Code' }] }] },
    { name: 'Build', actions: [{ name: 'Make', actionTypeId: type('Build', 'CodeBuild'), configuration: { ProjectName: 'small' }, inputArtifacts: [{ name: 'Code' }], outputArtifacts: [{ name: 'Out' }] }] },
    {
      name: 'Deploy',
      actions: [
        { ...deploy('Prepare', 1, 'CHANGE_SET_REPLACE', template), inputArtifacts: [{ name: 'Out' }] },
        deploy('Execute', 2, 'CHANGE_SET_EXECUTE'),
        { ...deploy('Create', 3, 'CREATE_UPDATE', { ...other, StackName: 'whole' }), inputArtifacts: [{ name: 'Out' }] },
        { ...deploy('Replace', 4, 'REPLACE_ON_FAILURE', { ...other, StackName: 'failed' }), inputArtifacts: [{ name: 'Out' }] },
      ],
    },
    { name: 'Gate', actions: [{ name: 'Ok', actionTypeId: type('Approval', 'Manual') }] },
  ],
};

/** Takes the pipeline to its end, through death; answers what is left. */
async function take(directory: string, killAt?: number): Promise<{ end: string; died: boolean }> {
  let life = await boot(directory, killAt);
  let died = false;
  let execution: string | undefined;
  for (const limit = Date.now() + 90_000; ; await new Promise((resolve) => setTimeout(resolve, 40))) {
    if (Date.now() > limit) throw new Error(`no end in 90 s; the folder stays: ${directory}`);
    if (life.child.exitCode !== null || life.child.signalCode !== null) {
      died = true;
      life = await boot(directory);
    }
    const pipelines = new CodePipeline(life.settings);
    try {
      const exists = await pipelines.getPipeline({ name: 'killed' }).then(() => true, (error: Error) => (error.name === 'PipelineNotFoundException' ? false : Promise.reject(error)));
      if (!exists) await pipelines.createPipeline({ pipeline: PIPELINE });
      const newest = (await pipelines.listPipelineExecutions({ pipelineName: 'killed' })).pipelineExecutionSummaries![0];
      execution = newest?.pipelineExecutionId;
      if (newest && newest.status !== 'InProgress') break;
      const gate = (await pipelines.getPipelineState({ name: 'killed' })).stageStates!.at(-1)!.actionStates![0]!.latestExecution;
      if (gate?.token && gate.status === 'InProgress') await pipelines.putApprovalResult({ pipelineName: 'killed', stageName: 'Gate', actionName: 'Ok', token: gate.token, result: { status: 'Approved', summary: 'ok' } });
    } catch (error) {
      // The process died under the question: it is asked again of the next one.
      if (!/ECONN|socket|EPIPE|fetch|terminated/i.test(`${(error as { code?: string }).code ?? ''} ${(error as Error).message}`)) throw error;
      await Promise.race([life.dead, new Promise((resolve) => setTimeout(resolve, 200))]);
    } finally {
      pipelines.destroy();
    }
  }
  const end = await remains(life, execution!);
  life.child.kill('SIGTERM');
  await life.dead;
  return { end: JSON.stringify(end, undefined, 1), died };
}

/** States of all stacks that bore a name, by their events. */
async function lifeOf(formation: CloudFormation, StackName: string): Promise<string[]> {
  const { StackEvents } = await formation.describeStackEvents({ StackName });
  return StackEvents!.map(({ LogicalResourceId, ResourceStatus }) => `${LogicalResourceId} ${ResourceStatus}`).reverse();
}

async function remains({ settings }: Life, pipelineExecutionId: string): Promise<object> {
  const pipelines = new CodePipeline(settings);
  const formation = new CloudFormation(settings);
  const { pipelineExecutionSummaries } = await pipelines.listPipelineExecutions({ pipelineName: 'killed' });
  const { actionExecutionDetails } = await pipelines.listActionExecutions({ pipelineName: 'killed', filter: { pipelineExecutionId } });
  const { ids } = await new CodeBuild(settings).listBuildsForProject({ projectName: 'small' });
  const { StackEvents } = await formation.describeStackEvents({ StackName: 'killed' });
  const { Summaries } = await formation.listChangeSets({ StackName: 'killed' });
  const { Versions } = await new S3(settings).listObjectVersions({ Bucket: 'kill-store' });
  const { Parameter } = await new SSM(settings).getParameter({ Name: '/killed' });
  return {
    executions: pipelineExecutionSummaries!.map(({ status }) => status),
    actions: actionExecutionDetails!.map(({ stageName, actionName, status, output }) => `${stageName}/${actionName} ${status} ${output?.executionResult?.errorDetails?.message ?? ''}`).reverse(),
    builds: ids!.length,
    events: StackEvents!.map(({ LogicalResourceId, ResourceStatus }) => `${LogicalResourceId} ${ResourceStatus}`).reverse(),
    changeSets: Summaries!.length,
    others: await Promise.all(['whole', 'failed'].map((name) => lifeOf(formation, name))),
    told: await told({ settings } as Life),
    artifacts: new Set(Versions!.map(({ Key }) => Key)).size,
    parameter: [Parameter!.Value, Parameter!.Version],
  };
}

await prepare();
const run = async (name: string, killAt?: number): Promise<{ end: string; died: boolean }> => {
  const directory = join(folder, name);
  cpSync(base, directory, { recursive: true, filter: (source) => !/cloud\.json$|\/log$/.test(source) });
  const done = await take(directory, killAt);
  rmSync(directory, { recursive: true, force: true });
  return done;
};
const whole = await run('whole');
const broken: number[] = [];
let killed = 0;
for (let at = value('--from', 1); at <= value('--to', 1000); at++) {
  const again = await run(`killed-${at}`, at).catch((error: unknown) => ({ end: error instanceof Error ? error.message : String(error), died: true }));
  if (!again.died) break;
  killed++;
  if (again.end === whole.end) continue;
  broken.push(at);
  process.stderr.write(`✖ kill -9 before commit ${at}: another end\n${again.end}\n--- uninterrupted\n${whole.end}\n  again: npm run torture -- --kill --from ${at} --to ${at}\n`);
}
if (broken.length === 0) rmSync(folder, { recursive: true, force: true });
process.stdout.write(broken.length === 0 ? `kill -9: ${killed} deaths, each to the end of the uninterrupted run\n` : `kill -9: ${broken.length} of ${killed} deaths end otherwise (commits ${broken.join(', ')})\n`);
process.exitCode = broken.length === 0 && killed > 0 ? 0 : 1;
