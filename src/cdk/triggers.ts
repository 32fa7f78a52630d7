import type { Stack } from 'aws-cdk-lib';
import { BuildSpec, LinuxBuildImage, mergeBuildSpecs, Project, Source as ProjectSource } from 'aws-cdk-lib/aws-codebuild';
import type { Pipeline as CodePipelineResource } from 'aws-cdk-lib/aws-codepipeline';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { CodeBuildProject } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Pipeline } from '../fleet/index.js';
import type { Source } from '../config/index.js';
import { codeBuildOptions } from './builds.js';
import { startOnPaths } from './patches.js';
import { programFolder } from './program.js';

/** Starts the pipeline for those commits alone that change what `paths:` names. */
export function addPathTriggers(stack: Stack, resource: CodePipelineResource, pipeline: Pipeline): void {
  const filtered = [pipeline.source, ...Object.values(pipeline.inputs)].filter((source) => 'paths' in source && source.paths !== undefined);
  const connected = filtered.filter((source) => !('codecommit' in source));
  if (connected.length > 0) startOnPaths(resource, connected);
  for (const source of filtered) if ('codecommit' in source) startOnCommit(stack, pipeline, source);
}

/**
 * CodePipeline filters the paths of connections only, and CodeCommit's events name no files. So an event starts a small build that asks
 * CodeCommit what the push changed (GetDifferences) and starts the pipeline when a path matches.
 */
function startOnCommit(stack: Stack, pipeline: Pipeline, source: Extract<Source, { codecommit: string }>): void {
  const first = `Trigger-${source.codecommit}`;
  const id = stack.node.tryFindChild(first) ? `${first}-${source.branch}` : first;
  const repository = stack.formatArn({ service: 'codecommit', resource: source.codecommit });
  // The build runs as every other of the pipeline does: its image and Node, its network, its proxy.
  const { buildEnvironment, partialBuildSpec, rolePolicy = [], ...settings } = codeBuildOptions(stack, pipeline.build);
  const buildSpec = BuildSpec.fromObject({ version: '0.2', phases: { build: { commands: ['node steps.cjs trigger'] } } });
  const asset = new Asset(stack, `${id}-Program`, { path: programFolder() });
  const project = new Project(stack, id, {
    description: `Starts ${pipeline.name} for commits that change ${source.paths!.join(', ')}`,
    ...settings,
    environment: { buildImage: LinuxBuildImage.STANDARD_7_0, ...buildEnvironment },
    source: ProjectSource.s3({ bucket: asset.bucket, path: asset.s3ObjectKey }),
    buildSpec: partialBuildSpec ? mergeBuildSpecs(partialBuildSpec, buildSpec) : buildSpec,
    environmentVariables: {
      PIPELINE: { value: pipeline.name },
      REPOSITORY: { value: source.codecommit },
      PATHS: { value: JSON.stringify(source.paths) },
    },
  });
  asset.grantRead(project);
  for (const statement of rolePolicy) project.addToRolePolicy(statement);
  project.addToRolePolicy(new PolicyStatement({ actions: ['codecommit:GetDifferences'], resources: [repository] }));
  project.addToRolePolicy(new PolicyStatement({ actions: ['codepipeline:StartPipelineExecution'], resources: [stack.formatArn({ service: 'codepipeline', resource: pipeline.name })] }));
  // A new branch has no commit before; a path that an event lacks would break the input of its target, so there are two rules.
  const before = { name: 'BEFORE', value: EventField.fromPath('$.detail.oldCommitId'), type: 'PLAINTEXT' };
  const after = { name: 'AFTER', value: EventField.fromPath('$.detail.commitId'), type: 'PLAINTEXT' };
  const push = { name: 'EVENT', value: EventField.eventId, type: 'PLAINTEXT' };
  for (const [event, environmentVariablesOverride] of [['referenceUpdated', [before, after, push]], ['referenceCreated', [after, push]]] as const) {
    new Rule(stack, `${id}-${event}`, {
      eventPattern: { source: ['aws.codecommit'], resources: [repository], detailType: ['CodeCommit Repository State Change'], detail: { event: [event], referenceName: [source.branch] } },
      targets: [new CodeBuildProject(project, { event: RuleTargetInput.fromObject({ environmentVariablesOverride }) })],
    });
  }
}
