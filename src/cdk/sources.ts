import type { Stack } from 'aws-cdk-lib';
import { Repository, type IRepository } from 'aws-cdk-lib/aws-codecommit';
import { CodeCommitTrigger, S3Trigger } from 'aws-cdk-lib/aws-codepipeline-actions';
import { Repository as ContainerRepository } from 'aws-cdk-lib/aws-ecr';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { CodePipelineSource } from 'aws-cdk-lib/pipelines';
import { RemovalPolicy } from 'aws-cdk-lib';
import type { Source } from '../config/index.js';
import { unreachable } from '../shared/errors.js';
import { secretOf } from './builds.js';
import { once } from './once.js';

/** The CDK source of a source in the fleet file. Those with path filters don't start the pipeline by themselves: triggers.ts does. */
export function sourceOf(stack: Stack, source: Source): CodePipelineSource {
  if ('codecommit' in source) {
    return CodePipelineSource.codeCommit(repositoryOf(stack, source), source.branch, { codeBuildCloneOutput: source.clone, ...(source.paths ? { trigger: CodeCommitTrigger.NONE } : {}) });
  }
  if ('github' in source) {
    if (source.connection === undefined) return CodePipelineSource.gitHub(source.github, source.branch, { authentication: secretOf(stack, source.token ?? 'github-token').secretValue });
    return connection(source.github, source.branch, source.connection, source);
  }
  if ('bitbucket' in source) return connection(source.bitbucket, source.branch, source.connection, source);
  if ('gitlab' in source) return connection(source.gitlab, source.branch, source.connection, source);
  if ('s3' in source) return CodePipelineSource.s3(once(stack, `Source-${source.s3}`, (id) => Bucket.fromBucketName(stack, id, source.s3)), source.key, { trigger: source.poll ? S3Trigger.POLL : S3Trigger.EVENTS });
  if ('ecr' in source) return CodePipelineSource.ecr(once(stack, `Source-${source.ecr}`, (id) => ContainerRepository.fromRepositoryName(stack, id, source.ecr)), { imageTag: source.tag });
  return unreachable('a source without a provider');
}

/** The repository of a source; one that several sources follow on different branches is made once. */
function repositoryOf(stack: Stack, { codecommit, create }: Extract<Source, { codecommit: string }>): IRepository {
  return once(stack, `Repository-${codecommit}`, (id) => {
    if (!create) return Repository.fromRepositoryName(stack, id, codecommit);
    const made = new Repository(stack, id, { repositoryName: codecommit });
    made.applyRemovalPolicy(RemovalPolicy.RETAIN);
    return made;
  });
}

function connection(repository: string, branch: string, connectionArn: string, { clone, paths }: { clone: boolean; paths?: string[] | undefined }): CodePipelineSource {
  return CodePipelineSource.connection(repository, branch, { connectionArn, codeBuildCloneOutput: clone, triggerOnPush: paths === undefined });
}

/** Name CDK gives the source's action, which triggers refer to: the repository, with slashes as underscores. */
export function sourceActionName(source: Source): string {
  const name = 'codecommit' in source ? source.codecommit : 'github' in source ? source.github : 'bitbucket' in source ? source.bitbucket : 'gitlab' in source ? source.gitlab : 's3' in source ? source.key : source.ecr;
  return name.replaceAll('/', '_');
}
