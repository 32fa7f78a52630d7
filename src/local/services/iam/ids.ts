import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export type IdPrefix = 'AIDA' | 'AROA' | 'AGPA' | 'ANPA' | 'AIPA' | 'ACCA' | 'AKIA' | 'ASIA' | 'APKA';

/** A unique ID: 21 characters, access keys 20 (IAM reference, "Understanding unique ID prefixes"). */
export function uniqueId(prefix: IdPrefix): string {
  return prefix + letters(randomBytes(17), prefix === 'AKIA' || prefix === 'ASIA' ? 16 : 17);
}

/** The ID of something that always exists, from its name. */
export function derivedId(prefix: IdPrefix, name: string): string {
  return prefix + letters(createHash('sha256').update(name).digest(), 17);
}

/** A secret access key: 40 characters. */
export function secretKey(): string {
  return randomBytes(30).toString('base64');
}

function letters(bytes: Uint8Array, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += ALPHABET[bytes[i]! & 31];
  return text;
}
