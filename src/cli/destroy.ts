import type { Command } from 'commander';
import { join } from 'node:path';
import { FlotillaError } from '../shared/errors.js';
import { destroy, type TeardownResult } from '../ops/destroy/destroy.js';
import { LAYERS, type Item } from '../ops/destroy/items.js';
import { openJournal, unfinished } from '../ops/destroy/journal.js';
import { planTeardown, type Teardown } from '../ops/destroy/plan.js';
import { placeOf } from '../ops/fleet/fleet.js';
import { refuseName, typed } from './confirm.js';
import { addFleetOptions, knownName, readFleet, type FleetOptions } from './fleet.js';
import { paragraph } from './table.js';
import { printError, type Terminal } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface DestroyCommandOptions extends FleetOptions {
  readonly bootstrap?: boolean;
  readonly unprotect?: boolean;
  readonly keyDays?: string;
  readonly confirm?: string;
  readonly dryRun?: boolean;
}

/** Exit codes (docs/exit-codes.md). */
const FAILED = 4;
const REFUSED = 5;
const INTERRUPTED = 130;

export function addDestroyCommand(program: Command): void {
  addFleetOptions(operatorCommand(program, 'destroy', 'take a whole fleet away, all accounts and regions, in dependency order'))
    .option('--bootstrap', 'also the bootstraps that nothing else uses, last')
    .option('--unprotect', 'take termination protection away')
    .option('--key-days <days>', 'days until scheduled keys are gone, 7 to 30', '30')
    .option('--confirm <name>', 'the name of the fleet, where nobody can be asked')
    .option('--dry-run', 'show what would be deleted and what would be left')
    .action(inWorld<DestroyCommandOptions>(destroyCommand));
}

async function destroyCommand(world: World, options: DestroyCommandOptions): Promise<number> {
  const { out, target, limit, render } = world;
  const keyDays = Number(options.keyDays);
  if (!Number.isInteger(keyDays) || keyDays < 7 || keyDays > 30) throw new FlotillaError('CLI014', `--key-days '${options.keyDays}' is not 7 to 30`, { exitCode: 2 });
  const folder = join(world.folder, 'destroy', world.target.kind === 'LOCAL' ? 'local' : 'aws');
  // A wrong name is refused before anything is synthesized, where the right one is known without.
  const known = knownName(options);
  if (known !== undefined) refuseName(known, options.confirm);
  const plan = await thePlan(world, options, folder);
  printPlan(plan, out);
  if (!options.bootstrap && plan.items.length > 0) out.message(out.style('dim', paragraph('bootstraps stay; --bootstrap takes those that nothing else uses', out.messageColumns)));
  const data = (result?: TeardownResult): object => ({ ...world.stamp, fleet: plan.name, items: plan.items.map(shown), retained: plan.retained, obstacles: plan.obstacles, ...(result ? { deleted: result.deleted.map(({ key }) => key), failures: result.failures.map(({ item, error }) => ({ key: item.key, code: error.code, message: error.message, why: error.why, fix: error.fix })), left: result.left.map(({ key }) => key) } : {}) });
  const blocking = plan.obstacles.filter(({ key }) => plan.items.find((item) => item.key === key)?.layer !== 'bootstrap');
  for (const { what, fix } of plan.obstacles) out.message(`${paragraph(`${out.style('red', '✖')} ${what}`, out.messageColumns)}\n  ${out.style('dim', 'fix')}  ${fix}`);
  if (blocking.length > 0 || options.dryRun || plan.items.length === 0) {
    out.data(data());
    if (plan.items.length === 0) out.print('nothing of the fleet stands');
    return blocking.length > 0 ? REFUSED : 0;
  }
  await typed(plan.name, options.confirm, `${plan.items.length} things are to be deleted, for good.`);
  const abort = new AbortController();
  const interrupted = (): void => {
    if (abort.signal.aborted) process.exit(INTERRUPTED);
    abort.abort();
    out.message(paragraph('stopping; what was begun is noted: run destroy again to go on (Ctrl-C once more kills)', out.messageColumns));
  };
  process.on('SIGINT', interrupted);
  try {
    const result = await destroy({ target, journal: openJournal(folder, plan), limit, emit: (event) => render.emit(event), unprotect: options.unprotect ?? false, keyDays, skip: new Set(plan.obstacles.map(({ key }) => key)), signal: abort.signal });
    out.data(data(result));
    printResult(plan, result, out);
    return abort.signal.aborted ? INTERRUPTED : result.failures.length > 0 || result.left.length > 0 ? FAILED : 0;
  } finally {
    process.off('SIGINT', interrupted);
  }
}

/** What stands of the fleet; where it can no more be found by itself, what an interrupted teardown has noted. */
async function thePlan(world: World, options: DestroyCommandOptions, folder: string): Promise<Teardown> {
  const begun = unfinished(folder);
  try {
    return await planTeardown(world.target, await readFleet(world, options), { bootstrap: options.bootstrap ?? false, unprotect: options.unprotect ?? false }, world.limit);
  } catch (error) {
    const named = options.pipeline === undefined ? begun : begun.filter(({ name }) => options.pipeline!.includes(name) || name === options.pipeline!.join(', '));
    if (!(error instanceof FlotillaError) || error.code !== 'OPS002' || named.length !== 1) throw error;
    world.out.message(`taking up the teardown of ${named[0]!.name} that was interrupted`);
    return named[0]!;
  }
}

function shown(item: Item): object {
  return { key: item.key, kind: item.kind, layer: item.layer, account: item.account, region: item.region, name: item.name };
}

/** What is left first, for it is what nobody gets back or gets rid of; then what goes, in its order. */
function printPlan(plan: Teardown, out: Terminal): void {
  const line = (text: string): void => out.message(`  ${paragraph(text, out.messageColumns - 2, 4)}`);
  if (plan.retained.length > 0) out.message(out.style('bold', 'stays, with its data:'));
  for (const { stack, type, name, data, ...pair } of plan.retained) line(`${placeOf(pair)} ${type} ${name}${data ? ` (${data})` : ''}, of ${stack}`);
  for (const layer of LAYERS) {
    const items = plan.items.filter((item) => item.layer === layer);
    if (items.length > 0) out.message(out.style('bold', `${layer}: ${items.length}`));
    for (const item of items) line(`${placeOf(item)} ${item.kind} ${item.name}${item.kind === 'stack' && item.buckets.length > 0 ? `, with all versions in ${item.buckets.join(', ')}` : ''}${item.kind === 'key' ? ', scheduled' : ''}`);
  }
}

function printResult(plan: Teardown, { deleted, failures, left }: TeardownResult, out: Terminal): void {
  for (const { error } of failures) printError(error, { ...out, json: false });
  out.print(`${deleted.length} deleted${failures.length > 0 ? `, ${failures.length} failed` : ''}${left.length > 0 ? `, ${left.length} not tried: run destroy again to go on` : ''}${plan.retained.length > 0 ? `; ${plan.retained.length} retained` : ''}`);
}
