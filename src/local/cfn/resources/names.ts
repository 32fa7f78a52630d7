import { createHash } from 'node:crypto';
import type { NameOptions } from './provider.js';

/**
 * A generated physical name: the stack's name, the logical ID and 12 random characters (user guide: "Physical ID"; recorded:
 * freeValues of the vectors). Randomness comes from the token of the attempt, so that repeating it gives the same name. A name that
 * would be too long is cut in its first two parts, the random end stays.
 */
export function generatedName(stackName: string, logicalId: string, token: string, options: NameOptions = {}): string {
  const { limit = 255, separator = '-', prefix = stackName, random = 12 } = options;
  const end = randomText(`${token}/${logicalId}`, random, options.upperCaseRandom === true);
  const room = Math.max(2, limit - end.length - 2 * separator.length);
  let [head, tail] = [prefix, logicalId];
  if (head.length + tail.length > room) {
    const half = Math.floor(room / 2);
    if (tail.length <= half) head = head.slice(0, room - tail.length);
    else if (head.length <= room - half) tail = tail.slice(0, room - head.length);
    else [head, tail] = [head.slice(0, room - half), tail.slice(0, half)];
  }
  const name = [head.replace(/-+$/, ''), tail, end].join(separator);
  return options.lowerCase ? name.toLowerCase() : name;
}

const MIXED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export function randomText(seed: string, length: number, upperCase = false): string {
  const letters = upperCase ? UPPER : MIXED;
  const bytes = createHash('sha512').update(seed).digest();
  return Array.from({ length }, (_, i) => letters[bytes[i % bytes.length]! % letters.length]).join('');
}
