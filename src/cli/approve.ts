import type { Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import { decideGate } from '../ops/approve.js';
import { examineCase, waitingCases, type FoundGate, type GateCase } from '../ops/gate.js';
import { history } from '../ops/history.js';
import { age, remaining } from './age.js';
import { changeData, changeLines } from './changes.js';
import { confirmed } from './confirm.js';
import { pipelinesOf, type FleetOptions } from './fleet.js';
import type { Terminal } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface DecisionOptions extends FleetOptions {
  readonly comment?: string;
  readonly commit?: string;
  readonly dryRun?: boolean;
}

export function addApproveCommands(program: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  for (const decision of ['approve', 'reject'] as const)
    operatorCommand(program, decision, `${decision} the commit at a gate that waits`)
      .argument('[gate]', 'name of the gate, or of its stage; not needed when only one waits')
      .option('--pipeline <name>', 'of this pipeline only; repeatable', collect)
      .option('--comment <text>', 'said with the decision', '')
      .option('--commit <sha>', 'only if this commit is the one that waits; with --yes for CI jobs')
      .option('--dry-run', 'show the commit and what would change, and decide nothing')
      .action(inWorld<DecisionOptions>((world, options, [gate]) => decide(world, options, gate as string | undefined, decision)));
}

async function decide(world: World, options: DecisionOptions, name: string | undefined, decision: 'approve' | 'reject'): Promise<void> {
  const { out, target } = world;
  const found = await theGate(world, options, name, decision);
  bound(found, options);
  // On AWS nobody approves what he didn't name: a job has to say which commit it means.
  if (options.yes && options.commit === undefined && !world.local) throw new FlotillaError('GAT004', `--yes needs --commit: which commit is to be ${decision === 'approve' ? 'approved' : 'rejected'}`, { why: 'another one may have come to the gate since the job began', fix: `--yes --commit ${found.gate.commit ?? 'SHA'}`, exitCode: 2 });
  const gate = await examineCase(target, found, history(process.cwd()), world.limit);
  printCase(gate, out);
  const answer = { ...world.stamp, pipeline: gate.pipeline, gate: { stage: gate.stage, action: gate.gate.action, since: gate.gate.since, expires: gate.gate.expires }, commit: gate.commit ?? gate.gate.commit, live: gate.live, behind: gate.behind, changes: gate.changes.map(({ change, ...stack }) => ({ ...stack, ...changeData(change) })), ...(gate.unknown ? { unknown: gate.unknown } : {}) };
  const decided = !options.dryRun && (world.local !== undefined || options.yes === true || (await confirmed(options, `${decision === 'approve' ? 'Approve' : 'Reject'} ${gate.gate.commit?.slice(0, 7) ?? 'it'} at ${gate.stage}/${gate.gate.action}?`)));
  if (decided) await decideGate(target, gate.pipeline, { pipeline: gate.pipeline.name, stage: gate.stage, action: gate.gate.action, token: gate.token }, decision, options.comment ?? '');
  out.data({ ...answer, decision: decided ? decision : null });
  if (decided) out.print(`${decision === 'approve' ? 'approved' : 'rejected'} ${gate.pipeline.name} ${gate.stage}/${gate.gate.action}`);
}

/** The one gate that is meant. Raises GAT001 when there is none, or more than one. */
async function theGate(world: World, options: DecisionOptions, name: string | undefined, decision: string): Promise<FoundGate> {
  const waiting = await waitingCases(world.target, await pipelinesOf(world, options), world.limit);
  const named = waiting.filter(({ stage, gate }) => name === undefined || gate.action === name || stage === name || `${stage}/${gate.action}` === name);
  // Executions side by side stand at one gate each with its commit; of one that was released again the newest is meant.
  const meant = named.filter(({ gate }) => options.commit !== undefined && gate.commit?.startsWith(options.commit));
  const gates = new Map(meant.map((one) => [`${one.pipeline.account}/${one.pipeline.region}/${one.pipeline.name}/${one.stage}/${one.gate.action}`, one]));
  const matching = gates.size === 1 ? [...gates.values()] : named;
  if (matching.length === 1) return matching[0]!;
  const command = `flotilla ${world.local ? '--local ' : ''}`;
  const [example] = [...matching, ...waiting];
  const which = matching.length > 1 && example ? ` --pipeline ${example.pipeline.name}${example.gate.commit ? ` --commit ${example.gate.commit.slice(0, 7)}` : ''}` : '';
  throw new FlotillaError('GAT001', matching.length === 0 ? `no gate${name ? ` '${name}'` : ''} waits` : `${matching.length} gates wait`, {
    why: waiting.length === 0 ? 'nothing waits for an approval' : `these wait: ${waiting.map(({ pipeline, stage, gate }) => `${pipeline.name} ${stage}/${gate.action} with ${gate.commit?.slice(0, 7) ?? 'no commit'}`).join(', ')}`,
    fix: example === undefined ? `${command}where shows where things are` : `${command}${decision} ${example.stage}/${example.gate.action}${which}`,
    exitCode: 6,
  });
}

/** Raises GAT003 when another commit stands at the gate than the one that was meant. */
function bound({ gate, stage, behind }: FoundGate, { commit }: DecisionOptions): void {
  if (commit === undefined || (gate.commit?.startsWith(commit) && commit.length >= 7)) return;
  const waits = behind?.startsWith(commit);
  throw new FlotillaError('GAT003', `${stage}/${gate.action} holds ${gate.commit?.slice(0, 7) ?? 'no commit'}, not ${commit.slice(0, 7)}`, {
    why: commit.length < 7 ? 'a commit is named by seven characters at least' : waits ? 'it waits behind the one that stands there' : 'it was superseded, decided, or has not come that far',
    fix: 'flotilla where shows where it is',
    exitCode: 6,
  });
}

function printCase({ pipeline, stage, gate, commit, live, behind, changes, unknown }: GateCase, out: Terminal): void {
  out.message(`${out.style('bold', `${pipeline.name} ${stage}/${gate.action}`)}${gate.since ? `  waits ${age(gate.since)}` : ''}${gate.expires ? `, expires ${remaining(gate.expires)}` : ''}`);
  out.message(`  ${gate.commit?.slice(0, 7) ?? 'no commit'}${commit ? ` "${commit.subject}" by ${commit.author}, ${commit.at ? age(new Date(commit.at)) : ''}` : ''}${live ? `  (${live.slice(0, 7)} stands there)` : ''}`);
  if (behind !== undefined) out.message(`  ${out.style('yellow', '▲')} the newer commit ${behind.slice(0, 7)} waits behind it`);
  if (unknown !== undefined) out.message(`  ${out.style('yellow', '▲')} what would change is not known: ${unknown}`);
  for (const { account, region, stackName, change } of changes) {
    out.message(`  ${account}/${region} ${stackName}${change ? '' : out.style('dim', '  no change')}`);
    for (const line of change ? changeLines(change, out, out.messageColumns, '    ') : []) out.message(line);
  }
}
