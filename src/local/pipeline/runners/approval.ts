import { randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import type { ActionContext, ActionResult, ActionRunner } from '../runner.js';

/**
 * Waits for somebody's PutApprovalResult, which brings the token this attempt was given (user guide, "Add a manual approval action"). The
 * answer itself is written by the service into the attempt's memory; this runner only tells the world that it waits.
 */
export const approval: ActionRunner = {
  types: ['Approval/Manual'],
  async run(context: ActionContext): Promise<ActionResult> {
    const token = (context.memory['token'] as string | undefined) ?? randomUUID();
    if (context.memory['token'] === undefined) context.remember({ token });
    context.announce({ token, ...(context.configuration['CustomData'] ? { summary: context.configuration['CustomData'] } : {}) });
    if (!context.memory['notified']) {
      await notify(context, token);
      context.remember({ notified: true });
    }
    return new Promise(() => {
      // Ends by PutApprovalResult, which finishes the attempt in the store, or by the timeout of the action.
    });
  },
};

/** The message's form is documented: user guide, "JSON data format for manual approval notifications". */
async function notify(context: ActionContext, token: string): Promise<void> {
  const topic = context.configuration['NotificationArn'];
  if (!topic) return;
  const target = parseArn(topic);
  if (!target) throw new AwsError('InvalidParameterValue', `Invalid parameter: NotificationArn '${topic}' is not an ARN`, { status: 400 });
  const { pipeline, stage, declared, execution } = context;
  const started = context.runtime.clock.now();
  const minutes = declared.timeoutInMinutes ?? 7 * 24 * 60;
  const console = `https://${pipeline.region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/${pipeline.name}/view`;
  await context.client.in(target.region).call('sns', 'Publish', {
    TopicArn: topic,
    Subject: `APPROVAL NEEDED: AWS CodePipeline ${pipeline.name} for action ${declared.name}`.slice(0, 100),
    Message: JSON.stringify({
      region: pipeline.region,
      consoleLink: console,
      approval: {
        pipelineName: pipeline.name,
        stageName: stage,
        actionName: declared.name,
        token,
        expires: new Date(started + minutes * 60_000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z'),
        externalEntityLink: context.configuration['ExternalEntityLink'],
        approvalReviewLink: `${console}#/${stage}/${declared.name}/approve/${token}`,
        customData: context.configuration['CustomData'],
        pipelineExecutionId: execution.id,
      },
    }),
  });
}
