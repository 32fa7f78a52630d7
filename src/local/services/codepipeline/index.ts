import { AwsError } from '../../kernel/error.js';
import type { Authorization, RequestContext, Service } from '../../kernel/service.js';
import type * as CodePipeline from '../../models/types/codepipeline.js';
import { providers } from '../../pipeline/providers.js';
import { changeTags, createPipeline, deletePipeline, getPipeline, listPipelines, pipelineArn, pipelineOf, setTransition, updatePipeline } from './definitions.js';
import { engineOf, startEngine } from './engine.js';
import { getPipelineExecution, getPipelineState, jobOf, listActionExecutions, listPipelineExecutions, putApprovalResult, putJobResult, retryStageExecution, startPipelineExecution, stopPipelineExecution } from './executions.js';
import { deleteWebhook, listWebhooks, putWebhook, registerWebhook, sourceChanged } from './triggers.js';

/** AWS CodePipeline. */
export const codepipeline: Service = {
  name: 'codepipeline',
  operations: {
    CreatePipeline: createPipeline,
    UpdatePipeline: updatePipeline,
    GetPipeline: getPipeline,
    ListPipelines: listPipelines,
    DeletePipeline: deletePipeline,
    EnableStageTransition: (input: Parameters<typeof setTransition>[0], context: RequestContext) => setTransition(input, context, true),
    DisableStageTransition: (input: Parameters<typeof setTransition>[0], context: RequestContext) => setTransition(input, context, false),
    StartPipelineExecution: startPipelineExecution,
    StopPipelineExecution: stopPipelineExecution,
    RetryStageExecution: retryStageExecution,
    PutApprovalResult: putApprovalResult,
    GetPipelineExecution: getPipelineExecution,
    ListPipelineExecutions: listPipelineExecutions,
    GetPipelineState: getPipelineState,
    ListActionExecutions: listActionExecutions,
    PutJobSuccessResult: (input: CodePipeline.PutJobSuccessResultInput, context: RequestContext) =>
      putJobResult(input.jobId, { status: 'Succeeded', summary: input.executionDetails?.summary, external: { id: input.executionDetails?.externalExecutionId ?? input.jobId }, variables: input.outputVariables ?? {} }, context),
    PutJobFailureResult: (input: CodePipeline.PutJobFailureResultInput, context: RequestContext) =>
      putJobResult(input.jobId, { status: 'Failed', summary: input.failureDetails.message, error: { code: input.failureDetails.type, message: input.failureDetails.message } }, context),
    GetJobDetails: (input: { jobId: string }, context: RequestContext) => {
      const { execution, action } = jobOf(input.jobId, context);
      return { jobDetails: { id: input.jobId, accountId: execution.account, data: { actionConfiguration: { configuration: { ...action.resolved } }, pipelineContext: { pipelineName: execution.pipeline, stage: { name: execution.stages[execution.stage]!.name }, action: { name: action.name, actionExecutionId: action.id }, pipelineExecutionId: execution.id } } } };
    },
    PutWebhook: putWebhook,
    ListWebhooks: listWebhooks,
    DeleteWebhook: deleteWebhook,
    RegisterWebhookWithThirdParty: (input: { webhookName?: string }, context: RequestContext) => registerWebhook(input, context, true),
    DeregisterWebhookWithThirdParty: (input: { webhookName?: string }, context: RequestContext) => registerWebhook(input, context, false),
    ListActionTypes: () => ({
      actionTypes: providers().map(({ category, owner, provider, inputs, outputs, required, optional, secret }) => ({
        id: { category: category as never, owner: owner as never, provider, version: '1' },
        actionConfigurationProperties: [...required, ...optional].map((name) => ({ name, required: required.includes(name), key: false, secret: secret?.includes(name) ?? false })),
        inputArtifactDetails: { minimumCount: inputs[0], maximumCount: inputs[1] },
        outputArtifactDetails: { minimumCount: outputs[0], maximumCount: outputs[1] },
      })),
    }),
    TagResource: (input: CodePipeline.TagResourceInput, context: RequestContext) => changeTags(input.resourceArn, (tags) => ({ ...tags, ...Object.fromEntries(input.tags.map(({ key, value }) => [key, value])) }), context),
    UntagResource: (input: CodePipeline.UntagResourceInput, context: RequestContext) => changeTags(input.resourceArn, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !input.tagKeys.includes(key))), context),
    ListTagsForResource: (input: CodePipeline.ListTagsForResourceInput, context: RequestContext) => ({ tags: Object.entries(pipelineOf(nameOf(input.resourceArn), context).tags).map(([key, value]) => ({ key, value })) }),
    RollbackStage: () => {
      throw new AwsError('NotImplemented', 'The local cloud does not roll stages back (codepipeline:RollbackStage). Nothing was changed.', { status: 501 });
    },
    OverrideStageCondition: () => {
      throw new AwsError('NotImplemented', 'The local cloud has no stage conditions (codepipeline:OverrideStageCondition). Nothing was changed.', { status: 501 });
    },
  },
  internal: { SourceChanged: sourceChanged },
  authorization: {
    CreatePipeline: { resource: (input: CodePipeline.CreatePipelineInput, context: RequestContext) => pipelineArn(context, input.pipeline.name) },
    UpdatePipeline: { resource: (input: CodePipeline.UpdatePipelineInput, context: RequestContext) => pipelineArn(context, input.pipeline.name) },
    GetPipeline: onName('name'),
    GetPipelineState: onName('name'),
    DeletePipeline: onName('name'),
    StartPipelineExecution: onName('name'),
    ListPipelines: {},
    ListActionTypes: {},
    EnableStageTransition: onStage('pipelineName'),
    DisableStageTransition: onStage('pipelineName'),
    StopPipelineExecution: onName('pipelineName'),
    RetryStageExecution: onStage('pipelineName'),
    RollbackStage: onStage('pipelineName'),
    OverrideStageCondition: onStage('pipelineName'),
    PutApprovalResult: { resource: (input: CodePipeline.PutApprovalResultInput, context: RequestContext) => `${pipelineArn(context, input.pipelineName)}/${input.stageName}/${input.actionName}` },
    GetPipelineExecution: onName('pipelineName'),
    ListPipelineExecutions: onName('pipelineName'),
    ListActionExecutions: onName('pipelineName'),
    PutJobSuccessResult: {},
    PutJobFailureResult: {},
    GetJobDetails: {},
    PutWebhook: [{ resource: (input: CodePipeline.PutWebhookInput, context: RequestContext) => webhookArn(context, input.webhook.name) }, { resource: (input: CodePipeline.PutWebhookInput, context: RequestContext) => pipelineArn(context, input.webhook.targetPipeline) }],
    ListWebhooks: { resource: (_input: unknown, context: RequestContext) => webhookArn(context, '*') },
    DeleteWebhook: { resource: (input: { name: string }, context: RequestContext) => webhookArn(context, input.name) },
    RegisterWebhookWithThirdParty: { resource: (input: { webhookName?: string }, context: RequestContext) => webhookArn(context, input.webhookName ?? '*') },
    DeregisterWebhookWithThirdParty: { resource: (input: { webhookName?: string }, context: RequestContext) => webhookArn(context, input.webhookName ?? '*') },
    TagResource: { resource: (input: { resourceArn: string }) => input.resourceArn },
    UntagResource: { resource: (input: { resourceArn: string }) => input.resourceArn },
    ListTagsForResource: { resource: (input: { resourceArn: string }) => input.resourceArn },
    SourceChanged: 'none',
  },
  resourceTags: (arn, context) => {
    const [, , , region, account, name] = arn.split(':');
    return name === undefined || name === 'webhook' ? undefined : engineOf(context).store(account!, region!).pipeline(name.split('/')[0]!)?.tags;
  },
  start: startEngine,
};

function nameOf(arn: string): string {
  return arn.split(':').slice(5).join(':');
}

function webhookArn(context: RequestContext, name: string): string {
  return `arn:aws:codepipeline:${context.region}:${context.account}:webhook:${name}`;
}

function onName(member: string): Authorization {
  return { resource: (input: Record<string, string>, context: RequestContext) => pipelineArn(context, input[member] ?? '*') };
}

function onStage(member: string): Authorization {
  return { resource: (input: Record<string, string>, context: RequestContext) => `${pipelineArn(context, input[member] ?? '*')}/${input['stageName'] ?? '*'}` };
}
