import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ecr from '../../models/types/ecr.js';
import { checkReferences, parseManifest, sizeOf } from './manifests.js';
import { images, imageTags, invalid, page, repositoryArn, repositoryOf, type Repository, type StoredImage } from './store.js';

export function putImage(input: Ecr.PutImageRequest, context: RequestContext): Ecr.PutImageResponse {
  const repository = repositoryOf(input, context);
  const { state } = context;
  const text = input.imageManifest;
  const manifest = parseManifest(text, input.imageManifestMediaType);
  if (input.imageDigest !== undefined && input.imageDigest !== manifest.digest)
    throw new AwsError('ImageDigestDoesNotMatchException', `Provided image digest '${input.imageDigest}' does not match calculated digest '${manifest.digest}'`, { status: 400 });
  checkReferences(manifest, repository, state);
  const before = images(state, repository).get(repository.name, manifest.digest);
  checkTag(repository, before, manifest.digest, input.imageTag, context);
  const tag = input.imageTag;
  state.transaction(() => {
    if (tag !== undefined) untag(repository, tag, context);
    const image: StoredImage = before ?? {
      digest: manifest.digest, manifest: text, mediaType: manifest.mediaType, artifactType: manifest.artifactType, subject: manifest.subject, size: sizeOf(manifest, text), pushed: context.now(), tags: [],
    };
    save(repository, { ...image, tags: tag === undefined ? image.tags : [...image.tags.filter((one) => one !== tag), tag] }, context);
    if (tag !== undefined) imageTags(state, repository).put([repository.name, tag], manifest.digest);
  });
  tell(repository, 'PUSH', manifest.digest, tag, context);
  return { image: { registryId: repository.registry, repositoryName: repository.name, imageId: { imageDigest: manifest.digest, ...(tag === undefined ? {} : { imageTag: tag }) }, imageManifest: text, imageManifestMediaType: manifest.mediaType } };
}

function checkTag(repository: Repository, before: StoredImage | undefined, digest: string, tag: string | undefined, context: RequestContext): void {
  const where = `in the repository with name '${repository.name}' in registry with id '${repository.registry}'`;
  if (tag === undefined) {
    if (before) throw new AwsError('ImageAlreadyExistsException', `Image with digest '${digest}' already exists ${where}`, { status: 400 });
    return;
  }
  const holder = imageTags(context.state, repository).get(repository.name, tag);
  if (holder === digest) throw new AwsError('ImageAlreadyExistsException', `Image with digest '${digest}' and tag '${tag}' already exists ${where}`, { status: 400 });
  if (holder !== undefined && isImmutable(repository, tag))
    throw new AwsError('ImageTagAlreadyExistsException', `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the tag is immutable.`, { status: 400 });
}

function isImmutable({ mutability, exclusions = [] }: Repository, tag: string): boolean {
  const excluded = exclusions.some(({ filter }) => new RegExp(`^${filter.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(tag));
  if (mutability === 'IMMUTABLE_WITH_EXCLUSION') return !excluded;
  if (mutability === 'MUTABLE_WITH_EXCLUSION') return excluded;
  return mutability === 'IMMUTABLE';
}

function save(repository: Repository, image: StoredImage, { state }: RequestContext): void {
  images(state, repository).put([repository.name, image.digest], image);
}

/** Takes a tag from the image that has it. */
function untag(repository: Repository, tag: string, context: RequestContext): void {
  const digest = imageTags(context.state, repository).get(repository.name, tag);
  const image = digest === undefined ? undefined : images(context.state, repository).get(repository.name, digest);
  if (image) save(repository, { ...image, tags: image.tags.filter((one) => one !== tag) }, context);
  imageTags(context.state, repository).delete(repository.name, tag);
}

/** "ECR Image Action" on the account's event bus (user guide, "Amazon ECR events and EventBridge"). Nobody waits for it. */
function tell(repository: Repository, action: 'PUSH' | 'DELETE', digest: string, tag: string | undefined, context: RequestContext): void {
  const client = context.asService({ service: 'ecr.amazonaws.com', sourceArn: repositoryArn(repository), sourceAccount: repository.registry, region: repository.region });
  const detail = { result: 'SUCCESS', 'repository-name': repository.name, 'image-digest': digest, 'action-type': action, ...(tag === undefined ? {} : { 'image-tag': tag }) };
  void client
    .call('events', 'PutEvents', { Entries: [{ Source: 'aws.ecr', DetailType: 'ECR Image Action', Resources: [], Detail: JSON.stringify(detail) }] })
    .catch((error: unknown) => context.runtime.log(`ecr: the ${action} of ${repository.name} was told to nobody: ${error instanceof Error ? error.message : String(error)}`));
}

/** The image an identifier means; undefined when there is none or tag and digest disagree. */
function find(repository: Repository, { imageDigest, imageTag }: Ecr.ImageIdentifier, { state }: RequestContext): StoredImage | undefined {
  const digest = imageTag === undefined ? imageDigest : imageTags(state, repository).get(repository.name, imageTag);
  if (digest === undefined || (imageDigest !== undefined && imageDigest !== digest)) return undefined;
  return images(state, repository).get(repository.name, digest);
}

export function batchGetImage(input: Ecr.BatchGetImageRequest, context: RequestContext): Ecr.BatchGetImageResponse {
  const repository = repositoryOf(input, context);
  const found: Ecr.Image[] = [];
  const failures: Ecr.ImageFailure[] = [];
  for (const imageId of input.imageIds) {
    const image = find(repository, imageId, context);
    if (!image) {
      failures.push(failureOf(imageId));
      continue;
    }
    save(repository, { ...image, pulled: context.now() }, context);
    found.push({ registryId: repository.registry, repositoryName: repository.name, imageId: { ...imageId, imageDigest: image.digest }, imageManifest: image.manifest, imageManifestMediaType: image.mediaType });
  }
  return { images: found, failures };
}

function failureOf(imageId: Ecr.ImageIdentifier): Ecr.ImageFailure {
  if (imageId.imageDigest === undefined && imageId.imageTag === undefined) return { imageId, failureCode: 'MissingDigestAndTag', failureReason: 'Invalid request parameters: both tag and digest cannot be null' };
  return { imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' };
}

export function batchDeleteImage(input: Ecr.BatchDeleteImageRequest, context: RequestContext): Ecr.BatchDeleteImageResponse {
  const repository = repositoryOf(input, context);
  const deleted: Ecr.ImageIdentifier[] = [];
  const failures: Ecr.ImageFailure[] = [];
  for (const imageId of input.imageIds) {
    const image = find(repository, imageId, context);
    const parent = image && imageId.imageTag === undefined ? listedIn(repository, image.digest, context) : undefined;
    if (!image) failures.push(failureOf(imageId));
    else if (parent) failures.push({ imageId, failureCode: 'ImageReferencedByManifestList', failureReason: `Requested image referenced by manifest list: [${parent}]` });
    else deleted.push(...remove(repository, image, imageId.imageTag, context));
  }
  return { imageIds: deleted, failures };
}

function listedIn(repository: Repository, digest: string, { state }: RequestContext): string | undefined {
  return images(state, repository).list(repository.name).find((image) => image.digest !== digest && parseManifest(image.manifest, image.mediaType).manifests.some((one) => one.digest === digest))?.digest;
}

/** By tag, the tag goes, and the image with its last one; by digest, the image with all its tags. */
function remove(repository: Repository, image: StoredImage, tag: string | undefined, context: RequestContext): Ecr.ImageIdentifier[] {
  const { state } = context;
  return state.transaction(() => {
    const gone = tag === undefined ? image.tags : [tag];
    for (const one of gone) imageTags(state, repository).delete(repository.name, one);
    const rest = image.tags.filter((one) => !gone.includes(one));
    if (rest.length > 0) save(repository, { ...image, tags: rest }, context);
    else images(state, repository).delete(repository.name, image.digest);
    tell(repository, 'DELETE', image.digest, tag, context);
    return gone.length === 0 ? [{ imageDigest: image.digest }] : gone.map((imageTag) => ({ imageDigest: image.digest, imageTag }));
  });
}

export function describeImages(input: Ecr.DescribeImagesRequest, context: RequestContext): Ecr.DescribeImagesResponse {
  const repository = repositoryOf(input, context);
  if (input.imageIds) return { imageDetails: unique(input.imageIds.map((imageId) => named(repository, imageId, context))).map((image) => shown(repository, image)) };
  const all = images(context.state, repository).list(repository.name).filter((image) => hasStatus(image, input.filter?.tagStatus));
  const { items, ...rest } = page(all, input.maxResults ?? 100, input.nextToken);
  return { imageDetails: items.map((image) => shown(repository, image)), ...rest };
}

const unique = (all: readonly StoredImage[]): StoredImage[] => [...new Map(all.map((image) => [image.digest, image])).values()];

/** Raises ImageNotFoundException. */
function named(repository: Repository, imageId: Ecr.ImageIdentifier, context: RequestContext): StoredImage {
  if (imageId.imageDigest === undefined && imageId.imageTag === undefined) throw invalid('imageIds', 'Either imageDigest or imageTag must be given');
  const image = find(repository, imageId, context);
  if (!image)
    throw new AwsError(
      'ImageNotFoundException',
      `The image with imageId {imageDigest:'${imageId.imageDigest ?? 'null'}', imageTag:'${imageId.imageTag ?? 'null'}'} does not exist within the repository with name '${repository.name}' in the registry with id '${repository.registry}'`,
      { status: 400 },
    );
  return image;
}

function hasStatus(image: StoredImage, status: string | undefined): boolean {
  return status === undefined || status === 'ANY' || (status === 'TAGGED') === image.tags.length > 0;
}

function shown(repository: Repository, image: StoredImage): Ecr.ImageDetail {
  return {
    registryId: repository.registry,
    repositoryName: repository.name,
    imageDigest: image.digest,
    ...(image.tags.length > 0 ? { imageTags: [...image.tags] } : {}),
    imageSizeInBytes: image.size,
    imagePushedAt: image.pushed,
    imageManifestMediaType: image.mediaType,
    ...(image.artifactType === undefined ? {} : { artifactMediaType: image.artifactType }),
    ...(image.pulled ? { lastRecordedPullTime: image.pulled } : {}),
    ...(image.subject === undefined ? {} : { subjectManifestDigest: image.subject }),
    imageStatus: 'ACTIVE',
  };
}

export function listImages(input: Ecr.ListImagesRequest, context: RequestContext): Ecr.ListImagesResponse {
  const repository = repositoryOf(input, context);
  const all = images(context.state, repository)
    .list(repository.name)
    .filter((image) => hasStatus(image, input.filter?.tagStatus))
    .flatMap((image): Ecr.ImageIdentifier[] => (image.tags.length > 0 ? image.tags.map((imageTag) => ({ imageDigest: image.digest, imageTag })) : [{ imageDigest: image.digest }]));
  const { items, ...rest } = page(all, input.maxResults ?? 100, input.nextToken);
  return { imageIds: items, ...rest };
}

/** No image was ever scanned. */
export function describeImageScanFindings(input: Ecr.DescribeImageScanFindingsRequest, context: RequestContext): never {
  const repository = repositoryOf(input, context);
  const image = named(repository, input.imageId, context);
  throw new AwsError('ScanNotFoundException', `Image scan does not exist for the image with '{imageDigest:'${image.digest}', imageTag:'${input.imageId.imageTag ?? 'null'}'}' in the repository with name '${repository.name}' in the registry with id '${repository.registry}'`, { status: 400 });
}
