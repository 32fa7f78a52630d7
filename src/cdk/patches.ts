import type { Stack } from 'aws-cdk-lib';
import type { CfnPipeline, Pipeline as CodePipelineResource } from 'aws-cdk-lib/aws-codepipeline';
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
