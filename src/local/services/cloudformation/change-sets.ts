import { AwsError, isAwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { beginOperation, newStack, NO_WISHES, obsoleteChangeSets, timeUuid } from '../../cfn/execute/begin.js';
import { computePlan } from '../../cfn/plan/compute.js';
import type { Plan } from '../../cfn/plan/plan.js';
import { providerOf } from '../../cfn/resources/index.js';
import type { ChangeSetRecord, Deployment, ResourceToImport, StackRecord } from '../../cfn/store/records.js';
import { validationError } from '../../cfn/template/error.js';
import { TransformError } from '../../cfn/transform/error.js';
import { launch } from './engine.js';
import { existingResources } from './existing.js';
import { changeSetNotFound, findChangeSet, lookUpChangeSet, requireUpdatable, standingResources, storeOf } from './lookup.js';
import { checkRole, prepare, standingSide } from './prepare.js';
import { changeShape, parametersShape } from './shapes.js';
import { checkStackName } from './stacks.js';

const UNCHANGED = "The submitted information didn't contain changes. Submit different information to create a change set.";

export async function createChangeSet(input: Cfn.CreateChangeSetInput, context: RequestContext): Promise<Cfn.CreateChangeSetOutput> {
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
  const record = await plannedChangeSet(input, stack, context);
  await checkRole(input.RoleARN, context);
  store.transaction(() => {
    const now = store.stack(stack.uuid);
    if (!now && store.named(stack.name)) throw new AwsError('AlreadyExistsException', `Stack [${stack.name}] already exists`, { status: 400 });
    if (fresh && !now) {
      store.putStack(stack);
      store.addEvent(stack.uuid, {
        id: record.uuid.replace(/^.{8}/, stack.uuid.slice(0, 8)), logicalId: stack.name, physicalId: stack.id, type: 'AWS::CloudFormation::Stack', status: 'REVIEW_IN_PROGRESS', reason: 'User Initiated',
        at: context.now(), properties: undefined, token: undefined, operationId: undefined,
      });
    }
    store.putChangeSet(record);
  });
  return { Id: record.id, StackId: stack.id };
}

function stackFor(input: Cfn.CreateChangeSetInput, context: RequestContext): { stack: StackRecord; fresh: boolean } {
  const standing = storeOf(context).find(input.StackName);
  const type = input.ChangeSetType ?? 'UPDATE';
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

/**
 * Prepares the template and makes the plan. What a template does wrong is answered at once; a transform that fails and a change set
 * without changes are `FAILED` change sets, as AWS has them. The plan is complete when the answer goes out: nobody has to poll.
 */
async function plannedChangeSet(input: Cfn.CreateChangeSetInput, stack: StackRecord, context: RequestContext): Promise<ChangeSetRecord> {
  const uuid = timeUuid();
  const base: Omit<ChangeSetRecord, 'deployment' | 'plan' | 'status' | 'statusReason' | 'executionStatus'> = {
    id: `arn:aws:cloudformation:${stack.region}:${stack.account}:changeSet/${input.ChangeSetName}/${uuid}`, uuid, name: input.ChangeSetName, stackUuid: stack.uuid, stackId: stack.id, stackName: stack.name,
    type: input.ChangeSetType ?? 'UPDATE', description: input.Description, createdAt: context.now(), roleArn: input.RoleARN, onStackFailure: input.OnStackFailure,
    importExistingResources: input.ImportExistingResources === true, resourcesToImport: importsOf(input), includeNestedStacks: input.IncludeNestedStacks === true, parentId: undefined, rootId: undefined,
    deploymentMode: input.DeploymentMode, token: input.ClientToken,
  };
  const failed = (reason: string, deployment: Deployment): ChangeSetRecord => ({ ...base, deployment, plan: { changes: [], warnings: [], outputsChange: false }, status: 'FAILED', statusReason: reason, executionStatus: 'UNAVAILABLE' });
  try {
    const { deployment, side } = await prepare(input, stack, context, false);
    const store = storeOf(context);
    const resources = standingResources(store, stack.uuid);
    const before = standingSide(stack, context);
    checkImports(base.resourcesToImport, base.type, side.template.resources);
    const imports = base.importExistingResources ? [...base.resourcesToImport, ...(await existingResources(side, stack, new Set(resources.keys()), context))] : base.resourcesToImport;
    const plan = computePlan({ before, after: side, resources, imports, modelled: (type) => providerOf(type).modelled === true });
    refuseMixedImport(plan, base.type);
    if (base.type !== 'CREATE' && plan.changes.length === 0 && !plan.outputsChange) {
      const same = stack.deployment?.templateBody === deployment.templateBody;
      return failed(same ? UNCHANGED : 'No updates are to be performed.', deployment);
    }
    return { ...base, resourcesToImport: imports, deployment, plan, status: 'CREATE_COMPLETE', statusReason: undefined, executionStatus: 'AVAILABLE' };
  } catch (error) {
    if (!isAwsError(error) || !(error instanceof TransformError)) throw error;
    return failed(error.message, {
      templateBody: input.TemplateBody ?? '', processed: undefined, parameters: [], tags: [], capabilities: [...(input.Capabilities ?? [])], notificationArns: [], rollbackConfiguration: {}, description: undefined, stackOutputs: {},
    });
  }
}

function importsOf(input: Cfn.CreateChangeSetInput): ResourceToImport[] {
  return (input.ResourcesToImport ?? []).map(({ LogicalResourceId, ResourceType, ResourceIdentifier }) => ({ logicalId: LogicalResourceId, type: ResourceType, identifier: ResourceIdentifier }));
}

function checkImports(imports: readonly ResourceToImport[], type: string, declared: Readonly<Record<string, { type: string; deletionPolicy: unknown }>>): void {
  if (type === 'IMPORT' && imports.length === 0) throw validationError('ResourcesToImport is required for change sets of type IMPORT.');
  for (const resource of imports) {
    const declaration = declared[resource.logicalId];
    if (!declaration || declaration.type !== resource.type) throw validationError(`Resource ${resource.logicalId} of type ${resource.type} to import is not in the template.`);
    if (declaration.deletionPolicy === undefined) throw validationError(`Resources [${resource.logicalId}] to import must have DeletionPolicy attribute specified in the template.`);
  }
}

function refuseMixedImport(plan: Plan, type: string): void {
  if (type !== 'IMPORT') return;
  const others = plan.changes.filter((change) => change.action !== 'Import').map((change) => change.logicalId);
  if (others.length > 0) throw validationError(`As part of the import operation, you cannot modify or add [${others.join(', ')}]`);
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
  const disableRollback = input.DisableRollback === true || changeSet.onStackFailure === 'DO_NOTHING';
  store.transaction(() => {
    obsoleteChangeSets(store, stack.uuid, changeSet.uuid);
    store.putChangeSet({ ...changeSet, executionStatus: 'EXECUTE_IN_PROGRESS' });
    beginOperation(store, stack, creating ? 'CREATE_STACK' : changeSet.type === 'IMPORT' ? 'IMPORT' : 'UPDATE_STACK', changeSet.deployment, {
      ...NO_WISHES, principal: context.principal, now: context.now(), roleArn: changeSet.roleArn ?? stack.roleArn, token: input.ClientRequestToken,
      onFailure: creating ? (changeSet.onStackFailure ?? (disableRollback ? 'DO_NOTHING' : 'ROLLBACK')) : disableRollback ? 'DO_NOTHING' : 'ROLLBACK',
      changes: creating ? undefined : changeSet.plan.changes.map((change) => change.logicalId), imports: changeSet.plan.changes.filter((change) => change.action === 'Import').flatMap((change) => changeSet.resourcesToImport.find((wanted) => wanted.logicalId === change.logicalId) ?? []),
      changeSetUuid: changeSet.uuid,
      patch: { updatedAt: context.now(), deletedAt: undefined, changeSetId: changeSet.id, disableRollback, retainExceptOnCreate: input.RetainExceptOnCreate === true },
    });
    if (input.ClientRequestToken !== undefined) store.putToken('ExecuteChangeSet', input.ClientRequestToken, changeSet.id);
  });
  launch(stack, context);
  return {};
}

export function deleteChangeSet(input: Cfn.DeleteChangeSetInput, context: RequestContext): Record<string, never> {
  const changeSet = lookUpChangeSet(context, input.ChangeSetName, input.StackName);
  if (!changeSet) return {};
  if (changeSet.status === 'CREATE_IN_PROGRESS' || changeSet.executionStatus === 'EXECUTE_IN_PROGRESS') {
    throw new AwsError('InvalidChangeSetStatus', `Cannot delete ChangeSet in status ${changeSet.status === 'CREATE_IN_PROGRESS' ? changeSet.status : changeSet.executionStatus}`, { status: 400 });
  }
  storeOf(context).removeChangeSet(changeSet);
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
      ...(changeSet.importExistingResources ? { ImportExistingResources: true } : {}),
    })),
  };
}

export function describeChangeSetHooks(input: Cfn.DescribeChangeSetHooksInput, context: RequestContext): Cfn.DescribeChangeSetHooksOutput {
  const changeSet = findChangeSet(context, input.ChangeSetName, input.StackName);
  return { ChangeSetId: changeSet.id, ChangeSetName: changeSet.name, StackId: changeSet.stackId, StackName: changeSet.stackName, Status: 'PLANNED', Hooks: [] };
}
