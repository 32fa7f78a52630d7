import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FleetFileError, readConfig, type Problem } from '../../../src/config/index.js';
import { inspectFleet, loadFleet, parseFleet } from '../../../src/fleet/load.js';
import { examineFleet } from '../../../src/fleet/resolve.js';

const folder = mkdtempSync(join(tmpdir(), 'flotilla-mistakes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PIPELINE = 'pipeline: { account: "999999999999", region: us-east-1, source: { codecommit: payments } }';
const fleet = (environments: string, rest = ''): string => `fleet: payments\n${PIPELINE}\nenvironments:\n${environments}\n${rest}`;

function problems(text: string): readonly Problem[] {
  try {
    readConfig([{ file: 'flotilla.yaml', text }], (config) => examineFleet(config).mistakes);
  } catch (error) {
    return (error as FleetFileError).problems;
  }
  return [];
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('what was meant', () => {
  const place = 'account: "333333333333", region: us-east-1';
  test.each<[string, string, string, string | undefined]>([
    ['a key', fleet('  prod: { account: "333333333333", regoin: us-east-1 }'), 'CFG005', 'did you mean region?'],
    ['a form', fleet(`  prod: { ${place}, rollout: 3 }`), 'CFG010', 'for instance rollout: parallel'],
    ['a form in a list', fleet('  prod: { account: "333333333333", regions: [3] }'), 'CFG010', 'for instance { region: … }'],
    ['a key of gates', fleet(`  prod: { ${place}, approval: yes }`), 'CFG005', 'it belongs into gates: gates: { approval: … }'],
    ['a key of the whole file', fleet(`  prod: { ${place}, notify: {} }`), 'CFG005', 'it belongs to the top of the file'],
    ['a key of the pipeline', fleet(`  prod: { ${place} }`, 'synth: [make]'), 'CFG005', 'it belongs into pipeline: pipeline: { synth: … }'],
    ['a region', fleet('  prod: { account: "333333333333", region: us-esat-1 }'), 'CFG013', 'did you mean us-east-1? If AWS has opened it since: newRegions: [us-esat-1]'],
    ['a region that has not even its form', fleet('  prod: { account: "333333333333", region: us-east1 }'), 'CFG013', 'did you mean us-east-1?'],
    ['an account of 11 digits', fleet('  prod: { account: "33333333333", regions: [us-east-1] }\n  test: { account: "333333333333", region: us-east-1 }'), 'CFG012', 'did you mean "333333333333"? It stands elsewhere in the file'],
    ['an account with dashes', fleet('  prod: { account: "3333-3333-3333", region: us-east-1 }'), 'CFG012', 'account: "333333333333"'],
    ['a provider', fleet('  {}').replace('codecommit:', 'codecomit:'), 'CFG010', 'did you mean codecommit for codecomit?'],
    ['a connection is missing', fleet('  {}').replace('codecommit: payments', 'gitlab: a/b'), 'CFG006', 'add `connection:`'],
    ['a source’s own key', fleet('  {}').replace('codecommit: payments', 'github: a/b, token: t, brnch: x'), 'CFG005', 'did you mean branch?'],
    ['a word', fleet(`  prod: { ${place}, rollout: one-by-on }`), 'CFG010', 'did you mean one-by-one?'],
    ['an event', fleet('  {}', 'notify: { events: [fialed] }'), 'CFG008', 'did you mean failed?'],
    ['an environment', `fleet: payments\n${PIPELINE}\npipelines: { all: { environments: [porduction] } }\nenvironments: { production: { ${place} } }`, 'CFG045', 'did you mean production?'],
    ['a number for text', fleet(`  prod: { ${place}, tags: { version: 1.10 } }`), 'CFG007', 'version: "1.10"'],
  ])('%s', (_, text, code, fix) => {
    expect(problems(text)[0]).toMatchObject({ code, fix });
  });

  test('a region newer than this version is named as such', () => {
    expect(problems(fleet('  prod: { account: "333333333333", region: eu-west-9 }', 'newRegions: [eu-west-9]'))).toEqual([]);
  });

  test('an account one digit off another one is warned of, not refused', () => {
    const { warnings } = inspectFleet(file('twins.yaml', fleet(`  a: { account: "333333333333", region: us-east-1 }\n  b: { account: "333333333333", region: eu-west-1 }\n  c: { account: "${'3'.repeat(10)}23", region: us-east-1 }`)));
    expect(warnings).toMatchObject([{ code: 'CFG070', path: 'environments.c.account', fix: 'did you mean "333333333333"?' }]);
    expect(warnings[0]!.where).toMatch(/twins.yaml:6:17$/);
  });
});

test('a variable of a build that by its name is a secret is warned of, wherever it stands, and a named secret is not', () => {
  const steps = 'verify: { smoke: { commands: [./smoke.sh], environment: { API_TOKEN: abc, LEVEL: debug, TOKEN_URL: "https://example.com" }, secrets: { DB_PASSWORD: database } } }';
  const { warnings } = inspectFleet(file('variables.yaml', fleet(`  a: { account: "333333333333", region: us-east-1, parameters: { environment: { PASSWORD: x } }, ${steps} }`).replace('codecommit: payments }', 'codecommit: payments }, build: { environment: { DB_PASSWORD: hunter2, OTHER_TOKEN: $API_TOKEN } }')));
  expect(warnings).toMatchObject([
    { code: 'CFG071', path: 'pipeline.build.environment.DB_PASSWORD', fix: 'secrets: { DB_PASSWORD: NAME-OF-A-SECRET }' },
    { code: 'CFG071', path: 'environments.a.verify.smoke.environment.API_TOKEN' },
  ]);
});

describe('secrets in the file are refused, and not repeated', () => {
  // Put together here, so that no scanner takes this file for one that leaks.
  const secrets = [`AKIA${'A'.repeat(16)}`, `ghp_${'a'.repeat(36)}`, `xoxb-${'1'.repeat(12)}`, `npm_${'a'.repeat(36)}`, `glpat-${'a'.repeat(20)}`, `aws_secret_access_key: ${'a'.repeat(40)}`];

  test.each(secrets)('%s', (secret) => {
    const [problem, ...others] = problems(fleet('  {}', `# ${secret}`));
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'CFG024', where: 'flotilla.yaml:5:3' });
    expect(JSON.stringify(problem)).not.toContain(secret);
  });

  test('in a value, in code, and on a line with another mistake', () => {
    const bad = fleet(`  prod: { account: "333333333333", region: us-east-1, environment: { T: ${secrets[1]} } }`);
    expect(problems(bad).map(({ code }) => code)).toEqual(['CFG024']);
    expect(() => parseFleet({ fleet: 'x', environments: {}, tags: { t: secrets[0]! } })).toThrow(/CFG024 tags.t holds an access key/);
    expect(problems(bad)[0]!.frame).toContain('ghp_••••');
  });

  test('hide no other mistake of the file, and no mistake quotes them', () => {
    const found = problems(fleet(`  prod: { account: "333333333333", regoin: us-east-1, rollout: ${secrets[1]}, gates: { ${secrets[0]}: true } }`, `# ${secrets[2]}`));
    expect(found.map(({ code }) => code).toSorted()).toEqual(['CFG005', 'CFG005', 'CFG010', 'CFG024', 'CFG024', 'CFG024']);
    for (const secret of secrets) expect(JSON.stringify(found)).not.toContain(secret);
  });
});

describe('a fleet in code', () => {
  test('is plain data: no functions, nothing that contains itself', () => {
    const cyclic: Record<string, unknown> = { fleet: 'x', environments: {} };
    cyclic['parameters'] = { again: cyclic };
    expect(() => parseFleet(cyclic as never)).toThrow(/CFG007 parameters\.again contains itself/);
    expect(() => parseFleet({ fleet: 'x y', environments: {}, parameters: { cidr: () => '10.0.0.0/16' } } as never)).toThrow(/CFG007 parameters\.cidr is a function/);
  });
});

describe('a fleet that is a program', () => {
  const source = "{ fleet: 'payments', pipeline: { account: '999999999999', region: 'us-east-1', source: { codecommit: 'payments' } }, environments: { dev: { account: '111111111111', region: 'us-east-1' } } }";

  test('JavaScript: an object or a function, with files laid over it; what it prints disturbs nothing', () => {
    const overlay = file('over.yaml', 'environments: { dev: { region: eu-west-1 } }');
    expect(loadFleet(file('flotilla.config.mjs', `console.log('hello'); export default async () => (${source});`), { overlays: [overlay] }).bootstrap.map(({ region }) => region)).toEqual(['us-east-1', 'eu-west-1']);
    expect(loadFleet(file('flotilla.config.cjs', `module.exports = ${source};`)).name).toBe('payments');
  });

  test('TypeScript, by the project’s tsx', () => {
    symlinkSync(resolve(import.meta.dirname, '../../../node_modules'), join(folder, 'node_modules'));
    expect(loadFleet(file('flotilla.config.ts', `interface Any {}\nconst fleet: Any = ${source};\nexport default fleet;`)).name).toBe('payments');
  });

  test('its mistakes name the file and the path', () => {
    expect(() => loadFleet(file('bad.mjs', `export default { fleet: 'x y', environments: {} };`))).toThrow(/CFG014 fleet must be letters[^]*bad\.mjs/);
  });

  test.each([
    ['throws', "throw new Error('no network');", /no network/],
    ['exports nothing', 'export const x = 1;', /no default export/],
    ['exports what is no data', 'export default { toJSON: () => undefined };', undefined],
  ])('one that %s is CFG025', (name, text, why) => {
    const path = file(`${name.replaceAll(/\W/g, '-')}.mjs`, text);
    expect(() => loadFleet(path)).toThrow(expect.objectContaining({ code: 'CFG025', exitCode: 2, ...(why === undefined ? {} : { why: expect.stringMatching(why) }) }));
  });
});
