import { afterAll, beforeAll, expect, it } from 'vitest';
import { assumeRole } from '../../../src/local/kernel/assume.js';
import { sha256, sign, signingKey } from '../../../src/local/kernel/sigv4.js';
import { A, functionCloud, REGION, type FunctionCloud } from './function-cloud.js';

let cloud: FunctionCloud;
let api: string;
let base: string;
const call = <O = Record<string, string>>(operation: string, input: Record<string, unknown>) => cloud.admin.call<O>('apigateway', operation, { restApiId: api, ...input });
const uri = (arn: string) => `arn:aws:apigateway:${REGION}:lambda:path/2015-03-31/functions/${arn}/invocations`;

beforeAll(async () => {
  cloud = await functionCloud();
  const role = await cloud.role('plain');
  const echo = await cloud.lambda('echo', 'exports.handler = async (e) => ({ statusCode: 200, headers: { "x-from": "function" }, body: JSON.stringify([e.httpMethod, e.path, e.pathParameters, e.queryStringParameters, e.requestContext.authorizer?.who ?? null]) });', role);
  const guard = await cloud.lambda('guard', "exports.handler = async (e) => { if (e.authorizationToken === 'bad') throw 'Unauthorized'; return { principalId: 'p', context: { who: 'me' }, policyDocument: { Version: '2012-10-17', Statement: [{ Effect: e.authorizationToken === 'ok' ? 'Allow' : 'Deny', Action: 'execute-api:Invoke', Resource: e.methodArn }] } }; };", role);
  const broken = await cloud.lambda('broken', 'exports.handler = async () => "no proxy answer";', role);
  const made = await cloud.admin.call<{ id: string; rootResourceId: string }>('apigateway', 'CreateRestApi', { name: 'api' });
  api = made.id;
  base = `${cloud.endpoint}/_aws/execute-api/${api}/prod`;
  const resource = async (parentId: string, pathPart: string) => (await call<{ id: string }>('CreateResource', { parentId, pathPart })).id;
  const proxy = async (resourceId: string, httpMethod: string, arn: string, more: Record<string, unknown> = {}) => {
    await call('PutMethod', { resourceId, httpMethod, authorizationType: 'NONE', ...more });
    await call('PutIntegration', { resourceId, httpMethod, type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: uri(arn) });
  };
  const pets = await resource(made.rootResourceId, 'pets');
  const pet = await resource(pets, '{id}');
  await proxy(pet, 'GET', echo);
  await proxy(await resource(made.rootResourceId, '{proxy+}'), 'ANY', echo);
  await proxy(await resource(made.rootResourceId, 'broken'), 'GET', broken);
  await proxy(await resource(made.rootResourceId, 'locked'), 'GET', guard);
  const { id: authorizerId } = await call<{ id: string }>('CreateAuthorizer', { name: 'guard', type: 'TOKEN', authorizerUri: uri(guard), identitySource: 'method.request.header.Authorization' });
  await proxy(await resource(made.rootResourceId, 'guarded'), 'GET', echo, { authorizationType: 'CUSTOM', authorizerId });
  await proxy(await resource(made.rootResourceId, 'signed'), 'GET', echo, { authorizationType: 'AWS_IAM' });
  await call('PutMethod', { resourceId: pets, httpMethod: 'OPTIONS', authorizationType: 'NONE' });
  await call('PutMethodResponse', { resourceId: pets, httpMethod: 'OPTIONS', statusCode: '204', responseParameters: { 'method.response.header.Access-Control-Allow-Origin': true } });
  await call('PutIntegration', { resourceId: pets, httpMethod: 'OPTIONS', type: 'MOCK', requestTemplates: { 'application/json': '{ statusCode: 200 }' } });
  await call('PutIntegrationResponse', { resourceId: pets, httpMethod: 'OPTIONS', statusCode: '204', responseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'*'" } });
  for (const name of ['echo', 'broken']) await cloud.admin.call('lambda', 'AddPermission', { FunctionName: name, StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', SourceArn: `arn:aws:execute-api:${REGION}:${A}:${api}/*` });
  await cloud.admin.call('lambda', 'AddPermission', { FunctionName: 'guard', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', SourceArn: `arn:aws:execute-api:${REGION}:${A}:${api}/authorizers/*` });
  await call('CreateDeployment', { stageName: 'prod' });
});
afterAll(() => cloud.stop());

const get = async (path: string, init?: RequestInit) => {
  const answer = await fetch(base + path, init);
  const text = await answer.text();
  return [answer.status, text === '' ? '' : (JSON.parse(text) as unknown)];
};

it('answers by the function of the resource that fits best', async () => {
  expect(await get('/pets/7?x=1')).toEqual([200, ['GET', '/pets/7', { id: '7' }, { x: '1' }, null]]);
  expect(await get('/some/where', { method: 'DELETE' })).toEqual([200, ['DELETE', '/some/where', { proxy: 'some/where' }, null, null]]);
});

it('answers what it has no method for as AWS does', async () => {
  expect(await get('/pets')).toEqual([200, ['GET', '/pets', { proxy: 'pets' }, null, null]]);
  expect(await get('/')).toEqual([403, { message: 'Missing Authentication Token' }]);
});

it('a function without permission for API Gateway, and one with a wrong answer, are the server\'s faults', async () => {
  expect(await get('/locked')).toEqual([500, { message: 'Internal server error' }]);
  expect(await get('/broken')).toEqual([502, { message: 'Internal server error' }]);
});

it('asks the authorizer', async () => {
  expect(await get('/guarded')).toEqual([401, { message: 'Unauthorized' }]);
  expect(await get('/guarded', { headers: { authorization: 'bad' } })).toEqual([401, { message: 'Unauthorized' }]);
  expect(await get('/guarded', { headers: { authorization: 'no' } })).toEqual([403, { message: 'User is not authorized to access this resource with an explicit deny' }]);
  expect(await get('/guarded', { headers: { authorization: 'ok' } })).toEqual([200, ['GET', '/guarded', null, null, 'me']]);
});

it('takes a signature for what the caller may do', async () => {
  const role = await cloud.role('reader', ['execute-api:Invoke'], 'ec2.amazonaws.com');
  const { credentials } = await assumeRole(cloud.runtime, { roleArn: role, sessionName: 'session', region: REGION, as: { service: 'ec2.amazonaws.com', account: A } });
  const url = new URL(`${base}/signed`);
  const sent = (secret: string): Promise<Response> => {
    const headers: Record<string, string> = { host: url.host, 'x-amz-date': new Date().toISOString().replace(/[-:]|\.\d+/g, ''), 'x-amz-security-token': credentials.sessionToken };
    const scope = { date: headers['x-amz-date']!.slice(0, 8), region: REGION, service: 'execute-api' };
    const canonical = ['GET', url.pathname, '', ...Object.entries(headers).sort().map(([name, value]) => `${name}:${value}`), '', Object.keys(headers).sort().join(';'), sha256('')].join('\n');
    const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], `${scope.date}/${REGION}/execute-api/aws4_request`, sha256(canonical)].join('\n');
    const signed = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.date}/${REGION}/execute-api/aws4_request, SignedHeaders=${Object.keys(headers).sort().join(';')}, Signature=${sign(signingKey(secret, scope), text)}`;
    const { host: _, ...others } = headers;
    return fetch(url, { headers: { ...others, authorization: signed } });
  };
  expect((await fetch(url)).status).toBe(403);
  expect((await sent('wrong')).status).toBe(403);
  expect((await sent(credentials.secretAccessKey)).status).toBe(200);
});

it('answers a preflight without a backend', async () => {
  const answer = await fetch(`${base}/pets`, { method: 'OPTIONS' });
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
});

it('what was changed after the deployment shows after the next one only', async () => {
  const { items } = await call<{ items: { id: string; path: string }[] }>('GetResources', {});
  const pet = items.find(({ path }) => path === '/pets/{id}')!;
  await call('DeleteMethod', { resourceId: pet.id, httpMethod: 'GET' });
  expect(await get('/pets/7')).toEqual([200, ['GET', '/pets/7', { id: '7' }, null, null]]);
  await call('CreateDeployment', { stageName: 'prod' });
  expect(await get('/pets/7')).toEqual([200, ['GET', '/pets/7', { proxy: 'pets/7' }, null, null]]);
});
