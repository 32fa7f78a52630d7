import type { Json } from '../json.js';
import type { Tag } from '../store/records.js';
import { HandlerError, ignoring } from './failure.js';
import type { ProviderContext, ResourceProvider } from './provider.js';
import { tagChanges } from './tags.js';

interface GenerateSecretString {
  readonly SecretStringTemplate?: string;
  readonly GenerateStringKey?: string;
  readonly PasswordLength?: number;
  readonly [option: string]: Json | undefined;
}

interface SecretProperties {
  readonly Name?: string;
  readonly Description?: string;
  readonly KmsKeyId?: string;
  readonly SecretString?: string;
  readonly GenerateSecretString?: GenerateSecretString;
  readonly ReplicaRegions?: readonly { readonly Region: string; readonly KmsKeyId?: string }[];
  readonly Tags?: readonly Tag[];
}

const GONE = ['ResourceNotFoundException'];
const nameOf = (properties: SecretProperties, context: ProviderContext): string => properties.Name ?? context.name({ limit: 512 });

const secret: ResourceProvider<SecretProperties> = {
  type: 'AWS::SecretsManager::Secret',
  async create(properties, context) {
    const { ARN } = await context.client.call<{ ARN: string }>('secretsmanager', 'CreateSecret', {
      Name: nameOf(properties, context), ClientRequestToken: context.token, SecretString: await secretString(properties, context),
      ...(properties.Description === undefined ? {} : { Description: properties.Description }), ...(properties.KmsKeyId ? { KmsKeyId: properties.KmsKeyId } : {}),
      ...(properties.ReplicaRegions ? { AddReplicaRegions: properties.ReplicaRegions } : {}), Tags: context.tags(properties.Tags),
    });
    return { physicalId: ARN, attributes: { Id: ARN } };
  },
  async update(SecretId, before, after, context) {
    const { client } = context;
    if (before.Description !== after.Description || before.KmsKeyId !== after.KmsKeyId) {
      await client.call('secretsmanager', 'UpdateSecret', { SecretId, Description: after.Description ?? '', ...(after.KmsKeyId ? { KmsKeyId: after.KmsKeyId } : {}) });
    }
    if (before.SecretString !== after.SecretString || JSON.stringify(before.GenerateSecretString) !== JSON.stringify(after.GenerateSecretString)) {
      await client.call('secretsmanager', 'PutSecretValue', { SecretId, ClientRequestToken: context.token, SecretString: await secretString(after, context) });
    }
    const { add, remove } = tagChanges(context.tagsBefore(before.Tags), context.tags(after.Tags));
    if (remove.length > 0) await client.call('secretsmanager', 'UntagResource', { SecretId, TagKeys: remove });
    if (add.length > 0) await client.call('secretsmanager', 'TagResource', { SecretId, Tags: add });
  },
  async delete(SecretId, _properties, context) {
    await ignoring(GONE, context.client.call('secretsmanager', 'DeleteSecret', { SecretId, ForceDeleteWithoutRecovery: true }));
  },
  async read(SecretId, context) {
    const answer = await ignoring(GONE, context.client.call<{ ARN: string; Name: string; Description?: string; KmsKeyId?: string; DeletedDate?: Date }>('secretsmanager', 'DescribeSecret', { SecretId }));
    if (!answer || answer.DeletedDate) return undefined;
    return { Id: answer.ARN, Name: answer.Name, ...(answer.Description === undefined ? {} : { Description: answer.Description }), ...(answer.KmsKeyId === undefined ? {} : { KmsKeyId: answer.KmsKeyId }) };
  },
  async recover(properties, context) {
    const answer = await ignoring(GONE, context.client.call<{ ARN: string }>('secretsmanager', 'DescribeSecret', { SecretId: nameOf(properties, context) }));
    return answer && { physicalId: answer.ARN, attributes: { Id: answer.ARN } };
  },
};

/** The given value, or one that Secrets Manager's own generator makes (resource reference: GenerateSecretString). */
async function secretString(properties: SecretProperties, context: ProviderContext): Promise<string> {
  const { SecretString, GenerateSecretString } = properties;
  if (SecretString !== undefined && GenerateSecretString !== undefined) throw new HandlerError('InvalidRequest', 'You can\'t specify both SecretString and GenerateSecretString');
  if (SecretString !== undefined) return SecretString;
  const { SecretStringTemplate, GenerateStringKey, ...options } = GenerateSecretString ?? {};
  const { RandomPassword } = await context.client.call<{ RandomPassword: string }>('secretsmanager', 'GetRandomPassword', options);
  if (GenerateStringKey === undefined) return RandomPassword;
  try {
    return JSON.stringify({ ...(JSON.parse(SecretStringTemplate ?? '{}') as Record<string, unknown>), [GenerateStringKey]: RandomPassword });
  } catch {
    throw new HandlerError('InvalidRequest', 'SecretStringTemplate must be valid JSON');
  }
}

interface ResourcePolicyProperties {
  readonly SecretId: string;
  readonly ResourcePolicy: Json;
  readonly BlockPublicPolicy?: boolean;
}

const resourcePolicy: ResourceProvider<ResourcePolicyProperties> = {
  type: 'AWS::SecretsManager::ResourcePolicy',
  async create(properties, context) {
    return { physicalId: await putPolicy(properties, context) };
  },
  async update(_id, _before, after, context) {
    await putPolicy(after, context);
  },
  async delete(_id, { SecretId }, context) {
    await ignoring(GONE, context.client.call('secretsmanager', 'DeleteResourcePolicy', { SecretId }));
  },
  recover: (properties, context) => resourcePolicy.create(properties, context),
};

async function putPolicy({ SecretId, ResourcePolicy, BlockPublicPolicy }: ResourcePolicyProperties, context: ProviderContext): Promise<string> {
  const { ARN } = await context.client.call<{ ARN: string }>('secretsmanager', 'PutResourcePolicy', {
    SecretId, ResourcePolicy: typeof ResourcePolicy === 'string' ? ResourcePolicy : JSON.stringify(ResourcePolicy), ...(BlockPublicPolicy === undefined ? {} : { BlockPublicPolicy }),
  });
  return ARN;
}

export const secretsmanager = [secret, resourcePolicy];
