import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { bucketArn, type Bucket, type Encryption } from './store.js';

interface EncryptionInput {
  readonly ServerSideEncryption?: string;
  readonly SSEKMSKeyId?: string;
  readonly SSEKMSEncryptionContext?: string;
  readonly BucketKeyEnabled?: boolean;
  readonly SSECustomerAlgorithm?: string;
  readonly SSECustomerKey?: string;
  readonly SSECustomerKeyMD5?: string;
}

/** How an object's bytes are kept: what to note, and the transformation of the bytes. */
export interface Seal {
  readonly encryption: Encryption;
  readonly seal: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/**
 * Server-side encryption as the request, or else the bucket's default, asks for it (S3 user guide, "Protecting data with encryption").
 * With a KMS key the data key is really made by KMS in the caller's name, so a caller without `kms:GenerateDataKey` is refused.
 */
export async function sealFor(input: EncryptionInput, bucket: Bucket, key: string, context: RequestContext): Promise<Seal> {
  if (input.SSECustomerAlgorithm !== undefined || input.SSECustomerKey !== undefined) return customerSeal(input);
  const standard = defaultEncryption(bucket);
  const algorithm = input.ServerSideEncryption ?? (input.SSEKMSKeyId ? 'aws:kms' : standard.SSEAlgorithm);
  if (algorithm !== 'AES256' && algorithm !== 'aws:kms' && algorithm !== 'aws:kms:dsse')
    throw new AwsError('InvalidArgument', 'The encryption method specified is not supported', { status: 400, fields: { ArgumentName: 'x-amz-server-side-encryption', ArgumentValue: algorithm } });
  if (algorithm === 'AES256') {
    if (input.SSEKMSKeyId)
      throw new AwsError('InvalidArgument', 'Server Side Encryption with Customer provided key is incompatible with the encryption method specified', { status: 400, fields: { ArgumentName: 'x-amz-server-side-encryption', ArgumentValue: algorithm } });
    return { encryption: { algorithm }, seal: (bytes) => bytes };
  }
  return kmsSeal(algorithm, input, standard, bucket, key, context);
}

async function kmsSeal(algorithm: 'aws:kms' | 'aws:kms:dsse', input: EncryptionInput, standard: DefaultEncryption, bucket: Bucket, key: string, context: RequestContext): Promise<Seal> {
  const keyId = input.SSEKMSKeyId ?? standard.KMSMasterKeyID ?? 'alias/aws/s3';
  const bucketKey = input.BucketKeyEnabled ?? standard.BucketKeyEnabled ?? false;
  const given = input.SSEKMSEncryptionContext === undefined ? {} : parseContext(input.SSEKMSEncryptionContext);
  const encryptionContext = { ...given, 'aws:s3:arn': bucketKey ? bucketArn(bucket.name) : `${bucketArn(bucket.name)}/${key}` };
  const made = await context.onBehalf
    .in(bucket.region)
    .call<{ Plaintext: Uint8Array; CiphertextBlob: Uint8Array; KeyId: string }>('kms', 'GenerateDataKey', { KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: encryptionContext })
    .catch((error: unknown) => {
      throw kmsError(error);
    });
  const vector = randomBytes(16);
  return {
    encryption: { algorithm, keyId: made.KeyId, bucketKey, wrappedKey: made.CiphertextBlob, vector, context: encryptionContext },
    seal: (bytes) => cipher(bytes, made.Plaintext, vector, 0),
  };
}

function customerSeal(input: EncryptionInput): Seal {
  const key = customerKey(input);
  const vector = randomBytes(16);
  return { encryption: { algorithm: 'customer', customerKeyMd5: input.SSECustomerKeyMD5!, vector }, seal: (bytes) => cipher(bytes, key, vector, 0) };
}

function customerKey(input: EncryptionInput): Buffer {
  const key = Buffer.from(input.SSECustomerKey ?? '', 'base64');
  if (input.SSECustomerAlgorithm !== 'AES256' || key.length !== 32)
    throw new AwsError('InvalidArgument', 'The secret key was invalid for the specified algorithm.', { status: 400, fields: { ArgumentName: 'x-amz-server-side-encryption' } });
  if (createHash('md5').update(key).digest('base64') !== input.SSECustomerKeyMD5)
    throw new AwsError('InvalidArgument', 'The calculated MD5 hash of the key did not match the hash that was provided.', { status: 400, fields: { ArgumentName: 'x-amz-server-side-encryption' } });
  return key;
}

/** Opens an object for reading from byte `start`: KMS decrypts the data key in the caller's name, or the caller brings its own. */
export async function unsealer(
  encryption: Encryption,
  input: EncryptionInput,
  bucket: Bucket,
  context: RequestContext,
): Promise<(bytes: AsyncIterable<Uint8Array>, start: number) => AsyncIterable<Uint8Array>> {
  if (encryption.algorithm === 'customer') {
    if (!input.SSECustomerKey)
      throw new AwsError('InvalidRequest', 'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.', { status: 400 });
    const key = customerKey(input);
    if (input.SSECustomerKeyMD5 !== encryption.customerKeyMd5) throw new AwsError('AccessDenied', 'Access Denied', { status: 403 });
    return (bytes, start) => cipher(bytes, key, encryption.vector!, start);
  }
  if (!encryption.wrappedKey) return (bytes) => bytes;
  const opened = await context.onBehalf
    .in(bucket.region)
    .call<{ Plaintext: Uint8Array }>('kms', 'Decrypt', { CiphertextBlob: encryption.wrappedKey, EncryptionContext: encryption.context ?? {} })
    .catch((error: unknown) => {
      throw kmsError(error);
    });
  return (bytes, start) => cipher(bytes, opened.Plaintext, encryption.vector!, start);
}

/** KMS's refusals as S3 passes them on. */
function kmsError(error: unknown): unknown {
  if (!(error instanceof AwsError)) return error;
  if (error.code === 'AccessDeniedException') return new AwsError('AccessDenied', error.message, { status: 403 });
  if (/^(NotFound|Disabled|KMSInvalidState|InvalidKeyUsage)/.test(error.code)) return new AwsError(`KMS.${error.code}`, error.message, { status: 400 });
  return error;
}

/** AES-256 in counter mode: any byte can be reached, so a range costs no more than itself. */
async function* cipher(bytes: AsyncIterable<Uint8Array>, key: Uint8Array, vector: Uint8Array, start: number): AsyncGenerator<Uint8Array> {
  const counter = Buffer.from(vector);
  let carry = Math.floor(start / 16);
  for (let i = 15; i >= 0 && carry > 0; i--) {
    carry += counter[i]!;
    counter[i] = carry & 0xff;
    carry = Math.floor(carry / 256);
  }
  const stream = createCipheriv('aes-256-ctr', key, counter);
  if (start % 16 > 0) stream.update(Buffer.alloc(start % 16));
  for await (const chunk of bytes) yield stream.update(chunk);
}

interface DefaultEncryption {
  readonly SSEAlgorithm: string;
  readonly KMSMasterKeyID?: string;
  readonly BucketKeyEnabled?: boolean;
}

/** Since January 2023 every bucket encrypts with AES256 unless it says otherwise. */
function defaultEncryption(bucket: Bucket): DefaultEncryption {
  const set = bucket.configuration['encryption'] as { Rules?: { ApplyServerSideEncryptionByDefault?: DefaultEncryption; BucketKeyEnabled?: boolean }[] } | undefined;
  const rule = set?.Rules?.[0];
  return { SSEAlgorithm: 'AES256', ...rule?.ApplyServerSideEncryptionByDefault, ...(rule?.BucketKeyEnabled === undefined ? {} : { BucketKeyEnabled: rule.BucketKeyEnabled }) };
}

function parseContext(text: string): Record<string, string> {
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Record<string, string>;
  } catch {
    throw new AwsError('InvalidArgument', 'The header x-amz-server-side-encryption-context is not a base64-encoded JSON document', { status: 400 });
  }
}

/** Members that tell a caller how an object is encrypted. */
export function encryptionOutput(encryption: Encryption): Record<string, unknown> {
  if (encryption.algorithm === 'customer') return { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: encryption.customerKeyMd5 };
  return {
    ServerSideEncryption: encryption.algorithm,
    SSEKMSKeyId: encryption.keyId,
    ...(encryption.bucketKey ? { BucketKeyEnabled: true } : {}),
  };
}
