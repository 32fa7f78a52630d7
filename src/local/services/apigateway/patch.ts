import type * as Gateway from '../../models/types/apigateway.js';
import { badRequest } from './store.js';

/** Members that are no text: a patch's values always are. */
const BOOLEANS = new Set([
  'cacheClusterEnabled', 'tracingEnabled', 'apiKeyRequired', 'enabled', 'metricsEnabled', 'dataTraceEnabled', 'cachingEnabled', 'cacheDataEncrypted', 'requireAuthorizationForCacheControl', 'disableExecuteApiEndpoint',
  'validateRequestBody', 'validateRequestParameters', 'useStageCache', 'insecureSkipVerification',
]);
const NUMBERS = new Set(['throttlingBurstLimit', 'throttlingRateLimit', 'cacheTtlInSeconds', 'minimumCompressionSize', 'timeoutInMillis', 'authorizerResultTtlInSeconds', 'burstLimit', 'rateLimit', 'limit', 'offset', 'percentTraffic']);
const LISTS = new Set(['binaryMediaTypes', 'types', 'vpcEndpointIds', 'providerARNs', 'authorizationScopes', 'cacheKeyParameters', 'stageKeys']);
const FLAGS = new Set(['requestParameters', 'responseParameters']);

/** Applies patch operations to a part of an API (API Gateway user guide, "Patch operations"). Raises BadRequestException. */
export function patched<T extends object>(value: T, operations: readonly Gateway.PatchOperation[] | undefined, rename: Readonly<Record<string, string>> = {}): T {
  const result = structuredClone(value) as Record<string, unknown>;
  for (const operation of operations ?? []) apply(result, operation, rename);
  return result as T;
}

function apply(root: Record<string, unknown>, { op, path = '', value, from }: Gateway.PatchOperation, rename: Readonly<Record<string, string>>): void {
  const parts = segments(path).map((part) => rename[part] ?? part);
  if (parts.length === 0) throw badRequest(`Invalid patch path ${path}`);
  if (op === 'copy') return void (root[parts[0]!] = structuredClone(root[segments(from ?? '')[0] ?? '']));
  if (op !== 'add' && op !== 'replace' && op !== 'remove') throw badRequest(`Invalid patch operation specified. Must be one of: [add, remove, replace, copy]: ${op ?? ''}`);
  const list = parts.find((part) => LISTS.has(part));
  if (list !== undefined) return changeList(parentOf(root, parts.slice(0, parts.indexOf(list))), list, parts.slice(parts.indexOf(list) + 1)[0], op, value);
  const parent = parentOf(root, parts.slice(0, -1));
  const name = parts.at(-1)!;
  if (op === 'remove') delete parent[name];
  else parent[name] = typed(name, value ?? '', parts);
}

function segments(path: string): string[] {
  return path.split('/').slice(1).map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
}

function parentOf(root: Record<string, unknown>, path: readonly string[]): Record<string, unknown> {
  return path.reduce<Record<string, unknown>>((from, part) => (from[part] ??= {}) as Record<string, unknown>, root);
}

function changeList(parent: Record<string, unknown>, name: string, item: string | undefined, op: string, value: string | undefined): void {
  const before = (parent[name] as string[] | undefined) ?? [];
  if (op === 'remove') parent[name] = item === undefined ? before.filter((each) => each !== value) : before.filter((each, i) => each !== item && String(i) !== item);
  else if (op === 'replace' && item !== undefined) parent[name] = before.some((each) => each === item) ? before.map((each) => (each === item ? value! : each)) : before.map((each, i) => (String(i) === item ? value! : each));
  else parent[name] = [...before.filter((each) => each !== (item ?? value)), item ?? value];
}

function typed(name: string, value: string, parts: readonly string[]): unknown {
  if (BOOLEANS.has(name)) return value === 'true';
  if (NUMBERS.has(name)) return Number(value);
  // In methods these tables say what is required; in integrations, what is mapped.
  if (parts.length === 2 && FLAGS.has(parts[0]!) && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
