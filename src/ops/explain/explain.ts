import { FlotillaError } from '../../shared/errors.js';
import { KNOWN_ERRORS, type ErrorPlace } from './table.js';

export interface Explanation {
  readonly code: string;
  readonly why: string;
  readonly fix: string;
  readonly exitCode: number | undefined;
}

/** What is known of an error by its words: of a call, a pipeline's action or a build's log. Undefined where nothing is. */
export function explain(text: string, place: ErrorPlace = {}): Explanation | undefined {
  for (const known of KNOWN_ERRORS) {
    const match = known.pattern.exec(text);
    if (!match) continue;
    const fix = known.fix(match, place);
    return { code: known.code, why: known.why, fix: place.local ? fix.replaceAll(/\bflotilla (?=[a-z])/g, 'flotilla --local ') : fix, exitCode: known.exitCode };
  }
  return undefined;
}

/** An error of AWS as one of ours: what was being done, what AWS said, why, and what to do. Ours are left as they are. */
export function explained(error: unknown, doing: string, place: ErrorPlace = {}): FlotillaError {
  if (error instanceof FlotillaError) return error;
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const known = explain(said, place);
  const message = `could not ${doing}: ${error instanceof Error && error.name !== 'Error' ? said : (error as Error).message}`;
  return new FlotillaError(known?.code ?? 'AWS000', message, { where: place.place, why: known?.why, fix: known?.fix, exitCode: known?.exitCode ?? 1, cause: error });
}
