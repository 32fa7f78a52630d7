import { AwsError, isAwsError } from '../../kernel/error.js';
import type { Principal, SessionPrincipal } from '../../kernel/principal.js';
import type { Client, Runtime } from '../../kernel/service.js';
import { validationError } from '../template/error.js';

export interface Acting {
  readonly account: string;
  readonly region: string;
  /** Who asked for the operation. */
  readonly principal: Principal;
  readonly roleArn: string | undefined;
}

const SERVICE = 'cloudformation.amazonaws.com';

/**
 * Who resource providers act as: the stack's service role, assumed by CloudFormation itself, or else the caller (user guide: "AWS
 * CloudFormation service role").
 */
export async function actingClient(runtime: Runtime, acting: Acting): Promise<Client> {
  if (acting.roleArn === undefined) {
    return runtime.client({
      principal: acting.principal,
      region: acting.region,
      context: { 'aws:ViaAWSService': true, 'aws:CalledVia': [SERVICE], 'aws:CalledViaFirst': SERVICE, 'aws:CalledViaLast': SERVICE },
    });
  }
  return runtime.client({ principal: await assume(runtime, acting.account, acting.region, acting.roleArn, 'AWSCloudFormation'), region: acting.region });
}

interface AssumeRoleAnswer {
  readonly Credentials: { readonly AccessKeyId: string; readonly Expiration: Date };
  readonly AssumedRoleUser: { readonly AssumedRoleId: string; readonly Arn: string };
}

/** Assumes a role as CloudFormation. Raises AWS's sentence when the role doesn't trust it or isn't there. */
export async function assume(runtime: Runtime, account: string, region: string, roleArn: string, sessionName: string): Promise<SessionPrincipal> {
  const service = runtime.client({ principal: { kind: 'service', service: SERVICE, account }, region });
  try {
    const answer = await service.call<AssumeRoleAnswer>('sts', 'AssumeRole', { RoleArn: roleArn, RoleSessionName: sessionName });
    const { AssumedRoleId, Arn } = answer.AssumedRoleUser;
    return {
      kind: 'session', account: roleArn.split(':')[4]!, arn: Arn, roleArn, roleName: roleArn.split('/').pop()!, roleId: AssumedRoleId.split(':')[0]!, sessionName, userId: AssumedRoleId,
      sessionPolicies: [], tags: {}, transitiveTagKeys: [], issuedAt: runtime.clock.now(), expiresAt: new Date(answer.Credentials.Expiration).getTime(),
      accessKeyId: answer.Credentials.AccessKeyId, assumedBy: SERVICE,
    };
  } catch (error) {
    if (!isAwsError(error) || (error instanceof AwsError && error.code === 'NotImplemented')) throw error;
    throw validationError(`Role ${roleArn} is invalid or cannot be assumed`);
  }
}
