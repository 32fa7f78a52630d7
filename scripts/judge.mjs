// npm run judge [SAMPLES]: cfn-lint, from PyPI, over every template of the examples, of fleets that say what those don't, and of fleets that the
// generator of the property tests makes; the stacks of the fleets are deployed on a local cloud, too. Errors fail; what only warns is counted.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deployLocally } from './judge-local.mjs';
import { build, root, setUp } from './setup.mjs';

setUp();
build();

const venv = join(root, '.flotilla', 'judge');
const lint = join(venv, 'bin', 'cfn-lint');
if (!existsSync(lint)) {
  mkdirSync(join(root, '.flotilla'), { recursive: true });
  execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
  execFileSync(join(venv, 'bin', 'pip'), ['install', '--quiet', 'cfn-lint'], { stdio: 'inherit' });
}
const work = mkdtempSync(join(tmpdir(), 'flotilla-judge-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** cfn-lint 1.58 takes a matter of taste for an error in a CloudFormation action whose role CDK writes as a Join; every CDK pipeline has it. */
const TASTE = /^E3703:Prefer using Fn::Sub/;

let failed = false;
for (const [name, folder] of [...examples(), ...generated()]) {
  const templates = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.template.json')).map((file) => join(folder, file));
  const { stdout } = spawnSync(lint, ['--format', 'parseable', ...templates], { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
  const rules = stdout.split('\n').filter(Boolean).map((line) => line.split(':').slice(5).join(':'));
  const errors = rules.filter((rule) => rule.startsWith('E') && !TASTE.test(rule));
  // The examples are deployed whole by `npm run systems`.
  const { refused, stacks } = name.startsWith('examples/') ? { refused: [], stacks: 0 } : await deployLocally(join(work, `cloud-${name.replace(/\W+/g, '-')}`), folder, '999999999999');
  failed ||= errors.length > 0 || refused.length > 0 || templates.length === 0;
  console.log(`${errors.length + refused.length === 0 ? '✓' : '✖'} ${name}: ${templates.length} templates, ${errors.length} errors, ${name.startsWith('examples/') ? '' : `${stacks - refused.length} of ${stacks} stacks deployed, `}${rules.length - errors.length} warnings (${[...new Set(rules.map((rule) => rule.split(':')[0]))].join(', ') || 'none'})`);
  for (const error of new Set(errors)) console.log(`    ${error}`);
  for (const { stack, reason } of refused) console.log(`    ${stack}: ${reason}`);
}
process.exit(failed ? 1 : 0);

/** Every example, synthesized with the library of this tree. */
function examples() {
  return readdirSync(join(root, 'examples')).map((name) => {
    const app = join(work, name);
    cpSync(join(root, 'examples', name), app, { recursive: true, filter: (path) => !/\/(node_modules|cdk\.out|\.flotilla)$/.test(path) });
    mkdirSync(join(app, 'node_modules'));
    for (const entry of [...readdirSync(join(root, 'node_modules')), '.bin']) if (entry !== 'flotilla' && !existsSync(join(app, 'node_modules', entry))) symlinkSync(join(root, 'node_modules', entry), join(app, 'node_modules', entry));
    symlinkSync(root, join(app, 'node_modules', 'flotilla'));
    execFileSync(process.execPath, [join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk'), 'synth', '--quiet', '--no-notices'], { cwd: app, env: { ...process.env, CDK_VALIDATION: 'false' }, stdio: ['ignore', 'ignore', 'inherit'] });
    return [`examples/${name}`, join(app, 'cdk.out')];
  });
}

/** Fleets that say what the examples don't: every kind of gate, source, rollout and artifact store. */
function generated() {
  const base = { pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'shop', paths: ['service/**'] }, synth: ['npm ci', 'npx cdk synth'] } };
  const prod = { account: '333333333333', regions: ['us-east-1', 'eu-west-1'] };
  const fleets = {
    gates: { ...base, environments: { dev: { account: '111111111111', regions: ['us-east-1'], verify: { smoke: ['true'] } }, prod: { ...prod, gates: { approval: { name: 'Go', timeout: 60 }, permissions: 'broadened' }, terminationProtection: true } }, notify: { email: ['ops@example.com'], slack: { workspace: 'T01234567', channel: 'C01234567' } } },
    changeSets: { ...base, pipeline: { ...base.pipeline, changeSets: true, executionMode: 'queued', artifacts: { templatesOnly: true }, source: { github: 'acme/shop', connection: 'arn:aws:codestar-connections:us-east-1:999999999999:connection/0f5a', paths: ['service/**'] } }, environments: { prod: { ...prod, rollout: 'one-by-one' } } },
    regionsInStacks: { ...base, pipeline: { ...base.pipeline, type: 'V1', source: { s3: 'sources-of-shop', key: 'shop.zip' } }, environments: { prod: { ...prod, regionsIn: 'stacks' } } },
    builds: { ...base, pipeline: { ...base.pipeline, build: { architecture: 'arm', compute: 'medium', timeout: 30, cache: 'local', secrets: { TOKEN: 'shop/token' }, npm: { registry: 'https://npm.example.com/', token: 'npm-token' }, docker: [{ dockerHub: 'hub' }], vpc: { id: 'vpc-0a1b2c3d', subnets: ['subnet-0a1b2c3d'], securityGroups: ['sg-0a1b2c3d'] } } }, environments: { prod } },
  };
  for (const [index, fleet] of sampled(Number(process.argv[2] ?? 6)).entries()) fleets[`sample ${index + 1}`] = fleet;
  const app = join(work, 'generated.cjs');
  for (const name of ['network.yaml', 'app.yaml']) writeFileSync(join(work, name), 'Resources: { Topic: { Type: "AWS::SNS::Topic" } }\n');
  writeFileSync(app, `process.env.NODE_PATH = ${JSON.stringify(join(root, 'node_modules'))};
require('node:module').Module._initPaths();
const { App, CfnOutput, Stack } = require('aws-cdk-lib');
const { Queue } = require('aws-cdk-lib/aws-sqs');
const { Fleet } = require(${JSON.stringify(join(root, 'dist', 'cdk.cjs'))});
Fleet.load(new App(), JSON.parse(process.env.FLEET), { folder: ${JSON.stringify(work)} }).deploy((stage, { regions }) => regions.forEach(({ env, region }, index) => {
  const stack = new Stack(stage, index === 0 ? 'Api' : 'Api-' + region, { env });
  new CfnOutput(stack, 'Url', { value: new Queue(stack, 'Queue').queueUrl });
}));
`);
  return Object.entries(fleets).map(([name, fleet]) => {
    const out = join(work, `generated-${name.replace(' ', '-')}`);
    execFileSync(process.execPath, [app], { env: { ...process.env, FLEET: JSON.stringify({ fleet: 'shop', ...fleet }), CDK_OUTDIR: out, CDK_VALIDATION: 'false', CDK_CONTEXT_JSON: JSON.stringify({ '@aws-cdk/core:enablePartitionLiterals': true }) }, stdio: ['ignore', 'ignore', 'inherit'] });
    return [`generated: ${name}`, out];
  });
}

/** Fleets of the generator that the property tests use, the same in each run. */
function sampled(numRuns) {
  const program = `import fc from 'fast-check';\nimport { fleets } from './test/unit/fleet/fleets.js';\nconst deployed = fleets.filter(({ environments }) => Object.values(environments).some(({ enabled }) => enabled !== false));\nconsole.log(JSON.stringify(fc.sample(deployed, { numRuns: ${numRuns}, seed: 1 })));`;
  return JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 }));
}
