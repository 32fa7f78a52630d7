import type { Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import { fleetChanges } from '../ops/changes/fleet.js';
import { deployPipelines, pipelineStacks, unbootstrapped } from '../ops/deploy.js';
import { placeOf } from '../ops/fleet/fleet.js';
import { changeData, changeLines } from './changes.js';
import { confirmed } from './confirm.js';
import { addFleetOptions, readFleet, type FleetOptions } from './fleet.js';
import { appFlags } from './fleet-file.js';
import { programEnvironment } from './programs.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface DeployCommandOptions extends FleetOptions {
  readonly dryRun?: boolean;
}

export function addDeployCommand(program: Command): void {
  addFleetOptions(operatorCommand(program, 'deploy', 'deploy the pipelines of an app, the first time or when they can’t change themselves'))
    .option('--dry-run', 'show what would change, and change nothing')
    .action(inWorld<DeployCommandOptions>(deployCommand));
}

async function deployCommand(world: World, options: DeployCommandOptions): Promise<number> {
  const { out, target, limit, render } = world;
  const fleet = await readFleet(world, options);
  const stacks = pipelineStacks(fleet);
  const missing = await unbootstrapped(target, fleet, limit);
  if (missing.length > 0)
    throw new FlotillaError('DPL004', `${missing.length} of ${fleet.pairs.length} accounts and regions are not bootstrapped`, { where: missing.join(', '), why: 'the pipeline could not be made, or could not deploy there', fix: `flotilla ${world.local ? '--local ' : ''}bootstrap ${missing.map((place) => `--pair ${place}`).join(' ')}   (or flotilla bootstrap --app ${options.app ?? '.'}${appFlags(options)})`, exitCode: 4 });
  const changes = await fleetChanges(target, { ...fleet, stacks }, undefined, limit);
  for (const { stack, change, unknown } of changes) {
    out.message(`${placeOf(stack)} ${stack.stackName}${change || unknown ? '' : '  no change'}`);
    for (const line of unknown ? [`  ${unknown}`] : change ? changeLines(change, out, out.messageColumns) : []) out.message(line);
  }
  const shown = changes.map(({ stack, change }) => ({ account: stack.account, region: stack.region, stackName: stack.stackName, ...changeData(change) }));
  const wanted = changes.some(({ change, unknown }) => change || unknown);
  if (options.dryRun || !wanted || !(await confirmed(options, `${stacks.length} pipeline stacks are to be deployed.`))) {
    out.data({ ...world.stamp, fleet: fleet.name, stacks: shown, deployed: false, pipelines: [] });
    return 0;
  }
  const pipelines = await deployPipelines({ target, fleet, limit, emit: (event) => render.emit(event), environment: (account, region) => programEnvironment(world, account, region) });
  out.data({ ...world.stamp, fleet: fleet.name, stacks: shown, deployed: true, pipelines });
  for (const { account, region, name } of pipelines) out.print(`${out.style('green', '✓')} ${account}/${region} ${name}   next: flotilla ${world.local ? '--local ' : ''}where`);
  return 0;
}
