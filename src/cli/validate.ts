import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { printProblem, type Problem } from '../config/index.js';
import { inspectFleet } from '../fleet/load.js';
import type { Fleet } from '../fleet/model.js';
import { synthesizeTwice, type DeterminismReport } from '../ops/determinism.js';
import { FlotillaError } from '../shared/errors.js';
import { addContext, contextOf, fleetFileCommand, fleetFileOf, type AppOptions } from './fleet-file.js';
import { terminal, type GlobalOptions, type Terminal } from './terminal.js';

interface ValidateOptions extends AppOptions, GlobalOptions {
  readonly deep?: boolean;
  readonly app?: string;
}

/** Exit code of changes where none were expected (docs/exit-codes.md). */
const UNEXPECTED = 7;

export function addValidateCommand(program: Command): void {
  addContext(fleetFileCommand(program, 'validate', 'check a fleet file: every mistake at once, each with its place and its fix'))
    .option('--deep', 'also synthesize the app twice: both must give the same templates')
    .option('--app <folder>', 'folder of the CDK app, for --deep: that of the fleet file')
    .action(async (given: string | undefined, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ValidateOptions>();
      const out = terminal(options);
      const file = fleetFileOf(given);
      const { fleet, warnings } = inspectFleet(file, { overlays: options.overlay ?? [] });
      printWarnings(warnings, out);
      out.print(`${out.style('green', '✓')} ${[file, ...(options.overlay ?? [])].join(' + ')}: ${summary(fleet)}`);
      const deep = options.deep ? await synthesizeDeep(resolve(options.app ?? dirname(file)), contextOf(options), out) : undefined;
      out.data({ type: 'validation', file, valid: true, warnings, ...countsOf(fleet), ...(deep === undefined ? {} : { synth: deep }) });
      if (deep?.differences.some(({ pipeline }) => pipeline)) process.exitCode = UNEXPECTED;
    });
}

async function synthesizeDeep(app: string, context: readonly string[], out: Terminal): Promise<DeterminismReport> {
  if (!existsSync(join(app, 'cdk.json'))) throw new FlotillaError('OPS003', `there is no cdk.json in ${app}`, { fix: '--app FOLDER of a CDK app', exitCode: 2 });
  out.message('… synthesizing twice');
  const report = await synthesizeTwice(app, context, () => {});
  const { differences, stacks, pipelines } = report;
  if (differences.length === 0) out.print(`${out.style('green', '✓')} synthesized twice: ${stacks} templates, the same both times${pipelines.length === 0 ? ' (no pipeline among them)' : ''}`);
  for (const { stack, pipeline, path, first, second, why } of differences) {
    out.print(`${pipeline ? out.style('red', '✖') : out.style('yellow', '⚠')} ${stack}${path === '' ? '' : ` ${path}`}\n    ${short(first)}\n    ${short(second)}\n  ${out.style('dim', 'why')}  ${why}`);
  }
  if (differences.some(({ pipeline }) => pipeline)) out.print('a pipeline whose template differs each time updates itself in every execution and starts again');
  return report;
}

function short(value: unknown): string {
  const text = value === undefined ? '(nothing)' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

export function printWarnings(warnings: readonly Problem[], out: Terminal): void {
  for (const warning of warnings) out.message(printProblem(warning).replace(/^✖/, out.style('yellow', '⚠')));
}

function countsOf(fleet: Fleet): { readonly pipelines: number; readonly waves: number; readonly targets: number; readonly accounts: number; readonly regions: number } {
  const waves = fleet.pipelines.flatMap((pipeline) => pipeline.waves);
  const targets = waves.flatMap((wave) => wave.targets);
  return { pipelines: fleet.pipelines.length, waves: waves.length, targets: targets.length, accounts: new Set(targets.map(({ account }) => account)).size, regions: new Set(targets.flatMap(({ regions }) => regions.map(({ region }) => region))).size };
}

function summary(fleet: Fleet): string {
  return Object.entries(countsOf(fleet)).map(([what, count]) => `${count} ${count === 1 ? what.replace(/s$/, '') : what}`).join(' · ');
}
