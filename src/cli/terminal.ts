import { styleText } from 'node:util';
import { FleetFileError, printProblem, type Problem } from '../config/index.js';
import { FlotillaError } from '../shared/errors.js';

/** Data goes to stdout, messages to stderr; with `--output json` data is JSON, its first record naming the schema's version. */
export interface Terminal {
  readonly json: boolean;
  /** Text for people; silent with JSON output. */
  print(text: string): void;
  /** The command's result, for programs. */
  data(value: unknown): void;
  message(text: string): void;
  readonly style: (format: Format, text: string) => string;
  /** Gives the terminal to somebody who writes by himself, a question for instance, as long as `work` takes. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Lets a footer stay below whatever is written, until it is taken away with undefined. */
  keepBelow(footer: Footer | undefined): void;
}

export interface Footer {
  /** Writes above the footer. */
  above(write: () => void): void;
  /** Takes the footer away as long as `work` takes. */
  aside<T>(work: () => Promise<T>): Promise<T>;
}

export type Format = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export interface GlobalOptions {
  readonly output?: 'text' | 'json';
  readonly color?: boolean;
  readonly quiet?: boolean;
}

export const SCHEMA_VERSION = '1.0';

export function terminal(options: GlobalOptions): Terminal {
  const json = options.output === 'json';
  const colour = options.color !== false && !process.env['NO_COLOR'] && (process.stdout.isTTY || Boolean(process.env['FORCE_COLOR']));
  let footer: Footer | undefined;
  const around = (write: () => void): void => (footer ? footer.above(write) : write());
  return {
    json,
    print: (text) => {
      if (!json) around(() => process.stdout.write(`${text}\n`));
    },
    data: (value) => {
      if (!json) return;
      around(() => process.stdout.write(`${JSON.stringify({ type: 'version', schema: SCHEMA_VERSION })}\n${JSON.stringify(value, null, 2)}\n`));
    },
    message: (text) => {
      if (!options.quiet) around(() => process.stderr.write(`${text}\n`));
    },
    alone: (work) => (footer ? footer.aside(work) : work()),
    keepBelow: (given) => {
      footer = given;
    },
    style: (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text),
  };
}

/** Prints an error as every command does: what, where, why, fix. */
export function printError(error: unknown, out: Terminal): number {
  if (!(error instanceof FlotillaError)) {
    out.message(`${out.style('red', '✖')} ${error instanceof Error ? (process.env['FLOTILLA_DEBUG'] ? (error.stack ?? error.message) : error.message) : String(error)}`);
    out.message('  fix  this is a defect of Flotilla; run again with FLOTILLA_DEBUG=1 and report what it prints');
    return 1;
  }
  if (error instanceof FleetFileError) return printFleetMistakes(error, out);
  if (out.json) out.data({ type: 'error', code: error.code, message: error.message, where: error.where, why: error.why, fix: error.fix });
  out.message(`${out.style('red', '✖')} ${out.style('bold', error.code)} ${error.message}`);
  if (error.where) out.message(`  ${error.where}`);
  if (error.why) out.message(`  ${out.style('dim', 'why')}  ${error.why.replaceAll('\n', '\n       ')}`);
  if (error.fix) out.message(`  ${out.style('dim', 'fix')}  ${error.fix.replaceAll('\n', '\n       ')}`);
  return error.exitCode;
}

function printFleetMistakes(error: FleetFileError, out: Terminal): number {
  out.data({ type: 'problems', problems: error.problems });
  out.message(error.problems.map((problem) => paint(problem, out)).join('\n\n'));
  if (error.problems.length > 1) out.message(`\n${error.problems.length} mistakes`);
  return error.exitCode;
}

function paint(problem: Problem, out: Terminal): string {
  return printProblem(problem).replace(/^✖ (\S+)/, (_, code: string) => `${out.style('red', '✖')} ${out.style('bold', code)}`);
}
