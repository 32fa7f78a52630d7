import type { FleetInput } from '../../../src/config/index.js';

type PipelineInput = NonNullable<FleetInput['pipeline']>;
type EnvironmentInput = FleetInput['environments'][string];

/** A key of the fleet file, and what it does: a line of templates, plan or operator's seam that is there only with it, or only without. */
export interface KeyRow {
  readonly key: string;
  readonly with: FleetInput;
  readonly without: FleetInput;
  readonly shows: RegExp;
}

const ACCOUNT = '333333333333';
const arn = (service: string, rest: string): string => `arn:aws:${service}:us-east-1:999999999999:${rest}`;
const CONNECTION = arn('codeconnections', 'connection/1');
const POLICY = 'arn:aws:iam::999999999999:policy/read-packages';

const base: FleetInput = {
  fleet: 'shop',
  pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'shop' }, synth: ['npx cdk synth'] },
  environments: { prod: { account: ACCOUNT, region: 'us-east-1' } },
};
const top = (parts: Partial<FleetInput>): FleetInput => ({ ...base, ...parts });
const pipeline = (parts: PipelineInput): FleetInput => top({ pipeline: { ...base.pipeline, ...parts } });
const environment = (parts: EnvironmentInput): FleetInput => top({ environments: { prod: { ...base.environments['prod'], ...parts } } });
/** An environment whose account or regions are said otherwise. */
const placed = (parts: EnvironmentInput): FleetInput => top({ environments: { prod: parts } });

const row = (key: string, given: FleetInput, shows: RegExp, without: FleetInput = base): KeyRow => ({ key, with: given, without, shows });

type Settings = Readonly<Record<string, unknown>>;

/** Settings of builds, in each place that takes them. */
function builds(place: string, of: (settings: Settings) => FleetInput): KeyRow[] {
  const vpc = { id: 'vpc-1', subnets: ['subnet-1'] };
  const npm = { registry: 'https://packages.example.com/npm/' };
  const rows: [string, Settings, RegExp, Settings?][] = [
    ['image', { image: 'node:22' }, /Environment\.Image = node:22/],
    ['architecture', { architecture: 'arm' }, /Environment\.Type = ARM_CONTAINER/],
    ['compute', { compute: 'large' }, /ComputeType = BUILD_GENERAL1_LARGE/],
    ['privileged', { privileged: true }, /PrivilegedMode = true/],
    ['timeout', { timeout: 33 }, /TimeoutInMinutes = 33/],
    ['buildspec', { buildspec: { env: { shell: 'bash' } } }, /BuildSpec = [^]*"shell": "bash"/],
    ['vpc.id', { vpc }, /VpcConfig\.VpcId = vpc-1/],
    ['vpc.subnets', { vpc }, /VpcConfig\.Subnets\.0 = subnet-1/],
    ['vpc.securityGroups', { vpc: { ...vpc, securityGroups: ['sg-1'] } }, /VpcConfig\.SecurityGroupIds\.0 = sg-1/, { vpc }],
    ['proxy.http', { proxy: { http: 'http://proxy.example.com' } }, /\.Value = http:\/\/proxy\.example\.com/],
    ['proxy.https', { proxy: { https: 'http://proxy.example.com' } }, /\.Name = HTTPS_PROXY/],
    ['proxy.none', { proxy: { none: ['localhost', '10.0.0.0/8'] } }, /\.Value = localhost,10\.0\.0\.0\/8/],
    ['npm.registry', { npm }, /npm config set registry https:\/\/packages\.example\.com\/npm\//],
    ['npm.token', { npm: { ...npm, token: 'npm-token' } }, /pipelines\.0\.secrets\.0 = npm-token/, { npm }],
    ['npm.scope', { npm: { ...npm, scope: '@acme' } }, /npm config set @acme:registry/, { npm }],
    ['cache', { cache: 'local' }, /Cache\.Type = LOCAL/],
    ['cache.bucket', { cache: { bucket: 'caches' } }, /Cache\.Location.* caches/],
    ['cache.prefix', { cache: { bucket: 'caches', prefix: 'shop' } }, /Cache\.Location.*shop/, { cache: { bucket: 'caches' } }],
    ['environment', { environment: { LEVEL: 'debug' } }, /EnvironmentVariables\.\d+\.Name = LEVEL/],
    ['secrets', { secrets: { KEY: 'api-key' } }, /EnvironmentVariables\.\d+\.Value = api-key/],
    ['policies', { policies: [POLICY] }, /ManagedPolicyArns\.0 = arn:aws:iam::999999999999:policy\/read-packages/],
  ];
  return rows.map(([key, given, shows, without]) => row(`${place}.${key}`, of(given), shows, of(without ?? {})));
}

function docker(): KeyRow[] {
  const of = (credential: Settings): FleetInput => pipeline({ build: { docker: [credential] } } as PipelineInput);
  const ecr = { repository: 'tools' };
  return [
    row('pipeline.build.docker[].dockerHub', of({ dockerHub: 'hub' }), /secrets\.0 = hub/),
    row('pipeline.build.docker[].registry', of({ registry: 'registry.example.com', secret: 'login' }), /BuildSpec = [^]*registry\.example\.com/),
    row('pipeline.build.docker[].secret', of({ registry: 'registry.example.com', secret: 'login' }), /secrets\.0 = login/),
    row('pipeline.build.docker[].ecr[].repository', of({ ecr: [ecr] }), /:repository\/tools/),
    row('pipeline.build.docker[].ecr[].account', of({ ecr: [{ ...ecr, account: '444444444444' }] }), /444444444444/, of({ ecr: [ecr] })),
    row('pipeline.build.docker[].ecr[].region', of({ ecr: [{ ...ecr, region: 'eu-west-1' }] }), /eu-west-1/, of({ ecr: [ecr] })),
  ];
}

function sources(place: string, of: (source: Settings) => FleetInput, without: FleetInput): KeyRow[] {
  const rows: [string, Settings, RegExp, Settings?][] = [
    ['codecommit', { codecommit: 'other' }, /Configuration\.RepositoryName = other/],
    ['branch', { codecommit: 'other', branch: 'develop' }, /Configuration\.BranchName = develop/, { codecommit: 'other' }],
    ['paths', { codecommit: 'other', paths: ['lib/**'] }, /Value = \["lib\/\*\*"\]/, { codecommit: 'other' }],
    ['clone', { codecommit: 'other', clone: true }, /OutputArtifactFormat = CODEBUILD_CLONE_REF/, { codecommit: 'other' }],
    ['create', { codecommit: 'other', create: true }, /Type = AWS::CodeCommit::Repository/, { codecommit: 'other' }],
    ['github', { github: 'acme/other', token: 'github-token' }, /Configuration\.Repo = other/],
    ['token', { github: 'acme/other', token: 'our-token' }, /resolve:secretsmanager:.*our-token/, { github: 'acme/other', token: 'github-token' }],
    ['connection', { github: 'acme/other', connection: CONNECTION }, /Configuration\.ConnectionArn = .*connection\/1/, { github: 'acme/other', token: 'github-token' }],
    ['paths', { github: 'acme/other', connection: CONNECTION, paths: ['lib/**'] }, /FilePaths\.Includes\.0 = lib/, { github: 'acme/other', connection: CONNECTION }],
    ['bitbucket', { bitbucket: 'acme/other', connection: CONNECTION }, /FullRepositoryId = acme\/other/],
    ['gitlab', { gitlab: 'acme/group/other', connection: CONNECTION }, /FullRepositoryId = acme\/group\/other/],
    ['clone', { gitlab: 'acme/other', connection: CONNECTION, clone: true }, /OutputArtifactFormat = CODEBUILD_CLONE_REF/, { gitlab: 'acme/other', connection: CONNECTION }],
    ['s3', { s3: 'releases', key: 'app.zip' }, /S3Bucket = releases/],
    ['key', { s3: 'releases', key: 'app.zip' }, /S3ObjectKey = app\.zip/],
    ['poll', { s3: 'releases', key: 'app.zip', poll: true }, /PollForSourceChanges = true/, { s3: 'releases', key: 'app.zip' }],
    ['ecr', { ecr: 'images' }, /Configuration\.RepositoryName = images/],
    ['tag', { ecr: 'images', tag: 'v1' }, /ImageTag = v1/, { ecr: 'images' }],
  ];
  return rows.map(([key, given, shows, other]) => row(`${place}.${key}`, of(given), shows, other === undefined ? without : of(other)));
}

/** Settings of bootstraps, in each place that takes them; `pair` is the number of the pair they reach. */
function bootstraps(place: string, of: (settings: Settings) => FleetInput, pair: number): KeyRow[] {
  const own = { qualifier: 'acme', toolkitStackName: 'CDKToolkit-acme' };
  const seam = (rest: string): RegExp => new RegExp(`^operator\\.pairs\\.${pair}\\.bootstrap\\.${rest}`);
  const rows: [string, Settings, RegExp, Settings?][] = [
    ['qualifier', own, /cdk-acme-/],
    ['toolkitStackName', { toolkitStackName: 'Toolkit' }, seam('toolkitStackName = Toolkit')],
    ['executionPolicies', { executionPolicies: ['arn:aws:iam::aws:policy/PowerUserAccess'] }, seam('executionPolicies.0 = arn:aws:iam::aws:policy/PowerUserAccess')],
    ['trust', { trust: ['444444444444'] }, seam('trust.\\d = 444444444444')],
    ['trustForLookup', { trustForLookup: ['444444444444'] }, seam('trustForLookup.0 = 444444444444')],
    ['permissionsBoundary', { permissionsBoundary: 'edge' }, seam('permissionsBoundary = edge')],
    ['kms', { kms: true }, seam('kms = customer')],
    ['terminationProtection', { terminationProtection: true }, seam('terminationProtection = true')],
    ['tags', { tags: { team: 'shop' } }, seam('tags.team = shop')],
  ];
  return rows.map(([key, given, shows, without]) => row(`${place}.${key}`, of(given), shows, of(without ?? {})));
}

function ofPipeline(): KeyRow[] {
  const artifacts = { bucket: 'shared', key: arn('kms', 'key/1') };
  return [
    row('pipeline.name', pipeline({ name: 'renamed' }), /Properties\.Name = renamed/),
    row('pipeline.account', pipeline({ account: '888888888888' }), /888888888888/),
    row('pipeline.region', pipeline({ region: 'eu-west-1' }), /^operator\.pipelines\.0\.region = eu-west-1/),
    ...sources('pipeline.source', (source) => pipeline({ source } as PipelineInput), base),
    ...sources('pipeline.inputs.*', (source) => pipeline({ inputs: { lib: source as PipelineInput['source'] } } as PipelineInput), base),
    row('pipeline.synth', pipeline({ synth: ['make'] }), /"make"/),
    row('pipeline.synth.commands', pipeline({ synth: { commands: ['make'] } }), /"make"/),
    row('pipeline.synth.install', pipeline({ synth: { commands: ['make'], install: ['./tools.sh'] } }), /\.\/tools\.sh/, pipeline({ synth: ['make'] })),
    row('pipeline.synth.directory', pipeline({ synth: { commands: ['make'], directory: 'app' } }), /"base-directory": "app\/cdk\.out"/, pipeline({ synth: ['make'] })),
    row('pipeline.synth.output', pipeline({ synth: { commands: ['make'], output: 'dist' } }), /"base-directory": "dist"/, pipeline({ synth: ['make'] })),
    ...builds('pipeline.synth', (settings) => pipeline({ synth: { commands: ['make'], ...settings } })),
    ...builds('pipeline.build', (build) => pipeline({ build })),
    ...docker(),
    row('pipeline.type', pipeline({ type: 'V1' }), /PipelineType = V1/),
    row('pipeline.executionMode', pipeline({ executionMode: 'queued' }), /ExecutionMode = QUEUED/),
    row('pipeline.selfMutation', pipeline({ selfMutation: false }), /Stages\.\d\.Name = UpdatePipeline/),
    row('pipeline.restartOnUpdate', pipeline({ restartOnUpdate: false }), /RestartExecutionOnUpdate = false/),
    row('pipeline.preflight', pipeline({ preflight: false }), /steps\.cjs preflight/),
    row('pipeline.assets.batch', pipeline({ assets: { batch: false } }), /BuildSpec = [^]*cdk-assets/),
    row('pipeline.artifacts.bucket', pipeline({ artifacts }), /ArtifactStore\.Location = shared/),
    row('pipeline.artifacts.key', pipeline({ artifacts }), /EncryptionKey\.Id = .*key\/1/),
    row('pipeline.artifacts.expireAfter', pipeline({ artifacts: { expireAfter: 7 } }), /ExpirationInDays = 7/),
    row('pipeline.artifacts.templatesOnly', pipeline({ artifacts: { templatesOnly: true } }), /TemplatePath = .*flotilla_templates/i),
    row('pipeline.changeSets', pipeline({ changeSets: true }), /ActionMode = CHANGE_SET_EXECUTE/),
    row('pipeline.terminationProtection', pipeline({ terminationProtection: true }), /^ShopPipeline terminationProtection = true/),
    row('pipeline.tags', pipeline({ tags: { team: 'tools' } }), /^ShopPipeline tags\.team = tools/),
    row('pipelines.*.branch', several({ branch: 'develop' }), /BranchName = develop/, several({})),
    row('pipelines.*.environments', several({ environments: ['dev', 'prod'] }), /Stages\.\d\.Name = Prod-us-east-1/, several({})),
  ];
}

function several(parts: Settings): FleetInput {
  const environments = { dev: { account: '111111111111', region: 'us-east-1' }, prod: { account: ACCOUNT, region: 'us-east-1', enabled: 'environments' in parts } };
  return { ...base, environments, pipelines: { only: { environments: ['dev'], ...parts } } } as FleetInput;
}

function places(): KeyRow[] {
  const regions = ['us-east-1', 'eu-west-1'];
  const entry = (parts: Settings): FleetInput => placed({ account: ACCOUNT, regions: ['us-east-1', { region: 'eu-west-1', ...parts }] });
  const region = (parts: Settings): FleetInput => placed({ account: ACCOUNT, region: { region: 'us-east-1', ...parts } });
  const account = (parts: Settings): FleetInput => placed({ accounts: ['111111111111', { account: ACCOUNT, ...parts }], region: 'us-east-1' } as EnvironmentInput);
  const inner = (parts: Settings): FleetInput => account({ regions: ['us-east-1', { region: 'eu-west-1', ...parts }] });
  return [
    row('environments.*.enabled', environment({ enabled: false }), /^Prod-us-east-1\/App name/),
    row('environments.*.account', placed({ account: '444444444444', region: 'us-east-1' }), /444444444444/),
    row('environments.*.accounts[]', placed({ accounts: ['444444444444'], region: 'us-east-1' }), /^Prod-444444444444-us-east-1\/App name/),
    row('environments.*.accounts[].account', account({}), /^Prod-333333333333-us-east-1\/App name/, placed({ accounts: ['111111111111'], region: 'us-east-1' })),
    row('environments.*.accounts[].enabled', account({ enabled: false }), /^Prod-333333333333-us-east-1\/App name/, account({})),
    row('environments.*.accounts[].parameters', account({ parameters: { name: 'given' } }), /DisplayName = given/, account({})),
    row('environments.*.accounts[].regions[]', account({ regions }), /^Prod-333333333333-eu-west-1\/App name/, account({})),
    row('environments.*.accounts[].regions[].region', inner({}), /^Prod-333333333333-eu-west-1\/App name/, account({})),
    row('environments.*.accounts[].regions[].enabled', inner({ enabled: false }), /^Prod-333333333333-eu-west-1\/App name/, inner({})),
    row('environments.*.accounts[].regions[].parameters', inner({ parameters: { name: 'given' } }), /DisplayName = given/, inner({})),
    row('environments.*.accounts[].regions[].stage', inner({ stage: 'Europe' }), /^Europe\/App name/, inner({})),
    ...bootstraps('environments.*.accounts[].bootstrap', (bootstrap) => account({ bootstrap }), 2),
    row('environments.*.region', placed({ account: ACCOUNT, region: 'eu-west-1' }), /^Prod-eu-west-1\/App name/),
    row('environments.*.region.region', placed({ account: ACCOUNT, region: { region: 'eu-west-1' } }), /^Prod-eu-west-1\/App name/),
    row('environments.*.region.enabled', region({ enabled: false }), /^Prod-us-east-1\/App name/),
    row('environments.*.region.parameters', region({ parameters: { name: 'given' } }), /DisplayName = given/),
    row('environments.*.region.stage', region({ stage: 'Live' }), /^Live\/App name/),
    row('environments.*.regions[]', placed({ account: ACCOUNT, regions }), /^Prod-eu-west-1\/App name/),
    row('environments.*.regions[].region', entry({}), /^Prod-eu-west-1\/App name/),
    row('environments.*.regions[].enabled', entry({ enabled: false }), /^Prod-eu-west-1\/App name/, entry({})),
    row('environments.*.regions[].parameters', entry({ parameters: { name: 'given' } }), /DisplayName = given/, entry({})),
    row('environments.*.regions[].stage', entry({ stage: 'Europe' }), /^Europe\/App name/, entry({})),
    row('environments.*.stage', environment({ stage: 'Live' }), /^Live\/App name/),
    row('environments.*.regionsIn', placed({ account: ACCOUNT, regions, regionsIn: 'stacks' }), /^Prod\/App-eu-west-1 name/, placed({ account: ACCOUNT, regions })),
    row('environments.*.rollout', placed({ account: ACCOUNT, regions, rollout: 'one-by-one' }), /▸ Prod-eu-west-1/, placed({ account: ACCOUNT, regions })),
    row('environments.*.rollout.waves', placed({ account: ACCOUNT, regions, rollout: { waves: [['eu-west-1'], ['us-east-1']] } }), /▸ Prod-eu-west-1/, placed({ account: ACCOUNT, regions })),
    row('environments.*.wave', environment({ wave: 'live' }), /▸ Live/),
  ];
}

function ofEnvironment(): KeyRow[] {
  const gates = (parts: Settings): FleetInput => environment({ gates: parts } as EnvironmentInput);
  const step = (name: string, parts: Settings) => ({ [name]: { commands: ['./check.sh'], ...parts } });
  const template = (parts: Settings): FleetInput => environment({ templates: { Base: 'topic.json', Queue: { template: 'topic.json', ...parts } } } as EnvironmentInput);
  const waves = { account: ACCOUNT, regions: ['us-east-1', 'eu-west-1'], rollout: 'one-by-one' as const };
  return [
    row('environments.*.parameters', environment({ parameters: { name: 'given' } }), /DisplayName = given/),
    row('environments.*.gates.approval', gates({ approval: true }), /Actions\.0\.Name = ApproveProd/),
    row('environments.*.gates.approval.name', gates({ approval: { name: 'Promote' } }), /Actions\.0\.Name = Promote/),
    row('environments.*.gates.approval.comment', gates({ approval: { comment: 'look first' } }), /CustomData = look first/, gates({ approval: true })),
    row('environments.*.gates.approval.notify', gates({ approval: { notify: arn('sns', 'topic') } }), /NotificationArn = .*:topic/, gates({ approval: true })),
    row('environments.*.gates.approval.timeout', gates({ approval: { timeout: 60 } }), /TimeoutInMinutes = 60/, gates({ approval: true })),
    row('environments.*.gates.permissions', gates({ permissions: 'broadened' }), /Name = ConfirmPermissions/),
    row('environments.*.gates.permissions.when', gates({ permissions: { when: 'broadened' } }), /Name = CheckPermissions/),
    row('environments.*.gates.permissions.notify', gates({ permissions: { when: 'broadened', notify: arn('sns', 'topic') } }), /Value = .*:topic/, gates({ permissions: 'broadened' })),
    row('environments.*.gates.permissions.approve', gates({ permissions: { when: 'broadened', approve: false } }), /Name = ConfirmPermissions/, gates({ permissions: 'broadened' })),
    row('environments.*.gates.every', placed({ ...waves, gates: { approval: true, every: 'wave' } }), /^plan {7}⏸ ApproveProd #2/, placed({ ...waves, gates: { approval: true } })),
    row('environments.*.before.*', environment({ before: { check: ['./check.sh'] } }), /\.\/check\.sh/),
    row('environments.*.before.*.commands', environment({ before: step('check', {}) }), /\.\/check\.sh/),
    row('environments.*.before.*.install', environment({ before: step('check', { install: ['./tools.sh'] }) }), /\.\/tools\.sh/, environment({ before: step('check', {}) })),
    row('environments.*.before.*.outputs', environment({ before: step('check', { outputs: { URL: 'App.Url' } }) }), /^error CFG069/, environment({ before: step('check', {}) })),
    ...builds('environments.*.before.*', (settings) => environment({ before: step('check', settings) })),
    row('environments.*.verify.*', environment({ verify: { check: ['./check.sh'] } }), /\.\/check\.sh/),
    row('environments.*.verify.*.commands', environment({ verify: step('check', {}) }), /\.\/check\.sh/),
    row('environments.*.verify.*.install', environment({ verify: step('check', { install: ['./tools.sh'] }) }), /\.\/tools\.sh/, environment({ verify: step('check', {}) })),
    row('environments.*.verify.*.outputs', environment({ verify: step('check', { outputs: { SHOP_URL: 'App.Url' } }) }), /SHOP_URL/, environment({ verify: step('check', {}) })),
    ...builds('environments.*.verify.*', (settings) => environment({ verify: step('check', settings) })),
    row('environments.*.templates.*', environment({ templates: { Queue: 'topic.json' } }), /^Prod-us-east-1\/Queue name/),
    row('environments.*.templates.*.template', template({}), /^Prod-us-east-1\/Queue name/),
    row('environments.*.templates.*.parameters', template({ parameters: { Name: 'given' } }), /given/, template({})),
    row('environments.*.templates.*.dependsOn', template({ dependsOn: ['Base'] }), /^Prod-us-east-1\/Queue after = .*Base/, template({})),
    row('environments.*.dependsOn', environment({ templates: { Base: 'topic.json' }, dependsOn: { App: ['Base'] } }), /^Prod-us-east-1\/App after = .*Base/, environment({ templates: { Base: 'topic.json' } })),
    ...bootstraps('environments.*.bootstrap', (bootstrap) => environment({ bootstrap }), 1),
    row('environments.*.permissionsBoundary', environment({ permissionsBoundary: 'edge' }), /^Prod-us-east-1\/App .*PermissionsBoundary.*edge/),
    row('environments.*.terminationProtection', environment({ terminationProtection: true }), /Name = ProtectStacks/),
    row('environments.*.tags', environment({ tags: { team: 'shop' } }), /^Prod-us-east-1\/App tags\.team = shop/),
    row('environments.*.environment', environment({ environment: { LEVEL: 'debug' }, verify: { check: ['./check.sh'] } }), /Name = LEVEL/, environment({ verify: { check: ['./check.sh'] } })),
  ];
}

function ofNotify(): KeyRow[] {
  const slack = { workspace: 'T01234567', channel: 'C01234567' };
  const email = ['ops@example.com'];
  return [
    row('notify.email', top({ notify: { email } }), /Endpoint = ops@example\.com/),
    row('notify.topic', top({ notify: { topic: arn('sns', 'topic') } }), /Targets\.0\.TargetAddress = .*:topic/),
    row('notify.slack.workspace', top({ notify: { slack } }), /SlackWorkspaceId = T01234567/),
    row('notify.slack.channel', top({ notify: { slack } }), /SlackChannelId = C01234567/),
    row('notify.slack.name', top({ notify: { slack: { ...slack, name: 'updates' } } }), /ConfigurationName = updates/, top({ notify: { slack } })),
    row('notify.slack.configuration', top({ notify: { slack: { configuration: 'arn:aws:chatbot::999999999999:chat-configuration/slack-channel/shop' } } }), /TargetAddress = arn:aws:chatbot/),
    row('notify.events', top({ notify: { email, events: ['started'] } }), /EventTypeIds\.0 = codepipeline-pipeline-pipeline-execution-started/, top({ notify: { email } })),
    row('notify.security', top({ ...environment({ gates: { permissions: 'broadened' } }), notify: { security: arn('sns', 'security') } }), /Value = .*:security/, environment({ gates: { permissions: 'broadened' } })),
  ];
}

export const KEYS: readonly KeyRow[] = [
  row('fleet', top({ fleet: 'store' }), /^StorePipeline name/),
  ...ofPipeline(),
  ...places(),
  ...ofEnvironment(),
  row('parameters', top({ parameters: { name: 'given' } }), /DisplayName = given/),
  ...bootstraps('bootstrap', (bootstrap) => top({ bootstrap }), 0),
  row('permissionsBoundary', top({ permissionsBoundary: 'edge' }), /^ShopPipeline .*PermissionsBoundary.*edge/),
  row('terminationProtection', top({ terminationProtection: true }), /^Prod-us-east-1\/App terminationProtection = true/),
  ...ofNotify(),
  row('tags', top({ tags: { team: 'shop' } }), /^Prod-us-east-1\/App tags\.team = shop/),
  row('newRegions', top({ ...placed({ account: ACCOUNT, region: 'eu-west-9' }), newRegions: ['eu-west-9'] }), /^Prod-eu-west-9\/App name/, placed({ account: ACCOUNT, region: 'eu-west-9' })),
  row('quotas', top({ quotas: { 'codepipeline.actions': 1 } }), /CDK021 .*actions of a pipeline: about \d+ of 1 actions/),
];

/** Keys that do nothing by themselves. */
export const NOTHING: Readonly<Record<string, string>> = { $schema: 'editors read it' };

/** The same settings for one of several pipelines: keys of `pipeline` in `pipelines.*`. */
export function asNamed({ pipeline: settings, ...others }: FleetInput): { readonly above: FleetInput; readonly named: FleetInput } {
  const environments = Object.keys(others.environments);
  return {
    above: { ...others, pipeline: settings, pipelines: { only: { environments } } },
    named: { ...others, pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'shop' } }, pipelines: { only: { ...settings, environments } } },
  };
}
