import type { Command } from 'commander';
import { FlotillaError } from '../shared/errors.js';
import { decideGate } from '../ops/approve.js';
import { explain } from '../ops/explain/explain.js';
import { executionNamed, hold, release, resume, retry, stop } from '../ops/executions.js';
import { followExecution, type FollowResult, type PipelineRef } from '../ops/follow.js';
import { executionLogs } from '../ops/logs.js';
import { history } from '../ops/history.js';
import { age } from './age.js';
import { confirmed } from './confirm.js';
import { pipelinesOf, type FleetOptions } from './fleet.js';
import { paragraph } from './table.js';
import { inWorld, operatorCommand, type World } from './world.js';

interface ExecutionOptions extends FleetOptions {
  readonly follow?: boolean;
  readonly wait?: boolean;
  readonly execution?: string;
  readonly abandon?: boolean;
  readonly reason?: string;
  readonly commit?: string;
  readonly source?: readonly string[];
  readonly dryRun?: boolean;
}

/** Exit codes (docs/exit-codes.md). */
const FAILED = 4;
const WAITING = 10;

/** Commands over one execution of a pipeline: logs, retry, stop, hold, resume, release. */
export function addExecutionCommands(program: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  const command = (name: string, description: string): Command => operatorCommand(program, name, description).option('--pipeline <name>', 'the pipeline; not needed when there is only one', collect);
  command('logs', 'what the builds of an execution printed, and what CloudFormation says of stacks that failed')
    .argument('[action]', 'of this action or stage only')
    .option('--execution <id>', 'execution or commit (default: the newest)')
    .option('-f, --follow', 'go on until the execution ends')
    .action(inWorld<ExecutionOptions>((world, options, [action]) => logsCommand(world, options, action as string | undefined)));
  command('retry', 'retry the stage that failed')
    .argument('[stage]')
    .option('--wait', 'follow it to its end')
    .option('--dry-run', 'say what would be retried')
    .action(inWorld<ExecutionOptions>((world, options, [stage]) => retryCommand(world, options, stage as string | undefined)));
  command('stop', 'stop an execution when its running actions have ended')
    .option('--execution <id>', 'execution or commit (default: the newest)')
    .option('--abandon', 'at once, without waiting for them')
    .option('--reason <text>', 'said with it', 'stopped by flotilla')
    .option('--dry-run', 'say which would be stopped')
    .action(inWorld<ExecutionOptions>(stopCommand));
  command('hold', 'keep everything from entering a stage')
    .argument('<stage>')
    .requiredOption('--reason <text>', 'for whoever asks why')
    .option('--dry-run', 'say what would be held')
    .action(inWorld<ExecutionOptions>((world, options, [stage]) => transition(world, options, String(stage), true)));
  command('resume', 'let executions into a stage again')
    .argument('<stage>')
    .option('--dry-run', 'say what would be let in')
    .action(inWorld<ExecutionOptions>((world, options, [stage]) => transition(world, options, String(stage), false)));
  command('release', 'release a change: run the pipeline again with the newest of its sources')
    .option('--commit <sha>', 'with this commit instead, of the source whose repository has it')
    .option('--source <action=revision>', 'with this revision of a source: a commit, a version of an S3 object, a digest of an image; repeatable', collect)
    .option('--wait', 'follow it to its end')
    .option('--dry-run', 'say what would be released')
    .action(inWorld<ExecutionOptions>(releaseCommand));
}

/** The one pipeline that is meant. Raises EXE005 when there are several. */
async function thePipeline(world: World, options: FleetOptions): Promise<PipelineRef> {
  const pipelines = await pipelinesOf(world, options);
  if (pipelines.length === 1) return pipelines[0]!;
  throw new FlotillaError('EXE005', pipelines.length === 0 ? `there is no pipeline${options.pipeline ? ` '${options.pipeline.join(', ')}'` : ''}` : `there are ${pipelines.length} pipelines`, { ...(pipelines.length > 0 ? { fix: `--pipeline ${pipelines.map(({ name }) => name).join(' or ')}` } : { why: world.local ? 'the local cloud has none' : `${world.identity?.account}/${world.region} has none`, fix: '--region where the pipelines are' }), exitCode: pipelines.length === 0 ? 6 : 2 });
}

async function logsCommand(world: World, options: ExecutionOptions, action: string | undefined): Promise<number> {
  const { out, target } = world;
  const pipeline = await thePipeline(world, options);
  const execution = await executionNamed(target, pipeline, options.execution);
  const lines: { source: string; line: string }[] = [];
  const failures = await executionLogs(target, pipeline, execution.pipelineExecutionId!, {
    wanted: (stage, name) => action === undefined || stage === action || name === action || `${stage}/${name}` === action,
    follow: options.follow ?? false,
    note: (text) => out.message(`${out.style('yellow', '▲')} ${text}`),
    line: (source, line) => {
      lines.push({ source, line });
      out.print(`${out.style('dim', `${source} │`)} ${line}`);
    },
  });
  for (const { stage, action: name, message } of failures) {
    out.message(paragraph(`${out.style('red', '✖')} ${stage}/${name}: ${message}`, out.messageColumns));
    const known = explain(message, { pipeline: pipeline.name, stage, local: world.local !== undefined });
    if (known) out.message(`  ${out.style('dim', 'why')}  ${paragraph(known.why, out.messageColumns, 7)}\n  ${out.style('dim', 'fix')}  ${known.fix}`);
  }
  out.data({ ...world.stamp, pipeline, execution: execution.pipelineExecutionId, lines, failures: failures.map((failure) => ({ ...failure, ...explain(failure.message, { pipeline: pipeline.name, stage: failure.stage, local: world.local !== undefined }) })) });
  if (lines.length === 0 && failures.length === 0) out.message('nothing was printed yet');
  return 0;
}

async function retryCommand(world: World, options: ExecutionOptions, stage: string | undefined): Promise<number> {
  const pipeline = await thePipeline(world, options);
  const retried = await retry(world.target, pipeline, stage, options.dryRun ?? false);
  world.out.print(`${options.dryRun ? 'would retry' : 'retries'} ${pipeline.name} ${retried.stage} (${retried.mode === 'ALL_ACTIONS' ? 'all actions' : 'failed actions'}): ${retried.why}`);
  const ended = options.wait && !options.dryRun ? await followed(world, pipeline, retried.execution) : undefined;
  world.out.data({ ...world.stamp, pipeline, dryRun: options.dryRun ?? false, ...retried, ...(ended ? { status: ended.status } : {}) });
  return exitCode(ended);
}

async function stopCommand(world: World, options: ExecutionOptions): Promise<number> {
  const { out, target } = world;
  const [dryRun, abandon] = [options.dryRun ?? false, options.abandon ?? false];
  const pipeline = await thePipeline(world, options);
  const execution = await executionNamed(target, pipeline, options.execution);
  const named = `${pipeline.name} ${execution.pipelineExecutionId?.slice(0, 8)}`;
  const request = { abandon, reason: options.reason ?? '', dryRun };
  // Whether it can be stopped at all is found out before anybody is asked.
  await stop(target, pipeline, execution, { ...request, dryRun: true });
  if (!dryRun && !(await confirmed(options, `Stop the execution ${execution.pipelineExecutionId?.slice(0, 8)} of ${pipeline.name}${abandon ? ' at once' : ''}?`))) return 0;
  if (!dryRun) await stop(target, pipeline, execution, request);
  out.data({ ...world.stamp, pipeline, dryRun, execution: execution.pipelineExecutionId, abandoned: abandon });
  out.print(`${dryRun ? 'would stop' : 'stops'} ${named}${abandon ? ' at once' : ' when its running actions have ended'}`);
  return 0;
}

async function transition(world: World, options: ExecutionOptions, stage: string, held: boolean): Promise<number> {
  const { out, target } = world;
  const dryRun = options.dryRun ?? false;
  const pipeline = await thePipeline(world, options);
  const before = held ? await hold(target, pipeline, stage, options.reason ?? '', dryRun) : await resume(target, pipeline, stage, dryRun);
  out.data({ ...world.stamp, pipeline, dryRun, stage, held, ...(held ? { reason: options.reason } : {}), ...(before ? { before } : {}) });
  const was = before ? `held${before.at ? ` ${age(before.at)}` : ''} by ${before.by.split('/').at(-1)}: ${before.reason}` : undefined;
  if (held) out.print(`${stage} of ${pipeline.name} ${dryRun ? 'would be' : 'is'} held: ${options.reason}${was ? ` (before, ${was})` : ''}`);
  else out.print(before ? `${stage} of ${pipeline.name} ${dryRun ? 'would be' : 'is'} open again (${was})` : `${stage} of ${pipeline.name} was not held`);
  return 0;
}

async function releaseCommand(world: World, options: ExecutionOptions): Promise<number> {
  const { out } = world;
  const dryRun = options.dryRun ?? false;
  const pipeline = await thePipeline(world, options);
  const { execution, revisions, newest } = await release(world.target, pipeline, { commit: options.commit, sources: options.source }, history(process.cwd()), dryRun);
  const taken = [...revisions.map(({ actionName, revisionValue = '' }) => `${actionName} ${/^[0-9a-f]{40}$/.test(revisionValue) ? revisionValue.slice(0, 7) : revisionValue}`), ...newest.map((action) => `${action} at its newest`)].join(', ');
  out.print(execution === undefined ? `would release ${pipeline.name}: ${taken}` : `released ${pipeline.name}: ${taken}; execution ${execution}`);
  const ended = options.wait && execution !== undefined ? await followed(world, pipeline, execution) : undefined;
  out.data({ ...world.stamp, pipeline, dryRun, ...(execution === undefined ? {} : { execution }), sources: [...revisions.map(({ actionName, revisionType, revisionValue }) => ({ action: actionName, type: revisionType, revision: revisionValue })), ...newest.map((action) => ({ action }))], ...(ended ? { status: ended.status } : {}) });
  return exitCode(ended);
}

function followed(world: World, pipeline: PipelineRef, execution: string): Promise<FollowResult> {
  return followExecution({ target: world.target, pipeline, execution, gate: () => Promise.resolve('leave'), decide: (gate, decision) => decideGate(world.target, pipeline, gate, decision, ''), emit: (event) => world.render.emit(event), logs: true });
}

function exitCode(ended: FollowResult | undefined): number {
  if (!ended || ended.status === 'Succeeded') return 0;
  return ended.waiting.length > 0 || ended.held ? WAITING : FAILED;
}
