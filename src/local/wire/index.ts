import type { Protocol, ServiceModel } from '../models/model.js';
import { decodeCbor } from './cbor.js';
import { inputFromForm } from './form.js';
import { structureFromJson, structureFromPlain } from './json.js';
import { inputFromRest } from './rest-input.js';
import type { Structure, WireRequest } from './types.js';

export { identify } from './identify.js';
export { validateInput } from './validate.js';
export { serializeOutput } from './output.js';
export { serializeError } from './errors.js';
export type { Identified, Structure, WireRequest, WireResponse } from './types.js';

/**
 * The values of a request: timestamps as Date, blobs as Uint8Array, a streaming payload as the Body it came as. Raises AWS's error for
 * what can't be read (SerializationException, MalformedXML, MalformedInput …); whether it may be so is validateInput's to say.
 */
export async function parseInput(model: ServiceModel, operationName: string, protocol: Protocol, request: WireRequest): Promise<Structure> {
  const operation = model.operation(operationName)!;
  const shape = operation.input;
  switch (protocol) {
    case 'query':
    case 'ec2':
      return shape ? inputFromForm(model, shape, protocol === 'ec2', request) : {};
    case 'json':
      return shape ? structureFromJson(shape, await request.body.bytes(), { rest: false }) : {};
    case 'smithy-rpc-v2-cbor': {
      const bytes = await request.body.bytes();
      return shape && bytes.byteLength > 0 ? structureFromPlain(shape, decodeCbor(bytes), { rest: false, native: true }) : {};
    }
    default:
      return inputFromRest(model, operation, protocol, request);
  }
}

/** The member of an operation's input or output that is a stream, if there is one. */
export function streamingMember(model: ServiceModel, operationName: string, direction: 'input' | 'output'): string | undefined {
  const shape = model.operation(operationName)?.[direction];
  const member = shape?.payload === undefined ? undefined : shape.members.get(shape.payload);
  return member && (member.streaming || (member.shape.streaming && member.shape.type === 'blob')) ? member.name : undefined;
}
