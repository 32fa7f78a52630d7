import type { JsonObject } from '../json.js';
import { KNOWN_AFTER_APPLY } from '../evaluate/value.js';
import type { ResourceRecord } from '../store/records.js';
import type { ResourceDeclaration } from '../template/model.js';
import type { Plan } from './plan.js';
import { evaluateEach, scopeOf, type Side } from './side.js';
import { attributeOf } from './values.js';

/**
 * Properties of a resource as far as they are known before a plan is executed: what resources will only then give is KNOWN_AFTER_APPLY.
 * Unlike what change sets show, nothing is masked.
 */
export function foreseenProperties(declaration: ResourceDeclaration, side: Side, plan: Plan, resources: ReadonlyMap<string, ResourceRecord>): JsonObject {
  const changed = new Map(plan.changes.map((change) => [change.logicalId, change]));
  const scope = scopeOf(side, {
    reference: (logicalId) => {
      const change = changed.get(logicalId);
      return (change === undefined || change.replacement !== 'True' ? resources.get(logicalId)?.physicalId : undefined) ?? KNOWN_AFTER_APPLY;
    },
    // Any attribute of what is changed may change (ChangeSource `ResourceAttribute`).
    attribute: (logicalId, name) => {
      const record = changed.has(logicalId) ? undefined : resources.get(logicalId);
      return record ? attributeOf(record, name) : KNOWN_AFTER_APPLY;
    },
  });
  return evaluateEach(declaration.properties, scope, () => KNOWN_AFTER_APPLY);
}
