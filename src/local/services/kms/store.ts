import { randomBytes, randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { table, type State, type Table } from '../../state/state.js';
import { generateMaterial, type Material } from './material.js';

export interface Key {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly created: Date;
  readonly description: string;
  readonly usage: string;
  readonly spec: string;
  readonly origin: string;
  readonly manager: 'CUSTOMER' | 'AWS';
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport';
  readonly deletionDate?: Date;
  /** With principals as unique IDs. */
  readonly policy: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly multiRegion: boolean;
  readonly rotation?: { readonly days: number; readonly next: Date; readonly enabled: Date };
  readonly onDemandRotations: number;
}

export interface Alias {
  /** `alias/…`. */
  readonly name: string;
  readonly keyId: string;
  readonly created: Date;
  readonly updated: Date;
}

export interface StoredGrant {
  readonly id: string;
  readonly keyId: string;
  readonly token: string;
  readonly name?: string;
  readonly granteePrincipal: string;
  readonly retiringPrincipal?: string;
  readonly operations: readonly string[];
  readonly constraints?: { readonly EncryptionContextSubset?: Record<string, string>; readonly EncryptionContextEquals?: Record<string, string> };
  readonly issuingAccount: string;
  readonly created: Date;
}

const keyTable = table<Key>('kms', 'keys');
const aliasTable = table<Alias>('kms', 'aliases');
const grantTable = table<StoredGrant>('kms', 'grants');
const materialTable = table<Material>('kms', 'material');

export const keys = (state: State, account: string, region: string): Table<Key> => keyTable(state, account, region);
export const aliases = (state: State, account: string, region: string): Table<Alias> => aliasTable(state, account, region);
export const grants = (state: State, account: string, region: string): Table<StoredGrant> => grantTable(state, account, region);

export function keyArn(key: Pick<Key, 'account' | 'region' | 'id'>): string {
  return `arn:aws:kms:${key.region}:${key.account}:key/${key.id}`;
}

export function aliasArn(alias: Pick<Alias, 'name'>, account: string, region: string): string {
  return `arn:aws:kms:${region}:${account}:${alias.name}`;
}

export function saveKey(state: State, key: Key): void {
  keys(state, key.account, key.region).put(key.id, key);
}

export function material(state: State, key: Key): Material {
  return materialTable(state, key.account, key.region).get(key.id)!;
}

export function addKey(state: State, key: Key): void {
  state.transaction(() => {
    saveKey(state, key);
    if (key.origin === 'AWS_KMS') materialTable(state, key.account, key.region).put(key.id, generateMaterial(key.spec));
  });
}

/** Removes a key whose waiting period is over, with what hangs on it. */
function forgetKey(state: State, key: Key): void {
  state.transaction(() => {
    keys(state, key.account, key.region).delete(key.id);
    materialTable(state, key.account, key.region).delete(key.id);
    for (const alias of aliases(state, key.account, key.region).list()) if (alias.keyId === key.id) aliases(state, key.account, key.region).delete(alias.name);
    for (const grant of grants(state, key.account, key.region).list(key.id)) grants(state, key.account, key.region).delete(key.id, grant.id);
  });
}

/** A key whose waiting period has ended is gone for whoever asks next. */
export function isOver(key: Key, context: Pick<RequestContext, 'now'>): boolean {
  return key.deletionDate !== undefined && key.deletionDate <= context.now();
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MULTI_REGION_ID = /^mrk-[0-9a-f]{32}$/;

/**
 * The key that an ID, a key ARN, an alias name or an alias ARN means to the caller (KMS API reference, "KeyId"). Raises NotFoundException.
 * Key ARNs reach into other accounts and, like every KMS resource, stay in their region.
 */
export function resolveKey(given: string, context: RequestContext): Key {
  const arn = parseArn(given);
  const account = arn?.account ?? context.account;
  const region = arn?.region ?? context.region;
  const name = arn ? arn.resource.replace(/^key\//, '') : given;
  if (arn && (arn.service !== 'kms' || region !== context.region)) throw notFound(`Invalid arn ${region}`);
  if (name.startsWith('alias/')) {
    const alias = aliases(context.state, account, region).get(name) ?? awsManagedAlias(name, account, region, context);
    if (!alias) throw notFound(`Alias arn:aws:kms:${region}:${account}:${name} is not found.`);
    return keys(context.state, account, region).get(alias.keyId)!;
  }
  if (!UUID.test(name) && !MULTI_REGION_ID.test(name)) throw notFound(`Invalid keyId '${name}'`);
  const key = keys(context.state, account, region).get(name);
  if (key && isOver(key, context)) forgetKey(context.state, key);
  if (!key || isOver(key, context)) throw notFound(`Key 'arn:aws:kms:${region}:${account}:key/${name}' does not exist`);
  return key;
}

function notFound(message: string): AwsError {
  return new AwsError('NotFoundException', message, { status: 400 });
}

/** `alias/aws/s3` and its like exist as soon as something of that service is encrypted (KMS developer guide, "AWS managed keys"). */
function awsManagedAlias(name: string, account: string, region: string, context: RequestContext): Alias | undefined {
  const service = /^alias\/aws\/([a-z0-9]+)$/.exec(name)?.[1];
  if (service === undefined || account !== context.account) return undefined;
  const now = context.now();
  const key: Key = {
    id: randomUUID(), account, region, created: now, description: `Default key that protects my ${service.toUpperCase()} data when no other key is defined`, usage: 'ENCRYPT_DECRYPT',
    spec: 'SYMMETRIC_DEFAULT', origin: 'AWS_KMS', manager: 'AWS', state: 'Enabled', policy: awsManagedPolicy(service, account, region), tags: {}, multiRegion: false, onDemandRotations: 0,
  };
  const alias: Alias = { name, keyId: key.id, created: now, updated: now };
  context.state.transaction(() => {
    addKey(context.state, key);
    aliases(context.state, account, region).put(name, alias);
  });
  return alias;
}

function awsManagedPolicy(service: string, account: string, region: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: `auto-${service}-2`,
    Statement: [
      {
        Sid: `Allow access through ${service} for all principals in the account that are authorized to use it`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:CreateGrant', 'kms:DescribeKey'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `${service}.${region}.amazonaws.com` } },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
        Resource: '*',
      },
    ],
  });
}

/** The policy a key gets when it is made without one: the account decides (KMS developer guide, "Default key policy"). */
export function defaultPolicy(account: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [{ Sid: 'Enable IAM User Permissions', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
  });
}

export function newKeyId(multiRegion: boolean): string {
  return multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID();
}
