import { isConditionOperator, parseDate } from './conditions.js';
import { isObject, list } from './compile.js';
import { principalSet } from './principals.js';

/** `identity` is an inline policy of a user, group or role; `managed` one with an ARN, a permissions boundary or a session policy. */
export type PolicyKind = 'identity' | 'managed' | 'trust' | 'resource' | 'scp';

/**
 * What AWS finds wrong with a policy document, in IAM's words; undefined when it would be stored. Whether principals exist is not
 * asked here (services/iam/principals.ts does). Services prefix or replace the sentence where they have one of their own.
 */
export function validatePolicy(document: string, kind: PolicyKind): string | undefined {
  let policy: unknown;
  try {
    policy = JSON.parse(document);
  } catch {
    // Recorded from AWS: CreateRole, 2025-03-06.
    return kind === 'trust' ? 'This policy contains invalid Json' : SYNTAX;
  }
  if (!isObject(policy)) return SYNTAX;
  return (
    (kind === 'managed' ? versionProblem(policy) : undefined) ??
    grammarProblem(policy, kind) ??
    legacyProblem(policy) ??
    sidProblem(policy) ??
    firstOf(list(policy.Statement), (statement) => statementProblem(statement as Record<string, unknown>, kind))
  );
}

const SYNTAX = 'Syntax errors in policy.';
const LEGACY = 'The policy failed legacy parsing';
const VERSIONS = ['2012-10-17', '2008-10-17'];

function versionProblem(policy: Record<string, unknown>): string | undefined {
  const { Version } = policy;
  return Version === undefined || Version === '2008-10-17' ? 'Policy document must be version 2012-10-17 or greater.' : undefined;
}

const STATEMENT_FIELDS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

/** The shape of the JSON (IAM reference, "Grammar of the IAM JSON policy language"). */
function grammarProblem(policy: Record<string, unknown>, kind: PolicyKind): string | undefined {
  const { Version, Id, Statement } = policy;
  if (Object.keys(policy).some((key) => key !== 'Version' && key !== 'Id' && key !== 'Statement')) return SYNTAX;
  if (Version !== undefined && !VERSIONS.includes(Version as string)) return SYNTAX;
  if (Id !== undefined && typeof Id !== 'string') return SYNTAX;
  const statements = list(Statement);
  if (statements.length === 0) return SYNTAX;
  for (const statement of statements) {
    if (!isObject(statement) || Object.keys(statement).some((key) => !STATEMENT_FIELDS.has(key))) return SYNTAX;
    if (!isWellFormed(statement)) return SYNTAX;
    const named = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
    if (named && !principalSet(statement.Principal ?? statement.NotPrincipal, false)) return SYNTAX;
    if (named && kind !== 'trust' && kind !== 'resource') return 'Policy document should not specify a principal.';
  }
  return undefined;
}

function isWellFormed(statement: Record<string, unknown>): boolean {
  const { Sid, Effect, Action, NotAction, Resource, NotResource, Condition, Principal, NotPrincipal } = statement;
  if (Sid !== undefined && typeof Sid !== 'string') return false;
  if (typeof Effect !== 'string' || !/^(allow|deny)$/i.test(Effect)) return false;
  if (Action !== undefined && NotAction !== undefined) return false;
  if (Resource !== undefined && NotResource !== undefined) return false;
  if (Principal !== undefined && NotPrincipal !== undefined) return false;
  if (![Action, NotAction, Resource, NotResource].every((value) => list(value).every((item) => typeof item === 'string'))) return false;
  return Condition === undefined || isConditionBlock(Condition);
}

function isConditionBlock(block: unknown): boolean {
  if (!isObject(block)) return false;
  return Object.entries(block).every(([operator, keys]) => {
    if (!isObject(keys)) return false;
    // AWS lets an unknown operator pass as long as it has no keys.
    if (Object.keys(keys).length > 0 && !isConditionOperator(operator)) return false;
    return Object.values(keys).every((value) => list(value).every((item) => ['string', 'number', 'boolean'].includes(typeof item)));
  });
}

/** Faults for which AWS answers with one and the same sentence, before it looks at anything else. */
function legacyProblem(policy: Record<string, unknown>): string | undefined {
  for (const statement of list(policy.Statement) as Record<string, unknown>[]) {
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') return LEGACY;
    for (const resource of [...list(statement.Resource), ...list(statement.NotResource)] as string[]) {
      if (hasTooFewColons(resource)) return LEGACY;
    }
    for (const [operator, keys] of Object.entries((statement.Condition ?? {}) as Record<string, Record<string, unknown>>)) {
      if (/^(for(all|any)values?:)?date/i.test(operator) && Object.values(keys).some((value) => list(value).some(isNoDate))) return LEGACY;
    }
  }
  return undefined;
}

/** `arn:aws:s3::bucket`: a service, but fewer than six parts. */
function hasTooFewColons(resource: string): boolean {
  const parts = resource.split(':');
  if (parts[0] !== 'arn' || parts[1] !== 'aws' || parts.length < 4) return false;
  if (resource.includes('*') && parts.length < 6) return false;
  return parts.length < 6 || parts[2] === '';
}

function isNoDate(value: unknown): boolean {
  return typeof value !== 'string' || !value.includes('${') ? Number.isNaN(parseDate(String(value))) : false;
}

function statementProblem(statement: Record<string, unknown>, kind: PolicyKind): string | undefined {
  const actions = [...list(statement.Action), ...list(statement.NotAction)] as string[];
  const resources = [...list(statement.Resource), ...list(statement.NotResource)] as string[];
  const resourceProblem = firstOf(resources, resourceSyntax);
  if (kind === 'trust') return trustProblem(statement, actions, resources);
  if (actions.length === 0) return resourceProblem ?? 'Policy statement must contain actions.';
  if (resourceProblem) return resourceProblem;
  const actionProblem = firstOf(actions, actionSyntax);
  if (actionProblem) return actionProblem;
  if (resources.length === 0 && kind !== 'resource') return 'Policy statement must contain resources.';
  if (kind === 'resource' && statement.Principal === undefined && statement.NotPrincipal === undefined) return 'Missing required field Principal';
  return undefined;
}

function trustProblem(statement: Record<string, unknown>, actions: readonly string[], resources: readonly string[]): string | undefined {
  if (resources.length > 0 || statement.Resource !== undefined || statement.NotResource !== undefined) return 'Has prohibited field Resource';
  if (statement.Principal === undefined && statement.NotPrincipal === undefined) return 'Missing required field Principal';
  if (actions.length === 0) return 'Missing required field Action';
  return firstOf(actions, actionSyntax) ?? (actions.every((action) => /^(\*|sts:.*)$/i.test(action)) ? undefined : TRUST_ACTIONS);
}

const TRUST_ACTIONS = 'AssumeRole policy may only specify STS AssumeRole actions.';

function actionSyntax(action: string): string | undefined {
  if (action === '*') return undefined;
  const parts = action.split(':');
  if (parts.length === 1) return 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';
  if (parts.length > 2) return 'Actions/Condition can contain only one colon.';
  return /^[\w.*?-]+$/.test(parts[0]!) ? undefined : `Vendor ${parts[0]} is not valid`;
}

const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc', '*'];
const IAM_PATHS =
  'user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/';

function resourceSyntax(resource: string): string | undefined {
  if (resource === '*') return undefined;
  const parts = resource.split(':');
  if (parts.length === 1 && !resource.startsWith('arn')) return resource.includes('*') && resource !== '' ? undefined : notArn(resource);
  if (!['arn', 'a', 'ar'].includes(parts[0]!)) return /^[a-z]+$/.test(parts[0]!) ? partitionProblem(parts) : notArn(resource);
  const wild = parts[1]?.includes('*') || parts[1]?.includes('${');
  if (!wild && !PARTITIONS.includes(parts[1] ?? '')) return partitionProblem(parts);
  if (parts.length === 2) return resource.endsWith('*') ? undefined : 'Resource vendor must be fully qualified and cannot contain regexes.';
  return serviceRules(resource, parts);
}

function serviceRules(resource: string, parts: readonly string[]): string | undefined {
  const [, , service, region = '', , ...rest] = parts;
  if (service === 'iam') {
    if (region !== '' && region !== '*') return `IAM resource ${resource} cannot contain region information.`;
    const path = rest.join(':');
    const known = path === '' || /^[*?]|\$\{/.test(path) || path === 'root' || IAM_PATHS.split(', ').some((start) => path.startsWith(start) || wildStart(path, start));
    return known ? undefined : `IAM resource path must either be "*" or start with ${IAM_PATHS}.`;
  }
  if (service === 's3' && region !== '' && region !== '*' && /^[^:/]*(\/|$)/.test(rest.join(':')) && !rest.join(':').startsWith('accesspoint')) {
    return `Resource ${resource} can not contain region information.`;
  }
  return undefined;
}

/** `ro*` may mean `role/…`. */
function wildStart(path: string, start: string): boolean {
  const wild = path.search(/[*?]/);
  return wild >= 0 && start.startsWith(path.slice(0, wild));
}

function notArn(resource: string): string {
  return `Resource ${resource} must be in ARN format or "*".`;
}

/** AWS repairs the ARN before it complains of it: missing parts become `*`. */
function partitionProblem(parts: readonly string[]): string {
  const rest = parts.slice(1);
  while (rest.length < 5) rest.push('*');
  return `Partition "${parts[1] ?? ''}" is not valid for resource "arn:${rest.join(':')}".`;
}

function sidProblem(policy: Record<string, unknown>): string | undefined {
  const sids = (list(policy.Statement) as Record<string, unknown>[]).map((statement) => statement.Sid).filter((sid) => sid !== undefined && sid !== '');
  return new Set(sids).size < sids.length ? 'Statement IDs (SID) in a single policy must be unique.' : undefined;
}

function firstOf<T>(items: readonly T[], problem: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
