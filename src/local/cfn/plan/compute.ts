import { canonical, sameJson, sameValue, stringifyScalars, type Json, type JsonObject } from '../json.js';
import { evaluateJson } from '../evaluate/evaluate.js';
import { isAwsError } from '../../kernel/error.js';
import type { Scope } from '../evaluate/scope.js';
import { validationError } from '../template/error.js';
import type { ResourceDeclaration, Template } from '../template/model.js';
import { dependencies } from '../template/references.js';
import type { ResourceRecord } from '../store/records.js';
import { causesOf, type Fate, type PlanInput } from './causes.js';
import { differences } from './difference.js';
import { deletionPolicy, removalAction, replacementAction, tagProperty, updateReplacePolicy } from './policies.js';
import { replacementOf, type Attribute, type Detail, type Plan, type PlannedChange, type Replacement } from './plan.js';
import { requiresRecreation } from './recreation.js';
import { evaluateEach, evaluateMetadata, symbolicProperties, symbolicScope, type Side } from './side.js';
import { valuedChange, valueView, type ValueView } from './values.js';

/** Template before and after to the changes between them (user guide: "Change set", recorded vectors of change sets). */
export function computePlan(input: PlanInput): Plan {
  const { before, after, resources } = input;
  const afterScope = symbolicScope(after);
  const beforeScope = before && symbolicScope(before);
  const order = topological(after.template, afterScope);
  refuseTypeChanges(order, after.template, resources);
  const fates = new Map<string, Fate>();
  const views = valueView({ ...input, fates });
  const changes: PlannedChange[] = [];
  for (const logicalId of order) {
    const declaration = after.template.resources[logicalId]!;
    const record = resources.get(logicalId);
    const change = record ? modification({ input, declaration, record, beforeScope, afterScope, fates, views }) : addition(input, declaration);
    fates.set(logicalId, change === undefined ? 'same' : fateOf(change));
    if (change) changes.push({ ...change, valued: valuedChange(change, declaration, record, views) });
  }
  const existing = new Set(order);
  for (const record of [...resources.values()].reverse()) {
    if (!existing.has(record.logicalId)) changes.push(removal(record, before, beforeScope, views));
  }
  return { changes, warnings: views.warnings(), outputsChange: input.halfway || outputsDiffer(before, beforeScope, after, afterScope) };
}

/** Logical IDs of the resources that exist, dependencies first, otherwise as written. */
export function topological(template: Template, scope: Scope): string[] {
  const done = new Set<string>();
  const order: string[] = [];
  const edges = new Map<string, readonly string[]>();
  for (const declaration of Object.values(template.resources)) {
    if (scope.active(declaration.logicalId)) edges.set(declaration.logicalId, dependencies(declaration, template, scope.active, scope.condition));
  }
  const visit = (root: string): void => {
    const stack: [string, number][] = [[root, 0]];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const next = edges.get(top[0])?.[top[1]++];
      if (next !== undefined) {
        if (!done.has(next) && !stack.some(([open]) => open === next)) stack.push([next, 0]);
        continue;
      }
      stack.pop();
      if (!done.has(top[0])) {
        done.add(top[0]);
        order.push(top[0]);
      }
    }
  };
  for (const logicalId of edges.keys()) if (!done.has(logicalId)) visit(logicalId);
  return order;
}

function refuseTypeChanges(order: readonly string[], template: Template, resources: ReadonlyMap<string, ResourceRecord>): void {
  const changed = order.filter((logicalId) => resources.has(logicalId) && resources.get(logicalId)!.type !== template.resources[logicalId]!.type);
  if (changed.length > 0) throw validationError(`Update of resource type is not permitted. The new template modifies resource type of the following resources: [${changed.join(', ')}]`);
}

function addition(input: PlanInput, declaration: ResourceDeclaration): PlannedChange {
  const imported = input.imports.find((candidate) => candidate.logicalId === declaration.logicalId);
  return {
    action: imported ? 'Import' : 'Add', logicalId: declaration.logicalId, type: declaration.type,
    physicalId: imported ? Object.values(imported.identifier).join('|') : undefined, changeSetId: undefined,
    replacement: undefined, policyAction: undefined, scope: [], details: [], valued: undefined, modelled: input.modelled(declaration.type),
  };
}

function removal(record: ResourceRecord, before: Side | undefined, scope: Scope | undefined, views: ReturnType<typeof valueView>): PlannedChange {
  const declaration = before?.template.resources[record.logicalId];
  const policy = declaration && scope ? deletionPolicy(declaration, scope) : record.deletionPolicy;
  const policyAction = removalAction(policy);
  return {
    action: 'Remove', logicalId: record.logicalId, type: record.type, physicalId: record.physicalId, changeSetId: undefined, replacement: undefined, policyAction, scope: [], details: [],
    valued: { replacement: undefined, policyAction, scope: [], details: [], before: views.removed(record, declaration), after: undefined },
    modelled: record.modelled,
  };
}

interface Comparison {
  readonly input: PlanInput;
  readonly declaration: ResourceDeclaration;
  readonly record: ResourceRecord;
  readonly beforeScope: Scope | undefined;
  readonly afterScope: Scope;
  readonly fates: ReadonlyMap<string, Fate>;
  readonly views: ValueView;
}

function modification(comparison: Comparison): Omit<PlannedChange, 'valued'> & { valued: undefined } | undefined {
  const { input, declaration, record, afterScope } = comparison;
  const details = [...propertyDetails(comparison), ...attributeDetails(comparison)];
  // A nested stack may have changed behind its URL: AWS always looks (recorded by users as ChangeSource "Automatic").
  if (details.length === 0 && declaration.type === 'AWS::CloudFormation::Stack') details.push(detail('Properties', undefined, 'Never', 'Dynamic', 'Automatic', undefined));
  if (details.length === 0) return undefined;
  const replacement = replacementOf(details);
  return {
    action: 'Modify', logicalId: declaration.logicalId, type: declaration.type, physicalId: record.physicalId, changeSetId: undefined, replacement,
    policyAction: replacement === 'False' ? undefined : replacementAction(updateReplacePolicy(declaration, afterScope)),
    scope: [...new Set(details.map((item) => item.attribute))], details, valued: undefined, modelled: input.modelled(declaration.type),
  };
}

function propertyDetails(comparison: Comparison): Detail[] {
  const { input, declaration, record } = comparison;
  const { before, after } = sides(comparison);
  const tags = tagProperty(declaration.type);
  const details: Detail[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const attribute: Attribute = name === tags ? 'Tags' : 'Properties';
    const shown = attribute === 'Tags' ? undefined : name;
    const raw = declaration.properties[name];
    const causes = causesOf(raw, comparison);
    if (!sameValue(before[name], after[name])) {
      const leaves = differences({ [name]: before[name] ?? null }, { [name]: after[name] ?? null });
      const recreation = strongest(leaves.map((leaf) => requiresRecreation(declaration.type, leaf.path, false)));
      for (const parameter of causes.parameters) details.push(detail(attribute, shown, recreation, 'Static', 'ParameterReference', parameter));
      details.push(detail(attribute, shown, recreation, causes.parameters.length > 0 ? 'Dynamic' : 'Static', 'DirectModification', undefined));
    }
    const whole = requiresRecreation(declaration.type, ['Properties', name], true);
    for (const cause of causes.resources) details.push(detail(attribute, shown, whole, cause.certain ? 'Static' : 'Dynamic', cause.source, cause.entity));
  }
  if (tags !== undefined && !sameTags(record, input.after) && !details.some((item) => item.attribute === 'Tags')) {
    details.push(detail('Tags', undefined, 'Never', 'Static', 'DirectModification', undefined));
  }
  return details;
}

/** Properties before and after; references to resources are the same text on both sides, or what they stand for. */
function sides({ input, declaration, record, beforeScope, afterScope, views }: Comparison): { before: JsonObject; after: JsonObject } {
  if (input.halfway) return { before: record.properties, after: evaluateEach(declaration.properties, views.scope, (_, raw) => canonical(raw)) };
  const old = input.before?.template.resources[record.logicalId];
  return { before: old && beforeScope ? symbolicProperties(old, beforeScope) : record.properties, after: symbolicProperties(declaration, afterScope) };
}

function attributeDetails({ input, declaration, record, beforeScope, afterScope }: Comparison): Detail[] {
  const old = input.halfway ? undefined : input.before?.template.resources[record.logicalId];
  const details: Detail[] = [];
  const add = (attribute: Attribute): void => void details.push(detail(attribute, undefined, 'Never', 'Static', 'DirectModification', undefined));
  const before = old && beforeScope ? evaluateMetadata(old, beforeScope) : record.metadata;
  if (!sameJson(before ?? {}, evaluateMetadata(declaration, afterScope) ?? {})) add('Metadata');
  if (!old) return details;
  if (canonical(old.creationPolicy ?? null) !== canonical(declaration.creationPolicy ?? null)) add('CreationPolicy');
  if (canonical(old.updatePolicy ?? null) !== canonical(declaration.updatePolicy ?? null)) add('UpdatePolicy');
  if (record.deletionPolicy !== deletionPolicy(declaration, afterScope)) add('DeletionPolicy');
  if (record.updateReplacePolicy !== updateReplacePolicy(declaration, afterScope)) add('UpdateReplacePolicy');
  return details;
}

function detail(attribute: Attribute, name: string | undefined, requires: Detail['requiresRecreation'], evaluation: Detail['evaluation'], source: Detail['source'], cause: string | undefined): Detail {
  return { attribute, name, requiresRecreation: requires, evaluation, source, cause, path: undefined, before: undefined, after: undefined, changeType: undefined };
}

function strongest(rules: readonly Detail['requiresRecreation'][]): Detail['requiresRecreation'] {
  return rules.includes('Always') ? 'Always' : rules.includes('Conditionally') ? 'Conditionally' : 'Never';
}

function fateOf(change: { action: string; replacement: Replacement | undefined }): Fate {
  if (change.action === 'Add') return 'add';
  if (change.action === 'Import') return 'import';
  return change.replacement === 'True' ? 'replace' : change.replacement === 'Conditional' ? 'conditional' : 'modify';
}

function sameTags(record: ResourceRecord, after: Side): boolean {
  const text = (tags: readonly { Key: string; Value: string }[]): string => tags.map((tag) => `${tag.Key}\n${tag.Value}`).sort().join('\n\n');
  return text(record.stackTags) === text(after.tags);
}

/** Outputs alone are worth an update too. */
function outputsDiffer(before: Side | undefined, beforeScope: Scope | undefined, after: Side, afterScope: Scope): boolean {
  const text = (side: Side, scope: Scope): string => {
    const shown = Object.entries(side.template.outputs)
      .filter(([, output]) => output.condition === undefined || scope.condition(output.condition))
      .map(([name, output]): [string, Json] => [name, [safely(output.value, scope), output.description ?? '', output.exportName === undefined ? '' : safely(output.exportName, scope)]]);
    return canonical(stringifyScalars(Object.fromEntries(shown)));
  };
  return text(after, afterScope) !== (before && beforeScope ? text(before, beforeScope) : '{}');
}

function safely(value: Json, scope: Scope): Json {
  try {
    return evaluateJson(value, scope) ?? '';
  } catch (error) {
    if (!isAwsError(error)) throw error;
    return value;
  }
}
