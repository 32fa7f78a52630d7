import type { Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import { decideGate, waitingGates } from '../ops/approve.js';
import { where, type WhereReport, type WhereRow } from '../ops/where.js';
import { flotillaFolder } from './cloud/connection.js';
import { localWorld } from './cloud/local.js';
import { localPipelines } from './pipelines.js';
import { terminal, type GlobalOptions, type Terminal } from './terminal.js';

interface OperatorOptions extends GlobalOptions {
  readonly local?: boolean;
  readonly dir?: string;
  readonly comment?: string;
}

/** Commands over pipelines that run: where, approve, reject. */
export function addOperatorCommands(program: Command): void {
  program
    .command('where')
    .description('which commit is in which account and region')
    .option('--dir <folder>', 'folder of the state (default: the nearest .flotilla)')
    .action(async (_options: unknown, command: Command) => whereCommand(command.optsWithGlobals<OperatorOptions>()));
  for (const decision of ['approve', 'reject'] as const)
    program
      .command(decision)
      .description(`${decision} a gate that waits`)
      .argument('[gate]', 'name of the gate, or of its stage; not needed when only one waits')
      .option('--comment <text>', 'said with the decision', '')
      .option('--dir <folder>', 'folder of the state (default: the nearest .flotilla)')
      .action(async (gate: string | undefined, _options: unknown, command: Command) => decideCommand(gate, decision, command.optsWithGlobals<OperatorOptions>()));
}

/** These commands act on the local cloud so far; on AWS they say so instead of doing nothing. */
function requireLocal(options: OperatorOptions): void {
  if (options.local || process.env['FLOTILLA_LOCAL'] === '1') return;
  throw new FlotillaError('OPS001', 'without --local this command would act on AWS, which this version does not do', { fix: 'add --local, or set FLOTILLA_LOCAL=1', exitCode: 2 });
}

async function whereCommand(options: OperatorOptions): Promise<void> {
  requireLocal(options);
  const out = terminal(options);
  out.message(out.style('bold', 'LOCAL'));
  const world = await localWorld(flotillaFolder(options.dir));
  const reports = await Promise.all((await localPipelines(world)).map((pipeline) => where(world.target, pipeline)));
  out.data({ target: 'LOCAL', pipelines: reports });
  if (reports.length === 0) out.print('there is no pipeline; flotilla run DIR starts one');
  for (const report of reports) printWhere(report, out);
}

async function decideCommand(name: string | undefined, decision: 'approve' | 'reject', options: OperatorOptions): Promise<void> {
  requireLocal(options);
  const out = terminal(options);
  out.message(out.style('bold', 'LOCAL'));
  const world = await localWorld(flotillaFolder(options.dir));
  const waiting = await waitingGates(world.target, await localPipelines(world));
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
  out.data({ target: 'LOCAL', pipeline, gate: { stage: gate.stage, action: gate.action }, decision });
  out.print(`${decision === 'approve' ? 'approved' : 'rejected'} ${pipeline.name} ${gate.stage}/${gate.action}`);
}

/** The matrix of a pipeline: stage, account and region, commit, state. */
export function printWhere(report: WhereReport, out: Terminal): void {
  const head = report.head?.slice(0, 7);
  out.print(`${out.style('bold', report.pipeline.name)}   head ${head ?? '–'}${report.headSummary ? ` "${report.headSummary}"` : ''}`);
  const width = Math.max(5, ...report.rows.map(({ stage }) => stage.length));
  out.print(out.style('dim', `${'STAGE'.padEnd(width)}  ${'ACCOUNT/REGION'.padEnd(27)}  ${'LIVE'.padEnd(7)}  STATE`));
  for (const row of report.rows) out.print(`${row.stage.padEnd(width)}  ${`${row.account}/${row.region}`.padEnd(27)}  ${(row.live?.slice(0, 7) ?? '–').padEnd(7)}  ${stateText(row, out)}`);
}

function stateText(row: WhereRow, out: Terminal): string {
  switch (row.state) {
    case 'deployed':
      return `${out.style('green', '✓')} deployed ${row.since ? age(row.since) : ''}`;
    case 'deploying':
      return `▶ deploying ${row.detail?.slice(0, 7) ?? ''}`;
    case 'failed':
      return `${out.style('red', '✖')} failed${row.live ? `; ran ${row.live.slice(0, 7)}` : ''}: ${(row.detail ?? '').split('\n')[0]}`;
    case 'waiting':
      return `${out.style('yellow', '⏸')} approval ${row.detail ?? ''}`;
    case 'never':
      return '· not yet';
  }
}

function age(since: Date): string {
  const minutes = Math.floor((Date.now() - since.getTime()) / 60_000);
  return minutes < 1 ? 'now' : minutes < 60 ? `${minutes}m` : minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / 1440)}d`;
}
