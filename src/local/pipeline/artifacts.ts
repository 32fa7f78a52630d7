import { createHash } from 'node:crypto';
import { AwsError } from '../kernel/error.js';
import type { Body, Client } from '../kernel/service.js';
import type * as CodePipeline from '../models/types/codepipeline.js';
import type { Artifact } from './execution.js';

/** The store of a region: the one of a pipeline with one store, or that region's. */
export function storeOf(declaration: CodePipeline.PipelineDeclaration, region: string): CodePipeline.ArtifactStore {
  const store = declaration.artifactStore ?? declaration.artifactStores?.[region];
  if (!store) throw new AwsError('InvalidStructureException', `Artifact store for region '${region}' is missing in the pipeline definition`, { status: 400 });
  return store;
}

/** `PIPELINE/ARTIFACT/RANDOM`, cut as the service cuts them; the same for the same attempt, so that a repeated write meets its own. */
export function artifactKey(pipeline: string, artifact: string, attempt: string): string {
  const end = createHash('sha256').update(`${attempt}/${artifact}`).digest('base64url').replace(/[-_]/g, 'x').slice(0, 7);
  return `${pipeline.slice(0, 20)}/${artifact.slice(0, 10)}/${end}`;
}

export async function readObject(client: Client, artifact: Artifact): Promise<Uint8Array> {
  const { Body: body } = await client.call<{ Body: Body }>('s3', 'GetObject', { Bucket: artifact.bucket, Key: artifact.key, ...(artifact.versionId ? { VersionId: artifact.versionId } : {}) });
  return body.bytes();
}

/** Encrypted with the store's key, or with the account's default S3 key where the store names none. */
export async function writeObject(client: Client, location: Artifact, content: Uint8Array, encryptionKey: string | undefined): Promise<Artifact> {
  const { VersionId } = await client.call<{ VersionId?: string }>('s3', 'PutObject', {
    Bucket: location.bucket,
    Key: location.key,
    Body: content,
    ContentType: 'application/zip',
    ServerSideEncryption: 'aws:kms',
    ...(encryptionKey ? { SSEKMSKeyId: encryptionKey } : {}),
  });
  return { ...location, ...(VersionId ? { versionId: VersionId } : {}) };
}

/** An artifact where an action of `region` can read it: copied by the pipeline's role when it lies in another region's store. */
export async function artifactIn(declaration: CodePipeline.PipelineDeclaration, artifact: Artifact, region: string, client: Client, homeRegion: string): Promise<Artifact> {
  const store = storeOf(declaration, region);
  if (store.location === artifact.bucket) return artifact;
  const target: Artifact = { name: artifact.name, bucket: store.location, key: artifact.key };
  const there = await client
    .in(region)
    .call('s3', 'HeadObject', { Bucket: target.bucket, Key: target.key })
    .then(() => true)
    .catch((error: unknown) => {
      if (error instanceof AwsError && /^(NoSuchKey|404|NotFound|AccessDenied)$/.test(error.code)) return false;
      throw error;
    });
  if (there) return target;
  const content = await readObject(client.in(homeRegion), artifact);
  return writeObject(client.in(region), target, content, store.encryptionKey?.id);
}
