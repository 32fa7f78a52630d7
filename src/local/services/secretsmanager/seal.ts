import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { invalidParameter, invalidRequest, secretArn, type SealedValue, type Secret } from './store.js';

export interface PlainValue {
  readonly SecretString?: string;
  readonly SecretBinary?: Uint8Array;
}

/** The value that was given, or undefined; both at once can't be. */
export function givenValue(input: PlainValue): { kind: 'string' | 'binary'; bytes: Uint8Array } | undefined {
  if (input.SecretString !== undefined && input.SecretBinary !== undefined) throw invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.");
  if (input.SecretString !== undefined) return { kind: 'string', bytes: Buffer.from(input.SecretString) };
  return input.SecretBinary === undefined ? undefined : { kind: 'binary', bytes: input.SecretBinary };
}

export function digestOf(value: { kind: string; bytes: Uint8Array }): string {
  return createHash('sha256').update(value.kind).update(value.bytes).digest('hex');
}

/** Encrypts a value with a data key that KMS makes for the caller (user guide, "Secret encryption and decryption"). */
export async function seal(secret: Secret, versionId: string, value: { kind: 'string' | 'binary'; bytes: Uint8Array }, context: RequestContext): Promise<SealedValue> {
  const KeyId = secret.kmsKeyId ?? DEFAULT_KEY;
  refuseDefaultAcrossAccounts(secret, context);
  const key = await kms<{ Plaintext: Uint8Array; CiphertextBlob: Uint8Array; KeyId: string }>('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }, secret, versionId, 'EncryptionFailure', context);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.Plaintext, iv);
  const body = Buffer.concat([cipher.update(value.bytes), cipher.final()]);
  return {
    kind: value.kind,
    sealed: Buffer.concat([iv, cipher.getAuthTag(), body]),
    dataKey: key.CiphertextBlob,
    keyId: secret.kmsKeyId === undefined ? 'DefaultEncryptionKey' : key.KeyId,
    digest: digestOf(value),
  };
}

export async function open(secret: Secret, versionId: string, value: SealedValue, context: RequestContext): Promise<PlainValue> {
  refuseDefaultAcrossAccounts(secret, context);
  const { Plaintext } = await kms<{ Plaintext: Uint8Array }>('Decrypt', { CiphertextBlob: value.dataKey }, secret, versionId, 'DecryptionFailure', context);
  const bytes = Buffer.from(value.sealed);
  const decipher = createDecipheriv('aes-256-gcm', Plaintext, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  return value.kind === 'string' ? { SecretString: plain.toString('utf8') } : { SecretBinary: plain };
}

const DEFAULT_KEY = 'alias/aws/secretsmanager';

function refuseDefaultAcrossAccounts(secret: Secret, context: RequestContext): void {
  if (secret.kmsKeyId === undefined && secret.account !== context.account)
    throw invalidRequest("You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.");
}

async function kms<O>(operation: string, input: Record<string, unknown>, secret: Secret, versionId: string, failure: string, context: RequestContext): Promise<O> {
  try {
    return await context.onBehalf.call<O>('kms', operation, { ...input, EncryptionContext: { SecretARN: secretArn(secret), SecretVersionId: versionId } });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (/^AccessDenied/.test(error.code)) throw new AwsError('AccessDeniedException', 'Access to KMS is not allowed', { status: 400 });
    throw new AwsError(failure, `${failure === 'EncryptionFailure' ? "Secrets Manager can't encrypt the protected secret text using the provided KMS key" : "Secrets Manager can't decrypt the protected secret text using the provided KMS key"}. ${error.message}`, { status: 400 });
  }
}
