import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Runtime } from '../../kernel/service.js';
import { baseEnvironment, prepareHome } from '../../process/index.js';
import { cannot } from './runtimes.js';

/** The last release of version 2 of the AWS SDK for JavaScript. */
const RELEASE = '2.1693.0';
/** Runtimes that have version 2: "Node.js 16 and earlier" (developer guide, "Runtime-included SDK versions"). */
const OLDER = /^nodejs(?:4\.3|6\.10|8\.10|1[0246]\.x)?$/;
const NAMED = /['"`]aws-sdk(?:\/[^'"`]*)?['"`]/;
/** Bytes of one file that are searched for the SDK's name. */
const MOST_BYTES = 4 * 1024 * 1024;

const run = promisify(execFile);
const installing = new Map<string, Promise<string>>();

/**
 * Folder of packages that holds version 2 of the AWS SDK, for a function of an older Node.js runtime whose code names it; undefined for all others. It is
 * installed once, for it is large and most functions need it no more. Raises InvalidRuntimeException where that fails.
 */
export async function olderSdk(runtime: Runtime, name: string | undefined, folders: readonly (string | undefined)[]): Promise<string | undefined> {
  if (!OLDER.test(name ?? '') || !folders.some((folder) => folder !== undefined && uses(folder))) return undefined;
  const parent = join(runtime.directory, 'cache', `aws-sdk-${RELEASE}`);
  const packages = join(parent, 'node_modules');
  if (existsSync(packages)) return packages;
  const underway = installing.get(parent) ?? install(runtime, parent).finally(() => installing.delete(parent));
  installing.set(parent, underway);
  await underway;
  return packages;
}

/** Whether the function's own code names the SDK; one that brings its own finds that first. */
function uses(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return uses(path);
    return entry.isFile() && /\.[cm]?js$/.test(entry.name) && statSync(path).size <= MOST_BYTES && NAMED.test(readFileSync(path, 'utf8'));
  });
}

async function install(runtime: Runtime, parent: string): Promise<string> {
  const incoming = `${parent}-${randomBytes(4).toString('hex')}`;
  const home = join(incoming, '.home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  runtime.log(`lambda: installing aws-sdk ${RELEASE}, which Node.js 16 and earlier offer`);
  try {
    await run('npm', ['install', '--prefix', incoming, '--no-audit', '--no-fund', '--ignore-scripts', `aws-sdk@${RELEASE}`], { cwd: incoming, env: baseEnvironment(prepareHome(home)), timeout: 180_000 });
    rmSync(home, { recursive: true, force: true });
    renameSync(incoming, parent);
    return parent;
  } catch (error) {
    rmSync(incoming, { recursive: true, force: true });
    throw cannot(`The function's code uses aws-sdk, which its runtime offers on AWS, and aws-sdk ${RELEASE} could not be installed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
