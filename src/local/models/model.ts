import { Pack } from './pack.js';
import { OperationModel, Shape, type OperationData, type ShapeData } from './shape.js';

export type { Member, MemberLocation, OperationModel, Shape, ShapeType, TimestampFormat } from './shape.js';

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

/** Models by the part of `X-Amz-Target` before the last dot: whole, as botocore sends it, or its last name alone, as Smithy's clients do (awsJson 1.1 protocol). */
export function modelsOfTarget(targetPrefix: string): readonly ModelHead[] {
  return lookup().byTarget.get(targetPrefix) ?? heads().filter((head) => head.targetPrefix?.endsWith(`.${targetPrefix}`));
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

/** A model as it is stored. */
export interface ModelData extends ModelHead {
  readonly operations: Readonly<Record<string, OperationData>>;
  readonly shapes: Readonly<Record<string, ShapeData>>;
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
