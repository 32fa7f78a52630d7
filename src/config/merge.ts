type Dictionary = Readonly<Record<string, unknown>>;

export function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `over` laid over `base`: objects are merged key by key, everything else is replaced. Neither is changed. */
export function deepMerge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isDictionary(base) || !isDictionary(over)) return over;
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) merged.set(key, merged.has(key) ? deepMerge(merged.get(key), value) : value);
  return Object.fromEntries(merged);
}

/** Keys of which a source has exactly one. */
const PROVIDERS = ['codecommit', 'github', 'bitbucket', 'gitlab', 's3', 'ecr'];

/**
 * A file laid over another. As `deepMerge`, and: null removes what it is laid over (as in RFC 7386), and a source of another provider
 * replaces the source as a whole.
 */
export function layFile(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isDictionary(base) || !isDictionary(over)) return over;
  if (PROVIDERS.some((provider) => provider in over && !(provider in base)) && PROVIDERS.some((provider) => provider in base)) return over;
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merged.has(key) ? layFile(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}
