import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FleetFileError, readConfig, type Problem } from '../../../src/config/index.js';
import { loadFleet } from '../../../src/fleet/load.js';
import { examineFleet } from '../../../src/fleet/resolve.js';

const folder = mkdtempSync(join(tmpdir(), 'flotilla-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HEAD = `fleet: payments
pipeline: { account: "999999999999", region: us-east-1, source: { codecommit: payments } }
`;

function errorOf(...texts: string[]): FleetFileError {
  try {
    readConfig(
      texts.map((text, index) => ({ file: index === 0 ? 'flotilla.yaml' : `overlay${index}.yaml`, text })),
      (config) => examineFleet(config).mistakes,
    );
  } catch (error) {
    expect(error).toBeInstanceOf(FleetFileError);
    return error as FleetFileError;
  }
  throw new Error('nothing was refused');
}

const problems = (...texts: string[]): readonly Problem[] => errorOf(...texts).problems;
const brief = (...texts: string[]): string[] => problems(...texts).map(({ code, message, where }) => `${where} ${code} ${message}`);

describe('a mistake says what, where, why and how to fix it', () => {
  test('as the reference of the command line has it', () => {
    const error = errorOf(`${HEAD}environments:\n  prod:\n    account: 333333333333\n    region: us-east-1\n`);
    expect(error.exitCode).toBe(2);
    expect(error.code).toBe('CFG012');
    expect(error.message).toBe(`1 mistake in flotilla.yaml

✖ CFG012 environments.prod.account must be a 12-digit string
  flotilla.yaml:5:14
5 │     account: 333333333333
  │              ^^^^^^^^^^^^
  why  unquoted digits parse as a number
  fix  account: "333333333333"                    more: flotilla explain CFG012
`);
  });

  test('leading zeros stay in the advice', () => {
    expect(problems(`${HEAD}environments: { prod: { account: 0${'1'.repeat(11)}, region: us-east-1 } }`)[0]!.fix).toBe(`account: "0${'1'.repeat(11)}"`);
  });

  test('every mistake at once, those between parts included, in the order of the file', () => {
    expect(
      brief(`fleet: payments
pipeline: { account: "999999999999", region: us-east-1, source: { codecomit: payments } }
environments:
  dev: { acount: "111111111111", region: us-east-1 }
  prod:
    account: "333333333333"
    rollout: paralel
    region: us-east-1
    regions: [us-east-1]
  test: { account: "222222222222" }
`),
    ).toEqual([
      'flotilla.yaml:2:57 CFG010 pipeline.source must name one of codecommit, github, bitbucket, gitlab, s3, ecr',
      'flotilla.yaml:4:10 CFG005 environments.dev.acount is not a key the fleet file knows here',
      'flotilla.yaml:7:14 CFG010 environments.prod.rollout must be "parallel", "one-by-one" or an object, not "paralel"',
      'flotilla.yaml:9:5 CFG042 environments.prod.regions stands beside region',
      'flotilla.yaml:10:3 CFG041 environments.test has neither region nor regions',
    ]);
  });

  test('unions are told in the form that was meant', () => {
    const [problem, ...others] = problems(`${HEAD}environments: { prod: { account: "333333333333", region: us-east-1, verify: { smoke: { comands: [x] } } } }`);
    expect(problem).toMatchObject({ code: 'CFG005', path: 'environments.prod.verify.smoke.comands', fix: 'did you mean commands?' });
    expect(others).toEqual([]);
  });

  test('a key of another level is sent there', () => {
    const [problem] = problems(`${HEAD}environments: { prod: { account: "333333333333", region: us-east-1, approval: true } }`);
    expect(problem).toMatchObject({ code: 'CFG005', fix: 'it belongs into gates: gates: { approval: … }' });
  });
});

describe('layers', () => {
  const base = `${HEAD}environments:\n  prod: { account: "333333333333", regions: [us-east-1, eu-west-1], tags: { a: b } }\n`;

  test('a later file is merged over an earlier one; lists are replaced, null removes', () => {
    const config = readConfig(
      [
        { file: 'a', text: base },
        { file: 'b', text: 'pipeline: { source: { github: a/b, token: t } }\nenvironments: { prod: { regions: [eu-west-2], tags: null } }' },
      ],
      () => [],
    );
    expect(config.environments['prod']).toMatchObject({ account: '333333333333', regions: ['eu-west-2'] });
    expect(config.environments['prod']!.tags).toBeUndefined();
    expect(config.pipeline!.source).toMatchObject({ github: 'a/b' });
  });

  test('a mistake stands in the file it came from', () => {
    expect(brief(base, 'environments:\n  prod:\n    regions: [us-east1]\n')).toEqual(['overlay1.yaml:3:15 CFG013 environments.prod.regions[0] must be the code of a region']);
    expect(brief(base.replace('us-east-1, eu', 'us-east-1, EU'), 'fleet: other')[0]).toMatch(/^flotilla.yaml:4:57 CFG013/);
  });
});

describe('files', () => {
  test('JSON and YAML are read, overlays too', () => {
    writeFileSync(join(folder, 'fleet.json'), JSON.stringify({ fleet: 'x', pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'x' } }, environments: {} }, null, '\t'));
    writeFileSync(join(folder, 'over.yaml'), 'environments: { dev: { account: "111111111111", region: eu-west-1 } }');
    expect(loadFleet(join(folder, 'fleet.json'), { overlays: [join(folder, 'over.yaml')] }).pipelines[0]!.waves.map(({ id }) => id)).toEqual(['Dev']);
  });

  test('a file that isn’t there', () => {
    expect(() => loadFleet(join(folder, 'none.yaml'))).toThrow(/CFG001 there is no file/);
  });

  test.each([
    ['a tab', 'a:\n\tb: 1', 'CFG002'],
    ['an open bracket', 'a: [1', 'CFG002'],
    ['two documents', 'a: 1\n---\nb: 1', 'CFG002'],
    ['a key twice', 'fleet: a\nfleet: b', 'CFG003'],
    ['an alias that names nothing', 'fleet: *x', 'CFG004'],
    ['an alias of itself', 'fleet: &x { a: *x }', 'CFG004'],
    ['a merge of itself', 'fleet: &x { <<: *x }', 'CFG004'],
    ['aliases that multiply', `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefg'.split('').map((key, index) => `${key}: &${key} [${Array(10).fill(`*${'abcdef'[index]}`).join(',')}]`).join('\n')}`, 'CFG004'],
    ['an empty file', '', 'CFG007'],
    ['a list', '- 1', 'CFG007'],
    ['a key of objects', '? {a: 1}\n: 2', 'CFG002'],
    ['infinity', 'fleet: .inf', 'CFG002'],
    ['the prototype', '__proto__: { fleet: x }', 'CFG002'],
  ])('%s is a mistake with a place', (_, text, code) => {
    expect(problems(text).map((problem) => problem.code)).toContain(code);
    expect(problems(text)[0]!.where).toMatch(/^flotilla.yaml:\d+:\d+$/);
  });

  test('a bracket that is left open is told once, not again for every line below', () => {
    expect(problems('fleet: [\n  a: 1\n  b: 2\n  c: 3\n').map(({ code }) => code)).toEqual(['CFG002']);
  });

  test('merge keys and anchors are read as YAML has them', () => {
    const config = readConfig([{ file: 'a', text: `${HEAD}environments:\n  dev: &base { account: "111111111111", region: us-east-1, tags: { a: b } }\n  prod: { <<: *base, account: "333333333333" }\n` }], () => []);
    expect(config.environments['prod']).toMatchObject({ account: '333333333333', region: 'us-east-1', tags: { a: 'b' } });
  });
});
