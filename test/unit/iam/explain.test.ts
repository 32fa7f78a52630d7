import { describe, expect, it } from 'vitest';
import { accessDeniedCode, accessDeniedStatus, decide, denialMessage, explain } from '../../../src/local/iam/index.js';
import { decideRow, principal, type Row } from './tables.js';

const row = (fields: Partial<Row>): Row => ({ case: 'explain', name: '', expect: 'D', ...fields });
const allow = (action: string, resource: string, rest: object = {}) => ({ Effect: 'Allow', Action: action, Resource: resource, ...rest });

describe('the explanation of a decision', () => {
  it('tells who asked, what was looked at and what would allow it, on both sides of an account border', () => {
    const text = explain(
      decideRow(
        row({
          principal: 'session',
          I: [allow('s3:GetObject', 'arn:aws:s3:::bucket/key', { Sid: 'Vpc', Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-1' } } }), allow('sqs:*', '*')],
          R: { account: '222222222222', statements: [{ ...allow('s3:GetObject', '*'), Principal: { AWS: '333333333333' } }] },
        }),
      ),
    );
    expect(text).toMatchInlineSnapshot(`
      "DENIED  s3:GetObject on arn:aws:s3:::bucket/key

      Asked by       arn:aws:sts::111111111111:assumed-role/app/session
      On behalf of   arn:aws:iam::111111111111:role/app (the role of this session)
                     arn:aws:iam::111111111111:user/alice (who assumed it)
      Resource of    222222222222 (another account: both sides must allow)

      Policies, in the order they were looked at:
        silent   resource-based policy resource-based policy
                   statement 1 (Allow) does not apply: Principal: the caller is not named by "AWS: 333333333333"
        silent   identity-based policy inline
                   statement 1 "Vpc" (Allow) does not apply: Condition: StringEquals aws:SourceVpc "vpc-1" does not hold: the request's aws:SourceVpc is absent
                   1 statement about other actions

      Because        no identity-based policy allows it

      The smallest changes that together would allow it:
        add to the policy of the resource arn:aws:s3:::bucket/key:
          {
            "Effect": "Allow",
            "Principal": {
              "AWS": "arn:aws:iam::111111111111:role/app"
            },
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::bucket/key"
          }
        add to an identity-based policy of arn:aws:iam::111111111111:role/app:
          {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::bucket/key"
          }"
    `);
  });

  it('names the statement to remove when something denies', () => {
    const text = explain(decideRow(row({ I: [allow('*', '*')], scp: [[allow('*', '*'), { Sid: 'NoS3', Effect: 'Deny', Action: 's3:*', Resource: '*' }]] })));
    expect(text).toContain('denies   service control policy scp');
    expect(text).toContain('statement 2 "NoS3" (Deny) applies');
    expect(text).toContain(
      'remove or narrow statement 2 "NoS3" of service control policy arn:aws:organizations::999999999999:policy/o-local/service_control_policy/p-1',
    );
  });
});

describe('the sentence of a denial', () => {
  it('says no more than Access Denied to strangers of S3', () => {
    const decision = decideRow(row({ owner: '222222222222' }));
    expect(denialMessage(decision, { sameOrganization: false })).toBe('Access Denied');
  });

  it('names the managed policy that denies', () => {
    const document = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Deny', Action: '*', Resource: '*' } });
    const request = { principal: principal('user'), action: 'iam:ListRoles', resource: 'arn:aws:iam::111111111111:role/', context: {} };
    const decision = decide(request, { identity: [{ name: 'no', arn: 'arn:aws:iam::111111111111:policy/no', document }] });
    expect(denialMessage(decision)).toBe(
      'User: arn:aws:iam::111111111111:user/alice is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::111111111111:role/ with an explicit deny in an identity-based policy: arn:aws:iam::111111111111:policy/no',
    );
  });

  it('carries an encoded message for EC2', () => {
    const decision = decideRow(row({ action: 'ec2:RunInstances', resource: '*' }));
    expect(denialMessage(decision, { encodedMessage: 'abc' })).toBe(
      'You are not authorized to perform this operation. User: arn:aws:iam::111111111111:user/alice is not authorized to perform: ec2:RunInstances because no identity-based policy allows the ec2:RunInstances action. Encoded authorization failure message: abc',
    );
  });

  it.each([
    ['s3', 'AccessDenied', 403],
    ['sts', 'AccessDenied', 403],
    ['cloudformation', 'AccessDenied', 403],
    ['ec2', 'UnauthorizedOperation', 403],
    ['sns', 'AuthorizationError', 403],
    ['kms', 'AccessDeniedException', 400],
    ['ssm', 'AccessDeniedException', 400],
    ['lambda', 'AccessDeniedException', 403],
  ])('%s denies with %s, status %i', (service, code, status) => {
    expect([accessDeniedCode(service), accessDeniedStatus(service)]).toEqual([code, status]);
  });
});
