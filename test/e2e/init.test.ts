import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, execute, expectSuccess, type Ran } from './cloud.js';

/** What `flotilla init` writes, and the commands about the fleet file as programs see them. What the templates do is in systems/. */

let folder: string;
const env = { ...(process.env as Record<string, string>), npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false', NO_COLOR: '1' };
const flotilla = (cwd: string, ...args: string[]): Promise<Ran> => execute(process.execPath, [CLI, ...args], { cwd, env });
const git = (cwd: string, ...args: string[]): Promise<Ran> => execute('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', '-c', 'core.hooksPath=/dev/null', ...args], { cwd, env });
/** The records of a JSON answer, without the first, which names the schema. */
const answerOf = (ran: Ran): any => {
  const newline = ran.stdout.indexOf('\n');
  expect(JSON.parse(ran.stdout.slice(0, newline))).toEqual({ type: 'version', schema: '1.0' });
  return JSON.parse(ran.stdout.slice(newline));
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-init-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

describe('init refuses', () => {
  it.each<[string, string[], string]>([
    ['to ask where nobody can be asked', ['init', 'lambda'], 'CLI006'],
    ['a template that is none, and says which was meant', ['init', 'lamda', 'x', '--yes'], 'INI001'],
    ['a name that is none', ['init', 'lambda', 'x', '--yes', '--name', 'My App'], 'INI004'],
    ['an account that is none', ['init', 'lambda', 'x', '--yes', '--account', '1234'], 'INI004'],
  ])('%s', async (_, args, code) => {
    const ran = await flotilla(folder, ...args);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(code)]);
    expect(ran.stdout).toBe('');
  });

  it('a folder that holds something', async () => {
    mkdirSync(join(folder, 'full'));
    writeFileSync(join(folder, 'full', 'mine.txt'), '');
    expect((await flotilla(folder, 'init', 'lambda', 'full', '--yes')).stderr).toContain('INI002');
  });
});

it.each(['payments', 'networking', 'lambda', 'rest-api'])('%s is written into an empty folder as a whole app, under the name and account that were given', async (template) => {
  const made = answerOf(expectSuccess(await flotilla(folder, 'init', template, template, '--yes', '--name', `my-${template}`, '--account', '888888888888', '--output', 'json')));
  expect(made).toMatchObject({ type: 'init', template, name: `my-${template}`, account: '888888888888' });
  expect(made.files).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'cdk.json', 'package-lock.json', 'vendor/flotilla.tgz']));
  for (const file of made.files.filter((one: string) => !one.startsWith('vendor/'))) expect(readFileSync(join(folder, template, file), 'utf8')).not.toContain('999999999999');
});

describe('the fleet file on the command line', () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return name;
  };
  const HEAD = 'fleet: shop\npipeline: { account: "999999999999", region: us-east-1, source: { codecommit: shop } }\n';

  it('validate prints every mistake and ends with 2; JSON holds the same', async () => {
    const name = file('wrong.yaml', `${HEAD}environments:\n  prod: { account: 333333333333, regoin: us-east-1 }\n`);
    const ran = await flotilla(folder, 'validate', name);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain('✖ CFG012 environments.prod.account must be a 12-digit string\n  wrong.yaml:4:20\n4 │   prod: { account: 333333333333, regoin: us-east-1 }\n  │                    ^^^^^^^^^^^^\n');
    const { problems } = answerOf(await flotilla(folder, 'validate', name, '--output', 'json'));
    expect(problems.map(({ code, where }: { code: string; where: string }) => `${code} ${where}`)).toEqual(['CFG012 wrong.yaml:4:20', 'CFG005 wrong.yaml:4:34']);
  });

  it('plan compares with what git has', async () => {
    const repository = join(folder, 'repository');
    mkdirSync(repository);
    const write = (stage: string): void => writeFileSync(join(repository, 'flotilla.yaml'), `${HEAD}environments: { prod: { account: "333333333333", region: us-east-1, stage: ${stage} } }\n`);
    write('Prod');
    expectSuccess(await git(repository, 'init', '--quiet', '--initial-branch=main'));
    expect((await flotilla(repository, 'plan')).stderr).toContain('not compared with HEAD');
    expectSuccess(await git(repository, 'add', '--all'));
    expectSuccess(await git(repository, 'commit', '--quiet', '--message', 'First commit'));
    expect(expectSuccess(await flotilla(repository, 'plan')).stdout).toContain('no change since HEAD');
    write('Live');
    expect(expectSuccess(await flotilla(repository, 'plan')).stdout).toContain('stage Prod of 333333333333/us-east-1 becomes Live: EVERY STACK IN IT IS REPLACED');
  });

  it('explain tells a code with an example put right, and knows when it has nothing to say', async () => {
    expect(expectSuccess(await flotilla(folder, 'explain', 'cfg055')).stdout).toMatch(/CFG055[^]*refused[^]*put right\n {2}bootstrap: \{ qualifier: payments, toolkitStackName/);
    expect(expectSuccess(await flotilla(folder, 'explain', 'AWS001')).stdout).toContain('not bootstrapped');
    const nothing = await flotilla(folder, 'explain', 'CFG999');
    expect([nothing.code, nothing.stderr]).toEqual([6, expect.stringContaining('CLI012')]);
  });

  it('without a fleet file says which names are looked for', async () => {
    mkdirSync(join(folder, 'bare'));
    const ran = await flotilla(join(folder, 'bare'), 'validate');
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('flotilla.config.ts')]);
  });
});
