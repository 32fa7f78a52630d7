import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { validationError } from '../../cfn/template/error.js';
import { engineOf } from './engine.js';
import { findStack, storeOf } from './lookup.js';

/** A signal for a resource with a CreationPolicy, or for a wait condition. */
export function signalResource(input: Cfn.SignalResourceInput, context: RequestContext): Record<string, never> {
  const stack = findStack(context, input.StackName, 'brackets');
  const resource = storeOf(context).resource(stack.uuid, input.LogicalResourceId);
  if (!resource) throw validationError(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
  if (!resource.status.endsWith('_IN_PROGRESS')) throw validationError(`Resource ${input.LogicalResourceId} is in ${resource.status} state and cannot be signaled`);
  engineOf(context.runtime).mailbox.signal(context.account, context.region, `${stack.uuid}.${input.LogicalResourceId}.wait`, { id: input.UniqueId, status: input.Status as 'SUCCESS' | 'FAILURE', data: '', reason: undefined });
  return {};
}
