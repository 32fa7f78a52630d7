import type { Pair } from '../fleet/fleet.js';

/** What a teardown takes away, in the order of its layers; a layer begins when the one before is gone. */
export const LAYERS = ['application', 'pipeline', 'support', 'artifacts', 'logs', 'bootstrap'] as const;
export type Layer = (typeof LAYERS)[number];

export type Item = StackItem | BucketItem | KeyItem | LogGroupItem | RepositoryItem;

interface Common extends Pair {
  readonly layer: Layer;
  /** Stable: what was done is remembered by it. */
  readonly key: string;
}

export interface StackItem extends Common {
  readonly kind: 'stack';
  readonly name: string;
  /** ARN: the only name of a stack that is gone. */
  readonly id: string;
  readonly protected: boolean;
  /** Keys of stacks that have to be gone before: they use what this one makes. */
  readonly after: readonly string[];
  /** Buckets and repositories that it deletes, and that have to be empty then. */
  readonly buckets: readonly string[];
  readonly repositories: readonly string[];
}

export interface BucketItem extends Common {
  readonly kind: 'bucket';
  readonly name: string;
}

export interface KeyItem extends Common {
  readonly kind: 'key';
  readonly name: string;
}

export interface LogGroupItem extends Common {
  readonly kind: 'log group';
  readonly name: string;
}

export interface RepositoryItem extends Common {
  readonly kind: 'repository';
  readonly name: string;
}

/** A resource that a stack leaves behind by its deletion policy. */
export interface Retained extends Pair {
  readonly stack: string;
  readonly type: string;
  readonly name: string;
  /** What is in it, as far as that is cheap to say. */
  readonly data?: string;
}

/** Something that keeps an item from being deleted, found before anything was. */
export interface Obstacle {
  readonly key: string;
  readonly what: string;
  readonly fix: string;
}

export function keyOf(kind: string, { account, region }: Pair, name: string): string {
  return `${kind} ${account}/${region} ${name}`;
}
