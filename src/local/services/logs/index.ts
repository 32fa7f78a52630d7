import { parseArn } from '../../kernel/arn.js';
import type { AuthorizationRule, RequestContext, Service } from '../../kernel/service.js';
import { filterLogEvents, getLogEvents, putLogEvents } from './events.js';
import * as group from './groups.js';
import * as metric from './metric-filters.js';
import * as policy from './resource-policies.js';
import { groupArn, groups, parseGroup } from './store.js';
import * as subscription from './subscriptions.js';

/** Amazon CloudWatch Logs. */
export const logs: Service = {
  name: 'logs',
  operations: {
    CreateLogGroup: group.createLogGroup,
    DeleteLogGroup: group.deleteLogGroup,
    DescribeLogGroups: group.describeLogGroups,
    ListLogGroups: group.listLogGroups,
    PutRetentionPolicy: group.putRetentionPolicy,
    DeleteRetentionPolicy: group.deleteRetentionPolicy,
    PutLogGroupDeletionProtection: group.putLogGroupDeletionProtection,
    AssociateKmsKey: group.associateKmsKey,
    DisassociateKmsKey: group.disassociateKmsKey,
    CreateLogStream: group.createLogStream,
    DeleteLogStream: group.deleteLogStream,
    DescribeLogStreams: group.describeLogStreams,
    TagLogGroup: group.tagLogGroup,
    UntagLogGroup: group.untagLogGroup,
    ListTagsLogGroup: group.listTagsLogGroup,
    TagResource: group.tagResource,
    UntagResource: group.untagResource,
    ListTagsForResource: group.listTagsForResource,
    PutLogEvents: putLogEvents,
    GetLogEvents: getLogEvents,
    FilterLogEvents: filterLogEvents,
    PutSubscriptionFilter: subscription.putSubscriptionFilter,
    DeleteSubscriptionFilter: subscription.deleteSubscriptionFilter,
    DescribeSubscriptionFilters: subscription.describeSubscriptionFilters,
    PutMetricFilter: metric.putMetricFilter,
    DeleteMetricFilter: metric.deleteMetricFilter,
    DescribeMetricFilters: metric.describeMetricFilters,
    TestMetricFilter: metric.testMetricFilter,
    PutResourcePolicy: policy.putResourcePolicy,
    DeleteResourcePolicy: policy.deleteResourcePolicy,
    DescribeResourcePolicies: policy.describeResourcePolicies,
  },
  authorization: {
    DescribeLogGroups: { resource: 'arn:{partition}:logs:{region}:{account}:log-group::log-stream:' },
    ListLogGroups: { resource: 'arn:{partition}:logs:{region}:{account}:log-group::log-stream:' },
    CreateLogGroup: onGroup(),
    ...Object.fromEntries(
      [
        'DeleteLogGroup', 'PutRetentionPolicy', 'DeleteRetentionPolicy', 'PutLogGroupDeletionProtection', 'AssociateKmsKey', 'DisassociateKmsKey', 'DescribeLogStreams', 'FilterLogEvents', 'TagLogGroup', 'UntagLogGroup',
        'ListTagsLogGroup', 'PutSubscriptionFilter', 'DeleteSubscriptionFilter', 'DescribeSubscriptionFilters', 'PutMetricFilter', 'DeleteMetricFilter', 'DescribeMetricFilters',
      ].map((operation) => [operation, onGroup()]),
    ),
    ...Object.fromEntries(['CreateLogStream', 'DeleteLogStream', 'PutLogEvents', 'GetLogEvents'].map((operation) => [operation, onStream()])),
    ...Object.fromEntries(['TagResource', 'UntagResource', 'ListTagsForResource'].map((operation) => [operation, { resource: (input: { resourceArn: string }) => input.resourceArn }])),
    TestMetricFilter: {},
    PutResourcePolicy: {},
    DeleteResourcePolicy: {},
    DescribeResourcePolicies: {},
  },
  resourcePolicy: (arn, context) => {
    const parts = parseArn(arn);
    return parts?.resource.startsWith('log-group:') ? policy.policyOf(parts.account, context) : undefined;
  },
  resourceTags: (arn, context) => {
    const parts = parseArn(arn);
    return parts?.resource.startsWith('log-group:') ? groups(context.state, parts.account, context.region).get(parseGroup(arn, context).name)?.tags : undefined;
  },
};

type Input = Record<string, string | undefined>;

/**
 * What is asked of a group is asked of `log-group:NAME:log-stream:`, which `log-group:NAME:*` covers and `log-group:NAME` doesn't
 * (Service Authorization Reference: "the trailing :* is required except for the tagging actions").
 */
function onGroup(): AuthorizationRule<Input> {
  return { resource: (input, context) => `${arnOfGroup(input, context)}:log-stream:` };
}

function onStream(): AuthorizationRule<Input> {
  return { resource: (input, context) => `${arnOfGroup(input, context)}:log-stream:${input['logStreamName'] ?? ''}` };
}

function arnOfGroup(input: Input, context: RequestContext): string {
  const identifier = input['logGroupName'] ?? input['logGroupIdentifier'] ?? input['resourceIdentifier'] ?? '';
  return groupArn({ ...parseGroup(identifier, context), region: context.region });
}
