import { isObject, type Json } from '../json.js';
import type { Client } from '../../kernel/service.js';
import { isAwsError } from '../../kernel/error.js';
import { validationError } from '../template/error.js';

/** `{{resolve:SERVICE:…}}` (user guide: "Get values stored in other services using dynamic references"). */
const DYNAMIC = /\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}/g;

export function hasDynamicReference(value: Json): boolean {
  if (typeof value === 'string') return value.includes('{{resolve:');
  if (Array.isArray(value)) return value.some(hasDynamicReference);
  return isObject(value) && Object.values(value).some(hasDynamicReference);
}

/** The value with every dynamic reference replaced by what it names, read as the given client. Each reference is read once. */
export async function resolveDynamicReferences(value: Json, client: Client): Promise<Json> {
  if (!hasDynamicReference(value)) return value;
  const known = new Map<string, string>();
  for (const reference of collect(value)) known.set(reference, await resolve(reference, client));
  return replace(value, known);
}

function collect(value: Json, found = new Set<string>()): Set<string> {
  if (typeof value === 'string') for (const match of value.matchAll(DYNAMIC)) found.add(match[0]);
  else if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (isObject(value)) for (const member of Object.values(value)) collect(member, found);
  return found;
}

function replace(value: Json, known: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return value.replace(DYNAMIC, (reference) => known.get(reference) ?? reference);
  if (Array.isArray(value)) return value.map((item) => replace(item, known));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replace(member, known)]));
  return value;
}

async function resolve(reference: string, client: Client): Promise<string> {
  const [, service, body] = new RegExp(DYNAMIC.source).exec(reference) as unknown as [string, string, string];
  return service === 'secretsmanager' ? secret(body.trim(), client) : parameter(body.trim(), service === 'ssm-secure', client);
}

async function parameter(name: string, secure: boolean, client: Client): Promise<string> {
  try {
    const { Parameter } = await client.call<{ Parameter: { Value: string; Type: string } }>('ssm', 'GetParameter', { Name: name, WithDecryption: secure });
    if (!secure && Parameter.Type === 'SecureString') throw validationError(`Non-secure ssm prefix was used for secure parameter: ${name}`);
    return Parameter.Value;
  } catch (error) {
    if (isAwsError(error, 'ParameterNotFound')) {
      throw validationError(`Parameters: [${secure ? 'ssm-secure' : 'ssm'}:${name}:] cannot be found.`);
    }
    throw error;
  }
}

/** `secret-id:secret-string:json-key:version-stage:version-id`; the secret may be named by ARN. */
async function secret(body: string, client: Client): Promise<string> {
  const parts = body.split(':');
  const id = body.startsWith('arn:') ? parts.splice(0, 7).join(':') : parts.shift()!;
  const [kind, key, stage, version] = parts;
  if (kind !== undefined && kind !== '' && kind !== 'SecretString') throw validationError(`Dynamic reference {{resolve:secretsmanager:${body}}} must name SecretString`);
  const answer = await client.call<{ SecretString?: string }>('secretsmanager', 'GetSecretValue', {
    SecretId: id,
    ...(stage ? { VersionStage: stage } : {}),
    ...(version ? { VersionId: version } : {}),
  });
  if (answer.SecretString === undefined) throw validationError(`Could not parse SecretString JSON: the secret ${id} has no SecretString`);
  if (!key) return answer.SecretString;
  let document: unknown;
  try {
    document = JSON.parse(answer.SecretString);
  } catch {
    throw validationError('Could not parse SecretString JSON');
  }
  const value = isObject(document) ? document[key] : undefined;
  if (value === undefined) throw validationError('Could not find a value associated with JSONKey in SecretString');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
