import type * as Sns from '../../models/types/sns.js';
import { parseJson } from './json-text.js';
import { invalid } from './store.js';

/** A message a topic took. */
export interface Message {
  readonly id: string;
  readonly entry: Omit<Sns.PublishBatchRequestEntry, 'Id'> & { readonly MessageAttributes: Readonly<Record<string, Sns.MessageAttributeValue>> };
  /** ISO 8601. */
  readonly timestamp: string;
  readonly sequenceNumber?: string;
  readonly deduplicationId?: string;
}

/** The text for one protocol, where the message has one for each (API reference, Publish, "MessageStructure"). */
export function textFor(entry: Pick<Sns.PublishInput, 'Message' | 'MessageStructure'>, protocol: string): string {
  if (entry.MessageStructure === undefined) return entry.Message;
  if (entry.MessageStructure !== 'json') throw invalid('MessageStructure');
  const parsed = parseJson(entry.Message);
  if (!('value' in parsed) || typeof parsed.value !== 'object' || parsed.value === null) throw invalid('Message Structure - JSON message body failed to parse');
  const texts = parsed.value as Record<string, unknown>;
  if (typeof texts['default'] !== 'string') throw invalid('Message Structure - No default entry in JSON message body');
  const own = texts[protocol];
  return typeof own === 'string' ? own : texts['default'];
}
