import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Body } from '../../kernel/service.js';
import { archive } from '../../process/zip.js';
import type { ActionContext, ActionResult, ActionRunner } from '../runner.js';

/** What a repository answers for a branch, tag or commit. */
interface ReadSource {
  readonly commitId: string;
  readonly message: string;
  readonly authorDate: string;
  readonly committerDate: string;
  readonly branch: string;
  /** The files as a zip archive; absent when only the reference was asked for. */
  readonly content?: Uint8Array;
  /** Where git clones it from, with credentials that read it. */
  readonly cloneUrl: string;
  readonly url?: string;
}

/** An artifact that stands for a clone: CodeBuild fetches the history itself (`CODEBUILD_CLONE_REF`). */
export interface CloneReference {
  readonly provider: string;
  readonly repository: string;
  readonly commit: string;
  readonly branch: string;
}

export const CLONE_REFERENCE_FILE = '.codepipeline-clone-reference.json';

/** The files of a repository at the revision the execution is for. */
export const codecommit: ActionRunner = {
  types: ['Source/CodeCommit'],
  async run(context) {
    const { RepositoryName = '', BranchName = '' } = context.configuration;
    const clones = context.configuration['OutputArtifactFormat'] === 'CODEBUILD_CLONE_REF';
    // The calls the documentation tells to allow: GetBranch, GetCommit, UploadArchive.
    const wanted = wantedRevision(context);
    const { branch } = await context.client.call<{ branch: { commitId: string } }>('codecommit', 'GetBranch', { repositoryName: RepositoryName, branchName: BranchName }).catch((error: unknown) => {
      if (!isAwsError(error, 'BranchDoesNotExistException')) throw error;
      throw new AwsError('ConfigurationError', `The action failed because no branch named ${BranchName} was found in the selected AWS CodeCommit repository ${RepositoryName}. Make sure you are using the correct branch name, and then try again. Error: null`, { status: 400 });
    });
    const commitId = wanted ?? branch.commitId;
    await context.client.call('codecommit', 'GetCommit', { repositoryName: RepositoryName, commitId });
    const read = await context.client.call<ReadSource>('codecommit', 'UploadArchive', { repositoryName: RepositoryName, commitId, content: !clones });
    return store(context, { ...read, branch: BranchName }, clones, { provider: 'CodeCommit', repository: RepositoryName }, { RepositoryName });
  },
};

/** GitHub, Bitbucket and GitLab by a connection; the local cloud serves the repository it was given for that name. */
export const connection: ActionRunner = {
  types: ['Source/CodeStarSourceConnection'],
  async run(context) {
    const { ConnectionArn = '', FullRepositoryId = '', BranchName = '' } = context.configuration;
    const clones = context.configuration['OutputArtifactFormat'] === 'CODEBUILD_CLONE_REF';
    const read = await context.client.call<ReadSource>('codeconnections', 'UseConnection', {
      ConnectionArn,
      FullRepositoryId,
      BranchName,
      ...(wantedRevision(context) ? { commitId: wantedRevision(context) } : {}),
      content: !clones,
    });
    return store(context, read, clones, { provider: 'CodeStarSourceConnection', repository: FullRepositoryId }, { ConnectionArn, FullRepositoryName: FullRepositoryId });
  },
};

export const github: ActionRunner = {
  types: ['Source/GitHub'],
  async run(context) {
    const { Owner = '', Repo = '', Branch = '', OAuthToken = '' } = context.configuration;
    const read = await context.client.call<ReadSource>('codeconnections', 'ReadGitHub', {
      FullRepositoryId: `${Owner}/${Repo}`,
      BranchName: Branch,
      token: OAuthToken,
      ...(wantedRevision(context) ? { commitId: wantedRevision(context) } : {}),
      content: true,
    });
    return store(context, read, false, { provider: 'GitHub', repository: `${Owner}/${Repo}` }, { RepositoryName: Repo });
  },
};

function wantedRevision(context: ActionContext): string | undefined {
  const remembered = context.memory['commit'] as string | undefined;
  const given = context.execution.overrides.find(({ actionName, revisionType }) => actionName === context.declared.name && revisionType === 'COMMIT_ID');
  return remembered ?? given?.revisionValue;
}

async function store(context: ActionContext, read: ReadSource, clones: boolean, where: { provider: string; repository: string }, variables: Record<string, string>): Promise<ActionResult> {
  // A repeated attempt reads the same commit, whatever was pushed meanwhile.
  context.remember({ commit: read.commitId });
  const reference: CloneReference = { ...where, commit: read.commitId, branch: read.branch };
  const content = clones ? await archive([{ name: CLONE_REFERENCE_FILE, data: Buffer.from(JSON.stringify(reference)) }]) : read.content!;
  const artifact = await context.writeArtifact(context.declared.outputArtifacts![0]!.name, content);
  const summary = read.message.split('\n')[0] ?? '';
  return {
    externalId: read.commitId,
    summary,
    outputs: [artifact],
    variables: { ...variables, BranchName: read.branch, CommitId: read.commitId, CommitMessage: read.message.trimEnd(), AuthorDate: read.authorDate, CommitterDate: read.committerDate },
    revision: { revisionId: read.commitId, summary: where.provider === 'CodeCommit' ? read.message.trimEnd() : JSON.stringify({ ProviderType: providerType(where.provider), CommitMessage: read.message.trimEnd() }), created: new Date(read.committerDate), ...(read.url ? { url: read.url } : {}) },
  };
}

function providerType(provider: string): string {
  return provider === 'GitHub' ? 'GitHub' : 'Bitbucket';
}

/** A zip file in a versioned bucket. */
export const s3: ActionRunner = {
  types: ['Source/S3'],
  async run(context) {
    const { S3Bucket: Bucket = '' } = context.configuration;
    const override = context.execution.overrides.find(({ actionName }) => actionName === context.declared.name);
    const Key = override?.revisionType === 'S3_OBJECT_KEY' ? override.revisionValue : context.configuration['S3ObjectKey']!;
    const { Status } = await context.client.call<{ Status?: string }>('s3', 'GetBucketVersioning', { Bucket });
    if (Status !== 'Enabled') throw new AwsError('ConfigurationError', `The bucket ${Bucket} is not versioned: a source bucket must be`, { status: 400 });
    const VersionId = (context.memory['version'] as string | undefined) ?? (override?.revisionType === 'S3_OBJECT_VERSION_ID' ? override.revisionValue : undefined);
    const object = await context.client.call<{ Body: Body; ETag: string; VersionId: string; LastModified: Date; Metadata?: Record<string, string> }>('s3', 'GetObject', { Bucket, Key, ...(VersionId ? { VersionId } : {}) });
    context.remember({ version: object.VersionId });
    const artifact = await context.writeArtifact(context.declared.outputArtifacts![0]!.name, await object.Body.bytes());
    const summary = object.Metadata?.['codepipeline-artifact-revision-summary'] ?? `Amazon S3 version id: ${object.VersionId}`;
    return {
      externalId: object.VersionId,
      summary,
      outputs: [artifact],
      variables: { BucketName: Bucket, ObjectKey: Key, VersionId: object.VersionId, ETag: object.ETag.replace(/"/g, '') },
      revision: { revisionId: object.VersionId, summary, created: object.LastModified },
    };
  },
};

/** An image tag; its output is `imageDetail.json`. */
export const ecr: ActionRunner = {
  types: ['Source/ECR'],
  async run(context) {
    const { RepositoryName = '', ImageTag = 'latest' } = context.configuration;
    const override = context.execution.overrides.find(({ actionName, revisionType }) => actionName === context.declared.name && revisionType === 'IMAGE_DIGEST');
    const digest = (context.memory['digest'] as string | undefined) ?? override?.revisionValue;
    const { imageDetails } = await context.client.call<{ imageDetails: { registryId: string; imageDigest: string; imageTags?: string[]; imageSizeInBytes?: number; imagePushedAt?: Date }[] }>('ecr', 'DescribeImages', {
      repositoryName: RepositoryName,
      imageIds: [digest ? { imageDigest: digest } : { imageTag: ImageTag }],
    });
    const image = imageDetails[0]!;
    context.remember({ digest: image.imageDigest });
    const uri = `${image.registryId}.dkr.ecr.${context.region}.amazonaws.com/${RepositoryName}@${image.imageDigest}`;
    const detail = { ImageSizeInBytes: String(image.imageSizeInBytes ?? 0), ImageDigest: image.imageDigest, Version: '1.0', ImagePushedAt: image.imagePushedAt, RegistryId: image.registryId, RepositoryName, ImageURI: uri, ImageTags: image.imageTags ?? [] };
    const artifact = await context.writeArtifact(context.declared.outputArtifacts![0]!.name, await archive([{ name: 'imageDetail.json', data: Buffer.from(JSON.stringify(detail)) }]));
    return {
      externalId: image.imageDigest,
      outputs: [artifact],
      variables: { RegistryId: image.registryId, RepositoryName, ImageTag, ImageDigest: image.imageDigest, ImageURI: uri },
      revision: { revisionId: image.imageDigest, summary: `${RepositoryName}:${ImageTag}`, ...(image.imagePushedAt ? { created: image.imagePushedAt } : {}) },
    };
  },
};
