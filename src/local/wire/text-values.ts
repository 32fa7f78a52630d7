import type { AwsError } from '../kernel/error.js';
import type { Shape } from '../models/model.js';
import { parseTimestampText } from './timestamps.js';

/** Reads a scalar from its text in XML, a form, a header, a path or a query. `refuse` makes the error: `an Integer`, `a Timestamp` … */
export function scalarFromText(shape: Shape, text: string, refuse: (expected: string) => AwsError): unknown {
  switch (shape.type) {
    case 'boolean': {
      const value = text.trim().toLowerCase();
      if (value === 'true' || value === 'false') return value === 'true';
      throw refuse('a Boolean');
    }
    case 'integer':
    case 'long': {
      const value = text.trim();
      // Number('') is 0 and Number('0x10') is 16: neither is what a client meant.
      if (!/^[-+]?\d{1,20}(\.0+)?$/.test(value)) throw refuse(shape.type === 'long' ? 'a Long' : 'an Integer');
      return Number(value);
    }
    case 'float':
    case 'double': {
      const value = text.trim();
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
      if (!/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(value)) throw refuse('a Double');
      return Number(value);
    }
    case 'timestamp': {
      const date = parseTimestampText(text.trim());
      if (!date) throw refuse('a Timestamp');
      return date;
    }
    case 'blob': {
      const bytes = fromBase64(text);
      if (!bytes) throw refuse('a Blob');
      return bytes;
    }
    default:
      return text;
  }
}

/** Base64 with or without padding and line breaks; undefined when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const compact = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.replace(/=+$/, '').length % 4 === 1) return undefined;
  return Buffer.from(compact, 'base64');
}
