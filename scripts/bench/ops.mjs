// npm run bench:ops [-- --json] [--only bootstrap,where,destroy]: the operator over a large fleet, beside the `cdk` CLI in a loop for the same.
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, setUp } from '../setup.mjs';
import { clientEnvironment, dist, scriptOf, startCloud, timed } from './cloud.mjs';
import { median, report } from './measure.mjs';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const ACCOUNTS = Array.from({ length: 9 }, (_, index) => String(index + 1).repeat(12));
const REGIONS = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-central-1', 'eu-north-1', 'ap-southeast-1', 'ap-southeast-2', 'ap-northeast-1', 'ap-northeast-2', 'ca-central-1'];
const PAIRS = ACCOUNTS.flatMap((account) => REGIONS.map((region) => ({ account, region }))).slice(0, 100);
/** Pairs that the loop is measured on; the whole is so many times as long. */
const SAMPLE = 5;
const AIM = 10;

const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' }, 'no-build': { type: 'boolean' } } });
if (!values['no-build']) {
  setUp();
  build();
}
const chosen = values.only?.split(',') ?? ['bootstrap', 'where', 'destroy'];
const out = report();
const cloud = await startCloud();
const folder = join(cloud.folder, '.flotilla');
try {
  for (const account of ACCOUNTS) await cloud.credentials(account);
  if (chosen.includes('bootstrap')) await bootstrapAndDoctor();
  if (chosen.includes('where')) await where();
  if (chosen.includes('destroy')) await destroy();
} finally {
  await cloud.stop();
}
out.print(values.json);

async function bootstrapAndDoctor() {
  const pairs = PAIRS.flatMap(({ account, region }) => ['--pair', `${account}/${region}`]);
  const boot = await operate(['bootstrap', '--yes', ...pairs]);
  const loop = await loopOf((env, { account, region }) => ['bootstrap', `aws://${account}/${region}`, '--qualifier', 'loop', '--toolkit-stack-name', 'LoopToolkit'], PAIRS.slice(0, SAMPLE));
  add('bootstrap of 100 pairs', boot, loop * PAIRS.length);
  const again = await operate(['bootstrap', '--yes', ...pairs]);
  add('bootstrap again, nothing to change', again, (await loopOf((env, { account, region }) => ['bootstrap', `aws://${account}/${region}`, '--qualifier', 'loop', '--toolkit-stack-name', 'LoopToolkit'], PAIRS.slice(0, SAMPLE))) * PAIRS.length);
  add('doctor over 100 pairs', await operate(['doctor', ...pairs]));
}

/** Pipelines whose stages deploy to 50 targets each; their executions are made by nobody: only what stands is asked. */
async function where() {
  const account = ACCOUNTS[1];
  const settings = await clientSettings(account, 'us-east-1');
  const role = (await new IAM(settings).createRole({ RoleName: 'pipeline', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: { Service: ['codepipeline.amazonaws.com', 'cloudformation.amazonaws.com'] }, Action: 'sts:AssumeRole' } }) })).Role.Arn;
  const stores = {};
  for (const region of REGIONS) {
    const location = `artifacts-${region}`;
    await new S3(await clientSettings(account, region)).createBucket({ Bucket: location, ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region } }) });
    stores[region] = { type: 'S3', location };
  }
  const client = new CodePipeline(settings);
  for (let number = 0; number < 20; number++) {
    const actions = Array.from({ length: 50 }, (_, index) => ({
      name: `Target${index}`,
      region: REGIONS[index % REGIONS.length],
      actionTypeId: { category: 'Deploy', owner: 'AWS', provider: 'CloudFormation', version: '1' },
      inputArtifacts: [{ name: 'Source' }],
      configuration: { ActionMode: 'CREATE_UPDATE', StackName: `Service${number}-${index}`, TemplatePath: 'Source::template.json', RoleArn: role },
    }));
    const source = { name: 'Source', actionTypeId: { category: 'Source', owner: 'AWS', provider: 'S3', version: '1' }, outputArtifacts: [{ name: 'Source' }], configuration: { S3Bucket: stores['us-east-1'].location, S3ObjectKey: 'none.zip', PollForSourceChanges: 'false' } };
    await client.createPipeline({ pipeline: { name: `pipeline-${number}`, roleArn: role, pipelineType: 'V2', artifactStores: stores, stages: [{ name: 'Source', actions: [source] }, { name: 'Deploy', actions }] } });
  }
  add('where over 20 pipelines × 50 targets, the accounts asked', await operate(['where']));
}

/** 200 stacks of an app, made by CloudFormation and taken away by `destroy`, beside `cdk destroy` of a few of the same kind. */
async function destroy() {
  const pairs = PAIRS.filter((_, index) => index % 10 < 5).slice(0, 50);
  const template = JSON.stringify({ Resources: { Value: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: 'x' } }, Topic: { Type: 'AWS::SNS::Topic' } } });
  const assembly = join(cloud.folder, 'cdk.out');
  mkdirSync(assembly, { recursive: true });
  const artifacts = {};
  const stacks = pairs.flatMap(({ account, region }) => [0, 1, 2, 3].map((number) => ({ account, region, name: `Bench-${account}-${region}-${number}` })));
  for (const { account, region, name } of stacks) {
    writeFileSync(join(assembly, `${name}.template.json`), template);
    artifacts[name] = { type: 'aws:cloudformation:stack', environment: `aws://${account}/${region}`, properties: { templateFile: `${name}.template.json`, stackName: name } };
  }
  writeFileSync(join(assembly, 'manifest.json'), JSON.stringify({ version: '48.0.0', artifacts }));
  for (const { account, region, name } of stacks) await new CloudFormation(await clientSettings(account, region)).createStack({ StackName: name, TemplateBody: template });
  const few = stacks.slice(-SAMPLE);
  const loop = await loopOf((env, { name }) => ['destroy', '--app', assembly, name, '--force'], few);
  add('destroy of 195 stacks', await operate(['destroy', '--assembly', assembly, '--confirm', stacks[0].name]), loop * (stacks.length - SAMPLE));
}

/** Mean milliseconds of the CDK CLI for one item, one after another as a loop has it. */
async function loopOf(args, items) {
  const times = [];
  for (const item of items) {
    const env = clientEnvironment(cloud, await cloud.credentials(item.account), item.region);
    times.push(timed(process.execPath, [scriptOf('aws-cdk', 'cdk'), ...args(env, item), '--no-color', '--ci', '--no-notices'], { cwd: cloud.folder, env }).took);
  }
  return median(times);
}

/** Runs the built command line on the local cloud; milliseconds, requests it made, and its largest memory. */
async function operate(args) {
  const before = (await status()).requests;
  const begin = performance.now();
  const child = spawn(process.execPath, [join(dist, 'cli.js'), '--local', ...args, '--dir', folder, '--output', 'json'], { cwd: cloud.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let peak = 0;
  let text = '';
  child.stderr.on('data', (chunk) => (text += chunk));
  const sampler = setInterval(() => {
    try {
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 20);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(sampler);
  if (code !== 0) throw new Error(`flotilla ${args[0]} ended with ${code}:\n${text.slice(-2000)}`);
  return { took: performance.now() - begin, calls: (await status()).requests - before, peak: Math.round(peak / 1024) };
}

function add(what, { took, calls, peak }, loop) {
  out.add(what, took / 1000, 's', loop === undefined ? {} : { note: `cdk in a loop: ${Math.round(loop / 1000)} s, from ${SAMPLE} measured` });
  if (loop !== undefined) out.add('… the loop ÷ flotilla', loop / took, '×', { least: AIM });
  out.add('… calls', calls, '');
  out.add('… largest memory', peak, 'MB');
}

async function status() {
  const { token, endpoint } = JSON.parse(readFileSync(join(folder, 'cloud', 'cloud.json'), 'utf8'));
  return (await fetch(`${endpoint}/_flotilla/status`, { method: 'POST', headers: { 'x-flotilla-token': token }, body: '{}' })).json();
}

async function clientSettings(account, region) {
  return { endpoint: cloud.endpoint, region, credentials: await cloud.credentials(account) };
}
