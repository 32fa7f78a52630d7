import { FlotillaError } from './errors.js';

/**
 * Event patterns (EventBridge user guide, "Comparison operators for use in event patterns"): a JSON object whose leaves are lists of wanted
 * values or matchers; every member must match, in an array of the event any element suffices.
 */
export type Pattern = { readonly [name: string]: unknown };

/** Raises FlotillaError EVP001 with the service's own reason when the text isn't a pattern. */
export function parsePattern(text: string): Pattern {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
  if (!isObject(value)) throw refused('Filter is not an object');
  checkObject(value, []);
  return value;
}

export function isEventPattern(text: string): boolean {
  try {
    parsePattern(text);
    return true;
  } catch (error) {
    if (error instanceof FlotillaError) return false;
    throw error;
  }
}

const compiled = new Map<string, Pattern>();

/** Whether the event matches the pattern's text. */
export function matchesPattern(text: string, event: unknown): boolean {
  let pattern = compiled.get(text);
  if (!pattern) {
    if (compiled.size > 1000) compiled.clear();
    compiled.set(text, (pattern = parsePattern(text)));
  }
  return matchesObject(pattern, event);
}

function matchesObject(pattern: Pattern, event: unknown): boolean {
  return Object.entries(pattern).every(([name, wanted]) => {
    if (name === '$or' && Array.isArray(wanted) && wanted.every(isObject)) return wanted.some((one) => matchesObject(one, event));
    // An array of objects matches when one of its elements does.
    if (Array.isArray(event)) return event.some((element) => matchesObject({ [name]: wanted }, element));
    const present = isObject(event) && Object.hasOwn(event, name);
    const value = present ? event[name] : undefined;
    if (!Array.isArray(wanted)) return present ? matchesObject(wanted as Pattern, value) : matchesAbsent(wanted as Pattern);
    return matchesLeaf(wanted, value, present);
  });
}

/** Below a member that isn't there only `exists: false` matches. */
function matchesAbsent(pattern: Pattern): boolean {
  return Object.values(pattern).every((wanted) => (Array.isArray(wanted) ? matchesLeaf(wanted, undefined, false) : isObject(wanted) && matchesAbsent(wanted)));
}

function matchesLeaf(wanted: readonly unknown[], value: unknown, present: boolean): boolean {
  const values = Array.isArray(value) ? value : [value];
  return wanted.some((one) => {
    if (isObject(one) && 'exists' in one) return one['exists'] === (present && !isObject(value));
    if (!present) return false;
    // An empty list has no element that anything could match.
    return values.some((each) => matchesValue(one, each));
  });
}

function matchesValue(wanted: unknown, value: unknown): boolean {
  if (!isObject(wanted)) return wanted === value;
  const [operator, operand] = Object.entries(wanted)[0]!;
  const text = typeof value === 'string' ? value : undefined;
  switch (operator) {
    case 'prefix':
      return text !== undefined && (isObject(operand) ? text.toLowerCase().startsWith(String(operand['equals-ignore-case']).toLowerCase()) : text.startsWith(String(operand)));
    case 'suffix':
      return text !== undefined && (isObject(operand) ? text.toLowerCase().endsWith(String(operand['equals-ignore-case']).toLowerCase()) : text.endsWith(String(operand)));
    case 'equals-ignore-case':
      return text?.toLowerCase() === String(operand).toLowerCase();
    case 'wildcard':
      return text !== undefined && matchesWildcard(String(operand), text);
    case 'anything-but':
      return matchesAnythingBut(operand, value);
    case 'numeric':
      return typeof value === 'number' && matchesNumeric(operand as unknown[], value);
    case 'cidr':
      return text !== undefined && matchesCidr(String(operand), text);
    default:
      return false;
  }
}

function matchesAnythingBut(operand: unknown, value: unknown): boolean {
  if (isObject(value)) return false;
  if (!isObject(operand)) return !(Array.isArray(operand) ? operand : [operand]).includes(value);
  const [operator, given] = Object.entries(operand)[0]!;
  return !(Array.isArray(given) ? given : [given]).some((one) => matchesValue({ [operator]: one }, value));
}

function matchesNumeric(operand: readonly unknown[], value: number): boolean {
  for (let i = 0; i < operand.length; i += 2) {
    const limit = Number(operand[i + 1]);
    const holds = { '=': value === limit, '<': value < limit, '<=': value <= limit, '>': value > limit, '>=': value >= limit }[String(operand[i])];
    if (!holds) return false;
  }
  return true;
}

/** `*` stands for any characters; `\*` for itself. Linear: parts between stars are looked for from left to right. */
function matchesWildcard(pattern: string, text: string): boolean {
  const parts = splitWildcard(pattern);
  const last = parts.at(-1)!;
  if (parts.length === 1) return text === last;
  if (!text.startsWith(parts[0]!) || text.length < parts[0]!.length + last.length || !text.endsWith(last)) return false;
  let position = parts[0]!.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= text.length - last.length;
}

function splitWildcard(pattern: string): string[] {
  const parts = [''];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '\\' && (pattern[i + 1] === '*' || pattern[i + 1] === '\\')) parts.push(parts.pop()! + pattern[++i]);
    else if (char === '*') parts.push('');
    else parts.push(parts.pop()! + char);
  }
  return parts;
}

function matchesCidr(range: string, address: string): boolean {
  const [base, bits] = range.split('/');
  const left = addressBits(base ?? '');
  const right = addressBits(address);
  return left !== undefined && right !== undefined && left.length === right.length && left.slice(0, Number(bits)) === right.slice(0, Number(bits));
}

function addressBits(address: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    const parts = address.split('.').map(Number);
    return parts.every((part) => part < 256) ? parts.map((part) => part.toString(2).padStart(8, '0')).join('') : undefined;
  }
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(':')) return undefined;
  const halves = address.split('::');
  const head = halves[0] ?? '';
  const tail = halves[1];
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const missing = 8 - groups(head).length - groups(tail ?? '').length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...groups(head), ...(tail === undefined ? [] : Array.from({ length: missing }, () => '0')), ...groups(tail ?? '')].map((group) => parseInt(group, 16).toString(2).padStart(16, '0')).join('');
}

const MATCHERS = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard', 'anything-but', 'numeric', 'cidr', 'exists'];

function checkObject(pattern: Pattern, path: readonly string[]): void {
  if (Object.keys(pattern).length === 0) throw refused('Empty objects are not allowed');
  for (const [name, wanted] of Object.entries(pattern)) {
    if (name === '$or') {
      if (!Array.isArray(wanted) || wanted.length < 2 || !wanted.every(isObject)) throw refused('There must have at least 2 Objects in $or relationship');
      for (const one of wanted) checkObject(one, path);
    } else if (isObject(wanted)) checkObject(wanted, [...path, name]);
    else if (!Array.isArray(wanted)) throw refused(`"${name}" must be an object or an array`);
    else if (wanted.length === 0) throw refused('Empty arrays are not allowed');
    else for (const one of wanted) checkMatcher(one);
  }
}

function checkMatcher(one: unknown): void {
  if (Array.isArray(one)) throw refused('Match value must be String, number, true, false, or null');
  if (!isObject(one)) return;
  const names = Object.keys(one);
  if (names.length !== 1) throw refused('Only one key allowed in match expression');
  const name = names[0]!;
  if (!MATCHERS.includes(name)) throw refused(`Unrecognized match type ${name}`);
  const operand = one[name];
  if (name === 'exists' && typeof operand !== 'boolean') throw refused('exists match pattern must be either true or false.');
  if (name === 'numeric') checkNumeric(operand);
  if (name === 'cidr' && (typeof operand !== 'string' || !/^.+\/\d{1,3}$/.test(operand) || addressBits(operand.split('/')[0]!) === undefined)) throw refused('Malformed CIDR, one \'/\' required');
  if (name === 'wildcard') checkWildcard(operand);
  if ((name === 'prefix' || name === 'suffix') && typeof operand !== 'string' && !(isObject(operand) && typeof operand['equals-ignore-case'] === 'string')) throw refused(`${name} match pattern must be a string`);
  if (name === 'equals-ignore-case' && typeof operand !== 'string') throw refused('equals-ignore-case match pattern must be a string');
  if (name === 'anything-but') checkAnythingBut(operand);
}

function checkAnythingBut(operand: unknown): void {
  if (isObject(operand)) {
    const inner = Object.keys(operand)[0] ?? '';
    if (!['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(inner)) throw refused(`Unsupported anything-but pattern: ${inner}`);
  } else if (Array.isArray(operand) ? operand.length === 0 : operand === null || typeof operand === 'boolean') throw refused('Value of anything-but must be an array or single string/number value.');
}

function checkNumeric(operand: unknown): void {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0) throw refused('Invalid numeric match: must be an array of operators and numbers');
  operand.forEach((part, i) => {
    if (i % 2 === 0 ? !['=', '<', '<=', '>', '>='].includes(String(part)) : typeof part !== 'number') throw refused(`Bad numeric range operator: ${String(part)}`);
  });
}

function checkWildcard(operand: unknown): void {
  if (typeof operand !== 'string') throw refused('wildcard match pattern must be a string');
  if (operand.includes('**')) throw refused('Consecutive wildcard characters at pos ' + operand.indexOf('**'));
}

function refused(reason: string): FlotillaError {
  return new FlotillaError('EVP001', reason);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
