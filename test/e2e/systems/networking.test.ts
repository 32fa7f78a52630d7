import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess, outputOf } from '../cloud.js';
import { inventory, networksOf } from './inventory.js';
import { arrival, pipelineOf, run, startExample, until, where, type System } from './system.js';

/** One app, several regions, several accounts, from YAML: examples/networking, from an empty folder to nothing. In the order of its life. */

const REGIONS = ['eu-west-1', 'eu-west-2'];
const OVERLAY = ['--overlay', 'deployments/core.yaml'];
let system: System;
let before: string[];

beforeAll(async () => {
  system = await startExample('networking', { tools: '999999999999/eu-west-1', dev: '111111111111/eu-west-1', pre: '222222222222/eu-west-1', pro: '333333333333/eu-west-1', dr: '444444444444/eu-central-1' });
  before = await inventory(system.cloud, [...REGIONS, 'eu-central-1']);
});
afterAll(() => system?.cloud.stop());

/** Names of the stacks of an account and region, without its bootstrap. */
async function stacksOf(profile: string, region: string): Promise<string[]> {
  const { Stacks = [] } = await new CloudFormation(system.cloud.client(profile, region)).describeStacks({});
  return Stacks.map(({ StackName }) => StackName!).filter((name) => name !== 'CDKToolkit').sort();
}

describe('the app, as any CDK app', () => {
  it('passes its tests, is valid, and has a plan', async () => {
    expectSuccess(await system.program('npm', 'test'));
    expect(await system.answer('validate', ...OVERLAY)).toMatchObject({ valid: true, warnings: [] });
    const plan = await system.answer<{ fleet: { bootstrap: { account: string; region: string }[] } }>('plan', ...OVERLAY);
    expect(plan.fleet.bootstrap.map(({ account, region }) => `${account}/${region}`)).toEqual(['999999999999/eu-west-1', ...['111111111111', '222222222222', '333333333333'].flatMap((account) => REGIONS.map((region) => `${account}/${region}`))]);
  });

  it('shows every stack with cdk ls, those of an environment that is off not', async () => {
    const stacks = ['Dev', 'Pre', 'Pro'].flatMap((stage) => REGIONS.map((region) => `${stage}/Networking-${region}`));
    const { stdout } = expectSuccess(await system.program('npx', 'cdk', 'ls', '--no-notices'));
    expect(stdout.trim().split('\n').map((line) => line.split(' ')[0]).sort()).toEqual([...stacks, 'NetworkingPipeline', 'NetworkingSupport-eu-west-2'].sort());
  });

  it('deploys any one of them from a workstation, with a profile, and nothing else', async () => {
    system.commit('First commit');
    expectSuccess(await system.flotilla('--local', 'bootstrap', '--yes', '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/AdministratorAccess'));
    expectSuccess(await system.program('npx', 'cdk', 'deploy', 'Dev/Networking-eu-west-2', '--profile', 'dev', '--require-approval', 'never', '--no-notices', '--ci'));
    expect(await networksOf(system.cloud, 'dev', 'eu-west-2')).toEqual(['vpc-acme-core-dev 10.11.0.0/16']);
    for (const profile of ['tools', 'dev', 'pre', 'pro']) for (const region of REGIONS) expect([profile, region, await stacksOf(profile, region)]).toEqual([profile, region, profile === 'dev' && region === 'eu-west-2' ? ['Dev-Networking-eu-west-2'] : []]);
  });

  it('holds another deployment beside the first, laid over the same accounts', async () => {
    system.commit('A deployment at the edge', {
      'deployments/edge.yaml': `fleet: networking-edge
environments:
  dev: { stage: EdgeDev, parameters: { naming: { prefix: acme-edge-dev, suffix: lab } }, regions: [{ region: eu-west-1, parameters: { cidr: 10.90.0.0/20 } }] }
  pre: { enabled: false }
  pro: { enabled: false }
`,
    });
    const cdk = (...args: string[]) => system.program('npx', 'cdk', ...args, '-c', 'deployment=edge', '--no-notices', '--ci');
    expect(expectSuccess(await cdk('ls')).stdout.trim().split('\n').map((line) => line.split(' ')[0])).toEqual(['NetworkingEdgePipeline', 'EdgeDev/Networking-eu-west-1']);
    expectSuccess(await cdk('deploy', 'EdgeDev/Networking-eu-west-1', '--profile', 'dev', '--require-approval', 'never'));
    expect(await networksOf(system.cloud, 'dev', 'eu-west-1')).toEqual(['vpc-acme-edge-dev-lab 10.90.0.0/20']);
    expectSuccess(await cdk('destroy', 'EdgeDev/Networking-eu-west-1', '--profile', 'dev', '--force'));
    expect(await stacksOf('dev', 'eu-west-1')).toEqual([]);
  });
});

describe('a commit', () => {
  let id: string;

  it('stops before pre and before pro until somebody approves; what is not approved does not stand', async () => {
    await new SecretsManager(system.cloud.client('tools')).createSecret({ Name: 'github-token', SecretString: 'the-token-of-a-test' });
    id = system.git('rev-parse', 'HEAD');
    expect(await run(system)).toEqual({ end: 'at a gate', stderr: expect.not.stringContaining('stand-in') });
    expect(await where(system)).toMatchObject({ 'Dev eu-west-1': `${id} deployed`, 'Dev eu-west-2': `${id} deployed`, 'Pre eu-west-1': 'nothing waiting', 'Pre eu-west-2': 'nothing waiting', 'Pro eu-west-1': 'nothing never', 'Pro eu-west-2': 'nothing never' });
    expect(await stacksOf('pre', 'eu-west-1')).toEqual([]);
    expectSuccess(await system.flotilla('--local', 'approve', 'ApprovePre'));
    expect(await arrival(system, id)).toBe('at a gate');
    expect([await stacksOf('pre', 'eu-west-1'), await stacksOf('pro', 'eu-west-1')]).toEqual([['Pre-Networking-eu-west-1'], []]);
    expectSuccess(await system.flotilla('--local', 'approve', 'ApprovePro'));
    expect(await arrival(system, id)).toBe('everywhere');
  });

  it('has brought each environment its networks in both regions, with their own names and blocks, and nothing to one that is off', async () => {
    const found = await Promise.all(['dev', 'pre', 'pro'].map((profile) => Promise.all(REGIONS.map((region) => networksOf(system.cloud, profile, region)))));
    expect(found).toEqual([
      [['vpc-acme-core-dev 10.10.0.0/16'], ['vpc-acme-core-dev 10.11.0.0/16']],
      [['vpc-acme-core-pre 10.20.0.0/16'], ['vpc-acme-core-pre 10.21.0.0/16']],
      [['vpc-acme-core-pro-main 10.30.0.0/16'], ['vpc-acme-core-pro-main 10.31.0.0/16']],
    ]);
    expect((await inventory(system.cloud, ['eu-central-1'])).filter((line) => line.startsWith('444444444444'))).toEqual([]);
  });

  it('came from GitHub by a token that stands in no template and no answer', async () => {
    const { stages } = await pipelineOf(system, 'networking').declaration();
    expect(stages![0]!.actions![0]).toMatchObject({ actionTypeId: { provider: 'GitHub' }, configuration: { Owner: 'acme', Repo: 'networking', Branch: 'main', OAuthToken: '****' } });
    const { TemplateBody } = await new CloudFormation(system.cloud.client('tools')).getTemplate({ StackName: 'NetworkingPipeline' });
    expect(TemplateBody).toContain(':secret:github-token:SecretString');
    expect(TemplateBody).not.toContain('the-token-of-a-test');
  });

  it('that is pushed to GitHub starts the pipeline', async () => {
    const next = system.commit('Words', { 'README.md': `${readFileSync(join(system.app, 'README.md'), 'utf8')}\nMore words.\n` });
    system.push('/git/acme/networking.git', 'main');
    const execution = await until('the execution', async () => (await pipelineOf(system, 'networking').executions(next))[0]);
    expect(execution.trigger?.triggerType).toBe('Webhook');
  });
});

describe('the whole', () => {
  it('is destroyed, every account and region, while a commit is on its way', async () => {
    const { items } = outputOf('destroy', expectSuccess(await system.flotilla('--local', 'destroy', '--dry-run', '--bootstrap', '--output', 'json'))) as { items: { kind: string; layer: string; account: string; region: string }[] };
    expect(items.filter(({ kind, layer }) => kind === 'stack' && layer === 'application').map(({ account, region }) => `${account}/${region}`).sort()).toEqual(['111111111111', '222222222222', '333333333333'].flatMap((account) => REGIONS.map((region) => `${account}/${region}`)));
    const done = outputOf('destroy', expectSuccess(await system.flotilla('--local', 'destroy', '--confirm', 'networking', '--bootstrap', '--output', 'json')));
    expect(done).toMatchObject({ retained: [], failures: [], left: [] });
    expect(await inventory(system.cloud, [...REGIONS, 'eu-central-1'])).toEqual(before);
  });
});
