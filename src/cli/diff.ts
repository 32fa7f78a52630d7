import type { Command } from 'commander';
import { fleetChanges, type FleetChange } from '../ops/changes/fleet.js';
import { placeOf } from '../ops/fleet/fleet.js';
import { changeData, changeLines } from './changes.js';
import { addFleetOptions, readFleet, type FleetOptions } from './fleet.js';
import { hanging, wrapped } from './table.js';
import type { Terminal } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface DiffOptions extends FleetOptions {
  readonly stage?: string;
  readonly failOnChanges?: boolean;
  readonly full?: boolean;
}

const CHANGES = 7;

export function addDiffCommand(program: Command): void {
  addFleetOptions(operatorCommand(program, 'diff', 'everything that would change anywhere, the pipeline itself included'))
    .option('--stage <name>', 'of this stage only')
    .option('--full', 'also each resource and property, as cdk diff has it')
    .option('--fail-on-changes', 'exit with 7 when anything would change')
    .action(inWorld<DiffOptions>(diffCommand));
}

async function diffCommand(world: World, options: DiffOptions): Promise<number> {
  const { out } = world;
  const changes = await fleetChanges(world.target, await readFleet(world, options), options.stage, world.limit);
  out.data({ ...world.stamp, stacks: changes.map(({ stack, change, unknown, byHand }) => ({ account: stack.account, region: stack.region, stackName: stack.stackName, stage: stack.stage, kind: stack.kind, ...(unknown ? { unknown } : changeData(change)), byHand })), regionsDiffer: differing(changes).map((group) => group.map(({ stack }) => `${placeOf(stack)} ${stack.stackName}`)) });
  for (const alike of groups(changes)) printGroup(alike, options.full ?? false, out);
  for (const group of differing(changes)) out.print(hanging(`${out.style('yellow', '▲')} regions differ:`, group.map(({ stack, change }) => `${placeOf(stack)} ${change ? `+${change.added} ~${change.changed} -${change.deleted.length}` : 'no change'}`).join(', '), out.columns));
  const changed = changes.filter(({ change }) => change);
  const unknown = changes.filter((change) => change.unknown !== undefined);
  out.print(`${changed.length} of ${changes.length} stacks would change${unknown.length > 0 ? `; ${unknown.length} could not be compared` : ''}`);
  return options.failOnChanges && changed.length + unknown.length > 0 ? CHANGES : 0;
}

/** Stacks that would change alike, once. */
function groups(changes: readonly FleetChange[]): FleetChange[][] {
  const found = new Map<string, FleetChange[]>();
  for (const one of changes) {
    if (!one.change && !one.unknown && one.byHand.length === 0) continue;
    const key = JSON.stringify([one.stack.kind === 'application' ? last(one) : one.stack.path, one.unknown, likeness(one)]);
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return [...found.values()];
}

/** What would change, without the names of where it would. */
function likeness({ stack, change }: FleetChange): string {
  return change ? `${change.isNew} ${change.text.replaceAll(stack.region, 'REGION').replaceAll(stack.account, 'ACCOUNT')}` : '';
}

const last = ({ stack }: FleetChange): string => stack.path.split('/').at(-1) ?? stack.stackName;

/** Copies of a stack in one stage or wave that would not change alike. */
function differing(changes: readonly FleetChange[]): FleetChange[][] {
  const copies = new Map<string, FleetChange[]>();
  for (const one of changes.filter(({ stack }) => stack.kind === 'application')) {
    const wave = (one.stack.stage ?? '').replace(/-[a-z]{2}(-[a-z]+)+-\d$/, '');
    const key = `${one.stack.account}/${wave}/${last(one)}`;
    copies.set(key, [...(copies.get(key) ?? []), one]);
  }
  return [...copies.values()].filter((group) => new Set(group.map(likeness)).size > 1);
}

function printGroup(group: readonly FleetChange[], full: boolean, out: Terminal): void {
  const { change, unknown, byHand } = group[0]!;
  for (const line of wrapped(group.map(({ stack }) => `${placeOf(stack)} ${stack.stackName}`).join(', '), out.columns)) out.print(out.style('bold', line));
  if (unknown) out.print(hanging(`  ${out.style('yellow', '▲')} not known:`, unknown, out.columns));
  for (const line of change ? changeLines(change, out, out.columns) : []) out.print(line);
  for (const text of byHand) out.print(hanging(`  ${out.style('yellow', '▲')} by hand:`, text, out.columns));
  if (full && change) out.print(change.text.replace(/^/gm, '    '));
}
