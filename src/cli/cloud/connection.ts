import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { FlotillaError } from '../../shared/errors.js';

/** A running local cloud, as its folder describes it. */
export interface CloudConnection {
  readonly pid: number;
  readonly endpoint: string;
  readonly token: string;
  readonly directory: string;
}

/** `.flotilla` of the working folder, or of the nearest folder above that has one. */
export function flotillaFolder(explicit?: string): string {
  if (explicit !== undefined) return resolve(explicit);
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const candidate = join(folder, '.flotilla');
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return resolve('.flotilla');
  }
}

export function cloudDirectory(folder: string): string {
  return join(folder, 'cloud');
}

/** The cloud that runs on this folder, or undefined. */
export async function connect(folder: string): Promise<CloudConnection | undefined> {
  const directory = cloudDirectory(folder);
  const known = readConnection(directory);
  if (!known) return undefined;
  const connection = { ...known, directory };
  return (await answers(connection)) ? connection : undefined;
}

function readConnection(directory: string): Omit<CloudConnection, 'directory'> | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'cloud.json'), 'utf8')) as Omit<CloudConnection, 'directory'>;
  } catch {
    return undefined;
  }
}

async function answers(connection: CloudConnection): Promise<boolean> {
  try {
    const status = await control<{ pid: number }>(connection, 'status');
    return status.pid === connection.pid;
  } catch {
    return false;
  }
}

/** Sends a command to the control interface. Raises its error, or CLD006 when nobody answers. */
export async function control<T>(connection: CloudConnection, command: string, input: object = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`${connection.endpoint}/_flotilla/${command}`, {
      method: 'POST',
      // One connection each: an idle one may be closed from the other side just when it is used again.
      headers: { 'x-flotilla-token': connection.token, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(input),
    });
  } catch (error) {
    throw new FlotillaError('CLD006', `the local cloud at ${connection.endpoint} does not answer`, { why: error instanceof Error ? error.message : String(error), fix: 'flotilla cloud start', cause: error });
  }
  const body = (await response.json()) as T & { code?: string; message?: string; why?: string };
  if (!response.ok) throw new FlotillaError(body.code ?? 'CLD000', body.message ?? `the local cloud answered ${response.status}`, { why: body.why });
  return body;
}

/** The program of the local cloud: beside this bundle. */
const PROGRAM = fileURLToPath(new URL('./local.js', import.meta.url));

const START_TIMEOUT_MS = 30_000;

/** Starts the local cloud as a process of its own and waits until it answers; an already running one is taken as it is. */
export async function startCloudProcess(folder: string, options: { port?: number | undefined } = {}): Promise<CloudConnection & { readonly started: boolean }> {
  const running = await connect(folder);
  if (running) return { ...running, started: false };
  const directory = cloudDirectory(folder);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = join(directory, 'log');
  const begin = existsSync(log) ? statSync(log).size : 0;
  const handle = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, [PROGRAM, '--dir', directory, ...(options.port === undefined ? [] : ['--port', String(options.port)])], {
    detached: true,
    stdio: ['ignore', handle, handle],
    env: cloudEnvironment(),
  });
  closeSync(handle);
  let exited: number | undefined;
  child.once('exit', (code) => (exited = code ?? 1));
  child.unref();
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await delay(25)) {
    const known = readConnection(directory);
    if (known !== undefined && known.pid === child.pid) {
      const connection = { ...known, directory };
      if (await answers(connection)) return { ...connection, started: true };
    }
    if (exited !== undefined) throw startFailure(log, begin, exited);
  }
  child.kill();
  throw new FlotillaError('CLD007', 'the local cloud did not start in 30 seconds', { where: log, fix: 'read the log; remove .flotilla/cloud to start with a new one' });
}

function startFailure(log: string, begin: number, code: number): FlotillaError {
  const text = readFileSync(log, 'utf8').slice(begin).trim();
  const stated = /✖ (\w+) (.*)/.exec(text);
  if (stated) {
    const why = /^ {2}why {2}(.*)$/m.exec(text)?.[1];
    const fix = /^ {2}fix {2}(.*)$/m.exec(text)?.[1];
    return new FlotillaError(stated[1]!, stated[2]!, { why, fix });
  }
  return new FlotillaError('CLD008', `the local cloud ended with code ${code} while starting`, { why: text.split('\n').slice(-5).join('\n'), where: log });
}

/** The cloud gets none of its user's AWS settings: nothing in it may reach the real one. */
function cloudEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^AWS_/.test(name)));
}

/** Stops the cloud and waits for its end; true when there was one. */
export async function stopCloudProcess(folder: string): Promise<boolean> {
  const connection = await connect(folder);
  if (!connection) return false;
  await control(connection, 'stop');
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await delay(25)) if (!alive(connection.pid)) return true;
  process.kill(connection.pid, 'SIGKILL');
  return true;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes all state of a stopped cloud; the next start is a new one, with other secrets. */
export function removeState(folder: string): void {
  rmSync(cloudDirectory(folder), { recursive: true, force: true });
  rmSync(join(folder, 'aws'), { recursive: true, force: true });
}
