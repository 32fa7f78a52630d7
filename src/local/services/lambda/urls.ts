import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Lambda from '../../models/types/lambda.js';
import { table } from '../../state/state.js';
import { conflict, functionArn, functionOf, owners, page, resolve, type FunctionName } from './store.js';

export interface UrlRecord {
  readonly id: string;
  readonly qualifier: string;
  readonly authType: 'NONE' | 'AWS_IAM';
  readonly cors?: Lambda.Cors;
  readonly invokeMode: string;
  readonly created: Date;
  readonly modified: Date;
}

/** By function and qualifier, `''` for the unqualified one. */
export const urls = table<UrlRecord>('lambda', 'urls');
export const URL_PATH = '/_aws/lambda-url/';

/** Where a function URL answers: on AWS `https://ID.lambda-url.REGION.on.aws/`, here below the cloud's own endpoint, which needs no DNS. */
function address(runtime: Runtime, id: string): string {
  return `${runtime.endpoint}${URL_PATH}${id}/`;
}

function shown(url: UrlRecord, at: FunctionName, runtime: Runtime): Lambda.GetFunctionUrlConfigResponse {
  return {
    FunctionUrl: address(runtime, url.id), FunctionArn: functionArn(at, url.qualifier || undefined), AuthType: url.authType, ...(url.cors ? { Cors: url.cors } : {}),
    CreationTime: url.created.toISOString(), LastModifiedTime: url.modified.toISOString(), InvokeMode: url.invokeMode as Lambda.InvokeMode,
  };
}

function urlOf(input: { FunctionName: string; Qualifier?: string }, context: RequestContext): { url: UrlRecord; at: FunctionName } {
  const { at } = functionOf(context, input.FunctionName);
  const url = urls(context.state, at.account, at.region).get(at.name, input.Qualifier ?? at.qualifier ?? '');
  if (!url) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', { status: 404, fields: { Type: 'User' } });
  return { url, at };
}

export function createFunctionUrlConfig(input: Lambda.CreateFunctionUrlConfigRequest, context: RequestContext): Lambda.CreateFunctionUrlConfigResponse {
  const { at } = resolve(context, input.FunctionName, input.Qualifier);
  const qualifier = at.qualifier ?? '';
  const all = urls(context.state, at.account, at.region);
  if (all.get(at.name, qualifier)) throw conflict(`Failed to create function url config for [functionArn = ${functionArn(at, at.qualifier)}]. Error message:  FunctionUrlConfig exists for this Lambda function`);
  const id = [...randomBytes(32)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join('');
  const now = context.now();
  const url: UrlRecord = { id, qualifier, authType: input.AuthType as UrlRecord['authType'], ...(input.Cors ? { cors: input.Cors } : {}), invokeMode: input.InvokeMode ?? 'BUFFERED', created: now, modified: now };
  all.put([at.name, qualifier], url);
  owners(context.state).put(id, { account: at.account, region: at.region, name: at.name, qualifier });
  const { LastModifiedTime: _, ...answer } = shown(url, at, context.runtime);
  return answer;
}

export function getFunctionUrlConfig(input: Lambda.GetFunctionUrlConfigRequest, context: RequestContext): Lambda.GetFunctionUrlConfigResponse {
  const { url, at } = urlOf(input, context);
  return shown(url, at, context.runtime);
}

export function updateFunctionUrlConfig(input: Lambda.UpdateFunctionUrlConfigRequest, context: RequestContext): Lambda.UpdateFunctionUrlConfigResponse {
  const { url, at } = urlOf(input, context);
  const changed: UrlRecord = { ...url, authType: (input.AuthType ?? url.authType) as UrlRecord['authType'], ...(input.Cors ? { cors: input.Cors } : {}), invokeMode: input.InvokeMode ?? url.invokeMode, modified: context.now() };
  urls(context.state, at.account, at.region).put([at.name, url.qualifier], changed);
  return shown(changed, at, context.runtime);
}

export function deleteFunctionUrlConfig(input: Lambda.DeleteFunctionUrlConfigRequest, context: RequestContext): Record<string, never> {
  const { url, at } = urlOf(input, context);
  urls(context.state, at.account, at.region).delete(at.name, url.qualifier);
  owners(context.state).delete(url.id);
  return {};
}

export function listFunctionUrlConfigs(input: Lambda.ListFunctionUrlConfigsRequest, context: RequestContext): Lambda.ListFunctionUrlConfigsResponse {
  const { at } = functionOf(context, input.FunctionName);
  const { items, next } = page(urls(context.state, at.account, at.region).list(at.name), input.Marker, input.MaxItems);
  return { FunctionUrlConfigs: items.map((url) => shown(url, at, context.runtime)), ...(next ? { NextMarker: next } : {}) };
}
