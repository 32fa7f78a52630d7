import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Sqs from '../../models/types/sqs.js';
import { redriveOf } from './attributes.js';
import { addMessage, invalidValue, messages, moveTasks, nextSequence, queueArn, queueByArn, queues, removeMessage, type MoveTask, type Queue } from './store.js';
import { wake } from './waiting.js';

/**
 * Moves what waits in a dead-letter queue back, or to another queue. The task is over when this returns: the local cloud doesn't
 * stretch it in time.
 */
export function startMessageMoveTask(input: Sqs.StartMessageMoveTaskRequest, context: RequestContext): Sqs.StartMessageMoveTaskResult {
  const source = deadLetterQueue(input.SourceArn, context);
  const destination = input.DestinationArn === undefined ? undefined : queueByArn(input.DestinationArn, context.state);
  if (input.DestinationArn !== undefined && !destination) throw noResource();
  const { state } = context;
  const task = state.transaction((): MoveTask => {
    const all = messages(state, source).list(source.name);
    let moved = 0;
    let failure: string | undefined;
    for (const message of all) {
      const target = destination ?? (message.source === undefined ? undefined : queueByArn(message.source, state));
      if (!target) {
        failure = 'CouldNotDetermineMessageSource';
        break;
      }
      const { source: _source, firstReceived: _first, ...rest } = message;
      const now = context.now().getTime();
      removeMessage(state, source, message);
      addMessage(state, target, { ...rest, id: randomUUID(), sequence: nextSequence(state, now), sent: now, visible: now, received: 0 });
      moved++;
    }
    const done: MoveTask = {
      id: randomUUID(), source: queueArn(source), destination: input.DestinationArn, perSecond: input.MaxNumberOfMessagesPerSecond, started: context.now().getTime(), status: failure === undefined ? 'COMPLETED' : 'FAILED', moved,
      toMove: all.length, ...(failure === undefined ? {} : { failure }),
    };
    moveTasks(state, source.account, source.region).put([source.name, done.started, done.id], done);
    return done;
  });
  for (const queue of queues(state, source.account, source.region).list()) wake(context.runtime, queueArn(queue));
  return { TaskHandle: handleOf(task) };
}

const handleOf = (task: MoveTask): string => Buffer.from(JSON.stringify({ taskId: task.id, sourceArn: task.source })).toString('base64');

function deadLetterQueue(arn: string, context: RequestContext): Queue {
  const queue = queueByArn(arn, context.state);
  if (!queue) throw noResource();
  if (!queues(context.state, queue.account, queue.region).list().some((one) => redriveOf(one)?.target === arn)) throw invalidValue('Source queue must be configured as a Dead Letter Queue.');
  return queue;
}

function noResource(): AwsError {
  return new AwsError('ResourceNotFoundException', "The resource that you specified for the SourceArn parameter doesn't exist.", { status: 404 });
}

export function listMessageMoveTasks(input: Sqs.ListMessageMoveTasksRequest, context: RequestContext): Sqs.ListMessageMoveTasksResult {
  const queue = queueByArn(input.SourceArn, context.state);
  if (!queue) throw noResource();
  const limit = input.MaxResults ?? 1;
  if (limit < 1 || limit > 10) throw invalidValue(`Value ${limit} for parameter MaxResults is invalid. Reason: Must be between 1 and 10.`);
  const found = moveTasks(context.state, queue.account, queue.region).entries([queue.name], { reverse: true, limit });
  return {
    Results: found.map(([, task]) => ({
      Status: task.status,
      SourceArn: task.source,
      ...(task.destination === undefined ? {} : { DestinationArn: task.destination }),
      ...(task.perSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.perSecond }),
      ApproximateNumberOfMessagesMoved: task.moved,
      ApproximateNumberOfMessagesToMove: task.toMove,
      ...(task.failure === undefined ? {} : { FailureReason: task.failure }),
      StartedTimestamp: task.started,
    })),
  };
}

/** Nothing runs that could be cancelled. */
export function cancelMessageMoveTask(input: Sqs.CancelMessageMoveTaskRequest): never {
  sourceOfHandle(input.TaskHandle);
  throw new AwsError('ResourceNotFoundException', 'Task does not exist.', { status: 404 });
}

export function sourceOfHandle(handle: string): string {
  try {
    const { sourceArn } = JSON.parse(Buffer.from(handle, 'base64').toString('utf8')) as { sourceArn?: unknown };
    if (typeof sourceArn === 'string') return sourceArn;
  } catch {
    // Said below.
  }
  throw invalidValue('Value for parameter TaskHandle is invalid.');
}
