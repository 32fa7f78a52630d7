import { createContext, Script } from 'node:vm';

/** Milliseconds of the processor that a pattern may take: real ones need microseconds. */
const LIMIT = 100;
/** Milliseconds by the clock until an attempt is looked at; a machine with other work to do may give it little of them. */
const LOOK_AFTER = 125;
/** Attempts of a pattern that was not given the processor. */
const ATTEMPTS = 40;

const script = new Script('expression.test(text)');
const sandbox = createContext(Object.create(null) as { expression?: RegExp; text?: string });

/**
 * Whether a text matches a pattern that somebody else wrote: a template's AllowedPattern, a log filter. A pattern that backtracks without
 * end (`(a+)+$`) is stopped and matches nothing, instead of holding up the whole process.
 */
export function testPattern(expression: RegExp, text: string): boolean {
  sandbox.expression = expression;
  sandbox.text = text;
  try {
    // Once may be a collection of garbage that fell into it.
    for (let attempt = 1, busy = 0; attempt <= ATTEMPTS && busy < 2; attempt++) {
      const before = process.cpuUsage();
      try {
        return script.runInContext(sandbox, { timeout: LOOK_AFTER }) as boolean;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        const { user, system } = process.cpuUsage(before);
        if ((user + system) / 1000 >= LIMIT) busy++;
      }
    }
    return false;
  } finally {
    sandbox.expression = undefined;
    sandbox.text = undefined;
  }
}
