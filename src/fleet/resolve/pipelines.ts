import { deepMerge, type FleetConfig, type NamedPipeline, type Notify, type Path, type PipelineSettings, type Source, type Synth } from '../../config/index.js';
import { nearest } from '../../shared/suggest.js';
import type { Pipeline, SynthStep } from '../model.js';
import { bootstrapOf } from './bootstrap.js';
import { pascalCase, type Report } from './names.js';
import { partitionOf } from './partition.js';
import { checkSource, sourceOnBranch } from './sources.js';
import { reportToolkit, type ResolvedEnvironment } from './targets.js';
import { resolveWaves } from './waves.js';

/** Environments by the pipeline that deploys them; what of them is wrong is reported. */
export function resolvePipelines(config: FleetConfig, environments: ReadonlyMap<string, ResolvedEnvironment>, report: Report): readonly Pipeline[] {
  if (config.pipelines === undefined) {
    if (config.pipeline === undefined) {
      report({ code: 'CFG043', path: [], what: 'the fleet has neither pipeline nor pipelines', fix: 'add `pipeline:` with account, region and source' });
      return [];
    }
    return resolvePipeline(undefined, config.pipeline, ['pipeline'], [...environments.values()], config, report);
  }
  const owner = new Map<string, string>();
  const pipelines = Object.entries(config.pipelines).flatMap(([key, named]) => {
    const mine = named.environments.flatMap((name, index) => pick(name, ['pipelines', key, 'environments', index], key, config, environments, owner, report));
    return resolvePipeline(key, overrideOf(config.pipeline, named, ['pipelines', key], report), ['pipelines', key], mine, config, report);
  });
  for (const environment of environments.values()) {
    if (!owner.has(environment.name)) report({ code: 'CFG057', path: environment.path, what: 'is deployed by no pipeline', fix: `add it to pipelines.${Object.keys(config.pipelines)[0] ?? 'NAME'}.environments, or set enabled: false`, atKey: true });
  }
  checkSharedWaves([...environments.values()], owner, report);
  checkNames(pipelines, report);
  return pipelines;
}

function pick(name: string, path: Path, key: string, config: FleetConfig, environments: ReadonlyMap<string, ResolvedEnvironment>, owner: Map<string, string>, report: Report): readonly ResolvedEnvironment[] {
  const environment = environments.get(name);
  if (environment === undefined) {
    const off = Object.hasOwn(config.environments, name);
    const meant = nearest(name, Object.keys(config.environments));
    report(off ? { code: 'CFG046', path, what: `is ${name}, which is disabled`, fix: `enable it, or take it out of pipelines.${key}` } : { code: 'CFG045', path, what: `is ${name}, which is no environment`, fix: meant === undefined ? `the environments are ${Object.keys(config.environments).join(', ')}` : `did you mean ${meant}?` });
    return [];
  }
  const other = owner.get(name);
  if (other !== undefined) {
    report({ code: 'CFG057', path, what: other === key ? `names ${name} a second time` : `is ${name}, which pipelines.${other} deploys`, why: 'two pipelines would deploy the same stacks', fix: 'name each environment in one pipeline, once' });
    return [];
  }
  owner.set(name, key);
  return [environment];
}

function resolvePipeline(key: string | undefined, settings: PipelineSettings, path: Path, environments: readonly ResolvedEnvironment[], config: FleetConfig, report: Report): readonly Pipeline[] {
  const { account, region, source } = settings;
  for (const name of ['account', 'region', 'source'] as const) {
    if (settings[name] === undefined) report({ code: 'CFG043', path, what: `has no ${name}`, fix: { account: 'account: "999999999999"', region: 'region: us-east-1', source: 'source: { codecommit: REPOSITORY, branch: main }' }[name], atKey: true });
  }
  const type = settings.type ?? 'V2';
  checkType(type, settings, path, report);
  for (const [at, one] of sourcesOf(settings, path)) checkSource(one, type, at, report);
  const bootstrap = bootstrapOf([config.bootstrap]);
  if (config.bootstrap?.qualifier !== undefined) reportToolkit(bootstrap, ['bootstrap'], report);
  const waves = resolveWaves(environments, report);
  if (account === undefined || region === undefined || source === undefined) return [];
  return [
    {
      key,
      stackId: `${pascalCase(config.fleet)}Pipeline${key === undefined ? '' : `-${key}`}`,
      name: settings.name ?? (key === undefined ? config.fleet : `${config.fleet}-${key}`),
      account,
      region,
      source,
      inputs: settings.inputs ?? {},
      synth: synthOf(settings.synth),
      build: settings.build ?? {},
      type,
      executionMode: settings.executionMode ?? 'superseded',
      selfMutation: settings.selfMutation ?? true,
      restartOnUpdate: settings.restartOnUpdate ?? true,
      preflight: settings.preflight ?? true,
      assets: { batch: settings.assets?.batch ?? true },
      artifacts: { ...settings.artifacts, expireAfter: settings.artifacts?.expireAfter ?? 90, templatesOnly: settings.artifacts?.templatesOnly ?? false },
      changeSets: settings.changeSets ?? false,
      terminationProtection: settings.terminationProtection ?? config.terminationProtection ?? false,
      permissionsBoundary: config.permissionsBoundary,
      tags: { ...config.tags, ...settings.tags },
      bootstrap,
      notify: notifyOf(config, account, region, key),
      waves,
    },
  ];
}

/** `pipelines.NAME` over `pipeline`. A source is replaced as a whole; only its branch may differ alone. */
function overrideOf(base: PipelineSettings | undefined, named: NamedPipeline, path: Path, report: Report): PipelineSettings {
  const { branch, environments: _, ...own } = named;
  const { synth: baseSynth, source: baseSource, name: _name, ...others } = base ?? {};
  const { synth: ownSynth, source: ownSource, ...rest } = own;
  const merged = deepMerge(others, rest) as PipelineSettings;
  const source = ownSource ?? baseSource;
  const synth = ownSynth === undefined ? baseSynth : (deepMerge(baseSynth === undefined ? undefined : objectOf(baseSynth), objectOf(ownSynth)) as Synth);
  return { ...merged, synth, source: branch === undefined || source === undefined ? source : sourceOnBranch(source, branch, [...path, 'branch'], report) };
}

function checkType(type: 'V1' | 'V2', settings: PipelineSettings, path: Path, report: Report): void {
  const mode = settings.executionMode ?? 'superseded';
  if (type === 'V1' && mode !== 'superseded') report({ code: 'CFG053', path: [...path, 'executionMode'], what: `is ${mode}, which pipelines of type V1 don't know`, why: 'CodePipeline has QUEUED and PARALLEL in type V2 alone', fix: 'take `type: V1` away' });
}

function sourcesOf(settings: PipelineSettings, path: Path): readonly (readonly [Path, Source])[] {
  const inputs = Object.entries(settings.inputs ?? {}).map(([folder, source]) => [[...path, 'inputs', folder], source] as const);
  return settings.source === undefined ? inputs : [[[...path, 'source'], settings.source], ...inputs];
}

/** What a CDK app in TypeScript needs, as `cdk init` sets it up. */
function synthOf(synth: Synth | undefined): SynthStep {
  return { output: 'cdk.out', ...objectOf(synth ?? ['npm ci', 'npx cdk synth']) };
}

function objectOf(synth: Synth): Exclude<Synth, readonly string[]> {
  return Array.isArray(synth) ? { commands: synth } : (synth as Exclude<Synth, readonly string[]>);
}

function notifyOf({ notify, fleet, pipeline, pipelines = {} }: FleetConfig, account: string, region: string, key: string | undefined): Notify | undefined {
  if (notify === undefined) return undefined;
  const events = notify.events ?? (['failed', 'succeeded', 'approval-needed'] as const);
  const { slack } = notify;
  if (slack === undefined || 'configuration' in slack) return { ...notify, events: [...events] };
  const name = slack.name ?? `${fleet}-${slack.channel}`;
  // An account has one configuration for each Slack channel: the first pipeline there owns it, the others name it.
  const owner = Object.entries(pipelines).find(([, other]) => (other.account ?? pipeline?.account) === account)?.[0];
  const shared = key === undefined || key === owner ? { ...slack, name } : { configuration: `arn:${partitionOf(region)}:chatbot::${account}:chat-configuration/slack-channel/${name}` };
  return { ...notify, events: [...events], slack: shared };
}

function checkSharedWaves(environments: readonly ResolvedEnvironment[], owner: ReadonlyMap<string, string>, report: Report): void {
  const waves = new Map<string, string | undefined>();
  for (const { name, path, config } of environments) {
    if (config.wave === undefined || !owner.has(name)) continue;
    if (waves.has(config.wave) && waves.get(config.wave) !== owner.get(name)) report({ code: 'CFG047', path: [...path, 'wave'], what: `is ${config.wave}, as of an environment of pipelines.${waves.get(config.wave)}`, why: 'a wave lies in one pipeline', fix: 'name the waves differently' });
    else waves.set(config.wave, owner.get(name));
  }
}

/** CodePipeline wants names unique within account and region. */
function checkNames(pipelines: readonly Pipeline[], report: Report): void {
  const seen = new Map<string, string | undefined>();
  for (const { key, name, account, region } of pipelines) {
    const place = `${account}/${region}/${name}`;
    if (seen.has(place)) report({ code: 'CFG061', path: ['pipelines', key!], what: `has the name ${name}, as pipelines.${seen.get(place)} has in ${account}/${region}`, fix: 'give it another `name:`', atKey: true });
    seen.set(place, key);
  }
}
