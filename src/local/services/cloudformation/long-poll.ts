import { sleep } from '../../../shared/clock.js';
import type { RequestContext } from '../../kernel/service.js';
import type { StackRecord } from '../../cfn/store/records.js';
import { engineOf } from './engine.js';

/** Longest a DescribeStacks is held: shorter than the clients' own pause between two of them. */
const HOLD_MS = 4000;

/** Who has seen which stack in progress: `principal stack` → status. Kept small; losing it costs one early answer. */
const seen = new Map<string, string>();
const MOST_SEEN = 10_000;

/**
 * Holds the answer about a stack that works, for a caller who already knows that it does: what the CLI waits for in pauses of five
 * seconds it then hears at once. `FLOTILLA_LONG_POLL=off` switches it off.
 */
export async function holdWhileInProgress(stack: StackRecord, context: RequestContext): Promise<void> {
  if (process.env['FLOTILLA_LONG_POLL'] === 'off' || context.http === undefined) return;
  const key = `${'arn' in context.principal ? context.principal.arn : context.principal.kind} ${stack.id}`;
  const working = stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS';
  if (!working) {
    seen.delete(key);
    return;
  }
  const known = seen.has(key);
  if (seen.size > MOST_SEEN) seen.clear();
  seen.set(key, stack.status);
  if (!known) return;
  await Promise.race([engineOf(context.runtime).settled(context.account, context.region, stack.id), sleep(context.runtime.clock, HOLD_MS)]);
}
