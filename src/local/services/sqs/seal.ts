import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { queueArn, type Queue, type StoredMessage } from './store.js';

/** The body as it is stored: under a data key that the sender must be allowed to make (developer guide, "SQS key management"). */
export async function seal(queue: Queue, body: string, context: RequestContext): Promise<Pick<StoredMessage, 'body' | 'dataKey' | 'sealedFor'>> {
  const KeyId = queue.attributes['KmsMasterKeyId'];
  if (KeyId === undefined) return { body };
  const key = await kms<{ Plaintext: Uint8Array; CiphertextBlob: Uint8Array }>('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }, queueArn(queue), context);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.Plaintext, iv);
  const sealed = Buffer.concat([cipher.update(body, 'utf8'), cipher.final()]);
  return { body: Buffer.concat([iv, cipher.getAuthTag(), sealed]), dataKey: key.CiphertextBlob, sealedFor: queueArn(queue) };
}

export async function open(message: StoredMessage, context: RequestContext): Promise<string> {
  if (message.dataKey === undefined) return message.body as string;
  const { Plaintext } = await kms<{ Plaintext: Uint8Array }>('Decrypt', { CiphertextBlob: message.dataKey }, message.sealedFor!, context);
  const bytes = Buffer.from(message.body as Uint8Array);
  const decipher = createDecipheriv('aes-256-gcm', Plaintext, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
}

async function kms<O>(operation: string, input: Record<string, unknown>, arn: string, context: RequestContext): Promise<O> {
  try {
    return await context.onBehalf.call<O>('kms', operation, { ...input, EncryptionContext: { 'aws:sqs:arn': arn } });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError(CODES[error.code] ?? error.code, error.message, { status: 400 });
  }
}

const CODES: Readonly<Record<string, string>> = {
  AccessDeniedException: 'KmsAccessDenied', DisabledException: 'KmsDisabled', KMSInvalidStateException: 'KmsInvalidState', NotFoundException: 'KmsNotFound', InvalidKeyUsageException: 'KmsInvalidKeyUsage',
};
