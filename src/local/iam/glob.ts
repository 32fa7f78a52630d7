/**
 * Wildcard patterns of the policy language: `*` any run of characters, `?` any one character (IAM reference, "Using wildcards").
 * Matching never backtracks: a pattern is cut at its `*`s, the first and last piece are anchored, and each piece between is found at its
 * leftmost place, by Knuth–Morris–Pratt or, when it holds `?`, by Shift-And over words of 31 bits. The work is bounded by
 * text length x (1 + pattern length / 31), whatever the pattern.
 */
export interface Glob {
  readonly kind: 'any' | 'literal' | 'prefix' | 'pieces';
  /** The literal or prefix, for the fast kinds. */
  readonly text: string;
  readonly pieces: readonly Piece[];
}

interface Piece {
  readonly text: string;
  readonly hasAny: boolean;
  /** KMP failure table, made on first use. */
  failure?: Int32Array;
}

/** Wildcards inside an encoded pattern; they can't stand in a policy (its characters are tab, newline and from U+0020). */
export const STAR = '\u0000';
export const ANY_ONE = '\u0001';

/** Counts elementary steps, for the test that shows matching to be linear. */
export interface Meter {
  steps: number;
}

/** Compiles text as written in a policy: `*` and `?` are wildcards. */
export function glob(pattern: string): Glob {
  return encodedGlob(encodeWildcards(pattern));
}

/** `*` and `?` become wildcards; everything else stands for itself. */
export function encodeWildcards(pattern: string): string {
  return pattern.replaceAll('*', STAR).replaceAll('?', ANY_ONE);
}

/** Compiles a pattern whose wildcards are STAR and ANY_ONE, so that `*` and `?` in it are ordinary characters. */
export function encodedGlob(encoded: string): Glob {
  if (encoded === STAR) return { kind: 'any', text: '', pieces: [] };
  const hasAny = encoded.includes(ANY_ONE);
  const firstStar = encoded.indexOf(STAR);
  if (firstStar < 0 && !hasAny) return { kind: 'literal', text: encoded, pieces: [] };
  if (firstStar === encoded.length - 1 && !hasAny) return { kind: 'prefix', text: encoded.slice(0, -1), pieces: [] };
  const pieces = encoded.split(STAR).map((text) => ({ text, hasAny: text.includes(ANY_ONE) }));
  return { kind: 'pieces', text: '', pieces };
}

export function matchGlob(pattern: Glob, text: string, meter?: Meter): boolean {
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'literal':
      if (meter) meter.steps += pattern.text.length;
      return pattern.text === text;
    case 'prefix':
      if (meter) meter.steps += pattern.text.length;
      return text.startsWith(pattern.text);
    case 'pieces':
      return matchPieces(pattern.pieces, text, meter);
  }
}

function matchPieces(pieces: readonly Piece[], text: string, meter: Meter | undefined): boolean {
  const first = pieces[0]!;
  if (pieces.length === 1) return text.length === first.text.length && equalsAt(first.text, text, 0, meter);
  const last = pieces[pieces.length - 1]!;
  if (text.length < first.text.length + last.text.length) return false;
  if (!equalsAt(first.text, text, 0, meter)) return false;
  const end = text.length - last.text.length;
  if (!equalsAt(last.text, text, end, meter)) return false;
  let at = first.text.length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i]!;
    if (piece.text.length === 0) continue;
    const found = piece.hasAny ? shiftAnd(piece.text, text, at, end, meter) : knuthMorrisPratt(piece, text, at, end, meter);
    if (found < 0) return false;
    at = found;
  }
  return true;
}

function equalsAt(piece: string, text: string, at: number, meter: Meter | undefined): boolean {
  if (meter) meter.steps += piece.length;
  for (let i = 0; i < piece.length; i++) {
    const wanted = piece.charCodeAt(i);
    if (wanted !== 1 && wanted !== text.charCodeAt(at + i)) return false;
  }
  return true;
}

/** Position behind the leftmost occurrence within [from, end), or -1. */
function knuthMorrisPratt(piece: Piece, text: string, from: number, end: number, meter: Meter | undefined): number {
  const wanted = piece.text;
  if (end - from < wanted.length) return -1;
  const failure = (piece.failure ??= failureTable(wanted));
  let matched = 0;
  for (let i = from; i < end; i++) {
    const char = text.charCodeAt(i);
    while (matched > 0 && wanted.charCodeAt(matched) !== char) {
      matched = failure[matched - 1]!;
      if (meter) meter.steps++;
    }
    if (meter) meter.steps++;
    if (wanted.charCodeAt(matched) === char) matched++;
    if (matched === wanted.length) return i + 1;
  }
  return -1;
}

function failureTable(wanted: string): Int32Array {
  const failure = new Int32Array(wanted.length);
  for (let i = 1, k = 0; i < wanted.length; i++) {
    while (k > 0 && wanted.charCodeAt(i) !== wanted.charCodeAt(k)) k = failure[k - 1]!;
    if (wanted.charCodeAt(i) === wanted.charCodeAt(k)) k++;
    failure[i] = k;
  }
  return failure;
}

const WORD = 31;

/** As above for a piece with `?`: bit i of the state says that the first i+1 characters of the piece match, ending here. */
function shiftAnd(piece: string, text: string, from: number, end: number, meter: Meter | undefined): number {
  if (end - from < piece.length) return -1;
  const words = Math.ceil(piece.length / WORD);
  const anywhere = new Int32Array(words);
  const masks = new Map<number, Int32Array>();
  for (let i = 0; i < piece.length; i++) if (piece.charCodeAt(i) === 1) anywhere[(i / WORD) | 0]! |= 1 << i % WORD;
  for (let i = 0; i < piece.length; i++) {
    const char = piece.charCodeAt(i);
    if (char === 1) continue;
    let mask = masks.get(char);
    if (!mask) masks.set(char, (mask = anywhere.slice()));
    mask[(i / WORD) | 0]! |= 1 << i % WORD;
  }
  const state = new Int32Array(words);
  const goalWord = words - 1;
  const goal = 1 << (piece.length - 1) % WORD;
  for (let i = from; i < end; i++) {
    const mask = masks.get(text.charCodeAt(i)) ?? anywhere;
    let carry = 1;
    for (let w = 0; w < words; w++) {
      const shifted = (state[w]! << 1) | carry;
      carry = (state[w]! >>> (WORD - 1)) & 1;
      state[w] = shifted & 0x7fffffff & mask[w]!;
    }
    if (meter) meter.steps += words;
    if ((state[goalWord]! & goal) !== 0) return i + 1;
  }
  return -1;
}
