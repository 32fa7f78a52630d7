import { isObject, type Json } from '../json.js';
import { formatError, templateError, validationError } from '../template/error.js';
import type { Template } from '../template/model.js';
import { evaluate } from './evaluate.js';
import type { Scope } from './scope.js';
import { UNKNOWN, type Value } from './value.js';

/** Truth of a condition: one of the condition functions, or `{"Condition": name}` (user guide: "Condition functions"). */
export function evaluateCondition(value: Json, scope: Scope): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  if (isObject(value)) {
    const [name] = Object.keys(value);
    if (name === 'Condition' && typeof value[name] === 'string') return scope.condition(value[name]);
    if (name !== undefined && Object.keys(value).length === 1 && Object.hasOwn(conditionFunctions, name)) return conditionFunctions[name]!(value[name]!, scope);
    const evaluated = evaluate(value, scope);
    if (evaluated === true || evaluated === 'true') return true;
    if (evaluated === false || evaluated === 'false') return false;
  }
  throw formatError('Conditions can only be boolean operations on parameters and other conditions');
}

/**
 * Conditions by name, each computed once. Raises for a condition that isn't declared or depends on itself; the conditions of an
 * `Fn::If` inside another one work too.
 */
export function conditionTable(template: Template, scope: () => Scope): (name: string) => boolean {
  const known = new Map<string, boolean>();
  const open: string[] = [];
  return (name) => {
    const done = known.get(name);
    if (done !== undefined) return done;
    if (!Object.hasOwn(template.conditions, name)) throw templateError(`unresolved condition dependency ${name} in the Conditions block of the template`);
    if (open.includes(name)) throw validationError(`Circular dependencies for resource ${name}`);
    open.push(name);
    const value = evaluateCondition(template.conditions[name]!, scope());
    open.pop();
    known.set(name, value);
    return value;
  };
}

export const conditionFunctions: Record<string, (argument: Json, scope: Scope) => boolean> = {
  'Fn::Equals': (argument, scope) => {
    if (!Array.isArray(argument) || argument.length !== 2) throw templateError('every Fn::Equals object requires a list of 2 string parameters.');
    const [a, b] = argument.map((part) => evaluate(part, scope));
    return text(a!) === text(b!);
  },
  'Fn::Not': (argument, scope) => {
    if (!Array.isArray(argument) || argument.length !== 1) throw templateError('every Fn::Not object requires a list of one boolean parameter.');
    return !evaluateCondition(argument[0]!, scope);
  },
  'Fn::And': (argument, scope) => parts('Fn::And', argument).map((part) => evaluateCondition(part, scope)).every(Boolean),
  'Fn::Or': (argument, scope) => parts('Fn::Or', argument).map((part) => evaluateCondition(part, scope)).some(Boolean),
  'Fn::Contains': (argument, scope) => {
    const [list, item] = two('Fn::Contains', argument, scope);
    return strings('Fn::Contains', list).includes(text(item));
  },
  'Fn::EachMemberEquals': (argument, scope) => {
    const [list, item] = two('Fn::EachMemberEquals', argument, scope);
    return strings('Fn::EachMemberEquals', list).every((member) => member === text(item));
  },
  'Fn::EachMemberIn': (argument, scope) => {
    const [list, allowed] = two('Fn::EachMemberIn', argument, scope);
    const set = new Set(strings('Fn::EachMemberIn', allowed));
    return strings('Fn::EachMemberIn', list).every((member) => set.has(member));
  },
};

function parts(name: string, argument: Json): Json[] {
  if (!Array.isArray(argument) || argument.length < 2 || argument.length > 10) {
    throw templateError(`every ${name} object requires a list of at least 2 and at most 10 boolean parameters.`);
  }
  return argument;
}

function two(name: string, argument: Json, scope: Scope): [Value, Value] {
  if (!Array.isArray(argument) || argument.length !== 2) throw templateError(`every ${name} object requires a list of 2 parameters.`);
  return [evaluate(argument[0]!, scope), evaluate(argument[1]!, scope)];
}

function strings(name: string, value: Value): string[] {
  if (!Array.isArray(value)) throw templateError(`${name} requires a list of strings.`);
  return value.map((item) => text(item as Value));
}

function text(value: Value): string {
  if (value === UNKNOWN || typeof value === 'symbol') return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
