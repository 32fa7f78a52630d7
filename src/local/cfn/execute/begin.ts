import { randomUUID } from 'node:crypto';
import type { Principal } from '../../kernel/principal.js';
import { mergeTouches } from './carried.js';
import type { ChangeSetRecord, Deployment, OperationKind, OperationRecord, Phase, ResourceToImport, StackRecord, StackStatus } from '../store/records.js';
import type { StackStore } from '../store/store.js';

/** What the caller wants of an operation, beyond the deployment itself. */
export interface Wish {
  readonly principal: Principal;
  readonly roleArn: string | undefined;
  readonly token: string | undefined;
  readonly now: Date;
  readonly onFailure: OperationRecord['onFailure'];
  readonly changes: readonly string[] | undefined;
  readonly imports: readonly ResourceToImport[];
  readonly changeSetUuid: string | undefined;
  readonly retain: readonly string[];
  readonly skip: readonly string[];
  readonly force: boolean;
  readonly express: boolean;
  readonly policy: string | undefined;
  readonly policyDuringUpdate: string | undefined;
  /** Members of the stack that change with the operation. */
  readonly patch: Partial<StackRecord>;
}

export const NO_WISHES: Omit<Wish, 'principal' | 'now' | 'roleArn' | 'token'> = {
  onFailure: 'ROLLBACK', changes: undefined, imports: [], changeSetUuid: undefined, retain: [], skip: [], force: false, express: false, policy: undefined, policyDuringUpdate: undefined, patch: {},
};

/** A stack nobody has worked on yet. */
export function newStack(options: { account: string; region: string; name: string; now: Date }): StackRecord {
  const uuid = timeUuid();
  return {
    id: `arn:aws:cloudformation:${options.region}:${options.account}:stack/${options.name}/${uuid}`, uuid, name: options.name, account: options.account, region: options.region,
    status: 'REVIEW_IN_PROGRESS', statusReason: 'User Initiated', createdAt: options.now, updatedAt: undefined, deletedAt: undefined, deployment: undefined, outputs: [],
    changeSetId: undefined, roleArn: undefined, disableRollback: false, timeoutInMinutes: undefined, terminationProtection: false, policy: undefined, parentId: undefined,
    rootId: undefined, deletionMode: undefined, retainExceptOnCreate: false, deploymentConfig: undefined, driftStatus: 'NOT_CHECKED', driftCheckedAt: undefined, lastOperations: [],
  };
}

/** Writes the beginning of an operation: status, event, operation record, in one transaction. Then the engine may be launched. */
export function beginOperation(store: StackStore, stack: StackRecord, kind: OperationKind, target: Deployment | undefined, wish: Wish): StackRecord {
  const { status, phase, type } = KINDS[kind];
  // The last stable state is that before the first of the operations that were left halfway (user guide: "Stack failure options").
  const halfway = kind === 'UPDATE_STACK' && stack.status === 'UPDATE_FAILED' ? store.operation(stack.uuid) : undefined;
  const operation: OperationRecord = {
    id: randomUUID(), stackUuid: stack.uuid, kind, phase: kind === 'ROLLBACK' && store.operation(stack.uuid)?.previous === undefined ? 'rollback' : phase, principal: wish.principal,
    roleArn: wish.roleArn, token: wish.token, target, previous: kind === 'CREATE_STACK' ? undefined : (halfway?.previous ?? stack.deployment),
    previousOutputs: halfway?.previousOutputs ?? stack.outputs, carried: halfway ? mergeTouches(halfway.carried, store.touches(stack.uuid)) : [], changes: wish.changes, imports: wish.imports,
    onFailure: wish.onFailure, retain: wish.retain, skip: wish.skip, force: wish.force, changeSetUuid: wish.changeSetUuid, cancelled: undefined, startedAt: wish.now, monitorUntil: undefined, express: wish.express,
    policy: wish.policy, policyDuringUpdate: wish.policyDuringUpdate,
  };
  return store.transaction(() => {
    if (kind !== 'ROLLBACK' && kind !== 'CONTINUE_ROLLBACK') store.forgetOperation(stack.uuid, stack.status === 'UPDATE_FAILED');
    const next: StackRecord = {
      ...stack, status, statusReason: 'User Initiated', ...(target ? { deployment: target } : {}), ...(wish.roleArn === undefined ? {} : { roleArn: wish.roleArn }),
      lastOperations: [{ id: operation.id, type }], ...wish.patch,
    };
    store.putStack(next);
    store.putOperation(operation);
    store.addEvent(stack.uuid, {
      id: randomUUID(), logicalId: stack.name, physicalId: stack.id, type: 'AWS::CloudFormation::Stack', status, reason: 'User Initiated', at: wish.now, properties: undefined,
      token: wish.token, operationId: operation.id,
    });
    return next;
  });
}

/** Takes up an operation that ended halfway (UPDATE_ROLLBACK_FAILED, UPDATE_FAILED): back to what stood before it. */
export function beginReturn(store: StackStore, stack: StackRecord, status: StackStatus, type: string, patch: Partial<OperationRecord>): StackRecord {
  return store.transaction(() => {
    const operation = store.operation(stack.uuid)!;
    const id = randomUUID();
    store.putOperation({ ...operation, phase: 'rollback', cancelled: undefined, ...patch });
    const next: StackRecord = { ...stack, status, statusReason: 'User Initiated', lastOperations: [{ id, type }] };
    store.putStack(next);
    store.addEvent(stack.uuid, {
      id: randomUUID(), logicalId: stack.name, physicalId: stack.id, type: 'AWS::CloudFormation::Stack', status, reason: 'User Initiated', at: operation.startedAt, properties: undefined,
      token: patch.token ?? operation.token, operationId: id,
    });
    return next;
  });
}

/** Change sets of a stack are void once something else happens to it (API reference: ExecuteChangeSet). */
export function obsoleteChangeSets(store: StackStore, stackUuid: string, except?: string): void {
  for (const changeSet of store.changeSetsOf(stackUuid)) {
    if (changeSet.uuid !== except && changeSet.executionStatus !== 'EXECUTE_COMPLETE') {
      store.putChangeSet({ ...changeSet, executionStatus: 'OBSOLETE' } satisfies ChangeSetRecord);
    }
  }
}

const KINDS: Readonly<Record<OperationKind, { status: StackStatus; phase: Phase; type: string }>> = {
  CREATE_STACK: { status: 'CREATE_IN_PROGRESS', phase: 'forward', type: 'CREATE_STACK' },
  UPDATE_STACK: { status: 'UPDATE_IN_PROGRESS', phase: 'forward', type: 'UPDATE_STACK' },
  IMPORT: { status: 'IMPORT_IN_PROGRESS', phase: 'forward', type: 'UPDATE_STACK' },
  DELETE_STACK: { status: 'DELETE_IN_PROGRESS', phase: 'delete', type: 'DELETE_STACK' },
  ROLLBACK: { status: 'ROLLBACK_IN_PROGRESS', phase: 'rollback', type: 'ROLLBACK' },
  CONTINUE_ROLLBACK: { status: 'UPDATE_ROLLBACK_IN_PROGRESS', phase: 'rollback', type: 'CONTINUE_ROLLBACK' },
};

/** Stack IDs end in a time-based UUID (version 1), as AWS's do. */
export function timeUuid(): string {
  const random = randomUUID();
  return `${random.slice(0, 14)}1${random.slice(15)}`;
}
