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
  const groups = regionGroups(environment, places, path, report);
  const common = commonOf(name, environment, config, path, report);
  if (environment.regionsIn === 'stacks') return { name, path, config: environment, groups: [{ regions: places.regions, targets: stacksTargets(places, groups, config, environment, common, report) }] };
  return {
    name,
    path,
    config: environment,
    groups: groups.map((regions) => ({ regions, targets: places.accounts.flatMap((account) => account.regions.filter(({ region }) => regions.includes(region)).map((region) => stageTarget(account, region, config, environment, common, report))) })),
  };
}

/** What all targets of an environment share. */
type Common = Pick<Target, 'environment' | 'regionsIn' | 'permissions' | 'verify' | 'templates' | 'dependsOn' | 'permissionsBoundary' | 'terminationProtection' | 'tags'>;

function commonOf(name: string, environment: Environment, config: FleetConfig, path: Path, report: Report): Common {
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

function stageTarget(account: AccountPlace, region: RegionPlace, config: FleetConfig, environment: Environment, common: Common, report: Report): PlacedTarget {
  const regions = [regionOf(account, region, config, environment)];
  const template = region.stage ?? environment.stage ?? (environment.accounts === undefined ? '{Environment}-{region}' : '{Environment}-{account}-{region}');
  const at: Path = region.stage !== undefined ? [...region.path, 'stage'] : environment.stage !== undefined ? ['environments', common.environment, 'stage'] : region.path;
  return target(template, at, region.path, account, regions, [[region.region]], config, environment, common, report);
}

/** One stage an account, whose stacks lie in the regions. */
function stacksTargets(places: Places, groups: readonly (readonly string[])[], config: FleetConfig, environment: Environment, common: Common, report: Report): readonly PlacedTarget[] {
  const template = environment.stage ?? (environment.accounts === undefined ? '{Environment}' : '{Environment}-{account}');
  const at: Path = ['environments', common.environment, ...(environment.stage === undefined ? [] : ['stage'])];
  return places.accounts
    .filter((account) => account.regions.length > 0)
    .map((account) => {
      for (const region of account.regions) if (region.stage !== undefined) report({ code: 'CFG058', path: [...region.path, 'stage'], what: 'names a stage of one region, and with regionsIn: stacks all regions share one', fix: 'set `stage:` on the environment' });
      const own = new Set(account.regions.map(({ region }) => region));
      const order = groups.map((regions) => regions.filter((region) => own.has(region))).filter((regions) => regions.length > 0);
      return target(template, at, account.path, account, account.regions.map((region) => regionOf(account, region, config, environment)), order, config, environment, common, report);
    });
}

function target(template: string, at: Path, path: Path, account: AccountPlace, regions: readonly TargetRegion[], regionOrder: readonly (readonly string[])[], config: FleetConfig, environment: Environment, common: Common, report: Report): PlacedTarget {
  const parts = { environment: common.environment, account: account.account, region: regions[0]!.region };
  const { id, unknown } = fillStageName(template, parts);
  if (unknown !== undefined) report({ code: 'CFG058', path: at, what: `has the placeholder ${unknown}, which nothing fills`, fix: 'there are {Environment}, {environment}, {account} and {region}' });
  else if (!STAGE_ID.test(id)) report({ code: 'CFG058', path: at, what: `gives the stage ID ${JSON.stringify(id)}`, why: 'every stack name begins with it: letters, digits and hyphens, a letter first, 2 to 64 characters', fix: 'set `stage:` to a name of that form' });
  const bootstrap = bootstrapOf([config.bootstrap, environment.bootstrap, account.bootstrap]);
  checkToolkit(bootstrap, config, environment, account, common.environment, report);
  return { ...common, stageId: id, account: account.account, regions, regionOrder, parameters: regions[0]!.parameters, bootstrap, path };
}

function regionOf(account: AccountPlace, region: RegionPlace, config: FleetConfig, environment: Environment): TargetRegion {
  const layers = [config.parameters, environment.parameters, account.parameters, region.parameters];
  return { region: region.region, parameters: layers.reduce<unknown>((base, over) => deepMerge(base, over), {}) as Readonly<Record<string, unknown>> };
}

/** Told once where the qualifier stands, however many targets it reaches. */
function checkToolkit(bootstrap: BootstrapSettings, config: FleetConfig, environment: Environment, account: AccountPlace, name: string, report: Report): void {
  const owner = account.bootstrap?.qualifier !== undefined ? [...account.path, 'bootstrap'] : environment.bootstrap?.qualifier !== undefined ? ['environments', name, 'bootstrap'] : config.bootstrap?.qualifier !== undefined ? ['bootstrap'] : undefined;
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
