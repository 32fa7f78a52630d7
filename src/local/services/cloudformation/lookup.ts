import { AwsError } from '../../kernel/error.js';
import { quotaNamed, quotaValue } from '../../kernel/quotas.js';
import type { RequestContext } from '../../kernel/service.js';
import { validationError } from '../../cfn/template/error.js';
import type { ChangeSetRecord, ResourceRecord, StackRecord } from '../../cfn/store/records.js';
import { StackStore } from '../../cfn/store/store.js';

export function storeOf(context: RequestContext): StackStore {
  return new StackStore(context.state, context.account, context.region);
}

const STACK_COUNT = quotaNamed('cloudformation', 'Stack count');

/** Stacks that the account may have in the region. */
export function stackLimit({ state, account, region }: RequestContext): number {
  return quotaValue(state, account, region, STACK_COUNT);
}

/** A new stack, nested or not, counts among those that live (CloudFormation User Guide, "Quotas"; the sentence as clients have reported it). */
export function refuseBeyondLimit(context: RequestContext): void {
  const most = stackLimit(context);
  if (storeOf(context).living(most) >= most) throw new AwsError('LimitExceededException', 'Limit for stack has been exceeded', { status: 400 });
}

/** The stack, or AWS's sentence, which is worded in two ways (recorded: cfn-stacks-name-conflicts). */
export function findStack(context: RequestContext, nameOrId: string | undefined, wording: 'with-id' | 'brackets' = 'with-id'): StackRecord {
  const stack = nameOrId === undefined ? undefined : storeOf(context).find(nameOrId);
  if (stack) return stack;
  throw validationError(wording === 'with-id' ? `Stack with id ${nameOrId ?? ''} does not exist` : `Stack [${nameOrId ?? ''}] does not exist`);
}

/** Resources that exist; what failed to be created without ever having an ID doesn't. */
export function standingResources(store: StackStore, uuid: string): Map<string, ResourceRecord> {
  return new Map(store.resources(uuid).filter((record) => record.physicalId !== '').map((record) => [record.logicalId, record]));
}

export function changeSetNotFound(name: string): AwsError {
  return new AwsError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, { status: 404 });
}

/** A change set by ARN, or by name within a stack. */
export function lookUpChangeSet(context: RequestContext, name: string, stackName: string | undefined): ChangeSetRecord | undefined {
  const store = storeOf(context);
  if (name.startsWith('arn:')) {
    const uuid = name.split('/')[2];
    const changeSet = uuid === undefined ? undefined : store.changeSet(uuid);
    return changeSet?.id === name ? changeSet : undefined;
  }
  if (stackName === undefined) throw validationError('StackName must be specified if ChangeSetName is not specified as an ARN.');
  const stack = store.find(stackName);
  if (!stack) throw validationError(`Stack [${stackName}] does not exist`);
  return store.changeSetNamed(stack.uuid, name);
}

export function findChangeSet(context: RequestContext, name: string, stackName: string | undefined): ChangeSetRecord {
  const changeSet = lookUpChangeSet(context, name, stackName);
  if (!changeSet) throw changeSetNotFound(name);
  return changeSet;
}

/** Statuses in which a stack takes an update or a change set. */
export function requireUpdatable(stack: StackRecord): void {
  const good = ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'IMPORT_COMPLETE', 'IMPORT_ROLLBACK_COMPLETE'];
  const retry = stack.disableRollback || stack.status === 'UPDATE_FAILED' || stack.status === 'CREATE_FAILED';
  if (good.includes(stack.status) || (retry && (stack.status === 'UPDATE_FAILED' || stack.status === 'CREATE_FAILED'))) return;
  throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}
