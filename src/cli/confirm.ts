import { confirm, isCancel, text } from '@clack/prompts';
import { FlotillaError } from '../shared/errors.js';
import { interactive, type WorldOptions } from './world.js';

/** Asks before something is written; `--yes` answers. Raises CLI006 where nobody can be asked, CLI016 where the question is interrupted. */
export async function confirmed(options: WorldOptions, question: string): Promise<boolean> {
  if (options.yes) return true;
  if (!interactive()) throw new FlotillaError('CLI006', `${question} Nobody can be asked here`, { why: 'stdin or stderr is not a terminal', fix: 'read what would be done, then add --yes', exitCode: 2 });
  return answered(await confirm({ message: question, initialValue: false, output: process.stderr }));
}

/**
 * Has the name typed before something is destroyed; without a terminal `--confirm NAME` says it. Raises CLI007 where another one is said or typed,
 * CLI006 where nobody can be asked, CLI016 where the question is interrupted.
 */
export async function typed(name: string, given: string | undefined, question: string): Promise<void> {
  refuseName(name, given);
  if (given !== undefined) return;
  if (!interactive()) throw new FlotillaError('CLI006', `${question} Nobody can be asked here`, { why: 'stdin or stderr is not a terminal', fix: `--confirm '${name}'`, exitCode: 2 });
  const answer = answered(await text({ message: `${question} Type ${name} to go on`, output: process.stderr }));
  if (answer !== name) throw new FlotillaError('CLI007', `'${answer ?? ''}' is not the name: nothing was deleted`, { fix: `type ${name}`, exitCode: 2 });
}

/** Raises CLI007 where `--confirm` says another name than the one that is meant. */
export function refuseName(name: string, given: string | undefined): void {
  if (given !== undefined && given !== name) throw new FlotillaError('CLI007', `--confirm '${given}' is not the name`, { why: 'nothing was deleted', fix: `--confirm '${name}'`, exitCode: 2 });
}

/** Ctrl-C at a question is no answer to it. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new FlotillaError('CLI016', 'interrupted: nothing was changed', { exitCode: 130 });
  return answer as Exclude<T, symbol>;
}
