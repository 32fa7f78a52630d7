import { AwsError } from '../kernel/error.js';
import { sha256, sign } from '../kernel/sigv4.js';

/** How the chunks of an upload are signed (S3 API reference, "Transferring payload in multiple chunks"). */
export interface ChunkSigning {
  readonly key: Buffer;
  /** Signature of the request's headers: the first link of the chain. */
  readonly seed: string;
  readonly timestamp: string;
  /** `20260131/us-east-1/s3/aws4_request`. */
  readonly scope: string;
}

export interface DecodedChunks {
  readonly stream: AsyncIterable<Uint8Array>;
  /** Trailing headers, lower case; complete when the stream has ended. */
  trailers(): Readonly<Record<string, string>>;
}

const MAX_HEADER = 16 * 1024;
/** A signed chunk is held in memory until its signature is known to be right; clients send 64 kB to 16 MB. */
const MAX_SIGNED_CHUNK = 128 * 1024 * 1024;
const EMPTY = sha256('');

/** Undoes `aws-chunked`; each chunk's signature is verified before its bytes are handed on, the trailer's at the end. */
export function decodeChunks(source: AsyncIterable<Uint8Array>, signing: ChunkSigning | undefined): DecodedChunks {
  const trailers: Record<string, string> = {};
  return { stream: decode(source, signing, trailers), trailers: () => trailers };
}

async function* decode(source: AsyncIterable<Uint8Array>, signing: ChunkSigning | undefined, trailers: Record<string, string>): AsyncGenerator<Uint8Array> {
  const reader = new Reader(source);
  let previous = signing?.seed ?? '';
  for (;;) {
    const header = await reader.line();
    const [length = '', extension = ''] = header.split(';', 2);
    if (!/^[0-9a-fA-F]{1,12}$/.test(length)) throw incomplete();
    const size = Number.parseInt(length, 16);
    if (!signing && size > 0) {
      yield* reader.pass(size);
      if ((await reader.line()) !== '') throw incomplete();
      continue;
    }
    if (size > MAX_SIGNED_CHUNK) throw new AwsError('InvalidChunkSizeError', 'Only the last chunk is allowed to have a size less than 8192 bytes', { status: 403 });
    const data = await reader.take(size);
    if (signing) {
      const given = extension.startsWith('chunk-signature=') ? extension.slice('chunk-signature='.length) : '';
      previous = sign(signing.key, ['AWS4-HMAC-SHA256-PAYLOAD', signing.timestamp, signing.scope, previous, EMPTY, sha256(data)].join('\n'));
      if (given !== previous) throw mismatch();
    }
    if (size === 0) break;
    yield data;
    if ((await reader.line()) !== '') throw incomplete();
  }
  await readTrailers(reader, signing, previous, trailers);
}

async function readTrailers(reader: Reader, signing: ChunkSigning | undefined, previous: string, trailers: Record<string, string>): Promise<void> {
  let signed = '';
  let signature: string | undefined;
  for (;;) {
    const line = await reader.lineOrEnd();
    if (line === undefined || line === '') break;
    const colon = line.indexOf(':');
    if (colon < 1) throw incomplete();
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'x-amz-trailer-signature') signature = value;
    else {
      trailers[name] = value;
      signed += `${name}:${value}\n`;
    }
  }
  if (!signing || Object.keys(trailers).length === 0) return;
  const expected = sign(signing.key, ['AWS4-HMAC-SHA256-TRAILER', signing.timestamp, signing.scope, previous, sha256(signed)].join('\n'));
  if (signature !== expected) throw mismatch();
}

/** Bytes of a stream by line and by count. */
class Reader {
  private readonly iterator: AsyncIterator<Uint8Array>;
  private buffer: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.iterator = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === undefined) throw incomplete();
    return line;
  }

  async lineOrEnd(): Promise<string | undefined> {
    for (;;) {
      const end = this.buffer.indexOf('\r\n');
      if (end >= 0) {
        const line = this.buffer.subarray(0, end).toString('utf8');
        this.buffer = this.buffer.subarray(end + 2);
        return line;
      }
      if (this.buffer.length > MAX_HEADER) throw incomplete();
      if (!(await this.more())) return this.buffer.length === 0 ? undefined : this.rest();
    }
  }

  async take(size: number): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    let missing = size;
    while (missing > 0) {
      if (this.buffer.length === 0 && !(await this.more())) throw incomplete();
      const part = this.buffer.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      this.buffer = this.buffer.subarray(part.length);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** The next `size` bytes, handed on as they arrive. */
  async *pass(size: number): AsyncGenerator<Uint8Array> {
    let missing = size;
    while (missing > 0) {
      if (this.buffer.length === 0 && !(await this.more())) throw incomplete();
      const part = this.buffer.subarray(0, missing);
      missing -= part.length;
      this.buffer = this.buffer.subarray(part.length);
      yield part;
    }
  }

  private rest(): string {
    const text = this.buffer.toString('utf8');
    this.buffer = Buffer.alloc(0);
    return text;
  }

  private async more(): Promise<boolean> {
    const next = await this.iterator.next();
    if (next.done) return false;
    this.buffer = this.buffer.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.buffer, next.value]);
    return true;
  }
}

function incomplete(): AwsError {
  return new AwsError('IncompleteBody', 'The request body terminated unexpectedly', { status: 400 });
}

function mismatch(): AwsError {
  return new AwsError('SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided. Check your key and signing method.', { status: 403 });
}
