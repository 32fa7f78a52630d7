import { isAwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Cfn from '../../models/types/cloudformation.js';
import { timeUuid } from '../../cfn/execute/begin.js';
import type { Plan } from '../../cfn/plan/plan.js';
import type { ChangeSetRecord, Deployment, ResourceToImport, StackRecord } from '../../cfn/store/records.js';
import { validationError } from '../../cfn/template/error.js';
import { TransformError } from '../../cfn/transform/error.js';
import { existingResources } from './existing.js';
import { standingResources, storeOf } from './lookup.js';
import { planNested } from './nested-change-sets.js';
import { planFrom } from './planning.js';
import { prepare } from './prepare.js';

const UNCHANGED = "The submitted information didn't contain changes. Submit different information to create a change set.";

/** A change set as it was computed, not stored yet, and those of its nested stacks. */
export interface PlannedChangeSet {
  readonly stack: StackRecord;
  /** The stack exists only for this change set (REVIEW_IN_PROGRESS). */
  readonly fresh: boolean;
  readonly record: ChangeSetRecord;
  readonly nested: readonly PlannedChangeSet[];
}

/** Where a nested change set hangs. */
export interface Lineage {
  readonly parentId: string;
  readonly rootId: string;
  /** Change sets above it. */
  readonly depth: number;
}

/**
 * Prepares the template and makes the plan. What a template does wrong is answered at once; a transform that fails, a change set
 * without changes and a nested one that fails make `FAILED` change sets, as AWS has them. The plan is complete when the answer goes out:
 * nobody has to poll.
 */
export async function planChangeSet(input: Cfn.CreateChangeSetInput, stack: StackRecord, fresh: boolean, context: RequestContext, lineage?: Lineage): Promise<PlannedChangeSet> {
  const base = newRecord(input, stack, context, lineage);
  const failed = (reason: string, deployment: Deployment, nested: readonly PlannedChangeSet[] = []): PlannedChangeSet => ({
    stack, fresh, nested,
    record: { ...base, nested: idsOf(nested), deployment, plan: { changes: [], warnings: [], outputsChange: false }, status: 'FAILED', statusReason: reason, executionStatus: 'UNAVAILABLE' },
  });
  try {
    const { deployment, side } = await prepare(input, stack, context, false);
    const resources = standingResources(storeOf(context), stack.uuid);
    checkImports(base.resourcesToImport, base.type, side.template.resources);
    const imports = base.importExistingResources ? [...base.resourcesToImport, ...(await existingResources(side, stack, new Set(resources.keys()), context))] : base.resourcesToImport;
    const own = planFrom(stack, side, context, imports);
    refuseMixedImport(own, base.type);
    const { plan, nested, refused } = base.includeNestedStacks && base.type !== 'IMPORT' ? await planNested({ plan: own, side, stack, resources, record: base, input, depth: lineage?.depth ?? 0 }, context) : { plan: own, nested: [], refused: undefined };
    if (refused !== undefined) return failed(refused, deployment, nested);
    const broken = nested.find((child) => child.record.status === 'FAILED');
    if (broken) return failed(`Nested change set ${broken.record.id} was not successfully created: Currently in FAILED.`, deployment, nested);
    if (base.type !== 'CREATE' && plan.changes.length === 0 && !plan.outputsChange) {
      const same = stack.deployment?.templateBody === deployment.templateBody;
      return failed(same ? UNCHANGED : 'No updates are to be performed.', deployment);
    }
    const available = lineage === undefined ? { statusReason: undefined, executionStatus: 'AVAILABLE' as const } : { statusReason: 'Executable from root change set', executionStatus: 'UNAVAILABLE' as const };
    return { stack, fresh, nested, record: { ...base, nested: idsOf(nested), resourcesToImport: imports, deployment, plan, status: 'CREATE_COMPLETE', ...available } };
  } catch (error) {
    if (!isAwsError(error) || !(error instanceof TransformError || lineage !== undefined)) throw error;
    return failed(error.message, {
      templateBody: input.TemplateBody ?? '', processed: undefined, parameters: [], tags: [], capabilities: [...(input.Capabilities ?? [])], notificationArns: [], rollbackConfiguration: {}, description: undefined, stackOutputs: {},
    });
  }
}

export type NewRecord = Omit<ChangeSetRecord, 'deployment' | 'plan' | 'status' | 'statusReason' | 'executionStatus' | 'nested'>;

function newRecord(input: Cfn.CreateChangeSetInput, stack: StackRecord, context: RequestContext, lineage: Lineage | undefined): NewRecord {
  const uuid = timeUuid();
  return {
    id: `arn:aws:cloudformation:${stack.region}:${stack.account}:changeSet/${input.ChangeSetName}/${uuid}`, uuid, name: input.ChangeSetName, stackUuid: stack.uuid, stackId: stack.id, stackName: stack.name,
    type: input.ChangeSetType ?? 'UPDATE', description: input.Description, createdAt: context.now(), roleArn: input.RoleARN, onStackFailure: input.OnStackFailure,
    importExistingResources: input.ImportExistingResources === true, resourcesToImport: importsOf(input), includeNestedStacks: input.IncludeNestedStacks === true,
    parentId: lineage?.parentId, rootId: lineage?.rootId, deploymentConfig: input.DeploymentConfig, token: input.ClientToken,
  };
}

function idsOf(nested: readonly PlannedChangeSet[]): string[] {
  return nested.map((child) => child.record.id);
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
