import { isAwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { actingClient } from '../../cfn/execute/acting.js';
import { beginOperation, newStack, NO_WISHES, obsoleteChangeSets } from '../../cfn/execute/begin.js';
import { foreseenProperties } from '../../cfn/plan/foreseen.js';
import type { Plan, PlannedChange } from '../../cfn/plan/plan.js';
import type { Side } from '../../cfn/plan/side.js';
import { DEEPEST_NESTING, nestedStackInput, tooDeep, type StackProperties } from '../../cfn/resources/cloudformation.js';
import { generatedName } from '../../cfn/resources/names.js';
import { mergeTags } from '../../cfn/resources/tags.js';
import type { DeploymentConfig, ResourceRecord, StackRecord } from '../../cfn/store/records.js';
import { launch } from './engine.js';
import { findChangeSet, findStack, requireUpdatable, storeOf } from './lookup.js';
import { planChangeSet, type Lineage, type NewRecord, type PlannedChangeSet } from './plan-change-set.js';
import { changedIn, planFrom } from './planning.js';
import { prepareText } from './prepare.js';

const NESTED = 'AWS::CloudFormation::Stack';

interface Parent {
  readonly plan: Plan;
  readonly side: Side;
  readonly stack: StackRecord;
  readonly resources: ReadonlyMap<string, ResourceRecord>;
  readonly record: NewRecord;
  readonly input: Cfn.CreateChangeSetInput;
  /** Levels above this stack. */
  readonly depth: number;
}

/**
 * Change sets of the nested stacks that a plan adds or changes (user guide: "Change sets for nested stacks"), made with the rights of
 * the stack's role. A nested stack that only "may have changed" and turns out not to have leaves the plan. `refused`: why one could
 * not be made at all.
 */
export async function planNested(parent: Parent, context: RequestContext): Promise<{ plan: Plan; nested: PlannedChangeSet[]; refused?: string }> {
  const nested: PlannedChangeSet[] = [];
  const changes: PlannedChange[] = [];
  const touched = parent.plan.changes.filter((change) => change.type === NESTED && (change.action === 'Add' || change.action === 'Modify'));
  if (touched.length === 0) return { plan: parent.plan, nested };
  if (parent.depth >= DEEPEST_NESTING) return { plan: parent.plan, nested, refused: tooDeep() };
  const client = await actingClient(context.runtime, { account: context.account, region: context.region, principal: context.principal, roleArn: parent.record.roleArn ?? parent.stack.roleArn });
  for (const change of parent.plan.changes) {
    if (!touched.includes(change)) {
      changes.push(change);
      continue;
    }
    let child: { planned?: PlannedChangeSet };
    try {
      child = await client.call('cloudformation', 'PlanNestedChangeSet', { ...childRequest(parent, change) });
    } catch (error) {
      if (isAwsError(error)) return { plan: parent.plan, nested, refused: error.message };
      throw error;
    }
    if (child.planned) {
      nested.push(child.planned);
      changes.push({ ...change, changeSetId: child.planned.record.id });
    } else if (change.details.some((detail) => detail.source !== 'Automatic')) changes.push(change);
  }
  return { plan: { ...parent.plan, changes }, nested };
}

interface ChildRequest {
  /** ARN of the nested stack, or the name it will have. */
  readonly StackName: string;
  readonly input: Cfn.CreateChangeSetInput;
  readonly lineage: Lineage;
  readonly stackLineage: Omit<Lineage, 'depth'>;
}

function childRequest({ plan, side, stack, resources, record, input, depth }: Parent, change: PlannedChange): ChildRequest {
  const properties = foreseenProperties(side.template.resources[change.logicalId]!, side, plan, resources) as unknown as StackProperties;
  const name = (prefix: string): string => generatedName(prefix, change.logicalId, record.uuid, { limit: 128 });
  const StackName = change.action === 'Add' ? name(stack.name) : change.physicalId!;
  return {
    StackName,
    input: {
      ...nestedStackInput(properties, mergeTags(properties.Tags, side.tags)), StackName, ChangeSetName: name(record.name), ChangeSetType: change.action === 'Add' ? 'CREATE' : 'UPDATE',
      IncludeNestedStacks: true, ...(input.DeploymentConfig === undefined ? {} : { DeploymentConfig: input.DeploymentConfig }),
    },
    lineage: { parentId: record.id, rootId: record.rootId ?? record.id, depth: depth + 1 },
    stackLineage: { parentId: stack.id, rootId: stack.rootId ?? stack.id },
  };
}

/** Computes the change set of one nested stack; answers nothing when there is nothing to change. Internal. */
export async function planNestedChangeSet({ StackName, input, lineage, stackLineage }: ChildRequest, context: RequestContext): Promise<{ planned?: PlannedChangeSet }> {
  const fresh = input.ChangeSetType === 'CREATE';
  const stack = fresh ? { ...newStack({ account: context.account, region: context.region, name: StackName, now: context.now() }), ...stackLineage } : findStack(context, StackName);
  if (!fresh) requireUpdatable(stack);
  const planned = await planChangeSet(input, stack, fresh, context, lineage);
  const unchanged = planned.record.status === 'FAILED' && planned.nested.length === 0 && /didn't contain changes|No updates are to be performed/.test(planned.record.statusReason ?? '');
  return unchanged ? {} : { planned };
}

export interface ExecuteNestedInput {
  readonly ChangeSetName: string;
  readonly Parameters: readonly Cfn.Parameter[];
  readonly Tags: readonly Cfn.Tag[];
  readonly NotificationARNs?: readonly string[];
  readonly TimeoutInMinutes?: number;
  readonly ClientRequestToken: string;
  readonly DeploymentConfig: DeploymentConfig;
}

/**
 * Executes the change set of a nested stack as a part of its parent's: its template with the values that the parent's resources have by
 * now. Answers the stack. Internal: from outside, only the root of a hierarchy can be executed.
 */
export async function executeNestedChangeSet(input: ExecuteNestedInput, context: RequestContext): Promise<{ StackId: string }> {
  const store = storeOf(context);
  const changeSet = findChangeSet(context, input.ChangeSetName, undefined);
  const stack = findStack(context, changeSet.stackId);
  if (store.token('ExecuteNestedChangeSet', input.ClientRequestToken) === changeSet.id) return { StackId: stack.id };
  const creating = stack.status === 'REVIEW_IN_PROGRESS';
  const disableRollback = input.DeploymentConfig.DisableRollback === true;
  if (!creating) requireUpdatable(stack);
  const { deployment, side } = await prepareText(changeSet.deployment.templateBody, { ...input, Capabilities: changeSet.deployment.capabilities as Cfn.Capability[] }, stack, context, true);
  const plan = planFrom(stack, side, context);
  const idle = !creating && plan.changes.length === 0 && !plan.outputsChange;
  store.transaction(() => {
    store.putToken('ExecuteNestedChangeSet', input.ClientRequestToken, changeSet.id);
    obsoleteChangeSets(store, stack.uuid, changeSet.uuid);
    store.putChangeSet({ ...changeSet, statusReason: undefined, executionStatus: idle ? 'EXECUTE_COMPLETE' : 'EXECUTE_IN_PROGRESS' });
    if (idle) return;
    beginOperation(store, stack, creating ? 'CREATE_STACK' : 'UPDATE_STACK', deployment, {
      ...NO_WISHES, principal: context.principal, now: context.now(), roleArn: undefined, token: input.ClientRequestToken, express: input.DeploymentConfig.Mode === 'EXPRESS',
      onFailure: disableRollback ? 'DO_NOTHING' : 'ROLLBACK',
      changes: creating ? undefined : changedIn(plan, stack), changeSetUuid: changeSet.uuid,
      patch: { updatedAt: context.now(), deletedAt: undefined, changeSetId: changeSet.id, disableRollback, deploymentConfig: changeSet.deploymentConfig, ...(creating ? { timeoutInMinutes: input.TimeoutInMinutes } : {}) },
    });
  });
  if (!idle) launch(stack, context);
  return { StackId: stack.id };
}

/** ARN of the stack whose change set a nested request is about. */
export function nestedStackArn(input: Partial<ChildRequest> & { ChangeSetName?: string }, context: RequestContext): string {
  if (input.StackName?.startsWith('arn:')) return input.StackName;
  if (input.StackName !== undefined) return `arn:aws:cloudformation:${context.region}:${context.account}:stack/${input.StackName}/*`;
  try {
    return findChangeSet(context, input.ChangeSetName ?? '', undefined).stackId;
  } catch (error) {
    if (isAwsError(error)) return '*';
    throw error;
  }
}
