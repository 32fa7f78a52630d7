import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { beginOperation, newStack, NO_WISHES, obsoleteChangeSets } from '../../cfn/execute/begin.js';
import { removeHierarchy, removeNested } from '../../cfn/execute/nested.js';
import type { StackRecord } from '../../cfn/store/records.js';
import { validationError } from '../../cfn/template/error.js';
import { disablesRollback, requireSameMode } from './deployment-config.js';
import { launch } from './engine.js';
import { changeSetNotFound, findChangeSet, lookUpChangeSet, requireUpdatable, storeOf, refuseBeyondLimit } from './lookup.js';
import { changedIn } from './planning.js';
import { planChangeSet, type PlannedChangeSet } from './plan-change-set.js';
import { checkRole } from './prepare.js';
import { changeShape, parametersShape } from './shapes.js';
import { checkStackName } from './stacks.js';

export async function createChangeSet(input: Cfn.CreateChangeSetInput, context: RequestContext): Promise<Cfn.CreateChangeSetOutput> {
  if (input.DeploymentMode !== undefined) throw new AwsError('NotImplemented', `The local cloud has no change sets of DeploymentMode ${input.DeploymentMode}. Nothing was changed.`, { status: 501 });
  const store = storeOf(context);
  checkStackName(input.StackName);
  if (!/^[a-zA-Z][-a-zA-Z0-9]*$/.test(input.ChangeSetName)) {
    throw validationError(`1 validation error detected: Value '${input.ChangeSetName}' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`);
  }
  const { stack, fresh } = stackFor(input, context);
  const repeated = store.changeSetNamed(stack.uuid, input.ChangeSetName);
  if (repeated && repeated.token !== undefined && repeated.token === input.ClientToken) return { Id: repeated.id, StackId: stack.id };
  if (repeated && repeated.executionStatus !== 'EXECUTE_COMPLETE' && repeated.executionStatus !== 'OBSOLETE' && repeated.executionStatus !== 'EXECUTE_FAILED') {
    throw new AwsError('AlreadyExistsException', `ChangeSet ${input.ChangeSetName} already exists`, { status: 400 });
  }
  await checkRole(input.RoleARN, context);
  const planned = await planChangeSet(input, stack, fresh, context);
  store.transaction(() => {
    if (!store.stack(stack.uuid) && store.named(stack.name)) throw new AwsError('AlreadyExistsException', `Stack [${stack.name}] already exists`, { status: 400 });
    if (repeated) removeNested(store, repeated);
    keep(planned, context);
  });
  return { Id: planned.record.id, StackId: stack.id };
}

/** Writes a planned change set with its nested ones, and the stacks in review that they are for. */
function keep({ stack, fresh, record, nested }: PlannedChangeSet, context: RequestContext): void {
  const store = storeOf(context);
  if (fresh && !store.stack(stack.uuid)) {
    store.putStack(stack);
    store.addEvent(stack.uuid, {
      id: record.uuid.replace(/^.{8}/, stack.uuid.slice(0, 8)), logicalId: stack.name, physicalId: stack.id, type: 'AWS::CloudFormation::Stack', status: 'REVIEW_IN_PROGRESS', reason: 'User Initiated',
      at: context.now(), properties: undefined, token: undefined, operationId: undefined,
    });
  }
  store.putChangeSet(record);
  for (const child of nested) keep(child, context);
}

function stackFor(input: Cfn.CreateChangeSetInput, context: RequestContext): { stack: StackRecord; fresh: boolean } {
  const standing = storeOf(context).find(input.StackName);
  const type = input.ChangeSetType ?? 'UPDATE';
  if (type !== 'UPDATE' && !standing) refuseBeyondLimit(context);
  if (type === 'CREATE') {
    if (!standing) return { stack: newStack({ account: context.account, region: context.region, name: input.StackName, now: context.now() }), fresh: true };
    if (standing.status !== 'REVIEW_IN_PROGRESS') throw validationError(`Stack [${standing.name}] already exists and cannot be created again with the changeSet [${input.ChangeSetName}].`);
    return { stack: standing, fresh: false };
  }
  if (type === 'IMPORT' && !standing) return { stack: newStack({ account: context.account, region: context.region, name: input.StackName, now: context.now() }), fresh: true };
  if (!standing) throw validationError(`Stack [${input.StackName}] does not exist`);
  if (!(type === 'IMPORT' && standing.status === 'REVIEW_IN_PROGRESS')) requireUpdatable(standing);
  return { stack: standing, fresh: false };
}

export function describeChangeSet(input: Cfn.DescribeChangeSetInput, context: RequestContext): Cfn.DescribeChangeSetOutput {
  const changeSet = findChangeSet(context, input.ChangeSetName, input.StackName);
  const values = input.IncludePropertyValues === true;
  const { deployment, plan } = changeSet;
  const warnings = values && plan.warnings.length > 0 ? `[WARN] --include-property-values option can return incomplete ChangeSet data because: ${plan.warnings.join('; ')}` : undefined;
  const reason = changeSet.statusReason ?? warnings;
  const start = input.NextToken === undefined ? 0 : Number(input.NextToken);
  const page = plan.changes.filter((change) => !values || change.valued !== undefined);
  return {
    ChangeSetName: changeSet.name, ChangeSetId: changeSet.id, StackId: changeSet.stackId, StackName: changeSet.stackName,
    ...(changeSet.description === undefined ? {} : { Description: changeSet.description }),
    ...(deployment.parameters.length === 0 ? {} : { Parameters: parametersShape(deployment.parameters) }),
    CreationTime: changeSet.createdAt, ExecutionStatus: changeSet.executionStatus, Status: changeSet.status,
    ...(reason === undefined ? {} : { StatusReason: reason }),
    NotificationARNs: [...deployment.notificationArns], RollbackConfiguration: deployment.rollbackConfiguration as Cfn.RollbackConfiguration, Capabilities: [...deployment.capabilities] as Cfn.Capability[],
    ...(deployment.tags.length === 0 ? {} : { Tags: [...deployment.tags] }),
    Changes: page.slice(start, start + 1000).map((change) => changeShape(change, values)),
    ...(page.length > start + 1000 ? { NextToken: String(start + 1000) } : {}),
    IncludeNestedStacks: changeSet.includeNestedStacks,
    ...(changeSet.parentId === undefined ? {} : { ParentChangeSetId: changeSet.parentId }),
    ...(changeSet.rootId === undefined ? {} : { RootChangeSetId: changeSet.rootId }),
    ...(changeSet.onStackFailure === undefined ? {} : { OnStackFailure: changeSet.onStackFailure }),
    ...(changeSet.importExistingResources ? { ImportExistingResources: true } : {}),
    ...(changeSet.deploymentConfig === undefined ? {} : { DeploymentConfig: changeSet.deploymentConfig }),
  };
}

export function executeChangeSet(input: Cfn.ExecuteChangeSetInput, context: RequestContext): Cfn.ExecuteChangeSetOutput {
  const store = storeOf(context);
  const changeSet = findChangeSet(context, input.ChangeSetName, input.StackName);
  const stack = store.stack(changeSet.stackUuid);
  if (!stack || stack.status === 'DELETE_COMPLETE') throw changeSetNotFound(input.ChangeSetName);
  if (input.ClientRequestToken !== undefined && store.token('ExecuteChangeSet', input.ClientRequestToken) === changeSet.id) return {};
  if (changeSet.status !== 'CREATE_COMPLETE' || changeSet.executionStatus !== 'AVAILABLE') {
    throw new AwsError('InvalidChangeSetStatus', `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status === 'CREATE_COMPLETE' ? changeSet.executionStatus : changeSet.status}]`, { status: 400 });
  }
  if (input.DisableRollback !== undefined && changeSet.onStackFailure !== undefined) throw validationError('DisableRollback cannot be used with OnStackFailure');
  const creating = stack.status === 'REVIEW_IN_PROGRESS' && changeSet.type === 'CREATE';
  if (stack.status !== 'REVIEW_IN_PROGRESS') requireUpdatable(stack);
  requireSameMode(stack, changeSet.deploymentConfig);
  const disableRollback = changeSet.onStackFailure === undefined ? disablesRollback({ ...input, DeploymentConfig: changeSet.deploymentConfig }) : changeSet.onStackFailure === 'DO_NOTHING';
  store.transaction(() => {
    obsoleteChangeSets(store, stack.uuid, changeSet.uuid);
    store.putChangeSet({ ...changeSet, executionStatus: 'EXECUTE_IN_PROGRESS' });
    beginOperation(store, stack, creating ? 'CREATE_STACK' : changeSet.type === 'IMPORT' ? 'IMPORT' : 'UPDATE_STACK', changeSet.deployment, {
      ...NO_WISHES, principal: context.principal, now: context.now(), roleArn: changeSet.roleArn ?? stack.roleArn, token: input.ClientRequestToken,
      onFailure: creating ? (changeSet.onStackFailure ?? (disableRollback ? 'DO_NOTHING' : 'ROLLBACK')) : disableRollback ? 'DO_NOTHING' : 'ROLLBACK',
      changes: creating ? undefined : changedIn(changeSet.plan, stack), imports: changeSet.plan.changes.filter((change) => change.action === 'Import').flatMap((change) => changeSet.resourcesToImport.find((wanted) => wanted.logicalId === change.logicalId) ?? []),
      changeSetUuid: changeSet.uuid, express: changeSet.deploymentConfig?.Mode === 'EXPRESS',
      patch: { deploymentConfig: changeSet.deploymentConfig, updatedAt: context.now(), deletedAt: undefined, changeSetId: changeSet.id, disableRollback, retainExceptOnCreate: input.RetainExceptOnCreate === true },
    });
    if (input.ClientRequestToken !== undefined) store.putToken('ExecuteChangeSet', input.ClientRequestToken, changeSet.id);
  });
  launch(stack, context);
  return {};
}

export function deleteChangeSet(input: Cfn.DeleteChangeSetInput, context: RequestContext): Record<string, never> {
  const changeSet = lookUpChangeSet(context, input.ChangeSetName, input.StackName);
  if (!changeSet) return {};
  if (changeSet.rootId !== undefined && lookUpChangeSet(context, changeSet.rootId, undefined)) {
    throw new AwsError('InvalidChangeSetStatus', `Change set [${changeSet.id}] belongs to a hierarchy of nested stacks: delete it from its root change set [${changeSet.rootId}]`, { status: 400 });
  }
  if (changeSet.status === 'CREATE_IN_PROGRESS' || changeSet.executionStatus === 'EXECUTE_IN_PROGRESS') {
    throw new AwsError('InvalidChangeSetStatus', `Cannot delete ChangeSet in status ${changeSet.status === 'CREATE_IN_PROGRESS' ? changeSet.status : changeSet.executionStatus}`, { status: 400 });
  }
  const store = storeOf(context);
  store.transaction(() => removeHierarchy(store, changeSet));
  return {};
}

export function listChangeSets(input: Cfn.ListChangeSetsInput, context: RequestContext): Cfn.ListChangeSetsOutput {
  const store = storeOf(context);
  const stack = store.find(input.StackName);
  if (!stack) throw validationError(`Stack [${input.StackName}] does not exist`);
  const shown = store.changeSetsOf(stack.uuid).filter((changeSet) => changeSet.executionStatus !== 'EXECUTE_COMPLETE' && changeSet.executionStatus !== 'OBSOLETE');
  return {
    Summaries: shown.map((changeSet) => ({
      StackId: changeSet.stackId, StackName: changeSet.stackName, ChangeSetId: changeSet.id, ChangeSetName: changeSet.name, ExecutionStatus: changeSet.executionStatus, Status: changeSet.status,
      ...(changeSet.statusReason === undefined ? {} : { StatusReason: changeSet.statusReason }),
      CreationTime: changeSet.createdAt,
      ...(changeSet.description === undefined ? {} : { Description: changeSet.description }),
      IncludeNestedStacks: changeSet.includeNestedStacks,
      ...(changeSet.parentId === undefined ? {} : { ParentChangeSetId: changeSet.parentId }),
      ...(changeSet.rootId === undefined ? {} : { RootChangeSetId: changeSet.rootId }),
      ...(changeSet.importExistingResources ? { ImportExistingResources: true } : {}),
    })),
  };
}

export function describeChangeSetHooks(input: Cfn.DescribeChangeSetHooksInput, context: RequestContext): Cfn.DescribeChangeSetHooksOutput {
  const changeSet = findChangeSet(context, input.ChangeSetName, input.StackName);
  return { ChangeSetId: changeSet.id, ChangeSetName: changeSet.name, StackId: changeSet.stackId, StackName: changeSet.stackName, Status: 'PLANNED', Hooks: [] };
}
