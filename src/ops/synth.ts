import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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

/** Synthesizes an app into `output`, which answers. Raises OPS007 with what the app printed. */
export async function synthesize(output: string, call: CdkCall): Promise<string> {
  mkdirSync(dirname(output), { recursive: true });
  await runCdk(['synth', '--quiet', '--output', output], 'OPS007', 'cdk synth', call);
  return output;
}
