import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sm from '../../models/types/secretsmanager.js';
import { digestOf, givenValue, open, seal } from './seal.js';
import {
  invalidParameter, nextNumber, notFound, removeVersion, saveSecret, saveVersion, secretArn, secretOf, versionOf, versionsOf, type Secret, type Version,
} from './store.js';

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
/** Versions without a stage are deprecated; Secrets Manager deletes them when there are more than this. */
const MAX_VERSIONS = 100;

export async function getSecretValue(input: Sm.GetSecretValueRequest, context: RequestContext): Promise<Sm.GetSecretValueResponse> {
  const secret = secretOf(input.SecretId, context);
  const version = findVersion(secret, input, context);
  if (version.value === undefined) throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${input.VersionStage ?? CURRENT}`);
  const plain = await open(secret, version.id, version.value, context);
  touch(secret, version, context);
  return { ARN: secretArn(secret), Name: secret.name, VersionId: version.id, ...plain, VersionStages: [...version.stages], CreatedDate: version.created };
}

function findVersion(secret: Secret, { VersionId: id, VersionStage: stage }: Sm.GetSecretValueRequest, context: RequestContext): Version {
  if (id !== undefined) {
    const version = versionOf(context.state, secret, id);
    if (!version) throw notFound(`Secrets Manager can't find the specified secret value for VersionId: ${id}`);
    if (stage !== undefined && !version.stages.includes(stage)) throw new AwsError('InvalidRequestException', 'You provided a VersionStage that is not associated to the provided VersionId.', { status: 400 });
    return version;
  }
  const version = versionsOf(context.state, secret).find(({ stages }) => stages.includes(stage ?? CURRENT));
  if (!version) throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${stage ?? CURRENT}`);
  return version;
}

/** Reading is remembered by the day. */
function touch(secret: Secret, version: Version, context: RequestContext): void {
  const today = new Date(Math.floor(context.now().getTime() / 86_400_000) * 86_400_000);
  context.state.transaction(() => {
    if (secret.accessed?.getTime() !== today.getTime()) saveSecret(context.state, { ...secret, accessed: today });
    if (version.accessed?.getTime() !== today.getTime()) saveVersion(context.state, secret, { ...version, accessed: today });
  });
}

export async function batchGetSecretValue(input: Sm.BatchGetSecretValueRequest, ids: readonly string[], context: RequestContext): Promise<Sm.BatchGetSecretValueResponse> {
  const SecretValues: Sm.SecretValueEntry[] = [];
  const Errors: Sm.APIErrorType[] = [];
  for (const SecretId of ids) {
    try {
      SecretValues.push(await context.onBehalf.call<Sm.SecretValueEntry>('secretsmanager', 'GetSecretValue', { SecretId }));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Errors.push({ SecretId, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues, Errors };
}

export async function putSecretValue(input: Sm.PutSecretValueRequest, context: RequestContext): Promise<Sm.PutSecretValueResponse> {
  const secret = secretOf(input.SecretId, context);
  const value = givenValue(input);
  if (!value) throw new AwsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.', { status: 400 });
  const version = await addVersion(secret, input.ClientRequestToken ?? randomUUID(), value, input.VersionStages ?? [CURRENT], context);
  return { ARN: secretArn(secret), Name: secret.name, VersionId: version.id, VersionStages: [...version.stages] };
}

/** A new version with a value; the same token with the same value is the same version (API reference, PutSecretValue). */
export async function addVersion(secret: Secret, id: string, value: { kind: 'string' | 'binary'; bytes: Uint8Array }, stages: readonly string[], context: RequestContext): Promise<Version> {
  const { state } = context;
  const before = versionOf(state, secret, id);
  if (before?.value) {
    if (before.value.digest === digestOf(value)) return before;
    throw new AwsError('ResourceExistsException', `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secretArn(secret)}.`, { status: 400 });
  }
  const sealed = await seal(secret, id, value, context);
  return state.transaction(() => {
    const first = !versionsOf(state, secret).some((version) => version.stages.includes(CURRENT));
    const wanted = [...new Set([...(before?.stages ?? []), ...stages, ...(first ? [CURRENT] : [])])];
    saveSecret(state, { ...secret, changed: context.now() });
    saveVersion(state, secret, { id, number: before?.number ?? nextNumber(state, secret), created: context.now(), stages: before?.stages ?? [], value: sealed });
    for (const stage of wanted) moveStage(secret, stage, id, context);
    prune(secret, context);
    return versionOf(state, secret, id)!;
  });
}

/** Begins a version without a value: what a rotation's first step fills. */
export function beginVersion(secret: Secret, id: string, stage: string, context: RequestContext): void {
  context.state.transaction(() => {
    if (!versionOf(context.state, secret, id)) saveVersion(context.state, secret, { id, number: nextNumber(context.state, secret), created: context.now(), stages: [] });
    moveStage(secret, stage, id, context);
  });
}

/** A stage is at one version at a time; whoever loses AWSCURRENT becomes AWSPREVIOUS. */
function moveStage(secret: Secret, stage: string, to: string, context: RequestContext): void {
  const { state } = context;
  const holder = versionsOf(state, secret).find((version) => version.stages.includes(stage));
  if (holder?.id === to) return;
  // A version that was current and pending is neither once another is current (recorded).
  if (holder) saveVersion(state, secret, { ...holder, stages: holder.stages.filter((one) => one !== stage && !(stage === CURRENT && one === 'AWSPENDING')) });
  const target = versionOf(state, secret, to)!;
  saveVersion(state, secret, { ...target, stages: [...target.stages, stage].sort() });
  if (stage !== CURRENT) return;
  const current = versionOf(state, secret, to)!;
  if (current.stages.includes(PREVIOUS)) saveVersion(state, secret, { ...current, stages: current.stages.filter((one) => one !== PREVIOUS) });
  if (holder) moveStage(secret, PREVIOUS, holder.id, context);
}

function prune(secret: Secret, { state }: RequestContext): void {
  const all = versionsOf(state, secret);
  for (const version of all.filter(({ stages }) => stages.length === 0).slice(0, Math.max(0, all.length - MAX_VERSIONS))) removeVersion(state, secret, version);
}

export function updateSecretVersionStage(input: Sm.UpdateSecretVersionStageRequest, context: RequestContext): Sm.UpdateSecretVersionStageResponse {
  const secret = secretOf(input.SecretId, context);
  const { VersionStage: stage, RemoveFromVersionId: from, MoveToVersionId: to } = input;
  const { state } = context;
  for (const id of [from, to]) if (id !== undefined && !versionOf(state, secret, id)) throw notFound(`Secrets Manager can't find the specified secret version: ${id}.`);
  const holder = versionsOf(state, secret).find((version) => version.stages.includes(stage));
  if (to === undefined && from === undefined) throw invalidParameter('You must provide either RemoveFromVersionId or MoveToVersionId.');
  if (to === undefined && stage === CURRENT) throw invalidParameter("You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.");
  if (holder && holder.id !== to && holder.id !== from) {
    const reason = from === undefined ? "The parameter RemoveFromVersionId can't be empty." : `The parameter RemoveFromVersionId can't be ${from}.`;
    throw invalidParameter(`${reason} Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`);
  }
  state.transaction(() => {
    if (to !== undefined) moveStage(secret, stage, to, context);
    else if (holder) saveVersion(state, secret, { ...holder, stages: holder.stages.filter((one) => one !== stage) });
    saveSecret(state, { ...secret, changed: context.now() });
  });
  return { ARN: secretArn(secret), Name: secret.name };
}

export function listSecretVersionIds(input: Sm.ListSecretVersionIdsRequest, context: RequestContext): Sm.ListSecretVersionIdsResponse {
  const secret = secretOf(input.SecretId, context, { deleted: true });
  const all = versionsOf(context.state, secret).filter(({ stages }) => input.IncludeDeprecated || stages.length > 0);
  const start = input.NextToken === undefined ? 0 : Number(Buffer.from(input.NextToken, 'base64url').toString('utf8'));
  const end = start + (input.MaxResults ?? 100);
  return {
    ARN: secretArn(secret),
    Name: secret.name,
    Versions: all.slice(start, end).map((version) => ({
      VersionId: version.id,
      VersionStages: [...version.stages],
      CreatedDate: version.created,
      ...(version.accessed ? { LastAccessedDate: version.accessed } : {}),
      KmsKeyIds: [version.value?.keyId ?? 'DefaultEncryptionKey'],
    })),
    ...(end < all.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {}),
  };
}
