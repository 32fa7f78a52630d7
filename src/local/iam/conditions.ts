import { inRange, parseAddress, parseRange } from './addresses.js';
import type { Context } from './context.js';
import { matchGlob } from './glob.js';
import { fillGlob, fillText, template, type Template } from './template.js';

/** One key of a Condition block under one operator (IAM reference, "Condition operators"). */
export interface Condition {
  /** As written: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  /** The policy's values, as written. */
  readonly values: readonly string[];
  holds(context: Context): boolean;
}

export function isConditionOperator(name: string): boolean {
  return parseOperator(name) !== undefined;
}

/** Undefined when there is no such operator. */
export function condition(operator: string, key: string, values: readonly string[], variables: boolean): Condition | undefined {
  const parsed = parseOperator(operator);
  if (!parsed) return undefined;
  const keyName = key.toLowerCase();
  const { family, negated, quantifier, ifExists } = parsed;
  if (family === 'null') {
    const wanted = values.map((value) => value.toLowerCase() === 'true');
    return { operator, key, values, holds: (context) => wanted.includes(context.values(keyName) === undefined) };
  }
  const tests = values.map((value) => valueTest(family, template(value, variables)));
  const matches = (value: string, context: Context): boolean => tests.some((test) => test(value, context));
  return {
    operator,
    key,
    values,
    holds: (context) => {
      const actual = context.values(keyName);
      if (actual === undefined) return absent(quantifier, negated, ifExists);
      if (quantifier === 'all') {
        // "… also returns true if the key values resolve to a null dataset, such as an empty string."
        return actual.every((value) => value === '') || actual.every((value) => matches(value, context) !== negated);
      }
      if (quantifier === 'any') return actual.some((value) => matches(value, context) !== negated);
      return actual.some((value) => matches(value, context)) !== negated;
    },
  };
}

/** A missing key: positive operators fail, negated ones hold; IfExists and ForAllValues hold, ForAnyValue fails. */
function absent(quantifier: Quantifier, negated: boolean, ifExists: boolean): boolean {
  if (ifExists || quantifier === 'all') return true;
  if (quantifier === 'any') return false;
  return negated;
}

type Quantifier = 'all' | 'any' | undefined;

type Family =
  | 'equals'
  | 'equals-ignore-case'
  | 'like'
  | 'arn'
  | 'bool'
  | 'binary'
  | 'ip'
  | 'null'
  | { readonly compare: Comparison; readonly parse: (text: string) => number };

type Comparison = (a: number, b: number) => boolean;

interface ParsedOperator {
  readonly family: Family;
  readonly negated: boolean;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
}

const COMPARISONS: readonly (readonly [string, Comparison, boolean])[] = [
  ['equals', (a, b) => a === b, false],
  ['notequals', (a, b) => a === b, true],
  ['lessthan', (a, b) => a < b, false],
  ['lessthanequals', (a, b) => a <= b, false],
  ['greaterthan', (a, b) => a > b, false],
  ['greaterthanequals', (a, b) => a >= b, false],
];

const OPERATORS: ReadonlyMap<string, { readonly family: Family; readonly negated: boolean }> = new Map([
  ...([
    ['stringequals', 'equals', false],
    ['stringnotequals', 'equals', true],
    ['stringequalsignorecase', 'equals-ignore-case', false],
    ['stringnotequalsignorecase', 'equals-ignore-case', true],
    ['stringlike', 'like', false],
    ['stringnotlike', 'like', true],
    ['arnequals', 'arn', false],
    ['arnlike', 'arn', false],
    ['arnnotequals', 'arn', true],
    ['arnnotlike', 'arn', true],
    ['bool', 'bool', false],
    ['binaryequals', 'binary', false],
    ['ipaddress', 'ip', false],
    ['notipaddress', 'ip', true],
    ['null', 'null', false],
  ] as const satisfies readonly (readonly [string, Family, boolean])[]).map(
    ([name, family, negated]): [string, { family: Family; negated: boolean }] => [name, { family, negated }],
  ),
  ...COMPARISONS.flatMap(([suffix, compare, negated]): [string, { family: Family; negated: boolean }][] => [
    [`numeric${suffix}`, { family: { compare, parse: parseNumber }, negated }],
    [`date${suffix}`, { family: { compare, parse: parseDate }, negated }],
  ]),
]);

function parseOperator(written: string): ParsedOperator | undefined {
  let name = written.toLowerCase();
  let quantifier: Quantifier;
  if (name.startsWith('forallvalues:')) quantifier = 'all';
  else if (name.startsWith('foranyvalue:')) quantifier = 'any';
  if (quantifier) name = name.slice(name.indexOf(':') + 1);
  const ifExists = name.endsWith('ifexists');
  if (ifExists) name = name.slice(0, -'ifexists'.length);
  const found = OPERATORS.get(name);
  if (!found || (found.family === 'null' && (ifExists || quantifier))) return undefined;
  return { ...found, quantifier, ifExists };
}

type ValueTest = (value: string, context: Context) => boolean;

/** A test of one request value against one policy value. Constants are prepared once, values with variables at each request. */
function valueTest(family: Family, value: Template): ValueTest {
  if (family === 'arn') return arnTest(value);
  if (family === 'like') {
    const constant = value.constant ? fillGlob(value, undefined) : undefined;
    return (actual, context) => {
      const pattern = constant ?? fillGlob(value, context);
      return pattern !== undefined && matchGlob(pattern, actual);
    };
  }
  const compare = textTest(family);
  if (value.constant) {
    const test = compare(fillText(value, undefined)!);
    return (actual) => test(actual);
  }
  return (actual, context) => {
    const text = fillText(value, context);
    return text !== undefined && compare(text)(actual);
  };
}

function textTest(family: Exclude<Family, 'arn' | 'like'>): (wanted: string) => (actual: string) => boolean {
  switch (family) {
    case 'equals':
    case 'null':
      return (wanted) => (actual) => actual === wanted;
    case 'equals-ignore-case':
      return (wanted) => {
        const lower = wanted.toLowerCase();
        return (actual) => actual.toLowerCase() === lower;
      };
    case 'bool':
      return (wanted) => {
        // † What isn't "true" is false: CDK's CodeBuild action role asks for {Bool: {aws:ViaAWSService: "codepipeline.amazonaws.com"}}, and
        // pipelines assume it, directly and so with the key false.
        const truth = isTrue(wanted);
        return (actual) => isTrue(actual) === truth;
      };
    case 'binary':
      return (wanted) => {
        const bytes = Buffer.from(wanted, 'base64');
        return (actual) => Buffer.from(actual, 'base64').equals(bytes);
      };
    case 'ip':
      return (wanted) => {
        const range = parseRange(wanted);
        return (actual) => {
          const address = parseAddress(actual);
          return range !== undefined && address !== undefined && inRange(address, range);
        };
      };
    default:
      return (wanted) => {
        const bound = family.parse(wanted);
        return (actual) => family.compare(family.parse(actual), bound);
      };
  }
}

/** "Each of the six colon-delimited components of the ARN is checked separately and each can include multi-character match wildcards." */
function arnTest(value: Template): ValueTest {
  const segments = arnSegments(value.source).map((segment) => template(segment, value.variables));
  if (segments.length < 6) {
    const everything = value.source === '*';
    return () => everything;
  }
  const constants = segments.map((segment) => (segment.constant ? fillGlob(segment, undefined) : undefined));
  return (actual, context) => {
    const parts = arnSegments(actual);
    if (parts.length < 6) return false;
    return segments.every((segment, i) => {
      const pattern = constants[i] ?? fillGlob(segment, context);
      return pattern !== undefined && matchGlob(pattern, parts[i]!);
    });
  };
}

/** The six parts of an ARN; colons inside a variable don't separate. */
function arnSegments(text: string): string[] {
  const segments: string[] = [];
  let from = 0;
  let depth = 0;
  for (let i = 0; i < text.length && segments.length < 5; i++) {
    if (text[i] === '{' && text[i - 1] === '$') depth++;
    else if (text[i] === '}' && depth > 0) depth--;
    else if (text[i] === ':' && depth === 0) {
      segments.push(text.slice(from, i));
      from = i + 1;
    }
  }
  segments.push(text.slice(from));
  return segments;
}

function parseNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

const DATE = /^\d{4}-\d{2}(-\d{2}([Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?)?)?$/;

/** Milliseconds since the epoch, of a W3C date or of Unix seconds; NaN (which compares false) when it is neither. */
export function parseDate(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text) && !/^\d{4}$/.test(text)) return Number(text) * 1000;
  if (/^\d{4}$/.test(text)) return Date.UTC(Number(text), 0);
  if (!DATE.test(text)) return Number.NaN;
  return Date.parse(/[Tt]/.test(text) && !/([Zz]|[+-]\d{2}:?\d{2})$/.test(text) ? `${text}Z` : text);
}

function isTrue(text: string): boolean {
  return text.toLowerCase() === 'true';
}
