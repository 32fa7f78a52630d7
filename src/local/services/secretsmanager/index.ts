import type { AuthorizationRule, ConditionContext, RequestContext, Service } from '../../kernel/service.js';
import type * as Sm from '../../models/types/secretsmanager.js';
import { getRandomPassword } from './passwords.js';
import * as policy from './policies.js';
import { cancelRotateSecret, rotateSecret } from './rotation.js';
import * as secret from './secrets.js';
import { findSecret, secretArn } from './store.js';
import * as value from './values.js';

/** AWS Secrets Manager. */
export const secretsmanager: Service = {
  name: 'secretsmanager',
  operations: {
    CreateSecret: secret.createSecret,
    UpdateSecret: secret.updateSecret,
    DescribeSecret: secret.describeSecret,
    DeleteSecret: secret.deleteSecret,
    RestoreSecret: secret.restoreSecret,
    ListSecrets: secret.listSecrets,
    TagResource: secret.tagResource,
    UntagResource: secret.untagResource,
    GetSecretValue: value.getSecretValue,
    BatchGetSecretValue: secret.batchGet,
    PutSecretValue: value.putSecretValue,
    UpdateSecretVersionStage: value.updateSecretVersionStage,
    ListSecretVersionIds: value.listSecretVersionIds,
    PutResourcePolicy: policy.putResourcePolicy,
    GetResourcePolicy: policy.getResourcePolicy,
    DeleteResourcePolicy: policy.deleteResourcePolicy,
    ValidateResourcePolicy: policy.validateResourcePolicy,
    GetRandomPassword: getRandomPassword,
    RotateSecret: rotateSecret,
    CancelRotateSecret: cancelRotateSecret,
  },
  authorization: {
    CreateSecret: [
      { resource: newArn, context: (input: Sm.CreateSecretRequest) => ({ 'secretsmanager:Name': input.Name, 'secretsmanager:Description': input.Description, 'secretsmanager:KmsKeyId': input.KmsKeyId }) },
      { action: 'secretsmanager:TagResource', resource: newArn, when: (input: Sm.CreateSecretRequest) => (input.Tags ?? []).length > 0 },
    ],
    ListSecrets: {},
    BatchGetSecretValue: {},
    GetRandomPassword: {},
    ValidateResourcePolicy: onSecret(),
    ...Object.fromEntries(
      ['UpdateSecret', 'DescribeSecret', 'DeleteSecret', 'RestoreSecret', 'TagResource', 'UntagResource', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage', 'ListSecretVersionIds', 'PutResourcePolicy', 'GetResourcePolicy', 'DeleteResourcePolicy', 'CancelRotateSecret'].map(
        (operation) => [operation, onSecret()],
      ),
    ),
    // Who sets a rotation function must be allowed to call it (user guide, "Permissions for rotation").
    RotateSecret: [onSecret(), { action: 'lambda:InvokeFunction', resource: (input: Sm.RotateSecretRequest) => input.RotationLambdaARN ?? '*', when: (input: Sm.RotateSecretRequest) => input.RotationLambdaARN !== undefined }],
  },
  resourcePolicy: (arn, context) => {
    const document = arn.startsWith('arn:aws:secretsmanager:') ? findSecret(arn, context)?.policy : undefined;
    return document === undefined ? undefined : { document, kind: 'resource' };
  },
  resourceTags: (arn, context) => (arn.startsWith('arn:aws:secretsmanager:') ? findSecret(arn, context)?.tags : undefined),
};

/** The ARN of a secret to be: its suffix isn't known yet. */
function newArn(input: Sm.CreateSecretRequest, context: RequestContext): string {
  return secretArn({ name: input.Name, account: context.account, region: context.region, suffix: '??????' });
}

function onSecret(): AuthorizationRule<Record<string, unknown>> {
  return { resource: (input, context) => arnOf(input['SecretId'], context), context: keys };
}

function arnOf(id: unknown, context: RequestContext): string {
  if (typeof id !== 'string') return '*';
  const found = findSecret(id, context);
  if (found) return secretArn(found);
  return id.startsWith('arn:') ? id : secretArn({ name: id, account: context.account, region: context.region, suffix: '??????' });
}

/** Service Authorization Reference, "Condition keys for AWS Secrets Manager". */
function keys(input: Record<string, unknown>, context: RequestContext): ConditionContext {
  const { SecretId: id, VersionId, VersionStage, KmsKeyId, Description, ForceDeleteWithoutRecovery, RecoveryWindowInDays, BlockPublicPolicy, RotationLambdaARN } = input as Record<string, string | undefined>;
  const found = typeof id === 'string' ? findSecret(id, context) : undefined;
  return {
    'secretsmanager:SecretId': arnOf(id, context),
    'secretsmanager:VersionId': VersionId,
    'secretsmanager:VersionStage': VersionStage ?? (context.operation === 'GetSecretValue' && VersionId === undefined ? 'AWSCURRENT' : undefined),
    'secretsmanager:KmsKeyId': KmsKeyId,
    'secretsmanager:Description': Description,
    'secretsmanager:ForceDeleteWithoutRecovery': ForceDeleteWithoutRecovery,
    'secretsmanager:RecoveryWindowInDays': RecoveryWindowInDays,
    'secretsmanager:BlockPublicPolicy': BlockPublicPolicy,
    'secretsmanager:RotationLambdaARN': RotationLambdaARN,
    'secretsmanager:SecretPrimaryRegion': found?.region,
    'secretsmanager:resource/AllowRotationLambdaArn': found?.rotation?.lambda,
    ...Object.fromEntries(Object.entries(found?.tags ?? {}).map(([key, value]) => [`secretsmanager:ResourceTag/${key}`, value])),
  };
}
