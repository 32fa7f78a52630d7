import { resourceSchema } from '../../models/resources.js';

/**
 * Whether changing the property at `path` (`['Properties', 'A', 'B', '0']`) makes a new resource, by the type's schema. A change of
 * something that contains a create-only property counts as a change of it only when the leaf is known to be inside.
 */
export function requiresRecreation(type: string, path: readonly string[], whole: boolean): 'Never' | 'Conditionally' | 'Always' {
  const rules = rulesOf(type);
  const pointer = path.slice(1);
  if (rules.always.some((rule) => matches(rule, pointer, whole))) return 'Always';
  return rules.conditional.some((rule) => matches(rule, pointer, whole)) ? 'Conditionally' : 'Never';
}

interface Rules {
  readonly always: readonly (readonly string[])[];
  readonly conditional: readonly (readonly string[])[];
}

const cache = new Map<string, Rules>();

function rulesOf(type: string): Rules {
  let rules = cache.get(type);
  if (!rules) {
    const schema = resourceSchema(type);
    const split = (pointers: readonly string[] = []): string[][] => pointers.map((pointer) => pointer.split('/').slice(2));
    rules = { always: split(schema?.createOnlyProperties), conditional: split(schema?.conditionalCreateOnlyProperties) };
    cache.set(type, rules);
  }
  return rules;
}

/** The rule names the changed place or something around it; with `whole` (the leaf isn't known) also something inside it. */
function matches(rule: readonly string[], pointer: readonly string[], whole: boolean): boolean {
  const parts = rule.filter((part) => part !== '*');
  const place = pointer.filter((part) => !/^\d+$/.test(part));
  const common = Math.min(parts.length, place.length);
  for (let i = 0; i < common; i++) if (parts[i] !== place[i]) return false;
  return parts.length <= place.length || whole;
}
