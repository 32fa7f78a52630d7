import type * as Gateway from '../../models/types/apigateway.js';

export interface Route {
  readonly resource: Gateway.Resource;
  readonly method: Gateway.Method;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** The method that answers: fixed parts win over variables, those over greedy ones (user guide, "Resources"). */
export function routeOf(resources: readonly Gateway.Resource[], verb: string, path: string): Route | undefined {
  const parts = path.split('/').filter((part, i, all) => part !== '' || (i > 0 && i < all.length - 1)).map(decoded);
  const candidates = resources
    .map((resource) => ({ resource, match: match((resource.path ?? '/').split('/').filter(Boolean), parts) }))
    .filter((candidate): candidate is { resource: Gateway.Resource; match: Match } => candidate.match !== undefined)
    .sort((a, b) => (a.match.rank < b.match.rank ? -1 : 1));
  for (const { resource, match: found } of candidates) {
    const method = resource.resourceMethods?.[verb] ?? resource.resourceMethods?.['ANY'];
    if (method) return { resource, method, pathParameters: found.parameters };
  }
  return undefined;
}

interface Match {
  readonly parameters: Record<string, string>;
  /** Sorts as text: a letter for each part. */
  readonly rank: string;
}

function match(pattern: readonly string[], parts: readonly string[]): Match | undefined {
  const parameters: Record<string, string> = {};
  let rank = '';
  for (const [i, part] of pattern.entries()) {
    const greedy = /^\{(.+)\+\}$/.exec(part);
    if (greedy) {
      if (i >= parts.length) return undefined;
      parameters[greedy[1]!] = parts.slice(i).join('/');
      return { parameters, rank: `${rank}c` };
    }
    if (i >= parts.length) return undefined;
    const variable = /^\{(.+)\}$/.exec(part);
    if (variable) parameters[variable[1]!] = parts[i]!;
    else if (part !== parts[i]) return undefined;
    rank += variable ? 'b' : 'a';
  }
  return pattern.length === parts.length ? { parameters, rank } : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
