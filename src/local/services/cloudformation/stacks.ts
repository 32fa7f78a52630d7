import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { beginOperation, beginReturn, newStack, NO_WISHES, obsoleteChangeSets, type Wish } from '../../cfn/execute/begin.js';
import type { StackRecord } from '../../cfn/store/records.js';
import { validationError } from '../../cfn/template/error.js';
import { engineOf, launch } from './engine.js';
import { findStack, requireUpdatable, storeOf, refuseBeyondLimit } from './lookup.js';
import { disablesRollback, requireSameMode } from './deployment-config.js';
import { changedIn, planFrom } from './planning.js';
import { checkRole, prepare } from './prepare.js';
import { policyText } from './stack-policy.js';

const STACK_NAME = /^[a-zA-Z][-a-zA-Z0-9]*$/;

export function checkStackName(name: string): void {
  if (name.startsWith('arn:')) return;
  if (!STACK_NAME.test(name)) throw validationError(`1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`);
  if (name.length > 128) throw validationError(`1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must have length less than or equal to 128`);
}

export async function createStack(input: Cfn.CreateStackInput, context: RequestContext): Promise<Cfn.CreateStackOutput> {
  const store = storeOf(context);
  checkStackName(input.StackName);
  const repeated = input.ClientRequestToken === undefined ? undefined : store.token('CreateStack', input.ClientRequestToken);
  if (repeated !== undefined && store.find(repeated)?.name === input.StackName) return { StackId: repeated };
  if (input.OnFailure !== undefined && input.DisableRollback !== undefined) throw validationError('You can specify either the OnFailure parameter or the DisableRollback parameter, but not both.');
  const standing = store.named(input.StackName);
  if (standing && standing.status !== 'REVIEW_IN_PROGRESS') throw new AwsError('AlreadyExistsException', `Stack [${input.StackName}] already exists`, { status: 400 });
  if (!standing) refuseBeyondLimit(context);
  const stack = standing ?? newStack({ account: context.account, region: context.region, name: input.StackName, now: context.now() });
  const { deployment } = await prepare(input, stack, context, true);
  await checkRole(input.RoleARN, context);
  const policy = await policyText(input, context);
  const onFailure = input.OnFailure ?? (disablesRollback(input) ? 'DO_NOTHING' : 'ROLLBACK');
  // A second request of the same name may have come in while this one was read.
  const again = store.named(input.StackName);
  if (again && again.uuid !== standing?.uuid) throw new AwsError('AlreadyExistsException', `Stack [${input.StackName}] already exists`, { status: 400 });
  store.transaction(() => {
    obsoleteChangeSets(store, stack.uuid);
    beginOperation(store, stack, 'CREATE_STACK', deployment, {
      ...NO_WISHES, ...caller(input, context), onFailure,
      patch: {
        createdAt: context.now(), disableRollback: onFailure === 'DO_NOTHING', timeoutInMinutes: input.TimeoutInMinutes, terminationProtection: input.EnableTerminationProtection === true,
        policy, retainExceptOnCreate: input.RetainExceptOnCreate === true, deploymentConfig: input.DeploymentConfig,
      },
    });
    if (input.ClientRequestToken !== undefined) store.putToken('CreateStack', input.ClientRequestToken, stack.id);
  });
  launch(stack, context);
  return { StackId: stack.id };
}

function caller(input: { RoleARN?: string; ClientRequestToken?: string; DeploymentConfig?: Cfn.DeploymentConfig }, context: RequestContext, stack?: StackRecord): Pick<Wish, 'principal' | 'now' | 'roleArn' | 'token' | 'express'> {
  return { principal: context.principal, now: context.now(), roleArn: input.RoleARN ?? stack?.roleArn, token: input.ClientRequestToken, express: input.DeploymentConfig?.Mode === 'EXPRESS' };
}

export async function updateStack(input: Cfn.UpdateStackInput, context: RequestContext): Promise<Cfn.UpdateStackOutput> {
  const store = storeOf(context);
  const stack = findStack(context, input.StackName, 'brackets');
  if (input.ClientRequestToken !== undefined && store.token('UpdateStack', input.ClientRequestToken) === stack.id) return { StackId: stack.id };
  requireUpdatable(stack);
  requireSameMode(stack, input.DeploymentConfig);
  const { deployment, side } = await prepare(input, stack, context, true);
  await checkRole(input.RoleARN, context);
  const policy = await policyText(input, context);
  const policyDuringUpdate = await policyText({ StackPolicyBody: input.StackPolicyDuringUpdateBody, StackPolicyURL: input.StackPolicyDuringUpdateURL }, context);
  const plan = planFrom(stack, side, context);
  if (plan.changes.length === 0 && !plan.outputsChange) throw validationError('No updates are to be performed.');
  requireUpdatable(findStack(context, stack.id));
  store.transaction(() => {
    obsoleteChangeSets(store, stack.uuid);
    beginOperation(store, stack, 'UPDATE_STACK', deployment, {
      ...NO_WISHES, ...caller(input, context, stack), onFailure: disablesRollback(input) ? 'DO_NOTHING' : 'ROLLBACK', policy, policyDuringUpdate,
      changes: changedIn(plan, stack),
      patch: { updatedAt: context.now(), deletedAt: undefined, disableRollback: disablesRollback(input), retainExceptOnCreate: input.RetainExceptOnCreate === true, deploymentConfig: input.DeploymentConfig },
    });
    if (input.ClientRequestToken !== undefined) store.putToken('UpdateStack', input.ClientRequestToken, stack.id);
  });
  launch(stack, context);
  return { StackId: stack.id };
}

export async function deleteStack(input: Cfn.DeleteStackInput, context: RequestContext): Promise<Record<string, never>> {
  const store = storeOf(context);
  const stack = store.find(input.StackName);
  if (!stack || stack.status === 'DELETE_COMPLETE') return {};
  if (stack.terminationProtection) throw validationError(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
  await checkRole(input.RoleARN, context);
  if (stack.status === 'DELETE_IN_PROGRESS') return {};
  if (stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS' && stack.status !== 'CREATE_IN_PROGRESS') {
    throw validationError(`Stack [${stack.name}] cannot be deleted while in status ${stack.status}`);
  }
  const retain = input.RetainResources ?? [];
  if (retain.length > 0 && stack.status !== 'DELETE_FAILED') throw validationError(`Invalid operation on stack [${stack.id}]. Specify the resources to retain only when the stack is in the DELETE_FAILED state.`);
  const force = input.DeletionMode === 'FORCE_DELETE_STACK';
  if (force && stack.status !== 'DELETE_FAILED') throw validationError(`Invalid operation on stack [${stack.id}]. FORCE_DELETE_STACK is only allowed when the stack is in the DELETE_FAILED state.`);
  if (stack.status === 'CREATE_IN_PROGRESS') {
    engineOf(context.runtime).cancel(stack, 'User Initiated', 'DELETE');
    return {};
  }
  beginDelete(stack.id, input, context, { retain, force });
  return {};
}

function beginDelete(stackId: string, input: Cfn.DeleteStackInput, context: RequestContext, options: { retain: readonly string[]; force: boolean }): void {
  const store = storeOf(context);
  const stack = findStack(context, stackId);
  if (stack.status === 'DELETE_COMPLETE') return;
  beginOperation(store, stack, 'DELETE_STACK', undefined, {
    ...NO_WISHES, ...caller(input, context, stack), ...options,
    patch: { deletedAt: context.now(), deletionMode: input.DeletionMode ?? stack.deletionMode },
  });
  launch(stack, context);
}

export function cancelUpdateStack(input: Cfn.CancelUpdateStackInput, context: RequestContext): Record<string, never> {
  const stack = findStack(context, input.StackName, 'brackets');
  if (stack.status !== 'UPDATE_IN_PROGRESS') throw validationError('CancelUpdateStack cannot be called from current stack status');
  engineOf(context.runtime).cancel(stack, 'User Initiated');
  return {};
}

export async function continueUpdateRollback(input: Cfn.ContinueUpdateRollbackInput, context: RequestContext): Promise<Cfn.ContinueUpdateRollbackOutput> {
  const store = storeOf(context);
  const stack = findStack(context, input.StackName, 'brackets');
  if (stack.status !== 'UPDATE_ROLLBACK_FAILED' || !store.operation(stack.uuid)) {
    throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not continue rolling back.`);
  }
  await checkRole(input.RoleARN, context);
  const skip = input.ResourcesToSkip ?? [];
  for (const name of skip) {
    if (store.resource(stack.uuid, name)?.status !== 'UPDATE_FAILED') throw validationError(`ResourcesToSkip may only contain resources in UPDATE_FAILED state; ${name} is not`);
  }
  beginReturn(store, stack, 'UPDATE_ROLLBACK_IN_PROGRESS', 'CONTINUE_ROLLBACK', { principal: context.principal, skip, token: input.ClientRequestToken, roleArn: input.RoleARN ?? stack.roleArn });
  launch(stack, context);
  return {};
}

export async function rollbackStack(input: Cfn.RollbackStackInput, context: RequestContext): Promise<Cfn.RollbackStackOutput> {
  const store = storeOf(context);
  const stack = findStack(context, input.StackName, 'brackets');
  const operation = store.operation(stack.uuid);
  if ((stack.status !== 'CREATE_FAILED' && stack.status !== 'UPDATE_FAILED') || !operation) throw validationError(`RollbackStack is not allowed from current stack status ${stack.status}.`);
  if (stack.deploymentConfig?.Mode === 'EXPRESS') throw validationError('RollbackStack is not supported for stacks that were last updated using EXPRESS deployment mode');
  await checkRole(input.RoleARN, context);
  const creating = stack.status === 'CREATE_FAILED';
  beginReturn(store, { ...stack, retainExceptOnCreate: input.RetainExceptOnCreate ?? stack.retainExceptOnCreate, ...(creating ? { deletedAt: context.now() } : {}) }, creating ? 'ROLLBACK_IN_PROGRESS' : 'UPDATE_ROLLBACK_IN_PROGRESS', 'ROLLBACK', {
    principal: context.principal, token: input.ClientRequestToken, roleArn: input.RoleARN ?? stack.roleArn,
  });
  launch(stack, context);
  return { StackId: stack.id };
}

export function updateTerminationProtection(input: Cfn.UpdateTerminationProtectionInput, context: RequestContext): Cfn.UpdateTerminationProtectionOutput {
  const stack = findStack(context, input.StackName, 'brackets');
  if (stack.parentId !== undefined) throw validationError(`Termination protection for nested stacks must be changed on the root stack [${stack.rootId ?? stack.parentId}]`);
  storeOf(context).patchStack(stack.uuid, { terminationProtection: input.EnableTerminationProtection === true });
  return { StackId: stack.id };
}
