import { AwsError } from '../../kernel/error.js';
import type { Client, HttpAnswer, HttpRequest, Runtime } from '../../kernel/service.js';
import { isSignedLink } from './layers.js';
import { loginOf } from './tokens.js';

/**
 * The registry endpoint: Docker Registry HTTP API v2 / OCI distribution. `docker push` reaches it as `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`
 * when that name leads here, or as `127.0.0.1:PORT/ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`; `127.0.0.1:PORT/NAME` means the account and
 * region of the token. Each request is what ECR's API would be asked for, by the token's principal, so IAM decides the same way.
 */
export async function serveRegistry(request: HttpRequest, runtime: Runtime): Promise<HttpAnswer | undefined> {
  if (request.path !== '/v2' && !request.path.startsWith('/v2/')) return undefined;
  // Other services have paths that begin so; their requests are signed.
  if (/^AWS4-/.test(request.headers['authorization'] ?? '') || /(^|&)X-Amz-Signature=/i.test(request.search)) return undefined;
  const query = new URLSearchParams(request.search);
  const target = targetOf(request);
  if (target?.rest[0] === 'blobs' && query.has('signature')) return download(request, target, query, runtime);
  const login = loginOf(request.headers['authorization'], runtime);
  if (!login) return unauthorized(runtime);
  if (!target) return answer(200, {}, '{}');
  const client = runtime.client({ principal: login.principal, region: target.region ?? login.region });
  const registryId = target.registry ?? login.principal.account;
  const asked: Asked = { ...target, client, request, query, names: { registryId, repositoryName: target.name }, runtime };
  try {
    return await route(asked);
  } catch (error) {
    if (error instanceof AwsError) return failure(error);
    throw error;
  }
}

interface Target {
  readonly registry?: string;
  readonly region?: string;
  /** Prefix of the path that names the registry, to be repeated in answers. */
  readonly prefix: string;
  readonly name: string;
  /** `['manifests', REFERENCE]`, `['blobs', DIGEST]`, `['blobs', 'uploads', ID]`, `['tags', 'list']`. */
  readonly rest: readonly string[];
}

interface Asked extends Target {
  readonly client: Client;
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly names: { readonly registryId: string; readonly repositoryName: string };
  readonly runtime: Runtime;
}

const HOST = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/;

function targetOf(request: HttpRequest): Target | undefined {
  const path = request.path.replace(/^\/v2\/?/, '').replace(/%3A/gi, ':').replace(/%2B/gi, '+');
  if (path === '') return undefined;
  const [first = '', ...others] = path.split('/');
  const named = HOST.exec(first);
  const host = named ?? HOST.exec(request.host);
  const place = host ? { registry: host[1], region: host[2] } : {};
  const bare = named ? others.join('/') : path;
  const [, name, kind, rest] = /^(.+)\/(manifests|blobs|tags|referrers)\/(uploads\/?[^/]*|[^/]+)$/.exec(bare) ?? [];
  return { ...place, prefix: named ? `${first}/` : '', name: name ?? bare, rest: kind === undefined ? [] : [kind, ...rest!.split('/').filter(Boolean)] };
}

async function route(asked: Asked): Promise<HttpAnswer> {
  const [kind, second, third] = asked.rest;
  const { method } = asked.request;
  if (kind === 'manifests' && second !== undefined) {
    if (method === 'GET' || method === 'HEAD') return getManifest(asked, second);
    if (method === 'PUT') return putManifest(asked, second);
  } else if (kind === 'blobs' && second === 'uploads') {
    if (!third && method === 'POST') return startUpload(asked);
    if (third && method === 'PATCH') return patchUpload(asked, third);
    if (third && method === 'PUT') return finishUpload(asked, third);
    if (third && method === 'GET') return uploadStatus(asked, third);
    if (third && method === 'DELETE') return cancelUpload(asked, third);
  } else if (kind === 'blobs' && second !== undefined && (method === 'GET' || method === 'HEAD')) return getBlob(asked, second);
  else if (kind === 'tags' && second === 'list' && method === 'GET') return listTags(asked);
  return problem(405, 'UNSUPPORTED', `The operation ${method} ${asked.request.path} is not supported by the registry`);
}

async function getManifest(asked: Asked, reference: string): Promise<HttpAnswer> {
  const imageId = reference.includes(':') ? { imageDigest: reference } : { imageTag: reference };
  const { images } = await asked.client.call<{ images: { imageId: { imageDigest: string }; imageManifest: string; imageManifestMediaType: string }[] }>('ecr', 'BatchGetImage', { ...asked.names, imageIds: [imageId] });
  const image = images[0];
  if (!image) return problem(404, 'MANIFEST_UNKNOWN', 'Requested image not found');
  const bytes = Buffer.from(image.imageManifest);
  const headers = { 'content-type': image.imageManifestMediaType, 'content-length': String(bytes.byteLength), 'docker-content-digest': image.imageId.imageDigest, etag: image.imageId.imageDigest };
  return answer(200, headers, asked.request.method === 'HEAD' ? undefined : bytes);
}

/** Bytes of a manifest (API reference, PutImage). */
const MAX_MANIFEST = 4 * 1024 * 1024;

async function putManifest(asked: Asked, reference: string): Promise<HttpAnswer> {
  if ((asked.request.body.length ?? 0) > MAX_MANIFEST) return problem(413, 'MANIFEST_INVALID', 'The manifest is larger than 4 MiB');
  const imageManifest = Buffer.from(await asked.request.body.bytes()).toString('utf8');
  const imageManifestMediaType = asked.request.headers['content-type'];
  const named = reference.includes(':') ? { imageDigest: reference } : { imageTag: reference };
  let digest: string;
  try {
    const { image } = await asked.client.call<{ image: { imageId: { imageDigest: string } } }>('ecr', 'PutImage', { ...asked.names, imageManifest, imageManifestMediaType, ...named });
    digest = image.imageId.imageDigest;
  } catch (error) {
    // To push what is there already is no failure.
    if (!(error instanceof AwsError) || error.code !== 'ImageAlreadyExistsException') throw error;
    digest = /'(sha256:[0-9a-f]{64})'/.exec(error.message)![1]!;
  }
  return answer(201, { location: path(asked, `manifests/${digest}`), 'docker-content-digest': digest });
}

async function startUpload(asked: Asked): Promise<HttpAnswer> {
  const mount = asked.query.get('mount');
  const from = asked.query.get('from');
  if (mount && from && (await mounted(asked, mount, from))) return answer(201, { location: path(asked, `blobs/${mount}`), 'docker-content-digest': mount });
  const { uploadId } = await asked.client.call<{ uploadId: string }>('ecr', 'InitiateLayerUpload', asked.names);
  const digest = asked.query.get('digest');
  if (digest) return finish(asked, uploadId, digest);
  return answer(202, { location: path(asked, `blobs/uploads/${uploadId}`), range: '0-0', 'docker-upload-uuid': uploadId });
}

/** Where the layer can't be had from there, the client uploads it: the distribution specification's way out. */
async function mounted(asked: Asked, layerDigest: string, from: string): Promise<boolean> {
  const repository = asked.prefix && from.startsWith(asked.prefix) ? from.slice(asked.prefix.length) : from;
  try {
    await asked.client.call('ecr', 'MountLayer', { ...asked.names, layerDigest, from: repository });
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

async function patchUpload(asked: Asked, uploadId: string): Promise<HttpAnswer> {
  const { size } = await receive(asked, uploadId);
  return answer(202, { location: path(asked, `blobs/uploads/${uploadId}`), range: `0-${Math.max(0, size - 1)}`, 'docker-upload-uuid': uploadId });
}

function receive(asked: Asked, uploadId: string): Promise<{ size: number }> {
  const start = /^(?:bytes )?(\d+)-\d+/.exec(asked.request.headers['content-range'] ?? '')?.[1];
  return asked.client.call<{ size: number }>('ecr', 'ReceiveLayerPart', { ...asked.names, uploadId, source: asked.request.body.stream(), ...(start === undefined ? {} : { start: Number(start) }) });
}

async function finishUpload(asked: Asked, uploadId: string): Promise<HttpAnswer> {
  const digest = asked.query.get('digest');
  if (!digest) return problem(400, 'DIGEST_INVALID', 'The digest is missing');
  return finish(asked, uploadId, digest);
}

async function finish(asked: Asked, uploadId: string, layerDigest: string): Promise<HttpAnswer> {
  if (asked.request.headers['content-length'] !== '0') await receive(asked, uploadId);
  await asked.client.call('ecr', 'FinishLayer', { ...asked.names, uploadId, layerDigest });
  return answer(201, { location: path(asked, `blobs/${layerDigest}`), 'docker-content-digest': layerDigest });
}

async function uploadStatus(asked: Asked, uploadId: string): Promise<HttpAnswer> {
  const { size } = await asked.client.call<{ size: number }>('ecr', 'LayerUploadStatus', { ...asked.names, uploadId });
  return answer(204, { location: path(asked, `blobs/uploads/${uploadId}`), range: `0-${Math.max(0, size - 1)}`, 'docker-upload-uuid': uploadId });
}

async function cancelUpload(asked: Asked, uploadId: string): Promise<HttpAnswer> {
  await asked.client.call('ecr', 'CancelLayerUpload', { ...asked.names, uploadId });
  return answer(204, {});
}

async function getBlob(asked: Asked, layerDigest: string): Promise<HttpAnswer> {
  if (asked.request.method === 'HEAD') {
    const { layers } = await asked.client.call<{ layers: { layerAvailability: string; layerSize?: number }[] }>('ecr', 'BatchCheckLayerAvailability', { ...asked.names, layerDigests: [layerDigest] });
    if (layers[0]?.layerAvailability !== 'AVAILABLE') return problem(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    return answer(200, blobHeaders(layerDigest, layers[0].layerSize!));
  }
  const { size } = await asked.client.call<{ size: number }>('ecr', 'OpenLayer', { ...asked.names, layerDigest });
  return blob(asked.request, layerDigest, size, asked.runtime);
}

function blobHeaders(digest: string, size: number): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'content-length': String(size), 'docker-content-digest': digest, 'accept-ranges': 'bytes', etag: digest };
}

function blob(request: HttpRequest, digest: string, size: number, runtime: Runtime): HttpAnswer {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers['range'] ?? '') ?? [];
  if (first === undefined) return answer(200, blobHeaders(digest, size), runtime.blobs.read(digest.slice('sha256:'.length)));
  const range = { start: Number(first), end: Math.min(last ? Number(last) : size - 1, size - 1) };
  if (range.start > range.end) return problem(416, 'RANGE_INVALID', 'The range is not in the blob');
  const headers = { ...blobHeaders(digest, range.end - range.start + 1), 'content-range': `bytes ${range.start}-${range.end}/${size}` };
  return answer(206, headers, runtime.blobs.read(digest.slice('sha256:'.length), range));
}

/** A link of GetDownloadUrlForLayer, which stands for the permission of who got it. */
async function download(request: HttpRequest, target: Target, query: URLSearchParams, runtime: Runtime): Promise<HttpAnswer> {
  const digest = target.rest[1] ?? '';
  if (request.method !== 'GET' || !isSignedLink(runtime, request.path, query) || !/^sha256:[0-9a-f]{64}$/.test(digest)) return problem(403, 'DENIED', 'The link is not valid or has expired');
  const root = { kind: 'root', account: target.registry!, arn: `arn:aws:iam::${target.registry}:root`, userId: target.registry! } as const;
  const { size } = await runtime.client({ principal: root, region: target.region! }).call<{ size: number }>('ecr', 'OpenLayer', { registryId: target.registry, repositoryName: target.name, layerDigest: digest });
  return blob(request, digest, size, runtime);
}

async function listTags(asked: Asked): Promise<HttpAnswer> {
  const limit = Number(asked.query.get('n') ?? 1000);
  const last = asked.query.get('last') ?? '';
  const tags = new Set<string>();
  let nextToken: string | undefined;
  do {
    const page = await asked.client.call<{ imageIds: { imageTag?: string }[]; nextToken?: string }>('ecr', 'ListImages', { ...asked.names, maxResults: 1000, ...(nextToken ? { nextToken } : {}) });
    for (const { imageTag } of page.imageIds) if (imageTag !== undefined && imageTag > last) tags.add(imageTag);
    ({ nextToken } = page);
  } while (nextToken);
  const all = [...tags].sort();
  const shown = all.slice(0, limit);
  const link: Record<string, string> = shown.length < all.length ? { link: `<${path(asked, `tags/list?n=${limit}&last=${shown.at(-1)}`)}>; rel="next"` } : {};
  return answer(200, { 'content-type': 'application/json', ...link }, JSON.stringify({ name: asked.name, tags: shown }));
}

const path = (asked: Asked, rest: string): string => `/v2/${asked.prefix}${asked.name}/${rest}`;

function answer(status: number, headers: Record<string, string>, body?: HttpAnswer['body']): HttpAnswer {
  const length: Record<string, string> = body === undefined && headers['content-length'] === undefined && status !== 204 ? { 'content-length': '0' } : {};
  return { status, headers: { 'docker-distribution-api-version': 'registry/2.0', ...length, ...headers }, ...(body === undefined ? {} : { body }) };
}

function problem(status: number, code: string, message: string): HttpAnswer {
  return answer(status, { 'content-type': 'application/json; charset=utf-8' }, JSON.stringify({ errors: [{ code, message }] }));
}

function unauthorized(runtime: Runtime): HttpAnswer {
  const refused = problem(401, 'UNAUTHORIZED', 'Not Authorized');
  return { ...refused, headers: { ...refused.headers, 'www-authenticate': `Basic realm="${runtime.endpoint}/",service="ecr.amazonaws.com"` } };
}

/** ECR's errors as the registry says them. */
function failure(error: AwsError): HttpAnswer {
  const [status, code] = CODES[error.code] ?? (/^AccessDenied/.test(error.code) ? [403, 'DENIED'] : [error.status && error.status >= 400 ? error.status : 400, 'UNKNOWN']);
  return problem(status, code, error.message);
}

const CODES: Readonly<Record<string, readonly [number, string]>> = {
  RepositoryNotFoundException: [404, 'NAME_UNKNOWN'],
  ImageNotFoundException: [404, 'MANIFEST_UNKNOWN'],
  LayersNotFoundException: [404, 'BLOB_UNKNOWN'],
  ReferencedImagesNotFoundException: [404, 'MANIFEST_BLOB_UNKNOWN'],
  UploadNotFoundException: [404, 'BLOB_UPLOAD_UNKNOWN'],
  InvalidLayerException: [400, 'DIGEST_INVALID'],
  InvalidLayerPartException: [416, 'BLOB_UPLOAD_INVALID'],
  ImageTagAlreadyExistsException: [400, 'TAG_INVALID'],
  ImageDigestDoesNotMatchException: [400, 'DIGEST_INVALID'],
  InvalidParameterException: [400, 'MANIFEST_INVALID'],
};
