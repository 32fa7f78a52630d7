import { isDictionary } from './merge.js';
import type { Mistake, Path } from './mistake.js';

/** Forms that credentials are issued in, and by whom. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, 'an access key of AWS'],
  [/aws_?secret_?access_?key["']?\s*[:=]\s*["']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi, 'a secret access key of AWS'],
  [/\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36,255}\b/g, 'a token of GitHub'],
  [/\bgithub_pat_[A-Za-z0-9_]{22,255}\b/g, 'a token of GitHub'],
  [/\bglpat-[A-Za-z0-9_-]{20,255}/g, 'a token of GitLab'],
  [/\bATBB[A-Za-z0-9]{24,64}\b/g, 'an app password of Bitbucket'],
  [/\bxox[abeprs]-[A-Za-z0-9-]{10,255}/g, 'a token of Slack'],
  [/hooks\.slack\.com\/services\/T[A-Za-z0-9]+\/B[A-Za-z0-9]+\/[A-Za-z0-9]{16,}/g, 'a webhook of Slack'],
  [/\bnpm_[A-Za-z0-9]{36}\b/g, 'a token of npm'],
  [/\bdckr_pat_[A-Za-z0-9_-]{20,}/g, 'a token of Docker'],
  [/\bsk_live_[A-Za-z0-9]{16,}/g, 'a key of Stripe'],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g, 'a private key'],
];

interface Found {
  readonly what: string;
  readonly range: readonly [number, number];
}

/** Credentials written into a text, comments included. */
export function secretsIn(text: string): readonly Found[] {
  return SECRETS.flatMap(([pattern, what]) => [...text.matchAll(pattern)].map((match) => ({ what, range: [match.index, match.index + match[0].length] as const })));
}

/** The text with everything but the head of each credential blotted out, as long as before. */
export function withoutSecrets(text: string): string {
  return secretsIn(text).reduce((masked, { range: [start, end] }) => `${masked.slice(0, start + 4)}${'•'.repeat(Math.max(0, end - start - 4))}${masked.slice(end)}`, text);
}

export function secretMistake(what: string, path: Path): Mistake {
  return { code: 'CFG024', path, what: path.length === 0 ? `the file holds ${what}` : `holds ${what}`, why: 'whoever reads the repository could use it, and git keeps it', fix: 'revoke it, store a new one in Secrets Manager, and name that secret here' };
}

/** The same for a fleet that has no text. */
export function secretMistakes(value: unknown, path: Path = []): readonly Mistake[] {
  if (typeof value === 'string') return secretsIn(value).map(({ what }) => secretMistake(what, path));
  if (path.length > 64) return [];
  if (Array.isArray(value)) return value.flatMap((one, index) => secretMistakes(one, [...path, index]));
  return isDictionary(value) ? Object.entries(value).flatMap(([key, one]) => secretMistakes(one, [...path, key])) : [];
}

/** Names of variables that hold credentials, whatever those look like. */
const CREDENTIAL = /(^|_)(PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|ACCESS_?KEY|SECRET_?KEY|CLIENT_SECRET|PRIVATE_?KEY)$/i;

/** Environment variables of builds whose name says that they hold a secret, and whose value stands in the file: allowed, for it may be none. */
export function secretWarnings(value: unknown, path: Path = []): readonly Mistake[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => secretWarnings(one, [...path, index]));
  if (!isDictionary(value)) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    // Parameters are the app's: what a key means there isn't known.
    if (key === 'parameters') return [];
    const variables = key === 'environment' && isDictionary(below) ? Object.entries(below) : [];
    const written = variables.filter(([variable, text]) => CREDENTIAL.test(variable) && typeof text === 'string' && /^(?!arn:)[^$#]/.test(text));
    return [...written.map(([variable]): Mistake => ({ code: 'CFG071', path: [...path, key, variable], what: 'stands in the file, and by its name it is a secret', fix: `secrets: { ${variable}: NAME-OF-A-SECRET }` })), ...secretWarnings(below, [...path, key])];
  });
}
