import { ArnFormat, Duration, Fn, type Stack } from 'aws-cdk-lib';
import { BuildEnvironmentVariableType, BuildSpec, Cache, ComputeType, LinuxArmBuildImage, LinuxBuildImage, LocalCacheMode, Project, type BuildEnvironmentVariable, type IBuildImage } from 'aws-cdk-lib/aws-codebuild';
import { SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { CodeBuildOptions } from 'aws-cdk-lib/pipelines';
import type { BuildSettings } from '../config/index.js';
import { afterBuild } from './after-build.js';
import { once } from './once.js';

/** Images CodeBuild keeps for each processor (CodeBuild User Guide, "Docker images provided by CodeBuild"). */
const DEFAULT_IMAGE = { x86: 'aws/codebuild/standard:7.0', arm: 'aws/codebuild/amazonlinux-aarch64-standard:3.0' } as const;

const COMPUTE = { small: ComputeType.SMALL, medium: ComputeType.MEDIUM, large: ComputeType.LARGE, 'x2-large': ComputeType.X2_LARGE } as const;

/**
 * Build settings as CDK takes them, for the defaults of a pipeline and for a single step, whose `base` are those defaults: CDK lays the step's
 * over them. Constructs it needs are made once in `stack`.
 */
export function codeBuildOptions(stack: Stack, settings: BuildSettings, base: BuildSettings = {}): CodeBuildOptions {
  const variables = environmentVariables(settings);
  const image = settings.image !== undefined || settings.architecture !== undefined ? buildImage(settings, base) : undefined;
  const buildEnvironment = {
    ...(image ? { buildImage: image } : {}),
    ...(settings.compute ? { computeType: COMPUTE[settings.compute] } : {}),
    ...(settings.privileged === undefined ? {} : { privileged: settings.privileged }),
    ...(Object.keys(variables).length > 0 ? { environmentVariables: variables } : {}),
  };
  return {
    ...(Object.keys(buildEnvironment).length > 0 ? { buildEnvironment } : {}),
    ...(settings.buildspec || settings.npm ? { partialBuildSpec: BuildSpec.fromObject(partialBuildspec(settings)) } : {}),
    ...(settings.timeout === undefined ? {} : { timeout: Duration.minutes(settings.timeout) }),
    ...network(stack, settings),
    ...cacheOf(stack, settings),
    ...(secretsOf(settings).length > 0 ? { rolePolicy: secretsOf(settings).map((name) => readSecret(stack, name)) } : {}),
  };
}

/** A role of a build's own, where the step says which managed policies it has; otherwise CDK makes one, with those of the pipeline. */
export function buildRole(stack: Stack, id: string, { policies }: BuildSettings): { readonly role?: Role } {
  if (policies === undefined) return {};
  const role = new Role(stack, `${id}Role`, { assumedBy: new ServicePrincipal('codebuild.amazonaws.com') });
  attach(stack, role, policies);
  return { role };
}

/** Gives every build the managed policies of `pipeline.build`, also those that CDK makes. Roles that lie in the stack itself belong to steps that name their own. */
export function addBuildPolicies(stack: Stack, { policies = [] }: BuildSettings): void {
  if (policies.length === 0) return;
  afterBuild(stack, 'BuildPolicies', () => {
    const roles = new Set(stack.node.findAll().flatMap((construct) => (construct instanceof Project && construct.role instanceof Role ? [construct.role] : [])));
    for (const role of roles) if (role.node.scope !== stack) attach(stack, role, policies);
  });
}

function attach(stack: Stack, role: Role, policies: readonly string[]): void {
  for (const arn of policies) role.addManagedPolicy(once(stack, `Policy-${arn}`, (id) => ManagedPolicy.fromManagedPolicyArn(stack, id, arn)));
}

/** A secret by its name or ARN; the same construct for the same name. */
export function secretOf(stack: Stack, name: string): ISecret {
  return once(stack, `Secret-${name}`, (id) => (name.startsWith('arn:') ? Secret.fromSecretCompleteArn(stack, id, name) : Secret.fromSecretNameV2(stack, id, name)));
}

/** An image that one of them names, on the processor that one of them names; another processor than the image's takes that processor's default. */
function buildImage(own: BuildSettings, base: BuildSettings): IBuildImage {
  const architecture = own.architecture ?? base.architecture ?? 'x86';
  const inherited = architecture === (base.architecture ?? 'x86') ? base.image : undefined;
  const id = own.image ?? inherited ?? DEFAULT_IMAGE[architecture];
  if (id.startsWith('aws/codebuild/')) return architecture === 'arm' ? LinuxArmBuildImage.fromCodeBuildImageId(id) : LinuxBuildImage.fromCodeBuildImageId(id);
  return architecture === 'arm' ? LinuxArmBuildImage.fromDockerRegistry(id) : LinuxBuildImage.fromDockerRegistry(id);
}

function environmentVariables(settings: BuildSettings): Record<string, BuildEnvironmentVariable> {
  const { proxy, npm } = settings;
  const plain: Record<string, string | undefined> = {
    HTTP_PROXY: proxy?.http,
    HTTPS_PROXY: proxy?.https,
    NO_PROXY: proxy?.none?.join(','),
    ...settings.environment,
  };
  const secrets: Record<string, string> = { ...settings.secrets, ...(npm?.token ? { NPM_TOKEN: npm.token } : {}) };
  return {
    ...Object.fromEntries(Object.entries(plain).flatMap(([key, value]) => (value === undefined ? [] : [[key, { value }]]))),
    ...Object.fromEntries(Object.entries(secrets).map(([key, name]) => [key, { type: BuildEnvironmentVariableType.SECRETS_MANAGER, value: name }])),
  };
}

/** The settings' own partial buildspec, and the lines that point npm at a private registry before anything is installed. */
function partialBuildspec({ buildspec = {}, npm }: BuildSettings): Record<string, unknown> {
  const version = { version: '0.2', ...buildspec };
  if (!npm) return version;
  const host = npm.registry.replace(/^https?:/, '').replace(/\/?$/, '/');
  const lines = [`npm config set ${npm.scope ? `${npm.scope}:registry` : 'registry'} ${npm.registry}`, ...(npm.token ? [`npm config set ${host}:_authToken "$NPM_TOKEN"`] : [])];
  const phases = (buildspec['phases'] ?? {}) as Record<string, { commands?: string[] } | undefined>;
  return { ...version, phases: { ...phases, install: { ...phases['install'], commands: [...lines, ...(phases['install']?.commands ?? [])] } } };
}

function network(stack: Stack, { vpc }: BuildSettings): Pick<CodeBuildOptions, 'vpc' | 'subnetSelection' | 'securityGroups'> {
  if (!vpc) return {};
  // Projects take the VPC and subnets by ID alone; availability zones are what the construct asks for and nothing here reads.
  const found = once(stack, `BuildVpc-${vpc.id}`, (id) => Vpc.fromVpcAttributes(stack, id, { vpcId: vpc.id, availabilityZones: Fn.getAzs() }));
  const subnets = vpc.subnets.map((subnetId) => once(stack, `BuildSubnet-${subnetId}`, (id) => Subnet.fromSubnetId(stack, id, subnetId)));
  const securityGroups = vpc.securityGroups?.map((group) => once(stack, `BuildGroup-${group}`, (id) => SecurityGroup.fromSecurityGroupId(stack, id, group)));
  return { vpc: found, subnetSelection: { subnets }, ...(securityGroups ? { securityGroups } : {}) };
}

function cacheOf(stack: Stack, { cache }: BuildSettings): Pick<CodeBuildOptions, 'cache'> {
  if (cache === undefined) return {};
  if (cache === 'none') return { cache: Cache.none() };
  if (cache === 'local') return { cache: Cache.local(LocalCacheMode.SOURCE, LocalCacheMode.CUSTOM) };
  const bucket = once(stack, `BuildCache-${cache.bucket}`, (id) => Bucket.fromBucketName(stack, id, cache.bucket));
  return { cache: Cache.bucket(bucket, cache.prefix === undefined ? {} : { prefix: cache.prefix }) };
}

function secretsOf({ secrets = {}, npm }: BuildSettings): string[] {
  return [...new Set([...Object.values(secrets), ...(npm?.token ? [npm.token] : [])])];
}

/** Secrets named without their random suffix are matched with six characters behind the name (Secrets Manager User Guide, "ARN format"). */
function readSecret(stack: Stack, name: string): PolicyStatement {
  const resource = name.startsWith('arn:') ? name : stack.formatArn({ service: 'secretsmanager', resource: 'secret', resourceName: `${name}-??????`, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  return new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [resource] });
}
