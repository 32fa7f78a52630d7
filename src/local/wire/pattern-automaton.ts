import type { Pattern } from './pattern-syntax.js';

/**
 * A matcher whose time is linear in the text, whatever the pattern: all ways through it are followed at once (Thompson 1968). For the
 * patterns of AWS's models that a backtracking matcher could be made to hang on. Undefined when the pattern can't be one (looking ahead)
 * or would be too large.
 */
export function automaton(pattern: Pattern, ignoreCase: boolean): ((text: string) => boolean) | undefined {
  const states: State[] = [{ kind: 'match' }];
  const start = build(pattern, 0, states, ignoreCase ? 'ui' : 'u');
  return start === undefined ? undefined : (text) => run(states, start, text);
}

type State =
  | { readonly kind: 'match' }
  | { readonly kind: 'set'; readonly matches: (point: number) => boolean; readonly next: number }
  | { readonly kind: 'split'; readonly next: number[] }
  | { readonly kind: 'start' | 'end'; readonly next: number };

const MOST_STATES = 6000;

/** Adds the states of `pattern` in front of state `next`; answers the first. */
function build(pattern: Pattern, next: number, states: State[], flags: string): number | undefined {
  if (states.length > MOST_STATES) return undefined;
  const add = (state: State): number => states.push(state) - 1;
  switch (pattern.kind) {
    case 'set':
      return add({ kind: 'set', matches: matcher(pattern.source, flags), next });
    case 'sequence': {
      let at: number | undefined = next;
      for (const item of [...pattern.items].reverse()) if (at !== undefined) at = build(item, at, states, flags);
      return at;
    }
    case 'choice': {
      const options = pattern.options.map((option) => build(option, next, states, flags));
      return options.includes(undefined) ? undefined : add({ kind: 'split', next: options as number[] });
    }
    case 'repeat':
      return repeat(pattern, next, states, flags);
    case 'start':
    case 'end':
      return add({ kind: pattern.kind, next });
    default:
      return undefined;
  }
}

function repeat(pattern: Pattern & { kind: 'repeat' }, next: number, states: State[], flags: string): number | undefined {
  let at: number | undefined = next;
  if (pattern.max === Infinity) {
    const ways: number[] = [next];
    const loop: number = states.push({ kind: 'split', next: ways }) - 1;
    const body = build(pattern.item, loop, states, flags);
    if (body === undefined) return undefined;
    ways.push(body);
    at = loop;
  } else {
    for (let i = pattern.min; i < pattern.max && at !== undefined; i++) {
      const body: number | undefined = build(pattern.item, at, states, flags);
      at = body === undefined ? undefined : states.push({ kind: 'split', next: [body, next] }) - 1;
    }
  }
  for (let i = 0; i < pattern.min && at !== undefined; i++) at = build(pattern.item, at, states, flags);
  return at;
}

const matchers = new Map<string, (point: number) => boolean>();

/** ASCII by table, the rest by a regular expression of one character. */
function matcher(source: string, flags: string): (point: number) => boolean {
  const key = `${flags}${source}`;
  let known = matchers.get(key);
  if (!known) {
    const one = new RegExp(`^${source}$`, flags);
    const ascii = Uint8Array.from({ length: 128 }, (_, point) => Number(one.test(String.fromCharCode(point))));
    known = (point) => (point < 128 ? ascii[point] === 1 : one.test(String.fromCodePoint(point)));
    matchers.set(key, known);
  }
  return known;
}

function run(states: readonly State[], start: number, text: string): boolean {
  const seen = new Int32Array(states.length).fill(-1);
  let current = follow(states, [start], 0, text.length, seen);
  for (let at = 0; at < text.length && current.length > 0; ) {
    const point = text.codePointAt(at)!;
    const after = at + (point > 0xffff ? 2 : 1);
    const next: number[] = [];
    for (const index of current) {
      const state = states[index]!;
      if (state.kind === 'set' && state.matches(point)) next.push(state.next);
    }
    current = follow(states, next, after, text.length, seen);
    at = after;
  }
  return current.some((index) => states[index]!.kind === 'match');
}

/** All states that can be reached at a position without reading a character. */
function follow(states: readonly State[], from: readonly number[], at: number, end: number, seen: Int32Array): number[] {
  const reached: number[] = [];
  const stack = [...from];
  while (stack.length > 0) {
    const index = stack.pop()!;
    if (seen[index] === at) continue;
    seen[index] = at;
    const state = states[index]!;
    if (state.kind === 'split') stack.push(...state.next);
    else if (state.kind === 'set' || state.kind === 'match') reached.push(index);
    else if (at === (state.kind === 'start' ? 0 : end)) stack.push(state.next);
  }
  return reached;
}
