import { unreachable } from '../../shared/errors.js';
import type { Client, ConditionContext, Runtime } from './service.js';

export interface AssumedRole {
  /** Acts as the role's session in the region that was asked for. */
  readonly client: Client;
  readonly credentials: RoleCredentials;
}

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiration: number;
}

export interface AssumeOptions {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly region: string;
  /** Who assumes: a service principal in an account, or a session that chains. */
  readonly as: { readonly service: string; readonly account: string; readonly sourceArn?: string } | { readonly client: Client };
  /** Seconds; default 3,600. */
  readonly duration?: number;
  readonly context?: ConditionContext;
}

/** Really assumes a role: the trust policy decides. Raises STS's AccessDenied. */
export async function assumeRole(runtime: Runtime, options: AssumeOptions): Promise<AssumedRole> {
  const { as } = options;
  const caller =
    'client' in as
      ? as.client
      : runtime.client({ principal: { kind: 'service', service: as.service, account: as.account, ...(as.sourceArn ? { sourceArn: as.sourceArn } : {}) }, region: options.region });
  const { Credentials: given } = await caller.call<{ Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string; Expiration: Date } }>('sts', 'AssumeRole', {
    RoleArn: options.roleArn,
    RoleSessionName: options.sessionName,
    DurationSeconds: options.duration ?? 3600,
  });
  const principal = runtime.credential(given.AccessKeyId)?.principal ?? unreachable('a session that STS just made is unknown');
  return {
    client: runtime.client({ principal, region: options.region, ...(options.context ? { context: options.context } : {}) }),
    credentials: { accessKeyId: given.AccessKeyId, secretAccessKey: given.SecretAccessKey, sessionToken: given.SessionToken, expiration: new Date(given.Expiration).getTime() },
  };
}
