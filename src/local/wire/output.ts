import type { Body } from '../kernel/service.js';
import type { Member, OperationModel, Protocol, ServiceModel, Shape } from '../models/model.js';
import { encodeCbor } from './cbor.js';
import { structureToJson, unknownMember } from './json.js';
import { S3_NAMESPACE, S3_ROOTS, s3RequestIds, urlEncoded } from './s3-answers.js';
import { formatTimestamp } from './timestamps.js';
import type { Structure, WireResponse } from './types.js';
import { memberToXml, structureToXml, type XmlStyle } from './xml-values.js';
import { escapeXml, XML_DECLARATION } from '../../shared/xml.js';

/**
 * The HTTP response that carries an operation's output. Members the model doesn't know raise a FlotillaError: the service answered
 * something AWS does not.
 */
export function serializeOutput(model: ServiceModel, operationName: string, protocol: Protocol, output: Structure, requestId: string): WireResponse {
  const operation = model.operation(operationName)!;
  const where = `${model.name}:${operationName}`;
  switch (protocol) {
    case 'query':
      return queryResponse(model, operation, output, requestId, where);
    case 'ec2':
      return ec2Response(model, operation, output, requestId, where);
    case 'json':
      return jsonResponse(model, operation, output, requestId, where);
    case 'smithy-rpc-v2-cbor':
      return cborResponse(operation, output, requestId, where);
    default:
      return restResponse(model, operation, protocol, output, requestId, where);
  }
}

export function xmlStyle(model: ServiceModel, protocol: Protocol): XmlStyle {
  const milliseconds = model.name === 'iam' || model.name === 'sts' ? 'none' : model.name === 's3' || protocol === 'ec2' ? 'zero' : 'shown';
  return { query: protocol === 'query' || protocol === 'ec2', ec2: protocol === 'ec2', milliseconds };
}

function queryResponse(model: ServiceModel, operation: OperationModel, output: Structure, requestId: string, where: string): WireResponse {
  const members = shapeOf(operation, output, where);
  const content = members ? structureToXml(members, output, xmlStyle(model, 'query'), where) : '';
  const wrapper = operation.resultWrapper;
  const result = wrapper === undefined ? content : `<${wrapper}>${content}</${wrapper}>`;
  const space = model.head.xmlNamespace === undefined ? '' : ` xmlns="${escapeXml(model.head.xmlNamespace)}"`;
  const name = `${operation.name}Response`;
  const body = `<${name}${space}>${result}<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}>`;
  return { status: 200, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body: Buffer.from(body) };
}

function ec2Response(model: ServiceModel, operation: OperationModel, output: Structure, requestId: string, where: string): WireResponse {
  const members = shapeOf(operation, output, where);
  // Operations without output answer `<return>true</return>` (EC2 API reference, DeleteVpc and the like).
  const content = members ? structureToXml(members, output, xmlStyle(model, 'ec2'), where) : '<return>true</return>';
  const name = `${operation.name}Response`;
  const body = `${XML_DECLARATION}<${name} xmlns="http://ec2.amazonaws.com/doc/${model.head.apiVersion}/"><requestId>${requestId}</requestId>${content}</${name}>`;
  return { status: 200, headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId }, body: Buffer.from(body) };
}

function jsonResponse(model: ServiceModel, operation: OperationModel, output: Structure, requestId: string, where: string): WireResponse {
  const members = shapeOf(operation, output, where);
  const headers = { 'content-type': `application/x-amz-json-${model.head.jsonVersion ?? '1.1'}`, 'x-amzn-requestid': requestId };
  return { status: 200, headers, body: Buffer.from(members ? JSON.stringify(structureToJson(members, output, { rest: false }, where)) : '') };
}

function cborResponse(operation: OperationModel, output: Structure, requestId: string, where: string): WireResponse {
  const members = shapeOf(operation, output, where);
  const headers = { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor', 'x-amzn-requestid': requestId };
  return { status: 200, headers, body: encodeCbor(members ? structureToJson(members, output, { rest: false, native: true }, where) : {}) };
}

/** The output's shape; without one, an output with members is a defect. */
function shapeOf(operation: OperationModel, output: Structure, where: string): Shape | undefined {
  const shape = operation.output;
  const [stray] = shape ? [] : Object.keys(output).filter((key) => output[key] !== undefined);
  if (stray !== undefined) throw unknownMember(where, stray);
  return shape;
}

function restResponse(model: ServiceModel, operation: OperationModel, protocol: Protocol, output: Structure, requestId: string, where: string): WireResponse {
  const shape = shapeOf(operation, output, where);
  const headers: Record<string, string> = {};
  if (model.name === 's3') {
    const ids = s3RequestIds(requestId);
    headers['x-amz-request-id'] = ids.requestId;
    headers['x-amz-id-2'] = ids.hostId;
  } else headers['x-amzn-requestid'] = requestId;
  if (!shape) return { status: operation.status, headers, body: undefined };
  for (const key of Object.keys(output)) if (output[key] !== undefined && !shape.members.has(key)) throw unknownMember(where, key);
  let status = operation.status;
  for (const member of shape.members.values()) {
    const value = output[member.name];
    if (value === undefined || value === null) continue;
    if (member.location === 'statusCode') status = Number(value);
    else if (member.location === 'headers') for (const [name, text] of Object.entries(value as Record<string, string>)) headers[`${(member.locationName ?? '').toLowerCase()}${name}`] = headerText(text);
    else if (member.location === 'header') headers[(member.locationName ?? member.name).toLowerCase()] = headerValue(member, value);
  }
  // A part of an object is 206 (RFC 9110); the model of GetObject doesn't say so.
  if (model.name === 's3' && operation.name === 'GetObject' && output['ContentRange'] !== undefined) status = 206;
  const { body, type } = restBody(model, operation, shape, protocol, model.name === 's3' ? urlEncoded(output) : output, where);
  if (type !== undefined && headers['content-type'] === undefined) headers['content-type'] = type;
  return { status, headers, body: operation.method === 'HEAD' || status === 204 ? undefined : body };
}

function headerValue(member: Member, value: unknown): string {
  const { shape } = member;
  if (shape.type === 'timestamp') return formatTimestamp(value as Date, member.timestampFormat ?? shape.timestampFormat ?? 'rfc822', 'none');
  if (member.jsonvalue) return Buffer.from(JSON.stringify(value)).toString('base64');
  if (shape.type === 'list') return (value as unknown[]).map((item) => (/[",]/.test(String(item)) ? `"${String(item).replace(/["\\]/g, '\\$&')}"` : String(item))).join(', ');
  if (shape.type === 'blob') return Buffer.from(value as Uint8Array).toString('base64');
  return headerText(String(value));
}

/** HTTP headers carry Latin-1: other text goes as RFC 2047 does it, which is how S3 answers such metadata. */
function headerText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\x20-\x7e\t]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}

function restBody(model: ServiceModel, operation: OperationModel, shape: Shape, protocol: Protocol, output: Structure, where: string): { body: Uint8Array | Body | undefined; type?: string } {
  if (shape.payload !== undefined) return payloadBody(model, shape.members.get(shape.payload)!, protocol, output, where);
  if (![...shape.members.values()].some((member) => member.location === undefined)) return { body: undefined };
  if (protocol === 'rest-json') {
    const json = structureToJson(shape, output, { rest: true }, where, (member) => member.location === undefined);
    return { body: Buffer.from(JSON.stringify(json)), type: 'application/json' };
  }
  const s3 = model.name === 's3';
  const root = (s3 ? S3_ROOTS[operation.name] : undefined) ?? shape.locationName ?? shape.name;
  const content =
    operation.name === 'GetBucketLocation' && s3 ? escapeXml(String(output['LocationConstraint'] ?? '')) : structureToXml(shape, output, xmlStyle(model, protocol), where);
  return { body: xmlDocument(root, namespaceOf(model), content), type: s3 ? 'application/xml' : 'text/xml' };
}

function payloadBody(model: ServiceModel, member: Member, protocol: Protocol, output: Structure, where: string): { body: Uint8Array | Body | undefined; type?: string } {
  const value = output[member.name];
  if (value === undefined || value === null) return { body: undefined };
  const { shape } = member;
  if (member.streaming || shape.streaming) return { body: typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array | Body), type: 'binary/octet-stream' };
  if (shape.document) return { body: Buffer.from(JSON.stringify(value)), type: 'application/json' };
  if (shape.type === 'blob') return { body: typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array | Body), type: 'application/octet-stream' };
  if (shape.type === 'string') return { body: Buffer.from(String(value)), type: model.name === 's3' ? 'application/json' : 'text/plain' };
  if (protocol === 'rest-json') return { body: Buffer.from(JSON.stringify(structureToJson(shape, value as Structure, { rest: true }, where))), type: 'application/json' };
  const name = member.locationName ?? shape.locationName ?? shape.name;
  const text = memberToXml(member, name, value, xmlStyle(model, protocol), `${where}.${member.name}`);
  const space = namespaceOf(model);
  const opened = space === undefined ? text : text.replace(`<${name}`, `<${name} xmlns="${space}"`);
  return { body: Buffer.from(XML_DECLARATION + opened), type: model.name === 's3' ? 'application/xml' : 'text/xml' };
}

function xmlDocument(root: string, space: string | undefined, content: string): Uint8Array {
  return Buffer.from(`${XML_DECLARATION}<${root}${space === undefined ? '' : ` xmlns="${space}"`}>${content}</${root}>`);
}

function namespaceOf(model: ServiceModel): string | undefined {
  if (model.name === 's3') return S3_NAMESPACE;
  return model.name === 'route53' ? `https://route53.amazonaws.com/doc/${model.head.apiVersion}/` : model.head.xmlNamespace;
}
