import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ecr from '../../models/types/ecr.js';
import { images, imageTags, layers, page, registryHost, registryScanning, repositories, repositoryArn, repositoryOf, saveRepository, uploads, type Repository } from './store.js';

export async function createRepository(input: Ecr.CreateRepositoryRequest, context: RequestContext): Promise<Ecr.CreateRepositoryResponse> {
  const place = { registry: input.registryId ?? context.account, region: context.region };
  refuseExisting(input.repositoryName, place, context);
  const encryption = await encryptionOf(input.encryptionConfiguration, context);
  refuseExisting(input.repositoryName, place, context);
  const repository: Repository = {
    ...place, name: input.repositoryName, created: context.now(), mutability: input.imageTagMutability ?? 'MUTABLE', exclusions: input.imageTagMutabilityExclusionFilters,
    scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false, encryption, tags: tagRecord(input.tags ?? []),
  };
  saveRepository(context.state, repository);
  return { repository: shown(repository) };
}

function refuseExisting(name: string, place: Pick<Repository, 'registry' | 'region'>, context: RequestContext): void {
  if (repositories(context.state, place).get(name)) throw new AwsError('RepositoryAlreadyExistsException', `The repository with name '${name}' already exists in the registry with id '${place.registry}'`, { status: 400 });
}

/** The caller must be allowed to see and grant the key (user guide, "Encryption at rest"). */
async function encryptionOf(given: Ecr.EncryptionConfiguration | undefined, context: RequestContext): Promise<Ecr.EncryptionConfiguration> {
  if (!given || given.encryptionType === 'AES256') return { encryptionType: 'AES256' };
  try {
    const { KeyMetadata } = await context.onBehalf.call<{ KeyMetadata: { Arn: string } }>('kms', 'DescribeKey', { KeyId: given.kmsKey ?? 'alias/aws/ecr' });
    return { encryptionType: given.encryptionType, kmsKey: KeyMetadata.Arn };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError('KmsException', `Unable to use the KMS key: ${error.message}`, { status: 400, fields: { kmsError: error.code } });
  }
}

function shown(repository: Repository): Ecr.Repository {
  return {
    repositoryArn: repositoryArn(repository),
    registryId: repository.registry,
    repositoryName: repository.name,
    repositoryUri: `${registryHost(repository)}/${repository.name}`,
    createdAt: repository.created,
    imageTagMutability: repository.mutability,
    ...(repository.exclusions ? { imageTagMutabilityExclusionFilters: [...repository.exclusions] } : {}),
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: repository.encryption,
  };
}

export function deleteRepository(input: Ecr.DeleteRepositoryRequest, context: RequestContext): Ecr.DeleteRepositoryResponse {
  const repository = repositoryOf(input, context);
  const { state } = context;
  if (!input.force && images(state, repository).entries([repository.name], { limit: 1 }).length > 0)
    throw new AwsError('RepositoryNotEmptyException', `The repository with name '${repository.name}' in registry with id '${repository.registry}' cannot be deleted because it still contains images`, { status: 400 });
  state.transaction(() => {
    for (const part of [images(state, repository), imageTags(state, repository), layers(state, repository)]) for (const [key] of part.entries([repository.name])) part.delete(...key);
    for (const upload of uploads(state, repository).list()) if (upload.repository === repository.name) uploads(state, repository).delete(upload.id);
    repositories(state, repository).delete(repository.name);
  });
  return { repository: shown(repository) };
}

export function describeRepositories(input: Ecr.DescribeRepositoriesRequest, context: RequestContext): Ecr.DescribeRepositoriesResponse {
  const { registryId } = input;
  if (input.repositoryNames) return { repositories: input.repositoryNames.map((repositoryName) => shown(repositoryOf({ registryId, repositoryName }, context))) };
  const all = repositories(context.state, { registry: registryId ?? context.account, region: context.region }).list();
  const { items, ...rest } = page(all, input.maxResults ?? 100, input.nextToken);
  return { repositories: items.map(shown), ...rest };
}

export function putImageTagMutability(input: Ecr.PutImageTagMutabilityRequest, context: RequestContext): Ecr.PutImageTagMutabilityResponse {
  const repository = repositoryOf(input, context);
  saveRepository(context.state, { ...repository, mutability: input.imageTagMutability, exclusions: input.imageTagMutabilityExclusionFilters });
  return { registryId: repository.registry, repositoryName: repository.name, imageTagMutability: input.imageTagMutability, imageTagMutabilityExclusionFilters: input.imageTagMutabilityExclusionFilters };
}

export function putImageScanningConfiguration(input: Ecr.PutImageScanningConfigurationRequest, context: RequestContext): Ecr.PutImageScanningConfigurationResponse {
  const repository = repositoryOf(input, context);
  const scanOnPush = input.imageScanningConfiguration.scanOnPush ?? false;
  saveRepository(context.state, { ...repository, scanOnPush });
  return { registryId: repository.registry, repositoryName: repository.name, imageScanningConfiguration: { scanOnPush } };
}

export function batchGetRepositoryScanningConfiguration(input: Ecr.BatchGetRepositoryScanningConfigurationRequest, context: RequestContext): Ecr.BatchGetRepositoryScanningConfigurationResponse {
  const scanningConfigurations: Ecr.RepositoryScanningConfiguration[] = [];
  const failures: Ecr.RepositoryScanningConfigurationFailure[] = [];
  for (const repositoryName of input.repositoryNames) {
    const found = repositories(context.state, { registry: context.account, region: context.region }).get(repositoryName);
    if (found) scanningConfigurations.push({ repositoryArn: repositoryArn(found), repositoryName, scanOnPush: found.scanOnPush, scanFrequency: found.scanOnPush ? 'SCAN_ON_PUSH' : 'MANUAL', appliedScanFilters: [] });
    else failures.push({ repositoryName, failureCode: 'REPOSITORY_NOT_FOUND', failureReason: 'REPOSITORY_NOT_FOUND' });
  }
  return { scanningConfigurations, failures };
}

/** No image is scanned here: what a registry is to scan is kept for who asks. */
export function putRegistryScanningConfiguration(input: Ecr.PutRegistryScanningConfigurationRequest, context: RequestContext): Ecr.PutRegistryScanningConfigurationResponse {
  const configuration = { scanType: input.scanType ?? 'BASIC', rules: input.rules ?? [] } as const;
  registryScanning(context.state, context.account, context.region).put('configuration', configuration);
  return { registryScanningConfiguration: configuration };
}

export function getRegistryScanningConfiguration(_: Ecr.GetRegistryScanningConfigurationRequest, context: RequestContext): Ecr.GetRegistryScanningConfigurationResponse {
  return { registryId: context.account, scanningConfiguration: registryScanning(context.state, context.account, context.region).get('configuration') ?? { scanType: 'BASIC', rules: [] } };
}

export function tagResource(input: Ecr.TagResourceRequest, context: RequestContext): Record<string, never> {
  const repository = tagged(input.resourceArn, context);
  const tags = { ...repository.tags, ...tagRecord(input.tags) };
  if (Object.keys(tags).length > 50) throw new AwsError('TooManyTagsException', 'The request would cause the resource to exceed the limit of 50 tags.', { status: 400 });
  saveRepository(context.state, { ...repository, tags });
  return {};
}

export function untagResource(input: Ecr.UntagResourceRequest, context: RequestContext): Record<string, never> {
  const repository = tagged(input.resourceArn, context);
  saveRepository(context.state, { ...repository, tags: Object.fromEntries(Object.entries(repository.tags).filter(([key]) => !input.tagKeys.includes(key))) });
  return {};
}

export function listTagsForResource(input: Ecr.ListTagsForResourceRequest, context: RequestContext): Ecr.ListTagsForResourceResponse {
  return { tags: Object.entries(tagged(input.resourceArn, context).tags).map(([Key, Value]) => ({ Key, Value })) };
}

function tagged(arn: string, context: RequestContext): Repository {
  const [, registryId, repositoryName] = /^arn:aws:ecr:[^:]*:(\d{12}):repository\/(.+)$/.exec(arn) ?? [];
  if (repositoryName === undefined) throw new AwsError('InvalidParameterException', `Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'`, { status: 400 });
  return repositoryOf({ registryId, repositoryName }, context);
}

function tagRecord(tags: readonly Ecr.Tag[]): Record<string, string> {
  for (const { Key } of tags) if (/^aws:(?!cloudformation:)/i.test(Key)) throw new AwsError('InvalidTagParameterException', "The tag key can't start with aws:", { status: 400 });
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}
