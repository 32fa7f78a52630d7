import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_QUALIFIER } from '../../shared/bootstrap.js';
import { FlotillaError } from '../../shared/errors.js';

/** What a cloud assembly says of its stacks (schema of @aws-cdk/cloud-assembly-schema; nested assemblies are its stages). */
export interface AssemblyStack {
  /** Path of the artifact: `PaymentsPipeline`, `PaymentsPipeline/Dev/Payments`. */
  readonly path: string;
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  readonly templateFile: string;
  readonly qualifier: string;
  /** True for stacks of the top assembly: `cdk deploy` reaches them by ID. */
  readonly top: boolean;
  /** Paths of the stacks of the same assembly that have to stand before this one. */
  readonly dependsOn: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** ID of the stage the stack is in; undefined for stacks of the top assembly. */
  readonly stage: string | undefined;
  /** Role that deploys the stack, and the one that reads its account: ARNs of the bootstrap. */
  readonly deployRoleArn: string;
  readonly lookupRoleArn: string;
  /** Whether its roles are those of its own account and region; CDK deploys support stacks with the pipeline's, which need no bootstrap where they lie. */
  readonly ownRoles: boolean;
  /** Bootstrap version the stack needs at least. */
  readonly requiredVersion: number;
  readonly terminationProtection: boolean;
}

export interface Environment {
  readonly account: string;
  readonly region: string;
}

export interface AssemblyModel {
  readonly directory: string;
  readonly stacks: readonly AssemblyStack[];
  /** Stacks that hold a pipeline. */
  readonly pipelines: readonly PipelineStack[];
  /** Every account and region that has to be bootstrapped, once. */
  readonly environments: readonly Environment[];
  readonly qualifiers: readonly string[];
}

export interface PipelineStack extends AssemblyStack {
  readonly sources: readonly SourceAction[];
  /** Names of secrets that the template resolves. */
  readonly secrets: readonly string[];
  /** Names of repositories the stack itself creates. */
  readonly ownRepositories: readonly string[];
}

/** A source action of a pipeline, with those of its settings that are plain text. */
export interface SourceAction {
  readonly provider: string;
  /** Of the role it acts as, where that is another account's: there lies what it reads. */
  readonly account?: string;
  readonly region?: string;
  readonly configuration: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly artifacts?: Readonly<Record<string, Artifact>>;
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly displayName?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: {
    readonly templateFile?: string;
    readonly stackName?: string;
    readonly directoryName?: string;
    readonly bootstrapStackVersionSsmParameter?: string;
    readonly tags?: Readonly<Record<string, string>>;
    readonly assumeRoleArn?: string;
    readonly lookupRole?: { readonly arn?: string };
    readonly requiresBootstrapStackVersion?: number;
    readonly terminationProtection?: boolean;
  };
}

/** Reads an assembly whole. `fallback` stands for what the app left open (environment-agnostic stacks). */
export function readAssembly(directory: string, fallback: Environment): AssemblyModel {
  const stacks = stacksOf(directory, '', fallback, undefined);
  const pipelines = stacks.filter(({ top }) => top).map((stack) => pipelineStack(stack)).filter((stack) => stack !== undefined);
  const environments = new Map(stacks.filter(({ ownRoles }) => ownRoles).map(({ account, region }) => [`${account}/${region}`, { account, region }]));
  return { directory, stacks, pipelines, environments: [...environments.values()], qualifiers: [...new Set(stacks.map(({ qualifier }) => qualifier))] };
}

function stacksOf(directory: string, prefix: string, fallback: Environment, stage: string | undefined): AssemblyStack[] {
  const file = join(directory, 'manifest.json');
  if (!existsSync(file)) throw new FlotillaError('RUN004', `the app wrote no cloud assembly to ${directory}`, { why: 'there is no manifest.json', fix: 'run the app as cdk synth does and see what it prints' });
  const { artifacts = {} } = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const pathOf = (id: string): string => artifacts[id]?.displayName ?? `${prefix}${id}`;
  return Object.entries(artifacts).flatMap(([id, artifact]) => {
    if (artifact.type === 'cdk:cloud-assembly') return stacksOf(join(directory, artifact.properties!.directoryName!), `${prefix}${id}/`, fallback, id.replace(/^assembly-/, ''));
    if (artifact.type !== 'aws:cloudformation:stack') return [];
    const [account = '', region = ''] = (artifact.environment ?? '').replace('aws://', '').split('/');
    const { properties = {} } = artifact;
    const place = { account: /^\d{12}$/.test(account) ? account : fallback.account, region: region === '' || region === 'unknown-region' ? fallback.region : region };
    const qualifier = /\/cdk-bootstrap\/([^/]+)\/version/.exec(properties.bootstrapStackVersionSsmParameter ?? '')?.[1] ?? DEFAULT_QUALIFIER;
    const role = (name: string): string => `arn:aws:iam::${place.account}:role/cdk-${qualifier}-${name}-role-${place.account}-${place.region}`;
    const filled = (arn: string | undefined): string | undefined => arn?.replaceAll('${AWS::Partition}', 'aws').replaceAll('${AWS::AccountId}', place.account).replaceAll('${AWS::Region}', place.region);
    return [
      {
        path: pathOf(id),
        stackName: properties.stackName ?? id,
        ...place,
        templateFile: join(directory, properties.templateFile ?? `${id}.template.json`),
        qualifier,
        top: stage === undefined,
        stage,
        deployRoleArn: filled(properties.assumeRoleArn) ?? role('deploy'),
        ownRoles: !new RegExp(`-deploy-role-\\d{12}-(?!${place.region}$)`).test(filled(properties.assumeRoleArn) ?? ''),
        lookupRoleArn: filled(properties.lookupRole?.arn) ?? role('lookup'),
        requiredVersion: properties.requiresBootstrapStackVersion ?? 0,
        terminationProtection: properties.terminationProtection ?? false,
        dependsOn: (artifact.dependencies ?? []).filter((other) => artifacts[other]?.type === 'aws:cloudformation:stack').map(pathOf),
        tags: properties.tags ?? {},
      },
    ];
  });
}

/** Stages that a pipeline deploys, by the IDs of their assemblies: what its CloudFormation actions take their templates from. */
export function stagesOfPipeline(assembly: AssemblyModel, pipelineStackName: string): string[] {
  const stack = assembly.pipelines.find(({ stackName, path }) => stackName === pipelineStackName || path === pipelineStackName);
  if (!stack) throw new FlotillaError('RUN010', `the assembly has no pipeline stack '${pipelineStackName}'`, { why: `its pipeline stacks are ${assembly.pipelines.map(({ stackName }) => stackName).join(', ') || 'none'}`, where: assembly.directory, exitCode: 6 });
  return [...new Set([...readFileSync(stack.templateFile, 'utf8').matchAll(/::assembly-([^/"]+)\//g)].map((match) => match[1]!))];
}

interface Template {
  readonly Resources?: Readonly<Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>>;
}

function pipelineStack(stack: AssemblyStack): PipelineStack | undefined {
  const text = readFileSync(stack.templateFile, 'utf8');
  const resources = Object.values((JSON.parse(text) as Template).Resources ?? {});
  const pipelines = resources.filter(({ Type }) => Type === 'AWS::CodePipeline::Pipeline');
  if (pipelines.length === 0) return undefined;
  const sources = pipelines.flatMap(({ Properties }) => sourceActions((Properties?.['Stages'] ?? []) as readonly StageDeclaration[]));
  // By name, or within the ARN that CDK joins for a secret of the stack's own account (Secret.fromSecretNameV2).
  const secrets = [...text.matchAll(/\{\{resolve:secretsmanager:([^:}"\\]+)|:secret:([^:}"\\]+):SecretString/g)].map((match) => match[1] ?? match[2]!).filter((name) => name !== 'arn');
  const ownRepositories = resources.filter(({ Type }) => Type === 'AWS::CodeCommit::Repository').map(({ Properties }) => String(Properties?.['RepositoryName'] ?? ''));
  return { ...stack, sources, secrets: [...new Set(secrets)], ownRepositories };
}

interface StageDeclaration {
  readonly Actions?: readonly { readonly ActionTypeId: { readonly Category: string; readonly Provider: string }; readonly Configuration?: Readonly<Record<string, unknown>>; readonly RoleArn?: unknown; readonly Region?: unknown }[];
}

function sourceActions(stages: readonly StageDeclaration[]): SourceAction[] {
  return stages
    .flatMap(({ Actions = [] }) => Actions)
    .filter(({ ActionTypeId }) => ActionTypeId.Category === 'Source')
    .map(({ ActionTypeId, Configuration = {}, RoleArn, Region }) => ({
      provider: ActionTypeId.Provider,
      ...placeOfAction(RoleArn, Region),
      configuration: Object.fromEntries(Object.entries(Configuration).filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
    }));
}

/** Account and region that an action names; its role is an ARN, or the parts that CDK joins to one. */
export function placeOfAction(role: unknown, region: unknown): { account?: string; region?: string } {
  const account = /:iam::(\d{12}):role\//.exec(JSON.stringify(role ?? ''))?.[1];
  return { ...(account ? { account } : {}), ...(typeof region === 'string' ? { region } : {}) };
}
