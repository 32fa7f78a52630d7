import type { Stack } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-codecommit';
import { CodeCommitTrigger, S3Trigger } from 'aws-cdk-lib/aws-codepipeline-actions';
import { Repository as ContainerRepository } from 'aws-cdk-lib/aws-ecr';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { CodePipelineSource } from 'aws-cdk-lib/pipelines';
import { RemovalPolicy } from 'aws-cdk-lib';
import type { Source } from '../config/index.js';
import { unreachable } from '../shared/errors.js';
import { secretOf } from './builds.js';

/** The CDK source of a source in the fleet file. Those with path filters don't start the pipeline by themselves: triggers.ts does. */
export function sourceOf(stack: Stack, source: Source): CodePipelineSource {
  if ('codecommit' in source) {
    const repository = source.create
      ? new Repository(stack, `Repository-${source.codecommit}`, { repositoryName: source.codecommit })
      : Repository.fromRepositoryName(stack, `Repository-${source.codecommit}`, source.codecommit);
    if (source.create) repository.applyRemovalPolicy(RemovalPolicy.RETAIN);
    return CodePipelineSource.codeCommit(repository, source.branch, { codeBuildCloneOutput: source.clone, ...(source.paths ? { trigger: CodeCommitTrigger.NONE } : {}) });
  }
  if ('github' in source) {
    if (source.connection === undefined) return CodePipelineSource.gitHub(source.github, source.branch, { authentication: secretOf(stack, source.token ?? 'github-token').secretValue });
    return connection(source.github, source.branch, source.connection, source);
  }
  if ('bitbucket' in source) return connection(source.bitbucket, source.branch, source.connection, source);
  if ('gitlab' in source) return connection(source.gitlab, source.branch, source.connection, source);
  if ('s3' in source) return CodePipelineSource.s3(Bucket.fromBucketName(stack, `Source-${source.s3}`, source.s3), source.key, { trigger: source.poll ? S3Trigger.POLL : S3Trigger.EVENTS });
  if ('ecr' in source) return CodePipelineSource.ecr(ContainerRepository.fromRepositoryName(stack, `Source-${source.ecr}`, source.ecr), { imageTag: source.tag });
  return unreachable('a source without a provider');
}

function connection(repository: string, branch: string, connectionArn: string, { clone, paths }: { clone: boolean; paths?: string[] | undefined }): CodePipelineSource {
  return CodePipelineSource.connection(repository, branch, { connectionArn, codeBuildCloneOutput: clone, triggerOnPush: paths === undefined });
}

/** Name CDK gives the source's action, which triggers refer to: the repository, with slashes as underscores. */
export function sourceActionName(source: Source): string {
  const name = 'codecommit' in source ? source.codecommit : 'github' in source ? source.github : 'bitbucket' in source ? source.bitbucket : 'gitlab' in source ? source.gitlab : 's3' in source ? source.key : source.ecr;
  return name.replaceAll('/', '_');
}
