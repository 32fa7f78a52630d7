import { parseArn } from '../../kernel/arn.js';
import type { Service } from '../../kernel/service.js';
import { GLOBAL } from '../../state/state.js';
import { accessKeyOperations } from './access-keys.js';
import { accountOperations } from './account.js';
import { attachmentOperations } from './attachments.js';
import { authorization } from './authorization.js';
import { groupOperations } from './groups.js';
import { roleByArn, tagMap } from './identity.js';
import { instanceProfileOperations } from './instance-profiles.js';
import { loginProfileOperations } from './login-profiles.js';
import { managedPolicyOperations } from './managed-policies.js';
import { providerOperations } from './providers.js';
import { roleOperations } from './roles.js';
import { serviceCredentialOperations } from './service-credentials.js';
import { serviceLinkedOperations } from './service-linked.js';
import { simulationOperations } from './simulate.js';
import { key, policies, users } from './store.js';
import { tagOperations } from './tags.js';
import { userOperations } from './users.js';

/** AWS Identity and Access Management: an account's users, groups, roles and policies, by its query API. */
export const iam: Service = {
  name: 'iam',
  operations: {
    ...roleOperations,
    ...userOperations,
    ...groupOperations,
    ...managedPolicyOperations,
    ...attachmentOperations,
    ...accessKeyOperations,
    ...loginProfileOperations,
    ...instanceProfileOperations,
    ...providerOperations,
    ...serviceLinkedOperations,
    ...serviceCredentialOperations,
    ...tagOperations,
    ...accountOperations,
    ...simulationOperations,
  },
  authorization,
  // Policies that AWS manages are everyone's own.
  resourceAccount: (arn, context) => (parseArn(arn)?.account === 'aws' ? context.account : undefined),
  resourceTags: (arn, context) => {
    const parts = parseArn(arn);
    if (!parts || parts.service !== 'iam') return undefined;
    const name = key(parts.resource.slice(parts.resource.lastIndexOf('/') + 1));
    const kind = parts.resource.split('/', 1)[0];
    const found =
      kind === 'role'
        ? roleByArn(context.state, arn)
        : kind === 'user'
          ? users(context.state, parts.account, GLOBAL).get(name)
          : kind === 'policy'
            ? policies(context.state, parts.account, GLOBAL).get(name)
            : undefined;
    return found && tagMap(found.tags);
  },
};
