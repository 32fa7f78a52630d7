import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { validationError } from '../../cfn/template/error.js';
import type { EventRecord, ResourceRecord, StackRecord } from '../../cfn/store/records.js';
import { findStack, lookUpChangeSet, storeOf } from './lookup.js';
import { holdWhileInProgress } from './long-poll.js';
import { eventShape, resourceDetailShape, resourceShape, resourceSummaryShape, stackShape, stackSummaryShape } from './shapes.js';

const PAGE = 100;

export async function describeStacks(input: Cfn.DescribeStacksInput, context: RequestContext): Promise<Cfn.DescribeStacksOutput> {
  if (input.StackName !== undefined && input.StackName !== '') {
    const stack = findStack(context, input.StackName);
    await holdWhileInProgress(stack, context);
    return { Stacks: [stackShape(findStack(context, stack.id))] };
  }
  const all = storeOf(context).stacks().filter((stack) => stack.status !== 'DELETE_COMPLETE').sort(newestFirst);
  const { page, next } = paged(all, input.NextToken);
  return { Stacks: page.map(stackShape), ...(next === undefined ? {} : { NextToken: next }) };
}

export function listStacks(input: Cfn.ListStacksInput, context: RequestContext): Cfn.ListStacksOutput {
  const wanted = new Set<string>(input.StackStatusFilter ?? []);
  const all = storeOf(context).stacks().filter((stack) => wanted.size === 0 || wanted.has(stack.status)).sort(newestFirst);
  const { page, next } = paged(all, input.NextToken);
  return { StackSummaries: page.map(stackSummaryShape), ...(next === undefined ? {} : { NextToken: next }) };
}

function newestFirst(a: StackRecord, b: StackRecord): number {
  return b.createdAt.getTime() - a.createdAt.getTime();
}

function paged<T>(all: readonly T[], token: string | undefined): { page: readonly T[]; next: string | undefined } {
  const start = token === undefined ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0) throw validationError('NextToken is not valid');
  return { page: all.slice(start, start + PAGE), next: all.length > start + PAGE ? String(start + PAGE) : undefined };
}

/** Resources that stand, or, of a deleted stack, those it had. */
function shown(context: RequestContext, stack: StackRecord): ResourceRecord[] {
  return storeOf(context).resources(stack.uuid);
}

export function describeStackResource(input: Cfn.DescribeStackResourceInput, context: RequestContext): Cfn.DescribeStackResourceOutput {
  const store = storeOf(context);
  const stack = store.find(input.StackName);
  if (!stack) throw validationError(`Stack '${input.StackName}' does not exist`);
  const resource = store.resource(stack.uuid, input.LogicalResourceId);
  // The sentence names the stack as the caller did (recorded: cfn-resources-describe-non-existent-resource).
  if (!resource || resource.status === 'DELETE_COMPLETE') throw validationError(`Resource ${input.LogicalResourceId} does not exist for stack ${input.StackName}`);
  return { StackResourceDetail: resourceDetailShape(stack, resource) };
}

export function describeStackResources(input: Cfn.DescribeStackResourcesInput, context: RequestContext): Cfn.DescribeStackResourcesOutput {
  if (input.StackName === undefined && input.PhysicalResourceId === undefined) throw validationError('Exactly one of [stackName, physicalResourceId] must be specified.');
  const stack = input.StackName === undefined ? stackOfPhysical(context, input.PhysicalResourceId!) : findStack(context, input.StackName);
  const resources = shown(context, stack).filter((resource) => input.LogicalResourceId === undefined || resource.logicalId === input.LogicalResourceId);
  if (input.LogicalResourceId !== undefined && resources.length === 0) throw validationError(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
  return { StackResources: resources.slice(0, 500).map((resource) => resourceShape(stack, resource)) };
}

function stackOfPhysical(context: RequestContext, physicalId: string): StackRecord {
  const store = storeOf(context);
  const found = store.stacks().find((stack) => stack.status !== 'DELETE_COMPLETE' && store.resources(stack.uuid).some((resource) => resource.physicalId === physicalId));
  if (!found) throw validationError(`Stack for ${physicalId} does not exist`);
  return found;
}

export function listStackResources(input: Cfn.ListStackResourcesInput, context: RequestContext): Cfn.ListStackResourcesOutput {
  const stack = findStack(context, input.StackName);
  const { page, next } = paged(shown(context, stack), input.NextToken);
  return { StackResourceSummaries: page.map(resourceSummaryShape), ...(next === undefined ? {} : { NextToken: next }) };
}

export function describeStackEvents(input: Cfn.DescribeStackEventsInput, context: RequestContext): Cfn.DescribeStackEventsOutput {
  if (input.StackName === undefined) throw validationError("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null");
  const stack = findStack(context, input.StackName, 'brackets');
  const entries = storeOf(context).events(stack.uuid, PAGE + 1, input.NextToken === undefined ? undefined : Number(input.NextToken));
  const more = entries.length > PAGE;
  const page = entries.slice(0, PAGE);
  return { StackEvents: page.map(([, event]) => eventShape(stack, event)), ...(more ? { NextToken: String(page[PAGE - 1]![0]) } : {}) };
}

/** Events of one operation or of a stack, optionally the failures only (API reference: DescribeEvents). */
export function describeEvents(input: Cfn.DescribeEventsInput, context: RequestContext): Cfn.DescribeEventsOutput {
  const stack = stackForEvents(input, context);
  let events = storeOf(context).events(stack.uuid).map(([, event]) => event);
  if (input.OperationId !== undefined) events = events.filter((event) => event.operationId === input.OperationId);
  if (input.Filters?.FailedEvents === true) events = events.filter((event) => event.status.endsWith('_FAILED'));
  const { page, next } = paged(events, input.NextToken);
  return { OperationEvents: page.map((event) => operationEventShape(stack, event)), ...(next === undefined ? {} : { NextToken: next }) };
}

function stackForEvents(input: Cfn.DescribeEventsInput, context: RequestContext): StackRecord {
  if (input.StackName !== undefined) return findStack(context, input.StackName);
  if (input.ChangeSetName !== undefined) {
    const changeSet = lookUpChangeSet(context, input.ChangeSetName, undefined);
    if (changeSet) return findStack(context, changeSet.stackId);
    throw validationError(`ChangeSet [${input.ChangeSetName}] does not exist`);
  }
  const found = input.OperationId === undefined ? undefined : storeOf(context).stacks().find((stack) => stack.lastOperations.some((operation) => operation.id === input.OperationId));
  if (!found) throw validationError('At least one of StackName, ChangeSetName or OperationId must be specified and exist.');
  return found;
}

function operationEventShape(stack: StackRecord, event: EventRecord): Cfn.OperationEvent {
  const isStack = event.physicalId === stack.id;
  return {
    EventId: event.id, StackId: stack.id, EventType: (isStack ? 'STACK_EVENT' : event.status.endsWith('_FAILED') ? 'PROVISIONING_ERROR' : 'STACK_EVENT') as Cfn.EventType,
    ...(event.operationId === undefined ? {} : { OperationId: event.operationId }),
    LogicalResourceId: event.logicalId, PhysicalResourceId: event.physicalId, ResourceType: event.type, Timestamp: event.at, ResourceStatus: event.status as Cfn.ResourceStatus,
    ...(event.reason === undefined ? {} : { ResourceStatusReason: event.reason }),
    ...(event.properties === undefined ? {} : { ResourceProperties: event.properties }),
    ...(event.token === undefined ? {} : { ClientRequestToken: event.token }),
  };
}
