import { invalid } from './store.js';

/** Whether a log event's text matches. */
export type Match = (message: string) => boolean;

/**
 * Reads a filter pattern (CloudWatch Logs user guide, "Filter pattern syntax"): terms, `{ $.json = … }` or `[space, delimited = …]`. The
 * empty pattern matches everything. Raises InvalidParameterException for what is none of these.
 */
export function compileFilter(pattern: string): Match {
  return compilePattern(pattern).matches;
}

export interface Compiled {
  readonly matches: Match;
  /** What the pattern picks out of a text: `$.field` or `$name`; of JSON, other fields too when they are asked for. */
  extract(message: string, more?: readonly string[]): Record<string, string>;
}

export function compilePattern(pattern: string): Compiled {
  const text = pattern.trim();
  if (text.startsWith('{')) return jsonPattern(text);
  if (text.startsWith('[')) return delimitedPattern(text);
  return { matches: termPattern(text), extract: () => ({}) };
}

function wrong(): never {
  throw invalid('Invalid filter pattern');
}

/** A word, a "phrase", a %regular expression%; `-` before it excludes, `?` makes it one of several. */
function termPattern(text: string): Match {
  const all: Match[] = [];
  const any: Match[] = [];
  const token = /([?-]?)(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)+)%|([^\s"]+))(\s+|$)/y;
  while (token.lastIndex < text.length) {
    const found = token.exec(text);
    if (!found) wrong();
    const [, sign, phrase, expression, word] = found;
    const test = expression === undefined ? contains(phrase?.replace(/\\(.)/g, '$1') ?? word!) : search(expression);
    if (sign === '?') any.push(test);
    else if (sign === '-') all.push((message) => !test(message));
    else all.push(test);
  }
  // Beside other terms, optional ones decide nothing (user guide: "?ERROR ARGUMENTS" is read as "ARGUMENTS").
  if (all.length > 0 || any.length === 0) return (message) => all.every((test) => test(message));
  return (message) => any.some((test) => test(message));
}

const contains = (text: string): Match => (message) => message.includes(text);

/** Regular expressions know no groups in filter patterns, so none can backtrack exponentially. */
function search(expression: string): Match {
  if (/(?<!\\)(?:\\\\)*[()]/.test(expression)) wrong();
  try {
    const compiled = new RegExp(expression);
    return (message) => compiled.test(message);
  } catch {
    return wrong();
  }
}

type Test = (field: (name: string) => unknown) => boolean;

/** `{ ($.a = "x*" || $.b > 5) && $.c IS NULL }`. */
function jsonPattern(text: string): Compiled {
  if (!text.endsWith('}')) wrong();
  const names = new Set<string>();
  const test = new ExpressionReader(text.slice(1, -1), (name) => names.add(name)).read();
  const parse = (message: string): ((name: string) => unknown) | undefined => {
    const start = message.trimStart();
    if (!start.startsWith('{') && !start.startsWith('[')) return undefined;
    try {
      const value = JSON.parse(message) as unknown;
      return (name) => select(value, name);
    } catch {
      return undefined;
    }
  };
  return {
    matches: (message) => {
      const field = parse(message);
      return field !== undefined && test(field);
    },
    extract: (message, more = []) => {
      const field = parse(message);
      const found: Record<string, string> = {};
      for (const name of [...names, ...more]) {
        const value = field?.(name);
        if (value !== undefined) found[name] = typeof value === 'string' ? value : JSON.stringify(value);
      }
      return found;
    },
  };
}

/** What `$.a.b[0]` and `$.a[*].b` select: the value, or all of them as a list. */
export function select(value: unknown, path: string): unknown {
  let found: unknown[] = [value];
  let several = false;
  for (const [, name, quoted, index] of path.slice(1).matchAll(/\.([\w@-]+)|\['([^']+)'\]|\[(\d+|\*)\]/g)) {
    const key = name ?? quoted;
    if (key !== undefined) found = found.filter((item) => isObject(item) && Object.hasOwn(item, key)).map((item) => (item as Record<string, unknown>)[key]);
    else if (index === '*') {
      several = true;
      found = found.flatMap((item) => (Array.isArray(item) ? (item as unknown[]) : []));
    } else found = found.filter((item) => Array.isArray(item) && Number(index) < item.length).map((item) => (item as unknown[])[Number(index)]);
  }
  return several ? (found.length > 0 ? found : undefined) : found[0];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Conditions joined by `&&` and `||`, with parentheses; and binds stronger. */
class ExpressionReader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly seen: (name: string) => void,
    private readonly fieldPattern = /(\$(?:\.[\w@-]+|\['[^']+'\]|\[(?:\d+|\*)\])+)\s*/y,
  ) {}

  read(): Test {
    const test = this.or();
    this.space();
    if (this.at < this.text.length) wrong();
    return test;
  }

  private or(): Test {
    const tests = [this.and()];
    while (this.take('||')) tests.push(this.and());
    return tests.length === 1 ? tests[0]! : (field) => tests.some((test) => test(field));
  }

  private and(): Test {
    const tests = [this.unit()];
    while (this.take('&&')) tests.push(this.unit());
    return tests.length === 1 ? tests[0]! : (field) => tests.every((test) => test(field));
  }

  private unit(): Test {
    if (this.take('(')) {
      const test = this.or();
      if (!this.take(')')) wrong();
      return test;
    }
    return this.condition();
  }

  private condition(): Test {
    const name = this.match(this.fieldPattern)?.[1] ?? wrong();
    this.seen(name);
    const word = this.match(/(IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS|EXISTS)/iy)?.[1]?.toUpperCase().replace(/\s+/g, ' ');
    if (word !== undefined) return (field) => STATES[word]!(field(name));
    const operator = this.match(/(!=|<=|>=|=|<|>)\s*/y)?.[1] ?? wrong();
    const operand = this.match(/(?:"((?:[^"\\]|\\.)*)"|%((?:[^%\\]|\\.)+)%|([^\s&|()",]+))/y) ?? wrong();
    const [, quoted, expression, bare] = operand;
    const test = comparison(operator, quoted?.replace(/\\(.)/g, '$1'), expression, bare);
    return (field) => {
      const value = field(name);
      return Array.isArray(value) ? value.some(test) : test(value);
    };
  }

  private take(mark: string): boolean {
    this.space();
    if (!this.text.startsWith(mark, this.at)) return false;
    this.at += mark.length;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    this.space();
    const sticky = new RegExp(pattern.source, pattern.flags);
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text);
    if (!found) return undefined;
    this.at = sticky.lastIndex;
    return found;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }
}

const STATES: Readonly<Record<string, (value: unknown) => boolean>> = {
  'IS NULL': (value) => value === null,
  'IS TRUE': (value) => value === true,
  'IS FALSE': (value) => value === false,
  'NOT EXISTS': (value) => value === undefined,
  EXISTS: (value) => value !== undefined,
};

function comparison(operator: string, quoted: string | undefined, expression: string | undefined, bare: string | undefined): (value: unknown) => boolean {
  if (expression !== undefined) {
    if (operator !== '=' && operator !== '!=') wrong();
    const matches = search(expression);
    return (value) => (typeof value === 'string' || typeof value === 'number') && matches(String(value)) === (operator === '=');
  }
  const number = bare !== undefined && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) ? Number(bare) : undefined;
  if (number !== undefined) return (value) => isNumber(value) && COMPARE[operator]!(Number(value), number);
  if (operator !== '=' && operator !== '!=') wrong();
  const matches = wildcard(quoted ?? bare!);
  return (value) => (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') && matches(String(value)) === (operator === '=');
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)));
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** `*` stands for any text. */
function wildcard(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return (text) => text === pattern;
  const first = parts[0]!;
  const last = parts.at(-1)!;
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > text.length - last.length) return false;
      at = found + part.length;
    }
    return true;
  };
}

/** `[ip, user, ..., status = 4*, bytes > 1000]`. */
function delimitedPattern(text: string): Compiled {
  if (!text.endsWith(']')) wrong();
  const fields = splitFields(text.slice(1, -1)).map((field) => field.trim());
  const gap = fields.indexOf('...');
  if (fields.lastIndexOf('...') !== gap) wrong();
  const columns = fields.filter((field) => field !== '...').map(column);
  const head = gap < 0 ? columns.length : gap;
  const pick = (message: string): (string | undefined)[] | undefined => {
    const values = splitValues(message);
    if (gap < 0 ? values.length !== columns.length : values.length < columns.length) return undefined;
    return columns.map((_, i) => values[i < head ? i : values.length - (columns.length - i)]);
  };
  return {
    matches: (message) => {
      const values = pick(message);
      return values !== undefined && columns.every(({ test }, i) => test(() => values[i]));
    },
    extract: (message) => Object.fromEntries((pick(message) ?? []).map((value, i) => [`$${columns[i]!.name || i + 1}`, value ?? ''])),
  };
}

function splitFields(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)*%|[^,"%])+/g) ?? [];
}

function column(field: string): { name: string; test: Test } {
  const name = /^[\w$-]+/.exec(field)?.[0] ?? '';
  const rest = field.slice(name.length).trim();
  if (name === '') {
    if (field === '') return { name, test: () => true };
    wrong();
  }
  if (rest === '') return { name, test: () => true };
  return { name, test: new ExpressionReader(field, () => undefined, /([\w$-]+)\s*/y).read() };
}

/** Words; text in square brackets or double quotes is one. */
function splitValues(message: string): string[] {
  return [...message.trim().matchAll(/\[([^\]]*)\]|"([^"]*)"|(\S+)/g)].map(([, bracketed, quoted, word]) => bracketed ?? quoted ?? word!);
}
