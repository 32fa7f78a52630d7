import { FlotillaError } from '../../shared/errors.js';
import { malformedJson } from './malformed.js';
import { put, type Structure } from './types.js';

/**
 * The part of CBOR (RFC 8949) that Smithy's RPC v2 protocol uses: text keys, bytes, tag 1 for times. boto3 speaks it to CloudWatch.
 * Answers plain data with Uint8Array and Date.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (!reader.done) throw malformedJson('The request body has bytes behind its CBOR value');
  return value;
}

export function encodeCbor(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

const DEEPEST = 100;
const BREAK = Symbol('break');
const text = new TextDecoder('utf-8', { fatal: true });

class Reader {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): unknown {
    const value = this.#item(depth);
    if (value === BREAK) throw malformedJson('Unexpected break in CBOR');
    return value;
  }

  #item(depth: number): unknown {
    if (depth > DEEPEST) throw malformedJson(`The request is nested more than ${DEEPEST} levels deep`);
    const head = this.#take(1)[0]!;
    const major = head >> 5;
    const info = head & 31;
    if (major === 7) return this.#simple(info);
    const length = info === 31 ? undefined : this.#argument(info);
    switch (major) {
      case 0:
        return number(length);
      case 1:
        return -1 - number(length);
      case 2:
        return length === undefined ? Buffer.concat(this.#chunks(depth) as Uint8Array[]) : Uint8Array.from(this.#take(length));
      case 3:
        return length === undefined ? (this.#chunks(depth) as string[]).join('') : this.#string(length);
      case 4:
        return length === undefined ? this.#chunks(depth) : Array.from({ length: this.#count(length) }, () => this.value(depth + 1));
      case 5:
        return this.#map(length, depth);
      default:
        return tagged(number(length), this.value(depth + 1));
    }
  }

  #map(length: number | undefined, depth: number): Structure {
    const result: Structure = {};
    for (let left = length === undefined ? Infinity : this.#count(length); left > 0; left--) {
      const key = this.#item(depth + 1);
      if (key === BREAK && length === undefined) break;
      if (typeof key !== 'string') throw malformedJson('A CBOR map needs text keys');
      put(result, key, this.value(depth + 1));
    }
    return result;
  }

  #chunks(depth: number): unknown[] {
    const items: unknown[] = [];
    for (let item = this.#item(depth + 1); item !== BREAK; item = this.#item(depth + 1)) items.push(item);
    return items;
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
      case 23:
        return null;
      case 25:
        return half(this.#fixed(2).getUint16(0));
      case 26:
        return this.#fixed(4).getFloat32(0);
      case 27:
        return this.#fixed(8).getFloat64(0);
      case 31:
        return BREAK;
      default:
        throw malformedJson(`Unknown simple value ${info} in CBOR`);
    }
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info === 24) return this.#fixed(1).getUint8(0);
    if (info === 25) return this.#fixed(2).getUint16(0);
    if (info === 26) return this.#fixed(4).getUint32(0);
    if (info === 27) return Number(this.#fixed(8).getBigUint64(0));
    throw malformedJson('Malformed length in CBOR');
  }

  /** More items than bytes can't be: a length is not believed before it is allocated. */
  #count(length: number): number {
    if (length > this.#bytes.length - this.#at) throw malformedJson('The CBOR value ends too early');
    return length;
  }

  #string(length: number): string {
    const bytes = this.#take(length);
    try {
      return text.decode(bytes);
    } catch {
      throw malformedJson('Invalid UTF-8 in the request body');
    }
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw malformedJson('The CBOR value ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #fixed(length: number): DataView {
    this.#take(length);
    return new DataView(this.#view.buffer, this.#view.byteOffset + this.#at - length, length);
  }
}

function number(length: number | undefined): number {
  if (length === undefined) throw malformedJson('Malformed number in CBOR');
  return length;
}

function tagged(tag: number, value: unknown): unknown {
  if (tag !== 1) return value;
  const date = new Date(Math.round(Number(value) * 1000));
  if (typeof value !== 'number' || Number.isNaN(date.getTime())) throw malformedJson('A time in CBOR needs a number');
  return date;
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const value = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -value : value;
}

function write(value: unknown, parts: Uint8Array[]): void {
  if (value === null || value === undefined) parts.push(Uint8Array.of(0xf6));
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(value ? 0xf5 : 0xf4));
  else if (typeof value === 'number') writeNumber(value, parts);
  else if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    parts.push(header(3, bytes.length), bytes);
  } else if (value instanceof Uint8Array) parts.push(header(2, value.length), value);
  else if (value instanceof Date) {
    parts.push(Uint8Array.of(0xc1));
    writeNumber(value.getTime() / 1000, parts);
  } else if (Array.isArray(value)) {
    parts.push(header(4, value.length));
    for (const item of value) write(item, parts);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value);
    parts.push(header(5, entries.length));
    for (const [key, item] of entries) {
      write(key, parts);
      write(item, parts);
    }
  } else throw new FlotillaError('BUG', `a ${typeof value} can't be written as CBOR`);
}

function writeNumber(value: number, parts: Uint8Array[]): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) parts.push(value >= 0 ? header(0, value) : header(1, -1 - value));
  else {
    const bytes = Buffer.alloc(9);
    bytes[0] = 0xfb;
    bytes.writeDoubleBE(value, 1);
    parts.push(bytes);
  }
}

function header(major: number, length: number): Uint8Array {
  const type = major << 5;
  if (length < 24) return Uint8Array.of(type | length);
  const bytes = Buffer.alloc(length < 0x100 ? 2 : length < 0x10000 ? 3 : length < 0x100000000 ? 5 : 9);
  bytes[0] = type | { 2: 24, 3: 25, 5: 26, 9: 27 }[bytes.length]!;
  if (bytes.length === 9) bytes.writeBigUInt64BE(BigInt(length), 1);
  else bytes.writeUIntBE(length, 1, bytes.length - 1);
  return bytes;
}
