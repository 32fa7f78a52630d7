import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext, Runtime } from '../../kernel/service.js';
import type * as Ecr from '../../models/types/ecr.js';
import { layers, linkSecrets, registryHost, repositoryOf, uploads, type Repository, type RepositoryInput, type StoredLayer, type Upload } from './store.js';

/** What ECR proposes clients to send at once (InitiateLayerUpload). */
const PART_SIZE = 20_971_520;

export function batchCheckLayerAvailability(input: Ecr.BatchCheckLayerAvailabilityRequest, context: RequestContext): Ecr.BatchCheckLayerAvailabilityResponse {
  const repository = repositoryOf(input, context);
  const found: Ecr.Layer[] = [];
  const failures: Ecr.LayerFailure[] = [];
  for (const layerDigest of input.layerDigests) {
    const layer = layers(context.state, repository).get(repository.name, layerDigest);
    if (!/^sha256:[0-9a-f]{64}$/.test(layerDigest)) failures.push({ layerDigest, failureCode: 'InvalidLayerDigest', failureReason: `Invalid layer digest '${layerDigest}'` });
    else found.push(layer ? { layerDigest, layerAvailability: 'AVAILABLE', layerSize: layer.size, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' } : { layerDigest, layerAvailability: 'UNAVAILABLE' });
  }
  return { layers: found, failures };
}

export function initiateLayerUpload(input: Ecr.InitiateLayerUploadRequest, context: RequestContext): Ecr.InitiateLayerUploadResponse {
  const repository = repositoryOf(input, context);
  const upload: Upload = { id: randomUUID(), registry: repository.registry, region: repository.region, repository: repository.name, parts: [], size: 0, started: context.now() };
  uploads(context.state, upload).put(upload.id, upload);
  return { uploadId: upload.id, partSize: PART_SIZE };
}

export async function uploadLayerPart(input: Ecr.UploadLayerPartRequest, context: RequestContext): Promise<Ecr.UploadLayerPartResponse> {
  const bytes = input.layerPartBlob as Uint8Array;
  const upload = uploadOf(input, input.uploadId, context);
  if (input.partFirstByte !== upload.size || input.partLastByte - input.partFirstByte + 1 !== bytes.byteLength)
    throw new AwsError('InvalidLayerPartException', `Layer part is invalid: it must start at byte ${upload.size}`, {
      status: 400, fields: { registryId: upload.registry, repositoryName: upload.repository, uploadId: upload.id, lastValidByteReceived: upload.size - 1 },
    });
  const after = await append(upload, bytes, context);
  return { registryId: after.registry, repositoryName: after.repository, uploadId: after.id, lastByteReceived: after.size - 1 };
}

/** Raises UploadNotFoundException. */
function uploadOf(input: RepositoryInput, id: string, context: RequestContext): Upload {
  const repository = repositoryOf(input, context);
  const upload = uploads(context.state, repository).get(id);
  if (upload?.repository !== repository.name)
    throw new AwsError('UploadNotFoundException', `The upload with id '${id}' does not exist for the repository with name '${repository.name}' in the registry with id '${repository.registry}'`, { status: 400 });
  return upload;
}

async function append(upload: Upload, source: Uint8Array | AsyncIterable<Uint8Array>, context: RequestContext): Promise<Upload> {
  const blob = await context.runtime.blobs.write(source);
  const before = uploads(context.state, upload).get(upload.id);
  if (before?.size !== upload.size) throw new AwsError('InvalidLayerPartException', 'Another part was received meanwhile', { status: 400 });
  const after: Upload = { ...upload, parts: blob.size === 0 ? upload.parts : [...upload.parts, { blob: blob.id, size: blob.size }], size: upload.size + blob.size };
  uploads(context.state, after).put(after.id, after);
  return after;
}

export async function completeLayerUpload(input: Ecr.CompleteLayerUploadRequest, context: RequestContext): Promise<Ecr.CompleteLayerUploadResponse> {
  const upload = uploadOf(input, input.uploadId, context);
  const digest = input.layerDigests[0]!;
  if (upload.size === 0) throw new AwsError('EmptyUploadException', `The upload with id '${upload.id}' doesn't contain any layer parts`, { status: 400 });
  const repository = repositoryOf(input, context);
  const before = layers(context.state, repository).get(repository.name, digest);
  if (before) throw new AwsError('LayerAlreadyExistsException', `Layer with digest '${digest}' already exists in the repository with name '${repository.name}' in the registry with id '${repository.registry}'`, { status: 400 });
  await complete(upload, digest, context);
  return { registryId: upload.registry, repositoryName: upload.repository, uploadId: upload.id, layerDigest: digest };
}

/** Puts the parts together. Raises InvalidLayerException unless they have the digest. */
async function complete(upload: Upload, digest: string, context: RequestContext): Promise<StoredLayer> {
  const { blobs } = context.runtime;
  const [only, ...others] = upload.parts;
  const whole = only && others.length === 0 ? { id: only.blob, size: only.size } : await blobs.write(concatenated(upload, context));
  if (digest !== `sha256:${whole.id}`)
    throw new AwsError('InvalidLayerException', `Layer upload to repository with name '${upload.repository}' in the registry with id '${upload.registry}' failed because the computed digest 'sha256:${whole.id}' differs from '${digest}'`, { status: 400 });
  const layer: StoredLayer = { digest, size: whole.size };
  context.state.transaction(() => {
    layers(context.state, upload).put([upload.repository, digest], layer);
    uploads(context.state, upload).delete(upload.id);
  });
  // Blobs are shared by content: a part that isn't the whole is nobody's but may be another's, so it stays.
  return layer;
}

async function* concatenated(upload: Upload, { runtime }: RequestContext): AsyncGenerator<Uint8Array> {
  for (const { blob } of upload.parts) yield* runtime.blobs.read(blob);
}

export function getDownloadUrlForLayer(input: Ecr.GetDownloadUrlForLayerRequest, context: RequestContext): Ecr.GetDownloadUrlForLayerResponse {
  const repository = repositoryOf(input, context);
  layerOf(repository, input.layerDigest, context);
  return { downloadUrl: signedLink(repository, input.layerDigest, context), layerDigest: input.layerDigest };
}

function layerOf(repository: Repository, digest: string, { state }: RequestContext): StoredLayer {
  const layer = layers(state, repository).get(repository.name, digest);
  if (!layer) throw new AwsError('LayersNotFoundException', `The layer with digest '${digest}' does not exist in the repository with name '${repository.name}' in the registry with id '${repository.registry}'`, { status: 400 });
  return layer;
}

function signedLink(repository: Repository, digest: string, { runtime }: RequestContext): string {
  const path = `/v2/${registryHost(repository)}/${repository.name}/blobs/${digest}`;
  const expires = runtime.clock.now() + 3_600_000;
  return `${runtime.endpoint}${path}?expires=${expires}&signature=${sign(runtime, path, expires)}`;
}

/** Whether a link to that path was given by GetDownloadUrlForLayer and is still good. */
export function isSignedLink(runtime: Runtime, path: string, query: URLSearchParams): boolean {
  const expires = Number(query.get('expires'));
  const given = Buffer.from(query.get('signature') ?? '');
  const expected = Buffer.from(sign(runtime, path, expires));
  return given.length === expected.length && timingSafeEqual(given, expected) && runtime.clock.now() < expires;
}

function sign(runtime: Runtime, path: string, expires: number): string {
  const secrets = linkSecrets(runtime.state);
  let secret = secrets.get('links');
  if (secret === undefined) secrets.put('links', (secret = randomBytes(32).toString('hex')));
  return createHmac('sha256', secret).update(`${path}\n${expires}`).digest('hex');
}

/** Internal operations: what the registry endpoint does with streams that the API takes piece by piece. */

export interface PartInput extends RepositoryInput {
  readonly uploadId: string;
  /** Offset the client believes to be at. */
  readonly start?: number;
  readonly source: AsyncIterable<Uint8Array>;
}

export async function receiveLayerPart(input: PartInput, context: RequestContext): Promise<{ size: number }> {
  const upload = uploadOf(input, input.uploadId, context);
  if (input.start !== undefined && input.start !== upload.size) throw new AwsError('InvalidLayerPartException', `Layer part is invalid: it must start at byte ${upload.size}`, { status: 416 });
  return { size: (await append(upload, input.source, context)).size };
}

export async function finishLayer(input: RepositoryInput & { uploadId: string; layerDigest: string }, context: RequestContext): Promise<StoredLayer> {
  return complete(uploadOf(input, input.uploadId, context), input.layerDigest, context);
}

export function layerUploadStatus(input: RepositoryInput & { uploadId: string }, context: RequestContext): { size: number } {
  return { size: uploadOf(input, input.uploadId, context).size };
}

export function cancelLayerUpload(input: RepositoryInput & { uploadId: string }, context: RequestContext): void {
  const upload = uploadOf(input, input.uploadId, context);
  uploads(context.state, upload).delete(upload.id);
}

export function openLayer(input: RepositoryInput & { layerDigest: string }, context: RequestContext): StoredLayer {
  return layerOf(repositoryOf(input, context), input.layerDigest, context);
}

/** Makes a layer of another repository of the registry one of this repository too. */
export function mountLayer(input: RepositoryInput & { layerDigest: string; from: string }, context: RequestContext): StoredLayer {
  const repository = repositoryOf(input, context);
  const layer = layerOf(repositoryOf({ registryId: input.registryId, repositoryName: input.from }, context), input.layerDigest, context);
  layers(context.state, repository).put([repository.name, layer.digest], layer);
  return layer;
}
