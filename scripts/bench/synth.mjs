// npm run bench:synth: synthesis of generated fleets against the same topology written by hand on aws-cdk-lib/pipelines, in one run; and what
// the pipelines of the two are made of.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, root, setUp } from '../setup.mjs';

setUp();
build();

const REGIONS = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-north-1', 'ap-south-1', 'ap-northeast-1', 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2', 'ca-central-1', 'sa-east-1', 'eu-south-1', 'me-south-1', 'af-south-1', 'ap-east-1'];
const ACCOUNTS = ['111111111111', '222222222222', '333333333333', '444444444444', '555555555555', '666666666666', '777777777777', '888888888888'];
const ROUNDS = Number(process.argv[2] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'flotilla-synth-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Targets in waves of 20: an environment for each account and round, in as many regions as are left. */
function topology(targets) {
  const environments = [];
  for (let left = targets, n = 0; left > 0; left -= REGIONS.length, n++) environments.push({ name: `env${n}`, account: ACCOUNTS[n % ACCOUNTS.length], regions: REGIONS.slice(0, Math.min(left, REGIONS.length)) });
  return environments;
}

const app = (body) => `process.env.NODE_PATH = ${JSON.stringify(join(root, 'node_modules'))};
require('node:module').Module._initPaths();
const { App, Stack, Stage, CfnResource } = require('aws-cdk-lib');
const fill = (stage, env) => { const stack = new Stack(stage, 'App', { env }); for (let n = 0; n < 5; n++) new CfnResource(stack, 'Topic' + n, { type: 'AWS::SNS::Topic', properties: { DisplayName: String(n) } }); };
const environments = ${'JSON.parse(process.env.TOPOLOGY)'};
process.on('exit', () => { const { user, system } = process.cpuUsage(); require('node:fs').writeFileSync(process.env.SPENT, String((user + system) / 1e6)); });
${body}`;

const FORMS = {
  fleet: app(`const { Fleet } = require(${JSON.stringify(join(root, 'dist', 'cdk.cjs'))});
const scope = new App();
Fleet.load(scope, {
  fleet: 'bench', quotas: { 'codepipeline.stages': 1000, 'codepipeline.actions': 10000, 'iam.role-policy-characters': 1e6, 's3.bucket-policy-bytes': 1e6, 'kms.key-policy-bytes': 1e6 },
  pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'bench' }, synth: ['npm ci', 'npx cdk synth'] },
  environments: Object.fromEntries(environments.map(({ name, account, regions }) => [name, { account, regions }])),
}).deploy((stage, target) => fill(stage, target.env));`),
  hand: app(`const { CodePipeline, CodePipelineSource, ShellStep } = require('aws-cdk-lib/pipelines');
const { Repository } = require('aws-cdk-lib/aws-codecommit');
const scope = new App();
const stack = new Stack(scope, 'BenchPipeline', { env: { account: '999999999999', region: 'us-east-1' } });
const pipeline = new CodePipeline(stack, 'Pipeline', { pipelineName: 'bench', crossAccountKeys: true, synth: new ShellStep('Synth', { input: CodePipelineSource.codeCommit(Repository.fromRepositoryName(stack, 'Repository', 'bench'), 'main'), commands: ['npm ci', 'npx cdk synth'] }) });
for (const { name, account, regions } of environments) {
  const wave = pipeline.addWave(name);
  for (const region of regions) { const stage = new Stage(scope, name + '-' + region, { env: { account, region } }); fill(stage, { account, region }); wave.addStage(stage); }
}`),
};
for (const [name, text] of Object.entries(FORMS)) writeFileSync(join(folder, `${name}.cjs`), text);

function synth(form, targets, round) {
  const out = join(folder, `${form}-${targets}-${round}`);
  const spent = join(folder, 'spent');
  const before = process.hrtime.bigint();
  execFileSync(process.execPath, [join(folder, `${form}.cjs`)], { cwd: folder, env: { ...process.env, TOPOLOGY: JSON.stringify(topology(targets)), CDK_OUTDIR: out, SPENT: spent, CDK_VALIDATION: 'false', CDK_CONTEXT_JSON: JSON.stringify({ '@aws-cdk/aws-codepipeline:defaultPipelineTypeToV2': true }) }, stdio: ['ignore', 'ignore', 'pipe'] });
  return { seconds: Number(process.hrtime.bigint() - before) / 1e9, processor: Number(readFileSync(spent, 'utf8')), out };
}

/** Actions, builds and the longest path (actions one after another) of a pipeline's template. */
function shapeOf(out) {
  const template = readdirSync(out).filter((name) => name.endsWith('.template.json')).map((name) => JSON.parse(readFileSync(join(out, name), 'utf8'))).find(({ Resources }) => Object.values(Resources).some(({ Type }) => Type === 'AWS::CodePipeline::Pipeline'));
  const { Stages } = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::CodePipeline::Pipeline').Properties;
  const actions = Stages.flatMap(({ Actions }) => Actions);
  return { stages: Stages.length, actions: actions.length, builds: actions.filter(({ ActionTypeId }) => ActionTypeId.Provider === 'CodeBuild').length, path: Stages.reduce((sum, { Actions }) => sum + Math.max(...Actions.map(({ RunOrder }) => RunOrder)), 0), kilobytes: Math.round(JSON.stringify(template).length / 1024) };
}

const ratioOf = (form, { fleet, hand }) => (form === 'fleet' ? (median(fleet) / median(hand)).toFixed(2).padStart(5) : '     ');
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
console.log('targets  form   seconds  ratio  processor  ratio  stages  actions  builds  longest path  template KB');
for (const targets of [10, 100, 500]) {
  const times = { fleet: [], hand: [] };
  const processor = { fleet: [], hand: [] };
  const outs = {};
  // Alternating, so that what else the machine does falls on both.
  for (let round = 0; round < ROUNDS; round++) for (const form of ['hand', 'fleet']) {
    const { seconds, processor: spent, out } = synth(form, targets, round);
    times[form].push(seconds);
    processor[form].push(spent);
    if (outs[form]) rmSync(out, { recursive: true });
    else outs[form] = out;
  }
  for (const form of ['hand', 'fleet']) {
    const { stages, actions, builds, path, kilobytes } = shapeOf(outs[form]);
    console.log(`${String(targets).padStart(7)}  ${form.padEnd(5)}  ${median(times[form]).toFixed(2).padStart(7)}  ${ratioOf(form, times)}  ${median(processor[form]).toFixed(2).padStart(9)}  ${ratioOf(form, processor)}  ${String(stages).padStart(6)}  ${String(actions).padStart(7)}  ${String(builds).padStart(6)}  ${String(path).padStart(12)}  ${String(kilobytes).padStart(11)}`);
  }
}
