/** A CodeBuild project as it was declared; members as in the API. */
export interface Project {
  readonly name: string;
  readonly arn: string;
  readonly description?: string;
  readonly source: Source;
  readonly secondarySources: readonly Source[];
  readonly sourceVersion?: string;
  readonly artifacts: ArtifactsTarget;
  readonly secondaryArtifacts: readonly ArtifactsTarget[];
  readonly cache: { readonly type: string; readonly location?: string; readonly modes?: readonly string[] };
  readonly environment: { readonly type: string; readonly image: string; readonly computeType: string; readonly environmentVariables: readonly Variable[]; readonly privilegedMode?: boolean; readonly [key: string]: unknown };
  readonly serviceRole: string;
  readonly timeoutInMinutes: number;
  readonly queuedTimeoutInMinutes: number;
  readonly concurrentBuildLimit?: number;
  readonly encryptionKey: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly logsConfig?: { readonly cloudWatchLogs?: { readonly status: string; readonly groupName?: string; readonly streamName?: string }; readonly s3Logs?: { readonly status: string } };
  readonly vpcConfig?: unknown;
  readonly created: Date;
  readonly lastModified: Date;
}

export interface Source {
  readonly type: string;
  readonly location?: string;
  readonly buildspec?: string;
  readonly sourceIdentifier?: string;
  readonly gitCloneDepth?: number;
  readonly [key: string]: unknown;
}

export interface ArtifactsTarget {
  readonly type: string;
  readonly location?: string;
  readonly path?: string;
  readonly name?: string;
  readonly namespaceType?: string;
  readonly packaging?: string;
  readonly artifactIdentifier?: string;
  readonly encryptionDisabled?: boolean;
  readonly [key: string]: unknown;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
}

export interface Place {
  readonly name: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** What CodePipeline gives a build and takes from it. */
export interface PipelinePart {
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  readonly primarySource: string | undefined;
  readonly encryptionKey: string | undefined;
  readonly execution: string;
  /** The rights of a Commands action, which has no project and no role of its own. */
  readonly accessKeyId?: string;
}

export type BuildStatus = 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'FAULT' | 'TIMED_OUT' | 'STOPPED';

export interface BuildPhase {
  readonly phaseType: string;
  readonly phaseStatus?: string;
  readonly startTime: Date;
  readonly endTime?: Date;
  readonly durationInSeconds?: number;
  readonly contexts?: readonly { readonly statusCode?: string; readonly message?: string }[];
}

/** One build: all that is known of it, durable. */
export interface Build {
  /** `PROJECT:UUID`. */
  readonly id: string;
  readonly number: number;
  readonly account: string;
  readonly region: string;
  /** The project as the build was started with, overrides applied. */
  readonly project: Project;
  readonly variables: readonly Variable[];
  readonly status: BuildStatus;
  readonly phase: string;
  readonly phases: readonly BuildPhase[];
  readonly started: Date;
  readonly ended?: Date;
  readonly initiator: string;
  readonly sourceVersion?: string;
  readonly resolvedSourceVersion?: string;
  readonly token?: string;
  readonly pipeline?: PipelinePart;
  readonly exported: readonly { readonly name: string; readonly value: string }[];
  readonly outputs: readonly Place[];
  /** Reports that the build has made. */
  readonly reportArns?: readonly string[];
  readonly logs: { readonly groupName: string; readonly streamName: string };
  readonly stopRequested?: boolean;
}

export function buildArn(build: Pick<Build, 'account' | 'region' | 'id'>): string {
  return `arn:aws:codebuild:${build.region}:${build.account}:build/${build.id}`;
}
