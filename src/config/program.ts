import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FlotillaError } from '../shared/errors.js';

/** Endings of fleet files that are programs. */
const PROGRAMS: readonly string[] = ['.ts', '.mts', '.cts', '.mjs', '.js', '.cjs'];
const SECONDS = 60;

export function isProgram(file: string): boolean {
  return PROGRAMS.includes(extname(file));
}

/**
 * Runs a fleet that is written as a program, and answers its default export: an object, or what a function answers. In a process of its
 * own, so that reading it stays synchronous and TypeScript is read by the project's tsx. Raises CFG025.
 */
export function runProgram(file: string): unknown {
  const path = resolve(file);
  const { status, error, output } = spawnSync(process.execPath, [...loaderFor(path), '--input-type=module', '--eval', PROGRAM, path], {
    cwd: dirname(path),
    encoding: 'utf8',
    timeout: SECONDS * 1000,
    maxBuffer: 64 * 1024 * 1024,
    // Its answer comes over a pipe of its own: what the program prints is the user's to see.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  if (error !== undefined || status !== 0) throw failed(file, error?.message ?? lastLines(output[2] ?? ''));
  try {
    return JSON.parse(output[3] ?? '');
  } catch {
    throw failed(file, 'its default export is no plain data');
  }
}

const PROGRAM = `
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const module = await import(pathToFileURL(process.argv[1]).href);
let fleet = module.default;
if (fleet && typeof fleet === 'object' && fleet.__esModule) fleet = fleet.default;
if (typeof fleet === 'function') fleet = await fleet();
if (fleet === undefined) { console.error('it has no default export'); process.exit(1); }
const bytes = Buffer.from(JSON.stringify(fleet));
for (let at = 0; at < bytes.length; ) at += writeSync(3, bytes, at);
`;

function loaderFor(path: string): readonly string[] {
  if (!/\.[cm]?ts$/.test(path)) return [];
  try {
    return ['--import', pathToFileURL(createRequire(path).resolve('tsx')).href];
  } catch {
    // Node 22.18 and later read TypeScript themselves.
    if ((process.features as { readonly typescript?: unknown }).typescript) return [];
    throw new FlotillaError('CFG025', `${path} is TypeScript, and nothing here reads it`, { why: 'the project has no tsx', fix: 'npm install --save-dev tsx, or write flotilla.yaml', exitCode: 2 });
  }
}

function failed(file: string, why: string): FlotillaError {
  return new FlotillaError('CFG025', `${file} could not be run`, { why, fix: `run it by itself: npx tsx ${file}`, exitCode: 2 });
}

function lastLines(text: string): string {
  const lines = text.trim().split('\n');
  const message = lines.findIndex((line) => /^\w*Error\b/.test(line.trim()));
  return (message === -1 ? lines.slice(-5) : lines.slice(message, message + 3)).join('\n') || 'it ended without a word';
}
