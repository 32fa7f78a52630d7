import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { FlotillaError } from '../../shared/errors.js';
import { explain } from '../explain/explain.js';

export interface ProgramOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Called with each line it prints. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The environment of a program that acts on the local cloud: the user's own without anything that leads to AWS, so that nothing it starts
 * can reach a real account. Nothing asks: npx installs what an app's command needs, as it does where there is no terminal.
 */
export function localEnvironment(variables: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && !/^(AWS_|CDK_DEFAULT_|FLOTILLA_)/.test(entry[0]));
  return { ...Object.fromEntries(kept), AWS_EC2_METADATA_DISABLED: 'true', npm_config_yes: 'true', ...variables };
}

/** Runs a program to its end; answers all it printed. Raises `code` with the last lines when it fails. */
export async function runProgram(command: string, args: readonly string[], code: string, what: string, options: ProgramOptions): Promise<string> {
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', 'pipe', 'pipe'], ...(options.signal ? { signal: options.signal } : {}) });
  const lines: string[] = [];
  const take = (line: string): void => {
    lines.push(line);
    options.onLine?.(line);
  };
  createInterface({ input: child.stdout }).on('line', take);
  createInterface({ input: child.stderr }).on('line', take);
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? notInstalled(command, code, what, options.cwd) : error));
    child.once('close', (exit, signal) => resolve(exit ?? signal ?? 1));
  });
  if (status !== 0) throw new FlotillaError(code, `${what} failed (${typeof status === 'number' ? `exit code ${status}` : status})`, { why: lastLines(lines), fix: explain(lines.join('\n'))?.fix, where: options.cwd, exitCode: 4 });
  return lines.join('\n');
}

function notInstalled(command: string, code: string, what: string, cwd: string): FlotillaError {
  return new FlotillaError(code, `${what} failed: ${command} could not be started`, { why: `there is no program ${command} on the PATH`, fix: `install ${command}, then run again`, where: cwd, exitCode: 4 });
}

/** Longest line shown: source text of a minified library, which Node prints above an error, tells nothing. */
const READABLE = 400;

/** A resource that failed, as the CDK CLI prints CloudFormation's events: the reason may be long. */
const STACK_EVENT = /\| (?:CREATE|UPDATE|DELETE)_FAILED +\|/;

/** The part of an output that tells most: from the first line of an error on. */
function lastLines(output: readonly string[]): string {
  const lines = output.filter((line) => (line.length <= READABLE && line.trim() !== '') || STACK_EVENT.test(line));
  const first = lines.findIndex((line) => /❌|\berror\b|Error:|failed/i.test(line));
  return lines.slice(first < 0 ? -15 : first).slice(0, 25).join('\n');
}
