import type { Clock } from '../../shared/clock.js';
import type { Blobs } from '../state/blobs.js';
import type { State } from '../state/state.js';
import type { Principal } from './principal.js';

/**
 * The contract every service is written against. A service is data (its name, its authorisation table) and functions (its
 * operations); the chain in server.ts does the rest: protocol, signature, identity, authorisation, validation, serialising.
 */
export interface Service {
  /** Name of the generated model (`src/local/models`): 's3', 'cloudformation', 'codepipeline' … */
  readonly name: string;
  /** Prefix of the IAM actions; default: `name`. */
  readonly actionPrefix?: string;
  /** Operations with behaviour. Every other operation of the model answers NotImplemented by name and changes nothing. */
  readonly operations: Readonly<Record<string, Operation>>;
  /**
   * What AWS services ask of each other beyond their public APIs (CodePipeline hands CodeBuild its artifacts): callable through a client
   * inside the process only, with authorisation like any operation, without a model to validate by.
   */
  readonly internal?: Readonly<Record<string, Operation>>;
  /** What each operation needs to be allowed. An operation with behaviour and no entry here is a defect (a test finds it). */
  readonly authorization: Readonly<Record<string, Authorization>>;
  /** The policy attached to the resource named by `arn`, if there is one. */
  resourcePolicy?(arn: string, context: RequestContext): ResourcePolicy | undefined;
  /** Grants on the resource that allow besides its policy (KMS). */
  grants?(arn: string, context: RequestContext): readonly Grant[];
  /** Account that owns the resource, where its ARN doesn't say it (S3 buckets). */
  resourceAccount?(arn: string, context: RequestContext): string | undefined;
  /** Tags of the resource, for `aws:ResourceTag/*`. */
  resourceTags?(arn: string, context: RequestContext): Readonly<Record<string, string>> | undefined;
  /**
   * Endpoints beyond the AWS API that this service answers itself: git over HTTP, the Docker registry, execute-api URLs.
   * Asked before the chain with every request; answers undefined for what isn't its own.
   */
  readonly http?: (request: HttpRequest, runtime: Runtime) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>;
  /** Called once when the server starts, after all services are known: take up work that a crash interrupted, start timers. */
  start?(runtime: Runtime): void | Promise<void>;
  /** Called when the server stops gently. */
  stop?(): void | Promise<void>;
}

/**
 * One operation. `input` was parsed by the protocol and validated by the model: required members are there. Timestamps are `Date`,
 * blobs `Uint8Array`, a streaming payload is a `Body`. The result is serialised by the model: members the model doesn't know are a defect.
 */
// eslint-disable-next-line -- handlers declare their own input and output types
export type Operation<I = any, O = any> = (input: I, context: RequestContext) => O | Promise<O>;

/** `none`: always allowed (GetCallerIdentity); a rule; several rules that must all be allowed (CopyObject reads and writes). */
export type Authorization = 'none' | AuthorizationRule | readonly AuthorizationRule[];

// eslint-disable-next-line -- rules declare their own input type
export interface AuthorizationRule<I = any> {
  /** IAM action; default `prefix:Operation`. */
  readonly action?: string | ((input: I, context: RequestContext) => string | readonly string[]);
  /**
   * ARN (or several: each must be allowed) the action is checked against. In a string, `{account}`, `{region}`, `{partition}` and `{Member}`
   * (a string member of the input, `*` when absent) are filled in. Default `*`.
   */
  readonly resource?: string | ((input: I, context: RequestContext) => string | readonly string[]);
  /** Further condition keys, service-specific ones and `aws:RequestTag/…`. */
  readonly context?: (input: I, context: RequestContext) => ConditionContext;
  /** The rule applies only when this holds. */
  readonly when?: (input: I, context: RequestContext) => boolean;
}

/** Condition keys in their documented spelling; an array is a multivalued key. */
export type ConditionContext = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** A KMS grant (KMS developer guide, "Grants in AWS KMS"). */
export interface Grant {
  readonly granteePrincipal: string;
  /** `Decrypt`, `GenerateDataKey` … */
  readonly operations: readonly string[];
  readonly encryptionContextEquals?: Readonly<Record<string, string>>;
  readonly encryptionContextSubset?: Readonly<Record<string, string>>;
}

export interface ResourcePolicy {
  /** The policy document as stored: JSON text. */
  readonly document: string;
  /** Trust and key policies decide alone where others share with identity policies. */
  readonly kind: 'trust' | 'kms' | 'resource';
}

/** What the whole local cloud offers to a service, for the life of the process. */
export interface Runtime {
  readonly clock: Clock;
  readonly state: State;
  readonly blobs: Blobs;
  /** Base URL clients reach the cloud at: `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  /** Folder of the cloud's state, for services that keep files of their own (git repositories, build workspaces). */
  readonly directory: string;
  /** Calls operations of this or another service as somebody; nothing is reachable around IAM. */
  client(as: CallerOptions): Client;
  /** What is known of an access key; undefined when it belongs to nobody. For services that verify or make signatures of their own. */
  credential(accessKeyId: string): Credential | undefined;
  /** Whose service-specific credential a name and password are (Git credentials of `codecommit.amazonaws.com`); undefined when they are nobody's, or inactive. */
  serviceCredential(service: string, name: string, password: string): Principal | undefined;
  /** Principals in resource policies, which AWS stores by unique ID (IAM user guide, "Policy elements: Principal"). */
  readonly principals: PrincipalNames;
  /** Puts a message that AWS would have sent out of the cloud (e-mail, Slack, SMS) where `flotilla cloud inbox` shows it. */
  readonly deliver: (message: InboxMessage) => void;
  readonly log: (message: string) => void;
  /** Ends when the server stops. */
  readonly signal: AbortSignal;
}

export interface Credential {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly principal: Principal;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
  readonly inactive?: boolean;
}

export interface PrincipalNames {
  /**
   * Replaces ARNs of roles and users by their unique IDs, as AWS does when a policy is stored. `invalid` is the first principal that
   * doesn't exist, as AWS prints it: `"AWS":"arn:…"`.
   */
  bind(document: string): { readonly document: string } | { readonly invalid: string };
  /** Replaces unique IDs by the ARNs of what still exists; a deleted principal stays an ID. */
  show(document: string): string;
}

export interface InboxMessage {
  readonly channel: 'email' | 'slack' | 'sms' | 'http' | 'push';
  readonly to: string;
  readonly from: string;
  readonly account: string;
  readonly region: string;
  readonly subject?: string;
  readonly body: string;
}

export interface CallerOptions {
  readonly principal: Principal;
  readonly region: string;
  /** Extra condition keys every call carries: `aws:SourceArn`, `kms:ViaService`, `aws:CalledVia` … */
  readonly context?: ConditionContext;
}

export interface RequestContext {
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  /** The caller's account: the one whose things the operation acts on, unless an ARN or a bucket says otherwise. */
  readonly account: string;
  readonly region: string;
  readonly principal: Principal;
  readonly runtime: Runtime;
  readonly state: State;
  /** Now, as the injected clock has it. */
  now(): Date;
  /**
   * A client that acts for the caller (AWS calls it a forward access session): same principal, `aws:ViaAWSService`,
   * `aws:CalledVia` and, for KMS, `kms:ViaService` set to this service.
   */
  readonly onBehalf: Client;
  /** A client that acts as this service's own principal (`sns.amazonaws.com`), with the given `aws:SourceArn`, in `account`. */
  asService(options: { sourceArn: string; sourceAccount?: string; service?: string; region?: string }): Client;
  /** Raises AWS's AccessDenied sentence unless the caller may do `action` on `resource` (iam:PassRole and the like). */
  authorize(action: string, resource: string, context?: ConditionContext): void;
  /** The HTTP request, where an operation needs more than the model carries (presigned POST, host name). */
  readonly http: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly url: string } | undefined;
}

/**
 * Calls an operation by service and name through authorisation, validation and behaviour. Input and output as in the API.
 * Raises AwsError as the service would answer it.
 */
export interface Client {
  call<O = Record<string, unknown>>(service: string, operation: string, input: Record<string, unknown>): Promise<O>;
  /** The same caller in another region. */
  in(region: string): Client;
}

/** A raw HTTP request, for endpoints outside the AWS API. */
export interface HttpRequest {
  readonly method: string;
  /** Host without port, lower case. */
  readonly host: string;
  /** Path as sent, still percent-encoded, without the query. */
  readonly path: string;
  /** Query string without the question mark. */
  readonly search: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/** Bytes of unknown length, read once: the payload of PutObject, GetObject, UploadPart, Lambda's zip … */
export interface Body {
  /** Length in bytes when it is known beforehand. */
  readonly length: number | undefined;
  stream(): AsyncIterable<Uint8Array>;
  bytes(): Promise<Uint8Array>;
  /** Trailing headers of an `aws-chunked` upload (`x-amz-checksum-…`); complete once the stream was read to its end. */
  trailers?(): Readonly<Record<string, string>>;
}
