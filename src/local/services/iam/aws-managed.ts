import { readFileSync } from 'node:fs';
import { derivedId } from './ids.js';
import type { ManagedPolicy } from './store.js';

/** The policies AWS manages, those that CDK and its users name; read when first asked for. */

const PREFIX = 'arn:aws:iam::aws:policy/';

interface Published {
  readonly created: string;
  readonly updated: string;
  readonly version: string;
  readonly document: unknown;
}

let published: Readonly<Record<string, Published>> | undefined;
const read = new Map<string, ManagedPolicy>();

export function awsManagedPolicy(arn: string): ManagedPolicy | undefined {
  if (!arn.startsWith(PREFIX)) return undefined;
  const known = read.get(arn);
  if (known) return known;
  const name = arn.slice(PREFIX.length);
  const found = Object.hasOwn(all(), name) ? all()[name]! : undefined;
  if (!found) return undefined;
  const policy = managedPolicy(name, arn, found);
  read.set(arn, policy);
  return policy;
}

export function awsManagedPolicies(): ManagedPolicy[] {
  return Object.keys(all()).map((name) => awsManagedPolicy(PREFIX + name)!);
}

function all(): Readonly<Record<string, Published>> {
  published ??= (JSON.parse(readFileSync(new URL('./data/managed-policies.json', import.meta.url), 'utf8')) as { policies: Record<string, Published> }).policies;
  return published;
}

function managedPolicy(name: string, arn: string, found: Published): ManagedPolicy {
  const slash = name.lastIndexOf('/') + 1;
  const created = Date.parse(found.created);
  const updated = Date.parse(found.updated);
  return {
    name: name.slice(slash),
    path: `/${name.slice(0, slash)}`,
    id: derivedId('ANPA', arn),
    arn,
    created,
    updated,
    versions: [{ id: found.version, document: JSON.stringify(found.document), created: updated }],
    defaultVersion: found.version,
    next: Number(found.version.slice(1)) + 1,
    tags: [],
  };
}
