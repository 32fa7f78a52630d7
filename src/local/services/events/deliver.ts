import { randomUUID } from 'node:crypto';
import { assumeRole } from '../../kernel/assume.js';
import { parseArn } from '../../kernel/arn.js';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Client, Runtime } from '../../kernel/service.js';
import type * as Events from '../../models/types/events.js';
import { GLOBAL, table } from '../../state/state.js';
import { ruleArn, rules, type RuleRecord } from './store.js';
import { inputOf, type BusEvent } from './transform.js';

interface Delivery {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly bus: string;
  readonly rule: string;
  readonly target: Events.Target;
  readonly event: BusEvent;
  readonly ingested: number;
  readonly attempts: number;
}

/** Deliveries under way: an event that was accepted reaches its targets also when the process dies in between (at least once, as on AWS). */
const deliveries = table<Delivery>('events', 'deliveries');
const all = (runtime: Runtime) => deliveries(runtime.state, GLOBAL, GLOBAL);

/** User guide, "Event retry policy": 24 hours and 185 attempts unless the target says less. */
const MAX_AGE = 86_400;
const MAX_ATTEMPTS = 185;
const LONGEST_WAIT = 60_000;

/** Sends an event to all targets of a rule. */
export function dispatchTo(runtime: Runtime, rule: RuleRecord, event: BusEvent): void {
  for (const target of rule.targets) {
    const delivery: Delivery = { id: randomUUID(), account: rule.account, region: rule.region, bus: rule.bus, rule: rule.name, target, event, ingested: runtime.clock.now(), attempts: 0 };
    all(runtime).put(delivery.id, delivery);
    setImmediate(() => void attempt(runtime, delivery));
  }
}

export function resumeDeliveries(runtime: Runtime): void {
  for (const delivery of all(runtime).list()) setImmediate(() => void attempt(runtime, delivery));
}

async function attempt(runtime: Runtime, delivery: Delivery): Promise<void> {
  if (runtime.signal.aborted) return;
  const rule = rules(runtime.state, delivery.account, delivery.region).get(delivery.bus, delivery.rule);
  try {
    if (rule) await send(runtime, delivery);
    all(runtime).delete(delivery.id);
  } catch (error) {
    if (runtime.signal.aborted) return;
    await failed(runtime, { ...delivery, attempts: delivery.attempts + 1 }, error);
  }
}

async function failed(runtime: Runtime, delivery: Delivery, error: unknown): Promise<void> {
  const { RetryPolicy: policy, Arn } = delivery.target;
  const age = runtime.clock.now() - delivery.ingested;
  const again = isAwsError(error) ? (error.status ?? 400) >= 500 && error.status !== 501 || /Throttl|TooManyRequests|ConcurrentExecutions/i.test(error.code) : false;
  const exhausted = delivery.attempts > (policy?.MaximumRetryAttempts ?? MAX_ATTEMPTS) ? 'MaximumRetryAttempts' : age > (policy?.MaximumEventAgeInSeconds ?? MAX_AGE) * 1000 ? 'MaximumEventAgeInSeconds' : undefined;
  if (again && !exhausted) {
    all(runtime).put(delivery.id, delivery);
    const cancel = runtime.clock.after(Math.min(LONGEST_WAIT, 1000 * 2 ** Math.min(delivery.attempts - 1, 10)), () => void attempt(runtime, delivery));
    runtime.signal.addEventListener('abort', cancel, { once: true });
    return;
  }
  all(runtime).delete(delivery.id);
  runtime.log(`events: rule ${delivery.rule} could not reach ${Arn}: ${error instanceof Error ? error.message : String(error)}`);
  await toDeadLetterQueue(runtime, delivery, error, exhausted).catch((reason: unknown) => runtime.log(`events: dead-letter queue of rule ${delivery.rule}: ${reason instanceof Error ? reason.message : String(reason)}`));
}

async function toDeadLetterQueue(runtime: Runtime, delivery: Delivery, error: unknown, exhausted: string | undefined): Promise<void> {
  const queue = delivery.target.DeadLetterConfig?.Arn;
  if (!queue) return;
  const attributes: Record<string, string | undefined> = {
    RULE_ARN: ruleArn({ ...delivery, name: delivery.rule }), TARGET_ARN: delivery.target.Arn, ERROR_CODE: isAwsError(error) ? error.code : 'INTERNAL_FAILURE', ERROR_MESSAGE: error instanceof Error ? error.message : String(error),
    RETRY_ATTEMPTS: String(delivery.attempts - 1), EXHAUSTED_RETRY_CONDITION: exhausted,
  };
  const MessageAttributes = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]));
  await asEvents(runtime, delivery, parseArn(queue)?.region).call('sqs', 'SendMessage', { QueueUrl: queueUrl(runtime, queue), MessageBody: JSON.stringify(delivery.event), MessageAttributes });
}

function asEvents(runtime: Runtime, delivery: Delivery, region = delivery.region): Client {
  return runtime.client({ principal: { kind: 'service', service: 'events.amazonaws.com', account: delivery.account, sourceArn: ruleArn({ ...delivery, name: delivery.rule }) }, region });
}

function queueUrl(runtime: Runtime, arn: string): string {
  const parts = parseArn(arn);
  return `${runtime.endpoint}/${parts?.account}/${parts?.resource}`;
}

async function send(runtime: Runtime, delivery: Delivery): Promise<void> {
  const { target, event } = delivery;
  const arn = parseArn(target.Arn);
  if (!arn) throw new AwsError('InvalidParameter', `${target.Arn} is not an ARN`, { status: 400 });
  const region = arn.region || delivery.region;
  const client = target.RoleArn
    ? (await assumeRole(runtime, { roleArn: target.RoleArn, sessionName: randomUUID().replace(/-/g, ''), region, as: { service: 'events.amazonaws.com', account: delivery.account, sourceArn: ruleArn({ ...delivery, name: delivery.rule }) } })).client
    : asEvents(runtime, delivery, region);
  const input = inputOf(target, event, { arn: ruleArn({ ...delivery, name: delivery.rule }), name: delivery.rule, ingested: new Date(delivery.ingested).toISOString() });
  const deliver = TARGETS[arn.service];
  if (!deliver) throw new AwsError('NotImplemented', `The local cloud delivers no events to ${arn.service}`, { status: 501 });
  await deliver({ runtime, client, target, event, input, resource: arn.resource, delivery });
}

interface Sending {
  readonly runtime: Runtime;
  readonly client: Client;
  readonly target: Events.Target;
  readonly event: BusEvent;
  readonly input: string;
  readonly resource: string;
  readonly delivery: Delivery;
}

const TARGETS: Readonly<Record<string, (sending: Sending) => Promise<unknown>>> = {
  lambda: ({ client, target, input }) => client.call('lambda', 'Invoke', { FunctionName: target.Arn, InvocationType: 'Event', Payload: Buffer.from(input) }),
  sqs: ({ runtime, client, target, input }) => client.call('sqs', 'SendMessage', { QueueUrl: queueUrl(runtime, target.Arn), MessageBody: input, ...(target.SqsParameters?.MessageGroupId ? { MessageGroupId: target.SqsParameters.MessageGroupId } : {}) }),
  sns: ({ client, target, input }) => client.call('sns', 'Publish', { TopicArn: target.Arn, Message: input }),
  // The same token for the same delivery: a repetition after a crash starts nothing twice.
  codepipeline: ({ client, resource, delivery }) => client.call('codepipeline', 'StartPipelineExecution', { name: resource, clientRequestToken: delivery.id }),
  codebuild: ({ client, resource, input, target, delivery }) => client.call('codebuild', 'StartBuild', { ...(target.Input || target.InputTransformer ? (JSON.parse(input) as object) : {}), projectName: resource.replace(/^project\//, ''), idempotencyToken: delivery.id }),
  events: ({ client, target, event }) => client.call('events', 'ForwardEvent', { EventBusName: target.Arn, Event: event }),
  async logs({ client, resource, event, input }) {
    const names = { logGroupName: resource.replace(/^log-group:/, '').replace(/:\*$/, ''), logStreamName: event.id };
    await client.call('logs', 'CreateLogStream', names);
    await client.call('logs', 'PutLogEvents', { ...names, logEvents: [{ timestamp: Date.parse(event.time), message: input }] });
  },
};
