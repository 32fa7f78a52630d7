export interface Masker {
  /** Takes the next piece of text and answers what can be shown of it now. */
  push(text: string): string;
  /** Answers what was held back. */
  flush(): string;
}

const MASK = '***';

/**
 * Replaces every occurrence of a secret by `***`, also of one that comes in several pieces: a tail that could be the beginning of a secret is
 * held back until it is clear. Empty values are ignored.
 */
export function maskSecrets(values: Iterable<string>): Masker {
  const secrets = [...new Set(values)].filter((value) => value !== '').sort((a, b) => b.length - a.length);
  if (secrets.length === 0) return { push: (text) => text, flush: () => '' };
  const longest = secrets[0]!.length;
  const anyOf = new RegExp(secrets.map((secret) => secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');
  let carry = '';

  /** Where the tail begins that could still become a secret; the text's length when there is none. */
  const undecided = (text: string, from: number): number => {
    for (let i = Math.max(from, text.length - longest + 1); i < text.length; i++) {
      const tail = text.slice(i);
      if (secrets.some((secret) => secret.length > tail.length && secret.startsWith(tail))) return i;
    }
    return text.length;
  };

  return {
    push(chunk) {
      const text = carry + chunk;
      let shown = '';
      let position = 0;
      let held = undecided(text, 0);
      for (;;) {
        anyOf.lastIndex = position;
        const match = anyOf.exec(text);
        // A match that begins where a longer secret may begin waits for what follows.
        if (!match || match.index >= held) break;
        shown += text.slice(position, match.index) + MASK;
        position = match.index + match[0].length;
        if (position > held) held = undecided(text, position);
      }
      carry = text.slice(held);
      return shown + text.slice(position, held);
    },
    flush() {
      const rest = carry.replace(anyOf, MASK);
      carry = '';
      return rest;
    },
  };
}
