import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readAssembly, type AssemblyStack } from './run/assembly.js';
import { localEnvironment } from './run/programs.js';
import { synthesize } from './synth.js';
import type { Emit } from './events.js';

/** One value that two syntheses of one app disagree about. */
export interface SynthDifference {
  /** Path of the stack in the app. */
  readonly stack: string;
  /** Whether the stack holds a pipeline: then every run changes the pipeline again. */
  readonly pipeline: boolean;
  /** Where in the template: `Resources.Pipeline.Properties.Name`. */
  readonly path: string;
  readonly first: unknown;
  readonly second: unknown;
  readonly why: string;
}

export interface DeterminismReport {
  readonly stacks: number;
  readonly pipelines: readonly string[];
  readonly differences: readonly SynthDifference[];
}

/** Only where a template has no account and region; both syntheses get the same. */
const ANYWHERE = { account: '111111111111', region: 'us-east-1' };

/**
 * Synthesizes an app twice, without credentials, into folders of different names, and compares every template. A pipeline whose template
 * differs from run to run updates itself without end.
 */
export async function synthesizeTwice(app: string, context: readonly string[], emit: Emit): Promise<DeterminismReport> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-synth-'));
  try {
    const outputs: string[] = [];
    for (const name of ['first', 'second']) outputs.push(await synthesize(join(folder, name), context, { cwd: app, env: localEnvironment({ CDK_DISABLE_CLI_TELEMETRY: 'true' }), emit }));
    return compareAssemblies(outputs[0]!, outputs[1]!);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What two assemblies of one app disagree about. */
export function compareAssemblies(first: string, second: string): DeterminismReport {
  const [one, other] = [readAssembly(first, ANYWHERE), readAssembly(second, ANYWHERE)];
  const pipelines = new Set([...one.pipelines, ...other.pipelines].map(({ path }) => path));
  const others = new Map(other.stacks.map((stack) => [stack.path, stack]));
  const differences = one.stacks.flatMap((stack): SynthDifference[] => {
    const twin = others.get(stack.path);
    others.delete(stack.path);
    const base = { stack: stack.path, pipeline: pipelines.has(stack.path) };
    if (twin === undefined) return [{ ...base, path: '', first: 'there', second: undefined, why: 'the stack is made only sometimes' }];
    return valueDifferences(templateOf(stack), templateOf(twin), []).map(({ path, first: was, second: is }) => ({ ...base, path: path.join('.'), first: was, second: is, why: causeOf(path, was, is, [first, second]) }));
  });
  const added = [...others.keys()].map((stack): SynthDifference => ({ stack, pipeline: pipelines.has(stack), path: '', first: undefined, second: 'there', why: 'the stack is made only sometimes' }));
  return { stacks: one.stacks.length, pipelines: [...pipelines], differences: [...differences, ...added].sort((left, right) => Number(right.pipeline) - Number(left.pipeline)) };
}

function templateOf(stack: AssemblyStack): unknown {
  return JSON.parse(readFileSync(stack.templateFile, 'utf8'));
}

interface ValueDifference {
  readonly path: readonly string[];
  readonly first: unknown;
  readonly second: unknown;
}

function valueDifferences(first: unknown, second: unknown, path: readonly string[]): readonly ValueDifference[] {
  if (JSON.stringify(first) === JSON.stringify(second)) return [];
  const open = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!open(first) || !open(second) || Array.isArray(first) !== Array.isArray(second)) return [{ path, first, second }];
  if (Array.isArray(first) && Array.isArray(second) && (first.length !== second.length || reordered(first, second))) return [{ path, first, second }];
  const keys = [...new Set([...Object.keys(first), ...Object.keys(second)])];
  const below = keys.flatMap((key) => valueDifferences(first[key], second[key], [...path, key]));
  // The same keys and values in another order: the text of the template differs all the same.
  return below.length > 0 ? below : [{ path, first: Object.keys(first), second: Object.keys(second) }];
}

function reordered(first: readonly unknown[], second: readonly unknown[]): boolean {
  const sorted = (list: readonly unknown[]): string => JSON.stringify(list.map((one) => JSON.stringify(one)).toSorted());
  return sorted(first) === sorted(second);
}

/** What values that change by themselves look like. */
function causeOf(path: readonly string[], first: unknown, second: unknown, outputs: readonly string[]): string {
  const [one, other] = [JSON.stringify(first) ?? '', JSON.stringify(second) ?? ''];
  if (Array.isArray(first) && Array.isArray(second) && reordered(first, second)) return 'the same in another order: sort it before it goes into the template';
  if (outputs.some((output, index) => [one, other][index]!.includes(basename(output)) && [one, other][index]!.includes(output))) return 'the folder of the assembly stands in the template: use paths inside the assembly';
  const changed = changedParts(one, other);
  if (changed.every((part) => /^[0-9a-f]{64}$/.test(part))) return 'the hash of an asset: what is bundled differs each time (times in an archive, order of files, a build that isn’t reproducible); give the asset a hash of its source';
  if (changed.every((part) => /^\d{4}-\d\d-\d\dT|^\d{10}(\d{3})?$/.test(part))) return 'a time: take it from the commit instead of the clock';
  if (changed.every((part) => /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(part))) return 'a random ID: derive it from names';
  if (path.at(-1) === 'Description') return 'a text that is made anew each time';
  return 'a value that is made anew each time: a clock, a random number, the environment, or the order of a set';
}

/** The words that differ between two texts of the same build; empty strings where one is longer. */
function changedParts(one: string, other: string): readonly string[] {
  const [left, right] = [one.split(/[^\w:.-]+/), other.split(/[^\w:.-]+/)];
  return left.flatMap((word, index) => (word === right[index] ? [] : [word.replace(/\.(zip|json)$/, '')]));
}
