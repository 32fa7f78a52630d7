import { compareAll, makeCall, Stopped, type Context } from './calls.js';
import { OutOfScope, type SdkError } from './clients.js';
import { Comparison, type Difference } from './compare.js';
import { runProcess } from './process.js';
import type { Vector } from './vector.js';
import { freshWorld } from './world.js';

export type Result =
  | { readonly id: string; readonly outcome: 'passed' }
  | { readonly id: string; readonly outcome: 'failed'; readonly differences: readonly Difference[] }
  | { readonly id: string; readonly outcome: 'skipped'; readonly reason: string };

/** Runs one vector against a cloud of its own. */
export async function runVector(vector: Vector, log: (message: string) => void = () => undefined): Promise<Result> {
  const world = await freshWorld(log);
  const context: Context = { clients: world.clients, answers: new Map(), comparison: new Comparison(vector, world.cloud.endpoint), differences: [], comparisons: [], recordedAt: vector.source.recorded, unwilling };
  try {
    if (vector.kind === 'update-process') await runProcess(vector, context);
    else for (const call of vector.calls ?? []) await makeCall(call, context);
  } catch (error) {
    if (error instanceof OutOfScope) return { id: vector.id, outcome: 'skipped', reason: error.message };
    if (!(error instanceof Stopped)) context.differences.push({ path: '', expected: 'the vector to run', actual: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  } finally {
    await world.close();
  }
  compareAll(context);
  const refused = context.differences.map((difference) => unwilling(difference.actual)).find((reason) => reason !== undefined);
  if (refused !== undefined) return { id: vector.id, outcome: 'skipped', reason: refused };
  return context.differences.length === 0 ? { id: vector.id, outcome: 'passed' } : { id: vector.id, outcome: 'failed', differences: context.differences };
}

/** What the local cloud refuses by name: operations and transforms it has no behaviour for. */
function unwilling(error: unknown): string | undefined {
  const message = typeof error === 'string' ? error : ((error as SdkError | undefined)?.message ?? '');
  const found = /The local cloud has no behaviour for ([\w:-]+)/.exec(message)?.[1] ?? /Transform (\S+) is not implemented by the local cloud/.exec(message)?.[1];
  return found === undefined ? undefined : `${found} is refused by name`;
}

/** One line a difference; long values are cut. */
export function report(result: Result): string {
  if (result.outcome === 'passed') return `passed  ${result.id}`;
  if (result.outcome === 'skipped') return `skipped ${result.id}: ${result.reason}`;
  return [`FAILED  ${result.id}`, ...result.differences.map(({ path, expected, actual }) => `    ${path}\n        recorded ${show(expected)}\n        answered ${show(actual)}`)].join('\n');
}

export function summary(results: readonly Result[]): string {
  const count = (outcome: Result['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
}

function show(value: unknown): string {
  if (value === undefined) return '(nothing)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
