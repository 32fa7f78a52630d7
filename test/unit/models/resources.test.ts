import { describe, expect, it } from 'vitest';
import { hasResourceType, resourceSchema, resourceTypes } from '../../../src/local/models/resources.js';

describe('resource schemas', () => {
  it('know every type by name, sorted, without SAM', () => {
    const types = resourceTypes();
    expect(types.length).toBeGreaterThan(1800);
    expect(types).toEqual([...types].sort());
    expect(types).toEqual(expect.arrayContaining(['AWS::S3::Bucket', 'AWS::CDK::Metadata', 'AWS::CloudFormation::CustomResource']));
    expect(types.filter((type) => type.startsWith('AWS::Serverless::'))).toEqual([]);
  });

  it('answer undefined for what does not exist', () => {
    expect(resourceSchema('AWS::S3::Bukket')).toBeUndefined();
    expect(hasResourceType('constructor')).toBe(false);
  });

  it('carry what replacement, Ref, GetAtt and permissions are decided by', () => {
    const bucket = resourceSchema('AWS::S3::Bucket')!;
    expect(bucket.primaryIdentifier).toEqual(['/properties/BucketName']);
    expect(bucket.createOnlyProperties).toContain('/properties/BucketName');
    expect(bucket.attributes).toEqual(expect.arrayContaining(['Arn', 'DomainName', 'RegionalDomainName']));
    expect(bucket.handlers?.create?.permissions).toContain('s3:CreateBucket');
    expect(bucket.definitions?.['BucketEncryption']?.required).toEqual(['ServerSideEncryptionConfiguration']);
  });

  it('keep properties that are named like a keyword of prose', () => {
    expect(resourceSchema('AWS::Amplify::App')!.properties['Description']?.type).toBe('string');
    expect(JSON.stringify(resourceSchema('AWS::S3::Bucket'))).not.toContain('"description"');
  });

  it('offer every property to GetAtt where CloudFormation does', () => {
    expect(resourceSchema('AWS::SNS::Topic')!.attributes).toEqual(expect.arrayContaining(['TopicArn', 'TopicName']));
    expect(resourceSchema('AWS::CloudFormation::Stack')!.attributes).toEqual(['Outputs.*']);
    expect(resourceSchema('AWS::CloudFormation::CustomResource')!.attributes).toEqual(['*']);
  });
});
