import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readInside } from '../process/inside.js';
import { startProcess, type Exit, type Isolation, type Mount, type RunningProcess } from '../process/index.js';

/** What one phase leaves to the next: all commands of a build share one shell's environment and folder (user guide, version 0.2). */
export interface ShellState {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface PhaseOptions {
  readonly commands: readonly string[];
  readonly shell: 'sh' | 'bash';
  readonly state: ShellState;
  /** Folder for the scripts of the phase. */
  readonly scratch: string;
  readonly workspace: string;
  readonly home: string;
  readonly isolation: Isolation;
  readonly mounts: readonly Mount[];
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly onLine: (line: string) => void;
  /** Called before each command. */
  readonly onCommand: (command: string) => void;
  readonly onStart: (process: RunningProcess) => void;
}

export interface PhaseEnd {
  readonly state: ShellState;
  /** The command that failed. */
  readonly failed: string | undefined;
  readonly exit: Exit;
}

/** Marks lines of the driver among the commands' own output. */
const MARK = '\u0001flotilla-command ';

/** Runs commands one after another in one shell until one fails. */
export async function runPhase(options: PhaseOptions): Promise<PhaseEnd> {
  const { scratch, commands } = options;
  const envFile = join(scratch, 'env');
  const cwdFile = join(scratch, 'cwd');
  // Made anew: an earlier phase may have left links in its place for us to write through.
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  for (const [index, command] of commands.entries()) writeFileSync(join(scratch, `command-${index}`), `${command}\n`);
  const steps = commands.map((_, index) => `printf '${MARK}%s\\n' ${index}\n. '${join(scratch, `command-${index}`)}' </dev/null || exit $?`);
  const script = [`trap '__flotilla=$?; env -0 >"${envFile}"; pwd >"${cwdFile}"; exit $__flotilla' EXIT`, 'set -a', ...steps].join('\n');
  writeFileSync(join(scratch, 'phase'), `${script}\n`);
  let current: string | undefined;
  const running = startProcess({
    command: options.shell,
    args: [join(scratch, 'phase')],
    cwd: options.state.cwd,
    env: options.state.env,
    workspace: options.workspace,
    home: options.home,
    isolation: options.isolation,
    mounts: options.mounts,
    secrets: options.secrets,
    limits: { timeoutMs: options.timeoutMs },
    onOutput: (line) => {
      const mark = line.indexOf(MARK);
      if (mark < 0) return options.onLine(line);
      if (mark > 0) options.onLine(line.slice(0, mark));
      current = commands[Number(line.slice(mark + MARK.length))];
      options.onCommand(current ?? '');
    },
  });
  options.onStart(running);
  const exit = await running.exit;
  const env = readInside(envFile, options.workspace, MAX_STATE);
  const cwd = readInside(cwdFile, options.workspace, MAX_STATE);
  return {
    state: { env: env === undefined ? options.state.env : parseEnvironment(env), cwd: cwd === undefined ? options.state.cwd : cwd.trimEnd() },
    failed: exit.code === 0 ? undefined : (current ?? commands[0]),
    exit,
  };
}

/** Variables of the shell itself that are no environment of the next one. */
const OWN = new Set(['_', 'SHLVL', 'OLDPWD', 'PWD', '__flotilla']);

/** Bytes of an environment: what the kernel takes is 2 MB and its strings' ends. */
const MAX_STATE = 4 * 1024 * 1024;

function parseEnvironment(text: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    if (equals > 0 && !OWN.has(entry.slice(0, equals))) env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  return env;
}
