import type { Stack } from 'aws-cdk-lib';
import type { CfnPipeline, Pipeline as CodePipelineResource } from 'aws-cdk-lib/aws-codepipeline';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Source } from '../config/index.js';
import { afterBuild } from './after-build.js';
import { sourceActionName } from './sources.js';

// Everything that changes what CDK generated below its public properties. Each is an option of the fleet file, and says what it changes.

/**
 * Git triggers of a V2 pipeline with path filters (`paths:`; API reference, GitPushFilter): adds `Triggers`. The construct's own
 * `addTrigger` needs the source action, which CDK Pipelines makes only when it builds.
 */
export function startOnPaths(resource: CodePipelineResource, sources: readonly Source[]): void {
  const triggers = sources.map((source) => ({
    ProviderType: 'CodeStarSourceConnection',
    GitConfiguration: {
      SourceActionName: sourceActionName(source),
      Push: [{ Branches: { Includes: ['branch' in source ? source.branch : 'main'] }, FilePaths: { Includes: 'paths' in source ? source.paths : [] } }],
    },
  }));
  cfnPipeline(resource).addPropertyOverride('Triggers', triggers);
}

/**
 * Lets the roles that read a source use a connection whose ARN begins with `codeconnections`, as the console has made them since July 2024:
 * CDK allows the action of the old prefix alone, and IAM wants that of the resource (Developer Tools guide, Connections rename).
 */
export function allowConnections(stack: Stack, sources: readonly Source[]): void {
  const renamed = sources.flatMap((source) => ('connection' in source && source.connection?.split(':')[2] === 'codeconnections' ? [source.connection] : []));
  if (renamed.length === 0) return;
  afterBuild(stack, 'Connections', () => {
    for (const policy of stack.node.findAll().filter((construct) => construct instanceof Policy)) {
      const text = JSON.stringify(stack.resolve(policy.document));
      if (!text.includes('codestar-connections:UseConnection')) continue;
      const resources = renamed.filter((arn) => text.includes(arn));
      if (resources.length > 0) policy.addStatements(new PolicyStatement({ actions: ['codeconnections:UseConnection'], resources: [...new Set(resources)] }));
    }
  });
}

/** Folder that the synth step fills with the assembly's templates alone (`artifacts: { templatesOnly: true }`). */
export const TEMPLATES_FOLDER = 'flotilla-templates';

interface Action {
  readonly name: string;
  readonly actionTypeId: { readonly provider: string };
  readonly configuration?: Readonly<Record<string, unknown>>;
  readonly inputArtifacts?: readonly { readonly name: string }[];
  readonly outputArtifacts?: readonly { readonly name: string }[];
}

/**
 * Deploys from the artifact of templates (`artifacts: { templatesOnly: true }`): changes, in every CloudFormation action, the artifact it
 * takes and the one its paths name. CodePipeline refuses input artifacts of such actions beyond 256 MB (CodePipeline quotas).
 */
export function deployFromTemplatesOnly(stack: Stack, resource: CodePipelineResource): void {
  const patch = (): void => {
    const pipeline = cfnPipeline(resource);
    const stages = stack.resolve(pipeline.stages) as { readonly actions: readonly Action[] }[];
    const outputs = stages.flatMap(({ actions }) => actions).flatMap(({ outputArtifacts = [] }) => outputArtifacts.map(({ name }) => name));
    const templates = outputs.find((name) => name.includes(TEMPLATES_FOLDER.replaceAll('-', '_')));
    pipeline.stages = stages.map((stage) => ({ ...stage, actions: stage.actions.map((action) => (action.actionTypeId.provider === 'CloudFormation' && templates ? takesFrom(action, templates) : action)) })) as never;
  };
  afterBuild(stack, 'TemplatesOnly', patch);
}

function takesFrom(action: Action, artifact: string): Action {
  const { TemplatePath, TemplateConfiguration, ...others } = action.configuration ?? {};
  const moved = (path: unknown): string => `${artifact}::${String(path).split('::')[1]}`;
  return {
    ...action,
    configuration: { ...others, ...(TemplatePath ? { TemplatePath: moved(TemplatePath) } : {}), ...(TemplateConfiguration ? { TemplateConfiguration: moved(TemplateConfiguration) } : {}) },
    ...(action.inputArtifacts?.length ? { inputArtifacts: [{ name: artifact }] } : {}),
  };
}

function cfnPipeline(resource: CodePipelineResource): CfnPipeline {
  return resource.node.findChild('Resource') as CfnPipeline;
}
