import type { JsonObject } from '../json.js';

/**
 * What an operation would do: the content of a change set. A plain value: it is stored, printed (`printPlan`), shown by
 * DescribeChangeSet with and without values, and executed.
 */
export interface Plan {
  /** In dependency order of the new template, removals last. */
  readonly changes: readonly PlannedChange[];
  /** What IncludePropertyValues could not show, in AWS's words. */
  readonly warnings: readonly string[];
  /** Outputs or exports differ: the plan is worth executing even without resource changes. */
  readonly outputsChange: boolean;
}

export type Action = 'Add' | 'Modify' | 'Remove' | 'Import';
export type Replacement = 'True' | 'False' | 'Conditional';
export type Attribute = 'Properties' | 'Metadata' | 'CreationPolicy' | 'UpdatePolicy' | 'DeletionPolicy' | 'UpdateReplacePolicy' | 'Tags';
export type PolicyAction = 'Delete' | 'Retain' | 'Snapshot' | 'ReplaceAndDelete' | 'ReplaceAndRetain' | 'ReplaceAndSnapshot';

export interface PlannedChange {
  readonly action: Action;
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string | undefined;
  /** ARN of the change set of the nested stack that this resource is, when it was computed (IncludeNestedStacks). */
  readonly changeSetId: string | undefined;
  readonly replacement: Replacement | undefined;
  readonly policyAction: PolicyAction | undefined;
  readonly scope: readonly Attribute[];
  readonly details: readonly Detail[];
  /** The same change with evaluated values; undefined when they turn out to be equal, and nothing will happen. */
  readonly valued: ValuedChange | undefined;
  /** Served by the schema alone. */
  readonly modelled: boolean;
}

export interface ValuedChange {
  readonly replacement: Replacement | undefined;
  readonly policyAction: PolicyAction | undefined;
  readonly scope: readonly Attribute[];
  readonly details: readonly Detail[];
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
}

export interface Detail {
  readonly attribute: Attribute;
  readonly name: string | undefined;
  readonly requiresRecreation: 'Never' | 'Conditionally' | 'Always';
  readonly evaluation: 'Static' | 'Dynamic';
  readonly source: 'ResourceReference' | 'ParameterReference' | 'ResourceAttribute' | 'DirectModification' | 'Automatic';
  readonly cause: string | undefined;
  readonly path: string | undefined;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly changeType: 'Add' | 'Remove' | 'Modify' | undefined;
}

/** `Static` changes to what can't be changed replace for certain; what is only known while running may replace. */
export function replacementOf(details: readonly Detail[]): Replacement {
  if (details.some((detail) => detail.requiresRecreation === 'Always' && detail.evaluation === 'Static')) return 'True';
  return details.some((detail) => detail.requiresRecreation !== 'Never') ? 'Conditional' : 'False';
}

/** The plan as people read it. */
export function printPlan(plan: Plan): string {
  if (plan.changes.length === 0) return plan.outputsChange ? 'Outputs only\n' : 'No changes\n';
  const lines = plan.changes.map((change) => {
    const sign = { Add: '+', Modify: change.replacement === 'True' ? '±' : '~', Remove: '-', Import: '>' }[change.action];
    const head = `${sign} ${change.logicalId} (${change.type})${change.physicalId ? ` ${change.physicalId}` : ''}`;
    const notes = [
      change.replacement === 'True' ? 'replaced' : change.replacement === 'Conditional' ? 'perhaps replaced' : '',
      change.policyAction ?? '',
      change.modelled ? 'modelled' : '',
    ].filter((note) => note !== '');
    const details = (change.valued?.details ?? change.details)
      .map((detail) => `    ${detail.path ?? detail.name ?? detail.attribute}: ${detail.before ?? ''} → ${detail.after ?? ''}${detail.cause ? `  (${detail.cause})` : ''}`);
    return [`${head}${notes.length > 0 ? `  [${notes.join(', ')}]` : ''}`, ...new Set(details)].join('\n');
  });
  return `${lines.join('\n')}\n`;
}
