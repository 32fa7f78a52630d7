import type { Principal } from '../../kernel/principal.js';
import type { Json, JsonObject } from '../json.js';
import type { Plan } from '../plan/plan.js';
import type { ParameterValue } from '../template/parameters.js';

export type StackStatus =
  | 'REVIEW_IN_PROGRESS'
  | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'CREATE_FAILED'
  | 'ROLLBACK_IN_PROGRESS' | 'ROLLBACK_COMPLETE' | 'ROLLBACK_FAILED'
  | 'UPDATE_IN_PROGRESS' | 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' | 'UPDATE_COMPLETE' | 'UPDATE_FAILED'
  | 'UPDATE_ROLLBACK_IN_PROGRESS' | 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS' | 'UPDATE_ROLLBACK_COMPLETE' | 'UPDATE_ROLLBACK_FAILED'
  | 'IMPORT_IN_PROGRESS' | 'IMPORT_COMPLETE' | 'IMPORT_ROLLBACK_IN_PROGRESS' | 'IMPORT_ROLLBACK_COMPLETE' | 'IMPORT_ROLLBACK_FAILED'
  | 'DELETE_IN_PROGRESS' | 'DELETE_COMPLETE' | 'DELETE_FAILED';

export type ResourceStatus =
  | `${'CREATE' | 'UPDATE' | 'DELETE' | 'IMPORT' | 'ROLLBACK' | 'UPDATE_ROLLBACK'}_${'IN_PROGRESS' | 'COMPLETE' | 'FAILED'}`
  | 'DELETE_SKIPPED';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** What a stack was last told to be: template, parameters and the settings that come with an operation. */
export interface Deployment {
  /** The text as it was sent. */
  readonly templateBody: string;
  /** The document after its transforms; undefined when it has none (the text is the document). */
  readonly processed: JsonObject | undefined;
  readonly parameters: readonly ParameterValue[];
  readonly tags: readonly Tag[];
  readonly capabilities: readonly string[];
  readonly notificationArns: readonly string[];
  readonly rollbackConfiguration: JsonObject;
  readonly description: string | undefined;
  /** Outputs of other stacks that Fn::GetStackOutput found, by `stackOutputKey`. */
  readonly stackOutputs: Readonly<Record<string, string>>;
}

export interface DeploymentConfig {
  readonly Mode?: 'STANDARD' | 'EXPRESS';
  readonly DisableRollback?: boolean;
}

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
  readonly exportName: string | undefined;
}

export interface StackRecord {
  readonly id: string;
  readonly uuid: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly status: StackStatus;
  readonly statusReason: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date | undefined;
  readonly deletedAt: Date | undefined;
  /** Undefined until the first operation begins (REVIEW_IN_PROGRESS). */
  readonly deployment: Deployment | undefined;
  readonly outputs: readonly StackOutput[];
  readonly changeSetId: string | undefined;
  readonly roleArn: string | undefined;
  readonly disableRollback: boolean;
  readonly timeoutInMinutes: number | undefined;
  readonly terminationProtection: boolean;
  readonly policy: string | undefined;
  readonly parentId: string | undefined;
  readonly rootId: string | undefined;
  readonly deletionMode: 'STANDARD' | 'FORCE_DELETE_STACK' | undefined;
  readonly retainExceptOnCreate: boolean;
  /** DeploymentConfig of the last operation that named one. */
  readonly deploymentConfig: DeploymentConfig | undefined;
  readonly driftStatus: 'NOT_CHECKED' | 'DRIFTED' | 'IN_SYNC' | 'UNKNOWN';
  readonly driftCheckedAt: Date | undefined;
  /** Newest first, as DescribeStacks answers them. */
  readonly lastOperations: readonly { readonly id: string; readonly type: string }[];
}

export type DeletionPolicy = 'Delete' | 'Retain' | 'RetainExceptOnCreate' | 'Snapshot';

export interface ResourceRecord {
  readonly logicalId: string;
  readonly type: string;
  /** Empty until it is known. */
  readonly physicalId: string;
  readonly status: ResourceStatus;
  readonly reason: string | undefined;
  readonly at: Date;
  /** Evaluated; dynamic references unresolved, so that no secret is kept here. */
  readonly properties: JsonObject;
  /** Answers of Fn::GetAtt by dotted name. */
  readonly attributes: JsonObject;
  readonly metadata: Json | undefined;
  /** Logical IDs, as of the template that made it: the order of deletion. */
  readonly dependsOn: readonly string[];
  readonly deletionPolicy: DeletionPolicy;
  readonly updateReplacePolicy: DeletionPolicy;
  /** Tags of the stack when it was last touched. */
  readonly stackTags: readonly Tag[];
  /** Served by the schema, without behaviour behind it. */
  readonly modelled: boolean;
  readonly drift: { readonly status: string; readonly at: Date; readonly differences: readonly JsonObject[]; readonly actual: JsonObject | undefined } | undefined;
}

export interface EventRecord {
  readonly id: string;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly at: Date;
  /** JSON text. */
  readonly properties: string | undefined;
  readonly token: string | undefined;
  readonly operationId: string | undefined;
}

export type ChangeSetStatus = 'CREATE_PENDING' | 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'DELETE_COMPLETE' | 'FAILED';
export type ExecutionStatus = 'UNAVAILABLE' | 'AVAILABLE' | 'EXECUTE_IN_PROGRESS' | 'EXECUTE_COMPLETE' | 'EXECUTE_FAILED' | 'OBSOLETE';

export interface ChangeSetRecord {
  readonly id: string;
  readonly uuid: string;
  readonly name: string;
  readonly stackUuid: string;
  readonly stackId: string;
  readonly stackName: string;
  readonly type: 'CREATE' | 'UPDATE' | 'IMPORT';
  readonly description: string | undefined;
  readonly status: ChangeSetStatus;
  readonly statusReason: string | undefined;
  readonly executionStatus: ExecutionStatus;
  readonly createdAt: Date;
  readonly deployment: Deployment;
  readonly plan: Plan;
  readonly roleArn: string | undefined;
  readonly onStackFailure: 'DO_NOTHING' | 'ROLLBACK' | 'DELETE' | undefined;
  readonly importExistingResources: boolean;
  readonly resourcesToImport: readonly ResourceToImport[];
  readonly includeNestedStacks: boolean;
  readonly parentId: string | undefined;
  readonly rootId: string | undefined;
  /** ARNs of the change sets of nested stacks that were made with this one. */
  readonly nested: readonly string[];
  readonly deploymentConfig: DeploymentConfig | undefined;
  readonly token: string | undefined;
}

export interface ResourceToImport {
  readonly logicalId: string;
  readonly type: string;
  readonly identifier: Readonly<Record<string, string>>;
}

export type OperationKind = 'CREATE_STACK' | 'UPDATE_STACK' | 'DELETE_STACK' | 'ROLLBACK' | 'CONTINUE_ROLLBACK' | 'IMPORT';

/** Where an operation is; each phase ends by entering the next in one transaction. */
export type Phase = 'forward' | 'cleanup' | 'rollback' | 'rollback-cleanup' | 'delete';

/** A stack operation under way. Written at every transition; `Engine.resume` takes up from here. */
export interface OperationRecord {
  readonly id: string;
  readonly stackUuid: string;
  readonly kind: OperationKind;
  readonly phase: Phase;
  readonly principal: Principal;
  readonly roleArn: string | undefined;
  readonly token: string | undefined;
  /** Deployment to bring about (forward) and the one to go back to. */
  readonly target: Deployment | undefined;
  readonly previous: Deployment | undefined;
  readonly previousOutputs: readonly StackOutput[];
  /** What operations before this one did and left as it was (UPDATE_FAILED): going back undoes that as well. */
  readonly carried: readonly TouchRecord[];
  /** Logical IDs the plan changes; undefined: all. */
  readonly changes: readonly string[] | undefined;
  readonly imports: readonly ResourceToImport[];
  readonly onFailure: 'ROLLBACK' | 'DELETE' | 'DO_NOTHING';
  readonly retain: readonly string[];
  readonly skip: readonly string[];
  readonly force: boolean;
  readonly changeSetUuid: string | undefined;
  /** Why the operation was told to go back (CancelUpdateStack, a timeout). */
  readonly cancelled: string | undefined;
  readonly startedAt: Date;
  /** End of the monitoring time (milliseconds since the epoch), once it has begun. */
  readonly monitorUntil: number | undefined;
  /** How the stack's resources are said to be complete (user guide: "Express mode"). */
  readonly express: boolean;
  /** Stack policy that holds once the update is done; `null` when it goes. */
  readonly policy: string | undefined;
  /** Stack policy that holds instead of the stack's own during this update. */
  readonly policyDuringUpdate: string | undefined;
}

/** What an operation did to one resource, so that it can be undone. */
export interface TouchRecord {
  readonly logicalId: string;
  readonly kind: 'create' | 'update' | 'replace' | 'import' | 'remove';
  readonly done: boolean;
  readonly failed: boolean;
  readonly undone: boolean;
  /** Token of the attempt: physical names derive from it, so that a repeated attempt finds its own. */
  readonly token: string;
  readonly before: ResourceRecord | undefined;
  /** Properties of an attempt that isn't done or failed: how far it came nobody knows, so all of them have to be put back. */
  readonly attempted: JsonObject | undefined;
  /** Nothing of the resource itself was changed, only what the stack knows of it. */
  readonly quiet?: boolean;
  /** Properties that the old physical resource had when it was replaced, where an operation before had changed them. */
  readonly replacedFrom?: JsonObject;
}

/** What becomes of a resource that leaves its stack, by DeletionPolicy or UpdateReplacePolicy. */
export type Fate = 'delete' | 'retain' | 'snapshot';

/** A physical resource the stack no longer wants: deleted in the clean-up. */
export interface ObsoleteRecord {
  readonly resource: ResourceRecord;
  readonly fate: Fate;
}
