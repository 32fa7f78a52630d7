import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { glob, matchGlob, type Meter } from '../../../src/local/iam/glob.js';

describe('wildcard patterns', () => {
  it.each([
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*b*c', 'a--b--c', true],
    ['a*b*c', 'a--c--b', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['?', '', false],
    ['?*', 'a', true],
    ['*?', '', false],
    ['a?c*', 'abcd', true],
    ['**', 'x', true],
    ['*ab*ab*', 'aab-ab', true],
    ['*a?a*', 'aaba', true],
    ['a.c', 'abc', false],
  ])('%j against %j: %s', (pattern, text, expected) => {
    expect(matchGlob(glob(pattern), text)).toBe(expected);
  });

  it('agrees with the definition on every short pattern and text', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 10 });
    const words = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    fc.assert(
      fc.property(letters, words, (pattern, text) => {
        expect(matchGlob(glob(pattern), text)).toBe(byDefinition(pattern, text));
      }),
      { numRuns: 20_000 },
    );
  });

  it('agrees with the definition on pieces longer than a word', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '?'), minLength: 25, maxLength: 70 });
    fc.assert(
      fc.property(piece, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 20 }), (middle, around) => {
        const text = `${around}${middle.replaceAll('?', 'b')}${around}`;
        expect(matchGlob(glob(`*${middle}*`), text)).toBe(true);
        expect(matchGlob(glob(`*${middle}x*`), text)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('does work in proportion to the text, however nasty the pattern', () => {
    for (const pattern of ['*a'.repeat(200), `${'*a'.repeat(50)}b`, `*${'a'.repeat(300)}b*`, `*${'a?'.repeat(150)}b*c`, '*?'.repeat(100), `a*${'?a*'.repeat(80)}b`]) {
      const cost = (length: number): number => {
        const meter: Meter = { steps: 0 };
        matchGlob(glob(pattern), 'a'.repeat(length), meter);
        return meter.steps;
      };
      const perCharacter = 2 + pattern.length / 31;
      for (const length of [500, 1000, 2000, 4000]) expect(cost(length)).toBeLessThanOrEqual(perCharacter * length + 2 * pattern.length);
    }
  });
});

function byDefinition(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') return byDefinition(pattern.slice(1), text) || (text !== '' && byDefinition(pattern, text.slice(1)));
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && byDefinition(pattern.slice(1), text.slice(1));
}
