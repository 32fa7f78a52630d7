import type * as Cfn from '../../models/types/cloudformation.js';
import type { Detail, PlannedChange } from '../../cfn/plan/plan.js';
import type { EventRecord, ResourceRecord, StackRecord } from '../../cfn/store/records.js';
import type { ParameterValue } from '../../cfn/template/parameters.js';

/** Shapes of the API's answers; which members are there when is recorded in the vectors. */

export function parametersShape(parameters: readonly ParameterValue[]): Cfn.Parameter[] {
  return parameters.map((parameter) => ({
    ParameterKey: parameter.key,
    ParameterValue: parameter.noEcho ? '****' : parameter.value,
    ...(parameter.resolved === undefined ? {} : { ResolvedValue: parameter.noEcho ? '****' : parameter.resolved }),
  }));
}

export function stackShape(stack: StackRecord): Cfn.Stack {
  const { deployment } = stack;
  const begun = stack.status !== 'REVIEW_IN_PROGRESS';
  return {
    StackId: stack.id, StackName: stack.name,
    ...(stack.changeSetId === undefined ? {} : { ChangeSetId: stack.changeSetId }),
    ...(begun && deployment?.description !== undefined ? { Description: deployment.description } : {}),
    ...(begun && deployment && deployment.parameters.length > 0 ? { Parameters: parametersShape(deployment.parameters) } : {}),
    CreationTime: stack.createdAt,
    ...(stack.deletedAt === undefined ? {} : { DeletionTime: stack.deletedAt }),
    ...(stack.updatedAt === undefined ? {} : { LastUpdatedTime: stack.updatedAt }),
    RollbackConfiguration: (deployment?.rollbackConfiguration ?? {}) as Cfn.RollbackConfiguration,
    StackStatus: stack.status as Cfn.StackStatus,
    ...(stack.statusReason === undefined ? {} : { StackStatusReason: stack.statusReason }),
    DisableRollback: stack.disableRollback,
    ...(stack.deploymentConfig === undefined ? {} : { DeploymentConfig: stack.deploymentConfig }),
    NotificationARNs: [...(deployment?.notificationArns ?? [])],
    ...(stack.timeoutInMinutes === undefined ? {} : { TimeoutInMinutes: stack.timeoutInMinutes }),
    ...(begun && deployment && deployment.capabilities.length > 0 ? { Capabilities: [...deployment.capabilities] as Cfn.Capability[] } : {}),
    ...(stack.outputs.length === 0 ? {} : { Outputs: outputsShape(stack) }),
    ...(stack.roleArn === undefined ? {} : { RoleARN: stack.roleArn }),
    Tags: [...(deployment?.tags ?? [])],
    ...(stack.status === 'DELETE_COMPLETE' ? {} : { EnableTerminationProtection: stack.terminationProtection }),
    ...(stack.parentId === undefined ? {} : { ParentId: stack.parentId }),
    ...(stack.rootId === undefined ? {} : { RootId: stack.rootId }),
    DriftInformation: driftShape(stack),
    ...(stack.retainExceptOnCreate ? { RetainExceptOnCreate: true } : {}),
    ...(stack.deletionMode === undefined ? {} : { DeletionMode: stack.deletionMode }),
    ...(stack.lastOperations.length === 0 ? {} : { LastOperations: stack.lastOperations.map(({ id, type }) => ({ OperationId: id, OperationType: type as Cfn.OperationType })) }),
  };
}

function outputsShape(stack: StackRecord): Cfn.Output[] {
  return stack.outputs.map((output) => ({
    OutputKey: output.key, OutputValue: output.value,
    ...(output.description === undefined ? {} : { Description: output.description }),
    ...(output.exportName === undefined ? {} : { ExportName: output.exportName }),
  }));
}

function driftShape(stack: StackRecord): Cfn.StackDriftInformation {
  return { StackDriftStatus: stack.driftStatus, ...(stack.driftCheckedAt === undefined ? {} : { LastCheckTimestamp: stack.driftCheckedAt }) };
}

export function stackSummaryShape(stack: StackRecord): Cfn.StackSummary {
  return {
    StackId: stack.id, StackName: stack.name,
    ...(stack.status !== 'REVIEW_IN_PROGRESS' && stack.deployment?.description !== undefined ? { TemplateDescription: stack.deployment.description } : {}),
    CreationTime: stack.createdAt,
    ...(stack.updatedAt === undefined ? {} : { LastUpdatedTime: stack.updatedAt }),
    ...(stack.deletedAt === undefined ? {} : { DeletionTime: stack.deletedAt }),
    StackStatus: stack.status as Cfn.StackStatus,
    ...(stack.statusReason === undefined ? {} : { StackStatusReason: stack.statusReason }),
    ...(stack.parentId === undefined ? {} : { ParentId: stack.parentId }),
    ...(stack.rootId === undefined ? {} : { RootId: stack.rootId }),
    DriftInformation: driftShape(stack),
    ...(stack.lastOperations.length === 0 ? {} : { LastOperations: stack.lastOperations.map(({ id, type }) => ({ OperationId: id, OperationType: type as Cfn.OperationType })) }),
  };
}

function resourceDrift(resource: ResourceRecord): Cfn.StackResourceDriftInformation {
  return resource.drift === undefined ? { StackResourceDriftStatus: 'NOT_CHECKED' } : { StackResourceDriftStatus: resource.drift.status as Cfn.StackResourceDriftStatus, LastCheckTimestamp: resource.drift.at };
}

export function resourceShape(stack: StackRecord, resource: ResourceRecord): Cfn.StackResource {
  return {
    StackName: stack.name, StackId: stack.id, LogicalResourceId: resource.logicalId,
    ...(resource.physicalId === '' ? {} : { PhysicalResourceId: resource.physicalId }),
    ResourceType: resource.type, Timestamp: resource.at, ResourceStatus: resource.status as Cfn.ResourceStatus,
    ...(resource.reason === undefined ? {} : { ResourceStatusReason: resource.reason }),
    DriftInformation: resourceDrift(resource),
  };
}

export function resourceSummaryShape(resource: ResourceRecord): Cfn.StackResourceSummary {
  return {
    LogicalResourceId: resource.logicalId,
    ...(resource.physicalId === '' ? {} : { PhysicalResourceId: resource.physicalId }),
    ResourceType: resource.type, LastUpdatedTimestamp: resource.at, ResourceStatus: resource.status as Cfn.ResourceStatus,
    ...(resource.reason === undefined ? {} : { ResourceStatusReason: resource.reason }),
    DriftInformation: resourceDrift(resource),
  };
}

export function resourceDetailShape(stack: StackRecord, resource: ResourceRecord): Cfn.StackResourceDetail {
  return {
    StackName: stack.name, StackId: stack.id, LogicalResourceId: resource.logicalId,
    ...(resource.physicalId === '' ? {} : { PhysicalResourceId: resource.physicalId }),
    ResourceType: resource.type, LastUpdatedTimestamp: resource.at, ResourceStatus: resource.status as Cfn.ResourceStatus,
    ...(resource.reason === undefined ? {} : { ResourceStatusReason: resource.reason }),
    Metadata: JSON.stringify(resource.metadata ?? {}),
    DriftInformation: resourceDrift(resource),
  };
}

export function eventShape(stack: StackRecord, event: EventRecord): Cfn.StackEvent {
  return {
    StackId: stack.id, EventId: event.id, StackName: stack.name, LogicalResourceId: event.logicalId, PhysicalResourceId: event.physicalId, ResourceType: event.type, Timestamp: event.at,
    ResourceStatus: event.status as Cfn.ResourceStatus,
    ...(event.operationId === undefined ? {} : { OperationId: event.operationId }),
    ...(event.reason === undefined ? {} : { ResourceStatusReason: event.reason }),
    ...(event.properties === undefined ? {} : { ResourceProperties: event.properties }),
    ...(event.token === undefined ? {} : { ClientRequestToken: event.token }),
  };
}

export function changeShape(change: PlannedChange, values: boolean): Cfn.Change {
  const view = values && change.valued ? change.valued : change;
  return {
    Type: 'Resource',
    ResourceChange: {
      ...(view.policyAction === undefined ? {} : { PolicyAction: view.policyAction }),
      Action: change.action, LogicalResourceId: change.logicalId,
      ...(change.physicalId === undefined || change.physicalId === '' ? {} : { PhysicalResourceId: change.physicalId }),
      ResourceType: change.type,
      ...(view.replacement === undefined ? {} : { Replacement: view.replacement }),
      ...(change.changeSetId === undefined ? {} : { ChangeSetId: change.changeSetId }),
      Scope: [...view.scope] as Cfn.ResourceAttribute[],
      Details: view.details.map((detail) => detailShape(detail, values)),
      ...(values && change.valued?.before !== undefined ? { BeforeContext: JSON.stringify(change.valued.before) } : {}),
      ...(values && change.valued?.after !== undefined ? { AfterContext: JSON.stringify(change.valued.after) } : {}),
    },
  };
}

function detailShape(detail: Detail, values: boolean): Cfn.ResourceChangeDetail {
  return {
    Target: {
      Attribute: detail.attribute,
      ...(detail.name === undefined ? {} : { Name: detail.name }),
      RequiresRecreation: detail.requiresRecreation,
      ...(values && detail.path !== undefined ? { Path: detail.path } : {}),
      ...(values && detail.before !== undefined ? { BeforeValue: detail.before } : {}),
      ...(values && detail.after !== undefined ? { AfterValue: detail.after } : {}),
      ...(values && detail.changeType !== undefined ? { AttributeChangeType: detail.changeType } : {}),
    },
    Evaluation: detail.evaluation,
    ChangeSource: detail.source,
    ...(detail.cause === undefined ? {} : { CausingEntity: detail.cause }),
  };
}
