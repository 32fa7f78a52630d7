import { AwsError } from '../../kernel/error.js';
import type { Principal } from '../../kernel/principal.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ecr from '../../models/types/ecr.js';
import { GLOBAL, table, type State, type Table } from '../../state/state.js';

export interface Repository {
  readonly name: string;
  /** The account: ECR calls it the registry's ID. */
  readonly registry: string;
  readonly region: string;
  readonly created: Date;
  readonly mutability: Ecr.ImageTagMutability;
  readonly exclusions?: readonly Ecr.ImageTagMutabilityExclusionFilter[];
  readonly scanOnPush: boolean;
  readonly encryption: Ecr.EncryptionConfiguration;
  /** With principals as unique IDs. */
  readonly policy?: string;
  readonly lifecycle?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface StoredImage {
  readonly digest: string;
  readonly manifest: string;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: string;
  /** Bytes of layers and configuration; of an index, of its own text. */
  readonly size: number;
  readonly pushed: Date;
  readonly pulled?: Date;
  readonly tags: readonly string[];
}

export interface StoredLayer {
  /** `sha256:…`; the blob's ID is the same digest. */
  readonly digest: string;
  readonly size: number;
}

export interface Upload {
  readonly id: string;
  readonly registry: string;
  readonly region: string;
  readonly repository: string;
  readonly parts: readonly { readonly blob: string; readonly size: number }[];
  readonly size: number;
  readonly started: Date;
}

/** Whom a password of the registry stands for. */
export interface Login {
  readonly principal: Principal;
  readonly region: string;
  readonly expires: number;
}

const repositoryTable = table<Repository>('ecr', 'repositories');
const imageTable = table<StoredImage>('ecr', 'images');
const tagTable = table<string>('ecr', 'tags');
const layerTable = table<StoredLayer>('ecr', 'layers');
const uploadTable = table<Upload>('ecr', 'uploads');
const loginTable = table<Login>('ecr', 'logins');
const secretTable = table<string>('ecr', 'secret');
const scanningTable = table<Ecr.RegistryScanningConfiguration>('ecr', 'registry-scanning');

type Place = Pick<Repository, 'registry' | 'region'>;

export const repositories = (state: State, { registry, region }: Place): Table<Repository> => repositoryTable(state, registry, region);
/** By repository and digest. */
export const images = (state: State, { registry, region }: Place): Table<StoredImage> => imageTable(state, registry, region);
/** Digests by repository and tag. */
export const imageTags = (state: State, { registry, region }: Place): Table<string> => tagTable(state, registry, region);
/** By repository and digest. */
export const layers = (state: State, { registry, region }: Place): Table<StoredLayer> => layerTable(state, registry, region);
export const uploads = (state: State, { registry, region }: Place): Table<Upload> => uploadTable(state, registry, region);
/** By SHA-256 of the password: what is stored lets nobody in. */
export const logins = (state: State): Table<Login> => loginTable(state, 'cloud', GLOBAL);
/** What download links are signed with. */
export const linkSecrets = (state: State): Table<string> => secretTable(state, 'cloud', GLOBAL);
export const registryScanning = (state: State, account: string, region: string): Table<Ecr.RegistryScanningConfiguration> => scanningTable(state, account, region);

export function registryHost({ registry, region }: Place): string {
  return `${registry}.dkr.ecr.${region}.amazonaws.com`;
}

export function repositoryArn(repository: Place & Pick<Repository, 'name'>): string {
  return `arn:aws:ecr:${repository.region}:${repository.registry}:repository/${repository.name}`;
}

export interface RepositoryInput {
  readonly registryId?: string;
  readonly repositoryName: string;
}

/** Raises RepositoryNotFoundException. */
export function repositoryOf({ registryId, repositoryName }: RepositoryInput, context: RequestContext): Repository {
  const registry = registryId ?? context.account;
  const repository = repositories(context.state, { registry, region: context.region }).get(repositoryName);
  if (!repository) throw new AwsError('RepositoryNotFoundException', `The repository with name '${repositoryName}' does not exist in the registry with id '${registry}'`, { status: 400 });
  return repository;
}

export function saveRepository(state: State, repository: Repository): void {
  repositories(state, repository).put(repository.name, repository);
}

/** `Invalid parameter at 'PolicyText' failed to satisfy constraint: '…'`. */
export function invalid(parameter: string, constraint: string): AwsError {
  return new AwsError('InvalidParameterException', `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`, { status: 400 });
}

export function page<T>(all: readonly T[], limit: number, token: string | undefined): { items: T[]; nextToken?: string } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8'));
  if (Number.isNaN(start)) throw invalid('nextToken', 'Invalid pagination token');
  const end = start + limit;
  return { items: all.slice(start, end), ...(end < all.length ? { nextToken: Buffer.from(String(end)).toString('base64url') } : {}) };
}
