/**
 * Patterns of trigger filters and buildspec artifacts: `*` within a path segment, `**` across segments, `?` one character, `{a,b}`
 * alternatives, `[a-z]` classes (CodePipeline user guide, "Working with glob patterns in syntax"). Matching is done by states, not by
 * backtracking, so no pattern can make it slow.
 */
export function globMatches(pattern: string, text: string): boolean {
  return expand(pattern).some((plain) => matches(tokens(plain), text));
}

type Token = { readonly kind: 'char'; readonly char: string } | { readonly kind: 'any' } | { readonly kind: 'star' } | { readonly kind: 'globstar' } | { readonly kind: 'class'; readonly set: string; readonly negated: boolean };

const MAX_ALTERNATIVES = 256;

function expand(pattern: string): string[] {
  const open = pattern.indexOf('{');
  const close = open < 0 ? -1 : pattern.indexOf('}', open);
  if (open < 0 || close < 0) return [pattern];
  const rest = expand(pattern.slice(close + 1));
  return pattern
    .slice(open + 1, close)
    .split(',')
    .flatMap((choice) => rest.map((end) => pattern.slice(0, open) + choice + end))
    .slice(0, MAX_ALTERNATIVES);
}

function tokens(pattern: string): Token[] {
  const found: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*' && pattern[i + 1] === '*') {
      found.push({ kind: 'globstar' });
      i++;
      // `**/` also stands for nothing at all.
      if (pattern[i + 1] === '/' && (found.length === 1 || pattern[i - 2] === '/')) i++;
    } else if (char === '*') found.push({ kind: 'star' });
    else if (char === '?') found.push({ kind: 'any' });
    else if (char === '[' && pattern.indexOf(']', i) > i) {
      const end = pattern.indexOf(']', i);
      const body = pattern.slice(i + 1, end);
      const negated = /^[!^]/.test(body);
      found.push({ kind: 'class', set: negated ? body.slice(1) : body, negated });
      i = end;
    } else found.push({ kind: 'char', char: char === '\\' && i + 1 < pattern.length ? pattern[++i]! : char });
  }
  return found;
}

function matches(pattern: readonly Token[], text: string): boolean {
  let states = closure(new Set([0]), pattern);
  for (const char of text) {
    const next = new Set<number>();
    for (const state of states) {
      const token = pattern[state];
      if (!token) continue;
      if (token.kind === 'globstar' || (token.kind === 'star' && char !== '/')) next.add(state);
      else if (token.kind === 'any' && char !== '/') next.add(state + 1);
      else if (token.kind === 'char' && token.char === char) next.add(state + 1);
      else if (token.kind === 'class' && char !== '/' && inClass(token.set, char) !== token.negated) next.add(state + 1);
    }
    if (next.size === 0) return false;
    states = closure(next, pattern);
  }
  return states.has(pattern.length);
}

/** States reachable without a character: stars may stand for nothing. */
function closure(states: Set<number>, pattern: readonly Token[]): Set<number> {
  for (const state of states) {
    const kind = pattern[state]?.kind;
    if (kind === 'star' || kind === 'globstar') states.add(state + 1);
  }
  return states;
}

function inClass(set: string, char: string): boolean {
  for (let i = 0; i < set.length; i++) {
    if (set[i + 1] === '-' && i + 2 < set.length) {
      if (char >= set[i]! && char <= set[i + 2]!) return true;
      i += 2;
    } else if (set[i] === char) return true;
  }
  return false;
}
