import type { Pipeline } from '../fleet/index.js';

/** A grant with wildcards that CDK Pipelines or this library writes into the policies of a pipeline, and why nobody can narrow it. */
interface OwnGrant {
  readonly actions: readonly string[];
  /** What each of its resources looks like, references written as `<LogicalId.Attribute>`. */
  readonly resources: RegExp;
  /** Path of the policies it stands in; every one without it. */
  readonly within?: RegExp;
  readonly reason: string;
}

const READ = ['s3:GetBucket*', 's3:GetObject*', 's3:List*'];
const WRITE = ['s3:Abort*', 's3:DeleteObject*', 's3:PutObject', 's3:PutObjectLegalHold', 's3:PutObjectRetention', 's3:PutObjectTagging', 's3:PutObjectVersionTagging', 's3:PutObjectAcl', 's3:PutObjectVersionAcl', 's3:PutObject*'];
const KEYS = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'];
const REPORTS = ['codebuild:BatchPutCodeCoverages', 'codebuild:BatchPutTestCases', 'codebuild:CreateReport', 'codebuild:CreateReportGroup', 'codebuild:UpdateReport'];
const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
const NETWORK = ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface', 'ec2:DescribeDhcpOptions', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs'];
const ANYTHING = /^\*$/;

function ownGrants(pipeline: Pipeline): readonly OwnGrant[] {
  const named = [...bucketsOf(pipeline).map(literally), 'cdk-[A-Za-z0-9_-]+-assets-\\d{12}-[a-z0-9-]+', '[a-z0-9.-]*artifactbucket[0-9a-f]+'].join('|');
  const here = `${pipeline.region}:${pipeline.account}`;
  return [
    { actions: [...READ, ...WRITE], resources: new RegExp(`^(<ArtifactBucket[0-9A-F]{8}\\.Arn>|arn:<AWS::Partition>:s3:::(${named}))(/.*)?$`), reason: 'CDK grants pipelines and builds their own artifacts, sources and caches whole; nothing else lies there' },
    { actions: KEYS, resources: /^(<ArtifactKey[0-9A-F]{8}\.Arn>|arn:aws[a-z-]*:kms:.*)$/, reason: 'The variants of two operations, on the key of the artifacts' },
    { actions: KEYS, resources: /^(\*|<ArtifactKey[0-9A-F]{8}\.Arn>|arn:aws[a-z-]*:kms:.*)$/, within: /\/Resource\/Role\/DefaultPolicy\/Resource$/, reason: 'The ARN of an artifact key in another region isn’t known here; its own policy names the pipeline’s role' },
    { actions: REPORTS, resources: new RegExp(`^arn:<AWS::Partition>:codebuild:${here}:report-group/<\\w+>-\\*$`), reason: 'Report groups of the build itself, made when it first writes one' },
    { actions: LOGS, resources: new RegExp(`^arn:<AWS::Partition>:logs:${here}:log-group:/aws/codebuild/<\\w+>(:\\*)?$`), reason: 'Log streams of the build itself' },
    { actions: [...REPORTS, ...LOGS], resources: new RegExp(`^arn:<AWS::Partition>:(codebuild|logs):${here}:(report-group|log-group:/aws/codebuild)/\\*$`), within: /\/Assets\//, reason: 'One role of CDK’s for all asset builds, made before they are' },
    { actions: ['codebuild:BatchGetBuilds', 'codebuild:StartBuild', 'codebuild:StopBuild', 'ecr:GetAuthorizationToken'], resources: ANYTHING, within: /\/Assets\//, reason: 'One role of CDK’s for all asset builds, made before they are' },
    { actions: ['sts:AssumeRole'], resources: /^arn:<AWS::Partition>:iam::\*:role\/cdk-[A-Za-z0-9_-]+-lookup-role-\*$/, reason: 'The synthesis looks at every target, also at those that the commit it works on adds; the role can only read' },
    { actions: ['sts:AssumeRole'], resources: new RegExp(`^arn:\\*:iam::${pipeline.account}:role/\\*$`), within: /\/SelfMutation\//, reason: 'CDK lets the self-mutation take the bootstrap roles of its own account, told by their tag' },
    { actions: ['cloudformation:DescribeStacks', 's3:ListBucket', 'ecr:GetAuthorizationToken'], resources: ANYTHING, within: /\/SelfMutation\//, reason: 'The CDK CLI looks at its own stacks and buckets' },
    { actions: ['ecr:GetAuthorizationToken'], resources: ANYTHING, reason: 'The action knows no resource (Service Authorization Reference)' },
    { actions: NETWORK, resources: ANYTHING, reason: 'What CodeBuild asks for in a VPC (CodeBuild User Guide, VPC settings); these actions take no narrower resource' },
    { actions: ['ec2:CreateNetworkInterfacePermission'], resources: /:network-interface\/\*$/, reason: 'Interfaces that CodeBuild makes for a build in a VPC, in the subnets of the condition' },
  ];
}

/** Buckets that the fleet file names for sources, caches and artifacts. */
function bucketsOf({ source, inputs, build, synth, artifacts, waves }: Pipeline): string[] {
  const sources = [source, ...Object.values(inputs)].flatMap((one) => ('s3' in one ? [one.s3] : []));
  const steps = waves.flatMap(({ before, targets }) => [...before, ...targets.flatMap(({ verify }) => verify)]);
  const caches = [build, synth, ...steps.map((step) => step.build)].flatMap(({ cache }) => (typeof cache === 'object' ? [cache.bucket] : []));
  return [...sources, ...caches, ...(artifacts.bucket === undefined ? [] : [artifacts.bucket])];
}

interface Statement {
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly Resource?: unknown;
}

/**
 * Wildcards of a policy that are the pipeline's own, as cdk-nag names them (`Action::s3:List*`, `Resource::*`), each with its reason. One that
 * another statement of the policy has as well is none of ours.
 */
export function ownWildcards(pipeline: Pipeline, path: string, document: { readonly Statement?: readonly Statement[] }): ReadonlyMap<string, string> {
  const own = new Map<string, string>();
  const others = new Set<string>();
  const grants = ownGrants(pipeline).filter(({ within }) => within === undefined || within.test(path));
  for (const { Effect, Action, Resource } of document.Statement ?? []) {
    if (Effect !== 'Allow') continue;
    const [actions, resources] = [listOf(Action), listOf(Resource).map(flat)];
    const grant = grants.find((one) => actions.every((action) => one.actions.includes(String(action))) && resources.every((resource) => one.resources.test(resource)));
    const wildcards = [...actions.map((action) => `Action::${String(action)}`), ...resources.map((resource) => `Resource::${resource}`)].filter((one) => one.includes('*'));
    for (const wildcard of wildcards) if (grant) own.set(wildcard, grant.reason); else others.add(wildcard);
  }
  for (const wildcard of others) own.delete(wildcard);
  return own;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** A resource as text, as cdk-nag writes references. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as { readonly Ref?: string; readonly 'Fn::GetAtt'?: readonly [string, string]; readonly 'Fn::Join'?: readonly [string, readonly unknown[]] };
  if (join) return join[1].map(flat).join(join[0]);
  return attribute ? `<${attribute.join('.')}>` : Ref ? `<${Ref}>` : JSON.stringify(value);
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
