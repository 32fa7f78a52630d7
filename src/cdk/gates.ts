import type { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CodeBuildStep, ManualApprovalStep, type IFileSetProducer, type Step } from 'aws-cdk-lib/pipelines';
import type { Pipeline, Target, Wave } from '../fleet/index.js';
import { DEFAULT_QUALIFIER } from '../shared/bootstrap.js';
import { stageName } from './batches.js';
import { securityTopic } from './notifications.js';

/** Name of the approval that a permissions gate asks for; its check approves it where nothing was broadened. */
const CONFIRMATION = 'ConfirmPermissions';

/**
 * The permissions gate of a wave: a check that compares what the targets have with what they would get, beside an approval that it gives
 * itself when no permission is broadened. Both start together, so the check finds its approval waiting; no function is needed between them.
 */
export function permissionsGate(stack: Stack, pipeline: Pipeline, wave: Wave, assembly: IFileSetProducer, program: string): Step[] {
  const targets = wave.targets.filter(({ permissions }) => permissions);
  if (targets.length === 0) return [];
  const gates = targets.map(({ permissions }) => permissions!);
  const asks = gates.some(({ approve }) => approve);
  const topic = securityTopic(stack, pipeline, gates.find(({ notify }) => notify)?.notify);
  const check = new CodeBuildStep('CheckPermissions', {
    input: assembly,
    commands: [`node ${program} permissions ${targets.map(({ stageId }) => stageId).join(' ')}`],
    env: {
      PIPELINE: pipeline.name,
      PIPELINE_STAGE: stageName(wave),
      EXECUTION: '#{codepipeline.PipelineExecutionId}',
      TOPIC: topic.topicArn,
      ...(asks ? { APPROVAL: CONFIRMATION } : {}),
    },
    rolePolicyStatements: [
      new PolicyStatement({ actions: ['sts:AssumeRole'], resources: roleArns(stack, targets, 'lookup') }),
      new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }),
      ...(asks
        ? [
            new PolicyStatement({ actions: ['codepipeline:GetPipelineState', 'codepipeline:ListActionExecutions'], resources: [pipelineArn(stack, pipeline)] }),
            new PolicyStatement({ actions: ['codepipeline:PutApprovalResult'], resources: [`${pipelineArn(stack, pipeline)}/${stageName(wave)}/${CONFIRMATION}`] }),
          ]
        : []),
    ],
  });
  if (!asks) return [check];
  return [check, new ManualApprovalStep(CONFIRMATION, { comment: 'Approved by CheckPermissions where no permission is broadened; otherwise its log says what is' })];
}

/** Sets termination protection on the stacks of a wave that ask for it: CloudFormation actions of CodePipeline can't. */
export function protectStep(stack: Stack, wave: Wave, assembly: IFileSetProducer, program: string): Step[] {
  const targets = wave.targets.filter(({ terminationProtection }) => terminationProtection);
  if (targets.length === 0) return [];
  return [
    new CodeBuildStep('ProtectStacks', {
      input: assembly,
      commands: [`node ${program} protect ${targets.map(({ stageId }) => stageId).join(' ')}`],
      rolePolicyStatements: [new PolicyStatement({ actions: ['sts:AssumeRole'], resources: roleArns(stack, targets, 'deploy') })],
    }),
  ];
}

/** What the preflight at the end of Synth may do: read every target through its lookup role. */
export function preflightPolicy(stack: Stack, pipeline: Pipeline): PolicyStatement {
  const qualifiers = new Set(pipeline.waves.flatMap(({ targets }) => targets.map(({ bootstrap }) => bootstrap.qualifier ?? DEFAULT_QUALIFIER)));
  return new PolicyStatement({ actions: ['sts:AssumeRole'], resources: [...qualifiers].map((qualifier) => stack.formatArn({ service: 'iam', account: '*', region: '', resource: 'role', resourceName: `cdk-${qualifier}-lookup-role-*` })) });
}

function roleArns(stack: Stack, targets: readonly Target[], role: 'lookup' | 'deploy'): string[] {
  const arns = targets.flatMap(({ account, regions, bootstrap }) => regions.map(({ region }) => stack.formatArn({ service: 'iam', account, region: '', resource: 'role', resourceName: `cdk-${bootstrap.qualifier ?? DEFAULT_QUALIFIER}-${role}-role-${account}-${region}` })));
  return [...new Set(arns)];
}

function pipelineArn(stack: Stack, pipeline: Pipeline): string {
  return stack.formatArn({ service: 'codepipeline', resource: pipeline.name });
}
