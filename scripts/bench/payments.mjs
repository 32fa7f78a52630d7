// `flotilla run --again` of payments in plain CDK (test/fixtures/payments), warm, against its floor: the commands of the user and of CDK's own buildspecs, timed alone.
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { BatchGetBuildsCommand, CodeBuildClient } from '@aws-sdk/client-codebuild';
import { CodePipelineClient, ListActionExecutionsCommand, ListPipelineExecutionsCommand } from '@aws-sdk/client-codepipeline';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '../setup.mjs';
import { flotilla, memoryOf, scriptOf, timed } from './cloud.mjs';
import { median } from './measure.mjs';

const TOOLS = '999999999999';
const REGION = 'us-east-1';
const ROUNDS = 3;

export async function payments(out) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-payments-'));
  try {
    exportExample(folder);
    const run = (...more) => flotilla(['run', folder, '--approve', 'all', ...more]).took;
    out.add('payments: first run (cold: bootstraps, installs, creates)', run() / 1000, 's');
    run('--again');
    const { pid, endpoint } = JSON.parse(readFileSync(join(folder, '.flotilla/cloud/cloud.json'), 'utf8'));
    const variables = environment(folder);
    const settings = (account) => ({ endpoint, region: REGION, credentials: credentialsOf(folder, account) });
    const floor = floorOf(folder, variables, await apiUrls(settings, endpoint));
    // In turns, so that what else the machine does weighs on both.
    const warm = [];
    const floors = [];
    const installs = [];
    for (let round = 0; round < ROUNDS; round++) {
      warm.push(run('--again'));
      floors.push(floor.measure());
      installs.push(floor.install());
    }
    const sums = floors.map((steps) => steps.reduce((sum, { took }) => sum + took, 0));
    out.add('payments: warm run', median(warm) / 1000, 's', { note: `median of ${warm.map((ms) => (ms / 1000).toFixed(1)).join(', ')}` });
    out.add('payments: memory of the cloud', memoryOf(pid), 'MB', { most: 300 });
    const inside = await whereItWent(out, settings(TOOLS));
    for (const [index, { name }] of floors[0].entries()) out.add(`payments floor: ${name}`, median(floors.map((steps) => steps[index].took)) / 1000, 's');
    out.add('payments: floor (npm ci not in it: builds get an installed tree)', median(sums) / 1000, 's', { note: `median of ${sums.map((ms) => (ms / 1000).toFixed(1)).join(', ')}` });
    out.add('payments: warm run ÷ floor', median(warm) / median(sums), '×', { most: 1.25 });
    out.add('payments: npm ci, which the user’s commands begin with, alone', median(installs) / 1000, 's', { note: `median of ${installs.map((ms) => (ms / 1000).toFixed(1)).join(', ')}` });
    out.add('payments: warm run ÷ (floor + npm ci)', median(warm) / (median(sums) + median(installs)), '×');
    out.add('payments: the last run outside the pipeline (start, push, report)', (warm.at(-1) - inside) / 1000, 's');
  } finally {
    flotilla(['cloud', 'stop', '--dir', join(folder, '.flotilla')], { anyCode: true });
    for (const path of [folder, `${folder}-floor`]) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
}

function exportExample(folder) {
  const source = join(root, 'test', 'fixtures', 'payments');
  for (const name of readdirSync(source)) if (!['node_modules', 'cdk.out', '.flotilla'].includes(name)) cpSync(join(source, name), join(folder, name), { recursive: true });
  const git = (...args) => execFileSync('git', ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null', ...args], { cwd: folder });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Payments');
}

function credentialsOf(folder, account) {
  const section = readFileSync(join(folder, '.flotilla/aws/credentials'), 'utf8').split(/^\[/m).find((text) => text.startsWith(account));
  const value = (name) => new RegExp(`^${name} = (.*)$`, 'm').exec(section)[1];
  return { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') };
}

/** What a client in the account of the pipeline has in its environment. */
function environment(folder) {
  const { accessKeyId, secretAccessKey } = credentialsOf(folder, TOOLS);
  const { endpoint } = JSON.parse(readFileSync(join(folder, '.flotilla/cloud/cloud.json'), 'utf8'));
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|CDK_|NODE_OPTIONS|npm_)/.test(name))),
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** Seconds of the last execution by action; of build actions what lies outside the build's phases. Resolves to milliseconds of the whole. */
async function whereItWent(out, settings) {
  const pipelines = new CodePipelineClient(settings);
  const builds = new CodeBuildClient(settings);
  const [execution] = (await pipelines.send(new ListPipelineExecutionsCommand({ pipelineName: 'payments', maxResults: 1 }))).pipelineExecutionSummaries;
  const { actionExecutionDetails: actions } = await pipelines.send(new ListActionExecutionsCommand({ pipelineName: 'payments', filter: { pipelineExecutionId: execution.pipelineExecutionId } }));
  actions.sort((a, b) => a.startTime - b.startTime);
  let around = 0;
  let buildActions = 0;
  for (const action of actions) {
    const took = action.lastUpdateTime - action.startTime;
    let note;
    const id = action.output?.executionResult?.externalExecutionId;
    if (action.input?.actionTypeId?.provider === 'CodeBuild' && id) {
      const { builds: [build] } = await builds.send(new BatchGetBuildsCommand({ ids: [id] }));
      const phases = build.phases.filter(({ endTime }) => endTime).map(({ phaseType, startTime, endTime }) => [phaseType, endTime - startTime]);
      const within = phases.filter(([phase]) => ['INSTALL', 'PRE_BUILD', 'BUILD', 'POST_BUILD'].includes(phase)).reduce((sum, [, ms]) => sum + ms, 0);
      note = phases.filter(([, ms]) => ms > 20).map(([phase, ms]) => `${phase.toLowerCase()} ${(ms / 1000).toFixed(2)}`).join(', ');
      around += took - within;
      buildActions++;
    }
    out.add(`payments: ${action.stageName}/${action.actionName}`, took / 1000, 's', { note });
  }
  // Time in which no action ran: what the engine itself takes between them.
  let idle = 0;
  let until = execution.startTime.getTime();
  for (const { startTime, lastUpdateTime } of actions) {
    idle += Math.max(0, startTime - until);
    until = Math.max(until, lastUpdateTime.getTime());
  }
  out.add('payments: engine between actions, an action', idle / actions.length, 'ms', { most: 30, note: `${actions.length} actions` });
  out.add('payments: around a build’s commands (artifacts, logs, containers’ stead)', around / buildActions, 'ms', { note: `mean of ${buildActions} builds` });
  return until - execution.startTime;
}

/** The same commands with nothing around them, in a copy of the app with its dependencies, against the same cloud: `measure` answers their times in milliseconds, `install` that of npm ci, which empties and fills the folder of dependencies. */
function floorOf(folder, env, output) {
  const app = join(folder, '..', `${basename(folder)}-floor`);
  cpSync(folder, app, { recursive: true, filter: (path) => !['.flotilla', '.git'].includes(basename(path)) });
  const install = () => timed('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'], { cwd: app, env }).took;
  if (!existsSync(join(app, 'node_modules'))) install();
  const cdk = scriptOf('aws-cdk', 'cdk');
  const assembly = join(app, 'cdk.out');
  const steps = [
    ['npm test', () => timed('npm', ['test'], { cwd: app, env }).took],
    ['cdk synth', () => timed(process.execPath, [cdk, 'synth', '--quiet'], { cwd: app, env }).took],
    ['self-mutation’s cdk deploy', () => timed(process.execPath, [cdk, '-a', assembly, 'deploy', 'PaymentsPipeline', '--require-approval=never', '--verbose'], { cwd: app, env }).took],
    ['assets’ cdk-assets publish', () => publish(app, assembly, env)],
    ['smoke test', () => timed('curl', ['-fsS', `${output.dev}health`], { cwd: app, env }).took],
    ['integration test', () => timed('npm', ['run', 'test:integration'], { cwd: app, env: { ...env, ApiUrl: output.staging } }).took],
  ];
  return { measure: () => steps.map(([name, work]) => ({ name, took: work() })), install };
}

/** Each asset of the pipeline's stages to each of its destinations, as the Assets stage does: one call of cdk-assets for each. */
function publish(app, assembly, env) {
  let sum = 0;
  for (const stage of readdirSync(assembly).filter((name) => name.startsWith('assembly-'))) {
    for (const name of readdirSync(join(assembly, stage)).filter((file) => file.endsWith('.assets.json'))) {
      const manifest = join(assembly, stage, name);
      for (const [id, { source, destinations }] of Object.entries(JSON.parse(readFileSync(manifest, 'utf8')).files)) {
        if (source.packaging !== 'zip') continue;
        for (const destination of Object.keys(destinations)) sum += timed(process.execPath, [scriptOf('cdk-assets', 'cdk-assets'), '--path', manifest, '--verbose', 'publish', `${id}:${destination}`], { cwd: app, env }).took;
      }
    }
  }
  return sum;
}

/** Where the deployed APIs answer on this machine. */
async function apiUrls(settings, endpoint) {
  const urls = {};
  for (const [name, account, stack] of [['dev', '111111111111', 'Dev-Payments'], ['staging', '222222222222', 'Staging-Payments']]) {
    const { Stacks: [found] } = await new CloudFormationClient(settings(account)).send(new DescribeStacksCommand({ StackName: stack }));
    const url = new URL(found.Outputs.find(({ OutputValue }) => OutputValue.startsWith('https://')).OutputValue);
    urls[name] = `${endpoint}/_aws/execute-api/${url.hostname.split('.')[0]}${url.pathname}`;
  }
  return urls;
}
