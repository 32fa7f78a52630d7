import { AwsError } from '../kernel/error.js';
import type { ModelHead } from '../models/model.js';

/**
 * A request whose text doesn't make the values its model asks for. Each protocol has its own code for it (Smithy's
 * `SerializationException`, S3's `MalformedXML`, the query protocol's `MalformedInput`).
 */
export type Malformed = (detail: string) => AwsError;

export const malformedJson: Malformed = (detail) => new AwsError('SerializationException', detail, { status: 400 });
export const malformedQuery: Malformed = (detail) => new AwsError('MalformedInput', detail, { status: 400 });

export function malformedXml(head: ModelHead): Malformed {
  if (head.name === 's3')
    return () => new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema', { status: 400 });
  return (detail) => new AwsError(head.name === 'route53' || head.name === 'cloudfront' ? 'InvalidInput' : 'MalformedXML', `Invalid XML ; ${detail}`, { status: 400 });
}

/** A value in path, query or header that isn't of its type. */
export function malformedParameter(head: ModelHead, name: string, value: string, expected: string): AwsError {
  if (head.name !== 's3') return new AwsError(head.protocols[0] === 'rest-xml' ? 'InvalidInput' : 'SerializationException', `Value '${value}' of '${name}' can not be converted to ${expected}`, { status: 400 });
  const message = expected === 'an Integer' ? `Provided ${name} not an integer or within integer range` : `Invalid value for ${name}`;
  return new AwsError('InvalidArgument', message, { status: 400, fields: { ArgumentName: name, ArgumentValue: value } });
}
