import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compareAssemblies } from '../../../src/ops/determinism.js';

const folder = mkdtempSync(join(tmpdir(), 'flotilla-determinism-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

/** An assembly of a pipeline and an app stack. */
function assembly(pipeline: Readonly<Record<string, unknown>>, app: unknown = {}): string {
  const directory = join(folder, `out${count++}`);
  mkdirSync(directory);
  const stack = (name: string): object => ({ type: 'aws:cloudformation:stack', environment: 'aws://111111111111/us-east-1', displayName: name, properties: { templateFile: `${name}.json` } });
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts: { Pipeline: stack('Pipeline'), App: stack('App') } }));
  writeFileSync(join(directory, 'Pipeline.json'), JSON.stringify({ Resources: { Pipeline: { Type: 'AWS::CodePipeline::Pipeline', Properties: { Stages: [], ...pipeline } } } }));
  writeFileSync(join(directory, 'App.json'), JSON.stringify({ Resources: { A: { Type: 'AWS::SNS::Topic', Properties: app } } }));
  return directory;
}

function whys(first: Readonly<Record<string, unknown>>, second: Readonly<Record<string, unknown>>): string[] {
  return compareAssemblies(assembly(first), assembly(second)).differences.map(({ path, why }) => `${path.replace('Resources.Pipeline.Properties.', '')}: ${why.split(':')[0]}`);
}

describe('two syntheses of one app', () => {
  test('that agree', () => {
    expect(compareAssemblies(assembly({ Name: 'a' }), assembly({ Name: 'a' }))).toEqual({ stacks: 2, pipelines: ['Pipeline'], differences: [] });
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string[]]>([
    ['a clock', { Name: `at ${'2026-11-21T10:00:00.000Z'}` }, { Name: 'at 2026-11-21T10:00:01.000Z' }, ['Name: a time']],
    ['milliseconds', { Tags: [{ Key: 'built', Value: '1763719200000' }] }, { Tags: [{ Key: 'built', Value: '1763719201000' }] }, ['Tags.0.Value: a time']],
    ['a random ID', { Name: '3f9c1a22-0000-4000-8000-000000000000' }, { Name: 'a10be777-0000-4000-8000-000000000000' }, ['Name: a random ID']],
    ['an asset', { Name: `x/${'a'.repeat(64)}.zip` }, { Name: `x/${'b'.repeat(64)}.zip` }, ['Name: the hash of an asset']],
    ['another order', { Tags: ['a', 'b'] }, { Tags: ['b', 'a'] }, ['Tags: the same in another order']],
    ['keys in another order', { Tags: { a: 1, b: 2 } }, { Tags: { b: 2, a: 1 } }, ['Tags: the same in another order']],
    ['a key that is there sometimes', { Name: 'a' }, { Name: 'a', Extra: 1 }, ['Extra: a value that is made anew each time']],
  ])('%s', (_, first, second, expected) => {
    expect(whys(first, second)).toEqual(expected);
  });

  test('the folder of the assembly', () => {
    const [first, second] = [assembly({}), assembly({})];
    for (const directory of [first, second]) writeFileSync(join(directory, 'App.json'), JSON.stringify({ Description: `from ${directory}` }));
    expect(compareAssemblies(first, second).differences).toMatchObject([{ stack: 'App', pipeline: false, why: expect.stringMatching(/^the folder of the assembly/) }]);
  });

  test('those of pipelines come first', () => {
    expect(compareAssemblies(assembly({ Name: 'a' }, { T: 1 }), assembly({ Name: 'b' }, { T: 2 })).differences.map(({ stack, pipeline }) => `${stack} ${pipeline}`)).toEqual(['Pipeline true', 'App false']);
  });
});
