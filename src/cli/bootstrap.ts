import type { Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import { applyBootstraps, planBootstraps, type PairFailure } from '../ops/bootstrap/bootstrap.js';
import { pairTemplate, stackSetTemplate } from '../ops/bootstrap/emit.js';
import type { BootstrapPlan } from '../ops/bootstrap/plan.js';
import { bootstrapTemplate, type BootstrapTemplate } from '../ops/bootstrap/template.js';
import { placeOf, type BootstrapSettings, type FleetPair } from '../ops/fleet/fleet.js';
import { confirmed } from './confirm.js';
import { addFleetOptions, readFleet, type FleetOptions } from './fleet.js';
import { paragraph } from './table.js';
import { printError, type Terminal } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface BootstrapOptions extends FleetOptions {
  readonly trust?: string;
  readonly trustForLookup?: string;
  readonly cloudformationExecutionPolicies?: readonly string[];
  readonly qualifier?: string;
  readonly toolkitStackName?: string;
  readonly permissionsBoundary?: string;
  readonly boundaryOnAllRoles?: boolean;
  readonly kms?: string;
  readonly tag?: readonly string[];
  readonly terminationProtection?: boolean;
  readonly dropTrust?: boolean;
  readonly dryRun?: boolean;
  readonly emit?: string;
}

const FAILED = 4;

export function addBootstrapCommand(program: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  addFleetOptions(operatorCommand(program, 'bootstrap', 'bootstrap every account and region of a fleet'))
    .option('--trust <accounts>', 'accounts that may deploy, by comma (default: those of the pipelines)')
    .option('--trust-for-lookup <accounts>', 'accounts that may look up values, by comma')
    .option('--cloudformation-execution-policies <arns>', 'policies of deployments, by comma; ACCOUNT=ARNS for one account; repeatable', collect)
    .option('--qualifier <name>', 'qualifier of the bootstrap')
    .option('--toolkit-stack-name <name>', 'name of the toolkit stack')
    .option('--permissions-boundary <name>', 'managed policy that bounds the execution role')
    .option('--boundary-on-all-roles', 'bounds the other roles too')
    .option('--kms <key>', 'key of the asset bucket: aws-managed, customer, or a key’s ID or ARN')
    .option('--tag <key=value>', 'tag of the toolkit stack; repeatable', collect)
    .option('--termination-protection', 'protect the toolkit stack from deletion')
    .option('--no-termination-protection', 'no longer protect it')
    .option('--drop-trust', 'take away trust that stands and the fleet does not ask for')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--emit <form>', 'print CloudFormation for a central team instead: stackset or template')
    .action(inWorld<BootstrapOptions>(bootstrapCommand));
}

async function bootstrapCommand(world: World, options: BootstrapOptions): Promise<number> {
  const { out, render } = world;
  if (options.emit !== undefined && options.emit !== 'stackset' && options.emit !== 'template') throw new FlotillaError('CLI009', `--emit '${options.emit}' is not known`, { fix: 'stackset or template', exitCode: 2 });
  const fleet = await readFleet(world, options, 'pairs');
  const pairs = fleet.pairs.map((pair) => ({ ...pair, bootstrap: settings(pair, options) }));
  const template = await bootstrapTemplate();
  const plans = await planBootstraps(world.target, pairs, template, { dropTrust: options.dropTrust ?? false, emit: options.emit !== undefined }, world.limit);
  if (options.emit !== undefined) return emitTemplate(options.emit, plans, template);
  printPlans(plans, out);
  const refused = plans.filter(({ action }) => action === 'refuse');
  for (const { refusal } of refused) printError(refusal!, { ...out, json: false });
  const work = plans.filter(({ action }) => action !== 'none' && action !== 'refuse');
  const done = async (failures: readonly PairFailure[], applied: boolean): Promise<number> => {
    out.data({ ...world.stamp, template: template.version, applied, pairs: plans.map((plan) => shown(plan, failures)) });
    for (const { error } of failures) printError(error, { ...out, json: false });
    return failures.length > 0 ? FAILED : refused.length > 0 ? Math.max(...refused.map(({ refusal }) => refusal!.exitCode)) : 0;
  };
  if (options.dryRun || work.length === 0) return done([], false);
  if (!(await confirmed(options, `${work.length} of ${plans.length} pairs are to be bootstrapped.`))) return done([], false);
  return done(await applyBootstraps(world.target, plans, template, world.limit, (event) => render.emit(event)), true);
}

/** What the fleet asks for, and over it what the command line says. */
function settings({ account, bootstrap }: FleetPair, options: BootstrapOptions): BootstrapSettings {
  const accounts = (given: string | undefined, own: readonly string[]): readonly string[] => (given === undefined ? own : given.split(',').filter((one) => one !== account));
  for (const one of [options.trust, options.trustForLookup].flatMap((given) => given?.split(',') ?? [])) if (!/^\d{12}$/.test(one)) throw new FlotillaError('CLI008', `'${one}' is not an account ID`, { why: 'an account ID has twelve digits', exitCode: 2 });
  const qualifier = options.qualifier ?? bootstrap.qualifier;
  // A name that was derived from the fleet's qualifier is not one for another qualifier: planning refuses that trap.
  const toolkit = options.toolkitStackName ?? (options.qualifier === undefined || options.qualifier === bootstrap.qualifier ? bootstrap.toolkitStackName : undefined);
  const policies = policiesFor(account, options.cloudformationExecutionPolicies) ?? bootstrap.executionPolicies;
  const tags = { ...bootstrap.tags, ...Object.fromEntries((options.tag ?? []).map((tag) => tag.split(/=(.*)/s).slice(0, 2) as [string, string])) };
  return {
    ...bootstrap,
    qualifier,
    ...(toolkit === undefined ? {} : { toolkitStackName: toolkit }),
    trust: accounts(options.trust, bootstrap.trust),
    trustForLookup: accounts(options.trustForLookup, bootstrap.trustForLookup),
    ...(policies === undefined ? {} : { executionPolicies: policies }),
    ...(options.permissionsBoundary === undefined ? {} : { permissionsBoundary: options.permissionsBoundary }),
    ...(options.boundaryOnAllRoles === undefined ? {} : { boundaryOnAllRoles: options.boundaryOnAllRoles }),
    ...(options.kms === undefined ? {} : { kms: options.kms === 'aws-managed' || options.kms === 'customer' ? options.kms : { key: options.kms } }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(options.terminationProtection === undefined ? {} : { terminationProtection: options.terminationProtection }),
  };
}

/** `ARN,ARN` for all accounts, `ACCOUNT=ARN,ARN` for one, which counts before. */
function policiesFor(account: string, given: readonly string[] | undefined): readonly string[] | undefined {
  const own = given?.find((one) => one.startsWith(`${account}=`))?.slice(13) ?? given?.findLast((one) => !/^\d{12}=/.test(one));
  return own?.split(',');
}

function emitTemplate(form: 'stackset' | 'template', plans: readonly BootstrapPlan[], template: BootstrapTemplate): number {
  const refused = plans.find(({ action }) => action === 'refuse');
  if (refused) throw refused.refusal!;
  if (form === 'stackset') process.stdout.write(`${JSON.stringify(stackSetTemplate(plans, template), null, 2)}\n`);
  else {
    const kinds = new Set(plans.map(({ parameters }) => JSON.stringify(parameters)));
    if (kinds.size > 1) throw new FlotillaError('BST011', `the pairs need ${kinds.size} different bootstraps: one template can't say them`, { why: 'trust or policies differ between accounts', fix: '--emit stackset, or --pair for those that are alike', exitCode: 2 });
    process.stdout.write(pairTemplate(plans[0]!, template));
  }
  return 0;
}

function shown({ pair, stackName, action, changes, kept, refusal }: BootstrapPlan, failures: readonly PairFailure[]): object {
  const failure = failures.find((one) => one.pair === pair)?.error;
  return { account: pair.account, region: pair.region, qualifier: pair.bootstrap.qualifier, stackName, action, changes, kept, ...(refusal ? { refusal: { code: refusal.code, message: refusal.message, fix: refusal.fix } } : {}), ...(failure ? { failure: { code: failure.code, message: failure.message, why: failure.why } } : {}) };
}

const MARK: Readonly<Record<BootstrapPlan['action'], string>> = { create: '+', recreate: '±', update: '~', none: '=', refuse: '✖' };

function printPlans(plans: readonly BootstrapPlan[], out: Terminal): void {
  for (const plan of plans) {
    out.message(`${out.style(plan.action === 'refuse' ? 'red' : plan.action === 'none' ? 'dim' : 'bold', `${MARK[plan.action]} ${placeOf(plan.pair).padEnd(28)} ${plan.stackName}`)}${plan.action === 'none' ? '  nothing to change' : ''}`);
    for (const { kind, text } of plan.changes) out.message(`    ${paragraph(`${out.style(kind === 'widens' ? 'yellow' : kind === 'drops' ? 'red' : 'dim', kind.padEnd(8))} ${text}`, out.messageColumns - 4, 13)}`);
    for (const text of plan.kept) out.message(`    ${paragraph(`${out.style('dim', 'kept'.padEnd(8))} ${text}`, out.messageColumns - 4, 13)}`);
  }
}
