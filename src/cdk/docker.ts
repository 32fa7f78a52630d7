import type { Stack } from 'aws-cdk-lib';
import { RepositoryBase } from 'aws-cdk-lib/aws-ecr';
import type { AddToResourcePolicyResult } from 'aws-cdk-lib/aws-iam';
import { Secret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { DockerCredential } from 'aws-cdk-lib/pipelines';
import type { BuildSettings } from '../config/index.js';
import { partitionOf } from '../fleet/index.js';
import { once } from './once.js';

/**
 * Credentials of container registries. Batched assets have their buildspec in a file of the assembly, where CloudFormation can't fill in
 * anything: so secrets and repositories are named by whole ARNs, without references to the stack's partition, region or suffix.
 */
export function dockerCredentials(stack: Stack, { docker = [] }: BuildSettings): DockerCredential[] {
  return docker.flatMap((credential) => {
    if ('dockerHub' in credential) return [DockerCredential.dockerHub(wholeSecret(stack, credential.dockerHub))];
    if ('registry' in credential) return [DockerCredential.customRegistry(credential.registry, wholeSecret(stack, credential.secret))];
    return byRegistry(credential.ecr.map(({ repository, account = stack.account, region = stack.region }) => once(stack, `Registry-${account}-${region}-${repository}`, (id) => new KnownRepository(stack, id, account, region, repository))));
  });
}

/** CDK logs in to the registry of a credential's first repository only. */
function byRegistry(repositories: readonly KnownRepository[]): DockerCredential[] {
  const registries = new Set(repositories.map(({ registry }) => registry));
  return [...registries].map((one) => DockerCredential.ecr(repositories.filter(({ registry }) => registry === one)));
}

function wholeSecret(stack: Stack, name: string): ISecret {
  const arn = name.startsWith('arn:') ? name : `arn:${partitionOf(stack.region)}:secretsmanager:${stack.region}:${stack.account}:secret:${name}`;
  return once(stack, `DockerSecret-${name}`, (id) => (name.startsWith('arn:') ? Secret.fromSecretCompleteArn(stack, id, arn) : Secret.fromSecretPartialArn(stack, id, arn)));
}

/** A repository that exists, all of whose names are known when the app is synthesized. */
class KnownRepository extends RepositoryBase {
  readonly repositoryArn: string;
  readonly registry: string;

  constructor(stack: Stack, id: string, account: string, region: string, readonly repositoryName: string) {
    super(stack, id, { account, region });
    const partition = partitionOf(region);
    this.repositoryArn = `arn:${partition}:ecr:${region}:${account}:repository/${repositoryName}`;
    this.registry = `${account}.dkr.ecr.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
  }

  override get repositoryUri(): string {
    return `${this.registry}/${this.repositoryName}`;
  }

  addToResourcePolicy(): AddToResourcePolicyResult {
    return { statementAdded: false };
  }
}
