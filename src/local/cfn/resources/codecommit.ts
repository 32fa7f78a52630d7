import type { JsonObject } from '../json.js';
import { entries } from '../../process/zip.js';
import type { Body } from '../../kernel/service.js';
import { ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges } from './tags.js';

interface RepositoryProperties {
  readonly RepositoryName: string;
  readonly RepositoryDescription?: string;
  readonly KmsKeyId?: string;
  readonly Code?: { readonly BranchName?: string; readonly S3: { readonly Bucket: string; readonly Key: string; readonly ObjectVersion?: string } };
  readonly Triggers?: readonly { readonly Name: string; readonly DestinationArn: string; readonly CustomData?: string; readonly Branches?: readonly string[]; readonly Events: readonly string[] }[];
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

interface Metadata {
  readonly repositoryId: string;
  readonly repositoryName: string;
  readonly cloneUrlHttp: string;
  readonly cloneUrlSsh: string;
  readonly Arn: string;
}

/** The one who asks for the repository to be seeded makes its first commit with the code of the template. */
const repository: ResourceProvider<RepositoryProperties> = {
  type: 'AWS::CodeCommit::Repository',
  async create(properties, context) {
    const { repositoryMetadata } = await context.client.call<{ repositoryMetadata: Metadata }>('codecommit', 'CreateRepository', {
      repositoryName: properties.RepositoryName,
      repositoryDescription: properties.RepositoryDescription,
      kmsKeyId: properties.KmsKeyId,
      tags: tagMap(context.tags(properties.Tags)),
    });
    context.initiated(repositoryMetadata.repositoryId);
    if (properties.Code) await seed(properties.RepositoryName, properties.Code, context);
    await triggers(properties, context);
    return { physicalId: repositoryMetadata.repositoryId, attributes: answers(repositoryMetadata) };
  },
  async update(_id, before, after, context) {
    if (before.RepositoryName !== after.RepositoryName) await context.client.call('codecommit', 'UpdateRepositoryName', { oldName: before.RepositoryName, newName: after.RepositoryName });
    if (before.RepositoryDescription !== after.RepositoryDescription) await context.client.call('codecommit', 'UpdateRepositoryDescription', { repositoryName: after.RepositoryName, repositoryDescription: after.RepositoryDescription ?? '' });
    const { repositoryMetadata } = await context.client.call<{ repositoryMetadata: Metadata }>('codecommit', 'GetRepository', { repositoryName: after.RepositoryName });
    const { add, remove } = tagChanges(context.tagsBefore(before.Tags), context.tags(after.Tags));
    if (remove.length > 0) await context.client.call('codecommit', 'UntagResource', { resourceArn: repositoryMetadata.Arn, tagKeys: remove });
    if (add.length > 0) await context.client.call('codecommit', 'TagResource', { resourceArn: repositoryMetadata.Arn, tags: tagMap(add) });
    await triggers(after, context);
    return { attributes: answers(repositoryMetadata) };
  },
  async delete(_id, properties, context) {
    await ignoring(['RepositoryDoesNotExistException'], context.client.call('codecommit', 'DeleteRepository', { repositoryName: properties.RepositoryName }));
  },
  async recover(properties, context) {
    const found = await ignoring(['RepositoryDoesNotExistException'], context.client.call<{ repositoryMetadata: Metadata }>('codecommit', 'GetRepository', { repositoryName: properties.RepositoryName }));
    return found && { physicalId: found.repositoryMetadata.repositoryId, attributes: answers(found.repositoryMetadata) };
  },
};

function answers({ Arn, cloneUrlHttp, cloneUrlSsh, repositoryName }: Metadata): JsonObject {
  return { Arn, CloneUrlHttp: cloneUrlHttp, CloneUrlSsh: cloneUrlSsh, Name: repositoryName };
}

function tagMap(tags: readonly { readonly Key: string; readonly Value: string }[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

async function triggers(properties: RepositoryProperties, context: ProviderContext): Promise<void> {
  if (!properties.Triggers) return;
  await context.client.call('codecommit', 'PutRepositoryTriggers', {
    repositoryName: properties.RepositoryName,
    triggers: properties.Triggers.map(({ Name, DestinationArn, CustomData, Branches, Events }) => ({ name: Name, destinationArn: DestinationArn, customData: CustomData, branches: Branches ?? [], events: Events })),
  });
}

async function seed(repositoryName: string, code: NonNullable<RepositoryProperties['Code']>, context: ProviderContext): Promise<void> {
  const { Bucket, Key, ObjectVersion } = code.S3;
  const { Body: body } = await context.client.call<{ Body: Body }>('s3', 'GetObject', { Bucket, Key, ...(ObjectVersion ? { VersionId: ObjectVersion } : {}) });
  const files = await entries(await body.bytes());
  await context.client.call('codecommit', 'CreateCommit', {
    repositoryName,
    branchName: code.BranchName ?? 'main',
    commitMessage: 'Initial commit by AWS CodeCommit',
    putFiles: files.map(({ name, data, executable }) => ({ filePath: name, fileContent: data, ...(executable ? { fileMode: 'EXECUTABLE' } : {}) })),
  });
}

export const codecommit = [repository];
