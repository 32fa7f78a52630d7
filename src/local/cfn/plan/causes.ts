import type { Json } from '../json.js';
import type { Scope } from '../evaluate/scope.js';
import { references } from '../template/references.js';
import type { ResourceRecord, ResourceToImport } from '../store/records.js';
import type { Side } from './side.js';

export interface PlanInput {
  /** What stands; undefined for a new stack. */
  readonly before: Side | undefined;
  readonly after: Side;
  readonly resources: ReadonlyMap<string, ResourceRecord>;
  readonly imports: readonly ResourceToImport[];
  /** The last operation ended halfway: resources are compared as they stand, not by the template they were to have. */
  readonly halfway: boolean;
  readonly modelled: (type: string) => boolean;
}

/** What became of a resource so far, while the plan is made. */
export type Fate = 'same' | 'modify' | 'conditional' | 'replace' | 'add' | 'import';

export interface Causes {
  readonly parameters: readonly string[];
  readonly resources: readonly { readonly entity: string; readonly source: 'ResourceReference' | 'ResourceAttribute'; readonly certain: boolean }[];
}

/** Parameters whose given value changed, and resources that may answer differently, among those an expression names. */
export function causesOf(raw: Json | undefined, { input, afterScope, fates }: { readonly input: PlanInput; readonly afterScope: Scope; readonly fates: ReadonlyMap<string, Fate> }): Causes {
  const before = new Map((input.before?.parameters ?? []).map((parameter) => [parameter.key, parameter.value]));
  const now = new Map(input.after.parameters.map((parameter) => [parameter.key, parameter.value]));
  const parameters = new Set<string>();
  const resources = new Map<string, Causes['resources'][number]>();
  for (const reference of references(raw, afterScope.condition)) {
    if (reference.kind === 'condition') continue;
    if (now.has(reference.name)) {
      if (now.get(reference.name) !== before.get(reference.name)) parameters.add(reference.name);
      continue;
    }
    const fate = fates.get(reference.name) ?? 'same';
    if (reference.kind === 'ref' && (fate === 'replace' || fate === 'conditional')) {
      resources.set(reference.name, { entity: reference.name, source: 'ResourceReference', certain: fate === 'replace' });
    } else if (reference.kind === 'attribute' && fate !== 'same' && fate !== 'add' && fate !== 'import') {
      const entity = `${reference.name}.${reference.attribute ?? ''}`;
      resources.set(entity, { entity, source: 'ResourceAttribute', certain: fate === 'replace' });
    }
  }
  return { parameters: [...parameters], resources: [...resources.values()] };
}

