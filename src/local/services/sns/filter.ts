import type { MessageAttributeValue } from '../../models/types/sns.js';
import { matchesAddress, wildcard, wildcardProblem } from './match.js';
import { parseJson } from './json-text.js';

export type Scope = 'MessageAttributes' | 'MessageBody';

type Node = { readonly [key: string]: Node | readonly unknown[] };

/** Why a filter policy can't be one, in SNS's words; undefined when it can (SNS developer guide, "Filter policy constraints"). */
export function filterProblem(text: string, scope: Scope): string | undefined {
  const parsed = parseJson(text);
  if ('problem' in parsed) return `FilterPolicy: failed to parse JSON. ${parsed.problem}`;
  if (!isObject(parsed.value)) return 'FilterPolicy: Filter policy must be an object';
  const found: Found = { keys: new Set(), combinations: 1, problem: undefined };
  walk(parsed.value, scope, 1, '', found);
  if (found.problem !== undefined) return found.problem;
  if (found.keys.size > 5) return 'FilterPolicy: Filter policy can not have more than 5 keys';
  if (found.combinations > 150) return 'FilterPolicy: Filter policy is too complex';
  return undefined;
}

interface Found {
  readonly keys: Set<string>;
  combinations: number;
  problem: string | undefined;
}

function walk(node: Record<string, unknown>, scope: Scope, depth: number, path: string, found: Found): void {
  if (Object.keys(node).length === 0 && depth > 1) found.problem ??= 'FilterPolicy: Empty objects are not allowed';
  for (const [key, value] of Object.entries(node)) {
    if (found.problem !== undefined) return;
    if (key === '$or' && isOr(value)) {
      const before = found.combinations;
      let sum = 0;
      for (const branch of value as Record<string, unknown>[]) {
        found.combinations = 1;
        walk(branch, scope, depth, path, found);
        sum += found.combinations;
      }
      found.combinations = before * sum;
    } else if (Array.isArray(value)) {
      found.keys.add(`${path}.${key}`);
      if (value.length === 0) found.problem ??= 'FilterPolicy: Empty arrays are not allowed';
      for (const rule of value) found.problem ??= ruleProblem(rule);
      found.combinations *= value.length * depth;
    } else if (isObject(value)) {
      if (scope === 'MessageAttributes') found.problem ??= 'Filter policy scope MessageAttributes does not support nested filter policy';
      else walk(value, scope, depth + 1, `${path}.${key}`, found);
    } else found.problem ??= `FilterPolicy: "${key}" must be an object or an array`;
  }
}

/** `$or` is the operator only when it holds two objects or more whose names aren't operators. */
function isOr(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 2 && value.every((item) => isObject(item) && Object.keys(item).length > 0 && !Object.keys(item).some((name) => OPERATORS.has(name)));
}

const OPERATORS: ReadonlySet<string> = new Set(['anything-but', 'prefix', 'suffix', 'equals-ignore-case', 'wildcard', 'cidr', 'exists', 'numeric']);

function ruleProblem(rule: unknown): string | undefined {
  if (rule === null || typeof rule !== 'object') return undefined;
  if (Array.isArray(rule)) return 'FilterPolicy: Match value must be String, number, true, false, or null';
  const entries = Object.entries(rule);
  if (entries.length !== 1) return 'FilterPolicy: Only one key allowed in match expression';
  const [operator, operand] = entries[0]!;
  switch (operator) {
    case 'prefix':
    case 'suffix':
    case 'equals-ignore-case':
      return typeof operand === 'string' ? undefined : `FilterPolicy: ${operator} match pattern must be a string`;
    case 'wildcard':
      return typeof operand !== 'string' ? 'FilterPolicy: wildcard match pattern must be a string' : wildcardProblem(operand);
    case 'exists':
      return typeof operand === 'boolean' ? undefined : 'FilterPolicy: exists match pattern must be either true or false.';
    case 'cidr':
      return typeof operand === 'string' && /^[0-9a-fA-F:.]+\/\d{1,3}$/.test(operand) ? undefined : `FilterPolicy: Nonnumeric or malformed CIDR, ${JSON.stringify(operand)}`;
    case 'numeric':
      return numericProblem(operand);
    case 'anything-but':
      return anythingButProblem(operand);
    default:
      return `FilterPolicy: Unrecognized match type ${operator}`;
  }
}

function anythingButProblem(operand: unknown): string | undefined {
  if (Array.isArray(operand)) return operand.length > 0 && operand.every((item) => typeof item === 'string' || typeof item === 'number') ? undefined : 'FilterPolicy: Value of anything-but must be an array of strings or numbers or a single string/number value.';
  if (!isObject(operand)) return typeof operand === 'string' || typeof operand === 'number' ? undefined : 'FilterPolicy: Value of anything-but must be a single string/number value.';
  const [name = '', value] = Object.entries(operand)[0] ?? [];
  if (!['prefix', 'suffix', 'wildcard', 'equals-ignore-case'].includes(name)) return `FilterPolicy: Unsupported anything-but pattern: ${name}`;
  return [value].flat().every((item) => typeof item === 'string' && item !== '') ? undefined : `FilterPolicy: anything-but ${name} match pattern must be a string`;
}

const COMPARISONS: ReadonlySet<unknown> = new Set(['=', '<', '<=', '>', '>=']);

function numericProblem(operand: unknown): string | undefined {
  if (!Array.isArray(operand)) return 'FilterPolicy: Value of numeric must be an array.';
  if (operand.length === 0) return 'FilterPolicy: Invalid member in numeric match: ]';
  for (let i = 0; i < operand.length; i += 2) {
    if (!COMPARISONS.has(operand[i])) return `FilterPolicy: Unrecognized numeric range operator: ${String(operand[i])}`;
    if (typeof operand[i + 1] !== 'number') return `FilterPolicy: Value of ${String(operand[i])} must be numeric`;
    if (Math.abs(operand[i + 1] as number) > 1e9) return 'FilterPolicy: Value of numeric match is out of range';
  }
  if (operand.length > 4) return 'FilterPolicy: Too many elements in numeric expression';
  if (operand.length === 4 && (!String(operand[0]).startsWith('>') || !String(operand[2]).startsWith('<'))) return `FilterPolicy: Bad numeric range operator: ${String(operand[2])}`;
  if (operand.length === 4 && (operand[1] as number) >= (operand[3] as number)) return 'FilterPolicy: Bottom must be less than top';
  return undefined;
}

/** Whether a message passes the policy (SNS developer guide, "Filter policy operators"). */
export function passes(policy: string, scope: Scope, message: { readonly body: string; readonly attributes: Readonly<Record<string, MessageAttributeValue>> }): boolean {
  const node = JSON.parse(policy) as Node;
  if (scope === 'MessageAttributes') return matchNode(node, attributeValues(message.attributes));
  const parsed = parseJson(message.body);
  return 'value' in parsed && isObject(parsed.value) && matchNode(node, parsed.value);
}

/** Attributes by name as the values that rules are held against; binary ones match nothing but `exists`. */
function attributeValues(attributes: Readonly<Record<string, MessageAttributeValue>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, { DataType, StringValue }] of Object.entries(attributes)) {
    if (DataType.startsWith('Binary')) values[name] = new Uint8Array();
    else if (DataType === 'String.Array') {
      const parsed = parseJson(StringValue ?? '');
      values[name] = 'value' in parsed && Array.isArray(parsed.value) ? parsed.value : (StringValue ?? '');
    } else values[name] = DataType.startsWith('Number') ? Number(StringValue) : StringValue;
  }
  return values;
}

function matchNode(node: Node, value: Record<string, unknown>): boolean {
  return Object.entries(node).every(([key, rules]) => {
    if (key === '$or' && isOr(rules)) return (rules as unknown as Node[]).some((branch) => matchNode(branch, value));
    const actual = value[key];
    if (Array.isArray(rules)) return rules.some((rule) => matchRule(rule, actual, Object.hasOwn(value, key)));
    const nested = Array.isArray(actual) ? actual : [actual];
    return nested.some((item) => matchNode(rules as Node, isObject(item) ? item : {}));
  });
}

function matchRule(rule: unknown, actual: unknown, there: boolean): boolean {
  if (isObject(rule) && typeof rule['exists'] === 'boolean') return rule['exists'] === (there && !isObject(actual));
  if (!there) return false;
  const values = Array.isArray(actual) ? actual : [actual];
  if (isObject(rule) && 'anything-but' in rule) return values.length > 0 && values.some((value) => isScalar(value) && !excluded(rule['anything-but'], value));
  return values.some((value) => isScalar(value) && matchScalar(rule, value));
}

function matchScalar(rule: unknown, value: unknown): boolean {
  if (!isObject(rule)) return rule === value;
  const [operator, operand] = Object.entries(rule)[0]!;
  if (operator === 'numeric') return typeof value === 'number' && inRange(operand as (string | number)[], value);
  if (typeof value !== 'string') return false;
  return matchText(operator, operand as string, value);
}

function matchText(operator: string, operand: string, value: string): boolean {
  switch (operator) {
    case 'prefix':
      return value.startsWith(operand);
    case 'suffix':
      return value.endsWith(operand);
    case 'equals-ignore-case':
      return value.toLowerCase() === operand.toLowerCase();
    case 'wildcard':
      return wildcard(operand, value);
    case 'cidr':
      return matchesAddress(operand, value);
    default:
      return false;
  }
}

function excluded(operand: unknown, value: unknown): boolean {
  if (isObject(operand)) {
    const [operator = '', patterns] = Object.entries(operand)[0] ?? [];
    return typeof value === 'string' && [patterns].flat().some((pattern) => matchText(operator, pattern as string, value));
  }
  return [operand].flat().includes(value);
}

function inRange(operand: readonly (string | number)[], value: number): boolean {
  for (let i = 0; i < operand.length; i += 2) {
    const bound = operand[i + 1] as number;
    const holds = { '=': value === bound, '<': value < bound, '<=': value <= bound, '>': value > bound, '>=': value >= bound }[operand[i] as string];
    if (!holds) return false;
  }
  return true;
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
