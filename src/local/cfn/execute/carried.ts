import type { TouchRecord } from '../store/records.js';

/**
 * What became of each resource over several operations, of which the earlier ones were left halfway: from what it was before the first to
 * what the last made of it.
 */
export function mergeTouches(earlier: readonly TouchRecord[], later: readonly TouchRecord[]): TouchRecord[] {
  const merged = new Map(earlier.filter((touch) => !touch.undone).map((touch) => [touch.logicalId, touch]));
  for (const touch of later) {
    if (touch.undone) continue;
    const first = merged.get(touch.logicalId);
    merged.set(touch.logicalId, first ? together(first, touch) : touch);
  }
  return [...merged.values()];
}

function together(first: TouchRecord, last: TouchRecord): TouchRecord {
  const { before } = first;
  if (first.kind === 'create' || !before) return { ...last, kind: 'create', before: undefined };
  // A replacement that failed left the old resource as it was.
  if (first.kind === 'replace' && first.failed) return { ...last, before };
  const attempted = last.done && !last.failed ? undefined : last.attempted;
  if (first.kind !== 'replace' && last.kind !== 'replace') return { ...last, before, attempted };
  const changed = first.kind === 'update' ? (first.failed ? first.attempted : last.before?.properties) : first.replacedFrom;
  return { ...last, kind: 'replace', before, attempted, ...(changed === undefined ? {} : { replacedFrom: changed }) };
}
