/** Who makes a request, after its signature was verified. */
export type Principal = RootPrincipal | UserPrincipal | SessionPrincipal | FederatedUserPrincipal | ServicePrincipal | AnonymousPrincipal;

export interface RootPrincipal {
  readonly kind: 'root';
  readonly account: string;
  readonly arn: string;
  /** The account ID. */
  readonly userId: string;
  readonly accessKeyId?: string;
}

export interface UserPrincipal {
  readonly kind: 'user';
  readonly account: string;
  readonly arn: string;
  /** `AIDA…`: unique, never used again for a later user of the same name. */
  readonly userId: string;
  readonly userName: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly accessKeyId?: string;
}

/** A session of a role. */
export interface SessionPrincipal {
  readonly kind: 'session';
  readonly account: string;
  /** `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`. */
  readonly arn: string;
  readonly roleArn: string;
  readonly roleName: string;
  /** `AROA…`: the role's unique ID. */
  readonly roleId: string;
  readonly sessionName: string;
  /** `AROA…:SESSION`. */
  readonly userId: string;
  /** Inline and managed session policies: JSON documents. */
  readonly sessionPolicies: readonly { readonly name: string; readonly document: string }[];
  /** Role tags overlaid with session tags: `aws:PrincipalTag/…`. */
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity?: string;
  /** Milliseconds since the epoch: `aws:TokenIssueTime`. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly accessKeyId?: string;
  /** Who assumed it, for `cloud why`. */
  readonly assumedBy?: string;
}

export interface FederatedUserPrincipal {
  readonly kind: 'federated-user';
  readonly account: string;
  /** `arn:aws:sts::ACCOUNT:federated-user/NAME`. */
  readonly arn: string;
  /** `ACCOUNT:NAME`. */
  readonly userId: string;
  readonly name: string;
  /** The user (or root) who called GetFederationToken. */
  readonly issuer: UserPrincipal | RootPrincipal;
  readonly sessionPolicies: readonly { readonly name: string; readonly document: string }[];
  readonly tags: Readonly<Record<string, string>>;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly accessKeyId?: string;
}

/** An AWS service acting in its own name: only resource and trust policies grant it anything. */
export interface ServicePrincipal {
  readonly kind: 'service';
  /** `sns.amazonaws.com`. */
  readonly service: string;
  /** The account on whose resources it acts: `aws:SourceAccount`. */
  readonly account: string;
  readonly sourceArn?: string;
}

export interface AnonymousPrincipal {
  readonly kind: 'anonymous';
  readonly account: '';
}
