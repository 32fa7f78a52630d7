import { randomUUID } from 'node:crypto';
import { arn } from '../../kernel/arn.js';
import { AwsError } from '../../kernel/error.js';
import { GLOBAL, table } from '../../state/state.js';
import { awsManagedPolicy } from './aws-managed.js';
import type { Handlers } from './handlers.js';
import { uniqueId } from './ids.js';
import { removeRole, shortRole, storeRole } from './roles.js';
import { absent, invalid, key, roleOf, rolesOf, type Role } from './store.js';

/** Roles that belong to a service: their name, trust and policy are the service's (IAM guide, "Using service-linked roles"). */

interface Linked {
  /** `AWSServiceRoleFor…`. */
  readonly name: string;
  /** Managed policy under `aws-service-role/`. */
  readonly policy: string;
  /** Whether a custom suffix is allowed. */
  readonly suffix?: boolean;
}

const LINKED: Readonly<Record<string, Linked>> = {
  'autoscaling.amazonaws.com': { name: 'AWSServiceRoleForAutoScaling', policy: 'AutoScalingServiceRolePolicy', suffix: true },
  'ecs.amazonaws.com': { name: 'AWSServiceRoleForECS', policy: 'AmazonECSServiceRolePolicy' },
  'ecs.application-autoscaling.amazonaws.com': { name: 'AWSServiceRoleForApplicationAutoScaling_ECSService', policy: 'AWSApplicationAutoscalingECSServicePolicy' },
  'dynamodb.application-autoscaling.amazonaws.com': {
    name: 'AWSServiceRoleForApplicationAutoScaling_DynamoDBTable',
    policy: 'AWSApplicationAutoscalingDynamoDBTablePolicy',
  },
  'lambda.application-autoscaling.amazonaws.com': {
    name: 'AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency',
    policy: 'AWSApplicationAutoscalingLambdaConcurrencyPolicy',
  },
  'elasticloadbalancing.amazonaws.com': { name: 'AWSServiceRoleForElasticLoadBalancing', policy: 'AWSElasticLoadBalancingServiceRolePolicy' },
  'codestar-notifications.amazonaws.com': { name: 'AWSServiceRoleForCodeStarNotifications', policy: 'AWSCodeStarNotificationsServiceRolePolicy' },
  'ops.apigateway.amazonaws.com': { name: 'AWSServiceRoleForAPIGateway', policy: 'APIGatewayServiceRolePolicy' },
  'eks.amazonaws.com': { name: 'AWSServiceRoleForAmazonEKS', policy: 'AmazonEKSServiceRolePolicy' },
  'eks-nodegroup.amazonaws.com': { name: 'AWSServiceRoleForAmazonEKSNodegroup', policy: 'AWSServiceRoleForAmazonEKSNodegroup' },
  'rds.amazonaws.com': { name: 'AWSServiceRoleForRDS', policy: 'AmazonRDSServiceRolePolicy' },
  'ssm.amazonaws.com': { name: 'AWSServiceRoleForAmazonSSM', policy: 'AmazonSSMServiceRolePolicy' },
  'support.amazonaws.com': { name: 'AWSServiceRoleForSupport', policy: 'AWSSupportServiceRolePolicy' },
  'trustedadvisor.amazonaws.com': { name: 'AWSServiceRoleForTrustedAdvisor', policy: 'AWSTrustedAdvisorServiceRolePolicy' },
  'organizations.amazonaws.com': { name: 'AWSServiceRoleForOrganizations', policy: 'AWSOrganizationsServiceTrustPolicy' },
  'events.amazonaws.com': { name: 'AWSServiceRoleForCloudWatchEvents', policy: 'CloudWatchEventsServiceRolePolicy' },
  'apidestinations.events.amazonaws.com': { name: 'AWSServiceRoleForAmazonEventBridgeApiDestinations', policy: 'AmazonEventBridgeApiDestinationsServiceRolePolicy' },
  'config.amazonaws.com': { name: 'AWSServiceRoleForConfig', policy: 'AWSConfigServiceRolePolicy' },
  'opensearchservice.amazonaws.com': { name: 'AWSServiceRoleForAmazonOpenSearchService', policy: 'AmazonOpenSearchServiceRolePolicy' },
  'management.chatbot.amazonaws.com': { name: 'AWSServiceRoleForAWSChatbot', policy: 'AWSChatbotServiceLinkedRolePolicy' },
};

const deletions = table<{ readonly role: string }>('iam', 'role-deletions');

export const serviceLinkedOperations = {
  CreateServiceLinkedRole: (input, context) => {
    const service = input.AWSServiceName;
    const linked = Object.hasOwn(LINKED, service) ? LINKED[service]! : undefined;
    if (!linked) throw new AwsError('InvalidInput', `Service linked roles of ${service} are not known to the local cloud. Nothing was created.`, { status: 400 });
    if (input.CustomSuffix !== undefined && !linked.suffix) throw new AwsError('InvalidInput', `Custom suffix is not allowed for ${service}`, { status: 400 });
    const name = linkedName(linked, input.CustomSuffix);
    if (rolesOf(context).get(key(name))) {
      throw new AwsError('InvalidInput', `Service role name ${name} has been taken in this account, please try a different suffix.`, { status: 400 });
    }
    const path = `/aws-service-role/${service}/`;
    const policy = awsManagedPolicy(`arn:aws:iam::aws:policy/aws-service-role/${linked.policy}`);
    const role: Role = {
      name,
      path,
      id: uniqueId('AROA'),
      arn: arn('iam', '', context.account, `role${path}${name}`),
      created: context.now().getTime(),
      inline: {},
      attached: policy ? [policy.arn] : [],
      tags: [],
      trust: JSON.stringify({ Version: '2012-10-17', Statement: [{ Action: ['sts:AssumeRole'], Effect: 'Allow', Principal: { Service: [service] } }] }),
      maxSessionDuration: 3600,
      ...(input.Description ? { description: input.Description } : {}),
    };
    storeRole(role, context);
    return { Role: shortRole(role, context) };
  },

  DeleteServiceLinkedRole: (input, context) => {
    const role = roleOf(context, input.RoleName);
    if (!role.path.startsWith('/aws-service-role/')) invalid(`The role ${role.name} is not a service-linked role.`);
    const task = `task${role.path}${role.name}/${randomUUID()}`;
    context.state.transaction(() => {
      removeRole(role, context);
      deletions(context.state, context.account, GLOBAL).put(task, { role: role.name });
    });
    return { DeletionTaskId: task };
  },

  GetServiceLinkedRoleDeletionStatus: (input, context) => {
    if (!deletions(context.state, context.account, GLOBAL).get(input.DeletionTaskId)) absent(`Deletion task ${input.DeletionTaskId} cannot be found.`);
    return { Status: 'SUCCEEDED' };
  },
} satisfies Handlers;

/** Role that a service's CreateServiceLinkedRole would make; undefined for a service the local cloud knows none of. */
export function linkedRoleName(service: string, suffix?: string): string | undefined {
  const linked = Object.hasOwn(LINKED, service) ? LINKED[service]! : undefined;
  return linked && linkedName(linked, suffix);
}

function linkedName(linked: Linked, suffix: string | undefined): string {
  return suffix === undefined ? linked.name : `${linked.name}_${suffix}`;
}
