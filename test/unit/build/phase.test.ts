import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeLaunchers } from '../../../src/local/build/launchers.js';
import { runPhase, type PhaseOptions, type ShellState } from '../../../src/local/build/phase.js';
import { prepareHome } from '../../../src/local/process/index.js';

/** Commands of a phase in a real shell, and the programs that stand before the machine's own. */

const folder = mkdtempSync(join(tmpdir(), 'phase-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const workspace = join(folder, 'work');
const scratch = join(workspace, '.scratch');
mkdirSync(scratch, { recursive: true });
mkdirSync(join(workspace, 'sub'));
const home = prepareHome(join(folder, 'home'));
const begin: ShellState = { env: { PATH: process.env['PATH']! }, cwd: workspace };

async function run(commands: string[], more: Partial<PhaseOptions> = {}) {
  const lines: string[] = [];
  const started: string[] = [];
  const end = await runPhase({ commands, shell: 'sh', state: begin, scratch, workspace, home, isolation: 'process', mounts: [], secrets: [], timeoutMs: 10_000, onLine: (line) => lines.push(line), onCommand: (command) => started.push(command), onStart: () => {}, ...more });
  return { ...end, lines, started };
}

describe.each(['sh', 'bash'] as const)('commands in %s', (shell) => {
  it('share variables, functions and the folder, and hand them to the next phase', async () => {
    const first = await run(['A="one two"', 'cd sub', 'export B=$(printf "x\\ny")', 'echo "$A $(basename "$PWD")"'], { shell });
    expect(first.lines).toEqual(['one two sub']);
    const second = await run(['echo "$A"', 'echo "$B"', 'basename "$(pwd)"'], { shell, state: first.state });
    expect(second.lines).toEqual(['one two', 'x', 'y', 'sub']);
    expect([second.failed, second.exit.code]).toEqual([undefined, 0]);
  });

  it('stop at the first that fails, and say which', async () => {
    const { failed, exit, lines, started } = await run(['echo one', 'ls /does/not/exist', 'echo never'], { shell });
    expect([failed, exit.code! > 0, lines[0], started.length]).toEqual(['ls /does/not/exist', true, 'one', 2]);
    expect(lines).not.toContain('never');
  });

  it('may exit the shell themselves; what they set is kept', async () => {
    const { failed, exit, state } = await run(['A=kept', 'exit 7', 'echo never'], { shell });
    expect([failed, exit.code, state.env['A']]).toEqual(['exit 7', 7, 'kept']);
  });

  it('may have several lines, here-documents and quotes', async () => {
    const { lines, exit } = await run(['if true; then\n  echo "it\'s"\nfi', "cat <<EOF\nfrom $0x\nEOF", 'for i in 1 2\ndo echo $i; done'], { shell });
    expect(exit.code).toBe(0);
    expect([lines[0], ...lines.slice(-2)]).toEqual(["it's", '1', '2']);
  });

  it('are not ended by what they leave unset or by a failing part of a pipe', async () => {
    const { exit, lines } = await run(['echo "[$NOT_SET]"', 'false | true', '! true || echo on', 'test -f none || echo alternative'], { shell });
    expect([exit.code, lines]).toEqual([0, ['[]', 'on', 'alternative']]);
  });

  it('read nothing from a terminal', async () => {
    expect((await run(['cat; echo end'], { shell })).lines).toEqual(['end']);
  });

  it('without a line end keep their output apart from the next', async () => {
    expect((await run(['printf no-end', 'echo next'], { shell })).lines).toEqual(['no-end', 'next']);
  });
});

describe('a phase', () => {
  it('that is a syntax error fails', async () => {
    const { exit, failed } = await run(['if then']);
    expect([exit.code !== 0, failed]).toEqual([true, 'if then']);
  });

  it('whose time is over ends', async () => {
    const { exit, failed } = await run(['sleep 30'], { timeoutMs: 200 });
    expect([exit.timedOut, failed]).toEqual([true, 'sleep 30']);
  });

  it('shows no secret', async () => {
    const { lines } = await run(['echo "a hunter2 b"', 'printf hunt; printf er2; echo', 'echo "$S" >&2'], { secrets: ['hunter2'], state: { ...begin, env: { ...begin.env, S: 'hunter2' } } });
    expect(lines).toEqual(['a *** b', '***', '***']);
  });
});

describe('launchers', () => {
  const fakes = join(folder, 'fakes');
  mkdirSync(fakes);
  const fake = (name: string, text: string): void => {
    writeFileSync(join(fakes, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(fakes, name), 0o755);
  };
  const launchers = writeLaunchers(join(folder, 'cloud'), 'http://127.0.0.1:4566');
  const state = { ...begin, env: { ...launchers.env, NODE_OPTIONS: '', AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', PATH: [launchers.bin, fakes, '/usr/bin', '/bin'].join(delimiter) } };
  const shown = async (command: string): Promise<string[]> => (await run([command], { state })).lines;
  const echo = 'for a in "$@"; do echo "[$a]"; done';

  it.each([
    ['2.27.0', 's3 ls', ['[s3]', '[ls]']],
    ['2.9.19', 's3 ls', ['[--endpoint-url]', '[http://127.0.0.1:4566]', '[s3]', '[ls]']],
    ['1.22.34', "lambda invoke --cli-binary-format raw-in-base64-out --payload '{ \"a\": 1 }' out", ['[--endpoint-url]', '[http://127.0.0.1:4566]', '[lambda]', '[invoke]', '[--payload]', '[{ "a": 1 }]', '[out]']],
    ['1.32.0', 'sts x --cli-binary-format=base64', ['[sts]', '[x]']],
  ])('make the AWS CLI %s reach the local cloud', async (version, args, expected) => {
    fake('aws', `if [ "$1" = --version ]; then echo "aws-cli/${version} Python/3.11 Linux"; exit; fi\n${echo}`);
    expect(await shown(`aws ${args}`)).toEqual(expected);
  });

  it('ask APIs that were deployed of the local cloud, and nothing else', async () => {
    fake('curl', echo);
    expect(await shown("curl -fsS 'https://abc.execute-api.eu-west-1.amazonaws.com/prod/x?q=1' -d 'a b'")).toEqual(['[-fsS]', '[-H]', '[Host: abc.execute-api.eu-west-1.amazonaws.com]', '[http://127.0.0.1:4566/prod/x?q=1]', '[-d]', '[a b]']);
    expect(await shown('curl https://example.com/https://abc')).toEqual(['[https://example.com/https://abc]']);
  });

  it.each([
    ['podman', 'login --username AWS --password-stdin https://111111111111.dkr.ecr.eu-west-1.amazonaws.com', ['[login]', '[--tls-verify=false]', '[--username]', '[AWS]', '[--password-stdin]', '[127.0.0.1:4566]']],
    ['podman', 'tag asset 111111111111.dkr.ecr.eu-west-1.amazonaws.com/repo:v1', ['[tag]', '[asset]', '[127.0.0.1:4566/111111111111.dkr.ecr.eu-west-1.amazonaws.com/repo:v1]']],
    ['podman', 'push 111111111111.dkr.ecr.eu-west-1.amazonaws.com/repo:v1', ['[push]', '[--tls-verify=false]', '[127.0.0.1:4566/111111111111.dkr.ecr.eu-west-1.amazonaws.com/repo:v1]']],
    ['engine', 'push 111111111111.dkr.ecr.eu-west-1.amazonaws.com/repo:v1', ['[push]', '[127.0.0.1:4566/111111111111.dkr.ecr.eu-west-1.amazonaws.com/repo:v1]']],
    ['podman', 'pull python:3 "a b"', ['[pull]', '[python:3]', '[a b]']],
    ['buildah', 'inspect asset', ['[inspect]', '[--type]', '[image]', '[asset]']],
  ])('make %s push to the local registry: %s', async (engine, args, expected) => {
    fake(engine, echo);
    const { lines } = await run([`docker ${args}`], { state: { ...state, env: { ...state.env, FLOTILLA_ENGINE: engine } } });
    expect(lines).toEqual(expected);
  });

  it('take the first container engine that answers, and say so where none does', async () => {
    const machine = join(folder, 'machine');
    mkdirSync(machine);
    for (const name of ['sh', 'env']) symlinkSync(`/usr/bin/${name}`, join(machine, name));
    const only = { ...state, env: { ...state.env, FLOTILLA_ENGINE: '', PATH: [launchers.bin, machine].join(delimiter) } };
    writeFileSync(join(machine, 'docker'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const none = await run(['docker ps'], { state: only });
    expect([none.exit.code, none.lines.at(-1)]).toEqual([127, expect.stringMatching(/^docker: no container engine answers on this machine \(not answering: docker; looked for .*CDK_DOCKER/)]);
    writeFileSync(join(machine, 'podman'), '#!/bin/sh\necho "podman $*"\n', { mode: 0o755 });
    expect((await run(['docker ps'], { state: only })).lines).toEqual(['podman ps']);
  });

  it('have what CodeBuild’s images have and the machine may not, from the registry', async () => {
    const machine = join(folder, 'without-yarn');
    mkdirSync(machine);
    for (const name of ['sh', 'env']) symlinkSync(`/usr/bin/${name}`, join(machine, name));
    writeFileSync(join(machine, 'npx'), '#!/bin/sh\necho "npx $*"\n', { mode: 0o755 });
    const without = { ...state, env: { ...state.env, PATH: [launchers.bin, machine, launchers.last].join(delimiter) } };
    expect((await run(['yarn install --frozen-lockfile', 'n 22'], { state: without })).lines).toEqual(['npx --yes yarn@1 install --frozen-lockfile', 'npx --yes n@10 22']);
    writeFileSync(join(machine, 'yarn'), '#!/bin/sh\necho "own $*"\n', { mode: 0o755 });
    expect((await run(['yarn --version'], { state: without })).lines).toEqual(['own --version']);
  });

  it('let npm be npm, except where it installs', async () => {
    fake('npm', echo);
    expect(await shown('npm run "a b" -- --x')).toEqual(['[run]', '[a b]', '[--]', '[--x]']);
  });

  it('leave the newest release of a CDK tool to npm where the one carried doesn’t read the assembly that the build stands in', async () => {
    fake('npm', echo);
    const { 'cdk-assets': tool } = JSON.parse(launchers.env['FLOTILLA_TOOLS']!) as { 'cdk-assets': string };
    const { version } = JSON.parse(readFileSync(join(tool, 'package.json'), 'utf8')) as { version: string };
    const install = async (spec: string, schema: number): Promise<string[]> => {
      writeFileSync(join(workspace, 'manifest.json'), JSON.stringify({ version: `${schema}.0.0` }));
      return (await run([`npm install -g cdk-assets${spec}`], { state: { ...state, env: { ...state.env, HOME: home } } })).lines;
    };
    const carried = expect.arrayContaining([expect.stringContaining('the copy that Flotilla carries')]);
    expect(await install('@latest', 54)).toEqual(carried);
    expect(await install('@latest', 99)).toEqual(['[install]', '[-g]', '[cdk-assets@latest]']);
    expect(await install('', 99)).toEqual(['[install]', '[-g]', '[cdk-assets]']);
    expect(await install(`@${version}`, 99)).toEqual(carried);
    rmSync(join(workspace, 'manifest.json'));
  });

  it('say what is not installed', async () => {
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    for (const name of ['sh', 'env']) symlinkSync(`/usr/bin/${name}`, join(bare, name));
    const { exit, lines } = await run(['curl x'], { state: { ...state, env: { ...state.env, PATH: [launchers.bin, bare].join(delimiter) } } });
    expect([exit.code, lines.at(-1)]).toEqual([127, 'curl: not installed on this machine']);
  });

  it('give Python an environment of the build’s own', async () => {
    const { lines, exit } = await run(['python3 -c "import sys; print(sys.prefix != sys.base_prefix, sys.prefix)"'], { state, timeoutMs: 60_000 });
    expect([exit.code, lines.at(-1)]).toEqual([0, `True ${join(home, '.python')}`]);
  });
});
