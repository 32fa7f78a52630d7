import { describe, expect, it } from 'vitest';
import { validatePolicy, type PolicyKind } from '../../../src/local/iam/index.js';

const B = 'arn:aws:s3:::example_bucket';
const policy = (statement: object | object[], rest: object = { Version: '2012-10-17' }) => ({ ...rest, Statement: statement });
const one = (fields: object) => policy({ Effect: 'Allow', Action: 's3:ListBucket', Resource: B, ...fields });
const SYNTAX = 'Syntax errors in policy.';
const LEGACY = 'The policy failed legacy parsing';
const PREFIX = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';

describe('what IAM says of a malformed managed policy', () => {
  it.each<[unknown, string]>([
    ['This is not a json document', SYNTAX],
    [policy({ Effect: 'Allow', Action: 's3:ListBucket', Resource: B }, {}), 'Policy document must be version 2012-10-17 or greater.'],
    [policy({ Effect: 'Allow', Action: 's3:ListBucket', Resource: B }, { Version: '2008-10-17' }), 'Policy document must be version 2012-10-17 or greater.'],
    [policy({ Effect: 'Allow', Action: 's3:ListBucket', Resource: B }, { Version: '2013-10-17' }), SYNTAX],
    [{ Version: '2012-10-17' }, SYNTAX],
    [policy([]), SYNTAX],
    [policy(['x' as never]), SYNTAX],
    [{ ...one({}), Extra: 1 }, SYNTAX],
    [one({ Extra: 1 }), SYNTAX],
    [one({ Effect: 'invalid' }), SYNTAX],
    [one({ Effect: 'denY' }), LEGACY],
    [one({ Action: 'invalid' }), PREFIX],
    [one({ Action: 'a a:ListBucket' }), 'Vendor a a is not valid'],
    [one({ Action: 's3:List:Bucket' }), 'Actions/Condition can contain only one colon.'],
    [one({ Resource: 'invalid resource' }), 'Resource invalid resource must be in ARN format or "*".'],
    [one({ Resource: '' }), 'Resource  must be in ARN format or "*".'],
    [one({ Resource: 'a:b:c:d:e:f:g:h' }), 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'],
    [one({ Resource: 'aws:s3:::example_bucket' }), 'Partition "s3" is not valid for resource "arn:s3:::example_bucket:*".'],
    [one({ Resource: 'arn:error:s3:::example_bucket' }), 'Partition "error" is not valid for resource "arn:error:s3:::example_bucket".'],
    [one({ Resource: 'arn:aws' }), 'Resource vendor must be fully qualified and cannot contain regexes.'],
    [one({ Resource: 'arn:aws:s3::example_bucket' }), LEGACY],
    [one({ Resource: 'arn:aws:iam:us-east-1::example_bucket' }), 'IAM resource arn:aws:iam:us-east-1::example_bucket cannot contain region information.'],
    [one({ Resource: 'arn:aws:s3:us-east-1::example_bucket' }), 'Resource arn:aws:s3:us-east-1::example_bucket can not contain region information.'],
    [
      one({ Resource: 'arn:aws:iam:::example_bucket' }),
      'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.',
    ],
    [policy({ Effect: 'Allow', Action: 's3:ListBucket' }), 'Policy statement must contain resources.'],
    [policy({ Effect: 'Allow', Resource: B }), 'Policy statement must contain actions.'],
    [one({ NotAction: 's3:x' }), SYNTAX],
    [one({ NotResource: '*' }), SYNTAX],
    [one({ Condition: [] }), SYNTAX],
    [one({ Condition: { x: { a: '1' } } }), SYNTAX],
    [one({ Condition: { StringEquals: { a: {} } } }), SYNTAX],
    [one({ Condition: { DateGreaterThan: { a: 'sdfdsf' } } }), LEGACY],
    [one({ Sid: {} }), SYNTAX],
    [policy([{ Sid: 's', Effect: 'Allow', Action: 's3:x', Resource: B }, { Sid: 's', Effect: 'Allow' }]), 'Statement IDs (SID) in a single policy must be unique.'],
    [one({ Principal: '*' }), 'Policy document should not specify a principal.'],
  ])('%j: %s', (document, sentence) => {
    expect(validatePolicy(typeof document === 'string' ? document : JSON.stringify(document), 'managed')).toBe(sentence);
  });
});

describe('what is well-formed', () => {
  it.each<[PolicyKind, object]>([
    ['managed', one({})],
    ['managed', one({ Resource: ['*', 'arn:aws:iam::*:user/${aws:username}', 'arn:${aws:Partition}:s3:::x', 'arn:*:s3:::x'] })],
    ['managed', one({ Action: ['*', 'service-prefix:action-name', 's3:*Object'] })],
    ['managed', one({ Condition: { 'ForAnyValue:StringEqualsIfExists': { a: 'x' }, DateLessThan: { 'aws:CurrentTime': '2017-12-31T23:59:59Z' } } })],
    ['managed', one({ Condition: {} })],
    ['identity', policy({ Effect: 'Allow', NotAction: 's3:x', NotResource: '*' }, {})],
    ['trust', policy({ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] }, {})],
    ['resource', policy({ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' }, { Version: '2008-10-17', Id: 'x' })],
  ])('%s %j', (kind, document) => {
    expect(validatePolicy(JSON.stringify(document), kind)).toBeUndefined();
  });
});

describe('what IAM says of a malformed trust policy', () => {
  const trust = (fields: object) => policy({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole', ...fields });
  it.each<[unknown, string]>([
    ['{,}', 'This policy contains invalid Json'],
    [trust({ Resource: '*' }), 'Has prohibited field Resource'],
    [policy({ Effect: 'Allow', Action: 'sts:AssumeRole' }), 'Missing required field Principal'],
    [trust({ Action: 's3:GetObject' }), 'AssumeRole policy may only specify STS AssumeRole actions.'],
  ])('%j: %s', (document, sentence) => {
    expect(validatePolicy(typeof document === 'string' ? document : JSON.stringify(document), 'trust')).toBe(sentence);
  });
});
