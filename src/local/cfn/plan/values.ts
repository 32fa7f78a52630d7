import { createHash } from 'node:crypto';
import { isObject, stringifyScalars, type Json, type JsonObject } from '../json.js';
import type { Scope } from '../evaluate/scope.js';
import type { ResourceAnswers } from '../evaluate/scopes.js';
import { KNOWN_AFTER_APPLY } from '../evaluate/value.js';
import { intrinsic } from '../template/references.js';
import type { ResourceDeclaration } from '../template/model.js';
import type { ResourceRecord } from '../store/records.js';
import { causesOf, type Fate, type PlanInput } from './causes.js';
import { differences, type Difference } from './difference.js';
import { replacementAction, tagProperty, updateReplacePolicy } from './policies.js';
import { replacementOf, type Detail, type PlannedChange, type ValuedChange } from './plan.js';
import { requiresRecreation } from './recreation.js';
import { evaluateEach, evaluateMetadata, scopeOf } from './side.js';

/** Values longer than this are shown as a signature (recorded by users: `(Truncated-Signature):…`). */
const LONGEST_VALUE = 4096;

export interface ValueView {
  readonly input: PlanInput & { readonly fates: ReadonlyMap<string, Fate> };
  readonly scope: Scope;
  context(declaration: ResourceDeclaration): JsonObject;
  standing(record: ResourceRecord): JsonObject;
  removed(record: ResourceRecord, declaration: ResourceDeclaration | undefined): JsonObject;
  warnings(): readonly string[];
}

/** Evaluates properties as far as they are known before anything runs: what IncludePropertyValues shows. */
export function valueView(input: PlanInput & { fates: Map<string, Fate> }): ValueView {
  const warnings: string[] = [];
  const masked = [...input.after.parameters, ...(input.before?.parameters ?? [])].some((parameter) => parameter.noEcho);
  const exported = input.after.parts.exported;
  const known: ResourceAnswers = {
    reference: (logicalId) => (isKnown(input, logicalId) ? input.resources.get(logicalId)!.physicalId : KNOWN_AFTER_APPLY),
    attribute: (logicalId, name) => (isKnown(input, logicalId) ? attributeOf(input.resources.get(logicalId)!, name) : KNOWN_AFTER_APPLY),
  };
  const scope = scopeOf({ ...input.after, parts: { ...input.after.parts, exported } }, known, { masked });
  const beforeKnown = input.before && scopeOf(input.before, { reference: (id) => input.resources.get(id)?.physicalId ?? KNOWN_AFTER_APPLY, attribute: (id, name) => (input.resources.has(id) ? attributeOf(input.resources.get(id)!, name) : KNOWN_AFTER_APPLY) }, { masked });
  const beforeUnknown = input.before && scopeOf(input.before, { reference: () => KNOWN_AFTER_APPLY, attribute: () => KNOWN_AFTER_APPLY }, { masked });
  const context = (declaration: ResourceDeclaration, using: Scope, warn: boolean): JsonObject => {
    const properties = evaluateEach(declaration.properties, using, (error) => {
      const text = `ChangeSet creation failed for resource [${declaration.logicalId}] because: ${error.message.replace(/^(No export named .*) found\.$/, '$1')}`;
      if (warn && !warnings.includes(text)) warnings.push(text);
      return KNOWN_AFTER_APPLY;
    });
    const metadata = evaluateMetadata(declaration, using);
    return { Properties: stringifyScalars(properties), ...(metadata === undefined ? {} : { Metadata: stringifyScalars(metadata) }) };
  };
  return {
    input,
    scope,
    context: (declaration) => context(declaration, scope, true),
    standing: (record) => {
      const old = input.before?.template.resources[record.logicalId];
      if (masked && old && beforeKnown) return context(old, beforeKnown, false);
      return { Properties: stringifyScalars(record.properties), ...(record.metadata === undefined ? {} : { Metadata: stringifyScalars(record.metadata) }) };
    },
    // What is being removed is shown without what it depended on (recorded: cfn-change-set-fn-get-attr-resource-deletion).
    removed: (record, declaration) => (declaration && beforeUnknown ? context(declaration, beforeUnknown, false) : { Properties: stringifyScalars(record.properties) }),
    warnings: () => warnings,
  };
}

export function attributeOf(record: ResourceRecord, name: string): Json {
  return record.attributes[name] ?? record.properties[name] ?? KNOWN_AFTER_APPLY;
}

function isKnown(input: PlanInput & { fates: ReadonlyMap<string, Fate> }, logicalId: string): boolean {
  const fate = input.fates.get(logicalId) ?? 'same';
  return input.resources.has(logicalId) && fate !== 'replace' && fate !== 'add';
}

/** The change as it looks once the values are compared; undefined when they are equal after all. */
export function valuedChange(change: Omit<PlannedChange, 'valued'>, declaration: ResourceDeclaration, record: ResourceRecord | undefined, view: ValueView): ValuedChange | undefined {
  const after = view.context(declaration);
  if (!record) return { replacement: undefined, policyAction: undefined, scope: [], details: [], before: undefined, after };
  const before = view.standing(record);
  const leaves = differences(before['Properties'] as JsonObject, after['Properties'] as JsonObject);
  const masked = change.details.filter((detail) => detail.source === 'DirectModification' && detail.attribute === 'Properties' && isMasked(after, detail.name));
  const details = [
    ...leaves.flatMap((leaf) => leafDetails(leaf, declaration, view)),
    ...masked.filter((detail) => !leaves.some((leaf) => leaf.path[1] === detail.name)),
    ...change.details.filter((detail) => (detail.attribute !== 'Properties' && detail.attribute !== 'Tags') || detail.source === 'Automatic'),
    ...(leaves.some((leaf) => leaf.path[1] === tagProperty(declaration.type)) ? [] : change.details.filter((detail) => detail.attribute === 'Tags' && detail.source === 'DirectModification')),
  ];
  if (details.length === 0) return undefined;
  const replacement = replacementOf(details);
  return {
    replacement,
    policyAction: replacement === 'False' ? undefined : replacementAction(updateReplacePolicy(declaration, view.scope)),
    scope: [...new Set(details.map((detail) => detail.attribute))],
    details,
    before,
    after,
  };
}

function isMasked(context: JsonObject, name: string | undefined): boolean {
  return name !== undefined && JSON.stringify((context['Properties'] as JsonObject)[name] ?? '').includes('****');
}

/**
 * A leaf has one detail for each cause, and one for the modification itself; with a cause named, that last one counts as `Dynamic`
 * (recorded: cfn-change-sets-parameter-changes).
 */
function leafDetails(leaf: Difference, declaration: ResourceDeclaration, view: ValueView): Detail[] {
  const name = leaf.path[1]!;
  const tags = name === tagProperty(declaration.type);
  const causes = causesOf(expressionAt(declaration.properties[name], leaf.path.slice(2)), { input: view.input, afterScope: view.scope, fates: view.input.fates });
  const base = {
    attribute: tags ? ('Tags' as const) : ('Properties' as const),
    name: tags ? undefined : name,
    requiresRecreation: requiresRecreation(declaration.type, leaf.path, false),
    path: `/${leaf.path.join('/')}`,
    before: shown(leaf.before),
    after: shown(leaf.after),
    changeType: leaf.before === undefined ? ('Add' as const) : leaf.after === undefined ? ('Remove' as const) : ('Modify' as const),
  };
  const certain = causes.resources.filter((cause) => cause.certain);
  const caused: Detail[] = [
    ...causes.parameters.map((cause): Detail => ({ ...base, evaluation: 'Static', source: 'ParameterReference', cause })),
    ...certain.map((cause): Detail => ({ ...base, evaluation: 'Static', source: cause.source, cause: cause.entity })),
  ];
  return [{ ...base, evaluation: caused.length > 0 ? 'Dynamic' : 'Static', source: 'DirectModification', cause: undefined }, ...caused];
}

/** The part of the template that made a leaf: as deep as it is written out. */
function expressionAt(raw: Json | undefined, path: readonly string[]): Json | undefined {
  let place = raw;
  for (const part of path) {
    if (place === undefined || intrinsic(place)) return place;
    const next: Json | undefined = Array.isArray(place) ? place[Number(part)] : isObject(place) ? place[part] : undefined;
    if (next === undefined) return place;
    place = next;
  }
  return place;
}

function shown(value: Json | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `(Truncated-Signature):${signature(text)}` : text;
}

function signature(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
