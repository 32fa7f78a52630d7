// Compression of what is generated. Time and order never enter: the same versions give the same bytes.
import { brotliCompressSync, constants } from 'node:zlib';

export function compress(value) {
  const text = Buffer.from(JSON.stringify(value));
  return brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
  });
}

/** Many values in one file, each read alone: 4 bytes length of the index, the index {name: [offset, length]}, the values. */
export function pack(entries) {
  const index = {};
  const parts = [];
  let offset = 0;
  for (const [name, value] of entries) {
    const bytes = compress(value);
    index[name] = [offset, bytes.length];
    parts.push(bytes);
    offset += bytes.length;
  }
  const head = compress(index);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...parts]);
}
