import { invalidValue, unsupported } from './store.js';

/** Values by the milliseconds at which their period starts. */
export type Series = ReadonlyMap<number, number>;

type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression };

const FUNCTIONS: ReadonlySet<string> = new Set(['ABS', 'AVG', 'CEIL', 'DIFF', 'FILL', 'FIRST', 'FLOOR', 'IF', 'LAST', 'LOG', 'LOG10', 'MAX', 'METRICS', 'METRIC_COUNT', 'MIN', 'PERIOD', 'RATE', 'RUNNING_SUM', 'STDDEV', 'SUM', 'TIME_SERIES']);
const REFUSED: ReadonlySet<string> = new Set(['ANOMALY_DETECTION_BAND', 'DATAPOINT_COUNT', 'DAY', 'DATE', 'DB_PERF_INSIGHTS', 'DIFF_TIME', 'EPOCH', 'HOUR', 'INSIGHT_RULE_METRIC', 'LAMBDA', 'MINUTE', 'MONTH', 'REMOVE_EMPTY', 'SEARCH', 'SERVICE_QUOTA', 'SLICE', 'SORT', 'YEAR', 'SELECT']);

/** Metric math (user guide, "Using metric math"). Raises for a syntax error, and by name for functions the local cloud doesn't have. */
export function parseExpression(text: string): Expression {
  const tokens = [...text.matchAll(/\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|("[^"]*"|'[^']*')|(==|!=|<=|>=|&&|\|\||[-+*/^()<>,[\]]))/gy)].map(([, number, name, quoted, mark]) => ({ number, name, quoted, mark }));
  const whole = text.replace(/\s+/g, '').length === tokens.reduce((sum, { number, name, quoted, mark }) => sum + (number ?? name ?? quoted ?? mark ?? '').replace(/\s+/g, '').length, 0);
  let at = 0;
  const fail = (): never => {
    throw invalidValue(`Error in expression '${text}': Syntax error`);
  };
  if (!whole || tokens.length === 0) fail();
  const isMark = (mark: string): boolean => tokens[at]?.mark === mark;
  const expect = (mark: string): void => {
    if (!isMark(mark)) fail();
    at++;
  };
  const word = (): string | undefined => tokens[at]?.mark ?? tokens[at]?.name?.toUpperCase();
  const level = (operators: readonly string[], next: () => Expression) => (): Expression => {
    let left = next();
    while (operators.includes(word() ?? '')) {
      const operator = word()!;
      at++;
      left = { kind: 'binary', operator, left, right: next() };
    }
    return left;
  };
  const primary = (): Expression => {
    const token = tokens[at];
    if (token?.number !== undefined) {
      at++;
      return { kind: 'number', value: Number(token.number) };
    }
    if (isMark('(') || isMark('[')) return grouped();
    if (token?.name === undefined) return fail();
    at++;
    if (!isMark('(')) return { kind: 'name', name: token.name };
    const name = token.name.toUpperCase();
    if (REFUSED.has(name)) throw unsupported(`the metric math function ${name}`);
    if (!FUNCTIONS.has(name)) throw invalidValue(`Error in expression '${text}': Unsupported function '${token.name}'`);
    at++;
    const list: Expression[] = [];
    while (!isMark(')')) {
      if (tokens[at]?.quoted !== undefined) throw unsupported(`the metric math function ${name} with a text`);
      list.push(or());
      if (isMark(',')) at++;
      else if (!isMark(')')) fail();
    }
    at++;
    return { kind: 'call', name, arguments: list };
  };
  /** Parentheses, or a list in brackets, which functions take as their arguments. */
  const grouped = (): Expression => {
    const list = isMark('[');
    at++;
    const items = [or()];
    while (list && isMark(',')) {
      at++;
      items.push(or());
    }
    expect(list ? ']' : ')');
    return list ? { kind: 'call', name: 'LIST', arguments: items } : items[0]!;
  };
  const unary = (): Expression => {
    if (!isMark('-') && !isMark('+')) return primary();
    const operator = tokens[at++]!.mark!;
    return { kind: 'unary', operator, operand: unary() };
  };
  const power = level(['^'], unary);
  const product = level(['*', '/'], power);
  const sum = level(['+', '-'], product);
  const compare = level(['<', '>', '<=', '>=', '==', '!='], sum);
  const and = level(['&&', 'AND'], compare);
  const or: () => Expression = level(['||', 'OR'], and);
  const result = or();
  if (at < tokens.length) fail();
  return result;
}

interface Surroundings {
  /** Seconds. */
  readonly period: number;
  /** In milliseconds; `to` is not part of it. */
  readonly range?: { readonly from: number; readonly to: number };
  readonly metrics: readonly string[];
  resolve(name: string): Series;
}

type Value = number | Series | readonly Series[];

export function evaluateExpression(expression: Expression, surroundings: Surroundings): Series {
  const value = evaluate(expression, surroundings);
  if (typeof value === 'number' || Array.isArray(value)) throw invalidValue('The expression must give a single time series.');
  return value as Series;
}

function evaluate(expression: Expression, surroundings: Surroundings): Value {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'name':
      return surroundings.resolve(expression.name);
    case 'unary':
      return expression.operator === '-' ? map2(0, evaluate(expression.operand, surroundings), (a, b) => a - b) : evaluate(expression.operand, surroundings);
    case 'binary':
      return map2(evaluate(expression.left, surroundings), evaluate(expression.right, surroundings), OPERATORS[expression.operator]!);
    case 'call':
      return call(expression.name, expression.arguments, surroundings);
  }
}

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '<': (a, b) => Number(a < b),
  '>': (a, b) => Number(a > b),
  '<=': (a, b) => Number(a <= b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '&&': (a, b) => Number(a !== 0 && b !== 0),
  AND: (a, b) => Number(a !== 0 && b !== 0),
  '||': (a, b) => Number(a !== 0 || b !== 0),
  OR: (a, b) => Number(a !== 0 || b !== 0),
};

const isSeries = (value: Value): value is Series => value instanceof Map;

/** Point by point; where one of two series has no value, neither has the result. A division by zero has none. */
function map2(left: Value, right: Value, operate: (a: number, b: number) => number): Value {
  if (typeof left === 'number' && typeof right === 'number') return operate(left, right);
  if (Array.isArray(left)) return (left as Series[]).map((one) => map2(one, right, operate) as Series);
  if (Array.isArray(right)) return (right as Series[]).map((one) => map2(left, one, operate) as Series);
  const times = isSeries(left) ? left.keys() : (right as Series).keys();
  const found = new Map<number, number>();
  for (const at of times) {
    const a = typeof left === 'number' ? left : (left as Series).get(at);
    const b = typeof right === 'number' ? right : (right as Series).get(at);
    const value = a === undefined || b === undefined ? Number.NaN : operate(a, b);
    if (Number.isFinite(value)) found.set(at, value);
  }
  return found;
}

function call(name: string, operands: readonly Expression[], surroundings: Surroundings): Value {
  if (name === 'METRICS') return surroundings.metrics.map((id) => surroundings.resolve(id));
  if (name === 'FILL') return fill(evaluate(operands[0]!, surroundings), fillerOf(operands[1]!, surroundings), surroundings);
  const values = operands.map((operand) => evaluate(operand, surroundings));
  const [first, second, third] = values;
  switch (name) {
    case 'LIST':
      return values.flatMap((value) => (isSeries(value) ? [value] : Array.isArray(value) ? (value as Series[]) : []));
    case 'PERIOD':
      return surroundings.period;
    case 'METRIC_COUNT':
      return Array.isArray(first) ? first.length : 1;
    case 'IF':
      return choose(first!, second!, third);
    case 'SUM':
    case 'AVG':
    case 'MIN':
    case 'MAX':
    case 'STDDEV':
      return aggregate(name, values);
    case 'FIRST':
    case 'LAST':
      return Array.isArray(first) ? (name === 'FIRST' ? first[0]! : first.at(-1)!) : first!;
    case 'TIME_SERIES':
      throw unsupported('the metric math function TIME_SERIES of a number');
    default:
      return each(first!, name, surroundings.period);
  }
}

const SIMPLE: Readonly<Record<string, (value: number) => number>> = { ABS: Math.abs, CEIL: Math.ceil, FLOOR: Math.floor, LOG: Math.log, LOG10: Math.log10 };

function each(value: Value, name: string, period: number): Value {
  if (Array.isArray(value)) return (value as Series[]).map((one) => each(one, name, period) as Series);
  const simple = SIMPLE[name];
  if (typeof value === 'number') return simple ? simple(value) : value;
  const points = [...(value as Series)].sort(([a], [b]) => a - b);
  if (simple) return new Map(points.map(([at, one]) => [at, simple(one)]));
  if (name === 'RUNNING_SUM') {
    let sum = 0;
    return new Map(points.map(([at, one]) => [at, (sum += one)]));
  }
  // DIFF and RATE look at the value before.
  return new Map(points.slice(1).map(([at, one], i) => [at, (one - points[i]![1]) / (name === 'RATE' ? (at - points[i]![0]) / 1000 || period : 1)]));
}

/** Of one series its value over all time; of several, their values point by point. */
function aggregate(name: string, values: readonly Value[]): Value {
  const list = values.flatMap((value) => (Array.isArray(value) ? (value as Series[]) : [value as number | Series]));
  if (list.length === 1 && isSeries(list[0]!) && !Array.isArray(values[0])) return combine(name, [...list[0].values()]);
  const times = new Set(list.flatMap((value) => (isSeries(value) ? [...value.keys()] : [])));
  return new Map([...times].map((at) => [at, combine(name, list.flatMap((value) => (typeof value === 'number' ? [value] : value.has(at) ? [value.get(at)!] : [])))]));
}

function combine(name: string, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  if (name === 'SUM') return sum;
  if (name === 'MIN') return Math.min(...values);
  if (name === 'MAX') return Math.max(...values);
  const mean = sum / values.length;
  return name === 'AVG' ? mean : Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length);
}

function fillerOf(operand: Expression, surroundings: Surroundings): Filler {
  if (operand.kind === 'name' && (operand.name === 'REPEAT' || operand.name === 'LINEAR')) return operand.name;
  return evaluate(operand, surroundings);
}

type Filler = Value | 'REPEAT' | 'LINEAR';

/** The points no data came for, through the whole of the range asked for (CloudWatch User Guide, "Using math expressions", FILL). */
function fill(value: Value, filler: Filler, surroundings: Surroundings): Value {
  if (Array.isArray(value)) return (value as Series[]).map((one) => fill(one, filler, surroundings) as Series);
  if (!isSeries(value)) return value;
  const times = [...value.keys()].sort((a, b) => a - b);
  const step = surroundings.period * 1000;
  const { from, to } = surroundings.range ?? { from: times[0] ?? 0, to: (times.at(-1) ?? -step) + step };
  const found = new Map<number, number>();
  for (let at = Math.floor(from / step) * step; at < to; at += step) {
    const one = value.get(at) ?? filling(value, times, at, filler);
    if (one !== undefined) found.set(at, one);
  }
  return found;
}

function filling(value: Series, times: readonly number[], at: number, filler: Filler): number | undefined {
  if (typeof filler === 'number') return filler;
  if (filler !== 'REPEAT' && filler !== 'LINEAR') return isSeries(filler) ? filler.get(at) : undefined;
  const before = times.findLast((time) => time < at);
  if (before === undefined) return undefined;
  const first = value.get(before)!;
  if (filler === 'REPEAT') return first;
  const after = times.find((time) => time > at);
  return after === undefined ? undefined : first + ((value.get(after)! - first) * (at - before)) / (after - before);
}

function choose(condition: Value, yes: Value, no: Value | undefined): Value {
  const pick = (value: Value | undefined, at: number): number | undefined => (typeof value === 'number' ? value : value && isSeries(value) ? value.get(at) : undefined);
  if (typeof condition === 'number') return condition !== 0 ? yes : (no ?? new Map());
  const found = new Map<number, number>();
  for (const [at, met] of condition as Series) {
    const value = met !== 0 ? pick(yes, at) : pick(no, at);
    if (value !== undefined) found.set(at, value);
  }
  return found;
}
