import { isCancel, text } from '@clack/prompts';
import { InvalidArgumentError, type Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import { awsTarget, type Identity } from '../ops/aws/target.js';
import { DEFAULT_CONCURRENCY, limiter, type Limiter } from '../ops/concurrency.js';
import { explained } from '../ops/explain/explain.js';
import { placeOf } from '../ops/fleet/fleet.js';
import { placeOfError, type Target } from '../ops/target.js';
import { flotillaFolder } from './cloud/connection.js';
import { localWorld, type LocalWorld } from './cloud/local.js';
import { progressOf, renderer, type Renderer } from './render/render.js';
import { terminal, type GlobalOptions, type Terminal } from './terminal.js';

/** Flags of every operator command. */
export interface WorldOptions extends GlobalOptions {
  readonly local?: boolean;
  readonly dir?: string;
  readonly profile?: string;
  readonly profilePattern?: string;
  readonly role?: string;
  readonly environment?: readonly string[];
  readonly region?: string;
  readonly concurrency?: number;
  readonly yes?: boolean;
  readonly progress?: string;
  readonly logs?: boolean;
}

/** Where a command acts, how it speaks, and how much it does at a time. */
export interface World {
  readonly target: Target;
  readonly out: Terminal;
  readonly limit: Limiter;
  readonly render: Renderer;
  /** `.flotilla` of the app. */
  readonly folder: string;
  /** Names of environments by account; a fleet that is read adds its own. */
  readonly environments: Map<string, string>;
  readonly region: string;
  readonly local: LocalWorld | undefined;
  readonly identity: Identity | undefined;
  /** What every JSON answer begins with. */
  readonly stamp: { readonly target: 'LOCAL' } | { readonly target: 'AWS'; readonly identity?: Identity };
}

export function addWorldOptions(program: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  program
    .option('--profile <name>', 'AWS profile to act with')
    .option('--profile-pattern <pattern>', "profile by account, such as 'acme-{environment}' or '{account}-admin'")
    .option('--role <name>', 'role to assume in each account, by name or as an ARN with {account}')
    .option('--environment <name=account>', 'name of an environment, for --profile-pattern; repeatable', collect)
    .option('--region <region>', 'region of the pipelines')
    .option('--concurrency <number>', `how much to do at a time (default: ${DEFAULT_CONCURRENCY})`, whole)
    .option('-y, --yes', 'do not ask');
}

function whole(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 256) throw new InvalidArgumentError('a whole number from 1 to 256');
  return number;
}

/** A command of the operator: the flags all of them have. */
export function operatorCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--dir <folder>', 'folder of the state (default: the nearest .flotilla)')
    .option('--progress <form>', 'auto, live, plain or jsonl', 'auto')
    .option('--logs', 'print the lines of the programs it starts');
}

/** Opens the world, runs the action and closes what prints; the exit code is what the action answers. */
export function inWorld<O extends WorldOptions>(action: (world: World, options: O, args: unknown[]) => Promise<number | void>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const options = (given.at(-1) as Command).optsWithGlobals<O>();
    const world = await openWorld(options);
    try {
      process.exitCode = (await action(world, options, given.slice(0, -2))) ?? 0;
    } catch (error) {
      // What AWS says is told as such, with what is known of it; what is neither ours nor AWS's is a defect.
      const place = placeOfError(error);
      const told = error instanceof Error && '$metadata' in error ? explained(error, (given.at(-1) as Command).name(), { local: world.local !== undefined, ...(place ? { place: placeOf(place), region: place.region } : {}) }) : error;
      throw world.local ? localized(told) : told;
    } finally {
      world.render.close();
    }
  };
}

/** Commands that act on AWS unless they are told otherwise; the others have no world to choose. */
const WORLDLY = /\bflotilla (?=(?:where|approve|reject|bootstrap|doctor|deploy|diff|prune|destroy|logs|retry|stop|hold|resume|release)\b)/g;

/** An error met on the local cloud advises commands for the local cloud. */
function localized(error: unknown): unknown {
  if (!(error instanceof FlotillaError) || error.fix === undefined || error.constructor !== FlotillaError) return error;
  const { code, message, where, why, fix, exitCode } = error;
  return new FlotillaError(code, message, { where, why, fix: fix.replaceAll(WORLDLY, 'flotilla --local '), exitCode, cause: error });
}

async function openWorld(options: WorldOptions): Promise<World> {
  const out = terminal(options);
  const environments = new Map((options.environment ?? []).map(named));
  const folder = flotillaFolder(options.dir);
  const parts = { out, environments, folder, limit: limiter(options.concurrency), render: renderer(progressOf(options.progress ?? 'auto', true), out, { logs: options.logs ?? false, target: options.local ? 'LOCAL' : 'AWS' }) };
  if (options.local || process.env['FLOTILLA_LOCAL'] === '1') {
    refuseAwsFlags(options);
    out.message(out.style('bold', 'LOCAL'));
    const local = await localWorld(folder);
    return { ...parts, target: local.target, local, identity: undefined, region: options.region ?? 'us-east-1', stamp: { target: 'LOCAL' } };
  }
  const region = options.region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const target = awsTarget({ environment: process.env, profile: options.profile, profilePattern: options.profilePattern, role: options.role, environments, mfaCode });
  const identity = await target.base();
  out.message(out.style('bold', identity ? `AWS ${identity.account}` : 'AWS') + (identity ? ` · ${identity.arn}` : ` · profiles ${options.profilePattern ?? 'by account'}`));
  return { ...parts, target, local: undefined, identity, region, stamp: { target: 'AWS', ...(identity ? { identity } : {}) } };
}

/** A flag that chooses the user's credentials can't be meant for the local cloud, which never reads them. */
function refuseAwsFlags({ profile, profilePattern, role }: WorldOptions): void {
  const given = profile !== undefined ? '--profile' : profilePattern !== undefined ? '--profile-pattern' : role !== undefined ? '--role' : undefined;
  if (given) throw new FlotillaError('WLD002', `${given} and --local exclude each other`, { why: 'a local command never reads AWS credentials', fix: `leave out ${given}, or --local (or unset FLOTILLA_LOCAL)`, exitCode: 2 });
}

function named(given: string): [account: string, name: string] {
  const [name = '', account = ''] = given.split('=');
  if (!/^\d{12}$/.test(account) || name === '') throw new FlotillaError('CLI004', `--environment '${given}' is not NAME=ACCOUNT`, { fix: '--environment prod=333333333333', exitCode: 2 });
  return [account, name];
}

async function mfaCode(serial: string): Promise<string> {
  if (!interactive()) throw new FlotillaError('CRD004', `the device ${serial} wants a code, and nobody can be asked`, { why: 'stdin or stderr is not a terminal', fix: 'take a session first (aws sts get-session-token), or use a profile without MFA', exitCode: 3 });
  const answer = await text({ message: `Code of ${serial}`, output: process.stderr });
  if (isCancel(answer)) throw new FlotillaError('CRD004', `no code was given for ${serial}`, { exitCode: 3 });
  return answer;
}

export function interactive(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}
