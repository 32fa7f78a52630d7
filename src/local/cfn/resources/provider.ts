import type { Clock } from '../../../shared/clock.js';
import type { Client } from '../../kernel/service.js';
import type { State } from '../../state/state.js';
import type { Json, JsonObject } from '../json.js';
import type { DeploymentConfig, Tag } from '../store/records.js';

/**
 * A resource type with behaviour: how CloudFormation's wishes become calls to the service. One file a family (`resources/sns.ts`)
 * that exports its providers as a list, and one line in `resources/index.ts`:
 *
 *     export const topic: ResourceProvider = {
 *       type: 'AWS::SNS::Topic',
 *       async create(properties, context) {
 *         const { TopicArn } = await context.client.call('sns', 'CreateTopic', { Name: properties.TopicName ?? context.name({ limit: 256 }) });
 *         return { physicalId: TopicArn, attributes: { TopicArn, TopicName: … } };
 *       },
 *       async update(physicalId, before, after, context) { … },
 *       async delete(physicalId, properties, context) { await ignoring(['NotFound'], context.client.call('sns', 'DeleteTopic', { TopicArn: physicalId })); },
 *     };
 *
 * What a provider may count on
 * - `properties` are evaluated, dynamic references are resolved, scalars have the type that the resource schema gives them ("true" is
 *   true where the schema says boolean), required properties are there and unknown ones are not.
 * - `update` is called only when something changed that the schema doesn't call create-only; such changes become create + delete.
 *   A provider without `update` is replaced at every change. `update` answering another physical ID is a replacement too.
 * - The client acts with the stack's role or, without one, on behalf of the caller. An AwsError that a call raises fails the resource
 *   with AWS's `Resource handler returned message: "…"` sentence; nothing needs to be caught. `HandlerError` is for a provider's own
 *   complaints. Deleting what is already gone must succeed.
 * - A `create` of several calls announces the physical ID with `context.initiated(id)` as soon as the first one has made something:
 *   what a failure leaves half-made is deleted in the rollback only when its ID is known.
 * - Calls may be repeated after a crash with the same `context.token` and `context.name()`: with `identify` and `read` given, the
 *   engine finds what the interrupted attempt made instead of making it twice.
 * - `context.tags(own)` are the tags the resource carries: its own, the stack's, and `aws:cloudformation:*`.
 * - Attributes not answered by the provider fall back to properties of the same name.
 */
// eslint-disable-next-line -- each provider declares the shape of its properties
export interface ResourceProvider<P = any> {
  readonly type: string;
  create(properties: P, context: ProviderContext): Promise<Created>;
  update?(physicalId: string, before: P, after: P, context: ProviderContext): Promise<Partial<Created> | void>;
  delete(physicalId: string, properties: P, context: ProviderContext): Promise<void>;
  /** Properties as the service has them now; undefined when it isn't there. For drift, import and recovery. */
  read?(physicalId: string, context: ProviderContext): Promise<JsonObject | undefined>;
  /** The physical ID `create` will give, when it is known beforehand (a name). */
  identify?(properties: P, context: ProviderContext): string | undefined;
  /** Looks for what an interrupted `create` with the same token made, where `identify` can't say. */
  recover?(properties: P, context: ProviderContext): Promise<Created | undefined>;
  /** Attributes of a resource that exists, for import. Default: none but its properties. */
  attributes?(physicalId: string, properties: P, context: ProviderContext): Promise<JsonObject>;
  /** Keeps the data of a resource that is about to go (policy `Snapshot`); answers what the event says of it. The same for the same token. */
  snapshot?(physicalId: string, properties: P, context: ProviderContext): Promise<string>;
  /** True for types without behaviour: their model is kept, nothing else happens. */
  readonly modelled?: boolean;
}

export interface Created {
  /** What `Ref` answers. */
  readonly physicalId: string;
  /** Answers of Fn::GetAtt by dotted name. */
  readonly attributes?: JsonObject;
}

export interface ProviderContext {
  readonly client: Client;
  readonly account: string;
  readonly region: string;
  readonly stackName: string;
  readonly stackId: string;
  readonly logicalId: string;
  readonly type: string;
  /** UUID of this attempt: AWS's `ClientToken` of a handler request. */
  readonly token: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly state: State;
  /** Base URL of the local cloud. */
  readonly endpoint: string;
  /** Own tags, the stack's tags and CloudFormation's own, each key once; own ones win. */
  tags(own?: readonly Tag[] | Readonly<Record<string, string>>): Tag[];
  /** Tags that were there before an update: to find those that went. */
  tagsBefore(own?: readonly Tag[] | Readonly<Record<string, string>>): Tag[];
  /** The generated physical name: `STACK-LOGICAL-RANDOM`, within the service's limits. The same for all calls of one attempt. */
  name(options?: NameOptions): string;
  /** Tells the engine the physical ID before `create` is done (events, and deletion if it fails later). */
  initiated(physicalId: string): void;
  /** Repeats `check` until it answers something, at most `timeoutMs` (default one hour). */
  poll<T>(check: () => Promise<T | undefined>, options?: { intervalMs?: number; timeoutMs?: number; what?: string }): Promise<T>;
  /** For the few types that are about stacks themselves. */
  readonly stacks: StackServices;
}

export interface NameOptions {
  /** Longest name the service takes. Default 255. */
  readonly limit?: number;
  readonly lowerCase?: boolean;
  /** Default `-`. */
  readonly separator?: string;
  /** Instead of the stack's name (SSM: `CFN`). */
  readonly prefix?: string;
  /** Characters of the random end. Default 12. */
  readonly random?: number;
  /** Random end in capital letters and digits (the older types). */
  readonly upperCaseRandom?: boolean;
}

/** What the engine offers to nested stacks, custom resources and wait conditions. */
export interface StackServices {
  /** Stacks that this one is nested in. */
  depth(): number;
  /** Marks a stack as nested in this one. */
  adopt(childStackId: string): void;
  /** ARN of the change set that was computed for this nested stack; the operation executes it. */
  readonly nestedChangeSet: string | undefined;
  /** How the operation is done: nested stacks do as their parent. */
  readonly deploymentConfig: Required<DeploymentConfig>;
  /** Resolves when no operation of the stack is under way any more. */
  settled(stackId: string): Promise<void>;
  /** A URL somebody answers to by PUT; the same for the same purpose and token. */
  responseUrl(purpose: string): string;
  /** The next answer to that URL; undefined after `timeoutMs`. */
  response(purpose: string, timeoutMs: number): Promise<string | undefined>;
  /** Whether a request with this token was sent before a crash; marks it as sent. */
  firstTime(purpose: string): boolean;
  /** Handle of a wait condition: its own URL, kept as long as the stack. */
  waitHandle(): string;
  /** Signals by unique ID; resolves when `count` have come or one says FAILURE; undefined after `timeoutMs`. */
  signals(handle: string, count: number, timeoutMs: number): Promise<readonly Signal[] | undefined>;
  /** Output values of a stack by key. */
  outputs(stackId: string): Record<string, string>;
}

export interface Signal {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE';
  readonly data: string;
  readonly reason: string | undefined;
}

export type Properties = { readonly [key: string]: Json };
