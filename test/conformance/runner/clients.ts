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
    const { $metadata: _, ...output } = await client.send(new Command(input));
    return output;
  }

  private client(module: SdkModule, service: string, region: string): SdkClient {
    const key = `${service} ${region}`;
    let client = this.clients.get(key);
    if (!client) {
      const Client = Object.entries(module).find(([name]) => name.endsWith('Client') && !name.startsWith('__'))![1];
      client = new Client({ endpoint: this.cloud.endpoint, region, credentials: this.credentials, maxAttempts: 1, ...(service === 's3' ? { forcePathStyle: true } : {}), ...(service === 'sqs' ? { useQueueUrlAsEndpoint: false } : {}) }) as SdkClient;
      this.clients.set(key, client);
    }
    return client;
  }
}
