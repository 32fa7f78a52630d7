import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { table, type State, type Table } from '../../state/state.js';

export interface Parameter {
  readonly name: string;
  readonly type: 'String' | 'StringList' | 'SecureString';
  readonly dataType: string;
  readonly tier: 'Standard' | 'Advanced';
  readonly description?: string;
  readonly allowedPattern?: string;
  readonly keyId?: string;
  readonly policies?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Number of the newest version. */
  readonly version: number;
}

export interface ParameterVersion {
  readonly version: number;
  readonly value: string;
  /** The value under the key, for a SecureString; `value` is then empty. */
  readonly sealed?: Uint8Array;
  readonly type: Parameter['type'];
  readonly description?: string;
  readonly keyId?: string;
  readonly tier: Parameter['tier'];
  readonly dataType: string;
  readonly allowedPattern?: string;
  readonly modified: Date;
  readonly modifiedBy: string;
  readonly labels: readonly string[];
}

const parameterTable = table<Parameter>('ssm', 'parameters');
const versionTable = table<ParameterVersion>('ssm', 'versions');
const policyTable = table<string>('ssm', 'resource-policies');

export const parameters = (state: State, account: string, region: string): Table<Parameter> => parameterTable(state, account, region);
export const parameterVersions = (state: State, account: string, region: string): Table<ParameterVersion> => versionTable(state, account, region);
export const sharingPolicies = (state: State, account: string, region: string): Table<string> => policyTable(state, account, region);

/** `parameter` and its name, which brings its own slash when it is a path. */
export function parameterArn(name: string, account: string, region: string): string {
  return `arn:aws:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
}

export interface ParameterName {
  readonly name: string;
  readonly account: string;
  /** Version number or label, behind a colon. */
  readonly selector?: string;
}

/** A name, an ARN, either with `:version` or `:label` (Systems Manager API reference, GetParameter). */
export function parseName(given: string, context: RequestContext): ParameterName {
  const arn = parseArn(given);
  const full = arn ? arn.resource.replace(/^parameter/, '') : given;
  const account = arn?.account ?? context.account;
  const colon = full.indexOf(':');
  const text = colon < 0 ? full : full.slice(0, colon);
  const bare = text.replace(/^\//, '');
  // The ARN of `a` and of `/a` differ in nothing; a name with further slashes is always a path.
  const known = parameters(context.state, account, context.region);
  const name = arn && !bare.includes('/') && !known.get(text) && known.get(bare) ? bare : text;
  return { name, account, ...(colon < 0 ? {} : { selector: full.slice(colon + 1) }) };
}

/** Raises ParameterNotFound, ParameterVersionNotFound. */
export function findParameter(given: string, context: RequestContext): { parameter: Parameter; version: ParameterVersion; account: string; selector?: string } {
  const { name, account, selector } = parseName(given, context);
  const parameter = parameters(context.state, account, context.region).get(name);
  if (!parameter) throw new AwsError('ParameterNotFound', '', { status: 400 });
  const all = parameterVersions(context.state, account, context.region);
  if (selector === undefined) return { parameter, account, version: all.get(name, parameter.version)! };
  const version = /^\d+$/.test(selector) ? all.get(name, Number(selector)) : all.list(name).find((entry) => entry.labels.includes(selector));
  if (!version)
    throw new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${selector} of ${name}. Verify the version and try again.`, { status: 400 });
  return { parameter, account, version, selector: `:${selector}` };
}
