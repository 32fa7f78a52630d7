import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';

/** The secret of a key: bytes, or a key pair in DER. */
export interface Material {
  readonly id: string;
  readonly secret: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly publicKey?: Uint8Array;
}

export interface SpecInfo {
  readonly usages: readonly string[];
  readonly encryption?: readonly string[];
  readonly signing?: readonly string[];
  readonly mac?: readonly string[];
  readonly agreement?: readonly string[];
}

const RSA: SpecInfo = {
  usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
  encryption: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  signing: ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512', 'RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512'],
};

/** Key specs and what they can do (KMS developer guide, "Key spec reference"). */
export const SPECS: Readonly<Record<string, SpecInfo>> = {
  SYMMETRIC_DEFAULT: { usages: ['ENCRYPT_DECRYPT'], encryption: ['SYMMETRIC_DEFAULT'] },
  RSA_2048: RSA,
  RSA_3072: RSA,
  RSA_4096: RSA,
  ECC_NIST_P256: { usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'], signing: ['ECDSA_SHA_256'], agreement: ['ECDH'] },
  ECC_NIST_P384: { usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'], signing: ['ECDSA_SHA_384'], agreement: ['ECDH'] },
  ECC_NIST_P521: { usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'], signing: ['ECDSA_SHA_512'], agreement: ['ECDH'] },
  ECC_SECG_P256K1: { usages: ['SIGN_VERIFY'], signing: ['ECDSA_SHA_256'] },
  HMAC_224: { usages: ['GENERATE_VERIFY_MAC'], mac: ['HMAC_SHA_224'] },
  HMAC_256: { usages: ['GENERATE_VERIFY_MAC'], mac: ['HMAC_SHA_256'] },
  HMAC_384: { usages: ['GENERATE_VERIFY_MAC'], mac: ['HMAC_SHA_384'] },
  HMAC_512: { usages: ['GENERATE_VERIFY_MAC'], mac: ['HMAC_SHA_512'] },
};

export const SPKI = { type: 'spki', format: 'der' } as const;
export const PKCS8 = { type: 'pkcs8', format: 'der' } as const;

export const CURVES: Readonly<Record<string, string>> = { ECC_NIST_P256: 'prime256v1', ECC_NIST_P384: 'secp384r1', ECC_NIST_P521: 'secp521r1', ECC_SECG_P256K1: 'secp256k1' };

export function generateMaterial(spec: string): Material {
  const id = randomBytes(32).toString('hex');
  if (spec === 'SYMMETRIC_DEFAULT') return { id, secret: randomBytes(32) };
  if (spec.startsWith('HMAC_')) return { id, secret: randomBytes(Number(spec.slice(5)) / 8) };
  if (spec.startsWith('RSA_')) {
    const pair = generateKeyPairSync('rsa', { modulusLength: Number(spec.slice(4)), publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 });
    return { id, secret: pair.privateKey, publicKey: pair.publicKey };
  }
  const namedCurve = CURVES[spec];
  if (!namedCurve) throw new AwsError('UnsupportedOperationException', `The local cloud makes no keys of the spec ${spec}`, { status: 400 });
  const pair = generateKeyPairSync('ec', { namedCurve, publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 });
  return { id, secret: pair.privateKey, publicKey: pair.publicKey };
}
