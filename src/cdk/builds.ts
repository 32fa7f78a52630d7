import { ArnFormat, Duration, type Stack } from 'aws-cdk-lib';
import { BuildEnvironmentVariableType, BuildSpec, Cache, ComputeType, LinuxArmBuildImage, LinuxBuildImage, LocalCacheMode, type BuildEnvironmentVariable, type IBuildImage } from 'aws-cdk-lib/aws-codebuild';
import { SecurityGroup, Vpc, type ISecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { DockerCredential, type CodeBuildOptions } from 'aws-cdk-lib/pipelines';
import type { BuildSettings } from '../config/index.js';

/** Images CodeBuild keeps for each processor (CodeBuild User Guide, "Docker images provided by CodeBuild"). */
const DEFAULT_IMAGE = { x86: 'aws/codebuild/standard:7.0', arm: 'aws/codebuild/amazonlinux-aarch64-standard:3.0' } as const;

const COMPUTE = { small: ComputeType.SMALL, medium: ComputeType.MEDIUM, large: ComputeType.LARGE, 'x2-large': ComputeType.X2_LARGE } as const;

/** A step's settings laid over the pipeline's: maps are merged, everything else is replaced. */
export function mergeSettings(base: BuildSettings, own: BuildSettings): BuildSettings {
  return { ...base, ...own, ...(base.environment || own.environment ? { environment: { ...base.environment, ...own.environment } } : {}), ...(base.secrets || own.secrets ? { secrets: { ...base.secrets, ...own.secrets } } : {}) };
}

/** Build settings as CDK takes them, for the defaults of a pipeline and for a single step. Constructs it needs are made once in `stack`. */
export function codeBuildOptions(stack: Stack, settings: BuildSettings): CodeBuildOptions {
  const variables = environmentVariables(stack, settings);
  const image = settings.image !== undefined || settings.architecture !== undefined ? buildImage(settings) : undefined;
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

/** A role of a build's own, where managed policies are asked for; otherwise CDK makes one. */
export function buildRole(stack: Stack, id: string, { policies }: BuildSettings): { readonly role?: Role } {
  if (!policies?.length) return {};
  const role = new Role(stack, `${id}Role`, { assumedBy: new ServicePrincipal('codebuild.amazonaws.com') });
  policies.forEach((arn, index) => role.addManagedPolicy(ManagedPolicy.fromManagedPolicyArn(stack, `${id}Policy${index + 1}`, arn)));
  return { role };
}

export function dockerCredentials(stack: Stack, settings: BuildSettings): DockerCredential[] {
  return (settings.docker ?? []).map((credential) => {
    if ('dockerHub' in credential) return DockerCredential.dockerHub(secretOf(stack, credential.dockerHub));
    if ('registry' in credential) return DockerCredential.customRegistry(credential.registry, secretOf(stack, credential.secret));
    return DockerCredential.ecr(credential.ecr.map(({ repository, account = stack.account, region = stack.region }) => Repository.fromRepositoryArn(stack, `Registry-${account}-${region}-${repository}`, stack.formatArn({ service: 'ecr', account, region, resource: 'repository', resourceName: repository }))));
  });
}

/** A secret by its name or ARN; the same construct for the same name. */
export function secretOf(stack: Stack, name: string): ISecret {
  const id = `Secret-${name}`;
  const known = stack.node.tryFindChild(id) as ISecret | undefined;
  return known ?? (name.startsWith('arn:') ? Secret.fromSecretCompleteArn(stack, id, name) : Secret.fromSecretNameV2(stack, id, name));
}

function buildImage({ image, architecture = 'x86' }: BuildSettings): IBuildImage {
  const id = image ?? DEFAULT_IMAGE[architecture];
  if (id.startsWith('aws/codebuild/')) return architecture === 'arm' ? LinuxArmBuildImage.fromCodeBuildImageId(id) : LinuxBuildImage.fromCodeBuildImageId(id);
  return architecture === 'arm' ? LinuxArmBuildImage.fromDockerRegistry(id) : LinuxBuildImage.fromDockerRegistry(id);
}

function environmentVariables(stack: Stack, settings: BuildSettings): Record<string, BuildEnvironmentVariable> {
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
    ...Object.fromEntries(Object.entries(secrets).map(([key, name]) => [key, { type: BuildEnvironmentVariableType.SECRETS_MANAGER, value: secretOf(stack, name).secretName }])),
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
  const found = (stack.node.tryFindChild('BuildVpc') as IVpc | undefined) ?? Vpc.fromVpcAttributes(stack, 'BuildVpc', { vpcId: vpc.id, availabilityZones: vpc.availabilityZones, privateSubnetIds: vpc.subnets });
  const securityGroups = vpc.securityGroups?.map((id) => (stack.node.tryFindChild(`BuildGroup-${id}`) as ISecurityGroup | undefined) ?? SecurityGroup.fromSecurityGroupId(stack, `BuildGroup-${id}`, id));
  return { vpc: found, subnetSelection: { subnets: found.privateSubnets }, ...(securityGroups ? { securityGroups } : {}) };
}

function cacheOf(stack: Stack, { cache }: BuildSettings): Pick<CodeBuildOptions, 'cache'> {
  if (cache === undefined || cache === 'none') return {};
  if (cache === 'local') return { cache: Cache.local(LocalCacheMode.SOURCE, LocalCacheMode.CUSTOM) };
  const bucket = (stack.node.tryFindChild(`BuildCache-${cache.bucket}`) as Bucket | undefined) ?? Bucket.fromBucketName(stack, `BuildCache-${cache.bucket}`, cache.bucket);
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
