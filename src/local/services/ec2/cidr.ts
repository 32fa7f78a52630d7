import { fail, invalidValue } from './store.js';

/** An IPv4 block. */
export interface Block {
  /** In canonical form. */
  readonly text: string;
  readonly first: number;
  readonly last: number;
  readonly bits: number;
}

/** Raises InvalidParameterValue for what is no IPv4 block. EC2 brings it into canonical form (API reference, CreateVpc). */
export function parseBlock(text: string, parameter = 'cidrBlock'): Block {
  const [, a, b, c, d, length] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text) ?? [];
  const octets = [a, b, c, d].map(Number);
  const bits = Number(length);
  if (length === undefined || bits > 32 || octets.some((octet) => octet > 255)) throw invalidValue(text, parameter, 'This is not a valid CIDR block.');
  const size = 2 ** (32 - bits);
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const first = Math.floor(address / size) * size;
  return { text: `${addressOf(first)}/${bits}`, first, last: first + size - 1, bits };
}

export function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

export function contains(outer: Block, inner: Block): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}

export function overlaps(a: Block, b: Block): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Blocks of VPCs and subnets have between 16 and 65,536 addresses. */
export function checkSize(block: Block, code: string): Block {
  if (block.bits < 16 || block.bits > 28) throw fail(code, `The CIDR '${block.text}' is invalid.`);
  return block;
}

/** A canonical destination of a route or rule; IPv6 blocks are taken as they are written. */
export function destination(text: string, parameter: string): string {
  if (!text.includes(':')) return parseBlock(text, parameter).text;
  if (!/^[0-9a-f:.]+\/\d{1,3}$/i.test(text) || Number(text.split('/')[1]) > 128) throw invalidValue(text, parameter, 'This is not a valid IPv6 CIDR block.');
  return text.toLowerCase();
}
