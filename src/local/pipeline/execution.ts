import type * as CodePipeline from '../models/types/codepipeline.js';

/** A pipeline as it stands: its newest definition and what its owner switched. */
export interface PipelineRecord {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Newest definition, its `version` included. */
  readonly declaration: CodePipeline.PipelineDeclaration;
  readonly created: Date;
  readonly updated: Date;
  readonly tags: Readonly<Record<string, string>>;
  /** Inbound transitions that are disabled, by stage. */
  readonly disabled: Readonly<Record<string, { readonly reason: string; readonly by: string; readonly at: Date }>>;
  /** Number of the next execution: executions are ordered by it. */
  readonly next: number;
}

export type ExecutionStatus = 'InProgress' | 'Stopping' | 'Stopped' | 'Succeeded' | 'Superseded' | 'Failed' | 'Cancelled';
export type StageStatus = 'NotStarted' | 'InProgress' | 'Succeeded' | 'Failed' | 'Stopped' | 'Stopping' | 'Cancelled';
export type ActionStatus = 'NotStarted' | 'InProgress' | 'Succeeded' | 'Failed' | 'Abandoned';

/** One run of a pipeline. The whole of what is known about it: whoever holds this record can go on with it. */
export interface Execution {
  readonly id: string;
  readonly pipeline: string;
  readonly account: string;
  readonly region: string;
  readonly number: number;
  readonly mode: 'SUPERSEDED' | 'QUEUED' | 'PARALLEL';
  /** The definition it runs; a pipeline that is redefined meanwhile ends it (SUPERSEDED, QUEUED) or leaves it alone (PARALLEL). */
  readonly declaration: CodePipeline.PipelineDeclaration;
  readonly status: ExecutionStatus;
  readonly summary?: string;
  readonly started: Date;
  readonly updated: Date;
  readonly trigger: { readonly triggerType: string; readonly triggerDetail: string };
  readonly variables: Readonly<Record<string, string>>;
  readonly overrides: readonly CodePipeline.SourceRevisionOverride[];
  /** Index of the stage it is in or waits for. */
  readonly stage: number;
  readonly place: 'waiting' | 'inside' | 'ended';
  readonly stages: readonly StageRun[];
  readonly artifacts: Readonly<Record<string, Artifact>>;
  readonly revisions: Readonly<Record<string, Revision>>;
  /** Output variables by namespace. */
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly stop?: { readonly abandon: boolean; readonly reason: string };
  /** The pipeline was redefined: it ends as soon as no action runs any more. */
  readonly cancelled?: boolean;
}

export interface StageRun {
  readonly name: string;
  readonly status: StageStatus;
  readonly entered?: Date;
  readonly actions: readonly ActionRun[];
  readonly retried?: boolean;
}

/** The latest attempt at an action. Earlier ones are kept as history. */
export interface ActionRun {
  readonly name: string;
  readonly status: ActionStatus;
  /** ID of the attempt; also the token that makes its side effects happen once. */
  readonly id: string;
  readonly started?: Date;
  readonly updated?: Date;
  readonly updatedBy?: string;
  /** What the runner must know after a crash. */
  readonly memory: Readonly<Record<string, unknown>>;
  readonly resolved?: Readonly<Record<string, string>>;
  readonly inputs: readonly Artifact[];
  readonly outputs: readonly Artifact[];
  readonly variables: Readonly<Record<string, string>>;
  readonly external?: { readonly id?: string; readonly url?: string };
  readonly summary?: string;
  readonly error?: { readonly code: string; readonly message: string };
  /** A manual approval that waits. */
  readonly token?: string;
}

export interface Artifact {
  readonly name: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

export interface Revision {
  readonly action: string;
  readonly artifact: string;
  readonly revisionId: string;
  readonly summary: string;
  readonly created?: Date;
  readonly url?: string;
}

export function isEnded(execution: Execution): boolean {
  return execution.status !== 'InProgress' && execution.status !== 'Stopping';
}
