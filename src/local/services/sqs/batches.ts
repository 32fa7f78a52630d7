import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sqs from '../../models/types/sqs.js';
import { changeMessageVisibility, deleteMessage } from './receive.js';
import { entrySize, send } from './send.js';
import { queueOf } from './store.js';

/** Bytes of all messages of a batch together. */
const MAX_BATCH = 1024 * 1024;

export async function sendMessageBatch(input: Sqs.SendMessageBatchRequest, context: RequestContext): Promise<Sqs.SendMessageBatchResult> {
  const queue = queueOf(input.QueueUrl, context);
  check(input.Entries, 'SendMessageBatchRequestEntry');
  const size = input.Entries.reduce((sum, entry) => sum + entrySize(entry), 0);
  if (size > MAX_BATCH) throw new AwsError('BatchRequestTooLong', `Batch requests cannot be longer than ${MAX_BATCH} bytes. You have sent ${size} bytes.`, { status: 400 });
  return each(input.Entries, async ({ Id, ...entry }) => ({ Id, ...(await send(queue, entry, context)) }));
}

export async function deleteMessageBatch(input: Sqs.DeleteMessageBatchRequest, context: RequestContext): Promise<Sqs.DeleteMessageBatchResult> {
  queueOf(input.QueueUrl, context);
  check(input.Entries, 'DeleteMessageBatchRequestEntry');
  return each(input.Entries, ({ Id, ReceiptHandle }) => {
    deleteMessage({ QueueUrl: input.QueueUrl, ReceiptHandle }, context);
    return { Id };
  });
}

export async function changeMessageVisibilityBatch(input: Sqs.ChangeMessageVisibilityBatchRequest, context: RequestContext): Promise<Sqs.ChangeMessageVisibilityBatchResult> {
  queueOf(input.QueueUrl, context);
  check(input.Entries, 'ChangeMessageVisibilityBatchRequestEntry');
  return each(input.Entries, ({ Id, ReceiptHandle, VisibilityTimeout = 30 }) => {
    changeMessageVisibility({ QueueUrl: input.QueueUrl, ReceiptHandle, VisibilityTimeout }, context);
    return { Id };
  });
}

function check(entries: readonly { readonly Id: string }[], member: string): void {
  if (entries.length === 0) throw new AwsError('EmptyBatchRequest', `There should be at least one ${member} in the request.`, { status: 400 });
  if (entries.length > 10) throw new AwsError('TooManyEntriesInBatchRequest', `Maximum number of entries per request are 10. You have sent ${entries.length}.`, { status: 400 });
  const seen = new Set<string>();
  for (const { Id } of entries) {
    if (!/^[\w-]{1,80}$/.test(Id)) throw new AwsError('InvalidBatchEntryId', 'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.', { status: 400 });
    if (seen.has(Id)) throw new AwsError('BatchEntryIdsNotDistinct', `Id ${Id} repeated.`, { status: 400 });
    seen.add(Id);
  }
}

/** In the batch's order; an entry's error is its own. */
async function each<E extends { readonly Id: string }, R>(entries: readonly E[], work: (entry: E) => R | Promise<R>): Promise<{ Successful: R[]; Failed: Sqs.BatchResultErrorEntry[] }> {
  const result: { Successful: R[]; Failed: Sqs.BatchResultErrorEntry[] } = { Successful: [], Failed: [] };
  for (const entry of entries) {
    try {
      result.Successful.push(await work(entry));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      result.Failed.push({ Id: entry.Id, SenderFault: true, Code: error.code, Message: error.message });
    }
  }
  return result;
}
