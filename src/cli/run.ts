import { isCancel, select } from '@clack/prompts';
import type { Command } from 'commander';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FlotillaError } from '../shared/errors.js';
import { decideGate } from '../ops/approve.js';
import type { Gate, PipelineRef } from '../ops/follow.js';
import { explain } from '../ops/explain/explain.js';
import { deployedApis } from '../ops/outputs.js';
import { run, type RunResult } from '../ops/run/run.js';
import { where } from '../ops/where.js';
import { control, type CloudConnection } from './cloud/connection.js';
import { localWorld } from './cloud/local.js';
import { addAppOptions, contextOf, fleetFileOfApp, type AppOptions } from './fleet-file.js';
import { localPipelines } from './pipelines.js';
import { prepareRehearsal, printBases, type Rehearsal } from './rehearsal.js';
import { clock } from './render/plain.js';
import { progressOf, renderer } from './render/render.js';
import { summaryText } from './summary.js';
import { paragraph, wrapped } from './table.js';
import { terminal, type GlobalOptions, type Terminal } from './terminal.js';
import { printWhere } from './where.js';

interface RunCommandOptions extends GlobalOptions, AppOptions {
  readonly dir?: string;
  readonly ref: string;
  readonly dirty: boolean;
  readonly again: boolean;
  readonly approve: string[];
  readonly reject: string[];
  readonly progress: string;
  readonly logs: boolean;
  readonly summary?: string;
  readonly isolation: string;
  readonly accounts?: string;
}

/** Exit codes (docs/exit-codes.md). */
const FAILED = 4;
const WAITING = 10;
const REJECTED = 11;

export function addRunCommand(program: Command): void {
  const collect = (value: string, before: string[]): string[] => [...before, value];
  addAppOptions(program.command('run'))
    .description('take a commit of a CDK Pipelines app through its pipeline on the local cloud')
    .argument('[dir]', 'folder of the app (cdk.json)', '.')
    .option('--dir <folder>', 'folder of the state (default: the nearest .flotilla)')
    .option('--ref <ref>', 'branch, tag or commit to take', 'HEAD')
    .option('--dirty', 'take the working tree as it is', false)
    .option('--again', 'run the pipeline again where the commit already went through', false)
    .option('--approve <name>', 'approve the gate of this name, or all; repeatable', collect, [])
    .option('--reject <name>', 'reject the gate of this name; repeatable', collect, [])
    .option('--progress <form>', 'auto, live, plain or jsonl', 'auto')
    .option('--logs', 'print the lines of builds and of the CDK CLI', false)
    .option('--isolation <mode>', 'how build commands are kept apart: auto, bwrap or process', 'auto')
    .option('--accounts <file>', 'start from accounts as flotilla doctor --save recorded them, on a local cloud of its own')
    .option('--summary <form>', 'write a summary to stdout at the end: markdown or junit')
    .action(async (directory: string, _options: unknown, command: Command) => {
      process.exitCode = await runCommand(directory, command.optsWithGlobals<RunCommandOptions>());
    });
}

async function runCommand(given: string, options: RunCommandOptions): Promise<number> {
  const out = terminal(options);
  const directory = resolve(given);
  const context = contextOf(options);
  fleetFileOfApp(directory, options);
  const state = options.dir === undefined ? join(directory, '.flotilla') : resolve(options.dir);
  const rehearsal = options.accounts === undefined ? undefined : await prepareRehearsal(options.accounts, state, directory);
  const folder = rehearsal?.folder ?? state;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  ignoreFolder(state);
  process.env['FLOTILLA_ISOLATION'] = options.isolation;
  out.message(`${out.style('bold', 'LOCAL')} · ${directory}`);
  const started = Date.now();
  const world = await localWorld(folder);
  const render = renderer(progressOf(options.progress), out, { logs: options.logs, target: 'LOCAL' });
  const abort = new AbortController();
  const interrupted = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort();
    out.message(paragraph('stopping; what stands stays: run again to go on (Ctrl-C once more kills)', out.messageColumns));
  };
  process.on('SIGINT', interrupted);
  try {
    const result = await run({
      directory,
      folder,
      ref: options.ref,
      dirty: options.dirty,
      again: options.again,
      overlays: options.overlay ?? [],
      context,
      target: world.target,
      cloud: world.cloud,
      emit: (event) => render.emit(event),
      logs: true,
      gate: (gate) => decisionFor(gate, options, out, interrupted),
      decide: (pipeline, gate, decision) => decideGate(world.target, pipeline, gate, decision, `by flotilla run${decision === 'approve' ? '' : ' --reject'}`),
      signal: abort.signal,
      ...(rehearsal ? { accounts: rehearsal.accounts(world, (event) => render.emit(event)) } : {}),
    });
    render.close();
    return await conclude(result, render.failures(), { out, options, folder, started, world, rehearsal });
  } catch (error) {
    if (abort.signal.aborted) return 130;
    throw error;
  } finally {
    if (rehearsal) printBases(rehearsal.bases, out);
    render.close();
    process.off('SIGINT', interrupted);
  }
}

/** The state folder never gets into the user's commits. */
function ignoreFolder(folder: string): void {
  const file = join(folder, '.gitignore');
  try {
    readFileSync(file);
  } catch {
    writeFileSync(file, '*\n');
  }
}

async function decisionFor(gate: Gate, options: RunCommandOptions, out: Terminal, interrupted: () => void): Promise<'approve' | 'reject' | 'leave'> {
  const named = (names: readonly string[]): boolean => names.some((name) => name === 'all' || name === gate.action || name === gate.stage || name === `${gate.stage}/${gate.action}`);
  if (named(options.reject)) return 'reject';
  if (named(options.approve)) return 'approve';
  if (!process.stdin.isTTY || !process.stderr.isTTY || options.progress === 'jsonl') return 'leave';
  const answer = await out.alone(() => select({
    output: process.stderr,
    message: `${gate.stage}/${gate.action}${gate.message ? ` — ${gate.message}` : ''}`,
    options: [
      { value: 'approve', label: 'approve' },
      { value: 'reject', label: 'reject' },
      { value: 'leave', label: 'leave it waiting' },
    ],
  }));
  if (!isCancel(answer)) return answer as 'approve' | 'reject' | 'leave';
  // Ctrl-C at a question is no answer to it: the terminal is the question's then, and gives no signal.
  interrupted();
  throw new FlotillaError('CLI016', 'interrupted: the gate waits on', { exitCode: 130 });
}

interface Conclusion {
  readonly out: Terminal;
  readonly options: RunCommandOptions;
  readonly folder: string;
  readonly started: number;
  readonly world: Awaited<ReturnType<typeof localWorld>>;
  readonly rehearsal: Rehearsal | undefined;
}

async function conclude(result: RunResult, log: readonly string[], { out, options, started, world, rehearsal }: Conclusion): Promise<number> {
  const failures = result.pipelines.flatMap((pipeline) => pipeline.failures.map((failure) => ({ pipeline: pipeline.name, ...failure })));
  if (failures.length > 0) {
    for (const failure of failures) {
      out.message(`\n${paragraph(`${out.style('red', '✖')} ${failure.stage}/${failure.action}: ${failure.message}`, out.messageColumns)}`);
      const lines = log.filter((text) => text.startsWith(`${failure.stage}/${failure.action} │`));
      const place = { pipeline: failure.pipeline, stage: failure.stage, local: true };
      const known = explain(failure.message, place) ?? explain(lines.join('\n'), place);
      if (known) out.message(`  ${out.style('dim', 'why')}  ${paragraph(known.why, out.messageColumns, 7)}\n  ${out.style('dim', 'fix')}  ${known.fix}`);
      for (const line of lines.slice(-25)) out.message(`  ${line}`);
    }
  }
  const references: PipelineRef[] = result.pipelines.length > 0 ? [...result.pipelines] : await allPipelines(result, world);
  const reports = await Promise.all(references.map((pipeline) => where(world.target, pipeline)));
  out.data({ target: 'LOCAL', commit: result.commit, pipelines: result.pipelines, where: reports, ...(rehearsal ? { accounts: rehearsal.bases } : {}) });
  if (options.summary !== undefined) process.stdout.write(summaryText(options.summary, result, reports));
  else for (const report of reports) printWhere(report, out);
  const apis = await deployedApis(world.target, reports, world.connection.endpoint);
  for (const api of apis) out.print(`${api.stage} ${api.account}/${api.region} ${api.output}\n  ${api.url}\n  curl ${api.local}`);
  for (const [what, text] of await fidelity(world.connection, rehearsal !== undefined)) out.message(out.style('dim', wrapped(text, out.messageColumns - 14).map((line, index) => (index === 0 ? what : '').padEnd(14) + line).join('\n')));
  out.message(out.style('dim', `${clock(Date.now() - started)} in all`));
  const waiting = result.pipelines.flatMap((pipeline) => pipeline.waiting.map((gate) => ({ pipeline, gate })));
  if (waiting.length > 0) {
    out.message(`${out.style('yellow', '⏸')} ${waiting.map(({ gate }) => `${gate.stage}/${gate.action}`).join(', ')} waits; the cloud keeps running. Next:\n  flotilla --local approve ${waiting[0]!.gate.action}${rehearsal ? ` --dir ${rehearsal.folder}` : ''}`);
    return WAITING;
  }
  const held = result.pipelines.find((pipeline) => pipeline.held !== undefined);
  if (held) {
    out.message(`${out.style('yellow', '‖')} ${held.held!.stage} is held: ${held.held!.reason}; the cloud keeps running. Next:\n  flotilla --local resume ${held.held!.stage}${result.pipelines.length > 1 ? ` --pipeline ${held.name}` : ''}`);
    return WAITING;
  }
  if (failures.some(({ message }) => /^Approval was rejected/.test(message))) return REJECTED;
  return result.pipelines.every(({ status }) => status === 'Succeeded') ? 0 : FAILED;
}

interface Report {
  readonly resources: number;
  readonly modelled: Readonly<Record<string, number>>;
  readonly isolation: string;
  readonly meaning: string;
}

/** What was enforced, what was only modelled and what nobody checked, in three lines. */
async function fidelity(connection: CloudConnection, rehearsed: boolean): Promise<[what: string, text: string][]> {
  const report = await control<Report>(connection, 'report');
  const modelled = Object.entries(report.modelled).sort(([, a], [, b]) => b - a);
  const count = modelled.reduce((sum, [, number]) => sum + number, 0);
  const shown = modelled.slice(0, 6).map(([type, number]) => `${type}${number > 1 ? ` ×${number}` : ''}`);
  return [
    ['enforced', `IAM of every call, trust between accounts, CloudFormation (${report.resources - count} resources really exist), KMS, artifacts, build commands`],
    ['modelled only', `${count === 0 ? 'nothing' : `${count} resources: ${shown.join(', ')}${modelled.length > 6 ? ` and ${modelled.length - 6} more types` : ''}`}`],
    ['not checked', `${rehearsed ? 'what is assumed of your accounts' : 'quotas of your accounts, their own service control policies'}, real DNS and TLS · isolation ${report.meaning}`],
  ];
}

async function allPipelines(result: RunResult, world: Conclusion['world']): Promise<PipelineRef[]> {
  const accounts = new Set(result.assembly.pipelines.map(({ account, region }) => `${account}/${region}`));
  return (await localPipelines(world)).filter(({ account, region }) => accounts.has(`${account}/${region}`));
}
