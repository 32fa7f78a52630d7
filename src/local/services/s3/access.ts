import { AwsError } from '../../kernel/error.js';
import type { RequestContext, ResourcePolicy } from '../../kernel/service.js';
import type * as S3 from '../../models/types/s3.js';
import { validatePolicy } from '../../iam/index.js';
import { bucketOf, buckets, canonicalId, currentVersion, putBucket, type Bucket } from './store.js';

const MAX_POLICY = 20 * 1024;

export function putBucketPolicy(input: S3.PutBucketPolicyRequest, context: RequestContext): Record<string, never> {
  const bucket = bucketOf(input, context);
  const policy = checkPolicy(input.Policy, bucket);
  if (publicAccessBlock(bucket).BlockPublicPolicy && isPublic(policy))
    throw new AwsError(
      'AccessDenied',
      `User: ${'arn' in context.principal ? context.principal.arn : 'anonymous'} is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::${bucket.name}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
      { status: 403 },
    );
  const bound = context.runtime.principals.bind(input.Policy);
  if ('invalid' in bound) throw new AwsError('MalformedPolicy', 'Invalid principal in policy', { status: 400, fields: { Detail: bound.invalid } });
  putBucket(context.state, { ...bucket, policy: bound.document });
  return {};
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action?: string | string[];
  readonly Resource?: string | string[];
  readonly Condition?: Record<string, Record<string, unknown>>;
}

function checkPolicy(text: string, bucket: Bucket): { Statement: Statement[] } {
  if (Buffer.byteLength(text) > MAX_POLICY) throw malformed('Policy is too large. Bucket policies are limited to 20480 bytes in size.', 'PolicyTooLarge');
  if (!text.trimStart().startsWith('{')) throw malformed("Policies must be valid JSON and the first byte must be '{'");
  let parsed: { Statement?: Statement | Statement[] };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    throw malformed('This policy contains invalid Json');
  }
  if (parsed.Statement === undefined) throw malformed('Missing required field Statement');
  const statements = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  const problem = validatePolicy(text, 'resource');
  if (problem) throw malformed(problem);
  for (const statement of statements) {
    if (statement.Principal === undefined && !('NotPrincipal' in statement)) throw malformed('Missing required field Principal');
    for (const resource of [statement.Resource ?? []].flat()) {
      const name = /^arn:aws:s3:::([^/]*)/.exec(resource)?.[1];
      if (name === undefined || (name !== bucket.name && !name.includes('*') && !name.includes('?') && !name.includes('${'))) throw malformed('Policy has invalid resource');
    }
    for (const action of [statement.Action ?? []].flat()) if (action !== '*' && !/^s3(-object-lambda)?:/i.test(action)) throw malformed('Policy has invalid action');
  }
  return { Statement: statements };
}

function malformed(message: string, code = 'MalformedPolicy'): AwsError {
  return new AwsError(code, message, { status: 400 });
}

export function getBucketPolicy(input: S3.GetBucketPolicyRequest, context: RequestContext): S3.GetBucketPolicyOutput {
  const bucket = bucketOf(input, context);
  if (bucket.policy === undefined) throw new AwsError('NoSuchBucketPolicy', 'The bucket policy does not exist', { status: 404, fields: { BucketName: bucket.name } });
  return { Policy: context.runtime.principals.show(bucket.policy) };
}

export function deleteBucketPolicy(input: S3.DeleteBucketPolicyRequest, context: RequestContext): Record<string, never> {
  const { policy: _, ...bucket } = bucketOf(input, context);
  putBucket(context.state, bucket);
  return {};
}

export function getBucketPolicyStatus(input: S3.GetBucketPolicyStatusRequest, context: RequestContext): S3.GetBucketPolicyStatusOutput {
  const bucket = bucketOf(input, context);
  if (bucket.policy === undefined) throw new AwsError('NoSuchBucketPolicy', 'The bucket policy does not exist', { status: 404, fields: { BucketName: bucket.name } });
  return { PolicyStatus: { IsPublic: isPublic({ Statement: statementsOf(bucket.policy) }) } };
}

export function statementsOf(policy: string): Statement[] {
  const { Statement } = JSON.parse(policy) as { Statement: Statement | Statement[] };
  return Array.isArray(Statement) ? Statement : [Statement];
}

/** Condition keys that tie `Principal: *` to somebody (S3 user guide, "The meaning of public"). */
const RESTRICTING = new Set([
  'aws:principalarn', 'aws:principalaccount', 'aws:principalorgid', 'aws:principalorgpaths', 'aws:sourceaccount', 'aws:sourcearn', 'aws:sourceorgid', 'aws:sourceip', 'aws:sourcevpc',
  'aws:sourcevpce', 'aws:sourceowner', 'aws:userid', 's3:dataaccesspointaccount', 's3:dataaccesspointarn', 's3:x-amz-server-side-encryption-aws-kms-key-id', 'aws:viaawsservice', 'aws:calledvia',
]);

function isPublic(policy: { Statement: readonly Statement[] }): boolean {
  return policy.Statement.some((statement) => {
    const everyone = statement.Principal === '*' || (typeof statement.Principal === 'object' && [(statement.Principal as Record<string, unknown>)['AWS'] ?? []].flat().includes('*'));
    if (statement.Effect !== 'Allow' || !everyone) return false;
    return !Object.entries(statement.Condition ?? {}).some(
      ([operator, keys]) => !/^(Not|.*Not)/.test(operator) && Object.entries(keys).some(([key, value]) => RESTRICTING.has(key.toLowerCase()) && ![value].flat().some((v) => String(v).replace(/[*?]/g, '') === '')),
    );
  });
}

interface PublicAccessBlock {
  readonly BlockPublicAcls?: boolean;
  readonly IgnorePublicAcls?: boolean;
  readonly BlockPublicPolicy?: boolean;
  readonly RestrictPublicBuckets?: boolean;
}

function publicAccessBlock(bucket: Bucket): PublicAccessBlock {
  return (bucket.configuration['publicAccessBlock'] as PublicAccessBlock | undefined) ?? {};
}

/** The policy that guards a bucket and its objects: what was put, plus what a public ACL grants where ACLs are in force. */
export function resourcePolicy(arn: string, context: RequestContext): ResourcePolicy | undefined {
  const bucket = bucketByArn(arn, context);
  if (!bucket) return undefined;
  let statements = bucket.policy === undefined ? [] : statementsOf(bucket.policy);
  // RestrictPublicBuckets: a public policy grants nothing outside the owner's account, to AWS services excepted.
  if (publicAccessBlock(bucket).RestrictPublicBuckets && context.principal.account !== bucket.account && isPublic({ Statement: statements })) statements = statements.filter((statement) => statement.Effect === 'Deny');
  const granted = publicAcl(bucket, arn, context);
  if (!granted && statements.length > 0 && bucket.policy !== undefined && statements.length === statementsOf(bucket.policy).length) return { document: bucket.policy, kind: 'resource' };
  const all = granted ? [...statements, granted] : statements;
  return all.length === 0 ? undefined : { document: JSON.stringify({ Version: '2012-10-17', Statement: all }), kind: 'resource' };
}

function publicAcl(bucket: Bucket, arn: string, context: RequestContext): Statement | undefined {
  if (publicAccessBlock(bucket).IgnorePublicAcls || ownership(bucket) === 'BucketOwnerEnforced') return undefined;
  const slash = arn.indexOf('/');
  if (slash < 0) return bucket.configuration['acl'] === 'public-read' ? { Effect: 'Allow', Principal: '*', Action: ['s3:ListBucket'], Resource: arn } : undefined;
  const acl = currentVersion(context.state, bucket, arn.slice(slash + 1))?.acl;
  return acl === 'public-read' || acl === 'public-read-write' ? { Effect: 'Allow', Principal: '*', Action: ['s3:GetObject'], Resource: arn } : undefined;
}

export function bucketByArn(arn: string, context: RequestContext): Bucket | undefined {
  const name = /^arn:aws:s3:::([^/]+)/.exec(arn)?.[1];
  return name === undefined ? undefined : buckets(context.state).get(name);
}

function ownership(bucket: Bucket): string {
  return (bucket.configuration['ownership'] as { Rules?: { ObjectOwnership?: string }[] } | undefined)?.Rules?.[0]?.ObjectOwnership ?? 'ObjectWriter';
}

/** Raises where an ACL is given that the bucket's ownership or public-access settings exclude. */
export function checkAcl(bucket: Bucket, acl: string | undefined): void {
  if (acl === undefined || acl === 'private' || acl === 'bucket-owner-full-control') return;
  if (ownership(bucket) === 'BucketOwnerEnforced') throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs', { status: 400 });
  if (acl.startsWith('public-') && publicAccessBlock(bucket).BlockPublicAcls) throw new AwsError('AccessDenied', 'Access Denied', { status: 403 });
}

export function putBucketAcl(input: S3.PutBucketAclRequest, context: RequestContext): Record<string, never> {
  const bucket = bucketOf(input, context);
  if (input.AccessControlPolicy !== undefined || [input.GrantFullControl, input.GrantRead, input.GrantReadACP, input.GrantWrite, input.GrantWriteACP].some((grant) => grant !== undefined)) {
    if (ownership(bucket) === 'BucketOwnerEnforced') throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs', { status: 400 });
    throw new AwsError('NotImplemented', 'The local cloud knows canned ACLs only; grants in an ACL are not implemented (s3:PutBucketAcl)', { status: 501 });
  }
  checkAcl(bucket, input.ACL);
  putBucket(context.state, { ...bucket, configuration: { ...bucket.configuration, acl: input.ACL ?? 'private' } });
  return {};
}

export function getBucketAcl(input: S3.GetBucketAclRequest, context: RequestContext): S3.GetBucketAclOutput {
  const bucket = bucketOf(input, context);
  return { Owner: { ID: canonicalId(bucket.account) }, Grants: grants(bucket, bucket.configuration['acl'] as string | undefined) } as S3.GetBucketAclOutput;
}

/** The grants a canned ACL stands for (S3 user guide, "Canned ACL"). */
export function grants(bucket: Bucket, acl: string | undefined): unknown[] {
  const group = (uri: string, permission: string): unknown => ({ Grantee: { Type: 'Group', URI: `http://acs.amazonaws.com/groups/${uri}` }, Permission: permission });
  const own = { Grantee: { ID: canonicalId(bucket.account), Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' };
  switch (acl) {
    case 'public-read':
      return [own, group('global/AllUsers', 'READ')];
    case 'public-read-write':
      return [own, group('global/AllUsers', 'READ'), group('global/AllUsers', 'WRITE')];
    case 'authenticated-read':
      return [own, group('global/AuthenticatedUsers', 'READ')];
    case 'log-delivery-write':
      return [own, group('s3/LogDelivery', 'WRITE'), group('s3/LogDelivery', 'READ_ACP')];
    default:
      return [own];
  }
}
