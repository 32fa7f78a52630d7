import type { Vector } from './vector.js';
import { at } from './values.js';

/** One thing that is not as recorded. */
export interface Difference {
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Lists whose order AWS doesn't promise (README: "Order"). */
const SETS = new Set(['Parameters', 'Outputs', 'Tags', 'Capabilities', 'Details', 'Scope', 'NotificationARNs', 'StackResources', 'StackResourceSummaries', 'Changes', 'ResourceIdentifierSummaries', 'ResourceTypes', 'Groups', 'IpPermissions', 'IpPermissionsEgress', 'Routes', 'Associations']);

/** Fields that AWS began to answer later than some recordings: by the day since which they are there. */
const LATER: readonly { readonly since: string; readonly path: RegExp }[] = [
  { since: '2024-11-14', path: /(^|\.)WarmThroughput$/ },
  { since: '2025-11-15', path: /(^|\.)LastOperations$/ },
  { since: '2025-11-15', path: /(^|\.)OperationId$/ },
  { since: '2025-06-10', path: /(^|\.)(Source|Destination)?(Key|CurrentKey)MaterialId$/ },
];

const TIME_WORDS = new Set(['datetime', 'timestamp', 'date', '<datetime>']);

/**
 * Compares answers with what was recorded. One comparison serves a whole vector: numbered placeholders and free values keep their
 * meaning throughout, in both directions.
 */
export class Comparison {
  private forward = new Map<string, string>();
  private backward = new Map<string, string>();
  private readonly unordered: ReadonlySet<string>;
  private tokens: RegExp | undefined;
  private substitutions: { readonly from: RegExp | string; readonly to: string }[] = [];

  /** `endpoint`: where queue URLs lead here; AWS's lead to its own host. */
  constructor(private readonly vector: Vector, private readonly endpoint?: string) {
    this.unordered = new Set([...SETS, ...(vector.unorderedKeys ?? [])]);
    this.setSubstitutions(() => undefined);
  }

  /** What stands for something else in recorded texts: placeholders that no substitution writes into the answers, and free values. */
  private tokensFor(written: ReadonlySet<string>): RegExp | undefined {
    const placeholders = (this.vector.placeholders ?? []).filter((name) => name !== '<region>' && name !== '<partition>' && !written.has(name));
    const alternatives = [...placeholders, ...(this.vector.freeValues ?? [])].sort((a, b) => b.length - a.length).map(escape);
    return alternatives.length > 0 ? new RegExp(`(${alternatives.join('|')})`) : undefined;
  }

  /** Values of substitutions come from answers: to be told whenever new ones are there. */
  setSubstitutions(valueOf: (value: unknown) => unknown): void {
    this.substitutions = (this.vector.substitutions ?? []).flatMap((substitution) => {
      const { recordedAs: to } = substitution;
      if (substitution.literal !== undefined) return [{ from: literalPattern(substitution.literal), to }];
      if (substitution.regex !== undefined) return [{ from: pythonRegExp(substitution.regex), to }];
      const value = valueOf(substitution.value);
      return typeof value === 'string' && value !== '' ? [{ from: value, to }] : [];
    });
    this.tokens = this.tokensFor(new Set(this.substitutions.map(({ to }) => to)));
  }

  compare(expected: unknown, actual: unknown, path: string, options: { unordered?: readonly string[]; notRecorded?: readonly string[] } = {}): Difference[] {
    const without = (options.notRecorded ?? []).reduce((value, place) => omit(value, place), plain(actual));
    const found: Difference[] = [];
    this.walk(expected, this.normalize(without), path, new Set((options.unordered ?? []).map((place) => (place === '.' ? path : `${path}.${place}`))), found);
    return found;
  }

  /** The actual value with the texts in it replaced as they were when the recording was made. */
  normalize(value: unknown): unknown {
    if (typeof value === 'string') return this.normalizeText(value);
    if (Array.isArray(value)) return value.map((item) => this.normalize(item));
    if (typeof value === 'object' && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array))
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [this.normalizeText(key), typeof member === 'string' ? this.normalizeMember(key, member) : this.normalize(member)]));
    return value;
  }

  /** Regular expressions were applied to the JSON text, where a value stands behind its name. */
  private normalizeMember(key: string, value: string): string {
    const text = this.normalizeText(`"${key}": "${value}"`);
    const start = `"${this.normalizeText(key)}": "`;
    return text.startsWith(start) && text.endsWith('"') ? text.slice(start.length, -1) : this.normalizeText(value);
  }

  private normalizeText(text: string): string {
    let result = this.endpoint === undefined ? text : text.replaceAll(`${this.endpoint}/`, 'https://sqs.us-east-1.amazonaws.com/');
    for (const { from, to } of this.substitutions) result = typeof from === 'string' ? result.replaceAll(from, to) : result.replace(from, () => to);
    return result.replaceAll('us-east-1', '<region>').replace(/\barn:aws:/g, 'arn:<partition>:');
  }

  private walk(expected: unknown, given: unknown, path: string, sets: ReadonlySet<string>, found: Difference[]): void {
    // Blobs were recorded as bytes where they aren't text (`$bytes`), and otherwise read.
    const actual = given instanceof Uint8Array && !isBytes(expected) ? this.normalize(Buffer.from(given).toString('utf8')) : given;
    if (this.isMasked(expected, path)) return void (actual === undefined ? found.push({ path, expected, actual }) : undefined);
    if (typeof expected === 'string') {
      if (!this.sameText(expected, actual)) found.push({ path, expected, actual });
      return;
    }
    if (Array.isArray(expected)) return this.walkList(expected, typeof actual === 'string' ? this.normalize(parsed(actual)) : actual, path, sets, found);
    if (typeof expected === 'object' && expected !== null) return this.walkObject(expected as Record<string, unknown>, typeof actual === 'string' ? this.normalize(parsed(actual)) : actual, path, sets, found);
    if (typeof expected === 'number' ? Number(actual) !== expected || typeof actual === 'boolean' : actual !== expected) found.push({ path, expected, actual });
  }

  private walkObject(expected: Record<string, unknown>, actual: unknown, path: string, sets: ReadonlySet<string>, found: Difference[]): void {
    if (typeof expected['$bytes'] === 'string') {
      const bytes = actual instanceof Uint8Array ? Buffer.from(actual).toString('base64') : actual;
      if (bytes !== expected['$bytes']) found.push({ path, expected, actual });
      return;
    }
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return void found.push({ path, expected, actual });
    const given = actual as Record<string, unknown>;
    const keys = this.keysOf(expected, given);
    for (const [key, value] of Object.entries(expected)) {
      const own = keys.get(key);
      if (own === undefined) found.push({ path: `${path}.${key}`, expected: value, actual: undefined });
      else this.walk(value, given[own], `${path}.${key}`, sets, found);
    }
    const matched = new Set(keys.values());
    for (const key of Object.keys(given)) {
      if (matched.has(key) || given[key] === undefined || this.isLater(`${path}.${key}`)) continue;
      found.push({ path: `${path}.${key}`, expected: undefined, actual: given[key] });
    }
  }

  /** Names of members may be placeholders too (`SnsTopic<topic-name-0>`, tags by free values). */
  private keysOf(expected: Record<string, unknown>, actual: Record<string, unknown>): Map<string, string> {
    const keys = new Map<string, string>();
    const left = new Set(Object.keys(actual));
    for (const key of Object.keys(expected)) if (left.delete(key)) keys.set(key, key);
    for (const key of Object.keys(expected)) {
      if (keys.has(key) || !this.tokens?.test(key)) continue;
      for (const candidate of left) {
        const saved = this.save();
        if (this.sameText(key, candidate)) {
          keys.set(key, candidate);
          left.delete(candidate);
          break;
        }
        this.restore(saved);
      }
    }
    return keys;
  }

  private walkList(expected: readonly unknown[], actual: unknown, path: string, sets: ReadonlySet<string>, found: Difference[]): void {
    if (!Array.isArray(actual)) return void found.push({ path, expected, actual });
    const name = path.split('.').at(-1)!;
    if (sets.has(path) || this.unordered.has(name)) return this.walkSet(expected, actual, path, sets, found);
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      if (i >= expected.length) found.push({ path: `${path}.${i}`, expected: undefined, actual: actual[i] });
      else if (i >= actual.length) found.push({ path: `${path}.${i}`, expected: expected[i], actual: undefined });
      else this.walk(expected[i], actual[i], `${path}.${i}`, sets, found);
    }
  }

  private walkSet(expected: readonly unknown[], actual: readonly unknown[], path: string, sets: ReadonlySet<string>, found: Difference[]): void {
    if (expected.length === actual.length && this.match(expected, actual, path, sets, 0, new Set())) return;
    // No assignment fits: show the differences of the closest pairs.
    const left = new Set(actual.keys());
    expected.forEach((item, i) => {
      let best: { at: number; differences: Difference[] } | undefined;
      for (const j of left) {
        const saved = this.save();
        const differences: Difference[] = [];
        this.walk(item, actual[j], `${path}.${i}`, sets, differences);
        this.restore(saved);
        if (!best || differences.length < best.differences.length) best = { at: j, differences };
      }
      if (!best) return void found.push({ path: `${path}.${i}`, expected: item, actual: undefined });
      left.delete(best.at);
      this.walk(item, actual[best.at], `${path}.${i}`, sets, found);
    });
    for (const j of left) found.push({ path: `${path}.${j}`, expected: undefined, actual: actual[j] });
  }

  private match(expected: readonly unknown[], actual: readonly unknown[], path: string, sets: ReadonlySet<string>, i: number, used: Set<number>): boolean {
    if (i === expected.length) return true;
    for (let j = 0; j < actual.length; j++) {
      if (used.has(j)) continue;
      const saved = this.save();
      const differences: Difference[] = [];
      this.walk(expected[i], actual[j], `${path}.${i}`, sets, differences);
      if (differences.length === 0) {
        used.add(j);
        if (this.match(expected, actual, path, sets, i + 1, used)) return true;
        used.delete(j);
      }
      this.restore(saved);
    }
    return false;
  }

  private sameText(expected: string, given: unknown): boolean {
    if (TIME_WORDS.has(expected) || /^<timestamp:.*>$/.test(expected)) return isTime(given);
    const actual = typeof given === 'number' || typeof given === 'boolean' ? String(given) : given;
    if (actual === expected && !this.tokens?.test(expected)) return true;
    if (typeof actual !== 'string') return false;
    const parts = this.tokens ? expected.split(new RegExp(this.tokens.source)) : [expected];
    const names: string[] = [];
    let pattern = '^';
    for (const part of parts) {
      if (part === '') continue;
      if (this.tokens && new RegExp(`^${this.tokens.source}$`).test(part)) {
        const number = names.indexOf(part);
        if (number >= 0 && isIdentity(part, this.vector)) pattern += `\\${number + 1}`;
        else {
          names.push(part);
          pattern += '([^]*?)';
        }
      } else pattern += escape(part).replace(/\bdate\b/g, '(?:date|[0-9TZ:.+-]{10,40})');
    }
    const match = new RegExp(`${pattern}$`).exec(actual);
    if (!match) return false;
    return names.every((name, i) => !isIdentity(name, this.vector) || this.bind(name, match[i + 1]!));
  }

  /** Equal placeholders are equal values, different ones are different. */
  private bind(name: string, value: string): boolean {
    const known = this.forward.get(name);
    if (known !== undefined) return known === value;
    const other = this.backward.get(value);
    if (other !== undefined && other !== name) return false;
    this.forward.set(name, value);
    this.backward.set(value, name);
    return true;
  }

  private save(): [Map<string, string>, Map<string, string>] {
    return [new Map(this.forward), new Map(this.backward)];
  }

  private restore([forward, backward]: [Map<string, string>, Map<string, string>]): void {
    this.forward = forward;
    this.backward = backward;
  }

  private isMasked(expected: unknown, path: string): boolean {
    const key = path.split('.').at(-1);
    return (this.vector.masks ?? []).some((mask) => {
      if (mask.recordedAs !== expected) return false;
      if (mask.key !== undefined) return mask.key === key;
      return mask.jsonpath === undefined || mask.jsonpath.endsWith(key ?? '') || mask.jsonpath.includes(`.${key ?? ''}`);
    });
  }

  private isLater(path: string): boolean {
    return LATER.some(({ since, path: pattern }) => this.vector.source.recorded < since && pattern.test(path));
  }
}

function isIdentity(name: string, vector: Vector): boolean {
  return /:\d+>$/.test(name) || (vector.freeValues ?? []).includes(name);
}

function isTime(value: unknown): boolean {
  if (value instanceof Date) return true;
  if (typeof value === 'number') return value > 1e8;
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T|^\d{9,}(\.\d+)?$|GMT$/.test(value);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/** `literal` may hold a pattern that the recording's own tool took for one (`secret-06753ec3-\\w+`). */
function literalPattern(literal: string): string | RegExp {
  return /\\[wdS]/.test(literal) ? new RegExp(literal, 'g') : literal;
}

/** Text that holds JSON, perhaps percent-encoded (IAM's policy documents, which boto3 decodes). */
function parsed(text: string): unknown {
  for (const candidate of [text, text.startsWith('%') ? decodeURIComponent(text) : undefined]) {
    if (candidate === undefined) continue;
    try {
      return JSON.parse(candidate);
    } catch {
      // not JSON in this form
    }
  }
  return text;
}

/** Plain data of an SDK answer: undefined members and streams' helper members gone. */
function plain(value: unknown): unknown {
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Set) return [...value].map(plain);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && typeof member !== 'function').map(([key, member]) => [key, plain(member)]));
  return value;
}

function omit(value: unknown, path: string): unknown {
  const parts = path.split('.');
  const last = parts.pop()!;
  const holder = at(value, parts.join('.'));
  if (typeof holder === 'object' && holder !== null) delete (holder as Record<string, unknown>)[last];
  return value;
}

/** A pattern in Python's syntax: named groups and leading flags are spelled otherwise there. */
function pythonRegExp(pattern: string): RegExp {
  const flags = /^\(\?([is]+)\)/.exec(pattern);
  return new RegExp(pattern.slice(flags?.[0].length ?? 0).replaceAll('(?P<', '(?<'), `g${flags?.[1] ?? ''}`);
}

function isBytes(expected: unknown): boolean {
  return typeof expected === 'object' && expected !== null && '$bytes' in expected;
}
