import { describe, expect, it } from 'vitest';
import { broadenings, resolveTemplate, type Template } from '../../../src/permissions/index.js';
import { within } from '../../../src/permissions/compare.js';

/** What a change of a template newly allows: one row a rule. Account of the stack: 111111111111; of the pipeline: 999999999999. */

const around = { account: '111111111111', region: 'us-east-1', stackName: 'App', parameters: {} };
const judge = (before: Template['Resources'], after: Template['Resources'], rest: Omit<Template, 'Resources'> = {}) =>
  broadenings({ before: resolveTemplate({ ...rest, Resources: before }, around), after: resolveTemplate({ ...rest, Resources: after }, around), accounts: ['111111111111', '999999999999'] });

const statement = (Action: unknown, Resource: unknown, more: object = {}) => ({ Effect: 'Allow', Action, Resource, ...more });
const role = (statements: object[], more: object = {}) => ({
  Type: 'AWS::IAM::Role',
  Properties: { AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }, Policies: [{ PolicyName: 'p', PolicyDocument: { Statement: statements } }], ...more },
});
const bucket = { Type: 'AWS::S3::Bucket', Properties: {} };
const table = { Type: 'AWS::DynamoDB::Table', Properties: {} };

const blocked = (but: object) => ({ Type: 'AWS::S3::Bucket', Properties: { PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true, ...but } } });
const unread = (PolicyDocument: unknown) => ({ Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: ['jobs'], PolicyDocument } });
const secured = (Bucket: unknown) => ({ Type: 'AWS::S3::BucketPolicy', Properties: { Bucket, PolicyDocument: { Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }] } } });

describe('is no broadening', () => {
  const rows: [string, Template['Resources'], Template['Resources']][] = [
    ['the same template', { R: role([statement('s3:*', '*')]) }, { R: role([statement('s3:*', '*')]) }],
    ['an Allow that an older one covers', { R: role([statement('s3:*', 'arn:aws:s3:::a*')]) }, { R: role([statement('s3:*', 'arn:aws:s3:::a*'), statement('s3:GetObject', 'arn:aws:s3:::abc/*')]) }],
    ['fewer actions', { R: role([statement(['s3:GetObject', 's3:PutObject'], '*')]) }, { R: role([statement('s3:GetObject', '*')]) }],
    ['the same action in other letters', { R: role([statement(['S3:getObject', 's3:PUT*'], '*')]) }, { R: role([statement(['s3:GetObject', 's3:Put*'], '*')]) }],
    ['a condition that is new', { R: role([statement('s3:*', '*')]) }, { R: role([statement('s3:*', '*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } })]) }],
    ['a new role for a service on what is new too', {}, { B: bucket, R: role([statement('s3:GetObject', { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['B', 'Arn'] }, '/*']] })]) }],
    ['logs of a new function', {}, { R: role([], { ManagedPolicyArns: [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']] }] }) }],
    ['an old role on something new', { R: role([]) }, { T: table, R: role([statement('dynamodb:GetItem', { 'Fn::GetAtt': ['T', 'Arn'] })]) }],
    ['a statement that moves from the role into a policy', { R: role([statement('s3:GetObject', '*')]) }, { R: role([]), P: { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: 'R' }], PolicyDocument: { Statement: [statement('s3:GetObject', '*')] } } } }],
    ['a key that a new principal of the fleet administers', {}, { K: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111111111111:root' }, Action: 'kms:*', Resource: '*' }] } } } }],
    ['a new bucket without a block of its own', {}, { B: bucket }],
    ['a boundary that is new', { R: role([]) }, { R: role([], { PermissionsBoundary: 'arn:aws:iam::111111111111:policy/edge' }) }],
    ['a bucket that goes with its policy', { B: bucket, P: secured({ Ref: 'B' }) }, {}],
    ['a role that goes with its boundary', { R: role([], { PermissionsBoundary: 'arn:aws:iam::111111111111:policy/edge' }) }, {}],
    ['a denial that moves into another policy', { R: role([]), P: { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: 'R' }], PolicyDocument: { Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }] } } } }, { R: role([{ Effect: 'Deny', Action: 's3:*', Resource: '*' }]) }],
    ['a public-access block that is new', { B: bucket }, { B: { ...bucket, Properties: { PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true } } } }],
    ['a block that says what S3 does by default', { B: bucket }, { B: blocked({}) }],
    ['a part of a new bucket’s block that is open, as long as nobody is let in', {}, { B: blocked({ BlockPublicPolicy: false }) }],
    ['a policy that can’t be read and stays as it was', { Q: unread('not json') }, { Q: unread('not json') }],
    ['a policy given as text that says what it said as an object', { Q: unread({ Statement: [statement('sqs:SendMessage', '*', { Principal: { Service: 'sns.amazonaws.com' } })] }) }, { Q: unread(` {"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`) }],
    ['a resource whose condition is false', {}, { R: { ...role([statement('*', '*')]), Condition: 'Never' } }],
  ];
  it.each(rows)('%s', (_name, before, after) => {
    expect(judge(before, after, { Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } } })).toEqual([]);
  });
});

describe('is a broadening', () => {
  const queuePolicy = (principal: unknown) => ({ Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Q' }], PolicyDocument: { Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sqs:SendMessage', Resource: '*' }] } } });
  const rows: [string, Template['Resources'], Template['Resources'], string, RegExp][] = [
    ['a wider resource', { R: role([statement('s3:GetObject', 'arn:aws:s3:::a/*')]) }, { R: role([statement('s3:GetObject', '*')]) }, 'other', /role R may now s3:GetObject on \*/],
    ['everything on everything, ranked first', { R: role([]) }, { R: role([statement('sqs:SendMessage', '*'), statement('*', '*')]) }, 'admin', /\* on \*/],
    ['AdministratorAccess', { R: role([]) }, { R: role([], { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] }) }, 'admin', /all that arn:aws:iam::aws:policy\/AdministratorAccess allows/],
    ['PassRole', { R: role([]) }, { R: role([statement('iam:PassRole', '*')]) }, 'pass-role', /iam:PassRole/],
    ['a statement by negation, which can not be decided', { R: role([]) }, { R: role([{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }]) }, 'undecided', /NotAction/],
    ['trust in an account outside', { R: role([]) }, { R: { ...role([]), Properties: { ...role([]).Properties, AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Principal: { AWS: '555555555555' }, Action: 'sts:AssumeRole' }] } } } }, 'external', /arn:aws:iam::555555555555:root may now sts:AssumeRole/],
    ['a queue that anybody may write to', { Q: { Type: 'AWS::SQS::Queue' } }, { Q: { Type: 'AWS::SQS::Queue' }, P: queuePolicy('*') }, 'public', /\* may now sqs:SendMessage/],
    ['a condition that is gone', { R: role([statement('s3:*', '*', { Condition: { Bool: { x: 'true' } } })]) }, { R: role([statement('s3:*', '*')]) }, 'other', /s3:\*/],
    ['a boundary that is gone', { R: role([], { PermissionsBoundary: 'arn:aws:iam::111111111111:policy/edge' }) }, { R: role([]) }, 'undecided', /boundary arn:aws:iam::111111111111:policy\/edge is gone/],
    ['a denial that is gone', { R: role([{ Effect: 'Deny', Action: 's3:*', Resource: '*' }]) }, { R: role([]) }, 'undecided', /denial of s3:\* on \* is gone/],
    ['a denial whose policy is gone while its role stays', { R: role([]), P: { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: 'R' }], PolicyDocument: { Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }] } } } }, { R: role([]) }, 'undecided', /role R: the denial of s3:\* on \* is gone/],
    ['a denial whose policy is gone from a bucket outside', { P: secured('shared-bucket') }, {}, 'undecided', /policy of shared-bucket: the denial/],
    ['a member that a group gets', { G: { Type: 'AWS::IAM::Group', Properties: {} } }, { G: { Type: 'AWS::IAM::Group', Properties: {} }, A: { Type: 'AWS::IAM::UserToGroupAddition', Properties: { GroupName: { Ref: 'G' }, Users: ['alice'] } } }, 'other', /user alice may now iam:member-of on \$\{G\}/],
    ['an event bus that anybody may put to', {}, { P: { Type: 'AWS::Events::EventBusPolicy', Properties: { StatementId: 's', Statement: { Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: '*' } } } }, 'public', /events:PutEvents/],
    ['a table that another account reads', { T: table }, { T: { ...table, Properties: { ResourcePolicy: { PolicyDocument: { Statement: [{ Effect: 'Allow', Principal: { AWS: '555555555555' }, Action: 'dynamodb:GetItem', Resource: '*' }] } } } } }, 'external', /dynamodb:GetItem/],
    ['a denial that is narrower', { R: role([{ Effect: 'Deny', Action: 's3:*', Resource: '*' }]) }, { R: role([{ Effect: 'Deny', Action: 's3:Get*', Resource: '*' }]) }, 'undecided', /is gone or narrower/],
    ['an edit of a managed policy', { M: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement: [statement('s3:Get*', '*')] } } } }, { M: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement: [statement('s3:*', '*')] } } } }, 'other', /managed policy M may now s3:\*/],
    ['AWS::IAM::RolePolicy', { R: role([]) }, { R: role([]), P: { Type: 'AWS::IAM::RolePolicy', Properties: { RoleName: { Ref: 'R' }, PolicyDocument: { Statement: [statement('s3:*', '*')] } } } }, 'other', /role R may now s3:\*/],
    ['a public function URL', { F: { Type: 'AWS::Lambda::Function' } }, { F: { Type: 'AWS::Lambda::Function' }, U: { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'NONE', TargetFunctionArn: { 'Fn::GetAtt': ['F', 'Arn'] } } } }, 'public', /InvokeFunctionUrl/],
    ['a public-access block that is lifted', { B: { Type: 'AWS::S3::Bucket', Properties: { PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true } } } }, { B: { Type: 'AWS::S3::Bucket', Properties: { PublicAccessBlockConfiguration: { BlockPublicAcls: true, IgnorePublicAcls: true, RestrictPublicBuckets: true } } } }, 'public', /denial of BlockPublicPolicy for \* is gone/],
    ['a public-access block that is taken away whole', { B: { Type: 'AWS::S3::Bucket', Properties: { PublicAccessBlockConfiguration: { BlockPublicAcls: true } } } }, { B: bucket }, 'public', /denial of BlockPublicAcls/],
    ['a public-access block of a bucket that had none, one part of it open', { B: bucket }, { B: blocked({ BlockPublicPolicy: false }) }, 'public', /public access of B: BlockPublicPolicy, which S3 sets by default, is off/],
    ['a public-access block of a bucket that had none, all but one part left out', { B: bucket }, { B: { ...bucket, Properties: { PublicAccessBlockConfiguration: { BlockPublicAcls: true } } } }, 'public', /RestrictPublicBuckets, which S3 sets by default, is off/],
    ['a bucket whose canned ACL lets everybody read', { B: bucket }, { B: { ...bucket, Properties: { AccessControl: 'PublicRead' } } }, 'public', /\* may now s3:ListBucket, s3:GetObject on \$\{B\.Arn\}/],
    ['a policy given as text that is no JSON', { Q: unread({ Statement: [] }) }, { Q: unread('{ "Statement": [') }, 'undecided', /policy of jobs: nobody knows what its policy allows/],
    ['a policy that only the deployment knows', {}, { Q: unread({ 'Fn::ImportValue': 'shared-policy' }) }, 'undecided', /ImportValue:shared-policy/],
    ['a policy that an open condition chooses', { R: role([]) }, { R: role([], { Policies: [{ PolicyName: 'p', PolicyDocument: { 'Fn::If': ['Open', { Statement: [statement('s3:*', '*')] }, { Statement: [] }] } }] }) }, 'other', /s3:\* on \*/],
    ['a port open to the world', { G: { Type: 'AWS::EC2::SecurityGroup', Properties: {} } }, { G: { Type: 'AWS::EC2::SecurityGroup', Properties: { SecurityGroupIngress: [{ CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 22, ToPort: 22 }] } } }, 'network', /0\.0\.0\.0\/0 may now ingress:tcp\/22-22/],
    ['a share with another account', {}, { S: { Type: 'AWS::RAM::ResourceShare', Properties: { Principals: ['arn:aws:iam::555555555555:root'], ResourceArns: ['arn:aws:ec2:us-east-1:111111111111:subnet/subnet-1'] } } }, 'external', /ram:share/],
    ['an identity provider', {}, { O: { Type: 'AWS::IAM::OIDCProvider', Properties: { Url: 'https://token.actions.githubusercontent.com', ClientIdList: ['sts.amazonaws.com'] } } }, 'external', /AssumeRoleWithWebIdentity/],
    ['a new role with rights on what stands', { B: bucket }, { B: bucket, R: role([statement('s3:GetObject', { 'Fn::GetAtt': ['B', 'Arn'] })]) }, 'other', /role R may now s3:GetObject on \$\{B\.Arn\}/],
    ['either side of an open condition', { R: role([]) }, { R: role([statement({ 'Fn::If': ['Open', 's3:*', 's3:GetObject'] }, '*')]) }, 'other', /s3:\*/],
  ];
  it.each(rows)('%s', (_name, before, after, rank, witness) => {
    const found = judge(before, after, { Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/p' } }, Conditions: { Open: { 'Fn::Equals': [{ Ref: 'P' }, 'yes'] } } });
    expect(found[0]).toMatchObject({ rank });
    expect(found.map((one) => one.witness).join('\n')).toMatch(witness);
  });
});

it('tells several actions on several resources in one line, and what is graver apart', () => {
  const found = judge({ R: role([]) }, { R: role([statement(['s3:GetObject', 's3:PutObject', 'iam:PassRole'], ['arn:aws:s3:::a', 'arn:aws:s3:::a/*'])]) });
  expect(found.map(({ rank, witness }) => [rank, witness])).toEqual([
    ['pass-role', 'role R may now iam:PassRole on arn:aws:s3:::a, arn:aws:s3:::a/*'],
    ['other', 'role R may now s3:GetObject, s3:PutObject on arn:aws:s3:::a, arn:aws:s3:::a/*'],
  ]);
});

describe('a pattern lies within another', () => {
  it.each([
    ['s3:GetObject', 's3:*', true],
    ['s3:Get*', 's3:*', true],
    ['s3:*', 's3:Get*', false],
    ['a*b', 'a*', true],
    ['a*', 'a*b', false],
    ['ab', 'a?', true],
    ['a*', 'a?', false],
    ['*', '*', true],
    ['', '*', true],
    ['axbxc', 'a*b*c', true],
    ['axbx', 'a*b*c', false],
  ])('%s in %s: %s', (pattern, wider, expected) => {
    expect(within(pattern, wider)).toBe(expected);
  });
});
