import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A conformance vector as its README describes it: requests that were sent to AWS, and what AWS answered. */
export interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly service: string;
  readonly about?: string;
  readonly source: { readonly recorded: string };
  readonly placeholders?: readonly string[];
  readonly substitutions?: readonly Substitution[];
  readonly masks?: readonly { readonly recordedAs: string; readonly key?: string; readonly jsonpath?: string }[];
  readonly freeValues?: readonly string[];
  readonly unorderedKeys?: readonly string[];
  readonly calls?: readonly Call[];
  readonly steps?: readonly Step[];
  readonly expect?: ProcessExpectation;
}

export interface Substitution {
  readonly literal?: string;
  readonly value?: unknown;
  readonly regex?: string;
  readonly recordedAs: string;
}

export interface Call {
  readonly label: string;
  readonly service?: string;
  readonly operation: string;
  readonly params: Record<string, unknown>;
  readonly region?: string;
  readonly fails?: boolean;
  readonly poll?: boolean;
  readonly paginate?: boolean;
  readonly recorded?: Recorded;
  readonly alsoRecorded?: readonly Recorded[];
}

export interface Recorded {
  readonly response?: unknown;
  readonly path?: string;
  readonly value?: unknown;
  readonly error?: Record<string, unknown>;
  readonly errorFields?: Record<string, unknown>;
  readonly httpStatus?: number;
  readonly failingOperation?: string;
  readonly unordered?: readonly string[];
  readonly notRecorded?: readonly string[];
  readonly derived?: string;
}

export interface Step {
  readonly action: 'create' | 'update' | 'delete' | 'calls';
  readonly template?: unknown;
  readonly templateBody?: string;
  readonly parameters?: unknown;
  readonly capabilities?: readonly string[];
  readonly calls?: readonly Call[];
}

export interface ProcessExpectation {
  readonly createChangeSet: readonly Record<string, unknown>[];
  readonly changeSetWithValues: readonly Record<string, unknown>[];
  readonly stack: readonly Record<string, unknown>[];
  readonly events: Record<string, readonly Record<string, unknown>[]>;
  readonly deleted: Record<string, unknown>;
}

/** All vectors of a folder, its sub-folders included, sorted by file name. */
export function readVectors(path: string): Vector[] {
  if (path.endsWith('.json')) return [JSON.parse(readFileSync(path, 'utf8')) as Vector];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return readVectors(join(path, entry.name));
      return entry.name.endsWith('.json') ? readVectors(join(path, entry.name)) : [];
    });
}
