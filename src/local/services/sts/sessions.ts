import { randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { Principal, SessionPrincipal } from '../../kernel/principal.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as STS from '../../models/types/sts.js';
import { checkDocument, managedDocument, roleUsed, secretKey, storeSession, tagMap, uniqueId, type roleByArn } from '../iam/identity.js';

/** Making temporary credentials. */

type Role = NonNullable<ReturnType<typeof roleByArn>>;

export interface SessionRequest {
  readonly role: Role;
  readonly account: string;
  readonly name: string;
  /** Seconds. */
  readonly duration: number;
  readonly policies: SessionPrincipal['sessionPolicies'];
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
  readonly assumedBy: string;
}

/** A session of a role, stored; answers what AssumeRole and its siblings answer in common. */
export function roleSession(request: SessionRequest, context: RequestContext): { Credentials: STS.Credentials; AssumedRoleUser: STS.AssumedRoleUser } {
  const { role, account, name } = request;
  const now = context.now().getTime();
  const arn = `arn:aws:sts::${account}:assumed-role/${role.name}/${name}`;
  const userId = `${role.id}:${name}`;
  const principal: SessionPrincipal = {
    kind: 'session',
    account,
    arn,
    roleArn: role.arn,
    roleName: role.name,
    roleId: role.id,
    sessionName: name,
    userId,
    sessionPolicies: request.policies,
    tags: { ...tagMap(role.tags), ...request.tags },
    transitiveTagKeys: request.transitiveTagKeys,
    ...(request.sourceIdentity === undefined ? {} : { sourceIdentity: request.sourceIdentity }),
    issuedAt: now,
    expiresAt: now + request.duration * 1000,
    assumedBy: request.assumedBy,
  };
  return context.state.transaction(() => {
    roleUsed(context.state, role, context.region, now);
    return { Credentials: temporaryCredentials(principal, request.duration, context), AssumedRoleUser: { AssumedRoleId: userId, Arn: arn } };
  });
}

/** Stores credentials for a principal and shows them. Duration in seconds. */
export function temporaryCredentials(principal: Principal, duration: number, context: RequestContext): STS.Credentials {
  const now = context.now().getTime();
  const accessKeyId = uniqueId('ASIA');
  const secretAccessKey = secretKey();
  const sessionToken = randomBytes(258).toString('base64');
  const expiresAt = now + duration * 1000;
  storeSession(context.state, accessKeyId, { secretAccessKey, sessionToken, principal, expiresAt }, now);
  return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: new Date(expiresAt) };
}

interface PolicyInput {
  readonly Policy?: string;
  readonly PolicyArns?: readonly STS.PolicyDescriptorType[];
}

/** Session policies of a request: inline and managed ones. */
export function sessionPolicies(input: PolicyInput, context: RequestContext): SessionPrincipal['sessionPolicies'] {
  if (input.Policy !== undefined) checkDocument(input.Policy, 'identity');
  const managed = (input.PolicyArns ?? []).map(({ arn = '' }) => {
    const found = managedDocument(context.state, arn);
    if (!found) throw new AwsError('ValidationError', `The policy ${arn} does not exist or is not attachable.`, { status: 400 });
    return { name: found.name, document: found.document };
  });
  return [...(input.Policy === undefined ? [] : [{ name: 'session policy', document: input.Policy }]), ...managed];
}

/** Characters that policies and tags of a session may have together before AWS's packed form is full. */
const PACKED_LIMIT = 4096;

/** Percentage of the allowed packed size; AWS's compression is its own, so this is an estimate. Raises PackedPolicyTooLarge over 100. */
export function packedSize(input: PolicyInput, tags: Readonly<Record<string, string>>): number | undefined {
  const arns = (input.PolicyArns ?? []).reduce((sum, { arn = '' }) => sum + arn.length, 0);
  const tagged = Object.entries(tags).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  const used = (input.Policy?.length ?? 0) + arns + tagged;
  if (used === 0) return undefined;
  const percent = Math.ceil((used / PACKED_LIMIT) * 100);
  if (percent > 100) throw new AwsError('PackedPolicyTooLarge', `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`, { status: 400 });
  return percent;
}
