import type { Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import { decideGate, waitingGates } from '../ops/approve.js';
import { pipelinesOf, type FleetOptions } from './fleet.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface DecisionOptions extends FleetOptions {
  readonly comment?: string;
}

export function addApproveCommands(program: Command): void {
  for (const decision of ['approve', 'reject'] as const)
    operatorCommand(program, decision, `${decision} a gate that waits`)
      .argument('[gate]', 'name of the gate, or of its stage; not needed when only one waits')
      .option('--comment <text>', 'said with the decision', '')
      .action(inWorld<DecisionOptions>((world, options, [gate]) => decide(world, options, gate as string | undefined, decision)));
}

async function decide(world: World, options: DecisionOptions, name: string | undefined, decision: 'approve' | 'reject'): Promise<void> {
  const { out } = world;
  const waiting = await waitingGates(world.target, await pipelinesOf(world, options));
  const matching = waiting.filter(({ gate }) => name === undefined || gate.action === name || gate.stage === name || `${gate.stage}/${gate.action}` === name);
  if (matching.length !== 1) {
    throw new FlotillaError('GAT001', matching.length === 0 ? `no gate${name ? ` '${name}'` : ''} waits` : `${matching.length} gates wait`, {
      why: waiting.length === 0 ? 'nothing waits for an approval' : `these wait: ${waiting.map(({ pipeline, gate }) => `${pipeline.name} ${gate.stage}/${gate.action}`).join(', ')}`,
      fix: waiting.length === 0 ? 'flotilla --local where shows where things are' : `flotilla --local ${decision} ${waiting[0]!.gate.stage}/${waiting[0]!.gate.action}`,
      exitCode: 6,
    });
  }
  const { pipeline, gate } = matching[0]!;
  await decideGate(world.target, pipeline, gate, decision, options.comment ?? '');
  out.data({ ...world.stamp, pipeline, gate: { stage: gate.stage, action: gate.action }, decision });
  out.print(`${decision === 'approve' ? 'approved' : 'rejected'} ${pipeline.name} ${gate.stage}/${gate.action}`);
}
