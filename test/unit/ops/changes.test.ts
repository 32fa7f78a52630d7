import { describe, expect, it } from 'vitest';
import { changeLines } from '../../../src/cli/changes.js';
import { terminal } from '../../../src/cli/terminal.js';
import { compareTemplates as compare } from '../../../src/ops/changes/change.js';
import { parseTemplate } from '../../../src/ops/changes/deployed.js';
import { byHand } from '../../../src/ops/changes/fleet.js';

const compareTemplates = (before: Record<string, unknown>, after: Record<string, unknown>) => compare(before, after, { account: '111111111111', region: 'eu-west-1', stackName: 'Api', accounts: ['111111111111'] });
const of = (Resources: Record<string, unknown>) => ({ Resources });
const bucket = (Properties: Record<string, unknown>, more: Record<string, unknown> = {}) => ({ Type: 'AWS::S3::Bucket', Properties, ...more });

describe('what a template would change', () => {
  it('is nothing where only the metadata of CDK differs', () => {
    const meta = (hash: string) => ({ CDKMetadata: { Type: 'AWS::CDK::Metadata', Properties: { Analytics: hash } } });
    expect(compareTemplates(of(meta('a')), of(meta('b')))).toBeUndefined();
    expect(compareTemplates(of({}), of({}))).toBeUndefined();
  });

  it('tells replacements, deletions and what is left behind', () => {
    const before = of({ Named: bucket({ BucketName: 'one' }), Gone: bucket({}), Kept: bucket({}, { DeletionPolicy: 'Retain' }) });
    const change = compareTemplates(before, of({ Named: bucket({ BucketName: 'two' }) }))!;
    expect(change.replaced).toEqual([{ logicalId: 'Named', type: 'AWS::S3::Bucket', certain: true }]);
    expect(change.deleted.map(({ logicalId }) => logicalId)).toEqual(['Gone']);
    expect(change.orphaned.map(({ logicalId }) => logicalId)).toEqual(['Kept']);
    expect(change.text).toContain('BucketName');
  });

  it('names what is updated by its properties, with values that are short and no secret, and what is added', () => {
    const before = of({ F: { Type: 'AWS::Lambda::Function', Properties: { Timeout: 3, Environment: { Variables: { TABLE: 'one', API_TOKEN: 'old', SAME: 's' } }, Code: { S3Key: 'a'.repeat(64) }, Role: { 'Fn::GetAtt': ['R', 'Arn'] } } } });
    const after = of({ F: { Type: 'AWS::Lambda::Function', DependsOn: ['T'], Properties: { Timeout: 9, Environment: { Variables: { TABLE: 'two', API_TOKEN: 'new', SAME: 's' } }, Code: { S3Key: 'b'.repeat(64) }, Role: { 'Fn::GetAtt': ['Q', 'Arn'] }, MemorySize: 256 } }, T: { Type: 'AWS::SNS::Topic' } });
    const change = compareTemplates(before, after)!;
    expect(change.updates).toHaveLength(1);
    expect(change.updates[0]!.properties).toEqual(
      expect.arrayContaining([{ name: 'Timeout', from: '3', to: '9' }, { name: 'Environment.Variables.TABLE', from: 'one', to: 'two' }, { name: 'Environment.Variables.API_TOKEN', from: '…', to: '…' }, { name: 'Code.S3Key', from: '…', to: '…' }, { name: 'Role', from: '…', to: '…' }, { name: 'MemorySize', to: '256' }, { name: 'DependsOn', to: '…' }]),
    );
    expect(change.updates[0]!.properties).toHaveLength(7);
    expect(change.adds.map(({ logicalId }) => logicalId)).toEqual(['T']);
    const lines = changeLines(change, terminal({ color: false }), Infinity);
    expect(lines).toContain('  adds     T (AWS::SNS::Topic)');
    expect(lines.find((line) => line.startsWith('  updates'))).toMatch(/^ {2}updates {2}F \(AWS::Lambda::Function\): .*Timeout 3 → 9.* and 3 more$/);
    expect(lines.at(-1)).toBe('  +1 ~1 -0');
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>, RegExp]>([
    ['an added statement', {}, { P: { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'p', Roles: ['r'], PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] } } } }, /s3:\*/],
    ['a role policy of its own kind', {}, { P: { Type: 'AWS::IAM::RolePolicy', Properties: { PolicyName: 'p', RoleName: 'r', PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] } } } }, /role r may now s3:\* on \*/],
    ['a boundary that is taken away', { R: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {}, PermissionsBoundary: 'arn:b' } } }, { R: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {} } } }, /boundary arn:b is gone/],
    ['a public access block that is lifted', { B: bucket({ PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true } }) }, { B: bucket({ PublicAccessBlockConfiguration: { BlockPublicAcls: false } }) }, /public/],
    ['a URL of a function', {}, { U: { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'NONE', TargetFunctionArn: 'f' } } }, /public: \* may now lambda:InvokeFunctionUrl/],
    ['a managed policy whose document changes', { M: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement: [] } } } }, { M: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Statement: [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }] } } } }, /undecided: managed policy M/],
    ['a group opened to the world', {}, { G: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'g', SecurityGroupIngress: [{ CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: 22, ToPort: 22 }] } } }, /network: 0\.0\.0\.0\/0 may now ingress:tcp\/22/],
  ])('tells %s as a permission', (_what, before, after, text) => {
    expect(compareTemplates(of(before), of(after))!.broadened.some((one) => text.test(one))).toBe(true);
  });

  it('does not call a permission what is taken away', () => {
    const policy = { P: { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'p', Roles: ['r'], PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] } } } };
    expect(compareTemplates(of(policy), of({}))!.broadened).toEqual([]);
  });
});

describe('a template in YAML', () => {
  it('has its short forms read as the long ones', () => {
    expect(parseTemplate('Resources:\n  A:\n    Type: T\n    Properties:\n      X: !Ref B\n      Y: !GetAtt C.Arn\n      Z: !Join [",", [a, !Sub "${D}"]]\n')).toEqual(of({ A: { Type: 'T', Properties: { X: { Ref: 'B' }, Y: { 'Fn::GetAtt': ['C', 'Arn'] }, Z: { 'Fn::Join': [',', ['a', { 'Fn::Sub': '${D}' }]] } } } }));
  });
});

describe('a change of the pipeline itself', () => {
  const stage = (Name: string, Category: string, Provider: string, Configuration: Record<string, unknown>) => ({ Name, Actions: [{ ActionTypeId: { Category, Provider }, Configuration }] });
  const pipeline = (change: { name?: string; branch?: string; build?: string; mutates?: boolean } = {}) =>
    of({
      Pipeline: { Type: 'AWS::CodePipeline::Pipeline', Properties: { Name: change.name ?? 'fleet', Stages: [stage('Source', 'Source', 'CodeCommit', { BranchName: change.branch ?? 'main' }), stage('Build', 'Build', 'CodeBuild', { ProjectName: { Ref: 'Synth' } }), ...(change.mutates === false ? [] : [stage('UpdatePipeline', 'Build', 'CodeBuild', { ProjectName: { Ref: 'Mutate' } })])] } },
      Synth: { Type: 'AWS::CodeBuild::Project', Properties: { Source: { BuildSpec: change.build ?? 'npm ci' } } },
    });

  it('is carried by self-mutation', () => expect(byHand(pipeline(), pipeline())).toEqual([]));
  it.each([
    ['does not stand', undefined, pipeline(), /does not stand yet/],
    ['is renamed', pipeline(), pipeline({ name: 'other' }), /renamed/],
    ['reads another branch', pipeline(), pipeline({ branch: 'next' }), /source changes/],
    ['is synthesized by another step', pipeline(), pipeline({ build: 'pnpm i' }), /Synth step changes \(Synth\)/],
    ['no longer changes itself', pipeline(), pipeline({ mutates: false }), /turned off/],
    ['never changed itself', pipeline({ mutates: false }), pipeline({ mutates: false }), /does not change itself/],
    ['is gone', pipeline(), of({}), /taken away/],
  ])('is told where it %s', (_what, before, after, text) => expect(byHand(before, after).join('\n')).toMatch(text));
});
