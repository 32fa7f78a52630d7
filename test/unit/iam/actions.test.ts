import { describe, expect, it } from 'vitest';
import { actionInfo, actionsOf, knownAction } from '../../../src/local/iam/index.js';
import { authorization } from '../../../src/local/services/iam/authorization.js';

describe('what AWS documents of actions', () => {
  it('knows level, resource types and condition keys', () => {
    expect(actionInfo('S3:getobject')).toMatchObject({
      name: 's3:GetObject',
      accessLevel: 'Read',
      resources: expect.arrayContaining([expect.objectContaining({ name: 'object', arn: 'arn:${Partition}:s3:::${BucketName}/${ObjectName}' })]),
      conditionKeys: expect.arrayContaining(['s3:ResourceAccount']),
    });
    expect(actionInfo('iam:PassRole')).toMatchObject({ conditionKeys: expect.arrayContaining(['iam:PassedToService']) });
  });

  it('knows which actions there are', () => {
    expect(knownAction('kms:decrypt')).toBe(true);
    expect(knownAction('s3:NoSuch')).toBe(false);
    expect(knownAction('nosuch:Thing')).toBe(false);
    expect(knownAction('constructor')).toBe(false);
    expect(actionsOf('sts')).toContain('AssumeRole');
    expect(actionInfo('sts:hasOwnProperty')).toBeUndefined();
  });

  it('has every action IAM’s own operations ask for', () => {
    expect(Object.keys(authorization).filter((operation) => !knownAction(`iam:${operation}`))).toEqual([]);
  });
});
