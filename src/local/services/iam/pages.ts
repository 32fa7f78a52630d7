import { invalid } from './store.js';

export interface PageInput {
  readonly Marker?: string;
  readonly MaxItems?: number;
}

export interface Page<T> {
  readonly items: T[];
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

/** "If you do not include this parameter, the number of items defaults to 100." */
const PAGE = 100;

/** One page of a list, sorted by name; the marker says behind which name the next one starts. */
export function page<T>(all: readonly T[], input: PageInput, nameOf: (item: T) => string): Page<T> {
  const after = input.Marker === undefined ? undefined : decodeMarker(input.Marker);
  const sorted = all.map((item) => ({ item, name: nameOf(item) })).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const rest = after === undefined ? sorted : sorted.filter(({ name }) => name > after);
  const items = rest.slice(0, input.MaxItems ?? PAGE);
  const IsTruncated = rest.length > items.length;
  return { items: items.map(({ item }) => item), IsTruncated, ...(IsTruncated ? { Marker: encodeMarker(items.at(-1)!.name) } : {}) };
}

function encodeMarker(name: string): string {
  return Buffer.from(`after:${name}`).toString('base64url');
}

function decodeMarker(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString();
  return text.startsWith('after:') ? text.slice('after:'.length) : invalid('Invalid Marker.');
}
