import type { AwsError } from '../kernel/error.js';
import type { Protocol, ServiceModel, Shape } from '../models/model.js';
import { encodeCbor } from './cbor.js';
import { jsonName, structureToJson, type JsonStyle } from './json.js';
import { xmlStyle } from './output.js';
import { S3_STATUS, s3RequestIds } from './s3-answers.js';
import type { Structure, WireResponse } from './types.js';
import { memberToXml } from './xml-values.js';
import { escapeXml, XML_DECLARATION } from '../../shared/xml.js';

/**
 * The HTTP response that carries an error, in the shape the protocol's clients read. `model` and `operation` are undefined when the
 * request couldn't be told. `head`: a HEAD request, whose error has no body.
 */
export function serializeError(
  model: ServiceModel | undefined,
  operation: string | undefined,
  protocol: Protocol,
  error: AwsError,
  requestId: string,
  request: { readonly head?: boolean; readonly path?: string } = {},
): WireResponse {
  const raised: Raised = { model, shape: model?.error(error.code), error, requestId, status: statusOf(model, protocol, error) };
  const answer = respond(raised, protocol, request.path);
  const response = { ...answer, headers: { ...answer.headers, ...error.headers } };
  if (!request.head && raised.status !== 304) return response;
  const { 'content-type': _type, ...headers } = response.headers;
  return { ...response, headers, body: undefined };
}

interface Raised {
  readonly model: ServiceModel | undefined;
  readonly shape: Shape | undefined;
  readonly error: AwsError;
  readonly requestId: string;
  readonly status: number;
}

function respond(raised: Raised, protocol: Protocol, path: string | undefined): WireResponse {
  switch (protocol) {
    case 'query':
      return queryError(raised);
    case 'ec2':
      return ec2Error(raised);
    case 'json':
      return jsonError(raised);
    case 'smithy-rpc-v2-cbor':
      return cborError(raised);
    case 'rest-json':
      return restJsonError(raised);
    default:
      return raised.model === undefined || raised.model.name === 's3' ? s3Error(raised, path) : queryError(raised);
  }
}

/** Statuses of codes that no model lists ("Common errors" of the API references). In the JSON protocols nearly all of them are 400. */
const COMMON_STATUS: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  AuthFailure: 401,
  ExpiredToken: 403,
  IncompleteSignature: 400,
  InternalError: 500,
  InternalFailure: 500,
  InternalServerError: 500,
  InternalServiceError: 500,
  InvalidClientTokenId: 403,
  MissingAuthenticationToken: 403,
  NotImplemented: 501,
  OptInRequired: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  UnauthorizedOperation: 403,
};

const REST_STATUS: Readonly<Record<string, number>> = { AccessDeniedException: 403, UnrecognizedClientException: 403, InvalidSignatureException: 403, ExpiredTokenException: 403, MissingAuthenticationTokenException: 403, ThrottlingException: 429 };

function statusOf(model: ServiceModel | undefined, protocol: Protocol, error: AwsError): number {
  if (error.status !== undefined) return error.status;
  if (/^[345]\d\d$/.test(error.code)) return Number(error.code);
  const shape = model?.error(error.code);
  if (shape?.error?.httpStatusCode !== undefined) return shape.error.httpStatusCode;
  if (shape) return shape.fault ? 500 : (model?.name === 's3' ? (S3_STATUS.get(error.code) ?? 400) : 400);
  if (model?.name === 's3') return S3_STATUS.get(error.code) ?? COMMON_STATUS[error.code] ?? 400;
  return COMMON_STATUS[error.code] ?? (protocol === 'rest-json' ? REST_STATUS[error.code] : undefined) ?? 400;
}

/** The code as this protocol's clients know it: a shape may have another name than its error in the query protocol. */
const queryCode = ({ shape, error }: Raised): string => shape?.error?.code ?? error.code;
const typeCode = ({ shape, error }: Raised): string => shape?.name ?? error.code;
const fault = ({ status }: Raised): string => (status >= 500 ? 'Receiver' : 'Sender');

function queryError(raised: Raised): WireResponse {
  const { model, error, requestId, status } = raised;
  const space = model?.head.xmlNamespace ?? (model?.name === 'route53' ? `https://route53.amazonaws.com/doc/${model.head.apiVersion}/` : undefined);
  const content = `<Type>${fault(raised)}</Type><Code>${escapeXml(queryCode(raised))}</Code><Message>${escapeXml(error.message)}</Message>${xmlFields(raised, 'query')}`;
  const body = `<ErrorResponse${space === undefined ? '' : ` xmlns="${escapeXml(space)}"`}><Error>${content}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body: Buffer.from(body) };
}

function ec2Error(raised: Raised): WireResponse {
  const { error, requestId, status } = raised;
  const content = `<Code>${escapeXml(queryCode(raised))}</Code><Message>${escapeXml(error.message)}</Message>`;
  const body = `${XML_DECLARATION}<Response><Errors><Error>${content}</Error></Errors><RequestID>${requestId}</RequestID></Response>`;
  return { status, headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId }, body: Buffer.from(body) };
}

function s3Error(raised: Raised, path: string | undefined): WireResponse {
  const { error, status } = raised;
  const ids = s3RequestIds(raised.requestId);
  const resource = path === undefined || 'BucketName' in error.fields || 'Key' in error.fields ? '' : resourceElement(error, path);
  const content = `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>${xmlFields(raised, 'rest-xml')}${resource}<RequestId>${ids.requestId}</RequestId><HostId>${ids.hostId}</HostId>`;
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': ids.requestId, 'x-amz-id-2': ids.hostId },
    body: Buffer.from(`${XML_DECLARATION}<Error>${content}</Error>`),
  };
}

/** A few of S3's errors name the path (recorded: MethodNotAllowed and the like don't, InternalError and MalformedXML may). */
function resourceElement(error: AwsError, path: string): string {
  return error.code === 'InternalError' || error.code === 'InternalFailure' ? `<Resource>${escapeXml(path)}</Resource>` : '';
}

function xmlFields({ model, shape, error }: Raised, protocol: Protocol): string {
  let text = '';
  for (const [name, value] of Object.entries(error.fields)) {
    if (value === undefined || value === null) continue;
    const member = shape?.members.get(name);
    text += member && model ? memberToXml(member, member.locationName ?? name, value, xmlStyle(model, protocol), `${error.code}.${name}`) : `<${name}>${escapeXml(String(value))}</${name}>`;
  }
  return text;
}

function jsonError(raised: Raised): WireResponse {
  const { model, error, requestId, status } = raised;
  const headers: Record<string, string> = { 'content-type': `application/x-amz-json-${model?.head.jsonVersion ?? '1.1'}`, 'x-amzn-requestid': requestId };
  queryCompatibility(raised, headers);
  const namespace = raised.shape ? TYPE_NAMESPACES[model!.name] : undefined;
  const body = { __type: namespace === undefined ? typeCode(raised) : `${namespace}#${typeCode(raised)}`, ...jsonFields(raised, { rest: false }), ...message(raised, error) };
  return { status, headers, body: Buffer.from(JSON.stringify(body)) };
}

/** Services whose `__type` carries a namespace on the wire. */
const TYPE_NAMESPACES: Readonly<Record<string, string>> = { sqs: 'com.amazonaws.sqs', dynamodb: 'com.amazonaws.dynamodb.v20120810', dynamodbstreams: 'com.amazonaws.dynamodb.v20120810' };

function cborError(raised: Raised): WireResponse {
  const headers: Record<string, string> = { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor', 'x-amzn-requestid': raised.requestId };
  queryCompatibility(raised, headers);
  const body = { __type: typeCode(raised), ...jsonFields(raised, { rest: false, native: true }), ...message(raised, raised.error) };
  return { status: raised.status, headers, body: encodeCbor(body) };
}

/** Services that spoke query before keep their old codes in a header (Smithy: awsQueryCompatible). */
function queryCompatibility(raised: Raised, headers: Record<string, string>): void {
  if (raised.model?.head.queryCompatible) headers['x-amzn-query-error'] = `${queryCode(raised)};${fault(raised)}`;
}

function restJsonError(raised: Raised): WireResponse {
  const { model, shape, error, requestId, status } = raised;
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-amzn-requestid': requestId, 'x-amzn-errortype': typeCode(raised) };
  for (const member of shape?.members.values() ?? []) {
    const value = error.fields[member.name];
    if (member.location === 'header' && value !== undefined) headers[(member.locationName ?? member.name).toLowerCase()] = String(value);
  }
  // Lambda says in each of its errors whose fault it was.
  const type = model?.name === 'lambda' && shape?.members.has('Type') ? { Type: status >= 500 ? 'Service' : 'User' } : {};
  return { status, headers, body: Buffer.from(JSON.stringify({ ...type, ...jsonFields(raised, { rest: true }), ...message(raised, error) })) };
}

function jsonFields({ shape, error }: Raised, style: JsonStyle): Structure {
  const known: Structure = {};
  const rest: Structure = {};
  for (const [name, value] of Object.entries(error.fields)) {
    const member = shape?.members.get(name);
    if (!member) rest[name] = value;
    else if (member.location === undefined) known[name] = value;
  }
  return { ...(shape ? structureToJson(shape, known, style, error.code) : {}), ...rest };
}

/** The sentence, under the name its shape has for it. AWS leaves an empty one out. */
function message({ shape }: Raised, error: AwsError): Structure {
  if (error.message === '') return {};
  const member = shape?.members.get('message') ?? shape?.members.get('Message') ?? shape?.members.get('errorMessage');
  if (member) return { [jsonName(member, { rest: true })]: error.message };
  return { [!shape && error.code === 'AccessDeniedException' ? 'Message' : 'message']: error.message };
}
