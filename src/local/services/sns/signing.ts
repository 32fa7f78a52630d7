import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { HttpAnswer, HttpRequest, Runtime } from '../../kernel/service.js';
import type { State } from '../../state/state.js';
import { signing } from './store.js';

/** Signs the text of a notification as SNS does (developer guide, "Verifying the signatures of Amazon SNS messages"): version 1 is SHA1withRSA, 2 SHA256withRSA. */
export function signature(state: State, text: string, version: string): string {
  return sign(version === '2' ? 'sha256' : 'sha1', Buffer.from(text), keyOf(state).privateKey).toString('base64');
}

export function certificateUrl(runtime: Runtime): string {
  return `${runtime.endpoint}/SimpleNotificationService-${keyOf(runtime.state).id}.pem`;
}

/** Serves the certificate that notifications name. */
export function serveCertificate(request: HttpRequest, runtime: Runtime): HttpAnswer | undefined {
  const id = request.method === 'GET' ? /^\/SimpleNotificationService-([0-9a-f]+)\.pem$/.exec(request.path)?.[1] : undefined;
  if (id === undefined) return undefined;
  const key = signing(runtime.state).get('key');
  if (key?.id !== id) return { status: 404, headers: {}, body: '' };
  return { status: 200, headers: { 'content-type': 'binary/octet-stream' }, body: key.certificate };
}

interface SigningKey {
  readonly privateKey: string;
  readonly certificate: string;
  readonly id: string;
}

let known: { readonly state: State; readonly key: SigningKey } | undefined;

/** Made when the first notification is signed. */
function keyOf(state: State): SigningKey {
  if (known?.state === state) return known.key;
  let key: SigningKey | undefined = signing(state).get('key');
  if (!key) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const certificate = selfSigned(pem);
    key = { privateKey: pem, certificate, id: createHash('md5').update(certificate).digest('hex') };
    signing(state).put('key', key);
  }
  known = { state, key };
  return key;
}

/** A minimal X.509 v1 certificate in PEM (RFC 5280), which clients read the public key from. */
function selfSigned(privateKey: string): string {
  const algorithm = sequence(hex('06092a864886f70d01010b'), hex('0500'));
  const name = sequence(tlv(0x31, sequence(hex('0603550403'), tlv(0x0c, Buffer.from('sns.amazonaws.com')))));
  const validity = sequence(tlv(0x17, Buffer.from('200101000000Z')), tlv(0x17, Buffer.from('491231235959Z')));
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const content = sequence(hex('020101'), algorithm, name, validity, name, publicKey);
  const signed = sequence(content, algorithm, tlv(0x03, Buffer.concat([hex('00'), sign('sha256', content, privateKey)])));
  return `-----BEGIN CERTIFICATE-----\n${signed.toString('base64').replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const sequence = (...parts: Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts));

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
