import { sleep } from '../../../shared/clock.js';
import type { RequestContext } from '../../kernel/service.js';
import type { StackRecord } from '../../cfn/store/records.js';
import { engineOf } from './engine.js';
import { forget, knowsOf, noteStarted } from './started.js';

/** Longest a DescribeStacks is held: shorter than the clients' own pause between two of them. */
const HOLD_MS = 4000;

/**
 * Holds the answer about a stack that works, for a caller who already knows that it does (has seen it, or started it): what the CLI
 * waits for in pauses of five seconds it then hears at once. `FLOTILLA_LONG_POLL=off` switches it off.
 */
export async function holdWhileInProgress(stack: StackRecord, context: RequestContext): Promise<void> {
  if (process.env['FLOTILLA_LONG_POLL'] === 'off' || context.http === undefined) return;
  const working = stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS';
  if (!working) {
    forget(stack.id, context);
    return;
  }
  const known = knowsOf(stack.id, context);
  noteStarted(stack.id, context);
  if (known) await Promise.race([engineOf(context.runtime).settled(context.account, context.region, stack.id), sleep(context.runtime.clock, HOLD_MS)]);
}
