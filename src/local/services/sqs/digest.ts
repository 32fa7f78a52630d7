import { createHash } from 'node:crypto';
import type { MessageAttributeValue } from '../../models/types/sqs.js';

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** MD5 of message attributes (SQS developer guide, "Calculating the MD5 message digest for message attributes"); undefined when there are none. */
export function md5OfAttributes(attributes: Readonly<Record<string, MessageAttributeValue>>): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const add = (bytes: Uint8Array): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const { DataType, StringValue, BinaryValue } = attributes[name]!;
    const binary = DataType.startsWith('Binary');
    add(Buffer.from(name));
    add(Buffer.from(DataType));
    hash.update(Buffer.from([binary ? 2 : 1]));
    add(binary ? Buffer.from(BinaryValue ?? []) : Buffer.from(StringValue ?? ''));
  }
  return hash.digest('hex');
}
