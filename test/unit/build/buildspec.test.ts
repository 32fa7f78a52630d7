import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBuildspec } from '../../../src/local/build/buildspec.js';
import { chooseFiles } from '../../../src/local/build/files.js';

/** CodeBuild user guide, "Build specification reference". */

describe('a buildspec', () => {
  it('is read whole', () => {
    const spec = parseBuildspec(`
version: 0.2
env:
  shell: bash
  variables: { A: 1, B: "two", C: true }
  parameter-store: { P: /p }
  secrets-manager: { S: "id:key" }
  exported-variables: [A]
phases:
  install: { runtime-versions: { nodejs: 20 }, commands: npm ci, on-failure: CONTINUE }
  build: { commands: [one, "two\\nlines"], finally: [last] }
artifacts:
  files: ['**/*']
  exclude-paths: ['x/**']
  base-directory: out
  discard-paths: yes
  secondary-artifacts: { More: { files: a.txt } }
cache: { paths: [node_modules/**/*] }
`);
    expect(spec).toMatchObject({
      shell: 'bash', variables: { A: '1', B: 'two', C: 'true' }, parameterStore: { P: '/p' }, secretsManager: { S: 'id:key' }, exported: ['A'], cachePaths: ['node_modules/**/*'],
      phases: { install: { commands: ['npm ci'], onFailure: 'CONTINUE', runtimeVersions: { nodejs: '20' } }, build: { commands: ['one', 'two\nlines'], finally: ['last'], onFailure: undefined } },
      artifacts: { files: ['**/*'], excludePaths: ['x/**'], baseDirectory: 'out', discardPaths: true }, secondaryArtifacts: { More: { files: ['a.txt'], discardPaths: false } },
    });
  });

  it('may be JSON, as CDK writes it', () => {
    expect(parseBuildspec(JSON.stringify({ version: '0.2', phases: { build: { commands: ['cdk synth'] } }, artifacts: { 'base-directory': 'cdk.out', files: '**/*' } }, undefined, 2))).toMatchObject({ phases: { build: { commands: ['cdk synth'] } }, artifacts: { files: ['**/*'] } });
  });

  it('has no main artifact where only secondary ones are named', () => {
    expect(parseBuildspec('version: 0.2\nphases: {build: {commands: [a]}}\nartifacts: {secondary-artifacts: {X: {files: [a]}}}').artifacts).toBeUndefined();
  });

  it.each([
    ['', /not a mapping/],
    ['- a', /not a mapping/],
    ['phases: {}', /missing version/],
    ['version: 0.3', /unsupported version '0.3'/],
    ['version: 0.2\nphase: {}', /unknown key 'phase'/],
    ['version: 0.2\nphases: {test: {commands: [a]}}', /unknown key 'phases.test'/],
    ['version: 0.2\nphases: {build: {comands: [a]}}', /unknown key 'phases.build.comands'/],
    ['version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b', /Expected phases.build.commands\[0\] to be of string type/],
    ['version: 0.2\nphases: [a]', /phases must be a mapping/],
    ['version: 0.2\nphases:\n  build: {commands: [a}', /line 3/],
    ['version: 0.2\nversion: 0.2', /unique/],
    ['version: 0.2\nenv: {variables: {A: [1]}}', /env.variables.A must be text/],
    ['version: 0.2\nenv: {shell: powershell.exe}', /does not run the shell 'powershell.exe'/],
    ['version: 0.2\nbatch: {}', /does not run batch builds/],
    ['version: 0.2\nrun-as: someone', /does not run another user/],
    ['version: 0.2\nphases: {build: {on-failure: RETRY-3, commands: [a]}}', /does not run on-failure 'RETRY-3'/],
  ])('is refused with what is wrong: %j', (text, words) => {
    expect(() => parseBuildspec(text)).toThrow(words);
    expect(() => parseBuildspec(text)).toThrow(expect.objectContaining({ code: 'YAML_FILE_ERROR' }) as Error);
  });
});

describe('artifact files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'files-'));
  beforeAll(() => {
    for (const name of ['a.txt', 'b.md', '.hidden', 'out/c.txt', 'out/deep/d.txt', 'out/deep/e.md', 'other/c.txt']) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), name);
    }
    symlinkSync('a.txt', join(folder, 'link.txt'));
    symlinkSync('..', join(folder, 'other', 'loop'));
    symlinkSync('nowhere', join(folder, 'broken'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const chosen = (files: string[], more: Partial<Parameters<typeof chooseFiles>[0]> = {}): string[] =>
    chooseFiles({ files, excludePaths: [], baseDirectory: undefined, discardPaths: false, name: undefined, followLinks: true, ...more }, folder).map(({ name }) => name).sort();

  it.each<[what: string, files: string[], more: Parameters<typeof chosen>[1], names: string[]]>([
    ['one by name', ['a.txt'], {}, ['a.txt']],
    ['a name with ./', ['./b.md'], {}, ['b.md']],
    ['a star within one folder', ['*.txt'], {}, ['a.txt', 'link.txt']],
    ['all of a folder', ['out/*'], {}, ['out/c.txt']],
    ['all below a folder', ['out/**/*'], {}, ['out/c.txt', 'out/deep/d.txt', 'out/deep/e.md']],
    ['from a base directory', ['**/*'], { baseDirectory: 'out' }, ['c.txt', 'deep/d.txt', 'deep/e.md']],
    ['from base directories by pattern', ['**/*.txt'], { baseDirectory: 'o*' }, ['c.txt', 'c.txt', 'deep/d.txt']],
    ['without what is excluded', ['**/*'], { baseDirectory: 'out', excludePaths: ['**/*.md'] }, ['c.txt', 'deep/d.txt']],
    ['without their folders', ['out/**/*'], { discardPaths: true }, ['c.txt', 'd.txt', 'e.md']],
    ['hidden ones too', ['**/*'], { excludePaths: ['out/**', 'other/**'] }, ['.hidden', 'a.txt', 'b.md', 'link.txt']],
  ])('%s', (_what, files, more, names) => {
    // Both base directories of the pattern hold a c.txt; `other/loop` leads back and is walked once.
    expect(chosen(files, more).filter((name) => !name.startsWith('loop/'))).toEqual(names);
  });

  it('that match nothing are an error, a folder’s name as well', () => {
    expect(() => chosen(['none/*'])).toThrow(/no matching artifact paths found/);
    expect(() => chosen(['out'])).toThrow(/no matching artifact paths found/);
    expect(() => chosen(['*'], { baseDirectory: 'gone' })).toThrow(/no matching base directory path found for gone/);
    expect(() => chosen(['*'], { baseDirectory: 'gone*' })).toThrow(/no matching base directory path found for gone\*/);
  });

  it('keep links as links where enable-symlinks says so', () => {
    const files = chooseFiles({ files: ['link.txt'], excludePaths: [], baseDirectory: undefined, discardPaths: false, name: undefined, followLinks: false }, folder);
    expect(files).toMatchObject([{ name: 'link.txt', link: 'a.txt' }]);
  });
});
