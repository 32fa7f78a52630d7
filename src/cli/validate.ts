import type { Command } from 'commander';
import { printProblem, type Problem } from '../config/index.js';
import { inspectFleet } from '../fleet/load.js';
import type { Fleet } from '../fleet/model.js';
import { fleetFileCommand, fleetFileOf, type FleetFileOptions } from './fleet-file.js';
import { terminal, type GlobalOptions, type Terminal } from './terminal.js';

interface ValidateOptions extends FleetFileOptions, GlobalOptions {}

export function addValidateCommand(program: Command): void {
  fleetFileCommand(program, 'validate', 'check a fleet file: every mistake at once, each with its place and its fix').action((given: string | undefined, _options: unknown, command: Command) => {
    const options = command.optsWithGlobals<ValidateOptions>();
    const out = terminal(options);
    const file = fleetFileOf(given);
    const { fleet, warnings } = inspectFleet(file, { overlays: options.overlay ?? [] });
    printWarnings(warnings, out);
    out.data({ type: 'validation', file, valid: true, warnings, ...countsOf(fleet) });
    out.print(`${out.style('green', '✓')} ${[file, ...(options.overlay ?? [])].join(' + ')}: ${summary(fleet)}`);
  });
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
