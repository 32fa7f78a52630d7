import { DEFAULT_QUALIFIER, DEFAULT_TOOLKIT } from '../../shared/bootstrap.js';
import { deepMerge, type BootstrapSettings, type Environment, type FleetConfig, type Path, type Step as StepConfig } from '../../config/index.js';
import type { PermissionsGate, Step, Target, TargetRegion, TemplateStack } from '../model.js';
import { bootstrapOf } from './bootstrap.js';
import { fillStageName, STAGE_ID, type Report } from './names.js';
import { stackOrder } from './order.js';
import { placesOf, type AccountPlace, type Places, type RegionPlace } from './places.js';
import { regionGroups } from './rollout.js';

/** An environment with its targets, not yet put into waves. */
export interface ResolvedEnvironment {
  readonly name: string;
  readonly path: Path;
  readonly config: Environment;
  /** Targets of each wave the rollout asks for; one wave with `regionsIn: stacks`. */
  readonly groups: readonly TargetGroup[];
}

export interface TargetGroup {
  readonly regions: readonly string[];
  readonly targets: readonly PlacedTarget[];
}

export interface PlacedTarget extends Target {
  /** Where the file names it, for what may be wrong about it later. */
  readonly path: Path;
}

export function resolveEnvironment(name: string, config: FleetConfig, report: Report): ResolvedEnvironment {
  const path: Path = ['environments', name];
  const environment = config.environments[name]!;
  const places = placesOf(environment, path, report);
  const waves = regionGroups(environment, places, path, report);
  const context: Context = { name, path, config, environment, common: commonOf(name, environment, config, path, report), report };
  const groups = environment.regionsIn === 'stacks' ? [{ regions: places.regions, targets: stacksTargets(context, places, waves) }] : waves.map((regions) => ({ regions, targets: stageTargets(context, places, regions) }));
  return { name, path, config: environment, groups };
}

/** What all targets of an environment share. */
type Common = Pick<Target, 'environment' | 'regionsIn' | 'permissions' | 'verify' | 'templates' | 'dependsOn' | 'permissionsBoundary' | 'terminationProtection' | 'tags'>;

interface Context {
  readonly name: string;
  readonly path: Path;
  readonly config: FleetConfig;
  readonly environment: Environment;
  readonly common: Common;
  readonly report: Report;
}

function commonOf(name: string, environment: Environment, config: FleetConfig, path: Path, report: Report): Common {
  for (const [step, settings] of Object.entries(environment.before ?? {})) {
    if (!isCommands(settings) && settings.outputs !== undefined) report({ code: 'CFG069', path: [...path, 'before', step, 'outputs'], what: 'asks for outputs of stacks that are deployed after the step', why: 'CodePipeline hands on what actions before a step have put out, in the same execution', fix: 'move the step to `verify:`, or let it ask CloudFormation for what stands' });
  }
  return {
    environment: name,
    regionsIn: environment.regionsIn,
    permissions: permissionsOf(environment, config),
    verify: stepsOf(environment.verify, name, environment),
    templates: templatesOf(environment),
    dependsOn: stackOrder(environment, path, report),
    permissionsBoundary: environment.permissionsBoundary ?? config.permissionsBoundary,
    terminationProtection: environment.terminationProtection ?? config.terminationProtection ?? false,
    tags: { ...config.tags, ...environment.tags },
  };
}

/** A stage an account and region. */
function stageTargets(context: Context, places: Places, regions: readonly string[]): readonly PlacedTarget[] {
  const { environment, path } = context;
  const pattern = environment.stage ?? (environment.accounts === undefined ? '{Environment}-{region}' : '{Environment}-{account}-{region}');
  return places.accounts.flatMap((account) =>
    account.regions
      .filter(({ region }) => regions.includes(region))
      .map((region) => {
        const at: Path = region.stage !== undefined ? [...region.path, 'stage'] : environment.stage !== undefined ? [...path, 'stage'] : region.path;
        return targetOf(context, account, [regionOf(context, account, region)], { pattern: region.stage ?? pattern, at, path: region.path, regionOrder: [[region.region]] });
      }),
  );
}

/** One stage an account, whose stacks lie in the regions. */
function stacksTargets(context: Context, places: Places, waves: readonly (readonly string[])[]): readonly PlacedTarget[] {
  const { environment, path, report } = context;
  const pattern = environment.stage ?? (environment.accounts === undefined ? '{Environment}' : '{Environment}-{account}');
  const at: Path = environment.stage === undefined ? path : [...path, 'stage'];
  return places.accounts
    .filter((account) => account.regions.length > 0)
    .map((account) => {
      for (const region of account.regions) if (region.stage !== undefined) report({ code: 'CFG058', path: [...region.path, 'stage'], what: 'names a stage of one region, and with regionsIn: stacks all regions share one', fix: 'set `stage:` on the environment' });
      const own = new Set(account.regions.map(({ region }) => region));
      const regionOrder = waves.map((regions) => regions.filter((region) => own.has(region))).filter((regions) => regions.length > 0);
      return targetOf(context, account, account.regions.map((region) => regionOf(context, account, region)), { pattern, at, path: account.path, regionOrder });
    });
}

interface StageSettings {
  /** Name of the stage, with placeholders. */
  readonly pattern: string;
  /** Where the pattern stands. */
  readonly at: Path;
  /** Where the target stands. */
  readonly path: Path;
  readonly regionOrder: Target['regionOrder'];
}

function targetOf(context: Context, account: AccountPlace, regions: readonly TargetRegion[], { pattern, at, path, regionOrder }: StageSettings): PlacedTarget {
  const { name, config, environment, common, report } = context;
  const { id, unknown } = fillStageName(pattern, { environment: name, account: account.account, region: regions[0]!.region });
  if (unknown !== undefined) report({ code: 'CFG058', path: at, what: `has the placeholder ${unknown}, which nothing fills`, fix: 'there are {Environment}, {environment}, {account} and {region}' });
  else if (!STAGE_ID.test(id)) report({ code: 'CFG058', path: at, what: `gives the stage ID ${JSON.stringify(id)}`, why: 'every stack name begins with it: letters, digits and hyphens, a letter first, 2 to 64 characters', fix: 'set `stage:` to a name of that form' });
  const bootstrap = bootstrapOf([config.bootstrap, environment.bootstrap, account.bootstrap]);
  checkToolkit(context, account, bootstrap);
  return { ...common, stageId: id, account: account.account, regions, regionOrder, parameters: regions[0]!.parameters, bootstrap, path };
}

function regionOf({ config, environment }: Context, account: AccountPlace, region: RegionPlace): TargetRegion {
  const layers = [config.parameters, environment.parameters, account.parameters, region.parameters];
  return { region: region.region, parameters: layers.reduce<unknown>((base, over) => deepMerge(base, over), {}) as Readonly<Record<string, unknown>> };
}

/** Told once where the qualifier stands, however many targets it reaches. */
function checkToolkit({ config, environment, path, report }: Context, account: AccountPlace, bootstrap: BootstrapSettings): void {
  const says = (settings: BootstrapSettings | undefined): boolean => settings?.qualifier !== undefined;
  const owner = says(account.bootstrap) ? [...account.path, 'bootstrap'] : says(environment.bootstrap) ? [...path, 'bootstrap'] : says(config.bootstrap) ? ['bootstrap'] : undefined;
  if (owner !== undefined) reportToolkit(bootstrap, owner, report);
}

/** A bootstrap of one's own under the default stack's name would replace the default bootstrap (CDK guide, Customize bootstrapping: qualifier). */
export function reportToolkit(bootstrap: BootstrapSettings, path: Path, report: Report): void {
  if (bootstrap.qualifier === DEFAULT_QUALIFIER || bootstrap.toolkitStackName !== DEFAULT_TOOLKIT) return;
  report({
    code: 'CFG055',
    path: [...path, 'qualifier'],
    what: 'is a qualifier of its own without a toolkit stack of its own',
    why: 'bootstrapping would update the stack CDKToolkit, and with it replace the roles and the bucket that other apps in the account deploy with',
    fix: `toolkitStackName: CDKToolkit-${bootstrap.qualifier?.replaceAll('_', '-')}`,
  });
}

function permissionsOf(environment: Environment, config: FleetConfig): PermissionsGate | undefined {
  const gate = environment.gates?.permissions;
  if (gate === undefined || gate === 'none') return undefined;
  const { notify, approve } = gate === 'broadened' ? { notify: undefined, approve: true } : gate;
  return { notify: notify ?? config.notify?.security, approve };
}

function templatesOf(environment: Environment): readonly TemplateStack[] {
  return Object.entries(environment.templates ?? {}).map(([name, stack]) => (typeof stack === 'string' ? { name, template: stack, parameters: {} } : { name, template: stack.template, parameters: stack.parameters ?? {} }));
}

export function stepsOf(steps: Readonly<Record<string, StepConfig>> | undefined, environment: string, config: Environment): readonly Step[] {
  return Object.entries(steps ?? {}).map(([name, step]) => {
    const { commands, install = [], outputs = {}, ...build } = isCommands(step) ? { commands: step } : step;
    const variables = { ...config.environment, ...build.environment };
    return { name, environment, install, commands, outputs, build: Object.keys(variables).length === 0 ? build : { ...build, environment: variables } };
  });
}

function isCommands(step: StepConfig): step is string[] {
  return Array.isArray(step);
}
