import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { STAND_INS } from '../../shared/stand-ins.js';
import { step, type Emit } from '../events.js';
import { appCommand } from './cdk-json.js';
import { localEnvironment, runProgram } from './programs.js';

/** What a fresh clone needs before its app can be started; the pipeline's own builds do this for themselves. */
export async function prepareDependencies({ directory, emit, folder }: { readonly directory: string; readonly emit: Emit; readonly folder: string }): Promise<void> {
  const env = localEnvironment({ PATH: pathOf(directory, folder) });
  if (existsSync(join(directory, 'package.json')) && !existsSync(join(directory, 'node_modules'))) {
    const [command, ...args] = existsSync(join(directory, 'package-lock.json')) ? ['npm', 'ci'] : existsSync(join(directory, 'yarn.lock')) ? ['yarn', 'install', '--frozen-lockfile'] : ['npm', 'install'];
    await step(emit, `${command} ${args.join(' ')}`, () => runProgram(command!, args, 'RUN006', 'installing the app\'s dependencies', { cwd: directory, env }));
  }
  const venv = pythonEnvironment(folder, directory);
  const requirements = pythonRequirements(directory);
  if (requirements && !existsSync(join(directory, '.venv')) && !existsSync(join(venv, 'complete'))) {
    await step(emit, `pip install -r ${requirements}`, async () => {
      await runProgram('python3', ['-m', 'venv', venv], 'RUN006', 'making a Python environment', { cwd: directory, env });
      await runProgram(join(venv, 'bin', 'pip'), ['install', '--quiet', '-r', requirements], 'RUN006', 'installing the app\'s dependencies', { cwd: directory, env });
      writeFileSync(join(venv, 'complete'), '');
    });
  }
}

/** PATH of programs that start an app: its Python environment first, what stands in for a machine's missing tools last. `folder` is `.flotilla`. */
export function pathOf(directory: string, folder: string): string {
  const venv = [join(directory, '.venv', 'bin'), join(pythonEnvironment(folder, directory), 'bin')].filter(existsSync);
  return [...venv, process.env['PATH'] ?? '', standIns(folder)].join(delimiter);
}

/** The usual places of a Python app's requirements; only where cdk.json starts Python. */
function pythonRequirements(directory: string): string | undefined {
  if (!/python/.test(appCommand(directory))) return undefined;
  return ['requirements.txt', 'requirements/requirements.txt', 'requirements/base.txt', 'requirements/prod.txt'].find((name) => existsSync(join(directory, name)));
}

function pythonEnvironment(folder: string, directory: string): string {
  const requirements = pythonRequirements(directory);
  const key = requirements ? createHash('sha256').update(readFileSync(join(directory, requirements))).digest('hex').slice(0, 12) : 'none';
  return join(folder, 'python', key);
}

/**
 * Last on the PATH, from the registry where the machine has none: esbuild, for apps whose functions would otherwise be bundled in a container
 * (NodejsFunction takes an esbuild that it finds), and Yarn 1. The launchers of builds have the same.
 */
function standIns(folder: string): string {
  const bin = join(folder, 'work', 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, spec] of Object.entries(STAND_INS)) writeFileSync(join(bin, name), `#!/bin/sh\nexec npx --yes ${spec} "$@"\n`, { mode: 0o755 });
  return bin;
}
