import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AwsError } from '../../kernel/error.js';
import type { VersionRecord } from './store.js';

export interface Program {
  readonly command: string;
  readonly args: string[];
  /** It marks the end of what an invocation wrote. */
  readonly marks: boolean;
  /** The package brings its own program, `bootstrap`. */
  readonly launcher?: boolean;
}

const run = promisify(execFile);
const pythons = new Map<string, Promise<string | undefined>>();

/** How this machine runs a function. Raises InvalidRuntimeException, naming what is missing, when it can't. */
export async function program(version: Pick<VersionRecord, 'runtime' | 'packageType' | 'code'>): Promise<Program> {
  const { runtime = '' } = version;
  if (version.packageType === 'Image') throw cannot(`The function's container image ${version.code.image ?? ''} can't be run: the local cloud runs functions of zip packages only`);
  if (runtime.startsWith('nodejs')) return { command: process.execPath, args: [data('lambda-bootstrap.mjs')], marks: true };
  if (runtime.startsWith('python3')) {
    const python = (await pythonAt(runtime)) ?? (await pythonAt('python3'));
    if (!python) throw cannot(`Runtime ${runtime} needs python3 on this machine, and there is none on the PATH`);
    return { command: python, args: ['-u', data('lambda-bootstrap.py')], marks: true };
  }
  if (runtime.startsWith('provided')) return { command: 'bootstrap', args: [], marks: false, launcher: true };
  throw cannot(`The local cloud can't run ${runtime}: it runs nodejs*, python3.* and provided.* functions with this machine's own programs`);
}

const data = (name: string): string => fileURLToPath(new URL(`./data/${name}`, import.meta.url));

/** The interpreter itself, not the shim that finds it anew each time. */
function pythonAt(name: string): Promise<string | undefined> {
  let found = pythons.get(name);
  if (!found) {
    found = run(name, ['-c', 'import sys; print(sys.executable)'], { timeout: 10_000 }).then(({ stdout }) => stdout.trim() || undefined, () => undefined);
    pythons.set(name, found);
  }
  return found;
}

/** AWS answers 502, which clients try again; here trying again never helps. */
/** What this machine can't run, as Lambda says that a runtime is none. */
export function cannot(message: string): AwsError {
  return new AwsError('InvalidRuntimeException', message, { status: 400, fields: { Type: 'User' } });
}
