import { AwsError } from '../kernel/error.js';
import type { Client } from '../kernel/service.js';
import type { Buildspec } from './buildspec.js';
import { buildArn, type Build } from './record.js';

export interface BuildEnvironment {
  readonly env: Record<string, string>;
  /** Values that must not appear in the log. */
  readonly secrets: string[];
}

/** Variables of a build: what CodeBuild sets, what the buildspec says, what the project and the start say; the later win (user guide, "Environment variables in build environments"). */
export async function buildEnvironment(build: Build, spec: Buildspec, folders: ReadonlyMap<string, string>, client: Client): Promise<BuildEnvironment> {
  const secrets: string[] = [];
  const env: Record<string, string> = { ...codebuildVariables(build, folders), ...spec.variables };
  for (const [name, reference] of Object.entries(spec.parameterStore)) env[name] = await parameter(reference, client, secrets);
  for (const [name, reference] of Object.entries(spec.secretsManager)) env[name] = await secret(reference, client, secrets);
  for (const { name, value, type } of [...build.project.environment.environmentVariables, ...build.variables])
    env[name] = type === 'PARAMETER_STORE' ? await parameter(value, client, secrets) : type === 'SECRETS_MANAGER' ? await secret(value, client, secrets) : value;
  return { env, secrets };
}

function codebuildVariables(build: Build, folders: ReadonlyMap<string, string>): Record<string, string> {
  const uuid = build.id.slice(build.id.indexOf(':') + 1);
  const sources = Object.fromEntries([...folders].filter(([identifier]) => identifier !== '').map(([identifier, folder]) => [`CODEBUILD_SRC_DIR_${identifier}`, folder]));
  return {
    AWS_REGION: build.region,
    AWS_DEFAULT_REGION: build.region,
    CI: 'true',
    CODEBUILD_CI: 'true',
    CODEBUILD_BATCH_BUILD_IDENTIFIER: '',
    CODEBUILD_BUILD_ARN: buildArn(build),
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_BUILD_IMAGE: build.project.environment.image,
    CODEBUILD_BUILD_NUMBER: String(build.number),
    CODEBUILD_BUILD_SUCCEEDING: '1',
    CODEBUILD_INITIATOR: build.initiator,
    CODEBUILD_KMS_KEY_ID: build.pipeline?.encryptionKey ?? build.project.encryptionKey,
    CODEBUILD_LOG_PATH: uuid,
    CODEBUILD_PROJECT_UUID: uuid,
    CODEBUILD_RESOLVED_SOURCE_VERSION: build.resolvedSourceVersion ?? '',
    CODEBUILD_SOURCE_REPO_URL: build.project.source.location ?? '',
    CODEBUILD_SOURCE_VERSION: build.sourceVersion ?? '',
    CODEBUILD_SRC_DIR: folders.get('')!,
    ...sources,
    CODEBUILD_START_TIME: String(build.started.getTime()),
    CODEBUILD_EXECUTION_ROLE_BUILD: 'true',
  };
}

async function parameter(name: string, client: Client, secrets: string[]): Promise<string> {
  try {
    const { Parameter } = await client.call<{ Parameter: { Value: string; Type: string } }>('ssm', 'GetParameter', { Name: name, WithDecryption: true });
    // Short values would blank out half of the log.
    if (Parameter.Value.length >= 4 && Parameter.Type === 'SecureString') secrets.push(Parameter.Value);
    return Parameter.Value;
  } catch (error) {
    throw new AwsError('Parameter store error', `${error instanceof AwsError ? `${error.code}: ${error.message}` : String(error)} (parameter ${name})`, { status: 400 });
  }
}

/** `secret-id[:json-key[:version-stage[:version-id]]]`, where the ID may be an ARN. */
async function secret(reference: string, client: Client, secrets: string[]): Promise<string> {
  const parts = reference.split(':');
  const [id, ...rest] = reference.startsWith('arn:') ? [parts.slice(0, 7).join(':'), ...parts.slice(7)] : parts;
  const [key, stage, version] = rest;
  try {
    const found = await client.call<{ SecretString?: string; SecretBinary?: Uint8Array }>('secretsmanager', 'GetSecretValue', { SecretId: id, ...(stage ? { VersionStage: stage } : {}), ...(version ? { VersionId: version } : {}) });
    const text = found.SecretString ?? Buffer.from(found.SecretBinary ?? new Uint8Array()).toString('base64');
    const value = key ? String((JSON.parse(text) as Record<string, unknown>)[key] ?? missing(key, id!)) : text;
    if (value.length >= 4) secrets.push(value);
    return value;
  } catch (error) {
    throw new AwsError('Secrets Manager Error Message', `${error instanceof AwsError ? `${error.code}: ${error.message}` : String(error)} (secret ${reference})`, { status: 400 });
  }
}

function missing(key: string, id: string): never {
  throw new AwsError('ResourceNotFoundException', `the secret ${id} has no key ${key}`, { status: 400 });
}
