import type { AwsError } from '../kernel/error.js';
import type { RoleCredentials } from '../kernel/assume.js';
import type { Client, Runtime } from '../kernel/service.js';
import type * as CodePipeline from '../models/types/codepipeline.js';
import type { Artifact, Execution, PipelineRecord, Revision } from './execution.js';

/** Runs actions of one provider. One file a provider in `runners/`, one line in `runners/index.ts`. */
export interface ActionRunner {
  /** `Category/Provider`. */
  readonly types: readonly string[];
  /**
   * Does the action's work and answers what it gave. It may be called again for the same attempt after a crash: it finds in `memory` what
   * it noted with `remember`, and uses `attempt` as the token of whatever it starts, so that nothing happens twice. What it throws fails
   * the action: an AwsError with its code and message.
   */
  run(context: ActionContext): Promise<ActionResult>;
}

export interface ActionResult {
  readonly summary?: string;
  readonly externalId?: string;
  readonly externalUrl?: string;
  readonly outputs?: readonly Artifact[];
  /** Output variables, available as `#{namespace.key}`. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly revision?: Omit<Revision, 'action' | 'artifact'>;
}

export interface ActionContext {
  readonly runtime: Runtime;
  readonly pipeline: PipelineRecord;
  readonly execution: Execution;
  readonly stage: string;
  readonly declared: CodePipeline.ActionDeclaration;
  /** ID of this attempt. */
  readonly attempt: string;
  /** Configuration with variables resolved. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly region: string;
  /** As the pipeline's role, in the pipeline's region. */
  readonly pipelineClient: Client;
  /** As the action's role (the pipeline's, where it has none), in the action's region. */
  readonly client: Client;
  readonly credentials: RoleCredentials;
  /** Input artifacts, in the store of the action's region. */
  readonly inputs: readonly Artifact[];
  readonly memory: Readonly<Record<string, unknown>>;
  remember(values: Record<string, unknown>): void;
  /** Shows what the action waits for before it is done. */
  announce(external: { readonly id?: string; readonly url?: string; readonly summary?: string; readonly token?: string }): void;
  /** Content of an input artifact (a zip), read with the action's role. */
  readArtifact(name: string): Promise<Uint8Array>;
  /** Stores an output artifact in the action's region, encrypted with the store's key, with the action's role. */
  writeArtifact(name: string, content: Uint8Array): Promise<Artifact>;
  /** Where an output artifact belongs, for a program that writes it itself (CodeBuild). */
  outputLocation(name: string): Artifact;
  readonly encryptionKey: string | undefined;
  /** Ends when the action is abandoned or timed out. */
  readonly signal: AbortSignal;
  /** Waits; raises when the action ends meanwhile. */
  sleep(ms: number): Promise<void>;
}

export type ActionFailure = AwsError;
