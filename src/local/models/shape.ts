/** The parts of an API model: what an operation takes and answers, shape by shape. Linked lazily: a model of thousands costs what is used of it. */
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

/** An operation as it is stored. */
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

/** A shape as it is stored. */
export interface ShapeData extends Partial<Omit<Shape, 'members' | 'member' | 'key' | 'value' | 'xmlNamespace'>> {
  readonly type: ShapeType;
  readonly members?: Readonly<Record<string, MemberData>>;
  readonly member?: MemberData;
  readonly key?: MemberData;
  readonly value?: MemberData;
  readonly xmlNamespace?: NamespaceData;
}

/** A member as it is stored. */
export interface MemberData extends Partial<Omit<Member, 'shape' | 'xmlNamespace'>> {
  readonly shape: string;
  readonly xmlNamespace?: NamespaceData;
}

type NamespaceData = string | { readonly uri: string; readonly prefix?: string };

function namespace(data: NamespaceData | undefined): { uri: string; prefix?: string } | undefined {
  return typeof data === 'string' ? { uri: data } : data;
}
