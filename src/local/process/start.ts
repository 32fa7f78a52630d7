import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { FlotillaError } from '../../shared/errors.js';
import { baseEnvironment } from './environment.js';
import { bubblewrapped, type Isolation, type Mount } from './isolation.js';
import { lineSplitter } from './lines.js';
import { maskSecrets } from './mask.js';

export interface ProcessOptions {
  /** A program and its arguments; or `script`. */
  readonly command?: string;
  readonly args?: readonly string[];
  /** Text for a shell. */
  readonly script?: string;
  /** Default `sh`. */
  readonly shell?: 'sh' | 'bash';
  readonly cwd: string;
  /** Added to `baseEnvironment(home)`, and stronger. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder the process may write to. */
  readonly workspace: string;
  /** Made by `prepareHome`. */
  readonly home: string;
  readonly isolation: Isolation;
  /** What else it may see: always as it is, in process mode; at `target`, under bubblewrap. */
  readonly mounts?: readonly Mount[];
  readonly limits?: Limits;
  /** Values that never appear in the output. */
  readonly secrets?: Iterable<string>;
  /** Called with every line, without its end. */
  readonly onOutput?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** `pipe` gives the handle a `stdin`; text is written and ended; default: nothing to read. */
  readonly stdin?: 'pipe' | { readonly text: string };
}

export interface Limits {
  /** The group is stopped after so many milliseconds; `exit` says `timedOut`. */
  readonly timeoutMs?: number;
  /** Between SIGTERM and SIGKILL; default 2,000. */
  readonly graceMs?: number;
  readonly openFiles?: number;
  /** Largest file it may write, in bytes. */
  readonly fileBytes?: number;
}

export interface Exit {
  /** Undefined when a signal ended it, or when it never started. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  /** Why it didn't start (program not found, folder missing). */
  readonly error: string | undefined;
}

export interface RunningProcess {
  /** Undefined when it didn't start. */
  readonly pid: number | undefined;
  /** Resolves when the process ended and all its output was handed over; never rejects. What it left running is killed. */
  readonly exit: Promise<Exit>;
  readonly stdin: Writable | undefined;
  /** Sends a signal to the whole group. */
  signal(name: NodeJS.Signals): void;
  /** SIGTERM to the group, SIGKILL after `graceMs`. */
  stop(): Promise<Exit>;
}

const GRACE = 2000;
/** How long output of what a process left behind is waited for. */
const LINGER = 250;

/** Starts a process. Raises FlotillaError PRC002 for a mount that process mode can't show. */
export function startProcess(options: ProcessOptions): RunningProcess {
  const command = options.script !== undefined ? [options.shell ?? 'sh', '-c', options.script] : [options.command ?? 'true', ...(options.args ?? [])];
  const env = { ...baseEnvironment(options.home), ...options.env };
  const argv = isolated([...limited(options.limits), ...command], env, options);
  const onBoard = options.isolation === 'bwrap';
  if (!existsSync(onBoard ? options.workspace : options.cwd)) return neverStarted(`the folder ${options.cwd} does not exist`);
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd: onBoard ? options.workspace : options.cwd,
    env,
    // A session and group of its own: a signal reaches all it started, and there is no terminal to write into.
    detached: true,
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', onBoard ? 'ignore' : 'pipe'],
  });
  if (typeof options.stdin === 'object') child.stdin?.end(options.stdin.text);
  child.stdin?.on('error', () => {
    // The process ended without reading all of it: its exit says what there is to say.
  });
  child.stdio[3]?.on('error', () => {});
  return supervise(child, options);
}

/** Under process mode a lifeline takes the group along when the local cloud dies, as `--die-with-parent` does under bubblewrap. */
const LIFELINE = '( ( read -r _ <&3; kill -KILL 0 ) >/dev/null 2>&1 </dev/null 3<&3 & ); exec 3<&-; exec "$@"';

function isolated(command: readonly string[], env: Record<string, string>, options: ProcessOptions): string[] {
  const mounts = options.mounts ?? [];
  if (options.isolation === 'process') {
    const moved = mounts.find(({ source, target }) => target !== undefined && resolve(source) !== target);
    if (moved) throw new FlotillaError('PRC002', `The code expects ${moved.target}, which only bubblewrap can show to it`, { fix: 'install bubblewrap and run with isolation `bwrap`' });
    return ['/bin/sh', '-c', LIFELINE, 'flotilla', ...command];
  }
  const temporary = join(options.home, 'tmp');
  mkdirSync(temporary, { recursive: true });
  env['TMPDIR'] = '/tmp';
  return bubblewrapped(command, {
    cwd: options.cwd,
    path: env['PATH'] ?? '',
    temporary,
    mounts: [...mounts.filter(({ target }) => target === undefined), { source: options.workspace, writable: true }, { source: options.home, writable: true }, ...mounts.filter(({ target }) => target !== undefined)],
  });
}

function limited(limits: Limits | undefined): string[] {
  const set = ['ulimit -c 0'];
  if (limits?.openFiles !== undefined) set.push(`ulimit -n ${limits.openFiles}`);
  // POSIX counts in blocks of 512 bytes; so does dash.
  if (limits?.fileBytes !== undefined) set.push(`ulimit -f ${Math.ceil(limits.fileBytes / 512)}`);
  return ['/bin/sh', '-c', `${set.join('; ')}; exec "$@"`, 'flotilla'];
}

function supervise(child: ChildProcess, options: ProcessOptions): RunningProcess {
  const grace = options.limits?.graceMs ?? GRACE;
  let timedOut = false;
  let ended = false;
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined || ended) return;
    toGroup(child.pid, name);
  };
  const terminate = (): void => {
    signal('SIGTERM');
    setTimeout(() => signal('SIGKILL'), grace).unref();
  };
  const timer = options.limits?.timeoutMs === undefined ? undefined : setTimeout(() => {
    timedOut = true;
    terminate();
  }, options.limits.timeoutMs);
  const secrets = [...(options.secrets ?? [])];
  const splitters = (['stdout', 'stderr'] as const).map((name) => {
    const splitter = lineSplitter(maskSecrets(secrets), (line) => options.onOutput?.(line, name));
    child[name]?.on('data', (chunk: Buffer) => splitter.write(chunk));
    return splitter;
  });

  const exit = new Promise<Exit>((resolveExit) => {
    const finish = (exited: Partial<Exit>): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      // What it left behind holds the output open and has no business any more.
      if (child.pid !== undefined) toGroup(child.pid, 'SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.stdio[3]?.destroy();
      for (const splitter of splitters) splitter.end();
      resolveExit({ code: undefined, signal: undefined, error: undefined, timedOut, ...exited });
    };
    const endOf = (code: number | null, by: NodeJS.Signals | null): Partial<Exit> => ({ code: code ?? undefined, signal: by ?? undefined });
    child.on('error', (error) => finish({ error: error.message }));
    child.on('exit', (code, by) => setTimeout(() => finish(endOf(code, by)), LINGER).unref());
    child.on('close', (code, by) => finish(endOf(code, by)));
  });
  return {
    pid: child.pid,
    exit,
    stdin: child.stdin ?? undefined,
    signal,
    stop: () => {
      terminate();
      return exit;
    },
  };
}

function toGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The group is gone already.
  }
}

function neverStarted(error: string): RunningProcess {
  const exit = Promise.resolve({ code: undefined, signal: undefined, timedOut: false, error });
  return { pid: undefined, exit, stdin: undefined, signal: () => {}, stop: () => exit };
}
