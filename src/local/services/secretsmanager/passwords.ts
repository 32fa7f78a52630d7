import { randomInt } from 'node:crypto';
import type * as Sm from '../../models/types/secretsmanager.js';
import { invalidParameter } from './store.js';

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** API reference, GetRandomPassword: 32 characters of every kind, each kind at least once. */
export function getRandomPassword(input: Sm.GetRandomPasswordRequest): Sm.GetRandomPasswordResponse {
  const length = input.PasswordLength ?? 32;
  const excluded = new Set(input.ExcludeCharacters ?? '');
  const kinds = [
    input.ExcludeUppercase ? '' : UPPER,
    input.ExcludeLowercase ? '' : UPPER.toLowerCase(),
    input.ExcludeNumbers ? '' : '0123456789',
    input.ExcludePunctuation ? '' : PUNCTUATION,
    input.IncludeSpace ? ' ' : '',
  ].map((kind) => [...kind].filter((char) => !excluded.has(char)).join('')).filter((kind) => kind !== '');
  if (kinds.length === 0) throw invalidParameter('Unable to generate a password with the given parameters: every character is excluded.');
  const required = input.RequireEachIncludedType === false ? [] : kinds;
  if (length < required.length) throw invalidParameter(`Password length too short based on the required types. You must have at least ${required.length} characters.`);
  const all = kinds.join('');
  const chars = Array.from({ length }, (_, i) => pick(required[i] ?? all));
  for (let i = chars.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [chars[i], chars[j]] = [chars[j]!, chars[i]!];
  }
  return { RandomPassword: chars.join('') };
}

const pick = (from: string): string => from[randomInt(from.length)]!;
