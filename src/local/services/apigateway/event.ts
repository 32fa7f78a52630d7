import type { ApiRequest } from './execute.js';

/** Months as the access log spells them. */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `$context` of a request (user guide, "Input format of a Lambda function for proxy integration"). */
export function requestContext(asked: ApiRequest): Record<string, unknown> {
  const { resource, verb, stage, path, account, api, requestId, time, host, headers, authorizer, apiKey } = asked;
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    resourceId: resource.id,
    ...(authorizer ? { authorizer } : {}),
    resourcePath: resource.path,
    httpMethod: verb,
    extendedRequestId: requestId.slice(0, 16),
    requestTime: `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`,
    path: `/${stage.stageName}${path}`,
    accountId: account,
    protocol: 'HTTP/1.1',
    stage: stage.stageName,
    domainPrefix: host.split('.')[0],
    requestTimeEpoch: time,
    requestId,
    identity: {
      cognitoIdentityPoolId: null, accountId: null, cognitoIdentityId: null, caller: null, sourceIp: '127.0.0.1', principalOrgId: null, accessKey: null, cognitoAuthenticationType: null, cognitoAuthenticationProvider: null,
      userArn: null, userAgent: headers['user-agent'] ?? null, user: null, ...asked.caller, ...(apiKey ? { apiKey: apiKey.value, apiKeyId: apiKey.id } : {}),
    },
    domainName: host,
    deploymentId: stage.deploymentId,
    apiId: api.id,
  };
}

/** The proxy event, version 1.0. */
export function proxyEvent(asked: ApiRequest): unknown {
  const { resource, path, verb, headers, query, multiQuery, pathParameters, stage, body, snapshot } = asked;
  const binary = isBinary(headers['content-type'], snapshot.binaryMediaTypes);
  const orNull = <T extends object>(value: T): T | null => (Object.keys(value).length > 0 ? value : null);
  return {
    resource: resource.path, path, httpMethod: verb, headers: orNull(headers), multiValueHeaders: orNull(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))),
    queryStringParameters: orNull(query), multiValueQueryStringParameters: orNull(multiQuery), pathParameters: orNull(pathParameters), stageVariables: orNull(stage.variables ?? {}),
    requestContext: requestContext(asked), body: body.length === 0 ? null : binary ? body.toString('base64') : body.toString('utf8'), isBase64Encoded: body.length > 0 && binary,
  };
}

export function isBinary(type: string | undefined, types: readonly string[]): boolean {
  const plain = (type ?? '').split(';')[0]!.trim();
  return types.some((each) => each === '*/*' || each === plain || (each.endsWith('/*') && plain.startsWith(each.slice(0, -1))));
}

/** `${stageVariables.x}` in ARNs and addresses. */
export function withVariables(text: string, { stage }: ApiRequest): string {
  return text.replace(/\$\{stageVariables\.(\w+)\}/g, (_, name: string) => stage.variables?.[name] ?? '');
}

/** The function's ARN within an integration's or authorizer's URI. */
export function functionOf(uri: string): string {
  return /\/functions\/([^/]+)\/(?:invocations|response-streaming-invocations)$/.exec(uri)?.[1] ?? uri;
}

/** `aws:SourceArn` of an integration's call: path variables are stars. */
export function sourceArn({ region, account, api, stage, resource, verb }: ApiRequest): string {
  return `arn:aws:execute-api:${region}:${account}:${api.id}/${stage.stageName}/${verb}${(resource.path ?? '/').replace(/\{[^}]+\}/g, '*')}`;
}
