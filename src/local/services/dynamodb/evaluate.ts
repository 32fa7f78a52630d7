import type { AttributeValue } from '../../models/types/dynamodb.js';
import type { Condition, Operand, Path, Update } from './parse.js';
import { addNumbers, compareValues, invalid, sameValue, typeOf, type Item } from './values.js';

/** What stands at a path, if anything. */
export function at(item: Item, path: Path): AttributeValue | undefined {
  let found: AttributeValue | undefined = item[path[0] as string];
  for (const step of path.slice(1)) found = typeof step === 'number' ? found?.L?.[step] : found?.M?.[step];
  return found;
}

function valueOf(operand: Operand, item: Item): AttributeValue | undefined {
  if (operand.kind === 'value') return operand.value;
  if (operand.kind === 'path') return at(item, operand.path);
  if (operand.kind === 'size') {
    const size = sizeOf(at(item, operand.path));
    return size === undefined ? undefined : { N: String(size) };
  }
  return undefined;
}

function sizeOf(value: AttributeValue | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.byteLength;
  const many = value.SS ?? value.NS ?? value.BS ?? value.L;
  return many ? many.length : value.M ? Object.keys(value.M).length : undefined;
}

/** Whether an item meets a condition (developer guide, "Comparison operator and function reference"). */
export function meets(condition: Condition, item: Item): boolean {
  switch (condition.kind) {
    case 'and':
      return meets(condition.left, item) && meets(condition.right, item);
    case 'or':
      return meets(condition.left, item) || meets(condition.right, item);
    case 'not':
      return !meets(condition.condition, item);
    case 'compare':
      return compare(condition.operator, valueOf(condition.left, item), valueOf(condition.right, item));
    case 'between':
      return compare('>=', valueOf(condition.operand, item), valueOf(condition.low, item)) && compare('<=', valueOf(condition.operand, item), valueOf(condition.high, item));
    case 'in':
      return condition.list.some((one) => compare('=', valueOf(condition.operand, item), valueOf(one, item)));
    case 'function':
      return call(condition.name, condition.arguments, item);
  }
}

function compare(operator: string, left: AttributeValue | undefined, right: AttributeValue | undefined): boolean {
  // What isn't there differs from everything.
  if (left === undefined || right === undefined) return operator === '<>' && left !== right;
  if (operator === '=') return sameValue(left, right);
  if (operator === '<>') return !sameValue(left, right);
  const order = compareValues(left, right);
  if (order === undefined) return false;
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator] ?? false;
}

function call(name: string, operands: readonly Operand[], item: Item): boolean {
  const first = valueOf(operands[0]!, item);
  const second = operands[1] && valueOf(operands[1], item);
  switch (name) {
    case 'attribute_exists':
      return first !== undefined;
    case 'attribute_not_exists':
      return first === undefined;
    case 'attribute_type':
      return first !== undefined && typeOf(first) === second?.S;
    case 'begins_with':
      if (first?.S !== undefined && second?.S !== undefined) return first.S.startsWith(second.S);
      return first?.B !== undefined && second?.B !== undefined && Buffer.from(first.B).subarray(0, second.B.byteLength).equals(Buffer.from(second.B));
    default:
      return contains(first, second);
  }
}

function contains(container: AttributeValue | undefined, value: AttributeValue | undefined): boolean {
  if (container === undefined || value === undefined) return false;
  if (container.S !== undefined) return value.S !== undefined && container.S.includes(value.S);
  if (container.B !== undefined) return value.B !== undefined && Buffer.from(container.B).includes(Buffer.from(value.B));
  const members = container.L ?? container.SS?.map((S) => ({ S })) ?? container.NS?.map((N) => ({ N })) ?? container.BS?.map((B) => ({ B })) ?? [];
  return (members as AttributeValue[]).some((member) => sameValue(member, value));
}

/** The item with an update applied; values are those from before it. Raises ValidationException. */
export function updated(update: Update, item: Item): Record<string, AttributeValue> {
  const copy = structuredClone(item) as Record<string, AttributeValue>;
  const values = update.set.map(({ path, value }) => ({ path, value: result(value, item) }));
  for (const { path, value } of values) put(copy, path, value);
  for (const { path, value } of update.add) put(copy, path, sum(at(item, path), value));
  for (const { path, value } of update.delete) difference(copy, path, at(item, path), value);
  // From the end, so that places of lists still mean what they meant.
  for (const path of [...update.remove].sort((a, b) => Number(b.at(-1)) - Number(a.at(-1)) || 0)) drop(copy, path);
  return copy;
}

function result(operand: Operand, item: Item): AttributeValue {
  switch (operand.kind) {
    case 'value':
      return operand.value;
    case 'path': {
      const found = at(item, operand.path);
      if (found === undefined) throw invalid('The provided expression refers to an attribute that does not exist in the item');
      return found;
    }
    case 'if_not_exists':
      return at(item, operand.path) ?? result(operand.otherwise, item);
    case 'list_append': {
      const [first, second] = [result(operand.first, item), result(operand.second, item)];
      if (!first.L || !second.L) throw invalid(`Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: list_append, operand type: ${typeOf(first.L ? second : first)}`);
      return { L: [...first.L, ...second.L] };
    }
    case 'sum': {
      const [left, right] = [result(operand.left, item), result(operand.right, item)];
      if (left.N === undefined || right.N === undefined) throw invalid('An operand in the update expression has an incorrect data type');
      return { N: addNumbers(left.N, right.N, operand.sign) };
    }
    default:
      throw invalid('Invalid UpdateExpression: Invalid function name; function: size');
  }
}

function parent(item: Record<string, AttributeValue>, path: Path): { list: AttributeValue[] } | { map: Record<string, AttributeValue> } | undefined {
  if (path.length === 1) return { map: item };
  const holder = at(item, path.slice(0, -1));
  if (typeof path.at(-1) === 'number') return holder?.L ? { list: holder.L } : undefined;
  return holder?.M ? { map: holder.M } : undefined;
}

function put(item: Record<string, AttributeValue>, path: Path, value: AttributeValue): void {
  const holder = parent(item, path);
  if (!holder) throw invalid('The document path provided in the update expression is invalid for update');
  if ('map' in holder) holder.map[path.at(-1) as string] = value;
  else if (Number(path.at(-1)) < holder.list.length) holder.list[Number(path.at(-1))] = value;
  else holder.list.push(value);
}

function drop(item: Record<string, AttributeValue>, path: Path): void {
  const holder = parent(item, path);
  if (!holder) throw invalid('The document path provided in the update expression is invalid for update');
  if ('map' in holder) delete holder.map[path.at(-1) as string];
  else holder.list.splice(Number(path.at(-1)), 1);
}

function sum(before: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (value.N !== undefined) {
    if (before !== undefined && before.N === undefined) throw invalid('An operand in the update expression has an incorrect data type');
    return { N: addNumbers(before?.N ?? '0', value.N) };
  }
  const type = typeOf(value);
  if (type !== 'SS' && type !== 'NS' && type !== 'BS') throw invalid(`Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: ${TYPE_NAMES[type] ?? type}`);
  if (before !== undefined && before[type] === undefined) throw invalid('An operand in the update expression has an incorrect data type');
  if (type === 'BS') return { BS: [...new Map([...(before?.BS ?? []), ...value.BS!].map((bytes) => [Buffer.from(bytes).toString('base64'), bytes])).values()] };
  return { [type]: [...new Set([...(before?.[type] ?? []), ...value[type]!])] };
}

const TYPE_NAMES: Readonly<Record<string, string>> = { S: 'STRING', N: 'NUMBER', B: 'BINARY', L: 'LIST', M: 'MAP', BOOL: 'BOOLEAN', NULL: 'NULL' };

function difference(item: Record<string, AttributeValue>, path: Path, before: AttributeValue | undefined, value: AttributeValue): void {
  const type = typeOf(value);
  if (type !== 'SS' && type !== 'NS' && type !== 'BS') throw invalid(`Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: ${TYPE_NAMES[type] ?? type}`);
  if (before === undefined) return;
  if (before[type] === undefined) throw invalid('An operand in the update expression has an incorrect data type');
  const key = (member: string | Uint8Array): string => (typeof member === 'string' ? member : Buffer.from(member).toString('base64'));
  const gone = new Set((value[type] as (string | Uint8Array)[]).map(key));
  const rest = (before[type] as (string | Uint8Array)[]).filter((member) => !gone.has(key(member)));
  if (rest.length === 0) drop(item, path);
  else put(item, path, { [type]: rest } as AttributeValue);
}

/** Only what the paths name. */
export function projected(item: Item, paths: readonly Path[]): Record<string, AttributeValue> {
  const found: Record<string, AttributeValue> = {};
  for (const path of paths) {
    const value = at(item, path);
    if (value !== undefined) graft(found, path, value);
  }
  return found;
}

/** Places a value where it was, lists keeping only what was asked of them. */
function graft(into: Record<string, AttributeValue>, path: Path, value: AttributeValue): void {
  const [first, ...rest] = path as [string, ...(string | number)[]];
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  if (typeof rest[0] === 'number') {
    const list = (into[first] ??= { L: [] }).L!;
    if (rest.length === 1) list.push(value);
    else {
      const inner: Record<string, AttributeValue> = {};
      graft(inner, ['inner', ...rest.slice(1)], value);
      list.push(inner['inner']!);
    }
    return;
  }
  const map = ((into[first] ??= { M: {} }).M ??= {});
  graft(map as Record<string, AttributeValue>, rest, value);
}
