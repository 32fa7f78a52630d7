import { AwsError } from './error.js';
import type { Body } from './service.js';

/** A body of known bytes. */
export function bytesBody(bytes: Uint8Array | string): Body {
  const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return {
    length: data.byteLength,
    async *stream() {
      yield data;
    },
    bytes: async () => data,
  };
}

/** A body read once from a stream; after `bytes()`, `stream()` gives those bytes again; `limit` in bytes guards `bytes()`, which holds all of it in memory. */
export function streamBody(source: AsyncIterable<Uint8Array>, options: { length?: number; limit: number; trailers?: () => Readonly<Record<string, string>> }): Body {
  let all: Promise<Uint8Array> | undefined;
  return {
    length: options.length,
    stream: () => (all ? again(all) : source),
    bytes: () => (all ??= collect(source, options.limit)),
    ...(options.trailers ? { trailers: options.trailers } : {}),
  };
}

async function* again(all: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await all;
}

async function collect(source: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit) throw new AwsError('RequestEntityTooLargeException', `Request size exceeded the limit of ${limit} bytes`, { status: 413 });
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
