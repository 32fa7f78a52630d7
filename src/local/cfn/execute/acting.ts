import { unreachable } from '../../../shared/errors.js';
import { isAwsError } from '../../kernel/error.js';
import type { Principal } from '../../kernel/principal.js';
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

/** Assumes a role as CloudFormation. Raises AWS's sentence when the role doesn't trust it or isn't there. */
export async function assume(runtime: Runtime, account: string, region: string, roleArn: string, sessionName: string): Promise<Principal> {
  const service = runtime.client({ principal: { kind: 'service', service: SERVICE, account }, region });
  try {
    const answer = await service.call<{ Credentials: { AccessKeyId: string } }>('sts', 'AssumeRole', { RoleArn: roleArn, RoleSessionName: sessionName });
    const credential = runtime.credential(answer.Credentials.AccessKeyId);
    return credential?.principal ?? unreachable(`STS gave credentials it does not know: ${answer.Credentials.AccessKeyId}`);
  } catch (error) {
    if (!isAwsError(error) || error.code === 'NotImplemented') throw error;
    throw validationError(`Role ${roleArn} is invalid or cannot be assumed`);
  }
}
