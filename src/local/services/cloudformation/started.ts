import type { RequestContext } from '../../kernel/service.js';

/** Who knows which stack to be in progress: `principal stack`. Kept small; losing it costs one early answer. */
const known = new Set<string>();
const MOST_KNOWN = 10_000;

/** Whoever started an operation knows that it is in progress without having been told. */
export function noteStarted(stackId: string, context: RequestContext): void {
  if (known.size > MOST_KNOWN) known.clear();
  known.add(keyOf(stackId, context));
}

export function knowsOf(stackId: string, context: RequestContext): boolean {
  return known.has(keyOf(stackId, context));
}

export function forget(stackId: string, context: RequestContext): void {
  known.delete(keyOf(stackId, context));
}

function keyOf(stackId: string, context: RequestContext): string {
  return `${'arn' in context.principal ? context.principal.arn : context.principal.kind} ${stackId}`;
}
