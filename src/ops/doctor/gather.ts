import { CloudFormationClient, DescribeAccountLimitsCommand, DescribeStacksCommand, GetTemplateCommand, ListExportsCommand, paginateListStacks, type StackStatus } from '@aws-sdk/client-cloudformation';
import { CodePipelineClient, GetPipelineCommand, paginateListPipelines } from '@aws-sdk/client-codepipeline';
import { CodeStarConnectionsClient, paginateListConnections } from '@aws-sdk/client-codestar-connections';
import { DescribeRegionsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeRepositoriesCommand, ECRClient, GetRepositoryPolicyCommand } from '@aws-sdk/client-ecr';
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient } from '@aws-sdk/client-kms';
import { DescribeOrganizationCommand, DescribePolicyCommand, ListParentsCommand, OrganizationsClient, paginateListPoliciesForTarget } from '@aws-sdk/client-organizations';
import { GetBucketPolicyCommand, HeadBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { paginateListServiceQuotas, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { unlessAbsent } from '../aws/absent.js';
import { standingBootstrap } from '../bootstrap/standing.js';
import { type FleetPair, type OperatedFleet, type Pair } from '../fleet/fleet.js';
import { DEFAULT_TOOLKIT } from '../../shared/bootstrap.js';
import { describeStack } from '../stacks.js';
import { clientOf, type Target } from '../target.js';
import { ask, askFor, unknown } from './ask.js';
import type { BucketFacts, ControlPolicyFacts, Known, PairFacts, PipelineFacts, QuotaFacts, RepositoryFacts, StackFacts, ToolkitFacts } from './facts.js';
import { inertBoundaries, readPolicies, readRoles } from './roles.js';

export interface GatherOptions {
  /** Reads what a rehearsal needs besides: templates, inline policies, exports. */
  readonly record: boolean;
}

/** Facts of accounts that are the same in all their regions, asked once. */
export class AccountFacts {
  private readonly regions = new Map<string, Promise<Known<ReadonlyMap<string, string>>>>();
  private readonly policies = new Map<string, Promise<PairFacts['controlPolicies']>>();

  constructor(
    private readonly target: Target,
    /** The account that may ask AWS Organizations; undefined: nobody is asked. */
    private readonly organization: string | undefined,
  ) {}

  async optIn({ account, region }: Pair): Promise<Known<string>> {
    const known = this.regions.get(account) ?? ask(() => this.readRegions(account));
    this.regions.set(account, known);
    const regions = await known;
    return regions.known ? { known: true, value: regions.value.get(region) ?? 'not-opted-in' } : regions;
  }

  private async readRegions(account: string): Promise<ReadonlyMap<string, string>> {
    const client = await clientOf(this.target, EC2Client, account, 'us-east-1');
    const { Regions = [] } = await client.send(new DescribeRegionsCommand({ AllRegions: true }));
    return new Map(Regions.map(({ RegionName = '', OptInStatus = '' }) => [RegionName, OptInStatus]));
  }

  controlPolicies(account: string): Promise<PairFacts['controlPolicies']> {
    const { organization } = this;
    if (organization === undefined) return Promise.resolve(unknown('nobody said which account may ask AWS Organizations (--organization ACCOUNT)'));
    const known = this.policies.get(account) ?? ask(() => controlPolicies(this.target, organization, account));
    this.policies.set(account, known);
    return known;
  }
}

/** All that the caller may read of a pair; nothing is changed. */
export async function gatherFacts(target: Target, pair: FleetPair, fleet: OperatedFleet, accounts: AccountFacts, { record }: GatherOptions): Promise<PairFacts> {
  const { account, region, environment, bootstrap } = pair;
  const base = { account, region, ...(environment === undefined ? {} : { environment }), qualifier: bootstrap.qualifier, toolkitStackName: bootstrap.toolkitStackName ?? DEFAULT_TOOLKIT };
  const identity = await ask(async () => (await (await clientOf(target, STSClient, account, 'us-east-1')).send(new GetCallerIdentityCommand({}))).Arn ?? '');
  if (!identity.known) return { ...base, ...nothing(identity), identity };
  const optIn = await accounts.optIn(pair);
  if (optIn.known && optIn.value === 'not-opted-in') return { ...base, ...nothing(unknown('the account has not opted in to the region')), identity, optIn };
  const rolesAsked = ask(() => readRoles(target, pair, record));
  const withRoles = async <T>(work: (roles: NonNullable<Awaited<ReturnType<typeof readRoles>>>) => Promise<T>): Promise<Known<T>> => {
    const roles = await rolesAsked;
    return roles.known ? ask(() => work(roles.value)) : roles;
  };
  const policiesAsked = withRoles((roles) => readPolicies(target, pair, roles));
  const pipelinesHere = fleet.pipelines.filter((pipeline) => pipeline.account === account && pipeline.region === region);
  const own = new Set(fleet.stacks.filter((stack) => stack.account === account && stack.region === region).map(({ stackName }) => stackName));
  const toolkitAsked = askFor(() => readToolkit(target, pair, record));
  const [toolkit, version, roles, policies, inert, bucket, repository, stacks, stackLimit, pipelines, connections, secrets, quotas, controlPolicies, exports] = await Promise.all([
    toolkitAsked,
    askFor(() => readVersion(target, pair)),
    rolesAsked,
    policiesAsked,
    withRoles(async (found) => {
      const documents = await policiesAsked;
      return documents.known ? inertBoundaries(target, pair, found, documents.value) : [];
    }),
    toolkitAsked.then((found) => askFor(() => readBucket(target, pair, found.known ? (found.value?.parameters['FileAssetsBucketKmsKeyId'] ?? '') : 'AWS_MANAGED_KEY'))),
    askFor(() => readRepository(target, pair)),
    ask(() => readStacks(target, pair, record ? own : new Set())),
    ask(async () => {
      const { AccountLimits = [] } = await (await clientOf(target, CloudFormationClient, account, region)).send(new DescribeAccountLimitsCommand({}));
      return AccountLimits.find(({ Name }) => Name === 'StackLimit')?.Value ?? 2000;
    }),
    pipelinesHere.length > 0 ? ask(() => readPipelines(target, pair)) : { known: true as const, value: [] },
    pipelinesHere.length > 0 ? ask(() => readConnections(target, pair)) : { known: true as const, value: [] },
    ask(() => readSecrets(target, pair, pipelinesHere.flatMap((pipeline) => pipeline.secrets ?? []))),
    pipelinesHere.length > 0 || record ? ask(() => readQuotas(target, pair)) : { known: true as const, value: [] },
    accounts.controlPolicies(account),
    record ? ask(() => readExports(target, pair)) : undefined,
  ]);
  return { ...base, identity, optIn, toolkit, version, roles, policies, inertBoundaries: inert, bucket, repository, stacks, stackLimit, pipelines, connections, secrets, quotas, controlPolicies, ...(exports ? { exports } : {}) };
}

function nothing(why: { known: false; why: string }): Omit<PairFacts, 'account' | 'region' | 'environment' | 'qualifier' | 'toolkitStackName' | 'identity'> {
  return { optIn: why, toolkit: why, version: why, roles: why, policies: why, inertBoundaries: why, bucket: why, repository: why, stacks: why, stackLimit: why, pipelines: why, connections: why, secrets: why, quotas: why, controlPolicies: why };
}

/** The toolkit stack by the name it should have, or, where it has another one, the stack that holds the qualifier. */
async function readToolkit(target: Target, pair: FleetPair, record: boolean): Promise<ToolkitFacts | null> {
  const { account, region, bootstrap } = pair;
  const wanted = { account, region, stackName: bootstrap.toolkitStackName ?? DEFAULT_TOOLKIT };
  const named = await describeStack(target, wanted);
  const holder = named ? undefined : (await standingBootstrap(target, pair)).holder;
  const stack = holder === undefined || holder === '?' ? wanted : { ...wanted, stackName: holder };
  const found = named ?? (stack === wanted ? undefined : await describeStack(target, stack));
  if (!found) return null;
  return {
    ...(stack === wanted ? {} : { stackName: stack.stackName }),
    status: found.StackStatus ?? '',
    version: Number(found.Outputs?.find(({ OutputKey }) => OutputKey === 'BootstrapVersion')?.OutputValue ?? 0),
    parameters: Object.fromEntries((found.Parameters ?? []).map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue])),
    terminationProtection: found.EnableTerminationProtection ?? false,
    ...(record ? { template: await templateOf(target, stack) } : {}),
  };
}

async function templateOf(target: Target, { account, region, stackName }: Pair & { stackName: string }): Promise<string> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  return (await client.send(new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }))).TemplateBody ?? '';
}

async function readVersion(target: Target, { account, region, bootstrap }: FleetPair): Promise<number | null> {
  const client = await clientOf(target, SSMClient, account, region);
  return Number((await client.send(new GetParameterCommand({ Name: `/cdk-bootstrap/${bootstrap.qualifier}/version` }))).Parameter?.Value);
}

async function readBucket(target: Target, { account, region, bootstrap }: FleetPair, keyParameter: string): Promise<BucketFacts | null> {
  const client = await clientOf(target, S3Client, account, region);
  const name = `cdk-${bootstrap.qualifier}-assets-${account}-${region}`;
  try {
    await client.send(new HeadBucketCommand({ Bucket: name, ExpectedBucketOwner: account }));
  } catch (error) {
    // HEAD answers have no body (S3 API reference, HeadBucket): a bucket of somebody else and one that may not be read are the same 403. The account's own list tells.
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403 && !(await ownBuckets(client)).has(name)) return { name, own: false, policy: null };
    throw error;
  }
  const policy = (await unlessAbsent(client.send(new GetBucketPolicyCommand({ Bucket: name }))))?.Policy ?? null;
  const key = keyParameter === 'AWS_MANAGED_KEY' ? undefined : await bucketKey(target, { account, region }, keyParameter || `alias/cdk-${bootstrap.qualifier}-assets-key`);
  return { name, own: true, policy, ...(key ? { key } : {}) };
}

async function ownBuckets(client: S3Client): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (let ContinuationToken: string | undefined, first = true; first || ContinuationToken; first = false) {
    const page = await client.send(new ListBucketsCommand({ ContinuationToken }));
    for (const { Name = '' } of page.Buckets ?? []) names.add(Name);
    ContinuationToken = page.ContinuationToken;
  }
  return names;
}

async function bucketKey(target: Target, { account, region }: Pair, KeyId: string): Promise<BucketFacts['key']> {
  const client = await clientOf(target, KMSClient, account, region);
  const { KeyMetadata } = (await unlessAbsent(client.send(new DescribeKeyCommand({ KeyId })))) ?? {};
  if (!KeyMetadata?.KeyId) return undefined;
  const policy = KeyMetadata.AWSAccountId === account ? ((await client.send(new GetKeyPolicyCommand({ KeyId: KeyMetadata.KeyId, PolicyName: 'default' }))).Policy ?? null) : null;
  return { id: KeyMetadata.KeyId, state: KeyMetadata.KeyState ?? '', policy };
}

async function readRepository(target: Target, { account, region, bootstrap }: FleetPair): Promise<RepositoryFacts | null> {
  const client = await clientOf(target, ECRClient, account, region);
  const name = `cdk-${bootstrap.qualifier}-container-assets-${account}-${region}`;
  await client.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
  return { name, policy: (await unlessAbsent(client.send(new GetRepositoryPolicyCommand({ repositoryName: name }))))?.policyText ?? null };
}

const STANDING: readonly StackStatus[] = ['CREATE_COMPLETE', 'CREATE_FAILED', 'CREATE_IN_PROGRESS', 'DELETE_FAILED', 'DELETE_IN_PROGRESS', 'IMPORT_COMPLETE', 'IMPORT_ROLLBACK_COMPLETE', 'IMPORT_ROLLBACK_FAILED', 'REVIEW_IN_PROGRESS', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'ROLLBACK_IN_PROGRESS', 'UPDATE_COMPLETE', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'UPDATE_FAILED', 'UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_FAILED', 'UPDATE_ROLLBACK_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'];

async function readStacks(target: Target, { account, region }: Pair, recorded: ReadonlySet<string>): Promise<StackFacts[]> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  const found: StackFacts[] = [];
  for await (const { StackSummaries = [] } of paginateListStacks({ client }, { StackStatusFilter: [...STANDING] }))
    for (const { StackName = '', StackStatus = '', ParentId } of StackSummaries) if (ParentId === undefined) found.push({ name: StackName, status: StackStatus });
  return Promise.all(
    found.map(async (stack) => {
      if (!recorded.has(stack.name)) return stack;
      const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack.name }));
      const parameters = Object.fromEntries((Stacks?.[0]?.Parameters ?? []).map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue]));
      return stack.status === 'REVIEW_IN_PROGRESS' ? stack : { ...stack, parameters, template: await templateOf(target, { account, region, stackName: stack.name }) };
    }),
  );
}

async function readExports(target: Target, { account, region }: Pair): Promise<{ name: string; value: string; stack: string }[]> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  const found: { name: string; value: string; stack: string }[] = [];
  for (let NextToken: string | undefined; ; ) {
    const page = await client.send(new ListExportsCommand({ NextToken }));
    found.push(...(page.Exports ?? []).map(({ Name = '', Value = '', ExportingStackId = '' }) => ({ name: Name, value: Value, stack: ExportingStackId.split('/')[1] ?? ExportingStackId })));
    NextToken = page.NextToken;
    if (!NextToken) return found;
  }
}

async function readPipelines(target: Target, { account, region }: Pair): Promise<PipelineFacts[]> {
  const client = await clientOf(target, CodePipelineClient, account, region);
  const names: string[] = [];
  for await (const { pipelines = [] } of paginateListPipelines({ client }, {})) names.push(...pipelines.map(({ name = '' }) => name));
  return Promise.all(
    names.map(async (name) => {
      const { pipeline } = await client.send(new GetPipelineCommand({ name }));
      const stores = pipeline?.artifactStores ? Object.entries(pipeline.artifactStores) : pipeline?.artifactStore ? [[region, pipeline.artifactStore] as const] : [];
      const policies: Record<string, string> = {};
      for (const [place, { location = '', encryptionKey }] of stores) {
        const s3 = await clientOf(target, S3Client, account, place);
        const policy = (await unlessAbsent(s3.send(new GetBucketPolicyCommand({ Bucket: location }))))?.Policy;
        if (policy) policies[location] = policy;
        if (!encryptionKey?.id) continue;
        const kms = await clientOf(target, KMSClient, account, place);
        const { KeyMetadata } = (await unlessAbsent(kms.send(new DescribeKeyCommand({ KeyId: encryptionKey.id })))) ?? {};
        if (KeyMetadata?.KeyId) policies[KeyMetadata.Arn ?? KeyMetadata.KeyId] = (await kms.send(new GetKeyPolicyCommand({ KeyId: KeyMetadata.KeyId, PolicyName: 'default' }))).Policy ?? '{}';
      }
      return { name, policies };
    }),
  );
}

async function readConnections(target: Target, { account, region }: Pair): Promise<{ arn: string; name: string; status: string }[]> {
  const client = await clientOf(target, CodeStarConnectionsClient, account, region);
  const found: { arn: string; name: string; status: string }[] = [];
  for await (const { Connections = [] } of paginateListConnections({ client }, {})) for (const { ConnectionArn = '', ConnectionName = '', ConnectionStatus = '' } of Connections) found.push({ arn: ConnectionArn, name: ConnectionName, status: ConnectionStatus });
  return found;
}

async function readSecrets(target: Target, { account, region }: Pair, names: readonly string[]): Promise<Record<string, boolean>> {
  if (names.length === 0) return {};
  const client = await clientOf(target, SecretsManagerClient, account, region);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await unlessAbsent(client.send(new DescribeSecretCommand({ SecretId: name })))) !== undefined] as const)));
}

/** Quotas that fleets meet, by the name Service Quotas gives them: the machines of builds that CDK makes, pipelines, stacks. */
const QUOTAS: Readonly<Record<string, RegExp>> = {
  codebuild: /^Concurrently running builds for (Linux|ARM)\/\w+ environment/,
  codepipeline: /^Total pipelines/,
  cloudformation: /^Stack count/,
};

async function readQuotas(target: Target, { account, region }: Pair): Promise<QuotaFacts[]> {
  const client = await clientOf(target, ServiceQuotasClient, account, region);
  const found: QuotaFacts[] = [];
  for (const [service, wanted] of Object.entries(QUOTAS))
    for await (const { Quotas = [] } of paginateListServiceQuotas({ client }, { ServiceCode: service }))
      for (const { QuotaName = '', QuotaCode = '', Value } of Quotas) if (Value !== undefined && wanted.test(QuotaName)) found.push({ service, code: QuotaCode, name: QuotaName, value: Value });
  return found;
}

/**
 * Policies of the account and of every unit above it, each with where it is attached: all levels have to allow (Organizations User Guide, "SCP
 * evaluation"); only the management or a delegated account may ask. None binds the management account.
 */
async function controlPolicies(target: Target, organization: string, account: string): Promise<ControlPolicyFacts[]> {
  const client = await clientOf(target, OrganizationsClient, organization, 'us-east-1');
  const { Organization } = await client.send(new DescribeOrganizationCommand({}));
  if (Organization?.MasterAccountId === account) return [];
  const documents = new Map<string, Promise<string>>();
  const documentOf = (PolicyId: string): Promise<string> => {
    const known = documents.get(PolicyId) ?? client.send(new DescribePolicyCommand({ PolicyId })).then(({ Policy }) => Policy?.Content ?? '{}');
    documents.set(PolicyId, known);
    return known;
  };
  const found: ControlPolicyFacts[] = [];
  for (let TargetId: string | undefined = account; TargetId !== undefined; ) {
    for await (const { Policies = [] } of paginateListPoliciesForTarget({ client }, { TargetId, Filter: 'SERVICE_CONTROL_POLICY' }))
      for (const { Id = '', Name = '' } of Policies) found.push({ name: Name, document: await documentOf(Id), target: TargetId });
    TargetId = TargetId.startsWith('r-') ? undefined : await parentOf(client, TargetId);
  }
  return found;
}

async function parentOf(client: OrganizationsClient, ChildId: string): Promise<string | undefined> {
  return (await client.send(new ListParentsCommand({ ChildId }))).Parents?.[0]?.Id;
}
