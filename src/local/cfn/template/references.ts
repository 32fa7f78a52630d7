import { isObject, type Json, type JsonObject } from '../json.js';
import { PSEUDO_PARAMETERS, type ResourceDeclaration, type Template } from './model.js';

/** Something a value depends on. */
export type Reference =
  | { readonly kind: 'ref'; readonly name: string; readonly via: 'Ref' | 'Sub' }
  | { readonly kind: 'attribute'; readonly name: string; readonly attribute: string | undefined; readonly via: 'GetAtt' | 'Sub' }
  | { readonly kind: 'condition'; readonly name: string; readonly via: 'If' | 'Condition' };

/**
 * All references in a value. With `branch`, only the branch of each `Fn::If` that its condition selects is followed: what the other
 * one names need not exist.
 */
export function references(value: Json | undefined, branch?: (condition: string) => boolean | undefined): Reference[] {
  const found: Reference[] = [];
  if (value !== undefined) collect(value, found, branch, new Set());
  return found;
}

/** Logical IDs of the resources a declaration depends on (DependsOn included), those that exist under the conditions. */
export function dependencies(declaration: ResourceDeclaration, template: Template, active: (logicalId: string) => boolean, branch?: (condition: string) => boolean | undefined): string[] {
  const names = new Set<string>(declaration.dependsOn);
  for (const part of [declaration.properties, declaration.metadata, declaration.creationPolicy, declaration.updatePolicy]) {
    for (const reference of references(part, branch)) if (reference.kind !== 'condition') names.add(reference.name);
  }
  names.delete(declaration.logicalId);
  return [...names].filter((name) => Object.hasOwn(template.resources, name) && active(name));
}

/** Variables of a `Fn::Sub` string in order; `${!Literal}` isn't one. */
export function subVariables(text: string): string[] {
  return [...text.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1]!.trim()).filter((name) => !name.startsWith('!'));
}

/** The one member of `{"Fn::X": …}`, `{"Ref": …}` or `{"Condition": …}`. */
export function intrinsic(value: Json): { name: string; argument: Json } | undefined {
  if (!isObject(value)) return undefined;
  const keys = Object.keys(value);
  const name = keys[0];
  if (keys.length !== 1 || name === undefined) return undefined;
  return name === 'Ref' || name === 'Condition' || name.startsWith('Fn::') ? { name, argument: value[name]! } : undefined;
}

function collect(value: Json, found: Reference[], branch: ((condition: string) => boolean | undefined) | undefined, locals: ReadonlySet<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found, branch, locals);
    return;
  }
  if (!isObject(value)) return;
  const call = intrinsic(value);
  if (!call) {
    for (const member of Object.values(value)) collect(member, found, branch, locals);
    return;
  }
  collectCall(call.name, call.argument, value, found, branch, locals);
}

function collectCall(name: string, argument: Json, value: JsonObject, found: Reference[], branch: ((condition: string) => boolean | undefined) | undefined, locals: ReadonlySet<string>): void {
  if (name === 'Ref' && typeof argument === 'string') {
    if (!locals.has(argument)) found.push({ kind: 'ref', name: argument, via: 'Ref' });
    return;
  }
  if (name === 'Condition' && typeof argument === 'string') {
    found.push({ kind: 'condition', name: argument, via: 'Condition' });
    return;
  }
  if (name === 'Fn::GetAtt') {
    const [resource, attribute] = attributePath(argument);
    if (typeof resource === 'string') found.push({ kind: 'attribute', name: resource, attribute: typeof attribute === 'string' ? attribute : undefined, via: 'GetAtt' });
    if (attribute !== undefined) collect(attribute, found, branch, locals);
    return;
  }
  if (name === 'Fn::Sub') {
    collectSub(argument, found, branch, locals);
    return;
  }
  if (name === 'Fn::If' && Array.isArray(argument)) {
    const [condition, yes, no] = argument;
    if (typeof condition === 'string') found.push({ kind: 'condition', name: condition, via: 'If' });
    const chosen = typeof condition === 'string' ? branch?.(condition) : undefined;
    if (yes !== undefined && chosen !== false) collect(yes, found, branch, locals);
    if (no !== undefined && chosen !== true) collect(no, found, branch, locals);
    return;
  }
  for (const member of Object.values(value)) collect(member, found, branch, locals);
}

function collectSub(argument: Json, found: Reference[], branch: ((condition: string) => boolean | undefined) | undefined, locals: ReadonlySet<string>): void {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, undefined];
  const own = isObject(variables) ? variables : {};
  if (typeof text === 'string') {
    for (const name of subVariables(text)) {
      if (Object.hasOwn(own, name) || locals.has(name)) continue;
      const dot = name.indexOf('.');
      if (dot < 0 || PSEUDO_PARAMETERS.has(name)) found.push({ kind: 'ref', name, via: 'Sub' });
      else found.push({ kind: 'attribute', name: name.slice(0, dot), attribute: name.slice(dot + 1), via: 'Sub' });
    }
  }
  for (const member of Object.values(own)) collect(member, found, branch, locals);
}

/** `["A", "B"]` or `"A.B"`; the attribute may be a function. */
export function attributePath(argument: Json): [Json | undefined, Json | undefined] {
  if (typeof argument === 'string') {
    const dot = argument.indexOf('.');
    return dot < 0 ? [argument, undefined] : [argument.slice(0, dot), argument.slice(dot + 1)];
  }
  return Array.isArray(argument) ? [argument[0], argument.length > 2 && argument.slice(1).every((part) => typeof part === 'string') ? argument.slice(1).join('.') : argument[1]] : [undefined, undefined];
}
