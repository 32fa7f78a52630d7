import { confirm, isCancel, text } from '@clack/prompts';
import { FlotillaError } from '../shared/errors.js';
import { interactive, type WorldOptions } from './world.js';

/** Asks before something is written; `--yes` answers. Raises CLI006 where nobody can be asked. */
export async function confirmed(options: WorldOptions, question: string): Promise<boolean> {
  if (options.yes) return true;
  if (!interactive()) throw new FlotillaError('CLI006', `${question} Nobody can be asked here`, { why: 'stdin or stderr is not a terminal', fix: 'read what would be done, then add --yes', exitCode: 2 });
  const answer = await confirm({ message: question });
  return !isCancel(answer) && answer;
}

/** Has the name typed before something is destroyed; without a terminal `--confirm NAME` says it. */
export async function typed(name: string, given: string | undefined, question: string): Promise<boolean> {
  if (given !== undefined) {
    if (given === name) return true;
    throw new FlotillaError('CLI007', `--confirm '${given}' is not the name`, { fix: `--confirm '${name}'`, exitCode: 2 });
  }
  if (!interactive()) throw new FlotillaError('CLI006', `${question} Nobody can be asked here`, { why: 'stdin or stderr is not a terminal', fix: `--confirm '${name}'`, exitCode: 2 });
  const answer = await text({ message: `${question} Type ${name} to go on` });
  return !isCancel(answer) && answer === name;
}
