import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../../../src/local/kernel/service.js';
import { serveRegistry } from '../../../src/local/services/ecr/registry.js';
import { A, allow, B, failure, memoryCloud, REGION, type MemoryCloud } from './cloud.js';

let cloud: MemoryCloud;
let token: string;
const digest = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const CONFIG = '{"architecture":"amd64"}';
const LAYER = 'layer '.repeat(1000);
const TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: TYPE, config: { digest: digest(CONFIG), size: CONFIG.length }, layers: [{ digest: digest(LAYER), size: LAYER.length }] });

async function ask(method: string, url: string, body = '', more: { host?: string; token?: string; headers?: Record<string, string> } = {}): Promise<HttpAnswer> {
  const [path = '', search = ''] = url.split('?');
  const bytes = Buffer.from(body);
  const request: HttpRequest = {
    method, path, search, host: more.host ?? '127.0.0.1',
    headers: { authorization: `Basic ${more.token ?? token}`, 'content-length': String(bytes.byteLength), ...more.headers },
    body: { length: bytes.byteLength, bytes: async () => bytes, stream: async function* () { yield bytes; } },
  };
  return (await serveRegistry(request, cloud.runtime))!;
}

async function push(prefix: string, tag: string, more: { host?: string } = {}): Promise<HttpAnswer> {
  for (const blob of [CONFIG, LAYER]) {
    const started = await ask('POST', `/v2/${prefix}/blobs/uploads/`, '', more);
    expect(started.status).toBe(202);
    const half = blob.length >> 1;
    await ask('PATCH', String(started.headers['location']), blob.slice(0, half), { ...more, headers: { 'content-range': `0-${half - 1}` } });
    await ask('PATCH', String(started.headers['location']), blob.slice(half), more);
    expect((await ask('PUT', `${String(started.headers['location'])}?digest=${digest(blob)}`, '', more)).status).toBe(201);
  }
  return ask('PUT', `/v2/${prefix}/manifests/${tag}`, MANIFEST, { ...more, headers: { 'content-type': TYPE } });
}

async function text({ body }: HttpAnswer): Promise<string> {
  if (body === undefined || typeof body === 'string') return body ?? '';
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  let all = '';
  for await (const chunk of body) all += Buffer.from(chunk).toString();
  return all;
}

beforeEach(async () => {
  cloud = memoryCloud();
  await cloud.call('ecr', 'CreateRepository', { repositoryName: 'team/app' });
  token = (await cloud.call('ecr', 'GetAuthorizationToken')).authorizationData[0].authorizationToken;
});

describe('the registry', () => {
  it.each([
    ['the name of the registry in the path', `${A}.dkr.ecr.${REGION}.amazonaws.com/team/app`, {}],
    ['the host', 'team/app', { host: `${A}.dkr.ecr.${REGION}.amazonaws.com` }],
    ["the token's account and region", 'team/app', {}],
  ])('is pushed to and pulled from by %s', async (_, prefix, more) => {
    expect((await push(prefix, 'v1', more)).status).toBe(201);
    const manifest = await ask('GET', `/v2/${prefix}/manifests/v1`, '', more);
    expect([manifest.headers['docker-content-digest'], await text(manifest)]).toEqual([digest(MANIFEST), MANIFEST]);
    expect(await text(await ask('GET', `/v2/${prefix}/blobs/${digest(LAYER)}`, '', more))).toBe(LAYER);
    const { imageDetails } = await cloud.call('ecr', 'DescribeImages', { repositoryName: 'team/app' });
    expect(imageDetails).toMatchObject([{ imageDigest: digest(MANIFEST), imageTags: ['v1'], imageSizeInBytes: CONFIG.length + LAYER.length }]);
  });

  it('asks who comes without a good token, and forgets tokens after twelve hours', async () => {
    const asked = await ask('GET', '/v2/', '', { token: Buffer.from('AWS:nonsense').toString('base64') });
    expect([asked.status, asked.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Basic realm=')]);
    expect((await ask('GET', '/v2/')).status).toBe(200);
    cloud.clock.advance(12 * 3_600_000);
    expect((await ask('GET', '/v2/')).status).toBe(401);
  });

  it("decides by the policies of the token's principal", async () => {
    await push('team/app', 'v1');
    const reader = await cloud.user('reader', allow(['ecr:GetAuthorizationToken', 'ecr:BatchGetImage']));
    const { authorizationData } = await reader.call<{ authorizationData: [{ authorizationToken: string }] }>('ecr', 'GetAuthorizationToken', {});
    const own = { token: authorizationData[0].authorizationToken };
    expect((await ask('GET', '/v2/team/app/manifests/v1', '', own)).status).toBe(200);
    const denied = await ask('POST', '/v2/team/app/blobs/uploads/', '', own);
    expect([denied.status, await text(denied)]).toEqual([403, expect.stringContaining('not authorized to perform: ecr:InitiateLayerUpload')]);
  });

  it('takes no layer under another digest and no manifest without its layers', async () => {
    const started = await ask('POST', '/v2/team/app/blobs/uploads/');
    expect(await text(await ask('PUT', `${String(started.headers['location'])}?digest=${digest('other')}`, LAYER))).toContain('DIGEST_INVALID');
    expect(await text(await ask('PUT', '/v2/team/app/manifests/v1', MANIFEST))).toContain('BLOB_UNKNOWN');
  });

  it('mounts a layer of another repository', async () => {
    await push('team/app', 'v1');
    await cloud.call('ecr', 'CreateRepository', { repositoryName: 'copy' });
    expect((await ask('POST', `/v2/copy/blobs/uploads/?mount=${digest(LAYER)}&from=team/app`)).status).toBe(201);
    expect((await ask('HEAD', `/v2/copy/blobs/${digest(LAYER)}`)).status).toBe(200);
  });

  it("leaves other services' paths and signed requests alone", async () => {
    expect(await serveRegistry({ method: 'GET', path: '/v2x', search: '', host: 'x', headers: {} } as unknown as HttpRequest, cloud.runtime)).toBeUndefined();
    expect(await serveRegistry({ method: 'GET', path: '/v2/apis', search: '', host: 'x', headers: { authorization: 'AWS4-HMAC-SHA256 …' } } as unknown as HttpRequest, cloud.runtime)).toBeUndefined();
  });
});

describe('repositories', () => {
  it('keep a tag where it is when tags are immutable', async () => {
    await cloud.call('ecr', 'PutImageTagMutability', { repositoryName: 'team/app', imageTagMutability: 'IMMUTABLE' });
    await push('team/app', 'v1');
    const other = JSON.stringify({ ...(JSON.parse(MANIFEST) as object), annotations: { a: 'b' } });
    expect(await failure(cloud.call('ecr', 'PutImage', { repositoryName: 'team/app', imageManifest: other, imageTag: 'v1' }))).toMatch(/^ImageTagAlreadyExistsException/);
  });

  it('are read by another account that their policy lets in', async () => {
    await push('team/app', 'v1');
    const input = { registryId: A, repositoryName: 'team/app', imageIds: [{ imageTag: 'v1' }] };
    const other = cloud.admin(B);
    expect(await failure(other.call('ecr', 'BatchGetImage', input))).toMatch(/^AccessDeniedException/);
    await cloud.call('ecr', 'SetRepositoryPolicy', { repositoryName: 'team/app', policyText: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${B}:root` }, Action: 'ecr:BatchGetImage' }] }) });
    await expect(other.call('ecr', 'BatchGetImage', input)).resolves.toMatchObject({ images: [{ imageManifest: MANIFEST }] });
  });

  it.each([
    ['DescribeImages', { repositoryName: 'team/app', imageIds: [{ imageTag: 'v9' }] }, /^ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist/],
    ['GetLifecyclePolicy', { repositoryName: 'team/app' }, /^LifecyclePolicyNotFoundException/],
    ['CreateRepository', { repositoryName: 'team/app' }, /^RepositoryAlreadyExistsException/],
    ['ListImages', { repositoryName: 'none' }, /^RepositoryNotFoundException: The repository with name 'none' does not exist in the registry with id '111111111111'/],
  ])('%s %j: %s', async (operation, input, expected) => expect(await failure(cloud.call('ecr', operation, input))).toMatch(expected));
});
