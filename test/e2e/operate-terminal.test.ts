import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, execute, expectSuccess, fleetAppIn, installed, outputOf, root, startTestCloud, type TestCloud } from './cloud.js';

/** What somebody at a terminal is asked, and what becomes of Ctrl-C and of wrong answers: nothing is changed, and the terminal is left as it was. In the order of a fleet's life. */

const REGION = 'us-east-1';
const ADMIN = 'arn:aws:iam::aws:policy/AdministratorAccess';
const CTRL_C = '\u0003';
const FILES = {
  'flotilla.yaml': `fleet: shop
pipeline: { account: "999999999999", region: ${REGION}, source: { codecommit: shop, branch: main }, synth: [cdk synth --quiet] }
environments:
  prod: { account: "333333333333", regions: [${REGION}], gates: { approval: true }, bootstrap: { executionPolicies: [${ADMIN}] } }
`,
  'app.js': `process.env.NODE_PATH = require('./modules.json');
require('node:module').Module._initPaths();
const { App, Stack } = require('aws-cdk-lib');
const { StringParameter } = require('aws-cdk-lib/aws-ssm');
const { Fleet } = require('./library/cdk.cjs');
Fleet.load(new App(), 'flotilla.yaml').deploy((stage, target) => new StringParameter(new Stack(stage, 'Shop', { env: target.env }), 'Sign', { stringValue: 'open' }));
`,
  'cdk.json': JSON.stringify({ app: 'node app.js' }),
  'modules.json': JSON.stringify(join(root, 'node_modules')),
  '.gitignore': '.flotilla\ncdk.out\n',
};

const withTerminal = await installed('python3', '-c', 'import pty');
let cloud: TestCloud;
let app: string;

beforeAll(async () => {
  if (!withTerminal) return;
  cloud = await startTestCloud({ tools: '999999999999', prod: '333333333333' });
  app = fleetAppIn(cloud, FILES);
});
afterAll(() => cloud?.stop());

interface Session {
  readonly code: number;
  readonly shown: string;
}

/** Runs a command in a terminal; each answer follows when the text before it is shown. Afterwards the terminal has to be as it was. */
async function atTerminal(answers: readonly (readonly [shown: string, keys: string])[], cwd: string, ...args: string[]): Promise<Session> {
  const { stdout } = expectSuccess(await execute('python3', [join(root, 'test/e2e/terminal.py'), JSON.stringify(answers), process.execPath, CLI, ...args], { cwd, env: { ...cloud.environment, TERM: 'xterm-256color' } }));
  const { code, shown, unasked, sane } = JSON.parse(stdout) as Session & { unasked: string[]; sane: boolean };
  expect({ unasked, sane, shown }).toMatchObject({ unasked: [], sane: true });
  return { code, shown };
}
const local = (answers: readonly (readonly [string, string])[], ...args: string[]): Promise<Session> => atTerminal(answers, app, ...args, '--dir', cloud.state);
const plain = (...args: string[]) => execute(process.execPath, [CLI, ...args, '--dir', cloud.state, '--output', 'json'], { cwd: app, env: { ...cloud.environment } });
const rows = async () => (outputOf('where', expectSuccess(await plain('--local', 'where'))) as { pipelines: { rows: { state: string }[] }[] }).pipelines.map((pipeline) => pipeline.rows.map(({ state }) => state));

async function stacksOf(profile: string): Promise<string[]> {
  const { Stacks = [] } = await new CloudFormation(cloud.client(profile, REGION)).describeStacks({});
  return Stacks.map(({ StackName }) => StackName!).sort();
}

describe.skipIf(!withTerminal)('Ctrl-C', () => {
  it('at the questions of init writes nothing', async () => {
    const folder = join(cloud.folder, 'empty');
    mkdirSync(folder);
    const { code, shown } = await atTerminal([['What do you begin with', CTRL_C]], folder, 'init');
    expect([code, shown, readdirSync(folder)]).toEqual([130, expect.stringContaining('INI005'), []]);
  });

  it('at the question of bootstrap, of doctor --fix and of deploy changes nothing', async () => {
    for (const command of [['bootstrap'], ['doctor', '--fix']]) {
      const { code, shown } = await local([['Yes', CTRL_C]], '--local', ...command);
      expect([command, code, shown]).toEqual([command, 130, expect.stringContaining('CLI016')]);
    }
    expect([await stacksOf('tools'), await stacksOf('prod')]).toEqual([[], []]);
    expectSuccess(await plain('--local', 'bootstrap', '--yes'));
    expect((await local([['Yes', CTRL_C]], '--local', 'deploy')).code).toBe(130);
    expect(await stacksOf('tools')).toEqual(['CDKToolkit']);
  });

  it('at a gate of run leaves it waiting', async () => {
    const { code } = await local([['leave it waiting', CTRL_C]], 'run');
    expect([code, await rows()]).toEqual([130, [['waiting']]]);
  });

  it('ends where --watch, and leaves the execution that stop was asked about', async () => {
    expect((await local([['approve ApproveProd', CTRL_C]], '--local', 'where', '--watch')).code).toBe(130);
    expect((await local([['Yes', CTRL_C]], '--local', 'stop')).code).toBe(130);
    expect(await rows()).toEqual([['waiting']]);
  });

  it('where the name of the fleet is asked for deletes nothing, nor does another name; the name does', async () => {
    const before = await stacksOf('tools');
    expect((await local([['Type shop', CTRL_C]], '--local', 'destroy')).code).toBe(130);
    const wrong = await local([['Type shop', 'shopp\r']], '--local', 'destroy');
    expect([wrong.code, wrong.shown]).toEqual([2, expect.stringContaining('CLI007')]);
    expect([await stacksOf('tools'), existsSync(join(cloud.state, 'destroy'))]).toEqual([before, false]);
    expect((await local([['Type shop', 'shop\r']], '--local', 'destroy')).code).toBe(0);
    expect(await stacksOf('tools')).toEqual(['CDKToolkit']);
  });
});
