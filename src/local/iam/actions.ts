import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** What the Service Authorization Reference says of an action. */
export interface ActionInfo {
  /** As AWS spells it: `s3:GetObject`. */
  readonly name: string;
  readonly accessLevel: AccessLevel;
  readonly resources: readonly ResourceType[];
  /** Condition keys of the action itself; those of its resource types are with them. */
  readonly conditionKeys: readonly string[];
  /** Actions one must be allowed besides. */
  readonly dependentActions: readonly string[];
}

export type AccessLevel = 'List' | 'Read' | 'Write' | 'Permissions management' | 'Tagging';

export interface ResourceType {
  /** `bucket`. */
  readonly name: string;
  /** `arn:${Partition}:s3:::${BucketName}`. */
  readonly arn: string;
  readonly required: boolean;
  readonly conditionKeys: readonly string[];
}

/** Undefined for an action that AWS doesn't document. Case doesn't matter. */
export function actionInfo(action: string): ActionInfo | undefined {
  const colon = action.indexOf(':');
  const service = serviceData(action.slice(0, colon).toLowerCase());
  const name = service?.names.get(action.slice(colon + 1).toLowerCase());
  if (!service || name === undefined) return undefined;
  const [level, types, keys, dependent] = service.data.a[name]!;
  return {
    name: `${action.slice(0, colon).toLowerCase()}:${name}`,
    accessLevel: LEVELS[level],
    resources: types.map((type) => resourceType(type, service.data)),
    conditionKeys: keys.map((key) => keyName(key, service.data)),
    dependentActions: dependent,
  };
}

export function knownAction(action: string): boolean {
  const colon = action.indexOf(':');
  return serviceData(action.slice(0, colon).toLowerCase())?.names.has(action.slice(colon + 1).toLowerCase()) ?? false;
}

/** Names of all actions of a service, without its prefix. */
export function actionsOf(service: string): readonly string[] {
  return [...(serviceData(service.toLowerCase())?.names.values() ?? [])];
}

type Level = 'L' | 'R' | 'W' | 'P' | 'T';
const LEVELS: Readonly<Record<Level, AccessLevel>> = { L: 'List', R: 'Read', W: 'Write', P: 'Permissions management', T: 'Tagging' };

/** Written by scripts/generate-iam-data.mjs. A condition key is its place in `k`, or its name when it isn't there. */
interface ServiceData {
  readonly k: readonly (readonly [name: string, type: string])[];
  readonly r: Readonly<Record<string, readonly [arn: string, keys: readonly (number | string)[]]>>;
  readonly a: Readonly<Record<string, readonly [Level, types: readonly string[], keys: readonly (number | string)[], dependent: readonly string[]]>>;
}

interface Service {
  readonly data: ServiceData;
  /** Lower case to AWS's spelling. */
  readonly names: ReadonlyMap<string, string>;
}

let all: Readonly<Record<string, ServiceData>> | undefined;
const known = new Map<string, Service>();

function serviceData(prefix: string): Service | undefined {
  const found = known.get(prefix);
  if (found) return found;
  all ??= (JSON.parse(brotliDecompressSync(readFileSync(new URL('./data/actions.br', import.meta.url))).toString('utf8')) as { services: Record<string, ServiceData> }).services;
  const data = Object.hasOwn(all, prefix) ? all[prefix]! : undefined;
  if (!data) return undefined;
  const service = { data, names: new Map(Object.keys(data.a).map((name): [string, string] => [name.toLowerCase(), name])) };
  known.set(prefix, service);
  return service;
}

function resourceType(type: string, data: ServiceData): ResourceType {
  const name = type.replace(/\*$/, '');
  const [arn = '*', keys = []] = data.r[name] ?? [];
  return { name, arn, required: type.endsWith('*'), conditionKeys: keys.map((key) => keyName(key, data)) };
}

function keyName(key: number | string, data: ServiceData): string {
  return typeof key === 'string' ? key : data.k[key]![0];
}
