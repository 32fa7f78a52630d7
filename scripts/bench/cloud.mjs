// The built local cloud, as a process of its own on a folder of its own.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../setup.mjs';

export const dist = process.env.FLOTILLA_DIST ?? join(root, 'dist');
const cli = join(dist, 'cli.js');

/** Starts `dist/local.js`, with these flags of Node's where something is to be profiled. */
export async function startCloud({ node = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'));
  const directory = join(folder, '.flotilla', 'cloud');
  const begin = performance.now();
  const child = spawn(process.execPath, [...node, join(dist, 'local.js'), '--dir', directory, '--port', '0'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const file = join(directory, 'cloud.json');
  for (let tries = 0; !existsSync(file); tries++) {
    if (child.exitCode !== null || tries > 3000) throw new Error('the local cloud did not start');
    await delay(10);
  }
  const { endpoint, token } = JSON.parse(readFileSync(file, 'utf8'));
  const started = performance.now() - begin;
  const control = async (command, input = {}) => {
    const response = await fetch(`${endpoint}/_flotilla/${command}`, { method: 'POST', headers: { 'x-flotilla-token': token, connection: 'close' }, body: JSON.stringify(input) });
    if (!response.ok) throw new Error(`${command}: ${await response.text()}`);
    return response.json();
  };
  return {
    endpoint,
    folder,
    pid: child.pid,
    /** Milliseconds from the start of the process until it answers. */
    started,
    credentials: async (id) => {
      const { accessKeyId, secretAccessKey } = await control('declare', { id, name: id, region: 'us-east-1' });
      return { accessKeyId, secretAccessKey };
    },
    memory: () => memoryOf(child.pid),
    async stop({ keep = false } = {}) {
      child.kill('SIGTERM');
      await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()));
      if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Resident megabytes of a process. */
export function memoryOf(pid) {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

/** Environment of a client of AWS and nothing of the user's own settings. */
export function clientEnvironment(cloud, { accessKeyId, secretAccessKey }, region) {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|CDK_|NODE_OPTIONS|npm_)/.test(name))),
    HOME: cloud.folder,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** The script of a program that a package of node_modules brings. */
export function scriptOf(name, program) {
  const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[program]);
}

/** Runs a program to its end; milliseconds it took. Throws with its output where it fails. */
export function timed(command, args, options = {}) {
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2, ...options });
  const took = performance.now() - begin;
  if (status !== 0 && !options.anyCode) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${`${stdout}${stderr}`.slice(-3000)}`);
  return { took, stdout, stderr };
}

export const flotilla = (args, options) => timed(process.execPath, [cli, ...args], options);
