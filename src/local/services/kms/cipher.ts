import { constants, createCipheriv, createDecipheriv, createHmac, createPrivateKey, createPublicKey, privateDecrypt, publicEncrypt, randomBytes, sign as signData, timingSafeEqual, verify as verifyData } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { Material } from './material.js';
import { keyArn, type Key } from './store.js';

/** Leads every symmetric ciphertext made here. */
const MAGIC = Buffer.from([0x01, 0x02, 0x02, 0x00]);

/**
 * Ciphertext of a symmetric key: it names its key, so Decrypt needs no KeyId; the encryption context is authenticated with it, so Decrypt
 * with another context fails (KMS developer guide, "Encryption context").
 */
export function encryptSymmetric(key: Key, material: Material, plaintext: Uint8Array, context: Readonly<Record<string, string>> | undefined): Uint8Array {
  const name = Buffer.from(keyArn(key));
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', material.secret, iv);
  cipher.setAAD(authenticated(context));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(name.length);
  return Buffer.concat([MAGIC, length, name, iv, cipher.getAuthTag(), body]);
}

/** ARN of the key a symmetric ciphertext was made with; undefined when it isn't one. */
export function keyOfCiphertext(blob: Uint8Array): string | undefined {
  const bytes = Buffer.from(blob);
  if (bytes.length < 34 || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  const length = bytes.readUInt16BE(4);
  const name = bytes.subarray(6, 6 + length).toString('utf8');
  return name.startsWith('arn:aws:kms:') && bytes.length >= 6 + length + 28 ? name : undefined;
}

export function decryptSymmetric(material: Material, blob: Uint8Array, context: Readonly<Record<string, string>> | undefined): Uint8Array {
  const bytes = Buffer.from(blob);
  const start = 6 + bytes.readUInt16BE(4);
  const decipher = createDecipheriv('aes-256-gcm', material.secret, bytes.subarray(start, start + 12));
  decipher.setAAD(authenticated(context));
  decipher.setAuthTag(bytes.subarray(start + 12, start + 28));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(start + 28)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

export function invalidCiphertext(): AwsError {
  return new AwsError('InvalidCiphertextException', '', { status: 400 });
}

function authenticated(context: Readonly<Record<string, string>> | undefined): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))));
}

const OAEP_HASH: Readonly<Record<string, string>> = { RSAES_OAEP_SHA_1: 'sha1', RSAES_OAEP_SHA_256: 'sha256' };

export function encryptAsymmetric(key: Key, material: Material, plaintext: Uint8Array, algorithm: string): Uint8Array {
  const limit = Number(key.spec.slice(4)) / 8 - 2 - 2 * (algorithm.endsWith('_1') ? 20 : 32);
  if (plaintext.byteLength > limit) throw new AwsError('ValidationException', `Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than ${limit} bytes.`, { status: 400 });
  return publicEncrypt({ key: createPublicKey({ key: Buffer.from(material.publicKey!), format: 'der', type: 'spki' }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: OAEP_HASH[algorithm]! }, plaintext);
}

export function decryptAsymmetric(material: Material, blob: Uint8Array, algorithm: string): Uint8Array {
  try {
    return privateDecrypt({ key: privateKey(material), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: OAEP_HASH[algorithm]! }, blob);
  } catch {
    throw invalidCiphertext();
  }
}

function privateKey(material: Material) {
  return createPrivateKey({ key: Buffer.from(material.secret), format: 'der', type: 'pkcs8' });
}

export function signMessage(material: Material, message: Uint8Array, algorithm: string, digest: boolean): Uint8Array {
  return signData(digest ? null : hashOf(algorithm), digest ? prepared(message, algorithm) : message, { key: privateKey(material), ...scheme(algorithm) });
}

export function verifyMessage(material: Material, message: Uint8Array, signature: Uint8Array, algorithm: string, digest: boolean): boolean {
  const key = createPublicKey({ key: Buffer.from(material.publicKey!), format: 'der', type: 'spki' });
  return verifyData(digest ? null : hashOf(algorithm), digest ? prepared(message, algorithm) : message, { key, ...scheme(algorithm) }, signature);
}

function scheme(algorithm: string): { padding?: number; saltLength?: number; dsaEncoding?: 'der' } {
  if (algorithm.startsWith('RSASSA_PSS')) return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return algorithm.startsWith('ECDSA') ? { dsaEncoding: 'der' } : { padding: constants.RSA_PKCS1_PADDING };
}

/** A message given as a digest can't be signed by Node for the RSA schemes without hashing it again. */
function prepared(message: Uint8Array, algorithm: string): Uint8Array {
  if (algorithm.startsWith('ECDSA')) return message;
  throw new AwsError('UnsupportedOperationException', `The local cloud signs digests with ECDSA only, not with ${algorithm}; send the message itself`, { status: 400 });
}

function hashOf(algorithm: string): string {
  return `sha${algorithm.slice(-3)}`;
}

export function mac(material: Material, message: Uint8Array, algorithm: string): Uint8Array {
  return createHmac(hashOf(algorithm), material.secret).update(message).digest();
}

export function sameMac(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
