import type { AuthorizationRule, RequestContext, Service } from '../../kernel/service.js';
import { changeMessageVisibilityBatch, deleteMessageBatch, sendMessageBatch } from './batches.js';
import { cancelMessageMoveTask, listMessageMoveTasks, sourceOfHandle, startMessageMoveTask } from './moving.js';
import * as queue from './queues.js';
import { changeMessageVisibility, deleteMessage, receiveMessage } from './receive.js';
import { sendMessage } from './send.js';
import { parseQueueUrl, queueArn, queueByArn } from './store.js';

/** Amazon SQS: standard and FIFO queues. */
export const sqs: Service = {
  name: 'sqs',
  operations: {
    CreateQueue: queue.createQueue,
    DeleteQueue: queue.deleteQueue,
    PurgeQueue: queue.purgeQueue,
    GetQueueUrl: queue.getQueueUrl,
    ListQueues: queue.listQueues,
    ListDeadLetterSourceQueues: queue.listDeadLetterSourceQueues,
    GetQueueAttributes: queue.getQueueAttributes,
    SetQueueAttributes: queue.setQueueAttributes,
    TagQueue: queue.tagQueue,
    UntagQueue: queue.untagQueue,
    ListQueueTags: queue.listQueueTags,
    AddPermission: queue.addPermission,
    RemovePermission: queue.removePermission,
    SendMessage: sendMessage,
    SendMessageBatch: sendMessageBatch,
    ReceiveMessage: receiveMessage,
    DeleteMessage: deleteMessage,
    DeleteMessageBatch: deleteMessageBatch,
    ChangeMessageVisibility: changeMessageVisibility,
    ChangeMessageVisibilityBatch: changeMessageVisibilityBatch,
    StartMessageMoveTask: startMessageMoveTask,
    ListMessageMoveTasks: listMessageMoveTasks,
    CancelMessageMoveTask: cancelMessageMoveTask,
  },
  authorization: {
    // To tag a queue when it is made takes both permissions (developer guide, "Tagging Amazon SQS queues").
    CreateQueue: [named(), { ...named(), action: 'sqs:TagQueue', when: (input: { tags?: object }) => Object.keys(input.tags ?? {}).length > 0 }],
    GetQueueUrl: named(),
    ListQueues: {},
    ...Object.fromEntries(
      [
        'DeleteQueue', 'PurgeQueue', 'ListDeadLetterSourceQueues', 'GetQueueAttributes', 'SetQueueAttributes', 'TagQueue', 'UntagQueue', 'ListQueueTags', 'AddPermission', 'RemovePermission', 'SendMessage', 'ReceiveMessage',
        'DeleteMessage', 'ChangeMessageVisibility',
      ].map((operation) => [operation, byUrl(operation)]),
    ),
    SendMessageBatch: byUrl('SendMessage'),
    DeleteMessageBatch: byUrl('DeleteMessage'),
    ChangeMessageVisibilityBatch: byUrl('ChangeMessageVisibility'),
    StartMessageMoveTask: [
      ...['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((operation) => bySource(operation)),
      { action: 'sqs:SendMessage', resource: (input: { DestinationArn?: string }) => input.DestinationArn ?? '*', when: (input: { DestinationArn?: string }) => input.DestinationArn !== undefined },
    ],
    ListMessageMoveTasks: bySource('ListMessageMoveTasks'),
    CancelMessageMoveTask: { resource: (input: { TaskHandle: string }) => sourceOfHandle(input.TaskHandle) },
  },
  resourcePolicy: (arn, context) => {
    const document = queueByArn(arn, context.state)?.policy;
    return document === undefined ? undefined : { document, kind: 'resource' };
  },
  resourceTags: (arn, context) => queueByArn(arn, context.state)?.tags,
};

function named(): AuthorizationRule<{ QueueName: string; QueueOwnerAWSAccountId?: string }> {
  return { resource: (input, context) => queueArn({ name: input.QueueName, account: input.QueueOwnerAWSAccountId ?? context.account, region: context.region }) };
}

function byUrl(operation: string): AuthorizationRule<{ QueueUrl: string }> {
  return { action: `sqs:${operation}`, resource: (input, context) => arnOfUrl(input.QueueUrl, context) };
}

function bySource(operation: string): AuthorizationRule<{ SourceArn: string }> {
  return { action: `sqs:${operation}`, resource: (input) => input.SourceArn ?? '*' };
}

function arnOfUrl(url: unknown, context: RequestContext): string {
  const found = typeof url === 'string' ? parseQueueUrl(url) : undefined;
  return found ? queueArn({ ...found, region: context.region }) : '*';
}
