import type { TimestampFormat } from '../models/model.js';

/** Reads a timestamp as clients write it in any of AWS's formats; undefined when it is none of them. */
export function parseTimestampText(text: string): Date | undefined {
  if (/^[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(text)) return fromEpoch(Number(text));
  // Only the two documented text forms: Date.parse alone would take far more.
  if (!/^\d{4}-\d\d-\d\d([T ]|$)/.test(text) && !/^[A-Za-z]{3}, \d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4} /.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Seconds since the epoch, with fractions; undefined outside what a Date can hold. */
export function fromEpoch(seconds: number): Date | undefined {
  const date = new Date(Math.round(seconds * 1000));
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** `precise`: whether milliseconds are shown where the format has them. */
export function formatTimestamp(date: Date, format: TimestampFormat, milliseconds: 'shown' | 'zero' | 'none' = 'shown'): string {
  switch (format) {
    case 'rfc822':
      return date.toUTCString();
    case 'unixTimestamp':
      return String(date.getTime() / 1000);
    case 'unixTimestampMillis':
      return String(date.getTime());
    default: {
      const text = date.toISOString();
      return milliseconds === 'shown' ? text : text.replace(/\.\d+Z$/, milliseconds === 'zero' ? '.000Z' : 'Z');
    }
  }
}
