import { describe, expect, it } from 'vitest';
import { pushMatches } from '../../../src/local/services/codepipeline/triggers.js';

/** User guide, "Filter triggers on code push or pull requests". */

type Filter = Parameters<typeof pushMatches>[0];
const push = (what: { branch?: string; tag?: string; paths?: string[] }): Parameters<typeof pushMatches>[1] => ({ provider: 'outside', repository: 'o/r', commit: 'c', ...what });

describe('a push filter', () => {
  it.each<[what: string, filter: Filter, change: Parameters<typeof push>[0], starts: boolean]>([
    ['of a branch starts by it', { branches: { includes: ['main'] } }, { branch: 'main' }, true],
    ['of a branch passes over others', { branches: { includes: ['main'] } }, { branch: 'mainline' }, false],
    ['with one star stays within a segment', { branches: { includes: ['feature/*'] } }, { branch: 'feature/a/b' }, false],
    ['with two stars goes across segments', { branches: { includes: ['feature/**'] } }, { branch: 'feature/a/b' }, true],
    ['takes alternatives', { branches: { includes: ['{main,release-?}'] } }, { branch: 'release-2' }, true],
    ['lets excludes win', { branches: { includes: ['**'], excludes: ['feature/**'] } }, { branch: 'feature/a' }, false],
    ['of excludes alone takes the rest', { branches: { excludes: ['wip'] } }, { branch: 'main' }, true],
    ['of branches passes over tags', { branches: { includes: ['**'] } }, { tag: 'v1' }, false],
    ['of tags starts by them', { tags: { includes: ['v*'] } }, { tag: 'v1.2' }, true],
    ['of tags lets excludes win', { tags: { includes: ['v*'], excludes: ['v1*'] } }, { tag: 'v1.2' }, false],
    ['of tags passes over branches', { tags: { includes: ['**'] } }, { branch: 'main' }, false],
    ['of paths starts by one file that matches', { branches: { includes: ['main'] }, filePaths: { includes: ['src/**'] } }, { branch: 'main', paths: ['README.md', 'src/a/b.ts'] }, true],
    ['of paths passes over other files', { branches: { includes: ['main'] }, filePaths: { includes: ['src/**'] } }, { branch: 'main', paths: ['README.md'] }, false],
    ['of excluded paths passes over a push of nothing else', { branches: { includes: ['main'] }, filePaths: { excludes: ['**/*.md'] } }, { branch: 'main', paths: ['a/b.md', 'c.md'] }, false],
    ['of excluded paths starts by any other file', { branches: { includes: ['main'] }, filePaths: { excludes: ['**/*.md'] } }, { branch: 'main', paths: ['a.md', 'a.ts'] }, true],
    ['wants the branch as well as the path', { branches: { includes: ['main'] }, filePaths: { includes: ['**'] } }, { branch: 'other', paths: ['a'] }, false],
  ])('%s', (_what, filter, change, starts) => {
    expect(pushMatches(filter, push(change))).toBe(starts);
  });
});
