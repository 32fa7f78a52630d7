import type { RequestContext } from '../../kernel/service.js';
import { computePlan } from '../../cfn/plan/compute.js';
import type { Plan } from '../../cfn/plan/plan.js';
import type { Side } from '../../cfn/plan/side.js';
import { providerOf } from '../../cfn/resources/index.js';
import type { ResourceToImport, StackRecord } from '../../cfn/store/records.js';
import { standingResources, storeOf } from './lookup.js';
import { standingSide } from './prepare.js';

/** What brings a stack as it stands to where a prepared template wants it. */
export function planFrom(stack: StackRecord, after: Side, context: RequestContext, imports: readonly ResourceToImport[] = []): Plan {
  return computePlan({
    before: standingSide(stack, context), after, resources: standingResources(storeOf(context), stack.uuid), imports, halfway: isHalfway(stack), modelled: (type) => providerOf(type).modelled === true,
  });
}

/** Logical IDs an operation has to look at; undefined: all, where nobody knows how far the last one came. */
export function changedIn(plan: Plan, stack: StackRecord): string[] | undefined {
  return isHalfway(stack) ? undefined : plan.changes.map((change) => change.logicalId);
}

/** An operation ended halfway and was not rolled back: the stack's template says what it was to be, not what it is. */
function isHalfway(stack: StackRecord): boolean {
  return stack.status === 'UPDATE_FAILED' || stack.status === 'CREATE_FAILED';
}
