import type { Command } from 'commander';
import { join } from 'node:path';
import { destroy } from '../ops/destroy/destroy.js';
import { openJournal } from '../ops/destroy/journal.js';
import { planStacks } from '../ops/destroy/plan.js';
import { placeOf } from '../ops/fleet/fleet.js';
import { orphans } from '../ops/orphans.js';
import { confirmed } from './confirm.js';
import { pipelinesOf, type FleetOptions } from './fleet.js';
import { printError } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface PruneOptions extends FleetOptions {
  readonly dryRun?: boolean;
  readonly unprotect?: boolean;
}

const FAILED = 4;
const REFUSED = 5;

export function addPruneCommand(program: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  operatorCommand(program, 'prune', 'delete stacks that a pipeline deployed and declares no more')
    .option('--pipeline <name>', 'of this pipeline only; repeatable', collect)
    .option('--unprotect', 'take termination protection away')
    .option('--dry-run', 'show them, and delete nothing')
    .action(inWorld<PruneOptions>(pruneCommand));
}

async function pruneCommand(world: World, options: PruneOptions): Promise<number> {
  const { out, target, limit, render } = world;
  const pipelines = await pipelinesOf(world, options);
  const found = (await Promise.all(pipelines.map((pipeline) => limit(() => orphans(target, pipeline))))).flat();
  const plan = await planStacks(target, `prune ${pipelines.map(({ name }) => name).join(', ')}`, found, options.unprotect ?? false, limit);
  for (const { stack, type, name, data, ...pair } of plan.retained) out.message(`stays: ${placeOf(pair)} ${type} ${name}${data ? ` (${data})` : ''}, of ${stack}`);
  for (const item of plan.items) out.print(`${placeOf(item)} ${item.kind} ${item.name}`);
  for (const { what, fix } of plan.obstacles) out.message(`${out.style('red', '✖')} ${what}\n  ${out.style('dim', 'fix')}  ${fix}`);
  const answer = { ...world.stamp, items: plan.items.map(({ kind, account, region, name }) => ({ kind, account, region, name })), retained: plan.retained, obstacles: plan.obstacles };
  const stop = plan.obstacles.length > 0 ? REFUSED : 0;
  if (plan.items.length === 0) out.print('every stack that stands is declared');
  if (stop || options.dryRun || plan.items.length === 0 || !(await confirmed(options, `${plan.items.length} things are to be deleted, for good.`))) {
    out.data({ ...answer, deleted: [] });
    return stop;
  }
  const result = await destroy({ target, journal: openJournal(join(world.folder, 'destroy', world.target.kind.toLowerCase()), plan), limit, emit: (event) => render.emit(event), unprotect: options.unprotect ?? false, keyDays: 30, skip: new Set() });
  out.data({ ...answer, deleted: result.deleted.map(({ key }) => key), failures: result.failures.map(({ item, error }) => ({ key: item.key, code: error.code, message: error.message })) });
  for (const { error } of result.failures) printError(error, { ...out, json: false });
  return result.failures.length > 0 || result.left.length > 0 ? FAILED : 0;
}
