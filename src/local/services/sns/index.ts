import type { AuthorizationRule, RequestContext, Service } from '../../kernel/service.js';
import type * as Sns from '../../models/types/sns.js';
import { addPermission, removePermission } from './permissions.js';
import { publish, publishBatch } from './publish.js';
import { serveCertificate } from './signing.js';
import { smsAttributes, topicArn, topics } from './store.js';
import * as subscribing from './subscriptions.js';
import * as topic from './topics.js';

/** Amazon SNS: topics, subscriptions with filters, and delivery to queues, functions and the inbox. */
export const sns: Service = {
  name: 'sns',
  operations: {
    CreateTopic: topic.createTopic,
    DeleteTopic: topic.deleteTopic,
    ListTopics: topic.listTopics,
    GetTopicAttributes: topic.getTopicAttributes,
    SetTopicAttributes: topic.setTopicAttributes,
    TagResource: topic.tagResource,
    UntagResource: topic.untagResource,
    ListTagsForResource: topic.listTagsForResource,
    AddPermission: addPermission,
    RemovePermission: removePermission,
    Subscribe: subscribing.subscribe,
    ConfirmSubscription: subscribing.confirmSubscription,
    Unsubscribe: subscribing.unsubscribe,
    GetSubscriptionAttributes: subscribing.getSubscriptionAttributes,
    SetSubscriptionAttributes: subscribing.setSubscriptionAttributes,
    ListSubscriptions: subscribing.listSubscriptions,
    ListSubscriptionsByTopic: subscribing.listSubscriptionsByTopic,
    Publish: publish,
    PublishBatch: publishBatch,
    // No topic has one: the local cloud doesn't take any.
    GetDataProtectionPolicy: () => ({}),
    GetSMSAttributes: (input: Sns.GetSMSAttributesInput, context: RequestContext) => {
      const set = smsAttributes(context.state, context.account, context.region).get('attributes') ?? {};
      return { attributes: input.attributes === undefined ? set : Object.fromEntries(Object.entries(set).filter(([name]) => input.attributes!.includes(name))) };
    },
    SetSMSAttributes: (input: Sns.SetSMSAttributesInput, context: RequestContext) => {
      const all = smsAttributes(context.state, context.account, context.region);
      all.put('attributes', { ...all.get('attributes'), ...input.attributes });
      return {};
    },
  },
  authorization: {
    CreateTopic: { resource: (input: { Name: string }, context) => topicArn({ name: input.Name, account: context.account, region: context.region }) },
    ListTopics: {},
    ListSubscriptions: {},
    GetSMSAttributes: {},
    SetSMSAttributes: {},
    ...Object.fromEntries(['DeleteTopic', 'GetTopicAttributes', 'SetTopicAttributes', 'AddPermission', 'RemovePermission', 'ConfirmSubscription', 'ListSubscriptionsByTopic'].map((name) => [name, onTopic('TopicArn')])),
    ...Object.fromEntries(['TagResource', 'UntagResource', 'ListTagsForResource', 'GetDataProtectionPolicy'].map((name) => [name, onTopic('ResourceArn')])),
    ...Object.fromEntries(['Unsubscribe', 'GetSubscriptionAttributes', 'SetSubscriptionAttributes'].map((name) => [name, { resource: (input: { SubscriptionArn: string }) => subscribing.topicOfSubscription(input.SubscriptionArn), context: owner }])),
    Subscribe: {
      resource: (input: Sns.SubscribeInput) => arnOr(input.TopicArn),
      context: (input: Sns.SubscribeInput, context) => ({ ...owner(input, context), 'sns:Endpoint': input.Endpoint, 'sns:Protocol': input.Protocol }),
    },
    Publish: { resource: (input: Sns.PublishInput) => arnOr(input.TopicArn ?? input.TargetArn), context: owner },
    PublishBatch: { ...onTopic('TopicArn'), action: 'sns:Publish' },
  },
  resourcePolicy: (arn, context) => {
    const [, , , region = '', account = '', name = ''] = arn.split(':');
    const document = name === '' ? undefined : topics(context.state, account, region).get(name)?.policy;
    return document === undefined ? undefined : { document, kind: 'resource' };
  },
  resourceTags: (arn, context) => {
    const [, , , region = '', account = '', name = ''] = arn.split(':');
    return name === '' ? undefined : topics(context.state, account, region).get(name)?.tags;
  },
  http: serveCertificate,
};

function onTopic(member: string): AuthorizationRule<Record<string, unknown>> {
  return { resource: (input) => arnOr(input[member]), context: owner };
}

const arnOr = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : '*');

/**
 * `AWS:SourceOwner`, the account somebody publishes for: the caller's own. Of services acting in their own name only CloudWatch's alarms come
 * with it, which is why they reach a topic with the default policy and others need a statement of their own.
 */
function owner(_: unknown, { principal }: RequestContext): Record<string, string> {
  return principal.kind === 'service' && principal.service !== 'cloudwatch.amazonaws.com' ? {} : { 'aws:SourceOwner': principal.account };
}
