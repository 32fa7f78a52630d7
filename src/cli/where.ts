import type { Command } from 'commander';
import { where, type WhereReport, type WhereRow } from '../ops/where.js';
import { pipelinesOf, type FleetOptions } from './fleet.js';
import type { Terminal } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

export function addWhereCommand(program: Command): void {
  operatorCommand(program, 'where', 'which commit is in which account and region').action(inWorld(whereCommand));
}

async function whereCommand(world: World, options: FleetOptions): Promise<void> {
  const { out } = world;
  const reports = await Promise.all((await pipelinesOf(world, options)).map((pipeline) => where(world.target, pipeline)));
  out.data({ ...world.stamp, pipelines: reports });
  if (reports.length === 0) out.print('there is no pipeline; flotilla run DIR starts one');
  for (const report of reports) printWhere(report, out);
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
