import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../../kernel/error.js';

/** Running checksum of an upload, in the algorithms of the S3 user guide ("Checking object integrity"). */
interface Checksum {
  update(chunk: Uint8Array): void;
  /** Base64. */
  digest(): string;
}

/** Member of the API by algorithm name. */
export const CHECKSUM_MEMBERS: Readonly<Record<string, string>> = {
  CRC32: 'ChecksumCRC32',
  CRC32C: 'ChecksumCRC32C',
  CRC64NVME: 'ChecksumCRC64NVME',
  SHA1: 'ChecksumSHA1',
  SHA256: 'ChecksumSHA256',
};

export interface ChecksumPlan {
  readonly observe: (chunk: Uint8Array) => void;
  /** Members to store (`ChecksumCRC32: …`); raises BadDigest where a value the client sent doesn't hold. */
  finish(trailers: Readonly<Record<string, string>>, md5: string): Record<string, string>;
}

/**
 * What to compute while the bytes pass: each algorithm the client sent a value of or announced; CRC64NVME, which S3 adds by itself,
 * where it sent none.
 */
export function planChecksums(input: Record<string, unknown>, trailerNames: readonly string[]): ChecksumPlan {
  const wanted = new Map<string, string | undefined>();
  for (const [algorithm, member] of Object.entries(CHECKSUM_MEMBERS)) {
    const value = input[member] as string | undefined;
    if (value !== undefined) wanted.set(algorithm, value);
    else if (input['ChecksumAlgorithm'] === algorithm || trailerNames.includes(`x-amz-checksum-${algorithm.toLowerCase()}`)) wanted.set(algorithm, undefined);
  }
  if (wanted.size === 0) wanted.set('CRC64NVME', undefined);
  for (const algorithm of [...wanted.keys()]) if (!(algorithm in CHECKSUM_MEMBERS)) throw unknownAlgorithm(algorithm);
  const running = [...wanted.keys()].map((algorithm): [string, Checksum] => [algorithm, checksum(algorithm)]);
  return {
    observe: (chunk) => {
      for (const [, sum] of running) sum.update(chunk);
    },
    finish(trailers, md5) {
      const sentMd5 = input['ContentMD5'] as string | undefined;
      if (sentMd5 !== undefined && Buffer.from(sentMd5, 'base64').toString('hex') !== md5)
        throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.', { status: 400, fields: { ExpectedDigest: sentMd5, CalculatedDigest: Buffer.from(md5, 'hex').toString('base64') } });
      const found: Record<string, string> = {};
      for (const [algorithm, sum] of running) {
        const actual = sum.digest();
        const expected = wanted.get(algorithm) ?? trailers[`x-amz-checksum-${algorithm.toLowerCase()}`];
        if (expected !== undefined && expected !== actual)
          throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`, { status: 400 });
        found[CHECKSUM_MEMBERS[algorithm]!] = actual;
      }
      return found;
    },
  };
}

export function checksumOf(algorithm: string, data: Uint8Array): string {
  const sum = checksum(algorithm);
  sum.update(data);
  return sum.digest();
}

function checksum(algorithm: string): Checksum {
  switch (algorithm) {
    case 'CRC32': {
      let value = 0;
      return { update: (chunk) => void (value = crc32(chunk, value)), digest: () => word(value) };
    }
    case 'CRC32C': {
      let value = 0xffffffff;
      return {
        update: (chunk) => {
          for (const byte of chunk) value = (value >>> 8) ^ CRC32C[(value ^ byte) & 0xff]!;
        },
        digest: () => word((value ^ 0xffffffff) >>> 0),
      };
    }
    case 'CRC64NVME':
      return crc64();
    case 'SHA1':
    case 'SHA256': {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('base64') };
    }
    default:
      throw unknownAlgorithm(algorithm);
  }
}

function unknownAlgorithm(algorithm: string): AwsError {
  return new AwsError('InvalidRequest', `The algorithm type you specified in x-amz-checksum- header is invalid: ${algorithm}`, { status: 400 });
}

function word(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

const CRC32C = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC-64/NVME over two 32-bit halves: BigInt would cost a hundred times as much. */
function crc64(): Checksum {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update(chunk) {
      for (let i = 0; i < chunk.length; i++) {
        const index = (low ^ chunk[i]!) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ CRC64_LOW[index]!;
        high = (high >>> 8) ^ CRC64_HIGH[index]!;
      }
    },
    digest: () => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE((high ^ 0xffffffff) >>> 0, 0);
      bytes.writeUInt32BE((low ^ 0xffffffff) >>> 0, 4);
      return bytes.toString('base64');
    },
  };
}

const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const CRC64_TABLE = Array.from({ length: 256 }, (_, n) => {
  let value = BigInt(n);
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ POLYNOMIAL : value >> 1n;
  return value;
});
const CRC64_LOW = Int32Array.from(CRC64_TABLE, (value) => Number(value & 0xffffffffn) | 0);
const CRC64_HIGH = Int32Array.from(CRC64_TABLE, (value) => Number(value >> 32n) | 0);
