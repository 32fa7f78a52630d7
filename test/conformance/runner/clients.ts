import type { Cloud } from '../../../src/local/server.js';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Packages of the SDK by the names the vectors use. */
const PACKAGES: Readonly<Record<string, string>> = {
  apigateway: 'api-gateway', cloudformation: 'cloudformation', cloudwatch: 'cloudwatch', dynamodb: 'dynamodb', ec2: 'ec2', ecr: 'ecr', events: 'eventbridge', iam: 'iam', kms: 'kms', lambda: 'lambda',
  logs: 'cloudwatch-logs', s3: 's3', secretsmanager: 'secrets-manager', sns: 'sns', sqs: 'sqs', ssm: 'ssm', sts: 'sts',
};

/** A service for which there is no client here: the vector is out of scope. */
export class OutOfScope extends Error {}

export interface SdkError extends Error {
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

interface SdkClient {
  send(command: unknown): Promise<Record<string, unknown>>;
  destroy(): void;
  middlewareStack: { add(middleware: unknown, options: unknown): void };
}

type SdkModule = Record<string, new (input: unknown) => unknown>;

/** Real SDK clients against the cloud; one a service and region. */
export class Clients {
  private readonly clients = new Map<string, SdkClient>();

  constructor(private readonly cloud: Cloud, private credentials: Credentials) {}

  use(credentials: Credentials): void {
    this.credentials = credentials;
    this.destroy();
  }

  destroy(): void {
    for (const client of this.clients.values()) client.destroy();
    this.clients.clear();
  }

  async call(service: string, operation: string, input: unknown, region = 'us-east-1'): Promise<Record<string, unknown>> {
    const name = PACKAGES[service];
    if (name === undefined) throw new OutOfScope(`service ${service}`);
    const module = (await import(`@aws-sdk/client-${name}`)) as SdkModule;
    const Command = module[`${operation}Command`];
    if (!Command) throw new OutOfScope(`${service}:${operation} is not an operation of the SDK`);
    const client = this.client(module, service, region);
    const { $metadata: _, ...output } = await client.send(new Command(service === 's3' ? pythonic(operation, input as Record<string, unknown>) : input));
    return service === 's3' ? decoded(operation, output) : output;
  }

  private client(module: SdkModule, service: string, region: string): SdkClient {
    const key = `${service} ${region}`;
    let client = this.clients.get(key);
    if (!client) {
      const Client = Object.entries(module).find(([name]) => name.endsWith('Client') && !name.startsWith('__'))![1];
      client = new Client({ endpoint: this.cloud.endpoint, region, credentials: this.credentials, maxAttempts: 1, ...(service === 's3' ? { forcePathStyle: true } : {}), ...(service === 'sqs' ? { useQueueUrlAsEndpoint: false } : {}) }) as SdkClient;
      if (service === 's3') client.middlewareStack.add(withoutDefaultContentType, { step: 'build', name: 'withoutDefaultContentType', priority: 'low' });
      this.clients.set(key, client);
    }
    return client;
  }
}

const LISTS = new Set(['ListObjects', 'ListObjectsV2', 'ListObjectVersions']);

/** The recorded requests were sent by boto3: it asks lists for encoded keys, and sends an empty body where there is none. */
function pythonic(operation: string, input: Record<string, unknown>): Record<string, unknown> {
  if (LISTS.has(operation)) return { EncodingType: 'url', ...input };
  return operation === 'PutObject' || operation === 'UploadPart' ? { Body: '', ...input } : input;
}

/** What boto3 asked for encoded it decodes again. */
function decoded(operation: string, output: Record<string, unknown>): Record<string, unknown> {
  if (!LISTS.has(operation)) return output;
  const walk = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, key));
    if (typeof value === 'object' && value !== null && !(value instanceof Date)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, walk(member, name)]));
    return typeof value === 'string' && ['Key', 'Prefix', 'Delimiter', 'StartAfter', 'KeyMarker', 'NextKeyMarker', 'Marker', 'NextMarker'].includes(key) ? decodeURIComponent(value.replaceAll('+', ' ')) : value;
  };
  return walk(output, '') as Record<string, unknown>;
}

type Next = (args: { request?: { headers: Record<string, string> }; input: Record<string, unknown> }) => Promise<unknown>;

/** JavaScript's SDK gives every body a content type; boto3 doesn't. */
function withoutDefaultContentType(next: Next): Next {
  return (args) => {
    const headers = args.request?.headers;
    if (headers?.['content-type'] === 'application/octet-stream' && args.input['ContentType'] === undefined) delete headers['content-type'];
    return next(args);
  };
}
