import type { Body } from '../kernel/service.js';
import type { Protocol, ServiceModel } from '../models/model.js';

/** An HTTP request as the protocols see it. */
export interface WireRequest {
  readonly method: string;
  /** Still percent-encoded, without the query. S3's virtual-host style was rewritten to path style before. */
  readonly path: string;
  /** The path the client signed, where rewriting changed it. */
  readonly signedPath?: string;
  /** Decoded, in order. */
  readonly query: readonly (readonly [string, string])[];
  /** Names in lower case; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | Body | undefined;
}

/** What a request asks for: an operation that the model has, in the protocol the request speaks. */
export interface Identified {
  readonly model: ServiceModel;
  readonly operation: string;
  readonly protocol: Protocol;
}

/** Members of a structure by name. */
export type Structure = Record<string, unknown>;

/** Sets a key that came from outside: `__proto__` becomes a key like any other. */
export function put(target: Structure, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
