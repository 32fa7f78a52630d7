import { assumeRole } from '../../kernel/assume.js';
import { isAwsError } from '../../kernel/error.js';
import { signedCaller } from '../../kernel/caller.js';
import type { Principal } from '../../kernel/principal.js';
import type { Client } from '../../kernel/service.js';
import type * as Gateway from '../../models/types/apigateway.js';
import { Refusal, type ApiRequest } from './execute.js';
import { functionOf, requestContext, withVariables } from './event.js';
import { testPattern } from '../../../shared/regex.js';

/** What a method asks of its caller: nothing, a signature, or an authorizer's word; and what the API's own policy says. */
export async function authorizeRequest(asked: ApiRequest): Promise<void> {
  const { method, snapshot, api } = asked;
  const type = method.authorizationType ?? 'NONE';
  if (type === 'AWS_IAM') return bySignature(asked);
  if (type === 'COGNITO_USER_POOLS') throw new Refusal('DEFAULT_5XX', 501, 'The local cloud has no Cognito user pools: the method\'s authorizer can not be asked');
  if (api.policy) await byPolicy(asked);
  if (type !== 'CUSTOM') return;
  const authorizer = snapshot.authorizers.find(({ id }) => id === method.authorizerId);
  if (!authorizer) throw new Refusal('AUTHORIZER_CONFIGURATION_ERROR', 500, 'Internal server error');
  await byFunction(asked, authorizer);
}

/** The caller's own policies and the API's decide on `execute-api:Invoke`. */
async function bySignature(asked: ApiRequest): Promise<void> {
  const caller = signedCaller(asked.sent, asked.body, 'execute-api', asked.runtime);
  if (caller === 'unsigned') throw new Refusal('MISSING_AUTHENTICATION_TOKEN', 403, 'Missing Authentication Token', 'MissingAuthenticationTokenException');
  if (caller === 'invalid') throw new Refusal('INVALID_SIGNATURE', 403, 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.', 'InvalidSignatureException');
  await mayInvoke(asked, caller.principal);
  const { principal } = caller;
  asked.caller = { accountId: principal.account, caller: 'userId' in principal ? principal.userId : null, user: 'userId' in principal ? principal.userId : null, userArn: 'arn' in principal ? principal.arn : null, accessKey: 'accessKeyId' in principal ? (principal.accessKeyId ?? null) : null };
}

const byPolicy = (asked: ApiRequest): Promise<void> => mayInvoke(asked, { kind: 'anonymous', account: '' });

async function mayInvoke(asked: ApiRequest, principal: Principal): Promise<void> {
  const client = asked.runtime.client({ principal, region: asked.region, context: { 'aws:SourceIp': '127.0.0.1' } });
  try {
    await client.call('apigateway', 'AuthorizeExecute', { methodArn: methodArn(asked) });
  } catch (error) {
    if (!isAwsError(error)) throw error;
    throw new Refusal('ACCESS_DENIED', 403, error.message, 'AccessDeniedException');
  }
}

const methodArn = (asked: ApiRequest): string => `arn:aws:execute-api:${asked.region}:${asked.account}:${asked.api.id}/${asked.stage.stageName}/${asked.verb}${asked.path}`;

const UNAUTHORIZED = (): Refusal => new Refusal('UNAUTHORIZED', 401, 'Unauthorized', 'UnauthorizedException');

/** User guide, "Use API Gateway Lambda authorizers". */
async function byFunction(asked: ApiRequest, authorizer: Gateway.Authorizer): Promise<void> {
  const event = authorizer.type === 'REQUEST' ? requestEvent(asked, authorizer) : tokenEvent(asked, authorizer);
  const name = functionOf(withVariables(authorizer.authorizerUri ?? '', asked));
  const client = await clientOf(asked, authorizer);
  let answer: { Payload: Uint8Array; FunctionError?: string };
  try {
    answer = await client.call('lambda', 'Invoke', { FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) });
  } catch (error) {
    if (!isAwsError(error)) throw error;
    asked.runtime.log(`apigateway: authorizer ${authorizer.name}: ${error.message}`);
    throw new Refusal('AUTHORIZER_CONFIGURATION_ERROR', 500, 'Internal server error', 'AuthorizerConfigurationException');
  }
  const text = Buffer.from(answer.Payload).toString('utf8');
  const value = JSON.parse(text) as { errorMessage?: string; principalId?: string; policyDocument?: Policy; context?: Record<string, unknown>; usageIdentifierKey?: string } | null;
  if (answer.FunctionError) throw value?.errorMessage === 'Unauthorized' ? UNAUTHORIZED() : new Refusal('AUTHORIZER_FAILURE', 500, 'Internal server error', 'AuthorizerFailureException');
  if (!value?.principalId || !value.policyDocument) throw new Refusal('AUTHORIZER_CONFIGURATION_ERROR', 500, 'Internal server error', 'AuthorizerConfigurationException');
  const verdict = decide(value.policyDocument, methodArn(asked));
  if (verdict === 'denied') throw new Refusal('ACCESS_DENIED', 403, 'User is not authorized to access this resource with an explicit deny', 'AccessDeniedException');
  if (verdict === 'none') throw new Refusal('ACCESS_DENIED', 403, 'User is not authorized to access this resource', 'AccessDeniedException');
  asked.authorizer = { ...value.context, principalId: value.principalId, ...(value.usageIdentifierKey ? { usageIdentifierKey: value.usageIdentifierKey } : {}) };
}

async function clientOf(asked: ApiRequest, authorizer: Gateway.Authorizer): Promise<Client> {
  const { runtime, region, account, api } = asked;
  const source = `arn:aws:execute-api:${region}:${account}:${api.id}/authorizers/${authorizer.id}`;
  if (!authorizer.authorizerCredentials) return runtime.client({ principal: { kind: 'service', service: 'apigateway.amazonaws.com', account, sourceArn: source }, region });
  return (await assumeRole(runtime, { roleArn: authorizer.authorizerCredentials, sessionName: 'BackplaneAssumeRoleSession', region, as: { service: 'apigateway.amazonaws.com', account, sourceArn: source } })).client;
}

function tokenEvent(asked: ApiRequest, authorizer: Gateway.Authorizer): unknown {
  const header = /^method\.request\.header\.(.+)$/.exec(authorizer.identitySource ?? 'method.request.header.Authorization')?.[1]?.toLowerCase() ?? 'authorization';
  const token = asked.headers[header];
  if (!token) throw UNAUTHORIZED();
  if (authorizer.identityValidationExpression && !testPattern(new RegExp(`^(?:${authorizer.identityValidationExpression})$`), token)) throw UNAUTHORIZED();
  return { type: 'TOKEN', authorizationToken: token, methodArn: methodArn(asked) };
}

function requestEvent(asked: ApiRequest, authorizer: Gateway.Authorizer): unknown {
  for (const source of (authorizer.identitySource ?? '').split(',').map((each) => each.trim()).filter(Boolean)) {
    const [, place, name = ''] = /^method\.request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
    if (place === 'header' ? !asked.headers[name.toLowerCase()] : place === 'querystring' && !asked.query[name]) throw UNAUTHORIZED();
  }
  const { headers, query, multiQuery, pathParameters, stage, resource, path, verb } = asked;
  return {
    type: 'REQUEST', methodArn: methodArn(asked), resource: resource.path, path, httpMethod: verb, headers, multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: query, multiValueQueryStringParameters: multiQuery, pathParameters, stageVariables: stage.variables ?? {}, requestContext: requestContext(asked),
  };
}

interface Policy {
  readonly Statement?: Statement | readonly Statement[];
}
interface Statement {
  readonly Effect?: string;
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
}

/** An authorizer's policy knows actions and resources with wildcards only. */
function decide(policy: Policy, arn: string): 'allowed' | 'denied' | 'none' {
  const fitting = ([policy.Statement ?? []].flat() as Statement[]).filter(
    ({ Action = [], Resource = [] }) => [Action].flat().some((action) => glob(String(action).toLowerCase(), 'execute-api:invoke')) && [Resource].flat().some((resource) => glob(String(resource), arn)),
  );
  if (fitting.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return fitting.some(({ Effect }) => Effect === 'Allow') ? 'allowed' : 'none';
}

/** `*` any characters, `?` one; linear in the text for each part of the pattern. */
function glob(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') [star, mark] = [p++, t];
    else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, t] = [star + 1, ++mark];
    else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

