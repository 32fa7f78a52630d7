/**
 * The error every part of Flotilla raises towards its user: a code, what went wrong, and, where known, the place, the reason and the fix.
 * Errors that speak AWS's language to an AWS client are `AwsError` (src/local/kernel/error.ts) instead.
 */
export class FlotillaError extends Error {
  readonly code: string;
  readonly why: string | undefined;
  readonly fix: string | undefined;
  readonly where: string | undefined;
  /** The process exit code this error leads to (reference: docs/exit-codes.md). */
  readonly exitCode: number;

  constructor(code: string, what: string, details: FlotillaErrorDetails = {}) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'FlotillaError';
    this.code = code;
    this.why = details.why;
    this.fix = details.fix;
    this.where = details.where;
    this.exitCode = details.exitCode ?? 1;
    // Where the library runs in somebody else's program (a test, a CDK app), the stack is all of an error that is read: it says
    // everything once, and Node lists none of it again below.
    const more = (['where', 'why', 'fix'] as const).flatMap((key) => (details[key] === undefined || what.includes(details[key]) ? [] : [`\n  ${key.padEnd(5)} ${details[key].replaceAll('\n', '\n        ')}`]));
    this.stack = this.stack?.replace(what, () => `${what}${more.join('')}`);
    for (const key of ['name', 'why', 'fix', 'where', 'exitCode']) Object.defineProperty(this, key, { enumerable: false });
  }
}

export interface FlotillaErrorDetails {
  readonly why?: string | undefined;
  readonly fix?: string | undefined;
  readonly where?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly cause?: unknown;
}

/** A state that the program's own logic excludes; reaching it is a defect of Flotilla, never of its user. */
export function unreachable(what: string): never {
  throw new FlotillaError('BUG', `internal defect: ${what}`, { fix: 'please report this with the command that led here' });
}
