import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as STS from '../../models/types/sts.js';
import { accountOfKey } from '../iam/identity.js';

export const callerOperations = {
  GetCallerIdentity: (_input: STS.GetCallerIdentityRequest, { principal }: RequestContext): STS.GetCallerIdentityResponse => {
    if (principal.kind === 'service' || principal.kind === 'anonymous') {
      throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', { status: 403 });
    }
    return { UserId: principal.userId, Account: principal.account, Arn: principal.arn };
  },

  GetAccessKeyInfo: (input: STS.GetAccessKeyInfoRequest, { state }: RequestContext): STS.GetAccessKeyInfoResponse => {
    const Account = accountOfKey(state, input.AccessKeyId);
    if (Account === undefined) throw new AwsError('ValidationError', `The access key ${input.AccessKeyId} is not known to the local cloud.`, { status: 400 });
    return { Account };
  },
};
