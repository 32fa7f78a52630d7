import { createContext, Script } from 'node:vm';

/** Milliseconds a pattern may take: real ones need microseconds. */
const LIMIT = 100;

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
    return script.runInContext(sandbox, { timeout: LIMIT }) as boolean;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  } finally {
    sandbox.expression = undefined;
    sandbox.text = undefined;
  }
}
