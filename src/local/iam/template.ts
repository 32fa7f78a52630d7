import type { Context } from './context.js';
import { encodedGlob, encodeWildcards, type Glob } from './glob.js';

/**
 * A value of a policy in which policy variables may stand: `${aws:username}`, with a default `${aws:PrincipalTag/team, 'none'}`, and the
 * escapes `${*}`, `${?}`, `${$}` (IAM reference, "Variables and tags"). They are variables only under Version 2012-10-17.
 */
export interface Template {
  readonly source: string;
  /** Whether variables are understood at all. */
  readonly variables: boolean;
  readonly parts: readonly Part[];
  /** True when no part depends on the request. */
  readonly constant: boolean;
}

type Part = { readonly literal: string } | { readonly raw: string } | { readonly key: string; readonly fallback: string | undefined };

const VARIABLE = /\$\{([^{}]*)\}/g;

export function template(source: string, variables: boolean): Template {
  if (!variables || !source.includes('${')) return { source, variables, parts: [{ raw: source }], constant: true };
  const parts: Part[] = [];
  let at = 0;
  for (const match of source.matchAll(VARIABLE)) {
    if (match.index > at) parts.push({ raw: source.slice(at, match.index) });
    at = match.index + match[0].length;
    const inner = match[1]!.trim();
    if (inner === '*' || inner === '?' || inner === '$') {
      parts.push({ literal: inner });
      continue;
    }
    parts.push(variable(inner));
  }
  if (at < source.length) parts.push({ raw: source.slice(at) });
  return { source, variables, parts, constant: parts.every((part) => !('key' in part)) };
}

/** `aws:username`, or `aws:PrincipalTag/team, 'default'`. */
function variable(inner: string): Part {
  const comma = inner.indexOf(',');
  const quoted = comma < 0 ? '' : inner.slice(comma + 1).trim();
  if (quoted.length < 2 || !quoted.startsWith("'") || quoted.indexOf("'", 1) !== quoted.length - 1) return { key: inner.toLowerCase(), fallback: undefined };
  return { key: inner.slice(0, comma).trim().toLowerCase(), fallback: quoted.slice(1, -1) };
}

/** The text with variables filled in, `*` and `?` standing for themselves; undefined when a variable has no value. */
export function fillText(value: Template, context: Context | undefined): string | undefined {
  return fill(value, context, (raw) => raw);
}

/** The pattern with variables filled in; what a variable brings in is never a wildcard. */
export function fillGlob(value: Template, context: Context | undefined): Glob | undefined {
  const encoded = fill(value, context, encodeWildcards);
  return encoded === undefined ? undefined : encodedGlob(encoded);
}

function fill(value: Template, context: Context | undefined, encode: (raw: string) => string): string | undefined {
  let text = '';
  for (const part of value.parts) {
    if ('raw' in part) text += encode(part.raw);
    else if ('literal' in part) text += part.literal;
    else {
      // A key with several values can't be a variable (IAM reference, "Where you can use policy variables").
      const values = context?.values(part.key);
      const single = values?.length === 1 ? values[0] : part.fallback;
      if (single === undefined) return undefined;
      text += single;
    }
  }
  return text;
}
