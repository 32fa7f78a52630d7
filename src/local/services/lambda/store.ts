import { randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { GLOBAL, table } from '../../state/state.js';

/** A function as a whole; what it runs is in its versions, `$LATEST` among them. */
export interface FunctionRecord {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** Number the next published version gets; numbers are never used again. */
  readonly nextVersion: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
  readonly codeSigningConfig?: string;
  readonly recursiveLoop?: string;
}

/** What is configured as the caller gave it, with AWS's defaults filled in. */
export interface VersionRecord {
  readonly name: string;
  readonly version: string;
  readonly role: string;
  readonly runtime?: string;
  readonly handler?: string;
  readonly description: string;
  /** Seconds. */
  readonly timeout: number;
  /** MB. */
  readonly memory: number;
  readonly packageType: 'Zip' | 'Image';
  readonly architectures: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly layers: readonly { readonly arn: string; readonly size: number }[];
  readonly code: CodeRecord;
  readonly modified: Date;
  readonly revisionId: string;
  readonly logGroup: string;
  readonly updateRuntimeOn?: string;
  /** Members of the configuration that change nothing here and are answered as given (VpcConfig, TracingConfig, DeadLetterConfig …). */
  readonly given: Pick<
    Lambda.UpdateFunctionConfigurationRequest,
    'VpcConfig' | 'DeadLetterConfig' | 'KMSKeyArn' | 'TracingConfig' | 'FileSystemConfigs' | 'ImageConfig' | 'EphemeralStorage' | 'SnapStart' | 'LoggingConfig'
  >;
}

export interface CodeRecord {
  /** Blob of the zip; undefined for images. */
  readonly blob?: string;
  readonly image?: string;
  readonly size: number;
  /** Base64. */
  readonly sha256: string;
}

export interface AliasRecord {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly weights?: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

export interface PolicyRecord {
  readonly statements: readonly (Record<string, unknown> & { readonly Sid: string })[];
  readonly revisionId: string;
}

export const functions = table<FunctionRecord>('lambda', 'functions');
/** By name and version; numbers are padded so that they come in order, `$LATEST` first. */
export const versions = table<VersionRecord>('lambda', 'versions');
export const aliases = table<AliasRecord>('lambda', 'aliases');
/** By function and qualifier, `''` for the unqualified one. */
export const policies = table<PolicyRecord>('lambda', 'policies');

export const versionKey = (version: string): string => (/^\d+$/.test(version) ? version.padStart(12, '0') : version);

export interface FunctionName {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly qualifier: string | undefined;
}

/** `NAME`, `ACCOUNT:function:NAME` or an ARN, each with `:QUALIFIER` (API reference, "FunctionName"). */
export function parseFunctionName(given: string, context: Pick<RequestContext, 'account' | 'region'>, qualifier?: string): FunctionName {
  const arn = parseArn(given);
  const parts = arn ? arn.resource.split(':').slice(1) : given.includes(':function:') ? given.slice(given.indexOf(':function:') + 10).split(':') : given.split(':');
  const account = arn?.account ?? (given.includes(':function:') ? given.split(':')[0]! : context.account);
  return { account, region: arn?.region ?? context.region, name: parts[0]!, qualifier: qualifier ?? parts[1] };
}

export function functionArn(at: { account: string; region: string; name: string }, qualifier?: string): string {
  return `arn:aws:lambda:${at.region}:${at.account}:function:${at.name}${qualifier === undefined ? '' : `:${qualifier}`}`;
}

export function notFound(at: FunctionName): AwsError {
  return new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(at, at.qualifier)}`, { status: 404, fields: { Type: 'User' } });
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message, { status: 400, fields: { Type: 'User' } });
}

export function conflict(message: string): AwsError {
  return new AwsError('ResourceConflictException', message, { status: 409, fields: { Type: 'User' } });
}

export function preconditionFailed(): AwsError {
  return new AwsError('PreconditionFailedException', 'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id', { status: 412, fields: { Type: 'User' } });
}

export function functionOf(context: Pick<RequestContext, 'state' | 'account' | 'region'>, given: string): FunctionRecord & { at: FunctionName } {
  const at = parseFunctionName(given, context);
  const found = functions(context.state, at.account, at.region).get(at.name);
  if (!found) throw notFound(at);
  return { ...found, at };
}

export interface Resolved {
  readonly function: FunctionRecord;
  readonly version: VersionRecord;
  readonly at: FunctionName;
  /** The ARN as the caller named it: with the qualifier given, or none. */
  readonly arn: string;
}

/** The version that a name and qualifier stand for. Raises ResourceNotFoundException. */
export function resolve(context: Pick<RequestContext, 'account' | 'region'> & { state: Runtime['state'] }, given: string, qualifier?: string, random: () => number = Math.random): Resolved {
  const at = parseFunctionName(given, context, qualifier);
  const record = functions(context.state, at.account, at.region).get(at.name);
  if (!record) throw notFound(at);
  const alias = at.qualifier === undefined || at.qualifier === '$LATEST' ? undefined : aliases(context.state, at.account, at.region).get(at.name, at.qualifier);
  const number = alias ? routed(alias, random) : (at.qualifier ?? '$LATEST');
  const version = versions(context.state, at.account, at.region).get(at.name, versionKey(number));
  if (!version) throw notFound(at);
  return { function: record, version, at, arn: functionArn(at, at.qualifier) };
}

function routed(alias: AliasRecord, random: () => number): string {
  let dice = random();
  for (const [version, weight] of Object.entries(alias.weights ?? {})) {
    if (dice < weight) return version;
    dice -= weight;
  }
  return alias.version;
}

export const newRevision = (): string => randomUUID();

/** The answer's shape of a version. `arn` is qualified for all but the unqualified function. */
export function configuration(resolved: { at: FunctionName; version: VersionRecord; arn: string }, options: { listed?: boolean; state?: 'Pending' } = {}): Lambda.FunctionConfiguration {
  const { version, at, arn } = resolved;
  const { VpcConfig, SnapStart, TracingConfig, EphemeralStorage, LoggingConfig, ImageConfig, DeadLetterConfig, KMSKeyArn, FileSystemConfigs } = version.given;
  const answer: Record<string, unknown> = {
    FunctionName: version.name,
    FunctionArn: arn,
    Runtime: version.runtime,
    Role: version.role,
    Handler: version.handler,
    CodeSize: version.code.size,
    Description: version.description,
    Timeout: version.timeout,
    MemorySize: version.memory,
    LastModified: version.modified.toISOString().replace('Z', '+0000'),
    CodeSha256: version.code.sha256,
    Version: version.version,
    ...(VpcConfig ? { VpcConfig: { SubnetIds: [], SecurityGroupIds: [], VpcId: '', Ipv6AllowedForDualStack: false, ...VpcConfig } } : {}),
    DeadLetterConfig,
    ...(version.environment ? { Environment: { Variables: { ...version.environment } } } : {}),
    KMSKeyArn,
    TracingConfig: { Mode: TracingConfig?.Mode ?? 'PassThrough' },
    RevisionId: version.revisionId,
    ...(version.layers.length > 0 ? { Layers: version.layers.map((layer) => ({ Arn: layer.arn, CodeSize: layer.size })) } : {}),
    FileSystemConfigs,
    PackageType: version.packageType,
    ...(ImageConfig ? { ImageConfigResponse: { ImageConfig } } : {}),
    Architectures: [...version.architectures],
    EphemeralStorage: { Size: EphemeralStorage?.Size ?? 512 },
    SnapStart: { ApplyOn: SnapStart?.ApplyOn ?? 'None', OptimizationStatus: SnapStart?.ApplyOn === 'PublishedVersions' && version.version !== '$LATEST' ? 'On' : 'Off' },
    LoggingConfig: { LogFormat: 'Text', ...LoggingConfig, LogGroup: version.logGroup },
    ...(options.listed ? {} : stateOf(options.state)),
    ...(options.listed || !version.runtime ? {} : { RuntimeVersionConfig: { RuntimeVersionArn: `arn:aws:lambda:${at.region}::runtime:${version.runtime}` } }),
  };
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== undefined)) as Lambda.FunctionConfiguration;
}

function stateOf(state: 'Pending' | undefined): Lambda.FunctionConfiguration {
  return state ? { State: 'Pending', StateReason: 'The function is being created.', StateReasonCode: 'Creating' } : { State: 'Active', LastUpdateStatus: 'Successful' };
}

/** Where ids that stand alone in a URL lead: function URLs. */
export const urlOwners = table<{ account: string; region: string; name: string; qualifier: string }>('lambda', 'url-owners');
export const owners = (state: Runtime['state']) => urlOwners(state, GLOBAL, GLOBAL);

/** A page of a list by an opaque marker. */
export function page<T>(all: readonly T[], marker: string | undefined, size: number | undefined): { items: T[]; next?: string } {
  const start = marker === undefined ? 0 : Number(Buffer.from(marker, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw invalid('Invalid pagination token');
  const end = start + (size ?? 50);
  return { items: all.slice(start, end), ...(end < all.length ? { next: Buffer.from(String(end)).toString('base64url') } : {}) };
}
