import { AwsError } from '../../kernel/error.js';
import type { MessageAttributeValue } from '../../models/types/sns.js';

/** Raises ParameterValueInvalid for message attributes that can't be (sentences as recorded). */
export function checkAttributes(attributes: Readonly<Record<string, MessageAttributeValue>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    checkName(name);
    checkValue(name, value);
  }
}

function checkName(name: string): void {
  if (name === '') throw wrong('The message attribute name must not be empty.');
  if (Buffer.byteLength(name) > 256) throw wrong('Length of message attribute name must be less than 256 bytes.');
  const odd = /[^A-Za-z0-9_.-]/.exec(name)?.[0];
  if (odd !== undefined)
    throw wrong(`Invalid non-alphanumeric character '#x${odd.codePointAt(0)!.toString(16).toUpperCase()}' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.`);
  if (name.startsWith('.')) throw wrong("Invalid message attribute name starting with character '.' was found.");
  if (name.endsWith('.')) throw wrong("Invalid message attribute name ending with character '.' was found.");
  if (name.includes('..')) throw wrong("Message attribute name can not have successive '.' character.");
}

function checkValue(name: string, { DataType, StringValue, BinaryValue }: MessageAttributeValue): void {
  const type = /^(String|Number|Binary)(\..+)?$/.exec(DataType)?.[1];
  if (type === undefined) throw wrong(`The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`);
  const field = type === 'Binary' ? 'Binary' : 'String';
  const own = field === 'Binary' ? BinaryValue : StringValue;
  const other = field === 'Binary' ? StringValue : BinaryValue;
  if (own === undefined && other !== undefined) throw wrong(`The message attribute '${name}' with type '${DataType}' must use field '${field}'.`);
  if (own === undefined || own.length === 0) throw wrong(`The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${DataType}'.`);
  if (type === 'Number' && !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test((own as string).trim())) throw wrong(`Could not cast message attribute '${name}' value to number.`);
}

function wrong(message: string): AwsError {
  return new AwsError('ParameterValueInvalid', message, { status: 400 });
}
