import { formatError, templateError, validationError } from './error.js';
import { PSEUDO_PARAMETERS, type Template } from './model.js';
import { dependencies, references, type Reference } from './references.js';

/** References that no deployment could satisfy: unknown names, undeclared conditions, circles. Both branches of `Fn::If` count. */
export function checkReferences(template: Template): void {
  checkConditions(template);
  const unresolved = new Set<string>();
  for (const resource of Object.values(template.resources)) {
    if (resource.condition !== undefined && !Object.hasOwn(template.conditions, resource.condition)) {
      throw formatError(`Unresolved condition dependency ${resource.condition} in the Resources block of the template`);
    }
    for (const name of resource.dependsOn) if (!Object.hasOwn(template.resources, name)) unresolved.add(name);
    for (const part of [resource.properties, resource.metadata, resource.creationPolicy, resource.updatePolicy]) {
      for (const reference of references(part)) checkReference(reference, template, unresolved);
    }
    for (const part of [resource.deletionPolicy, resource.updateReplacePolicy]) {
      for (const reference of references(part)) checkReference(reference, template, unresolved);
    }
  }
  if (unresolved.size > 0) throw formatError(`Unresolved resource dependencies [${[...unresolved].join(', ')}] in the Resources block of the template`);
  checkOutputs(template);
  refuseCircles(template, () => true);
}

/** References to resources whose condition is false, in the branches that hold (recorded: cfn-conditions-dependent-ref). */
export function checkActive(template: Template, active: (logicalId: string) => boolean, condition: (name: string) => boolean): void {
  const missing = (value: Parameters<typeof references>[0]): string[] =>
    references(value, condition)
      .filter((reference) => reference.kind !== 'condition' && Object.hasOwn(template.resources, reference.name) && !active(reference.name))
      .map((reference) => reference.name);
  const unresolved = new Set<string>();
  for (const resource of Object.values(template.resources)) if (active(resource.logicalId)) for (const name of missing(resource.properties)) unresolved.add(name);
  if (unresolved.size > 0) throw formatError(`Unresolved resource dependencies [${[...unresolved].join(', ')}] in the Resources block of the template`);
  for (const output of Object.values(template.outputs)) {
    if (output.condition !== undefined && !condition(output.condition)) continue;
    for (const name of [...missing(output.value), ...missing(output.exportName)]) unresolved.add(name);
  }
  if (unresolved.size > 0) throw formatError(`Unresolved resource dependencies [${[...unresolved].join(', ')}] in the Outputs block of the template`);
}

function checkConditions(template: Template): void {
  for (const condition of Object.values(template.conditions)) {
    const bad = references(condition)
      .filter((reference) => reference.kind !== 'condition' && !Object.hasOwn(template.parameters, reference.name) && !PSEUDO_PARAMETERS.has(reference.name))
      .map((reference) => reference.name);
    if (bad.length > 0) throw formatError(`Unresolved dependencies [${[...new Set(bad)].join(', ')}]. Cannot reference resources in the Conditions block of the template`);
    for (const reference of references(condition)) {
      if (reference.kind === 'condition' && !Object.hasOwn(template.conditions, reference.name)) {
        throw formatError(`Unresolved condition dependency ${reference.name} in the Conditions block of the template`);
      }
    }
  }
}

function checkReference(reference: Reference, template: Template, unresolved: Set<string>): void {
  if (reference.kind === 'condition') {
    if (reference.via === 'If' && !Object.hasOwn(template.conditions, reference.name)) throw templateError(`unresolved condition dependency ${reference.name} in Fn::If`);
    return;
  }
  if (Object.hasOwn(template.resources, reference.name)) return;
  if (reference.kind === 'attribute') {
    if (reference.via === 'Sub') throw templateError(`instance of Fn::Sub references invalid resource attribute ${reference.name}.${reference.attribute ?? ''}`);
    throw templateError(`instance of Fn::GetAtt references undefined resource ${reference.name}`);
  }
  if (!Object.hasOwn(template.parameters, reference.name) && !PSEUDO_PARAMETERS.has(reference.name)) unresolved.add(reference.name);
}

function checkOutputs(template: Template): void {
  const unresolved = new Set<string>();
  for (const output of Object.values(template.outputs)) {
    if (output.condition !== undefined && !Object.hasOwn(template.conditions, output.condition)) {
      throw formatError(`Unresolved condition dependency ${output.condition} in the Outputs block of the template`);
    }
    for (const part of [output.value, output.exportName]) for (const reference of references(part)) checkReference(reference, template, unresolved);
  }
  if (unresolved.size > 0) throw formatError(`Unresolved resource dependencies [${[...unresolved].join(', ')}] in the Outputs block of the template`);
}

/** Strongly connected components (Tarjan, iterative): a component of more than one resource, or one naming itself, is a circle. */
export function refuseCircles(template: Template, active: (logicalId: string) => boolean): void {
  const edges = new Map<string, readonly string[]>();
  for (const resource of Object.values(template.resources)) {
    if (!active(resource.logicalId)) continue;
    const own = references(resource.properties).some((reference) => reference.kind !== 'condition' && reference.name === resource.logicalId) || resource.dependsOn.includes(resource.logicalId);
    if (own) throw validationError(`Circular dependency between resources: [${resource.logicalId}]`);
    edges.set(resource.logicalId, dependencies(resource, template, active));
  }
  const circle = findCircle(edges);
  if (circle) throw validationError(`Circular dependency between resources: [${circle.join(', ')}]`);
}

function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  for (const root of edges.keys()) {
    if (index.has(root)) continue;
    const work: { node: string; next: number }[] = [{ node: root, next: 0 }];
    while (work.length > 0) {
      const frame = work[work.length - 1]!;
      const { node } = frame;
      if (frame.next === 0) {
        index.set(node, index.size);
        low.set(node, index.get(node)!);
        stack.push(node);
        onStack.add(node);
      }
      const target = edges.get(node)![frame.next++];
      if (target !== undefined) {
        if (!index.has(target)) work.push({ node: target, next: 0 });
        else if (onStack.has(target)) low.set(node, Math.min(low.get(node)!, index.get(target)!));
        continue;
      }
      work.pop();
      const parent = work[work.length - 1]?.node;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent)!, low.get(node)!));
      if (low.get(node) !== index.get(node)) continue;
      const component = stack.splice(stack.indexOf(node));
      for (const member of component) onStack.delete(member);
      if (component.length > 1) return component.sort((a, b) => index.get(a)! - index.get(b)!);
    }
  }
  return undefined;
}
