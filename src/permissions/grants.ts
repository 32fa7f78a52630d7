import type { TemplateResource } from './resolve.js';

/** One thing that somebody may or may not do, as a template says it. */
export interface Grant {
  /** Who or what the statement hangs on: `role Handler`, `trust of Handler`, `policy of Bucket`, `network of Web`, `boundary of Handler`. */
  readonly holder: string;
  readonly effect: 'Allow' | 'Deny';
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Condition block in canonical form; empty for none. */
  readonly condition: string;
  /** Elements that say what is *not* meant (NotAction, NotResource, NotPrincipal), in canonical form. */
  readonly negated: string;
  /** Logical ID of the resource that says it. */
  readonly source: string;
}

interface Statement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
  readonly Condition?: unknown;
}

type Properties = Readonly<Record<string, unknown>>;
type Reader = (id: string, properties: Properties) => Grant[];

/** Everything a template grants, by what grants it. Types that grant nothing of their own are left out. */
export function grantsOf(resources: Readonly<Record<string, TemplateResource>>): Grant[] {
  return Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) => READERS[Type]?.(id, Properties) ?? []);
}

const READERS: Readonly<Record<string, Reader>> = {
  'AWS::IAM::Role': (id, properties) => [...identity('role', id, properties), ...document(`trust of ${id}`, id, properties['AssumeRolePolicyDocument'])],
  'AWS::IAM::User': (id, properties) => identity('user', id, properties),
  'AWS::IAM::Group': (id, properties) => identity('group', id, properties),
  'AWS::IAM::Policy': attached,
  'AWS::IAM::ManagedPolicy': (id, properties) => [...document(`managed policy ${id}`, id, properties['PolicyDocument']), ...attached(id, properties)],
  'AWS::IAM::RolePolicy': (id, properties) => document(`role ${plain(properties['RoleName'])}`, id, properties['PolicyDocument']),
  'AWS::IAM::UserPolicy': (id, properties) => document(`user ${plain(properties['UserName'])}`, id, properties['PolicyDocument']),
  'AWS::IAM::GroupPolicy': (id, properties) => document(`group ${plain(properties['GroupName'])}`, id, properties['PolicyDocument']),
  'AWS::IAM::OIDCProvider': (id, properties) => [grant(`identity provider ${id}`, id, { principals: [text(properties['Url'])], actions: ['sts:AssumeRoleWithWebIdentity'], resources: list(properties['ClientIdList']).map(text) })],
  'AWS::IAM::SAMLProvider': (id) => [grant(`identity provider ${id}`, id, { principals: ['saml'], actions: ['sts:AssumeRoleWithSAML'] })],
  'AWS::S3::BucketPolicy': (id, properties) => document(`policy of ${plain(properties['Bucket'])}`, id, properties['PolicyDocument']),
  'AWS::S3::Bucket': bucket,
  'AWS::SQS::QueuePolicy': (id, properties) => list(properties['Queues']).flatMap((queue) => document(`policy of ${plain(queue)}`, id, properties['PolicyDocument'])),
  'AWS::SNS::TopicPolicy': (id, properties) => list(properties['Topics']).flatMap((topic) => document(`policy of ${plain(topic)}`, id, properties['PolicyDocument'])),
  'AWS::SQS::QueueInlinePolicy': (id, properties) => document(`policy of ${plain(properties['Queue'])}`, id, properties['PolicyDocument']),
  'AWS::SNS::TopicInlinePolicy': (id, properties) => document(`policy of ${plain(properties['TopicArn'])}`, id, properties['PolicyDocument']),
  'AWS::S3::AccessPoint': (id, properties) => document(`policy of ${id}`, id, properties['Policy']),
  'AWS::Events::EventBusPolicy': (id, properties) => document(`policy of ${plain(properties['EventBusName'] ?? 'default')}`, id, properties['Statement'] === undefined ? undefined : { Statement: properties['Statement'] }),
  'AWS::Logs::ResourcePolicy': (id, properties) => document(`policy of ${id}`, id, properties['PolicyDocument']),
  'AWS::DynamoDB::Table': (id, properties) => document(`policy of ${id}`, id, (properties['ResourcePolicy'] as Properties | undefined)?.['PolicyDocument']),
  'AWS::ApiGateway::RestApi': (id, properties) => document(`policy of ${id}`, id, properties['Policy']),
  'AWS::KMS::ReplicaKey': (id, properties) => document(`policy of ${id}`, id, properties['KeyPolicy']),
  'AWS::IAM::UserToGroupAddition': (id, properties) => list(properties['Users']).map((user) => grant(`user ${plain(user)}`, id, { actions: ['iam:member-of'], resources: [text(properties['GroupName'])] })),
  'AWS::KMS::Key': (id, properties) => document(`policy of ${id}`, id, properties['KeyPolicy']),
  'AWS::SecretsManager::ResourcePolicy': (id, properties) => document(`policy of ${plain(properties['SecretId'])}`, id, properties['ResourcePolicy']),
  'AWS::ECR::Repository': (id, properties) => document(`policy of ${id}`, id, properties['RepositoryPolicyText']),
  'AWS::Lambda::Permission': lambdaPermission,
  'AWS::Lambda::Url': (id, properties) => (properties['AuthType'] === 'NONE' ? [grant(`URL of ${plain(properties['TargetFunctionArn'])}`, id, { principals: ['*'], actions: ['lambda:InvokeFunctionUrl'] })] : []),
  'AWS::RAM::ResourceShare': (id, properties) => [grant(`resource share ${id}`, id, { principals: list(properties['Principals']).map(text), actions: ['ram:share'], resources: list(properties['ResourceArns']).map(text) })],
  'AWS::SSO::Assignment': (id, properties) => [grant(`assignment ${id}`, id, { principals: [text(properties['PrincipalId'])], actions: [`sso:${text(properties['PermissionSetArn'])}`], resources: [text(properties['TargetId'])] })],
  'AWS::SSO::PermissionSet': (id, properties) => [...identity('permission set', id, { ...properties, ManagedPolicyArns: properties['ManagedPolicies'] }), ...document(`permission set ${id}`, id, properties['InlinePolicy'])],
  'AWS::EC2::SecurityGroup': (id, properties) => [...rules(id, id, 'ingress', properties['SecurityGroupIngress']), ...rules(id, id, 'egress', properties['SecurityGroupEgress'])],
  'AWS::EC2::SecurityGroupIngress': (id, properties) => rules(plain(properties['GroupId']), id, 'ingress', [properties]),
  'AWS::EC2::SecurityGroupEgress': (id, properties) => rules(plain(properties['GroupId']), id, 'egress', [properties]),
};

/** Inline and attached policies of an identity, and its boundary: without one, nothing bounds it. */
function identity(kind: string, id: string, properties: Properties): Grant[] {
  const holder = `${kind} ${id}`;
  const inline = list(properties['Policies']).flatMap((policy) => document(holder, id, (policy as Properties)['PolicyDocument']));
  const managed = list(properties['ManagedPolicyArns']).map((arn) => grant(holder, id, { actions: ['iam:attached-policy'], resources: [text(arn)] }));
  const boundary = properties['PermissionsBoundary'];
  return [...inline, ...managed, ...(boundary === undefined ? [] : [grant(`boundary of ${id}`, id, { effect: 'Deny', actions: ['*'], negated: text(boundary) })])];
}

function attached(id: string, properties: Properties): Grant[] {
  const holders = [...list(properties['Roles']).map((name) => `role ${plain(name)}`), ...list(properties['Users']).map((name) => `user ${plain(name)}`), ...list(properties['Groups']).map((name) => `group ${plain(name)}`)];
  return holders.flatMap((holder) => document(holder, id, properties['PolicyDocument']));
}

/** Condition of what S3 blocks on a bucket whose template says nothing: it may be gone with any word that the template says. */
export const BY_DEFAULT = 'S3 does so by default';

const CLOSED = ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'];

/**
 * What keeps the public from a bucket, and the canned ACL that lets it in. Each part of a public-access block denies something to everybody.
 * A block that leaves a part out opens it (API reference, PublicAccessBlockConfiguration); where there is no block, S3 has closed all four
 * since April 2023 (S3 User Guide, "Blocking public access"), or the bucket is older and the comparison may say too much.
 */
function bucket(id: string, properties: Properties): Grant[] {
  const block = properties['PublicAccessBlockConfiguration'] as Properties | undefined;
  const closed = block === undefined ? CLOSED : CLOSED.filter((key) => String(block[key] ?? 'false') === 'true');
  const denials = closed.map((setting) => grant(`public access of ${id}`, id, { effect: 'Deny', principals: ['*'], actions: [setting], condition: block === undefined ? BY_DEFAULT : '' }));
  const opened = ACLS[text(properties['AccessControl'] ?? '')] ?? [];
  return [...denials, ...(opened.length === 0 ? [] : [grant(`policy of ${id}`, id, { principals: ['*'], actions: opened, resources: [`\${${id}.Arn}`, `\${${id}.Arn}/*`] })])];
}

/** What canned ACLs allow everybody, or everybody with an account (S3 User Guide, "Canned ACL"). */
const ACLS: Readonly<Record<string, readonly string[]>> = {
  PublicRead: ['s3:ListBucket', 's3:GetObject'],
  PublicReadWrite: ['s3:ListBucket', 's3:GetObject', 's3:PutObject'],
  AuthenticatedRead: ['s3:ListBucket', 's3:GetObject'],
};

function lambdaPermission(id: string, properties: Properties): Grant[] {
  const condition = Object.fromEntries(['SourceArn', 'SourceAccount', 'PrincipalOrgID', 'FunctionUrlAuthType'].flatMap((key) => (properties[key] === undefined ? [] : [[key, properties[key]]])));
  return [grant(`policy of ${plain(properties['FunctionName'])}`, id, { principals: [text(properties['Principal'])], actions: [text(properties['Action'])], condition: Object.keys(condition).length > 0 ? canonical(condition) : '' })];
}

function rules(group: string, id: string, direction: string, given: unknown): Grant[] {
  return list(given).map((rule) => {
    const { IpProtocol, FromPort, ToPort, ...others } = rule as Properties;
    const peer = others['CidrIp'] ?? others['CidrIpv6'] ?? others['SourceSecurityGroupId'] ?? others['DestinationSecurityGroupId'] ?? others['SourcePrefixListId'] ?? others['DestinationPrefixListId'] ?? '*';
    const ports = String(IpProtocol) === '-1' ? '*' : `${text(IpProtocol)}/${text(FromPort ?? '*')}-${text(ToPort ?? '*')}`;
    return grant(`network of ${group}`, id, { principals: [text(peer)], actions: [`${direction}:${ports}`] });
  });
}

/** Head of what stands for a document that can't be read. */
export const UNREADABLE = 'unreadable: ';

/** The statements of a policy document, or of both where an open condition has two. One that can't be read allows nobody knows what. */
function document(holder: string, source: string, given: unknown): Grant[] {
  return list(given).flatMap((one) => {
    const parsed = typeof one === 'string' ? parsedText(one) : one;
    if (typeof parsed !== 'object' || parsed === null) return [grant(holder, source, { negated: `${UNREADABLE}${canonical(one)}` })];
    return (list((parsed as Properties)['Statement']) as Statement[]).map((statement) => statementOf(holder, source, statement));
  });
}

/** A document that is given as text; undefined where it is no JSON. */
function parsedText(document: string): unknown {
  try {
    return JSON.parse(document) as unknown;
  } catch {
    return undefined;
  }
}

function statementOf(holder: string, source: string, { Effect, Principal, Action, Resource, NotAction, NotResource, NotPrincipal, Condition }: Statement): Grant {
  const negated = Object.entries({ NotAction, NotResource, NotPrincipal }).filter(([, value]) => value !== undefined);
  return grant(holder, source, {
    effect: Effect === 'Deny' ? 'Deny' : 'Allow',
    principals: Principal === undefined ? [] : principalsOf(Principal),
    actions: list(Action).map(text),
    ...(Resource === undefined ? {} : { resources: list(Resource).map(text) }),
    condition: Condition === undefined || Object.keys(Condition as object).length === 0 ? '' : canonical(Condition),
    negated: negated.length > 0 ? canonical(Object.fromEntries(negated)) : '',
  });
}

function principalsOf(principal: unknown): string[] {
  if (typeof principal !== 'object' || principal === null) return [text(principal)];
  return Object.entries(principal).flatMap(([kind, values]) => list(values).map((value) => (kind === 'AWS' ? accountRoot(text(value)) : `${kind}:${text(value)}`)));
}

/** An account ID stands for the ARN of its root (IAM User Guide, "AWS JSON policy elements: Principal"). */
function accountRoot(principal: string): string {
  return /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal;
}

function grant(holder: string, source: string, fields: Partial<Omit<Grant, 'holder' | 'source'>>): Grant {
  return { holder, source, effect: 'Allow', principals: [], actions: [], resources: [], condition: '', negated: '', ...fields };
}

/** `${Handler}` and `${Handler.Arn}` both mean the resource Handler. */
function plain(value: unknown): string {
  return text(value).replace(/^\$\{([^.}]+)[^}]*\}$/, '$1');
}

function list(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'object' ? canonical(value) : String(value);
}

/** JSON with sorted keys, so that equal means equal. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1))) : item));
}
