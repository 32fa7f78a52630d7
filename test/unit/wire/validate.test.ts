import { describe, expect, it } from 'vitest';
import { FlotillaError } from '../../../src/shared/errors.js';
import { AwsError } from '../../../src/local/kernel/error.js';
import { loadModel } from '../../../src/local/models/model.js';
import { validateInput } from '../../../src/local/wire/index.js';

const role = { RoleName: 'r', AssumeRolePolicyDocument: '{}' };
const function_ = { FunctionName: 'f', Role: 'arn:aws:iam::111111111111:role/x', Code: {} };

/** [service:Operation, input, code, message, fields]. Sentences recorded from AWS are marked so. */
const refused: [string, Record<string, unknown>, string, string, Record<string, unknown>?][] = [
  ['iam:CreateRole', {}, 'ValidationError', "2 validation errors detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null; Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null"],
  ['iam:CreateRole', { ...role, RoleName: 'a'.repeat(65) }, 'ValidationError', `1 validation error detected: Value '${'a'.repeat(65)}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64`],
  ['iam:CreateRole', { ...role, RoleName: 'a/b' }, 'ValidationError', 'The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-'],
  ['iam:CreateRole', { ...role, Path: 'x' }, 'ValidationError', 'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.'],
  ['iam:TagRole', { RoleName: 'r', Tags: [{ Key: 'k', Value: '{' }] }, 'ValidationError', "1 validation error detected: Value '{' at 'tags.1.member.value' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"],
  // recorded: iam/iam-user-match-id-mismatch
  ['iam:DeleteServiceSpecificCredential', { ServiceSpecificCredentialId: 'totally-wrong-credential-id-with-hyphens' }, 'ValidationError', "1 validation error detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]+"],
  // recorded: kms/kms-create-key-with-invalid-tag-key
  ['kms:CreateKey', { Tags: [{ TagKey: 'a'.repeat(129), TagValue: 'v' }] }, 'ValidationException', `1 validation error detected: Value '${'a'.repeat(129)}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128`],
  // recorded: kms/kms-plaintext-size-for-encrypt
  ['kms:Encrypt', { KeyId: 'k', Plaintext: new Uint8Array(4097) }, 'ValidationException', "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"],
  // recorded: sns
  ['sns:Publish', { Message: 'm', MessageAttributes: { attr1: {} } }, 'ValidationError', "1 validation error detected: Value null at 'messageAttributes.attr1.member.dataType' failed to satisfy constraint: Member must not be null"],
  ['sns:PublishBatch', { TopicArn: 't', PublishBatchRequestEntries: [{ Id: '1', Message: 'm', MessageAttributes: { attr1: {} } }] }, 'ValidationError', "1 validation error detected: Value null at 'publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType' failed to satisfy constraint: Member must not be null"],
  ['sts:AssumeRole', { RoleArn: 'arn:aws:iam::111111111111:role/x', RoleSessionName: 'session', DurationSeconds: 5 }, 'ValidationError', "1 validation error detected: Value '5' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"],
  ['cloudformation:CreateStack', { StackName: 's', Capabilities: ['X'] }, 'ValidationError', "1 validation error detected: Value '[X]' at 'capabilities' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]]"],
  ['logs:CreateLogGroup', { logGroupName: 'foo bar' }, 'InvalidParameterException', "1 validation error detected: Value 'foo bar' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"],
  ['ecr:CreateRepository', { repositoryName: 'Bad_Name!' }, 'InvalidParameterException', "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*''"],
  ['ecr:GetAuthorizationToken', { registryIds: ['1'] }, 'InvalidParameterException', "Invalid parameter at 'registryIds' failed to satisfy constraint: 'Member must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]{12}]'"],
  ['lambda:CreateFunction', { ...function_, Architectures: ['foo'] }, 'ValidationException', "1 validation error detected: Value '[foo]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"],
  ['sqs:SendMessage', { QueueUrl: 'u' }, 'MissingParameter', 'The request must contain the parameter MessageBody.'],
  ['ec2:ImportKeyPair', { KeyName: 'k' }, 'MissingParameter', 'The request must contain the parameter PublicKeyMaterial'],
  ['s3:PutObject', { Bucket: 'b', Key: 'k', ACL: 'x' }, 'InvalidArgument', '', { ArgumentName: 'x-amz-acl', ArgumentValue: 'x' }],
  ['s3:PutObject', { Bucket: 'b', Key: 'k', StorageClass: 'x' }, 'InvalidStorageClass', 'The storage class you specified is not valid'],
  ['s3:PutBucketVersioning', { Bucket: 'b', VersioningConfiguration: { Status: 'On' } }, 'MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema'],
  ['s3:PutBucketVersioning', { Bucket: 'b' }, 'MissingRequestBodyError', 'Request Body is empty'],
  ['iam:CreateRole', { ...role, RoleName: 5 }, 'SerializationException', "NUMBER_VALUE at 'roleName' can not be converted to a String"],
];

describe('inputs that a model refuses', () => {
  it.each(refused)('%s %#', (name, input, code, message, fields) => {
    const [service, operation] = name.split(':') as [string, string];
    const attempt = (): void => validateInput(loadModel(service)!, operation, input);
    expect(attempt).toThrow(AwsError);
    try {
      attempt();
    } catch (error) {
      expect(error).toMatchObject({ code, message, ...(fields ? { fields } : {}) });
    }
  });

  it('include nothing a model has no word for: that is a defect of the caller', () => {
    expect(() => validateInput(loadModel('iam')!, 'CreateRole', { ...role, Coffee: 1 })).toThrow(FlotillaError);
  });

  it('leave the location of a bucket to CreateBucket', () => {
    expect(() => validateInput(loadModel('s3')!, 'CreateBucket', { Bucket: 'b', CreateBucketConfiguration: { LocationConstraint: 'bar' } })).not.toThrow();
  });
});
