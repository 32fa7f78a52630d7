import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { FlotillaError } from '../shared/errors.js';
import { ActionHistory } from '../ops/action-history.js';
import { arrival, type Arrival } from '../ops/arrival.js';
import { withCommits } from '../ops/commits.js';
import { each } from '../ops/concurrency.js';
import { placeOf } from '../ops/fleet/fleet.js';
import { withHeld } from '../ops/held.js';
import { history, withBehind, type History } from '../ops/history.js';
import { where, type WhereReport, type WhereRow } from '../ops/where.js';
import { age, remaining } from './age.js';
import { pipelinesOf, type FleetOptions } from './fleet.js';
import { hanging, tableLines } from './table.js';
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
  const histories = new Map<string, ActionHistory>();
  const deadline = Date.now() + minutes(options.timeout) * 60_000;
  let last = '';
  for (;;) {
    const reports = await look(world, options, commits, histories);
    if (options.wait && reports.length === 0) throw new FlotillaError('WHR002', 'there is no pipeline to wait for', { fix: world.local ? 'flotilla run DIR starts one' : '--region where the pipelines are', exitCode: 6 });
    const commit = named === undefined ? undefined : await resolve(named, reports, commits);
    const state = await arrival(reports, commit, commits);
    const code = state.end === undefined ? undefined : CODES[state.end];
    const settled = code !== undefined;
    const now = JSON.stringify(reports.map(({ rows }) => rows.map(({ live, state: rowState, detail, held }) => [live, rowState, detail, held?.state])));
    const over = !options.watch && (!options.wait || settled || Date.now() > deadline);
    if (now !== last || over) {
      last = now;
      if (over || options.watch) out.data({ ...world.stamp, pipelines: reports, ...(state.commit === undefined ? {} : { commit: { commit: state.commit, stages: state.stages, gate: state.gate, ...(code === undefined ? {} : { code }) } }) });
      if (!out.json) printReports(world, reports, state, out);
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

async function look(world: World, options: WhereOptions, commits: History, histories: Map<string, ActionHistory>): Promise<WhereReport[]> {
  const pipelines = await pipelinesOf(world, options);
  const reports = await each(world.limit, pipelines, async (pipeline) => {
    const key = `${placeOf(pipeline)}/${pipeline.name}`;
    const actions = histories.get(key) ?? new ActionHistory();
    histories.set(key, actions);
    return withCommits(world.target, await withBehind(await where(world.target, pipeline, actions), commits), commits);
  });
  return options.check === false ? reports : withHeld(world.target, reports, world.limit);
}

async function resolve(named: string, reports: readonly WhereReport[], commits: History): Promise<string> {
  const known = reports.flatMap(({ head, rows }) => [head, ...rows.map(({ live }) => live), ...rows.map(({ gate }) => gate?.commit)]).find((id) => id?.startsWith(named));
  const found = known ?? (await commits.resolve(named));
  if (found) return found;
  throw new FlotillaError('WHR001', `no commit '${named}' is known`, { why: 'neither the pipelines nor the repository of this folder have it', exitCode: 6 });
}

function printReports(world: World, reports: readonly WhereReport[], state: Arrival, out: Terminal): void {
  if (reports.length === 0) return out.print('there is no pipeline; flotilla run DIR starts one');
  const command = `flotilla ${world.local ? '--local ' : ''}`;
  for (const report of reports) {
    printWhere(report, out);
    const pipeline = reports.length > 1 ? ` --pipeline ${report.pipeline.name}` : '';
    for (const stage of new Set(report.rows.filter((row) => row.state === 'failed').map((row) => row.stage))) out.print(hanging(`${out.style('red', '✖')} ${stage} failed:`, `${command}logs ${stage}${pipeline} says why, ${command}retry ${stage}${pipeline} runs it again`, out.columns));
    for (const { stage, reason, by, at } of report.heldStages) out.print(hanging(`${out.style('yellow', '‖')} ${stage} is held:`, `${reason} (${by.split('/').at(-1)}${at ? `, ${age(at)}` : ''}) → ${command}resume ${stage}${pipeline}`, out.columns));
  }
  if (state.commit === undefined) return;
  const counts = state.stages.map(({ pipeline, stage, there, of }) => `${reports.length > 1 ? `${pipeline} ` : ''}${stage} ${there}/${of}`).join(', ');
  out.print(hanging(`commit ${state.commit.slice(0, 7)}:`, `${counts || 'no target'}${state.gate ? ` → ${command}approve ${state.gate}` : ''}`, out.columns));
}

/** The matrix of a pipeline: stage, account and region, commit, how far behind, state. */
export function printWhere(report: WhereReport, out: Terminal): void {
  out.print(hanging(`${out.style('bold', report.pipeline.name)}   head ${report.head?.slice(0, 7) ?? '–'}`, [report.headSummary ? `"${report.headSummary}"` : '', underWay(report)].filter(Boolean).join('  '), out.columns));
  if (report.rows.length === 0) return out.print('  deploys nowhere yet');
  const counted = report.rows.some(({ behind }) => behind !== undefined);
  const rows = report.rows.map((row) => [row.stage, `${row.account}/${row.region}`, row.live?.slice(0, 7) ?? (row.unreadBefore ? '?' : '–'), ...(counted ? [row.behind ? String(row.behind) : '–'] : []), `${stateText(row, report, out)}${unreadText(row, out)}${heldText(row, out)}`]);
  for (const line of tableLines(['STAGE', 'ACCOUNT/REGION', 'LIVE', ...(counted ? ['BEHIND'] : []), 'STATE'], rows, out.columns, (text) => out.style('dim', text))) out.print(line);
  for (const { id, author, subject, at } of report.commits ?? []) out.print(hanging(`  ${id.slice(0, 7)}`, `"${subject}" by ${author}${at ? out.style('dim', `, ${age(new Date(at))}`) : ''}`, out.columns));
}

/** Where the newest execution is, or how it ended before it was everywhere. */
function underWay({ latest, head, rows, heldStages }: WhereReport): string {
  if (!latest || latest.status === 'Succeeded') return '';
  const gate = rows.find((row) => row.gate?.execution === latest.execution)?.gate;
  if (gate) return `waits at ${gate.action}`;
  if (heldStages.some(({ stage }) => stage === latest.stage) && latest.status === 'InProgress') return `waits before ${latest.stage}`;
  const place = latest.stage === undefined ? '' : latest.status === 'InProgress' || latest.status === 'Stopping' ? ` in ${latest.stage}` : ` at ${latest.stage}`;
  return `${latest.commit === undefined ? 'an execution without a commit' : latest.commit === head ? '' : latest.commit.slice(0, 7)} ${STATUS[latest.status] ?? latest.status}${place}`.trim();
}

/** Statuses of executions (CodePipeline API reference, PipelineExecution) in words. */
const STATUS: Readonly<Record<string, string>> = { InProgress: 'is under way', Stopping: 'is stopping', Stopped: 'was stopped', Failed: 'failed', Superseded: 'was superseded', Cancelled: 'was cancelled' };

function stateText(row: WhereRow, report: WhereReport, out: Terminal): string {
  switch (row.state) {
    case 'deployed':
      return `${out.style('green', '✓')} deployed${row.since ? ` ${age(row.since)}` : ''}`;
    case 'deploying':
      return `▶ deploying ${row.detail?.slice(0, 7) ?? ''}`;
    case 'failed':
      return `${out.style('red', '✖')} failed${row.live ? `; ran ${row.live.slice(0, 7)}` : ''}: ${(row.detail ?? '').split('\n')[0]}`;
    case 'waiting':
      return `${out.style('yellow', '⏸')} approval ${row.detail ?? ''}${row.gate?.since ? ` ${age(row.gate.since)}` : ''}${row.gate?.expires ? `, expires ${remaining(row.gate.expires)}` : ''}`;
    case 'never':
      return row.unreadBefore ? '· not since' : `· not yet${report.latest?.status === 'InProgress' && report.latest.stage !== undefined ? `; ${report.latest.commit?.slice(0, 7) ?? 'an execution'} is in ${report.latest.stage}` : ''}`;
  }
}

/** That an older deployment may stand there, where the history was too long to look for it. */
function unreadText({ unreadBefore }: WhereRow, out: Terminal): string {
  return unreadBefore === undefined ? '' : out.style('dim', `; what ran before ${unreadBefore.toISOString().slice(0, 10)} was not read`);
}

function heldText({ held, state }: WhereRow, out: Terminal): string {
  // That the stack of a deployment that failed is in a failed state goes without saying.
  if (!held || held.state === 'as deployed' || held.state === 'nothing' || (state === 'failed' && held.state === 'failed')) return '';
  return held.state === 'unknown' ? out.style('dim', ' (the account could not be read)') : `  ${out.style('red', '▲')} ${held.detail ?? held.state}`;
}
