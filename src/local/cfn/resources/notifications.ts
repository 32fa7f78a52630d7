import { sameJson, type Json } from '../json.js';
import type { Tag } from '../store/records.js';
import { ignoring } from './failure.js';
import type { ResourceProvider } from './provider.js';

const GONE = ['ResourceNotFoundException'];

interface RuleProperties {
  readonly Tags?: Readonly<Record<string, string>>;
  readonly EventTypeId?: string;
  readonly EventTypeIds?: readonly string[];
  readonly TargetAddress?: string;
  readonly CreatedBy?: string;
  readonly [name: string]: unknown;
}

const notificationRule: ResourceProvider<RuleProperties> = {
  type: 'AWS::CodeStarNotifications::NotificationRule',
  async create({ Tags, EventTypeId: _, TargetAddress: _t, CreatedBy: _c, ...properties }, context) {
    const tags = Object.fromEntries(context.tags(Tags ?? {}).map(({ Key, Value }) => [Key, Value]));
    const { Arn } = await context.client.call<{ Arn: string }>('codestar-notifications', 'CreateNotificationRule', { ...properties, ClientRequestToken: context.token, Tags: tags });
    return { physicalId: Arn, attributes: { Arn } };
  },
  async update(Arn, _before, { Tags: _tags, EventTypeId: _, TargetAddress: _t, CreatedBy: _c, Resource: _r, ...properties }, context) {
    await context.client.call('codestar-notifications', 'UpdateNotificationRule', { Arn, ...properties });
    return { physicalId: Arn, attributes: { Arn } };
  },
  async delete(Arn, _properties, context) {
    await ignoring(GONE, context.client.call('codestar-notifications', 'DeleteNotificationRule', { Arn }));
  },
};

interface SlackProperties {
  readonly SlackWorkspaceId: string;
  readonly SlackChannelId: string;
  readonly ConfigurationName: string;
  readonly GuardrailPolicies?: readonly string[];
  readonly UserRoleRequired?: boolean;
  readonly Tags?: readonly Tag[];
  readonly [name: string]: unknown;
}

function slackInput({ GuardrailPolicies, UserRoleRequired, SlackWorkspaceId: _w, Tags: _t, CustomizationResourceArns: _c, ...rest }: SlackProperties): Record<string, unknown> {
  return { ...rest, ...(GuardrailPolicies ? { GuardrailPolicyArns: GuardrailPolicies } : {}), ...(UserRoleRequired === undefined ? {} : { UserAuthorizationRequired: UserRoleRequired }) };
}

const slackChannel: ResourceProvider<SlackProperties> = {
  type: 'AWS::Chatbot::SlackChannelConfiguration',
  async create(properties, context) {
    const { ChannelConfiguration } = await context.client.call<{ ChannelConfiguration: { ChatConfigurationArn: string } }>('chatbot', 'CreateSlackChannelConfiguration', {
      ...slackInput(properties), SlackTeamId: properties.SlackWorkspaceId, Tags: context.tags(properties.Tags).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
    });
    const Arn = ChannelConfiguration.ChatConfigurationArn;
    return { physicalId: Arn, attributes: { Arn } };
  },
  async update(Arn, before, after, context) {
    const { ConfigurationName: _, ...changed } = slackInput(after);
    if (!sameJson(slackInput(before) as Json, slackInput(after) as Json)) await context.client.call('chatbot', 'UpdateSlackChannelConfiguration', { ChatConfigurationArn: Arn, ...changed });
    return { physicalId: Arn, attributes: { Arn } };
  },
  async delete(Arn, _properties, context) {
    await ignoring(GONE, context.client.call('chatbot', 'DeleteSlackChannelConfiguration', { ChatConfigurationArn: Arn }));
  },
};

/** AWS::CodeStarNotifications::*, AWS::Chatbot::*. */
export const notifications: readonly ResourceProvider[] = [notificationRule, slackChannel];
