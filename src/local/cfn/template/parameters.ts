import { KNOWN_AFTER_APPLY } from '../evaluate/value.js';
import { validationError } from './error.js';
import type { ParameterDeclaration, Template } from './model.js';
import { elementType, isListType, ssmValueType } from './parameter-types.js';
import { testPattern } from '../../../shared/regex.js';

/** As the API gives it. */
export interface ParameterInput {
  readonly ParameterKey?: string;
  readonly ParameterValue?: string;
  readonly UsePreviousValue?: boolean;
}

/** A parameter of a stack or change set. */
export interface ParameterValue {
  readonly key: string;
  /** What was given (for SSM types: the name of the parameter). */
  readonly value: string;
  /** The value behind the name, for `AWS::SSM::Parameter::Value<…>`. */
  readonly resolved: string | undefined;
  readonly noEcho: boolean;
}

export interface ParameterSources {
  readonly inputs: readonly ParameterInput[];
  /** Values the stack has now, for UsePreviousValue. */
  readonly previous: readonly ParameterValue[];
  /** Reads parameters from the store; the answer lacks those that don't exist. */
  readonly fetch: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

/**
 * Values for all declared parameters, checked against their constraints. SSM parameters are read here, at each operation, as AWS does
 * ("CloudFormation fetches the values each time the stack is created or updated").
 */
export async function resolveParameters(template: Template, sources: ParameterSources): Promise<ParameterValue[]> {
  const given = new Map(sources.inputs.map((input) => [input.ParameterKey ?? '', input]));
  const unknown = [...given.keys()].filter((key) => !Object.hasOwn(template.parameters, key));
  if (unknown.length > 0) throw validationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  const raw = rawValues(template, given, sources.previous);
  const names = Object.entries(template.parameters).filter(([key, declaration]) => ssmValueType(declaration.type) !== undefined && !isForeseen(raw.get(key)!)).map(([key]) => raw.get(key)!);
  const fetched = names.length > 0 ? await sources.fetch([...new Set(names)]) : new Map<string, string>();
  const missing = [...new Set(names.filter((name) => !fetched.has(name)))];
  for (const [key, declaration] of Object.entries(template.parameters)) {
    // A name that the caller gave is complained about in other words than the template's own (recorded: cfn-template-engine-resolve-ssm-missing-parameter).
    const named = ssmValueType(declaration.type) !== undefined && given.get(key)?.ParameterValue !== undefined && missing.includes(raw.get(key)!);
    if (named) throw validationError(`Parameter ${key} should either have input value or default value`);
  }
  if (missing.length > 0) throw validationError(`Unable to fetch parameters [${missing.join(',')}] from parameter store for this account.`);
  return Object.entries(template.parameters).map(([key, declaration]) => {
    const value = raw.get(key)!;
    const resolved = ssmValueType(declaration.type) === undefined ? undefined : (fetched.get(value) ?? value);
    if (isForeseen(value)) return { key, value, resolved, noEcho: declaration.noEcho };
    checkValue(key, value, declaration);
    checkType(key, resolved ?? value, declaration);
    return { key, value, resolved, noEcho: declaration.noEcho };
  });
}

/** A value that a nested stack gets only once its parent's resources exist: there is nothing yet to be checked. */
export function isForeseen(value: string): boolean {
  return value.includes(KNOWN_AFTER_APPLY);
}

function rawValues(template: Template, given: ReadonlyMap<string, ParameterInput>, previous: readonly ParameterValue[]): Map<string, string> {
  const before = new Map(previous.map((parameter) => [parameter.key, parameter.value]));
  const raw = new Map<string, string>();
  const missing: string[] = [];
  for (const [key, declaration] of Object.entries(template.parameters)) {
    const input = given.get(key);
    const value = input?.UsePreviousValue === true ? before.get(key) : (input?.ParameterValue ?? declaration.default);
    if (value === undefined) missing.push(key);
    else raw.set(key, value);
  }
  if (missing.length > 0) throw validationError(`Parameters: [${missing.join(', ')}] must have values`);
  return raw;
}

/** What `Ref` answers: text, or a list of trimmed items. */
export function referenceValue(parameter: ParameterValue, declaration: ParameterDeclaration): string | string[] {
  const text = parameter.resolved ?? parameter.value;
  if (!isListType(declaration.type)) return text;
  return text === '' ? [''] : text.split(',').map((item) => item.trim());
}

export function parameterTable(template: Template, values: readonly ParameterValue[]): Record<string, string | string[]> {
  return Object.fromEntries(values.filter(({ key }) => Object.hasOwn(template.parameters, key)).map((value) => [value.key, referenceValue(value, template.parameters[value.key]!)]));
}

/** Constraints of the declaration (user guide: "Parameters", properties). */
function checkValue(key: string, value: string, declaration: ParameterDeclaration): void {
  const fail = (sentence: string): never => {
    throw validationError(declaration.constraintDescription === undefined ? sentence : `Parameter ${key} failed to satisfy constraint: ${declaration.constraintDescription}`);
  };
  const items = declaration.type === 'CommaDelimitedList' || declaration.type.startsWith('List<') ? value.split(',').map((item) => item.trim()) : [value];
  if (declaration.allowedValues && !items.every((item) => declaration.allowedValues!.includes(item))) fail(`Parameter '${key}' must be one of AllowedValues`);
  if (declaration.minLength !== undefined && value.length < declaration.minLength) fail(`Parameter '${key}' must contain at least ${declaration.minLength} characters`);
  if (declaration.maxLength !== undefined && value.length > declaration.maxLength) fail(`Parameter '${key}' must contain at most ${declaration.maxLength} characters`);
  if (declaration.allowedPattern !== undefined) {
    const pattern = compile(declaration.allowedPattern);
    if (!items.every((item) => testPattern(pattern, item))) fail(`Parameter '${key}' must match pattern ${declaration.allowedPattern}`);
  }
  if (declaration.type === 'Number') {
    const number = Number(value);
    if (value.trim() === '' || Number.isNaN(number)) throw validationError(`Parameter '${key}' must be a number.`);
    if (declaration.minValue !== undefined && number < declaration.minValue) fail(`Parameter '${key}' must be a number not less than ${declaration.minValue}`);
    if (declaration.maxValue !== undefined && number > declaration.maxValue) fail(`Parameter '${key}' must be a number not greater than ${declaration.maxValue}`);
  }
  if (Buffer.byteLength(value) > 4096) throw validationError(`Parameter '${key}' must contain at most 4096 characters`);
}

function checkType(key: string, value: string, declaration: ParameterDeclaration): void {
  if (elementType(declaration.type) !== 'Number' || declaration.type === 'Number') return;
  if (value.split(',').some((item) => item.trim() === '' || Number.isNaN(Number(item)))) throw validationError(`Parameter '${key}' must be a list of numbers.`);
}

const PATTERN_LIMIT = 1024;

/** Java's patterns, anchored at both ends; possessive quantifiers and `\p{Alpha}` are near enough to JavaScript's to be rewritten. */
function compile(pattern: string): RegExp {
  if (pattern.length > PATTERN_LIMIT) throw validationError(`AllowedPattern is longer than ${PATTERN_LIMIT} characters`);
  const rewritten = pattern.replace(/\\p\{(Alpha|Alnum|Digit|Upper|Lower|Punct|Space)\}/g, (_, name: string) => POSIX[name]!).replace(/([*+?}])\+/g, '$1');
  try {
    return new RegExp(`^(?:${rewritten})$`, 's');
  } catch {
    throw validationError(`AllowedPattern ${pattern} is not a valid regular expression`);
  }
}

const POSIX: Record<string, string> = {
  Alpha: 'A-Za-z', Alnum: 'A-Za-z0-9', Digit: '0-9', Upper: 'A-Z', Lower: 'a-z', Punct: '!-\\/:-@\\[-`{-~', Space: '\\s',
};
