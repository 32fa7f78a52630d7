import { randomInt } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { table, type State, type Table } from '../../state/state.js';

export interface Secret {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** The six characters behind the name in the ARN. */
  readonly suffix: string;
  readonly description?: string;
  /** As given; undefined: the key `aws/secretsmanager`. */
  readonly kmsKeyId?: string;
  readonly created: Date;
  readonly changed: Date;
  /** Midnight of the day (API reference, DescribeSecret). */
  readonly accessed?: Date;
  /** When DeleteSecret was called, and when the secret is gone for good. */
  readonly deleted?: Date;
  readonly gone?: Date;
  /** Undefined until it is tagged for the first time: DescribeSecret shows the difference. */
  readonly tags?: Readonly<Record<string, string>>;
  /** With principals as unique IDs. */
  readonly policy?: string;
  readonly rotation?: Rotation;
}

export interface Rotation {
  readonly enabled: boolean;
  readonly lambda: string;
  readonly rules?: { readonly AutomaticallyAfterDays?: number; readonly Duration?: string; readonly ScheduleExpression?: string };
  readonly last?: Date;
}

export interface Version {
  readonly id: string;
  /** Counts the secret's versions. */
  readonly number: number;
  readonly created: Date;
  readonly accessed?: Date;
  /** Sorted. */
  readonly stages: readonly string[];
  /** Undefined: no value was put yet (a rotation began). */
  readonly value?: SealedValue;
}

export interface SealedValue {
  readonly kind: 'string' | 'binary';
  /** The value under the data key. */
  readonly sealed: Uint8Array;
  readonly dataKey: Uint8Array;
  /** As DescribeSecret names it: the key's ID, or DefaultEncryptionKey. */
  readonly keyId: string;
  /** SHA-256, to tell whether a token comes again with the same value. */
  readonly digest: string;
}

const secretTable = table<Secret>('secretsmanager', 'secrets');
const valueTable = table<Version>('secretsmanager', 'values');

export const secrets = (state: State, account: string, region: string): Table<Secret> => secretTable(state, account, region);
/** By secret name and version ID. */
const versions = (state: State, secret: Secret): Table<Version> => valueTable(state, secret.account, secret.region);

export function secretArn(secret: Pick<Secret, 'account' | 'region' | 'name' | 'suffix'>): string {
  return `arn:aws:secretsmanager:${secret.region}:${secret.account}:secret:${secret.name}-${secret.suffix}`;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export function newSuffix(): string {
  return Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]!).join('');
}

export function saveSecret(state: State, secret: Secret): void {
  secrets(state, secret.account, secret.region).put(secret.name, secret);
}

/** Oldest first. */
export function versionsOf(state: State, secret: Secret): Version[] {
  return versions(state, secret).list(secret.name).sort((a, b) => a.number - b.number);
}

export function versionOf(state: State, secret: Secret, id: string): Version | undefined {
  return versions(state, secret).get(secret.name, id);
}

export function saveVersion(state: State, secret: Secret, version: Version): void {
  versions(state, secret).put([secret.name, version.id], version);
}

/** What the secret's next version is numbered with. */
export function nextNumber(state: State, secret: Secret): number {
  return (versionsOf(state, secret).at(-1)?.number ?? 0) + 1;
}

export function removeVersion(state: State, secret: Secret, version: Version): void {
  versions(state, secret).delete(secret.name, version.id);
}

export function forget(state: State, secret: Secret): void {
  state.transaction(() => {
    for (const version of versionsOf(state, secret)) removeVersion(state, secret, version);
    secrets(state, secret.account, secret.region).delete(secret.name);
  });
}

/** Raises ValidationException for a name that can't be (recorded). */
export function checkName(name: string): void {
  if (!/^[A-Za-z0-9/_+=.@!-]{1,512}$/.test(name)) throw new AwsError('ValidationException', 'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!', { status: 400 });
}

/** The secret a name, an ARN or an ARN without its suffix means; undefined when there is none. */
export function findSecret(id: string, context: Pick<RequestContext, 'state' | 'account' | 'region' | 'now'>): Secret | undefined {
  const arn = parseArn(id);
  const account = arn?.account ?? context.account;
  const all = secrets(context.state, account, context.region);
  const name = arn ? arn.resource.replace(/^secret:/, '') : id;
  if (arn && (arn.service !== 'secretsmanager' || arn.region !== context.region)) return undefined;
  const whole = /^(.*)-([A-Za-z0-9]{6})$/.exec(name);
  const bySuffix = arn && whole ? all.get(whole[1]!) : undefined;
  const secret = bySuffix?.suffix === whole?.[2] && bySuffix ? bySuffix : all.get(name);
  if (secret?.gone && secret.gone <= context.now()) {
    forget(context.state, secret);
    return undefined;
  }
  return secret;
}

/** Raises ResourceNotFoundException, and InvalidRequestException for one that was marked for deletion. */
export function secretOf(id: string, context: RequestContext, options: { readonly deleted?: boolean } = {}): Secret {
  if (!id.startsWith('arn:')) checkName(id);
  const secret = findSecret(id, context);
  if (!secret) throw notFound("Secrets Manager can't find the specified secret.");
  if (secret.deleted && !options.deleted) throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
  return secret;
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, { status: 400 });
}

export function invalidRequest(message: string): AwsError {
  return new AwsError('InvalidRequestException', message, { status: 400 });
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterException', message, { status: 400 });
}

/** Features of Secrets Manager the local cloud doesn't have. */
export function unsupported(what: string): AwsError {
  return new AwsError('NotImplemented', `The local cloud has no behaviour for ${what} of AWS Secrets Manager. Nothing was changed.`, { status: 501 });
}
