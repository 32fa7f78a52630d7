import { AwsError } from '../../kernel/error.js';
import type { AttributeValue } from '../../models/types/dynamodb.js';

export type Item = { readonly [attribute: string]: AttributeValue };
export type TypeName = keyof AttributeValue & string;

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message, { status: 400 });
}

export function typeOf(value: AttributeValue): TypeName {
  const names = Object.keys(value).filter((name) => value[name as TypeName] !== undefined);
  return names[0] as TypeName;
}

/** Raises for a value that is none, and brings numbers into the form DynamoDB answers them in (API reference, AttributeValue). */
export function checked(value: AttributeValue): AttributeValue {
  const names = Object.keys(value).filter((name) => value[name as TypeName] !== undefined);
  if (names.length === 0) throw invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
  if (names.length > 1) throw invalid('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes');
  if (value.N !== undefined) return { N: formatNumber(parseNumber(value.N)) };
  if (value.NS) return { NS: set(value.NS.map((text) => formatNumber(parseNumber(text))), 'NS') };
  if (value.SS) return { SS: set(value.SS, 'SS') };
  if (value.BS) {
    set(value.BS.map((bytes) => Buffer.from(bytes).toString('base64')), 'BS');
    return value;
  }
  if (value.NULL === false) throw invalid('One or more parameter values were invalid: Null attribute value types must have the value of true');
  if (value.L) return { L: value.L.map(checked) };
  if (value.M) return { M: checkedItem(value.M) };
  return value;
}

function set(members: readonly string[], type: string): string[] {
  if (members.length === 0) throw invalid(`One or more parameter values were invalid: An ${type === 'NS' ? 'number set' : type === 'SS' ? 'string set' : 'binary set'}  may not be empty`);
  if (new Set(members).size < members.length) throw invalid(`One or more parameter values were invalid: Input collection [${members.join(', ')}] contains duplicates.`);
  return [...members];
}

export function checkedItem(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, checked(value)]));
}

/** A decimal of up to 38 digits: mantissa times ten to the exponent. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Raises for what is no number, or one out of DynamoDB's range. */
export function parseNumber(text: string): Decimal {
  const [, sign = '', whole = '', fraction = '', power = '0'] = /^\s*([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?\s*$/.exec(text) ?? [];
  if (whole + fraction === '') throw invalid(text.trim() === '' ? 'The parameter cannot be converted to a numeric value' : `The parameter cannot be converted to a numeric value: ${text}`);
  const found = reduced({ mantissa: BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`), exponent: Number(power) - fraction.length });
  const digits = found.mantissa.toString().replace('-', '').length;
  if (digits > 38) throw invalid('Attempting to store more than 38 significant digits in a Number');
  if (found.mantissa !== 0n && digits + found.exponent > 126) throw invalid('Number overflow. Attempting to store a number with magnitude larger than supported range');
  if (found.mantissa !== 0n && digits + found.exponent < -129) throw invalid('Number underflow. Attempting to store a number with magnitude smaller than supported range');
  return found;
}

function reduced({ mantissa, exponent }: Decimal): Decimal {
  if (mantissa === 0n) return { mantissa, exponent: 0 };
  let m = mantissa;
  let e = exponent;
  while (m % 10n === 0n) {
    m /= 10n;
    e++;
  }
  return { mantissa: m, exponent: e };
}

export function formatNumber({ mantissa, exponent }: Decimal): string {
  const negative = mantissa < 0n ? '-' : '';
  const digits = (mantissa < 0n ? -mantissa : mantissa).toString();
  if (exponent >= 0) return exponent > 20 ? `${negative}${digits}E+${exponent}` : `${negative}${digits}${'0'.repeat(exponent)}`;
  const point = digits.length + exponent;
  if (point > 0) return `${negative}${digits.slice(0, point)}.${digits.slice(point)}`;
  return point < -20 ? `${negative}${digits}E${exponent}` : `${negative}0.${'0'.repeat(-point)}${digits}`;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [a.mantissa * 10n ** BigInt(a.exponent - exponent), b.mantissa * 10n ** BigInt(b.exponent - exponent), exponent];
}

export function addNumbers(a: string, b: string, sign: 1 | -1 = 1): string {
  const [x, y, exponent] = aligned(parseNumber(a), parseNumber(b));
  return formatNumber(parseNumber(formatNumber(reduced({ mantissa: sign === 1 ? x + y : x - y, exponent }))));
}

export function compareNumbers(a: string, b: string): number {
  const [x, y] = aligned(parseNumber(a), parseNumber(b));
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Order of two values of the same ordered type; undefined where there is none. */
export function compareValues(a: AttributeValue, b: AttributeValue): number | undefined {
  if (a.N !== undefined && b.N !== undefined) return compareNumbers(a.N, b.N);
  if (a.S !== undefined && b.S !== undefined) return Buffer.compare(Buffer.from(a.S), Buffer.from(b.S));
  if (a.B !== undefined && b.B !== undefined) return Buffer.compare(Buffer.from(a.B), Buffer.from(b.B));
  return undefined;
}

export function sameValue(a: AttributeValue, b: AttributeValue): boolean {
  return canonical(a) === canonical(b);
}

/** One text for equal values: sets have no order. */
export function canonical(value: AttributeValue): string {
  const type = typeOf(value);
  switch (type) {
    case 'B':
      return `B${Buffer.from(value.B!).toString('base64')}`;
    case 'N':
      return `N${formatNumber(parseNumber(value.N!))}`;
    case 'SS':
    case 'NS':
      return `${type}${JSON.stringify([...value[type]!].sort())}`;
    case 'BS':
      return `BS${JSON.stringify(value.BS!.map((bytes) => Buffer.from(bytes).toString('base64')).sort())}`;
    case 'L':
      return `L[${value.L!.map(canonical).join()}]`;
    case 'M':
      return `M{${Object.entries(value.M!).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join()}}`;
    default:
      return `${type}${JSON.stringify(value[type])}`;
  }
}

/** Bytes of an item as DynamoDB counts them (developer guide, "DynamoDB item sizes and formats"). */
export function itemSize(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
}

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.replace(/[^0-9]/g, '').length / 2) + 1;
  if (value.B !== undefined) return value.B.byteLength;
  if (value.SS) return value.SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (value.NS) return value.NS.reduce((sum, text) => sum + Math.ceil(text.length / 2) + 1, 0);
  if (value.BS) return value.BS.reduce((sum, bytes) => sum + bytes.byteLength, 0);
  if (value.L) return 3 + value.L.reduce((sum, inner) => sum + 1 + valueSize(inner), 0);
  if (value.M) return 3 + Object.entries(value.M).reduce((sum, [name, inner]) => sum + 1 + Buffer.byteLength(name) + valueSize(inner), 0);
  return 1;
}
