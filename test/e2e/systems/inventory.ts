import { APIGateway } from '@aws-sdk/client-api-gateway';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { CodeBuild } from '@aws-sdk/client-codebuild';
import { CodePipeline } from '@aws-sdk/client-codepipeline';
import { CodestarNotifications } from '@aws-sdk/client-codestar-notifications';
import { EC2 } from '@aws-sdk/client-ec2';
import { ECR } from '@aws-sdk/client-ecr';
import { EventBridge } from '@aws-sdk/client-eventbridge';
import { IAM } from '@aws-sdk/client-iam';
import { KMS } from '@aws-sdk/client-kms';
import { Lambda } from '@aws-sdk/client-lambda';
import { S3 } from '@aws-sdk/client-s3';
import { SNS } from '@aws-sdk/client-sns';
import { SSM } from '@aws-sdk/client-ssm';
import type { TestCloud } from '../cloud.js';

type Names = readonly (string | undefined)[];

/** What one looks for after a teardown, kind by kind, as the services' own APIs list it. Keys that are scheduled for deletion don't count. */
const IN_REGION: Readonly<Record<string, (cloud: TestCloud, profile: string, region: string) => Promise<Names>>> = {
  stack: async (cloud, profile, region) => ((await new CloudFormation(cloud.client(profile, region)).describeStacks({})).Stacks ?? []).map(({ StackName }) => StackName),
  pipeline: async (cloud, profile, region) => ((await new CodePipeline(cloud.client(profile, region)).listPipelines({})).pipelines ?? []).map(({ name }) => name),
  project: async (cloud, profile, region) => (await new CodeBuild(cloud.client(profile, region)).listProjects({})).projects ?? [],
  'log group': async (cloud, profile, region) => ((await new CloudWatchLogs(cloud.client(profile, region)).describeLogGroups({ limit: 50 })).logGroups ?? []).map(({ logGroupName }) => logGroupName),
  function: async (cloud, profile, region) => ((await new Lambda(cloud.client(profile, region)).listFunctions({})).Functions ?? []).map(({ FunctionName }) => FunctionName),
  topic: async (cloud, profile, region) => ((await new SNS(cloud.client(profile, region)).listTopics({})).Topics ?? []).map(({ TopicArn }) => TopicArn?.split(':').at(-1)),
  rule: async (cloud, profile, region) => ((await new EventBridge(cloud.client(profile, region)).listRules({})).Rules ?? []).map(({ Name }) => Name),
  'notification rule': async (cloud, profile, region) => ((await new CodestarNotifications(cloud.client(profile, region)).listNotificationRules({})).NotificationRules ?? []).map(({ Arn }) => Arn),
  parameter: async (cloud, profile, region) => ((await new SSM(cloud.client(profile, region)).describeParameters({ MaxResults: 50 })).Parameters ?? []).map(({ Name }) => Name),
  repository: async (cloud, profile, region) => ((await new ECR(cloud.client(profile, region)).describeRepositories({})).repositories ?? []).map(({ repositoryName }) => repositoryName),
  API: async (cloud, profile, region) => ((await new APIGateway(cloud.client(profile, region)).getRestApis({})).items ?? []).map(({ name }) => name),
  VPC: async (cloud, profile, region) => ((await new EC2(cloud.client(profile, region)).describeVpcs({ Filters: [{ Name: 'is-default', Values: ['false'] }] })).Vpcs ?? []).map(({ VpcId }) => VpcId),
  alias: async (cloud, profile, region) => ((await new KMS(cloud.client(profile, region)).listAliases({})).Aliases ?? []).map(({ AliasName }) => AliasName).filter((name) => !name?.startsWith('alias/aws/')),
  key: async (cloud, profile, region) => {
    const kms = new KMS(cloud.client(profile, region));
    const keys = await Promise.all(((await kms.listKeys({})).Keys ?? []).map(({ KeyId }) => kms.describeKey({ KeyId })));
    return keys.flatMap(({ KeyMetadata }) => (KeyMetadata!.KeyManager === 'CUSTOMER' && KeyMetadata!.KeyState !== 'PendingDeletion' ? [KeyMetadata!.KeyId] : []));
  },
};

const IN_ACCOUNT: Readonly<Record<string, (cloud: TestCloud, profile: string) => Promise<Names>>> = {
  role: async (cloud, profile) => ((await new IAM(cloud.client(profile)).listRoles({ MaxItems: 1000 })).Roles ?? []).map(({ RoleName }) => RoleName),
  policy: async (cloud, profile) => ((await new IAM(cloud.client(profile)).listPolicies({ Scope: 'Local', MaxItems: 1000 })).Policies ?? []).map(({ PolicyName }) => PolicyName),
  bucket: async (cloud, profile) => ((await new S3(cloud.client(profile)).listBuckets({})).Buckets ?? []).map(({ Name }) => Name),
};

/** Everything that stands in the accounts of a cloud and these regions: `111111111111/eu-west-1 stack CDKToolkit`. */
export async function inventory(cloud: TestCloud, regions: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const [profile, place] of Object.entries(cloud.accounts)) {
    const account = place.slice(0, 12);
    for (const [kind, list] of Object.entries(IN_ACCOUNT)) for (const name of await list(cloud, profile)) found.push(`${account} ${kind} ${name}`);
    for (const region of regions) for (const [kind, list] of Object.entries(IN_REGION)) for (const name of await list(cloud, profile, region)) found.push(`${account}/${region} ${kind} ${name}`);
  }
  return found.sort();
}

/** Name tag and address block of every VPC that isn't the account's default. */
export async function networksOf(cloud: TestCloud, profile: string, region: string): Promise<string[]> {
  const { Vpcs = [] } = await new EC2(cloud.client(profile, region)).describeVpcs({ Filters: [{ Name: 'is-default', Values: ['false'] }] });
  return Vpcs.map(({ CidrBlock, Tags = [] }) => `${Tags.find(({ Key }) => Key === 'Name')?.Value} ${CidrBlock}`).sort();
}
