import { Pack } from './pack.js';

/**
 * API models: what AWS's services take and answer (generated, see NOTICE.md). Reading one costs a few milliseconds, once; which model
 * a request belongs to is told from the heads alone.
 */
export function loadModel(name: string): ServiceModel | undefined {
  let model = models.get(name);
  if (!model && name !== INDEX && pack.has(name)) {
    model = new ServiceModel(pack.read(name) as ModelData);
    models.set(name, model);
  }
  return model;
}

/** Names of all models, sorted: those of botocore (`s3`, `stepfunctions`, `codestar-connections` …). */
export function modelNames(): string[] {
  return heads().map((head) => head.name);
}

/**
 * Models whose clients sign as `signingName` (SigV4 credential scope): often one, sometimes several (`s3` and `s3control`; `es` and
 * `opensearch`). The one that the name fits best comes first.
 */
export function modelsSigningAs(signingName: string): readonly ModelHead[] {
  return lookup().bySigningName.get(signingName) ?? [];
}

/** Models by the part of `X-Amz-Target` before the last dot. */
export function modelsOfTarget(targetPrefix: string): readonly ModelHead[] {
  return lookup().byTarget.get(targetPrefix) ?? [];
}

/** Models of the query protocols by the request's `Version`. */
export function modelsOfQueryVersion(version: string): readonly ModelHead[] {
  return lookup().byQueryVersion.get(version) ?? [];
}

export type Protocol = 'query' | 'ec2' | 'json' | 'rest-json' | 'rest-xml' | 'smithy-rpc-v2-cbor';

export interface ModelHead {
  readonly name: string;
  /** `CloudFormation`, `Route 53` …: the SDKs' name. */
  readonly serviceId: string;
  readonly apiVersion: string;
  /** In the order of botocore's preference; which one a request speaks, the request says. */
  readonly protocols: readonly Protocol[];
  readonly endpointPrefix: string;
  readonly signingName: string;
  readonly targetPrefix?: string;
  readonly jsonVersion?: '1.0' | '1.1';
  readonly xmlNamespace?: string;
  readonly globalEndpoint?: string;
  /** The JSON service spoke query before and still names its old error codes in `x-amzn-query-error`. */
  readonly queryCompatible?: boolean;
}

export class ServiceModel {
  readonly head: ModelHead;
  /** Operations by name. */
  readonly operations: ReadonlyMap<string, OperationModel>;
  readonly #data: ModelData;
  readonly #shapes = new Map<string, Shape>();
  #errors: Map<string, Shape> | undefined;

  constructor(data: ModelData) {
    this.#data = data;
    const { operations: _operations, shapes: _shapes, ...head } = data;
    this.head = head;
    this.operations = new Map(Object.entries(data.operations).map(([name, operation]) => [name, new OperationModel(name, operation, (shape) => this.shape(shape))]));
  }

  get name(): string {
    return this.head.name;
  }

  operation(name: string): OperationModel | undefined {
    return this.operations.get(name);
  }

  /** A shape by its name; the names come from the model itself. */
  shape(name: string): Shape {
    let shape = this.#shapes.get(name);
    if (!shape) {
      shape = new Shape(name, this.#data.shapes[name]!, (other) => this.shape(other));
      this.#shapes.set(name, shape);
    }
    return shape;
  }

  /** The shape of an error, by the shape's name or by the code the query protocol has for it. */
  error(code: string): Shape | undefined {
    if (!this.#errors) {
      this.#errors = new Map();
      const exceptions = Object.entries(this.#data.shapes).filter(([, shape]) => shape.exception);
      for (const [name, { error }] of exceptions) if (error?.code && !this.#errors.has(error.code)) this.#errors.set(error.code, this.shape(name));
      for (const [name] of exceptions) this.#errors.set(name, this.shape(name));
    }
    return this.#errors.get(code);
  }
}

export class OperationModel {
  readonly method: string;
  /** `/{Bucket}/{Key+}?uploads`. */
  readonly uri: string;
  /** HTTP status of success. */
  readonly status: number;
  /** Root element of the request's XML, where the protocol has one. */
  readonly inputName: string | undefined;
  readonly inputNamespace: string | undefined;
  /** Element around the result in the query protocol. */
  readonly resultWrapper: string | undefined;
  /** Shape names of the declared errors. */
  readonly errors: readonly string[];
  /** AWS takes it without signature. */
  readonly unsigned: boolean;
  readonly deprecated: boolean;
  readonly checksumRequired: boolean;
  readonly hostPrefix: string | undefined;
  readonly name: string;
  readonly #data: OperationData;
  readonly #resolve: (shape: string) => Shape;

  constructor(name: string, data: OperationData, resolve: (shape: string) => Shape) {
    this.name = name;
    this.method = data.method;
    this.uri = data.uri;
    this.status = data.status ?? 200;
    this.inputName = data.inputName;
    this.inputNamespace = data.inputNamespace;
    this.resultWrapper = data.resultWrapper;
    this.errors = data.errors ?? [];
    this.unsigned = data.unsigned ?? false;
    this.deprecated = data.deprecated ?? false;
    this.checksumRequired = data.checksumRequired ?? false;
    this.hostPrefix = data.hostPrefix;
    this.#data = data;
    this.#resolve = resolve;
  }

  get input(): Shape | undefined {
    return this.#data.input === undefined ? undefined : this.#resolve(this.#data.input);
  }

  get output(): Shape | undefined {
    return this.#data.output === undefined ? undefined : this.#resolve(this.#data.output);
  }
}

export type ShapeType = 'structure' | 'list' | 'map' | 'string' | 'integer' | 'long' | 'float' | 'double' | 'boolean' | 'blob' | 'timestamp' | 'character';
export type TimestampFormat = 'iso8601' | 'rfc822' | 'unixTimestamp' | 'unixTimestampMillis';

export class Shape {
  readonly name: string;
  readonly type: ShapeType;
  /** Of a structure, in the model's order. */
  readonly members: ReadonlyMap<string, Member>;
  readonly required: readonly string[];
  /** Of a list: its items. */
  readonly member: Member | undefined;
  /** Of a map. */
  readonly key: Member | undefined;
  readonly value: Member | undefined;
  /** Length of strings, lists, maps and blobs; value of numbers. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** As in the model: a Java regular expression. */
  readonly pattern: string | undefined;
  readonly enum: readonly string[] | undefined;
  readonly flattened: boolean;
  readonly locationName: string | undefined;
  readonly timestampFormat: TimestampFormat | undefined;
  /** Name of the member that is the HTTP body. */
  readonly payload: string | undefined;
  readonly streaming: boolean;
  readonly eventstream: boolean;
  /** Exactly one member is set. */
  readonly union: boolean;
  /** Any JSON. */
  readonly document: boolean;
  readonly exception: boolean;
  /** The service's fault: an HTTP 5xx. */
  readonly fault: boolean;
  readonly sensitive: boolean;
  readonly error: { readonly code?: string; readonly httpStatusCode?: number; readonly senderFault?: boolean } | undefined;
  readonly xmlNamespace: { readonly uri: string; readonly prefix?: string } | undefined;

  constructor(name: string, data: ShapeData, resolve: (shape: string) => Shape) {
    const link = (key: string, member: MemberData | undefined): Member | undefined => member && new Member(key, member, resolve);
    this.name = name;
    this.type = data.type;
    this.members = new Map(Object.entries(data.members ?? {}).map(([key, member]) => [key, new Member(key, member, resolve)]));
    this.required = data.required ?? [];
    this.member = link('member', data.member);
    this.key = link('key', data.key);
    this.value = link('value', data.value);
    this.min = data.min;
    this.max = data.max;
    this.pattern = data.pattern;
    this.enum = data.enum;
    this.flattened = data.flattened ?? false;
    this.locationName = data.locationName;
    this.timestampFormat = data.timestampFormat;
    this.payload = data.payload;
    this.streaming = data.streaming ?? false;
    this.eventstream = data.eventstream ?? false;
    this.union = data.union ?? false;
    this.document = data.document ?? false;
    this.exception = data.exception ?? false;
    this.fault = data.fault ?? false;
    this.sensitive = data.sensitive ?? false;
    this.error = data.error;
    this.xmlNamespace = namespace(data.xmlNamespace);
  }
}

export type MemberLocation = 'uri' | 'querystring' | 'header' | 'headers' | 'statusCode';

/** A member of a structure, the items of a list, or the key or value of a map. */
export class Member {
  readonly name: string;
  /** Where in HTTP it stands; undefined: in the body. */
  readonly location: MemberLocation | undefined;
  /** Its name there, when it isn't `name`; of `headers`, the prefix. */
  readonly locationName: string | undefined;
  /** Its name in the query protocols, when that differs from the one in XML. */
  readonly queryName: string | undefined;
  readonly flattened: boolean;
  readonly xmlAttribute: boolean;
  readonly xmlNamespace: { readonly uri: string; readonly prefix?: string } | undefined;
  readonly idempotencyToken: boolean;
  readonly streaming: boolean;
  readonly timestampFormat: TimestampFormat | undefined;
  /** The value is JSON text in a header. */
  readonly jsonvalue: boolean;
  readonly eventpayload: boolean;
  readonly #shape: string;
  readonly #resolve: (shape: string) => Shape;
  #resolved: Shape | undefined;

  constructor(name: string, data: MemberData, resolve: (shape: string) => Shape) {
    this.name = name;
    this.location = data.location;
    this.locationName = data.locationName;
    this.queryName = data.queryName;
    this.flattened = data.flattened ?? false;
    this.xmlAttribute = data.xmlAttribute ?? false;
    this.xmlNamespace = namespace(data.xmlNamespace);
    this.idempotencyToken = data.idempotencyToken ?? false;
    this.streaming = data.streaming ?? false;
    this.timestampFormat = data.timestampFormat;
    this.jsonvalue = data.jsonvalue ?? false;
    this.eventpayload = data.eventpayload ?? false;
    this.#shape = data.shape;
    this.#resolve = resolve;
  }

  get shape(): Shape {
    return (this.#resolved ??= this.#resolve(this.#shape));
  }
}

/** A model as it is stored. */
export interface ModelData extends ModelHead {
  readonly operations: Readonly<Record<string, OperationData>>;
  readonly shapes: Readonly<Record<string, ShapeData>>;
}

export interface OperationData {
  readonly method: string;
  readonly uri: string;
  readonly status?: number;
  readonly input?: string;
  readonly inputName?: string;
  readonly inputNamespace?: string;
  readonly output?: string;
  readonly resultWrapper?: string;
  readonly errors?: readonly string[];
  readonly unsigned?: boolean;
  readonly deprecated?: boolean;
  readonly checksumRequired?: boolean;
  readonly hostPrefix?: string;
}

export interface ShapeData extends Partial<Omit<Shape, 'members' | 'member' | 'key' | 'value' | 'xmlNamespace'>> {
  readonly type: ShapeType;
  readonly members?: Readonly<Record<string, MemberData>>;
  readonly member?: MemberData;
  readonly key?: MemberData;
  readonly value?: MemberData;
  readonly xmlNamespace?: NamespaceData;
}

export interface MemberData extends Partial<Omit<Member, 'shape' | 'xmlNamespace'>> {
  readonly shape: string;
  readonly xmlNamespace?: NamespaceData;
}

type NamespaceData = string | { readonly uri: string; readonly prefix?: string };

function namespace(data: NamespaceData | undefined): { uri: string; prefix?: string } | undefined {
  return typeof data === 'string' ? { uri: data } : data;
}

/** Entry of the pack that holds all heads. */
const INDEX = '';
const pack = new Pack<unknown>(new URL('./data/apis.pack', import.meta.url));
const models = new Map<string, ServiceModel>();

interface Lookup {
  readonly heads: readonly ModelHead[];
  readonly bySigningName: ReadonlyMap<string, readonly ModelHead[]>;
  readonly byTarget: ReadonlyMap<string, readonly ModelHead[]>;
  readonly byQueryVersion: ReadonlyMap<string, readonly ModelHead[]>;
}

let index: Lookup | undefined;

function heads(): readonly ModelHead[] {
  return lookup().heads;
}

function lookup(): Lookup {
  if (!index) {
    const all = pack.read(INDEX) as ModelHead[];
    const fit = (head: ModelHead): number => (head.name === head.signingName ? 0 : head.endpointPrefix === head.signingName ? 1 : 2);
    const ranked = [...all].sort((a, b) => fit(a) - fit(b));
    index = {
      heads: all,
      bySigningName: groups(ranked, (head) => head.signingName),
      byTarget: groups(ranked, (head) => head.targetPrefix),
      byQueryVersion: groups(ranked, (head) => (head.protocols.includes('query') || head.protocols.includes('ec2') ? head.apiVersion : undefined)),
    };
  }
  return index;
}

function groups(all: readonly ModelHead[], key: (head: ModelHead) => string | undefined): Map<string, ModelHead[]> {
  const result = new Map<string, ModelHead[]>();
  for (const head of all) {
    const name = key(head);
    if (name === undefined) continue;
    const list = result.get(name);
    if (list) list.push(head);
    else result.set(name, [head]);
  }
  return result;
}
