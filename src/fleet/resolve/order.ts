import { nearest } from '../../shared/suggest.js';
import type { Environment, Path } from '../../config/index.js';
import type { Report } from './names.js';

/**
 * Stacks by the stacks deployed before them: `dependsOn` of the environment and of its templates together. Stacks of the app aren't known
 * here: the constructs check those names.
 */
export function stackOrder(environment: Environment, path: Path, report: Report): Readonly<Record<string, readonly string[]>> {
  const order = new Map<string, readonly string[]>(Object.entries(environment.dependsOn ?? {}));
  const templates = Object.keys(environment.templates ?? {});
  for (const [name, stack] of Object.entries(environment.templates ?? {})) {
    if (typeof stack === 'string' || stack.dependsOn === undefined) continue;
    for (const [index, before] of stack.dependsOn.entries()) {
      if (templates.includes(before)) continue;
      const meant = nearest(before, templates);
      report({ code: 'CFG051', path: [...path, 'templates', name, 'dependsOn', index], what: `names ${before}, which is no stack of templates`, fix: meant === undefined ? 'order against the app’s stacks with `dependsOn:` of the environment' : `did you mean ${meant}?` });
    }
    order.set(name, [...new Set([...(order.get(name) ?? []), ...stack.dependsOn])]);
  }
  const cycle = findCycle(order);
  if (cycle !== undefined) report({ code: 'CFG050', path: [...path, environment.dependsOn?.[cycle[0]!] === undefined ? 'templates' : 'dependsOn', cycle[0]!], what: `waits for itself: ${cycle.join(' → ')}`, fix: 'take one of these dependencies out', atKey: true });
  return Object.fromEntries(order);
}

/** The first cycle, its first member again at the end. */
export function findCycle(order: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of order.keys()) {
    // A stack of its own instead of recursion: chains may be as long as the file allows.
    const trail: { readonly name: string; next: number }[] = [{ name: start, next: 0 }];
    const open = new Set([start]);
    while (trail.length > 0 && !done.has(start)) {
      const top = trail.at(-1)!;
      const before = order.get(top.name)?.[top.next++];
      if (before === undefined) {
        done.add(top.name);
        open.delete(top.name);
        trail.pop();
      } else if (open.has(before)) {
        const names = trail.map(({ name }) => name);
        return [...names.slice(names.indexOf(before)), before];
      } else if (!done.has(before)) {
        open.add(before);
        trail.push({ name: before, next: 0 });
      }
    }
  }
  return undefined;
}
