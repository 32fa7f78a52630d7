import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodePipeline, type ActionExecutionDetail, type PipelineExecutionSummary } from '@aws-sdk/client-codepipeline';
import { SSM } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, recordOf, root, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** The main job: commits of a CDK Pipelines app on their way to production, and all that may happen to them there. One repository, one pipeline, in the order of its life. */

const REGION = 'us-east-1';
const GATE = { stageName: 'Prod', actionName: 'Promote' };
let cloud: TestCloud;
let app: string;
let pipelines: CodePipeline;

beforeAll(async () => {
  cloud = await startTestCloud({ tools: `999999999999/${REGION}`, dev: `111111111111/${REGION}`, prod: `222222222222/${REGION}` });
  pipelines = new CodePipeline(cloud.client('tools'));
  app = join(cloud.folder, 'app');
  cpSync(join(root, 'test/e2e/apps/pipeline-app'), app, { recursive: true });
  writeFileSync(join(app, 'modules.json'), JSON.stringify(join(root, 'node_modules')));
  writeFileSync(join(app, 'shape.json'), JSON.stringify({ value: 'v0', regions: ['us-east-1', 'eu-west-1'], synth: ['cdk synth --quiet'], smoke: ['test -n "$DEPLOYED"'] }));
  git('init', '--quiet', '--initial-branch=main');
});
afterAll(() => cloud?.stop());

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null', ...args], { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** A commit that changes the app's shape; answers its ID. */
function commit(change: Record<string, unknown>): string {
  const file = join(app, 'shape.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }));
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', JSON.stringify(change));
  return git('rev-parse', 'HEAD');
}

/** Pushes as a developer does: git over HTTP to CodeCommit. */
function push(change: Record<string, unknown>): string {
  const id = commit(change);
  const { accessKeyId, secretAccessKey } = cloud.client('tools').credentials;
  const url = new URL('/v1/repos/fleet', cloud.endpoint);
  Object.assign(url, { username: accessKeyId, password: encodeURIComponent(secretAccessKey) });
  git('push', '--quiet', url.href, 'HEAD:refs/heads/main');
  return id;
}

const run = (...args: string[]): Promise<Ran> => cloud.flotilla('run', app, '--output', 'json', ...args);
const executionsOf = async (id: string): Promise<PipelineExecutionSummary[]> =>
  (await pipelines.listPipelineExecutions({ pipelineName: 'fleet' })).pipelineExecutionSummaries!.filter(({ sourceRevisions }) => sourceRevisions?.some(({ revisionId }) => revisionId === id));
const actionsOf = async (execution: PipelineExecutionSummary): Promise<ActionExecutionDetail[]> =>
  (await pipelines.listActionExecutions({ pipelineName: 'fleet', filter: { pipelineExecutionId: execution.pipelineExecutionId! } })).actionExecutionDetails!;
const failureOf = async (execution: PipelineExecutionSummary) => {
  const { stageName, actionName, output } = (await actionsOf(execution)).find(({ status }) => status === 'Failed')!;
  return { stageName, actionName, message: output?.executionResult?.errorDetails?.message };
};

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 120_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what}: not within two minutes. ${JSON.stringify((await pipelines.getPipelineState({ name: 'fleet' })).stageStates?.map(({ stageName, latestExecution }) => [stageName, latestExecution?.status]))}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** The newest execution of a commit, once it is over in a way that lasts: a cancelled one is followed by another. */
const ended = (id: string): Promise<PipelineExecutionSummary> =>
  until(`the end of ${id.slice(0, 7)}`, async () => {
    const newest = (await executionsOf(id))[0];
    return newest && !['InProgress', 'Stopping', 'Cancelled'].includes(newest.status!) ? newest : undefined;
  });

/** The gate, once the commit waits at it. */
const atGate = (id: string): Promise<string> =>
  until(`${id.slice(0, 7)} at the gate`, async () => {
    const newest = (await executionsOf(id))[0];
    if (newest?.status === 'Failed') throw new Error(JSON.stringify(await failureOf(newest)));
    const stage = (await pipelines.getPipelineState({ name: 'fleet' })).stageStates?.find(({ stageName }) => stageName === 'Prod');
    return stage?.latestExecution?.pipelineExecutionId === newest?.pipelineExecutionId ? stage?.actionStates?.find(({ actionName }) => actionName === 'Promote')?.latestExecution?.token : undefined;
  });
const decide = async (token: string, status: 'Approved' | 'Rejected'): Promise<unknown> => pipelines.putApprovalResult({ pipelineName: 'fleet', ...GATE, token, result: { status, summary: 'by a test' } });

interface Row {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  readonly live: string | null;
  readonly state: string;
}

/** `flotilla --local where`: commit and state by stage and region. */
async function where(): Promise<Record<string, [commit: string | undefined, state: string]>> {
  const { pipelines: found } = recordOf(expectSuccess(await cloud.flotilla('--local', 'where', '--output', 'json'))) as { pipelines: { rows: Row[] }[] };
  return Object.fromEntries(found.flatMap(({ rows }) => rows).map(({ stage, region, live, state }) => [`${stage} ${region}`, [live ?? undefined, state]]));
}

const valueIn = async (profile: string, region: string): Promise<string | undefined> => (await new SSM(cloud.client(profile, region)).getParameter({ Name: '/service/value' }).catch(() => undefined))?.Parameter?.Value;
const prodValues = async (): Promise<(string | undefined)[]> => Promise.all(['us-east-1', 'eu-west-1'].map((region) => valueIn('prod', region)));

describe('flotilla run', () => {
  it('takes a commit to prod in two regions', async () => {
    const id = commit({ value: 'v1' });
    const ran = expectSuccess(await run('--approve', 'all'));
    expect(recordOf(ran)).toMatchObject({ target: 'LOCAL', commit: { id }, pipelines: [{ name: 'fleet', status: 'Succeeded' }] });
    expect(await prodValues()).toEqual(['v1', 'v1']);
    expect(await where()).toEqual({ 'Dev us-east-1': [id, 'deployed'], 'Prod us-east-1': [id, 'deployed'], 'Prod eu-west-1': [id, 'deployed'] });
  });

  it('leaves a gate waiting with exit code 10, and flotilla --local approve goes on', async () => {
    const before = git('rev-parse', 'HEAD');
    const id = commit({ value: 'v2' });
    const ran = await run();
    expect([ran.code, ran.stderr]).toEqual([10, expect.stringContaining('flotilla --local approve Promote')]);
    expect(await where()).toEqual({ 'Dev us-east-1': [id, 'deployed'], 'Prod us-east-1': [before, 'waiting'], 'Prod eu-west-1': [before, 'waiting'] });
    expectSuccess(await cloud.flotilla('--local', 'approve', 'Promote'));
    expect((await ended(id)).status).toBe('Succeeded');
    expect(await prodValues()).toEqual(['v2', 'v2']);
  });

  it('ends with exit code 11 at a rejected gate; prod stays as it was', async () => {
    const id = commit({ value: 'v3' });
    const ran = await run('--reject', 'Promote');
    expect([ran.code, (await ended(id)).status]).toEqual([11, 'Failed']);
    expect([await valueIn('dev', REGION), ...(await prodValues())]).toEqual(['v3', 'v2', 'v2']);
  });
});

describe('a push', () => {
  it('of a failing smoke test stops the wave behind it', async () => {
    const id = push({ value: 'v4', smoke: ['echo checking', 'exit 3'] });
    const execution = await ended(id);
    expect(execution.status).toBe('Failed');
    expect(execution.trigger?.triggerType).toBe('CloudWatchEvent');
    expect(await failureOf(execution)).toMatchObject({ stageName: 'Dev', actionName: 'SmokeTest', message: expect.stringMatching(/Error while executing command: exit 3. Reason: exit status 3/) as string });
    expect(await where()).toMatchObject({ 'Dev us-east-1': [id, 'deployed'], 'Prod us-east-1': [expect.not.stringMatching(id), 'deployed'] });
    expect(await prodValues()).toEqual(['v2', 'v2']);
  });

  it('of a broken definition stops at UpdatePipeline, the old shape stays, and the next commit recovers', async () => {
    const version = (await pipelines.getPipeline({ name: 'fleet' })).pipeline!.version;
    const broken = await ended(push({ value: 'v5', broken: true, smoke: ['test -n "$DEPLOYED"'] }));
    expect(await failureOf(broken)).toMatchObject({ stageName: 'UpdatePipeline' });
    expect((await pipelines.getPipeline({ name: 'fleet' })).pipeline!.version).toBe(version);
    const id = push({ value: 'v6', broken: false });
    await decide(await atGate(id), 'Approved');
    expect((await ended(id)).status).toBe('Succeeded');
    expect(await prodValues()).toEqual(['v6', 'v6']);
  });

  it('of a changed synth step runs with it after the restart', async () => {
    const id = push({ synth: ['echo "a new step"', 'cdk synth --quiet'] });
    await decide(await atGate(id), 'Approved');
    expect((await ended(id)).status).toBe('Succeeded');
    expect((await executionsOf(id)).map(({ status }) => status)).toEqual(['Succeeded', 'Cancelled']);
    const project = (await pipelines.getPipeline({ name: 'fleet' })).pipeline!.stages!.find(({ name }) => name === 'Build')!.actions![0]!.configuration!['ProjectName']!;
    const builds = new CodeBuild(cloud.client('tools'));
    const { projects } = await builds.batchGetProjects({ names: [project] });
    expect(projects![0]!.source!.buildspec).toContain('a new step');
  });

  it('is superseded by a newer one while it waits before prod', async () => {
    const first = push({ value: 'v7' });
    const token = await atGate(first);
    const second = push({ value: 'v8' });
    await until('the second waits', async () => ((await pipelines.getPipelineState({ name: 'fleet' })).stageStates!.find(({ stageName }) => stageName === 'Prod')!.inboundExecution ? true : undefined));
    const third = push({ value: 'v9' });
    expect((await ended(second)).status).toBe('Superseded');
    expect((await where())['Dev us-east-1']![0]).toBe(third);
    await decide(token, 'Rejected');
    await decide(await atGate(third), 'Approved');
    expect([(await ended(first)).status, (await ended(third)).status]).toEqual(['Failed', 'Succeeded']);
    expect(await prodValues()).toEqual(['v9', 'v9']);
  });

  it('that adds a region which is not bootstrapped fails where AWS fails; bootstrapped and retried it deploys there after the restart', async () => {
    const id = push({ value: 'v10', regions: ['us-east-1', 'eu-west-1', 'ap-southeast-2'] });
    const first = await until('the first failure', async () => (await executionsOf(id)).find(({ status }) => status === 'Failed'));
    const failure = await failureOf(first);
    expect(failure.message).toBeDefined();
    const log = await cloud.flotilla('--local', 'where');
    expect(log.code).toBe(0);
    for (const [profile, account] of [['tools', '999999999999'], ['prod', '222222222222']] as const)
      expectSuccess(await cloud.cdk(['bootstrap', `aws://${account}/ap-southeast-2`, ...(profile === 'prod' ? ['--trust', '999999999999', '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/AdministratorAccess'] : [])], { profile }));
    await pipelines.retryStageExecution({ pipelineName: 'fleet', stageName: failure.stageName!, pipelineExecutionId: first.pipelineExecutionId!, retryMode: 'FAILED_ACTIONS' });
    await decide(await atGate(id), 'Approved');
    const last = await ended(id);
    expect(last.status).toBe('Succeeded');
    expect(last.pipelineExecutionId).not.toBe(failure.stageName === 'UpdatePipeline' ? first.pipelineExecutionId : undefined);
    expect(await valueIn('prod', 'ap-southeast-2')).toBe('v10');
    expect((await where())['Prod ap-southeast-2']).toEqual([id, 'deployed']);
  });

  it('that broadens permissions waits for a confirmation, as ConfirmPermissionsBroadening has it', async () => {
    const id = push({ value: 'v11', confirm: true, role: true });
    const waiting = await until('the confirmation', async () => {
      const stage = (await pipelines.getPipelineState({ name: 'fleet' })).stageStates?.find(({ stageName }) => stageName === 'Dev');
      const newest = (await executionsOf(id))[0];
      if (newest?.status === 'Failed') throw new Error(JSON.stringify(await failureOf(newest)));
      return stage?.actionStates?.find(({ latestExecution }) => latestExecution?.token && latestExecution.status === 'InProgress');
    });
    expect(await valueIn('dev', REGION)).toBe('v10');
    await pipelines.putApprovalResult({ pipelineName: 'fleet', stageName: 'Dev', actionName: waiting.actionName!, token: waiting.latestExecution!.token!, result: { status: 'Approved', summary: 'seen' } });
    await decide(await atGate(id), 'Approved');
    expect((await ended(id)).status).toBe('Succeeded');
    const again = push({ value: 'v12' });
    await decide(await atGate(again), 'Approved');
    expect((await ended(again)).status).toBe('Succeeded');
  });
});
