import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { FlotillaError } from '../shared/errors.js';
import { arrival, type Arrival } from '../ops/arrival.js';
import { withCommits } from '../ops/commits.js';
import { each } from '../ops/concurrency.js';
import { withHeld } from '../ops/held.js';
import { heldStages } from '../ops/executions.js';
import { history, withBehind, type History } from '../ops/history.js';
import { where, type WhereReport, type WhereRow } from '../ops/where.js';
import { age, remaining } from './age.js';
import { pipelinesOf, type FleetOptions } from './fleet.js';
import type { Terminal } from './terminal.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface WhereOptions extends FleetOptions {
  readonly check?: boolean;
  readonly watch?: boolean;
  readonly wait?: boolean;
  readonly timeout?: string;
}

/** Exit codes (docs/exit-codes.md). */
const TIMED_OUT = 9;
const CODES = { everywhere: 0, failed: 4, waiting: 10 } as const;

export function addWhereCommand(program: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  operatorCommand(program, 'where', 'which commit is in which account and region')
    .argument('[commit]', 'say of this commit where it is')
    .option('--pipeline <name>', 'of this pipeline only; repeatable', collect)
    .option('--no-check', 'do not ask the accounts what they really hold')
    .option('--watch', 'go on, and tell every change')
    .option('--wait', 'wait until the commit is everywhere, stopped or failed')
    .option('--timeout <minutes>', 'how long to wait', '60')
    .action(inWorld<WhereOptions>((world, options, [commit]) => whereCommand(world, options, commit as string | undefined)));
}

async function whereCommand(world: World, options: WhereOptions, named: string | undefined): Promise<number> {
  const { out } = world;
  const commits = history(process.cwd());
  const deadline = Date.now() + minutes(options.timeout) * 60_000;
  let last = '';
  for (;;) {
    const reports = await look(world, options, commits);
    if (options.wait && reports.length === 0) throw new FlotillaError('WHR002', 'there is no pipeline to wait for', { fix: world.local ? 'flotilla run DIR starts one' : '--region where the pipelines are', exitCode: 6 });
    const commit = named === undefined ? undefined : await resolve(named, reports, commits);
    const state = await arrival(reports, commit, commits);
    const code = state.end === undefined ? undefined : CODES[state.end];
    const settled = code !== undefined;
    const now = JSON.stringify(reports.map(({ rows }) => rows.map(({ live, state: rowState, detail, held }) => [live, rowState, detail, held?.state])));
    const over = !options.watch && (!options.wait || settled || Date.now() > deadline);
    if (now !== last || over) {
      last = now;
      if (over) out.data({ ...world.stamp, pipelines: reports, ...(state.commit === undefined ? {} : { commit: { commit: state.commit, stages: state.stages, gate: state.gate, ...(code === undefined ? {} : { code }) } }) });
      if (!out.json) await printReports(world, reports, state, out);
    }
    if (over) return options.wait ? (code ?? TIMED_OUT) : 0;
    await delay(world.local ? 500 : 10_000);
  }
}

function minutes(text: string | undefined): number {
  const value = Number(text);
  if (!(value > 0)) throw new FlotillaError('CLI013', `--timeout '${text}' is no number of minutes`, { exitCode: 2 });
  return value;
}

async function look(world: World, options: WhereOptions, commits: History): Promise<WhereReport[]> {
  const pipelines = await pipelinesOf(world, options);
  const reports = await each(world.limit, pipelines, async (pipeline) => withCommits(world.target, await withBehind(await where(world.target, pipeline), commits), commits));
  return options.check === false ? reports : withHeld(world.target, reports, world.limit);
}

async function resolve(named: string, reports: readonly WhereReport[], commits: History): Promise<string> {
  const known = reports.flatMap(({ head, rows }) => [head, ...rows.map(({ live }) => live), ...rows.map(({ gate }) => gate?.commit)]).find((id) => id?.startsWith(named));
  const found = known ?? (await commits.resolve(named));
  if (found) return found;
  throw new FlotillaError('WHR001', `no commit '${named}' is known`, { why: 'neither the pipelines nor the repository of this folder have it', exitCode: 6 });
}

async function printReports(world: World, reports: readonly WhereReport[], state: Arrival, out: Terminal): Promise<void> {
  if (reports.length === 0) return out.print('there is no pipeline; flotilla run DIR starts one');
  for (const report of reports) {
    printWhere(report, out);
    for (const held of await heldStages(world.target, report.pipeline)) out.print(`${out.style('yellow', '‖')} ${held.stage} is held: ${held.reason} (${held.by.split('/').at(-1)}${held.at ? `, ${age(held.at)}` : ''}) → flotilla ${world.local ? '--local ' : ''}resume ${held.stage}`);
  }
  if (state.commit !== undefined) out.print(`commit ${state.commit.slice(0, 7)}: ${state.stages.map(({ stage, there, of }) => `${stage} ${there}/${of}`).join(', ')}${state.gate ? ` → flotilla ${world.local ? '--local ' : ''}approve ${state.gate}` : ''}`);
}

/** The matrix of a pipeline: stage, account and region, commit, how far behind, state. */
export function printWhere(report: WhereReport, out: Terminal): void {
  const head = report.head?.slice(0, 7);
  out.print(`${out.style('bold', report.pipeline.name)}   head ${head ?? '–'}${report.headSummary ? ` "${report.headSummary}"` : ''}`);
  const width = Math.max(5, ...report.rows.map(({ stage }) => stage.length));
  const counted = report.rows.some(({ behind }) => behind !== undefined);
  out.print(out.style('dim', `${'STAGE'.padEnd(width)}  ${'ACCOUNT/REGION'.padEnd(27)}  ${'LIVE'.padEnd(7)}  ${counted ? 'BEHIND  ' : ''}STATE`));
  for (const row of report.rows) {
    const behind = counted ? `${row.behind === undefined || row.behind === 0 ? '–' : String(row.behind)}`.padEnd(8) : '';
    out.print(`${row.stage.padEnd(width)}  ${`${row.account}/${row.region}`.padEnd(27)}  ${(row.live?.slice(0, 7) ?? '–').padEnd(7)}  ${behind}${stateText(row, out)}${heldText(row, out)}`);
  }
  for (const { id, author, subject, at } of report.commits ?? []) out.print(`  ${id.slice(0, 7)}  "${subject}" by ${author}${at ? out.style('dim', `, ${age(new Date(at))}`) : ''}`);
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
      return `${out.style('yellow', '⏸')} approval ${row.detail ?? ''}${row.gate?.since ? ` ${age(row.gate.since)}` : ''}${row.gate?.expires ? `, expires ${remaining(row.gate.expires)}` : ''}`;
    case 'never':
      return '· not yet';
  }
}

function heldText({ held }: WhereRow, out: Terminal): string {
  if (!held || held.state === 'as deployed') return '';
  return held.state === 'unknown' ? out.style('dim', ' (the account was not asked)') : `  ${out.style('red', '▲')} ${held.detail ?? held.state}`;
}
