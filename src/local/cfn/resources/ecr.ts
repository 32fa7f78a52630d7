import type { Json, JsonObject } from '../json.js';
import type { Tag } from '../store/records.js';
import { ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges, withoutSystemTags } from './tags.js';

interface RepositoryProperties {
  readonly RepositoryName?: string;
  readonly EmptyOnDelete?: boolean;
  readonly EncryptionConfiguration?: { readonly EncryptionType: string; readonly KmsKey?: string };
  readonly ImageScanningConfiguration?: { readonly ScanOnPush?: boolean };
  readonly ImageTagMutability?: string;
  readonly LifecyclePolicy?: { readonly LifecyclePolicyText?: string };
  readonly RepositoryPolicyText?: Json;
  readonly Tags?: readonly Tag[];
}

const nameOf = (properties: RepositoryProperties, context: ProviderContext): string => properties.RepositoryName ?? context.name({ limit: 256, lowerCase: true });

const repository: ResourceProvider<RepositoryProperties> = {
  type: 'AWS::ECR::Repository',
  identify: nameOf,
  async create(properties, context) {
    const repositoryName = nameOf(properties, context);
    await context.client.call('ecr', 'CreateRepository', {
      repositoryName,
      ...(properties.ImageTagMutability ? { imageTagMutability: properties.ImageTagMutability } : {}),
      ...(properties.ImageScanningConfiguration ? { imageScanningConfiguration: { scanOnPush: properties.ImageScanningConfiguration.ScanOnPush ?? false } } : {}),
      ...(properties.EncryptionConfiguration
        ? { encryptionConfiguration: { encryptionType: properties.EncryptionConfiguration.EncryptionType, ...(properties.EncryptionConfiguration.KmsKey ? { kmsKey: properties.EncryptionConfiguration.KmsKey } : {}) } }
        : {}),
      tags: withoutSystemTags(context.tags(properties.Tags)),
    });
    context.initiated(repositoryName);
    if (properties.LifecyclePolicy?.LifecyclePolicyText !== undefined) await context.client.call('ecr', 'PutLifecyclePolicy', { repositoryName, lifecyclePolicyText: properties.LifecyclePolicy.LifecyclePolicyText });
    if (properties.RepositoryPolicyText !== undefined) await context.client.call('ecr', 'SetRepositoryPolicy', { repositoryName, policyText: text(properties.RepositoryPolicyText) });
    return { physicalId: repositoryName, attributes: answers(repositoryName, context) };
  },
  async update(repositoryName, before, after, context) {
    const { client } = context;
    if (before.ImageTagMutability !== after.ImageTagMutability) await client.call('ecr', 'PutImageTagMutability', { repositoryName, imageTagMutability: after.ImageTagMutability ?? 'MUTABLE' });
    if (before.ImageScanningConfiguration?.ScanOnPush !== after.ImageScanningConfiguration?.ScanOnPush) {
      await client.call('ecr', 'PutImageScanningConfiguration', { repositoryName, imageScanningConfiguration: { scanOnPush: after.ImageScanningConfiguration?.ScanOnPush ?? false } });
    }
    const lifecycle = after.LifecyclePolicy?.LifecyclePolicyText;
    if (before.LifecyclePolicy?.LifecyclePolicyText !== lifecycle) {
      if (lifecycle === undefined) await ignoring(['LifecyclePolicyNotFoundException'], client.call('ecr', 'DeleteLifecyclePolicy', { repositoryName }));
      else await client.call('ecr', 'PutLifecyclePolicy', { repositoryName, lifecyclePolicyText: lifecycle });
    }
    if (JSON.stringify(before.RepositoryPolicyText) !== JSON.stringify(after.RepositoryPolicyText)) {
      if (after.RepositoryPolicyText === undefined) await ignoring(['RepositoryPolicyNotFoundException'], client.call('ecr', 'DeleteRepositoryPolicy', { repositoryName }));
      else await client.call('ecr', 'SetRepositoryPolicy', { repositoryName, policyText: text(after.RepositoryPolicyText) });
    }
    const { add, remove } = tagChanges(withoutSystemTags(context.tagsBefore(before.Tags)), withoutSystemTags(context.tags(after.Tags)));
    const resourceArn = String(answers(repositoryName, context)['Arn']);
    if (remove.length > 0) await client.call('ecr', 'UntagResource', { resourceArn, tagKeys: remove });
    if (add.length > 0) await client.call('ecr', 'TagResource', { resourceArn, tags: add });
  },
  async delete(repositoryName, properties, context) {
    await ignoring(['RepositoryNotFoundException'], context.client.call('ecr', 'DeleteRepository', { repositoryName, force: properties.EmptyOnDelete === true }));
  },
  async read(repositoryName, context) {
    const answer = await ignoring(['RepositoryNotFoundException'], context.client.call<{ repositories?: { imageTagMutability?: string; imageScanningConfiguration?: { scanOnPush?: boolean } }[] }>('ecr', 'DescribeRepositories', { repositoryNames: [repositoryName] }));
    const found = answer?.repositories?.[0];
    if (!found) return undefined;
    return { RepositoryName: repositoryName, ...answers(repositoryName, context), ImageTagMutability: found.imageTagMutability ?? 'MUTABLE', ImageScanningConfiguration: { ScanOnPush: found.imageScanningConfiguration?.scanOnPush ?? false } };
  },
};

function answers(name: string, { account, region }: ProviderContext): JsonObject {
  return { Arn: `arn:aws:ecr:${region}:${account}:repository/${name}`, RepositoryUri: `${account}.dkr.ecr.${region}.amazonaws.com/${name}` };
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export const ecr = [repository];
