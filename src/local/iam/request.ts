import type { Principal } from '../kernel/principal.js';
import type { ConditionContext } from '../kernel/service.js';

/** Someone who holds a token of an identity provider and nothing of AWS: the caller of AssumeRoleWithWebIdentity and …WithSAML. */
export interface WebIdentity {
  readonly kind: 'web-identity';
  readonly account: '';
  /** ARN of the OIDC or SAML provider in IAM, or the host of a provider AWS knows itself (`accounts.google.com`). */
  readonly provider: string;
  /** The token's subject, for messages. */
  readonly subject: string;
}

export type Requester = Principal | WebIdentity;

export interface AuthorizationRequest {
  readonly principal: Requester;
  /** `s3:GetObject`, in any case. */
  readonly action: string;
  /** ARN of the resource, or `*` for actions that have none. */
  readonly resource: string;
  /** Owner of the resource, when neither the ARN nor its policy says so. */
  readonly resourceAccount?: string;
  readonly context: ConditionContext;
}

export interface NamedPolicy {
  readonly name: string;
  /** Managed policies have one; AWS's messages name it. */
  readonly arn?: string;
  /** JSON text. */
  readonly document: string;
}

export interface AttachedPolicy {
  /** A trust policy and a key policy must themselves allow; others share with identity policies within an account. */
  readonly kind: 'trust' | 'kms' | 'resource';
  readonly document: string;
  /** Account that owns the resource. */
  readonly account: string;
  readonly name?: string;
}

/** A KMS grant: it allows what a key policy naming the grantee would. */
export interface Grant {
  readonly granteePrincipal: string;
  /** `Decrypt`, `GenerateDataKey` … */
  readonly operations: readonly string[];
  readonly encryptionContextEquals?: Readonly<Record<string, string>>;
  readonly encryptionContextSubset?: Readonly<Record<string, string>>;
}

/** All that applies to one request. */
export interface PolicySet {
  /** Inline and managed policies of the user (and its groups) or of the role. */
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy | undefined;
  /** Policies given with the session; they allow together and bound what the role allows. */
  readonly session?: readonly NamedPolicy[] | undefined;
  readonly resource?: AttachedPolicy | undefined;
  /** Service control policies of the principal's account: one list a level (root, units, account); each level must allow. */
  readonly scps?: readonly (readonly NamedPolicy[])[] | undefined;
  /** Resource control policies of the resource's account, likewise. */
  readonly rcps?: readonly (readonly NamedPolicy[])[] | undefined;
  readonly vpcEndpoint?: NamedPolicy | undefined;
  readonly grants?: readonly Grant[] | undefined;
}
