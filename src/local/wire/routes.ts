import type { OperationModel, ServiceModel } from '../models/model.js';
import type { WireRequest } from './types.js';

/**
 * Finds the REST operation by method, path and the query's fixed parts. Literal segments win over labels, labels over greedy labels, and
 * among operations of one path the one with most fixed and required query parameters present.
 */
export function matchRoute(model: ServiceModel, request: WireRequest): string | undefined {
  let routes = compiled.get(model);
  if (!routes) compiled.set(model, (routes = compile(model)));
  const root = routes.get(request.method);
  return root && find(root, pathSegments(request.path), 0, request);
}

/** An operation's URI, taken apart once. */
export interface Route {
  readonly operation: OperationModel;
  readonly segments: readonly Segment[];
  /** Query parameters that stand in the URI: `policy`, `list-type=2`. */
  readonly constants: readonly (readonly [name: string, value: string | undefined])[];
  /** Names of the required members in the query. */
  readonly required: readonly string[];
}

export type Segment = { readonly literal: string } | { readonly label: string; readonly greedy: boolean };

export function routeOf(operation: OperationModel): Route {
  let route = parsed.get(operation);
  if (!route) parsed.set(operation, (route = parse(operation)));
  return route;
}

/** Segments of a path as they were sent. A slash at the end makes no segment of its own. */
export function pathSegments(path: string): string[] {
  const segments = path.split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  return segments;
}

/** Whether the fixed parts of a route's query are there. */
export function constantsFit(route: Route, query: WireRequest['query']): boolean {
  return route.constants.every(([name, value]) => query.some(([key, given]) => key === name && (value === undefined || given === value)));
}

/** How many of a route's required query parameters are there. */
export function requiredPresent(route: Route, query: WireRequest['query']): number {
  return route.required.filter((name) => query.some(([key]) => key === name)).length;
}

interface Node {
  readonly literals: Map<string, Node>;
  label: Node | undefined;
  greedy: Node | undefined;
  readonly routes: Route[];
}

const compiled = new WeakMap<ServiceModel, Map<string, Node>>();
const parsed = new WeakMap<OperationModel, Route>();
const node = (): Node => ({ literals: new Map(), label: undefined, greedy: undefined, routes: [] });

function compile(model: ServiceModel): Map<string, Node> {
  const roots = new Map<string, Node>();
  for (const operation of model.operations.values()) {
    const route = routeOf(operation);
    let at: Node = roots.get(operation.method) ?? node();
    roots.set(operation.method, at);
    for (const segment of route.segments) {
      if ('literal' in segment) {
        const next: Node = at.literals.get(segment.literal) ?? node();
        at.literals.set(segment.literal, next);
        at = next;
      } else at = segment.greedy ? (at.greedy ??= node()) : (at.label ??= node());
    }
    at.routes.push(route);
  }
  return roots;
}

function parse(operation: OperationModel): Route {
  const [path, query] = operation.uri.split('?') as [string, string | undefined];
  const segments = pathSegments(path).map((text): Segment => {
    const label = /^\{(.+?)(\+?)\}$/.exec(text);
    return label ? { label: label[1]!, greedy: label[2] === '+' } : { literal: text };
  });
  const constants = (query ?? '').split('&').filter(Boolean).map((part) => {
    const equals = part.indexOf('=');
    return equals < 0 ? ([part, undefined] as const) : ([part.slice(0, equals), part.slice(equals + 1)] as const);
  });
  const members = operation.input?.members;
  const required = (operation.input?.required ?? []).flatMap((name) => {
    const member = members?.get(name);
    return member?.location === 'querystring' ? [member.locationName ?? name] : [];
  });
  return { operation, segments, constants, required };
}

function find(at: Node, segments: readonly string[], index: number, request: WireRequest): string | undefined {
  if (index === segments.length) return best(at.routes, request.query);
  const segment = segments[index]!;
  const literal = at.literals.get(segment);
  const found = literal && find(literal, segments, index + 1, request);
  if (found !== undefined) return found;
  const labelled = at.label && segment !== '' ? find(at.label, segments, index + 1, request) : undefined;
  if (labelled !== undefined || !at.greedy) return labelled;
  for (let end = segments.length; end > index; end--) {
    const greedy = find(at.greedy, segments, end, request);
    if (greedy !== undefined) return greedy;
  }
  return undefined;
}

function best(routes: readonly Route[], query: WireRequest['query']): string | undefined {
  let name: string | undefined;
  let most = -1;
  for (const route of routes) {
    if (!constantsFit(route, query)) continue;
    // A required parameter may be missing: that is for validation to say, once no other operation fits better.
    const score = 10 * route.constants.length + requiredPresent(route, query);
    if (score < most || (score === most && route.operation.deprecated)) continue;
    most = score;
    name = route.operation.name;
  }
  return name;
}
