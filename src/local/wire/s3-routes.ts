import { AwsError } from '../kernel/error.js';
import { loadModel } from '../models/model.js';
import { constantsFit, requiredPresent, routeOf, type Route } from './routes.js';
import type { WireRequest } from './types.js';

/**
 * S3's operations share three paths; method, sub-resource (`?policy`), required parameters (`?uploadId=`) and `x-amz-copy-source` tell
 * them apart (S3 API reference). A sub-resource that the method doesn't have is refused: `DELETE /bucket/key?acl` must not delete the key.
 */
export function s3Operation(request: WireRequest): string {
  const level = levelOf(request.path);
  let best: Route | undefined;
  let most = -1;
  for (const route of routes().get(`${request.method} ${level}`) ?? []) {
    const required = requiredPresent(route, request.query);
    if (!constantsFit(route, request.query) || required < route.required.length) continue;
    const copies = needsCopySource(route);
    if (copies && request.headers['x-amz-copy-source'] === undefined) continue;
    const score = route.constants.length + required + (copies ? 1 : 0);
    if (score > most || (score === most && best!.operation.deprecated)) {
      most = score;
      best = route;
    }
  }
  const ignored = request.query.find(([name]) => subResources().has(name) && !best?.constants.some(([constant]) => constant === name));
  if (best && !ignored) return best.operation.name;
  throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    status: 405,
    fields: { Method: request.method, ResourceType: (ignored?.[0] ?? level).toUpperCase() },
  });
}

type Level = 'service' | 'bucket' | 'object';

function levelOf(path: string): Level {
  const slash = path.indexOf('/', 1);
  if (path.length <= 1) return 'service';
  return slash < 0 || slash === path.length - 1 ? 'bucket' : 'object';
}

/** Told apart by a host name of their own (directory buckets, Object Lambda), which does not reach here. */
const OTHER_HOSTS: ReadonlySet<string> = new Set(['ListDirectoryBuckets', 'WriteGetObjectResponse']);

let byLevel: Map<string, Route[]> | undefined;
let known: Set<string> | undefined;

function routes(): Map<string, Route[]> {
  if (!byLevel) {
    byLevel = new Map();
    for (const operation of loadModel('s3')!.operations.values()) {
      if (OTHER_HOSTS.has(operation.name)) continue;
      const route = routeOf(operation);
      const key = `${operation.method} ${(['service', 'bucket', 'object'] as const)[route.segments.length]}`;
      const list = byLevel.get(key);
      if (list) list.push(route);
      else byLevel.set(key, [route]);
    }
  }
  return byLevel;
}

/** `list-type`, `select-type` and the SDKs' `x-id` qualify an operation, they aren't one. */
const QUALIFIERS: ReadonlySet<string> = new Set(['list-type', 'select-type', 'x-id']);

function subResources(): Set<string> {
  if (!known) {
    known = new Set();
    for (const list of routes().values()) for (const route of list) for (const [name] of route.constants) if (!QUALIFIERS.has(name)) known.add(name);
  }
  return known;
}

function needsCopySource(route: Route): boolean {
  return route.operation.input?.members.get('CopySource')?.location === 'header';
}
