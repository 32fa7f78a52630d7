import type { AuthorizationRule, ConditionContext, RequestContext, Service } from '../../kernel/service.js';
import type * as Ecr from '../../models/types/ecr.js';
import * as image from './images.js';
import * as layer from './layers.js';
import * as policy from './policies.js';
import { serveRegistry } from './registry.js';
import * as repository from './repositories.js';
import { repositories, repositoryArn, type Repository } from './store.js';
import { getAuthorizationToken } from './tokens.js';

/** Amazon ECR: repositories by its API, images by the registry endpoint as well. */
export const ecr: Service = {
  name: 'ecr',
  operations: {
    GetAuthorizationToken: getAuthorizationToken,
    CreateRepository: repository.createRepository,
    DeleteRepository: repository.deleteRepository,
    DescribeRepositories: repository.describeRepositories,
    DescribeRegistry: (_: object, context: RequestContext) => ({ registryId: context.account, replicationConfiguration: { rules: [] } }),
    PutImageTagMutability: repository.putImageTagMutability,
    PutImageScanningConfiguration: repository.putImageScanningConfiguration,
    BatchGetRepositoryScanningConfiguration: repository.batchGetRepositoryScanningConfiguration,
    PutRegistryScanningConfiguration: repository.putRegistryScanningConfiguration,
    GetRegistryScanningConfiguration: repository.getRegistryScanningConfiguration,
    TagResource: repository.tagResource,
    UntagResource: repository.untagResource,
    ListTagsForResource: repository.listTagsForResource,
    SetRepositoryPolicy: policy.setRepositoryPolicy,
    GetRepositoryPolicy: policy.getRepositoryPolicy,
    DeleteRepositoryPolicy: policy.deleteRepositoryPolicy,
    PutLifecyclePolicy: policy.putLifecyclePolicy,
    GetLifecyclePolicy: policy.getLifecyclePolicy,
    DeleteLifecyclePolicy: policy.deleteLifecyclePolicy,
    PutImage: image.putImage,
    BatchGetImage: image.batchGetImage,
    BatchDeleteImage: image.batchDeleteImage,
    DescribeImages: image.describeImages,
    ListImages: image.listImages,
    DescribeImageScanFindings: image.describeImageScanFindings,
    BatchCheckLayerAvailability: layer.batchCheckLayerAvailability,
    InitiateLayerUpload: layer.initiateLayerUpload,
    UploadLayerPart: layer.uploadLayerPart,
    CompleteLayerUpload: layer.completeLayerUpload,
    GetDownloadUrlForLayer: layer.getDownloadUrlForLayer,
  },
  internal: {
    ReceiveLayerPart: layer.receiveLayerPart,
    FinishLayer: layer.finishLayer,
    LayerUploadStatus: layer.layerUploadStatus,
    CancelLayerUpload: layer.cancelLayerUpload,
    OpenLayer: layer.openLayer,
    MountLayer: layer.mountLayer,
  },
  authorization: {
    GetAuthorizationToken: {},
    DescribeRegistry: {},
    PutRegistryScanningConfiguration: {},
    GetRegistryScanningConfiguration: {},
    CreateRepository: [onRepository(), { ...onRepository('TagResource'), when: (input: { tags?: unknown[] }) => (input.tags ?? []).length > 0 }],
    DescribeRepositories: {
      resource: ({ registryId, repositoryNames = ['*'] }: Ecr.DescribeRepositoriesRequest, context: RequestContext) => repositoryNames.map((name) => repositoryArn({ registry: registryId ?? context.account, region: context.region, name })),
    },
    BatchGetRepositoryScanningConfiguration: { resource: (input: { repositoryNames: string[] }, context) => input.repositoryNames.map((name) => repositoryArn({ registry: context.account, region: context.region, name })) },
    ...Object.fromEntries(
      [
        'DeleteRepository', 'PutImageTagMutability', 'PutImageScanningConfiguration', 'SetRepositoryPolicy', 'GetRepositoryPolicy', 'DeleteRepositoryPolicy', 'PutLifecyclePolicy', 'GetLifecyclePolicy', 'DeleteLifecyclePolicy', 'PutImage',
        'BatchGetImage', 'BatchDeleteImage', 'DescribeImages', 'ListImages', 'DescribeImageScanFindings', 'BatchCheckLayerAvailability', 'InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'GetDownloadUrlForLayer',
      ].map((operation) => [operation, onRepository(operation)]),
    ),
    ...Object.fromEntries(['TagResource', 'UntagResource', 'ListTagsForResource'].map((operation) => [operation, { resource: (input: { resourceArn: string }) => input.resourceArn, context: tagKeys }])),
    ReceiveLayerPart: onRepository('UploadLayerPart'),
    LayerUploadStatus: onRepository('UploadLayerPart'),
    CancelLayerUpload: onRepository('UploadLayerPart'),
    FinishLayer: onRepository('CompleteLayerUpload'),
    OpenLayer: onRepository('GetDownloadUrlForLayer'),
    MountLayer: [
      onRepository('InitiateLayerUpload'),
      onRepository('CompleteLayerUpload'),
      { action: 'ecr:GetDownloadUrlForLayer', resource: (input: { registryId?: string; from: string }, context) => repositoryArn({ registry: input.registryId ?? context.account, region: context.region, name: input.from }) },
    ],
  },
  resourcePolicy: (arn, context) => {
    const document = repositoryByArn(arn, context)?.policy;
    return document === undefined ? undefined : { document, kind: 'resource' };
  },
  resourceTags: (arn, context) => repositoryByArn(arn, context)?.tags,
  http: serveRegistry,
};

interface Input {
  readonly registryId?: string;
  readonly repositoryName?: string;
  readonly resourceArn?: string;
}

function onRepository(action?: string): AuthorizationRule<Input> {
  return { ...(action ? { action: `ecr:${action}` } : {}), resource: arnOf, context: tagKeys };
}

function arnOf(input: Input, context: RequestContext): string {
  return input.resourceArn ?? repositoryArn({ registry: input.registryId ?? context.account, region: context.region, name: input.repositoryName ?? '*' });
}

/** ECR has its own name for the tags of a resource besides the global one. */
function tagKeys(input: Input, context: RequestContext): ConditionContext {
  return Object.fromEntries(Object.entries(repositoryByArn(arnOf(input, context), context)?.tags ?? {}).map(([key, value]) => [`ecr:ResourceTag/${key}`, value]));
}

function repositoryByArn(arn: string, { state }: RequestContext): Repository | undefined {
  const [, region, registry, name] = /^arn:aws:ecr:([^:]*):(\d{12}):repository\/(.+)$/.exec(arn) ?? [];
  return name === undefined ? undefined : repositories(state, { region: region!, registry: registry! }).get(name);
}
