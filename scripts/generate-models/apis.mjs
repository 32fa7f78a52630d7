// API models: botocore's service-2.json without prose, signing helpers and whatever only concerns the client.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sqsQueryNames } from './sqs-query.mjs';

/** Services with behaviour in Flotilla: they get TypeScript types too. */
export const IMPLEMENTED = [
  'sts', 'iam', 's3', 'ssm', 'kms', 'ecr', 'cloudformation', 'sns', 'sqs', 'secretsmanager', 'logs', 'ec2', 'codepipeline', 'codebuild', 'codecommit',
  'codeconnections', 'codestar-connections', 'events', 'lambda', 'apigateway', 'dynamodb', 'cloudwatch', 'codestar-notifications', 'chatbot', 'organizations', 'route53', 'service-quotas',
];

/**
 * Compact models, `ModelData` of `src/local/models/model.ts`, of every service: a call to one without behaviour is refused by name, in
 * its own protocol.
 */
export function apiModels(botocore) {
  const names = readdirSync(join(botocore, 'data'), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  return names.flatMap((name) => {
    const folder = join(botocore, 'data', name);
    const version = readdirSync(folder).filter((entry) => /^\d{4}-/.test(entry)).sort().at(-1);
    if (!version) return [];
    const plain = join(folder, version, 'service-2.json');
    if (!existsSync(plain) && !existsSync(`${plain}.gz`)) return [];
    const source = JSON.parse(existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`)));
    if (name === 'sqs') sqsQueryNames(source);
    return compact(name, source);
  });
}

function compact(name, { metadata, operations, shapes }) {
  const model = {
    name,
    serviceId: metadata.serviceId,
    apiVersion: metadata.apiVersion,
    protocols: metadata.protocols ?? [metadata.protocol],
    endpointPrefix: metadata.endpointPrefix,
    signingName: metadata.signingName ?? metadata.endpointPrefix,
    targetPrefix: metadata.targetPrefix,
    jsonVersion: metadata.jsonVersion,
    xmlNamespace: metadata.xmlNamespace,
    globalEndpoint: metadata.globalEndpoint,
    queryCompatible: metadata.awsQueryCompatible && true,
    operations: {},
    shapes: {},
  };
  for (const [key, operation] of sorted(operations)) model.operations[key] = compactOperation(operation);
  for (const [key, shape] of sorted(shapes)) model.shapes[key] = compactShape(shape);
  return JSON.parse(JSON.stringify(model));
}

function compactOperation({ http, input, output, errors, ...flags }) {
  return {
    method: http.method,
    uri: http.requestUri,
    status: http.responseCode,
    input: input?.shape,
    inputName: input?.locationName,
    inputNamespace: input?.xmlNamespace?.uri,
    output: output?.shape,
    resultWrapper: output?.resultWrapper,
    errors: errors?.map((error) => error.shape),
    unsigned: flags.authtype === 'none' || undefined,
    deprecated: flags.deprecated,
    idempotent: flags.idempotent,
    readonly: flags.readonly,
    checksumRequired: flags.httpChecksumRequired || flags.httpChecksum?.requestChecksumRequired || undefined,
    hostPrefix: flags.endpoint?.hostPrefix,
  };
}

const SHAPE_PROSE = new Set(['documentation', 'deprecated', 'deprecatedMessage', 'deprecatedSince', 'synthetic', 'retryable', 'xmlOrder']);
const MEMBER_PROSE = new Set([...SHAPE_PROSE, 'contextParam', 'hostLabel']);

function compactShape(shape) {
  const result = {};
  for (const [key, value] of Object.entries(shape)) {
    if (SHAPE_PROSE.has(key)) continue;
    if (key === 'members') result.members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, compactMember(member)]));
    else if (['member', 'key', 'value'].includes(key)) result[key] = compactMember(value);
    else result[key] = value;
  }
  return result;
}

const compactMember = (member) => Object.fromEntries(Object.entries(member).filter(([key]) => !MEMBER_PROSE.has(key)));
const sorted = (object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
