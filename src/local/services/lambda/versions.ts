import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import {
  aliases, configuration, conflict, functionArn, functionOf, functions, invalid, newRevision, page, policies, preconditionFailed, versionKey, versions,
  type AliasRecord, type FunctionName, type FunctionRecord, type Resolved, type VersionRecord,
} from './store.js';

/** Freezes `$LATEST`; unchanged since the last version, that one is answered again (developer guide, "Function versions"). */
export function publish(context: RequestContext, record: FunctionRecord & { at: FunctionName }, description?: string): Resolved {
  const { at, ...stored } = record;
  const all = versions(context.state, at.account, at.region);
  const latest = all.get(at.name, '$LATEST')!;
  const last = all.list(at.name).filter(({ version }) => version !== '$LATEST').at(-1);
  if (last && sameConfiguration(last, latest)) return { function: stored, version: last, at, arn: functionArn(at, last.version) };
  const number = String(stored.nextVersion);
  const version: VersionRecord = { ...latest, version: number, description: description ?? latest.description, revisionId: newRevision(), modified: context.now() };
  context.state.transaction(() => {
    functions(context.state, at.account, at.region).put(at.name, { ...stored, nextVersion: stored.nextVersion + 1 });
    all.put([at.name, versionKey(number)], version);
  });
  return { function: stored, version, at, arn: functionArn(at, number) };
}

function sameConfiguration(a: VersionRecord, b: VersionRecord): boolean {
  const essence = ({ version: _v, revisionId: _r, modified: _m, description: _d, ...rest }: VersionRecord): string => JSON.stringify(rest, Object.keys(rest).sort().concat(Object.keys(rest.environment ?? {}), Object.keys(rest.code), ['arn', 'size']));
  return essence(a) === essence(b) && JSON.stringify(a.given) === JSON.stringify(b.given) && JSON.stringify(a.environment) === JSON.stringify(b.environment);
}

export function publishVersion(input: Lambda.PublishVersionRequest, context: RequestContext): Lambda.FunctionConfiguration {
  const record = functionOf(context, input.FunctionName);
  const latest = versions(context.state, record.at.account, record.at.region).get(record.name, '$LATEST')!;
  if (input.RevisionId !== undefined && input.RevisionId !== latest.revisionId) throw preconditionFailed();
  if (input.CodeSha256 !== undefined && input.CodeSha256 !== latest.code.sha256)
    throw invalid(`CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST.`);
  return configuration(publish(context, record, input.Description));
}

export function listVersionsByFunction(input: Lambda.ListVersionsByFunctionRequest, context: RequestContext): Lambda.ListVersionsByFunctionResponse {
  const { at } = functionOf(context, input.FunctionName);
  const { items, next } = page(versions(context.state, at.account, at.region).list(at.name), input.Marker, input.MaxItems);
  return { Versions: items.map((version) => configuration({ at, version, arn: functionArn(at, version.version) }, { listed: true })), ...(next ? { NextMarker: next } : {}) };
}

function shown(alias: AliasRecord, at: FunctionName): Lambda.AliasConfiguration {
  return {
    AliasArn: functionArn(at, alias.name), Name: alias.name, FunctionVersion: alias.version, Description: alias.description,
    ...(alias.weights ? { RoutingConfig: { AdditionalVersionWeights: { ...alias.weights } } } : {}), RevisionId: alias.revisionId,
  };
}

function aliasOf(input: { FunctionName: string; Name: string }, context: RequestContext): { at: FunctionName; alias: AliasRecord } {
  const { at } = functionOf(context, input.FunctionName);
  const alias = aliases(context.state, at.account, at.region).get(at.name, input.Name);
  if (!alias) throw new AwsError('ResourceNotFoundException', `Cannot find alias arn: ${functionArn(at, input.Name)}`, { status: 404, fields: { Type: 'User' } });
  return { at, alias };
}

function checkVersion(at: FunctionName, version: string, context: RequestContext): void {
  if (!versions(context.state, at.account, at.region).get(at.name, versionKey(version)))
    throw new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(at, version)}`, { status: 404, fields: { Type: 'User' } });
}

export function createAlias(input: Lambda.CreateAliasRequest, context: RequestContext): Lambda.AliasConfiguration {
  const { at } = functionOf(context, input.FunctionName);
  const all = aliases(context.state, at.account, at.region);
  if (all.get(at.name, input.Name)) throw conflict(`Alias already exists: ${functionArn(at, input.Name)}`);
  if (/^\d+$/.test(input.Name)) throw invalid(`1 validation error detected: Value '${input.Name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`);
  checkVersion(at, input.FunctionVersion, context);
  const alias: AliasRecord = { name: input.Name, version: input.FunctionVersion, description: input.Description ?? '', ...weightsOf(input), revisionId: newRevision() };
  all.put([at.name, input.Name], alias);
  return shown(alias, at);
}

function weightsOf(input: { RoutingConfig?: Lambda.AliasRoutingConfiguration }): Pick<AliasRecord, 'weights'> {
  const weights = input.RoutingConfig?.AdditionalVersionWeights;
  return weights && Object.keys(weights).length > 0 ? { weights: { ...weights } } : {};
}

export function updateAlias(input: Lambda.UpdateAliasRequest, context: RequestContext): Lambda.AliasConfiguration {
  const { at, alias } = aliasOf(input, context);
  if (input.RevisionId !== undefined && input.RevisionId !== alias.revisionId) throw preconditionFailed();
  if (input.FunctionVersion !== undefined) checkVersion(at, input.FunctionVersion, context);
  const { weights, ...rest } = alias;
  const changed: AliasRecord = {
    ...rest, version: input.FunctionVersion ?? alias.version, description: input.Description ?? alias.description,
    ...(input.RoutingConfig === undefined ? (weights ? { weights } : {}) : weightsOf(input)), revisionId: newRevision(),
  };
  aliases(context.state, at.account, at.region).put([at.name, alias.name], changed);
  return shown(changed, at);
}

export function getAlias(input: Lambda.GetAliasRequest, context: RequestContext): Lambda.AliasConfiguration {
  const { at, alias } = aliasOf(input, context);
  return shown(alias, at);
}

export function deleteAlias(input: Lambda.DeleteAliasRequest, context: RequestContext): Record<string, never> {
  const { at } = functionOf(context, input.FunctionName);
  aliases(context.state, at.account, at.region).delete(at.name, input.Name);
  policies(context.state, at.account, at.region).delete(at.name, input.Name);
  return {};
}

export function listAliases(input: Lambda.ListAliasesRequest, context: RequestContext): Lambda.ListAliasesResponse {
  const { at } = functionOf(context, input.FunctionName);
  const all = aliases(context.state, at.account, at.region).list(at.name).filter((alias) => input.FunctionVersion === undefined || alias.version === input.FunctionVersion);
  const { items, next } = page(all, input.Marker, input.MaxItems);
  return { Aliases: items.map((alias) => shown(alias, at)), ...(next ? { NextMarker: next } : {}) };
}
