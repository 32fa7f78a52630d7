import { FlotillaError } from '../shared/errors.js';
import { CONFIG_CODES } from './codes.js';
import { withoutSecrets } from './secrets.js';

/** Something wrong in a fleet file, before its place is looked up. */
export interface Mistake {
  readonly code: string;
  readonly path: Path;
  /** Continues the path: "must be …"; a whole sentence where the path is empty. */
  readonly what: string;
  readonly why?: string | undefined;
  readonly fix?: string | undefined;
  /** The key itself is wrong, not what it holds. */
  readonly atKey?: boolean | undefined;
}

export type Path = readonly (string | number)[];

/** A mistake with its place: what `flotilla validate` prints and its JSON output holds. */
export interface Problem {
  readonly code: string;
  /** `environments.prod.regions[1]`. */
  readonly path: string;
  readonly message: string;
  /** `file:line:column`; undefined for a fleet written in code. */
  readonly where: string | undefined;
  /** The line with carets under what is meant. */
  readonly frame: string | undefined;
  readonly why: string | undefined;
  readonly fix: string | undefined;
}

/** Every problem of a fleet file at once. Its message holds them all, for whoever sees only that: a CDK app that throws it. */
export class FleetFileError extends FlotillaError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], file: string | undefined) {
    const [only, ...others] = problems;
    const single = others.length === 0 ? only : undefined;
    const count = `${problems.length} mistake${problems.length === 1 ? '' : 's'} in ${file ?? 'the fleet'}`;
    super(single?.code ?? 'CFG000', `${count}\n\n${problems.map(printProblem).join('\n\n')}\n`, { where: single?.where, why: single?.why, fix: single?.fix, exitCode: 2 });
    this.problems = problems;
    Object.defineProperty(this, 'problems', { enumerable: false });
  }
}

/** Raises all mistakes of a fleet that has no file. */
export function refuse(mistakes: readonly Mistake[]): void {
  if (mistakes.length > 0) throw new FleetFileError(mistakes.map((mistake) => problemOf(mistake, undefined)), undefined);
}

export function problemOf(mistake: Mistake, place: { readonly where: string; readonly frame: string | undefined } | undefined): Problem {
  // A mistake may quote what it is about, and that may be a secret.
  const masked = (text: string | undefined): string | undefined => (text === undefined ? undefined : withoutSecrets(text));
  const path = withoutSecrets(printPath(mistake.path));
  const known = CONFIG_CODES[mistake.code];
  return { code: mistake.code, path, message: withoutSecrets(path === '' ? mistake.what : `${path} ${mistake.what}`), where: place?.where, frame: place?.frame, why: masked(mistake.why ?? known?.why), fix: masked(mistake.fix ?? known?.fix) };
}

/** As in the reference of the command line: what, where, frame, why, fix. */
export function printProblem(problem: Problem): string {
  const indent = (label: string, text: string | undefined): string[] => (text === undefined ? [] : [`  ${label}  ${text.replaceAll('\n', '\n       ')}`]);
  const fix = indent('fix', problem.fix);
  const more = `more: flotilla explain ${problem.code}`;
  const last = fix.length > 0 ? fix.join('\n').padEnd(48) : '  '.padEnd(48);
  return [`✖ ${problem.code} ${problem.message}`, ...(problem.where === undefined ? [] : [`  ${problem.where}`]), ...(problem.frame === undefined ? [] : [problem.frame]), ...indent('why', problem.why), `${last}  ${more}`].join('\n');
}

export function printPath(path: Path): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : /^[A-Za-z_$][\w-]*$/.test(part) ? `${text}${text === '' ? '' : '.'}${part}` : `${text}[${JSON.stringify(part)}]`), '');
}
