import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { baseEnvironment, maskSecrets, prepareHome, resolveIsolation, startProcess, type Isolation, type ProcessOptions } from '../../../src/local/process/index.js';

const folder = mkdtempSync(join(tmpdir(), 'process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const workspace = join(folder, 'work');
mkdirSync(workspace);
const home = prepareHome(join(folder, 'home'));
const best = await resolveIsolation('auto');
const modes: Isolation[] = best === 'bwrap' ? ['process', 'bwrap'] : ['process'];

async function run(options: Partial<ProcessOptions>) {
  const lines: string[] = [];
  const running = startProcess({ cwd: workspace, workspace, home, isolation: 'process', onOutput: (line) => lines.push(line), ...options });
  return { ...(await running.exit), lines };
}

describe.each(modes)('a process under isolation %s', (isolation) => {
  it('hands over its lines and its exit code', async () => {
    const { code, lines } = await run({ isolation, script: 'echo one; printf "two\\r\\nthree"; exit 7' });
    expect([code, lines]).toEqual([7, ['one', 'two', 'three']]);
  });

  it('is given nothing of the environment that leads to the user', async () => {
    process.env['AWS_SECRET_ACCESS_KEY'] = 'users-own';
    process.env['NPM_TOKEN'] = 'users-own';
    const { lines } = await run({ isolation, command: 'env', env: { CI: 'true' } });
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    delete process.env['NPM_TOKEN'];
    expect(lines.filter((line) => line.includes('users-own') || line.startsWith('SSH_'))).toEqual([]);
    expect(lines).toEqual(expect.arrayContaining([`HOME=${home}`, 'CI=true', 'AWS_EC2_METADATA_DISABLED=true']));
  });

  it('ends with all it started when its time is over', async () => {
    const marker = join(workspace, `late-${isolation}`);
    const { timedOut, lines } = await run({ isolation, script: `(sleep 1; touch ${marker}) & echo started; trap "" TERM; while :; do sleep 0.05; done`, limits: { timeoutMs: 300, graceMs: 100 } });
    expect([timedOut, lines[0], existsSync(marker)]).toEqual([true, 'started', false]);
  });

  it('is not outlived by what it left in the background', async () => {
    const started = Date.now();
    const { code } = await run({ isolation, script: 'sleep 20 & exit 0' });
    expect([code, Date.now() - started < 5000]).toEqual([0, true]);
  });

  it('writes into its workspace and reads what it is given', async () => {
    const { code, lines } = await run({ isolation, script: 'cat > copy; cat copy; node -e "console.log(1+1)"', stdin: { text: 'given\n' } });
    expect([code, lines, readFileSync(join(workspace, 'copy'), 'utf8')]).toEqual([0, ['given', '2'], 'given\n']);
  });
});

describe.runIf(best === 'bwrap')('bubblewrap', () => {
  it('hides files outside the workspace and the user\'s home', async () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'mine');
    const { lines } = await run({ isolation: 'bwrap', script: `cat ${secret} 2>/dev/null || echo hidden; ls ${homedir()}/.aws ${homedir()}/.ssh 2>/dev/null; touch /usr/x 2>/dev/null || echo read-only` });
    expect(lines).toEqual(['hidden', 'read-only']);
  });

  it('shows a folder where the code expects it', async () => {
    const layer = join(folder, 'layer');
    mkdirSync(layer);
    writeFileSync(join(layer, 'file'), 'layered\n');
    const { lines } = await run({ isolation: 'bwrap', script: 'cat /opt/file', mounts: [{ source: layer, target: '/opt' }] });
    expect(lines).toEqual(['layered']);
  });
});

it('says why a program did not start', async () => {
  expect(await run({ command: 'true', cwd: '/dev/null/nowhere' })).toMatchObject({ code: undefined, error: 'the folder /dev/null/nowhere does not exist' });
});

describe('secrets', () => {
  const masked = (secrets: string[], ...pieces: string[]): string => {
    const masker = maskSecrets(secrets);
    return pieces.map((piece) => masker.push(piece)).join('') + masker.flush();
  };
  it('are masked across the borders of pieces', () => {
    expect(masked(['s3cret'], 'a s3', 'cr', 'et b s3cre', 'x')).toBe('a *** b s3crex');
  });
  it('that begin alike are masked to the end of the longer one', () => {
    expect(masked(['abc', 'abcdef'], 'abc', 'def abc', ' x')).toBe('*** *** x');
  });
  it('that overlap leave nothing of either that is a whole secret', () => {
    expect(masked(['xxab', 'abcd'], 'xxab', 'cd')).toBe('***cd');
  });
  it('come out masked in lines, whatever the pieces', async () => {
    const { lines } = await run({ script: 'printf "tok"; sleep 0.05; printf "en-1 and more\\n"', secrets: ['token-1'] });
    expect(lines).toEqual(['*** and more']);
  });
});

describe('the environment', () => {
  it('keeps proxies, and never sends the local cloud through one', () => {
    const env = baseEnvironment(home, { PATH: '/bin', HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'corp', AWS_PROFILE: 'mine', SSH_AUTH_SOCK: '/x' });
    expect(env).toMatchObject({ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'corp,127.0.0.1,localhost,::1' });
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['AWS_PROFILE']));
    expect(env['SSH_AUTH_SOCK']).toBeUndefined();
  });
  it('takes a registry\'s address along without its password', () => {
    const own = prepareHome(join(folder, 'registry-home'), folder, { npm_config_registry: 'https://me:token@registry.example/npm/' });
    expect(readFileSync(join(own, '.npmrc'), 'utf8')).toBe('registry=https://registry.example/npm/\n');
  });
});
