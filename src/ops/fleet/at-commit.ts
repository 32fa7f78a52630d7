import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { isProgram, readConfig, type FleetText } from '../../config/index.js';
import type { Fleet } from '../../fleet/model.js';
import { examineFleet, resolveFleet } from '../../fleet/resolve.js';

const run = promisify(execFile);

/** The fleet as a commit has it, or why it isn't known. */
export type FleetAtCommit = { readonly name: string; readonly fleet: Fleet } | { readonly unknown: string };

/** Reads the fleet file, and what is laid over it, as they are in `ref`. A commit that lacks them, or where they are wrong, is told, never raised. */
export async function fleetAtCommit(file: string, overlays: readonly string[], ref: string): Promise<FleetAtCommit> {
  if ([file, ...overlays].some(isProgram)) return { unknown: 'a fleet that is a program can’t be read from a commit without running it' };
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) return { unknown: `there is no folder ${folder}` };
  try {
    const { stdout: commit } = await run('git', ['rev-parse', '--short', '--verify', `${ref}^{commit}`], { cwd: folder });
    const texts = await Promise.all([file, ...overlays].map((one) => textAt(one, ref)));
    const config = readConfig(texts, (parsed) => examineFleet(parsed).mistakes);
    return { name: `${ref} (${commit.trim()})`, fleet: resolveFleet(config) };
  } catch (error) {
    return { unknown: `${ref} has no valid ${basename(file)}: ${firstLine(error)}` };
  }
}

async function textAt(file: string, ref: string): Promise<FleetText> {
  const { stdout } = await run('git', ['show', `${ref}:./${basename(file)}`], { cwd: dirname(resolve(file)), maxBuffer: 16 * 1024 ** 2 });
  return { file, text: stdout };
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
  return (stderr?.trim() || message).split('\n')[0]!.replace(/^fatal: /, '');
}
