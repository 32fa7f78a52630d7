import { isIP } from 'node:net';
import type { Json } from '../json.js';
import { templateError } from '../template/error.js';

/** `Fn::Cidr`: [ipBlock, count, cidrBits]: `count` consecutive blocks with `cidrBits` host bits (8 by default) from the start of the block. */
export function cidrBlocks(argument: Json): string[] {
  const [block, count, bits] = Array.isArray(argument) ? argument : [];
  const [address, prefixText] = typeof block === 'string' ? block.split('/') : [];
  const family = isIP(address ?? '');
  if (family === 0 || !/^\d+$/.test(prefixText ?? '')) throw templateError('Fn::Cidr requires a valid CIDR block as its first parameter');
  const width = family === 4 ? 32 : 128;
  const wanted = integer(count, 1, 256, 'count');
  const hostBits = bits === undefined ? 8 : integer(bits, 1, width, 'cidrBits');
  const room = width - Number(prefixText) - hostBits;
  if (room < 0 || wanted > 2 ** Math.min(room, 30)) {
    throw templateError(`Fn::Cidr: the block ${String(block)} is too small for ${wanted} blocks of ${hostBits} bits`);
  }
  const mask = (1n << BigInt(width - Number(prefixText))) - 1n;
  const first = (family === 4 ? fromV4(address!) : fromV6(address!)) & ~mask;
  const step = 1n << BigInt(hostBits);
  return Array.from({ length: wanted }, (_, i) => {
    const start = first + step * BigInt(i);
    return `${family === 4 ? toV4(start) : toV6(start)}/${width - hostBits}`;
  });
}

function integer(value: Json | undefined, least: number, most: number, name: string): number {
  const parsed = Number(value);
  if (!Number.isInteger(parsed) || parsed < least || parsed > most) throw templateError(`Fn::Cidr: ${name} must be an integer from ${least} to ${most}`);
  return parsed;
}

function fromV4(address: string): bigint {
  return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);
}

function toV4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
}

function fromV6(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
}

/** Shortest form (RFC 5952): the first longest run of zero groups becomes `::`. */
function toV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((match) => match[0]).sort((a, b) => b.length - a.length);
  return runs[0] === undefined ? text : text.replace(runs[0], ':').replace(/^:(?!:)/, '::').replace(/(?<!:):$/, '::').replace(/:{3,}/, '::');
}
