import type { Command } from 'commander';
import { loadFleet } from '../fleet/index.js';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FlotillaError } from '../shared/errors.js';
import { fleetFromAssembly } from '../ops/fleet/from-assembly.js';
import { fleetFromFile, withFleetFile } from '../ops/fleet/from-file.js';
import { fleetFromPipelines, pipelinesIn } from '../ops/fleet/from-pipelines.js';
import { DEFAULT_QUALIFIER } from '../shared/bootstrap.js';
import { type BootstrapSettings, type OperatedFleet, type Pair } from '../ops/fleet/fleet.js';
import type { PipelineRef } from '../ops/follow.js';
import { pathOf } from '../ops/run/dependencies.js';
import { localEnvironment } from '../ops/run/programs.js';
import { synthesize, unlessAsBefore } from '../ops/synth.js';
import { addAppOptions, contextOf, fleetFileOfApp, refuseAppOptions, type AppOptions } from './fleet-file.js';
import { localPipelines } from './pipelines.js';
import type { World, WorldOptions } from './world.js';

/** What a command needs of a fleet: accounts and regions alone, or its stacks too. */
export type Needs = 'pairs' | 'stacks';

/** Flags that say which fleet a command is about. */
export interface FleetOptions extends WorldOptions, AppOptions {
  readonly app?: string;
  readonly assembly?: string;
  readonly pair?: readonly string[];
  readonly pipeline?: readonly string[];
}

export function addFleetOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  return addAppOptions(command.option('--app <folder>', 'folder of the CDK app (cdk.json); synthesized'))
    .option('--assembly <folder>', 'folder of a cloud assembly (cdk.out)')
    .option('--pair <account/region>', 'an account and region, without any app; repeatable', collect)
    .option('--pipeline <name>', 'the fleet of a pipeline that stands; repeatable', collect);
}

/**
 * The fleet a command is about, from the nearest source: pairs that are named, an assembly, the app of the working folder, or the pipelines
 * that stand. Every command goes through here.
 */
export async function readFleet(world: World, options: FleetOptions, needs: Needs = 'stacks'): Promise<OperatedFleet> {
  const fleet = await fleetOf(world, options, needs);
  for (const { account, environment } of fleet.pairs) if (environment !== undefined && !world.environments.has(account)) world.environments.set(account, environment);
  return fleet;
}

async function fleetOf(world: World, options: FleetOptions, needs: Needs): Promise<OperatedFleet> {
  const instead = options.pair !== undefined ? '--pair' : options.assembly !== undefined ? '--assembly' : options.pipeline !== undefined ? '--pipeline' : undefined;
  if (instead !== undefined) refuseAppOptions(options, instead);
  if (options.pair !== undefined) return fleetFromPairs(options.pair.map(parsePair));
  const app = options.app ?? (existsSync('cdk.json') ? '.' : undefined);
  if (options.assembly !== undefined) return fleetFromAssembly(resolve(options.assembly), { fallback: fallback(world), ...(app === undefined ? {} : { app: resolve(app) }) });
  if (options.pipeline === undefined && app !== undefined) return fleetOfApp(world, resolve(app), options, needs);
  refuseAppOptions(options, 'a folder without cdk.json');
  const pipelines = await pipelinesOf(world, options);
  if (pipelines.length === 0) throw noFleet(world, options);
  return fleetFromPipelines(world.target, pipelines, world.limit);
}

/** What the fleet will be called, where that is known without synthesizing the app or asking anybody. */
export function knownName(options: FleetOptions): string | undefined {
  if (options.pair !== undefined) return fleetFromPairs(options.pair.map(parsePair)).name;
  const app = options.app ?? (existsSync('cdk.json') ? '.' : undefined);
  // Context without an overlay may make another fleet than the file names: the synthesis tells.
  const open = options.context !== undefined && options.overlay === undefined;
  const file = open || options.assembly !== undefined || options.pipeline !== undefined || app === undefined ? undefined : fleetFileOfApp(resolve(app), options);
  return file === undefined ? undefined : loadFleet(file, { overlays: options.overlay ?? [] }).name;
}

/** An app with a fleet file says there how its pairs are bootstrapped; what needs no stacks needs no synthesis then, unless context may change them. */
async function fleetOfApp(world: World, app: string, options: FleetOptions, needs: Needs): Promise<OperatedFleet> {
  const context = contextOf(options);
  const file = fleetFileOfApp(app, options);
  const fleet = file === undefined ? undefined : loadFleet(file, { overlays: options.overlay ?? [] });
  if (fleet !== undefined && needs === 'pairs' && context.length === 0) return fleetFromFile(fleet);
  const assembled = fleetFromAssembly(await synth(world, app, context), { fallback: fallback(world), app });
  return fleet === undefined ? assembled : withFleetFile(assembled, fleet);
}

function noFleet(world: World, { pipeline }: FleetOptions): FlotillaError {
  return new FlotillaError('OPS002', pipeline === undefined ? 'there is no fleet to act on' : `no pipeline is named ${pipeline.join(' or ')}`, {
    why: `there is no cdk.json here, and ${world.local ? 'the local cloud has no pipeline' : `${world.identity?.account ?? 'the account'}/${world.region} has none`}`,
    fix: '--app FOLDER, --assembly cdk.out, --pair ACCOUNT/REGION, or --region where the pipelines are',
    exitCode: 6,
  });
}

/** Pipelines that stand: every one of the local cloud, or those of the account and region acted with. */
export async function pipelinesOf(world: World, { pipeline = [] }: FleetOptions): Promise<PipelineRef[]> {
  if (world.local) return (await localPipelines(world.local)).filter(({ name }) => pipeline.length === 0 || pipeline.includes(name));
  if (!world.identity) throw new FlotillaError('CRD003', 'it is not known in which account the pipelines are', { why: 'there are no default credentials', fix: '--profile NAME of the account of the pipelines', exitCode: 3 });
  return pipelinesIn(world.target, [{ account: world.identity.account, region: world.region }], pipeline, world.limit);
}

function fleetFromPairs(pairs: readonly Pair[]): OperatedFleet {
  const bootstrap: BootstrapSettings = { qualifier: DEFAULT_QUALIFIER, trust: [], trustForLookup: [] };
  return { name: `${pairs.length} pairs`, pipelines: [], pairs: pairs.map((pair) => ({ ...pair, bootstrap })), stacks: [] };
}

export function parsePair(given: string): Pair {
  const [, account, region] = /^(\d{12})\/([a-z]{2}(?:-[a-z]+)+-\d)$/.exec(given) ?? [];
  if (account === undefined || region === undefined) throw new FlotillaError('CLI005', `--pair '${given}' is not ACCOUNT/REGION`, { fix: '--pair 111111111111/eu-west-1', exitCode: 2 });
  return { account, region };
}

function fallback(world: World): Pair {
  return { account: world.identity?.account ?? '999999999999', region: world.region };
}

/** Synthesizes the app: with the local cloud's credentials, or with the user's own where the command acts on AWS. */
async function synth(world: World, app: string, context: readonly string[]): Promise<string> {
  if (!existsSync(join(app, 'cdk.json'))) throw new FlotillaError('OPS003', `there is no cdk.json in ${app}`, { fix: '--app FOLDER of a CDK app', exitCode: 2 });
  world.render.emit({ type: 'step', name: 'synth', status: 'started' });
  const start = performance.now();
  const output = join(world.folder, 'work', 'operate.out');
  const { account, region } = fallback(world);
  await unlessAsBefore(output, app, { as: `${world.target.kind} ${account}/${region}`, context }, async () => synthesize(output, context, { cwd: app, env: await environmentOf(world, app), emit: (event) => world.render.emit(event) }));
  world.render.emit({ type: 'step', name: 'synth', status: 'succeeded', seconds: (performance.now() - start) / 1000 });
  return output;
}

async function environmentOf(world: World, app: string): Promise<Record<string, string>> {
  const { account, region } = fallback(world);
  const own = { PATH: pathOf(app, world.folder), CDK_DISABLE_CLI_TELEMETRY: 'true' };
  if (world.local) return localEnvironment({ ...(await world.local.cloud.variables(account, region)), ...own });
  return { ...(process.env as Record<string, string>), ...own };
}
