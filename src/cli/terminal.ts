import { styleText } from 'node:util';
import { FleetFileError, printProblem, type Problem } from '../config/index.js';
import { FlotillaError } from '../shared/errors.js';
import { paragraph } from './table.js';

/** Data goes to stdout, messages to stderr; with `--output json` data is JSON, its first record naming the schema's version. */
export interface Terminal {
  readonly json: boolean;
  /** Columns of stdout; infinite where it is no terminal: what a program or a file gets is never cut or wrapped. */
  readonly columns: number;
  /** The same of stderr. */
  readonly messageColumns: number;
  /** Text for people; silent with JSON output. */
  print(text: string): void;
  /** The command's result, for programs; of one that goes on, each. */
  data(value: unknown): void;
  message(text: string): void;
  /** Colours for either stream; one that takes none is spared them when it is written to. */
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
  /** `--color` or `--no-color`; undefined: as the stream and the environment have it. */
  readonly color?: boolean;
  readonly quiet?: boolean;
}

export const SCHEMA_VERSION = '1.0';

/** The streams of a process and what it was told about them. */
export interface Surroundings {
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: NodeJS.ProcessEnv;
}

interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export function terminal(options: GlobalOptions, { stdout, stderr, env }: Surroundings = process): Terminal {
  const json = options.output === 'json';
  const colours = { stdout: isColoured(stdout, options, env), stderr: isColoured(stderr, options, env) };
  let footer: Footer | undefined;
  let begun = false;
  const around = (write: () => void): void => (footer ? footer.above(write) : write());
  const shown = (text: string, coloured: boolean): string => (coloured ? text : text.replaceAll(COLOURS, ''));
  return {
    json,
    columns: stdout.isTTY ? (stdout.columns ?? 80) : Infinity,
    messageColumns: stderr.isTTY ? (stderr.columns ?? 80) : Infinity,
    print: (text) => {
      if (!json) around(() => stdout.write(`${shown(text, colours.stdout)}\n`));
    },
    data: (value) => {
      if (!json) return;
      const version = begun ? '' : `${JSON.stringify({ type: 'version', schema: SCHEMA_VERSION })}\n`;
      begun = true;
      around(() => stdout.write(`${version}${JSON.stringify(value, null, 2)}\n`));
    },
    message: (text) => {
      if (!options.quiet) around(() => stderr.write(`${shown(text, colours.stderr)}\n`));
    },
    alone: (work) => (footer ? footer.aside(work) : work()),
    keepBelow: (given) => {
      footer = given;
    },
    style: (format, text) => (colours.stdout || colours.stderr ? styleText(format, text, { validateStream: false }) : text),
  };
}

/** Sequences that colour text and nothing else (ECMA-48, SGR). */
const COLOURS = /\u001b\[[\d;]*m/g;

/** Each stream by itself: `flotilla where | less` has no colours on stdout and may have them on stderr. A flag counts before the environment. */
function isColoured({ isTTY }: TerminalStream, { color }: GlobalOptions, env: NodeJS.ProcessEnv): boolean {
  if (color !== undefined) return color;
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  return Boolean(isTTY) && env['TERM'] !== 'dumb';
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
  out.message(paragraph(`${out.style('red', '✖')} ${out.style('bold', error.code)} ${error.message}`, out.messageColumns));
  if (error.where) out.message(`  ${paragraph(error.where, out.messageColumns)}`);
  if (error.why) out.message(`  ${out.style('dim', 'why')}  ${paragraph(error.why, out.messageColumns, 7)}`);
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
