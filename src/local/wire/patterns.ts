import { automaton } from './pattern-automaton.js';
import { parsePattern, patternSource, type Pattern } from './pattern-syntax.js';

/**
 * Whether the whole text matches a pattern of an API model, in time linear in the text. Patterns that can't be had (none of the services
 * with behaviour has one: a test looks) constrain nothing.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  let test = tests.get(pattern);
  if (!test) tests.set(pattern, (test = compile(pattern) ?? (() => true)));
  return test(text);
}

/** Whether a pattern of a model can be had. */
export function isSupportedPattern(pattern: string): boolean {
  return compile(pattern) !== undefined;
}

type Test = (text: string) => boolean;
const tests = new Map<string, Test>();

/** Looking ahead needs backtracking: the text is then kept short enough. */
const LONGEST_BACKTRACKED = 2048;

function compile(source: string): Test | undefined {
  const parsed = parsePattern(source);
  if (!parsed) return undefined;
  const { pattern, ignoreCase } = parsed;
  const linear = isSimple(pattern) ? undefined : automaton(pattern, ignoreCase);
  if (linear) return linear;
  const native = new RegExp(`^(?:${patternSource(pattern)})$`, ignoreCase ? 'ui' : 'u');
  return isSimple(pattern) ? (text) => native.test(text) : (text) => text.length <= LONGEST_BACKTRACKED && native.test(text);
}

/** At most one repetition, of single characters: nothing to backtrack over, so the engine's own matcher will do. */
function isSimple(pattern: Pattern): boolean {
  const items = pattern.kind === 'sequence' ? pattern.items : [pattern];
  const repeats = items.filter((item) => item.kind === 'repeat');
  return repeats.length <= 1 && items.every((item) => item.kind === 'set' || item.kind === 'start' || item.kind === 'end' || (item.kind === 'repeat' && item.item.kind === 'set'));
}
