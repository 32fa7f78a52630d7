import { Annotations, type Stack } from 'aws-cdk-lib';
import { SlackChannelConfiguration } from 'aws-cdk-lib/aws-chatbot';
import { PipelineNotificationEvents, type Pipeline as CodePipelineResource } from 'aws-cdk-lib/aws-codepipeline';
import type { INotificationRuleTarget } from 'aws-cdk-lib/aws-codestarnotifications';
import { Topic, type ITopic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { PipelineEvent } from '../config/index.js';
import type { Pipeline } from '../fleet/index.js';

const EVENTS: Readonly<Record<PipelineEvent, PipelineNotificationEvents>> = {
  started: PipelineNotificationEvents.PIPELINE_EXECUTION_STARTED,
  succeeded: PipelineNotificationEvents.PIPELINE_EXECUTION_SUCCEEDED,
  failed: PipelineNotificationEvents.PIPELINE_EXECUTION_FAILED,
  canceled: PipelineNotificationEvents.PIPELINE_EXECUTION_CANCELED,
  superseded: PipelineNotificationEvents.PIPELINE_EXECUTION_SUPERSEDED,
  resumed: PipelineNotificationEvents.PIPELINE_EXECUTION_RESUMED,
  'approval-needed': PipelineNotificationEvents.MANUAL_APPROVAL_NEEDED,
  'approval-failed': PipelineNotificationEvents.MANUAL_APPROVAL_FAILED,
  'approval-succeeded': PipelineNotificationEvents.MANUAL_APPROVAL_SUCCEEDED,
  'action-failed': PipelineNotificationEvents.ACTION_EXECUTION_FAILED,
  'stage-failed': PipelineNotificationEvents.STAGE_EXECUTION_FAILED,
};

/** A topic, its e-mail subscribers, a Slack channel, and the rule that tells them of the pipeline's events. */
export function addNotifications(stack: Stack, resource: CodePipelineResource, pipeline: Pipeline): void {
  const { notify } = pipeline;
  if (!notify || !(notify.email ?? notify.topic ?? notify.slack)) return;
  const targets: INotificationRuleTarget[] = [];
  if (notify.topic || notify.email) {
    const topic = notify.topic ? Topic.fromTopicArn(stack, 'UpdatesTopic', notify.topic) : new Topic(stack, 'UpdatesTopic', { displayName: `Pipeline ${pipeline.name}`, enforceSSL: true });
    for (const address of notify.email ?? []) topic.addSubscription(new EmailSubscription(address));
    targets.push(topic);
    if (notify.topic) warnAboutPolicy(stack, notify.topic);
  }
  if (notify.slack) {
    targets.push(slackChannel(stack, notify.slack, pipeline.name));
  }
  const events = (notify.events ?? ['failed', 'succeeded', 'approval-needed']).map((event) => EVENTS[event]);
  const [first, ...others] = targets;
  const rule = resource.notifyOn('Notifications', first!, { events, notificationRuleName: `${pipeline.name}-updates` });
  for (const target of others) rule.addTarget(target);
}

/**
 * A topic that exists is let in by its own policy, which CDK can't write: without the statement the rule is made and nothing arrives
 * (Developer Tools console user guide, "Configure Amazon SNS topics for notifications").
 */
function warnAboutPolicy(stack: Stack, topic: string): void {
  const statement = { Effect: 'Allow', Principal: { Service: 'codestar-notifications.amazonaws.com' }, Action: 'sns:Publish', Resource: topic, Condition: { StringEquals: { 'aws:SourceAccount': stack.account } } };
  Annotations.of(stack).addWarningV2(`flotilla:topic-policy:${topic}`, `notify: { topic } hears of the pipeline once its policy has the statement ${JSON.stringify(statement)}`);
}

function slackChannel(stack: Stack, slack: NonNullable<NonNullable<Pipeline['notify']>['slack']>, pipeline: string): INotificationRuleTarget {
  if ('configuration' in slack) return SlackChannelConfiguration.fromSlackChannelConfigurationArn(stack, 'Slack', slack.configuration);
  const { workspace, channel, name = `${pipeline}-${channel}` } = slack;
  return new SlackChannelConfiguration(stack, 'Slack', { slackChannelConfigurationName: name, slackWorkspaceId: workspace, slackChannelId: channel });
}

/** Where a permissions gate says what it found: a topic of the file's, or one of the pipeline's own. */
export function securityTopic(stack: Stack, pipeline: Pipeline, named: string | undefined): ITopic {
  const arn = named ?? pipeline.notify?.security;
  if (arn) return (stack.node.tryFindChild(`SecurityTopic-${arn}`) as ITopic | undefined) ?? Topic.fromTopicArn(stack, `SecurityTopic-${arn}`, arn);
  const own = stack.node.tryFindChild('SecurityChangesTopic') as Topic | undefined;
  if (own) return own;
  const topic = new Topic(stack, 'SecurityChangesTopic', { displayName: `Security changes of ${pipeline.name}`, enforceSSL: true });
  for (const address of pipeline.notify?.email ?? []) topic.addSubscription(new EmailSubscription(address));
  return topic;
}
