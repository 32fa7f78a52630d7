import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, execute, expectSuccess, fleetAppIn, outputOf, root, startTestCloud, type Ran, type TestCloud } from './cloud.js';

/** One app, two fleets in the same accounts: the second is the first with a file laid over it that the app's context chooses. In the order of its life. */

const REGION = 'us-east-1';
const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
const EDGE = ['--overlay', 'deployments/edge.yaml', '--context', 'deployment=edge'];

const FILES = {
  'flotilla.yaml': `fleet: shop
pipeline: { account: "999999999999", region: ${REGION}, source: { codecommit: shop, branch: main }, synth: [cdk synth --quiet] }
environments:
  dev: { account: "111111111111", regions: [${REGION}], bootstrap: { executionPolicies: [${ADMIN}] } }
`,
  'deployments/edge.yaml': `fleet: shop-edge
pipeline: { synth: [cdk synth --quiet --context deployment=edge], source: { codecommit: shop-edge, branch: main } }
environments:
  dev: { enabled: false }
  edge: { account: "444444444444", regions: [${REGION}], bootstrap: { executionPolicies: [${ADMIN}] } }
`,
  'app.js': `process.env.NODE_PATH = require('./modules.json');
require('node:module').Module._initPaths();
const { App, Stack } = require('aws-cdk-lib');
const { StringParameter } = require('aws-cdk-lib/aws-ssm');
const { Fleet } = require('./library/cdk.cjs');

const app = new App();
const deployment = app.node.tryGetContext('deployment');
Fleet.load(app, 'flotilla.yaml', { overlays: deployment ? ['deployments/' + deployment + '.yaml'] : [] }).deploy((stage, target) => {
  const stack = new Stack(stage, 'Shop', { env: target.env });
  new StringParameter(stack, 'Sign', { parameterName: '/shop/' + target.fleet, stringValue: 'open' });
});
`,
  'cdk.json': JSON.stringify({ app: 'node app.js' }),
  'modules.json': JSON.stringify(join(root, 'node_modules')),
  '.gitignore': '.flotilla\ncdk.out\n',
};

let cloud: TestCloud;
let app: string;

beforeAll(async () => {
  cloud = await startTestCloud({ tools: '999999999999', dev: '111111111111', edge: '444444444444' });
  app = fleetAppIn(cloud, FILES);
});
afterAll(() => cloud?.stop());

const flotilla = (...args: string[]): Promise<Ran> => execute(process.execPath, [CLI, ...args, '--dir', cloud.state, '--output', 'json'], { cwd: app, env: { ...cloud.environment } });
const local = async <T>(command: string, ...args: string[]): Promise<T> => outputOf(command, expectSuccess(await flotilla('--local', command, ...args))) as T;
const places = (pairs: readonly { account: string; region: string }[]): string[] => pairs.map(({ account, region }) => `${account}/${region}`);

async function stacksOf(profile: string): Promise<string[]> {
  const { Stacks = [] } = await new CloudFormation(cloud.client(profile, REGION)).describeStacks({});
  return Stacks.map(({ StackName }) => StackName!).sort();
}

describe('a fleet that a file laid over another makes', () => {
  it('is bootstrapped, examined and compared where only that file names accounts, and only there', async () => {
    const { pairs } = await local<{ pairs: { account: string; region: string }[] }>('bootstrap', '--yes', ...EDGE);
    expect(places(pairs)).toEqual(['999999999999/us-east-1', '444444444444/us-east-1']);
    expect([await stacksOf('edge'), await stacksOf('dev')]).toEqual([['CDKToolkit'], []]);
    const doctor = await flotilla('--local', 'doctor', ...EDGE);
    expect(places((outputOf('doctor', doctor) as { pairs: { account: string; region: string }[] }).pairs)).toEqual(places(pairs));
    const { stacks } = await local<{ stacks: { account: string; stackName: string }[] }>('diff', ...EDGE);
    expect(stacks.map(({ account, stackName }) => `${account} ${stackName}`).sort()).toEqual(['444444444444 Edge-us-east-1-Shop', '999999999999 ShopEdgePipeline']);
  });

  it('is not taken for the other where the app is told one thing and the file another', async () => {
    for (const [command, ...half] of [...['bootstrap', 'deploy', 'destroy'].map((name) => [name, '--context', 'deployment=edge']), ['destroy', '--overlay', 'deployments/edge.yaml']]) {
      const { code, stderr } = await flotilla('--local', command!, '--yes', ...half);
      expect([command, half, code, /OPS010/.test(stderr)]).toEqual([command, half, 2, true]);
    }
  });

  it('is deployed everywhere by its own pipeline, and taken away whole; the other stands', async () => {
    expectSuccess(await flotilla('run'));
    const others = await stacksOf('dev');
    expect(others).toEqual(['CDKToolkit', 'Dev-us-east-1-Shop']);
    const ran = outputOf('run', expectSuccess(await flotilla('run', ...EDGE))) as { pipelines: { name: string; status: string }[] };
    expect(ran.pipelines.map(({ name, status }) => [name, status])).toEqual([['shop-edge', 'Succeeded']]);
    expect(await stacksOf('edge')).toEqual(['CDKToolkit', 'Edge-us-east-1-Shop']);
    const deployed = await local<{ deployed: boolean; stacks: { stackName: string; changed: boolean }[] }>('deploy', '--yes', ...EDGE);
    expect(deployed).toMatchObject({ deployed: false, stacks: [{ stackName: 'ShopEdgePipeline', changed: false }] });
    const destroyed = await local<{ fleet: string; failures: unknown[]; left: unknown[] }>('destroy', '--confirm', 'shop-edge', ...EDGE);
    expect(destroyed).toMatchObject({ fleet: 'shop-edge', failures: [], left: [] });
    expect([await stacksOf('edge'), await stacksOf('dev'), (await stacksOf('tools')).includes('ShopPipeline')]).toEqual([['CDKToolkit'], others, true]);
  });

  it('can be synthesized twice with its context', async () => {
    const { synth } = outputOf('validate', expectSuccess(await execute(process.execPath, [CLI, 'validate', '--deep', ...EDGE, '--output', 'json'], { cwd: app, env: { ...cloud.environment } }))) as { synth: { pipelines: string[] } };
    expect(synth.pipelines).toEqual(['ShopEdgePipeline']);
  });
});
