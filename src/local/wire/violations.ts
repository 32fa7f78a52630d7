import { AwsError } from '../kernel/error.js';
import type { Member, ServiceModel, Shape } from '../models/model.js';
import type { Structure } from './types.js';

/** One thing an input breaks. */
export interface Violation {
  /** `tags.1.member.key`. */
  readonly path: string;
  readonly member: Member;
  /** The member of the input it lies in. */
  readonly top: Member;
  /** Undefined: the member is missing. */
  readonly value: unknown;
  readonly kind: 'null' | 'size' | 'pattern' | 'enum' | 'items';
  /** `Member must not be null`. */
  readonly sentence: string;
}

/** The error a service answers to an input that its model refuses: most share one sentence, some have their own. */
export function violationError(model: ServiceModel, violations: readonly Violation[]): AwsError {
  const own = OWN[model.name]?.(violations[0]!);
  if (own) return own;
  const list = violations.map((violation) => `Value${shown(model, violation)} at '${violation.path}' failed to satisfy constraint: ${violation.sentence}`);
  const count = `${list.length} validation error${list.length === 1 ? '' : 's'} detected`;
  return new AwsError(codeOf(model), `${count}: ${list.join('; ')}`, { status: 400 });
}

/** Codes where they aren't the protocol's: `ValidationError` in query, `ValidationException` elsewhere. */
const CODES: Readonly<Record<string, string>> = {
  apigateway: 'BadRequestException',
  'cognito-idp': 'InvalidParameterException',
  cloudfront: 'InvalidArgument',
  logs: 'InvalidParameterException',
  organizations: 'InvalidInputException',
  route53: 'InvalidInput',
};

function codeOf(model: ServiceModel): string {
  return CODES[model.name] ?? (model.head.protocols.includes('query') && !model.head.protocols.includes('json') ? 'ValidationError' : 'ValidationException');
}

/** ` null`, ` 'x'`; nothing for what is secret. IAM was recorded to hide this one ID, though its model doesn't call it sensitive. */
function shown(model: ServiceModel, { member, value }: Violation): string {
  const { shape } = member;
  if (value === undefined) return ' null';
  const sensitive = shape.sensitive || shape.member?.shape.sensitive || shape.value?.shape.sensitive || (model.name === 'iam' && shape.name === 'serviceSpecificCredentialId');
  return sensitive ? '' : ` '${javaText(shape, value)}'`;
}

/** A value as Java's toString prints it: `[a, b]`, `{k=v}`, `[Tag(key=a, value=b)]`. */
function javaText(shape: Shape, value: unknown): string {
  if (value === undefined || value === null) return 'null';
  switch (shape.type) {
    case 'list':
      return `[${(value as unknown[]).map((item) => javaText(shape.member!.shape, item)).join(', ')}]`;
    case 'map':
      return `{${Object.entries(value as Structure).map(([key, item]) => `${key}=${javaText(shape.value!.shape, item)}`).join(', ')}}`;
    case 'structure': {
      const members = [...shape.members.values()].map((member) => `${lowerCamel(member.name)}=${javaText(member.shape, (value as Structure)[member.name])}`);
      return `${shape.name}(${members.join(', ')})`;
    }
    case 'blob': {
      const size = value instanceof Uint8Array ? value.byteLength : 0;
      return `java.nio.HeapByteBuffer[pos=0 lim=${size} cap=${size}]`;
    }
    case 'timestamp':
      return (value as Date).toISOString();
    default:
      return String(value);
  }
}

const lowerCamel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
const upperCamel = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const bad = (code: string, message: string, fields?: Record<string, unknown>): AwsError => new AwsError(code, message, { status: 400, ...(fields ? { fields } : {}) });

/** Services with sentences of their own; undefined: the common one. */
const OWN: Readonly<Record<string, (violation: Violation) => AwsError | undefined>> = {
  iam: iamError,
  s3: s3Error,
  ec2: ec2Error,
  ecr: ecrError,
  lambda: lambdaError,
  sqs: sqsError,
};

/** Attributes that aren't known are named; whatever lacks is asked for. */
function sqsError({ member, kind, path, value }: Violation): AwsError | undefined {
  if (kind === 'null') return bad('MissingParameter', `The request must contain the parameter ${path.split('.').map((part) => (part === 'member' ? '' : upperCamel(part))).filter(Boolean).join('.')}.`);
  if (kind !== 'items' || (path !== 'attributes' && path !== 'attributeNames')) return undefined;
  const known = (member.shape.key ?? member.shape.member)?.shape.enum ?? [];
  const unknown = (Array.isArray(value) ? (value as string[]) : Object.keys(value as object)).find((name) => !known.includes(name));
  return unknown === undefined ? undefined : bad('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
}

/** Names and paths have a sentence for people (seen of CreateRole and many others). */
function iamError({ member, kind, path }: Violation): AwsError | undefined {
  if (kind !== 'pattern') return undefined;
  const { pattern } = member.shape;
  if (pattern === '[\\w+=,.@-]+') return bad('ValidationError', `The specified value for ${path} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`);
  if (path === 'path') return bad('ValidationError', 'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.');
  return undefined;
}

function ec2Error({ member, kind, path, value, sentence }: Violation): AwsError | undefined {
  const name = path.split('.').filter((part) => part !== 'member').map(upperCamel).join('.');
  if (kind === 'null') return bad('MissingParameter', `The request must contain the parameter ${name}`);
  if (kind === 'size' && typeof value === 'number') {
    const [, less, limit] = /(less|greater) than or equal to (\d+)/.exec(sentence) ?? [];
    return bad('InvalidParameterValue', `Value ( ${value} ) for parameter ${lowerCamel(member.name)} is invalid. Expecting a value ${less} than ${Number(limit) + (less === 'less' ? 1 : -1)}.`);
  }
  return bad('InvalidParameterValue', `Value (${javaText(member.shape, value)}) for parameter ${lowerCamel(member.name)} is invalid.`);
}

/** `Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '…''`. */
function ecrError({ member, kind, path, sentence }: Violation): AwsError {
  const constraint = kind === 'pattern' ? `must satisfy regular expression '${member.shape.pattern!.replaceAll('\\/', '/')}'` : sentence;
  return bad('InvalidParameterException', `Invalid parameter at '${path}' failed to satisfy constraint: '${constraint}'`);
}

function lambdaError({ kind, path, value, sentence }: Violation): AwsError | undefined {
  if (path !== 'runtime' || kind !== 'enum') return undefined;
  return bad('InvalidParameterValueException', `Value ${String(value)} at 'runtime' failed to satisfy constraint: ${sentence} or be a valid ARN`);
}

/** S3 validates documents against its XML schema, and each header in its own way (S3 API reference, "List of error codes"). */
function s3Error({ member, top, kind, value }: Violation): AwsError {
  const malformed = bad('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
  if (member !== top || top.location === undefined) {
    if (kind === 'null' && member.name === 'Policy') return bad('MalformedPolicy', "Policies must be valid JSON and the first byte must be '{'");
    if (kind === 'null' && member === top) return bad('MissingRequestBodyError', 'Request Body is empty');
    return malformed;
  }
  const name = member.locationName ?? member.name;
  if (kind === 'null') return bad('InvalidRequest', top.location === 'header' ? `Missing required header for this request: ${name}` : `Missing required parameter for this request: '${name}'`);
  if (member.name === 'StorageClass') return bad('InvalidStorageClass', 'The storage class you specified is not valid');
  if (member.name === 'ServerSideEncryption') return bad('InvalidArgument', 'The encryption method specified is not supported', { ArgumentName: name, ArgumentValue: value });
  if (member.name === 'ChecksumAlgorithm') return bad('InvalidRequest', `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${member.shape.enum!.join(', ')}]`);
  if (member.name === 'EncodingType') return bad('InvalidArgument', 'Invalid Encoding Method specified in Request', { ArgumentName: name, ArgumentValue: value });
  const message = member.name === 'ACL' ? '' : `Invalid value for ${name}`;
  return bad('InvalidArgument', message, { ArgumentName: name, ArgumentValue: value });
}
