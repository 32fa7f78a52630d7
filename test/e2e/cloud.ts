import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';

/** The repository's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The built command line: what users run. */
export const CLI = join(root, 'dist', 'cli.js');

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as a terminal shows them. */
  readonly text: string;
}

export interface RunOptions {
  /** Profile to act as; default: the first account. */
  readonly profile?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** The built local cloud as a process, and the real clients pointed at it. */
export interface TestCloud {
  /** A folder of its own, removed at the end. */
  readonly folder: string;
  /** `--dir` of every flotilla command. */
  readonly state: string;
  readonly endpoint: string;
  /** Account, and region where one was given, by profile name. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Environment of the commands: nothing of the user's AWS settings, a home of its own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Settings of an SDK v3 client. */
  client(profile: string, region?: string): { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string }; maxAttempts: number };
  flotilla(...args: string[]): Promise<Ran>;
  cdk(args: readonly string[], options?: RunOptions): Promise<Ran>;
  cdkAssets(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Tells the local cloud itself something: closed regions, faults, control policies. */
  control(command: string, input: object): Promise<unknown>;
  program(name: string, args: readonly string[], options?: RunOptions): Promise<Ran>;
  stop(): Promise<void>;
}

/** `accounts` by profile name: `{ dev: '111111111111/eu-west-1' }`. */
export async function startTestCloud(accounts: Readonly<Record<string, string>>): Promise<TestCloud> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-e2e-'));
  const state = join(folder, '.flotilla');
  const home = join(folder, 'home');
  mkdirSync(home);
  const clean = cleanEnvironment(home);
  const flotilla = (...args: string[]): Promise<Ran> => execute(process.execPath, [CLI, ...args, '--dir', state], { cwd: folder, env: clean });
  const started = expectSuccess(await flotilla('cloud', 'start', ...Object.entries(accounts).flatMap(([name, id]) => ['--account', `${name}=${id}`]), '--output', 'json'));
  const { endpoint } = recordOf(started) as { endpoint: string };
  const variables = recordOf(expectSuccess(await flotilla('cloud', 'env', '--output', 'json'))) as Record<string, string>;
  const pointed = (options: RunOptions): Record<string, string> => {
    const profile = options.profile ?? Object.keys(accounts)[0]!;
    const region = accounts[profile]!.split('/')[1] ?? 'us-east-1';
    const { target: _target, ...pointing } = variables;
    return { ...clean, ...pointing, AWS_PROFILE: profile, AWS_REGION: region, AWS_DEFAULT_REGION: region, ...options.env };
  };
  const program: TestCloud['program'] = (name, args, options = {}) => execute(name, args, { cwd: options.cwd ?? folder, env: pointed(options), input: options.input });
  return {
    folder,
    state,
    endpoint,
    accounts,
    environment: clean,
    client: (profile, region) => ({ endpoint, region: region ?? accounts[profile]!.split('/')[1] ?? 'us-east-1', credentials: credentialsOf(variables['AWS_SHARED_CREDENTIALS_FILE']!, profile), maxAttempts: 1 }),
    flotilla,
    control: async (command, input) => {
      const { token } = JSON.parse(readFileSync(join(state, 'cloud', 'cloud.json'), 'utf8')) as { token: string };
      const response = await fetch(`${endpoint}/_flotilla/${command}`, { method: 'POST', headers: { 'x-flotilla-token': token }, body: JSON.stringify(input) });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    },
    program,
    cdk: (args, options) => program(process.execPath, [scriptOf('aws-cdk', 'cdk'), ...args, '--no-color', '--ci', '--no-notices'], options),
    cdkAssets: (args, options) => program(process.execPath, [scriptOf('cdk-assets', 'cdk-assets'), ...args], options),
    stop: async () => {
      await flotilla('cloud', 'stop');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The text, when the command ended well; otherwise an error that shows it. */
export function expectSuccess(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`ended with ${ran.code}:\n${ran.text}`);
  return ran;
}

/** What a flotilla command with `--output json` printed, behind the line that names the schema. */
export function recordOf(ran: Ran): unknown {
  return JSON.parse(ran.stdout.slice(ran.stdout.indexOf('\n')));
}

const { $defs } = JSON.parse(readFileSync(join(root, 'schema', 'output.json'), 'utf8')) as { $defs: Record<string, object> };
const ajv = new Ajv({ strict: false, validateFormats: false });

/** The same, held against the schema that is published for the command. */
export function outputOf(command: string, ran: Ran): unknown {
  const record = recordOf(ran);
  if (!ajv.validate($defs[command]!, record)) throw new Error(`${command}: ${ajv.errorsText()}\n${JSON.stringify(record).slice(0, 2000)}`);
  return record;
}

/** Whether a program is on the PATH: tests of clients that may be absent ask. */
export function installed(name: string, ...args: string[]): Promise<boolean> {
  return execute(name, args, { cwd: tmpdir(), env: process.env as Record<string, string> }).then(({ code }) => code === 0, () => false);
}

/** Files of a fixture app: a folder with them in it. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** An app on the built library, in a repository with one commit of it, beside a cloud; answers its folder. */
export function fleetAppIn(cloud: TestCloud, files: Readonly<Record<string, string>>): string {
  const app = writeFiles(join(cloud.folder, 'app'), files);
  for (const name of ['cdk.cjs', 'steps']) cpSync(join(root, 'dist', name), join(app, 'library', name), { recursive: true });
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false', ...args], { cwd: app, stdio: 'ignore' });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'First commit');
  return app;
}

export function execute(name: string, args: readonly string[], options: { cwd: string; env: Record<string, string>; input?: string | undefined }): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { cwd: options.cwd, env: options.env, stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => ((stdout += chunk.toString()), (text += chunk.toString())));
    child.stderr!.on('data', (chunk: Buffer) => ((stderr += chunk.toString()), (text += chunk.toString())));
    child.stdin?.end(options.input);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr, text }));
  });
}

/** Nothing of the user's AWS settings, and a home of its own: what works, works by `flotilla cloud env` alone. */
function cleanEnvironment(home: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name, value]) => value !== undefined && !/^(AWS_|CDK_|NODE_OPTIONS|VITEST)/.test(name)) as [string, string][];
  return { ...Object.fromEntries(kept), HOME: home, CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_DISABLE_VERSION_CHECK: 'true', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
}

function credentialsOf(file: string, profile: string): { accessKeyId: string; secretAccessKey: string } {
  const section = readFileSync(file, 'utf8').split(/^\[/m).find((text) => text.startsWith(`${profile}]`)) ?? '';
  const value = (name: string): string => new RegExp(`^${name} = (.*)$`, 'm').exec(section)?.[1] ?? '';
  return { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') };
}

/** The script behind a program of a package in node_modules. */
function scriptOf(name: string, program: string): string {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: Record<string, string> | string };
  const script = join(dirname(manifest), typeof bin === 'string' ? bin : bin[program]!);
  if (!existsSync(script)) throw new Error(`${name} has no program ${program}`);
  return script;
}
