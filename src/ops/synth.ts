import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { headTree, isDirty, repositoryRoot } from './run/git.js';
import { runProgram } from './run/programs.js';
import type { Emit } from './events.js';

const require = createRequire(import.meta.url);

/** The real CDK CLI that Flotilla carries. */
export function cdkProgram(): string {
  return join(dirname(require.resolve('aws-cdk/package.json')), 'bin', 'cdk');
}

export interface CdkCall {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/** Runs the CDK CLI; answers all it printed. Raises `code` with its last lines when it fails. */
export function runCdk(args: readonly string[], code: string, what: string, call: CdkCall): Promise<string> {
  const onLine = (line: string): void => call.emit({ type: 'log', source: args[0]!, line });
  return runProgram(process.execPath, [cdkProgram(), ...args, '--no-notices', '--no-color', '--ci'], code, what, { cwd: call.cwd, env: call.env, onLine, ...(call.signal ? { signal: call.signal } : {}) });
}

/** Synthesizes an app with context (`KEY=VALUE`) into `output`, which answers. Raises OPS007 with what the app printed. */
export async function synthesize(output: string, context: readonly string[], call: CdkCall): Promise<string> {
  mkdirSync(dirname(output), { recursive: true });
  await runCdk(synthArguments(output, context), 'OPS007', 'cdk synth', call);
  return output;
}

export function synthArguments(output: string, context: readonly string[]): string[] {
  return ['synth', '--quiet', '--output', output, ...context.flatMap((one) => ['--context', one])];
}

/** In whose name an app looks things up, and its context. */
export interface SynthesizedAs {
  readonly as: string;
  readonly context: readonly string[];
}

/**
 * Synthesizes only where something the app is made of has changed since the assembly in `output` was written: the commit's tree, what is
 * installed, Node, the CLI, and how it is synthesized. An app whose folder has changes that aren't committed, or lies in no repository, is always synthesized. Answers whether it was.
 */
export async function unlessAsBefore(output: string, app: string, how: SynthesizedAs, synthesis: () => Promise<unknown>): Promise<boolean> {
  const note = `${output}.made-of.json`;
  const state = await stateOf(app, how);
  if (state !== undefined && existsSync(join(output, 'manifest.json')) && existsSync(note) && readFileSync(note, 'utf8') === state) return false;
  rmSync(note, { force: true });
  await synthesis();
  if (state !== undefined) writeFileSync(note, state);
  return true;
}

async function stateOf(app: string, how: SynthesizedAs): Promise<string | undefined> {
  const root = await repositoryRoot(app).catch(() => undefined);
  if (root === undefined || (await isDirty(root))) return undefined;
  const installed = join(app, 'node_modules', '.package-lock.json');
  return JSON.stringify({ tree: await headTree(root), app, ...how, node: process.version, installed: existsSync(installed) ? createHash('sha256').update(readFileSync(installed)).digest('hex') : undefined, cli: cdkProgram() });
}
