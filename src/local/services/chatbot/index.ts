import { parseArn } from '../../kernel/arn.js';
import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Authorization, RequestContext, Service } from '../../kernel/service.js';
import type * as Chatbot from '../../models/types/chatbot.js';
import { GLOBAL, table, type Table } from '../../state/state.js';

/** A Slack channel with its topics; Chatbot knows no regions. */
const channelTable = table<Chatbot.SlackChannelConfiguration & { Tags: { TagKey: string; TagValue: string }[] }>('chatbot', 'slack');
const channels = (context: RequestContext): Table<Chatbot.SlackChannelConfiguration & { Tags: { TagKey: string; TagValue: string }[] }> => channelTable(context.state, context.account, GLOBAL);

/** Where SNS sends what is for a chat channel. */
const ENDPOINT = 'https://global.sns-api.chatbot.amazonaws.com';

const onConfiguration: Authorization = { resource: '{ChatConfigurationArn}' };
const onTagged: Authorization = { resource: '{ResourceARN}' };

/** AWS Chatbot (Amazon Q Developer in chat applications): Slack channels; their messages land in the inbox. Other chat programs are refused by name. */
export const chatbot: Service = {
  name: 'chatbot',
  operations: {
    CreateSlackChannelConfiguration: create,
    UpdateSlackChannelConfiguration: update,
    DeleteSlackChannelConfiguration: remove,
    DescribeSlackChannelConfigurations: (input: Chatbot.DescribeSlackChannelConfigurationsRequest, context: RequestContext) => ({
      SlackChannelConfigurations: input.ChatConfigurationArn ? [find(input.ChatConfigurationArn, context)] : channels(context).list(),
    }),
    TagResource: (input: { ResourceARN: string; Tags: { TagKey: string; TagValue: string }[] }, context: RequestContext) => {
      const keys = input.Tags.map(({ TagKey }) => TagKey);
      return retag(input.ResourceARN, (tags) => [...tags.filter(({ TagKey }) => !keys.includes(TagKey)), ...input.Tags], context);
    },
    UntagResource: (input: Chatbot.UntagResourceRequest, context: RequestContext) => retag(input.ResourceARN, (tags) => tags.filter(({ TagKey }) => !input.TagKeys.includes(TagKey)), context),
    ListTagsForResource: (input: Chatbot.ListTagsForResourceRequest, context: RequestContext) => ({ Tags: find(input.ResourceARN, context).Tags }),
  },
  internal: { ReceiveMessage: receive },
  authorization: {
    CreateSlackChannelConfiguration: {},
    UpdateSlackChannelConfiguration: onConfiguration,
    DeleteSlackChannelConfiguration: onConfiguration,
    DescribeSlackChannelConfigurations: {},
    TagResource: onTagged,
    UntagResource: onTagged,
    ListTagsForResource: onTagged,
    // From SNS and the notifications service, for the account's own channels.
    ReceiveMessage: 'none',
  },
  resourceTags: (arn, context) => {
    const found = channels(context).get(nameOf(arn));
    return found && Object.fromEntries(found.Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
  },
};

const nameOf = (arn: string): string => arn.split('/').at(-1) ?? '';

function find(arn: string, context: RequestContext): Chatbot.SlackChannelConfiguration & { Tags: { TagKey: string; TagValue: string }[] } {
  const found = channels(context).get(nameOf(arn));
  if (!found || found.ChatConfigurationArn !== arn) throw new AwsError('ResourceNotFoundException', `Could not find the configuration ${arn}`, { status: 404 });
  return found;
}

async function create(input: Chatbot.CreateSlackChannelConfigurationRequest, context: RequestContext): Promise<Chatbot.CreateSlackChannelConfigurationResult> {
  if (channels(context).get(input.ConfigurationName)) throw new AwsError('ConflictException', `Configuration with name ${input.ConfigurationName} already exists`, { status: 409 });
  context.authorize('iam:PassRole', input.IamRoleArn, { 'iam:PassedToService': 'chatbot.amazonaws.com' });
  const configuration = {
    SlackTeamName: input.SlackTeamId, SlackTeamId: input.SlackTeamId, SlackChannelId: input.SlackChannelId, SlackChannelName: input.SlackChannelName ?? input.SlackChannelId, IamRoleArn: input.IamRoleArn,
    ChatConfigurationArn: `arn:aws:chatbot::${context.account}:chat-configuration/slack-channel/${input.ConfigurationName}`, SnsTopicArns: input.SnsTopicArns ?? [], ConfigurationName: input.ConfigurationName,
    LoggingLevel: input.LoggingLevel ?? 'NONE', GuardrailPolicyArns: input.GuardrailPolicyArns ?? ['arn:aws:iam::aws:policy/AdministratorAccess'], UserAuthorizationRequired: input.UserAuthorizationRequired ?? false,
    Tags: (input.Tags ?? []) as unknown as { TagKey: string; TagValue: string }[], State: 'ENABLED',
  };
  for (const topic of configuration.SnsTopicArns) await subscribe(topic, context);
  channels(context).put(input.ConfigurationName, configuration);
  return { ChannelConfiguration: configuration as Chatbot.SlackChannelConfiguration };
}

async function subscribe(topic: string, context: RequestContext): Promise<void> {
  const region = parseArn(topic)?.region;
  if (!region) throw new AwsError('InvalidParameterException', `Invalid SNS topic ARN: ${topic}`, { status: 400 });
  await context.onBehalf.in(region).call('sns', 'Subscribe', { TopicArn: topic, Protocol: 'https', Endpoint: ENDPOINT });
}

async function update(input: Chatbot.UpdateSlackChannelConfigurationRequest, context: RequestContext): Promise<Chatbot.UpdateSlackChannelConfigurationResult> {
  const before = find(input.ChatConfigurationArn, context);
  const { ChatConfigurationArn: _, ...given } = input;
  for (const topic of input.SnsTopicArns ?? []) if (!before.SnsTopicArns.includes(topic)) await subscribe(topic, context);
  const changed = { ...before, ...given };
  channels(context).put(before.ConfigurationName!, changed);
  return { ChannelConfiguration: changed };
}

async function remove(input: Chatbot.DeleteSlackChannelConfigurationRequest, context: RequestContext): Promise<Record<string, never>> {
  const { ConfigurationName, SnsTopicArns } = find(input.ChatConfigurationArn, context);
  channels(context).delete(ConfigurationName!);
  for (const topic of SnsTopicArns) if (!channels(context).list().some((other) => other.SnsTopicArns.includes(topic))) await unsubscribe(topic, context);
  return {};
}

async function unsubscribe(TopicArn: string, context: RequestContext): Promise<void> {
  const client = context.onBehalf.in(parseArn(TopicArn)!.region);
  try {
    const { Subscriptions = [] } = await client.call<{ Subscriptions?: { SubscriptionArn: string; Endpoint: string }[] }>('sns', 'ListSubscriptionsByTopic', { TopicArn });
    for (const { SubscriptionArn, Endpoint } of Subscriptions) if (Endpoint === ENDPOINT && SubscriptionArn.startsWith('arn:')) await client.call('sns', 'Unsubscribe', { SubscriptionArn });
  } catch (error) {
    // The topic may be gone already, or not the caller's to ask: the subscription is no harm.
    if (!isAwsError(error)) throw error;
  }
}

function retag(arn: string, change: (tags: { TagKey: string; TagValue: string }[]) => { TagKey: string; TagValue: string }[], context: RequestContext): Record<string, never> {
  const before = find(arn, context);
  channels(context).put(before.ConfigurationName!, { ...before, Tags: change(before.Tags) });
  return {};
}

/** A message for a channel named by its ARN, or for all channels that follow a topic. */
function receive(input: { topicArn?: string; configurationArn?: string; subject?: string; message: string }, context: RequestContext): Record<string, never> {
  for (const channel of channels(context).list()) {
    if (input.configurationArn ? channel.ChatConfigurationArn !== input.configurationArn : !channel.SnsTopicArns.includes(input.topicArn ?? '')) continue;
    context.runtime.deliver({
      channel: 'slack', to: `${channel.SlackTeamId}/${channel.SlackChannelId}`, from: channel.ConfigurationName!, account: context.account, region: context.region, ...(input.subject ? { subject: input.subject } : {}), body: input.message,
    });
  }
  return {};
}
