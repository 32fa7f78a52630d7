import { DefaultStackSynthesizer, PermissionsBoundary, Stack, type App, type Stage } from 'aws-cdk-lib';
import { ExecutionMode, Pipeline as CodePipelineResource, PipelineType } from 'aws-cdk-lib/aws-codepipeline';
import { CodeBuildStep, CodePipeline, type CodePipelineSource, type IFileSetProducer } from 'aws-cdk-lib/pipelines';
import type { Fleet, Pipeline, Target } from '../fleet/index.js';
import { DEFAULT_QUALIFIER } from '../shared/bootstrap.js';
import { artifactStores } from './artifacts.js';
import { addReview } from './review.js';
import { addBuildPolicies, buildRole, codeBuildOptions } from './builds.js';
import { dockerCredentials } from './docker.js';
import { preflightPolicy, permissionsGate, protectStep } from './gates.js';
import { acknowledge } from './judgements.js';
import { addNotifications } from './notifications.js';
import { allowConnections, deployFromTemplatesOnly, TEMPLATES_FOLDER } from './patches.js';
import { inBatches } from './batches.js';
import { publisherOptions } from './program.js';
import { sourceOf } from './sources.js';
import { approvalStep, buildStep } from './steps.js';
import { pinnedTools } from './tools.js';
import { addPathTriggers } from './triggers.js';

/** Set for the pipeline's own stack unless the app decides otherwise: smaller policies, and roles that trust the pipeline's role only. */
const FLAGS = ['@aws-cdk/aws-iam:minimizePolicies', '@aws-cdk/pipelines:reduceAssetRoleTrustScope', '@aws-cdk/pipelines:reduceCrossAccountActionRoleTrustScope', '@aws-cdk/pipelines:reduceStageRoleTrustScope', '@aws-cdk/aws-codepipeline:crossAccountKeyAliasStackSafeResourceName'];

const MODES = { superseded: ExecutionMode.SUPERSEDED, queued: ExecutionMode.QUEUED, parallel: ExecutionMode.PARALLEL } as const;

/** What a pipeline stack is made of besides the model. */
export interface PipelineContext {
  readonly app: App;
  readonly fleet: Fleet;
  /** The steps' program, from the assembly's folder. */
  readonly program: string;
  /** The CDK stage of a target. */
  readonly stageOf: (target: Target) => Stage;
}

/** The stack of one pipeline. `codePipeline` is CDK's own construct; it is built at synthesis, until then waves and stages can be added. */
export class PipelineStack extends Stack {
  readonly codePipeline: CodePipeline;

  constructor(context: PipelineContext, pipeline: Pipeline) {
    super(context.app, pipeline.stackId, {
      env: { account: pipeline.account, region: pipeline.region },
      description: `Pipeline ${pipeline.name} of the fleet ${context.fleet.name}`,
      terminationProtection: pipeline.terminationProtection,
      ...(pipeline.permissionsBoundary ? { permissionsBoundary: PermissionsBoundary.fromName(pipeline.permissionsBoundary) } : {}),
      ...(pipeline.bootstrap.qualifier !== DEFAULT_QUALIFIER ? { synthesizer: new DefaultStackSynthesizer({ qualifier: pipeline.bootstrap.qualifier }) } : {}),
    });
    for (const flag of FLAGS) if (this.node.tryGetContext(flag) === undefined) this.node.setContext(flag, true);
    const source = sourceOf(this, pipeline.source);
    const resource = new CodePipelineResource(this, 'Resource', {
      pipelineName: pipeline.name,
      pipelineType: pipeline.type === 'V2' ? PipelineType.V2 : PipelineType.V1,
      ...(pipeline.type === 'V2' ? { executionMode: MODES[pipeline.executionMode] } : {}),
      crossAccountKeys: true,
      restartExecutionOnUpdate: pipeline.restartOnUpdate,
      ...artifactStores(context.app, this, context.fleet, pipeline),
    });
    this.codePipeline = this.addCodePipeline(resource, pipeline, source, context.program);
    this.addWaves(context, pipeline, source);
    addPathTriggers(this, resource, pipeline);
    addBuildPolicies(this, pipeline.build);
    allowConnections(this, [pipeline.source, ...Object.values(pipeline.inputs)]);
    addNotifications(this, resource, pipeline);
    addReview(this, context.fleet, pipeline, resource);
    acknowledge(this);
    if (pipeline.artifacts.templatesOnly) deployFromTemplatesOnly(this, resource);
  }

  private addCodePipeline(resource: CodePipelineResource, pipeline: Pipeline, source: CodePipelineSource, program: string): CodePipeline {
    const tools = pinnedTools();
    const { rolePolicy, ...defaults } = codeBuildOptions(this, pipeline.build);
    return new CodePipeline(this, 'Pipeline', {
      codePipeline: resource,
      cliVersion: tools.cdkCli,
      cdkAssetsCliVersion: tools.cdkAssets,
      synth: synthStep(this, pipeline, source, program),
      selfMutation: pipeline.selfMutation,
      publishAssetsInParallel: !pipeline.assets.batch,
      useChangeSets: pipeline.changeSets,
      codeBuildDefaults: { ...defaults, ...(rolePolicy ? { rolePolicy } : {}) },
      assetPublishingCodeBuildDefaults: publisherOptions(),
      dockerCredentials: dockerCredentials(this, pipeline.build),
      ...(pipeline.build.privileged ? { dockerEnabledForSynth: true } : {}),
    });
  }

  private addWaves({ stageOf, program }: PipelineContext, pipeline: Pipeline, source: IFileSetProducer): void {
    const assembly = this.codePipeline.cloudAssemblyFileSet;
    for (const wave of inBatches(pipeline, stageOf)) {
      const added = this.codePipeline.addWave(wave.id, {
        pre: [...permissionsGate(this, pipeline, wave, assembly, program), ...wave.approvals.map((approval) => approvalStep(this, approval)), ...wave.before.map((step) => buildStep(this, pipeline, step, source, {}))],
        post: protectStep(this, wave, assembly, program),
      });
      for (const target of wave.targets) {
        const stage = stageOf(target);
        added.addStage(stage, { post: target.verify.map((step) => buildStep(this, pipeline, step, source, { target, stage })) });
      }
    }
  }
}

/** The synth step: the fleet's commands, then a look at every target before anything is changed. */
function synthStep(stack: Stack, pipeline: Pipeline, input: IFileSetProducer, program: string): CodeBuildStep {
  const { synth, artifacts } = pipeline;
  // A pipeline that deploys to nothing yet has nothing to look at.
  const preflight = pipeline.preflight && pipeline.waves.length > 0;
  const { rolePolicy = [], ...options } = codeBuildOptions(stack, synth, pipeline.build);
  const usesCli = synth.commands.some((command) => /(^|[;&|]\s*)cdk\s/.test(command));
  const own = `node ${synth.output}/${program}`;
  const step = new CodeBuildStep('Synth', {
    ...options,
    ...buildRole(stack, 'Synth', synth),
    input,
    additionalInputs: Object.fromEntries(Object.entries(pipeline.inputs).map(([folder, source]) => [folder, sourceOf(stack, source)])),
    installCommands: [...(usesCli ? [`npm install -g aws-cdk@${pinnedTools().cdkCli}`] : []), ...(synth.install ?? [])],
    commands: [
      ...(synth.directory ? [`cd ${synth.directory}`] : []),
      ...synth.commands,
      ...(preflight ? [`${own} preflight ${synth.output} ${pipeline.stackId}${artifacts.templatesOnly ? ' templates-only' : ''}`] : []),
      ...(artifacts.templatesOnly ? [`${own} templates ${synth.output} "$CODEBUILD_SRC_DIR/${TEMPLATES_FOLDER}"`] : []),
    ],
    primaryOutputDirectory: synth.directory ? `${synth.directory}/${synth.output}` : synth.output,
    rolePolicyStatements: [...rolePolicy, ...(preflight ? [preflightPolicy(stack, pipeline)] : [])],
  });
  if (artifacts.templatesOnly) step.addOutputDirectory(TEMPLATES_FOLDER);
  return step;
}
