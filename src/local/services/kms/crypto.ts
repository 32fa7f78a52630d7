import { createPublicKey, diffieHellman, createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Kms from '../../models/types/kms.js';
import { decryptAsymmetric, decryptSymmetric, encryptAsymmetric, encryptSymmetric, invalidCiphertext, keyOfCiphertext, mac, sameMac, signMessage, verifyMessage } from './cipher.js';
import { invalidState } from './keys.js';
import { CURVES, PKCS8, SPECS, SPKI } from './material.js';
import { keyArn, material, resolveKey, type Key } from './store.js';

/** Raises unless the key is there for this use: enabled, and of the right usage. */
function usable(key: Key, usage: string, operation: string): Key {
  if (key.state === 'Disabled') throw new AwsError('DisabledException', `${keyArn(key)} is disabled.`, { status: 400 });
  if (key.state === 'PendingDeletion') throw invalidState(key, 'is pending deletion');
  if (key.state === 'PendingImport') throw invalidState(key, 'is pending import');
  if (key.usage !== usage) throw new AwsError('InvalidKeyUsageException', `${keyArn(key)} key usage is ${key.usage} which is not valid for ${operation}.`, { status: 400 });
  return key;
}

export function encrypt(input: Kms.EncryptRequest, context: RequestContext): Kms.EncryptResponse {
  const key = usable(resolveKey(input.KeyId, context), 'ENCRYPT_DECRYPT', 'Encrypt');
  const algorithm = checkAlgorithm(key, input.EncryptionAlgorithm);
  return { CiphertextBlob: seal(key, input.Plaintext, algorithm, input.EncryptionContext, context), KeyId: keyArn(key), EncryptionAlgorithm: algorithm as never };
}

function seal(key: Key, plaintext: Uint8Array, algorithm: string, encryptionContext: Record<string, string> | undefined, context: RequestContext): Uint8Array {
  return algorithm === 'SYMMETRIC_DEFAULT' ? encryptSymmetric(key, material(context.state, key), plaintext, encryptionContext) : encryptAsymmetric(key, material(context.state, key), plaintext, algorithm);
}

function checkAlgorithm(key: Key, algorithm: string | undefined): string {
  const asked = algorithm ?? 'SYMMETRIC_DEFAULT';
  if (!SPECS[key.spec]!.encryption?.includes(asked)) throw new AwsError('InvalidKeyUsageException', `Algorithm ${asked} and key spec ${key.spec} are incompatible.`, { status: 400 });
  return asked;
}

/** The key a ciphertext is to be opened with; raises where the caller names another than it was made with. */
export function keyForDecrypt(blob: Uint8Array | undefined, keyId: string | undefined, algorithm: string | undefined, context: RequestContext): Key {
  const given = keyId === undefined ? undefined : resolveKey(keyId, context);
  if ((algorithm ?? 'SYMMETRIC_DEFAULT') !== 'SYMMETRIC_DEFAULT') {
    if (!given) throw new AwsError('ValidationException', 'KeyId is required for asymmetric keys.', { status: 400 });
    return given;
  }
  const name = blob && keyOfCiphertext(blob);
  if (given && (given.spec !== 'SYMMETRIC_DEFAULT' || (name !== undefined && name !== keyArn(given))))
    throw new AwsError('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.', { status: 400 });
  if (name === undefined) throw invalidCiphertext();
  return given ?? resolveKey(name, context);
}

export function decrypt(input: Kms.DecryptRequest, context: RequestContext): Kms.DecryptResponse {
  const blob = input.CiphertextBlob;
  if (!blob) throw invalidCiphertext();
  const key = usable(keyForDecrypt(blob, input.KeyId, input.EncryptionAlgorithm, context), 'ENCRYPT_DECRYPT', 'Decrypt');
  const algorithm = checkAlgorithm(key, input.EncryptionAlgorithm);
  const secret = material(context.state, key);
  return {
    KeyId: keyArn(key),
    Plaintext: open(key, blob, algorithm, input.EncryptionContext, context),
    EncryptionAlgorithm: algorithm as never,
    ...(algorithm === 'SYMMETRIC_DEFAULT' ? { KeyMaterialId: secret.id } : {}),
  };
}

function open(key: Key, blob: Uint8Array, algorithm: string, encryptionContext: Record<string, string> | undefined, context: RequestContext): Uint8Array {
  return algorithm === 'SYMMETRIC_DEFAULT' ? decryptSymmetric(material(context.state, key), blob, encryptionContext) : decryptAsymmetric(material(context.state, key), blob, algorithm);
}

export function reEncrypt(input: Kms.ReEncryptRequest, context: RequestContext): Kms.ReEncryptResponse {
  const source = usable(keyForDecrypt(input.CiphertextBlob, input.SourceKeyId, input.SourceEncryptionAlgorithm, context), 'ENCRYPT_DECRYPT', 'ReEncrypt');
  const sourceAlgorithm = checkAlgorithm(source, input.SourceEncryptionAlgorithm);
  const target = usable(resolveKey(input.DestinationKeyId, context), 'ENCRYPT_DECRYPT', 'ReEncrypt');
  const targetAlgorithm = checkAlgorithm(target, input.DestinationEncryptionAlgorithm);
  const plaintext = open(source, input.CiphertextBlob ?? new Uint8Array(), sourceAlgorithm, input.SourceEncryptionContext, context);
  return {
    CiphertextBlob: seal(target, plaintext, targetAlgorithm, input.DestinationEncryptionContext, context),
    SourceKeyId: keyArn(source),
    KeyId: keyArn(target),
    SourceEncryptionAlgorithm: sourceAlgorithm as never,
    DestinationEncryptionAlgorithm: targetAlgorithm as never,
    ...(sourceAlgorithm === 'SYMMETRIC_DEFAULT' ? { SourceKeyMaterialId: material(context.state, source).id } : {}),
    ...(targetAlgorithm === 'SYMMETRIC_DEFAULT' ? { DestinationKeyMaterialId: material(context.state, target).id } : {}),
  };
}

export function generateDataKey(input: Kms.GenerateDataKeyRequest, context: RequestContext): Kms.GenerateDataKeyResponse {
  const key = usable(resolveKey(input.KeyId, context), 'ENCRYPT_DECRYPT', context.operation);
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw new AwsError('InvalidKeyUsageException', `${keyArn(key)} key spec is ${key.spec} which is not valid for ${context.operation}.`, { status: 400 });
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined))
    throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.', { status: 400 });
  const plaintext = randomBytes(input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32));
  const secret = material(context.state, key);
  return { CiphertextBlob: encryptSymmetric(key, secret, plaintext, input.EncryptionContext), Plaintext: plaintext, KeyId: keyArn(key), KeyMaterialId: secret.id };
}

export function generateDataKeyWithoutPlaintext(input: Kms.GenerateDataKeyWithoutPlaintextRequest, context: RequestContext): Kms.GenerateDataKeyWithoutPlaintextResponse {
  const { Plaintext: _, ...rest } = generateDataKey(input.KeySpec === undefined && input.NumberOfBytes === undefined ? { ...input, KeySpec: 'AES_256' } : input, context);
  return rest;
}

export function generateDataKeyPair(input: Kms.GenerateDataKeyPairRequest, context: RequestContext): Kms.GenerateDataKeyPairResponse {
  const key = usable(resolveKey(input.KeyId, context), 'ENCRYPT_DECRYPT', context.operation);
  const spec = input.KeyPairSpec as string;
  const curve = CURVES[spec];
  if (!curve && !spec.startsWith('RSA_')) throw new AwsError('UnsupportedOperationException', `The local cloud makes no key pairs of the spec ${spec}`, { status: 400 });
  const pair = curve ? generateKeyPairSync('ec', { namedCurve: curve, publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 }) : generateKeyPairSync('rsa', { modulusLength: Number(spec.slice(4)), publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 });
  const secret = material(context.state, key);
  return {
    PrivateKeyPlaintext: pair.privateKey,
    PrivateKeyCiphertextBlob: encryptSymmetric(key, secret, pair.privateKey, input.EncryptionContext),
    PublicKey: pair.publicKey,
    KeyId: keyArn(key),
    KeyPairSpec: input.KeyPairSpec,
    KeyMaterialId: secret.id,
  };
}

export function generateRandom(input: Kms.GenerateRandomRequest): Kms.GenerateRandomResponse {
  return { Plaintext: randomBytes(input.NumberOfBytes ?? 32) };
}

export function getPublicKey(input: Kms.GetPublicKeyRequest, context: RequestContext): Kms.GetPublicKeyResponse {
  const key = resolveKey(input.KeyId, context);
  const secret = material(context.state, key);
  if (!secret.publicKey) throw new AwsError('UnsupportedOperationException', '', { status: 400 });
  const info = SPECS[key.spec]!;
  return {
    KeyId: keyArn(key), PublicKey: secret.publicKey, KeySpec: key.spec as never, CustomerMasterKeySpec: key.spec as never, KeyUsage: key.usage as never,
    ...(key.usage === 'SIGN_VERIFY' ? { SigningAlgorithms: info.signing as never } : {}),
    ...(key.usage === 'ENCRYPT_DECRYPT' ? { EncryptionAlgorithms: info.encryption as never } : {}),
    ...(key.usage === 'KEY_AGREEMENT' ? { KeyAgreementAlgorithms: info.agreement as never } : {}),
  };
}

export function sign(input: Kms.SignRequest, context: RequestContext): Kms.SignResponse {
  const key = usable(resolveKey(input.KeyId, context), 'SIGN_VERIFY', 'Sign');
  checkSigning(key, input.SigningAlgorithm);
  return { KeyId: keyArn(key), Signature: signMessage(material(context.state, key), input.Message, input.SigningAlgorithm, input.MessageType === 'DIGEST'), SigningAlgorithm: input.SigningAlgorithm };
}

export function verify(input: Kms.VerifyRequest, context: RequestContext): Kms.VerifyResponse {
  const key = usable(resolveKey(input.KeyId, context), 'SIGN_VERIFY', 'Verify');
  checkSigning(key, input.SigningAlgorithm);
  if (!verifyMessage(material(context.state, key), input.Message, input.Signature, input.SigningAlgorithm, input.MessageType === 'DIGEST')) throw new AwsError('KMSInvalidSignatureException', '', { status: 400 });
  return { KeyId: keyArn(key), SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
}

function checkSigning(key: Key, algorithm: string): void {
  if (!SPECS[key.spec]!.signing?.includes(algorithm)) throw new AwsError('InvalidKeyUsageException', `Algorithm ${algorithm} and key spec ${key.spec} are incompatible.`, { status: 400 });
}

export function generateMac(input: Kms.GenerateMacRequest, context: RequestContext): Kms.GenerateMacResponse {
  const key = usable(resolveKey(input.KeyId, context), 'GENERATE_VERIFY_MAC', 'GenerateMac');
  checkMac(key, input.MacAlgorithm);
  return { KeyId: keyArn(key), Mac: mac(material(context.state, key), input.Message, input.MacAlgorithm), MacAlgorithm: input.MacAlgorithm };
}

export function verifyMac(input: Kms.VerifyMacRequest, context: RequestContext): Kms.VerifyMacResponse {
  const key = usable(resolveKey(input.KeyId, context), 'GENERATE_VERIFY_MAC', 'VerifyMac');
  checkMac(key, input.MacAlgorithm);
  if (!sameMac(mac(material(context.state, key), input.Message, input.MacAlgorithm), input.Mac)) throw new AwsError('KMSInvalidMacException', '', { status: 400 });
  return { KeyId: keyArn(key), MacValid: true, MacAlgorithm: input.MacAlgorithm };
}

function checkMac(key: Key, algorithm: string): void {
  if (!SPECS[key.spec]!.mac?.includes(algorithm)) throw new AwsError('InvalidKeyUsageException', `Algorithm ${algorithm} and key spec ${key.spec} are incompatible.`, { status: 400 });
}

export function deriveSharedSecret(input: Kms.DeriveSharedSecretRequest, context: RequestContext): Kms.DeriveSharedSecretResponse {
  const key = usable(resolveKey(input.KeyId, context), 'KEY_AGREEMENT', 'DeriveSharedSecret');
  const secret = diffieHellman({
    privateKey: createPrivateKey({ key: Buffer.from(material(context.state, key).secret), format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: Buffer.from(input.PublicKey), format: 'der', type: 'spki' }),
  });
  return { KeyId: keyArn(key), SharedSecret: secret, KeyAgreementAlgorithm: input.KeyAgreementAlgorithm };
}
