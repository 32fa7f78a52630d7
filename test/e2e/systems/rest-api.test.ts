import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { APIGateway } from '@aws-sdk/client-api-gateway';
import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodestarNotifications } from '@aws-sdk/client-codestar-notifications';
import { KMS } from '@aws-sdk/client-kms';
import { SNS } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, outputOf } from '../cloud.js';
import { inventory } from './inventory.js';
import { arrival, pipelineOf, run, startExample, until, where, type System } from './system.js';

/** A pipeline for each branch, Bitbucket, Slack: examples/rest-api, from an empty folder to nothing. In the order of its life. */

const REGION = 'eu-west-1';
const PIPELINES = ['rest-api-dev', 'rest-api-uat', 'rest-api-production'];
const SOURCE = '/git/acme/rest-api.git';
let system: System;
let before: string[];

beforeAll(async () => {
  system = await startExample('rest-api', { tools: `999999999999/${REGION}`, dev: `111111111111/${REGION}`, uat: `222222222222/${REGION}`, production: `333333333333/${REGION}` });
  before = await inventory(system.cloud, [REGION]);
});
afterAll(() => system?.cloud.stop());

interface Message {
  readonly channel: string;
  readonly to: string;
  readonly subject?: string;
  readonly body: string;
}
const inbox = (): Promise<Message[]> => system.answer('cloud', 'inbox');

/** As the subscribers do: by the command in the mail they got. */
async function confirmSubscriptions(): Promise<void> {
  const sns = new SNS(system.cloud.client('tools'));
  for (const { body } of await inbox()) {
    const [, TopicArn, Token] = /--topic-arn (\S+) --token (\S+)/.exec(body) ?? [];
    if (Token) await sns.confirmSubscription({ TopicArn: TopicArn!, Token });
  }
}

/** The stack with more rights for its function than before. */
const broadened = (): Record<string, string> => {
  const text = readFileSync(join(system.app, 'lib/api-stack.ts'), 'utf8');
  return { 'lib/api-stack.ts': text.replace('    const api = new RestApi', "    handler.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:Scan'], resources: ['*'] }));\n    const api = new RestApi").replace("import { LambdaIntegration", "import { PolicyStatement } from 'aws-cdk-lib/aws-iam';\nimport { LambdaIntegration") };
};

describe('the first commit', () => {
  let id: string;

  it('passes its tests, is valid, and has a plan of three pipelines', async () => {
    expectSuccess(await system.program('npm', 'test'));
    expect(await system.answer('validate')).toMatchObject({ valid: true, warnings: [] });
    const plan = await system.answer<{ fleet: { pipelines: { name: string; source: { branch: string } }[] } }>('plan');
    expect(plan.fleet.pipelines.map(({ name, source }) => [name, source.branch])).toEqual([['rest-api-dev', 'develop'], ['rest-api-uat', 'uat'], ['rest-api-production', 'main']]);
  });

  it('goes through all three, and the API answers in each account', async () => {
    id = system.commit('First commit');
    expect((await run(system, '--approve', 'all')).end).toBe('everywhere');
    expect(await where(system)).toEqual({ [`Dev-eu-west-1 ${REGION}`]: `${id} deployed`, [`Uat-eu-west-1 ${REGION}`]: `${id} deployed`, [`Production-eu-west-1 ${REGION}`]: `${id} deployed` });
    for (const profile of ['dev', 'uat', 'production']) {
      const { items } = await new APIGateway(system.cloud.client(profile)).getRestApis({});
      const { status, stdout } = await ask(`https://${items![0]!.id}.execute-api.${REGION}.amazonaws.com/prod/books/1`);
      expect([profile, status, JSON.parse(stdout)]).toEqual([profile, 200, { id: '1', title: 'Middlemarch' }]);
    }
  });

  /** As a client of the deployed API: by its own host name, at the local cloud's address. */
  async function ask(url: string): Promise<{ status: number; stdout: string }> {
    const { host, pathname } = new URL(url);
    const { stdout } = expectSuccess(await system.program('curl', '-sS', '-w', '\n%{http_code}', '-H', `Host: ${host}`, new URL(pathname, system.cloud.endpoint).href));
    const lines = stdout.trim().split('\n');
    return { status: Number(lines.at(-1)), stdout: lines.slice(0, -1).join('\n') };
  }

  it('came over the connection, each pipeline from a branch of its own, with artifacts under a key of ours', async () => {
    for (const [name, branch] of [['rest-api-dev', 'develop'], ['rest-api-uat', 'uat'], ['rest-api-production', 'main']] as const) {
      const { stages, artifactStore } = await pipelineOf(system, name).declaration();
      expect(stages![0]!.actions![0]).toMatchObject({ actionTypeId: { provider: 'CodeStarSourceConnection' }, configuration: { FullRepositoryId: 'acme/rest-api', BranchName: branch, ConnectionArn: expect.stringContaining('connection/11111111') as string } });
      const { KeyMetadata } = await new KMS(system.cloud.client('tools')).describeKey({ KeyId: artifactStore!.encryptionKey!.id! });
      expect([name, KeyMetadata!.KeyManager]).toEqual([name, 'CUSTOMER']);
    }
  });

  it('was built on ARM, by a partial buildspec that pins Node', async () => {
    const builds = new CodeBuild(system.cloud.client('tools'));
    const { projects } = await builds.batchGetProjects({ names: (await builds.listProjects({})).projects! });
    expect(new Set(projects!.map(({ environment }) => environment!.type))).toEqual(new Set(['ARM_CONTAINER']));
    const synths = projects!.filter(({ source }) => source!.buildspec!.includes('npx cdk synth'));
    expect(synths).toHaveLength(3);
    for (const { source } of synths) expect(JSON.parse(source!.buildspec!)).toMatchObject({ phases: { install: { 'runtime-versions': { nodejs: '22' } }, build: { commands: expect.arrayContaining(['npm test']) as string[] } } });
  });
});

describe('a push to one branch', () => {
  it('starts its pipeline alone; e-mail and Slack hear of it', async () => {
    await confirmSubscriptions();
    const known = (await inbox()).length;
    const id = system.commit('More rights', broadened());
    system.push(SOURCE, 'develop');
    const execution = await pipelineOf(system, 'rest-api-dev').ended(id);
    expect([execution.status, execution.trigger?.triggerType]).toEqual(['Succeeded', 'WebhookV2']);
    for (const name of ['rest-api-uat', 'rest-api-production']) expect([name, await pipelineOf(system, name).executions(id)]).toEqual([name, []]);
    const { NotificationRules } = await new CodestarNotifications(system.cloud.client('tools')).listNotificationRules({});
    expect(NotificationRules).toHaveLength(3);
    const heard = await until('the news', async () => {
      const news = (await inbox()).slice(known).filter(({ body }) => body.includes('rest-api-dev') && /SUCCEEDED/i.test(body));
      return news.some(({ channel }) => channel === 'email') && news.some(({ channel }) => channel === 'slack') ? news : undefined;
    });
    expect([...new Set(heard.map(({ channel, to }) => `${channel} ${to}`))].sort()).toEqual(['email team@example.com', 'slack T01234567/C01234567']);
  });

  it('of dev is told where it broadens permissions, and goes on', async () => {
    const told = (await inbox()).filter(({ channel, body }) => channel === 'email' && /may now dynamodb:scan on \*/i.test(body));
    expect(told.map(({ to }) => to)).toEqual(['team@example.com']);
    expect((await pipelineOf(system, 'rest-api-dev').declaration()).stages!.flatMap(({ actions = [] }) => actions).filter(({ actionTypeId }) => actionTypeId?.category === 'Approval')).toEqual([]);
  });

  it('of UAT waits for a person where it broadens permissions', async () => {
    const id = system.git('rev-parse', 'HEAD');
    const known = (await inbox()).length;
    system.push(SOURCE, 'uat');
    expect(await arrival(system, id, '--pipeline', 'rest-api-uat')).toBe('at a gate');
    const told = (await inbox()).slice(known).filter(({ body }) => /may now dynamodb:scan on \*/i.test(body));
    expect(told.map(({ channel, to }) => `${channel} ${to}`)).toEqual(['email team@example.com']);
    expectSuccess(await system.flotilla('--local', 'approve', 'ConfirmPermissions', '--pipeline', 'rest-api-uat'));
    expect((await pipelineOf(system, 'rest-api-uat').ended(id)).status).toBe('Succeeded');
    expect(await pipelineOf(system, 'rest-api-production').executions(id)).toEqual([]);
  });
});

describe('the whole', () => {
  it('is not destroyed while production’s pipeline is protected', async () => {
    const refused = await system.flotilla('--local', 'destroy', '--confirm', 'rest-api', '--output', 'json');
    expect(refused.code).toBe(5);
    expect((outputOf('destroy', refused) as { obstacles: { what: string }[] }).obstacles.map(({ what }) => what)).toEqual(['RestApiPipeline-production of 999999999999/eu-west-1 is protected from deletion']);
  });

  it('is destroyed unprotected: the pipelines, the stacks in every target account, the artifact buckets and the keys', async () => {
    const keys = await Promise.all(PIPELINES.map(async (name) => (await pipelineOf(system, name).declaration()).artifactStore!.encryptionKey!.id!));
    const done = outputOf('destroy', expectSuccess(await system.flotilla('--local', 'destroy', '--confirm', 'rest-api', '--unprotect', '--bootstrap', '--output', 'json'))) as { items: { kind: string; layer: string; account: string }[] };
    expect(done).toMatchObject({ failures: [], left: [] });
    const count = (kind: string, layer: string): number => done.items.filter((item) => item.kind === kind && item.layer === layer).length;
    expect([count('stack', 'application'), count('stack', 'pipeline'), count('bucket', 'artifacts'), count('key', 'artifacts')]).toEqual([3, 3, 3, 3]);
    const states = await Promise.all(keys.map(async (KeyId) => (await new KMS(system.cloud.client('tools')).describeKey({ KeyId })).KeyMetadata!.KeyState));
    expect(states).toEqual(['PendingDeletion', 'PendingDeletion', 'PendingDeletion']);
    expect(await inventory(system.cloud, [REGION])).toEqual(before);
  });
});
