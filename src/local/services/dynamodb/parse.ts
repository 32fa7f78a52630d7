import type { AttributeValue } from '../../models/types/dynamodb.js';
import { RESERVED } from './reserved.js';
import { checked, invalid } from './values.js';

/** Steps into an item: names and positions of lists. */
export type Path = readonly (string | number)[];

export type Operand =
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'value'; readonly name: string; readonly value: AttributeValue }
  | { readonly kind: 'size'; readonly path: Path }
  | { readonly kind: 'if_not_exists'; readonly path: Path; readonly otherwise: Operand }
  | { readonly kind: 'list_append'; readonly first: Operand; readonly second: Operand }
  | { readonly kind: 'sum'; readonly sign: 1 | -1; readonly left: Operand; readonly right: Operand };

export type Condition =
  | { readonly kind: 'compare'; readonly operator: string; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'between'; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: 'in'; readonly operand: Operand; readonly list: readonly Operand[] }
  | { readonly kind: 'function'; readonly name: string; readonly arguments: readonly Operand[] }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly condition: Condition };

export interface Update {
  readonly set: readonly { readonly path: Path; readonly value: Operand }[];
  readonly remove: readonly Path[];
  readonly add: readonly { readonly path: Path; readonly value: AttributeValue }[];
  readonly delete: readonly { readonly path: Path; readonly value: AttributeValue }[];
}

/** Names and values that expressions stand for; each must be used by one of them (developer guide, "Expressions"). */
export class Substitutions {
  private readonly used = new Set<string>();
  private readonly values: Readonly<Record<string, AttributeValue>>;

  constructor(
    private readonly names: Readonly<Record<string, string>> = {},
    values: Readonly<Record<string, AttributeValue>> = {},
  ) {
    this.values = Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        if (!/^:[\w.-]+$/.test(name)) throw invalid(`ExpressionAttributeValues contains invalid key: Syntax error; key: "${name}"`);
        try {
          return [name, checked(value)];
        } catch (error) {
          throw invalid(`ExpressionAttributeValues contains invalid value: ${error instanceof Error ? error.message : ''} for key ${name}`);
        }
      }),
    );
    for (const name of Object.keys(this.names)) if (!/^#[\w.-]+$/.test(name)) throw invalid(`ExpressionAttributeNames contains invalid key: Syntax error; key: "${name}"`);
  }

  name(token: string, where: string): string {
    const found = this.names[token];
    if (found === undefined) throw invalid(`Invalid ${where}: An expression attribute name used in the document path is not defined; attribute name: ${token}`);
    this.used.add(token);
    return found;
  }

  value(token: string, where: string): AttributeValue {
    const found = this.values[token];
    if (found === undefined) throw invalid(`Invalid ${where}: An expression attribute value used in expression is not defined; attribute value: ${token}`);
    this.used.add(token);
    return found;
  }

  /** Raises when something was given that no expression used. */
  finish(any: boolean): void {
    for (const [kind, all] of [['ExpressionAttributeNames', this.names], ['ExpressionAttributeValues', this.values]] as const) {
      const keys = Object.keys(all);
      if (keys.length > 0 && !any) throw invalid(`${kind} can only be specified when using expressions`);
      const unused = keys.filter((key) => !this.used.has(key));
      if (unused.length > 0) throw invalid(`Value provided in ${kind} unused in expressions: keys: {${unused.join(', ')}}`);
    }
  }
}

interface Token {
  readonly kind: 'name' | 'alias' | 'value' | 'number' | 'mark' | 'end';
  readonly text: string;
}

const TOKEN = /\s*(?:(#[\w.-]*\w)|(:[\w.-]*\w)|([A-Za-z_]\w*)|(\d+)|(<>|<=|>=|[=<>()[\],.+-]))/y;

class Reader {
  private readonly tokens: Token[] = [];
  private at = 0;

  constructor(
    text: string,
    readonly where: string,
    readonly substitutions: Substitutions,
  ) {
    if (text.trim() === '') throw invalid(`Invalid ${where}: The expression can not be empty;`);
    if (Buffer.byteLength(text) > 4096) throw invalid(`Invalid ${where}: Expression size has exceeded the maximum allowed size; expression size: ${Buffer.byteLength(text)}`);
    const scan = new RegExp(TOKEN.source, 'y');
    while (scan.lastIndex < text.trimEnd().length) {
      const start = scan.lastIndex;
      const found = scan.exec(text);
      if (!found) {
        const rest = text.slice(start).trimStart();
        throw invalid(`Invalid ${where}: Syntax error; token: "${rest[0] ?? '<EOF>'}", near: "${rest.slice(0, 10)}"`);
      }
      const [, alias, value, name, number, mark] = found;
      this.tokens.push(alias ? { kind: 'alias', text: alias } : value ? { kind: 'value', text: value } : name ? { kind: 'name', text: name } : number ? { kind: 'number', text: number } : { kind: 'mark', text: mark! });
    }
  }

  get next(): Token {
    return this.tokens[this.at] ?? { kind: 'end', text: '<EOF>' };
  }

  peek(offset: number): Token {
    return this.tokens[this.at + offset] ?? { kind: 'end', text: '<EOF>' };
  }

  take(): Token {
    const token = this.next;
    this.at++;
    return token;
  }

  /** Keywords know no case. */
  isWord(word: string): boolean {
    return this.next.kind === 'name' && this.next.text.toUpperCase() === word;
  }

  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at++;
    return true;
  }

  isMark(mark: string): boolean {
    return this.next.kind === 'mark' && this.next.text === mark;
  }

  takeMark(mark: string): boolean {
    if (!this.isMark(mark)) return false;
    this.at++;
    return true;
  }

  expect(mark: string): void {
    if (!this.takeMark(mark)) this.fail();
  }

  fail(): never {
    const near = [this.peek(-1), this.next, this.peek(1)].filter(({ kind }) => kind !== 'end').map(({ text }) => text).join(' ');
    throw invalid(`Invalid ${this.where}: Syntax error; token: "${this.next.text}", near: "${near}"`);
  }

  path(): Path {
    const steps: (string | number)[] = [this.step()];
    for (;;) {
      if (this.takeMark('.')) steps.push(this.step());
      else if (this.takeMark('[')) {
        if (this.next.kind !== 'number') this.fail();
        steps.push(Number(this.take().text));
        this.expect(']');
      } else return steps;
    }
  }

  private step(): string {
    const token = this.next;
    if (token.kind === 'alias') return this.substitutions.name(this.take().text, this.where);
    if (token.kind !== 'name') this.fail();
    if (RESERVED.has(token.text.toUpperCase())) throw invalid(`Invalid ${this.where}: Attribute name is a reserved keyword; reserved keyword: ${token.text}`);
    return this.take().text;
  }

  value(): { kind: 'value'; name: string; value: AttributeValue } {
    if (this.next.kind !== 'value') this.fail();
    const name = this.take().text;
    return { kind: 'value', name, value: this.substitutions.value(name, this.where) };
  }

  end(): void {
    if (this.next.kind !== 'end') this.fail();
  }
}

const FUNCTIONS: Readonly<Record<string, number>> = { attribute_exists: 1, attribute_not_exists: 1, attribute_type: 2, begins_with: 2, contains: 2 };

/** `where` is the parameter's name, as errors give it: ConditionExpression, FilterExpression, KeyConditionExpression. */
export function parseCondition(text: string, where: string, substitutions: Substitutions): Condition {
  const reader = new Reader(text, where, substitutions);
  const condition = or(reader);
  reader.end();
  return condition;
}

function or(reader: Reader): Condition {
  let left = and(reader);
  while (reader.takeWord('OR')) left = { kind: 'or', left, right: and(reader) };
  return left;
}

function and(reader: Reader): Condition {
  let left = not(reader);
  while (reader.takeWord('AND')) left = { kind: 'and', left, right: not(reader) };
  return left;
}

function not(reader: Reader): Condition {
  return reader.takeWord('NOT') ? { kind: 'not', condition: not(reader) } : unit(reader);
}

function unit(reader: Reader): Condition {
  if (reader.takeMark('(')) {
    const inner = or(reader);
    reader.expect(')');
    return inner;
  }
  const { next } = reader;
  if (next.kind === 'name' && reader.peek(1).text === '(' && next.text !== 'size') return call(reader);
  const left = conditionOperand(reader);
  if (reader.takeWord('BETWEEN')) {
    const low = conditionOperand(reader);
    if (!reader.takeWord('AND')) reader.fail();
    return { kind: 'between', operand: left, low, high: conditionOperand(reader) };
  }
  if (reader.takeWord('IN')) {
    reader.expect('(');
    const list = [conditionOperand(reader)];
    while (reader.takeMark(',')) list.push(conditionOperand(reader));
    reader.expect(')');
    return { kind: 'in', operand: left, list };
  }
  if (!['=', '<>', '<', '<=', '>', '>='].includes(reader.next.text) || reader.next.kind !== 'mark') reader.fail();
  const operator = reader.take().text;
  return { kind: 'compare', operator, left, right: conditionOperand(reader) };
}

function call(reader: Reader): Condition {
  const name = reader.take().text;
  const count = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : undefined;
  if (count === undefined) throw invalid(`Invalid ${reader.where}: Invalid function name; function: ${name}`);
  reader.expect('(');
  const list = [conditionOperand(reader)];
  while (reader.takeMark(',')) list.push(conditionOperand(reader));
  reader.expect(')');
  if (list.length !== count) throw invalid(`Invalid ${reader.where}: Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${list.length}`);
  if (count === 1 && list[0]!.kind !== 'path') throw invalid(`Invalid ${reader.where}: Operator or function requires a document path; operator or function: ${name}`);
  return { kind: 'function', name, arguments: list };
}

function conditionOperand(reader: Reader): Operand {
  if (reader.next.kind === 'value') return reader.value();
  if (reader.next.text === 'size' && reader.peek(1).text === '(') {
    reader.take();
    reader.expect('(');
    const path = reader.path();
    reader.expect(')');
    return { kind: 'size', path };
  }
  return { kind: 'path', path: reader.path() };
}

export function parseProjection(text: string, substitutions: Substitutions): Path[] {
  const reader = new Reader(text, 'ProjectionExpression', substitutions);
  const paths = [reader.path()];
  while (reader.takeMark(',')) paths.push(reader.path());
  reader.end();
  refuseOverlap(paths, 'ProjectionExpression');
  return paths;
}

export function parseUpdate(text: string, substitutions: Substitutions): Update {
  const reader = new Reader(text, 'UpdateExpression', substitutions);
  const update = { set: [] as { path: Path; value: Operand }[], remove: [] as Path[], add: [] as { path: Path; value: AttributeValue }[], delete: [] as { path: Path; value: AttributeValue }[] };
  const seen = new Set<string>();
  while (reader.next.kind !== 'end') {
    const word = reader.next.kind === 'name' ? reader.next.text.toUpperCase() : '';
    if (!['SET', 'REMOVE', 'ADD', 'DELETE'].includes(word)) reader.fail();
    if (seen.has(word)) throw invalid(`Invalid UpdateExpression: The "${word}" section can only be used once in an update expression;`);
    seen.add(word);
    reader.take();
    do {
      const path = reader.path();
      if (word === 'SET') {
        reader.expect('=');
        update.set.push({ path, value: updateValue(reader) });
      } else if (word === 'REMOVE') update.remove.push(path);
      else update[word === 'ADD' ? 'add' : 'delete'].push({ path, value: reader.value().value });
    } while (reader.takeMark(','));
  }
  refuseOverlap([...update.set.map(({ path }) => path), ...update.remove, ...update.add.map(({ path }) => path), ...update.delete.map(({ path }) => path)], 'UpdateExpression');
  return update;
}

function updateValue(reader: Reader): Operand {
  const left = updateOperand(reader);
  const sign = reader.takeMark('+') ? 1 : reader.takeMark('-') ? -1 : undefined;
  return sign === undefined ? left : { kind: 'sum', sign, left, right: updateOperand(reader) };
}

function updateOperand(reader: Reader): Operand {
  if (reader.takeMark('(')) {
    const inner = updateValue(reader);
    reader.expect(')');
    return inner;
  }
  if (reader.next.kind === 'value') return reader.value();
  const called = reader.next.kind === 'name' && reader.peek(1).text === '(' ? reader.take().text : undefined;
  if (called === undefined) return { kind: 'path', path: reader.path() };
  reader.expect('(');
  if (called === 'if_not_exists') {
    const path = reader.path();
    reader.expect(',');
    const otherwise = updateValue(reader);
    reader.expect(')');
    return { kind: 'if_not_exists', path, otherwise };
  }
  if (called !== 'list_append') throw invalid(`Invalid UpdateExpression: Invalid function name; function: ${called}`);
  const first = updateValue(reader);
  reader.expect(',');
  const second = updateValue(reader);
  reader.expect(')');
  return { kind: 'list_append', first, second };
}

function refuseOverlap(paths: readonly Path[], where: string): void {
  const shown = (path: Path): string => `[${path.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join(', ')}]`;
  for (let i = 0; i < paths.length; i++)
    for (let j = i + 1; j < paths.length; j++) {
      const [short, long] = paths[i]!.length <= paths[j]!.length ? [paths[i]!, paths[j]!] : [paths[j]!, paths[i]!];
      if (short.every((step, k) => step === long[k])) throw invalid(`Invalid ${where}: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: ${shown(paths[i]!)}, path two: ${shown(paths[j]!)}`);
    }
}
