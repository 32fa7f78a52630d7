import type { Command } from 'commander';
import { DEFAULT_ASSUMPTIONS, type CostAssumptions } from '../fleet/cost.js';
import { inspectFleet } from '../fleet/load.js';
import { planOf, printPlan } from '../fleet/plan.js';
import { fleetAtCommit } from '../ops/fleet/at-commit.js';
import { FlotillaError } from '../shared/errors.js';
import { fleetFileCommand, fleetFileOf, type FleetFileOptions } from './fleet-file.js';
import { terminal, type GlobalOptions } from './terminal.js';
import { printWarnings } from './validate.js';

interface PlanOptions extends FleetFileOptions, GlobalOptions {
  readonly since: string;
  readonly runs?: string;
  readonly buildMinutes?: string;
  readonly deployMinutes?: string;
  readonly stacks?: string;
  readonly artifactMegabytes?: string;
}

export function addPlanCommand(program: Command): void {
  fleetFileCommand(program, 'plan', 'what a fleet file means: waves, gates, bootstraps, quotas, cost, and what changed')
    .option('--since <ref>', 'commit to compare with', 'HEAD')
    .option('--runs <n>', `executions of each pipeline a month (${DEFAULT_ASSUMPTIONS.runs})`)
    .option('--build-minutes <n>', `minutes of a build (${DEFAULT_ASSUMPTIONS.buildMinutes})`)
    .option('--deploy-minutes <n>', `minutes of deploying a stack (${DEFAULT_ASSUMPTIONS.deployMinutes})`)
    .option('--stacks <n>', `stacks of the app in each target (${DEFAULT_ASSUMPTIONS.stacks})`)
    .option('--artifact-megabytes <n>', `artifacts a run leaves in each bucket (${DEFAULT_ASSUMPTIONS.artifactMegabytes})`)
    .action(async (given: string | undefined, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<PlanOptions>();
      const out = terminal(options);
      const file = fleetFileOf(given);
      const { fleet, warnings } = inspectFleet(file, { overlays: options.overlay ?? [] });
      const before = await fleetAtCommit(file, options.overlay ?? [], options.since);
      const plan = planOf(fleet, assumptionsOf(options), 'unknown' in before ? undefined : before);
      printWarnings(warnings, out);
      out.data({ type: 'plan', file, ...plan, warnings });
      out.print(paint(printPlan(plan), out.style));
      if ('unknown' in before) out.message(`\nnot compared with ${options.since}: ${before.unknown}`);
    });
}

function assumptionsOf(options: PlanOptions): CostAssumptions {
  const number = (key: keyof CostAssumptions): number => {
    const given = options[key];
    if (given === undefined) return DEFAULT_ASSUMPTIONS[key];
    const value = Number(given);
    if (!Number.isFinite(value) || value < 0 || given.trim() === '') throw new FlotillaError('CLI011', `'${given}' is no amount`, { fix: `a number of 0 or more, for instance ${DEFAULT_ASSUMPTIONS[key]}`, exitCode: 2 });
    return value;
  };
  return { runs: number('runs'), buildMinutes: number('buildMinutes'), deployMinutes: number('deployMinutes'), stacks: number('stacks'), artifactMegabytes: number('artifactMegabytes') };
}

function paint(text: string, style: ReturnType<typeof terminal>['style']): string {
  return text
    .split('\n')
    .map((line) => (/^\S/.test(line) ? style('bold', line) : line.startsWith('  ! ') ? style('red', line) : line))
    .join('\n');
}
