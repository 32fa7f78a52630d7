import { createHash } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { State } from '../../state/state.js';
import { images, invalid, layers, type Repository } from './store.js';

/** What a manifest or an index says of itself (OCI image specification; Docker image manifest version 2, schema 2). */
export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: string;
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Of an index: the images it lists. */
  readonly manifests: readonly Descriptor[];
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType?: string;
}

interface Document {
  readonly schemaVersion?: unknown;
  readonly mediaType?: unknown;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

/** Raises InvalidParameterException for what is no manifest. */
export function parseManifest(text: string, mediaType: string | undefined): Manifest {
  let document: Document;
  try {
    document = JSON.parse(text) as Document;
  } catch {
    throw invalid('ImageManifest', 'Invalid JSON syntax');
  }
  if (typeof document !== 'object' || document === null || document.schemaVersion !== 2) throw invalid('ImageManifest', 'Manifest schema version must be 2');
  const type = mediaType ?? (typeof document.mediaType === 'string' ? document.mediaType : undefined) ?? guessType(document);
  if (type === undefined) throw invalid('ImageManifest', 'Unsupported manifest: no media type');
  if (!document.manifests && !document.config && !document.layers) throw invalid('ImageManifest', 'Manifest has neither layers nor manifests');
  return {
    digest: digestOf(text),
    mediaType: type,
    artifactType: document.artifactType ?? document.config?.mediaType,
    subject: document.subject?.digest,
    config: document.config,
    layers: document.layers ?? [],
    manifests: document.manifests ?? [],
  };
}

function guessType(document: Document): string | undefined {
  if (document.manifests) return 'application/vnd.oci.image.index.v1+json';
  return document.config ? 'application/vnd.oci.image.manifest.v1+json' : undefined;
}

export function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Raises when something the manifest names isn't in the repository. */
export function checkReferences(manifest: Manifest, repository: Repository, state: State): void {
  const blobs = [...(manifest.config ? [manifest.config] : []), ...manifest.layers];
  // Layers that are kept elsewhere are none of the registry's.
  const lacking = blobs.filter(({ digest, mediaType }) => !/foreign|nondistributable/.test(mediaType ?? '') && !layers(state, repository).get(repository.name, digest)).map(({ digest }) => digest);
  if (lacking.length > 0) throw new AwsError('LayersNotFoundException', `Layers with digests '${lacking.join(', ')}' required for pushing image into repository with name '${repository.name}' in the registry with id '${repository.registry}' do not exist`, { status: 400 });
  const unknown = manifest.manifests.filter(({ digest }) => !images(state, repository).get(repository.name, digest)).map(({ digest }) => digest);
  if (unknown.length > 0) throw new AwsError('ReferencedImagesNotFoundException', `Images with digests '${unknown.join(', ')}' required for pushing image into repository with name '${repository.name}' in the registry with id '${repository.registry}' do not exist`, { status: 400 });
}

export function sizeOf(manifest: Manifest, text: string): number {
  if (manifest.manifests.length > 0) return Buffer.byteLength(text);
  return [...(manifest.config ? [manifest.config] : []), ...manifest.layers].reduce((sum, { size }) => sum + (size ?? 0), 0);
}
