import type { Service } from '../../kernel/service.js';
import { roleByArn, tagMap, trustPolicy } from '../iam/identity.js';
import { assumeRole, assumeRoleRules } from './assume-role.js';
import { callerOperations } from './callers.js';
import { decodeAuthorizationMessage } from './messages.js';
import { getFederationToken, getSessionToken } from './tokens.js';
import { assumeRoleWithWebIdentity } from './web-identity.js';

/** AWS Security Token Service: temporary credentials and who one is, by its query API. */
export const sts: Service = {
  name: 'sts',
  operations: {
    AssumeRole: assumeRole,
    AssumeRoleWithWebIdentity: assumeRoleWithWebIdentity,
    GetFederationToken: getFederationToken,
    GetSessionToken: getSessionToken,
    DecodeAuthorizationMessage: decodeAuthorizationMessage,
    ...callerOperations,
  },
  authorization: {
    AssumeRole: assumeRoleRules,
    // Its caller is nobody of AWS: the operation itself asks the trust policy, once it has read the token.
    AssumeRoleWithWebIdentity: 'none',
    GetFederationToken: { resource: (input: { Name?: string }, context) => `arn:aws:sts::${context.account}:federated-user/${input.Name ?? ''}` },
    // "No permissions are required for users to perform this operation."
    GetSessionToken: 'none',
    GetCallerIdentity: 'none',
    GetAccessKeyInfo: {},
    DecodeAuthorizationMessage: {},
  },
  resourcePolicy: (arn, context) => {
    if (!/^arn:[\w-]+:iam::\d{12}:role\//.test(arn)) return undefined;
    const { document } = trustPolicy(context.state, arn);
    return { kind: 'trust', document };
  },
  resourceTags: (arn, context) => {
    const role = roleByArn(context.state, arn);
    return role && tagMap(role.tags);
  },
};
