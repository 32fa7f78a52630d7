import { isObject, type Json } from '../json.js';
import { formatError, templateError } from '../template/error.js';
import { attributePath, intrinsic } from '../template/references.js';
import { cidrBlocks } from './cidr.js';
import { conditionFunctions, evaluateCondition } from './conditions.js';
import type { Scope } from './scope.js';
import { containsUnknown, NO_VALUE, UNKNOWN, type Value } from './value.js';

/**
 * Evaluates a value of a template (user guide: "Intrinsic function reference"). Members whose value is `AWS::NoValue` are gone from
 * the result; the result itself may be `NO_VALUE`. Errors are AWS's `Template error: …`.
 */
export function evaluate(value: Json, scope: Scope): Value {
  if (Array.isArray(value)) return value.map((item) => evaluate(item, scope)).filter((item) => item !== NO_VALUE) as Value;
  if (!isObject(value)) return value;
  const call = intrinsic(value);
  if (call && !(call.name === 'Condition' && typeof call.argument !== 'string')) {
    const apply = FUNCTIONS[call.name];
    if (apply) return apply(call.argument, scope);
    if (call.name.startsWith('Fn::')) throw unsupported(call.name);
  }
  const result: Record<string, Value> = {};
  for (const [key, member] of Object.entries(value)) {
    const evaluated = evaluate(member, scope);
    if (evaluated !== NO_VALUE) result[key] = evaluated;
  }
  return result as Value;
}

/** As `evaluate`, for places where nothing unknown can be and NoValue means absent. */
export function evaluateJson(value: Json, scope: Scope): Json | undefined {
  const result = evaluate(value, scope);
  return result === NO_VALUE ? undefined : (result as Json);
}

type Function = (argument: Json, scope: Scope) => Value;

const FUNCTIONS: Record<string, Function> = {
  Ref: (argument, scope) => {
    if (typeof argument !== 'string') throw templateError('every Ref object must have a single String value.');
    return reference(argument, scope);
  },
  // Only a condition's own definition may name another one; elsewhere `Condition` is an ordinary key (IAM policies).
  Condition: (argument, scope) => (typeof argument === 'string' && Object.hasOwn(scope.template.conditions, argument) ? scope.condition(argument) : { Condition: argument }),
  'Fn::GetAtt': getAtt,
  'Fn::Sub': sub,
  'Fn::Join': join,
  'Fn::Split': split,
  'Fn::Select': select,
  'Fn::FindInMap': findInMap,
  'Fn::Base64': (argument, scope) => {
    const value = evaluate(argument, scope);
    if (value === UNKNOWN) return UNKNOWN;
    if (typeof value === 'object' || typeof value === 'symbol') throw templateError('every Fn::Base64 object must have a String-typed value.');
    return Buffer.from(String(value)).toString('base64');
  },
  'Fn::GetAZs': (argument, scope) => {
    const value = evaluate(argument, scope);
    if (value === UNKNOWN) return UNKNOWN;
    if (typeof value !== 'string') throw templateError('every Fn::GetAZs object must have a String-typed value.');
    const zones = scope.availabilityZones(value === '' ? scope.stack.region : value);
    return zones === UNKNOWN ? UNKNOWN : [...zones];
  },
  'Fn::If': (argument, scope) => {
    if (!Array.isArray(argument) || typeof argument[0] !== 'string') throw templateError('Fn::If requires a list argument with the first element being a condition');
    if (argument.length !== 3) throw templateError('Fn::If requires a list argument with three elements');
    if (!Object.hasOwn(scope.template.conditions, argument[0])) throw templateError(`unresolved condition dependency ${argument[0]} in Fn::If`);
    return evaluate(scope.condition(argument[0]) ? argument[1]! : argument[2]!, scope);
  },
  'Fn::Cidr': (argument, scope) => {
    const value = evaluate(argument, scope);
    if (containsUnknown(value)) return UNKNOWN;
    return cidrBlocks(value as Json);
  },
  'Fn::ImportValue': (argument, scope) => {
    const name = evaluate(argument, scope);
    if (name === UNKNOWN) return UNKNOWN;
    if (typeof name !== 'string') throw templateError('the attribute in Fn::ImportValue must be a string or a function that returns a string');
    return scope.exported(name);
  },
  'Fn::GetStackOutput': (argument, scope) => {
    const value = evaluate(argument, scope);
    if (containsUnknown(value)) return UNKNOWN;
    const { StackName, OutputName, Region, RoleArn } = isObject(value) ? value : {};
    if (typeof StackName !== 'string' || typeof OutputName !== 'string') throw templateError('every Fn::GetStackOutput object requires the StackName and the OutputName');
    return scope.stackOutput({ stackName: StackName, outputName: OutputName, region: typeof Region === 'string' ? Region : scope.stack.region, roleArn: typeof RoleArn === 'string' ? RoleArn : undefined });
  },
  'Fn::Length': (argument, scope) => {
    requireExtensions('Fn::Length', scope);
    const value = evaluate(argument, scope);
    if (value === UNKNOWN) return UNKNOWN;
    if (!Array.isArray(value)) throw templateError('Fn::Length expects a list or an intrinsic function returning a list');
    return value.length;
  },
  'Fn::ToJsonString': (argument, scope) => {
    requireExtensions('Fn::ToJsonString', scope);
    const value = evaluate(argument, scope);
    return containsUnknown(value) ? UNKNOWN : JSON.stringify(value);
  },
  'Fn::Transform': (argument) => {
    throw templateError(`Fn::Transform ${isObject(argument) ? String(argument['Name']) : ''} is not supported at this place`);
  },
};

for (const name of Object.keys(conditionFunctions)) FUNCTIONS[name] = (argument, scope) => evaluateCondition({ [name]: argument }, scope);

function unsupported(name: string): Error {
  return templateError(`Encountered unsupported function: ${name} Supported functions are: [${Object.keys(FUNCTIONS).filter((known) => known.startsWith('Fn::')).sort().join(', ')}]`);
}

function requireExtensions(name: string, scope: Scope): void {
  if (!scope.template.transforms.includes('AWS::LanguageExtensions')) throw templateError(`${name} is only supported with the transform AWS::LanguageExtensions`);
}

function reference(name: string, scope: Scope): Value {
  switch (name) {
    case 'AWS::AccountId': return scope.stack.account;
    case 'AWS::Region': return scope.stack.region;
    case 'AWS::Partition': return 'aws';
    case 'AWS::URLSuffix': return 'amazonaws.com';
    case 'AWS::StackName': return scope.stack.name;
    case 'AWS::StackId': return scope.stack.id;
    case 'AWS::NotificationARNs': return [...scope.stack.notificationArns];
    case 'AWS::NoValue': return NO_VALUE;
    default: break;
  }
  if (Object.hasOwn(scope.parameters, name)) {
    const value = scope.parameters[name]!;
    return typeof value === 'string' || value === UNKNOWN ? value : [...value];
  }
  if (!Object.hasOwn(scope.template.resources, name) || !scope.active(name)) throw unresolved(name);
  return scope.reference(name);
}

function unresolved(name: string): Error {
  return formatError(`Unresolved resource dependencies [${name}] in the Resources block of the template`);
}

function getAtt(argument: Json, scope: Scope): Value {
  const [resource, attribute] = attributePath(argument);
  const parts = Array.isArray(argument) ? argument.length : 2;
  if (typeof resource !== 'string' || resource === '' || attribute === undefined || attribute === '' || parts < 2) {
    throw templateError('every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute');
  }
  const name = evaluate(attribute, scope);
  if (name === UNKNOWN) return UNKNOWN;
  if (typeof name !== 'string' || name === '') throw templateError('every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute');
  if (!Object.hasOwn(scope.template.resources, resource)) throw templateError(`instance of Fn::GetAtt references undefined resource ${resource}`);
  if (!scope.active(resource)) throw unresolved(resource);
  return scope.attribute(resource, name);
}

function sub(argument: Json, scope: Scope): Value {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
  if (typeof text !== 'string' || !isObject(variables ?? {}) || (Array.isArray(argument) && argument.length > 2)) {
    throw templateError(
      "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string",
    );
  }
  const own = (variables ?? {}) as Record<string, Json>;
  let unknown = false;
  const result = text.replace(/\$\{([^}]*)\}/g, (_, inner: string) => {
    const name = inner.trim();
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (!/^[A-Za-z0-9_.:]+$/.test(name)) throw templateError('variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons');
    const value = Object.hasOwn(own, name) ? evaluate(own[name]!, scope) : subVariable(name, scope);
    if (value === UNKNOWN || containsUnknown(value)) unknown = true;
    if (value === UNKNOWN || value === NO_VALUE) return '';
    if (Array.isArray(value)) return value.map(String).join(',');
    if (typeof value === 'object' && value !== null) throw templateError(`Fn::Sub: the value of ${name} must be a string`);
    return String(value);
  });
  return unknown ? UNKNOWN : result;
}

function subVariable(name: string, scope: Scope): Value {
  const dot = name.indexOf('.');
  return dot < 0 ? reference(name, scope) : getAtt([name.slice(0, dot), name.slice(dot + 1)], scope);
}

const JOIN = 'every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.';

function join(argument: Json, scope: Scope): Value {
  if (!Array.isArray(argument) || argument.length !== 2 || typeof argument[0] !== 'string') throw templateError(JOIN);
  const items = evaluate(argument[1]!, scope);
  if (items === UNKNOWN) return UNKNOWN;
  if (!Array.isArray(items)) throw templateError(JOIN);
  if (items.some((item) => containsUnknown(item as Value))) return UNKNOWN;
  const delimiter = argument[0];
  return items
    .map((item) => {
      if (Array.isArray(item)) return item.map(String).join(delimiter);
      if (typeof item === 'object' && item !== null) throw templateError(JOIN);
      return String(item);
    })
    .join(delimiter);
}

const SPLIT = 'every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.';

function split(argument: Json, scope: Scope): Value {
  if (!Array.isArray(argument) || argument.length !== 2 || typeof argument[0] !== 'string' || argument[0] === '') throw templateError(SPLIT);
  const text = evaluate(argument[1]!, scope);
  if (text === UNKNOWN) return UNKNOWN;
  if (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean') throw templateError(SPLIT);
  // A value not known yet can't be cut: it stays whole, and a Join around it complains (recorded: cfn-change-set-fn-split-fn-split-with-get-att).
  return String(text).includes('{{changeSet:') ? String(text) : String(text).split(argument[0]);
}

const SELECT = 'Fn::Select requires a list argument with two elements: an integer index and a list';

function select(argument: Json, scope: Scope): Value {
  if (!Array.isArray(argument) || argument.length !== 2) throw templateError(SELECT);
  const index = evaluate(argument[0]!, scope);
  const list = evaluate(argument[1]!, scope);
  if (index === UNKNOWN || list === UNKNOWN) return UNKNOWN;
  if (!/^-?\d+$/.test(String(index))) throw templateError(SELECT);
  if (typeof list === 'string' && list.includes('{{changeSet:')) return list;
  if (!Array.isArray(list)) throw templateError(SELECT);
  const item = list[Number(index)];
  if (item === undefined) throw templateError(Array.isArray(argument[1]) ? SELECT : `Fn::Select cannot select nonexistent value at index ${String(index)}`);
  return item as Value;
}

const FIND_IN_MAP = 'every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value';

function findInMap(argument: Json, scope: Scope): Value {
  if (!Array.isArray(argument) || argument.length < 3 || argument.length > 4) throw templateError(FIND_IN_MAP);
  const options = argument[3];
  const fallback = isObject(options ?? null) ? (options as Record<string, Json>)['DefaultValue'] : undefined;
  if (argument.length === 4) {
    requireExtensions('the DefaultValue of Fn::FindInMap', scope);
    if (fallback === undefined) throw templateError(FIND_IN_MAP);
  }
  const path = argument.slice(0, 3).map((part) => evaluate(part, scope));
  if (path.some((part) => part === UNKNOWN)) return UNKNOWN;
  if (!path.every((part) => typeof part === 'string' || typeof part === 'number' || typeof part === 'boolean')) throw templateError(FIND_IN_MAP);
  const [map, key, attribute] = path.map(String) as [string, string, string];
  const mappings = scope.template.mappings;
  if (!Object.hasOwn(mappings, map)) {
    if (fallback !== undefined) return evaluate(fallback, scope);
    throw templateError(`Mapping named '${map}' is not present in the 'Mappings' section of template.`);
  }
  const entry = Object.hasOwn(mappings[map]!, key) ? mappings[map]![key]! : undefined;
  if (entry && Object.hasOwn(entry, attribute)) return entry[attribute]!;
  if (fallback !== undefined) return evaluate(fallback, scope);
  throw templateError(`Unable to get mapping for ${map}::${key}::${attribute}`);
}
