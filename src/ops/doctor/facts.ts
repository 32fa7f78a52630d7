import type { Pair } from '../fleet/fleet.js';

/** What could be read, or why it couldn't. */
export type Known<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

/** What an account and region really are, as far as the caller may read; JSON, so that it can be kept (`doctor --save`). */
export interface PairFacts extends Pair {
  readonly environment?: string;
  readonly qualifier: string;
  readonly toolkitStackName: string;
  /** Whose credentials read it. */
  readonly identity: Known<string>;
  /** `opt-in-not-required`, `opted-in` or `not-opted-in`. */
  readonly optIn: Known<string>;
  readonly toolkit: Known<ToolkitFacts | null>;
  /** Value of `/cdk-bootstrap/QUALIFIER/version`; null where there is none. */
  readonly version: Known<number | null>;
  readonly roles: Known<Readonly<Record<RoleKind, RoleFacts | null>>>;
  /** Documents of the customer's policies that the roles use, by ARN. */
  readonly policies: Known<Readonly<Record<string, string>>>;
  /** Boundaries of the roles that don't stop the creation of a role without them, by ARN. */
  readonly inertBoundaries: Known<readonly string[]>;
  readonly bucket: Known<BucketFacts | null>;
  readonly repository: Known<RepositoryFacts | null>;
  readonly stacks: Known<readonly StackFacts[]>;
  readonly stackLimit: Known<number>;
  /** Of the account's pipelines in the region, where the fleet has one there. */
  readonly pipelines: Known<readonly PipelineFacts[]>;
  readonly connections: Known<readonly { readonly arn: string; readonly name: string; readonly status: string }[]>;
  /** Secrets that the fleet's pipelines resolve, and whether they are there. */
  readonly secrets: Known<Readonly<Record<string, boolean>>>;
  readonly quotas: Known<readonly QuotaFacts[]>;
  /** Service control policies that bind the account. */
  readonly controlPolicies: Known<readonly ControlPolicyFacts[]>;
  /** Only in a record: values that stacks export. */
  readonly exports?: Known<readonly { readonly name: string; readonly value: string; readonly stack: string }[]>;
}

export const ROLE_KINDS = ['deploy', 'lookup', 'file-publishing', 'image-publishing', 'cfn-exec'] as const;
export type RoleKind = (typeof ROLE_KINDS)[number];

export interface ToolkitFacts {
  /** Where it has another name than it should: of an instance of a stack set, for example. */
  readonly stackName?: string;
  readonly status: string;
  readonly version: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly terminationProtection: boolean;
  /** Only in a record. */
  readonly template?: string;
}

export interface RoleFacts {
  readonly name: string;
  readonly arn: string;
  /** Trust document, as JSON text. */
  readonly trust: string;
  readonly boundary?: string;
  /** ARNs of managed policies. */
  readonly attached: readonly string[];
  /** Only in a record: inline policies by name. */
  readonly inline?: Readonly<Record<string, string>>;
}

export interface BucketFacts {
  readonly name: string;
  /** False where the bucket exists and is another account's. */
  readonly own: boolean;
  readonly policy: string | null;
  readonly key?: { readonly id: string; readonly state: string; readonly policy: string | null };
}

export interface RepositoryFacts {
  readonly name: string;
  readonly policy: string | null;
}

export interface StackFacts {
  readonly name: string;
  readonly status: string;
  /** Only in a record, of stacks of the fleet. */
  readonly template?: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface PipelineFacts {
  readonly name: string;
  /** Policies of its artifact buckets and keys, by ARN or ID. */
  readonly policies: Readonly<Record<string, string>>;
}

export interface ControlPolicyFacts {
  readonly name: string;
  /** JSON text. */
  readonly document: string;
  /** The account, unit or root it is attached to, the account's own first; records of before don't have it. */
  readonly target?: string;
}

export interface QuotaFacts {
  readonly service: string;
  readonly code: string;
  readonly name: string;
  readonly value: number;
}
