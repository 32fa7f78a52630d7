// Templates of a realistic mix: what CDK apps have besides compute. References and policies tie them together.

const trust = (service) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] });

/** Of ten resources: three parameters, topic, queue, role, its policy, bucket, log group, and a queue or (each fifth time) a key. */
const MIX = [
  (p, v) => ({ [`${p}Name`]: parameter(`${p}Name`, `${p}-${v}`) }),
  (p) => ({ [`${p}Topic`]: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { Ref: `${p}Name` } } } }),
  (p, v) => ({ [`${p}Queue`]: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 30 + v } } }),
  (p) => ({ [`${p}Role`]: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust('lambda.amazonaws.com') } } }),
  (p) => ({
    [`${p}Policy`]: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: `${p}Policy`,
        Roles: [{ Ref: `${p}Role` }],
        PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['sqs:SendMessage', 'sqs:ReceiveMessage'], Resource: { 'Fn::GetAtt': [`${p}Queue`, 'Arn'] } }, { Effect: 'Allow', Action: 'sns:Publish', Resource: { Ref: `${p}Topic` } }] },
      },
    },
  }),
  (p) => ({ [`${p}Bucket`]: { Type: 'AWS::S3::Bucket', Properties: { VersioningConfiguration: { Status: 'Enabled' } } } }),
  (p, v) => ({ [`${p}Logs`]: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: v === 0 ? 7 : 14 } } }),
  (p) => ({ [`${p}Where`]: parameter(`${p}Where`, { Ref: `${p}Bucket` }) }),
  (p, v) => ({ [`${p}Who`]: parameter(`${p}Who`, { 'Fn::Sub': `\${${p}Role.Arn}-${v}` }) }),
  (p, v, i) => ({
    [`${p}Last`]:
      i % 5 === 4
        ? { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: { 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:root' } }, Action: 'kms:*', Resource: '*' }] } } }
        : { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 60 + v } },
  }),
];

// moto needs the name that AWS would make up.
const parameter = (id, Value) => ({ Type: 'AWS::SSM::Parameter', Properties: { Name: { 'Fn::Sub': `/\${AWS::StackName}/${id}` }, Type: 'String', Value } });

/** A template with this many resources. `version` changes about half of them, none by replacement. */
export function template(count, version = 0) {
  const Resources = {};
  for (let i = 0; Object.keys(Resources).length < count; i++) {
    for (const make of MIX) {
      if (Object.keys(Resources).length < count) Object.assign(Resources, make(`R${i}`, version, i));
    }
  }
  return JSON.stringify({ Resources });
}
