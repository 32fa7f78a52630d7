import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, outputOf } from '../cloud.js';
import { inventory } from './inventory.js';
import { arrival, AUTHOR, pipelineOf, run, startExample, until, where, type System, type Where } from './system.js';

/** A microservice, one pipeline, four targets and then a fifth: examples/payments, from an empty folder to nothing. In the order of its life. */

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-southeast-2'];
const SOURCE = '/v1/repos/payments';
let system: System;
let pipeline: ReturnType<typeof pipelineOf>;
let before: string[];
let first: string;

beforeAll(async () => {
  system = await startExample('payments', { tools: '999999999999/us-east-1', dev: '111111111111/us-east-1', staging: '222222222222/us-east-1', prod: '333333333333/us-east-1' });
  pipeline = pipelineOf(system, 'payments');
  before = await inventory(system.cloud, REGIONS);
});
afterAll(() => system?.cloud.stop());

const fleetFile = (): string => readFileSync(join(system.app, 'flotilla.yaml'), 'utf8');
/** Changes one place of the fleet file. */
function edited(from: string, to: string): Record<string, string> {
  const text = fleetFile();
  expect(text.split(from)).toHaveLength(2);
  return { 'flotilla.yaml': text.replace(from, to) };
}
const stagesOf = async (execution: Parameters<typeof pipeline.actions>[0]): Promise<string[]> => [...new Set((await pipeline.actions(execution)).map(({ stageName }) => stageName!))].reverse();
const failureOf = async (execution: Parameters<typeof pipeline.actions>[0]): Promise<string | undefined> => (await pipeline.actions(execution)).filter(({ status }) => status === 'Failed').map(({ stageName, actionName }) => `${stageName}/${actionName}`)[0];
const logOf = async (action: string): Promise<string> => (await system.answer<{ lines: { line: string }[] }>('--local', 'logs', action)).lines.map(({ line }) => line).join('\n');
/** Waits until the commit stands at the gate before prod, and lets it through. */
async function promote(commit: string): Promise<void> {
  expect(await arrival(system, commit)).toBe('at a gate');
  expectSuccess(await system.flotilla('--local', 'approve', 'PromoteToProd', '--commit', commit));
  expect(await arrival(system, commit)).toBe('everywhere');
}

describe('the first commit', () => {
  it('passes its tests, is valid, and has a plan', async () => {
    expectSuccess(await system.program('npm', 'test'));
    expect(await system.answer('validate')).toMatchObject({ valid: true, warnings: [] });
    const plan = await system.answer<{ fleet: { bootstrap: unknown[] }; cost: { dollars: number } }>('plan');
    expect([plan.fleet.bootstrap.length, plan.cost.dollars > 0]).toEqual([5, true]);
  });

  it('goes to dev and staging, whose tests ask the deployed API, and waits before prod', async () => {
    first = system.commit('Charge by API');
    expect(await run(system)).toEqual({ end: 'at a gate', stderr: expect.stringContaining('approve PromoteToProd') });
    expect(await logOf('SmokeTest')).toContain('{"status":"ok","region":"us-east-1"}');
    expect(await logOf('IntegrationTest')).toContain('a payment was accepted');
    for (const profile of ['dev', 'staging']) {
      const { logGroups } = await new CloudWatchLogs(system.cloud.client(profile)).describeLogGroups({ logGroupNamePrefix: '/aws/lambda/' });
      expect([profile, logGroups!.length]).toEqual([profile, 1]);
    }
    expect(await where(system)).toEqual({ 'Dev us-east-1': `${first} deployed`, 'Staging us-east-1': `${first} deployed`, 'Prod us-east-1': 'nothing waiting', 'Prod eu-west-1': 'nothing waiting' });
  });

  it('goes to both regions of prod at the same time, once it is promoted', async () => {
    await promote(first);
    const [execution] = await pipeline.executions(first);
    const deploys = (await pipeline.actions(execution!)).filter(({ stageName, input }) => stageName === 'Prod' && input?.actionTypeId?.provider === 'CloudFormation');
    expect(deploys.map(({ input }) => input!.region).sort()).toEqual(['eu-west-1', 'us-east-1']);
    const [one, other] = deploys;
    expect([one!.startTime! <= other!.lastUpdateTime!, other!.startTime! <= one!.lastUpdateTime!]).toEqual([true, true]);
  });

  it('is told at every stage by its ID, author and message', async () => {
    const { pipelines } = outputOf('where', expectSuccess(await system.flotilla('--local', 'where', '--output', 'json'))) as Where;
    expect(pipelines[0]!.rows.map(({ stage, region, live, held }) => [stage, region, live, held?.state])).toEqual([['Dev', 'us-east-1'], ['Staging', 'us-east-1'], ['Prod', 'us-east-1'], ['Prod', 'eu-west-1']].map((place) => [...place, first, 'as deployed']));
    expect(pipelines[0]!.commits).toMatchObject([{ id: first, author: AUTHOR, subject: 'Charge by API' }]);
    expect(expectSuccess(await system.flotilla('--local', 'where')).stdout).toContain(`${first.slice(0, 7)} "Charge by API" by ${AUTHOR}`);
  });
});

describe('ap-southeast-2', () => {
  it('is one line in the fleet file, and stops at the preflight while nobody has bootstrapped it: nothing is changed', async () => {
    const { version } = await pipeline.declaration();
    const id = system.commit('Sell in Sydney', edited('regions: [us-east-1, eu-west-1]', 'regions: [us-east-1, eu-west-1, ap-southeast-2]'));
    system.push(SOURCE, 'main');
    const execution = await pipeline.ended(id);
    expect([execution.status, await stagesOf(execution), await failureOf(execution)]).toEqual(['Failed', ['Source', 'Build'], 'Build/Synth']);
    expect(await logOf('Synth')).toMatch(/PRE001 333333333333\/ap-southeast-2/);
    expect((await pipeline.declaration()).version).toBe(version);
  });

  it('is one bootstrap', async () => {
    const { pairs } = await system.answer<{ pairs: { account: string; region: string; action: string }[] }>('--local', 'bootstrap', '--yes', '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/AdministratorAccess');
    expect(pairs.filter(({ action }) => action !== 'none').map(({ account, region, action }) => `${action} ${account}/${region}`)).toEqual(['create 333333333333/ap-southeast-2']);
  });

  it('is deployed by a retry: the pipeline changes itself and starts again under a new ID, before any stage ran in the old shape', async () => {
    const id = system.git('rev-parse', 'HEAD');
    expectSuccess(await system.flotilla('--local', 'retry'));
    const [again, cut] = await until('the restart', async () => ((await pipeline.executions(id)).length === 2 ? pipeline.executions(id) : undefined));
    expect([cut!.status, await stagesOf(cut!)]).toEqual(['Cancelled', ['Source', 'Build', 'UpdatePipeline']]);
    expect(again!.pipelineExecutionId).not.toBe(cut!.pipelineExecutionId);
    await promote(id);
    expect(await where(system)).toMatchObject({ 'Prod us-east-1': `${id} deployed`, 'Prod eu-west-1': `${id} deployed`, 'Prod ap-southeast-2': `${id} deployed` });
  });
});

describe('assets', () => {
  it('were published once for each account and region, whatever the number of stages and executions', async () => {
    const places = [['dev', '111111111111', 'us-east-1'], ['staging', '222222222222', 'us-east-1'], ...REGIONS.map((region) => ['prod', '333333333333', region])];
    const published = await Promise.all(places.map(async ([profile, account, region]) => ((await new S3(system.cloud.client(profile!, region)).listObjectVersions({ Bucket: `cdk-hnb659fds-assets-${account}-${region}` })).Versions ?? []).map(({ Key }) => Key!)));
    expect(published.map((keys) => keys.length)).toEqual(places.map(() => 1));
    expect(new Set(published.flat()).size).toBe(1);
    const { stages } = await pipeline.declaration();
    expect(stages!.find(({ name }) => name === 'Assets')!.actions).toHaveLength(1);
  });
});

describe('a push', () => {
  it('of a definition that cannot be deployed fails UpdatePipeline, and the previous shape stays live', async () => {
    const { version } = await pipeline.declaration();
    const id = system.commit('A boundary that nobody made', edited('fleet: payments\n', 'fleet: payments\npermissionsBoundary: NobodyMadeIt\n'));
    system.push(SOURCE, 'main');
    const execution = await pipeline.ended(id);
    expect([execution.status, await stagesOf(execution), await failureOf(execution)]).toEqual(['Failed', ['Source', 'Build', 'UpdatePipeline'], 'UpdatePipeline/SelfMutate']);
    expect((await pipeline.declaration()).version).toBe(version);
  });

  it('of a good one recovers; its new synth step is taken after the old one has synthesized it', async () => {
    const { 'flotilla.yaml': text } = edited('permissionsBoundary: NobodyMadeIt\n', '');
    const id = system.commit('Synthesize in another way', { 'flotilla.yaml': text!.replace('synth: [npm ci, npm test, npx cdk synth --quiet]', 'synth: [npm ci, npm test, echo the new step, npx cdk synth --quiet]') });
    system.push(SOURCE, 'main');
    expect(await arrival(system, id)).toBe('at a gate');
    expect((await pipeline.executions(id)).map(({ status }) => status)).toEqual(['InProgress', 'Cancelled']);
    expect(await logOf('Synth')).toContain('the new step');
    expect(await where(system)).toMatchObject({ 'Dev us-east-1': `${id} deployed`, 'Staging us-east-1': `${id} deployed`, 'Prod us-east-1': expect.stringMatching(/ waiting$/) as string });
  });

  it('that the old synth step cannot synthesize changes nothing', async () => {
    const { version } = await pipeline.declaration();
    const id = system.commit('Only the new step makes what the app needs', { ...edited('echo the new step', 'touch bin/made-by-the-step.mjs'), 'bin/payments.ts': `import './made-by-the-step.mjs';\n${readFileSync(join(system.app, 'bin/payments.ts'), 'utf8')}` });
    system.push(SOURCE, 'main');
    const execution = await pipeline.ended(id);
    expect([execution.status, await failureOf(execution)]).toEqual(['Failed', 'Build/Synth']);
    expect((await pipeline.declaration()).version).toBe(version);
    system.git('revert', '--no-edit', 'HEAD');
  });
});

describe('the whole', () => {
  it('is destroyed with a commit at the gate, and leaves nothing', async () => {
    const done = outputOf('destroy', expectSuccess(await system.flotilla('--local', 'destroy', '--confirm', 'payments', '--bootstrap', '--output', 'json')));
    expect(done).toMatchObject({ retained: [], failures: [], left: [] });
    expect(await inventory(system.cloud, REGIONS)).toEqual(before);
  });
});
