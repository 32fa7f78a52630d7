import type { Decision, Reason } from './decide.js';
import type { PolicyType } from './evaluate.js';
import { callerName } from './explanation.js';

export interface MessageOptions {
  /**
   * Whether caller and resource are of one organization, as the accounts of a local cloud are by default. AWS gives the reason only within an
   * account or organization; S3 then says no more than "Access Denied".
   */
  readonly sameOrganization?: boolean;
  /** EC2 appends it to the message of operations that change something. */
  readonly encodedMessage?: string;
}

/**
 * AWS's sentence for a denial, in its documented variants (IAM guide, "Troubleshoot access denied error messages"; AWS security blog,
 * "Enhanced access denied error messages with policy ARNs") and with the service's own peculiarities.
 */
export function denialMessage(decision: Decision, options: MessageOptions = {}): string {
  const { request } = decision;
  const [prefix = '', name = ''] = request.action.split(':');
  const style = STYLES[prefix.toLowerCase()] ?? {};
  const explained = decision.sameAccount || options.sameOrganization !== false;
  if (!explained && style.terseAcross) return style.terseAcross;
  const action = style.action?.(prefix, name) ?? request.action;
  const resource = request.resource === '*' && style.omitStar ? '' : ` on resource: ${style.quoted ? `"${request.resource}"` : request.resource}`;
  const why = explained ? clause(decision, action) : '';
  const sentence = `${style.before ?? ''}User: ${callerName(request.principal)} is not authorized to perform: ${action}${resource}${why}`;
  return options.encodedMessage ? `${sentence}. Encoded authorization failure message: ${options.encodedMessage}` : sentence;
}

/** "with an explicit deny in …" or "because no … allows the … action". */
function clause(decision: Decision, action: string): string {
  const { reason } = decision;
  if (reason.kind === 'allowed') return '';
  if (!decision.sameAccount && action.startsWith('kms:') && reason.type === 'resource-based policy') return KMS_ACROSS;
  if (reason.kind !== 'implicit deny') return ` with an explicit deny in ${ARTICLE[reason.type]} ${reason.type}${policyArn(reason)}`;
  // STS doesn't say that the trust policy is silent: who asks may not know of it.
  if (reason.type === 'role trust policy') return '';
  return ` because no ${reason.type} allows the ${action} action`;
}

/** AWS names the denying policy when it has an ARN; statements of inline and resource policies have none. */
function policyArn(reason: Exclude<Reason, { kind: 'allowed' | 'implicit deny' }>): string {
  return reason.kind === 'explicit deny' && reason.policyArn !== undefined ? `: ${reason.policyArn}` : '';
}

const ARTICLE: Readonly<Record<PolicyType, string>> = {
  'resource control policy': 'a',
  'service control policy': 'a',
  'VPC endpoint policy': 'a',
  'resource-based policy': 'a',
  'role trust policy': 'the',
  'identity-based policy': 'an',
  'permissions boundary': 'a',
  'session policy': 'a',
};

/** KMS doesn't tell strangers whether a key exists. */
const KMS_ACROSS =
  ' because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access';

interface Style {
  /** `on resource: "arn…"`. */
  readonly quoted?: boolean;
  /** Actions without a resource name none, where others say `on resource: *`. */
  readonly omitStar?: boolean;
  readonly before?: string;
  /** The action as this service spells it. */
  readonly action?: (prefix: string, name: string) => string;
  readonly terseAcross?: string;
}

const STYLES: Readonly<Record<string, Style>> = {
  s3: { quoted: true, omitStar: true, terseAcross: 'Access Denied' },
  ec2: { omitStar: true, before: 'You are not authorized to perform this operation. ' },
  sns: { action: (_prefix, name) => `SNS:${name}` },
  sqs: { action: (_prefix, name) => `sqs:${name.toLowerCase()}` },
};

/** The error code a service denies with; `service` is its IAM prefix or the name of its model. */
export function accessDeniedCode(service: string): string {
  if (service === 'ec2') return 'UnauthorizedOperation';
  if (service === 'sns') return 'AuthorizationError';
  return QUERY_OR_XML.has(service) ? 'AccessDenied' : 'AccessDeniedException';
}

/** HTTP status of that error: the JSON protocols answer 400, all others 403. */
export function accessDeniedStatus(service: string): number {
  return service === 'ec2' || service === 'sns' || QUERY_OR_XML.has(service) || REST_JSON.has(service) ? 403 : 400;
}

/** Services of the query and REST-XML protocols; the others speak JSON. */
const QUERY_OR_XML: ReadonlySet<string> = new Set(
  (
    'autoscaling cloudformation cloudfront cloudsearch cloudwatch docdb elasticache elasticbeanstalk elasticloadbalancing iam monitoring neptune rds ' +
    'redshift route53 s3 s3-control s3control sdb ses sqs sts'
  ).split(' '),
);

const REST_JSON: ReadonlySet<string> = new Set(
  (
    'access-analyzer amplify apigateway apigatewayv2 appconfig appsync backup batch cloudcontrol codeartifact codeguru-profiler codestar-connections ' +
    'codestar-notifications efs eks elasticfilesystem execute-api glacier grafana imagebuilder iot kafka lambda macie2 mq opensearch es pipes ' +
    'pricing quicksight ram resource-explorer-2 resource-groups scheduler schemas securityhub signer synthetics wellarchitected workspaces-web xray ' +
    'account bedrock'
  ).split(' '),
);
