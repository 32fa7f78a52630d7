import { CfnOutput, Duration, Stack, type Stage } from 'aws-cdk-lib';
import type { IStage } from 'aws-cdk-lib/aws-codepipeline';
import { ManualApprovalAction } from 'aws-cdk-lib/aws-codepipeline-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { CodeBuildStep, ManualApprovalStep, Step, type CodePipelineActionFactoryResult, type IFileSetProducer, type ProduceActionOptions } from 'aws-cdk-lib/pipelines';
import type { Approval, Pipeline, Step as StepModel, Target } from '../fleet/index.js';
import { FlotillaError } from '../shared/errors.js';
import { buildRole, codeBuildOptions } from './builds.js';

/** A step of the fleet file as a CodeBuild action that starts in the source, with the outputs of the stage it follows. */
export function buildStep(stack: Stack, pipeline: Pipeline, model: StepModel, input: IFileSetProducer, context: { readonly target?: Target; readonly stage?: Stage }): CodeBuildStep {
  const { rolePolicy, ...options } = codeBuildOptions(stack, model.build, pipeline.build);
  const { target, stage } = context;
  return new CodeBuildStep(model.name, {
    ...options,
    ...buildRole(stack, `${target?.stageId ?? model.environment}-${model.name}`, model.build),
    input,
    installCommands: [...model.install],
    commands: [...model.commands],
    env: { FLOTILLA_ENVIRONMENT: model.environment, ...(target ? { FLOTILLA_ACCOUNT: target.account, FLOTILLA_REGION: target.regions[0]!.region, FLOTILLA_STAGE: target.stageId } : {}) },
    ...(stage ? { envFromCfnOutputs: outputsFor(model, stage) } : {}),
    ...(rolePolicy ? { rolePolicyStatements: rolePolicy } : {}),
  });
}

/**
 * Outputs a step sees as environment variables: those the app declared on its stacks, by their own names, and those the step names. Outputs
 * that constructs add for themselves (the URL of a RestApi, exports) lie deeper and stay out. A name that two stacks share is not handed
 * over by itself.
 */
function outputsFor(model: StepModel, stage: Stage): Record<string, CfnOutput> {
  const declared = stage.node.findAll().filter((construct): construct is CfnOutput => construct instanceof CfnOutput && Stack.isStack(construct.node.scope) && /^[A-Za-z_]\w*$/.test(construct.node.id));
  const found: Record<string, CfnOutput> = Object.fromEntries(declared.filter(({ node }) => declared.filter((other) => other.node.id === node.id).length === 1).map((output) => [output.node.id, output]));
  for (const [variable, path] of Object.entries(model.outputs)) {
    const output = declared.find(({ node }) => path === `${node.scope!.node.id}.${node.id}`);
    if (!output)
      throw new FlotillaError('CDK011', `step '${model.name}' asks for the output '${path}', which stage ${stage.node.id} doesn't have`, {
        why: `its stacks declare ${declared.length === 0 ? 'no outputs' : declared.map(({ node }) => `${node.scope!.node.id}.${node.id}`).join(', ')}`,
        fix: 'declare it: new CfnOutput(stack, NAME, { value })',
        exitCode: 2,
      });
    found[variable] = output;
  }
  return found;
}

/** A manual approval; one with an expiry of its own is an action that CDK's step can't express. */
export function approvalStep(stack: Stack, approval: Approval): Step {
  const notificationTopic = approval.notify ? Topic.fromTopicArn(stack, `ApprovalTopic-${approval.environment}-${approval.name}`, approval.notify) : undefined;
  const comment = approval.comment ?? `Deploy #{codepipeline.PipelineExecutionId} to ${approval.environment}?`;
  if (approval.timeout === undefined) return new ManualApprovalStep(approval.name, { comment, ...(notificationTopic ? { notificationTopic } : {}) });
  return new ExpiringApproval(approval.name, { additionalInformation: comment, timeout: Duration.minutes(approval.timeout), ...(notificationTopic ? { notificationTopic } : {}) });
}

class ExpiringApproval extends Step {
  constructor(
    id: string,
    private readonly settings: { readonly additionalInformation: string; readonly timeout: Duration; readonly notificationTopic?: ReturnType<typeof Topic.fromTopicArn> },
  ) {
    super(id);
  }

  produceAction(stage: IStage, { actionName, runOrder }: ProduceActionOptions): CodePipelineActionFactoryResult {
    stage.addAction(new ManualApprovalAction({ ...this.settings, actionName, runOrder }));
    return { runOrdersConsumed: 1 };
  }
}
